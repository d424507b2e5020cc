"""The test of natural against AI-generated pictures: its correction, its orders and its statements."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from engines import compare, split_by_kind
from scored_cells import PSNR, ladder_cells

from codecarena.bench.analysis.bootstrap import RESAMPLES, usual_resampling
from codecarena.bench.analysis.coverage import AnalysisError
from codecarena.bench.analysis.intervals import SIGNIFICANCE, zero_test
from codecarena.bench.analysis.kind_effect import NO_NATURAL, NONE_COMMON, KindRow, KindSplit, Reversal
from codecarena.bench.analysis.significance import Paired
from codecarena.bench.records.rows import Score, ScoredCell

PICTURES = 8


def codec(
    name: str,
    natural: float,
    generated: float,
    *,
    spread: float = 0.0,
    seed: int = 0,
    pictures: int = PICTURES,
) -> list[ScoredCell]:
    """A codec at one multiple of the usual rates on natural pictures, and at another on AI-generated ones."""
    random = np.random.default_rng(seed)
    stored: list[ScoredCell] = []
    for kind, factor, generator in (("natural", natural, None), ("ai-generated", generated, "FLUX.1-dev")):
        factors = factor * np.exp(random.normal(0, spread, pictures))
        curves = {
            f"{kind}{place}": [(float(entry * 0.2 * 2**step), 28.0 + 3 * step) for step in range(4)]
            for place, entry in enumerate(factors)
        }
        stored += ladder_cells(name, curves, kind=kind, picture_generator=generator)
    return stored


def p_values(split: KindSplit) -> dict[str, float]:
    return {row.label: row.p_value for row in split.rows if row.p_value is not None}


def rows(split: KindSplit) -> dict[str, KindRow]:
    return {row.label: row for row in split.rows}


def test_levels_and_the_difference_are_ratios_of_rates() -> None:
    # Names are in no order of quality, and the anchor is neither first nor last.
    stored = [*codec("m", 1, 1), *codec("z", 0.5, 0.8), *codec("a", 2, 1.5)]
    split = split_by_kind(stored, PSNR, "m")
    assert [row.label for row in split.rows] == ["z", "a"]
    outcome = rows(split)
    values = {
        label: (row.natural.percent, row.generated.percent, row.difference) for label, row in outcome.items()
    }
    assert values["z"] == pytest.approx((-50, -20, 60), abs=1e-4)
    assert values["a"] == pytest.approx((100, 50, -25), abs=1e-4)
    assert (outcome["z"].natural.pictures, outcome["z"].generated.pictures) == (8, 8)
    assert outcome["z"].interval is not None
    assert outcome["z"].interval.low == pytest.approx(60, abs=1e-3)
    assert (split.natural_pictures, split.generated_pictures, split.of_pictures, split.set_aside) == (
        8,
        8,
        16,
        0,
    )
    assert (split.anchor, split.anchor_id, split.not_compared) == ("m", "id-m", ())


def test_a_difference_beyond_all_resamples_has_the_smallest_p_value() -> None:
    split = split_by_kind([*codec("m", 1, 1), *codec("z", 0.5, 0.8, spread=0.01)], PSNR, "m")
    assert p_values(split) == {"z": pytest.approx(1 / (RESAMPLES + 1))}
    assert split.order is not None
    assert split.order.p_value == pytest.approx(1 / (RESAMPLES + 1))


def alone_and_among(others: list[ScoredCell]) -> tuple[float, float]:
    """The p-value of a codec with a slight difference, alone and among others."""
    stored = [*codec("m", 1, 1), *codec("z", 1, 1.12, spread=0.12, seed=3)]
    alone, among = (p_values(split_by_kind(entry, PSNR, "m"))["z"] for entry in (stored, stored + others))
    return alone, among


def test_copies_of_a_codec_cost_no_correction_and_independent_ones_that_of_sidak() -> None:
    copies = [*codec("a", 1, 1.12, spread=0.12, seed=3), *codec("k", 1, 1.12, spread=0.12, seed=3)]
    alone, among = alone_and_among(copies)
    assert 0.001 < alone < 0.2
    assert among == alone
    independent = [
        entry
        for place, name in enumerate("abcdefgh")
        for entry in codec(name, 1, 1, spread=0.12, seed=10 + place)
    ]
    alone, among = alone_and_among(independent)
    # With eight more of them chance is as large as this nine times as often, less what falls together.
    assert among == pytest.approx(1 - (1 - alone) ** 9, rel=0.25)
    assert among > 3 * alone


def test_an_order_that_turns_around_has_tau_of_minus_one() -> None:
    stored = [*codec("m", 1, 1), *codec("z", 0.5, 2), *codec("a", 0.25, 4)]
    order = split_by_kind(stored, PSNR, "m").order
    assert order is not None
    assert (order.codecs, order.tau, order.tau_interval.low, order.tau_interval.high) == (3, -1.0, -1.0, -1.0)
    pairs = {
        (reversal.better_on_natural, reversal.better_on_generated): reversal for reversal in order.reversals
    }
    assert pairs.keys() == {("z", "m"), ("a", "m"), ("a", "z")}
    gains = {pair: (entry.natural, entry.generated) for pair, entry in pairs.items()}
    assert gains["z", "m"] == pytest.approx((-50, 100), abs=1e-3)
    assert gains["a", "m"] == pytest.approx((-75, 300), abs=1e-3)
    assert gains["a", "z"] == pytest.approx((-50, 100), abs=1e-3)
    assert all(reversal.shown for reversal in order.reversals)


def test_one_pair_of_three_in_another_order_has_tau_of_a_third() -> None:
    # On natural pictures z, a, m; on AI-generated ones a, z, m.
    stored = [*codec("m", 1, 1), *codec("z", 0.5, 0.8), *codec("a", 0.6, 0.7)]
    order = split_by_kind(stored, PSNR, "m").order
    assert order is not None
    assert order.tau == pytest.approx(1 / 3)
    (reversal,) = order.reversals
    assert (reversal.better_on_natural, reversal.better_on_generated) == ("z", "a")
    assert (reversal.natural, reversal.generated) == pytest.approx(
        (100 * (5 / 6 - 1), 100 * (8 / 7 - 1)), abs=1e-3
    )


def test_an_order_that_stays_has_tau_of_one_and_no_reversal() -> None:
    stored = [*codec("m", 1, 1), *codec("z", 0.5, 0.6), *codec("a", 2, 3)]
    order = split_by_kind(stored, PSNR, "m").order
    assert order is not None
    assert (order.tau, order.tau_interval.low, order.reversals) == (1.0, 1.0, ())


def test_reversals_stand_surest_first_and_doubtful_ones_are_not_shown() -> None:
    stored = [
        *codec("m", 1, 1, spread=0.02, seed=1),
        *codec("z", 0.9, 1.1, spread=0.02, seed=2),
        *codec("a", 0.97, 1.02, spread=0.12, seed=5),
    ]
    order = split_by_kind(stored, PSNR, "m").order
    assert order is not None
    p_of = [reversal.p_value for reversal in order.reversals if reversal.p_value is not None]
    assert p_of == sorted(p_of)
    assert (order.reversals[0].better_on_natural, order.reversals[0].better_on_generated) == ("z", "m")
    assert order.reversals[0].shown
    assert not order.reversals[-1].shown
    assert order.tau_interval.low is not None
    assert order.tau_interval.high is not None
    assert order.tau_interval.low < order.tau_interval.high


@pytest.mark.parametrize("doubtful", ["natural", "ai-generated"])
def test_a_reversal_is_as_doubtful_as_the_less_sure_of_its_two_orders(doubtful: str) -> None:
    sure, unsure = codec("z", 0.8, 1.2, spread=0.02), codec("z", 0.94, 1.06, spread=0.3, seed=3)
    z = [entry for entry in sure if entry.kind != doubtful] + [
        entry for entry in unsure if entry.kind == doubtful
    ]
    stored = [*codec("m", 1, 1), *z]
    order = split_by_kind(stored, PSNR, "m").order
    assert order is not None
    (reversal,) = order.reversals
    kind = frozenset(cell.picture_sha256 for cell in stored if cell.kind == doubtful)
    stream = 1 if doubtful == "natural" else 2
    all_of_them = Paired(
        compare(stored, PSNR),
        PSNR,
        pictures=kind,
        resampling_of=lambda count: usual_resampling(count, stream),
    )
    # One-sided, and of the one pair that there is.
    p_value = zero_test(all_of_them.against("id-m", "id-z")).p_value
    assert p_value is not None
    assert reversal.p_value == pytest.approx(p_value / 2)
    assert 0.05 < p_value / 2 < 0.5


@pytest.mark.parametrize(("p_value", "shown"), [(None, False), (SIGNIFICANCE, False), (0.0499, True)])
def test_a_reversal_is_shown_below_five_percent(p_value: float | None, shown: bool) -> None:
    assert Reversal("z", "a", -5.0, 5.0, p_value).shown == shown


@pytest.mark.parametrize(("kind", "statement"), [("natural", NONE_COMMON), ("ai-generated", NO_NATURAL)])
def test_without_a_picture_of_a_kind_nothing_is_said(kind: str, statement: str) -> None:
    stored = [entry for entry in [*codec("m", 1, 1), *codec("z", 0.5, 0.8)] if entry.kind == kind]
    split = split_by_kind(stored, PSNR, "m")
    assert (split.statement, split.order, p_values(split)) == (statement, None, {})
    (row,) = split.rows
    missing = row.natural if kind == "ai-generated" else row.generated
    assert (missing.pictures, missing.percent, missing.interval.reason) == (0, None, "no pictures")


def test_a_codec_beyond_the_anchors_scores_has_no_level_and_stands_last() -> None:
    beyond = [
        replace(entry, scores={PSNR.metric_id: Score(50 + (entry.scores[PSNR.metric_id].value or 0))})
        for entry in codec("a", 1, 1)
    ]
    stored = [*codec("m", 1, 1), *beyond, *codec("z", 3, 2), *codec("few", 1, 1, pictures=3)]
    split = split_by_kind(stored, PSNR, "m")
    assert [row.label for row in split.rows] == ["z", "a"]
    last = split.rows[-1]
    assert (last.natural.percent, last.natural.interval.reason, last.natural.pictures) == (
        None,
        "no overlap",
        8,
    )
    assert (last.difference, last.p_value) == (None, None)
    assert split.not_compared == ("few",)
    assert split.order is not None
    assert split.order.codecs == 2


def test_an_anchor_that_is_not_compared_leaves_no_row() -> None:
    stored = [*codec("m", 1, 1, pictures=3), *codec("z", 3, 2), *codec("a", 1, 1)]
    split = split_by_kind(stored, PSNR, "m")
    assert (split.rows, split.order, split.not_compared) == ((), None, ("m",))
    with pytest.raises(AnalysisError, match="no stored codec is called 'nobody'"):
        split_by_kind(stored, PSNR, "nobody")
