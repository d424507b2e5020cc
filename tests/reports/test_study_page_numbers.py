"""The numbers of studies on the dashboard's pages: each under its own name, in its own unit."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from drawn import Drawn

from codecarena.reports.charts import study_tables
from codecarena.reports.charts.chart_points import SpanPoint
from codecarena.reports.views import organiser, people, study_work
from codecarena.studies.analysis.stimulus_parts import BANDS, RateBand
from codecarena.studies.scale.scale_results import ScaleError


def rater(stage: str, joined: str | None = "2026-01-01T00:00") -> Any:
    return SimpleNamespace(stage=stage, joined_at=joined)


def test_the_numbers_of_a_study_each_stand_under_their_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    page = Drawn()
    monkeypatch.setattr(study_work, "st", page)
    status: Any = SimpleNamespace(
        raters=[rater("done"), rater("done"), rater("trials"), rater("consent", None)],
        votes=1234, fewest_votes=2, most_votes=9, pairs=17, unproven=5,
    )  # fmt: skip
    study_work._numbers(status)
    assert page.of("metric") == [
        ("Raters finished", "2 of 4"), ("Votes", "1\N{NARROW NO-BREAK SPACE}234"), ("Votes a pair", "2…9"),
        ("Display unproven", "5"),
    ]  # fmt: skip
    assert page.columns_of("metric") == [0, 1, 2, 3]
    assert page.named("metric", "help")[0] == "3 have joined."
    assert page.named("metric", "help")[2] == "Fewest and most of 17 pairs."


def test_a_simulation_tells_the_hardest_pair_and_what_it_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    page, tables = Drawn(), []
    monkeypatch.setattr(study_work, "st", page)
    monkeypatch.setattr(study_work, "show", tables.append)
    pairs = [SimpleNamespace(first="a", second="b", difference=-0.5, power=0.914, width=0.333),
             SimpleNamespace(first="a", second="c", difference=1.0, power=0.256, width=0.777)]  # fmt: skip
    simulation: Any = SimpleNamespace(pairs=pairs, width=0.555, votes=4321, minutes_per_rater=12.4, cost=98.7,
                                 studies=50,
                                 scheme="rater", unusable=2)  # fmt: skip
    study_work._show_simulation(simulation)
    narrow = "\N{NARROW NO-BREAK SPACE}"
    assert page.of("metric") == [
        ("Power, hardest pair", "26%"), ("Interval width", "0.56 JOD"), ("Votes", f"4{narrow}321"),
        ("Minutes a rater", "12"), ("Cost", "99"),
    ]  # fmt: skip
    assert page.columns_of("metric") == [0, 1, 2, 3, 4]
    (table,) = tables
    assert [[entry.text for entry in row.entries] for row in table.rows] == [
        ["a − b", "−0.50", "91 %", "0.33"], ["a − c", "+1.00", "26 %", "0.78"],
    ]  # fmt: skip
    assert table.notes == ("Simulated: 50 studies; intervals and tests by rater.", "2 of them gave no scale.")
    simulation.unusable = 0
    study_work._show_simulation(simulation)
    assert len(tables[1].notes) == 1


@pytest.mark.parametrize(
    ("band", "text"),
    [(None, "all"), (BANDS[0], "0-0.18"), (RateBand(0.25, 0.5), "0.25-0.5"), (RateBand(0.65, None), "0.65-")],
)
def test_a_band_of_rates_in_the_address(band: RateBand | None, text: str) -> None:
    assert people._address(band) == text


def test_metrics_are_drawn_with_their_accuracy_in_percent(monkeypatch: pytest.MonkeyPatch) -> None:
    points: list[SpanPoint] = []
    titles: list[tuple[str, float]] = []

    def spans(span_points: list[SpanPoint], **named: Any) -> None:
        points.extend(span_points)
        titles.append((named["title"], named["ceiling"]))

    monkeypatch.setattr(people, "st", Drawn())
    monkeypatch.setattr(people, "spans", spans)
    ends = SimpleNamespace(low=0.5, high=0.875)
    people._chart(
        SimpleNamespace(  # type: ignore[arg-type]
            ceiling=0.914, metrics=[SimpleNamespace(metric="psnr", accuracy=0.75, accuracy_interval=ends)]
        ),
        {"psnr": "PSNR"},
    )
    assert points == [SpanPoint("PSNR", "accuracy", 75.0, 50.0, 87.5)]
    assert titles == [("Votes predicted (%)", pytest.approx(91.4))]


def test_who_may_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[str, Any] = {"organiser": {"password_hash": "theirs", "emails": ["A@b.org"]}}
    monkeypatch.setattr(organiser, "_secrets", lambda section: known.get(section, {}))
    monkeypatch.delenv(organiser.VARIABLE, raising=False)
    assert organiser.password_hash() == "theirs"
    assert organiser.admitted_addresses() == set()
    known["auth"] = {"redirect_uri": "x"}
    assert organiser.admitted_addresses() == {"a@b.org"}
    monkeypatch.setenv(organiser.VARIABLE, "ours")
    assert organiser.password_hash() == "ours"
    known.clear()
    monkeypatch.delenv(organiser.VARIABLE)
    assert organiser.password_hash() == ""


@pytest.mark.parametrize(
    ("votes", "simulated", "results", "reason", "titles"),
    [
        (0, False, "what they say", "no votes yet", []),
        (3, True, ScaleError("too few votes"), "too few votes", []),
        (3, False, "what they say", "", ["Scale"]),
    ],
)
def test_what_a_study_says_or_why_it_says_nothing(
    monkeypatch: pytest.MonkeyPatch, votes: int, simulated: bool, results: Any, reason: str, titles: list[str]
) -> None:
    def results_of(*_: Any) -> Any:
        if isinstance(results, Exception):
            raise results
        return results

    monkeypatch.setattr(study_tables, "status_lines", lambda *_: (["how far"], {"votes": votes}))
    monkeypatch.setattr(study_tables, "results_of", results_of)
    monkeypatch.setattr(study_tables, "report_tables", lambda _: [("Scale", [{"a": "1"}], ["note"])])
    study: Any = SimpleNamespace(name="tea", simulated=simulated, holds_scores=False)
    findings = study_tables.findings_of(None, study)  # type: ignore[arg-type]
    assert (findings.lines, findings.reason) == (("how far",), reason)
    assert [table.title for table in findings.tables] == titles
    assert findings.results == (None if reason else results)
    assert bool(findings.warning) is simulated
