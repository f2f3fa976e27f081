// The page's end of the worker: messages, questions with answers, and a new worker after a crash.

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
    const { early } = globalThis;
    if (!early) {
      const text = "This browser has no WebAssembly with vector instructions (SIMD). Chrome 91, Firefox 89 and Safari 16.4, and all later ones, have it.";
      queueMicrotask(() => this.receive({ type: "error", text }));
      return;
    }
    this.worker = early.first ?? early.newWorker();
    early.first = null;
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
