"""How a picker's value comes from the address, the last page or the default, and goes into the address."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import streamlit as st
from drawn import Address, Pickers
from report_rows import BUTTERAUGLI, PSNR

from codecarena.bench.analysis.coverage import AnalysisError
from codecarena.bench.store.database import StoreError
from codecarena.bench.store.database_errors import NoStoreError
from codecarena.reports.tables.table import Column, Entry, Row, Table
from codecarena.reports.views import address, frame, pickers


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Pickers:
    drawn = Pickers()
    for module in (address, frame, pickers):
        monkeypatch.setattr(module, "st", drawn)
    monkeypatch.setattr(address, "_address", lambda **_: None)
    return drawn


def test_pickers_that_pages_share(page: Pickers) -> None:
    place: Any = page
    one_kind, both = SimpleNamespace(kinds=["natural"]), SimpleNamespace(kinds=["natural", "ai-generated"])
    assert pickers.pick_kind(place, one_kind) == "all"  # type: ignore[arg-type]
    assert page.asked == []
    assert pickers.pick_kind(place, both) == "all"  # type: ignore[arg-type]
    part: Any = SimpleNamespace(
        title=lambda metric: metric.name.upper(), usual_anchor="b",
        grids=[SimpleNamespace(codec=SimpleNamespace(label=name)) for name in "ab"],
    )  # fmt: skip
    assert pickers.pick_metric(place, part, [PSNR, BUTTERAUGLI]) == PSNR
    assert pickers.pick_anchor(place, part) == "b"
    assert pickers.pick_set(place, SimpleNamespace(image_sets=["zoo", "kodak"])) == "zoo"  # type: ignore[arg-type]
    assert [element[:4] for element in page.asked] == [
        ("segmented_control", "Pictures", ["All", "Natural", "AI-generated"], "kind of Look"),
        ("selectbox", "Metric", ["PSNR", "BUTTERAUGLI"], "metric of Look"),
        ("selectbox", "Anchor", ["a", "b"], "anchor of Look"),
        ("selectbox", "Image set", ["zoo", "kodak"], "set of Look"),
    ]
    page.asked.clear()
    drawn = SimpleNamespace(kinds=["drawn", "natural"])
    assert pickers.pick_kind(place, drawn) == "all"  # type: ignore[arg-type]
    assert page.asked[0][2] == ["All", "Natural", "Drawn"]
    with pytest.raises(AnalysisError, match="no codec has a result here yet"):
        pickers.pick_anchor(place, SimpleNamespace(grids=[]))  # type: ignore[arg-type]


@pytest.mark.parametrize("measurements", [20_000, 20_001])
def test_scores_of_a_large_store_are_read_beside_the_page(
    monkeypatch: pytest.MonkeyPatch, measurements: int
) -> None:
    read, later = ["kept"], []
    source: Any = SimpleNamespace(
        columns=SimpleNamespace(measurement=range(measurements)), scores=read.append,
        has_read=lambda name: name in read,
    )  # fmt: skip
    worker = SimpleNamespace(done=lambda work, *name: later.append((work, name)))
    monkeypatch.setattr(frame, "background", lambda url: worker if url == "arena" else None)
    metrics: Any = [SimpleNamespace(metric_id="kept"), PSNR]
    part: Any = SimpleNamespace(source=source, image_set="zoo")
    whole = frame.Frame("arena", None, 7, ["zoo"]).read(part, metrics)  # type: ignore[arg-type]
    if measurements == 20_000:
        assert (whole, later) == (metrics, [])
        return
    assert whole == metrics[:1]
    ((work, name),) = later
    assert name == ("7", "zoo", PSNR.metric_id)
    work()
    assert read == ["kept", PSNR.metric_id]


@pytest.mark.parametrize(
    ("codecs", "left_out", "open_failures", "planned", "caption", "running_text"),
    [
        ([0, 1, 1], [], 0, None, "2 pictures · 2 codecs · 3 results", []),
        ([5, 5, 5], [], 1, None, "2 pictures · 1 codec · 3 results · 1 open failure",
         ["One codec so far: run a suite with another one to compare."]),
        ([5, 5, 5], ["a_b", "c"], 0, None, "2 pictures · 1 codec · 3 results", []),
        ([0, 1, 2], [], 2, 40, "2 pictures · 3 codecs · 3 results · 2 open failures",
         ["A run of a\\_b is in progress: 40 cells planned. Numbers change as results come in."]),
    ],
)  # fmt: skip
def test_a_line_says_what_a_page_is_made_from(
    page: Pickers, monkeypatch: pytest.MonkeyPatch, codecs: list[int], left_out: list[str],
    open_failures: int, planned: int | None, caption: str, running_text: list[str],
) -> None:  # fmt: skip
    runs = [SimpleNamespace(suite="a_b", planned_cells=planned)] if planned else []
    monkeypatch.setattr(
        frame.leaderboard_tables, "running", lambda store: runs if store == "the store" else None
    )
    failures = [SimpleNamespace(settled=True)] + open_failures * [SimpleNamespace(settled=False)]
    columns = SimpleNamespace(
        picture=np.array([3, 3, 4]), codec=np.array(codecs), measurement=np.array([7, 8, 9])
    )
    frame.summary(
        SimpleNamespace(store="the store"),  # type: ignore[arg-type]
        SimpleNamespace(columns=columns, failures=failures, left_out=left_out),  # type: ignore[arg-type]
    )
    hidden = ["Left out on every page, and of means and tests: a\\_b\\, c."] * bool(left_out)
    assert page.of("caption") == [caption, *hidden]
    assert page.of("info") == running_text


TABLE = Table("Rates_of", (Column("Codec", numeric=False),), (Row((Entry("zip"),)),), ("a*b", "c"))


SORTABLE = Table("t", TABLE.columns * 3, ())


@pytest.mark.parametrize(
    ("asked", "clicked", "order"),
    [
        (None, "", ""), ("1", "", "1"), ("-0", "", "-0"), ("-2", "", "-2"),
        ("1", "2", "1"),  # the address of a page that is opened comes first
        ("3", "", ""), ("-3", "", ""), ("1-up", "", ""), ("--1", "", ""), ("²", "", ""),
    ],
)  # fmt: skip
def test_a_table_is_sorted_as_the_address_says(
    page: Pickers, monkeypatch: pytest.MonkeyPatch, asked: str | None, clicked: str, order: str
) -> None:
    given: list[dict[str, Any]] = []
    monkeypatch.setattr(frame, "_table", lambda **words: given.append(words))
    page.query_params = Address({} if asked is None else {"board-sort": asked})
    page.session_state["table board of Look"] = {"sort": clicked}
    address.begin()
    frame.show(SORTABLE, "board")
    assert given[0]["key"] == "table board of Look"
    assert (given[0]["data"]["sort"], given[0]["data"]["opening"]) == (order, 1)
    assert address.current().chosen == {"board-sort": [order] if order else []}
    assert bool(address.current().unknown) == (bool(asked) and not order)


def test_a_click_on_a_heading_sorts_and_is_an_entry_of_its_own(
    page: Pickers, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[dict[str, Any]] = []
    monkeypatch.setattr(frame, "_table", lambda **words: given.append(words["data"]))
    page.query_params = Address({"board-sort": "1"})
    seen: list[tuple[str, str, int]] = []
    for clicked in ("", "2", "-2", "-2", "9"):
        page.session_state["table board of Look"] = {"sort": clicked}
        address.begin()
        frame.show(SORTABLE, "board")
        address.write()
        seen.append((given[-1]["sort"], page.query_params["board-sort"], page.query_params.entries))
    # The page hands over the order that was clicked last, and no column that is not there.
    assert seen == [("1", "1", 0), ("2", ["2"], 1), ("-2", ["-2"], 2), ("-2", ["-2"], 2), ("-2", ["-2"], 2)]


def test_an_order_follows_its_column_where_others_come_and_go(
    page: Pickers, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str] = []
    monkeypatch.setattr(frame, "_table", lambda **words: given.append(words["data"]["sort"]))
    page.query_params = Address({"board-sort": "-1"})
    for titles in ("abc", "acb", "ab", "ac", "ab"):
        address.begin()
        frame.show(Table("t", tuple(Column(title) for title in titles), ()), "board")
    assert given == ["-1", "-2", "-1", "", ""]


def test_a_table_without_a_name_stands_in_no_address(page: Pickers, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, Any]] = []
    monkeypatch.setattr(frame, "_table", lambda **words: given.append(words))
    frame.show(TABLE)
    assert page.of("header") == ["Rates\\_of"]
    assert page.of("caption") == ["a\\*b  \nc"]
    assert given[0]["key"] == "table Rates_of of Look"
    assert given[0]["data"]["sort"] == ""
    assert ">zip<" in given[0]["data"]["html"]
    assert address.current().chosen == {}
    frame.show(Table("t", TABLE.columns, TABLE.rows), heading=False)
    assert len(page.of("header")) == len(page.of("caption")) == 1


def test_a_page_is_drawn_again_when_all_is_computed_or_the_store_has_changed(
    page: Pickers, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, waited = SimpleNamespace(waiting=True), []
    monkeypatch.setattr(frame, "background", lambda _: worker)
    frame.wait.__wrapped__("arena")
    monkeypatch.setattr(frame, "wait", waited.append)
    whole = frame.Frame("arena", None, 7, [])  # type: ignore[arg-type]
    frame.pending(whole)
    assert (len(page.of("caption")), waited, page.of("rerun")) == (1, ["arena"], [])
    worker.waiting = False
    frame.pending(whole)
    assert (len(page.of("caption")), waited) == (1, ["arena"])
    monkeypatch.undo()
    monkeypatch.setattr(frame, "st", page)
    monkeypatch.setattr(frame, "background", lambda _: worker)
    frame.wait.__wrapped__("arena")
    assert len(page.of("rerun")) == 1
    monkeypatch.setattr(frame, "open_store", lambda _: SimpleNamespace(version=lambda: 7))
    frame.follow.__wrapped__("arena", 7)
    assert len(page.of("rerun")) == 1
    for other in (6, 8):  # a store of fewer results may have taken its place
        frame.follow.__wrapped__("arena", other)
    assert len(page.of("rerun")) == 3

    def gone(_: str) -> Any:
        raise StoreError("gone")

    monkeypatch.setattr(frame, "open_store", gone)
    frame.follow.__wrapped__("arena", 6)
    assert len(page.of("rerun")) == 3
    # A second for what is being computed, five for a run that adds results.
    assert (frame.PENDING_SECONDS, frame.POLL_SECONDS) == (1, 5)


@pytest.mark.parametrize(
    ("error", "code"),
    [(NoStoreError("no_store"), ["codecarena demo"]), (StoreError("no_store"), [])],
)
def test_a_page_without_a_store_says_why(
    page: Pickers, monkeypatch: pytest.MonkeyPatch, error: StoreError, code: list[str]
) -> None:
    awaited: list[str] = []
    monkeypatch.setenv("CODECARENA_STORE", "arena")
    monkeypatch.setattr(frame, "await_store", awaited.append)

    def refuse(_: str) -> Any:
        raise error

    monkeypatch.setattr(frame, "open_store", refuse)
    frame.page("Look", "about", lambda _: None)
    assert page.of("title") == ["Look"]
    assert page.of("code") == code
    assert (len(page.of("info")), page.of("error")) == ((1, []) if code else (0, ["No\\_store"]))
    assert awaited == ["arena"]


def test_a_page_awaits_its_store(page: Pickers, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> Any:
        raise NoStoreError("none")

    monkeypatch.setattr(frame, "open_store", refuse)
    frame.await_store.__wrapped__("arena")
    assert not page.of("rerun")
    monkeypatch.setattr(frame, "open_store", lambda _: SimpleNamespace(version=lambda: 0))
    frame.await_store.__wrapped__("arena")
    assert len(page.of("rerun")) == 1


@pytest.mark.parametrize(
    ("sets", "version", "is_drawn"), [(["zoo"], 3, True), ([], 3, False), (["zoo"], 0, False)]
)
def test_a_store_without_results_says_what_to_run(
    page: Pickers, sets: list[str], version: int, is_drawn: bool
) -> None:
    drawn: list[Any] = []
    whole: Any = SimpleNamespace(image_sets=sets, version=version)
    frame.needs_results(drawn.append)(whole)
    assert drawn == ([whole] if is_drawn else [])
    assert page.of("code") == ([] if is_drawn else ["codecarena run quick"])


@pytest.mark.parametrize("grids", [[], ["a"]])
def test_a_page_without_scores_says_how_to_get_them(page: Pickers, grids: list[str]) -> None:
    frame.no_scores(SimpleNamespace(grids=grids))  # type: ignore[arg-type]
    assert page.of("code") == (["codecarena score SUITE --metric psnr"] if grids else [])
    assert bool(page.of("info")) is not bool(grids)


def test_numbers_stay_readable_where_a_page_is_drawn_again_by_itself(
    page: Pickers, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SimpleNamespace(version=lambda: 3, image_sets=lambda: ["zoo"], caution="")
    monkeypatch.setattr(frame, "open_store", lambda _: store)
    monkeypatch.setattr(frame, "background", lambda _: SimpleNamespace(yield_to_pages=lambda: None))
    monkeypatch.setattr(frame, "follow", lambda *_: None)

    def draw() -> str:
        frame.page("Look", "about", lambda _: None)
        return page.of("html")[-1]

    assert "data-stale" not in draw()
    frame.refresh()
    assert "data-stale" in draw()
    # What somebody changes fades until the new numbers are there.
    assert "data-stale" not in draw()


@pytest.mark.parametrize(
    ("title", "url", "chosen", "named"),
    [
        ("Look", "/home/me/arena", {"set": ["photos"]}, "Look · photos · arena · codecarena"),
        ("Natural", "old?arena", {"of": ["All"]}, "Natural · All · old?arena · codecarena"),
        ("Runs", "postgresql://me:secret@host/bench?ssl=1", {}, "Runs · bench · codecarena"),
    ],
)
def test_a_tab_is_named_by_page_set_and_store(
    page: Pickers, title: str, url: str, chosen: dict[str, list[str]], named: str
) -> None:
    address.current().chosen |= chosen
    assert frame.browser_title(title, url) == named


@pytest.mark.parametrize(
    ("name", "words", "made_by", "kept"),
    [
        ("open_store", (), "Store", 4),
        ("background", (), "Background", 4),
        ("read_source", (7, "zoo"), "StoredColumns", 6),
        ("read_selection", (7, "zoo", "natural", ("classic",)), "Selection", 24),
    ],
)
def test_what_pages_share_is_made_once_and_the_oldest_is_let_go(
    monkeypatch: pytest.MonkeyPatch, name: str, words: tuple[Any, ...], made_by: str, kept: int
) -> None:
    made: list[Any] = []

    def make(*given: Any) -> Any:
        made.append(given)
        return SimpleNamespace()

    for each in ("Store", "Background", "StoredColumns", "Selection"):
        monkeypatch.setattr(frame, each, make if each == made_by else lambda *given: given)
    shared = getattr(frame, name)
    st.cache_resource.clear()
    try:
        first = [shared(f"arena{place}", *words) for place in range(kept)]
        assert [shared(f"arena{place}", *words) for place in range(kept)] == first
        assert len(made) == kept
        shared("one more", *words)
        shared("arena0", *words)
        assert len(made) == kept + 2
        if made_by == "Selection":
            assert made[0][1:] == ("natural", ("classic",))
            shared("arena0", 7, "zoo", "all", ())
            assert made[-1][1:] == (None, ())
    finally:
        st.cache_resource.clear()
