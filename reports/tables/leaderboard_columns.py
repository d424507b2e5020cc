"""Further columns for a leaderboard: ranks, human scores, speed and decoder size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

from ...bench.analysis.significance import RankRange
from ...bench.store.timings import Footprint, TimingRow
from ...counts import counted
from . import digits
from .speed import LOADED, LOADED_NOTE, rows_of_times
from .table import Column, Entry, Row, Table

if TYPE_CHECKING:
    from ...studies.analysis.human_rate import HumanBdRate
    from ...studies.analysis.results import HumanValue, StudyResults

MEGA = 1e6
NEAR = 0.1
"""How far a condition's mean rate may be from the table's, as a fraction of it."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a codec costs on the machine that timed most, as the table of speeds has it."""

    encode_milliseconds: float | None
    """Per megapixel, wall time of the timing pass; None where it was not timed there."""
    decode_milliseconds: float | None
    """Likewise."""
    decode_cpu_milliseconds: float | None
    """Per megapixel, of all threads."""
    decoder_bytes: int | None
    """Weight files and libraries that the decoder opens."""
    loaded: bool = False
    """Whether other programs ran meanwhile: wall times are too slow then, and marked."""


def costs(timings: Sequence[TimingRow], footprints: Mapping[tuple[str, str], Footprint]) -> dict[str, Cost]:
    """Return times and decoder size by codec id, on the machine that timed most."""
    all_rows = Counter((row.machine_id, row.threads) for row in timings)
    quiet_rows = Counter((row.machine_id, row.threads) for row in timings if not row.timing.loaded)
    most = max(all_rows, key=lambda place: (quiet_rows[place], all_rows[place], place), default=None)
    timed: dict[str, list[TimingRow]] = {}
    for row in timings:
        if (row.machine_id, row.threads) == most:
            timed.setdefault(row.codec_id, []).append(row)
    times = {codec_id: rows_of_times(rows) for codec_id, rows in timed.items()}
    # Of that machine where it has them: another one's libraries are others.
    machine_id = most[0] if most else ""
    of_machine = sorted(footprints.items(), key=lambda item: (item[0][1] == machine_id, item[0]))
    sizes = {
        codec_id: footprint.weights_bytes + footprint.library_bytes for (codec_id, _), footprint in of_machine
    }
    return {
        codec_id: Cost(
            _milliseconds(times.get(codec_id), "encode"),
            _milliseconds(times.get(codec_id), "decode"),
            _cpu_milliseconds(times.get(codec_id, ())),
            sizes.get(codec_id),
            any(row.timing.loaded for row in times.get(codec_id, ())),
        )
        for codec_id in times.keys() | sizes.keys()
    }


def _milliseconds(rows: Sequence[TimingRow] | None, side: Literal["encode", "decode"]) -> float | None:
    if rows is None:
        return None
    timed = [(row.timing.encode if side == "encode" else row.timing.decode, row) for row in rows]
    return median(1e3 * MEGA * repeats.median_seconds / row.pixel_count for repeats, row in timed)


def _cpu_milliseconds(rows: Sequence[TimingRow]) -> float | None:
    values = [1e3 * MEGA * row.timing.decode.median_cpu_seconds / row.pixel_count for row in rows]
    return median(values) if values else None


def with_costs(table: Table, costs_by_codec: Mapping[str, Cost]) -> Table:
    """Return a leaderboard with decode time and decoder size, where any codec has them."""
    if not costs_by_codec:
        return table
    times = {
        codec_id: cost.decode_milliseconds
        for codec_id, cost in costs_by_codec.items()
        if cost.decode_milliseconds
    }
    sizes = {
        codec_id: cost.decoder_bytes / MEGA
        for codec_id, cost in costs_by_codec.items()
        if cost.decoder_bytes is not None
    }
    loaded = {codec_id for codec_id in times if costs_by_codec[codec_id].loaded}
    time_help = "Wall time of the timing pass, one picture at a time; median."
    size_help = "Weight files and libraries that the decoder opens; 1 MB is 10⁶ bytes."
    shown = [
        (Column("Decode", "ms/MP", help=time_help), times),
        (Column("Decoder", "MB", help=size_help), sizes),
    ]
    shown = [(column, values) for column, values in shown if values]
    untimed = Entry(digits.EMPTY, hint="Not timed with the others: codecarena time SUITE.")

    def entry(codec_id: str, amounts: Mapping[str, float]) -> Entry:
        if codec_id not in amounts:
            return untimed
        mark = f" {LOADED}" * (amounts is times and codec_id in loaded)
        return Entry(digits.significant(amounts[codec_id]) + mark, amounts[codec_id])

    def entries(codec_id: str) -> tuple[Entry, ...]:
        return tuple(entry(codec_id, amounts) for _, amounts in shown)

    extended = _with(table, tuple(column for column, _ in shown), entries)
    marked = [row for row in table.rows if row.record["codec_id"] in loaded]
    labels = {str(row.record["codec_id"]): str(row.record.get("codec")) for row in table.rows}
    return replace(
        with_decode_times(extended, costs_by_codec, labels),
        notes=(*extended.notes, *[LOADED_NOTE] * bool(marked)),
    )


def with_decode_times(table: Table, costs_by_codec: Mapping[str, Cost], labels: Mapping[str, str]) -> Table:
    """Return a table whose summary also says how long its two codecs decode, as far as they were timed.

    Args:
        table: With a summary or without one.
        costs_by_codec: By id.
        labels: Of the codecs, by id.
    """
    known = {
        codec_id: (cost.decode_milliseconds, f" {LOADED}" * cost.loaded)
        for codec_id, cost in costs_by_codec.items()
        if cost.decode_milliseconds
    }
    summary = table.summary
    if summary is None or summary.codec_id not in known:
        return table
    time, mark = known[summary.codec_id]
    label, own = labels[summary.codec_id], digits.significant(time) + mark
    sentence = f"{label} decodes in {own} ms per megapixel."
    if summary.other_id in known:
        other_time, other_mark = known[summary.other_id]
        other = labels[summary.other_id]
        compared = (
            f"takes {digits.significant(time / other_time, 2)} times as long to decode as {other}"
            if time >= other_time
            else f"decodes {digits.significant(other_time / time, 2)} times as fast as {other}"
        )
        times = f"{own} against {digits.significant(other_time)}{other_mark} ms per megapixel"
        sentence = f"{label} {compared}: {times}."
    return replace(table, summary=replace(summary, text=f"{summary.text} {sentence}"))


def with_ranks(table: Table, ranks: Mapping[str, RankRange]) -> Table:
    """Return a leaderboard with each codec's place and the range of places over resamples of the pictures."""
    if not ranks:
        return table
    column = Column(
        "Place",
        help="By BD-rate; in brackets the places that it takes in 95 % of the resamples of the pictures.",
    )

    def entries(codec_id: str) -> tuple[Entry, ...]:
        rank_range = ranks.get(codec_id)
        if rank_range is None:
            return (Entry(digits.EMPTY, hint="No BD-rate, no place."),)
        text = (
            f"{rank_range.rank}"
            if rank_range.low == rank_range.high
            else f"{rank_range.rank} ({rank_range.low}…{rank_range.high})"
        )
        return (
            Entry(text, rank_range.rank, hint=f"First in {rank_range.first_share:.0%} of the resamples."),
        )

    return _with(table, (column,), entries)


def with_people(table: Table, studies: Sequence[StudyResults], pictures: Sequence[str]) -> Table:
    """Return a leaderboard with what people said of the codecs, of the latest study of these pictures.

    Args:
        table: Its records carry ``codec_id``.
        studies: Oldest first; the newest that shows any of the pictures is taken.
        pictures: SHA-256 of their pixels.
    """
    known = set(pictures)
    study = next((study for study in reversed(studies) if known & set(study.pictures)), None)
    if study is None:
        return table
    by_codec: dict[str, list[HumanValue]] = {}
    for value in study.values:
        if value.codec_id is not None:
            by_codec.setdefault(value.codec_id, []).append(value)
    if not by_codec:
        return table
    unit = study.analysis.scale.unit
    made = "simulated raters" if study.simulated else "people"
    column = Column(
        "Simulated people" if study.simulated else "People",
        unit,
        help=f"Study {study.label}: what {made} think of it, lowest … highest rate; more is better.",
    )

    def entries(codec_id: str) -> tuple[Entry, ...]:
        values = sorted(by_codec.get(codec_id, []), key=lambda human_value: human_value.bits_per_pixel or 0.0)
        if not values:
            return (Entry(digits.EMPTY, hint=f"Not shown in study {study.label}."),)
        shown = [_signed(human_value.value) for human_value in dict.fromkeys((values[0], values[-1]))]
        return (
            Entry(
                "…".join(shown),
                values[-1].value,
                hint="; ".join(_value_in_words(value, unit) for value in values),
            ),
        )

    note = f"{column.title}: study {study.label}, {counted(study.votes, 'vote')}."
    extended = _with(table, (column,), entries)
    return replace(extended, notes=(*extended.notes, note))


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + digits.number(value, 2)


def _value_in_words(human_value: HumanValue, unit: str) -> str:
    rate = (
        ""
        if human_value.bits_per_pixel is None
        else f" at {digits.rate(human_value.bits_per_pixel)} bits per pixel"
    )
    span = ""
    if human_value.interval is not None:
        span = f" ({digits.between(_signed(human_value.interval.low), _signed(human_value.interval.high))})"
    return f"{_signed(human_value.value)}{span} {unit}{rate}"


def _with(table: Table, columns: tuple[Column, ...], entries: Callable[[str], tuple[Entry, ...]]) -> Table:
    rows = tuple(
        replace(row, entries=(*row.entries, *entries(str(row.record["codec_id"])))) for row in table.rows
    )
    return replace(table, columns=(*table.columns, *columns), rows=rows)


def study_of(studies: Sequence[StudyResults], pictures: Iterable[str]) -> StudyResults | None:
    """Return the latest study all of whose pictures are among these, by the hashes of whole originals."""
    known = set(pictures)
    return next(
        (study for study in reversed(studies) if study.pictures and known.issuperset(study.pictures)), None
    )


def with_human_values(table: Table, study: StudyResults, bits_per_pixel: float) -> Table:
    """Return a table of scores at a rate with what people think of each codec there, and the interval.

    Args:
        table: Its records carry ``codec_id``.
        study: Whose conditions are of the same codecs.
        bits_per_pixel: A codec's condition nearest to it is shown, if it is within 10 %.
    """
    near: dict[str, HumanValue] = {}
    for value in study.values:
        gap = _gap(value, bits_per_pixel)
        if value.codec_id is not None and gap <= NEAR * bits_per_pixel:
            held = near.get(value.codec_id)
            if held is None or gap < _gap(held, bits_per_pixel):
                near[value.codec_id] = value
    if not near:
        return table
    scale = study.analysis.scale
    column = Column(
        _people(study),
        scale.unit,
        help=f"Study {study.label}: value at the condition within 10 % of the rate.",
    )

    def cell(codec_id: str) -> tuple[Entry, dict[str, Any] | None]:
        human_value = near.get(codec_id)
        if human_value is None:
            return Entry(digits.EMPTY), None
        text = _signed(human_value.value)
        if human_value.interval is not None:
            text += (
                f" ({digits.between(_signed(human_value.interval.low), _signed(human_value.interval.high))})"
            )
        return Entry(text, human_value.value), asdict(human_value)

    zero = scale.anchor or "the mean of all conditions"
    by = "raters and pictures" if scale.pictures > 1 else "raters"
    note = (
        f"{_people(study)}: study {study.label}, {counted(scale.votes, 'vote')}; 0 is {zero}; 95 % "
        f"interval over {by}."
    )
    return _with_people(table, column, cell, study, note)


def with_human_rates(table: Table, study: StudyResults) -> Table:
    """Return a table of BD-rates with that at equal human quality, where the study has the same anchor."""
    ids = {value.codec: value.codec_id for value in study.values if value.codec_id is not None}
    anchors = {bd_rate["anchor"] for row in table.rows for bd_rate in row.record["bd_rate"].values()}
    rates = {
        ids[bd_rate.codec]: bd_rate for bd_rate in study.analysis.bd_rates if anchors == {bd_rate.anchor}
    }
    if not rates:
        return table
    anchor_id = ids[anchors.pop()]
    column = Column(_people(study), "%", help=f"Study {study.label}: difference in bits at equal JOD.")

    def cell(codec_id: str) -> tuple[Entry, dict[str, Any] | None]:
        human_rate = rates.get(codec_id)
        if human_rate is None:
            return Entry("anchor", 0.0) if codec_id == anchor_id else Entry(digits.EMPTY), None
        return _rate_entry(human_rate), asdict(human_rate)

    scale = study.analysis.scale
    note = (
        f"{_people(study)}: bits at equal {scale.unit} of study {study.label}, "
        f"{counted(scale.votes, 'vote')}; in "
        "brackets the 95 % interval over raters and pictures."
    )
    return _with_people(table, column, cell, study, note)


def _rate_entry(human_rate: HumanBdRate) -> Entry:
    percent = human_rate.bd_rate.percent
    if percent is None:
        return Entry(f"{digits.EMPTY} {human_rate.bd_rate.reason}")
    text = digits.percent(percent)
    if human_rate.low is not None and human_rate.high is not None:
        text += f" ({digits.between(digits.percent(human_rate.low), digits.percent(human_rate.high))})"
    return Entry(text, percent)


def _people(study: StudyResults) -> str:
    return "Simulated people" if study.simulated else "People"


def _gap(human_value: HumanValue, bits_per_pixel: float) -> float:
    return (
        abs(human_value.bits_per_pixel - bits_per_pixel)
        if human_value.bits_per_pixel is not None
        else float("inf")
    )


def _with_people(
    table: Table,
    column: Column,
    cell: Callable[[str], tuple[Entry, dict[str, Any] | None]],
    study: StudyResults,
    note: str,
) -> Table:
    rows: list[Row] = []
    for row in table.rows:
        entry, record = cell(str(row.record["codec_id"]))
        people = record and {"study": study.study, "simulated": study.simulated, **record}
        rows.append(replace(row, entries=(*row.entries, entry), record={**row.record, "people": people}))
    columns = (*table.columns, column)
    return replace(table, columns=columns, rows=tuple(rows), notes=(*table.notes, note))
