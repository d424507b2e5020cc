"""Names that nobody should choose, in a browser: text on every page, in charts and in what is downloaded."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from browsing import needs_chromium
from dashboard import PAGES, TOO_WIDE, go_to, is_too_wide, server, settle, visiting, watched
from synthetic_store import fill

from codecarena.bench.store.imports import Published, save_published
from codecarena.bench.store.writer import StoreWriter

NASTY = (
    """<b onclick="alert(1)">'"&amp;<img src=x onerror=alert(2)>*[a](b)$x$ :rocket: \N{DUCK} """
    + 150 * "n"
    + " "
)
THEIRS = f"{NASTY} (published)"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    needs_chromium,
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("hostile") / "arena"
    fill(folder, pictures=6, codecs=4, settings=4, metrics=("psnr",), odd=True, before=NASTY,
         image_set=f"{NASTY}set")  # fmt: skip
    writer = StoreWriter(str(folder))
    points = [
        Published(f"{NASTY}set", NASTY, rate, {"psnr": 30 + 4 * rate}, None, None, None, NASTY)
        for rate in (0.25, 0.5, 1.0)
    ]
    save_published(writer, points)
    writer.close()
    with server(folder) as url:
        yield url


@pytest.fixture(scope="module")
def walked(chromium: Any, served: str) -> Iterator[tuple[Any, list[str]]]:
    """Return a page that goes from one page to the next, and what it complains of."""
    troubles: list[str] = []
    with visiting(chromium) as context:
        page = watched(context, served, troubles)
        page.goto(served)
        settle(page)
        yield page, troubles


@pytest.fixture
def page(walked: tuple[Any, list[str]]) -> Iterator[Any]:
    """Return a wide page; no name may have become a part of it."""
    page, troubles = walked
    page.set_viewport_size({"width": 1440, "height": 1000})
    yield page
    assert not page.locator("b[onclick], img[src=x]").count()
    # The made-up pictures have no files: the page Look says so, and the browser too.
    assert [trouble for trouble in troubles if "/look/" not in trouble] == []


@pytest.mark.parametrize("path", PAGES)
def test_names_are_text_on_every_page(path: str, page: Any) -> None:
    go_to(page, path)
    if path == "rates":  # a legend has what tells names apart: all of these begin alike
        page.locator("svg.marks text", has_text="codec1").first.wait_for()
    # Nothing of this store was timed or asked, and nobody has signed in.
    elif path not in ("speed", "people", "studies"):
        page.get_by_text("<b onclick").first.wait_for(state="attached")
    assert not is_too_wide(page)
    page.set_viewport_size({"width": 400, "height": 1000})
    page.wait_for_function(f"innerWidth === 400 && !({TOO_WIDE})")


def test_charts_and_downloads_hold_names_as_text(page: Any, served: str) -> None:
    page.goto(f"{served}/rates?{urlencode({'published': THEIRS})}")
    settle(page)
    page.locator("svg.marks text", has_text="<b onclick").first.wait_for()
    last = page.locator("svg.marks path[aria-roledescription=point][aria-label*='published']").last
    last.hover(force=True)
    tooltip = page.locator("#vg-tooltip-element").inner_text()
    assert "<b onclick" in tooltip
    assert not page.locator("b[onclick], img[src=x]").count()
    # Files have plain names and hold the whole ones.
    contents: dict[str, bytes] = {}
    for form in ("SVG", "PDF", "PNG", "CSV"):
        with page.expect_download() as waiting:
            page.get_by_role("button", name=form, exact=True).click()
        name = waiting.value.suggested_filename
        assert name.isascii()
        assert len(name) < 150
        assert name.endswith(f"psnr.{form.lower()}")
        contents[form] = Path(waiting.value.path()).read_bytes()
    assert contents["PDF"].startswith(b"%PDF")
    assert b"<b onclick" not in contents["SVG"]
    assert b"&lt;b onclick" in contents["SVG"]
    rows = list(csv.DictReader(io.StringIO(contents["CSV"].decode())))
    assert {THEIRS, f"{NASTY}codec1"} <= {row["codec"] for row in rows}
