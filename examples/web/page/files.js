/** Files as people bring them: what can be opened, what cannot and why, what results are called. */

const PER_GIGABYTE = 12; // megapixels; of memory as browsers tell it, 8 GB at most
const MOST = 100; // megapixels
const WHERE_UNTOLD = 64;
const EXTENSIONS = { "image/png": ".png", "image/jpeg": ".jpg" };

/** One clear line for a person. */
export class FileError extends Error {}

/** How many megapixels are taken on this device. */
export function mostMegapixels() {
  const gigabytes = navigator.deviceMemory;
  return gigabytes ? Math.min(MOST, Math.round(gigabytes * PER_GIGABYTE)) : WHERE_UNTOLD;
}

/** Return {width, height, deep} of a file that the browser can read, without decoding it; raises FileError. */
export async function inspect(file) {
  const head = new Uint8Array(await file.slice(0, 32).arrayBuffer());
  if (!head.length) throw new FileError(`“${file.name}” is empty.`);
  const { width, height } = await measured(file).catch(() => {
    throw new FileError(advice(head, file.name));
  });
  const megapixels = (width * height) / 1e6;
  if (megapixels > mostMegapixels()) {
    const size = `${Math.round(megapixels)} megapixels; this page takes up to ${mostMegapixels()} here`;
    throw new FileError(`“${file.name}” has ${size}: make a smaller copy, or use the tintype command.`);
  }
  return { width, height, deep: isPng(head) && head[24] === 16 };
}

/** What a result is called: photo.jpg -> photo_color.png. */
export function nameOfResult(name, type) {
  const stem = name.replace(/\.[^.]*$/, "") || "photograph";
  return `${stem}_color${EXTENSIONS[type]}`;
}

async function measured(file) {
  const image = new Image();
  const address = URL.createObjectURL(file);
  try {
    await new Promise((resolve, reject) => {
      image.onload = resolve;
      image.onerror = reject;
      image.src = address;
    });
    if (!image.naturalWidth) throw new Error("no size");
    return { width: image.naturalWidth, height: image.naturalHeight };
  } finally {
    image.src = "";
    URL.revokeObjectURL(address);
  }
}

function advice(head, name) {
  const start = String.fromCharCode(...head);
  if (start.slice(4, 8) === "ftyp" && /hei[cxsm]|hev[cx]|mif1|msf1/.test(start.slice(8))) {
    return `“${name}” is a HEIC photograph, which this browser cannot read: save it as JPEG, or open this page in Safari.`;
  }
  if (/^(II\*\0|MM\0\*)/.test(start)) {
    return `“${name}” is a TIFF or a raw file, which browsers cannot read: save it as PNG or JPEG first.`;
  }
  return `“${name}” is not a photograph that this browser can read, or it is damaged: try a JPEG or PNG.`;
}

const isPng = (head) => String.fromCharCode(...head.subarray(1, 4)) === "PNG";
