/**
 * Put a page together that any web server can serve: what is in page/, onnxruntime-web from npm, the default model
 * of the repository, sample photographs. Nothing is fetched.
 *
 *     node build.mjs [FOLDER]        dist/ beside this file where none is named; what is in it goes
 */

import { createHash } from "node:crypto";
import { cp, mkdir, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = join(HERE, "..", "..");
const DIST = resolve(process.argv[2] ?? join(HERE, "dist"));
const VENDOR = join(DIST, "vendor");
const RUNTIME = join(HERE, "node_modules", "onnxruntime-web");
const MODELS = join(ROOT, "runtime", "tintype", "models");
const PHOTOGRAPHS = join(ROOT, "docs", "photographs");
const PARTS = ["ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"];
const SAMPLES = ["mountains.jpg", "admiral.jpg", "dahlia.jpg", "cat.jpg", "pagoda.jpg", "sunset.jpg"];

for (const part of [MODELS, PHOTOGRAPHS, join(ROOT, "LICENSE")]) {
  await stat(part).catch(() => fail(`${part} is not here: this folder builds in a whole checkout of the repository`));
}
await rm(DIST, { recursive: true, force: true });
await cp(join(HERE, "page"), DIST, { recursive: true });
await mkdir(VENDOR);
await vendorRuntime();
await vendorModel();
await takeSamples();
await listForOffline();

async function vendorRuntime() {
  for (const part of PARTS) {
    await cp(join(RUNTIME, "dist", part), join(VENDOR, part)).catch(() =>
      fail("onnxruntime-web is not here: run `npm ci` first"),
    );
  }
  await cp(join(ROOT, "LICENSE"), join(VENDOR, "LICENSE-tintype.txt"));
}

/** The default model, and what the page must know of it; browsers do not show a model's metadata. */
async function vendorModel() {
  const { default: name, models } = JSON.parse(await readFile(join(MODELS, "models.json"), "utf8"));
  const { file, bytes, version, license, working_size: side } = models[name];
  await cp(join(MODELS, file), join(VENDOR, file));
  const runtime = { file: PARTS[2], bytes: (await stat(join(VENDOR, PARTS[2]))).size };
  const about = { model: { name, version, license, file, bytes, side }, runtime };
  await writeFile(join(VENDOR, "model.json"), JSON.stringify(about, null, 1));
}

async function takeSamples() {
  const known = JSON.parse(await readFile(join(PHOTOGRAPHS, "photographs.json"), "utf8"));
  const chosen = SAMPLES.map((wanted) => known.find(({ file }) => file === wanted));
  await mkdir(join(DIST, "samples"));
  for (const { file } of chosen) await cp(join(PHOTOGRAPHS, file), join(DIST, "samples", file));
  const said = chosen.map(({ file, shows, author, licence }) => ({ file, shows, author, licence }));
  await writeFile(join(DIST, "samples", "samples.json"), JSON.stringify(said, null, 1));
}

function fail(line) {
  console.error(line);
  process.exit(1);
}

/** What the service worker keeps, under a name that changes with any of it. */
async function listForOffline() {
  const entries = await readdir(DIST, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  const hash = createHash("sha256");
  for (const file of files.sort()) hash.update(await readFile(file));
  const kept = files.map((file) => file.slice(DIST.length + 1)).filter((file) => file !== "offline.js");
  const list = { version: hash.digest("hex").slice(0, 12), files: ["./", ...kept] };
  const script = join(DIST, "offline.js");
  await writeFile(script, (await readFile(script, "utf8")).replace("BUILD", JSON.stringify(list)));
  console.log(`${DIST}: ${files.length} files, build ${list.version}`);
}
