"""How a picker's value comes from the address, the last page or the default, and goes into the address."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import streamlit as st
from drawn import Drawn
from report_rows import BUTTERAUGLI, PSNR

from codecarena.bench.analysis.coverage import AnalysisError
from codecarena.bench.store.database import StoreError, StoreVersionError
from codecarena.reports.tables.table import Column, Entry, Row, Table
from codecarena.reports.views import frame, pickers


class Address(dict[str, Any]):
    """The words after the question mark, and how often they were written."""

    writes = 0

    def __setitem__(self, name: str, value: Any) -> None:
        self.writes += 1
        super().__setitem__(name, value)

    def get_all(self, name: str) -> list[str]:
        value = self.get(name, [])
        return [value] if isinstance(value, str) else list(value)


class Pickers(Drawn):
    """Streamlit with an address and a session, whose pickers answer what the session holds."""

    def __init__(self) -> None:
        super().__init__()
        self.query_params = Address()
        self.session_state: dict[str, Any] = {"page": "Look"}
        self.asked: list[tuple[Any, ...]] = []

    def pick(self, kind: str) -> Any:
        def picker(label: str, *words: Any, key: str, format_func: Any = None, **named: Any) -> Any:
            named.pop("required", None)
            texts = [format_func(option) for option in words[0]] if format_func else list(words)
            self.asked.append((kind, label, texts, key, named))
            return self.session_state[key]

        return picker

    def __getattr__(self, name: str) -> Any:
        if name in ("selectbox", "segmented_control", "multiselect", "number_input"):
            return self.pick(name)
        return super().__getattr__(name)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Pickers:
    drawn = Pickers()
    monkeypatch.setattr(frame, "st", drawn)
    monkeypatch.setattr(pickers, "st", drawn)
    return drawn


NEW, PICKED = {"n of Look": "b", "written n": "a"}, {"n of Look": "c", "written n": "z"}


@pytest.mark.parametrize(
    ("asked", "session", "default", "chosen"),
    [
        (None, {}, None, "a"),
        (None, {}, "b", "b"),
        (None, {}, "z", "a"),
        ("c", {}, "b", "c"),
        ("z", {}, "b", "b"),
        ("z", {"kept n": ["c"]}, "b", "c"),
        (None, {"kept n": ["c"]}, "b", "c"),
        ("b", {"kept n": ["c"]}, None, "b"),
        ("a", NEW, None, "b"),  # picked by hand since
        ("c", NEW, None, "c"),  # the browser went back
        ("y", {**PICKED, "kept n": ["b"]}, None, "c"),
        ("z", {**NEW, "n of Look": "gone", "written n": "z"}, "c", "c"),
        (None, {"n of Look": "b"}, None, "b"),
        (None, {"n of Rates": "b"}, None, "a"),  # another page's picker
    ],
)
def test_which_option_is_chosen(
    page: Pickers, asked: str | None, session: dict[str, Any], default: str | None, chosen: str
) -> None:
    page.session_state |= session
    if asked is not None:
        page.query_params = Address(n=asked)
    place: Any = page
    assert pickers.choose(place, "Name", "n", ["a", "b", "c"], default, help_text="what it is") == chosen
    assert page.asked == [("selectbox", "Name", ["a", "b", "c"], "n of Look", {"help": "what it is"})]
    assert page.query_params == {"n": chosen}
    assert page.query_params.writes == (asked != chosen)
    assert page.session_state["n of Look"] == page.session_state["written n"] == chosen
    assert page.session_state["kept n"] == [chosen]


def test_options_are_written_and_shown_in_their_own_ways(page: Pickers) -> None:
    place: Any = page
    page.query_params = Address(m="20")
    chosen = pickers.choose(
        place, "Tens", "m", [1, 2, 3], write=lambda option: f"{option}0", show=lambda option: f"<{option}>",
        segmented=True,
    )  # fmt: skip
    assert chosen == 2
    assert page.asked == [("segmented_control", "Tens", ["<1>", "<2>", "<3>"], "m of Look", {"help": None})]
    # A segmented control gives back nothing where it was clicked off.
    place = SimpleNamespace(segmented_control=lambda *_, **__: None)
    assert (
        pickers.choose(place, "Tens", "m", [1, 2, 3], write=lambda option: f"{option}0", segmented=True) == 1
    )
    assert page.query_params == {"m": "10"}


@pytest.mark.parametrize(
    ("asked", "session", "chosen"),
    [
        ([], {}, ["d"]),
        (["b", "z"], {}, ["b"]),
        (["z"], {}, ["d"]),
        (["a"], {"n of Look": ["b", "gone"], "written n": ["a"]}, ["b"]),
        (["c"], {"n of Look": ["b"], "written n": ["a"]}, ["c"]),
        ([], {"n of Look": ["b"], "written n": ["a"]}, ["d"]),
        ([], {"n of Look": [], "written n": None}, []),
        (["a"], {"n of Look": [], "written n": ["a"]}, []),
        (["a"], {"n of Rates": ["b"], "written n": ["a"]}, ["a"]),
    ],
)
def test_which_of_many_options_are_chosen(
    page: Pickers, asked: list[str], session: dict[str, Any], chosen: list[str]
) -> None:
    page.session_state |= session
    page.query_params = Address(n=asked) if asked else Address()
    place: Any = page
    assert pickers.choose_many(place, "Names", "n", ["a", "b", "c"], "which", ["d"]) == chosen
    assert page.asked == [("multiselect", "Names", [["a", "b", "c"]], "n of Look", {"help": "which"})]
    assert page.query_params == ({"n": chosen} if chosen else {})
    assert page.query_params.writes == bool(chosen and chosen != asked)
    assert page.session_state["written n"] == (chosen or None)
    assert page.session_state["kept n"] == (chosen or [""])


@pytest.mark.parametrize(
    ("asked", "session", "chosen", "written"),
    [
        (None, {}, 0.5, "0.5"),
        ("2.25", {}, 2.25, "2.25"),
        ("99", {}, 0.5, "0.5"),
        ("2", {"n of Look": 1.5, "written n": "2"}, 1.5, "1.5"),
        ("3", {"n of Look": 1.5, "written n": "2"}, 3.0, "3"),
        (None, {"n of Look": 1.5}, 1.5, "1.5"),
        (None, {"n of Look": 1.5, "written n": "2"}, 0.5, "0.5"),
    ],
)
def test_which_number_is_chosen(
    page: Pickers, asked: str | None, session: dict[str, Any], chosen: float, written: str
) -> None:
    page.session_state |= session
    if asked is not None:
        page.query_params = Address(n=asked)
    place: Any = page
    number = pickers.choose_number(place, "Rate", "n", 0.5, low=0.1, high=4.0, step=0.05, help_text="of what")
    assert number == chosen
    assert page.asked == [
        ("number_input", "Rate", [0.1, 4.0], "n of Look", {"step": 0.05, "help": "of what"})
    ]
    assert page.query_params == {"n": written}
    assert page.session_state["written n"] == written


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
    ("codecs", "open_failures", "planned", "caption", "running_text"),
    [
        ([0, 1, 1], 0, None, "2 pictures · 2 codecs · 3 results", []),
        ([5, 5, 5], 1, None, "2 pictures · 1 codec · 3 results · 1 open failure",
         ["One codec so far: run a suite with another one to compare."]),
        ([0, 1, 2], 2, 40, "2 pictures · 3 codecs · 3 results · 2 open failures",
         ["A run of a\\_b is in progress: 40 cells planned. Numbers change as results come in."]),
    ],
)  # fmt: skip
def test_a_line_says_what_a_page_is_made_from(
    page: Pickers, monkeypatch: pytest.MonkeyPatch, codecs: list[int], open_failures: int,
    planned: int | None, caption: str, running_text: list[str],
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
        SimpleNamespace(columns=columns, failures=failures),  # type: ignore[arg-type]
    )
    assert page.of("caption") == [caption]
    assert page.of("info") == running_text


TABLE = Table("Rates_of", (Column("Codec", numeric=False),), (Row((Entry("zip"),)),), ("a*b", "c"))


@pytest.mark.parametrize(
    ("name", "asked", "sorted_by", "handed", "written"),
    [
        ("board", None, None, "", {}),
        ("board", "1-up", None, "1-up", {"board-sort": "1-up"}),
        ("board", "1-up", "2-down", "1-up", {"board-sort": "2-down"}),
        ("board", None, "2-down", "", {"board-sort": "2-down"}),
        ("", None, "2-down", "", {}),
    ],
)
def test_a_table_with_a_name_is_sorted_as_the_address_says(
    page: Pickers, monkeypatch: pytest.MonkeyPatch, name: str, asked: str | None, sorted_by: str | None,
    handed: str, written: dict[str, str],
) -> None:  # fmt: skip
    given: list[dict[str, Any]] = []

    def component(**words: Any) -> Any:
        given.append(words)
        return SimpleNamespace(sort=sorted_by)

    monkeypatch.setattr(frame, "_table", component)
    page.query_params = Address({"board-sort": asked} if asked else {})
    frame.show(TABLE, name)
    assert page.of("subheader") == ["Rates\\_of"]
    assert page.of("caption") == ["a\\*b  \nc"]
    assert given[0]["key"] == f"table {name or 'Rates_of'} of Look"
    assert given[0]["data"]["sort"] == handed
    assert ">zip<" in given[0]["data"]["html"]
    assert page.query_params == written
    frame.show(Table("t", TABLE.columns, TABLE.rows), heading=False)
    assert len(page.of("subheader")) == len(page.of("caption")) == 1


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
    [(StoreError("no_store"), ["codecarena demo"]), (StoreVersionError("no_store"), [])],
)
def test_a_page_without_a_store_says_why(
    page: Pickers, monkeypatch: pytest.MonkeyPatch, error: StoreError, code: list[str]
) -> None:
    def refuse(_: str) -> Any:
        raise error

    monkeypatch.setattr(frame, "open_store", refuse)
    frame.page("Look", "about", lambda _: None)
    assert page.of("title") == ["Look"]
    assert (page.of("info"), page.of("code")) == (["no\\_store"], code)


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
