"""Ask Keras what it computes, and keep its answers in `reference.npz` beside this script.

Run by hand, with keras and tensorflow-cpu installed, after any change here or in `weights.py`:

    cd tests && python -m keras_reference.make

The file holds arrays, and no pickles:

    input_HxW, output_HxW        float32 NHWC: L in [0, 100] (N, H, W, 1) and ab / 128 (N, H, W, 2)
    rmsprop_start                float32 (PARAMETERS,)
    rmsprop_gradients            float32 (STEPS, PARAMETERS), each taken where the step before had led
    rmsprop_parameters           float32 (STEPS, PARAMETERS), behind each step
    parameters                   int64, how many values the network can learn
    keras, tensorflow, numpy     the versions that computed all this
    sha256_make, sha256_weights  of the two sources, so that a stale file is noticed
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from keras_reference import weights

Arrays = dict[str, Any]  # of numpy arrays, which savez does not take as they are when typed so

HERE: Final = Path(__file__).parent
SIZES: Final = ((1, 16, 16), (2, 24, 40), (1, 8, 64), (1, 72, 48))  # photos, height, width
SAMPLES: Final = 16
PARAMETERS: Final = 10
STEPS: Final = 8


def classic() -> Any:
    """Build the network as its author published it, for L of any size as it is, with seeded weights."""
    same: dict[str, Any] = {"padding": "same", "activation": "relu"}
    model = keras.Sequential(
        [
            keras.Input((None, None, 1)),
            layers.Conv2D(64, 3, **same),
            layers.Conv2D(64, 3, strides=2, **same),
            layers.Conv2D(128, 3, **same),
            layers.Conv2D(128, 3, strides=2, **same),
            layers.Conv2D(256, 3, **same),
            layers.Conv2D(256, 3, strides=2, **same),
            layers.Conv2D(512, 3, **same),
            layers.Conv2D(256, 3, **same),
            layers.Conv2D(128, 3, **same),
            layers.UpSampling2D(2),
            layers.Conv2D(64, 3, **same),
            layers.UpSampling2D(2),
            layers.Conv2D(32, 3, **same),
            layers.Conv2D(2, 3, padding="same", activation="tanh"),
            layers.UpSampling2D(2),
        ]
    )
    model.set_weights([array for layer in weights.draw() for array in layer])
    return model


def answers(model: Any) -> Arrays:
    """Return noise of each size, which leaves no pixel out of play, and what the network makes of it."""
    random = np.random.default_rng(weights.SEED)
    arrays: Arrays = {}
    for photos, height, width in SIZES:
        lightness = random.uniform(0, 100, (photos, height, width, 1)).astype(np.float32)
        arrays[f"input_{height}x{width}"] = lightness
        arrays[f"output_{height}x{width}"] = np.asarray(model(lightness), np.float32)
    return arrays


def rmsprop() -> Arrays:
    """Fit a line with RMSprop's defaults, on features whose scales run from 1e-6 to 10, and one of zeros."""
    random = np.random.default_rng(weights.SEED)
    scales = np.append(np.logspace(-6, 1, PARAMETERS - 1), 0)
    features = tf.constant(random.normal(size=(SAMPLES, PARAMETERS)) * scales, tf.float32)
    targets = tf.constant(random.normal(size=SAMPLES), tf.float32)
    start = random.normal(scale=0.01, size=PARAMETERS).astype(np.float32)
    variable = keras.Variable(start)
    optimizer = keras.optimizers.RMSprop()
    gradients, parameters = [], []
    for _ in range(STEPS):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(tf.linalg.matvec(features, variable.value) - targets))
        gradient = tape.gradient(loss, variable.value)
        optimizer.apply([gradient], [variable])
        gradients.append(gradient.numpy())
        parameters.append(variable.numpy().copy())
    return {
        "rmsprop_start": start,
        "rmsprop_gradients": np.stack(gradients),
        "rmsprop_parameters": np.stack(parameters),
    }


def provenance(model: Any) -> Arrays:
    """Return the network's size, the versions at work and the digests of the sources."""
    return {
        "parameters": np.array(model.count_params()),
        "keras": np.array(keras.__version__),
        "tensorflow": np.array(tf.__version__),
        "numpy": np.array(np.__version__),
        "sha256_make": np.array(weights.digest(HERE / "make.py")),
        "sha256_weights": np.array(weights.digest(HERE / "weights.py")),
    }


def main() -> None:
    """Write the reference, the same bytes each time."""
    tf.config.experimental.enable_op_determinism()
    model = classic()
    np.savez_compressed(HERE / "reference.npz", **answers(model), **rmsprop(), **provenance(model))


if __name__ == "__main__":
    main()
