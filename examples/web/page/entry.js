/** The ways in: choosing, dropping anywhere, pasting, samples. Each gives a file, and how many there were. */

export function listen(take) {
  const input = document.querySelector("#file");
  input.addEventListener("change", () => {
    offer(input.files, take);
    input.value = ""; // the same file may be chosen again
  });
  addEventListener("paste", (event) => offer(event.clipboardData?.files, take));
  listenToDrops(take);
}

function listenToDrops(take) {
  const veil = document.querySelector("#veil");
  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
  const over = (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    veil.classList.add("shown");
  };
  addEventListener("dragenter", over);
  addEventListener("dragover", over);
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) veil.classList.remove("shown");
  });
  addEventListener("drop", (event) => {
    veil.classList.remove("shown");
    if (!holdsFiles(event)) return;
    event.preventDefault();
    offer(event.dataTransfer.files, take);
  });
}

function offer(files, take) {
  if (files?.length) take(files[0], { others: files.length - 1 });
}

/** Lay out the sample photographs that build.mjs brought along. */
export async function layOutSamples(list, take) {
  const samples = await (await fetch("samples/samples.json")).json();
  for (const sample of samples) {
    const button = document.createElement("button");
    button.type = "button";
    const image = document.createElement("img");
    image.src = `samples/${sample.file}`;
    image.alt = `Colorize this sample: ${sample.shows}`;
    button.append(image);
    button.addEventListener("click", async () => take(await fileOf(sample), { credit: creditOf(sample) }));
    const item = document.createElement("li");
    item.append(button);
    list.append(item);
  }
}

async function fileOf({ file }) {
  const blob = await (await fetch(`samples/${file}`)).blob();
  return new File([blob], file, { type: blob.type });
}

const creditOf = ({ shows, author, licence }) => `${shows}. Photograph by ${author}, ${licence}.`;
