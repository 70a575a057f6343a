/**
 * How predicted ab meets the full-size lightness: tintype's merge.py.
 *
 * ab is fitted to L in small windows at working size, as slope * L + offset (a fast guided filter); slopes and
 * offsets alone are enlarged, and meet each pixel's own L. Strips need no border, so their height changes no pixel.
 */

import { lightness, write } from "./lab.js";
import { BILINEAR, resize } from "./resample.js";

const RADIUS = 2; // px at working size
const SMOOTHNESS = 30; // L* squared

/** Fit ab (2 planes of side x side) to L: slopes and offsets of a, b, a, b, one plane after the other. */
export function fit(light, ab, side) {
  const area = side * side;
  const mean = meanAround(light, side);
  const variance = meanAround(light.map((value) => value * value), side).map((value, at) => value - mean[at] ** 2);
  const planes = new Float32Array(4 * area);
  for (const part of [0, 1]) {
    const plane = ab.subarray(part * area, (part + 1) * area);
    const meanAb = meanAround(plane, side);
    const together = meanAround(plane.map((value, at) => value * light[at]), side);
    const slope = together.map((value, at) => {
      return (value - meanAb[at] * mean[at]) / (Math.max(variance[at], 0) + SMOOTHNESS);
    });
    planes.set(meanAround(slope, side), part * area);
    planes.set(meanAround(meanAb.map((value, at) => value - slope[at] * mean[at]), side), (2 + part) * area);
  }
  return planes;
}

/** Planes at a vividness: fitting is linear, so what is fitted can be mixed. */
export function mixed(calm, full, vividness) {
  return full.map((value, at) => calm[at] + vividness * (value - calm[at]));
}

/** The mean over windows of 2 RADIUS + 1 px, smaller at the borders. */
function meanAround(plane, side) {
  return boxAlong(boxAlong(plane, side, 1, side), side, side, 1);
}

function boxAlong(plane, side, step, stride) {
  const means = new Float32Array(plane.length);
  for (let line = 0; line < side; line += 1) {
    for (let at = 0; at < side; at += 1) {
      const first = Math.max(0, at - RADIUS);
      const last = Math.min(side - 1, at + RADIUS);
      let sum = 0;
      for (let near = first; near <= last; near += 1) sum += plane[line * stride + near * step];
      means[line * stride + at * step] = sum / (last - first + 1);
    }
  }
  return means;
}

/** Colors rows of one picture of width x height px, in any order. */
export class Merger {
  constructor(planes, side, width, height) {
    this.small = [Math.min(side, width), Math.min(side, height)];
    this.width = width;
    this.height = height;
    this.planes = this.#shrunk(planes, side);
    this.columns = this.#columns();
    this.pair = [0, 1, 2, 3].map(() => [new Float32Array(width), new Float32Array(width)]);
    this.above = -1;
  }

  /** Color rows in place: RGBA of 8 bits, the first of which is row `top` of the picture. Alpha stays. */
  paint(rgba, top) {
    const { width } = this;
    for (let start = 0, y = top; start < rgba.length; start += width * 4, y += 1) this.#row(rgba, start, y);
  }

  #row(rgba, start, y) {
    const part = this.#enlarge(y);
    const [[a0, a1], [b0, b1], [c0, c1], [d0, d1]] = this.pair;
    for (let x = 0, place = start; x < this.width; x += 1, place += 4) {
      const light = lightness(rgba[place], rgba[place + 1], rgba[place + 2]);
      const a = (a0[x] + part * a1[x]) * light + c0[x] + part * c1[x];
      const b = (b0[x] + part * b1[x]) * light + d0[x] + part * d1[x];
      write(rgba, place, light, a, b);
    }
  }

  /** Make the rows of the planes about height y as wide as the picture; return how far y is towards the lower. */
  #enlarge(y) {
    const rows = this.small[1];
    const at = Math.min(Math.max(((y + 0.5) * rows) / this.height - 0.5, 0), rows - 1);
    const above = Math.floor(at);
    if (above !== this.above) {
      this.above = above;
      this.planes.forEach((plane, number) => this.#widen(plane, above, ...this.pair[number]));
    }
    return at - above;
  }

  #widen(plane, above, first, more) {
    const [columns, rows] = this.small;
    const upper = above * columns;
    const lower = Math.min(above + 1, rows - 1) * columns;
    const { left, right, part } = this.columns;
    for (let x = 0; x < this.width; x += 1) {
      const here = plane[upper + left[x]] + part[x] * (plane[upper + right[x]] - plane[upper + left[x]]);
      const below = plane[lower + left[x]] + part[x] * (plane[lower + right[x]] - plane[lower + left[x]]);
      first[x] = here;
      more[x] = below - here;
    }
  }

  #columns() {
    const [columns] = this.small;
    const at = Float32Array.from({ length: this.width }, (_, x) =>
      Math.min(Math.max(((x + 0.5) * columns) / this.width - 0.5, 0), columns - 1),
    );
    const left = Uint16Array.from(at);
    return { left, right: left.map((x) => Math.min(x + 1, columns - 1)), part: at.map((x, place) => x - left[place]) };
  }

  #shrunk(planes, side) {
    const area = side * side;
    return [0, 1, 2, 3].map((number) => {
      const plane = planes.subarray(number * area, (number + 1) * area);
      return resize(plane, { columns: side, rows: side, depth: 1 }, this.small, BILINEAR);
    });
  }
}
