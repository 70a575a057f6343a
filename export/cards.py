"""A model's page on Hugging Face: its card, with what their search reads, an example, and a list of files."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from tintype import models

if TYPE_CHECKING:
    from collections.abc import Mapping

TAGS: Final = (
    "onnx",
    "onnxruntime",
    "safetensors",
    "colorization",
    "image-colorization",
    "black-and-white",
    "photography",
    "photo-restoration",
)
LICENSES: Final = {
    "CC-BY-NC-4.0": (
        "Creative Commons Attribution-NonCommercial 4.0 International",
        "https://creativecommons.org/licenses/by-nc/4.0/legalcode",
    )
}
METRICS: Final = {  # what models.json calls them: what people look for, and in what it is
    "psnr": ("psnr", "PSNR, dB"),
    "ab_rmse": ("rmse", "RMSE of a* and b*, CIE units"),
    "ciede2000": ("ciede2000", "CIEDE2000"),
    "lpips": ("lpips", "LPIPS"),
    "frechet": ("fid", "Frechet distance of Inception features"),
}
EXAMPLE: Final = """
import numpy as np, onnxruntime
from PIL import Image, ImageOps

session = onnxruntime.InferenceSession("onnx/model.onnx")
upright = ImageOps.exif_transpose(Image.open("photo.jpg"))
photo = np.asarray(upright.convert("RGB"), np.float32) / 255
color = session.run(None, {"rgb": photo.transpose(2, 0, 1)[None]})[0][0].transpose(1, 2, 0)
Image.fromarray(np.uint8(color * 255 + 0.5)).save("color.png")
"""
USE: Final = f"""## Use

`onnx/model.onnx` takes a photograph of any size, `rgb`, float32 (N, 3, H, W), sRGB from 0 to 1, and gives
`color`, the same shape, with the photograph's own lightness. Nothing else is needed:

```python
{EXAMPLE.strip()}
```
"""


def card(name: str, about: Mapping[str, Any], files: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page of a bundled model.

    `about` is its entry in the bundled models.json, `files` what the release says of each file.
    """
    text = (models.FOLDER / about["card"]).read_text(encoding="utf-8")
    text = text.replace(f"`{about['file']}`", "`onnx/ab.onnx`")
    plain = re.sub(r"\[([^\]]+)\]\((?!https?:)[^)]*\)", r"\1", text)  # pages that are not there
    title, _, rest = plain.partition("\n")
    parts = [_front(name, about), title, _opening(rest), USE, _table(files), _closing(rest)]
    return "\n".join(part.strip("\n") + "\n" for part in parts)


def license_of(license_id: str) -> str:
    """Return the text of the file LICENSE."""
    title, address = LICENSES[license_id]
    return (
        f"Copyright (c) 2026 Tintype contributors\n\nThese weights are licensed under {title}\n"
        f"({license_id}): {address}\n\nThe card (README.md) says what they were made from.\n"
    )


def _front(name: str, about: Mapping[str, Any]) -> str:
    """Return the YAML before the page; JSON is YAML."""
    said = {
        "license": about["license"].lower(),
        "library_name": "onnx",
        "pipeline_tag": "image-to-image",
        "tags": ["tintype", *TAGS],
        "metrics": [key for key, _ in _measured(about)],
    }
    lines = [f"{key}: {json.dumps(value)}" for key, value in said.items()]
    results = [
        f"          - {{type: {key}, name: {json.dumps(title)}, value: {value}}}"
        for key, (title, value) in _measured(about)
    ]
    if results:
        data = about["metrics"]["test"]
        lines += [
            "model-index:",
            f"  - name: tintype-{name}",
            "    results:",
            "      - task: {type: image-to-image, name: Colorization}",
            f"        dataset: {{type: coco, name: {json.dumps(data['set'])}}}",
            "        metrics:",
            *results,
        ]
    return "\n".join(["---", *lines, "---"])


def _measured(about: Mapping[str, Any]) -> list[tuple[str, tuple[str, float]]]:
    """Return what was measured on public photographs, as the model comes."""
    test = about["metrics"].get("test", {})
    found = test | test.get("vivid", {})
    return [(kind, (title, found[key])) for key, (kind, title) in METRICS.items() if key in found]


def _opening(rest: str) -> str:
    """Return what stands before the card's first heading."""
    return rest.partition("\n## ")[0]


def _closing(rest: str) -> str:
    return "## " + rest.partition("\n## ")[2]


def _table(files: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the table of the files on the page."""
    rows = [
        "| file | MB | computes in | CIEDE2000 to fp32, mean and 99th percentile | for |",
        "|---|---|---|---|---|",
    ]
    for entry in files.values():
        if place := entry.get("huggingface"):
            far = entry.get("to_float32")
            told = f"{far['ciede2000_mean']:.2g}, {far['ciede2000_p99']:.2g}" if far else ""
            cells = (f"`{place}`", f"{entry['bytes'] / 1e6:.1f}", entry["precision"], told, entry["purpose"])
            rows.append(f"| {' | '.join(cells)} |")
    return "## Files\n\n" + "\n".join(rows)
