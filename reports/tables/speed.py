"""Tables of the timing pass: how fast each codec is on a machine, and what its decoder needs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from statistics import median
from typing import Any

from ...bench.analysis.intervals import LEAST_FOR_PERCENTILES, Spread, spread
from ...bench.store.store import Store
from ...bench.store.timings import Footprint, Side, TimingRow, footprints, machines, timings
from . import digits
from .table import Column, Entry, Row, Table

MEGA = 1e6
LOADED = "‡"
LOADED_NOTE = (
    f"{LOADED} Other programs ran meanwhile: wall time and MP/s are too slow, CPU time is hardly so."
    " Once more at a quiet moment: codecarena time SUITE --again"
)
SPREAD = (
    "Median over the timed cells (5th…95th percentile; of fewer than "
    f"{LEAST_FOR_PERCENTILES} cells minimum…maximum); of each cell the median of its repeats."
)
CODEC = Column("Codec", numeric=False)
RATE = Column("Rate", "bits/pixel", help="Median over the timed cells.")


def speed_tables(store: Store, image_set: str | None = None, left_out: Collection[str] = ()) -> list[Table]:
    """Return a table of speed and one of needs for each image set, machine and thread count.

    Args:
        store: Where timings and footprints are.
        image_set: One set; all where None.
        left_out: Ids of codecs that are in no table.
    """
    described, opened = machines(store), footprints(store)
    tables: list[Table] = []
    timed_here = [row for row in timings(store, image_set) if row.codec_id not in left_out]
    rows = sorted(timed_here, key=_place)
    for (name, machine_id, threads), timed in groupby(rows, key=_place):
        by_codec: dict[str, list[TimingRow]] = {}
        for row in timed:
            by_codec.setdefault(row.codec_id, []).append(row)
        fastest_first = sorted(
            by_codec.values(), key=lambda cells: _per_megapixel(rows_of_times(cells), _encode_seconds).median
        )
        where = f"{digits.counted(threads, 'thread')} of {_machine(described[machine_id])} · {name}"
        decoders = [opened.get((cells[0].codec_id, machine_id)) for cells in fastest_first]
        tables += [_speed(where, fastest_first), _needs(where, fastest_first, decoders)]
    return tables


def rows_of_times(cells: Sequence[TimingRow]) -> list[TimingRow]:
    """Return those of a codec's cells, of one machine and thread count, that its times are taken from.

    They are those that were timed while nothing else ran; where there is none, all, which tables mark.
    """
    return [row for row in cells if not row.timing.loaded] or list(cells)


def _place(row: TimingRow) -> tuple[str, str, int]:
    return row.image_set, row.machine_id, row.threads


def _machine(description: Mapping[str, Any]) -> str:
    """Return a machine in a few words."""
    words = [str(description.get("cpu", "")), digits.counted(int(description.get("cores", 0)), "core")]
    words += [f"governor {description['cpu_governor']}"] if description.get("cpu_governor") else []
    return ", ".join([*words, *map(str, description.get("gpus", ()))])


def _encode_seconds(row: TimingRow) -> float:
    return row.timing.encode.median_seconds


def _per_megapixel(cells: Iterable[TimingRow], value: Callable[[TimingRow], float]) -> Spread:
    milliseconds = [1000 * value(row) * MEGA / row.pixel_count for row in cells]
    of_cells = spread(milliseconds)
    assert of_cells is not None
    return of_cells


def _speed(where: str, codecs: Sequence[list[TimingRow]]) -> Table:
    on_gpu = any(row.timing.decode.gpu_busy_seconds for cells in codecs for row in cells)
    columns = [CODEC, RATE]
    for what in ("Encode", "Decode"):
        columns += [
            Column(what, "MP/s", help="Megapixels per second of wall time."),
            Column(what, "ms/MP", help=f"Wall milliseconds per megapixel. {SPREAD}"),
            Column(what, "CPU ms/MP", help="CPU time of all threads and child processes."),
        ]
        columns += [Column(what, "GPU ms/MP", help="Time in which a kernel ran.")] * on_gpu
    columns.append(Column("Cells", help="Pictures times settings that the times are taken from."))
    rows = tuple(_speed_row(cells, on_gpu) for cells in codecs)
    notes = [SPREAD]
    if any(_is_loaded(cells) for cells in codecs):
        notes.append(LOADED_NOTE)
    left_out = sum(len(cells) - len(rows_of_times(cells)) for cells in codecs)
    if left_out:
        notes.append(
            f"{digits.counted(left_out, 'cell')} left out: other programs ran meanwhile, and the codec has "
            "others timed at a quiet moment."
        )
    return Table(f"Speed on {where}", tuple(columns), rows, (*notes, *_toy_notes(codecs)))


def _speed_row(all_cells: list[TimingRow], on_gpu: bool) -> Row:
    cells = rows_of_times(all_cells)
    entries = [_codec(cells), _number(median(row.bits_per_pixel for row in cells), digits.rate)]
    for side in (_encode, _decode):
        wall = _per_megapixel(cells, lambda row, side=side: side(row).median_seconds)
        processor = _per_megapixel(cells, lambda row, side=side: side(row).median_cpu_seconds)
        entries += [
            _number(1000 / wall.median),
            Entry(digits.spread_of_amounts(wall), wall.median),
            _number(processor.median),
        ]
        entries += [_number(_gpu_milliseconds(cells, side))] * on_gpu
    loaded = sum(row.timing.loaded for row in all_cells)
    return Row(
        (*entries, Entry(str(len(cells)), len(cells))),
        {**_identity(cells), "loaded": loaded, "cells": _records(all_cells)},
    )


def _encode(row: TimingRow) -> Side:
    return row.timing.encode


def _decode(row: TimingRow) -> Side:
    return row.timing.decode


def _gpu_milliseconds(cells: Iterable[TimingRow], side: Callable[[TimingRow], Side]) -> float | None:
    return _median(
        1000 * busy * MEGA / row.pixel_count
        for row in cells
        if (busy := side(row).gpu_busy_seconds) is not None
    )


def _median(values: Iterable[float]) -> float | None:
    listed = list(values)
    return median(listed) if listed else None


def _needs(where: str, codecs: Sequence[list[TimingRow]], opened: Sequence[Footprint | None]) -> Table:
    on_gpu = any(row.timing.decode.peak_gpu_mib for cells in codecs for row in cells)
    columns = [
        CODEC,
        Column("Load", "s", help="The codec's constructor in a new process: imports and weights."),
        Column("Encode peak", "MiB", help="Resident memory of the whole process, largest cell."),
        Column("Decode peak", "MiB", help="Likewise."),
        *[Column(f"{what} peak", "GPU MiB", help="Held by torch.") for what in ("Encode", "Decode")] * on_gpu,
        Column("Encode", "kMAC/pixel", help="Multiply-accumulates of torch's operators."),
        Column("Decode", "kMAC/pixel", help="Likewise."),
        Column(
            "Weights",
            "MB",
            help="Weight files that the decoder opens, seen by the kernel; 1 MB is 10⁶ bytes.",
        ),
        Column("Libraries", "MB", help="Shared libraries and programs that the decoder opens."),
        Column("Runtime", numeric=False, help="What the decoder runs on, not counted."),
    ]
    rows = tuple(
        _needs_row(cells, footprint, on_gpu) for cells, footprint in zip(codecs, opened, strict=True)
    )
    empty = median(row.timing.empty_mib for cells in codecs for row in cells)
    notes = (
        f"Peak memory is of the whole process, {digits.significant(empty)} MiB of which an empty one has. "
        "Weights and libraries: bytes of the files that a decoder opens in a process of its own, without the "
        "runtime's.",
        *_toy_notes(codecs),
    )
    return Table(f"Memory and decoder on {where}", tuple(columns), rows, notes)


def _needs_row(cells: list[TimingRow], footprint: Footprint | None, on_gpu: bool) -> Row:
    sides = (_encode, _decode)
    entries = [_codec(cells), _number(median(row.timing.load_seconds for row in rows_of_times(cells)))]
    entries += [_number(_largest(side(row).peak_mib for row in cells)) for side in sides]
    if on_gpu:
        entries += [_number(_largest(side(row).peak_gpu_mib for row in cells)) for side in sides]
    for side in sides:
        counted = [macs / row.pixel_count / 1000 for row in cells if (macs := side(row).macs) is not None]
        entries.append(_number(_median(counted)))
    entries += [
        _number(footprint and footprint.weights_bytes / MEGA),
        _number(footprint and footprint.library_bytes / MEGA),
        Entry((footprint and footprint.runtime) or digits.EMPTY),
    ]
    record = {
        **_identity(cells),
        "footprint": asdict(footprint) if footprint else None,
        "cells": _records(cells),
    }
    return Row(tuple(entries), record)


def _largest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _number(value: float | None, write: Callable[[float], str] = digits.significant) -> Entry:
    return Entry(digits.EMPTY) if value is None else Entry(write(value), value)


def _codec(cells: list[TimingRow]) -> Entry:
    row = cells[0]
    loaded = f" {LOADED}" * _is_loaded(cells)
    return Entry(f"{row.codec} (toy){loaded}" if row.toy else f"{row.codec}{loaded}")


def _is_loaded(cells: Sequence[TimingRow]) -> bool:
    """Whether a codec's times are those of a machine on which other programs ran."""
    return all(row.timing.loaded for row in cells)


def _toy_notes(codecs: Sequence[list[TimingRow]]) -> list[str]:
    return [digits.TOY_NOTE] * any(cells[0].toy for cells in codecs)


def _identity(cells: list[TimingRow]) -> dict[str, Any]:
    row = cells[0]
    return {
        "codec": row.codec,
        "codec_id": row.codec_id,
        "image_set": row.image_set,
        "machine_id": row.machine_id,
        "threads": row.threads,
    }


def _records(cells: list[TimingRow]) -> list[dict[str, Any]]:
    return [
        {"picture": row.picture, "quality": row.quality, "pixels": row.pixel_count, **asdict(row.timing)}
        for row in cells
    ]
