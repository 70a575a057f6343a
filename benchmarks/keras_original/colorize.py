"""Colorize as the original does, and no more: `python colorize.py beta.keras PHOTO RESULT`."""

from __future__ import annotations

import sys

import keras
import numpy as np
from PIL import Image
from skimage.color import lab2rgb, rgb2lab


def main() -> None:
    """Read a photograph, predict its ab at its own size, write it in color."""
    model, source, target = sys.argv[1:]
    network = keras.saving.load_model(model)
    rgb = np.asarray(Image.open(source).convert("RGB"))
    lab = rgb2lab(rgb / 255)
    ab = network.predict(lab[None, ..., :1], verbose=0)[0] * 128
    color = lab2rgb(np.concatenate([lab[..., :1], ab], axis=-1))
    Image.fromarray((color * 255).astype(np.uint8)).save(target, quality=95)


if __name__ == "__main__":
    main()
