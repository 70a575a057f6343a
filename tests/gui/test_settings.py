"""What is remembered comes back, and nothing that is damaged stops the window."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings as profile, strategies as st

from tintype.gui import settings
from tintype.gui.settings import Settings

ALL = Settings(
    theme="dark",
    scale=1.25,
    geometry="1240x800+-10+20",
    maximized=True,
    recent=(Path("/photos/b.jpg"), Path("/photos/a.jpg")),
    model="vivid",
    mode="side",
    folded=("variants",),
)
BAD: dict[str, Any] = {
    "theme": "pink",
    "scale": 17,
    "geometry": "large",
    "maximized": "yes",
    "recent": {"a": 1},
    "model": None,
    "mode": ["split"],
    "folded": [1],
}
values = st.one_of(st.none(), st.booleans(), st.floats(), st.text(), st.lists(st.text() | st.integers()))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep settings in a folder of the test's own."""
    monkeypatch.setenv(settings.VARIABLE, str(tmp_path / "of" / "tintype"))
    return tmp_path / "of" / "tintype"


def test_first_start() -> None:
    """Without a file everything is as it is at first."""
    assert Settings.load() == Settings()


def test_there_and_back(folder: Path) -> None:
    """Every field comes back as it was saved; the folder is made, and nothing else is left in it."""
    assert all(getattr(ALL, name) != getattr(Settings(), name) for name in BAD)
    assert ALL.save()
    assert Settings.load() == ALL
    assert [path.name for path in folder.iterdir()] == ["settings.json"]


def test_names_that_are_no_text() -> None:
    """A photograph whose name is no valid UTF-8 is remembered as well."""
    odd = Settings().with_recent(Path("/photos/\udcff.jpg"))
    assert odd.save()
    assert Settings.load() == odd


@pytest.mark.parametrize("name", BAD)
def test_one_damaged_field(folder: Path, name: str) -> None:
    """A field that makes no sense, or is missing, is as it is at first; all others are kept."""
    ALL.save()
    path = folder / "settings.json"
    stored = json.loads(path.read_text())
    stored[name], stored["unknown"] = BAD[name], 1
    path.write_text(json.dumps(stored))
    assert Settings.load() == replace(ALL, **{name: getattr(Settings(), name)})
    del stored[name]
    path.write_text(json.dumps(stored))
    assert Settings.load() == replace(ALL, **{name: getattr(Settings(), name)})


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe\x00", b'{"theme": "da'])
def test_damaged_file(folder: Path, content: bytes) -> None:
    """A file that is no settings at all is kept aside, and the next save works."""
    folder.mkdir(parents=True)
    (folder / "settings.json").write_bytes(content)
    assert Settings.load() == Settings()
    assert (folder / "settings.json.bad").read_bytes() == content
    assert ALL.save()
    assert Settings.load() == ALL


@profile(suppress_health_check=list(HealthCheck), max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(BAD)), values))
def test_any_json(folder: Path, stored: dict[str, Any]) -> None:
    """Whatever JSON is found, what is loaded can be saved and is loaded again."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "settings.json").write_text(json.dumps(stored))
    loaded = Settings.load()
    assert loaded.save()
    assert Settings.load() == loaded


def test_recent_files() -> None:
    """The last one opened comes first, none comes twice, and ten are kept."""
    made = Settings()
    for number in (*range(14), 10):
        made = made.with_recent(Path(f"/photos/{number}.jpg"))
    assert [path.stem for path in made.recent] == ["10", "13", "12", "11", "9", "8", "7", "6", "5", "4"]
    assert made.with_recent(Path("near.jpg")).recent[0].is_absolute()


def test_where_nothing_can_be_written(folder: Path) -> None:
    """Where the folder cannot be made, saving says so and raises nothing."""
    folder.parent.mkdir()
    folder.write_text("a file")
    assert not ALL.save()


def test_platform_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the variable the platform's own folders are taken, one for settings and one for data."""
    monkeypatch.delenv(settings.VARIABLE)
    config, data = settings.place("config"), settings.place("data")
    assert "tintype" in config.name.lower()
    assert "tintype" in data.name.lower()
    assert config.is_absolute()
