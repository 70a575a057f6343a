"""Colorize a photograph whole, in float64, with scikit-image: what the runtime's strips are compared with.

python -m benchmarks.naive MODEL PHOTO RESULT
"""

from __future__ import annotations

import sys

import numpy as np
import onnxruntime
from PIL import Image, ImageOps
from skimage.color import lab2rgb, rgb2lab
from skimage.transform import resize


def main() -> None:
    """Read, predict ab at working size, enlarge it, write."""
    model, source, target = sys.argv[1:]
    session = onnxruntime.InferenceSession(model)
    side = int(session.get_modelmeta().custom_metadata_map["tintype.working_size"])
    rgb = np.asarray(ImageOps.exif_transpose(Image.open(source)).convert("RGB"))
    lab = rgb2lab(rgb)
    small = resize(lab[..., 0], (side, side), anti_aliasing=True)
    lightness = small.astype(np.float32)
    ab = session.run(["ab"], {"l": lightness[None, None]})[0][0]
    whole = (*lab.shape[:2], 2)
    lab[..., 1:] = resize(np.moveaxis(ab, 0, -1), whole)
    Image.fromarray(np.rint(lab2rgb(lab) * 255).astype(np.uint8)).save(target, quality=95)


if __name__ == "__main__":
    main()
