"""What pictures of two kinds are like besides: planted differences are outcome, random ones are not."""

from __future__ import annotations

import numpy as np
import pytest

from codecarena.bench.analysis.balance import (
    CALIPER,
    FEWEST_PAIRS,
    NOTABLE,
    Matching,
    balance,
    match,
    standardised,
)

Described = dict[str, dict[str, float]]


def described(values: np.ndarray, names: str = "abcdefghijklm") -> Described:
    return {
        f"p{place}": {name: float(value) for name, value in zip(names, row, strict=False)}
        for place, row in enumerate(values)
    }


def halves(count: int) -> tuple[list[str], list[str]]:
    return [f"p{place}" for place in range(count)], [f"p{place}" for place in range(count, 2 * count)]


def test_a_difference_is_of_means_in_standard_deviations_within_a_kind() -> None:
    natural, generated = np.array([1.0, 2, 3, 4]), np.array([4.0, 6, 8, 10])
    values = np.concatenate([natural, generated])[:, None]
    kind = np.arange(8) >= 4
    expected = (generated.mean() - natural.mean()) / np.sqrt(
        (natural.var(ddof=1) + generated.var(ddof=1)) / 2
    )
    assert standardised(values, kind[None])[0, 0] == pytest.approx(expected)
    outcome = balance(described(values), *halves(4))
    assert outcome is not None
    (row,) = outcome.rows
    assert (row.natural, row.generated, row.difference) == (2.5, 7.0, pytest.approx(expected))
    # Of eight values only both fours lie in the other kind's range.
    assert row.overlap == pytest.approx(2 / 8)


def test_a_planted_difference_cannot_be_told_apart_from_the_kind() -> None:
    values = np.random.default_rng(1).normal(size=(48, 13))
    values[24:, 3] += 1.5
    outcome = balance(described(values), *halves(24))
    assert outcome is not None
    assert outcome.confounded == ("d",)
    assert outcome.rows[0].name == "d"
    assert (outcome.natural, outcome.generated, outcome.undescribed) == (24, 24, 0)


def test_ranges_that_do_not_meet_cannot_be_told_apart_and_constants_can() -> None:
    values = np.column_stack([np.repeat([75.0, 100.0], 6), np.ones(12), np.tile([1.0, 2.0], 6)])
    outcome = balance(described(values), *halves(6))
    assert outcome is not None
    rows = {row.name: row for row in outcome.rows}
    assert (rows["a"].difference, rows["a"].overlap, rows["a"].confounded) == (np.inf, 0.0, True)
    assert (rows["b"].difference, rows["b"].overlap, rows["b"].confounded) == (0.0, 1.0, False)
    assert not rows["c"].confounded


def test_three_pictures_of_a_kind_differ_by_chance() -> None:
    outcome = balance(described(np.repeat([75.0, 100.0], 3)[:, None]), *halves(3))
    assert outcome is not None
    assert outcome.confounded == ()


def test_random_halves_are_seldom_said_to_differ() -> None:
    said = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        values = np.exp(random.normal(size=(24, 13)))
        values[:, :3] = random.integers(0, 2, (24, 3))
        outcome = balance(described(values), *halves(12))
        said += bool(outcome and outcome.confounded)
    assert said <= 0.07 * 200


def test_pictures_without_descriptors_are_counted_and_a_lone_one_compares_nothing() -> None:
    values = described(np.arange(8.0)[:, None])
    outcome = balance(values, ["p0", "p1", "x"], ["p2", "p3", "y", "z"])
    assert outcome is not None
    assert (outcome.natural, outcome.generated, outcome.undescribed) == (2, 2, 3)
    assert balance(values, ["p0", "x"], ["p2", "p3"]) is None
    # One picture lacks a value: nobody can be compared in it.
    values["p3"] = {}
    assert balance(values, ["p0", "p1"], ["p2", "p3"]) is None


def test_matched_pairs_are_alike_in_what_was_asked() -> None:
    random = np.random.default_rng(3)
    values = random.normal(size=(80, 2))
    values[40:, 0] += 1
    known = described(values)
    made = match(known, *halves(40), ["a"])
    assert len(made.pairs) >= FEWEST_PAIRS
    assert made.left_out == 80 - 2 * len(made.pairs)
    spread = np.sqrt((values[:40, 0].var(ddof=1) + values[40:, 0].var(ddof=1)) / 2)
    apart = [abs(known[first]["a"] - known[second]["a"]) / spread for first, second in made.pairs]
    assert max(apart) <= CALIPER
    natural, generated = ({pair[side] for pair in made.pairs} for side in (0, 1))
    assert len(natural) == len(generated) == len(made.pairs), "no picture is in two pairs"
    matched = balance(known, natural, generated)
    assert matched is not None
    assert abs(next(row.difference for row in matched.rows if row.name == "a")) <= NOTABLE


def test_kinds_that_never_meet_have_no_matched_answer() -> None:
    values = np.column_stack([np.repeat([75.0, 100.0], 12), np.tile(np.arange(12.0), 2)])
    assert match(described(values), *halves(12), ["a"]) == Matching((), 24)
    alike = match(described(values), *halves(12), [], ["b"])
    assert {known for pair in alike.pairs for known in pair} == {f"p{place}" for place in range(24)}
    few = match(described(values), *(side[:9] for side in halves(12)), ["b"])
    assert few == Matching((), 18)
