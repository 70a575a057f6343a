"""docs/onnx.md: what it shows works, as it stands there, with the files that it names."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import onnx
import pytest
import skimage.data
from PIL import Image

from export import forms
from tintype import Adjustments, Colorizer, models

pytestmark = pytest.mark.released

PAGE = Path(forms.__file__).parents[1] / "docs" / "onnx.md"
TEXT = PAGE.read_text(encoding="utf-8")
_ORIENTATION, _LEFT_SIDE_BELOW = 0x0112, 6
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a photograph and the files that the examples open."""
    folder = tmp_path_factory.mktemp("page")
    turned = Image.Exif()
    turned[_ORIENTATION] = _LEFT_SIDE_BELOW
    photo = Image.fromarray(skimage.data.coffee()).resize((300, 200))
    photo.save(folder / "photo.jpg", quality=95, exif=turned)
    model = onnx.load(models.find("unet"))
    for form in forms.forms(forms.described(model), [item.name for item in model.graph.output]):
        if form.suffix in ("-ab", "-rgb"):
            onnx.save(forms.build(model, form), folder / f"unet{form.suffix}.onnx")
    return folder


@pytest.mark.parametrize(
    ("example", "most", "share"), [("unet-rgb.onnx", 2, 0.005), ("unet-ab.onnx", 255, 0.25)]
)
def test_examples(
    folder: Path, example: str, most: int, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each example makes the runtime's picture: by rgb the same, by ab most of what color adds to grey."""
    monkeypatch.chdir(folder)
    (code,) = (text for text in EXAMPLES if example in text)
    exec(code, {})  # noqa: S102 - what readers will do with it
    colorizer = Colorizer("unet", threads=1)
    expected, grey = (
        np.asarray(colorizer.colorize("photo.jpg", Adjustments(strength=strength)), int)
        for strength in (1.0, 0.0)
    )
    difference = np.abs(expected - np.asarray(Image.open("color.png")))
    assert difference.max() <= most
    assert difference.mean() <= share * np.abs(expected - grey).mean()


def test_rgb_example_is_short() -> None:
    """The first example has ten lines at most, and no example needs more than three packages."""
    assert len([line for line in EXAMPLES[0].splitlines() if line.strip()]) <= 10
    for code in EXAMPLES:
        found = re.findall(r"^(?:import|from) (.+?)(?: import .*)?$", code, re.MULTILINE)
        names = {name.strip() for line in found for name in line.split(",")}
        assert names <= {"numpy as np", "onnxruntime", "PIL"}


def test_forms_are_all_named(folder: Path) -> None:
    """Every form of a model, and every key of its metadata, stands on the page."""
    model = onnx.load(models.find("unet"))
    for form in forms.forms(forms.described(model), [item.name for item in model.graph.output]):
        suffix = re.sub(r"^-ab-\d+$", "-ab-SIZE", form.suffix)
        assert f"NAME{suffix}.onnx" in TEXT, form
    for path in folder.glob("*.onnx"):
        assert all(f"`{item.key}`" in TEXT for item in onnx.load(path).metadata_props)


def test_links() -> None:
    """What the page links to within the project is there."""
    for place in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert place.startswith("https://") or (PAGE.parent / place).exists(), place
    titles = [title.lower().replace(" ", "-") for title in re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)]
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= set(titles)
