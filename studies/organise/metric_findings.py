"""Format how well metrics predict people as tables, for the whole study and by part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from ...counts import counted
from ..analysis.human_metrics import HumanAgreement, MetricAgreement, MetricsAgainstPeople, PartAgreement
from ..analysis.stimulus_parts import BANDS, RateBand
from .findings_text import Record, Table, p_value, with_span

METRICS = "Metrics against people"
BETWEEN = "Between metrics"
EVERY_RATE = "all rates"
EVERY_PICTURE = "all"
_TOO_FEW = "too few votes"


def metric_tables(agreement: HumanAgreement, of: str = "") -> list[Table]:
    """Return the metrics of one part, and how they differ from each other.

    Args:
        agreement: Of everything, or of a part.
        of: What part, for the titles.
    """
    rows: list[Record] = [
        {
            "metric": metric.metric,
            "accuracy": f"{metric.accuracy:.1%}",
            "accuracy, 95 %": f"{metric.accuracy_interval.low:.1%} to {metric.accuracy_interval.high:.1%}",
            "SRCC": with_span(metric.srcc, metric.srcc_interval),
            "PLCC": with_span(metric.plcc, metric.plcc_interval),
        }
        for metric in agreement.metrics
    ]
    notes = [
        f"{counted(agreement.votes, 'decided vote')} on {agreement.stimuli} stimuli of "
        f"{counted(agreement.pictures, 'picture')}; "
        f"no metric can be right on more than {agreement.ceiling:.1%} of these votes"
    ]
    differences: list[Record] = [
        {
            "statistic": difference.statistic,
            "metrics": f"{difference.first} - {difference.second}",
            "difference": with_span(difference.difference, difference.interval),
            "p (Holm)": p_value(difference.p_holm),
            "p (Meng et al.)": "-" if difference.p_meng is None else p_value(difference.p_meng),
        }
        for difference in agreement.differences
    ]
    tables: list[Table] = [(METRICS + of, rows, notes)]
    return [*tables, (BETWEEN + of, differences, [])] if differences else tables


def part_tables(metrics: MetricsAgainstPeople) -> list[Table]:
    """Return how the metrics do by kind of picture and by rate; none where all is of one kind and band."""
    tables = [_kinds(metrics)] if metrics.kinds else []
    if any(part.band for part in metrics.parts):
        tables += [_rates(metrics, statistic) for statistic in ("pairwise accuracy", "SRCC")]
    elif lacking := [_lack(part) for part in metrics.parts if part.reason]:
        tables.append((f"{METRICS} by kind of picture", [], lacking))
    return tables


def _kinds(metrics: MetricsAgainstPeople) -> Table:
    by_kind = {
        part.kind: part.agreement for part in metrics.parts if part.kind and not part.band and part.agreement
    }
    by_metric = {
        kind: {metric.metric: metric for metric in agreement.metrics} for kind, agreement in by_kind.items()
    }
    value: dict[str, Callable[[MetricAgreement], str]] = {
        "pairwise accuracy": _accuracy,
        "SRCC": lambda metric: with_span(metric.srcc, metric.srcc_interval),
        "PLCC": lambda metric: with_span(metric.plcc, metric.plcc_interval),
    }
    rows: list[Record] = [
        {
            "statistic": difference.statistic,
            "metric": difference.metric,
            **{
                kind: value[difference.statistic](by_metric[kind][difference.metric])
                for kind in (difference.first, difference.second)
            },
            "difference": with_span(difference.difference, difference.interval),
            "p (Holm)": p_value(difference.p_holm),
        }
        for difference in metrics.kinds
    ]
    notes = [f"{kind}: {_size(agreement)}" for kind, agreement in by_kind.items()]
    return f"{METRICS} by kind of picture", rows, [*notes, "p allows for all metrics"]


def _rates(metrics: MetricsAgainstPeople, statistic: Literal["pairwise accuracy", "SRCC"]) -> Table:
    """Return one statistic of every metric, a column for each band."""
    whole = PartAgreement(None, None, metrics.whole, None)
    parts = {(part.kind, part.band): part for part in (whole, *metrics.parts)}
    kinds = list(dict.fromkeys(kind for kind, _ in parts))
    bands: list[RateBand | None] = [None, *(band for band in BANDS if (None, band) in parts)]
    rows: list[Record] = []
    for kind in kinds:
        pictures: Record = {"pictures": kind or EVERY_PICTURE} if len(kinds) > 1 else {}
        rows += [
            {
                "metric": name,
                **pictures,
                **{band_title(band): _cell(parts[kind, band], name, statistic) for band in bands},
            }
            for name in (metric.metric for metric in metrics.whole.metrics)
        ]
    notes = [
        "a vote counts in a band if both pictures lie in it, or one does and the other is the original; "
        "rates are of whole pictures"
    ]
    notes += [_lack(part) for part in metrics.parts if part.reason]
    notes += [
        f"{part_title(part)}: {_size(part.agreement)}"
        for part in metrics.parts
        if part.agreement and part.kind is None
    ]
    return f"{METRICS} by rate: {statistic}", rows, notes


def _cell(part: PartAgreement, metric: str, statistic: Literal["pairwise accuracy", "SRCC"]) -> str:
    if part.agreement is None:
        return _TOO_FEW
    row = next(agreement for agreement in part.agreement.metrics if agreement.metric == metric)
    return _accuracy(row) if statistic == "pairwise accuracy" else with_span(row.srcc, row.srcc_interval)


def _accuracy(agreement: MetricAgreement) -> str:
    low, high = agreement.accuracy_interval.low, agreement.accuracy_interval.high
    return f"{agreement.accuracy:.0%} ({low:.0%} to {high:.0%})"


def _size(agreement: HumanAgreement) -> str:
    votes = f"{counted(agreement.votes, 'decided vote')} on {counted(agreement.pictures, 'picture')}"
    return f"{votes}, at most {agreement.ceiling:.0%} right"


def _lack(part: PartAgreement) -> str:
    return f"{part_title(part)}: {part.reason}"


def band_title(band: RateBand | None) -> str:
    """Return a band in words."""
    return EVERY_RATE if band is None else band.title


def part_title(part: PartAgreement) -> str:
    """Return a part in words."""
    words: Sequence[str] = [word for word in (part.kind, part.band and part.band.title) if word]
    return ", ".join(words)
