"""docs/architecture.md follows three values through the house: each trip is made, every step is called."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from imported import ROOMS, ROOT, arrows, drawing, floors, sources

import codecarena
from arena import call, write_pictures
from codecarena.bench.records.messages import Cell, CodecSpec, Original
from codecarena.bench.run import study_pictures
from codecarena.bench.worker.measure import Worker
from codecarena.datasets.pixels import pixels_sha256, read_pixels
from codecarena.studies.analysis.results import results_of
from codecarena.studies.ledger.ledger import Ledger
from codecarena.studies.organise.organise import open_study, plan_text
from codecarena.studies.organise.simulated_study import rehearse

PACKAGE = f"{Path(codecarena.__file__).parent}/"
PAGE = (ROOT / "docs" / "architecture.md").read_text()
STEP = re.compile(r"^\d+\. `(\S+\.py)` `(\w+)`: ", re.MULTILINE)
SUITE = """
name = "trip"
sets = "pictures"
metrics = ["psnr"]
[[codecs]]
name = "jpeg"
qualities = [10, 30, 60, 90]
[[codecs]]
name = "webp"
qualities = [10, 30, 60, 90]
"""
PLAN = """
name = "trip"
title = "Simulated"
simulated = true
hidden_reference = true
[pictures]
sets = ["pictures"]
crop = { rule = "centre", width = 48, height = 40 }
[[conditions]]
codec = "jpeg"
qualities = [10, 90]
[[conditions]]
codec = "webp"
qualities = [10, 90]
[design]
name = "balanced-incomplete"
pairs_per_rater = 12
[consent]
version = "1"
text = "Nobody reads this."
[raters]
card_calibration = false
colour_plates = false
[analysis]
resamples = 100
"""
Step = tuple[str, str]
"""A file of the project, and a function in it."""


def steps(heading: str) -> list[Step]:
    """Return the steps under a heading of the page."""
    return STEP.findall(PAGE.split(f"## {heading}\n")[1].split("\n## ")[0])


@contextmanager
def calls_traced() -> Iterator[list[Step]]:
    """Collect every function of the project that is entered, in every thread, each once, in order."""
    entered: dict[Step, None] = {}

    def look(frame: FrameType, event: str, _: Any) -> None:
        file = frame.f_code.co_filename
        if event == "call" and file.startswith(PACKAGE):
            entered.setdefault((file.removeprefix(PACKAGE), frame.f_code.co_name))

    order: list[Step] = []
    threading.setprofile(look)
    sys.setprofile(look)
    try:
        yield order
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
        order.extend(entered)


def assert_made(wanted: list[Step], entered: list[Step]) -> None:
    assert wanted
    assert [step for step in wanted if step not in entered] == []
    assert sorted(wanted, key=entered.index) == wanted


def traced(action: Callable[[], object]) -> list[Step]:
    with calls_traced() as entered:
        action()
    return entered


@pytest.fixture(scope="module")
def trips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Step]]:
    """Return what was called in a run, in a worker, in a study and on a page."""
    folder = tmp_path_factory.mktemp("trips")
    write_pictures(folder / "pictures", 2, size=64)
    (folder / "suite.toml").write_text(SUITE)
    store, cell = str(folder / "arena"), cell_of(folder)
    return {
        "run": traced(lambda: call("run", "suite.toml", "--workers", "1", folder=folder)),
        "worker": traced(lambda: list(Worker().measure(cell))),
        "votes": traced(lambda: studied(store)),
        "page": traced(lambda: shown(store)),
    }


def cell_of(folder: Path) -> Cell:
    """Return a cell of the suite as a worker is given it."""
    path = folder / "pictures" / "picture0000.png"
    original = Original(str(path), pixels_sha256(read_pixels(path)), None, None)
    return Cell(original, CodecSpec("jpeg", ()), "trip", 50.0, None, ("psnr",), str(folder / "blobs"))


def studied(store: str) -> None:
    """Plan and rehearse a study, and make its scale."""
    plan_text(store, PLAN, Path("study.toml"), study_pictures)
    with closing(Ledger(store)) as ledger:
        open_study(ledger, "trip")
    rehearse(store, "trip", 3)
    with closing(Ledger(store)) as ledger:
        results_of(ledger, "trip")


def shown(store: str) -> None:
    """Draw the leaderboard's page once."""
    from streamlit.testing.v1 import AppTest

    from codecarena.reports.server.server import APP, STORE_VARIABLE

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(STORE_VARIABLE, store)
        page = AppTest.from_file(str(APP), default_timeout=120).run()
    assert not page.exception


def test_pixels_become_a_score(trips: dict[str, list[Step]]) -> None:
    all_of_them = steps("A picture's pixels become a score")
    inside = [step for step in all_of_them if step[0] in ("bench/worker/measure.py", "datasets/pixels.py")]
    assert_made([step for step in all_of_them if step not in inside], trips["run"])
    assert_made(inside, trips["worker"])


def test_a_vote_becomes_a_place_on_a_scale(trips: dict[str, list[Step]]) -> None:
    assert_made(steps("A vote becomes a place on a scale"), trips["votes"])


def test_a_score_becomes_a_line_of_the_page(trips: dict[str, list[Step]]) -> None:
    assert_made(steps("A score becomes a line of the leaderboard's page"), trips["page"])


def test_the_page_shows_the_floors_as_they_are() -> None:
    drawn = arrows(sources())
    for room in ROOMS:
        floor = floors(drawn, room)
        levels = [
            " ".join(
                f"`{folder.removeprefix(room + '/')}`" for folder in sorted(floor) if floor[folder] == level
            )
            for level in range(1, max(floor.values()) + 1)
        ]
        assert drawing(drawn, room) in PAGE
        assert f"| `{room}` | {' → '.join(levels)} |" in PAGE
