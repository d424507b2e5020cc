"""What all pages share: opened stores, cached reads, pickers whose choice is in the address, tables."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath
from typing import cast
from urllib.parse import urlsplit

import streamlit as st
from streamlit.components.v2 import component

from ...bench.analysis.coverage import AnalysisError
from ...bench.records.rows import MetricRow
from ...bench.store.database_errors import NoStoreError
from ...bench.store.store import Store
from ...visible_text import visible
from ..server.background import Background
from ..server.server import STORE_VARIABLE
from ..server.store_errors import for_visitors, is_of_store, without_places
from ..tables import digits, leaderboard_tables
from ..tables.markup import html_table
from ..tables.selection import Kind, Selection, StoredColumns
from ..tables.table import Table, in_order
from . import address
from .address import WEB, current
from .table_tools import offer_copies, pick_columns

POLL_SECONDS = 5
PENDING_SECONDS = 1.0
THUMBNAILS = "look/thumbnail/"
"""Below every page's own path, as `server.pictures` answers it."""
REFRESHED = "drawn again by itself"
READ_AT_ONCE = 20_000
"""Measurements whose scores under a metric are read while the page waits: some hundredths of a second."""
SPACING = """
<style>
.stMainBlockContainer { padding-top: 3.5rem; max-width: 90rem; }
.stMainBlockContainer h1 { font-size: 1.75rem; padding-bottom: 0.75rem; }
.stMainBlockContainer h2 { font-size: 1.2rem; padding: 0.5rem 0 1rem; }
@media (max-width: 1200px) { .stMainBlockContainer { padding-left: 1.5rem; padding-right: 1.5rem; } }
/* Streamlit's own captions are too faint to read easily. */
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] p { color: inherit; opacity: 0.9; }
/* Its labels of chosen values and its main buttons are white: too faint on the dark look's lighter blue. */
@media (prefers-color-scheme: dark) {
  .stMultiSelect [title]:not(:has(input), input) { color: #0b0e12 !important; }
  [data-testid^="stBaseButton-primary"] * { color: #0b0e12 !important; }
}
</style>
"""
KEPT = """
<style>
/* New results come every few seconds in a run: the numbers that are there stay readable until the next. */
[data-stale="true"], [data-testid="stExpander"] :is(summary, summary *) { opacity: 1 !important; }
[data-testid="stSpinner"] { display: none; }
</style>
"""

_table = component("codecarena_table", css=(WEB / "table.css").read_text(), js=(WEB / "table.js").read_text())


@dataclass(frozen=True, slots=True)
class Frame:
    """What a page draws from."""

    url: str
    store: Store
    version: int
    image_sets: list[str]

    def source(self, image_set: str | None) -> StoredColumns:
        """Return one image set, or all of them; read again when the store has changed."""
        return read_source(self.url, self.version, image_set)

    def selection(
        self, image_set: str | None, kind: str = "all", left_out: Collection[str] = ()
    ) -> Selection:
        """Return pictures of one kind and some codecs.

        Args:
            image_set: One set; all where None.
            kind: ``all``, ``natural`` or ``ai-generated``.
            left_out: Ids of codecs.
        """
        return read_selection(self.url, self.version, image_set, kind, tuple(sorted(left_out)))

    def read(self, selection: Selection, metrics: Sequence[MetricRow]) -> list[MetricRow]:
        """Return those metrics whose scores are here; the others' are being read in the background.

        A million scores take as long as a page may: what is chosen is shown at once, the rest follows.
        """
        source, set_name = selection.source, selection.image_set
        for metric in metrics:
            if len(source.columns.measurement) <= READ_AT_ONCE:
                source.scores(metric.metric_id)
            elif not source.has_read(metric.metric_id):
                self.background.done(
                    partial(source.scores, metric.metric_id), str(self.version), set_name, metric.metric_id
                )
        return [metric for metric in metrics if source.has_read(metric.metric_id)]

    @property
    def background(self) -> Background:
        """The background worker of the store."""
        return background(self.url)


@st.cache_resource(max_entries=4, show_spinner=False)
def open_store(url: str) -> Store:
    """Return a read-only store, one for all sessions."""
    return Store(url)


@st.cache_resource(max_entries=4, show_spinner=False)
def background(url: str) -> Background:
    """Return the background worker of a store, one for all sessions."""
    return Background(open_store(url))


@st.cache_resource(max_entries=6, show_spinner="Reading the store …")
def read_source(url: str, version: int, image_set: str | None) -> StoredColumns:
    """Return one image set, or all of them, of one state of a store.

    Args:
        url: Of the store's database.
        version: Changes with every write, so that an old state is read no more.
        image_set: One set; all where None.
    """
    del version
    return StoredColumns(open_store(url), image_set)


@st.cache_resource(max_entries=24, show_spinner=False)
def read_selection(
    url: str, version: int, image_set: str | None, kind: str, left_out: tuple[str, ...]
) -> Selection:
    """Return a selection of one state of a store; what is computed of it is computed once.

    Args:
        url: Of the store's database.
        version: Changes with every write, so that an old state is read no more.
        image_set: One set; all where None.
        kind: ``all``, ``natural`` or ``ai-generated``.
        left_out: Ids of codecs.
    """
    chosen = None if kind == "all" else cast("Kind", kind)
    return Selection(read_source(url, version, image_set), chosen, left_out)


def plain(text: str) -> str:
    """Return text with Markdown's punctuation escaped, for names of codecs and sets, which may hold any."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", visible(text))


def page(title: str, about: str, draw: Callable[[Frame], None]) -> None:
    """Draw a page, or say what is missing for it.

    Args:
        title: Above it.
        about: What it shows and how to read it; behind the question mark.
        draw: Draws the rest.
    """
    address.begin()
    st.html(SPACING + (KEPT if st.session_state.pop(REFRESHED, False) else ""))
    st.title(title, anchor=False, help=about)
    url = os.environ.get(STORE_VARIABLE, "arena")
    notices = st.container()
    try:
        store = open_store(url)
        frame = Frame(url, store, store.version(), store.image_sets())
        frame.background.yield_to_pages()
    except NoStoreError:
        st.info(
            "There is no store yet. This page follows a run from its start; with the built-in photographs:"
        )
        st.code("codecarena demo", language=None)
        await_store(url)
        return
    except Exception as error:
        _unreadable(error, url)
        return
    if store.caution:
        notices.info(plain(without_places(store.caution, url)))
    try:
        draw(frame)
    except AnalysisError as error:
        st.warning(plain(str(error)))
    except Exception as error:
        _unreadable(error, url)
        return
    address.write()
    for unknown in current().unknown.values():
        notices.warning(plain(unknown))
    st.set_page_config(page_title=browser_title(title, url))
    frame.background.yield_to_pages()
    follow(url, frame.version)


def _unreadable(error: Exception, url: str) -> None:
    """Say why the store cannot be read, and draw the page again once it can; raise what is no fault of it."""
    if not is_of_store(error):
        raise error
    st.error(plain(for_visitors(error, url)))
    await_store(url)


def browser_title(title: str, url: str) -> str:
    """Return what a tab or a bookmark of a page is called: the page, its image set and the store.

    Args:
        title: Of the page.
        url: Of the store's database, or its folder.
    """
    chosen = current().chosen
    image_set = (chosen.get("set") or chosen.get("of") or [""])[0]
    # Of a database's address its name alone: the rest may hold a password.
    store = PurePath(urlsplit(url).path if "://" in url else url).name
    return " · ".join(word for word in (title, image_set, store, "codecarena") if word)


def needs_results(draw: Callable[[Frame], None]) -> Callable[[Frame], None]:
    """Return a page that says what to run where the store has no result and no failure."""

    def drawn(frame: Frame) -> None:
        if frame.image_sets and frame.version:
            draw(frame)
            return
        st.info("The store is empty: no result and no failure yet. This page follows a run as it goes.")
        st.code("codecarena run quick", language=None)

    return drawn


def no_scores(selection: Selection) -> None:
    """Say how to get scores, or that there is nothing to score."""
    if not selection.grids:
        st.info("No codec has a result here yet; failures are on the page Runs.")
        return
    st.warning("No scores yet: either the first are still being computed, or the suite names no metric.")
    st.code("codecarena score SUITE --metric psnr", language=None)


def summary(frame: Frame, selection: Selection) -> None:
    """Say in one line what a selection holds, and in another what is running."""
    columns = selection.columns
    pictures, codecs = len(set(columns.picture.tolist())), len(set(columns.codec.tolist()))
    counts = {"picture": pictures, "codec": codecs, "result": len(columns.measurement)}
    parts = [digits.counted(count, noun) for noun, count in counts.items()]
    open_failures = sum(not failure.settled for failure in selection.failures)
    if open_failures:
        parts.append(digits.counted(open_failures, "open failure"))
    st.caption(" · ".join(parts))
    say_left_out(selection)
    if codecs == 1 and not selection.left_out:
        st.info("One codec so far: run a suite with another one to compare.")
    for run in leaderboard_tables.running(frame.store):
        st.info(
            f"A run of {plain(run.suite)} is in progress: "
            f"{digits.counted(run.planned_cells, 'cell')} planned. "
            "Numbers change as results come in."
        )


def say_left_out(selection: Selection) -> None:
    """Say which codecs the choice of codecs leaves out, where it does."""
    if selection.left_out:
        names = plain(", ".join(selection.left_out))
        st.caption(f"Left out on every page, and of means and tests: {names}.")


def show(
    table: Table,
    name: str = "",
    *,
    heading: bool = True,
    links: Sequence[str] = (),
    made_from: tuple[Selection, Sequence[MetricRow]] | None = None,
) -> None:
    """Draw a table with its notes; one with a name can be sorted, and the address says how.

    Args:
        table: With its notes.
        name: Of its order in the address; empty where it cannot be sorted.
        heading: Whether the title stands above.
        links: Where the first cell of each row leads; none lead anywhere where it is empty.
        made_from: Where there is some, columns can be chosen, and the table can be copied and cited.
    """
    if heading:
        st.header(plain(table.title), anchor=False)
    if table.summary:
        st.markdown(f"**{plain(table.summary.text)}**")
    place, tools = st.container(), st.container(horizontal=True)
    if made_from:
        table = pick_columns(tools, table, name)
    key = f"table {name or table.title} of {st.session_state.get('page', '')}"
    order = _order(table, f"{name}{address.SORT}", key) if name else ""
    html = html_table(table, links, THUMBNAILS)
    data = {"html": html, "sort": order, "opening": current().opening, "pin": True}
    with place:
        _table(data=data, key=key, on_sort_change=lambda: None)
    if made_from:
        offer_copies(tools, in_order(table, order), *made_from)
    if table.notes:
        st.caption("  \n".join(plain(note) for note in table.notes))


def _order(table: Table, name: str, key: str) -> str:
    """Return by which column a table is sorted: as the address asks, and afterwards as somebody clicked.

    Args:
        table: With columns to sort by.
        name: Of the order, in the address: the place of a column, with a minus where it falls.
        key: Of the table, which reports every click.
    """
    clicked = address.newly_reported(key, "sort")
    asked = current().take(name)
    headings = [column.heading for column in table.columns]
    before = st.session_state.get(f"columns of {key}", headings)
    st.session_state[f"columns of {key}"] = headings
    order = _moved(current().chosen.get(name, []), before, headings)
    if asked is not None:
        order = [word for word in asked[:1] if _is_order(word, table)]
        if asked and not order:
            current().unknown[name] = (
                f"Order of the table: the link asks for “{asked[0]}”; expected the place of a column, "
                f"0 to {len(table.columns) - 1}, with a minus for a falling order."
            )
    elif _is_order(clicked, table):
        order = [clicked]
    current().record(name, order)
    return "".join(order)


def _moved(order: list[str], before: Sequence[str], headings: Sequence[str]) -> list[str]:
    """Return an order by one of the headings before as one by the same of these; none where it is gone."""
    if not order or before == headings:
        return order
    heading = before[int(order[0].removeprefix("-"))]
    if heading not in headings:
        return []
    return [f"{'-' * order[0].startswith('-')}{headings.index(heading)}"]


def _is_order(word: str, table: Table) -> bool:
    return re.fullmatch("-?[0-9]{1,3}", word) is not None and int(word.removeprefix("-")) < len(table.columns)


def pending(frame: Frame) -> None:
    """Say that intervals are on their way, and draw the page again when they are there."""
    if frame.background.waiting:
        st.caption(":material/hourglass_top: More is being read and computed; it appears by itself.")
        wait(frame.url)


def refresh() -> None:
    """Draw the page again where nobody has changed a choice: what is on it stays readable meanwhile."""
    st.session_state[REFRESHED] = True
    st.rerun(scope="app")


@st.fragment(run_every=PENDING_SECONDS)
def wait(url: str) -> None:
    """Draw the page again when nothing is being computed any more."""
    if not background(url).waiting:
        refresh()


@st.fragment(run_every=POLL_SECONDS)
def follow(url: str, version: int) -> None:
    """Draw the page again when the store has changed."""
    try:
        changed = open_store(url).version() != version
    except Exception as error:
        if not is_of_store(error):
            raise
        return
    if changed:
        refresh()


@st.fragment(run_every=POLL_SECONDS)
def await_store(url: str) -> None:
    """Draw the page again once the store can be read."""
    try:
        open_store(url).version()
    except Exception as error:
        if not is_of_store(error):
            raise
        return
    st.rerun(scope="app")
