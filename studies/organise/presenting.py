"""Format a study's progress and scales as lines, tables and records for the terminal and for reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ...counts import counted
from ..analysis.choices import Outcome, StudyResult, intact, plan_of
from ..analysis.results import StudyResults
from ..analysis.screening import Exclusion
from ..ledger.imports import source_of
from ..ledger.ledger import Ledger
from ..ledger.votes import status
from ..records.records import StudyRow
from ..scale.scale_results import StudyScale
from .findings import findings, fooling
from .findings_text import Record, Table, span
from .metric_findings import METRICS
from .organise import finished

SIMULATED = "Simulated: programs answered, no person did. It says nothing about the codecs."


def study_records(ledger: Ledger) -> list[Record]:
    """Return one line for each study."""
    return [
        {
            "study": study.name,
            "state": study.state,
            "answers of": _answering(study),
            "raters": len((progress := status(ledger, study)).raters),
            "votes": progress.votes,
            "created": study.created_at[:16],
            "seal": study.sha256[:12],
        }
        for study in ledger.studies()
    ]


def _answering(study: StudyRow) -> str:
    if study.state == "imported":
        return "an import"
    return "simulated raters" if study.simulated else "people"


def status_lines(ledger: Ledger, name: str) -> tuple[list[str], Record]:
    """Return how far a study is, as sentences and as a record."""
    study = ledger.study(name)
    progress = status(ledger, study)
    plan = plan_of(study)
    stages = Counter(
        rater.stage if rater.joined_at or plan is None else "not here yet" for rater in progress.raters
    )
    whole = plan is None or intact(ledger.known(study))
    ended = finished(ledger, study, plan) if plan else None
    lines = [
        f"study {study.label} is {study.state}"
        + (
            f" since {since[:16].replace('T', ' ')} UTC"
            if (since := study.closed_at or study.opened_at)
            else ""
        ),
        f"seal {study.sha256[:16]}: "
        + ("plan and stimuli are as sealed" if whole else "BROKEN: rows changed"),
        "raters: " + (", ".join(f"{count} {stage}" for stage, count in sorted(stages.items())) or "none"),
        "scores that people gave elsewhere, no votes"
        if study.holds_scores
        else f"votes: {progress.votes} on {counted(progress.pairs, 'pair')}, "
        f"{progress.fewest_votes} to {progress.most_votes} a pair",
    ]
    if plan is None:
        lines.append(f"source: {source_of(study)}")
    if plan and progress.unproven:
        lines.append(f"display unproven: {counted(progress.unproven, 'vote')}, of all kinds")
    if progress.withdrawn:
        lines.append(
            f"withdrawn: {counted(progress.withdrawn, 'rater')} with "
            f"{counted(progress.withdrawn_votes, 'vote')}"
        )
    if ended:
        lines.append(f"finished: {ended}")
    record = {
        "study": name,
        "simulated": study.simulated,
        "state": study.state,
        "sha256": study.sha256,
        "intact": whole,
        "finished": ended,
        **{key: value for key, value in asdict(progress).items() if key not in ("study", "raters")},
        "raters": [asdict(rater) for rater in progress.raters],
    }
    return lines, record


def result_record(result: StudyResult) -> Record:
    """Return a study's scales as JSON."""
    return {
        "study": result.study.name,
        "simulated": result.study.simulated,
        "sha256": result.study.sha256,
        "sealed": result.sealed,
        "excluded": [asdict(exclusion) for exclusion in result.excluded],
        "outcomes": [{"title": outcome.title, "scale": asdict(outcome.scale)} for outcome in result.outcomes],
    }


def result_tables(result: StudyResult) -> list[Table]:
    """Return title, rows and notes of each table of a study's scales."""
    tables = scale_tables(result.study.label, result.outcomes, result.excluded, result.sealed)
    if result.study.state == "imported":
        tables[0][2].append(source_of(result.study))
    return tables


def scale_tables(
    label: str, outcomes: Sequence[Outcome], exclusions: Sequence[Exclusion], sealed: bool
) -> list[Table]:
    """Return a table for each scale of a study.

    Args:
        label: Of the study, for the titles.
        outcomes: Every scale, that of all raters first.
        exclusions: Who the stricter scales leave out, and why.
        sealed: Whether plan and stimuli are still those that were sealed.
    """
    tables: list[Table] = []
    for outcome in outcomes:
        scale = outcome.scale
        title = f"{label}: {scale.model}, {scale.unit}, {outcome.title}"
        tables.append((title, [_row(scale, at) for at in range(len(scale.conditions))], _notes(scale)))
    if not sealed:
        tables[0][2].insert(0, "the seal is BROKEN: plan or stimuli are not what was sealed")
    # The second table is the scale without them, unless nothing would be left.
    tables[min(1, len(tables) - 1)][2].extend(
        f"excluded {exclusion.rater}: {'; '.join(exclusion.reasons)}" for exclusion in exclusions
    )
    return tables


def _row(scale: StudyScale, at: int) -> Record:
    condition = scale.conditions[at]
    row: Record = {"condition": condition.condition, scale.unit: f"{condition.value:+.2f}"}
    if scale.components > 1:
        row["component"] = condition.component + 1
    if scale.resampling:
        row["95 % by rater"] = span(condition.by_rater)
        row["by rater x picture"] = span(condition.by_rater_and_picture)
    else:
        row["95 % by vote"] = span(condition.by_vote)
    row["rank"] = (
        f"{condition.rank_low}-{condition.rank_high}"
        if condition.rank_low < condition.rank_high
        else str(condition.rank_low)
    )
    row["votes"] = f"{condition.votes:g}"
    return row


def _notes(scale: StudyScale) -> list[str]:
    notes = [f"{counted(scale.votes, 'vote')} of {_raters(scale)}; 0 is {_zero(scale)}"]
    if scale.order_effect:
        effect = scale.order_effect
        notes.append(
            f"order effect {effect.value:+.2f} {scale.unit} for the first side, "
            f"{span(effect.by_rater or effect.by_vote)}"
        )
    if scale.ties:
        notes.append(f"'no preference' in {scale.ties.share:.0%} of the votes")
    notes += [
        f"design effect {resampling.design_effect:.1f} by {resampling.scheme}"
        for resampling in scale.resampling
    ]
    return [*notes, *scale.notes]


def _raters(scale: StudyScale) -> str:
    return (
        f"{counted(scale.raters, 'rater')} on {counted(scale.pictures, 'picture')}"
        if scale.raters
        else "unknown raters"
    )


def _zero(scale: StudyScale) -> str:
    return scale.anchor or "the mean of all conditions"


def report_tables(results: StudyResults) -> list[Table]:
    """Return every table of a study's report: its scales, then all that is said of them."""
    scales = scale_tables(results.label, results.outcomes, results.excluded, results.sealed)
    if results.question:
        scales[0][2].insert(0, f'asked "{results.question}" ({results.presentation})')
    tables = [*scales, *fooling(results.fool_rates), *findings(results.analysis)]
    # What is missing belongs under the metrics, or where they would be.
    under = next((notes for title, _, notes in tables if title == METRICS), scales[0][2])
    under.extend(results.notes)
    return [
        (title if results.label in title else f"{results.label}: {title}", rows, notes)
        for title, rows, notes in tables
    ]


def report_record(ledger: Ledger, results: StudyResults) -> Record:
    """Return everything that a report of a study holds: unrounded numbers, and the tables as shown."""
    study = ledger.study(results.study)
    _, progress = status_lines(ledger, study.name)
    kept = asdict(results)
    for shown_as_outcome in ("scale", "without_flagged"):
        del kept["analysis"][shown_as_outcome]
    del kept["stricter"]
    return {
        **kept,
        "sha256": study.sha256,
        "outcomes": [
            {"title": outcome.title, "scale": asdict(outcome.scale)} for outcome in results.outcomes
        ],
        "plan": study.plan,
        "status": progress,
        "tables": [
            {"title": title, "rows": rows, "notes": notes} for title, rows, notes in report_tables(results)
        ],
        "events": [list(event) for event in ledger.events(study)],
    }


def report_text(record: Record) -> str:
    """Return a report as Markdown."""
    progress = record["status"]
    lines = [f"# Study {record['label']}", "", f"Seal: `{record['sha256']}`", ""]
    if record["simulated"]:
        lines += [f"**{SIMULATED}**", ""]
    lines.append("Plan and stimuli are as sealed." if record["sealed"] else "**The seal is broken.**")
    lines += [
        "",
        f"{len(progress['raters'])} raters, {progress['votes']} votes on {progress['pairs']} pairs."
        if progress["votes"]
        else "Scores that people gave elsewhere.",
    ]
    for table in record["tables"]:
        lines += ["", f"## {table['title']}", "", *_markdown(table["rows"]), ""]
        lines += [f"- {note}" for note in table["notes"]]
    return "\n".join([*lines, "", "## Plan", "", "```toml", record["plan"].strip(), "```"])


def _markdown(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    if not rows:
        return ["none"]
    head = list(rows[0])
    body = ["| " + " | ".join(_cell(row[name]) for name in head) + " |" for row in rows]
    return ["| " + " | ".join(_cell(name) for name in head) + " |", "|" + " --- |" * len(head), *body]


def _cell(value: object) -> str:
    """Return a cell that ends neither its column nor its row: names of conditions are not ours."""
    return " ".join(str(value).split()).replace("|", "\\|")
