"""A rater at a browser: reads the page as it is shown and answers with keys."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

KEYS = ("ArrowLeft", "ArrowRight", "ArrowDown")
ANSWERS = {"ArrowLeft": "first", "ArrowRight": "second", "ArrowDown": "none"}
SHOWN = """
const root = document.getElementById("study")?.shadowRoot;
const canvases = [...root?.querySelectorAll("canvas.picture") ?? []];
const fits = root?.querySelector(".problem")?.hidden;
const shows = fits && canvases.some((one) => one.style.visibility === "visible");
const counter = root?.querySelector(".progress")?.textContent ?? "";
const ready = root?.querySelector(".choice")?.getAttribute("aria-disabled") === "false";
"""
"""JavaScript of any browser: whether pictures are shown and answers taken."""


# Any: Playwright's pages; it is imported only where a browser runs.
def await_trial(page: Any, number: int, total: int) -> None:
    """Return once the pictures of this trial are shown and an answer is taken."""
    page.wait_for_function(
        f"wanted => {{ {SHOWN} return shows && ready && counter.startsWith(wanted) }}",
        arg=f"{number} of {total}",
    )


def answer(page: Any, number: int, total: int) -> str:
    """Look at both pictures of a trial and answer by key; return the answer."""
    await_trial(page, number, total)
    key = KEYS[number % len(KEYS)]
    page.keyboard.press("ArrowUp")
    page.keyboard.press(key)
    return ANSWERS[key]


def agree(page: Any) -> None:
    """Read the consent text and agree to it, by keyboard."""
    page.get_by_role("checkbox").first.focus()
    page.keyboard.press(" ")
    page.keyboard.press("Tab")
    page.keyboard.press(" ")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")


def stored_votes(store: Path) -> list[tuple[int, str, str, str]]:
    """Return position, answer, client UUID and proof of every vote of a store, in the order of the trials."""
    with sqlite3.connect(f"file:{store / 'arena.db'}?mode=ro", uri=True) as connection:
        query = (
            "SELECT position, answer, client_uuid, proof FROM study_votes"
            " JOIN study_trials ON study_trials.id = trial_id ORDER BY study_trials.rater_id, position"
        )
        rows = connection.execute(query).fetchall()
    connection.close()
    return rows
