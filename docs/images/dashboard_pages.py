"""Draw the dashboard's pages as they are, on the store that `codecarena demo` filled.

Run from the repository root:  .venv/bin/python docs/images/dashboard_pages.py --store arena

Each page wide and light in a file of its own; all of them dark on a tablet, and on a phone, on a sheet each.
"""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path
from typing import Any

from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "support"))

from browsing import CHROMIUM, QUIET
from dashboard import server, settle
from study_pages import sheet

PAGES = {
    "leaderboard": "",
    "rates": "rates?set=photos",
    # A photograph that anybody may show.
    "look": "look?set=photos&picture=chelsea.png&codec=jpeg&codec=avif&bpp=0.2&view=side~1~0~0~0~1~50",
    "speed": "speed?set=photos",
    "natural": "natural",
    "people": "people",
    "runs": "runs",
}
FINISHED = dict.fromkeys(("rates", "speed", "natural", "people"), "svg.marks") | {
    "look": '.look[data-ready="true"]'
}
"""What is on a page when it is drawn."""
WIDE, TABLET, PHONE = 1440, 1024, 400
TALLEST = 1000, 1600, 2000
"""Of a picture of a page, at each of the widths."""
WAIT = 180_000
"""Milliseconds until intervals are computed and pictures are decoded."""


def shots_of(browser: Any, url: str, width: int, tallest: int, scheme: Any) -> dict[str, Image.Image]:
    """Return every page, finished, at one width; `browser` is Playwright's."""
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.set_default_timeout(WAIT)
    shots: dict[str, Image.Image] = {}
    for name, path in PAGES.items():
        page.goto(f"{url}/{path}")
        page.wait_for_timeout(3000)
        page.get_by_text("appears by itself").wait_for(state="detached")
        if name in FINISHED:
            page.locator(FINISHED[name]).first.wait_for()
        settle(page)
        height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        page.set_viewport_size({"width": width, "height": min(height, tallest)})
        page.mouse.move(1, 1)
        page.wait_for_timeout(1500)
        shots[name] = Image.open(io.BytesIO(page.screenshot(scale="css", animations="disabled")))
        page.set_viewport_size({"width": width, "height": 800})
    page.close()
    return {name: picture.convert("RGB") for name, picture in shots.items()}


def save(picture: Image.Image, path: Path) -> None:
    """Write a picture with all its colours: they are what a codec is known by."""
    picture.save(path, optimize=True)
    print(f"{path}: {picture.width} x {picture.height}, {path.stat().st_size // 1000} kB")


def main() -> None:
    """Draw all pages."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--store", type=Path, default=Path("arena"), help="as `codecarena demo` left it")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder of the pictures")
    given = parser.parse_args()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, server(given.store) as url:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        wide, tablet, phone = (
            shots_of(browser, url, width, tallest, scheme)
            for width, tallest, scheme in zip(
                (WIDE, TABLET, PHONE), TALLEST, ("light", "dark", "light"), strict=True
            )
        )
        browser.close()
    for name, picture in wide.items():
        save(picture, given.out / f"dashboard-{name}.png")
    save(sheet(list(tablet.values()), 520, 3, TABLET), given.out / "dashboard-dark.png")
    save(sheet(list(phone.values()), 260, 7, PHONE), given.out / "dashboard-phone.png")


if __name__ == "__main__":
    main()
