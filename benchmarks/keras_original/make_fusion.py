"""Write the original's fusion network, with seeded weights: `python make_fusion.py irv2.keras fusion.keras`.

Two files, as the original has them: Inception-ResNet-v2, and the colorizer that takes its 1000 values. Layers
and sizes are the original's; what they compute is no color, and takes as long.
"""

from __future__ import annotations

import sys

import keras
from keras import layers, ops

GRID = 32  # of 256x256 photographs
ENCODER = ((64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1), (512, 1), (256, 1))
DECODER = (128, None, 64, None, 32, 16)  # None doubles


def main() -> None:
    """Build and save both, compiled for training as the original's are."""
    keras.utils.set_random_seed(0)
    classifier = keras.applications.InceptionResNetV2(weights=None)
    classifier.save(sys.argv[1])

    lightness = keras.Input((8 * GRID, 8 * GRID, 1))
    embedding = keras.Input((1000,))
    x = lightness
    for channels, stride in ENCODER:
        x = layers.Conv2D(channels, 3, strides=stride, padding="same", activation="relu")(x)
    repeated = layers.Reshape((GRID, GRID, 1000))(layers.RepeatVector(GRID * GRID)(embedding))
    x = layers.Conv2D(256, 1, activation="relu")(ops.concatenate([x, repeated], axis=3))
    for layer in DECODER:
        if layer is None:
            x = layers.UpSampling2D()(x)
        else:
            x = layers.Conv2D(layer, 3, padding="same", activation="relu")(x)
    x = layers.Conv2D(2, 3, padding="same", activation="tanh")(x)
    network = keras.Model([lightness, embedding], layers.UpSampling2D()(x))
    network.compile("rmsprop", "mse")
    network.save(sys.argv[2])


if __name__ == "__main__":
    main()
