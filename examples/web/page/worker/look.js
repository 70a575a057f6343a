/** What the network and the page must know of a photograph, from one pass over its pixels. */

import { chroma, lightness } from "./lab.js";
import { Reducer } from "./resample.js";

const COLORED = 2; // CIE units of mean chroma above which a photograph counts as colored

/** Return {light, colored, alpha}: L* (side x side) of the whole, stretched; `tell(share)` is awaited between strips. */
export async function look(photograph, side, tell) {
  const { width, height } = photograph;
  const reducer = new Reducer(width, height, side);
  let alpha = false;
  for (const { top, rows, pixels } of photograph.strips()) {
    reducer.add(pixels, width);
    alpha ||= isTransparent(pixels);
    await tell((top + rows) / height);
  }
  return { alpha, ...measured(reducer.stretched(side)) };
}

function measured(rgb) {
  const light = new Float32Array(rgb.length / 3);
  let sum = 0;
  for (let place = 0; place < light.length; place += 1) {
    const color = rgb.subarray(place * 3, place * 3 + 3);
    light[place] = lightness(...color);
    sum += chroma(...color);
  }
  return { light, colored: sum / light.length > COLORED };
}

function isTransparent(rgba) {
  for (let place = 3; place < rgba.length; place += 4) if (rgba[place] !== 255) return true;
  return false;
}
