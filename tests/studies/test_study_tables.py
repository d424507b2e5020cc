"""The tables of a scale and the page of a report, from a scale whose numbers all differ."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest

from codecarena.studies.analysis.choices import Outcome, StudyResult
from codecarena.studies.analysis.screening import Exclusion
from codecarena.studies.organise import presenting
from codecarena.studies.records.records import StudyRow
from codecarena.studies.scale.scale_results import (
    ConditionScale,
    Interval,
    OrderEffect,
    Resampling,
    StudyScale,
    TieEffect,
)

STUDY = StudyRow(1, "small", "simulated = true", "abc", "open", "", "2026-01-02T03:04:05", None, None)


def scale(**changed: Any) -> StudyScale:
    """Return a scale of two conditions with numbers that all differ."""
    wide, narrow = Interval(-0.5, 1.25, 0.4), Interval(0.1, 0.6, 0.2)
    conditions = (
        ConditionScale("a", 0, 1.234, narrow, wide, Interval(1.0, 1.5, 0.1), 1, 1, 2, 12.0),
        ConditionScale("b", 0, -0.567, None, None, Interval(-1.0, 0.0, 0.2), 2, 2, 2, 7.5),
    )
    resampling = (Resampling("rater", 1000, 0, 5, 2.345), Resampling("rater x picture", 1000, 0, 5, 3.21))
    columns: dict[str, Any] = dict.fromkeys(StudyScale.__dataclass_fields__)
    columns |= {
        "model": "davidson", "unit": "JOD", "anchor": "b", "raters": 5, "pictures": 3, "votes": 19.5,
        "conditions": conditions, "components": 1, "resampling": resampling, "notes": ("mind the gap",),
    }  # fmt: skip
    return StudyScale(**(columns | changed))


def tables(*outcomes: Outcome, excluded: tuple[Exclusion, ...] = (), sealed: bool = True) -> list[Any]:
    return presenting.scale_tables("small", outcomes, excluded, sealed)


def test_a_scale_is_a_row_a_condition() -> None:
    [(title, rows, notes)] = tables(Outcome("all raters", scale()))
    assert title == "small: davidson, JOD, all raters"
    assert rows == [
        {
            "condition": "a", "JOD": "+1.23", "95 % by rater": "+0.10 to +0.60",
            "by rater x picture": "-0.50 to +1.25", "rank": "1-2", "votes": "12",
        },
        {
            "condition": "b", "JOD": "-0.57", "95 % by rater": "-", "by rater x picture": "-", "rank": "2",
            "votes": "7.5",
        },
    ]  # fmt: skip
    assert notes == [
        "19.5 votes of 5 raters on 3 pictures; 0 is b",
        "design effect 2.3 by rater",
        "design effect 3.2 by rater x picture",
        "mind the gap",
    ]


def test_a_scale_without_raters_says_so_and_of_two_components_names_each() -> None:
    conditions = scale().conditions
    apart = (conditions[0], dataclasses.replace(conditions[1], component=1))
    [(_, rows, notes)] = tables(
        Outcome("all raters", scale(raters=0, anchor=None, resampling=(), components=2, conditions=apart))
    )
    assert [row["component"] for row in rows] == [1, 2]
    assert [row["95 % by vote"] for row in rows] == ["+1.00 to +1.50", "-1.00 to +0.00"]
    assert "95 % by rater" not in rows[0]
    assert notes[0] == "19.5 votes of unknown raters; 0 is the mean of all conditions"


@pytest.mark.parametrize(
    ("by_rater", "cell"), [(Interval(0.1, 0.3, 0.05), "+0.10 to +0.30"), (None, "+0.05 to +0.35")]
)
def test_notes_tell_the_order_effect_by_rater_where_there_are_several_and_ties(
    by_rater: Interval | None, cell: str
) -> None:
    order: Any = OrderEffect(0.2, Interval(0.05, 0.35, 0.07), by_rater, None, 0.6, 0.01)  # type: ignore[arg-type]
    ties = TieEffect("log nu", 0.1, 0.01, 0.3, 0.256)
    [(_, _, notes)] = tables(Outcome("all raters", scale(order_effect=order, ties=ties)))
    assert notes[1:3] == [
        f"order effect +0.20 JOD for the first side, {cell}",
        "'no preference' in 26% of the votes",
    ]


def test_who_is_excluded_is_told_under_the_scale_without_them() -> None:
    left_out = (Exclusion("r1", ("too quick", "golden")), Exclusion("r2", ("odd",)))
    exclusion_notes = ["excluded r1: too quick; golden", "excluded r2: odd"]
    all_raters, without = Outcome("all raters", scale()), Outcome("without", scale())
    two = tables(all_raters, without, excluded=left_out, sealed=False)
    assert two[1][2][-2:] == exclusion_notes
    assert not any("excluded" in note for note in two[0][2])
    assert two[0][2][0].startswith("the seal is BROKEN")
    assert not two[1][2][0].startswith("the seal")
    assert tables(all_raters, excluded=left_out)[0][2][-2:] == exclusion_notes
    three = tables(all_raters, without, Outcome("proven", scale()), excluded=left_out)
    assert [any("excluded" in note for note in notes) for _, _, notes in three] == [False, True, False]
    assert (
        presenting.result_tables(StudyResult(STUDY, True, (all_raters,), left_out))[0][2][-2:]
        == exclusion_notes
    )


def test_a_result_is_a_record_of_unrounded_numbers() -> None:
    left_out = Exclusion("r1", ("odd",))
    record = presenting.result_record(StudyResult(STUDY, False, (Outcome("all", scale()),), (left_out,)))
    assert (record["study"], record["simulated"], record["sha256"], record["sealed"]) == (
        "small", True, "abc", False,
    )  # fmt: skip
    assert record["excluded"] == [{"rater": "r1", "reasons": ("odd",)}]
    [outcome] = record["outcomes"]
    assert (outcome["title"], outcome["scale"]["conditions"][0]["value"]) == ("all", 1.234)


@pytest.mark.parametrize("metrics", [True, False])
def test_what_is_missing_is_told_under_the_metrics_or_under_the_scale(
    monkeypatch: pytest.MonkeyPatch, metrics: bool
) -> None:
    others: list[Any] = [("small: Zeal", [], []), ("Agreement", [], ["alpha"])]
    if metrics:
        others.append((presenting.METRICS, [], ["mean"]))
    monkeypatch.setattr(presenting, "fooling", lambda rates: [("Fooled", [], [f"{rates} times"])])
    monkeypatch.setattr(presenting, "findings", lambda _: others)
    results: Any = SimpleNamespace(
        label="small", outcomes=(Outcome("all", scale()), Outcome("strict", scale())), excluded=(),
        sealed=True, question="Which?", presentation="flip", fool_rates=3, analysis=None, notes=("no score",),
    )  # fmt: skip
    notes_of = {title: notes for title, _, notes in presenting.report_tables(results)}
    scales = [f"small: davidson, JOD, {which}" for which in ("all", "strict")]
    assert list(notes_of) == [
        *scales,
        "small: Fooled",
        "small: Zeal",
        "small: Agreement",
        *([f"small: {presenting.METRICS}"] * metrics),
    ]
    assert notes_of[scales[0]][0] == 'asked "Which?" (flip)'
    assert notes_of["small: Fooled"] == ["3 times"]
    under = f"small: {presenting.METRICS}" if metrics else scales[0]
    assert [title for title, notes in notes_of.items() if "no score" in notes] == [under]
    results.question = ""
    assert not any("asked" in note for _, _, notes in presenting.report_tables(results) for note in notes)


@pytest.mark.parametrize("simulated", [True, False])
def test_a_report_is_a_page_of_tables(simulated: bool) -> None:
    rows = [{"condition": "a | b", "votes": 3}, {"condition": "c\n d", "votes": 4}]
    record = {
        "label": "small", "sha256": "abc", "simulated": simulated, "sealed": not simulated,
        "status": {"raters": [1, 2], "votes": 7, "pairs": 3}, "plan": "\nname = 1\n",
        "tables": [
            {"title": "first", "rows": rows, "notes": ["mind"]}, {"title": "second", "rows": [], "notes": []}
        ],
    }  # fmt: skip
    said = [f"**{presenting.SIMULATED}**", ""] if simulated else []
    assert presenting.report_text(record).split("\n") == [
        "# Study small", "", "Seal: `abc`", "", *said,
        "**The seal is broken.**" if simulated else "Plan and stimuli are as sealed.",
        "", "2 raters, 7 votes on 3 pairs.",
        "", "## first", "", "| condition | votes |", "| --- | --- |", "| a \\| b | 3 |", "| c d | 4 |", "",
        "- mind",
        "", "## second", "", "none", "",
        "", "## Plan", "", "```toml", "name = 1", "```",
    ]  # fmt: skip
