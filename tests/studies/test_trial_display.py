"""What stands on the screen is what was coded, pixel for pixel, whatever the scaling of the display."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scripted_rater_service
from browsing import CHROMIUM, PATIENCE_MS, QUIET, free_port, needs_chromium, running
from PIL import Image
from rating import await_trial
from scripted_rater_service import SCENES, Pixels, Scene

from codecarena.datasets.pixels import pixels_sha256

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser-studies"),
    needs_chromium,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
EVERY_RATIO = (1, 1.25, 1.5, 1.75, 2, 3)
RATIOS = [1.1, 2.625, *(pytest.param(ratio, marks=pytest.mark.long) for ratio in EVERY_RATIO)]


@pytest.fixture(scope="module")
def scripted() -> Iterator[str]:
    port = free_port()
    with running([Path(scripted_rater_service.__file__), str(port), "trials"], port):
        yield f"http://127.0.0.1:{port}/?invite=known"


def on_screen(page: Any) -> list[tuple[str, Pixels]]:
    """Return what each visible panel is said to show, and the pixels of the screen from its corner on."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    ratio = page.evaluate("devicePixelRatio")
    panels = page.locator("canvas.picture").evaluate_all(
        "all => all.filter(one => one.style.visibility === 'visible')"
        ".map(one => ({ role: one.dataset.role, ...one.getBoundingClientRect().toJSON() }))"
    )
    screen = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
    return [
        (panel["role"], screen[round(panel["top"] * ratio) :, round(panel["left"] * ratio) :])
        for panel in panels
    ]


def differing(screen: Pixels, picture: Pixels, zoom: int) -> int:
    """Return how many pixels of the screen are not those of the picture, magnified by repetition."""
    wanted = picture.repeat(zoom, 0).repeat(zoom, 1)
    return int((screen[: wanted.shape[0], : wanted.shape[1]] != wanted).any(-1).sum())


def check_view(page: Any, scene: Scene, roles: list[str]) -> None:
    """Every panel shows the picture it should, and no pixel of it differs."""
    shown = on_screen(page)
    assert [role for role, _ in shown] == roles
    pictures = scene.pictures()
    assert [differing(screen, pictures[role], scene.zoom) for role, screen in shown] == [0] * len(roles)


VIEWS = {
    "flip": ["first"],
    "side-by-side": ["first", "reference", "second"],
    "triplet": ["first", "reference", "second"],
    "no-reference": ["first", "second"],
}


def check_magnified(page: Any, scene: Scene) -> None:
    """All panels are magnified and moved alike, by whole pixels; then as before."""
    for key in ("+", "Shift+ArrowRight", "Shift+ArrowDown"):
        page.keyboard.press(key)
    step, height, width = 16, scene.height, scene.width
    for role, screen in on_screen(page):
        wanted = scene.pictures()[role][step:, step:].repeat(2, 0).repeat(2, 1)[:height, :width]
        assert (screen[:height, :width] == wanted).all()
    page.keyboard.press("-")


def see(page: Any, number: int, scene: Scene) -> None:
    """Look at a whole trial as a rater does, and answer it."""
    await_trial(page, number, len(SCENES))
    if scene.presentation in VIEWS:  # flicker does not wait for a screenshot
        check_view(page, scene, VIEWS[scene.presentation])
    if scene.presentation == "side-by-side":
        check_magnified(page, scene)
        check_view(page, scene, VIEWS[scene.presentation])
    if scene.presentation == "flip":
        page.keyboard.press("ArrowUp")
        check_view(page, scene, ["second"])
    if scene.presentation != "no-reference":
        page.keyboard.down(" ")
        panels = 1 if scene.presentation == "flip" else 2 if scene.presentation == "flicker" else 3
        check_view(page, scene, ["reference"] * panels)
        page.keyboard.up(" ")
    page.keyboard.press("ArrowRight")


@pytest.mark.slow(
    "a browser of its own for each scale answers every scene, read pixel by pixel from the screen"
)
@pytest.mark.parametrize("ratio", RATIOS)
def test_no_pixel_of_the_screen_differs(playwright: Any, scripted: str, ratio: float) -> None:
    votes = []
    # The scale of the real window: Playwright emulates it by resampling. The size is none at which the
    # lattice jumps, because taking a screenshot changes it for a moment by a part of a pixel.
    flags = [*QUIET, f"--force-device-scale-factor={ratio}", "--window-size=912,768"]
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
    page = browser.new_context(no_viewport=True).new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.on("request", lambda request: votes.append(request) if request.url.endswith("/vote") else None)
    page.goto(scripted)
    page.get_by_role("button", name="Begin").click()
    assert page.evaluate("devicePixelRatio") == pytest.approx(ratio)
    for number, scene in enumerate(SCENES, 1):
        see(page, number, scene)
    page.get_by_role("heading", name="Thank you").wait_for()
    browser.close()
    assert len(votes) == len(SCENES)
    for scene, vote in zip(SCENES, [vote.post_data_json for vote in votes], strict=True):
        assert vote["checksums"] == {slot: pixels_sha256(pixels) for slot, pixels in scene.pictures().items()}
        assert vote["display"]["device_pixel_ratio"] == pytest.approx(ratio)
