/** Pictures at other sizes, antialiased as in Pillow: the network is to see what it sees in Python. */

export const BICUBIC = { support: 2, at: (x) => cubic(Math.abs(x)) };
export const BILINEAR = { support: 1, at: (x) => Math.max(0, 1 - Math.abs(x)) };
const UNIT = 2 ** 22; // fixed point of Pillow: a network may take a last bit for more than it is
const GAP = 3; // large photographs are first averaged down to about three times the size wanted

function cubic(x) {
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

/** How many pixels are averaged into one before `side` is resized to `small`. */
export const factorOf = (side, small) => Math.max(1, Math.floor(side / small / GAP));

/** Averages blocks of whole pixels, fed row by row: R, G and B of 8 bits each, rounded. */
export class Reducer {
  constructor(width, height, side) {
    this.across = factorOf(width, side);
    this.down = factorOf(height, side);
    this.height = height;
    this.columns = Math.ceil(width / this.across);
    this.rows = Math.ceil(height / this.down);
    this.extent = [width / this.across, height / this.down];
    this.pixels = new Uint8ClampedArray(this.columns * this.rows * 3);
    this.sums = new Uint32Array(this.columns * 3);
    this.counts = Uint32Array.from({ length: this.columns }, (_, column) =>
      Math.min(this.across, width - column * this.across),
    );
    this.row = 0;
  }

  /** Take the next rows: RGBA, `width` px each. */
  add(rgba, width) {
    for (let start = 0; start < rgba.length; start += width * 4) {
      this.#sum(rgba, start, width);
      this.row += 1;
      if (this.row % this.down === 0 || this.row === this.height) this.#close();
    }
  }

  #sum(rgba, start, width) {
    const { across, sums } = this;
    for (let x = 0, column = 0, left = across, place = start; x < width; x += 1, place += 4) {
      sums[column] += rgba[place];
      sums[column + 1] += rgba[place + 1];
      sums[column + 2] += rgba[place + 2];
      left -= 1;
      if (left === 0) {
        column += 3;
        left = across;
      }
    }
  }

  #close() {
    const block = Math.ceil(this.row / this.down) - 1;
    const deep = this.row - block * this.down;
    const start = block * this.columns * 3;
    this.sums.forEach((sum, place) => {
      this.pixels[start + place] = average(sum, deep * this.counts[Math.floor(place / 3)]);
    });
    this.sums.fill(0);
  }

  /** The whole, stretched to `side` x `side`: R, G, B of 8 bits. */
  stretched(side) {
    const planes = { columns: this.columns, rows: this.rows, depth: 3 };
    const downFirst = this.rows > side && this.rows + side > 2 * this.columns; // as in Pillow 13
    return resize(this.pixels, planes, [side, side], BICUBIC, this.extent, downFirst);
  }
}

/** As in Pillow: fixed point, by a factor that is cut, so that ties mostly go down. */
function average(sum, count) {
  return Math.floor(((sum + (count >> 1)) * Math.trunc(Math.fround(2 ** 24 / count))) / 2 ** 24);
}

/**
 * Resize `values` (rows x columns x depth) to [width, height]; `extent` is how far the picture goes, where its last
 * column and row are not whole. Results have the type of `values`; integers are rounded after each pass, of which the
 * one along the height comes second unless `downFirst`.
 */
export function resize(
  values,
  planes,
  [width, height],
  filter,
  extent = [planes.columns, planes.rows],
  downFirst = false,
) {
  const { columns, rows, depth } = planes;
  const unit = values instanceof Float32Array ? 0 : UNIT;
  const across = weights(columns, extent[0], width, filter, unit);
  const down = weights(rows, extent[1], height, filter, unit);
  const line = columns * depth;
  const alongWidth = (pixels, lines) => pass(pixels, { lines, stride: line, step: depth, depth }, across, unit);
  const alongHeight = (pixels, step) => pass(pixels, { lines: 1, stride: 0, step, depth: step }, down, unit);
  if (downFirst) return alongWidth(alongHeight(values, line), height);
  return alongHeight(alongWidth(values, rows), width * depth);
}

/** Filter `lines` lines along one axis, whose places lie `step` apart and hold `depth` values. */
function pass(values, { lines, stride, step, depth }, table, unit) {
  const result = new values.constructor(lines * table.length * depth);
  let place = 0;
  for (let line = 0; line < lines; line += 1) {
    for (const { first, shares } of table) {
      const start = line * stride + first * step;
      for (let part = 0; part < depth; part += 1, place += 1) {
        let sum = 0;
        for (let tap = 0; tap < shares.length; tap += 1) sum += shares[tap] * values[start + tap * step + part];
        result[place] = unit ? Math.floor(sum / unit + 0.5) : sum;
      }
    }
  }
  return result;
}

/** What each of `size` places takes of `length`: from which on, and shares; whole parts of `unit` if there is one. */
function weights(length, extent, size, filter, unit) {
  const scale = extent / size;
  const wide = Math.max(scale, 1);
  const support = filter.support * wide;
  return Array.from({ length: size }, (_, index) => {
    const center = (index + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - support + 0.5));
    const last = Math.min(length, Math.trunc(center + support + 0.5));
    const shares = Array.from({ length: last - first }, (__, tap) => filter.at((first + tap - center + 0.5) / wide));
    const total = shares.reduce((sum, share) => sum + share, 0);
    return { first, shares: shares.map((share) => (unit ? rounded((share / total) * unit) : share / total)) };
  });
}

const rounded = (value) => Math.sign(value) * Math.floor(Math.abs(value) + 0.5);
