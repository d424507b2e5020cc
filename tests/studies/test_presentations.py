"""Every presentation has all that its record declares, and records that and nothing else with a vote."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import scripted_rater_service
from browsing import PATIENCE_MS, free_port, needs_chromium, running
from rating import await_trial
from scripted_rater_service import ScriptedRaterService, scene_of
from starlette.applications import Starlette
from starlette.testclient import TestClient
from studying import plan

from codecarena.studies.design.plan import PlanError
from codecarena.studies.presentations.presentation import Presentation, VoteRecord
from codecarena.studies.presentations.registry import (
    PRESENTATION_NAMES,
    PRESENTATIONS,
    find_presentation,
)
from codecarena.studies.session.routes import WEB, routes

TEXTS = json.loads((WEB / "texts_en.json").read_text())
KNOWN = f"expected one of {', '.join(PRESENTATION_NAMES)}"
named = pytest.mark.parametrize("presentation", PRESENTATIONS, ids=lambda presentation: presentation.name)


def browser_code(presentation: Presentation) -> str:
    return (WEB / "presentations" / f"{presentation.name}.js").read_text()


def test_each_presentation_has_one_file_of_the_browser_and_each_file_a_presentation() -> None:
    assert sorted(path.name for path in (WEB / "presentations").iterdir()) == sorted(
        f"{presentation.name}.js" for presentation in PRESENTATIONS
    )


@named
def test_all_its_texts_are_there_and_its_browser_file_uses_its_own(presentation: Presentation) -> None:
    assert set(presentation.texts) <= set(TEXTS)
    quoted = set(re.findall(r'"([^"]+)"', browser_code(presentation)))
    # The page composes what a notice says at length from its key.
    composed = {f"{key}_{part}" for key in quoted for part in ("title", "text")}
    assert {key for key in quoted | composed if key in TEXTS} == set(presentation.own_texts)


@named
def test_its_consent_text_names_its_parameters_only(presentation: Presentation) -> None:
    said = " ".join(TEXTS[key] for key in presentation.texts if key.startswith("consent_"))
    assert set(re.findall(r"\{(\w+)\}", said)) <= set(presentation.parameters.model_fields)
    assert bool(said) == presentation.needs_consent


def test_no_two_presentations_share_a_parameter_or_a_field() -> None:
    # They stand in one table of the plan and in one record of a vote.
    parameters = [name for presentation in PRESENTATIONS for name in presentation.parameters.model_fields]
    fields = [name for presentation in PRESENTATIONS for name in presentation.own_fields]
    assert len(set(parameters)) == len(parameters)
    assert len(set(fields)) == len(fields)
    assert find_presentation("flip").own_fields == ("toggles",)
    assert find_presentation("flicker").own_fields == ("flicker_hz",)


@named
def test_every_parameter_and_field_is_documented(presentation: Presentation) -> None:
    for name, field in presentation.parameters.model_fields.items():
        assert field.description, name
        assert not field.is_required(), f"{name}: a plan that names a presentation only must be complete"


def test_a_presentation_is_found_by_its_name_or_the_error_names_all() -> None:
    assert [find_presentation(presentation.name) for presentation in PRESENTATIONS] == list(PRESENTATIONS)
    assert {"flip", "side-by-side", "triplet", "no-reference", "flicker"} <= set(PRESENTATION_NAMES)
    with pytest.raises(ValueError, match=re.escape(KNOWN)):
        find_presentation("Flip")


@pytest.mark.parametrize(
    ("trials", "said"),
    [
        (
            'presentation = "stereo"',
            f"study.toml: trials.presentation: {KNOWN}, got 'stereo'",
        ),
        (
            'presentation = "flicker"\nflicker_herz = 8',
            "study.toml: trials.flicker_herz: unknown key; did you mean 'flicker_hz'?",
        ),
        (
            'presentation = "flicker"\nflicker_hz = 9',
            "study.toml: trials.flicker_hz: Input should be 8 or 10, got 9",
        ),
        ("presentation = 3", "study.toml: trials.presentation: Input should be a valid string, got 3"),
    ],
)
def test_a_plan_is_refused_in_a_sentence_that_names_what_is_known(trials: str, said: str) -> None:
    with pytest.raises(PlanError) as refusal:
        plan(trials=trials)
    assert str(refusal.value) == said


def test_an_unknown_key_like_no_other_is_answered_with_all_that_are_known() -> None:
    with pytest.raises(PlanError, match=r"trials\.rpm: unknown key; known: .*presentation, .*") as refusal:
        plan(trials="rpm = 33")
    known = str(refusal.value).rpartition("known: ")[2].split(", ")
    assert {"presentation", "question", "flicker_hz", "zoom"} <= set(known)
    assert len(set(known)) == len(known)


def test_a_plan_has_the_parameters_of_its_presentation_only() -> None:
    assert plan(trials='presentation = "flicker"').trials.parameters == {"flicker_hz": 8}
    assert plan(trials='presentation = "flicker"\nflicker_hz = 10').trials.parameters == {"flicker_hz": 10}
    free = plan(trials='presentation = "flip"\nflicker_hz = 10').trials
    assert free.parameters == {}
    assert free.unused_parameters() == {"flicker_hz": "flicker"}


def test_what_the_documentation_says_of_a_presentation_is_so() -> None:
    section = (WEB.parents[2] / "docs" / "studies.md").read_text().partition("## Presentations")[2]
    rows = re.findall(r"^\| `([a-z-]+)` \|(.*)\|(.*)\|(.*)\|$", section.partition("\n## ")[0], re.MULTILINE)
    documented = {name: (shown, parameters, fields) for name, shown, parameters, fields in rows}
    assert {"flip", "side-by-side", "triplet", "no-reference", "flicker"} <= set(documented)
    for name, (shown, parameters, fields) in documented.items():
        presentation = find_presentation(name)
        assert re.findall(r"`(\w+)`:?", parameters) == list(presentation.parameters.model_fields)
        assert re.findall(r"`(\w+)`:?", fields)[: len(presentation.own_fields)] == list(
            presentation.own_fields
        )
        assert ("warning of its own" in shown) == presentation.needs_consent


def test_every_file_of_the_pages_is_packed_and_served() -> None:
    root = WEB.parents[2]
    tools = tomllib.loads((root / "pyproject.toml").read_text())["tool"]
    patterns = tools["setuptools"]["package-data"]["codecarena.studies.trial"]
    files = [path.relative_to(WEB.parent).as_posix() for path in WEB.rglob("*") if path.is_file()]
    assert "web/presentations/flip.js" in files
    # In setuptools a star stands for no slash.
    depth = {pattern: pattern.count("/") for pattern in patterns}
    packed = [
        any(fnmatch(file, pattern) and file.count("/") == depth[pattern] for pattern in patterns)
        for file in files
    ]
    assert all(packed), dict(zip(files, packed, strict=True))
    with TestClient(Starlette(routes=routes(ScriptedRaterService))) as client:  # type: ignore[arg-type]
        for file in files:
            assert client.get(f"/study/{file}").status_code == 200, file
        module = client.get("/study/web/presentations/flip.js")
        assert module.headers["content-type"].startswith("text/javascript")
        assert module.text == (WEB / "presentations" / "flip.js").read_text()


VISIBLE_ROLES = """
async (frames) => {
  const root = document.getElementById("study").shadowRoot;
  const seen = [];
  for (let frame = 0; frame < frames; frame += 1) {
    await new Promise((resolve) => requestAnimationFrame(resolve));
    const canvases = [...root.querySelectorAll("canvas.picture")];
    const visible = canvases.filter((canvas) => canvas.style.visibility === "visible");
    seen.push(visible.map((canvas) => canvas.dataset.role).join());
  }
  return seen;
}
"""
"""JavaScript: which pictures are visible, in each of so many frames."""


def browser_test(test: Callable[..., None]) -> Callable[..., None]:
    marks = (
        needs_chromium,
        pytest.mark.browser,
        pytest.mark.xdist_group("browser-studies"),
        pytest.mark.filterwarnings("ignore::ResourceWarning"),
    )
    for mark in marks:
        test = mark(test)
    return test


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:  # Any: Playwright's
    opened = chromium.new_page(viewport={"width": 1000, "height": 800})
    opened.set_default_timeout(PATIENCE_MS)
    yield opened
    opened.close()


def browser_half(page: Any, presentation: Presentation) -> dict[str, Any]:
    """Return what its file of the browser declares: its views and what the two pictures are called."""
    return page.evaluate(
        "name => import(`/study/web/presentations/${name}.js`)"
        ".then(({ default: { views, sides } }) => ({ views, sides }))",
        presentation.name,
    )


@browser_test
def test_a_vote_records_exactly_what_its_presentation_declares(page: Any) -> None:
    displays: list[dict[str, Any]] = []
    page.on(
        "request",
        lambda request: (
            displays.append(request.post_data_json["display"]) if request.url.endswith("/vote") else None
        ),
    )
    port, total = free_port(), len(PRESENTATIONS)
    with running([Path(scripted_rater_service.__file__), str(port), "each"], port):
        page.goto(f"http://127.0.0.1:{port}/?invite=known")
        page.get_by_role("button", name="Begin").click()
        for number in range(1, total + 1):
            await_trial(page, number, total)
            for key in ("ArrowUp", "ArrowUp", "ArrowUp"):
                page.keyboard.press(key)
            while len(displays) < number:  # a presentation may want more to be seen first
                page.keyboard.press("ArrowLeft")
                page.wait_for_timeout(100)
        page.get_by_role("heading", name="Thank you").wait_for()
        halves = [browser_half(page, presentation) for presentation in PRESENTATIONS]
    for presentation, display in zip(PRESENTATIONS, displays, strict=True):
        record = presentation.vote_record.model_validate_json(json.dumps(display))
        assert set(display) == {*VoteRecord.model_fields, *presentation.own_fields}
        zoom = scene_of(presentation.name).zoom
        assert (record.zoom, record.largest_zoom, record.times_begun) == (zoom, zoom, 1)
        # Each ↑ flips where pictures flip, and does nothing where they do not.
        assert display.get("toggles") == (3 if presentation.name == "flip" else None)
        assert record.counts.get("flipped", 0) == display.get("toggles", 0)
    for presentation, half in zip(PRESENTATIONS, halves, strict=True):
        shown = {role for roles in half["views"].values() for role in roles}
        assert shown == {"first", "second"} | ({"reference"} if presentation.shows_original else set())
        assert len({len(roles) for roles in half["views"].values()}) == 1
        sides = half["sides"].values()
        assert {f"{stem}_{side}" for stem in ("label", "choose", "keys_choose") for side in sides} <= set(
            TEXTS
        )


@contextmanager
def single_trial(page: Any, presentation: str) -> Iterator[None]:
    """Show one trial of one presentation."""
    port = free_port()
    with running([Path(scripted_rater_service.__file__), str(port), presentation], port):
        page.goto(f"http://127.0.0.1:{port}/?invite=known")
        page.get_by_role("button", name="Begin").click()
        await_trial(page, 1, 1)
        yield


@browser_test
def test_who_answers_before_both_were_seen_is_shown_the_other_first(page: Any) -> None:
    with single_trial(page, "flip"), page.expect_request("**/study/vote") as sent:
        assert page.evaluate(VISIBLE_ROLES, 1) == ["first"]
        page.keyboard.press("ArrowLeft")
        page.get_by_text("Look at both pictures").wait_for()
        assert page.evaluate(VISIBLE_ROLES, 1) == ["second"]
        page.keyboard.press("ArrowRight")
    vote = sent.value.post_data_json
    assert (vote["answer"], vote["display"]["toggles"]) == ("second", 1)


@browser_test
def test_pictures_flicker_at_most_as_fast_as_asked_and_not_while_the_original_is_held(page: Any) -> None:
    versions, original = "first,second", "reference,reference"
    with single_trial(page, "flicker"), page.expect_request("**/study/vote") as sent:
        assert set(page.evaluate(VISIBLE_ROLES, 40)) == {versions, original}
        page.keyboard.down(" ")
        assert set(page.evaluate(VISIBLE_ROLES, 40)) == {original}
        page.keyboard.up(" ")
        assert set(page.evaluate(VISIBLE_ROLES, 40)) == {versions, original}
        page.keyboard.press("ArrowLeft")
    vote = sent.value.post_data_json
    # Two changes are a period; the last one may have begun just before the answer.
    most = 10 + 500 / vote["response_ms"]
    assert 0 < vote["display"]["flicker_hz"]["achieved"] <= most
