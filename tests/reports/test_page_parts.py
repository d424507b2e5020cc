"""What the pages of curves, runs, people and the navigation draw, part by part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from drawn import Answered
from report_rows import BUTTERAUGLI, MS_SSIM, PSNR

from codecarena.bench.records.rows import Failure, RunRow
from codecarena.bench.store.run_details import RunDetail
from codecarena.reports.charts.line_styles import line_styles
from codecarena.reports.server.server import Services
from codecarena.reports.tables.leaderboard_tables import RatePoint
from codecarena.reports.views import figure_files, navigation, people, rates, runs
from codecarena.studies.analysis.human_metrics import PartAgreement
from codecarena.studies.analysis.stimulus_parts import BANDS
from codecarena.studies.organise.presenting import SIMULATED

FAILED = Failure("zoo", "ant.png", "ant", "zip-id", "zip", 9.0, None, None, "crash", "encode", 3, "it_died",
                 "the end", "2026-01-02T03:04:05.678", False)  # fmt: skip


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Answered:
    drawn = Answered()
    for module in (figure_files, navigation, people, rates, runs):
        monkeypatch.setattr(module, "st", drawn)
    return drawn


def picker(answers: dict[str, Any], asked: list[tuple[Any, ...]]) -> Callable[..., Any]:
    """Return what stands in for a picker: it remembers its label, name, options and how they are shown."""

    def choose(_: Any, label: str, name: str, options: Any, default: Any = None, **named: Any) -> Any:
        show = named.get("show") or str
        asked.append((label, name, [show(option) for option in options], default))
        return answers.get(name, options[0])

    return choose


def shown(metric: Any, points: list[RatePoint], published: list[RatePoint]) -> rates.Shown:
    part: Any = SimpleNamespace(image_set="zoo", title=lambda metric: metric.name.upper())
    return rates.Shown(
        part, metric, rates.AVERAGE, points, published, line_styles(["zip"]), logarithmic=False
    )


POINTS = [RatePoint("zip", 1.5, 0.25, 31.0, codec_id="zip-id")]


@pytest.mark.parametrize(
    ("metric", "theme", "title", "decibels"),
    [
        (PSNR, "light", "PSNR (dB)", False),
        (BUTTERAUGLI, "dark", "BUTTERAUGLI, less is better", False),
        (MS_SSIM, "dark", "MS-SSIM", True),
    ],
)
def test_a_chart_and_the_point_that_was_clicked(
    page: Answered, monkeypatch: pytest.MonkeyPatch, metric: Any, theme: str, title: str, decibels: bool
) -> None:
    opened: list[Any] = []
    clicked: dict[str, Any] = {}
    monkeypatch.setattr(rates, "rate_distortion", lambda *words, **named: (words, named))
    monkeypatch.setattr(rates, "_open", lambda _, chosen: opened.append(chosen))
    page.context.theme.type = theme
    drawn: list[Any] = []

    def altair_chart(chart: Any, **_: Any) -> Any:
        drawn.append(chart)
        return SimpleNamespace(selection=clicked)

    page.__dict__["altair_chart"] = altair_chart
    what = shown(metric, POINTS, [])
    rates._chart(what)
    assert drawn == [
        (
            (POINTS, [], what.line_styles),
            {
                "metric": title, "better": metric.better, "decibels": decibels, "logarithmic": False,
                "dark": theme == "dark",
            },
        )
    ]  # fmt: skip
    assert opened == []
    clicked["point"] = [{"codec_id": "zip-id"}, {"codec_id": "other"}]
    rates._chart(what)
    assert opened == [{"codec_id": "zip-id"}]


def test_files_of_a_chart(page: Answered, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "printed", lambda _: SimpleNamespace(file=lambda form: f"figure as {form}"))
    monkeypatch.setattr(rates, "as_csv", lambda points, metric: (points, metric))
    published = [RatePoint("theirs (published)", 0.0, 0.5, 33.0)]
    rates._files(shown(PSNR, POINTS, published))
    *drawings, numbers = page.of("download_button")
    assert [(title, make(), name) for title, make, name in drawings] == [
        ("SVG", "figure as svg", "zoo-psnr.svg"), ("PDF", "figure as pdf", "zoo-psnr.pdf"),
        ("PNG", "figure as png", "zoo-psnr.png"),
    ]  # fmt: skip
    assert numbers == ("CSV", ([*POINTS, *published], PSNR), "zoo-psnr.csv")


@pytest.mark.parametrize(
    ("codecs", "beside", "axis", "drawn"),
    [
        ([], ["b"], "log", ["zip", "hyper", "+b"]),
        (["hyper"], ["a", "b"], "linear", ["hyper", "+a", "+b"]),
        (["none"], [], "log", []),
    ],
)
def test_which_curves_are_drawn(
    page: Answered, monkeypatch: pytest.MonkeyPatch, codecs: list[str], beside: list[str], axis: str,
    drawn: list[str],
) -> None:  # fmt: skip
    asked: list[Any] = []
    charted: list[rates.Shown] = []
    answers = {"codec": codecs, "published": beside, "axis": axis}
    part: Any = SimpleNamespace(
        metrics=[PSNR], title=lambda _: "PS_NR",
        columns=SimpleNamespace(pictures=[SimpleNamespace(name="a.png")]),
        grids=[SimpleNamespace(codec=SimpleNamespace(label=name)) for name in ("zip", "hyper")],
        comparison=lambda _: None, picture_names={},
    )  # fmt: skip
    monkeypatch.setattr(rates, "shared_notes", lambda *_: [])
    monkeypatch.setattr(rates, "pick_codecs", lambda *_: {"hidden"})
    for name, answer in {"pick_set": "zoo", "pick_kind": "natural", "pick_metric": PSNR}.items():
        monkeypatch.setattr(rates.pickers, name, lambda *_, answer=answer: answer)
    for name in ("summary", "pending"):
        monkeypatch.setattr(rates.pages, name, lambda *_: None)
    monkeypatch.setattr(rates.pickers, "choose", picker(answers, asked))
    monkeypatch.setattr(rates.pickers, "choose_many", picker(answers, asked))
    overlays = [RatePoint(codec, 1, 1.0, 30.0) for codec in "bab"]
    monkeypatch.setattr(rates, "read_published", lambda _: [])
    monkeypatch.setattr(rates, "published_points", lambda *_: overlays)
    monkeypatch.setattr(rates, "published_note", lambda *_: "over other pictures")
    monkeypatch.setattr(
        rates, "_points", lambda *_: [RatePoint(codec, 1, 1.0, 30.0) for codec in ("zip", "hyper")]
    )
    monkeypatch.setattr(rates, "_chart", charted.append)
    monkeypatch.setattr(rates, "_files", charted.append)
    parts: list[Any] = []

    def part_of(*words: Any) -> Any:
        parts.append(words)
        return part

    rates.draw(SimpleNamespace(source=lambda _: None, selection=part_of, store=None))  # type: ignore[arg-type]
    assert parts == [("zoo", "natural", {"hidden"})]
    assert asked == [
        ("Picture", "picture", ["Mean of all pictures", "a.png"], None),
        ("Rate axis", "axis", ["Logarithmic", "Linear"], None),
        ("Curves", "codec", ["zip", "hyper"], "Draw these alone; all where none is chosen."),
        ("Published curves", "published", ["a", "b"], None),
    ]
    if not drawn:
        assert (charted, len(page.of("info"))) == ([], 1)
        return
    first, second = charted
    assert first == second
    assert page.of("caption") == ["over other pictures"]
    names = [point.codec for point in first.points] + [
        f"+{point}" for point in dict.fromkeys(codec.codec for codec in first.published)
    ]
    assert sorted(names) == sorted(drawn)
    assert (list(first.line_styles), first.logarithmic) == (["hyper", "zip"], axis == "log")


@pytest.mark.parametrize("count", [0, 1, 25, 26, 1250])
def test_the_newest_failures_are_told_and_the_rest_counted(
    page: Answered, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(runs.pages, "show", lambda *_, **__: None)
    monkeypatch.setattr(runs.leaderboard_tables, "failures_summary", lambda failures: failures)
    runs._failures(count * [FAILED])
    captions = page.of("caption")
    assert len(page.of("expander")) == min(count, 25)
    more = f"{count - 25:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    assert [caption for caption in captions if " more: " in caption] == (
        [f"{more} more: codecarena export csv shows all cells"] if count > 25 else []
    )
    assert captions.count("Every cell that was tried has a result.") == (not count)
    assert captions.count("exit status 3, 2026-01-02 03:04:05 UTC") == min(count, 25)
    assert page.of("code") == min(count, 25) * ["the end"]


def test_a_failure_without_words_of_its_program(page: Answered, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs.pages, "show", lambda *_, **__: None)
    monkeypatch.setattr(runs.leaderboard_tables, "failures_summary", lambda failures: failures)
    runs._failures([replace(FAILED, stderr_tail="", exit_code=None), replace(FAILED, exit_code=0)])
    assert page.of("text") == ["it_died", "it_died"]
    assert page.of("caption")[1:] == [
        "2026-01-02 03:04:05 UTC",
        "End of its error output",
        "exit status 0, 2026-01-02 03:04:05 UTC",
    ]
    assert page.of("expander")[0] == "zip at 9 on ant\\.png\\: crash in encode"


def detail(
    run_id: int, suite: str, call: tuple[str, ...] = (), text: str = "a\nb", status: str = "finished"
) -> RunDetail:
    run = RunRow(run_id, suite, status, 3, 40, "2026-01-02T03:04:05", "2026-01-02T03:05:05", call)
    return RunDetail(run, text, {"cpu": "Ryzen_9", "cores": 2}, 9, 0, None)


def test_where_results_come_from(page: Answered, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    details = [detail(7, "quick"), detail(6, "import a.csv")]
    monkeypatch.setattr(runs.pickers, "choose", picker({"run": details[1]}, asked))
    monkeypatch.setattr(runs.pages, "show", lambda *_, **__: None)
    monkeypatch.setattr(runs, "versions", lambda _: [])
    runs._provenance(SimpleNamespace(url="arena", store=None), details)  # type: ignore[arg-type]
    texts = ["7 · quick · measurements · 2026-01-02 03:04", "6 · import a.csv · import · 2026-01-02 03:04"]
    assert asked == [("Run", "run", texts, None)]
    assert page.of("markdown") == ["Finished, on Ryzen\\_9\\, 2 cores."]
    assert page.of("caption") == ["These results came from a file: codecarena import."]
    assert page.of("expander") == ["Imported file", "Machine", "Versions of codecs and metrics"]
    assert page.of("download_button") == [("Download a\\.csv", "a\nb", "a.csv")]
    assert page.of("code") == ["a\nb", '{\n  "cpu": "Ryzen_9",\n  "cores": 2\n}']


@pytest.mark.parametrize(("call", "is_unknown"), [((), True), (("run", "--limit", "2"), False)])
@pytest.mark.parametrize(("lines", "height"), [(21, "content"), (22, 420)])
def test_what_ran_and_how_to_run_it_again(
    page: Answered, call: tuple[str, ...], is_unknown: bool, lines: int, height: Any
) -> None:
    heights: list[Any] = []
    page.__dict__["code"] = lambda text, **named: heights.append((text, named.get("height")))
    text = "\n".join(lines * ["x"])
    run = detail(7, "quick", call, text)
    runs._again(run, "arena")
    assert ("is not known" in page.of("caption")[0]) is is_unknown
    assert heights == [(runs.command(run, "arena"), None), (text, height)]
    url = "postgresql://me:sec@ret@host:5/arena"
    assert "--store 'postgresql://me:***@host:5/arena'" in runs.command(run, url), "no password on a page"
    assert page.of("expander") == ["Suite file"]
    assert page.of("download_button") == [("Download suite\\.toml", text, "suite.toml")]


def test_runs_that_go_on_come_first(page: Answered, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Any] = []
    details = [detail(7, "quick"), detail(8, "slow", status="running")]
    failures = [FAILED, replace(FAILED, settled=True), replace(FAILED, codec="new")]
    monkeypatch.setattr(runs, "run_details", lambda _: details)
    monkeypatch.setattr(runs, "progress", lambda *words: said.append(words))
    monkeypatch.setattr(runs.pages, "show", lambda _, name, **__: said.append(name))
    monkeypatch.setattr(
        runs, "_failures", lambda failures: said.append([failure.codec for failure in failures])
    )
    monkeypatch.setattr(runs, "_provenance", lambda *_: said.append("provenance"))
    frame: Any = SimpleNamespace(url="arena", store=SimpleNamespace(failures=lambda: failures))
    runs.draw(frame)
    assert said == [(8, "arena"), "runs", ["new", "zip"], "provenance"]
    details.clear()
    runs.draw(frame)
    assert (len(said), page.of("code")) == (4, ["codecarena run quick"])


def parts(*chosen: tuple[str | None, int | None]) -> Any:
    made = tuple(
        PartAgreement(kind, None if band is None else BANDS[band], None, f"{kind} {band}")
        for kind, band in chosen
    )
    return SimpleNamespace(parts=made, whole="whole")


@pytest.mark.parametrize(
    ("metrics", "answers", "labels", "reason"),
    [
        (parts(), {}, [], None),
        (parts((None, 1), (None, 3)), {"band": BANDS[3]}, ["Rate"], "None 3"),
        (parts(("natural", None), ("ai-generated", None)), {"kind": "natural"}, ["Pictures"], "natural None"),
        (
            parts(("natural", None), (None, 1), ("natural", 1)), {"kind": "natural", "band": BANDS[1]},
            ["Pictures", "Rate"], "natural 1",
        ),
    ],
)  # fmt: skip
def test_a_part_of_a_study_is_chosen_by_kind_and_rate(
    monkeypatch: pytest.MonkeyPatch, metrics: Any, answers: dict[str, Any], labels: list[str],
    reason: str | None,
) -> None:  # fmt: skip
    places: list[str] = []
    asked: list[Any] = []
    choose = picker(answers, asked)

    def placed(place: str, *words: Any, **named: Any) -> Any:
        places.append(place)
        return choose(place, *words, **named)

    monkeypatch.setattr(people.pickers, "choose", placed)
    choice = people._chosen(["first", "second"], metrics)  # type: ignore[list-item]
    assert (choice.reason, choice.agreement) == (reason, "whole" if reason is None else None)
    assert [call[0] for call in asked] == labels
    assert places == ["first", "second"][: len(labels)]
    if "Pictures" in labels:
        kinds = sorted({part.kind for part in metrics.parts if part.kind}, reverse=True)
        titles = {"natural": "Natural", "ai-generated": "AI-generated"}
        assert asked[0][2] == ["All", *(titles[kind] for kind in kinds)]


def test_metrics_are_called_as_on_the_other_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []
    monkeypatch.setattr(people.pages, "show", lambda table, name: shown.append((table, name)))
    rows: list[Any] = [{"metrics": "ms-ssim - psnr", "metric": "psnr", "accuracy": "61.2%", "p": "<0.001"}]
    people._tables([("Between", rows, [])], "metrics", {"psnr": "PSNR", "ms-ssim": "MS-SSIM"})
    ((table, name),) = shown
    assert name == "metrics0"
    assert [entry.text for entry in table.rows[0].entries] == ["MS-SSIM − PSNR", "PSNR", "61.2 %", "<0.001"]
    assert rows[0]["metric"] == "psnr"


@pytest.mark.parametrize("simulated", [False, True])
def test_the_latest_study_with_results_comes_first(
    page: Answered, monkeypatch: pytest.MonkeyPatch, simulated: bool
) -> None:
    asked: list[Any] = []
    tables: list[Any] = []
    part = PartAgreement("natural", BANDS[0], None, "few votes")
    studies: list[Any] = [
        SimpleNamespace(study=name, label=name.upper(), simulated=simulated,
                        analysis=SimpleNamespace(metrics=metrics))
        for name, metrics in (("old", None), ("new", "metrics"))
    ]  # fmt: skip
    monkeypatch.setattr(people, "stored_results", lambda _: studies)
    monkeypatch.setattr(people, "stored_score_results", lambda _: [])
    monkeypatch.setattr(people.pickers, "choose", picker({"study": studies[1]}, asked))
    monkeypatch.setattr(people, "_chosen", lambda places, _: part if len(places) == 2 else None)
    monkeypatch.setattr(people, "_chart", lambda agreement, _: tables.append(agreement))
    monkeypatch.setattr(people, "metric_tables", lambda agreement, of: (agreement, of))
    monkeypatch.setattr(people, "part_tables", lambda metrics: metrics)
    monkeypatch.setattr(people, "_tables", lambda *words: tables.append(words[:2]))
    frame: Any = SimpleNamespace(store=SimpleNamespace(metrics=lambda: [PSNR, MS_SSIM]))
    people.draw(frame)
    assert asked == [("Study", "study", ["OLD", "NEW"], studies[1])]
    assert page.of("warning") == [SIMULATED] * simulated
    assert len(page.of("info")) == 1
    assert tables == [("metrics", "parts")]
    part = PartAgreement(None, None, "found", None)  # type: ignore[arg-type]
    people.draw(frame)
    assert tables[1:] == ["found", (("found", ""), "metrics"), ("metrics", "parts")]
    part = PartAgreement("natural", None, "found", None)  # type: ignore[arg-type]
    people.draw(frame)
    assert tables[5] == (("found", ": natural"), "metrics")
    monkeypatch.setattr(people.pickers, "choose", picker({"study": studies[0]}, asked))
    people.draw(frame)
    assert page.of("code") == ["codecarena study score old --metric ssimulacra2"]
    studies.clear()
    people.draw(frame)
    assert page.of("code")[1].startswith("codecarena study init")


def test_the_dashboard_opens_on_the_leaderboard_and_keeps_its_pages(page: Answered) -> None:
    made: list[Any] = []
    ran: list[str] = []

    def make(draw: Any, *, title: str, url_path: str, default: bool, **_: Any) -> Any:
        made.append((title, url_path, default, draw))
        return SimpleNamespace(title=title, url_path=url_path, run=lambda: ran.append(title))

    page.__dict__ |= {"Page": make, "navigation": lambda pages, **_: pages[2]}
    navigation.main(Services(bench="bench"))  # type: ignore[arg-type]
    assert [call[:3] for call in made] == [
        ("Leaderboard", "leaderboard", True), ("Rate-distortion", "rates", False), ("Look", "look", False),
        ("Speed and cost", "speed", False), ("Natural against AI", "natural", False),
        ("Metrics against people", "people", False), ("Runs", "runs", False), ("Studies", "studies", False),
    ]  # fmt: skip
    assert made[-1][3].args == ("bench",)
    assert (page.session_state["page"], ran) == ("Look", ["Look"])
    assert page.session_state["pages"]["rates"].title == "Rate-distortion"
    assert page.session_state["path"] == "look"
