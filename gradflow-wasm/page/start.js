// The worker takes longest to begin, and so begins first, before the styles and the rest of the page.
// A script of the old kind, because only such a one runs at once.

globalThis.early = (() => {
  // The smallest module that uses a vector: whoever refuses it cannot run the trainer.
  const vectors = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11]);
  if (typeof WebAssembly !== "object" || !WebAssembly.validate(vectors)) return null;
  const newWorker = () => new Worker("./worker.js", { type: "module" });
  return { newWorker, first: newWorker() };
})();
