"""Further columns for a leaderboard: ranks, human scores, speed and decoder size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, Literal

from ...bench.analysis.significance import RankRange
from ...bench.store.timings import Footprint, TimingRow
from . import digits
from .speed import LOADED, LOADED_NOTE, rows_of_times
from .table import Column, Entry, Table

if TYPE_CHECKING:
    from ...studies.analysis.results import HumanValue, StudyResults

MEGA = 1e6


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
    of_machine = sorted(
        footprints.items(), key=lambda item: (most is not None and item[0][1] == most[0], item[0])
    )
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
    return replace(extended, notes=(*extended.notes, *[LOADED_NOTE] * bool(marked)))


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

    note = f"{column.title}: study {study.label}, {study.votes} votes."
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
