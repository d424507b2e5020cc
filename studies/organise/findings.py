"""Format the analysis of a study as tables for terminals and reports."""

from __future__ import annotations

from collections.abc import Sequence

from ...counts import counted
from ..analysis.analysis import StudyAnalysis
from ..analysis.fool_rate import FoolRate
from ..analysis.heterogeneity import Heterogeneity
from ..analysis.human_rate import HumanBdRate
from ..analysis.review import Proportion
from ..scale.goodness import FEWEST_RATERS
from ..scale.scale_results import GoodnessOfFit
from .findings_text import Record, Table, p_value, percent_span, span
from .metric_findings import metric_tables, part_tables

SHOWN_PAIRS = 45


def findings(analysis: StudyAnalysis) -> list[Table]:
    """Return everything an analysis says beyond the scale itself: tests, fit, rates, metrics, raters."""
    tables = [_pairs(analysis), _fit(analysis)]
    if analysis.by_kind:
        tables.append(_kinds(analysis.by_kind, analysis.scale.unit))
    if analysis.bd_rates:
        notes = ["minus: fewer bits at equal human quality; of the scale over mean bits per pixel (BD-rate)"]
        tables.append(
            ("Rate at equal human quality", [_bd_row(bd_rate) for bd_rate in analysis.bd_rates], notes)
        )
    if analysis.metrics:
        tables += [*metric_tables(analysis.metrics.whole), *part_tables(analysis.metrics)]
    if analysis.reviews:
        tables.append(_raters(analysis))
    return tables


def fooling(rates: Sequence[FoolRate]) -> list[Table]:
    """Return how often coded pictures were preferred to the hidden original; no table where it was not."""
    rows: list[Record] = [
        {
            "condition": rate.condition,
            "preferred to the original": "-" if rate.rate is None else f"{rate.rate:.0%}",
            "95 % by rater": percent_span(rate.by_rater),
            "no preference": f"{rate.no_preference} of {rate.votes}",
        }
        for rate in rates
    ]
    notes = ["of the votes that decided; 50 % where people cannot tell the two apart"]
    return [("Against the original", rows, notes)] if rows else []


def _pairs(analysis: StudyAnalysis) -> Table:
    """Return the pairs with the smallest p first."""
    scale = analysis.scale
    tests = sorted(scale.pairs, key=lambda pair: (pair.p_holm, pair.p))
    rows: list[Record] = [
        {
            "pair": f"{test.first} - {test.second}",
            scale.unit: f"{test.difference:+.2f}",
            "first preferred": f"{test.preferred:.0%}",
            "95 % by rater": span(test.by_rater),
            "by rater x picture": span(test.by_rater_and_picture),
            "p (Holm)": p_value(test.p_holm),
        }
        for test in tests[:SHOWN_PAIRS]
    ]
    notes = [f"tested by {scale.tested_by}, two-sided, allowing for all {counted(len(tests), 'pair')}"]
    if len(tests) > SHOWN_PAIRS:
        notes.append(f"{len(tests) - SHOWN_PAIRS} more pairs with larger p")
    return "Pairs", rows, notes


def _fit(analysis: StudyAnalysis) -> Table:
    """Return the tests of whether one scale tells the truth about these votes."""
    fit, order, nominal = analysis.scale.goodness, analysis.transitivity, analysis.alpha
    rows: list[Record] = [
        {
            "question": "Are all conditions equal?",
            "answer": f"smallest p of a pair {p_value(analysis.scale.equality_p)}, allowing for all pairs",
        },
        {"question": "Does the model fit the pairs?", "answer": _goodness(fit)},
    ]
    if analysis.by_picture:
        same = _pictures(analysis.by_picture, analysis.scale.unit)
        rows.append({"question": "Is the scale the same in all pictures?", "answer": same})
    violations = f"{order.weak} weak and {order.strong} strong violations in {order.triples} triples"
    rows.append({"question": "Do majorities form an order?", "answer": violations})
    if order.consistency is not None:
        within = f"{order.circular_triads} circular triads in {order.complete_sets} sets"
        rows.append({"question": "Do single raters?", "answer": f"{within}, zeta {order.consistency:.2f}"})
    if nominal.value is not None and analysis.ordinal_alpha.value is not None:
        both = f"alpha {nominal.value:.2f} nominal, {analysis.ordinal_alpha.value:.2f} ordinal"
        rows.append({"question": "Do raters agree with each other?", "answer": both})
    return "Fit", rows, []


def _goodness(fit: GoodnessOfFit) -> str:
    distance = f"G2 {fit.g2:.1f}, X2 {fit.pearson:.1f} on {fit.degrees}"
    if fit.p is None:
        return f"{distance}; not tested: expected at least {FEWEST_RATERS} raters"
    return f"{distance}, p {p_value(fit.p)} by {fit.p_by}"


def _kinds(heterogeneity: Heterogeneity, unit: str) -> Table:
    rows: list[Record] = [
        {
            "condition": shift.condition,
            heterogeneity.groups[0]: f"{shift.first:+.2f}",
            heterogeneity.groups[1]: f"{shift.second:+.2f}",
            "p": p_value(shift.p_permuted),
        }
        for shift in heterogeneity.shifts
    ]
    notes = (
        []
        if heterogeneity.p_permuted is None
        else [f"p {p_value(heterogeneity.p_permuted)}, exchanging kinds among pictures"]
    )
    return f"Does the scale depend on the kind of picture? ({unit})", rows, notes


def _pictures(heterogeneity: Heterogeneity, unit: str) -> str:
    if heterogeneity.p_permuted is None:
        return f"not tested: {heterogeneity.reason}"
    p = f"p {p_value(heterogeneity.p_permuted)}, exchanging pictures within raters"
    return f"{p}; a condition differs by about {heterogeneity.spread:.2f} {unit} between pictures"


def _bd_row(saving: HumanBdRate) -> Record:
    percent = saving.bd_rate.percent
    interval = (
        "-" if saving.low is None or saving.high is None else f"{saving.low:+.1f} to {saving.high:+.1f} %"
    )
    return {
        "codec": saving.codec,
        f"rate against {saving.anchor}": saving.bd_rate.reason if percent is None else f"{percent:+.1f} %",
        "95 % by rater x picture": interval,
        "undefined resamples": f"{saving.undefined} of {saving.resamples}" if saving.resamples else "-",
    }


def _raters(analysis: StudyAnalysis) -> Table:
    """Return the review of every rater; labels are for a person to judge, no vote is deleted."""
    rows: list[Record] = [
        {
            "rater": review.rater,
            "votes": review.votes,
            "golden right": _of(review.golden),
            "repeats alike": _of(review.repeats) + _expected(review.expected_repeats),
            "first side": _share(review.first_share) + _expected(review.expected_first_share),
            "fit": "-" if review.fit is None else f"{review.fit:.2f}",
            "median": "-" if review.median_seconds is None else f"{review.median_seconds:.1f} s",
            "labels": ", ".join(review.labels) or "-",
        }
        for review in analysis.reviews
    ]
    golden = [review.golden for review in analysis.reviews if review.golden]
    notes = [
        "in brackets: what the scale expects; fit: mean log10 likelihood by the scale of all others, "
        + ("each picture's own" if _by_picture(analysis) else "one for all pictures")
    ]
    if golden:
        right = sum(proportion.successes for proportion in golden)
        asked = sum(proportion.trials for proportion in golden)
        notes.append(f"golden trials: {right} of {asked} right, {right / asked:.0%}")
    identical = [
        sum(ends)
        for ends in zip(
            *((review.identical_first, review.identical_second) for review in analysis.reviews), strict=True
        )
    ]
    if any(identical):
        notes.append(f"identical pairs: the first preferred {identical[0]} times, the second {identical[1]}")
    return "Raters", rows, notes


def _by_picture(analysis: StudyAnalysis) -> bool:
    return any(review.judged_by == "each picture" for review in analysis.reviews)


def _of(proportion: Proportion | None) -> str:
    return f"{proportion.successes} of {proportion.trials}" if proportion else "-"


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _expected(share: float | None) -> str:
    return "" if share is None else f" ({share:.0%})"
