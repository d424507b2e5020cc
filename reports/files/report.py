"""Collect what a report says, section by section, for the HTML page and for LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from ...bench.analysis.coverage import AnalysisError
from ...bench.records.rows import MetricRow
from ...bench.store.derived_cache import Derived
from ...bench.store.store import Store
from ...bench.store.timings import timings
from ...studies.ledger.ledger import Ledger
from ..charts import rd_figure
from ..charts.line_styles import line_styles
from ..charts.scale_figure import scale_chart
from ..charts.study_tables import StudyFindings, every_study
from ..tables import digits
from ..tables.comparisons import comparison_tables
from ..tables.evidence import curve_points
from ..tables.kinds import kind_tables
from ..tables.leaderboard_tables import failures_table, rate_points
from ..tables.leaderboards import bd_table
from ..tables.published_table import against_published, is_published
from ..tables.rate_table import rate_table
from ..tables.reasons import shared_notes
from ..tables.selection import Selection, selections
from ..tables.speed import speed_tables
from ..tables.table import Table
from .complete_boards import complete_boards, labelled

CHARTS = 3
"""Metrics with a chart where nobody chose."""


DETAILS = ("Pairs", "Fit", "Raters", "Between metrics", "Metrics against people by")
"""How titles of those tables of a study begin that are for who asks how sure the others are."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart and what it shows, in words."""

    figure: Figure
    description: str


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    title: str
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()
    warning: str = ""
    """What must be read before anything else of the section."""
    lines: tuple[str, ...] = ()
    folded: tuple[Table, ...] = ()
    """Tables for those who want to know more."""


@dataclass(frozen=True, slots=True)
class Report:
    """All evidence of a store."""

    image_sets: tuple[str, ...]
    lines: tuple[str, ...]
    """How much there is of each set."""
    sections: tuple[Section, ...]


def report(
    store: Store,
    *,
    image_set: str | None = None,
    metrics: Sequence[str] = (),
    anchor: str | None = None,
) -> Report:
    """Return all evidence of a store: leaderboards, charts, speed, kinds of pictures, studies, failures.

    Args:
        store: Where it is read from.
        image_set: One set; all where None.
        metrics: Names; all of the store where empty. The first one leads.
        anchor: Codec of the BD-rates; the usual one where None.

    Raises:
        AnalysisError: The store holds no results, or a name is not in it.
    """
    chosen = selections(store, image_set)
    if not chosen:
        raise AnalysisError("the store holds no results yet; run a suite first: codecarena run quick")
    derived = Derived(store)
    sections = [
        section for selection in chosen for section in _of_set(store, selection, metrics, anchor, derived)
    ]
    # Of a published anchor no picture is known: kinds of pictures are compared against the usual one.
    measured = [selection for selection in chosen if not is_published(selection, anchor)]
    sections += _kinds(store, image_set, metrics, anchor if measured else None, derived)
    ledger = Ledger(store.location.store_option, read_only=True)
    try:
        sections += [_study(findings) for findings in every_study(ledger)]
    finally:
        ledger.close()
    return Report(
        tuple(selection.image_set for selection in chosen),
        tuple(map(summary, chosen)),
        tuple(section for section in sections),
    )


def summary(selection: Selection) -> str:
    """Return in one line what a set holds."""
    counts = {
        "picture": len(selection.pictures),
        "codec": len(np.unique(selection.columns.codec)),
        "result": len(selection.columns.measurement),
        "open failure": sum(not failure.settled for failure in selection.failures),
    }
    counted = " · ".join(digits.counted(count, noun) for noun, count in counts.items() if count)
    return f"{selection.image_set}: {counted}"


def _of_set(
    store: Store, selection: Selection, names: Sequence[str], anchor: str | None, derived: Derived
) -> list[Section]:
    chosen = selection.chosen_metrics(names)
    name = selection.image_set
    sections: list[Section] = []
    if not chosen:
        sections.append(Section(f"Leaderboard · {name}", lines=("No picture of the set has a score yet.",)))
    else:
        sections.append(_leaderboard(store, selection, chosen, anchor, derived))
        sections.append(_curves(selection, chosen, derived))
        sections += _comparison(store, selection, chosen[0], derived)
    if speed := speed_tables(store, name):
        sections.append(Section(f"Speed and cost · {name}", _by_word(speed, name)))
    failed = failures_table(selection)
    if failed.rows:
        sections.append(Section(f"Failures · {name}", tuple(labelled([failed], "failures", name))))
    return sections


def _by_word(tables: Sequence[Table], image_set: str) -> tuple[Table, ...]:
    """Return tables labelled by the first words of their titles, which say what they are of."""
    by_word: dict[str, list[Table]] = {}
    for table in tables:
        by_word.setdefault(table.title.split()[0], []).append(table)
    return tuple(named for word, own in by_word.items() for named in labelled(own, word, image_set))


def _leaderboard(
    store: Store, selection: Selection, chosen: list[MetricRow], anchor: str | None, derived: Derived
) -> Section:
    name = selection.image_set
    first = complete_boards(store, selection, metrics=[chosen[0].metric_id], anchor=anchor, derived=derived)
    rest: list[Table] = []
    used = anchor or selection.opening_view(chosen[0]).anchor
    if len(chosen) > 1 and used:
        every_metric = against_published(selection, chosen, used)
        every_metric = every_metric or bd_table(selection, chosen, used, derived=derived)
        rest = labelled([every_metric], "bd rates", name)
    rates = labelled([rate_table(selection)], "rates", name)
    return Section(f"Leaderboard · {name}", (*first, *rest), folded=tuple(rates))


def _curves(selection: Selection, chosen: list[MetricRow], derived: Derived) -> Section:
    styles = line_styles(grid.codec.label for grid in selection.grids)
    drawn: list[Chart] = []
    for metric in chosen[:CHARTS]:
        points, pictures = rate_points(selection, metric, curve_points(selection, metric, derived))
        if not points:
            continue
        title = selection.title(metric)
        figure = rd_figure.rate_distortion(
            points, styles, metric=title, unit=digits.unit_of(metric), better=metric.better,
            title=f"{title}, means over {digits.counted(pictures, 'picture')}",
            decibels=metric.curve_scale == "decibel",
        )  # fmt: skip
        description = f"{title} over bits per pixel of {len({point.codec for point in points})} codecs"
        drawn.append(Chart(figure, f"{description}; the tables hold the numbers"))
    lines = dict.fromkeys(
        note
        for metric in chosen[:CHARTS]
        for note in shared_notes(selection.comparison(metric), selection.picture_names)
    )
    if not drawn:
        lines = {"No curve yet: no picture is finished by all codecs.": None}
    return Section(f"Rate and distortion · {selection.image_set}", charts=tuple(drawn), lines=tuple(lines))


def _comparison(store: Store, selection: Selection, metric: MetricRow, derived: Derived) -> list[Section]:
    try:
        wins, front = comparison_tables(
            selection, metric, timings(store, selection.image_set), derived=derived
        )
    except AnalysisError:
        return []  # no picture that all codecs finished: the leaderboard says so
    name = selection.image_set
    return [
        Section(
            f"Codecs against each other · {name}", tuple(labelled([front], "front", name)),
            folded=tuple(labelled([wins], "wins", name)),
        )
    ]  # fmt: skip


def _kinds(
    store: Store, image_set: str | None, metrics: Sequence[str], anchor: str | None, derived: Derived
) -> list[Section]:
    try:
        tables = kind_tables(store, metrics=metrics, anchor=anchor, image_set=image_set, derived=derived)
    except AnalysisError:
        return []  # one kind of picture only
    named = [
        labelled([table], "kinds", *{str(row.record["metric"]) for row in table.rows})[0] for table in tables
    ]
    return [Section("Natural against AI-generated", tuple(named[:1]), folded=tuple(named[1:]))]


def _study(findings: StudyFindings) -> Section:
    title = f"Study {findings.study.label}"
    lines = (*findings.lines, *([findings.reason] if findings.reason else []))
    drawn: list[Chart] = []
    if findings.results:
        for outcome in findings.results.outcomes[:1]:
            figure = scale_chart(outcome.scale, f"{findings.study.label}: {outcome.title}")
            drawn.append(Chart(figure, f"Scale of {findings.study.label}; the table below holds the numbers"))
    label = findings.study.label
    named = [
        labelled([table], "study", label, table.title.removeprefix(f"{label}: "))[0]
        for table in findings.tables
    ]
    folded = [table for table in named if table.title.removeprefix(f"{label}: ").startswith(DETAILS)]
    first = [table for table in named if table not in folded]
    return Section(title, tuple(first), tuple(drawn), findings.warning, lines, tuple(folded))
