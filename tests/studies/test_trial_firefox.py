"""A whole session in Debian's Firefox, and its pixels."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import scripted_rater_service
from browsing import free_port, running
from firefox import FIREFOX, Firefox, firefox
from PIL import Image
from rating import ANSWERS, KEYS, SHOWN, stored_votes
from scripted_rater_service import SCENES
from studying import invite, open_study

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser-studies"),
    pytest.mark.skipif(FIREFOX is None, reason="firefox is not installed: apt install firefox-esr"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
TRIALS = """
training = 4
golden = 0
identical = 0
repeats = 0.0
break_every = 0
minimum_view_ms = 0
gap_ms = 0
"""
ROOT = "document.getElementById('study')?.shadowRoot"


def await_trial(window: Firefox, number: int, total: int) -> None:
    ready = f"shows && ready && counter.startsWith('{number} of {total}')"
    window.wait(f"(() => {{ {SHOWN} return {ready} }})()")


def begin(window: Firefox, address: str) -> None:
    window.open(address)
    primary = f"{ROOT}?.querySelector('button.primary')"
    window.wait(f"{primary}?.textContent.startsWith('I agree') || {primary}?.textContent === 'Begin'")
    if window.ask(f"Boolean({ROOT}.querySelector('input[type=checkbox]'))"):
        window.ask(f"{ROOT}.querySelectorAll('input[type=checkbox]').forEach(one => one.click())")
        window.ask(f"{primary}.click()")
    window.wait(f"{primary}?.textContent === 'Begin'")
    window.ask(f"{primary}.click()")


@pytest.mark.long
def test_a_session_of_forty_trials_by_keyboard(tmp_path: Path) -> None:
    store, total = tmp_path / "arena", 40
    open_study(store, conditions=4, pictures=6, size=64, trials=TRIALS)
    [invitation] = invite(store)
    port = free_port()
    command = ["-m", "codecarena", "serve", "--raters", "--store", store, "--port", str(port)]
    wanted = []
    with running(command, port), firefox(tmp_path / "profile") as window:
        begin(window, f"http://127.0.0.1:{port}/?invite={invitation}")
        for number in range(1, total + 1):
            await_trial(window, number, total)
            key = KEYS[number % len(KEYS)]
            window.press("ArrowUp")
            window.press(key)
            wanted.append(ANSWERS[key])
        window.wait(f"{ROOT}.querySelector('h1')?.textContent.startsWith('Thank you')")
    rows = stored_votes(store)
    assert [row[:2] for row in rows] == list(enumerate(wanted))
    assert {row[3] for row in rows} == {"proven"}


@pytest.mark.slow("Firefox starts with a profile of its own, and software draws its screen")
@pytest.mark.parametrize("ratio", [1, pytest.param(1.25, marks=pytest.mark.long)])
def test_no_pixel_of_the_screen_differs(tmp_path: Path, ratio: float) -> None:
    port = free_port()
    picture = SCENES[0].pictures()["first"]
    with (
        running([Path(scripted_rater_service.__file__), str(port), "trials"], port),
        firefox(tmp_path / "profile", ratio) as window,
    ):
        begin(window, f"http://127.0.0.1:{port}/?invite=known")
        await_trial(window, 1, len(SCENES))
        assert window.ask("devicePixelRatio") == pytest.approx(ratio)
        box = f"{ROOT}.querySelector('canvas[data-role=first]').getBoundingClientRect()"
        top, left = (round(window.ask(f"{box}.{side}") * ratio) for side in ("top", "left"))
        screen = np.asarray(Image.open(io.BytesIO(window.screenshot())).convert("RGB"))
    shown = screen[top : top + picture.shape[0], left : left + picture.shape[1]]
    assert int((shown != picture).any(-1).sum()) == 0
