"""Compare a codec that has too few settings for a curve with the curves of the others, at its own rate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ...bench.analysis.bootstrap import RESAMPLES
from ...bench.analysis.codec_grids import MeasuredCodec
from ...bench.analysis.curves import Method
from ...bench.analysis.own_rate import OwnRateRow, Reach, codecs_without_curve
from ...bench.records.rows import MetricRow
from . import digits
from .evidence import SCORE_MARKS, AnswerCache, own_rates
from .selection import Selection
from .table import Column, Entry, Row, Table

READ = (
    "On each picture the other codec's curve is read at the bits per pixel that the codec spends there "
    "(PCHIP over log rate, never beyond its ends); the difference is the codec's score less the other's."
)
DETAIL = (
    Column("Median", help="Median of the pictures' differences."),
    Column("Won", help="Pictures on which the codec has the better score, of those compared."),
)

Key = tuple[str, float, str]
"""Id of a codec, one of its settings, id of the codec that it stands against."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """What a table is made of."""

    selection: Selection
    metrics: Sequence[MetricRow]
    codecs: Mapping[str, MeasuredCodec]
    """By id."""
    by_metric: Mapping[str, Mapping[Key, OwnRateRow]]
    """By metric id."""
    keys: Sequence[Key]
    """Of the table's rows, in their order."""
    settings: Mapping[str, int]
    """By id of the codecs without a curve: how many settings each has."""

    @property
    def one_setting_each(self) -> bool:
        return max(self.settings.values()) == 1

    def of_metric(self, metric: MetricRow) -> list[OwnRateRow]:
        """Return the rows of the table under one metric."""
        rows = self.by_metric[metric.metric_id]
        return [rows[key] for key in self.keys if key in rows]

    def of_key(self, key: Key) -> list[OwnRateRow | None]:
        """Return what one row of the table is under each metric."""
        return [self.by_metric[metric.metric_id].get(key) for metric in self.metrics]

    def name(self, row: OwnRateRow) -> str:
        """Return a codec's label, with the setting where it has several."""
        label = self.codecs[row.codec_id].label
        return label if self.settings[row.codec_id] == 1 else f"{label} at {row.setting:g}"


def own_rate_table(
    selection: Selection,
    metrics: Sequence[MetricRow],
    anchor: str | None = None,
    method: Method = "pchip",
    derived: AnswerCache | None = None,
) -> Table | None:
    """Return how the codecs that have too few points for a BD-rate compare at their own bytes.

    None where every codec has a curve, and while a page still waits for the numbers.

    Args:
        selection: Of a store.
        metrics: One in detail, or several side by side.
        anchor: Label or id of the codec that the sentences under the table name; where it cannot be read, or
            is None, they name the strongest one.
        method: Interpolation of the BD-rates, which decides how many points are too few.
        derived: Who computes or remembers the differences.
    """
    rows = _rows(selection, metrics, method, derived)
    if rows is None:
        return None
    by = f"by {selection.title(metrics[0])}" if len(metrics) == 1 else "every metric"
    return Table(
        f"At their own bytes: codecs without a curve, {by} · {selection.image_set}",
        tuple(_columns(rows)),
        tuple(_row(rows, key) for key in rows.keys),
        tuple(_notes(rows, anchor)),
    )


def _rows(
    selection: Selection, metrics: Sequence[MetricRow], method: Method, derived: AnswerCache | None
) -> _Rows | None:
    comparisons = [(metric, selection.comparison(metric)) for metric in metrics]
    few = {
        codec_id
        for metric, comparison in comparisons
        for codec_id in codecs_without_curve(comparison, metric, method)
    }
    by_metric = {
        metric.metric_id: {
            (row.codec_id, row.setting, row.against_id): row
            for row in (own_rates(selection, metric, sorted(few), derived) if few else [])
        }
        for metric in metrics
    }
    keys = _order(metrics[0], by_metric)
    if not keys:
        return None
    codecs = {codec.codec_id: codec for _, comparison in comparisons for codec in comparison.codecs}
    settings = Counter(codec_id for codec_id, _ in {key[:2] for key in keys})
    return _Rows(selection, metrics, codecs, by_metric, keys, settings)


def _order(first: MetricRow, by_metric: Mapping[str, Mapping[Key, OwnRateRow]]) -> list[Key]:
    """Return the rows to show: codec by codec, the strongest other one first, those without a number last."""
    readable = dict.fromkeys(
        key for rows in by_metric.values() for key, row in rows.items() if _has_curve(row.reach)
    )
    places = {codec_id: place for place, codec_id in enumerate(dict.fromkeys(key[0] for key in readable))}
    sign = 1.0 if first.better == "higher" else -1.0

    def place(key: Key) -> tuple[int, float, bool, float]:
        row = by_metric[first.metric_id].get(key)
        difference = row.mean_difference if row else None
        return places[key[0]], key[1], difference is None, sign * (difference or 0.0)

    return sorted(readable, key=place)


def _has_curve(reach: Reach) -> bool:
    return reach.compared + reach.below + reach.above > 0


def _columns(rows: _Rows) -> list[Column]:
    detail = len(rows.metrics) == 1
    columns = [Column("Codec", numeric=False)]
    if not rows.one_setting_each:
        columns.append(Column("Setting", help="On the codec's own scale."))
    columns += [
        Column("Own rate", "bits/pixel", help="Mean over the pictures that the codec has a score of."),
        Column("Against", numeric=False),
    ]
    for metric in rows.metrics:
        sign = "plus" if metric.better == "higher" else "minus"
        help_text = f"Mean of the codec's {metric.name} less the other's at equal bytes; {sign} is better."
        title = "Difference" if detail else rows.selection.title(metric)
        columns.append(Column(title, digits.unit_of(metric), help=help_text))
    reached = "Pictures on which the other codec's curve reaches the own rate, of those with a score."
    return [*columns, *(DETAIL if detail else ()), Column("Pictures", help=reached)]


def _row(rows: _Rows, key: Key) -> Row:
    of_metrics = rows.of_key(key)
    first = next(row for row in of_metrics if row is not None)
    codec, against = rows.codecs[key[0]], rows.codecs[key[2]]
    entries = [_codec_entry(codec)]
    if not rows.one_setting_each:
        entries.append(Entry(f"{key[1]:g}", key[1]))
    entries += [Entry(_rate(first), first.bits_per_pixel), _codec_entry(against)]
    pairs = list(zip(rows.metrics, of_metrics, strict=True))
    entries += [_difference(metric, row, against.label) for metric, row in pairs]
    if len(pairs) == 1:
        entries += _details(rows.metrics[0], first)
    reach = first.reach
    some = f"{reach.compared}/{reach.of_pictures}"
    entries.append(Entry(some, float(reach.compared), hint=_sentence(_missing(reach, against.label))))
    record = {
        "codec": codec.label,
        "codec_id": codec.codec_id,
        "setting": key[1],
        "against": against.label,
        "against_id": against.codec_id,
        "own_rate": {metric.metric_id: _record(rows, metric, row) for metric, row in pairs if row},
    }
    is_bare = all(row is None or row.mean_difference is None for row in of_metrics)
    return Row(tuple(entries), record, without_number=is_bare)


def _codec_entry(codec: MeasuredCodec) -> Entry:
    return Entry(" ".join([codec.label, *digits.marks(codec.marks, codec.toy)]))


def _difference(metric: MetricRow, row: OwnRateRow | None, other: str) -> Entry:
    if row is None:
        return Entry(digits.EMPTY)
    if row.mean_difference is None:
        return Entry(f"{digits.EMPTY} {row.reason}", hint=_sentence(_missing(row.reach, other)))
    text = digits.signed_score(metric, row.mean_difference) + SCORE_MARKS[row.verdict]
    text = digits.with_interval(text, row.interval, lambda value: digits.signed_score(metric, value))
    tone = row.verdict if row.verdict in ("better", "worse") else ""
    return Entry(text, row.mean_difference, tone, _tested(row))


def _details(metric: MetricRow, row: OwnRateRow) -> list[Entry]:
    if row.median_difference is None:
        return [Entry(digits.EMPTY), Entry(digits.EMPTY)]
    compared = row.reach.compared
    equal = compared - row.wins - row.losses
    return [
        Entry(digits.signed_score(metric, row.median_difference), row.median_difference),
        Entry(
            f"{row.wins}/{compared}",
            row.wins / compared,
            hint=f"{row.losses} lost, {equal} equal." * (equal > 0),
        ),
    ]


def _tested(row: OwnRateRow) -> str:
    """Return what the test of a difference showed, in words."""
    if row.p_value is None:
        return f"No interval: {row.interval.reason}."
    words = {"better": "A better score", "worse": "A worse score"}
    shown = words.get(row.verdict or "", "No difference is shown")
    return f"{shown}: {digits.p_equals(row.p_value)} after Holm's correction."


def _reasons(reach: Reach) -> dict[str, int]:
    """Return why the other codec is not read on some pictures, and on how many for each reason."""
    return {
        "cheapest setting costs more": reach.below,
        "dearest setting costs less": reach.above,
        "lossless for no more bytes": reach.other_lossless,
        "fewer than two points": reach.other_without_curve,
        "no score": reach.other_without_score,
    }


def _missing(reach: Reach, other: str) -> str:
    """Return why the other codec is not read on the rest of the pictures; empty where it is on all."""
    verbs = dict(zip(_reasons(reach), ("'s ", "'s ", " is ", " has ", " has "), strict=True))
    return ", ".join(
        f"on {count} of {digits.counted(reach.of_pictures, 'picture')} {other}{verbs[reason]}{reason}"
        for reason, count in _reasons(reach).items()
        if count
    )


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _rate(row: OwnRateRow) -> str:
    return digits.EMPTY if row.bits_per_pixel is None else digits.significant(row.bits_per_pixel)


def _statement(rows: _Rows, metric: MetricRow, row: OwnRateRow) -> str:
    """Return a row as a sentence."""
    reach, other = row.reach, rows.codecs[row.against_id].label
    start = f"At its own bytes: {rows.name(row)}, {_rate(row)} bpp"
    pictures = f"on {reach.compared} of {digits.counted(reach.of_pictures, 'picture')}"
    if row.mean_difference is None:
        return f"{start}: {other} can be compared {pictures} only ({_missing(reach, other)})."
    unit = digits.unit_of(metric)
    shown = " ".join(
        [rows.selection.title(metric), digits.signed_score(metric, row.mean_difference), *[unit] * bool(unit)]
    )
    ends = row.interval
    if ends.low is None or ends.high is None:
        spread = f"no interval: {ends.reason}"
    else:
        spread = f"95 % {digits.signed_score(metric, ends.low)} to {digits.signed_score(metric, ends.high)}"
    return f"{start}: {shown} ({spread}) against {other}, {pictures}."


def _record(rows: _Rows, metric: MetricRow, row: OwnRateRow) -> dict[str, Any]:
    record = asdict(row)
    for name in ("codec_id", "setting", "against_id", "interval", "p_value"):
        del record[name]
    ends = row.interval
    known = ends.low is not None and ends.high is not None
    return {
        "metric": metric.name,
        "implementation": metric.implementation,
        "version": metric.version,
        "better": metric.better,
        **record,
        "p_value_holm": row.p_value,
        "interval_95": (ends.low, ends.high) if known else None,
        "no_interval_because": None if known else ends.reason,
        "statement": _statement(rows, metric, row),
    }


def _notes(rows: _Rows, anchor: str | None) -> list[str]:
    shown = [row for metric in rows.metrics for row in rows.of_metric(metric)]
    lower = [rows.selection.title(metric) for metric in rows.metrics if metric.better == "lower"]
    first = rows.metrics[0]
    notes = [_statement(rows, first, row) for row in _stated_rows(rows, first, anchor)]
    notes.append(READ)
    if lower:
        notes.append(f"Minus is better: {', '.join(lower)}.")
    if any(row.interval.low is not None for row in shown):
        notes.append(
            f"In brackets: 95 % interval of the mean over these pictures, {digits.number(RESAMPLES, 0)} "
            "resamples. ▲ better, ▼ worse score than the other codec: significant at 5 % after Holm's "
            "correction for all codecs that a setting is compared with; no mark: not shown."
        )
    reasons = Counter(row.interval.reason for row in shown if row.reason is None and row.interval.reason)
    notes += [f"No interval: {reason}." for reason in reasons]
    shown_ids = dict.fromkeys([*(key[0] for key in rows.keys), *(key[2] for key in rows.keys)])
    codecs = [rows.codecs[codec_id] for codec_id in shown_ids]
    return [
        *notes,
        *_notes_on_reach(rows, shown),
        *_notes_on_own_pictures(rows, shown),
        *(note for codec in codecs for note in digits.mark_notes(codec.label, codec.marks)),
        *[digits.TOY_NOTE] * any(codec.toy for codec in codecs),
    ]


def _stated_rows(rows: _Rows, metric: MetricRow, anchor: str | None) -> list[OwnRateRow]:
    """Return what each setting is said of in a sentence: the anchor, or else the strongest other codec."""
    by_setting: dict[tuple[str, float], OwnRateRow] = {}
    for row in rows.of_metric(metric):
        is_anchor = anchor in (row.against_id, rows.codecs[row.against_id].label)
        if row.mean_difference is not None and (is_anchor or (row.codec_id, row.setting) not in by_setting):
            by_setting[row.codec_id, row.setting] = row
    return list(by_setting.values())


def _notes_on_reach(rows: _Rows, shown: Iterable[OwnRateRow]) -> list[str]:
    """Say of the pairs without a number, and of codecs that are in no pair, what is missing."""
    labels = {codec_id: codec.label for codec_id, codec in rows.codecs.items()}
    missing: dict[str, dict[str, dict[str, None]]] = {}
    for row in shown:
        if row.mean_difference is None:
            reasons = _reasons(row.reach)
            reason = max(reasons, key=lambda name: reasons[name])
            other = f"{labels[row.against_id]} on {reasons[reason]} of {row.reach.of_pictures}"
            missing.setdefault(rows.name(row), {}).setdefault(reason, {})[other] = None
    without_curve = {key[2] for of_metric in rows.by_metric.values() for key in of_metric}
    without_curve -= {key[2] for key in rows.keys}
    notes = [
        f"No number for {name} where fewer than half of the pictures can be read: "
        + "; ".join(f"{reason}: {', '.join(others)}" for reason, others in by_reason.items())
        + "."
        for name, by_reason in missing.items()
    ]
    if without_curve:
        names = ", ".join(sorted(labels[codec_id] for codec_id in without_curve))
        notes.append(f"No curve to compare with: {names}.")
    return notes


def _notes_on_own_pictures(rows: _Rows, shown: Iterable[OwnRateRow]) -> list[str]:
    """Say of each setting which pictures of its own are in no difference."""
    notes: dict[str, None] = {}
    for row in shown:
        for count, why in ((row.lossless, "came back identical"), (row.without_score, "without a score")):
            if count:
                notes[f"{rows.name(row)}: {digits.counted(count, 'picture')} {why}, in no difference."] = None
    return list(notes)
