"""Colorize a photograph at its full size with OpenCV alone: the network's ab, fitted to the photograph's L*.

python colorize.py unet-ab-256.onnx photo.jpg color.jpg
"""

from __future__ import annotations

import re
import sys

import cv2
import numpy as np


def main(model: str, photo: str, result: str) -> None:
    """Read, colorize, write."""
    found = re.search(r"-ab-([1-9]\d*)\.onnx$", model)
    if found is None:
        sys.exit(f"{model}: its name must end in -ab-NUMBER.onnx, as that of unet-ab-256.onnx does")
    bgr = cv2.imread(photo)
    if bgr is None:
        sys.exit(f"{photo}: not a photograph that OpenCV can read")
    small = lightness(stretched(bgr, int(found[1])))  # unet-ab-256.onnx takes 256 x 256
    try:
        network = cv2.dnn.readNetFromONNX(model)
        network.setInput(small[None, None], "l")
        written = cv2.imwrite(result, colored(lightness(bgr), small, network.forward("ab")[0]))
    except cv2.error as error:
        sys.exit(f"OpenCV {cv2.__version__}: {error.err or error}")
    if not written:
        sys.exit(f"{result}: cannot be written")


def stretched(bgr: np.ndarray, side: int) -> np.ndarray:
    """Bring a photograph to side x side px, bicubic and antialiased: little differences tell."""
    down, across = (weights(length, side) for length in bgr.shape[:2])
    planes = [down @ np.rint(plane @ across.T) for plane in cv2.split(np.float32(bgr))]
    return np.clip(np.rint(cv2.merge(planes)), 0, 255)


def weights(old: int, new: int) -> np.ndarray:
    """Return what each of `new` pixels takes of `old` ones (new, old); cv2.resize has no such kind."""
    centers = (np.arange(new)[:, None] + 0.5) * old / new - 0.5
    x = np.abs(np.arange(old) - centers) / max(old / new, 1)
    near, far = (1.5 * x - 2.5) * x * x + 1, ((2.5 - 0.5 * x) * x - 4) * x + 2
    kernel = np.where(x < 1, near, np.where(x < 2, far, 0))
    return np.float32(kernel / kernel.sum(1, keepdims=True))


def lightness(bgr: np.ndarray) -> np.ndarray:
    """Return L* (H, W) in 0..100 of levels of 255: given floats, OpenCV speaks CIE units."""
    return np.ascontiguousarray(cv2.cvtColor(np.float32(bgr) / 255, cv2.COLOR_BGR2Lab)[..., 0])


def colored(light: np.ndarray, small: np.ndarray, ab: np.ndarray) -> np.ndarray:
    """Enlarge ab on the edges of L*, as lines `slope L* + offset` in small windows; return BGR, uint8."""
    size = light.shape[::-1]
    planes = [light]
    variance = np.maximum(mean(small * small) - mean(small) ** 2, 0)
    for chroma in ab:
        slope = (mean(chroma * small) - mean(chroma) * mean(small)) / (variance + 30)
        offset = mean(mean(chroma) - slope * mean(small))
        planes.append(cv2.resize(mean(slope), size) * light + cv2.resize(offset, size))
    return np.uint8(np.rint(cv2.cvtColor(cv2.merge(planes), cv2.COLOR_Lab2BGR) * 255))


def mean(plane: np.ndarray) -> np.ndarray:
    """Return the mean of 5 x 5 values, of those that lie inside."""
    inside = cv2.blur(np.ones_like(plane), (5, 5), borderType=cv2.BORDER_CONSTANT)
    return cv2.blur(plane, (5, 5), borderType=cv2.BORDER_CONSTANT) / inside


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("colorize.py MODEL PHOTO RESULT")
    main(*sys.argv[1:])
