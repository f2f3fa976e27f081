// What the reference module prints, in Node and in a page.
function referenceText(bytes) {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const length = exports.reference_len();
  const start = exports.reference_text();
  return new TextDecoder().decode(new Uint8Array(exports.memory.buffer, start, length));
}
