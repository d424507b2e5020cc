"""What the organiser's page asks for, hands on, and says, part by part."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from drawn import Answered

from codecarena.reports.files import printed_figures
from codecarena.reports.views import figure_files, studies, study_results, study_work
from codecarena.studies.design.power import Prices
from codecarena.studies.design.simulation import Assumptions
from codecarena.studies.organise.presenting import SIMULATED
from codecarena.studies.scale.scale_results import ScaleError


def study(state: str = "open", name: str = "tea", simulated: bool = False) -> Any:
    label = f"{name} (simulated)" if simulated else name
    return SimpleNamespace(name=name, state=state, simulated=simulated, label=label, plan=f"plan of {name}")


class Ledger:
    """Stands in for a store's studies; remembers how it was opened."""

    opened: list[tuple[str, bool]]

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        type(self).opened.append((url, read_only))

    def close(self) -> None:
        """Hold nothing."""

    def studies(self) -> list[Any]:
        return [study("closed", "old"), study("imported", "votes"), study("planned", "new")]

    def study(self, name: str) -> Any:
        return study(name=name)

    def withdraw(self, code: str) -> int | None:
        return {"known": 12}.get(code)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Answered:
    drawn = Answered()
    Ledger.opened = []
    for module in (figure_files, study_work, study_results, studies):
        monkeypatch.setattr(module, "st", drawn)
    for module in (study_work, study_results, studies):
        monkeypatch.setattr(module, "Ledger", Ledger)
    return drawn


FRAME: Any = SimpleNamespace(url="arena")


def test_the_planner_asks_for_what_a_study_costs_and_hands_it_on(
    page: Answered, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulated: list[Any] = []
    monkeypatch.setattr(study_work, "_show_simulation", simulated.append)
    monkeypatch.setattr(study_work, "simulate_studies", lambda *words, **named: (*words, named))
    study_work.simulate()
    assert page.of("text_input") == [("Assumed values, JOD", "0, 0.5, 1")]
    assert page.of("number_input") == [
        ("Raters", 2, 1000, 20), ("Pictures", 1, 500, 12), ("Trials a rater", 0, 5000, 0),
        ("Studies to simulate", 10, 1000, 50), ("Seconds a trial", 1.0, 60.0, 6.0),
        ("Pay an hour", 0.0, 200.0, 12.0),
    ]  # fmt: skip
    assert page.of("slider") == [
        ("Share of “no preference” between equals", 0.0, 0.9, 0.2),
        ("Share of careless answers", 0.0, 0.9, 0.02),
    ]
    assert page.columns_of("number_input") == [0, 0, 1, 2, 2, 2]
    assert (page.columns_of("text_input"), page.columns_of("slider")) == ([0], [1, 1])
    assert (len(page.of("caption")), simulated) == (1, [])
    page.answers = {"Simulate": True}
    study_work.simulate()
    scale = {"condition 1": 0.0, "condition 2": 0.5, "condition 3": 1.0}
    assert simulated == [
        (Assumptions(scale, 20, 12, None, 0.2, 0.02), {"prices": Prices(6.0, per_hour=12.0), "studies": 50})
    ]
    page.answers |= {
        "Assumed values, JOD": "-1,2", "Raters": 3, "Pictures": 4, "Trials a rater": 5,
        "Share of “no preference” between equals": 0.3, "Share of careless answers": 0.4,
        "Studies to simulate": 11, "Seconds a trial": 7.0, "Pay an hour": 8.0,
    }  # fmt: skip
    study_work.simulate()
    assert simulated[1] == (
        Assumptions({"condition 1": -1.0, "condition 2": 2.0}, 3, 4, 5, 0.3, 0.4),
        {"prices": Prices(seconds_per_vote=7.0, per_hour=8.0), "studies": 11},
    )
    page.answers["Assumed values, JOD"] = "1 2"
    study_work.simulate()
    assert len(simulated) == 2
    assert page.of("error") == ["Expected numbers with commas between them, such as 0, 0.5, 1."]


def test_a_simulation_that_fails_says_why(page: Answered, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ScaleError("too_few")

    monkeypatch.setattr(study_work, "simulate_studies", fail)
    page.answers = {"Simulate": True}
    study_work.simulate()
    assert page.of("error") == ["too\\_few"]


@pytest.mark.parametrize(
    ("state", "simulated", "steps"),
    [
        ("planned", False, ["Open", "Invite raters"]),
        ("planned", True, ["Open"]),
        ("open", False, ["Close", "Invite raters"]),
        ("open", True, ["Close"]),
        ("closed", False, ["Open again"]),
        ("imported", False, []),
    ],
)
def test_the_steps_that_a_study_may_take(
    page: Answered, state: str, simulated: bool, steps: list[str]
) -> None:
    study_work._steps(FRAME, study(state, simulated=simulated))
    assert page.of("popover") == steps
    assert page.of("code") == []


def test_links_are_shown_once_they_are_made(page: Answered, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    def invite(_: Ledger, name: str, count: int) -> list[str]:
        made.append((name, count))
        return ["t1", "t2"]

    monkeypatch.setattr(study_work.organise, "invite", invite)
    study_work._invite(FRAME, study())
    assert made == []
    assert page.of("number_input") == [("How many", 1, 500, 10)]
    page.answers = {"Make links": True, "How many": 2, "Where raters come in": "https://a.org/x/"}
    study_work._invite(FRAME, study())
    links = ["https://a.org/x/?invite=t1", "https://a.org/x/?invite=t2"]
    assert (made, page.session_state) == ([("tea", 2)], {"links tea": links})
    assert (Ledger.opened, page.of("rerun")) == ([("arena", False)], [()])
    page.answers = {}
    study_work._steps(FRAME, study())
    assert page.of("code") == ["\n".join(links)]
    assert page.of("download_button") == [("Download links", "\n".join(links) + "\n", "tea-links.txt")]


def rater(name: str, stage: str, joined: str | None = None, finished: str | None = None) -> Any:
    return SimpleNamespace(name=name, stage=stage, votes=len(name), joined_at=joined, finished_at=finished)


@pytest.mark.parametrize("is_intact", [True, False])
def test_where_each_rater_stands(page: Answered, monkeypatch: pytest.MonkeyPatch, is_intact: bool) -> None:
    joined = "2026-01-02T03:04:05"
    raters = [
        rater("a", "consent"), rater("bb", "consent", joined),
        rater("ccc", "done", joined, "2026-01-02T03:59:59"),
        rater("d", "imported"), rater("e", "resting", joined), rater("f", "trials"),
        rater("g", "screening", joined),
        rater("h", "calibration", joined), rater("i", "trials", joined), rater("j", "screened-out", joined),
        rater("k", "declined", joined),
    ]  # fmt: skip
    lines = ["study tea", "votes 3", "seal fine", "withdrawn 1", "raters 2"]
    record = {"intact": is_intact, "finished": "" if is_intact else "enough_votes"}
    tables: list[Any] = []
    monkeypatch.setattr(study_work, "status", lambda *_: SimpleNamespace(raters=raters))
    monkeypatch.setattr(study_work, "status_lines", lambda *_: (lines, record))
    monkeypatch.setattr(study_work, "_numbers", lambda _: None)
    monkeypatch.setattr(study_work, "show", tables.append)
    study_work._progress.__wrapped__("arena", "tea")
    (table,) = tables
    assert table.title == "Raters of tea"
    assert [column.title for column in table.columns] == [
        "rater", "stands", "votes", "joined, UTC", "finished, UTC",
    ]  # fmt: skip
    stands = ["not here yet", "reading the consent", "done", "imported", "resting", "not here yet",
              "at the questions", "at the calibration", "voting", "screened out", "declined"]  # fmt: skip
    assert [row.entries[1].text for row in table.rows] == stands
    assert [entry.text for entry in table.rows[2].entries] == [
        "ccc", "done", "3", "2026-01-02 03:04", "2026-01-02 03:59",
    ]  # fmt: skip
    assert [entry.text for entry in table.rows[0].entries][2:] == ["1", "", ""]
    assert page.of("caption") == ["study tea  \nseal fine  \nwithdrawn 1"]
    assert len(page.of("error")) == (not is_intact)
    assert page.of("info") == ([] if is_intact else ["The study has reached its end: enough\\_votes."])
    assert Ledger.opened == [("arena", True)]


def test_a_plan_begins_with_an_example_or_a_study_of_the_store(
    page: Answered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study_work, "Store", lambda url: SimpleNamespace(cells=lambda: [url]))
    monkeypatch.setattr(study_work, "starter", lambda name, cells: f"{name} of {cells[0]}")
    study_work.plan(FRAME, None)
    example = "A new plan that fits this store"
    assert page.of("selectbox") == [("Begin with", [example, "old", "new"])]
    assert page.of("text_area") == [("Plan", "demo of arena")]
    assert page.of("download_button") == [("Download", "demo of arena", "study.toml")]
    assert study_work._starter(FRAME, {"demo"}) == "study-2 of arena"
    assert study_work._starter(FRAME, {"demo", "study-2", "study-3"}) == "study-4 of arena"
    page.answers = {"Check and store": True, "Begin with": "new"}
    study_work.plan(FRAME, None)
    assert page.of("text_area")[1] == ("Plan", "plan of new")
    assert len(page.of("error")) == 1


@pytest.mark.parametrize(("replaced", "said"), [(False, "planned"), (True, "planned anew")])
def test_a_stored_plan_says_what_it_asks_for(
    page: Answered, monkeypatch: pytest.MonkeyPatch, replaced: bool, said: str
) -> None:
    report = SimpleNamespace(
        warnings=["a_b"], study=study(name="x_y"), replaced=replaced, conditions=5, pictures=1, pairs=12,
        trials_per_rater=34,
    )  # fmt: skip
    given: list[Any] = []

    def plan_text(*words: Any) -> Any:
        given.append(words)
        return report

    monkeypatch.setattr(study_work, "_starter", lambda *_: "text")
    monkeypatch.setattr(study_work.organise, "plan_text", plan_text)
    page.answers = {"Check and store": True}
    study_work.plan(FRAME, "bench")  # type: ignore[arg-type]
    assert given == [("arena", "text", Path("study.toml"), "bench")]
    assert page.of("warning") == ["a\\_b"]
    assert page.of("success") == [
        f"Study x\\_y is {said}: 5 conditions of 1 picture, 12 pairs, 34 trials a rater. Open it on Watch."
    ]


@pytest.mark.parametrize(
    ("form", "simulated", "name"),
    [
        ("csv", False, "tea-csv.csv"), ("parquet", False, "tea-parquet.parquet"),
        ("aic", False, "tea-aic.csv"),
        ("pwcmp", True, "tea-simulated-pwcmp.csv"), ("battles", False, "tea-battles.jsonl"),
    ],
)  # fmt: skip
def test_votes_are_taken_away_as_files(
    page: Answered, monkeypatch: pytest.MonkeyPatch, form: str, simulated: bool, name: str
) -> None:
    def write(_: Ledger, row: Any, form: str, out: Path) -> None:
        out.write_text(f"{row.name} as {form}")

    monkeypatch.setattr(study_results, "write", write)
    page.answers = {"Format": form}
    study_results.export(FRAME, study(simulated=simulated))
    assert page.of("radio") == [("Format", ["csv", "parquet", "aic", "pwcmp", "battles"])]
    ((title, content, file),) = page.of("download_button")
    assert (title, file) == ("Download votes", name)
    assert content() == f"tea as {form}".encode()
    assert (Ledger.opened, page.of("error")) == ([("arena", True)], [])


def test_a_rater_who_withdraws_is_erased(page: Answered) -> None:
    page.answers = {"Erase votes and identity": True, "Withdrawal code or invitation": " known "}
    study_results._erase(FRAME)
    assert page.of("success") == [
        "12 votes and the rater's identity are erased; the time and the count stay."
    ]
    page.answers["Withdrawal code or invitation"] = "other"
    study_results._erase(FRAME)
    assert (len(page.of("success")), len(page.of("error"))) == (1, 1)
    assert Ledger.opened == [("arena", False)] * 2


def test_results_are_a_chart_tables_and_reports(page: Answered, monkeypatch: pytest.MonkeyPatch) -> None:
    tables: list[Any] = []
    outcomes = [SimpleNamespace(scale=f"scale {n}", title=f"title {n}") for n in (1, 2)]
    findings: Any = SimpleNamespace(
        results=SimpleNamespace(outcomes=outcomes), tables=["t1", "t2"], study=study(), reason=""
    )
    monkeypatch.setattr(study_results, "findings_of", lambda *_: findings)
    printed = SimpleNamespace(figure="scale of tea", file=lambda form: f"scale as {form}")
    monkeypatch.setattr(printed_figures, "scale", lambda results: printed if results else None)
    monkeypatch.setattr(study_results, "show", tables.append)
    monkeypatch.setattr(study_results, "results_of", lambda _, name: f"results of {name}")
    monkeypatch.setattr(study_results, "report_record", lambda _, results: {"a": results})
    monkeypatch.setattr(study_results, "report_text", lambda record: f"text of {record['a']}")
    study_results.results(FRAME, study())
    assert page.of("pyplot") == ["scale of tea"]
    assert tables == ["t1", "t2"]
    assert [(title, file, content()) for title, content, file in page.of("download_button")] == [
        ("SVG", "tea-scale.svg", "scale as svg"),
        ("PDF", "tea-scale.pdf", "scale as pdf"),
        ("PNG", "tea-scale.png", "scale as png"),
        ("Report as Markdown", "tea.md", "text of results of tea"),
        ("Report as JSON", "tea.json", '{\n  "a": "results of tea"\n}'),
    ]
    findings.results, findings.reason = None, "no votes_yet"
    findings.tables = []
    study_results.results(FRAME, study())
    assert page.of("info") == ["No result: no votes\\_yet."]
    assert len(tables) == 2


@pytest.mark.parametrize("task", ["Watch", "Results", "Export"])
def test_the_latest_study_is_shown_first(page: Answered, monkeypatch: pytest.MonkeyPatch, task: str) -> None:
    tables, asked, drawn = [], [], []
    rows = [study("closed", "old", simulated=True), study("open", "new")]
    monkeypatch.setattr(Ledger, "studies", lambda _: rows)
    records = [{"name": name, "created": "2026-01-02T03:04"} for name in ("old", "new")]
    monkeypatch.setattr(studies, "study_records", lambda _: records)
    monkeypatch.setattr(studies, "show", lambda table, **_: tables.append(table))

    def choose(_: Any, label: str, name: str, options: list[str], *, show: Any) -> str:
        asked.append((label, name, options, [show(option) for option in options]))
        return "old"

    monkeypatch.setattr(studies, "choose", choose)
    draw_task: Any = lambda frame, row: drawn.append((frame, row.name))  # noqa: E731
    monkeypatch.setattr(study_work, "watch", draw_task)
    studies._of_a_study(FRAME, draw_task if task == "Watch" else lambda *words: draw_task(*words))
    assert asked == [("Study", "study", ["new", "old"], ["new", "old (simulated)"])]
    assert drawn == [(FRAME, "old")]
    assert page.of("warning") == [SIMULATED]
    shown = [[entry.text for entry in row.entries] for table in tables for row in table.rows]
    assert shown == ([["new", "2026-01-02 03:04"], ["old", "2026-01-02 03:04"]] if task == "Watch" else [])
    monkeypatch.setattr(Ledger, "studies", lambda _: [])
    studies._of_a_study(FRAME, draw_task)
    assert (len(page.of("info")), len(asked)) == (1, 1)


def test_each_task_has_its_page() -> None:
    assert list(studies.TASKS) == ["Watch", "Plan", "Simulate", "Results", "Export"]
    drawn_by = [studies.OF_STUDIES[task] for task in ("Watch", "Results", "Export")]
    assert drawn_by == [study_work.watch, study_results.results, study_results.export]
