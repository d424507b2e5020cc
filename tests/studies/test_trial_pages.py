"""What a rater is asked and told around the trials, and what a browser that will not be read back does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import scripted_rater_service
from browsing import PATIENCE_MS, free_port, needs_chromium, running
from rating import agree, answer, await_trial, stored_votes
from studying import invite, open_study

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser-studies"),
    needs_chromium,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
NOISE = """
const read = CanvasRenderingContext2D.prototype.getImageData;
CanvasRenderingContext2D.prototype.getImageData = function (...area) {
  const found = read.apply(this, area);
  found.data[0] ^= 1;
  return found;
};
"""
"""What privacy guards of some browsers do, on purpose."""


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    opened = chromium.new_page(viewport={"width": 1000, "height": 800})
    opened.set_default_timeout(PATIENCE_MS)
    yield opened
    opened.close()


@pytest.mark.slow("goes through every page of a study in a browser, in front of a server of its own")
def test_from_consent_to_withdrawal(page: Any) -> None:
    port = free_port()
    posts: dict[str, Any] = {}
    page.on(
        "request",
        lambda route: (
            posts.update({route.url.rpartition("/")[2]: route.post_data_json})
            if route.method == "POST"
            else None
        ),
    )
    button = lambda name: page.get_by_role("button", name=name, exact=True)  # noqa: E731
    with running([Path(scripted_rater_service.__file__), str(port), "consent"], port):
        page.goto(f"http://127.0.0.1:{port}/?invite=known")
        button("I agree and take part").click()
        page.get_by_text("please tick the boxes").wait_for()
        assert "consent" not in posts
        for box in page.get_by_role("checkbox").all():
            box.check()
        button("I agree and take part").click()
        button("Continue").click()
        page.get_by_text("Please answer every question").wait_for()
        page.get_by_role("radio", name="yes").check()
        button("Continue").click()

        page.get_by_role("heading", name="Your screen").wait_for()
        page.set_viewport_size({"width": 260, "height": 300})
        page.get_by_text("too small for the pictures").wait_for()
        assert button("Continue").is_disabled()
        page.set_viewport_size({"width": 1000, "height": 800})
        button("Continue").click()
        page.get_by_role("slider").fill("5")
        button("It matches").click()
        for digit in "123":
            button(digit).click()
        page.get_by_role("radio", name="dim").check()
        button("Continue").click()

        button("Begin").click()
        await_trial(page, 1, 5)
        page.set_viewport_size({"width": 260, "height": 300})
        page.get_by_text("goes on by itself").wait_for()
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowLeft")  # not shown, so not taken
        page.set_viewport_size({"width": 1000, "height": 800})
        for number in range(1, 6):
            answer(page, number, 5)
        page.get_by_text("C1ABCDEF").wait_for()
        button("Withdraw and delete my answers").click()
        button("Delete everything").click()
        page.get_by_text("Answers deleted: 5").wait_for()
    assert posts["consent"] == {
        "session": "session", "version": "1", "agreed": True, "of_age": True, "accepts_presentation": True
    }  # fmt: skip
    assert posts["screening"]["answers"] == {"sight": "yes"}
    record = posts["calibration"]["record"]
    assert record["css_pixels_per_mm"] == 5
    assert record["environment"] == {"light": "dim"}
    assert [plate["read"] for plate in record["colour_plates"]] == ["1", "2", "3"]
    assert posts["vote"]["display"]["flicker_hz"]["requested"] == 10


def test_who_asked_for_reduced_motion_is_told_why_nothing_flickers(page: Any) -> None:
    port = free_port()
    page.emulate_media(reduced_motion="reduce")
    with running([Path(scripted_rater_service.__file__), str(port), "flicker"], port):
        page.goto(f"http://127.0.0.1:{port}/?invite=known")
        page.get_by_role("heading", name="Nothing will flicker").wait_for()
        page.get_by_role("button", name="Begin").click()
        await_trial(page, 1, 1)
        page.get_by_text("nothing flickers here").wait_for()
        # This study's plan lets nobody magnify.
        assert page.get_by_role("button", name="Magnify").count() == 0
        page.keyboard.press("+")
        with page.expect_request("**/study/vote") as sent:
            page.keyboard.press("ArrowLeft")
        display = sent.value.post_data_json["display"]
    assert display["flicker_hz"] == {"requested": 10, "achieved": 0}
    assert display["reduced_motion"]
    assert display["largest_zoom"] == 1


def test_a_vote_whose_canvas_reads_back_noise_is_kept_as_unproven(page: Any, tmp_path: Path) -> None:
    trials = "training = 0\ngolden = 0\nidentical = 0\nrepeats = 0.0\ngap_ms = 0\nminimum_view_ms = 0"
    open_study(tmp_path, conditions=2, pictures=2, size=64, trials=trials)
    [invitation] = invite(tmp_path)
    port = free_port()
    page.add_init_script(NOISE)
    with running(["-m", "codecarena", "serve", "--raters", "--store", tmp_path, "--port", str(port)], port):
        page.goto(f"http://127.0.0.1:{port}/?invite={invitation}")
        agree(page)
        page.get_by_role("button", name="Begin").click()
        given = [answer(page, number, 2) for number in (1, 2)]
        page.get_by_role("heading", name="Thank you").wait_for()
    assert [(row[1], row[3]) for row in stored_votes(tmp_path)] == [(answer, "unproven") for answer in given]
