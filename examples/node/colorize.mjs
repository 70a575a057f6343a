/**
 * Colorize a photograph with onnxruntime-node: RGB 0..1 in, RGB 0..1 of the same size out.
 *
 *     npm ci && node colorize.mjs unet-rgb.onnx photo.jpg color.jpg
 */

import { InferenceSession, Tensor } from "onnxruntime-node";
import sharp from "sharp";

const [model, photo, result] = process.argv.slice(2);
if (result === undefined) fail("node colorize.mjs MODEL PHOTO RESULT", 2);
try {
  const upright = sharp(photo).rotate().removeAlpha().toColourspace("srgb");
  const { data, info } = await upright.raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const pixels = width * height;

  const rgb = new Float32Array(3 * pixels); // planes: all of R, then G, then B
  for (let plane = 0; plane < 3; plane++)
    for (let p = 0; p < pixels; p++) rgb[plane * pixels + p] = data[p * channels + (channels < 3 ? 0 : plane)] / 255;

  const session = await InferenceSession.create(model);
  if (session.inputNames[0] !== "rgb") fail(`${model}: take a -rgb file, such as unet-rgb.onnx`, 1);
  const { color } = await session.run({ rgb: new Tensor("float32", rgb, [1, 3, height, width]) });

  const levels = Buffer.alloc(3 * pixels);
  for (let plane = 0; plane < 3; plane++)
    for (let p = 0; p < pixels; p++) levels[3 * p + plane] = Math.round(255 * color.data[plane * pixels + p]);
  const picture = sharp(levels, { raw: { width, height, channels: 3 } });
  if (/\.jpe?g$/i.test(result)) picture.jpeg({ quality: 95, chromaSubsampling: "4:4:4" }); // else colors blur
  await picture.toFile(result);
} catch (error) {
  fail(error.message, 1);
}

function fail(line, code) {
  console.error(line);
  process.exit(code);
}
