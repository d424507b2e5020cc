"""Where the pickers of the dashboard's pages stand, what they offer, and what a choice leads to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import pytest
import streamlit as st
from drawn import Answered
from report_rows import BUTTERAUGLI, PSNR
from streamlit.testing.v1 import AppTest
from synthetic_store import fill
from zoo import zoo_of

from codecarena.reports.charts.chart_points import TradePoint
from codecarena.reports.server.server import STORE_VARIABLE
from codecarena.reports.views import address, leaderboard, look, speed

# Streamlit's own script runner, under AppTest, warns about itself.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

ONE_PAGE = """
import streamlit as st
from codecarena.reports.views import {name}, navigation
st.session_state["page"] = "{name}"
{name}.main()
"""
QUARTER = 0.25
FILTER: tuple[float, list[Any]] = (
    QUARTER, [("Families", []), ("Hide", []), ("Name or parameter contains", "")],
)  # fmt: skip
"""The column with the button that filters codecs."""


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("zoo") / "arena"
    zoo_of(folder).close()
    return folder


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., AppTest]]:
    """Return a function that opens a page of a store and waits for what it computes."""
    st.cache_resource.clear()
    st.cache_data.clear()
    monkeypatch.setattr("codecarena.reports.server.background.PATIENCE_SECONDS", 60.0)

    def open_one(store: Path, name: str, **query: Any) -> AppTest:
        monkeypatch.setenv(STORE_VARIABLE, str(store))
        page = AppTest.from_string(ONE_PAGE.format(name=name), default_timeout=60)
        for key, value in query.items():
            page.query_params[key] = value
        page.run()
        assert not page.exception, [element.value for element in page.exception]
        return page

    yield open_one
    st.cache_resource.clear()
    st.cache_data.clear()


def columns_of(page: AppTest) -> list[tuple[float, list[tuple[str, Any]]]]:
    """Return the width of each column as a share, and its pickers with what is chosen."""
    return [
        (
            round(column.weight, 3),
            [
                (widget.label, widget.value)
                for widget in [
                    *column.selectbox,
                    *column.segmented_control,
                    *column.multiselect,
                    *column.number_input,
                    *column.text_input,
                ]
            ],
        )
        for column in page.columns
    ]


def test_the_pickers_of_the_leaderboard(open_page: Callable[..., AppTest], zoo: Path, tmp_path: Path) -> None:
    page = open_page(zoo, "leaderboard")
    first = [
        (QUARTER, [("Image set", "zoo")]),
        (QUARTER, [("Metric", "psnr")]),
        (QUARTER, [("Compare codecs by", "bd-rate")]),
    ]
    second = [
        (QUARTER, [("Pictures", "all")]),
        FILTER,
        (QUARTER, []),
        (QUARTER, []),
    ]
    assert columns_of(page) == [*first, (QUARTER, [("Anchor", "hyper")]), *second]
    assert [element.label for element in page.expander] == ["Every metric side by side"]
    # A link beside a heading would open the page anew.
    assert {element.proto.hide_anchor for element in (*page.title, *page.header)} == {True}
    fill(tmp_path / "arena", pictures=1, codecs=2, settings=2, metrics=("psnr",))
    page = open_page(tmp_path / "arena", "leaderboard", view="rate", bpp="0.8")
    assert columns_of(page)[3:] == [
        (QUARTER, [("Anchor", "codec0"), ("Bits per pixel", 0.8)]), FILTER, *3 * [(QUARTER, [])],
    ]  # fmt: skip
    (number,) = page.number_input
    assert (number.min, number.max, number.step) == (0.001, 48.0, 0.05)
    assert not page.expander


def test_the_pickers_of_the_rate_distortion_page(open_page: Callable[..., AppTest], zoo: Path) -> None:
    page = open_page(zoo, "rates")
    assert columns_of(page) == [
        (QUARTER, [("Image set", "zoo")]),
        (QUARTER, [("Metric", "psnr")]),
        (QUARTER, [("Picture", "Mean of all pictures")]),
        (QUARTER, []),
        (QUARTER, [("Rate axis", "log")]),
        (QUARTER, [("Curves", [])]),
        FILTER,
        (QUARTER, [("Pictures", "all")]),
    ]
    assert page.columns[2].selectbox[0].options == [
        "Mean of all pictures", "ant.png", "bee.png", "cat.png", "dog.png",
    ]  # fmt: skip


def test_the_pickers_of_the_pages_of_runs_and_speeds(open_page: Callable[..., AppTest], zoo: Path) -> None:
    third = 0.333
    assert columns_of(open_page(zoo, "runs")) == [(third, [("Run", "1")]), (third, []), (third, [])]
    assert columns_of(open_page(zoo, "speed")) == [
        (QUARTER, [("Image set", "zoo")]), *3 * [(QUARTER, [])], FILTER, *3 * [(QUARTER, [])],
    ]  # fmt: skip


def test_the_pickers_of_the_look_page(open_page: Callable[..., AppTest], zoo: Path) -> None:
    page = open_page(zoo, "look", match=PSNR.metric_id, codec="zip")
    score = page.number_input[0].value
    assert columns_of(page) == [
        (QUARTER, [("Image set", "zoo")]),
        (QUARTER, [("Match by", PSNR.metric_id)]),
        (QUARTER, [("PSNR score", score)]),
        (QUARTER, []),
        (0.3, [("Codecs", ["zip"])]),
        (0.3, [("Picture, the worst of zip first", page.selectbox[2].value)]),
        (0.2, [("Maps", [])]),
        (0.2, FILTER[1]),
    ]
    # Matched by PSNR, pictures stand by the other metric.
    assert all("(Butteraugli " in option for option in page.columns[5].selectbox[0].options)


def test_the_pictures_follow_the_address_and_the_address_the_pictures(
    open_page: Callable[..., AppTest], zoo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[dict[str, Any]] = []
    written: list[str] = []
    monkeypatch.setattr(look, "_look", lambda *, data, **_: given.append(data))
    monkeypatch.setattr(address, "_address", lambda *, data, **_: written.append(data["query"]))
    page = open_page(zoo, "look", codec=["zip", "hyper"], bpp="1", picture="ant.png", view="split 1")

    def seen() -> tuple[str, int, str]:
        return given[-1]["view"], given[-1]["opening"], parse_qs(written[-1])["view"][0]

    assert [pane["name"] for pane in given[0]["panes"]] == ["Original", "zip", "hyper"]
    assert seen() == ("split 1", 1, "split 1")
    # What the pictures report goes into the address, as no step to go back.
    page.session_state[look.PICTURES] = {"view": "flip 2"}
    page.run()
    assert seen() == ("flip 2", 1, "flip 2")
    assert page.query_params["view"] == "split 1"
    page.run()
    assert seen() == ("flip 2", 1, "flip 2")
    monkeypatch.setattr(address, "_went_back", lambda: True)
    page.query_params["view"] = "side 3"
    page.run()
    assert seen() == ("side 3", 2, "side 3")


@pytest.mark.parametrize(
    ("view", "asked", "made"),
    [
        ("bd-rate", [("Anchor", "anchor")], "ranks of bd psnr against zip"),
        (
            "rate",
            [("Bits per pixel", "bpp", 0.15, 0.001, 48.0, 0.05), ("Anchor", "anchor")],
            "psnr m1 m2 m3 at 7.0: psnr lacks from zip",
        ),
        (
            "score",
            [("PSNR score", "score-psnr", 33.0, None, None, None), ("Anchor", "anchor")],
            "cost of psnr 7.0 from zip",
        ),
    ],
)
def test_the_leaderboard_is_compared_in_three_ways(
    monkeypatch: pytest.MonkeyPatch, view: str, asked: list[Any], made: str
) -> None:
    said: list[Any] = []
    others: list[Any] = [SimpleNamespace(name=f"m{place}") for place in range(1, 6)]
    part: Any = SimpleNamespace(
        metrics=[*others[:1], PSNR, *others[1:]], title=lambda metric: metric.name.upper(),
        usual_score=lambda _: 33.0, board=lambda metric, anchor: f"{metric.name} {anchor}",
        why_no_bd_rates=lambda metric: f": {metric.name} lacks",
    )  # fmt: skip

    def choose_number(_: Any, label: str, name: str, usual: float, **named: Any) -> float:
        said.append((label, name, usual, named.get("low"), named.get("high"), named.get("step")))
        return 7.0

    def pick_anchor(*_: Any) -> str:
        said.append(("Anchor", "anchor"))
        return "zip"

    monkeypatch.setattr(leaderboard, "st", Answered())
    monkeypatch.setattr(leaderboard.pickers, "choose_number", choose_number)
    monkeypatch.setattr(leaderboard.pickers, "pick_anchor", pick_anchor)
    monkeypatch.setattr(leaderboard, "against_published", lambda *_: None)
    monkeypatch.setattr(leaderboard, "published_anchors", lambda *_: [])
    monkeypatch.setattr(
        leaderboard, "bd_table", lambda _, metrics, anchor, **__: f"bd {metrics[0].name} against {anchor}"
    )
    monkeypatch.setattr(leaderboard, "at_rate_table", lambda _, metrics, rate, because, *, anchor, **__: (
        f"{' '.join(metric.name for metric in metrics)} at {rate}{because} from {anchor}"))  # fmt: skip
    monkeypatch.setattr(
        leaderboard,
        "at_score_table",
        lambda _, metric, score, *, anchor, **__: f"cost of {metric.name} {score} from {anchor}",
    )
    monkeypatch.setattr(leaderboard, "board_ranks", lambda _, board, __: board)
    monkeypatch.setattr(leaderboard, "with_ranks", lambda table, ranks: (
        f"ranks of {table}" if ranks == "psnr zip" else ""))  # fmt: skip
    frame: Any = SimpleNamespace(background=None, read=lambda _, metrics: metrics)
    assert leaderboard._table(frame, part, [PSNR, *others[:3]], view, 0.15) == made
    assert said == asked


@pytest.mark.parametrize(
    ("view", "rate", "metrics", "drawn"),
    [
        ("bd-rate", 0.2, [PSNR, BUTTERAUGLI], ["bd-rate 0.2", "board of psnr", "own", "each metric"]),
        ("bd-rate", None, [PSNR], ["bd-rate None", "board of psnr", "own"]),
        ("rate", 0.2, [PSNR, BUTTERAUGLI], ["rate 0.2", "board of psnr butteraugli", "own"]),
        ("score", 0.2, [PSNR, BUTTERAUGLI], ["score 0.2", "board of psnr"]),
        ("pair", 0.2, [PSNR, BUTTERAUGLI], ["two codecs of all by psnr"]),
    ],
)
def test_what_stands_below_the_leaderboard(
    monkeypatch: pytest.MonkeyPatch, view: str, rate: float | None, metrics: list[Any], drawn: list[str]
) -> None:
    said: list[str] = []
    part: Any = SimpleNamespace(
        metrics=metrics, opening_view=lambda _: SimpleNamespace(anchor="zip", bits_per_pixel=rate)
    )
    frame: Any = SimpleNamespace(
        source=lambda _: SimpleNamespace(families=["classic"], kinds=["natural"]), selection=lambda *_: part,
        read=lambda _, metrics: metrics, url="arena", version=7,
    )  # fmt: skip
    monkeypatch.setattr(leaderboard, "st", Answered())
    for name, answer in {"pick_set": "zoo", "pick_kind": "all", "pick_metric": PSNR, "choose": view}.items():
        monkeypatch.setattr(leaderboard.pickers, name, lambda *_, answer=answer, **__: answer)
    for name in ("summary", "pending"):
        monkeypatch.setattr(leaderboard.pages, name, lambda *_: None)
    monkeypatch.setattr(leaderboard, "pick_codecs", lambda *_: frozenset())

    def show(_: Any, name: str, made_from: Any) -> None:
        assert made_from[0] is part
        said.append(f"{name} of {' '.join(metric.name for metric in made_from[1])}")

    monkeypatch.setattr(leaderboard.pages, "show", show)
    monkeypatch.setattr(leaderboard, "costs_of", lambda *_: "costs")
    monkeypatch.setattr(
        leaderboard, "draw_pair",
        lambda _, __, selection, metric, kind, costs: said.append(f"two codecs of {kind} by {metric.name}")
        if (selection, costs) == (part, "costs") else None,
    )  # fmt: skip
    monkeypatch.setattr(leaderboard, "_table", lambda *words: said.append(f"{words[3]} {words[4]}"))
    monkeypatch.setattr(leaderboard, "with_people_and_costs", lambda *_: None)
    monkeypatch.setattr(leaderboard, "_own_rates", lambda *_: said.append("own"))
    monkeypatch.setattr(leaderboard, "_every_metric", lambda *_: said.append("each metric"))
    leaderboard.draw(frame)
    assert said == drawn


def test_each_metric_is_read_where_somebody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Any] = []
    answers = ["no", "yes"]
    monkeypatch.setattr(leaderboard, "st", Answered())

    def choose(_: Any, label: str, name: str, options: list[str], **named: Any) -> str:
        said.append((label, name, options, [named["show"](option) for option in options]))
        return answers.pop(0)

    monkeypatch.setattr(leaderboard.pickers, "choose", choose)
    monkeypatch.setattr(
        leaderboard.pages, "show",
        lambda *words, made_from: said.append(words) if made_from == (part, [BUTTERAUGLI]) else None,
    )  # fmt: skip
    monkeypatch.setattr(leaderboard, "against_published", lambda *_: None)
    monkeypatch.setattr(leaderboard, "bd_table", lambda _, metrics, anchor, **__: (metrics, anchor))
    part: Any = SimpleNamespace(metrics=[PSNR, BUTTERAUGLI], usual_anchor="zip")
    frame: Any = SimpleNamespace(background=None, read=lambda _, metrics: metrics[1:])
    leaderboard._every_metric(frame, part)
    leaderboard._every_metric(frame, part)
    picker = ("Show", "every", ["no", "yes"], ["Not now", "All metrics"])
    assert said == [picker, picker, (([BUTTERAUGLI], "zip"), "all")]


@pytest.mark.parametrize(
    ("there", "usual", "drawn"),
    [({"decode", "ram"}, "decode", True), ({"ram"}, "ram", True), (set(), "decode", False)],
)
def test_the_cost_that_a_page_of_speeds_begins_with(
    monkeypatch: pytest.MonkeyPatch, there: set[str], usual: str, drawn: bool
) -> None:
    page, asked, tables = Answered(), [], []
    costs = {"encode": "Encode, ms", "decode": "Decode, ms", "ram": "Memory, MiB"}
    monkeypatch.setattr(speed, "st", page)
    monkeypatch.setattr(speed, "COSTS", costs)
    page.context.theme.type = "dark"

    def choose(_: Any, label: str, name: str, options: list[str], default: str, *, show: Any) -> str:
        asked.append((label, name, options, default, [show(option) for option in options]))
        return default

    for name, answer in {"pick_set": "zoo", "pick_metric": BUTTERAUGLI, "pick_anchor": "zip"}.items():
        monkeypatch.setattr(speed.pickers, name, lambda *_, answer=answer: answer)
    monkeypatch.setattr(speed.pages, "summary", lambda *_: None)
    monkeypatch.setattr(speed.pickers, "choose", choose)
    monkeypatch.setattr(speed.pages, "show", lambda *words: tables.append(words))
    point = TradePoint("zip", 2.0, 3.0, True)
    monkeypatch.setattr(speed, "trades", lambda *words: [point] if words[2] in there else [])
    monkeypatch.setattr(speed, "absent", lambda _, __, by: [f"Not in the chart: a_b by {by}."])
    monkeypatch.setattr(
        speed, "trade", lambda points, line_styles, **named: (points, list(line_styles), named)
    )
    monkeypatch.setattr(speed, "costs_of", lambda *words: words)
    monkeypatch.setattr(speed, "timings", lambda *words: words)
    monkeypatch.setattr(speed, "pareto_table", lambda *words: words[1:])
    filled, empty = SimpleNamespace(rows=[1]), SimpleNamespace(rows=[])
    monkeypatch.setattr(speed, "pick_codecs", lambda _, source: {f"hidden of {source}"})
    monkeypatch.setattr(
        speed, "speed_tables",
        lambda *words: [filled, empty, filled] if words == ("store", "zoo", {"hidden of zoo"}) else [],
    )  # fmt: skip
    compared = SimpleNamespace(common=["a"])
    part: Any = SimpleNamespace(
        metrics=[PSNR, BUTTERAUGLI], grids=[SimpleNamespace(codec=SimpleNamespace(label="zip"))],
        board=lambda *words: words, image_set="zoo", comparison=lambda _: compared,
    )  # fmt: skip
    frame: Any = SimpleNamespace(
        source=str, selection=lambda _, left_out: part if left_out else None, store="store", url="arena",
        version=7,
    )  # fmt: skip
    speed.draw(frame)
    assert asked == [("Cost", "cost", list(costs), usual, list(costs.values()))]
    gain = {"cost": costs[usual], "gain": "BD-rate against zip (%), less is better", "less_is_better": True}
    assert page.of("altair_chart") == ([([point], ["zip"], {**gain, "dark": True})] if drawn else [])
    assert len(page.of("info")) == (not drawn)
    assert page.of("caption") == [f"Not in the chart\\: a\\_b by {usual}\\."] * drawn
    front = ((BUTTERAUGLI, compared, ("store", "zoo")), "front")
    assert tables == [(filled, "speed0"), (filled, "speed1"), front]
    compared.common = []
    speed.draw(frame)
    assert len(tables) == 5


def test_costs_of_a_state_of_a_store_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    def costs(*words: Any) -> dict[str, Any]:
        made.append(words)
        return {}

    monkeypatch.setattr(leaderboard.pages, "open_store", lambda url: url)
    monkeypatch.setattr(leaderboard, "timings", lambda store, name: f"timings of {name} in {store}")
    monkeypatch.setattr(leaderboard, "footprints", lambda store: f"footprints in {store}")
    monkeypatch.setattr(leaderboard, "costs", costs)
    st.cache_data.clear()
    for version in (*range(8), *range(8), 8, 0):
        leaderboard.costs_of("arena", version, "zoo")
    st.cache_data.clear()
    assert made == 10 * [("timings of zoo in arena", "footprints in arena")]
