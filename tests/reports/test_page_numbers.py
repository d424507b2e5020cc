"""What the dashboard's pages say of a store whose every number is known, and in which words."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import streamlit as st
from drawn import Drawn
from report_rows import BUTTERAUGLI, PSNR
from streamlit.testing.v1 import AppTest
from zoo import zoo_of

from codecarena.bench.analysis.curves import BdRate
from codecarena.bench.analysis.intervals import Interval
from codecarena.bench.analysis.kind_effect import KindRow, Level, Order, Reversal
from codecarena.bench.analysis.mean_curves import SharedPictures
from codecarena.bench.records.rows import RunRow
from codecarena.bench.store.imports import Published
from codecarena.bench.store.run_details import RunDetail
from codecarena.reports.charts.chart_points import SpanPoint
from codecarena.reports.charts.line_styles import line_styles
from codecarena.reports.files.curve_files import published_points
from codecarena.reports.server.server import STORE_VARIABLE
from codecarena.reports.tables.leaderboard_tables import RatePoint
from codecarena.reports.views import frame, look, natural, pickers, rates, runs

# Streamlit's own script runner, under AppTest, warns about itself.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

ONE_PAGE = """
import streamlit as st
from codecarena.reports.views import {name}, navigation
st.session_state["page"] = "{name}"
{name}.main()
"""


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("zoo") / "arena"
    zoo_of(folder).close()
    return folder


@pytest.fixture
def open_page(zoo: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., AppTest]]:
    """Return a function that opens a page of the store and waits for what it computes."""
    st.cache_resource.clear()
    st.cache_data.clear()
    monkeypatch.setenv(STORE_VARIABLE, str(zoo))
    monkeypatch.setattr("codecarena.reports.server.background.PATIENCE_SECONDS", 60.0)

    def open_one(name: str, **query: str) -> AppTest:
        page = AppTest.from_string(ONE_PAGE.format(name=name), default_timeout=60)
        for key, value in query.items():
            page.query_params[key] = value
        page.run()
        assert not page.exception, [element.value for element in page.exception]
        return page

    yield open_one
    st.cache_resource.clear()
    st.cache_data.clear()


def rows_of(page: AppTest, table: int = 0) -> list[list[str]]:
    """Return the texts of one of the tables of a page."""
    shown = [json.loads(element.proto.json).get("html", "") for element in page.get("bidi_component")]
    (body,) = re.findall(r"<tbody>(.*)</tbody>", [body_html for body_html in shown if body_html][table])
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", re.sub(r"<(/?a|img)\b[^>]*>", "", body))
    return [re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", row) for row in rows]


def test_the_leaderboard_is_of_the_chosen_kind(open_page: Callable[..., AppTest]) -> None:
    page = open_page("leaderboard", anchor="zip", metric="psnr")
    assert page.caption[0].value == "4 pictures · 3 codecs · 24 results · 3 open failures"
    # Mean curves of all four pictures: 0.785, 0.9375 and 0.95 bits per pixel for the same scores.
    assert [row[:2] for row in rows_of(page)] == [["latent", "−17.4"], ["hyper", "−1.3"], ["zip", "anchor"]]
    page = open_page("leaderboard", anchor="zip", kind="natural")
    assert page.caption[0].value == "2 pictures · 3 codecs · 12 results · 1 open failure"
    assert [row[:2] for row in rows_of(page)] == [["hyper", "−50.0"], ["zip", "anchor"], ["latent", "+13.2"]]


def test_natural_and_generated_pictures_on_their_page(open_page: Callable[..., AppTest]) -> None:
    page = open_page("natural", anchor="zip", metric="psnr")
    kinds, divided = rows_of(page), rows_of(page, 1)
    # bee is of latent's own generator family: in a row of its own. Of dog latent needs a tenth more.
    assert {tuple(row[:4]) for row in kinds} == {
        ("hyper", "none", "−50.0", "−25.0"),
        ("latent", "none", "+13.2", "+10.0"),
        ("latent", "same generator family", "+13.2", "−90.0"),
    }
    assert [row[0] for row in divided][:2] == ["bee.png", "bee.png"]
    assert divided[0][1:3] == ["AI-generated", "latent"]


def test_the_look_page_shows_each_codec_nearest_the_rate(open_page: Callable[..., AppTest]) -> None:
    page = open_page("look", codec="hyper", bpp="1.3", picture="dog.png", match="bpp")
    assert page.number_input[0].value == 1.3
    (row,) = rows_of(page, -1)
    assert row == ["hyper", "1.20", "−7.7 %", "0.120", "2.5", "34.00", "2.60"]


def test_runs_and_failures_on_their_page(open_page: Callable[..., AppTest]) -> None:
    page = open_page("runs")
    assert rows_of(page)[0][:4] == ["1", "made", "measurements", "finished"]
    assert [row[0] for row in rows_of(page, 1)] == ["hyper", "latent", "zip"]
    titles = [element.label.replace("\\", "") for element in page.expander]
    assert titles[:3] == [
        "hyper at 9 on dog.png: crash in encode",
        "latent at 9 on bee.png: crash in encode",
        "zip at 9 on ant.png: crash in encode",
    ]
    captions = [element.value for element in page.caption]
    assert captions.count("exit status 1, 2026-01-01 00:00:00 UTC") == 3


def detail(call: tuple[str, ...] = (), planned: int = 40, measured: int = 9, failed: int = 0) -> RunDetail:
    run = RunRow(7, "quick", "finished", 3, planned, "2026-01-01T00:00:00", None, call)
    return RunDetail(run, "text", {}, measured, failed, None)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ((), ["run", "suite.toml", "--store", "my arena", "-j", "3"]),
        (("run", "--limit", "2"), ["run", "suite.toml", "--limit", "2", "--store", "my arena", "-j", "3"]),
        (("time", "--again"), ["time", "suite.toml", "--again", "--store", "my arena"]),
    ],
)
def test_the_command_that_runs_a_suite_again(call: tuple[str, ...], words: list[str]) -> None:
    assert shlex.split(runs.command(detail(call), "my arena")) == ["codecarena", *words]


@pytest.mark.parametrize(
    ("planned", "measured", "failed", "drawn", "progress_text"),
    [
        (40, 9, 1, 0.25, "quick: 9 of 40 cells, 1 failed attempt"),
        (10, 9, 3, 1.0, "quick: 9 of 10 cells, 3 failed attempts"),
        (1, 0, 0, None, "quick: 0 of 1 cell. What only adds scores to stored cells shows no progress."),
        (0, 9, 0, None, "quick: 9 cells so far. What only adds scores to stored cells shows no progress."),
    ],
)
def test_how_far_a_run_is(
    monkeypatch: pytest.MonkeyPatch,
    planned: int,
    measured: int,
    failed: int,
    drawn: float | None,
    progress_text: str,
) -> None:
    page = Drawn()
    monkeypatch.setattr(runs, "st", page)
    monkeypatch.setattr(runs.pages, "open_store", lambda url: url)
    monkeypatch.setattr(runs.pages, "refresh", lambda: page.remember("rerun", (), {}))
    run = detail(planned=planned, measured=measured, failed=failed)
    newer = replace(run, run=replace(run.run, run_id=9, suite="newer"))
    monkeypatch.setattr(runs, "run_details", lambda _: [newer, run])
    runs.progress.__wrapped__(7, "arena")
    assert page.of("progress") == ([] if drawn is None else [(drawn, progress_text)])
    assert page.of("info") == ([progress_text] if drawn is None else [])
    assert page.of("rerun") == [()]  # its process is gone
    runs.progress.__wrapped__(8, "arena")
    assert len(page.said) == 2


@pytest.mark.parametrize(
    ("text", "low", "high", "number"),
    [
        ("0.5", 0.1, 1.0, 0.5), ("0.1", 0.1, 1.0, 0.1), ("1", 0.1, 1.0, 1.0), ("0.09", 0.1, 1.0, None),
        ("1.01", 0.1, 1.0, None), ("-3", None, None, -3.0), ("nan", None, None, None), ("", None, None, None),
        ("words", None, None, None), ("inf", None, None, None),
    ],
)  # fmt: skip
def test_a_number_of_the_address_must_lie_in_its_range(
    text: str, low: float | None, high: float | None, number: float | None
) -> None:
    assert pickers._number(text, low, high) == number


def test_names_are_plain_in_markdown() -> None:
    assert frame.plain("a*b_[c](d) $x$ `y` <z> 9 ä~!") == r"a\*b\_\[c\]\(d\) \$x\$ \`y\` \<z\> 9 ä\~\!"


def test_a_metric_is_addressed_by_its_name_where_no_other_has_it() -> None:
    twin = SimpleNamespace(name="psnr", metric_id="twin")
    assert pickers._address(PSNR, [PSNR, BUTTERAUGLI]) == "psnr"
    assert pickers._address(PSNR, [PSNR, twin]) == PSNR.metric_id  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("measured", "usual"), [([], 0.5), ([0.1, 0.16, 3.0], 0.15), ([0.2, 0.6], 0.5), ([0.05, 9.0, 9.0], 2.0)]
)
def test_the_usual_rate_of_the_look_page_is_the_common_one_nearest_the_middle(
    measured: list[float], usual: float
) -> None:
    part: Any = SimpleNamespace(columns=SimpleNamespace(bits_per_pixel=np.array(measured[::-1])))
    assert look._usual_rate(part) == usual


def test_the_look_page_begins_with_the_anchor_and_the_best_codec_against_it() -> None:
    def part(anchor: str | None, scored: bool = True) -> Any:
        rows = [
            SimpleNamespace(codec=SimpleNamespace(label=name), bd_rate=BdRate(0.0))
            for name in ("c", "a", "b")
        ]
        return SimpleNamespace(
            grids=[SimpleNamespace(codec=SimpleNamespace(label=name)) for name in ("a", "b", "c")],
            usual_anchor=anchor, metrics=[PSNR] if scored else [],
            board=lambda *_: SimpleNamespace(rows=rows),
        )  # fmt: skip

    assert look._first_codecs(part("a")) == ["a", "c"]
    assert look._first_codecs(part("c")) == ["c", "a"]
    assert look._first_codecs(part("b", scored=False)) == ["b", "a"]
    assert look._first_codecs(part(None)) == ["a", "b"]


def shown(picture: str = rates.AVERAGE, metric: Any = PSNR) -> rates.Shown:
    points = [RatePoint("zip", 1.5, 0.123456, 31.0, codec_id="zip-id"),
              RatePoint("hyper", 1.5, 0.5, 33.0, codec_id="hyper-id")]  # fmt: skip
    part: Any = SimpleNamespace(
        image_set="My Zoo",
        title=lambda _: "PSNR",
        comparison=lambda _: SimpleNamespace(
            shared=SharedPictures(frozenset("abc"), frozenset()),
            common=frozenset("abc"),
            codecs=[],
            curves={},
        ),
        picture_names={},
        grids=[SimpleNamespace(codec=SimpleNamespace(label=label)) for label in ("zip", "hyper")],
    )
    return rates.Shown(part, metric, picture, points, [], line_styles(["zip", "hyper"]), True)


def test_files_of_curves_are_named_and_titled_after_what_they_show() -> None:
    assert shown().name == "my-zoo-psnr"
    assert shown("Bee 1.png").name == "my-zoo-bee-1-png-psnr"
    for shown_rates, title in (
        (shown(), "My Zoo: means over 3 pictures"),
        (shown("bee.png"), "My Zoo: bee.png"),
    ):
        figure = rates.printed(shown_rates).figure
        assert figure.get_suptitle() == title
        assert figure.axes[0].get_ylabel() == "PSNR (dB)"


@pytest.mark.parametrize(
    ("codec", "setting", "picture", "query"),
    [
        ("zip-id", 1.5, rates.AVERAGE, {"set": "My Zoo", "codec": ["zip"], "bpp": "0.1235"}),
        (
            "hyper-id",
            1.5,
            "bee.png",
            {"set": "My Zoo", "codec": ["hyper"], "bpp": "0.5", "picture": "bee.png"},
        ),
        ("zip-id", 2.5, rates.AVERAGE, None),
        ("none-id", 1.5, rates.AVERAGE, None),
    ],
)
def test_a_clicked_point_opens_that_codec_at_its_rate(
    monkeypatch: pytest.MonkeyPatch, codec: str, setting: float, picture: str, query: dict[str, Any] | None
) -> None:
    opened: list[Any] = []
    page = SimpleNamespace(
        session_state={"pages": {"look": "the page Look"}},
        switch_page=lambda page, query_params: opened.append((page, query_params)),
    )
    monkeypatch.setattr(rates, "st", page)
    rates._open(shown(picture), {"codec_id": codec, "setting": setting})
    assert opened == ([] if query is None else [("the page Look", query)])


def test_published_curves_of_the_set_and_metric() -> None:
    def point(image_set: str, quality: float | None, scores: dict[str, float]) -> Published:
        return Published(image_set, "theirs", 0.25, scores, quality, 1.0, 2.0, "a paper")

    stored = [point("zoo", 4.0, {"psnr": 31.0, "vmaf": 80.0}), point("zoo", None, {"psnr": 32.0}),
              point("kodak", 1.0, {"psnr": 33.0}), point("zoo", 1.0, {"vmaf": 81.0})]  # fmt: skip
    assert published_points(stored, "zoo", PSNR) == [
        RatePoint("theirs (published)", 4.0, 0.25, 31.0), RatePoint("theirs (published)", 0.0, 0.25, 32.0),
    ]  # fmt: skip
    # One estimated rate makes the whole curve an estimate, and its legend says so.
    mixed = [stored[0], replace(stored[1], rate_kind="estimated")]
    assert [overlay.label for overlay in published_points(mixed, "zoo", PSNR)] == [
        "theirs (published) (estimated)"
    ] * 2


NONE = Interval(None, None, "few")
ROWS = (
    KindRow("a-id", "a", "none", Level(5, -20.0, Interval(-25.0, -14.0)), Level(7, 30.0, NONE)),
    KindRow("b-id", "b", "same weights", Level(5, None, NONE), Level(2, 4.0, Interval(1.0, 9.0))),
)


@pytest.mark.parametrize(
    ("p_value", "reversal_p", "statement", "confounded", "said"),
    [
        (0.049, 0.049, None, "", "What a codec saves depends on the kind of picture; the order of codecs "
         "changes."),
        (0.051, 0.051, None, "", "What a codec saves is not shown to depend on the kind of picture; no "
         "change in the order of codecs is shown."),
        (0.049, 0.9, "toy set", "JPEG quality", "Toy set."),
        (0.049, 0.049, None, "JPEG quality",
         "Kind and JPEG quality cannot be told apart here: what is shown may be of either."),
    ],
)  # fmt: skip
def test_the_page_says_whether_the_kind_matters(
    monkeypatch: pytest.MonkeyPatch,
    p_value: float,
    reversal_p: float,
    statement: str | None,
    confounded: str,
    said: str,
) -> None:
    page, tables, points = Drawn(), [], []
    monkeypatch.setattr(natural, "st", page)
    monkeypatch.setattr(natural.pages, "show", lambda table, name, **_: tables.append((table, name)))
    monkeypatch.setattr(natural, "kind_table", lambda _, split, __: split.rows)
    monkeypatch.setattr(natural, "spans", lambda drawn, **_: points.extend(drawn))
    order = Order(p_value, 3, 0.5, NONE, (Reversal("a", "b", -1.0, 1.0, reversal_p),))
    split: Any = SimpleNamespace(rows=ROWS, order=order, statement=statement, anchor="zip", metric=None)
    besides: Any = SimpleNamespace(confounded=confounded)
    natural._drawn(SimpleNamespace(), split, "title", "zoo", besides)  # type: ignore[arg-type]
    words = page.of("warning" if statement else "markdown")
    assert [word.strip("*").replace("\\", "") for word in words] == [said]
    assert points == [
        SpanPoint("a", "natural", -20.0, -25.0, -14.0), SpanPoint("a", "AI-generated", 30.0, None, None),
        SpanPoint("b (same weights)", "AI-generated", 4.0, 1.0, 9.0),
    ]  # fmt: skip
    assert tables == [(ROWS, "kinds")]
