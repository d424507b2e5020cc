"""Format what imported scores say as tables and records: scores, metrics, rates at equal human quality."""

from __future__ import annotations

from dataclasses import asdict

from ..analysis.human_rate import HumanBdRate
from ..analysis.score_results import ScoredCondition, ScoreResults
from ..ledger.ledger import Ledger
from .findings_text import Record, Table, with_span
from .metric_findings import METRICS

RATE = "Rate at equal human quality"


def score_tables(results: ScoreResults) -> list[Table]:
    """Return title, rows and notes of each table of an import of scores."""
    scale, of = results.scale, results.label
    best = "more is better" if scale.better == "higher" else "less is better"
    notes = [f"{results.source}; {best}"]
    if scale.level is not None:
        notes.append(f"intervals as published, of {scale.level:g} %")
    if not results.metrics:
        notes += results.notes or ["no metric is compared: none of the conditions is a stored setting"]
    tables: list[Table] = [
        (f"{of}: {scale.name}", [_score(results, value) for value in results.values], notes)
    ]
    if results.metrics:
        tables.append(_correlations(results))
    if results.bd_rates:
        tables.append((f"{of}: {RATE}", [_bd_row(rate) for rate in results.bd_rates], [_bd_note(results)]))
    return tables


def _correlations(results: ScoreResults) -> Table:
    """Return how the metrics go with the scores, and what is missing."""
    rows: list[Record] = [
        {
            "metric": metric.metric,
            "SRCC": with_span(metric.srcc, metric.srcc_interval),
            "PLCC": with_span(metric.plcc, metric.plcc_interval),
        }
        for metric in results.metrics
    ]
    compared = f"{results.points} conditions; metrics are means over {len(results.pictures)} pictures"
    if results.per_picture:
        compared = f"{results.points} scores of single pictures, compared across pictures, not within each"
    drawn = "95 % intervals for these conditions: pictures drawn anew, scores within their own intervals"
    return f"{results.label}: {METRICS}", rows, [f"{compared}; {drawn}", *results.notes]


def score_record(ledger: Ledger, results: ScoreResults) -> Record:
    """Return everything that a report of imported scores holds: unrounded numbers, and the tables."""
    study = ledger.study(results.study)
    return {
        **asdict(results),
        "simulated": False,
        "sealed": True,
        "sha256": study.sha256,
        "plan": study.plan,
        "status": {"raters": [], "votes": 0, "pairs": 0},
        "tables": [
            {"title": title, "rows": rows, "notes": notes} for title, rows, notes in score_tables(results)
        ],
    }


def _score(results: ScoreResults, value: ScoredCondition) -> Record:
    score, level = value.score, results.scale.level
    row: Record = {"condition": score.condition}
    if results.per_picture:
        row["picture"] = score.picture
    row[results.scale.name] = f"{score.score:g}"
    if level is not None:
        row[f"{level:g} %"] = "-" if score.low is None else f"{score.low:g} to {score.high:g}"
    row["codec"] = value.codec or "-"
    row["setting"] = value.setting or "-"
    row["bits/pixel"] = "-" if value.bits_per_pixel is None else f"{value.bits_per_pixel:.3f}"
    return row


def _bd_row(rate: HumanBdRate) -> Record:
    percent = rate.bd_rate.percent
    return {
        "codec": rate.codec,
        f"rate against {rate.anchor}": rate.bd_rate.reason if percent is None else f"{percent:+.1f} %",
        "95 %": "-" if rate.low is None or rate.high is None else f"{rate.low:+.1f} to {rate.high:+.1f} %",
    }


def _bd_note(results: ScoreResults) -> str:
    return (
        f"minus: fewer bits at equal {results.scale.name}; of the scores over mean bits per pixel (BD-rate); "
        "interval: pictures drawn anew, scores within their own intervals"
    )
