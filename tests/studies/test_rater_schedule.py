"""The order of a rater's trials: what is mixed in where, repeats far behind and swapped, sides by chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from studying import plan

from codecarena.studies.design.design import Choice
from codecarena.studies.design.plan import REFERENCE
from codecarena.studies.design.selection import pairs_of
from codecarena.studies.records.records import (
    Condition,
    Content,
    Stimulus,
    StoredStudy,
    StudyMaterial,
    StudyRow,
)
from codecarena.studies.session.schedule import Item, SessionPlan, build_session_plan, next_items

SEEDS = range(60)


def course_of(conditions: int, pictures: int, *, trials: str = "", design: str = "") -> SessionPlan:
    """Return the session plan of a study of a number of conditions and pictures, row ids from 100."""
    made = plan(trials=trials, design=design)
    named = (*(Condition(f"c{n}", f"id{n}", f"c{n}", "q=1") for n in range(conditions)),)
    named = (*named, Condition(REFERENCE, None, None, None, is_reference=True))
    stimuli = tuple(
        Stimulus(picture, condition, None, 0.1 + condition)
        for picture in range(pictures)
        for condition in range(conditions + 1)
    )
    material = StudyMaterial(
        named, tuple(Content(f"p{n}") for n in range(pictures)), stimuli, pairs_of(made, named, stimuli)
    )
    study = StudyRow(1, "small", "", "", "open", "00" * 32, "", None, None)
    pair_ids = tuple(range(100, 100 + len(material.pairs)))
    return build_session_plan(
        made, StoredStudy(study, material, tuple(range(500, 500 + len(stimuli))), pair_ids)
    )


def session(session_plan: SessionPlan, seed: int, block: int | None = None) -> list[Item]:
    """Return a whole session, given in blocks of so many of the design's pairs."""
    generator = np.random.default_rng(seed)
    rows = generator.permutation(len(session_plan.main))[: session_plan.main_trials]
    block = block or len(rows)
    balance, items = np.zeros(len(session_plan.main), np.int64), []
    for start in range(0, len(rows), block):
        choices = [Choice(int(row), 1 / (2 + int(row))) for row in rows[start : start + block]]
        items += next_items(session_plan, items, choices, balance, generator)
    return items


def places(items: Sequence[Item], kind: str) -> list[int]:
    return [at for at, item in enumerate(items) if item.kind == kind]


@pytest.mark.parametrize(
    ("trials", "design", "main", "repeats", "length"),
    [
        ("", "", 12, 1, 12 + 1 + 2 + 3 + 1),
        ("repeats = 0.5\ntraining = 0", "", 12, 6, 12 + 6 + 0 + 3 + 1),
        ("repeats = 0.3\ngolden = 0\nidentical = 4", "pairs_per_rater = 5", 5, 2, 5 + 2 + 2 + 0 + 4),
        ("", "pairs_per_rater = 99", 12, 1, 19),
    ],
)
def test_a_session_is_as_long_as_its_parts(
    trials: str, design: str, main: int, repeats: int, length: int
) -> None:
    session_plan = course_of(3, 4, trials=trials, design=design)
    assert (session_plan.main_trials, session_plan.repeats, session_plan.length) == (main, repeats, length)
    items = session(session_plan, 1)
    assert len(items) == length
    counted = Counter(item.kind for item in items)
    assert (counted["main"], counted["repeat"]) == (main, repeats)
    assert [counted[kind] for kind in ("training", "golden", "identical")] == [
        len(session_plan.training), len(session_plan.golden), len(session_plan.identical),
    ]  # fmt: skip


def test_a_course_knows_pairs_by_row_id_and_their_pictures_and_conditions() -> None:
    session_plan = course_of(3, 2)
    assert session_plan.main == (0, 1, 2, 3, 4, 5)
    assert session_plan.pairs.content.tolist() == [0, 0, 0, 1, 1, 1]
    assert session_plan.pairs.first.tolist() == [0, 0, 1] * 2
    assert session_plan.pairs.second.tolist() == [1, 2, 2] * 2
    assert (session_plan.training, session_plan.golden, session_plan.identical) == ((6, 7), (8, 9, 10), (11,))
    assert (session_plan.pair_place[103], session_plan.stimulus_place[505]) == (3, 5)
    assert [session_plan.content(pair) for pair in (2, 3, 7, 8)] == [0, 1, 1, 1]


def test_practice_comes_first_and_only_at_the_beginning() -> None:
    session_plan = course_of(3, 4, trials="training = 3")
    for seed in SEEDS:
        items = session(session_plan, seed, block=4)
        assert places(items, "training") == [0, 1, 2]
        assert all(
            session_plan.content(choice.pair) != session_plan.content(two.pair)
            for choice, two in pairwise(items[:3])
        )


def test_golden_and_identical_trials_and_repeats_are_spread_evenly_over_the_blocks() -> None:
    """Of twelve trials given three at a time: before the trials (place + 0.5) x 12 / count."""
    session_plan = course_of(3, 4, trials="training = 0\ngolden = 4\nidentical = 2\nrepeats = 0.25")
    generator = np.random.default_rng(5)
    items, extras, balance = [], [], np.zeros(12, np.int64)
    for start in range(0, 12, 3):
        block = next_items(
            session_plan, items, [Choice(row, 1.0) for row in range(start, start + 3)], balance, generator
        )
        extras.append(Counter(item.kind for item in block))
        items += block
    # Golden ones are due before trials 1, 4, 7, 10; identical ones before 3, 9; repeats before 2, 6, 10.
    assert [block["golden"] for block in extras] == [1, 1, 1, 1]
    assert [block["identical"] for block in extras] == [0, 1, 0, 1]
    assert [block["repeat"] for block in extras] == [1, 0, 1, 1]


def test_a_repeat_is_its_pair_with_sides_swapped_at_least_eight_trials_behind() -> None:
    session_plan = course_of(5, 4, trials="repeats = 0.25")
    distances, repeated = Counter(), set()
    for seed in SEEDS:
        items = session(session_plan, seed)
        mains = {item.pair: at for at, item in enumerate(items) if item.kind == "main"}
        again = places(items, "repeat")
        assert len({items[at].pair for at in again}) == len(again) == 10
        for at in again:
            original = mains[items[at].pair]
            assert items[at].first_left is not items[original].first_left
            assert items[at].probability is None
            distances[at - original] += 1
        repeated |= {items[at].pair for at in again}
    # As near as that and no nearer, and as far as nearly the whole session.
    assert min(distances) == 8
    assert max(distances) > 40
    assert repeated == set(session_plan.main)


def test_a_repeat_may_be_of_an_earlier_block() -> None:
    session_plan = course_of(
        4, 4, trials="training = 2\ngolden = 2\nidentical = 2\nrepeats = 0.25", design="pairs_per_rater = 24"
    )
    across = 0
    for seed in range(20):
        items = session(session_plan, seed, block=6)
        mains = {item.pair: at for at, item in enumerate(items) if item.kind == "main"}
        again = places(items, "repeat")
        assert len({items[at].pair for at in again}) == len(again) == 6
        for at in again:
            assert items[at].first_left is not items[mains[items[at].pair]].first_left
            assert at > mains[items[at].pair]
            across += at - mains[items[at].pair] > 12
    assert across > 10


def test_a_session_too_short_for_that_repeats_its_first_trial_at_the_end() -> None:
    session_plan = course_of(3, 2, trials="training = 0\ngolden = 0\nidentical = 0\nrepeats = 0.2")
    for seed in range(20):
        items = session(session_plan, seed)
        assert places(items, "repeat") == [6]
        assert (items[6].pair, items[6].first_left) == (items[0].pair, not items[0].first_left)


def test_no_picture_follows_itself_where_there_is_room() -> None:
    session_plan = course_of(4, 5, trials="training = 5\ngolden = 5\nidentical = 5\nrepeats = 0.0")
    for seed in SEEDS:
        contents = [session_plan.content(item.pair) for item in session(session_plan, seed)]
        assert all(before != two for before, two in pairwise(contents))


def test_on_one_picture_what_is_mixed_in_still_comes_and_anywhere() -> None:
    session_plan = course_of(4, 1, trials="training = 0\ngolden = 1\nidentical = 0\nrepeats = 0.0")
    golden = Counter(places(session(session_plan, seed), "golden")[0] for seed in range(200))
    assert set(golden) == set(range(7))


def test_hidden_trials_stand_anywhere_among_the_others() -> None:
    session_plan = course_of(3, 4, trials="training = 1\ngolden = 1\nidentical = 0\nrepeats = 0.0")
    golden = Counter(places(session(session_plan, seed), "golden")[0] for seed in range(300))
    # Behind practice, and as well right behind it as at the very end.
    assert set(golden) == set(range(1, 14))
    assert max(golden.values()) < 60


@pytest.mark.parametrize("kind", ["training", "golden", "identical"])
def test_the_original_stands_on_either_side_as_often(kind: str) -> None:
    session_plan = course_of(3, 4, trials="training = 4\ngolden = 4\nidentical = 4")
    sides = [
        item.first_left for seed in range(100) for item in session(session_plan, seed) if item.kind == kind
    ]
    assert len(sides) == 400
    assert 160 < sum(sides) < 240  # four standard errors


def test_a_trial_of_the_design_keeps_the_probability_it_was_drawn_with_and_evens_out_sides() -> None:
    session_plan = course_of(3, 4)
    for item in session(session_plan, 3):
        assert item.probability == (1 / (2 + item.pair) if item.kind == "main" else None)
    # A pair whose first has been left too often gets it right, whatever the generator says.
    single = course_of(2, 2, trials="training = 0\ngolden = 0\nidentical = 0\nrepeats = 0.0")
    for seed in range(10):
        items = next_items(
            single, (), [Choice(1, 0.5), Choice(0, 0.25)], np.array([2, 2]), np.random.default_rng(seed)
        )
        walked = Counter(item.first_left for item in items)
        assert walked == {True: 1, False: 1}  # each condition left half of the time
        items = next_items(single, (), [Choice(1, 0.5)], np.array([-9, 1]), np.random.default_rng(seed))
        assert items == [Item("main", 1, False, 0.5)]
        items = next_items(single, (), [Choice(1, 0.5)], np.array([9, -1]), np.random.default_rng(seed))
        assert items == [Item("main", 1, True, 0.5)]
