"""The page in Chromium: what it makes against the runtime, and how it behaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

import web_page
from examples.web import serve
from pictures import picture
from tintype.adjustments import Adjustments

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from tintype import Colorizer

pytestmark = pytest.mark.web

ROOT = web_page.WEB.parents[1]
ASTRONAUT = ROOT / "examples" / "astronaut.jpg"  # grey
COFFEE = ROOT / "docs" / "photographs" / "coffee.jpg"  # in color
PHONE = {"viewport": {"width": 375, "height": 667}, "has_touch": True, "is_mobile": True}
ORIENTATION, CAMERA, TURNED = 0x0112, 0x0110, 6
SOURCE_TYPE = b"compositeWithTrainedAlgorithmicMedia"


def pixels(path: Path) -> NDArray[np.int_]:
    """Return a picture as integers (H, W, channels)."""
    with Image.open(path) as image:
        return np.asarray(image).astype(int)


def coffee() -> Image.Image:
    """Return a photograph in color."""
    with Image.open(COFFEE) as photo:
        return photo.convert("RGB")


def agree(found: NDArray[np.int_], wanted: NDArray[Any]) -> None:
    """Hold two pictures to be one: 2 levels at most, but for single pixels at the gamut's edge."""
    assert found.shape == wanted.shape
    wrong = np.abs(found - wanted.astype(int))
    print(f"mean {wrong.mean():.5f}, max {wrong.max()}, over 2 levels {(wrong > 2).mean():.1e}")
    assert (wrong > 2).mean() < 1e-4
    assert wrong.mean() < 0.05


def wanted(colorizer: Colorizer, photo: Path, vividness: float = 1) -> NDArray[np.uint8]:
    """Return what the runtime makes of a photograph."""
    return np.asarray(colorizer.colorize(photo, Adjustments(vividness=vividness)))


def test_a_dropped_photograph(desk: web_page.Visit, released: Colorizer, tmp_path: Path) -> None:
    """A grey photograph that is dropped comes out as the runtime colorizes it."""
    desk.drop(ASTRONAUT)
    desk.colored(ASTRONAUT)
    assert not desk.page.locator("#notes li").all()
    result = desk.download(tmp_path)
    assert result.name == "astronaut_color.png"
    agree(pixels(result), wanted(released, ASTRONAUT))


def test_a_pasted_photograph_in_color(desk: web_page.Visit, released: Colorizer, tmp_path: Path) -> None:
    """A photograph in color is made grey first, and that is said."""
    desk.paste(COFFEE)
    desk.colored(COFFEE)
    assert "made grey first" in desk.page.inner_text("#notes")
    agree(pixels(desk.download(tmp_path)), wanted(released, COFFEE))


@pytest.mark.parametrize("vividness", [0, 0.55, 1.5])
def test_vividness(desk: web_page.Visit, released: Colorizer, tmp_path: Path, vividness: float) -> None:
    """The slider changes the picture, and what is saved is what the runtime makes at that vividness."""
    desk.colorize(ASTRONAUT)
    before = desk.page.screenshot(clip=desk.page.locator("#stage").bounding_box())
    desk.set_vividness(vividness)
    result = pixels(desk.download(tmp_path))
    agree(result, wanted(released, ASTRONAUT, vividness))
    assert desk.page.screenshot(clip=desk.page.locator("#stage").bounding_box()) != before


@pytest.mark.parametrize("size", [(1, 1), (7, 13), (900, 3), (129, 127)])
def test_small_and_narrow(
    desk: web_page.Visit, released: Colorizer, tmp_path: Path, size: tuple[int, int]
) -> None:
    """A photograph of any size is colorized."""
    photo = web_page.save_photo(coffee().resize(size), tmp_path / "narrow.png")
    desk.colorize(photo)
    agree(pixels(desk.download(tmp_path)), wanted(released, photo))


def test_a_turned_jpeg(desk: web_page.Visit, released: Colorizer, tmp_path: Path) -> None:
    """A turned JPEG comes out upright, with its EXIF, and says that a model gave the colors."""
    exif = Image.Exif()
    exif[ORIENTATION], exif[CAMERA] = TURNED, "Box"
    photo = web_page.save_photo(coffee().resize((400, 320)), tmp_path / "turned.jpg", exif=exif, quality=95)
    desk.colorize(photo)
    result = desk.download(tmp_path, "jpeg")
    with Image.open(result) as image:
        assert (image.format, image.size) == ("JPEG", (320, 400))
        assert image.getexif().get(ORIENTATION, 1) == 1
        assert image.getexif()[CAMERA] == "Box"
        assert SOURCE_TYPE in image.info["xmp"]
    assert np.abs(pixels(result) - wanted(released, photo)).mean() < 2
    png = desk.download(tmp_path)
    with Image.open(png) as image:
        image.load()
        assert image.getexif()[CAMERA] == "Box"
        assert SOURCE_TYPE.decode() in image.info["XML:com.adobe.xmp"]
    agree(pixels(png), wanted(released, photo))


def test_alpha(desk: web_page.Visit, released: Colorizer, tmp_path: Path) -> None:
    """Transparency stays as it is, JPEG is not offered, and what is opaque has the runtime's colors."""
    photo = coffee().convert("RGBA")
    alpha = np.full((photo.height, photo.width), 255, np.uint8)
    alpha[:40] = 128
    photo.putalpha(Image.fromarray(alpha))
    path = web_page.save_photo(photo, tmp_path / "cut.png")
    desk.colorize(path)
    assert desk.page.locator("[value='image/jpeg']").is_disabled()
    result = pixels(desk.download(tmp_path))
    assert (result[..., 3] == alpha).all()
    wrong = np.abs(result - wanted(released, path).astype(int))[alpha == 255]
    assert np.percentile(wrong, 99) <= 3  # browsers round what is translucent, and the network sees all of it
    assert wrong.mean() < 1


def test_a_large_photograph(desk: web_page.Visit, released: Colorizer, tmp_path: Path) -> None:
    """24 megapixels come out in full size, and the page answers all the while."""
    with Image.open(ASTRONAUT) as small:
        photo = web_page.save_photo(small.resize((6000, 4000)), tmp_path / "large.jpg", quality=92)
    desk.page.evaluate("""() => {
        window.gaps = [];
        let last = performance.now();
        setInterval(() => { const now = performance.now(); gaps.push(now - last); last = now; }, 20);
    }""")
    desk.colorize(photo)
    result = desk.download(tmp_path)
    gaps = np.array(desk.page.evaluate("gaps"))
    assert np.percentile(gaps, 95) < 200  # ms; one that does the work itself stands still for seconds
    assert web_page.resident() < 1200e6
    agree(pixels(result), wanted(released, photo))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("notes.txt", b"no photograph", "not a photograph"),
        ("empty.jpg", b"", "is empty"),
        ("phone.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        ("scan.tif", b"II*\0\x08\0\0\0\0\0", "TIFF"),
        ("cut.jpg", ASTRONAUT.read_bytes()[:200], "not a photograph"),
    ],
)
def test_bad_files(desk: web_page.Visit, tmp_path: Path, name: str, content: bytes, said: str) -> None:
    """A file that is no photograph gets one clear line, and the page goes on."""
    path = tmp_path / name
    path.write_bytes(content)
    desk.choose(path)
    alert = desk.page.get_by_role("alert")
    alert.wait_for()
    assert said in alert.inner_text()
    assert name in alert.inner_text()
    desk.colorize(ASTRONAUT)
    assert alert.is_hidden()


def test_damage_inside(desk: web_page.Visit, tmp_path: Path) -> None:
    """A file that only decoding finds damaged is refused in a line too."""
    path = tmp_path / "damaged.png"
    content = bytearray(web_page.save_photo(picture(7), tmp_path / "whole.png").read_bytes())
    content[60:200] = bytes(140)
    path.write_bytes(content)
    desk.choose(path)
    alert = desk.page.get_by_role("alert")
    alert.wait_for()
    assert "damaged" in alert.inner_text()
    desk.wait("welcome")


def test_16_bits(desk: web_page.Visit, tmp_path: Path) -> None:
    """That a browser reads 8 of 16 bits is said."""
    deep = np.linspace(0, 65535, 90 * 90).astype(np.uint16).reshape(90, 90)
    photo = web_page.save_photo(Image.fromarray(deep), tmp_path / "deep.png")
    desk.colorize(photo)
    assert "16 bits" in desk.page.inner_text("#notes")


def test_too_large(desk: web_page.Visit, tmp_path: Path) -> None:
    """More than fits is refused by its size, before it is decoded."""
    path = web_page.save_photo(Image.new("1", (12000, 10000)), tmp_path / "poster.png")
    desk.choose(path)
    alert = desk.page.get_by_role("alert")
    alert.wait_for()
    assert "120 megapixels" in alert.inner_text()


def test_divider_by_keys_and_pointer(desk: web_page.Visit) -> None:
    """The divider follows arrow keys, Home and End, and a pointer anywhere on the picture."""
    desk.colorize(ASTRONAUT)
    divider = desk.page.get_by_label("Divider between before and after")
    divider.focus()
    start = desk.divider()
    divider.press("ArrowLeft")
    assert desk.divider() == start - 1
    divider.press("Home")
    assert desk.divider() == 0
    assert divider.get_attribute("aria-valuetext") == "100 % in color"
    box = desk.page.locator("#stage").bounding_box()
    assert box
    desk.page.mouse.move(box["x"] + 10, box["y"] + 10)
    desk.page.mouse.down()
    desk.page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 40, steps=5)
    desk.page.mouse.up()
    assert abs(desk.divider() - 70) < 0.5
    desk.page.mouse.move(box["x"] + 10, box["y"] + 10)
    assert abs(desk.divider() - 70) < 0.5


def test_before_is_grey_and_after_is_not(desk: web_page.Visit) -> None:
    """Left of the divider the picture is grey, right of it it is in color."""
    desk.colorize(COFFEE)
    script = """() => [before, after].map((canvas) => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return data.reduce((most, value, place) => {
            const first = data[place - (place % 4)];
            return place % 4 === 3 ? most : Math.max(most, Math.abs(value - first));
        }, 0);
    })"""
    grey, color = desk.page.evaluate(script)
    assert grey <= 1
    assert color > 20


def test_phone(visits: Callable[..., web_page.Visit], tmp_path: Path) -> None:
    """On a phone nothing is wider than the screen, what is touched is large, a finger moves the divider."""
    visit = visits(**PHONE)
    script = "() => document.documentElement.scrollWidth <= innerWidth"
    assert visit.page.evaluate(script)
    visit.page.locator("#samples button").first.tap()
    visit.wait("done")
    visit.page.wait_for_timeout(1500)
    assert visit.page.evaluate(script)
    assert "Photograph by" in visit.page.inner_text("#credit")
    for touched in visit.page.locator("#darkroom :is(button, .formats span, #vividness):visible").all():
        box = touched.bounding_box()
        assert box
        assert box["height"] >= 44
    stage = visit.page.locator("#stage").bounding_box()
    assert stage
    assert stage["y"] + stage["height"] < 667  # the result is on the first screen
    visit.page.touchscreen.tap(stage["x"] + stage["width"] * 0.2, stage["y"] + 30)
    assert abs(visit.divider() - 20) < 1
    assert visit.download(tmp_path, "jpeg").stat().st_size > 1000


def test_calm(visits: Callable[..., web_page.Visit]) -> None:
    """Whoever asks for less motion gets the result at once, without a sweep."""
    visit = visits(reduced_motion="reduce")
    visit.colorize(ASTRONAUT)
    assert visit.divider() == 50


def test_stop(desk: web_page.Visit, tmp_path: Path) -> None:
    """Saving can be given up; afterwards it can be begun anew."""
    photo = web_page.save_photo(picture(8, 2500), tmp_path / "photo.png")
    desk.colorize(photo)
    desk.page.click("#save")
    desk.page.click("#stop")
    assert "nothing was saved" in desk.page.locator("#status").inner_text()
    with Image.open(desk.download(tmp_path)) as image:
        assert image.size == (2500, 2500)


def test_the_newest_wins(desk: web_page.Visit, tmp_path: Path) -> None:
    """A photograph brought while another is worked at takes its place."""
    first = web_page.save_photo(picture(9, 2500), tmp_path / "first.png")
    desk.choose(first)
    desk.wait("working")
    desk.drop(ASTRONAUT)
    desk.colored(ASTRONAUT)
    desk.page.wait_for_timeout(500)
    assert desk.page.inner_text("#name") == "astronaut.jpg"
    assert desk.download(tmp_path).name == "astronaut_color.png"


def test_nothing_can_leave(visit: web_page.Visit, built: Path) -> None:
    """The browser itself refuses the page, and its worker, every other server."""
    page = visit.page
    with web_page.served(built) as other:
        script = """async (other) => {
            const tried = (fetched) => fetched.then(() => "let through", () => "refused");
            const { startWorker } = await import("./painter.js");
            const probe = startWorker("data:text/javascript," + encodeURIComponent(
                `fetch("${other}").then(() => postMessage("let through"), () => postMessage("refused"));`));
            const heard = new Promise((resolve) => {
                probe.onmessage = ({ data }) => resolve(data);
                probe.onerror = () => resolve("refused");
            });
            return [await tried(fetch(other, { mode: "no-cors" })), await heard];
        }"""
        assert page.evaluate(script, other) == ["refused", "refused"]
    assert any("Content Security Policy" in words for words in visit.complaints)
    visit.complaints.clear()
    visit.requests = [url for url in visit.requests if not url.startswith(other)]


def test_offline(
    visits: Callable[..., web_page.Visit], released: Colorizer, tmp_path: Path, built: Path
) -> None:
    """After one visit the page works without any server."""
    with web_page.served(built) as url:
        visit = visits(url)
        visit.page.get_by_text("works offline now").wait_for()
    visit.page.reload()
    visit.colorize(ASTRONAUT)
    agree(pixels(visit.download(tmp_path)), wanted(released, ASTRONAUT))


def test_threads(
    visits: Callable[..., web_page.Visit], built: Path, released: Colorizer, tmp_path: Path
) -> None:
    """With the headers of serve.py the network may use several threads, to the same end."""
    with web_page.served(built, serve.HEADERS) as url:
        visit = visits(url)
        assert visit.page.evaluate("crossOriginIsolated")
        visit.colorize(ASTRONAUT)
        agree(pixels(visit.download(tmp_path)), wanted(released, ASTRONAUT))


def test_a_lost_model(visits: Callable[..., web_page.Visit]) -> None:
    """A model that does not arrive gets a line; the next photograph tries again."""
    visit = visits(service_workers="block")
    visit.page.route("**/*.onnx", lambda route: route.abort())
    visit.page.reload()
    visit.choose(ASTRONAUT)
    alert = visit.page.get_by_role("alert")
    alert.wait_for()
    assert "could not be loaded" in alert.inner_text()
    visit.page.unroute("**/*.onnx")
    visit.colorize(ASTRONAUT)
    visit.complaints.clear()  # of what was aborted
