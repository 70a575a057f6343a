"""Colorize as the original's fusion: `python colorize_fusion.py irv2.keras fusion.keras PHOTO RESULT`."""

from __future__ import annotations

import sys

import keras
import numpy as np
from PIL import Image
from skimage.color import gray2rgb, lab2rgb, rgb2gray, rgb2lab
from skimage.transform import resize


def main() -> None:
    """Read a photograph of 256x256, classify its grey, predict its ab, write it in color."""
    inception, model, source, target = sys.argv[1:]
    classifier = keras.saving.load_model(inception)
    network = keras.saving.load_model(model)
    rgb = np.asarray(Image.open(source).convert("RGB"))
    grey = resize(gray2rgb(rgb2gray(rgb)), (299, 299, 3), mode="constant")
    prepared = keras.applications.inception_resnet_v2.preprocess_input(255 * grey[None])
    embedding = classifier.predict(prepared, verbose=0)
    lab = rgb2lab(rgb / 255)
    ab = network.predict([lab[None, ..., :1], embedding], verbose=0)[0] * 128
    color = lab2rgb(np.concatenate([lab[..., :1], ab], axis=-1))
    Image.fromarray((color * 255).astype(np.uint8)).save(target, quality=95)


if __name__ == "__main__":
    main()
