"""The leaderboard of BD-rates of a selection."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ...bench.analysis.coverage import CodecSummary
from ...bench.analysis.curves import BdQuality, BdRate, Method, from_quality
from ...bench.analysis.intervals import Interval
from ...bench.analysis.leaderboard import BdRow, Leaderboard
from ...bench.analysis.significance import Evidence
from ...bench.records.rows import MetricRow
from . import digits
from .evidence import MARKS, AnswerCache, affinity_notes, board_evidence, interval_notes
from .reasons import explain, left_out_notes
from .selection import Selection
from .table import Column, Entry, Row, Summary, Table

THIN_OVERLAP = 0.5
"""Below this share of the range that two curves span, a BD-rate says little and is marked."""

THIN_NOTE = "* The two curves share less than half of the range they span together."

METHODS: dict[Method, str] = {"pchip": "PCHIP", "cubic": "one cubic", "akima": "Akima's interpolation"}

CODEC = Column("Codec", numeric=False)
RATES = Column("Rate range", "bits/pixel", False, "Mean rate at the two ends of the settings that were run.")


def bd_table(
    selection: Selection,
    metrics: Sequence[MetricRow],
    anchor: str,
    method: Method = "pchip",
    derived: AnswerCache | None = None,
) -> Table:
    """Return BD-rates against an anchor: one metric in detail, or several side by side.

    Args:
        selection: The pictures and codecs to compare.
        metrics: One gives all details of its BD-rates, several give one column each. The first sorts the
            rows.
        anchor: Label or id of the codec whose BD-rate is 0.
        method: How curves are interpolated over log rate.
        derived: Keeps the intervals; without it they are computed anew, which takes seconds.
    """
    boards = [selection.board(metric, anchor, method) for metric in metrics]
    evidence = [board_evidence(selection, board, derived) for board in boards]
    rows_by_codec = [{row.codec.codec_id: row for row in board.rows} for board in boards]
    detail = len(boards) == 1
    columns: list[Column] = [CODEC]
    for board in boards:
        help_text = (
            f"Mean difference in bits at equal {board.metric.name} against {board.anchor}; minus is better."
        )
        columns.append(Column("BD-rate" if detail else selection.title(board.metric), "%", help=help_text))
    if detail:
        columns += _detail_columns(boards[0], selection.title(metrics[0]))
    columns += [pictures_column("that the codec finished"), RATES]
    rows = [
        _bd_row(
            row.codec,
            boards,
            [by_id[row.codec.codec_id] for by_id in rows_by_codec],
            [by_id.get(row.codec.codec_id) for by_id in evidence],
            selection.picture_names,
        )
        for row in boards[0].rows
    ]
    names = f" by {selection.title(metrics[0])}" if detail else ", every metric"
    title = f"BD-rate against {boards[0].anchor}{names} · {selection.image_set}"
    return Table(
        title, tuple(columns), tuple(rows), tuple(_bd_notes(selection, boards, evidence)),
        summary=_bd_summary(selection, boards[0], evidence[0]),
    )  # fmt: skip


def _bd_summary(selection: Selection, board: Leaderboard, evidence: Mapping[str, Evidence]) -> Summary | None:
    """Return which codec needs the fewest bits, and whether that is shown; None where there is no BD-rate."""
    with_bd_rate = (row for row in board.rows if row.bd_rate.percent is not None)
    best = next((row for row in with_bd_rate if row.codec.codec_id != board.anchor_id), None)
    if best is None or best.bd_rate.percent is None:
        return None
    title, label = selection.title(board.metric), codec_entry(best.codec).text
    lead = (
        f"By {title}, {label} needs the fewest bits"
        if best.bd_rate.percent < 0
        else f"By {title}, no codec needs fewer bits than the anchor, the next is {label}"
    )
    return bd_summary(lead, board, best, evidence.get(best.codec.codec_id))


def bd_summary(lead: str, board: Leaderboard, row: BdRow, proof: Evidence | None) -> Summary | None:
    """Return a BD-rate as a sentence; None where there is none.

    Args:
        lead: What the sentence begins with.
        board: With the anchor.
        row: Of the codec.
        proof: Interval and test; None while they are computed.
    """
    if row.bd_rate.percent is None:
        return None
    parts = [f"BD-rate {digits.percent(row.bd_rate.percent)} % against {board.anchor}"]
    if proof and proof.interval.low is not None and proof.interval.high is not None:
        low, high = digits.percent(proof.interval.low), digits.percent(proof.interval.high)
        parts.append(f"(95 % {low} to {high})")
    parts.append(f"over {digits.counted(row.pictures, 'picture')}")
    thin = ", on less than half of the range that the two curves span" * (row.bd_rate.overlap < THIN_OVERLAP)
    shown = f"; {_shown(proof)}" if proof else ""
    text = f"{lead}: {' '.join(parts)}{thin}{shown}."
    return Summary(text, row.codec.codec_id, board.anchor_id)


def _shown(proof: Evidence) -> str:
    if proof.verdict is None:
        return f"no interval: {proof.interval.reason}"
    return "no difference is shown" if proof.verdict == "not shown" else "the difference is significant"


def _detail_columns(board: Leaderboard, title: str) -> list[Column]:
    unit = digits.unit_of(board.metric)
    sign = "plus" if _higher_is_better(board.metric) else "minus"
    return [
        Column(
            f"BD-{title}",
            quality_unit(board.metric),
            help=f"Mean difference in {title} at equal bits from {board.anchor}; {sign} is better.",
        ),
        Column("Mean of pictures", "%", help="Mean of the BD-rates of single pictures: another estimand."),
        Column("Shared range", unit, False, "Range that codec and anchor both reach."),
        Column("Overlap", "%", help="Shared range over the range that both curves span together."),
    ]


def _bd_row(
    summary: CodecSummary,
    boards: list[Leaderboard],
    rows: list[BdRow],
    evidence: list[Evidence | None],
    names: Mapping[str, str],
) -> Row:
    entries = [codec_entry(summary)]
    entries += [
        bd_entry(row.bd_rate, summary.codec_id == board.anchor_id, proof)
        for board, row, proof in zip(boards, rows, evidence, strict=True)
    ]
    if len(boards) == 1:
        entries.append(quality_entry(boards[0], rows[0], evidence[0]))
        entries += _detail_entries(boards[0].metric, rows[0], boards[0].common_pictures, evidence[0])
    record = {
        **codec_record(summary),
        "bd_rate": {
            board.metric.metric_id: _bd_record(board, row, proof, names)
            for board, row, proof in zip(boards, rows, evidence, strict=True)
        },
    }
    pinned = summary.codec_id == boards[0].anchor_id
    return Row((*entries, *coverage_entries(summary, summary.pictures)), record, pinned=pinned)


def bd_entry(bd_rate: BdRate, is_anchor: bool, proof: Evidence | None) -> Entry:
    """Return the cell of a BD-rate, with interval and mark where there is evidence."""
    if bd_rate.percent is None:
        return Entry(f"{digits.EMPTY} {bd_rate.reason}", hint=explain(bd_rate.reason))
    if is_anchor:
        return Entry("anchor", 0.0)
    text = digits.percent(bd_rate.percent) + ("*" if bd_rate.overlap < THIN_OVERLAP else "")
    if proof:
        text = digits.with_interval(text + MARKS[proof.verdict], proof.interval, digits.percent)
        tone = proof.verdict if proof.verdict in ("better", "worse") else ""
        return Entry(text, bd_rate.percent, tone, _test_in_words(proof))
    return Entry(text, bd_rate.percent)


def _higher_is_better(metric: MetricRow) -> bool:
    return metric.better == "higher" or metric.curve_scale == "decibel"


def quality_unit(metric: MetricRow) -> str:
    """Return the unit of BD-quality: of the scale on which curves are compared."""
    return "dB" if metric.curve_scale == "decibel" else digits.unit_of(metric)


def _on_own_scale(metric: MetricRow, difference: float) -> float:
    """Return a difference in quality with the sign of the metric's scores; decibels stay as they are."""
    return difference if _higher_is_better(metric) else -difference


def _quality_interval(metric: MetricRow, ends: Interval) -> Interval:
    if ends.low is None or ends.high is None or _higher_is_better(metric):
        return ends
    return Interval(-ends.high, -ends.low)


def quality_entry(board: Leaderboard, row: BdRow, proof: Evidence | None) -> Entry:
    """Return the cell of a BD-quality, in the unit that `quality_unit` names."""
    metric, quality = board.metric, row.bd_quality
    if row.codec.codec_id == board.anchor_id and quality.difference is not None:
        return Entry("anchor", 0.0)
    if quality.difference is None:
        return Entry(digits.EMPTY, hint=explain(quality.reason))

    def written(value: float) -> str:
        if metric.curve_scale != "decibel":
            return digits.signed_score(metric, value)
        return ("+" if round(value, 2) > 0 else "") + digits.number(value, 2)

    value = _on_own_scale(metric, quality.difference)
    ends = _quality_interval(metric, proof.quality) if proof else Interval(None, None)
    return Entry(digits.with_interval(written(value), ends, written), value)


def _test_in_words(proof: Evidence) -> str:
    """Return what a test showed, in words."""
    if proof.p_value is None:
        return f"No interval: {proof.interval.reason}."
    verdict = {"better": "Fewer bits than the anchor", "worse": "More bits than the anchor"}
    shown = verdict.get(proof.verdict or "", "No difference from the anchor is shown")
    return f"{shown}: {digits.p_equals(proof.p_value)} after Holm's correction."


def _detail_entries(metric: MetricRow, row: BdRow, common: int, proof: Evidence | None) -> list[Entry]:
    mean = Entry(digits.EMPTY)
    if row.mean_of_pictures is not None:
        some = f" of {row.pictures_with_bd_rate}/{common}" if row.pictures_with_bd_rate < common else ""
        text = digits.percent(row.mean_of_pictures) + some
        if proof:
            text = digits.with_interval(text, proof.mean_of_pictures, digits.percent)
        mean = Entry(text, row.mean_of_pictures)
    ends = _shared_scores(metric, row.bd_rate)
    shared = Entry(digits.EMPTY)
    if ends:
        shared = Entry(digits.between(*(digits.score(metric, end) for end in ends)), ends[0])
    overlap = 100 * row.bd_rate.overlap
    return [
        mean,
        shared,
        Entry(digits.number(math.floor(overlap), 0), overlap) if ends else Entry(digits.EMPTY),
    ]


def _shared_scores(metric: MetricRow, bd_rate: BdRate) -> tuple[float, float] | None:
    if bd_rate.shared_low is None or bd_rate.shared_high is None:
        return None
    low, high = (
        from_quality(metric.curve_scale, metric.better, end)
        for end in (bd_rate.shared_low, bd_rate.shared_high)
    )
    return low, high


def _bd_record(
    board: Leaderboard, row: BdRow, proof: Evidence | None, names: Mapping[str, str]
) -> dict[str, Any]:
    ends = _shared_scores(board.metric, row.bd_rate)
    estimated = row.codec.marks.estimated or any(
        other.codec.marks.estimated for other in board.rows if other.codec.codec_id == board.anchor_id
    )
    return {
        "metric": board.metric.name,
        "implementation": board.metric.implementation,
        "version": board.metric.version,
        "anchor": board.anchor,
        "common_pictures": board.common_pictures,
        "pictures": row.pictures,
        "pictures_left_out": [names[picture] for picture in sorted(row.left_out)],
        "percent": row.bd_rate.percent,
        "reason": row.bd_rate.reason,
        "shared_range": ends,
        "overlap": row.bd_rate.overlap,
        "mean_of_pictures_percent": row.mean_of_pictures,
        "pictures_in_that_mean": row.pictures_with_bd_rate,
        "lossless_settings": row.lossless_settings,
        "dominated_settings": row.bd_rate.dropped,
        "method": board.method,
        "interval_95": ends_of(proof and proof.interval),
        "mean_of_pictures_interval_95": ends_of(proof and proof.mean_of_pictures),
        "bd_quality": None
        if row.bd_quality.difference is None
        else _on_own_scale(board.metric, row.bd_quality.difference),
        "bd_quality_unit": quality_unit(board.metric),
        "bd_quality_reason": row.bd_quality.reason,
        "bd_quality_shared_rates": _rates_of(row.bd_quality),
        "bd_quality_interval_95": ends_of(proof and _quality_interval(board.metric, proof.quality)),
        "no_interval_because": proof.interval.reason if proof else None,
        "p_value_holm": proof.p_value if proof else None,
        "verdict": proof.verdict if proof else None,
        "rate_kind": "estimated" if estimated else "bytes",
    }


def _rates_of(quality: BdQuality) -> tuple[float, float] | None:
    if quality.shared_low is None or quality.shared_high is None:
        return None
    return quality.shared_low, quality.shared_high


def ends_of(interval: Interval | None) -> tuple[float, float] | None:
    """Return the ends of an interval for JSON; None where there is none."""
    if interval is None or interval.low is None or interval.high is None:
        return None
    return interval.low, interval.high


def _bd_notes(
    selection: Selection, boards: list[Leaderboard], evidence: list[Mapping[str, Evidence]]
) -> list[str]:
    common = sorted({board.common_pictures for board in boards})
    pictures = " to ".join(str(count) for count in (common[:1] + common[-1:])[: len(common)])
    notes = [
        f"Minus: fewer bits than {boards[0].anchor} at equal score. Of the mean curve over the {pictures} "
        f"pictures that all compared codecs finished; {METHODS[boards[0].method]} over log rate; only the "
        "shared range counts.",
        *interval_notes([proof for by_codec in evidence for proof in by_codec.values()], boards[0].anchor),
    ]
    board_rows = [(board, row) for board in boards for row in board.rows]
    if any(row.bd_rate.percent is not None and row.bd_rate.overlap < THIN_OVERLAP for _, row in board_rows):
        notes.append(THIN_NOTE)
    notes += _left_out_notes(selection, boards)
    for board, row in board_rows:
        where = f"{row.codec.label}, {selection.title(board.metric)}"
        if row.lossless_settings and row.bd_rate.percent is not None:
            settings = ", ".join(f"{lossless_setting:g}" for lossless_setting in row.lossless_settings)
            notes.append(f"{where}: setting {settings} left out: identical on half of the pictures or more.")
        if row.bd_rate.dropped:
            settings = digits.counted(row.bd_rate.dropped, "setting")
            notes.append(f"{where}: {settings} left out: another is as good for no more bits.")
    return [*notes, *affinity_notes(selection), *last_notes([row.codec for row in boards[0].rows])]


def _left_out_notes(selection: Selection, boards: Sequence[Leaderboard]) -> list[str]:
    left_out = [
        {row.codec.label: row.left_out for row in board.rows if row.codec.codec_id != board.anchor_id}
        for board in boards
    ]
    # Identical pixels are so for all metrics; only what is scored may differ.
    alike = all(of_board == left_out[0] for of_board in left_out)
    notes: list[str] = []
    for board, of_board in list(zip(boards, left_out, strict=True))[: 1 if alike else None]:
        what = "BD-rate" if alike else f"BD-rate by {selection.title(board.metric)}"
        whose = f"the codec or of {board.anchor}"
        notes += left_out_notes(of_board, selection.picture_names, board.common_pictures, what, whose)
    return notes


def pictures_column(what: str) -> Column:
    """Return the column of coverage."""
    return Column("Pictures", help=f"Pictures {what}, of those that any codec tried.")


def codec_entry(summary: CodecSummary) -> Entry:
    """Return the first cell of a row: the codec's label and its marks."""
    return Entry(" ".join([summary.label, *digits.marks(summary.marks, summary.toy)]))


def coverage_entries(summary: CodecSummary, pictures: int) -> tuple[Entry, Entry]:
    """Return the last two cells of every row: coverage and rate range."""
    rates = Entry(digits.EMPTY)
    if summary.lowest_rate is not None and summary.highest_rate is not None:
        ends = digits.rate(summary.lowest_rate), digits.rate(summary.highest_rate)
        rates = Entry(digits.between(*ends) if ends[0] != ends[1] else ends[0], summary.lowest_rate)
    return Entry(f"{pictures}/{summary.of_pictures}", float(pictures)), rates


def codec_record(summary: CodecSummary) -> dict[str, Any]:
    """Return what a row's record says of the codec itself."""
    record = asdict(summary)
    return {"codec": record.pop("label"), **record}


def last_notes(codecs: Sequence[CodecSummary]) -> list[str]:
    """Return the notes that every leaderboard ends with: marks, failures, toys."""
    failed = [
        f"{codec.label}: {digits.counted(codec.failed, 'attempt')} failed."
        for codec in codecs
        if codec.failed
    ]
    return [
        *(note for codec in codecs for note in digits.mark_notes(codec.label, codec.marks)),
        *failed,
        *[digits.TOY_NOTE] * any(codec.toy for codec in codecs),
    ]
