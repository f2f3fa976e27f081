// The page's end of the worker: messages, questions with answers, and a new worker after a crash.

// The smallest module that uses a vector: whoever refuses it cannot run the trainer.
const VECTORS = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11]);

const able = typeof WebAssembly === "object" && WebAssembly.validate(VECTORS);
const newWorker = () => new Worker("./worker.js", { type: "module" });

// The first worker starts while the rest of the page is still loading.
let first = able ? newWorker() : null;

export class Link {
  constructor(receive) {
    this.receive = receive;
    this.waiting = new Map();
    this.tickets = 0;
    this.revive();
  }

  /** Starts a worker, in place of the present one if there is one. */
  revive() {
    this.worker?.terminate();
    for (const { reject } of this.waiting.values()) reject(new Error("the worker was restarted"));
    this.waiting.clear();
    if (!able) {
      const text = "This browser has no WebAssembly with vector instructions (SIMD). Chrome 91, Firefox 89 and Safari 16.4, and all later ones, have it.";
      queueMicrotask(() => this.receive({ type: "error", text }));
      return;
    }
    this.worker = first ?? newWorker();
    first = null;
    this.worker.onmessage = ({ data }) => this.hear(data);
    this.worker.onerror = (event) => this.hear({ type: "error", text: `The training stopped with an error: ${event.message ?? "the worker did not start"}` });
  }

  send(type, content = {}) {
    this.worker?.postMessage({ type, ...content });
  }

  /** Sends a question; the promise holds its answer. */
  ask(type, content = {}) {
    const ticket = ++this.tickets;
    this.send(type, { ...content, ticket });
    return new Promise((resolve, reject) => this.waiting.set(ticket, { resolve, reject }));
  }

  hear(message) {
    const asked = this.waiting.get(message.ticket);
    if (asked && message.type !== "prediction") {
      this.waiting.delete(message.ticket);
      if (message.type === "error") asked.reject(new Error(message.text));
      else return asked.resolve(message.value);
    }
    this.receive(message);
  }
}
