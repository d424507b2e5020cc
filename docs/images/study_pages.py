"""Draw the rater's pages as they are: make a store and studies by the commands, walk sessions, save sheets.

Run from the repository root:  .venv/bin/python docs/images/study_pages.py [--out docs/images]

Only photographs that are shipped and in the public domain or CC0 are shown.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "support"))

from browsing import CHROMIUM, QUIET, free_port, running
from rating import KEYS, agree, await_trial

SUITE = """
name = "pages"
sets = ["photos"]
metrics = ["psnr"]
[[codecs]]
name = "jpeg"
qualities = [5, 12]
"""
PLAN = """
name = "{presentation}"
title = "Which picture is closer to the original?"
introduction = "You will see two versions of a picture and choose. It takes about five minutes."
contact = "study@lab.example"
[pictures]
sets = ["photos"]
names = ["coffee.png", "chelsea.png", "rocket.jpg", "astronaut.png"]
crop = {{ rule = "centre", width = 256, height = 256 }}
[[conditions]]
codec = "jpeg"
qualities = [5, 12]
[trials]
presentation = "{presentation}"
question = "{question}"
asks = "{asks}"
training = 1
golden = 0
identical = 0
repeats = 0.0
break_every = 3
[consent]
version = "1"
text = '''
We store your answers, response times and the size of your screen under a random name; no address, no IP.

You may stop at any time, and delete everything with the code you are shown.
'''
[raters]
card_calibration = {whole}
colour_plates = {whole}
{questions}
"""
QUESTIONS = """
[[raters.screening]]
key = "eyesight"
question = "Is your eyesight normal, with glasses or lenses if you wear them?"
answers = ["yes", "no"]
accepted = ["yes"]
[[raters.environment]]
key = "night_mode"
question = "Is a night mode or blue light filter on?"
answers = ["no", "yes", "I do not know"]
"""
PRESENTATIONS = {
    "flip": ("Which picture is closer to the original?", "better"),
    "side-by-side": ("Which picture is closer to the original?", "better"),
    "triplet": ("Which picture differs more from the middle one?", "worse"),
    "no-reference": ("Which picture looks more real?", "better"),
    "flicker": ("Which picture flickers more?", "worse"),
}
TOTAL = 5
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
# Three pixels of the screen for one of CSS, and fingers, as phones have.
PHONE: dict[str, Any] = {
    "viewport": {"width": 400, "height": 800},
    "device_scale_factor": 3,
    "is_mobile": True,
    "has_touch": True,
}
TILE, GAP, BEHIND = {"desk": 640, "phone": 270}, 14, (183, 188, 198)


def command(*words: str | Path) -> str:
    """Return what a command of ours prints; all run in this process, which has imported them once."""
    from typer.testing import CliRunner

    from codecarena.cli import app

    done = CliRunner().invoke(app, [str(word) for word in words])
    if done.exit_code:
        sys.exit(f"codecarena {' '.join(map(str, words))}: {done.output[-800:]} {done.exception!r}")
    return done.stdout


def open_studies(folder: Path, store: Path) -> dict[str, list[str]]:
    """Run the suite, plan and open a study of each presentation; return two invitations for each."""
    (folder / "pages.toml").write_text(SUITE)
    command("run", folder / "pages.toml", "--store", store, "-j", "1")
    invitations = {}
    for presentation, (question, asks) in PRESENTATIONS.items():
        whole = presentation == "flip"
        plan = PLAN.format(
            presentation=presentation, question=question, asks=asks, whole=str(whole).lower(),
            questions=QUESTIONS if whole else "",
        )  # fmt: skip
        (folder / "study.toml").write_text(plan)
        command("study", "plan", folder / "study.toml", "--store", store)
        command("study", "open", presentation, "--store", store)
        printed = command("study", "invite", presentation, "--count", "2", "--store", store, "--json")
        invitations[presentation] = [link.partition("?")[2] for link in json.loads(printed)]
    return invitations


class Walk:
    """One rater's visit, photographed."""

    def __init__(self, page: Any, address: str) -> None:  # Any: Playwright's
        self.page, self.shots = page, list[Image.Image]()
        page.goto(address)

    def shoot(self) -> None:
        """Keep the page as it is shown, at one pixel for each CSS pixel."""
        self.page.mouse.move(1, 1)
        png = self.page.screenshot(scale="css", animations="disabled")
        self.shots.append(Image.open(io.BytesIO(png)).convert("RGB"))

    def press(self, name: str) -> None:
        """Press a button."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def at(self, heading: str) -> None:
        """Wait for a page and keep it."""
        self.page.get_by_role("heading", name=heading).first.wait_for()
        self.shoot()

    def trial(self, number: int) -> None:
        """Wait until a trial takes answers."""
        await_trial(self.page, number, TOTAL)

    def answer(self, number: int) -> None:
        """Answer a trial by key."""
        self.trial(number)
        self.page.keyboard.press("ArrowUp")
        self.page.keyboard.press(KEYS[0])

    def begin(self) -> None:
        """Agree and go to the first trial of a study that asks little."""
        for box in self.page.get_by_role("checkbox").all():
            box.check()
        self.press("I agree and take part")
        self.page.get_by_role("heading", name="Your task").wait_for()


def whole_session(page: Any, address: str) -> list[Image.Image]:
    """Return every page of a session in the order in which a rater meets them."""
    walk = Walk(page, address)
    walk.at("Which picture")
    agree(page)
    walk.at("Before we begin")
    page.get_by_role("radio", name="yes").check()
    walk.press("Continue")
    walk.at("Your screen")
    walk.press("Continue")
    walk.at("How large is your screen?")
    walk.press("It matches")
    walk.at("Coloured dots, 1")
    for _ in range(3):
        walk.press("I see no number")
    walk.at("Your surroundings")
    page.get_by_role("radio", name="no", exact=True).check()
    walk.press("Continue")
    walk.at("Your task")
    walk.press("Begin")
    walk.answer(1)
    page.locator(".feedback").wait_for()
    walk.shoot()
    walk.answer(2)
    walk.trial(3)
    size = page.viewport_size
    page.set_viewport_size({"width": min(size["width"], 640), "height": 300})
    walk.at("The window is too small")
    page.set_viewport_size(size)
    walk.answer(3)
    walk.at("Time for a break")
    walk.press("Continue")
    for number in range(4, TOTAL + 1):
        walk.answer(number)
    walk.at("Thank you")
    walk.press("Withdraw and delete my answers")
    walk.at("Withdrawal")
    walk.press("Delete everything")
    walk.at("Everything is deleted")
    page.goto(address)
    walk.at("The study does not go on here")
    return walk.shots


def trials(page: Any, base: str, invitations: dict[str, list[str]], which: int) -> list[Image.Image]:
    """Return a trial of each presentation, with the original held where that is something else to see."""
    shots: list[Image.Image] = []
    for presentation in PRESENTATIONS:
        walk = Walk(page, f"{base}/?{invitations[presentation][which]}")
        if presentation == "flip":
            walk.page.get_by_role("button", name="I do not take part").wait_for()
            agree(page)
            page.get_by_role("radio", name="yes").check()
            walk.press("Continue")
            walk.press("Continue")
            walk.press("I have no card at hand")
            for _ in range(3):
                walk.press("I see no number")
            page.get_by_role("radio", name="no", exact=True).check()
            walk.press("Continue")
        else:
            page.get_by_role("button", name="I do not take part").wait_for()
            if presentation == "flicker":
                walk.shoot()
            walk.begin()
            if presentation == "flicker":
                page.emulate_media(reduced_motion="reduce")
                page.reload()
                walk.at("Nothing will flicker")
        walk.press("Begin")
        walk.trial(1)
        walk.shoot()
        if presentation == "flip":
            page.keyboard.down(" ")
            walk.shoot()
            page.keyboard.up(" ")
        shots += walk.shots
    page.emulate_media(reduced_motion="no-preference")
    return shots


def trimmed(shot: Image.Image, narrow: int) -> Image.Image:
    """Return a page of text without the empty space below it, and beside it down to a width."""
    ground = shot.getpixel((2, shot.height - 3))
    box = ImageChops.difference(shot, Image.new("RGB", shot.size, ground)).getbbox()
    if box is None or ground == (108, 108, 108):  # a trial: its grey belongs to it
        return shot
    left = max(0, (shot.width - narrow) // 2)
    return shot.crop((left, 0, shot.width - left, min(shot.height, box[3] + 28)))


def sheet(shots: Sequence[Image.Image], tile: int, columns: int, narrow: int) -> Image.Image:
    """Return pages beside each other, each new one where there is most room."""
    tiles = [trimmed(shot, narrow) for shot in shots]
    tiles = [
        picture.resize((tile, round(picture.height * tile / picture.width)), Image.Resampling.LANCZOS)
        for picture in tiles
    ]
    heights, places = [GAP] * columns, list[tuple[int, int]]()
    for picture in tiles:
        column = heights.index(min(heights))
        places.append((GAP + column * (tile + GAP), heights[column]))
        heights[column] += picture.height + GAP
    whole = Image.new("RGB", (GAP + columns * (tile + GAP), max(heights)), BEHIND)
    for picture, place in zip(tiles, places, strict=True):
        whole.paste(picture, place)
    return whole


def save(whole: Image.Image, path: Path) -> None:
    """Write a sheet as a small PNG of 128 colours."""
    whole.quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path}: {whole.width} x {whole.height}, {path.stat().st_size // 1000} kB")


def main() -> None:
    """Draw all sheets."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder of the sheets")
    out: Path = parser.parse_args().out
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder, port = Path(name), free_port()
        store = folder / "arena"
        invitations = open_studies(folder, store)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        serve = ["-m", "codecarena", "serve", "--raters", "--store", store, "--port", str(port)]
        base = f"http://127.0.0.1:{port}"
        with running(serve, port):
            shown = trials(browser.new_page(**DESK), base, invitations, 0)
            small = trials(browser.new_page(**PHONE), base, invitations, 1)
            pages = whole_session(browser.new_page(**DESK), f"{base}/?{fresh(store)}")
            narrow = whole_session(browser.new_page(**PHONE), f"{base}/?{fresh(store)}")
        browser.close()
    save(sheet(pages, TILE["desk"], 3, 760), out / "study-pages.png")
    save(sheet(shown, TILE["desk"], 3, 760), out / "study-trials.png")
    save(sheet([*narrow, *small], TILE["phone"], 6, 400), out / "study-pages-phone.png")


def fresh(store: Path) -> str:
    """Return the query of one more invitation to the study that asks everything."""
    [link] = json.loads(command("study", "invite", "flip", "--store", store, "--json"))
    return link.partition("?")[2]


if __name__ == "__main__":
    main()
