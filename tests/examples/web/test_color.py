"""The page's arithmetic of colors, run in Chromium, against the runtime's."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from tintype.colorizer import prepare
from tintype.lab import lightness_ab_to_rgb, rgb_to_lab, rgb_to_lightness
from tintype.merge import Merger, fit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray
    from playwright.sync_api import Browser

pytestmark = pytest.mark.web


@pytest.fixture(scope="module")
def run(browser: Browser, address: str) -> Iterator[Callable[..., Any]]:
    """Return what runs a script with the page's modules; arrays of uint8 and float32 arrive as such."""
    page = browser.new_page()
    page.goto(address)

    def call(script: str, **given: Any) -> Any:
        return page.evaluate(
            f"""async (given) => {{
                const [lab, merge, resample] = await Promise.all(
                    ["lab", "merge", "resample"].map((name) => import(`./worker/${{name}}.js`)));
                const modules = {{ lab, merge, resample }};
                for (const [name, {{ text, type }}] of Object.entries(given)) {{
                    if (!text) continue;
                    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
                    given[name] = new globalThis[type](bytes.buffer);
                }}
                return ({script})({{ ...modules, ...given }});
            }}""",
            {
                name: _packed(value) if isinstance(value, np.ndarray) else value
                for name, value in given.items()
            },
        )

    yield call
    page.close()


def _packed(array: NDArray[Any]) -> dict[str, str]:
    types = {"uint8": "Uint8ClampedArray", "float32": "Float32Array"}
    return {"text": b64encode(array.tobytes()).decode(), "type": types[array.dtype.name]}


def colors(count: int = 4000) -> NDArray[np.uint8]:
    """Return all greys and random colors, (n, 3)."""
    greys = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    return np.concatenate([greys, np.random.default_rng(0).integers(0, 256, (count, 3), np.uint8)])


def test_lightness(run: Callable[..., Any]) -> None:
    """L* and chroma of greys and colors are the runtime's."""
    rgb = colors()
    script = """({ lab, rgb }) => Array.from({ length: rgb.length / 3 }, (_, at) => {
        const color = rgb.subarray(at * 3, at * 3 + 3);
        return [lab.lightness(...color), lab.chroma(...color)];
    })"""
    found = np.array(run(script, rgb=rgb))
    known = rgb_to_lab(rgb)
    assert np.abs(found[:, 0] - rgb_to_lightness(rgb)).max() < 1e-3
    assert np.abs(found[:, 1] - np.hypot(known[:, 1], known[:, 2])).max() < 2e-3


def test_colors_within_and_outside_of_the_gamut(run: Callable[..., Any]) -> None:
    """Lab becomes the runtime's sRGB, where it fits and where chroma has to be cut, to a level or two."""
    generator = np.random.default_rng(1)
    light = generator.uniform(0, 100, 6000).astype(np.float32)
    light[:4] = 0, 100, 1e-4, 99.9999
    a, b = generator.uniform(-110, 110, (2, 6000)).astype(np.float32)
    script = """({ lab, light, a, b }) => {
        const pixels = new Uint8ClampedArray(light.length * 4);
        light.forEach((value, at) => lab.write(pixels, at * 4, value, a[at], b[at]));
        return Array.from(pixels);
    }"""
    found = np.array(run(script, light=light, a=a, b=b)).reshape(-1, 4)[:, :3]
    wrong = np.abs(found - lightness_ab_to_rgb(light, a, b, np.uint8).astype(int))
    assert (wrong > 2).any(axis=1).mean() < 0.002  # at the gamut's edge a dark level is seven codes
    assert wrong.max() <= 8
    assert wrong.mean() < 0.05


@pytest.mark.parametrize("size", [(800, 533), (3000, 40), (200, 100), (40, 30), (1, 7)])
def test_what_the_network_sees(run: Callable[..., Any], size: tuple[int, int]) -> None:
    """A photograph of any size is stretched as Pillow does it, whatever rows it comes in."""
    small = np.random.default_rng(2).integers(0, 256, (9, 13, 3), np.uint8)
    photo = Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
    script = """({ lab, resample, width, height, rgb, side }) => {
        const reducer = new resample.Reducer(width, height, side);
        const rgba = new Uint8ClampedArray(width * height * 4);
        for (let at = 0; at < width * height; at += 1) rgba.set(rgb.subarray(at * 3, at * 3 + 3), at * 4);
        const strip = 7 * width * 4;
        for (let at = 0; at < rgba.length; at += strip) reducer.add(rgba.subarray(at, at + strip), width);
        const small = reducer.stretched(side);
        const light = (_, at) => lab.lightness(...small.subarray(at * 3, at * 3 + 3));
        return Array.from({ length: side * side }, light);
    }"""
    found = run(script, width=size[0], height=size[1], rgb=np.asarray(photo), side=96)
    wrong = np.abs(np.reshape(found, (96, 96)) - prepare(photo, 96)[0])
    assert wrong.max() < 0.8  # two levels
    assert wrong.mean() < 0.02


@pytest.mark.parametrize("size", [(300, 200), (33, 20), (1, 5)])
def test_merge(run: Callable[..., Any], size: tuple[int, int]) -> None:
    """What is fitted to the small picture colors rows as the runtime does, in any strips."""
    width, height = size
    generator = np.random.default_rng(3)
    light = generator.uniform(0, 100, (64, 64)).astype(np.float32)
    ab = generator.uniform(-40, 40, (2, 64, 64)).astype(np.float32)
    grey = generator.integers(0, 256, (height, width), np.uint8)
    script = """({ merge, width, height, light, ab, grey }) => {
        const planes = merge.fit(light, ab, 64);
        const merger = new merge.Merger(planes, 64, width, height);
        const rgba = new Uint8ClampedArray(grey.length * 4).fill(77);
        grey.forEach((value, at) => rgba.fill(value, at * 4, at * 4 + 3));
        const row = width * 4;
        for (let y = 0; y < height; y += 9) merger.paint(rgba.subarray(y * row, (y + 9) * row), y);
        return { planes: Array.from(planes), pixels: Array.from(rgba) };
    }"""
    found = run(script, width=width, height=height, light=light, ab=ab, grey=grey)
    planes = fit(light, ab)
    pixels = np.array(found["pixels"]).reshape(height, width, 4)
    wrong = np.abs(pixels[..., :3] - Merger(planes, width, height)(grey, 0).astype(int))
    assert np.abs(np.array(found["planes"]).reshape(planes.shape) - planes).max() < 1e-3
    assert (pixels[..., 3] == 77).all()
    assert wrong.max() <= 2
    assert wrong.mean() < 0.1
