/** A photograph in hand: decoded by the browser, upright, in sRGB; read in strips, never copied whole. */

const STRIP = 1 << 19; // px in hand at once: changes memory and time, never a pixel

/** What a person can mend, in a line; all else is a fault of the page. */
export class PhotoError extends Error {}

export class Photograph {
  /** Decode a file; raises PhotoError. */
  static async of(file) {
    try {
      return new Photograph(await createImageBitmap(file, { imageOrientation: "from-image" }));
    } catch {
      throw new PhotoError("This file could not be decoded: it is damaged, or too large for this browser's memory.");
    }
  }

  constructor(bitmap) {
    this.bitmap = bitmap;
    this.width = bitmap.width;
    this.height = bitmap.height;
  }

  /** Yield {top, rows, pixels} from top to bottom: RGBA of 8 bits. */
  *strips() {
    const { width, height } = this;
    const step = Math.min(height, Math.max(1, Math.floor(STRIP / width)));
    const context = canvasOf(width, step);
    context.globalCompositeOperation = "copy";
    for (let top = 0; top < height; top += step) {
      const rows = Math.min(step, height - top);
      context.drawImage(this.bitmap, 0, top, width, rows, 0, 0, width, rows);
      yield { top, rows, pixels: context.getImageData(0, 0, width, rows).data };
    }
  }

  /** Return a copy whose longer side is `longest` px at most. */
  small(longest) {
    const scale = Math.min(1, longest / Math.max(this.width, this.height));
    const [width, height] = [this.width, this.height].map((side) => Math.max(1, Math.round(side * scale)));
    const context = canvasOf(width, height);
    context.imageSmoothingQuality = "high";
    context.drawImage(this.bitmap, 0, 0, width, height);
    return context.getImageData(0, 0, width, height);
  }

  /** Let go of the pixels. */
  close() {
    this.bitmap.close();
  }
}

export function canvasOf(width, height) {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (!context) throw new PhotoError("There is not enough memory for this photograph: close other tabs.");
  return context;
}
