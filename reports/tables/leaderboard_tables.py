"""The tables that the page and the command line share, so that both show the same numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from ...bench.analysis.coverage import AnalysisError
from ...bench.analysis.curves import Method
from ...bench.analysis.significance import PointEvidence
from ...bench.records.rows import Failure, MetricRow, RunRow
from ...bench.store.derived_cache import Derived
from ...bench.store.store import Store
from ...bench.store.timings import footprints, timings
from . import digits
from .at_target_tables import at_rate_table, at_score_table
from .leaderboard_columns import (
    Cost,
    costs,
    study_of,
    with_costs,
    with_human_rates,
    with_human_values,
)
from .leaderboards import bd_table
from .own_rate_table import own_rate_table
from .published_table import against_published
from .selection import Kind, Selection, choose_metrics, selections
from .table import Column, Entry, Row, Table

if TYPE_CHECKING:
    from ...studies.analysis.results import StudyResults


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A rate, or a score of a metric, at which codecs are compared."""

    target: str
    """``bpp``, or a metric."""
    value: float


def parse_operating_point(text: str) -> OperatingPoint:
    """Return what ``bpp=0.25`` or ``ssimulacra2=70`` asks for.

    Raises:
        AnalysisError: It is not a name, an equals sign and a number.
    """
    name, _, number = text.partition("=")
    try:
        return OperatingPoint(name.strip(), float(number))
    except ValueError:
        expected = "expected bpp=NUMBER or METRIC=NUMBER, such as bpp=0.25 or ssimulacra2=70"
        raise AnalysisError(f"--at {text!r}: {expected}") from None


def leaderboard_tables(
    store: Store,
    *,
    metrics: Sequence[str] = (),
    anchor: str | None = None,
    at: str | None = None,
    image_set: str | None = None,
    kind: Kind | None = None,
    method: Method = "pchip",
    derived: Derived | None = None,
    people: Sequence[StudyResults] = (),
    own_bytes_first: bool = False,
) -> list[Table]:
    """Return one leaderboard per image set, and per identity where a score is asked for.

    Without an anchor or a rate, the view is chosen by `choose_view`. What people said in a study of the same
    pictures stands in a column of its own. Codecs that are in no BD-rate and at no rate, as they have too few
    settings for a curve, are compared at their own bytes in a second table.

    Args:
        store: Where the results are.
        metrics: Names or ids; all that are stored if empty. The first decides the order of the codecs.
        anchor: Label or id of the codec whose BD-rate is 0; with neither it nor ``at``, the view is chosen.
        at: ``bpp=NUMBER`` for scores at a rate, or ``METRIC=NUMBER`` for the cost of a score.
        image_set: One set; all that are stored if absent.
        kind: Pictures of one kind only.
        method: How curves are interpolated over log rate.
        derived: Keeps intervals and tests in the store; without it they are computed anew.
        people: Results of studies, oldest first; the newest of the same pictures becomes a column.
        own_bytes_first: Whether codecs without a curve come first: in the leaderboard they show a dash.

    Raises:
        AnalysisError: The set, a metric or the anchor is not in the store, or ``at`` cannot be read.
    """
    of_sets = selections(store, image_set, kind)
    scored = [selection for selection in of_sets if selection.chosen_metrics(metrics)]
    # Where no set has a score, the first one says so.
    tables = [
        table
        for selection in scored or of_sets[:1]
        for table in tables_of(
            selection,
            metrics=metrics,
            anchor=anchor,
            at=at,
            method=method,
            derived=derived,
            people=people,
            own_bytes_first=own_bytes_first,
        )
    ]
    if at:
        refuse_unreached(store, tables, image_set, at)
    without = ", ".join(selection.image_set for selection in of_sets if selection not in scored)
    if without and tables:
        notes = (*tables[-1].notes, f"Without a score, and so without a table: {without}.")
        tables[-1] = replace(tables[-1], notes=notes)
    return tables


def refuse_unreached(store: Store, tables: Sequence[Table], image_set: str | None, at: str) -> None:
    """Raise `AnalysisError` with the stored ranges where no codec reaches what was asked.

    Args:
        store: Of the tables.
        tables: At the rate or score.
        image_set: Of the tables; all where None.
        at: ``bpp=NUMBER`` or ``METRIC=NUMBER``.
    """
    records = [row.record for table in tables for row in table.rows]
    at_rate = [record["scores"].values() for record in records if "at_bits_per_pixel" in record]
    spreads = [spread for scores in at_rate for spread in scores]
    spreads += [record["bits_per_pixel"] for record in records if "at_score" in record]
    if not spreads or any(spread["median"] is not None for spread in spreads):
        return
    target = parse_operating_point(at).target
    named = {metric.metric_id for metric in store.metrics() if target in (metric.name, metric.metric_id)}
    values: dict[str, list[float]] = {}
    for cell in store.cells(image_set):
        scores = [cell.scores[metric].value for metric in named if metric in cell.scores]
        numbers = (
            [cell.bits_per_pixel] if target == "bpp" else [score for score in scores if score is not None]
        )
        values.setdefault(cell.codec, []).extend(numbers)
    ranges = ", ".join(
        f"{codec} {digits.significant(min(numbers), 3)}…{digits.significant(max(numbers), 3)}"
        for codec, numbers in values.items()
        if numbers
    )
    raise AnalysisError(f"--at {at}: no codec reaches it; stored: {ranges}")


def tables_of(
    selection: Selection,
    *,
    metrics: Sequence[str] = (),
    anchor: str | None = None,
    at: str | None = None,
    method: Method = "pchip",
    derived: Derived | None = None,
    people: Sequence[StudyResults] = (),
    own_bytes_first: bool = False,
) -> list[Table]:
    """Return the leaderboards of a selection; arguments as in `leaderboard_tables`."""
    chosen = selection.scored_metrics(metrics)
    asked = parse_operating_point(at) if at else None
    because = ""
    if asked is None and anchor is None and selection.columns.probe.all():
        asked = _searched(selection)
    if asked is None and anchor is None:
        view = selection.opening_view(chosen[0])
        anchor = view.anchor
        if view.bits_per_pixel:
            asked = OperatingPoint("bpp", view.bits_per_pixel)
            because = selection.why_no_bd_rates(chosen[0])
    if asked is None and anchor and (table := against_published(selection, chosen, anchor, method)):
        return [table]
    against = anchor or selection.usual_anchor
    study = study_of(people, selection.pictures)
    if asked is None:
        table = bd_table(selection, chosen, anchor or "", method, derived)
        table = with_human_rates(table, study) if study else table
    elif asked.target == "bpp":
        table = at_rate_table(selection, chosen, asked.value, because, anchor=against, derived=derived)
        table = with_costs(table, _costs(selection))
        table = with_human_values(table, study, asked.value) if study else table
    else:
        metrics_asked = selection.scored_metrics([asked.target])
        return [
            at_score_table(selection, metric, asked.value, anchor=against, derived=derived)
            for metric in metrics_asked
        ]
    unscored = [metric for metric in choose_metrics(selection.all_metrics, metrics) if metric not in chosen]
    if metrics and unscored:
        names = ", ".join(selection.title(metric) for metric in unscored)
        table = replace(table, notes=(*table.notes, f"No picture of the set has a score by {names}."))
    own = own_rate_table(selection, chosen, against, method, derived)
    if own is None:
        return [table]
    return [own, table] if own_bytes_first else [table, own]


def _costs(selection: Selection) -> dict[str, Cost]:
    """Return what decoders cost, by codec id."""
    store = selection.source.store
    return costs(timings(store, selection.image_set), footprints(store))


def _searched(selection: Selection) -> OperatingPoint | None:
    """Return the target that was searched for, of a store that holds nothing else; a rate before a score."""
    known = [
        match.match
        for match in selection.matches
        if match.match.metric_id or match.match.target_kind == "bpp"
    ]
    first = min(known, key=lambda target: target.metric_id is not None, default=None)
    return OperatingPoint(first.target_kind, first.target) if first else None


class RunSource(Protocol):
    """What the line about a run in progress needs of a store."""

    def runs(self) -> list[RunRow]:
        """Return every run, newest first."""
        ...


def running(source: RunSource) -> list[RunRow]:
    """Return the runs that are alive, on whatever machine."""
    return [run for run in source.runs() if run.status == "running"]


@dataclass(frozen=True, slots=True)
class RatePoint:
    """One point of a rate-distortion curve."""

    codec: str
    setting: float
    bits_per_pixel: float
    score: float
    toy: bool = False
    codec_id: str = ""
    low: float | None = None
    """95 % interval of the score."""
    high: float | None = None
    estimated: bool = False
    """Whether the rate is an estimate of an entropy model, the size of no bitstream."""

    @property
    def label(self) -> str:
        """What a legend calls the codec."""
        marks = ["(toy)"] * self.toy + [digits.ESTIMATED] * self.estimated
        return " ".join([self.codec, *marks])


def rate_points(
    selection: Selection, metric: MetricRow, evidence: Mapping[str, Sequence[PointEvidence]] | None = None
) -> tuple[list[RatePoint], int]:
    """Return the mean curves that can be drawn together, and over how many pictures the means are.

    Args:
        selection: Of a store.
        metric: Of the scores.
        evidence: From `evidence.curve_points`, by codec id; points without it have no interval.
    """
    comparison = selection.comparison(metric)
    codecs = {codec.codec_id: codec for codec in comparison.codecs}
    points: list[RatePoint] = []
    shared = comparison.shared
    for codec_id in comparison.curves:
        if codec_id not in shared.codec_ids:
            continue
        curve = comparison.curve_on(codec_id, shared.pictures, metric)
        known = {
            point_evidence.setting: point_evidence.score_interval
            for point_evidence in (evidence or {}).get(codec_id, ())
        }
        for point in curve.points:
            ends = known.get(point.setting)
            points.append(
                RatePoint(
                    codecs[codec_id].label, point.setting, point.bits_per_pixel, point.score,
                    codecs[codec_id].toy, codec_id, ends and ends.low, ends and ends.high,
                    codecs[codec_id].marks.estimated,
                )
            )  # fmt: skip
    return points, len(shared.pictures)


def failures_table(selection: Selection) -> Table:
    """Return the failed attempts that no later one made good, alike ones together, commonest first."""
    return failures_summary(selection.failures, selection.image_set)


def failures_summary(failures: Iterable[Failure], where: str = "") -> Table:
    """Return the failures that no later attempt made good, alike ones together, commonest first."""
    count = Counter(
        (failure.codec, f"{failure.outcome} in {failure.stage}", failure.message)
        for failure in failures
        if not failure.settled
    )
    rows = tuple(
        Row(
            (Entry(codec), Entry(what), Entry(message), Entry(str(times), float(times))),
            {"codec": codec, "outcome": what, "message": message, "attempts": times},
        )
        for (codec, what, message), times in count.most_common()
    )
    columns = (
        Column("Codec", numeric=False),
        Column("Outcome", numeric=False),
        Column("Message", numeric=False),
        Column("Attempts"),
    )
    return Table(f"Failures · {where}" if where else "Failures", columns, rows)
