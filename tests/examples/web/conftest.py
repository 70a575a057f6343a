"""The page of examples/web, built and served once; a visit per test that must leave no complaint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import web_page
from benchmarks import chromium
from tintype import Colorizer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the page, built for this run; skip where what it takes is not here."""
    if lacking := web_page.missing():
        pytest.skip(lacking)
    return web_page.build(tmp_path_factory.mktemp("web") / "dist")


@pytest.fixture(scope="session")
def address(built: Path) -> Iterator[str]:
    """Return where the page is served, as `python -m http.server` does it."""
    with web_page.served(built) as url:
        yield url


@pytest.fixture(scope="session")
def browser(built: Path) -> Iterator[Browser]:
    """Return a Chromium."""
    with chromium.browsing() as started:
        yield started


@pytest.fixture
def visits(browser: Browser, address: str) -> Iterator[Callable[..., web_page.Visit]]:
    """Return what opens the page; at the end nobody else was asked for anything, and nothing complained."""
    opened: list[web_page.Visit] = []

    def visit(url: str = address, **options: Any) -> web_page.Visit:
        opened.append(web_page.Visit(browser.new_context(**options).new_page(), url))
        return opened[-1]

    yield visit
    for one in opened:
        one.check()
        one.page.context.close()


@pytest.fixture
def visit(visits: Callable[..., web_page.Visit]) -> web_page.Visit:
    """Return the page, opened anew."""
    return visits()


@pytest.fixture(scope="module")
def open_page(browser: Browser, address: str) -> Iterator[web_page.Visit]:
    """Return a page that many tests use one after the other, as a person does with many photographs."""
    context = browser.new_context(viewport={"width": 1280, "height": 860}, reduced_motion="reduce")
    yield web_page.Visit(context.new_page(), address)
    context.close()


@pytest.fixture
def desk(open_page: web_page.Visit) -> Iterator[web_page.Visit]:
    """Return the page that many tests use; after each nobody else was asked, and nothing complained."""
    yield open_page
    open_page.check()


@pytest.fixture(scope="session")
def released() -> Colorizer:
    """Return a colorizer with the default model: the one that the page has."""
    return Colorizer(threads=1)
