"""A search, question by question, on scales short enough to be worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from codecarena.bench.analysis.setting_search import (
    MOST_FAILURES,
    SearchOutcome,
    guess,
    index_of,
    search,
    setting_at,
    steps,
)
from codecarena.codecs.base import QualityScale

TEN = QualityScale("quality", 0, 10)
HUNDRED = QualityScale("quality", 0, 100)
FALLING = QualityScale("qp", 40, 20, 2)
FINE = QualityScale("distance", 1.0, 0.0, 0.1, continuous=True)


def ask(
    scale: QualityScale,
    levels: Mapping[float, float | None],
    target: float,
    known: Mapping[float, float] | None = None,
    others: Sequence[Mapping[float, float]] = (),
    tolerance: float = 0.0,
) -> tuple[SearchOutcome | None, list[float]]:
    """Return where a search ends and the settings it asked for, in order."""
    asked: list[float] = []
    dialogue = search(scale, target, known, guess(scale, target, others), tolerance)
    answer = None
    while True:
        try:
            asked.append(dialogue.send(answer))
        except StopIteration as stop:
            return stop.value, asked
        answer = levels[asked[-1]]


def straight(scale: QualityScale, slope: float = 1.0, start: float = 0.0) -> dict[float, float | None]:
    """Levels that rise evenly from the scale's worst end."""
    return {setting_at(scale, index): start + slope * index for index in range(steps(scale) + 1)}


@pytest.mark.parametrize(
    ("scale", "count", "first", "second", "last"),
    [(TEN, 10, 0, 1, 10), (FALLING, 10, 40, 38, 20), (FINE, 10, 1.0, 0.9, 0.0)],
)
def test_steps_lead_from_the_worst_end_to_the_best(scale, count, first, second, last) -> None:
    assert steps(scale) == count
    assert [setting_at(scale, index) for index in (0, 1, count)] == [first, second, last]
    assert [index_of(scale, setting) for setting in (first, second, last)] == [0, 1, count]


def test_steps_that_do_not_fit_end_before_the_best_end() -> None:
    assert steps(QualityScale("quality", 0, 10, 4)) == 2
    assert steps(QualityScale("quality", 0, 1, 0.1)) == 10


@pytest.mark.parametrize(("target", "asked"), [(9.0, [5, 7, 8, 10, 9]), (1.0, [5, 3, 2, 0, 1])])
def test_a_search_begins_in_the_middle_and_halves_the_way_to_the_end(target, asked) -> None:
    # From two steps before the end it goes to the end itself, and then back between what it knows.
    assert ask(TEN, straight(TEN), target) == (SearchOutcome(target, target, "exact", 5, 5), asked)


@pytest.mark.parametrize("slope", [1.0, 0.5, 2.0])
def test_a_straight_line_is_met_where_two_points_say(slope: float) -> None:
    known = {0: 0.0, 100: 100 * slope}
    outcome, asked = ask(HUNDRED, straight(HUNDRED, slope), 31 * slope, known=known)
    assert asked == [31]
    assert outcome == SearchOutcome(31, 31 * slope, "exact", 3, 1)


@pytest.mark.parametrize(
    ("target", "setting", "level"), [(3.4, 3, 3.0), (3.6, 4, 4.0), (3.5, 3, 3.0), (6.5, 6, 6.0)]
)
def test_the_nearest_step_is_taken_and_the_cheaper_of_equals(target, setting, level) -> None:
    outcome, _ = ask(TEN, straight(TEN), target)
    assert outcome is not None
    assert (outcome.setting, outcome.level, outcome.ended) == (setting, level, "nearest")


def test_a_tolerance_holds_on_a_continuous_scale_alone() -> None:
    levels = straight(TEN)
    stepped, asked = ask(TEN, levels, 5.4, tolerance=2.0)
    # The middle of the scale is near enough for any tolerance of two, and the nearest for none.
    assert stepped is not None
    assert (stepped.setting, stepped.ended) == (5, "nearest")
    assert len(asked) > 1
    farther, asked = ask(TEN, levels, 6.4, tolerance=2.0)
    assert farther is not None
    assert (farther.setting, farther.ended) == (6, "nearest")
    close, asked = ask(FINE, straight(FINE), 6.4, tolerance=2.0)
    assert close is not None
    assert (close.setting, close.ended, asked) == (0.5, "close", [0.5])
    exactly, _ = ask(FINE, straight(FINE), 7.0, tolerance=2.0)
    assert exactly is not None
    assert (exactly.setting, exactly.ended) == (0.5, "close")
    beyond, asked = ask(FINE, straight(FINE), 7.1, tolerance=2.0)
    assert beyond is not None
    assert (beyond.ended, len(asked)) == ("close", 2)


def test_a_continuous_scale_is_not_searched_step_by_step() -> None:
    outcome, asked = ask(FINE, straight(FINE), 4.4, known={0.6: 4.0, 0.5: 5.0})
    assert outcome is not None
    assert (outcome.setting, outcome.ended, asked) == (0.6, "nearest", [])


@pytest.mark.parametrize(("target", "setting"), [(-0.5, 0), (10.5, 10)])
def test_a_target_beyond_an_end_is_out_of_range(target: float, setting: float) -> None:
    outcome, _ = ask(TEN, straight(TEN), target)
    assert outcome is not None
    assert (outcome.setting, outcome.ended) == (setting, "out of range")


@pytest.mark.parametrize("target", [0.0, 10.0])
def test_a_target_at_an_end_is_exact(target: float) -> None:
    outcome, _ = ask(TEN, straight(TEN), target)
    assert outcome is not None
    assert (outcome.setting, outcome.ended) == (target, "exact")


def test_other_pictures_say_where_to_begin() -> None:
    others = [{2: 2.0, 8: 8.0}, {0: 1.0, 10: 11.0}, {3: 5.0, 7: 9.0}]
    # They meet 6 at settings 6, 5 and 4: the middle one is asked first.
    # One step is missing there; a tenth more than that is looked for, which is two steps off.
    outcome, asked = ask(TEN, straight(TEN), 6.0, others=others)
    assert (outcome, asked) == (SearchOutcome(6, 6.0, "exact", 3, 3), [5, 7, 6])
    outcome, asked = ask(TEN, straight(TEN), 6.0, others=[{0: 0.0, 10: 8.0}])
    # 6 is met at 7.5 there, taken as 8, where two too much have to fall by 0.8 a step.
    assert (outcome, asked) == (SearchOutcome(6, 6.0, "exact", 3, 3), [8, 5, 6])


def test_a_guess_averages_slopes_and_carries_them_beyond_what_was_measured() -> None:
    prior = guess(TEN, 6.0, [{2: 2.0, 6: 10.0}, {4: 0.0, 8: 4.0}])
    assert prior is not None
    # Slopes of 2 from 2 to 6 and of 1 from 4 to 8: 1.5 where both are known.
    np.testing.assert_allclose(prior.rises, [2, 2, 2, 2, 1.5, 1.5, 1, 1, 1, 1])
    # The first meets 6 at 4; the second ends below it, at 8.
    assert prior.index == 6.0
    assert guess(TEN, 6.0, []) is None
    assert guess(TEN, 6.0, [{3: 1.0}, {4: math.inf, 2: 1.0}]) is None


def test_a_falling_curve_of_another_picture_is_no_slope() -> None:
    prior = guess(TEN, 5.0, [{0: 0.0, 5: 10.0, 10: 5.0}])
    assert prior is not None
    np.testing.assert_allclose(prior.rises, [2] * 5 + [0] * 5)
    assert prior.index == 2.5


def test_settings_are_given_up_after_three_failures() -> None:
    levels: dict[float, float | None] = dict.fromkeys(straight(TEN))
    outcome, asked = ask(TEN, levels, 3.0)
    assert outcome is None
    assert (len(asked), MOST_FAILURES) == (3, 3)
    levels[7] = 7.0
    # Two failures around the middle, then one that works: the search goes on from there.
    some = {**straight(TEN), 5: None, 4: None}
    outcome, asked = ask(TEN, some, 3.0)
    assert outcome is not None
    assert (outcome.setting, outcome.ended, asked[:2]) == (3, "exact", [5, 4])
    assert (outcome.probes, outcome.asked) == (len(asked) - 2, len(asked))


def test_a_scale_that_failed_whole_has_no_answer() -> None:
    entry = QualityScale("quality", 5, 5)
    assert ask(entry, {5: None}, 3.0) == (None, [5])
    assert ask(entry, {5: math.nan}, 3.0) == (None, [5])


def test_an_infinite_level_is_above_every_target() -> None:
    levels = {setting: (level if setting < 8 else math.inf) for setting, level in straight(TEN).items()}
    outcome, asked = ask(TEN, levels, 7.2)
    assert outcome is not None
    assert (outcome.setting, outcome.level, outcome.ended) == (7, 7.0, "nearest")
    assert all(asked.count(setting) == 1 for setting in asked)


@pytest.mark.parametrize(
    ("nearer", "setting", "asked"),
    [
        # 49 is worse by more than half a step and hides what lies below it; beyond the target it takes two
        # such settings, 52 and 53, to hide what lies above them.
        (None, 50, [51, 49, 52, 53]),
        (52, 52, [51, 49, 52, 53]),
        (53, 53, [51, 49, 52, 53, 54]),
        (54, 50, [51, 49, 52, 53]),
    ],
)
def test_settings_around_the_nearest_are_looked_at_until_they_lead_away(nearer, setting, asked) -> None:
    levels = straight(HUNDRED, 0.1, -5.04)
    if nearer is not None:
        levels[nearer] = 0.01
    outcome, questions = ask(HUNDRED, levels, 0.0, known={0: -5.04, 50: -0.04, 100: 4.96})
    assert outcome is not None
    assert (outcome.setting, questions) == (setting, asked)


def test_a_gap_with_failures_in_it_is_not_left_before_it_is_closed() -> None:
    levels = {**straight(TEN), 6: None, 7: None}
    _, asked = ask(TEN, levels, 6.1, known={5: 5.0, 9: 9.0})
    assert asked[:3] == [6, 7, 8]
