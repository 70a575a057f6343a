"""Results are named, and no two meet, nor one and a photograph, also where capitals do not count."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tintype import naming
from tintype.discover import Source
from tintype.errors import UsageError
from tintype.naming import Job, Naming


def _touch(folder: Path, *names: str) -> list[Path]:
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return paths


def _names(out: Path | None = None, template: str = naming.DEFAULT_NAME) -> Naming:
    return Naming(out, folder=True, template=template, model="stub")


@pytest.mark.parametrize(
    ("out", "inputs", "target"),
    [
        (None, ["in/a.jpg"], "in/a_color.jpg"),
        ("b.png", ["in/a.jpg"], "b.png"),
        ("new/b.png", ["in/a.jpg"], "new/b.png"),
        ("there", ["in/a.jpg"], "there/a_color.jpg"),
        ("new/", ["in/a.jpg"], "new/a_color.jpg"),
        ("new", ["in/a.jpg", "in/b.jpg"], "new/a_color.jpg"),
        ("new", ["in"], "new/a_color.jpg"),
        ("new.png", ["in"], "new.png/a_color.jpg"),
        (None, ["in/a.gif"], "in/a_color.png"),
        ("new", ["in/*.jpg"], "new/a_color.jpg"),
    ],
)
def test_naming(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str | None, inputs: list[str], target: str
) -> None:
    """--out is a file for one photograph and an image's name, and a folder, made if missing, otherwise."""
    monkeypatch.chdir(tmp_path)
    _touch(tmp_path, "in/a.jpg", "in/b.jpg", "there/other.txt")
    names = naming.naming([Path(name) for name in inputs], out, naming.DEFAULT_NAME, "stub")
    source = Path(inputs[0]) if Path(inputs[0]).is_file() or "gif" in inputs[0] else Path("in/a.jpg")
    assert names.target(source) == Path(target)
    assert Path(target).parent.is_dir()


def test_out_without_format(tmp_path: Path) -> None:
    """A name for one photograph without an image's suffix is refused, and nothing is made."""
    with pytest.raises(UsageError, match=r"result\.txt: end the name of a photograph with one of"):
        naming.naming([Path("a.jpg")], str(tmp_path / "new" / "result.txt"), naming.DEFAULT_NAME, "stub")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("template", "name"), [("{stem}.{model}.png", "a.stub.png"), ("x{ext}", "x.jpg")])
def test_template(template: str, name: str) -> None:
    """--name makes names of stem, suffix and model."""
    assert naming.naming([Path("a.jpg")], None, template, "stub").target(Path("in/a.jpg")) == Path("in", name)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{size}{ext}", "known are {stem}, {ext} and {model}"),
        ("{}{ext}", "known are"),
        ("{stem{ext}", "known are"),
        ("{stem.parent}{ext}", "known are"),
        ("{stem:d}{ext}", "known are"),
        ("{stem}", "end the name of a photograph with one of"),
        ("", "end the name of a photograph|a name alone"),
        ("{stem}.xcf", "end the name of a photograph with one of"),
        ("{model}/{stem}{ext}", "it is a name alone; --out takes the folder"),
        ("../{stem}{ext}", "it is a name alone"),
    ],
)
def test_bad_template(template: str, message: str) -> None:
    """A --name that cannot be a photograph's is refused before the work, with what to do."""
    with pytest.raises(UsageError, match=message):
        naming.naming([Path("a.jpg")], None, template, "stub")


def test_plan(tmp_path: Path) -> None:
    """Each photograph has its place in the tree, and its comparison beside it where one is wanted."""
    sources = [Source(tmp_path / "a.jpg"), Source(tmp_path / "b.gif", Path("x"))]
    jobs = naming.plan(sources, _names(Path("out")))
    assert jobs == [
        Job(sources[0].path, Path("out/a_color.jpg")),
        Job(sources[1].path, Path("out/x/b_color.png")),
    ]
    compared = naming.plan(sources, _names(Path("out")), compare=True)
    assert [job.comparison for job in compared] == [Path("out/a_compare.png"), Path("out/x/b_compare.png")]


@pytest.mark.parametrize(
    ("files", "out", "template", "compare", "message"),
    [
        (["a.jpg", "deep/a.jpg"], "out", "{stem}_color{ext}", False, "would both become .*a_color.jpg"),
        (["a.jpg", "b.jpg"], "out", "x{ext}", False, "would both become"),
        (["a.gif", "a.png"], None, "{stem}_color{ext}", False, "would both become"),
        (["a.jpg", "a.png"], None, "{stem}_color{ext}", True, "would both become .*a_compare.png"),
        (["a.jpg"], None, "{stem}{ext}", False, "is a photograph of this run"),
        (["a.jpg", "a_color.jpg"], None, "{stem}_color{ext}", False, "is a photograph of this run"),
        (["a.jpg", "a_compare.png"], None, "{stem}_color{ext}", True, "is a photograph of this run"),
    ],
)
def test_collisions(  # noqa: PLR0917 - cases are many-sided
    tmp_path: Path,
    files: list[str],
    out: str | None,
    template: str,
    compare: bool,  # noqa: FBT001
    message: str,
) -> None:
    """Two results of one name, or a result in a photograph's place, are refused before the work."""
    sources = list(map(Source, _touch(tmp_path, *files)))
    names = _names(None if out is None else tmp_path / out, template)
    with pytest.raises(UsageError, match=message):
        naming.plan(sources, names, compare=compare)


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_collision_through_a_link(tmp_path: Path) -> None:
    """A result that a link leads to a photograph is refused too."""
    _touch(tmp_path, "in/a.png", "in/a_color.png")
    (tmp_path / "link").symlink_to(tmp_path / "in")
    sources = [Source(tmp_path / "link" / "a.png"), Source(tmp_path / "in" / "a_color.png")]
    with pytest.raises(UsageError, match="is a photograph of this run"):
        naming.plan(sources, _names())


def test_without_results(tmp_path: Path) -> None:
    """Results and comparisons of an earlier run are left out of a folder, unless named themselves."""
    sources = list(map(Source, _touch(tmp_path, "a.png", "a_color.png", "a_compare.png", "b_color.png")))
    kept = naming.without_results(sources, [tmp_path], _names())
    assert [source.path.name for source in kept] == ["a.png", "b_color.png"]
    assert naming.without_results(sources, [tmp_path, sources[1].path], _names()) == [
        *sources[:2],
        sources[3],
    ]
    assert naming.without_results(sources, [tmp_path], _names(tmp_path / "out")) == sources


@pytest.mark.parametrize(
    "names", [("a.jpg", "A.JPG"), ("Straße.png", "STRASSE.png"), ("é.png", "e\u0301.png")]
)
@pytest.mark.parametrize("blind", [False, True])
def test_capitals(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    names: tuple[str, str],
    blind: bool,  # noqa: FBT001
) -> None:
    """Names that differ in capitals, or in how an accent is written, meet only where these do not count."""
    monkeypatch.setattr(naming, "is_case_blind", lambda _: blind)
    sources = [Source(tmp_path / folder / name) for folder, name in zip("xy", names, strict=True)]
    if not blind:
        assert len(naming.plan(sources, _names(tmp_path / "out"))) == 2
        return
    with pytest.raises(UsageError, match="would both become"):
        naming.plan(sources, _names(tmp_path / "out"))


def test_capitals_of_an_original(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where capitals do not count, a result takes no photograph's place that differs in them alone."""
    sources = [Source(tmp_path / "a.png"), Source(tmp_path / "A_COLOR.png")]
    assert len(naming.plan(sources, _names())) == 2
    monkeypatch.setattr(naming, "is_case_blind", lambda _: True)
    with pytest.raises(UsageError, match="is a photograph of this run"):
        naming.plan(sources, _names())


def test_case_blind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether capitals count is tried out where the folder is, or will be made; nothing is left there."""
    (tmp_path / "ab").mkdir()
    blind = (tmp_path / "AB").exists()
    assert naming.is_case_blind(tmp_path / "ab" / "new" / "deep") is blind
    assert not list((tmp_path / "ab").iterdir())
    monkeypatch.setattr(os.path, "lexists", lambda _: True)
    assert naming.is_case_blind(tmp_path / "ab")

    def refuse(**_: Any) -> NoReturn:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", refuse)
    assert not naming.is_case_blind(tmp_path / "ab")


def test_nothing_is_made(tmp_path: Path) -> None:
    """Where nothing is to be written, no folder is made."""
    naming.naming([tmp_path], str(tmp_path / "out"), naming.DEFAULT_NAME, "stub", make=False)
    assert not list(tmp_path.iterdir())
