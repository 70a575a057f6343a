/** A PNG of 8 bits, written strip by strip: no encoder of a browser takes a picture that is not held whole. */

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const TRUECOLOR = 2;
const WITH_ALPHA = 6;
const PAETH = 4;
const CRC = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** Collects the parts of a PNG file; rows come as RGBA from top to bottom. */
export class PngWriter {
  constructor(width, height, { alpha, exif, xmp }) {
    this.width = width;
    this.channels = alpha ? 4 : 3;
    this.above = new Uint8Array(width * this.channels);
    this.line = new Uint8Array(width * this.channels);
    this.parts = [Uint8Array.from(SIGNATURE), chunk("IHDR", header(width, height, alpha))];
    this.parts.push(chunk("sRGB", [0]), chunk("iTXt", utf8(`XML:com.adobe.xmp\0\0\0\0\0${xmp}`)));
    if (exif) this.parts.push(chunk("eXIf", exif));
    const deflate = new CompressionStream("deflate");
    this.writer = deflate.writable.getWriter();
    this.collected = this.#collect(deflate.readable.getReader());
  }

  /** Take the next rows. */
  async add(rgba) {
    await this.writer.write(this.#filtered(rgba));
  }

  /** Return the whole file. */
  async finish() {
    await this.writer.close();
    await this.collected;
    this.parts.push(chunk("IEND", []));
    return new Blob(this.parts, { type: "image/png" });
  }

  /** Give up: what is collected is let go. */
  async abort() {
    this.collected.catch(() => {});
    await this.writer.abort().catch(() => {});
    this.parts = [];
  }

  async #collect(reader) {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      this.parts.push(chunk("IDAT", read.value));
    }
  }

  #filtered(rgba) {
    const { width, channels } = this;
    const stride = width * channels;
    const rows = rgba.length / (width * 4);
    const result = new Uint8Array(rows * (stride + 1));
    for (let row = 0; row < rows; row += 1) {
      this.#take(rgba, row * width * 4);
      result[row * (stride + 1)] = PAETH;
      paeth(this.line, this.above, channels, result, row * (stride + 1) + 1);
      [this.line, this.above] = [this.above, this.line];
    }
    return result;
  }

  #take(rgba, start) {
    const { channels, line } = this;
    for (let place = 0, from = start; place < line.length; place += channels, from += 4) {
      line[place] = rgba[from];
      line[place + 1] = rgba[from + 1];
      line[place + 2] = rgba[from + 2];
      if (channels === 4) line[place + 3] = rgba[from + 3];
    }
  }
}

function paeth(line, above, channels, result, start) {
  for (let place = 0; place < line.length; place += 1) {
    const left = place < channels ? 0 : line[place - channels];
    const corner = place < channels ? 0 : above[place - channels];
    const up = above[place];
    const fromLeft = Math.abs(up - corner);
    const fromUp = Math.abs(left - corner);
    const fromCorner = Math.abs(left + up - 2 * corner);
    const nearest = fromLeft <= fromUp && fromLeft <= fromCorner ? left : fromUp <= fromCorner ? up : corner;
    result[start + place] = line[place] - nearest;
  }
}

function header(width, height, alpha) {
  const bytes = new Uint8Array(13);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  bytes.set([8, alpha ? WITH_ALPHA : TRUECOLOR], 8);
  return bytes;
}

const utf8 = (words) => new TextEncoder().encode(words);

function chunk(name, data) {
  const bytes = new Uint8Array(data.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(utf8(name), 4);
  bytes.set(data, 8);
  let crc = 0xffffffff;
  for (let place = 4; place < data.length + 8; place += 1) crc = CRC[(crc ^ bytes[place]) & 255] ^ (crc >>> 8);
  view.setUint32(data.length + 8, ~crc >>> 0);
  return bytes;
}
