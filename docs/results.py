"""Make docs/results.md: photographs that no model was trained on, colorized, and judged by eye.

    python -m docs.results --model original=runs/original.onnx classic fusion

Photographs and where they come from stand in docs/photographs, marks in docs/results.json: Good, Fair or Bad,
of each photograph and model, as `python -m torch_model.evaluate --report` exports them, and under "models"
the digest of the file that was judged, so that marks are not taken for another one's. What has not been
judged is told, and its cell stays blank.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tintype.errors import TintypeError, UsageError
from tintype.lab import rgb_to_lab
from torch_model import bands, contenders, metrics
from torch_model.table import markdown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch_model.contenders import Contender

Array: TypeAlias = NDArray[Any]

HERE: Final = Path(__file__).parent
PHOTOGRAPHS: Final = HERE / "photographs"
KINDS: Final = ("portrait", "landscape", "combined")
LABELS: Final = {"good": "Good", "fair": "Fair", "bad": "Bad"}
SIDE, GAP = 200, 4  # px of a photograph on a sheet, at most, and between two
QUALITY: Final = 80

TITLE: Final = """# Results

As the original project's table: {count} photographs that none of the models was trained on, made grey,
colorized, and judged by eye. Made by `{command}`.

**Good**: one would take it for a photograph in color. **Fair**: the colors are plausible, or few; some part
is pale or wrong. **Bad**: grey or sepia all over, or colors that no one believes."""


@dataclass(frozen=True)
class Photograph:
    """One photograph and whose it is."""

    file: str
    kind: str
    shows: str
    author: str
    licence: str
    source: str

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The photograph, (H, W, 3)."""
        with Image.open(PHOTOGRAPHS / self.file) as image:
            return np.asarray(image.convert("RGB"))


@dataclass(frozen=True)
class Result:
    """What a contender made of a photograph."""

    picture: Array
    mark: str | None
    """By eye."""
    band: str
    """By rule."""


def load() -> list[Photograph]:
    """Read the list of photographs, portraits first."""
    listed = json.loads((PHOTOGRAPHS / "photographs.json").read_text(encoding="utf-8"))
    found = [Photograph(**entry) for entry in listed]
    return sorted(found, key=lambda photo: KINDS.index(photo.kind))


def read_marks(path: Path, digests: dict[str, str]) -> dict[str, dict[str, str]]:
    """Read the marks of each photograph and model, less those that were given to another file of that name.

    `digests` of the models as they are. Raises UsageError where the file holds something else.
    """
    if not path.is_file():
        return {}
    given = json.loads(path.read_text(encoding="utf-8"))
    marks: dict[str, dict[str, str]] = given.get("marks", {}) if given.get("tintype_marks") == 1 else {}
    wrong = {mark for own in marks.values() for mark in own.values()} - set(LABELS)
    if given.get("tintype_marks") != 1 or wrong:
        raise UsageError(f"{path} is no file of marks: wanted are {', '.join(LABELS)} under tintype_marks 1")
    judged = {name.partition(" at ")[0]: digest for name, digest in given.get("models", {}).items()}
    stale = {name for name, digest in digests.items() if judged.get(name, digest) != digest}
    for name in sorted(stale):
        print(f"{name} is {digests[name]}, and {judged[name]} was judged: its marks are left out")
    return {
        photo: {
            model: mark for name, mark in own.items() if (model := name.partition(" at ")[0]) not in stale
        }
        for photo, own in marks.items()
    }


def judge(photo: Photograph, contender: Contender, marks: dict[str, dict[str, str]]) -> Result:
    """Colorize a photograph, and find what is thought of it."""
    original = photo.pixels
    picture = contender.colorize(original)
    color, true = metrics.colorfulness(picture), metrics.colorfulness(original)
    each = {
        "ciede2000": np.array([metrics.ciede2000(rgb_to_lab(original), rgb_to_lab(picture))]),
        "colorfulness": np.array([color]),
        "difference": np.array([color - true]),
    }
    mark = marks.get(photo.file, {}).get(contender.name)
    return Result(picture, mark, str(bands.bands(each)[0]))


def sheet(rows: Sequence[Sequence[Array]]) -> Image.Image:
    """Lay out pictures: a row for each photograph, each of its own height."""
    lines = [[_small(picture) for picture in row] for row in rows]
    width = len(lines[0]) * (SIDE + GAP) - GAP
    whole = Image.new("RGB", (width, sum(line[0].height + GAP for line in lines) - GAP), "white")
    top = 0
    for line in lines:
        for column, image in enumerate(line):
            whole.paste(image, (column * (SIDE + GAP) + (SIDE - image.width) // 2, top))
        top += line[0].height + GAP
    return whole


def _small(picture: Array) -> Image.Image:
    image = Image.fromarray(picture)
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return image


def page(
    command: str, photos: Sequence[Photograph], names: Sequence[str], results: Sequence[Sequence[Result]]
) -> str:
    """Return the page: sheets and marks of each kind, counts, and whose the photographs are."""
    parts = [TITLE.strip().format(count=len(photos), command=command), _counts(names, results), _rule()]
    for kind in KINDS:
        chosen = [(photo, row) for photo, row in zip(photos, results, strict=True) if photo.kind == kind]
        lines = [[photo.shows, *(LABELS.get(r.mark or "", "") for r in row)] for photo, row in chosen]
        columns = f"*From the left: the photograph in color, made grey, and by {', '.join(names)}.*"
        picture = f"![{kind}: original, grey and colorized](results-{kind}.webp)"
        parts += [f"## {kind.capitalize()}", picture, columns, markdown(["photograph", *names], lines)]
    whose = [[photo.shows, photo.author, photo.licence, photo.source] for photo in photos]
    parts += ["## Whose photographs these are", "Made smaller; the colorized ones are changed as said above."]
    return "\n\n".join([*parts, markdown(["photograph", "by", "licence", "from"], whose)]) + "\n"


def _counts(names: Sequence[str], results: Sequence[Sequence[Result]]) -> str:
    lines = []
    for name, column in zip(names, zip(*results, strict=True), strict=True):
        eye, rule = Counter(r.mark for r in column), Counter(r.band for r in column)
        lines.append([name, *(str(eye[mark]) for mark in LABELS), *(str(rule[mark]) for mark in LABELS)])
    titles = ["model", *LABELS.values(), *(f"{label}, by rule" for label in LABELS.values())]
    return markdown(titles, lines)


def _rule() -> str:
    return f"The rule, which sees numbers alone: {bands.RULE}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code: 0, or 1 where marks are missing."""
    parser = argparse.ArgumentParser(
        prog="python -m docs.results",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--model", nargs="+", required=True, help="bundled names, .onnx files, or NAME=FILE")
    add("--marks", type=Path, default=HERE / "results.json", help="marks by eye (%(default)s)")
    add("--out", type=Path, default=HERE, help="folder of results.md and its pictures (%(default)s)")
    options = parser.parse_args(arguments)
    try:
        return make(options)
    except (TintypeError, ValueError, OSError) as error:
        print(f"results: {error}", file=sys.stderr)
        return 2


def make(options: argparse.Namespace) -> int:
    """Write the page and its pictures; say which marks are missing."""
    opened = contenders.open_all(options.model, vividness=(1.0,))
    digests = {contender.name: contender.digest for contender in opened}
    marks, photos = read_marks(options.marks, digests), load()
    results = [[judge(photo, contender, marks) for contender in opened] for photo in photos]
    for kind in KINDS:
        rows = [
            [photo.pixels, contenders.grey(photo.pixels), *(result.picture for result in row)]
            for photo, row in zip(photos, results, strict=True)
            if photo.kind == kind
        ]
        sheet(rows).save(options.out / f"results-{kind}.webp", quality=QUALITY, method=6)
    command = f"python -m docs.results --model {' '.join(_shown(model) for model in options.model)}"
    names = [contender.name for contender in opened]
    (options.out / "results.md").write_text(page(command, photos, names, results), encoding="utf-8")
    missing = [
        f"{photo.file}: {name}"
        for photo, row in zip(photos, results, strict=True)
        for name, result in zip(names, row, strict=True)
        if result.mark is None
    ]
    print(f'"models": {json.dumps(digests)}')
    print("\n".join([f"{len(missing)} marks are missing", *missing]) if missing else "all are judged")
    return 1 if missing else 0


def _shown(model: str) -> str:
    """Return a model as it may stand on the page: without the folders of whoever made it."""
    name, border, place = model.rpartition("=")
    return f"{name}{border}{Path(place).name}"


if __name__ == "__main__":
    sys.exit(main())
