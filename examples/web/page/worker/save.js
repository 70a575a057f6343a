/** The whole photograph, colorized, as a file: PNG strip by strip, JPEG by the browser's own encoder. */

import { withMetadata } from "./exif.js";
import { canvasOf } from "./photograph.js";
import { PngWriter } from "./png.js";

const JPEG_QUALITY = 0.95;

/** Return a Blob; `settings` are {type, alpha, exif, xmp}, `tell(share)` is awaited between strips. */
export function save(photograph, merger, settings, tell) {
  return settings.type === "image/jpeg"
    ? asJpeg(photograph, merger, settings, tell)
    : asPng(photograph, merger, settings, tell);
}

async function asPng(photograph, merger, settings, tell) {
  const writer = new PngWriter(photograph.width, photograph.height, settings);
  try {
    for (const { top, rows, pixels } of photograph.strips()) {
      merger.paint(pixels, top);
      await writer.add(pixels);
      await tell((top + rows) / photograph.height);
    }
    return await writer.finish();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

async function asJpeg(photograph, merger, { exif, xmp }, tell) {
  const context = canvasOf(photograph.width, photograph.height);
  for (const { top, rows, pixels } of photograph.strips()) {
    merger.paint(pixels, top);
    context.putImageData(new ImageData(pixels, photograph.width, rows), 0, top);
    await tell((top + rows) / photograph.height);
  }
  photograph.close(); // the encoder needs the room
  const jpeg = await context.canvas.convertToBlob({ type: "image/jpeg", quality: JPEG_QUALITY });
  return withMetadata(jpeg, exif, xmp);
}
