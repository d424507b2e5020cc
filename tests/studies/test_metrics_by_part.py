"""Metrics against people on a kind of picture, in a band of rates, and on both."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest

from codecarena.studies.analysis.analysis import table
from codecarena.studies.analysis.human_metrics import MetricsAgainstPeople, PartAgreement, agreements
from codecarena.studies.analysis.metric_estimates import FEWEST_VOTES, MetricScores
from codecarena.studies.analysis.stimulus_parts import BANDS, EDGES, RateBand, parts_of
from codecarena.studies.design.simulation import Assumptions, simulate_votes
from codecarena.studies.organise.metric_findings import METRICS, metric_tables, part_tables, part_title
from codecarena.studies.scale.fit import fit
from codecarena.studies.scale.models import choose_model
from codecarena.studies.scale.pair_counts import TIE, Tally, tally

pytestmark = pytest.mark.xdist_group("metrics by part")

SCALE = {"original": 3.0} | {
    f"{name} {rate}": 2 * rate + better
    for rate in (0.1, 0.25, 0.5, 1.0)
    for name, better in (("x", 0), ("y", 0.3))
}
GENERATED, PICTURES = "generated", 20


def study(votes_per_rater: int = 150, raters: int = 30) -> Tally:
    assumed = Assumptions(SCALE, raters, pictures=PICTURES, votes_per_rater=votes_per_rater)
    return tally(simulate_votes(assumed, np.random.default_rng(5)))


def kinds(counted: Tally) -> dict[str, str]:
    return {picture: GENERATED if at % 2 else "natural" for at, picture in enumerate(counted.pictures)}


def rates(counted: Tally) -> dict[tuple[str, str], float]:
    return {(p, c): float(c.split()[1]) for p in counted.pictures for c in SCALE if c != "original"}


def scores(counted: Tally) -> list[MetricScores]:
    """A metric that knows the truth on natural pictures only, and one that always does."""
    random = np.random.default_rng(1)
    sure = {(p, c): value + random.normal(0, 0.05) for p in counted.pictures for c, value in SCALE.items()}
    lost = {
        (p, c): value if kinds(counted)[p] == "natural" else random.normal() for (p, c), value in sure.items()
    }
    return [table("sure", sure, counted), table("lost", lost, counted)]


def judged(counted: Tally, resamples: int = 12, **unknown: None) -> MetricsAgainstPeople:
    facts = {"kinds": kinds(counted), "rates": rates(counted)} | unknown
    fitted = fit(counted.pairs, choose_model("JOD", counted.pairs.has_ties))
    parts = parts_of(counted, facts["kinds"], facts["rates"], ("original",))
    return agreements(fitted, counted, scores(counted), parts, anchor="original", resamples=resamples)


@pytest.fixture(scope="module")
def whole() -> tuple[Tally, MetricsAgainstPeople]:
    counted = study()
    return counted, judged(counted, resamples=60)


def part(result: MetricsAgainstPeople, kind: str | None, band: RateBand | None = None) -> PartAgreement:
    [matching] = [part for part in result.parts if (part.kind, part.band) == (kind, band)]
    return matching


def test_parts_are_kinds_bands_and_both(whole: tuple[Tally, MetricsAgainstPeople]) -> None:
    _, result = whole
    groups = {(part.kind, part.band) for part in result.parts}
    expected = {(kind, band) for kind in (None, "natural", GENERATED) for band in (None, *BANDS)}
    assert groups == expected - {(None, None)}
    assert [band.title for band in BANDS] == [
        "below 0.18 bpp", "0.18 to 0.36 bpp", "0.36 to 0.65 bpp", "0.65 bpp and more"
    ]  # fmt: skip


def test_what_is_unknown_or_all_alike_makes_no_parts() -> None:
    counted = study(votes_per_rater=60, raters=12)
    nothing = judged(counted, kinds=None, rates=None)
    assert (nothing.parts, nothing.kinds) == ((), ())
    assert {part.band for part in judged(counted, rates=None).parts} == {None}
    one_band = dict.fromkeys(rates(counted), EDGES[0])
    assert {part.band for part in parts_of(counted, kinds(counted), one_band)} == {None}


def test_a_metric_that_is_lost_on_one_kind_is_found(whole: tuple[Tally, MetricsAgainstPeople]) -> None:
    _, result = whole
    accuracy = {
        kind: {metric.metric: metric.accuracy for metric in agreement.metrics}
        for kind in ("natural", GENERATED)
        if (agreement := part(result, kind).agreement)
    }
    assert accuracy["natural"]["lost"] == accuracy["natural"]["sure"] > 0.6
    assert accuracy[GENERATED]["lost"] == pytest.approx(0.5, abs=0.1)
    tests = {(kind.statistic, kind.metric): kind for kind in result.kinds}
    assert {test.first for test in tests.values()} == {GENERATED}
    for statistic in ("pairwise accuracy", "SRCC", "PLCC"):
        assert tests[statistic, "lost"].p_holm < 0.01, statistic
        assert tests[statistic, "lost"].difference < -0.1
        assert tests[statistic, "sure"].p_holm > 0.01, statistic
        span = tests[statistic, "sure"].interval
        assert span.low < 0 < span.high


def test_a_vote_between_bands_is_in_none_and_one_beside_the_original_in_one(
    whole: tuple[Tally, MetricsAgainstPeople],
) -> None:
    counted, result = whole
    names = counted.pairs.conditions
    rate = np.array([0.0 if name == "original" else float(name.split()[1]) for name in names])
    first, second = (rate[ends[counted.pair]] for ends in (counted.pairs.first, counted.pairs.second))
    decided = counted.outcome != TIE
    for band, wanted in zip(BANDS, (0.1, 0.25, 0.5, 1.0), strict=True):
        inside = np.isin(first, (0.0, wanted)) & np.isin(second, (0.0, wanted)) & decided
        agreement = part(result, None, band).agreement
        assert agreement is not None
        assert agreement.votes == counted.count[inside].sum()
        assert agreement.stimuli == 2 * PICTURES
    assert (
        sum(part.agreement.votes for part in result.parts if part.agreement and not part.kind)
        < result.whole.votes
    )


def test_the_kinds_share_out_the_votes(whole: tuple[Tally, MetricsAgainstPeople]) -> None:
    _, result = whole
    for band in (None, *BANDS):
        all_kinds = result.whole if band is None else part(result, None, band).agreement
        shares = [part(result, kind, band).agreement for kind in ("natural", GENERATED)]
        assert all_kinds is not None
        assert sum(share.votes for share in shares if share) == all_kinds.votes
        assert sum(share.pictures for share in shares if share) == all_kinds.pictures == PICTURES


def test_alone_in_its_picture_a_stimulus_has_no_correlation_without_an_anchor() -> None:
    counted = study()
    only = {key: rate for key, rate in rates(counted).items() if rate == 0.1 or key[1] == "x 0.5"}
    fitted = fit(counted.pairs, choose_model("JOD", counted.pairs.has_ties))
    result = agreements(
        fitted, counted, scores(counted), parts_of(counted, None, only, ("original",)), resamples=10
    )
    lone = part(result, None, BANDS[2]).agreement
    assert lone is not None
    # The original beside it makes two; without it there is nothing to compare with.
    assert lone.stimuli == 2 * PICTURES
    alone = agreements(fitted, counted, scores(counted), parts_of(counted, None, only), resamples=10)
    assert part(alone, None, BANDS[2]).agreement is None


def test_too_few_votes_say_nothing_and_why() -> None:
    counted = study(votes_per_rater=12, raters=6)
    result = judged(counted)
    silent = [part for part in result.parts if part.agreement is None]
    assert len(silent) >= 8
    assert all(f"too few, expected {FEWEST_VOTES} on 3 by 2" in str(part.reason) for part in silent)
    tables = {title: (rows, notes) for title, rows, notes in part_tables(result)}
    rows, notes = tables[f"{METRICS} by rate: SRCC"]
    assert "too few votes" in rows[-1].values()
    assert any(note.startswith(f"{GENERATED}, below 0.18 bpp: ") for note in notes)


def test_the_whole_is_the_same_with_and_without_parts() -> None:
    counted = study(votes_per_rater=60, raters=12)
    result = judged(counted)
    assert result.parts
    assert asdict(judged(counted, kinds=None, rates=None).whole) == asdict(result.whole)


def test_tables_and_json_hold_every_part(whole: tuple[Tally, MetricsAgainstPeople]) -> None:
    _, result = whole
    titles = [title for title, _, _ in part_tables(result)]
    assert titles == [
        f"{METRICS} by kind of picture", f"{METRICS} by rate: pairwise accuracy", f"{METRICS} by rate: SRCC"
    ]  # fmt: skip
    by_kind, by_rate, _ = (rows for _, rows, _ in part_tables(result))
    assert list(by_kind[0]) == ["statistic", "metric", GENERATED, "natural", "difference", "p (Holm)"]
    assert len(by_rate) == 2 * 3
    assert list(by_rate[0]) == ["metric", "pictures", "all rates", *(band.title for band in BANDS)]
    natural = part(result, "natural", BANDS[0])
    assert natural.agreement is not None
    assert (
        metric_tables(natural.agreement, f": {part_title(natural)}")[0][0]
        == f"{METRICS}: natural, below 0.18 bpp"
    )
    json.dumps(asdict(result), allow_nan=False)
