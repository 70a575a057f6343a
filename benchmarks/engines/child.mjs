/**
 * Run a model on arrays with onnxruntime-node:
 *
 *     node child.mjs PACKAGE MODEL ROUNDS ARRAYS.json
 *
 * PACKAGE is the folder of onnxruntime-node. ARRAYS holds a list of {dims, data: a file of float32}; each such file
 * is replaced by the answer, and the best seconds of each are printed as JSON.
 */

import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";

const [package_, model, rounds, arrays] = process.argv.slice(2);
const { InferenceSession, Tensor } = createRequire(import.meta.url)(package_);
const session = await InferenceSession.create(model, { intraOpNumThreads: 1 });
const seconds = [];
for (const { dims, data } of JSON.parse(readFileSync(arrays, "utf8"))) {
  const bytes = readFileSync(data);
  const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const feeds = { [session.inputNames[0]]: new Tensor("float32", values, dims) };
  const answer = (await session.run(feeds))[session.outputNames[0]].data;
  writeFileSync(data, Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength));
  let best = Number.MAX_VALUE;
  for (let round = 0; round < Number(rounds); round++) {
    const start = performance.now();
    await session.run(feeds);
    best = Math.min(best, (performance.now() - start) / 1000);
  }
  seconds.push(best);
}
console.log(JSON.stringify(seconds));
