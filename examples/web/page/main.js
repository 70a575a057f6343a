/** The page: welcome -> working -> done, and what is said on the way. */

import { layOutSamples, listen } from "./entry.js";
import { FileError, inspect, nameOfResult } from "./files.js";
import { Painter } from "./painter.js";
import { Stage } from "./stage.js";

const $ = (id) => document.getElementById(id);
const LONGEST = [800, 2048]; // px of the pictures on the screen
const KEPT = 60_000; // ms for which a download may take its file
const FINDING = "Finding its colors";

const stage = new Stage($("stage"));
const painter = new Painter({ loading, ready, progress, grey, colored, tuned, saved, failed });
let photograph = null; // {name, type, width, height, notes} of what is on the stage
let opening = 0; // counts files, so that the newest wins while they are looked at
let loaded = null; // {loaded, total} bytes of the network; null once it is there
let waiting = false; // for the network

listen(take);
layOutSamples($("samples"), take).catch(() => $("samples-title").remove());
if (!navigator.connection?.saveData) painter.load();

$("vividness").addEventListener("input", () => {
  sayVividness();
  painter.tune(vividness());
});
$("save").addEventListener("click", save);
$("stop").addEventListener("click", () => {
  painter.stop();
  endSaving("Stopped: nothing was saved.");
});
$("another").addEventListener("click", () => {
  painter.stop();
  show("welcome");
  $("file").focus();
});
for (const radio of document.querySelectorAll("[name=format]")) radio.addEventListener("change", sayName);

async function take(file, { others = 0, credit = "" }) {
  const turn = (opening += 1);
  try {
    const found = await inspect(file);
    if (turn === opening) open(file, found, others, credit);
  } catch (error) {
    if (turn === opening) alarm(error instanceof FileError ? error.message : "This file could not be read.");
  }
}

function open(file, { width, height, deep }, others, credit) {
  alarm("");
  photograph = { name: file.name, type: file.type, width, height, notes: [] };
  if (others) photograph.notes.push(`The first of ${others + 1} files was taken.`);
  if (deep) photograph.notes.push("It has 16 bits a channel, of which browsers keep 8. The tintype command keeps all.");
  $("name").textContent = file.name;
  $("facts").textContent = `${width} × ${height}, ${megapixels(width, height)}`;
  $("credit").textContent = credit;
  $("credit").hidden = !credit;
  $("vividness").value = 1;
  choose(file.type === "image/jpeg" ? "image/jpeg" : "image/png");
  sayVividness();
  sayNotes();
  $("status").textContent = "";
  stage.reserve(width, height);
  show("working");
  progress({ words: "Reading the photograph", share: null });
  const wanted = Math.max(innerWidth, innerHeight) * devicePixelRatio;
  painter.open(file, Math.min(LONGEST[1], Math.max(LONGEST[0], wanted)));
}

function show(state) {
  document.body.dataset.state = state;
  $("welcome").hidden = state !== "welcome";
  $("darkroom").hidden = state === "welcome";
  for (const id of ["vividness", "formats", "save"]) $(id).disabled = state !== "done";
  endSaving("");
  if (state !== "welcome") scrollTo({ top: 0 });
}

function loading(bytes) {
  loaded = bytes.loaded < bytes.total ? bytes : null;
  $("model").textContent = loaded ? `Loading the model: ${inMegabytes(loaded)}` : "Opening the model";
  if (document.body.dataset.state === "working" && waiting) progress({ words: FINDING, share: null });
}

function ready({ model }) {
  loaded = null;
  const said = `Model: ${model.name} ${model.version}, ${model.license}.`;
  $("model").textContent = said;
  keepForOffline(() => ($("model").textContent = `${said} Kept on this device: the page works offline now.`));
}

/** Keep the page for later visits; a convenience that not every place and browser allows. */
async function keepForOffline(done) {
  try {
    await navigator.serviceWorker.register("offline.js");
    await navigator.serviceWorker.ready;
    done();
  } catch {
    // without it the page works as long as it can be reached
  }
}

function progress({ words, share }) {
  if (document.body.dataset.state === "done") {
    sayHowFar(share ?? 0);
    return;
  }
  waiting = words === FINDING;
  const part = waiting && loaded ? loaded.loaded / loaded.total : share;
  $("progress-words").textContent = waiting && loaded ? `Loading the model: ${inMegabytes(loaded)}` : words;
  $("bar").style.setProperty("--share", `${Math.round((part ?? (waiting ? 1 : 0.05)) * 100)}%`);
  if (part === null) $("bar").removeAttribute("aria-valuenow");
  else $("bar").setAttribute("aria-valuenow", Math.round(part * 100));
}

function grey({ picture }) {
  stage.showGrey(picture);
}

function colored({ picture, colored: was, alpha }) {
  stage.showColor(picture);
  if (was) photograph.notes.unshift("It was in color: made grey first, so that you can judge.");
  photograph.alpha = alpha;
  if (alpha) choose("image/png");
  show("done");
  document.querySelector("[value='image/jpeg']").disabled = alpha;
  if (alpha) photograph.notes.push("Parts are transparent, which JPEG cannot be.");
  sayNotes();
  stage.reveal();
  if (document.activeElement === document.body) stage.focus(); // what had it is hidden now
  $("status").textContent = `${photograph.name} is in color. Drag the divider to compare.`;
}

function tuned({ picture }) {
  stage.showColor(picture);
}

function save() {
  painter.save(vividness(), format());
  $("save").disabled = true;
  $("save").setAttribute("aria-busy", "true");
  $("stop").hidden = false;
  $("another").hidden = true;
  sayHowFar(0);
}

function saved({ blob }) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = nameOfResult(photograph.name, blob.type);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT);
  endSaving(`${link.download} is saved.`);
}

function failed({ of, message }) {
  alarm(message);
  if (of === "open") show("welcome");
  else endSaving("");
}

function endSaving(words) {
  const busy = $("save").getAttribute("aria-busy") === "true";
  $("save").disabled = document.body.dataset.state !== "done";
  $("save").removeAttribute("aria-busy");
  $("save").style.removeProperty("--share");
  $("stop").hidden = true;
  $("another").hidden = false;
  if (busy && document.activeElement === document.body) $("save").focus();
  $("status").textContent = words;
  sayName();
}

function sayHowFar(share) {
  $("save").style.setProperty("--share", share);
  $("save-words").textContent = `Coloring every pixel: ${Math.round(share * 100)} %`;
}

function sayName() {
  if ($("save").getAttribute("aria-busy")) return;
  $("save-words").textContent = "Download in full size";
  $("save").title = photograph ? nameOfResult(photograph.name, format()) : "";
}

function sayVividness() {
  const words = vividness() === 1 ? "as predicted" : vividness().toFixed(2);
  $("vividness-words").textContent = words;
  $("vividness").setAttribute("aria-valuetext", words);
}

function sayNotes() {
  $("notes").replaceChildren(
    ...photograph.notes.map((words) => {
      const item = document.createElement("li");
      item.textContent = words;
      return item;
    }),
  );
}

function alarm(words) {
  $("alert").textContent = words;
  $("alert").hidden = !words;
  if (words) scrollTo({ top: 0 });
}

function choose(type) {
  document.querySelector(`[name=format][value="${type}"]`).checked = true;
}

const vividness = () => Number($("vividness").value);
const format = () => document.querySelector("[name=format]:checked").value;
const megapixels = (width, height) => {
  const count = (width * height) / 1e6;
  return `${count < 0.1 ? count.toFixed(2) : count < 10 ? count.toFixed(1) : Math.round(count)} megapixels`;
};
const inMegabytes = ({ loaded: part, total }) => `${(part / 1e6).toFixed(1)} of ${(total / 1e6).toFixed(1)} MB`;
