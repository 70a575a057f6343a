/** The network: fetched with its progress told, opened once, run at its own working size. */

import * as ort from "../vendor/ort.wasm.min.mjs";

const HERE = new URL("../vendor/", import.meta.url).href;
const MOST_THREADS = 4;
const OPTIONS = { executionProviders: ["wasm"], enableCpuMemArena: false }; // an arena would keep what one run took

/** What build.mjs says of the model and of the runtime: names, sizes, the model's working size. */
export async function about() {
  const response = await fetch(`${HERE}model.json`);
  if (!response.ok) throw new Error(`model.json: ${response.status}`);
  return response.json();
}

/** Fetch and open the network; `tell(loaded, total)` hears of bytes. */
export async function openNetwork({ model: known, runtime: engine }, tell) {
  const names = [engine, known];
  const total = names.reduce((sum, { bytes }) => sum + bytes, 0);
  const loaded = names.map(() => 0);
  const count = (number) => (bytes) => {
    loaded[number] += bytes;
    tell(loaded.reduce((sum, part) => sum + part, 0), total);
  };
  const [runtime, model] = await Promise.all(names.map(({ file }, number) => download(`${HERE}${file}`, count(number))));
  ort.env.wasm.wasmPaths = HERE;
  ort.env.wasm.wasmBinary = runtime;
  ort.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(MOST_THREADS, navigator.hardwareConcurrency) : 1;
  const session = await ort.InferenceSession.create(model, OPTIONS);
  ort.env.wasm.wasmBinary = undefined; // it is compiled by now
  return new Network(session, known.side);
}

class Network {
  constructor(session, side) {
    this.session = session;
    this.side = side;
  }

  /** L* (side x side) -> {full, calm}: ab as predicted, and its plain expectation, two planes each. */
  async run(light) {
    const input = new ort.Tensor("float32", light, [1, 1, this.side, this.side]);
    const { ab, ab_mean: mean } = await this.session.run({ l: input });
    return { full: ab.data, calm: (mean ?? ab).data };
  }
}

async function download(address, count) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  const parts = [];
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    count(value.length);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
