/**
 * All heavy work, off the page's own thread. The page asks with {kind, id, ...}:
 *
 *   load                       fetch and open the network
 *   open  file, longest        -> grey (a small picture), then colored, with what is known of the photograph
 *   tune  vividness            -> tuned: the small picture again; the network does not run
 *   save  vividness, type      -> saved: the whole, as a file
 *   stop                       give up what is being opened or saved
 *
 * Answers carry the id of what they answer; progress comes between, and `failed` with one clear line.
 */

import { exifOf } from "./exif.js";
import { look } from "./look.js";
import { Merger, fit, mixed } from "./merge.js";
import { about, openNetwork } from "./network.js";
import { PhotoError, Photograph } from "./photograph.js";
import { packet } from "./provenance.js";
import { save } from "./save.js";

let network = null; // a promise of it
let known = null; // what is said of it
let current = 0; // the id of the newest request to open, save or stop
let work = null; // what is known of the photograph in hand

class Stopped extends Error {}

const requests = { load, open, tune, save: saveAll, stop: () => {} };

self.onmessage = async ({ data }) => {
  const { kind, id } = data;
  if (["open", "save", "stop"].includes(kind)) current = id;
  try {
    await requests[kind](data);
  } catch (error) {
    if (!(error instanceof Stopped)) self.postMessage({ kind: "failed", id, of: kind, message: said(error) });
  }
};

function load() {
  network ??= loaded().catch((error) => {
    network = null; // the next photograph tries again
    console.warn(error);
    throw new PhotoError("The model could not be loaded: check the connection and try again.");
  });
  return network;
}

async function loaded() {
  known ??= await about();
  const opened = await openNetwork(known, (part, total) => self.postMessage({ kind: "loading", loaded: part, total }));
  self.postMessage({ kind: "ready", model: known.model });
  return opened;
}

async function open({ id, file, longest }) {
  const loading = load();
  loading.catch(() => {}); // it is met where it is waited for
  const seen = await read(id, file, longest);
  tellStage(id, "Finding its colors");
  const opened = await loading;
  await breathe(id);
  const { full, calm } = await opened.run(seen.light);
  await breathe(id);
  const [fullFit, calmFit] = [full, calm].map((ab) => fit(seen.light, ab, opened.side));
  work = { file, ...seen, full: fullFit, calm: calmFit, side: opened.side };
  send("colored", id, painted(1), { colored: seen.colored, alpha: seen.alpha });
}

/** Decode a photograph, show it in grey, and let its pixels go again: what stays is small. */
async function read(id, file, longest) {
  const tell = tellStage(id, "Reading the photograph");
  const photograph = await Photograph.of(file);
  try {
    await breathe(id);
    const small = greyed(photograph.small(longest));
    send("grey", id, copied(small));
    known ??= await about();
    const seen = await look(photograph, known.model.side, async (share) => {
      tell(share);
      await breathe(id);
    });
    return { small, width: photograph.width, height: photograph.height, ...seen };
  } finally {
    photograph.close();
  }
}

function tune({ id, vividness }) {
  if (work) send("tuned", id, painted(vividness));
}

async function saveAll({ id, vividness, type }) {
  const tell = tellStage(id, "Coloring every pixel");
  const exif = await exifOf(work.file);
  const photograph = await Photograph.of(work.file);
  const merger = new Merger(mixed(work.calm, work.full, vividness), work.side, work.width, work.height);
  const settings = { type, exif, alpha: work.alpha, xmp: packet(known.model) };
  try {
    const blob = await save(photograph, merger, settings, async (share) => {
      tell(share);
      await breathe(id);
    });
    self.postMessage({ kind: "saved", id, blob });
  } finally {
    photograph.close();
  }
}

/** The small picture, in color. */
function painted(vividness) {
  const picture = copied(work.small);
  const { width, height, data } = picture;
  new Merger(mixed(work.calm, work.full, vividness), work.side, width, height).paint(data, 0);
  return picture;
}

function greyed(picture) {
  new Merger(new Float32Array(4), 1, picture.width, picture.height).paint(picture.data, 0);
  return picture;
}

const copied = ({ data, width, height }) => new ImageData(new Uint8ClampedArray(data), width, height);

/** Tell what is being done; return what tells how far it is. */
function tellStage(id, words) {
  const tell = (share) => self.postMessage({ kind: "progress", id, words, share });
  tell(null);
  return tell;
}

function send(kind, id, picture, more = {}) {
  self.postMessage({ kind, id, picture, ...more }, [picture.data.buffer]);
}

/** Let messages in; raise Stopped where a newer request has come. A timer would wait for 4 ms each time. */
async function breathe(id) {
  const { port1, port2 } = new MessageChannel();
  await new Promise((resolve) => {
    port1.onmessage = resolve;
    port2.postMessage(null);
  });
  port1.close();
  if (id !== current) throw new Stopped();
}

function said(error) {
  if (error instanceof PhotoError) return error.message;
  console.warn(error);
  return "There is not enough memory for this photograph, or this browser lacks something: try a smaller copy.";
}
