/**
 * sRGB <-> CIE L*a*b* under D65: the arithmetic of tintype's lab.py, pixel by pixel.
 *
 * L* is in [0, 100], a* and b* in CIE units; sRGB has 8 bits.
 */

const WHITE = [0.95047, 1, 1.08883];
const RGB_TO_XYZ = [
  [0.412453, 0.35758, 0.180423],
  [0.212671, 0.71516, 0.072169],
  [0.019334, 0.119193, 0.950227],
];
const EPSILON = 0.008856; // below it the cube root becomes a line
const SLOPE = 7.787;
const OFFSET = 16 / 116;
const KNEE = 0.2068966; // the cube root of EPSILON
const CODES = 65535;
const TOLERANCE = 0.25 / (12.92 * 255); // linear: a quarter of a coding step where steps are smallest
const BLACK = 5e-4; // L* from which on, and WHITEST up to which, there is chroma
const WHITEST = 99.9995;
const HALVINGS = 12; // chroma is cut to a 4096th

const decode = (value) => (value > 0.04045 ? ((value + 0.055) / 1.055) ** 2.4 : value / 12.92);
const encode = (linear) => (linear > 0.0031308 ? 1.055 * linear ** (1 / 2.4) - 0.055 : 12.92 * linear);
const forward = (t) => (t > EPSILON ? Math.cbrt(t) : SLOPE * t + OFFSET);
const backward = (f) => (f > KNEE ? f * f * f : (f - OFFSET) / SLOPE);

const LINEAR = Float64Array.from({ length: 256 }, (_, code) => decode(code / 255));
const CODE_OF = Uint8Array.from({ length: CODES + 1 }, (_, step) => Math.round(encode(step / CODES) * 255));
const GREYS = LINEAR.map((y) => 116 * forward(y) - 16); // L* of the 256 greys
const [[RX, RY, RZ], [GX, GY, GZ], [BX, BY, BZ]] = inverse(RGB_TO_XYZ).map((row) =>
  row.map((weight, column) => weight * WHITE[column]),
);

/** L* of a color of sRGB, 0..255 each. */
export function lightness(red, green, blue) {
  if (red === green && green === blue) return GREYS[red];
  const [, weights] = RGB_TO_XYZ;
  return 116 * forward(weights[0] * LINEAR[red] + weights[1] * LINEAR[green] + weights[2] * LINEAR[blue]) - 16;
}

/** The chroma, CIE units, of a color of sRGB, 0..255 each. */
export function chroma(red, green, blue) {
  const [fx, fy, fz] = RGB_TO_XYZ.map((weights, row) =>
    forward((weights[0] * LINEAR[red] + weights[1] * LINEAR[green] + weights[2] * LINEAR[blue]) / WHITE[row]),
  );
  return Math.hypot(500 * (fx - fy), 200 * (fy - fz));
}

/**
 * Write a color into `pixels` (R, G, B from `place` on) at constant lightness: what lies outside of the gamut
 * loses chroma, at the same L* and hue, until it fits.
 */
export function write(pixels, place, light, a, b) {
  const fy = (light + 16) / 116;
  const y = backward(fy);
  let x = backward(fy + a / 500);
  let z = backward(fy - b / 200);
  if (!fits(x, y, z)) {
    const share = largestShare(light, fy, y, a, b);
    x = backward(fy + (share * a) / 500);
    z = backward(fy - (share * b) / 200);
  }
  pixels[place] = coded(RX * x + RY * y + RZ * z);
  pixels[place + 1] = coded(GX * x + GY * y + GZ * z);
  pixels[place + 2] = coded(BX * x + BY * y + BZ * z);
}

function largestShare(light, fy, y, a, b) {
  if (light <= BLACK || light >= WHITEST) return 0;
  let share = 0;
  for (let step = 0.5, turn = 0; turn < HALVINGS; turn += 1, step /= 2) {
    const tried = share + step;
    if (fits(backward(fy + (tried * a) / 500), y, backward(fy - (tried * b) / 200))) share = tried;
  }
  return share;
}

function fits(x, y, z) {
  const red = RX * x + RY * y + RZ * z;
  const green = GX * x + GY * y + GZ * z;
  const blue = BX * x + BY * y + BZ * z;
  const most = 1 + TOLERANCE;
  return (
    red >= -TOLERANCE && green >= -TOLERANCE && blue >= -TOLERANCE && red <= most && green <= most && blue <= most
  );
}

function coded(linear) {
  return CODE_OF[linear <= 0 ? 0 : linear >= 1 ? CODES : (linear * CODES + 0.5) | 0];
}

function inverse([[a, b, c], [d, e, f], [g, h, i]]) {
  const determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  return [
    [e * i - f * h, c * h - b * i, b * f - c * e],
    [f * g - d * i, a * i - c * g, c * d - a * f],
    [d * h - e * g, b * g - a * h, a * e - b * d],
  ].map((row) => row.map((minor) => minor / determinant));
}
