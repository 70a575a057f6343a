/** The page's side of the worker: what is asked for, and what comes back. */

/**
 * A worker with the page's own Content-Security-Policy: one made from a blob inherits it, one fetched from a server
 * would have none of its own.
 */
export function startWorker(address) {
  const script = `import ${JSON.stringify(new URL(address, import.meta.url).href)};`;
  const blob = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  return new Worker(blob, { type: "module" });
}

/** Tells of what comes back by `on[kind](answer)`; answers to what was given up are not told. */
export class Painter {
  constructor(on) {
    this.on = on;
    this.id = 0;
    this.tuning = false;
    this.wanted = null; // the vividness that was asked for while another was painted
    this.worker = startWorker("worker/worker.js");
    this.worker.onmessage = ({ data }) => this.#hear(data);
    this.worker.onerror = () => on.failed({ of: "open", message: "This browser is too old for this page: update it." });
  }

  load() {
    this.worker.postMessage({ kind: "load" });
  }

  open(file, longest) {
    this.#begin({ kind: "open", file, longest });
  }

  save(vividness, type) {
    this.#begin({ kind: "save", vividness, type });
  }

  stop() {
    this.#begin({ kind: "stop" });
  }

  /** Paint the small picture anew; of wishes that come faster than that, the last counts. */
  tune(vividness) {
    if (this.tuning) {
      this.wanted = vividness;
      return;
    }
    this.tuning = true;
    this.worker.postMessage({ kind: "tune", id: this.id, vividness });
  }

  #begin(request) {
    this.id += 1;
    this.tuning = false;
    this.wanted = null;
    this.worker.postMessage({ ...request, id: this.id });
  }

  #hear(answer) {
    if (answer.id !== undefined && answer.id !== this.id) return;
    if (answer.kind === "tuned" || answer.of === "tune") this.#tuned();
    this.on[answer.kind]?.(answer);
  }

  #tuned() {
    this.tuning = false;
    if (this.wanted === null) return;
    const vividness = this.wanted;
    this.wanted = null;
    this.tune(vividness);
  }
}
