"""Draw the organiser's pages as they are, on the store that `codecarena demo` filled.

Run from the repository root:  .venv/bin/python docs/images/organiser_pages.py --store arena
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from pathlib import Path
from typing import Any

from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "support"))

from browsing import CHROMIUM, QUIET, free_port, running
from study_pages import save, sheet

from codecarena.reports.server import sign_in

PASSWORD = "drawn for the manual"
TASKS = ("Watch", "Plan", "Simulate", "Results", "Export")
TALLEST = 1900


def shots_of(page: Any, address: str) -> list[Image.Image]:
    """Return the sign-in and every task of the page Studies; `page` is Playwright's."""
    page.set_default_timeout(180_000)
    width = page.viewport_size["width"]
    page.goto(f"{address}/studies")
    page.get_by_label("Organiser's password").wait_for()
    shots = [_shot(page)]
    page.get_by_label("Organiser's password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for()
    for task in TASKS:
        page.get_by_text(task, exact=True).first.click()
        page.wait_for_url(f"**do={task}*")
        if task == "Simulate":
            page.get_by_role("button", name="Simulate").last.click()
            page.get_by_text("Power, hardest pair").wait_for()
        if task == "Results":
            page.get_by_text("Report as JSON").wait_for()
        page.wait_for_timeout(4000)
        height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        page.set_viewport_size({"width": width, "height": min(height, TALLEST)})
        page.wait_for_timeout(1500)
        shots.append(_shot(page))
        page.set_viewport_size({"width": width, "height": 800})
    return shots


def _shot(page: Any) -> Image.Image:
    page.mouse.move(1, 1)
    return Image.open(io.BytesIO(page.screenshot(scale="css", animations="disabled"))).convert("RGB")


def main() -> None:
    """Draw both sheets."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--store", type=Path, default=Path("arena"), help="as `codecarena demo` left it")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder of the sheets")
    given = parser.parse_args()
    from playwright.sync_api import sync_playwright

    port = free_port()
    os.environ[sign_in.VARIABLE] = sign_in.hash_password(PASSWORD)
    serve = ["-m", "codecarena", "serve", "--store", given.store, "--port", str(port)]
    address = f"http://127.0.0.1:{port}"
    with sync_playwright() as playwright, running(serve, port):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        desk = shots_of(browser.new_page(viewport={"width": 1280, "height": 800}), address)
        phone = shots_of(
            browser.new_page(viewport={"width": 400, "height": 800}, device_scale_factor=3), address
        )
        browser.close()
    save(sheet(desk, 640, 3, 1280), given.out / "organiser-pages.png")
    save(sheet(phone, 300, 6, 400), given.out / "organiser-pages-phone.png")


if __name__ == "__main__":
    main()
