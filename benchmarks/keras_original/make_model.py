"""Write the original's Keras network with seeded weights: `python make_model.py beta.keras`.

Its layers and sizes are the original's; what it computes is no color, and takes as long.
"""

from __future__ import annotations

import sys

import keras
from keras import layers

ENCODER = ((64, 1), (64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1), (256, 1), (128, 1))
DECODER = (64, 32)


def main() -> None:
    """Build and save the network, compiled for training as the original's files are."""
    keras.utils.set_random_seed(0)
    network = keras.Sequential([keras.Input((None, None, 1))])
    for channels, stride in ENCODER:
        network.add(layers.Conv2D(channels, 3, strides=stride, padding="same", activation="relu"))
    for channels in DECODER:
        network.add(layers.UpSampling2D())
        network.add(layers.Conv2D(channels, 3, padding="same", activation="relu"))
    network.add(layers.Conv2D(2, 3, padding="same", activation="tanh"))
    network.add(layers.UpSampling2D())
    network.compile("rmsprop", "mse")
    network.save(sys.argv[1])


if __name__ == "__main__":
    main()
