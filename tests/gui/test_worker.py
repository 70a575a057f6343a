"""The worker, without a window: what it posts, what it writes, and that it is never in the way."""

from __future__ import annotations

import queue
import time
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pytest
from PIL import Image

from tintype import Adjustments, Colorizer, cli, image as images, models
from tintype.gui import clipboard, desk, many, state, variants, worker
from tintype.gui.state import (
    Cancelled,
    Colorized,
    Edit,
    Failed,
    Finished,
    ItemChanged,
    ModelOpened,
    Opened,
    Progressed,
    Queued,
    Saved,
    SpreadMade,
    Started,
    VariantMade,
)
from tintype.gui.worker import Progress, Worker
from tintype.hints import Hints, Stroke
from tintype.spread import detail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LONG = 120.0  # s: a test that waits so long has failed
EDIT = Edit(
    Adjustments(strength=0.8, warmth=0.3), (Stroke(((20.0, 30.0), (40.0, 30.0)), 6.0, (200, 40, 40)),)
)
Wanted = TypeVar("Wanted")


class Ear:
    """A worker, and all that it posted."""

    def __init__(self, model: Path) -> None:
        self.worker = Worker(str(model))
        self.heard: list[Any] = []
        self.cancelled = 0.0

    def until(self, kind: type[Wanted]) -> Wanted:
        """Listen until an event of a kind comes, and return it; Failed fails unless it is wanted."""
        while True:
            event = self.worker.events.get(timeout=LONG)
            self.heard.append(event)
            if isinstance(event, kind):
                return event
            assert not isinstance(event, Failed), event

    def names(self) -> list[str]:
        """Return the names of what was heard since this was asked last, but for progress."""
        names = [type(event).__name__ for event in self.heard if not isinstance(event, Progressed)]
        self.heard.clear()
        return names

    def silent(self) -> bool:
        """Say whether nothing more comes."""
        self.worker.close()
        return self.worker.events.empty()

    def cancel_when(self, moment: Callable[[], bool], monkeypatch: pytest.MonkeyPatch) -> None:
        """Have the work under way cancelled at the first step of it for which a moment has come."""
        monkeypatch.setattr(worker, "_EVERY", 0.0)  # a moment may be shorter than the pause between two words
        put = self.worker.events.put

        def hear(event: Any) -> None:
            if isinstance(event, Progressed) and moment():
                self.worker.events.put = put  # type: ignore[method-assign]
                self.cancelled = time.monotonic()
                self.worker.cancel()
            put(event)

        self.worker.events.put = hear  # type: ignore[assignment, method-assign]

    def opened(self, path: Path) -> Opened:
        """Open a photograph and wait for the whole of it."""
        self.worker.open(path)
        while not (event := self.until(Opened)).document.complete:
            pass
        return event


@pytest.fixture
def ear(stub_mean: Path) -> Iterator[Ear]:
    """Return a worker with a stub model, and who listens to it."""
    made = Ear(stub_mean)
    yield made
    made.worker.close()


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Return the path of a colored JPEG, 1600 x 1200, that takes a moment to read."""
    path = tmp_path / "large.jpg"
    Image.effect_noise((1600, 1200), 60).convert("RGB").save(path, quality=95)
    return path


def test_open_colorize_save(ear: Ear, color_photo: Path, tmp_path: Path, stub_mean: Path) -> None:
    """A photograph opened, colorized, adjusted, painted on and saved is the command line's, to the pixel."""
    document = ear.opened(color_photo).document
    assert (document.name, document.source, document.picture.size) == ("meadow.png", color_photo, (72, 48))
    assert document.picture.colored
    assert ear.names() == ["Started", "Opened"]
    ear.worker.colorize()
    result = ear.until(Colorized).result
    assert (result.model.name, result.model.working_size, result.model.vividness) == ("stub_mean", 64, True)
    assert result.seconds > 0
    target, hints = tmp_path / "window.png", tmp_path / "strokes.json"
    ear.worker.save(target, EDIT)
    saved = ear.until(Saved)
    assert (saved.target, saved.edit) == (target, EDIT)
    assert ear.names() == ["Started", "Colorized", "Started", "Saved"]
    hints.write_text(Hints(72, 48, EDIT.strokes).to_json())
    command = [str(color_photo), "-o", str(tmp_path / "line.png"), "--model", str(stub_mean)]
    assert cli.main([*command, "--strength", "0.8", "--warmth", "0.3", "--hints", str(hints)]) == 0
    assert target.read_bytes() == (tmp_path / "line.png").read_bytes()


def test_photograph_stays(ear: Ear, color_photo: Path, tmp_path: Path) -> None:
    """Saving changes nothing of the photograph that the window shows: it can be saved again, otherwise."""
    picture = ear.opened(color_photo).document.picture
    before = picture.image.tobytes()
    for name in ("one.png", "two.png"):
        ear.worker.save(tmp_path / name, EDIT)
        ear.until(Saved)
    assert picture.image.tobytes() == before
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_quick_decode_first(ear: Ear, large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large JPEG is shown from a quick decode first, of the same places, and then whole."""
    monkeypatch.setattr(desk, "GLANCE", 600)
    ear.worker.open(large)
    first, second = ear.until(Opened).document, ear.until(Opened).document
    assert [first.complete, second.complete] == [False, True]
    assert first.picture.size == second.picture.size == (1600, 1200)
    assert (first.picture.image.size, second.picture.image.size) == ((800, 600), (1600, 1200))


def test_color_while_decoding(
    ear: Ear, large: Path, monkeypatch: pytest.MonkeyPatch, stub_mean: Path, tmp_path: Path
) -> None:
    """Color asked for while decoding comes from the quick decode, then from the whole; that is saved."""
    monkeypatch.setattr(desk, "GLANCE", 600)
    real = images.glance

    def glance(source: Path, side: int) -> Any:
        ear.worker.colorize()
        return real(source, side)

    monkeypatch.setattr(images, "glance", glance)
    ear.worker.open(large)
    ear.until(Colorized)
    assert ear.names() == ["Started", "Opened", "Colorized"]
    ear.until(Colorized)
    assert ear.names() == ["Opened", "Started", "Colorized"]
    ear.worker.save(tmp_path / "window.ppm", Edit())
    ear.until(Saved)
    with Image.open(tmp_path / "window.ppm") as saved:
        np.testing.assert_array_equal(np.asarray(saved), np.asarray(Colorizer(stub_mean).colorize(large)))


def test_cancelled_decode(
    ear: Ear, large: Path, monkeypatch: pytest.MonkeyPatch, stub_mean: Path, tmp_path: Path
) -> None:
    """After a decode that was cancelled, saving decodes the whole, and what is saved is made from that."""
    monkeypatch.setattr(desk, "GLANCE", 600)
    post, real = ear.worker._desk._post, images.glance

    def glance(source: Path, side: int) -> Any:
        ear.worker.colorize()
        return real(source, side)

    def hear(event: Any) -> None:
        if isinstance(event, Colorized) and not ear.worker._desk._photo:
            ear.worker.cancel()
        post(event)

    monkeypatch.setattr(images, "glance", glance)
    monkeypatch.setattr(ear.worker._desk, "_post", hear)
    ear.worker.open(large)
    ear.until(Cancelled)
    assert ear.names() == ["Started", "Opened", "Colorized", "Cancelled"]
    monkeypatch.setattr(ear.worker._desk, "_post", post)
    ear.worker.save(tmp_path / "window.ppm", Edit())
    ear.until(Saved)
    assert ear.names() == ["Started", "Opened", "Colorized", "Saved"]
    with Image.open(tmp_path / "window.ppm") as saved:
        np.testing.assert_array_equal(np.asarray(saved), np.asarray(Colorizer(stub_mean).colorize(large)))


def test_another_photograph(ear: Ear, large: Path, grey_photo: Path) -> None:
    """Opening another photograph cancels the one before, and what waited for it."""
    ear.worker.open(large)
    ear.worker.colorize()
    last = ear.opened(grey_photo).document
    assert last.name == "street.png"
    assert not last.picture.colored
    assert ear.silent()


def test_pasted(ear: Ear, color_array: Any, tmp_path: Path, stub_mean: Path) -> None:
    """An image that comes from no file is colorized and saved as it is."""
    ear.worker.open_image(Image.fromarray(color_array).convert("P"), "pasted")
    document = ear.until(Opened).document
    assert (document.name, document.source, document.complete) == ("pasted", None, True)
    ear.worker.save(tmp_path / "out.png", Edit())
    ear.until(Saved)
    with Image.open(tmp_path / "out.png") as saved:
        wanted = Colorizer(stub_mean).colorize(document.picture.image)
        np.testing.assert_array_equal(np.asarray(saved), np.asarray(wanted))


def test_other_things_to_save(
    ear: Ear, color_photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The color layer, ab, the comparison and a copy for the clipboard are made of the same result."""
    ear.opened(color_photo)
    for kind in ("color", "ab"):
        ear.worker.save_layer(tmp_path / f"{kind}.png", kind, EDIT)
        assert ear.until(Saved).edit is None
    ear.worker.save_comparison(tmp_path / "compare.png", EDIT)
    ear.until(Saved)
    ear.worker.save(tmp_path / "color_photo.png", EDIT)
    ear.until(Saved)
    copies: list[Image.Image] = []
    monkeypatch.setattr(clipboard, "copy", copies.append)
    ear.worker.copy(EDIT)
    ear.until(Finished)
    with Image.open(tmp_path / "color_photo.png") as saved, Image.open(tmp_path / "compare.png") as compared:
        np.testing.assert_array_equal(np.asarray(saved), np.asarray(copies[0]))
        assert compared.width > 3 * 72
    assert (tmp_path / "ab.png").stat().st_size
    assert (tmp_path / "color.png").stat().st_size


@pytest.mark.parametrize("method", ["save", "save_comparison", "layer"])
def test_never_over_the_original(ear: Ear, color_photo: Path, method: str) -> None:
    """Whatever is saved, the original is refused as its place, before any work."""
    before = color_photo.read_bytes()
    ear.opened(color_photo)
    if method == "layer":
        ear.worker.save_layer(color_photo, "color", Edit())
    else:
        getattr(ear.worker, method)(color_photo, Edit())
    failed = ear.until(Failed)
    assert "it is the original; choose another name" in failed.reason
    assert color_photo.read_bytes() == before


def test_variants(ear: Ear, grey_photo: Path, tmp_path: Path) -> None:
    """Variants come one by one, each with the color of its model and size; the one chosen is saved."""
    ear.opened(grey_photo)
    ear.worker.variants()
    ear.until(Finished)
    made = [event.variant for event in ear.heard if isinstance(event, VariantMade)]
    labels = list(variants.labels(ear.worker._desk._label))
    assert [v.working_size for v in made if v.model == labels[0]] == variants.sizes(64)
    assert list(dict.fromkeys(v.model for v in made)) == labels
    assert all(max(v.thumbnail.size) <= variants.SIDE for v in made)
    chosen = made[-1]
    assert chosen.result.model.label == chosen.model in models.bundled()
    ear.worker.choose(chosen.result)
    ear.worker.save(tmp_path / "out.png", Edit())
    ear.until(Saved)
    with Image.open(tmp_path / "out.png") as saved:
        wanted = Colorizer(chosen.model, working_size=chosen.working_size).colorize(grey_photo)
        np.testing.assert_array_equal(np.asarray(saved), np.asarray(wanted))


@pytest.mark.parametrize(("own", "wanted"), [(64, [64, 88, 104, 168]), (96, [64, 96, 128, 160, 256])])
def test_sizes_of_variants(own: int, wanted: list[int]) -> None:
    """Working sizes of variants are around the model's own, multiples of 8, and none twice."""
    assert variants.sizes(own) == wanted
    assert variants.sizes(1024)[-1] == 1024


def test_working_size(ear: Ear, grey_photo: Path) -> None:
    """Color can be predicted at another working size, and then at the model's own again."""
    ear.opened(grey_photo)
    for size, wanted in ((128, 128), (None, 64)):
        ear.worker.colorize(size)
        result = ear.until(Colorized).result
        assert result.model.working_size == wanted
        assert result.prediction.lightness.shape == (wanted, wanted)


def test_models(ear: Ear, stub: Path, grey_photo: Path) -> None:
    """Another model is used from then on; one that does not open leaves the one before."""
    ear.worker.warm()
    assert ear.until(ModelOpened).model.name == "stub_mean"
    ear.opened(grey_photo)
    ear.worker.use_model(str(stub))
    assert ear.until(ModelOpened).model.name == "stub"
    ear.worker.use_model("nowhere.onnx")
    failed = ear.until(Failed)
    assert "there is no model nowhere.onnx" in failed.reason
    assert "Traceback" in failed.details
    ear.worker.colorize()
    assert ear.until(Colorized).result.model.name == "stub"


def test_spread(ear: Ear, grey_photo: Path) -> None:
    """Strokes are solved for on the photograph, as the command line does."""
    picture = ear.opened(grey_photo).document.picture
    ear.worker.colorize()
    prediction = ear.until(Colorized).result.prediction
    ear.worker.spread(EDIT.strokes)
    made = ear.until(SpreadMade)
    assert made.strokes == EDIT.strokes
    spread = Hints(72, 48, EDIT.strokes).spread(detail(picture.image))
    wanted = prediction.merger(72, 48, Adjustments(), spread).planes
    np.testing.assert_array_equal(prediction.merger(72, 48, Adjustments(), made.spread).planes, wanted)


@pytest.mark.parametrize("method", ["colorize", "variants"])
def test_nothing_open(ear: Ear, method: str) -> None:
    """Without a photograph there is nothing to do, and that is said."""
    getattr(ear.worker, method)()
    assert "open one first" in ear.until(Failed).reason


def test_errors_in_words(ear: Ear, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, grey_photo: Path) -> None:
    """What cannot be read, too little memory and the unforeseen are each one sentence, with details."""
    (tmp_path / "broken.jpg").write_bytes(b"nonsense")
    ear.worker.open(tmp_path / "broken.jpg")
    assert "cannot be read as a photograph" in ear.until(Failed).reason
    for error, words in ((MemoryError(), "close other programs"), (KeyError("odd"), "KeyError: 'odd'")):

        def fail(*_: Any, error: Exception = error, **__: Any) -> None:
            raise error

        monkeypatch.setattr(images, "read", fail)
        ear.worker.open(grey_photo)
        failed = ear.until(Failed)
        assert words in failed.reason
        assert type(error).__name__ in failed.details


def test_cancel_in_the_middle(ear: Ear, large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Saving that is cancelled leaves nothing, soon, and can be done again."""
    ear.opened(large)
    target = tmp_path / "out.jpg"
    ear.cancel_when(lambda: True, monkeypatch)
    ear.worker.save(target, Edit())
    ear.until(Cancelled)
    assert time.monotonic() - ear.cancelled < 2  # half a second, on a machine that is at other things too
    assert list(tmp_path.iterdir()) == [large]
    ear.worker.save(target, Edit())
    ear.until(Saved)
    assert target.exists()


def test_closing_finishes_what_is_saved(ear: Ear, large: Path, tmp_path: Path) -> None:
    """Closing while a photograph is saved ends when that is done."""
    ear.opened(large)
    ear.worker.save(tmp_path / "out.jpg", Edit())
    ear.until(Started)
    ear.worker.close()
    with Image.open(tmp_path / "out.jpg") as saved:
        saved.load()


def test_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress is told at most ten times a second, with the time left once it can be foreseen."""
    posted: queue.Queue[Any] = queue.Queue()
    progress = Progress(posted.put)
    for step in range(101):
        monkeypatch.setattr(time, "monotonic", partial(float, 100 + step / 50))
        progress(step / 100)
    events = list(posted.queue)
    assert len(events) <= 21
    assert events[0].left is None
    assert events[10].left == pytest.approx(2 * (1 - events[10].share), abs=0.05)


# Folders.


@pytest.fixture
def folder(tmp_path: Path, color_array: Any) -> Path:
    """Return a folder of photographs, one of them broken."""
    made = tmp_path / "photos"
    made.mkdir()
    for name in ("a.jpg", "c.png", "d.png"):
        Image.fromarray(color_array).resize((400, 300)).save(made / name)
    (made / "b.jpg").write_bytes(b"nonsense")
    return made


def _items(ear: Ear) -> tuple[state.Item, ...]:
    """Return the items as they are after all that was heard."""
    found = state.State()
    for event in ear.heard:
        if isinstance(event, (Queued, ItemChanged)):
            found = state.reduce(found, event)
    return found.items


def test_folder(ear: Ear, folder: Path, tmp_path: Path, stub_mean: Path) -> None:
    """A folder is colorized as the command line does; a broken photograph stops no other."""
    out = tmp_path / "out"
    (folder / "d_color.png").touch()
    ear.worker.folder([folder], out, Adjustments(strength=0.5))
    queued = ear.until(Queued)
    assert [item.status for item in queued.items] == ["waiting"] * 5
    assert queued.folder == out
    assert "4 done" not in ear.until(Finished).text
    items = _items(ear)
    assert [(item.source.name, item.status) for item in items] == [
        ("a.jpg", "done"),
        ("b.jpg", "failed"),
        ("c.png", "done"),
        ("d.png", "done"),
        ("d_color.png", "failed"),
    ]
    assert "cannot be read as a photograph" in items[1].reason
    for item in items:
        if item.status == "done":
            assert item.target is not None
            assert item.thumbnail is not None
            assert max(item.thumbnail.size) == many.SIDE
            with Image.open(item.target) as saved:
                assert saved.size == (400, 300)
    Image.new("L", (40, 30), 90).save(folder / "b.jpg")
    ear.heard.clear()
    ear.worker.retry()
    finished = ear.until(Finished)
    assert "4 done, 0 skipped, 1 failed" in finished.text
    assert {event.index for event in ear.heard if isinstance(event, ItemChanged)} == {1, 4}


def test_folder_again(ear: Ear, folder: Path) -> None:
    """Results of an earlier run are no photographs, and are not made again unless that is wanted."""
    ear.worker.folder([folder])
    ear.until(Finished)
    before = (folder / "c_color.png").stat().st_mtime_ns
    ear.heard.clear()
    ear.worker.folder([folder])
    assert "0 done, 3 skipped, 1 failed" in ear.until(Finished).text
    assert "exists" in _items(ear)[0].reason
    assert (folder / "c_color.png").stat().st_mtime_ns == before


def test_stopped_folder(ear: Ear, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopping drops the photograph under way without a trace; those left can be done later."""
    noise = Image.effect_noise((1500, 1000), 80).convert("RGB")
    noise.save(folder / "b.jpg", quality=95)

    def working() -> bool:
        return ear.worker._desk._many.items[1].status == "working"  # type: ignore[union-attr]

    ear.cancel_when(working, monkeypatch)
    ear.worker.folder([folder], tmp_path / "out")
    assert "1 done, 0 skipped, 0 failed, 3 left" in ear.until(Cancelled).text
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a_color.jpg"]
    assert [item.status for item in _items(ear)] == ["done", "waiting", "waiting", "waiting"]
    ear.worker.retry()
    assert "4 done" in ear.until(Finished).text


@pytest.mark.parametrize("what", ["empty", "clash"])
def test_folder_refused(ear: Ear, tmp_path: Path, what: str) -> None:
    """A folder without photographs, and results that would meet, are refused as the command line does."""
    sources = [tmp_path / "one", tmp_path / "two"]
    for source in sources:
        source.mkdir()
        if what == "clash":
            Image.new("L", (8, 8)).save(source / "a.png")
    ear.worker.folder(sources, tmp_path / "out")
    wanted = {"empty": "there are no photographs in the folder", "clash": "would both become"}
    assert wanted[what] in ear.until(Failed).reason


def test_retry_of_nothing(ear: Ear) -> None:
    """Where there was no folder there is nothing to try again."""
    ear.worker.retry()
    ear.until(Failed)
