"""BD-rates on natural and on AI-generated pictures, and the pictures on which codecs differ most."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from ...bench.analysis.bootstrap import set_itself
from ...bench.analysis.coverage import AnalysisError
from ...bench.analysis.curves import Method
from ...bench.analysis.intervals import SIGNIFICANCE
from ...bench.analysis.kind_effect import KindRow, KindSplit, Level, Order
from ...bench.analysis.significance import Paired, percent
from ...bench.records.rows import MetricRow
from ...bench.store.derived_cache import Derived
from ...bench.store.pictures import MATCHED_ON
from ...bench.store.store import Store
from . import digits
from .evidence import kind_split
from .likeness import Likeness, balance_table, likeness, likeness_notes
from .reasons import curve_notes
from .selection import Selection, StoredColumns, choose_sets
from .table import Column, Entry, Row, Table

CHANGES_SHOWN = 3
MOST_PICTURES = 12


def kind_tables(
    store: Store,
    *,
    metrics: Sequence[str] = (),
    anchor: str | None = None,
    image_set: str | None = None,
    method: Method = "pchip",
    derived: Derived | None = None,
    match_on: Sequence[str] = (),
) -> list[Table]:
    """Return a table a metric over all image sets, or over one that holds both kinds, and their balance.

    Args:
        store: Where the results are.
        metrics: Names or ids, one table each; all that are stored if empty.
        anchor: Label or id of the codec whose BD-rate is 0; the usual one if absent.
        image_set: One that holds both kinds; all sets together if absent.
        method: How curves are interpolated over log rate.
        derived: Keeps the tests; without it they are computed anew, which takes seconds.
        match_on: Of `MATCHED_ON`, in what pictures of the two kinds must be alike in a second comparison.

    Raises:
        AnalysisError: The store holds one kind of picture only, or a name is unknown.
    """
    check_groups(match_on)
    choose_sets(store, image_set)
    selection = Selection(StoredColumns(store, image_set))
    kinds = selection.source.kinds
    if not {"natural", "ai-generated"} <= set(kinds):
        raise AnalysisError(
            f"--split kind compares natural with AI-generated pictures; stored: {', '.join(kinds) or 'none'}"
        )
    chosen = selection.scored_metrics(metrics)
    name = anchor or selection.usual_anchor or ""
    tables: list[Table] = []
    for metric in chosen:
        split = kind_split(selection, metric, name, method, derived)
        besides = likeness(selection, split, method, derived, match_on)
        tables.append(kind_table(selection, split, besides))
        tables += [balance_table(selection, split, besides.balance)] if besides.balance else []
    return tables


def check_groups(match_on: Sequence[str]) -> None:
    """Do nothing where these are of `MATCHED_ON`.

    Raises:
        AnalysisError: One is not; says which are known.
    """
    for name in match_on:
        if name not in MATCHED_ON:
            near = difflib.get_close_matches(name, MATCHED_ON, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(MATCHED_ON)}"
            raise AnalysisError(f"--match-pictures {name}: {hint}")


def kind_table(selection: Selection, split: KindSplit, besides: Likeness | None = None) -> Table:
    """Return every codec's BD-rate on either kind, and the difference where one may be tested.

    Args:
        selection: The pictures and codecs that were compared.
        split: Their comparison.
        besides: What the pictures are like besides; None where nobody asked.
    """
    columns = (
        Column("Codec", numeric=False),
        Column("Affinity", numeric=False, help="Of the AI-generated pictures to the codec's own generator."),
        Column("Natural", "%", help=f"BD-rate against {split.anchor} on natural pictures."),
        Column("AI-generated", "%", help=f"BD-rate against {split.anchor} on AI-generated pictures."),
        Column("Difference", "%", help="Rate on AI-generated relative to natural pictures."),
        Column("p", help="Of no difference, corrected for all codecs."),
        Column("Pictures", help="Natural + AI-generated pictures in the row."),
    )
    matched = besides.matched if besides else None
    if matched:
        columns += (Column("Matched", "%", help="The difference on the matched pictures alone."),)
    of_codec = {row.codec_id: row for row in matched.rows if row.affinity == "none"} if matched else {}
    toys = {codec.codec_id for codec in selection.comparison(split.metric).codecs if codec.toy}
    rows: list[Row] = []
    for row in split.rows:
        own = of_codec.get(row.codec_id) if row.affinity == "none" else None
        entries = _entries(row, row.codec_id in toys)
        entries += (_difference(own) if own else Entry(digits.EMPTY),) * bool(matched)
        record = {"matched": asdict(own) if own else None} if besides and besides.on else {}
        rows.append(Row(entries, _record(split, row, besides) | record))
    notes = [
        *_notes(split, besides),
        *curve_notes(selection.comparison(split.metric), selection.picture_names),
        *[digits.TOY_NOTE] * any(row.codec_id in toys for row in split.rows),
    ]
    title = f"Natural against AI-generated: BD-rate against {split.anchor} by {selection.title(split.metric)}"
    return Table(f"{title} · {selection.image_set}", columns, tuple(rows), tuple(notes))


def _difference(row: KindRow) -> Entry:
    if row.difference is None or row.interval is None:
        return Entry(digits.EMPTY)
    text = digits.with_interval(digits.percent(row.difference), row.interval, digits.percent)
    return Entry(text, row.difference)


def _entries(row: KindRow, toy: bool) -> tuple[Entry, ...]:
    p_value = Entry(digits.EMPTY)
    if row.p_value is not None:
        star = "*" if row.p_value < SIGNIFICANCE else ""
        p_value = Entry(digits.p_value(row.p_value) + star, row.p_value)
    return (
        Entry(f"{row.label} (toy)" if toy else row.label),
        Entry(row.affinity),
        _level(row.natural),
        _level(row.generated),
        _difference(row),
        p_value,
        Entry(f"{row.natural.pictures} + {row.generated.pictures}"),
    )


def _level(level: Level) -> Entry:
    if level.percent is None:
        return Entry(f"{digits.EMPTY} {level.interval.reason}")
    text = digits.with_interval(digits.percent(level.percent), level.interval, digits.percent)
    return Entry(text, level.percent)


def _record(split: KindSplit, row: KindRow, besides: Likeness | None) -> dict[str, Any]:
    order = asdict(split.order) if split.order else None
    return {
        "codec": row.label,
        "anchor": split.anchor,
        "metric": split.metric.name,
        "metric_id": split.metric.metric_id,
        **asdict(row),
        "order": order,
        "statement": split.statement,
        **({"cannot_be_told_apart": list(besides.balance.confounded)} if besides and besides.balance else {}),
    }


def _notes(split: KindSplit, besides: Likeness | None) -> list[str]:
    used = f"{split.natural_pictures} natural and {split.generated_pictures} AI-generated pictures"
    notes = [split.statement] if split.statement else []
    notes += [
        f"Minus: fewer bits than {split.anchor} at equal score. Of {used} that all compared codecs finished, "
        f"of {split.of_pictures} tried; in brackets 95 % intervals, each kind resampled on its own."
    ]
    if split.order:
        notes += _order_notes(split.order, besides.confounded if besides else "")
    if besides:
        notes += likeness_notes(besides)
    if split.set_aside:
        notes.append(
            f"{digits.counted(split.set_aside, 'AI-generated picture')} in no test: made by a compared "
            "codec's own generator (rows of their own), or by a toy one."
        )
    if split.other_kinds:
        listed = ", ".join(f"{count} {digits.KINDS[kind]}" for kind, count in split.other_kinds.items())
        notes.append(f"Pictures in no test because they are neither natural nor AI-generated: {listed}.")
    reasons = {
        level.interval.reason
        for row in split.rows
        for level in (row.natural, row.generated)
        if level.pictures and level.percent is not None and level.interval.reason
    }
    notes += [f"No interval: {reason}." for reason in sorted(reasons)]
    return notes + [f"Not compared: {label} finished too few pictures." for label in split.not_compared]


def _order_notes(order: Order, confounded: str = "") -> list[str]:
    verdict = "some codec's BD-rate depends" if order.p_value < SIGNIFICANCE else "not shown that any depends"
    low, high = order.tau_interval.low or 0.0, order.tau_interval.high or 0.0
    shown = [reversal for reversal in order.reversals if reversal.shown]
    notes = [
        f"Does the kind matter? {_answer(order, verdict, confounded)} "
        f"* p below 0.05, corrected for all {order.codecs - 1} codecs (max-T).",
        f"Does the order change? Kendall's tau of the two orders of {order.codecs} codecs is "
        f"{digits.number(order.tau, 2)} ({digits.between(digits.number(low, 2), digits.number(high, 2))}); "
        + (
            f"{digits.counted(len(order.reversals), 'pair')} in another order, {len(shown)} of them shown."
            if order.reversals
            else "no pair in another order."
        ),
    ]
    notes += [
        f"{reversal.better_on_natural} against {reversal.better_on_generated}: "
        f"{digits.percent(reversal.natural)} % on natural, {digits.percent(reversal.generated)} % on "
        "AI-generated pictures"
        + (f" ({digits.p_equals(reversal.p_value)})." if reversal.p_value is not None else ".")
        for reversal in (shown or list(order.reversals))[:CHANGES_SHOWN]
    ]
    return notes


def _answer(order: Order, verdict: str, confounded: str) -> str:
    p_equals = digits.p_equals(order.p_value)
    if not confounded:
        return f"{p_equals}: {verdict} on the kind of picture."
    return (
        f"Kind and {confounded} cannot be told apart here: what the test shows ({p_equals}) may be of either."
    )


def points_by_kind(selection: Selection, metric: MetricRow, anchor_id: str) -> dict[str, dict[str, float]]:
    """Return every codec's BD-rate on either kind of picture, percent, by label and kind; no intervals.

    Args:
        selection: Pictures of both kinds.
        metric: Whose scores decide.
        anchor_id: Codec whose BD-rate is 0.
    """
    comparison = selection.comparison(metric)
    kinds = {picture.sha256: picture.kind for picture in selection.columns.pictures}
    labels = {codec.codec_id: codec.label for codec in comparison.codecs}
    percents: dict[str, dict[str, float]] = {}
    for kind in ("natural", "ai-generated"):
        own = sorted(sha256 for sha256 in comparison.common if kinds[sha256] == kind)
        if not own or anchor_id not in comparison.curves:
            continue
        paired = Paired(comparison, metric, "pchip", own, set_itself)
        for codec_id in paired.codec_ids:
            estimate = paired.against(anchor_id, codec_id).estimate
            if codec_id != anchor_id and np.isfinite(estimate):
                percents.setdefault(labels[codec_id], {})[kind] = percent(estimate)
    return percents


def points_table(points: dict[str, dict[str, float]], title: str) -> Table:
    """Return the BD-rates as a table, while their intervals are being computed."""
    kinds = ("natural", "ai-generated")
    rows = tuple(
        Row(
            (
                Entry(label),
                *(
                    Entry(digits.percent(values[kind]), values[kind])
                    if kind in values
                    else Entry(digits.EMPTY)
                    for kind in kinds
                ),
            )
        )
        for label, values in sorted(points.items())
    )
    return Table(
        title, (Column("Codec", numeric=False), Column("Natural", "%"), Column("AI-generated", "%")), rows
    )


def dividing_pictures(selection: Selection, metric: MetricRow, anchor_id: str) -> Table:
    """Return the pictures on which a codec's BD-rate is furthest from what it usually is, furthest first.

    Args:
        selection: Pictures of both kinds.
        metric: Whose scores decide.
        anchor_id: Codec whose BD-rate is 0 on every picture.
    """
    comparison = selection.comparison(metric)
    labels = {codec.codec_id: codec.label for codec in comparison.codecs}
    pictures = {picture.sha256: picture for picture in selection.columns.pictures}
    columns = (
        Column("Picture", numeric=False),
        Column("Kind", numeric=False),
        Column("Codec", numeric=False),
        Column("BD-rate", "%", help="Of the picture's own curves."),
        Column("Usually", "%", help="Median of the codec's BD-rates over all pictures."),
    )
    title = f"Pictures on which codecs differ most from themselves · {selection.image_set}"
    if anchor_id not in comparison.curves or not comparison.common:
        return Table(title, columns, ())
    paired = Paired(comparison, metric, "pchip", None, set_itself)
    distances_and_rows: list[tuple[float, Row]] = []
    for codec_id in paired.codec_ids:
        if codec_id == anchor_id:
            continue
        each = paired.of_pictures(anchor_id, codec_id)
        known = np.flatnonzero(np.isfinite(each))
        if len(known) < 2:
            continue
        usual = float(np.median(each[known]))
        for place in known[np.argsort(-np.abs(each[known] - usual))][:MOST_PICTURES]:
            picture, own = pictures[paired.pictures[place]], float(each[place])
            entries = (
                Entry(picture.name),
                Entry(digits.KINDS.get(picture.kind, picture.kind)),
                Entry(labels[codec_id]),
                Entry(digits.percent(percent(own)), percent(own)),
                Entry(digits.percent(percent(usual)), percent(usual)),
            )
            distances_and_rows.append(
                (
                    abs(own - usual),
                    Row(
                        entries,
                        {
                            "codec": labels[codec_id],
                            "picture": picture.name,
                            "picture_sha256": picture.sha256,
                        },
                    ),
                )
            )
    distances_and_rows.sort(key=lambda pair: -pair[0])
    return Table(
        title,
        columns,
        tuple(row for _, row in distances_and_rows[:MOST_PICTURES]),
        (f"BD-rate against {labels[anchor_id]} by {selection.title(metric)}; the page Look shows them.",),
    )
