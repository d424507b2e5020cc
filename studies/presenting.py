"""Turn a study's progress and scales into lines, tables and records for the terminal and for reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeAlias

from .agreement import alpha
from .fit import fit
from .ledger import Ledger
from .ledger_votes import status, stored_votes, votes_of
from .models import MODELS
from .organise import StudyResult, finished, intact, plan_of
from .pair_counts import tally
from .records import StudyRow
from .review import GoldenAnswer, RaterReview, review
from .scale_results import Interval, ScaleError, StudyScale
from .votes import Kind

Record: TypeAlias = dict[str, Any]
"""Any: JSON, of records that differ."""

SIMULATED = "Simulated: programs answered, no person did. It says nothing about the codecs."


def study_records(ledger: Ledger) -> list[Record]:
    """Return one line for each study."""
    return [
        {
            "study": one.name,
            "state": one.state,
            "answers of": _answering(one),
            "raters": len((found := status(ledger, one)).raters),
            "votes": found.votes,
            "created": one.created_at[:16],
            "seal": one.sha256[:12],
        }
        for one in ledger.studies()
    ]


def _answering(study: StudyRow) -> str:
    if study.state == "imported":
        return "an import"
    return "simulated raters" if study.simulated else "people"


def status_lines(ledger: Ledger, name: str) -> tuple[list[str], Record]:
    """Return how far a study is, as sentences and as a record."""
    study = ledger.study(name)
    found = status(ledger, study)
    plan = plan_of(study)
    stages = Counter(one.stage if one.joined_at or plan is None else "not here yet" for one in found.raters)
    whole = plan is None or intact(ledger.known(study))
    ended = finished(ledger, study, plan) if plan else None
    lines = [
        f"study {study.label} is {study.state}"
        + (f" since {study.opened_at[:16]}" if study.opened_at else ""),
        f"seal {study.sha256[:16]}: "
        + ("plan and stimuli are as sealed" if whole else "BROKEN: rows changed"),
        "raters: " + (", ".join(f"{count} {stage}" for stage, count in sorted(stages.items())) or "none"),
        f"votes: {found.votes} on {found.pairs} pairs, {found.fewest_votes} to {found.most_votes} a pair",
    ]
    if plan and found.unproven:
        lines.append(f"display unproven: {found.unproven} votes, of all kinds")
    if found.withdrawn:
        lines.append(f"withdrawn: {found.withdrawn} raters with {found.withdrawn_votes} votes")
    if ended:
        lines.append(f"finished: {ended}")
    record = {
        "study": name,
        "simulated": study.simulated,
        "state": study.state,
        "sha256": study.sha256,
        "intact": whole,
        "finished": ended,
        **{key: value for key, value in asdict(found).items() if key not in ("study", "raters")},
        "raters": [asdict(one) for one in found.raters],
    }
    return lines, record


def result_record(result: StudyResult) -> Record:
    """Return a study's scales as JSON."""
    return {
        "study": result.study.name,
        "simulated": result.study.simulated,
        "sha256": result.study.sha256,
        "sealed": result.sealed,
        "excluded": [asdict(one) for one in result.excluded],
        "outcomes": [{"title": one.title, "scale": asdict(one.scale)} for one in result.outcomes],
    }


def result_tables(result: StudyResult) -> list[tuple[str, list[Record], list[str]]]:
    """Return title, rows and notes of each table of a study's scales."""
    tables: list[tuple[str, list[Record], list[str]]] = []
    for one in result.outcomes:
        scale = one.scale
        title = f"{result.study.label}: {scale.model}, {scale.unit}, {one.title}"
        tables.append((title, [_row(scale, at) for at in range(len(scale.conditions))], _notes(scale)))
    if not result.sealed:
        tables[0][2].insert(0, "the seal is BROKEN: plan or stimuli are not what was sealed")
    tables[-1][2].extend(f"excluded {one.rater}: {'; '.join(one.reasons)}" for one in result.excluded)
    return tables


def _row(scale: StudyScale, at: int) -> Record:
    one = scale.conditions[at]
    row: Record = {"condition": one.condition, scale.unit: f"{one.value:+.2f}"}
    if scale.components > 1:
        row["component"] = one.component + 1
    row["95 % by rater"] = _span(one.by_rater)
    row["by rater x picture"] = _span(one.by_rater_and_picture)
    row["rank"] = f"{one.rank_low}-{one.rank_high}" if one.rank_low < one.rank_high else str(one.rank_low)
    row["votes"] = f"{one.votes:g}"
    return row


def _span(interval: Interval | None) -> str:
    return f"{interval.low:+.2f} to {interval.high:+.2f}" if interval else "-"


def _notes(scale: StudyScale) -> list[str]:
    notes = [
        f"{scale.votes:g} votes of {scale.raters} raters on {scale.pictures} pictures; 0 is {_zero(scale)}"
    ]
    if scale.order_effect:
        effect = scale.order_effect
        notes.append(
            f"order effect {effect.value:+.2f} {scale.unit} for the first side, "
            f"{_span(effect.by_rater or effect.by_vote)}"
        )
    if scale.ties:
        notes.append(f"'no preference' in {scale.ties.share:.0%} of the votes")
    notes += [f"design effect {one.design_effect:.1f} by {one.scheme}" for one in scale.resampling]
    return [*notes, *scale.notes]


def _zero(scale: StudyScale) -> str:
    return scale.anchor or "the mean of all conditions"


def report_record(ledger: Ledger, result: StudyResult) -> Record:
    """Return everything that a report of a study holds."""
    study = result.study
    plan = plan_of(study)
    votes = votes_of(ledger, study, plan)
    agreement = alpha(votes, "ordinal")
    _, progress = status_lines(ledger, study.name)
    return {
        **result_record(result),
        "plan": study.plan,
        "status": progress,
        "tables": [
            {"title": title, "rows": rows, "notes": notes} for title, rows, notes in result_tables(result)
        ],
        "alpha": asdict(agreement),
        "review": [asdict(one) for one in reviews_of(ledger, result)],
        "events": [list(one) for one in ledger.events(study)],
    }


def reviews_of(ledger: Ledger, result: StudyResult) -> tuple[RaterReview, ...]:
    """Return the review of every rater by the scale of all votes; none where it cannot be fitted."""
    study = result.study
    plan = plan_of(study)
    votes = votes_of(ledger, study, plan)
    golden = [
        GoldenAnswer(
            one.content,
            one.first if one.golden_first else one.second,
            one.second if one.golden_first else one.first,
        )
        for one in stored_votes(ledger, study)
        if one.kind == "golden"
    ]
    model = MODELS[result.outcomes[0].scale.model]
    try:
        found = fit(tally(votes.of_kind(Kind.PLAIN)).pairs, model)
    except ScaleError:
        return ()
    return review(votes, found, golden)


def report_text(record: Record) -> str:
    """Return a report as Markdown."""
    progress = record["status"]
    lines = [f"# Study {record['study']}", "", f"Seal: `{record['sha256']}`", ""]
    if record["simulated"]:
        lines += [f"**{SIMULATED}**", ""]
    lines.append("Plan and stimuli are as sealed." if record["sealed"] else "**The seal is broken.**")
    lines += [
        "",
        f"{len(progress['raters'])} raters, {progress['votes']} votes on {progress['pairs']} pairs.",
    ]
    for table in record["tables"]:
        lines += ["", f"## {table['title']}", "", *_markdown(table["rows"]), ""]
        lines += [f"- {note}" for note in table["notes"]]
    value = record["alpha"]["value"]
    told = "not defined" if value is None else f"{value:.2f}"
    lines += ["", f"Krippendorff's alpha (ordinal): {told}. It is low near the threshold by design; no gate."]
    lines += ["", "## Raters", "", *_markdown([_reviewed(one) for one in record["review"]])]
    return "\n".join([*lines, "", "## Plan", "", "```toml", record["plan"].strip(), "```"])


def _reviewed(one: Mapping[str, Any]) -> Record:
    def share(of: Mapping[str, Any] | None) -> str:
        return f"{of['successes']}/{of['trials']}" if of else "-"

    return {
        "rater": one["rater"],
        "votes": one["votes"],
        "golden": share(one["golden"]),
        "repeats alike": share(one["repeats"]),
        "median, s": "-" if one["median_seconds"] is None else f"{one['median_seconds']:.1f}",
        "labels": ", ".join(one["labels"]) or "-",
    }


def _markdown(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    if not rows:
        return ["none"]
    head = list(rows[0])
    body = ["| " + " | ".join(str(row[name]) for name in head) + " |" for row in rows]
    return ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head), *body]
