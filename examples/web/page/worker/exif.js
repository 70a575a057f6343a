/** What a JPEG carries beside its pixels: EXIF on its way into the result, and segments put into a new file. */

const HEAD = 1 << 18; // bytes: EXIF is among the first segments, 64 KB at most
const EXIF = "Exif\0\0";
const ORIENTATION = 0x0112;
const [APP0, APP1, SCAN] = [0xe0, 0xe1, 0xda];

/** Return the EXIF of a JPEG file, which no longer turns it; null of other files, or where it is damaged. */
export async function exifOf(file) {
  const bytes = new Uint8Array(await file.slice(0, HEAD).arrayBuffer());
  for (const { marker, start, end } of segments(bytes)) {
    if (marker === APP1 && latin(bytes, start, start + 6) === EXIF) return upright(bytes.slice(start + 6, end));
  }
  return null;
}

/** Return a JPEG with EXIF (or null) and an XMP packet behind what stands at its start. */
export async function withMetadata(jpeg, exif, xmp) {
  const [first] = segments(new Uint8Array(await jpeg.slice(0, 64).arrayBuffer()));
  const at = first?.marker === APP0 ? first.end : 2;
  const parts = exif ? segment(EXIF, exif) : [];
  parts.push(...segment("http://ns.adobe.com/xap/1.0/\0", new TextEncoder().encode(xmp)));
  return new Blob([jpeg.slice(0, at), ...parts, jpeg.slice(at)], { type: jpeg.type });
}

function segment(name, data) {
  const length = 2 + name.length + data.length;
  return [Uint8Array.of(0xff, APP1, length >> 8, length & 255), name, data];
}

function* segments(bytes) {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return;
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1];
    const end = at + 2 + (bytes[at + 2] << 8) + bytes[at + 3];
    if (marker === SCAN || end > bytes.length) return;
    yield { marker, start: at + 4, end };
    at = end;
  }
}

/** Set the orientation of a TIFF structure to 1; null where it is damaged. */
function upright(tiff) {
  const order = latin(tiff, 0, 2);
  if (tiff.length < 14 || (order !== "II" && order !== "MM")) return null;
  const little = order === "II";
  const view = new DataView(tiff.buffer);
  const directory = view.getUint32(4, little);
  if (directory + 2 > tiff.length) return null;
  const count = view.getUint16(directory, little);
  if (directory + 2 + count * 12 > tiff.length) return null;
  for (let entry = directory + 2; entry < directory + 2 + count * 12; entry += 12) {
    if (view.getUint16(entry, little) === ORIENTATION) view.setUint16(entry + 8, 1, little);
  }
  return tiff;
}

const latin = (bytes, start, end) => String.fromCharCode(...bytes.subarray(start, end));
