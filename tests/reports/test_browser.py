"""The dashboard in Chromium: every page, its address, exact pixels, the keyboard, accessibility."""

from __future__ import annotations

import io
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import needs_chromium
from dashboard import PAGES, close, go_to, is_too_wide, server, settle, visiting, watched
from PIL import Image

from codecarena.bench.run.redecode import pictures
from codecarena.bench.store.store import Store
from codecarena.reports.server.server import DARK, LIGHT, ServeError, check_address

NARROW = 400
BACKGROUNDS = {"dark": DARK["backgroundColor"], "light": LIGHT["backgroundColor"]}


@pytest.fixture(scope="module")
def served(seeded_store: Path) -> Iterator[str]:
    with server(seeded_store) as url:
        yield url


@pytest.fixture(scope="module")
def visit(chromium: Any) -> Iterator[Any]:
    with visiting(chromium) as context:
        yield context


@pytest.fixture
def open_page(visit: Any, served: str) -> Iterator[Callable[..., Any]]:
    """Return a function that opens a page and waits until it is drawn; no page may complain."""
    troubles: list[str] = []

    def open_one(path: str, width: int = 1440, scheme: Any = "light") -> Any:
        page = watched(visit, served, troubles, width)
        page.emulate_media(color_scheme=scheme)
        page.goto(f"{served}/{path}")
        settle(page)
        return page

    yield open_one
    close(visit)
    assert troubles == []


pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def walked(chromium: Any, served: str) -> Iterator[tuple[Any, list[str]]]:
    """Return a narrow page that goes from one page to the next, and what it complains of."""
    troubles: list[str] = []
    with visiting(chromium) as context:
        page = watched(context, served, troubles, NARROW)
        page.emulate_media(color_scheme="dark")
        page.goto(served)
        settle(page)
        yield page, troubles


@pytest.mark.slow("the first starts the server and the browser; axe reads every element of a page twice")
@needs_chromium
@pytest.mark.parametrize("path", PAGES)
def test_every_page_fits_and_has_no_serious_finding_of_axe(path: str, walked: tuple[Any, list[str]]) -> None:
    page, troubles = walked
    page.set_viewport_size({"width": NARROW, "height": 1000})
    page.emulate_media(color_scheme="dark")
    go_to(page, path)
    assert not is_too_wide(page)
    page.set_viewport_size({"width": 1440, "height": 1000})
    assert serious_findings(page, BACKGROUNDS["dark"]) == {}
    page.emulate_media(color_scheme="light")
    assert serious_findings(page, BACKGROUNDS["light"]) == {}
    assert not is_too_wide(page)
    assert troubles == []


def serious_findings(page: Any, background: str) -> dict[str, list[tuple[list[str], str]]]:
    """Return what axe calls serious, by rule, once the page is drawn on its background in #rrggbb."""
    from axe_playwright_python.sync_playwright import Axe

    red, green, blue = bytes.fromhex(background.removeprefix("#"))
    page.wait_for_function(
        "wanted => getComputedStyle(document.querySelector('.stApp')).backgroundColor === wanted",
        arg=f"rgb({red}, {green}, {blue})",
    )
    page.wait_for_timeout(500)
    settle(page)
    # What is drawn again is faded meanwhile, which is no contrast to judge.
    page.wait_for_function("document.getAnimations().every(one => one.playState === 'finished')")
    return {
        violation["id"]: [
            (node["target"], node.get("failureSummary", "")[:300]) for node in violation["nodes"]
        ]
        for violation in Axe().run(page).response["violations"]
        if violation["impact"] in ("serious", "critical")
    }


def first_column(page: Any) -> list[str]:
    return page.locator("tbody").first.locator("th").all_inner_texts()


def entries(page: Any) -> int:
    return page.evaluate("history.length")


@needs_chromium
def test_filters_change_the_table_and_a_link_shares_it(open_page: Callable[..., Any]) -> None:
    page = open_page("leaderboard?metric=ms-ssim&view=bd-rate&anchor=none")
    page.get_by_role("heading", name="BD-rate against jpeg by MS-SSIM").wait_for()
    # What the link does not say, or says wrongly, completes the entry that is there.
    page.get_by_text("Anchor: the link asks for “none”, which is not here; shown is jpeg.").wait_for()
    page.wait_for_url("**/?*anchor=jpeg*set=photos*")
    opened = entries(page)
    page.wait_for_function("document.title.startsWith('Leaderboard · photos · arena')")
    page.get_by_role("rowheader", name="webp").first.wait_for()
    page.get_by_label("Compare codecs by").click()
    page.get_by_role("option", name="At a rate").click()
    page.get_by_role("heading", name="bits per pixel").wait_for()
    page.wait_for_url("**view=rate*")
    assert entries(page) == opened + 1
    # The order on the page, in the heading's mark and in the address are those of the click just made.
    orders = []
    for sort, mark in (("0", "ascending"), ("-0", "descending"), ("0", "ascending")):
        page.get_by_role("button", name=re.compile("^Codec")).click()
        orders.append(first_column(page))
        assert page.locator(f"th[aria-sort={mark}]").all_inner_texts() == ["Codec"]
        page.wait_for_url(re.compile(rf"board-sort={sort}(&|$)"))
        settle(page)
        assert first_column(page) == orders[-1]
    # What the others are compared with stays above them.
    assert orders == [["jpeg", "png", "webp"], ["jpeg", "webp", "png"], ["jpeg", "png", "webp"]]
    assert entries(page) == opened + 4
    shared = open_page(page.url.split("/", 3)[3], 400)
    shared.get_by_role("heading", name="bits per pixel").wait_for()
    shared.locator("[aria-sort=ascending]").wait_for()
    assert first_column(shared) == orders[0]
    # Back in the browser is back on the page, one change at a time.
    page.go_back()
    page.locator("[aria-sort=descending]").wait_for()
    assert first_column(page) == orders[1]
    for _ in range(3):
        page.go_back()
    page.get_by_role("heading", name="BD-rate against jpeg by MS-SSIM").wait_for()
    assert (page.locator("[aria-sort]").count(), entries(page)) == (0, opened + 4)


@needs_chromium
def test_ranges_are_sorted_by_number(open_page: Callable[..., Any]) -> None:
    page = open_page("?metric=psnr&view=bd-rate")
    page.get_by_role("button", name="Shared range").click()
    titles = page.locator("thead th").all_inner_texts()
    place = next(place for place, title in enumerate(titles) if title.startswith("Shared range"))
    cells = page.locator(f"tbody tr:not(.pinned) td:nth-child({place + 1})")
    page.wait_for_url(re.compile(rf"board-sort={place}(&|$)"))
    ranges = cells.all_inner_texts()
    lows = [float(text.split("…")[0]) for text in ranges if "…" in text]
    assert lows == sorted(lows)
    # Codecs without one stay below, whichever way.
    assert ranges[-1] == "–"
    page.get_by_role("button", name="Shared range").click()
    page.wait_for_url(re.compile(rf"board-sort=-{place}(&|$)"))
    assert cells.all_inner_texts()[-1] == "–"


@needs_chromium
def test_the_table_is_copied_as_it_is_shown_and_a_hidden_codec_stays_hidden(
    open_page: Callable[..., Any],
) -> None:
    page = open_page("?metric=psnr&view=rate&bpp=1&anchor=jpeg&board-sort=-0")
    page.locator("[aria-sort=descending]").wait_for()
    page.get_by_role("button", name="Filter codecs").click()
    page.get_by_role("combobox", name="Hide").click()
    page.get_by_role("option", name="png").click()
    page.wait_for_url("**hide=png*")
    page.keyboard.press("Escape")
    page.get_by_text("Left out on every page, and of means and tests: png.").wait_for()
    settle(page)
    assert first_column(page) == ["jpeg", "webp"]
    page.get_by_role("button", name="Copy or cite").click()
    page.get_by_role("tab", name="CSV").click()
    assert serious_findings(page, BACKGROUNDS["light"]) == {}
    copied = page.get_by_role("tabpanel").locator("code").inner_text().splitlines()
    assert [line.split(",")[0] for line in copied] == ["Codec", "jpeg", "webp"]
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Look").click()
    page.wait_for_url("**/look?*hide=png*")


@needs_chromium
def test_a_small_picture_opens_it(open_page: Callable[..., Any]) -> None:
    page = open_page("?metric=psnr&view=pair&anchor=jpeg&codec=webp")
    picture = page.locator("tbody th img").first
    page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=picture.element_handle())
    name = page.locator("tbody th:has(img)").first.inner_text()
    picture.click()
    page.wait_for_url(f"**/look?*codec=jpeg*codec=webp*picture={name}*")
    ready(page)


@needs_chromium
def test_leaving_a_page_takes_one_step_back(open_page: Callable[..., Any]) -> None:
    page = open_page("runs")
    page.wait_for_url("**/runs?run=*")
    before = entries(page)
    for path, words in (("rates", "axis=log"), ("speed", "set=photos"), ("look", "match=bpp")):
        go_to(page, path)
        page.wait_for_url(f"**/{path}?*{words}*")
    assert entries(page) == before + 3
    for path in ("speed", "rates", "runs"):
        page.go_back()
        page.wait_for_url(f"**/{path}?*")
        settle(page)
    page.get_by_role("heading", level=1, name="Runs", exact=True).wait_for()


@needs_chromium
def test_a_choice_goes_along_to_the_next_page(open_page: Callable[..., Any]) -> None:
    page = open_page("?metric=psnr")
    page.get_by_role("link", name="Rate-distortion").click()
    page.wait_for_url("**/rates?*metric=psnr*")
    page.locator("canvas, svg.marks").first.wait_for()


@needs_chromium
def test_a_click_on_a_point_opens_that_picture(open_page: Callable[..., Any], seeded_store: Path) -> None:
    name = next(cell.picture for cell in Store(str(seeded_store)).cells())
    page = open_page(f"rates?metric=psnr&picture={name}")
    point = page.locator("svg.marks path[aria-roledescription=point][aria-label*='webp']").nth(1)
    point.wait_for()
    label = point.get_attribute("aria-label") or ""
    point.click()
    page.wait_for_url("**/look?*")
    rate = float(re.findall(r"logarithmic\): ([\d.]+)", label)[0])
    assert all(query in page.url for query in (f"picture={name}", "codec=webp", f"bpp={rate:.4g}"))
    ready(page)
    setting = re.findall(r"setting: (\d+)", label)[0]
    assert f"setting {setting}" in page.locator(".caption").first.inner_text()


@needs_chromium
def test_look_shows_the_very_pixels(open_page: Callable[..., Any], seeded_store: Path) -> None:
    page = open_page("look?codec=jpeg&bpp=0.5&view=flip~1~0~0~1~0~50")
    ready(page)
    shown = screenshot(page)
    name = in_address(page, "picture")
    expected = decoded(seeded_store, name, 0.5)
    height, width = shown.shape[:2]
    np.testing.assert_array_equal(shown, expected[:height, :width])
    # Magnified, every pixel is a square of its own colour.
    for presses, zoom in ((3, 4), (4, 16)):
        press(page, *"+" * presses)
        page.wait_for_url(f"**view=flip~{zoom}~*")
        large = screenshot(page)
        np.testing.assert_array_equal(large, magnified(page, expected, large.shape))


@needs_chromium
def test_pictures_side_by_side_are_zoomed_and_moved_together(
    open_page: Callable[..., Any], seeded_store: Path
) -> None:
    page = open_page("look?codec=jpeg&bpp=0.5&view=side~1~0~0~0~1~50")
    ready(page)
    press(page, *"+" * 7, "Shift+ArrowRight", "ArrowDown")
    page.wait_for_url("**view=side~16~*")
    name = in_address(page, "picture")
    for index, which in enumerate(("original", "jpeg")):
        shown = screenshot(page, index)
        np.testing.assert_array_equal(
            shown, magnified(page, decoded(seeded_store, name, 0.5, which), shown.shape)
        )


@needs_chromium
def test_look_works_by_keyboard(open_page: Callable[..., Any]) -> None:
    page = open_page("look?codec=jpeg&bpp=0.5&view=flip~4~0~0~1~0~50")
    ready(page)
    of_codec = screenshot(page)
    press(page, " ")
    page.wait_for_url("**view=flip~4~0~0~0~1*")
    assert (screenshot(page) != of_codec).any()
    press(page, "ArrowRight", "ArrowDown")
    page.wait_for_url("**view=flip~4~8~8~0~1*")
    press(page, "2")
    page.wait_for_url("**view=flip~4~8~8~1~1*")


@needs_chromium
def test_a_map_is_drawn(open_page: Callable[..., Any], seeded_store: Path) -> None:
    page = open_page("look?codec=jpeg&bpp=0.5&map=difference&view=flip~1~0~0~2~0~50")
    ready(page)
    name = in_address(page, "picture")
    original, coded = (decoded(seeded_store, name, 0.5, which) for which in ("original", "jpeg"))
    expected = np.minimum(4 * np.abs(original.astype(int) - coded), 255)
    shown = screenshot(page)
    np.testing.assert_array_equal(shown, expected[: shown.shape[0], : shown.shape[1]])


def ready(page: Any) -> None:
    page.locator('.look[data-ready="true"]').wait_for()
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    assert not page.locator(".trouble").count()


def press(page: Any, *keys: str) -> None:
    """Press keys while the pictures have the focus."""
    page.locator(".stage").focus()
    for key in keys:
        page.keyboard.press(key)


def screenshot(page: Any, index: int = 0) -> np.ndarray:
    """Return what the screen shows of a canvas of the page Look."""
    canvas = page.locator(".stage canvas").nth(index)
    page.evaluate("document.activeElement.blur()")
    return np.asarray(Image.open(io.BytesIO(canvas.screenshot())).convert("RGB"))


def in_address(page: Any, key: str) -> str:
    """Return what a page's address says of a key, as it stands there."""
    return page.url.split(f"{key}=")[1].split("&")[0]


def magnified(page: Any, pixels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the part of a picture that the address names, as large as it says, to fill a canvas."""
    zoom, left, top = map(int, in_address(page, "view").split("~")[1:4])
    height, width = shape[:2]
    part = pixels[top : top - -height // zoom, left : left - -width // zoom]
    return part.repeat(zoom, 0).repeat(zoom, 1)[:height, :width]


def decoded(folder: Path, picture: str, rate: float, which: str = "jpeg") -> np.ndarray:
    """Return the pixels of a codec's setting nearest a rate, as the bench remakes them."""
    store = Store(str(folder))
    cells = [cell for cell in store.cells() if cell.picture == picture and cell.codec == "jpeg"]
    cell = min(cells, key=lambda cell: abs(np.log(cell.bits_per_pixel / rate)))
    remade = pictures(store, [cell.picture_sha256], [cell])
    store.close()
    return remade.pixels[cell.picture_sha256 if which == "original" else cell.decoded_sha256]


def test_a_taken_port_is_refused_with_another_to_try() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServeError, match=f"try --port {port + 1}"):
            check_address("127.0.0.1", port)
