"""Leaderboards of a selection: BD-rate, scores at a rate, and costs at a score."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ...bench.analysis.coverage import CodecSummary
from ...bench.analysis.curves import BdRate, Method, from_quality
from ...bench.analysis.intervals import Interval, Spread
from ...bench.analysis.leaderboard import BdRow, Leaderboard
from ...bench.analysis.significance import Evidence
from ...bench.records.rows import MetricRow
from . import digits
from .evidence import MARKS, AnswerCache, affinity_notes, board_evidence, interval_notes
from .reasons import explain
from .selection import Selection
from .table import Column, Entry, Row, Table

THIN_OVERLAP = 0.5
"""Below this share of the range that two curves span, a BD-rate says little and is marked."""

METHODS: dict[Method, str] = {"pchip": "PCHIP", "cubic": "one cubic", "akima": "Akima's interpolation"}

CODEC = Column("Codec", numeric=False)
RATES = Column("Rate range", "bits/pixel", False, "Mean rate at the two ends of the settings that were run.")
ACHIEVED_NOTE = (
    "Achieved: what the settings found by `run --match` gave, nothing interpolated; other rows are read off "
    "curves."
)
FROM_CURVE = "curve"
SPREAD_NOTE = "Median over pictures (5th…95th percentile)"


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
        columns += _detail_columns(boards[0])
    columns += [_pictures("that the codec finished"), RATES]
    rows = [
        _bd_row(
            row.codec,
            boards,
            [by_id[row.codec.codec_id] for by_id in rows_by_codec],
            [by_id.get(row.codec.codec_id) for by_id in evidence],
        )
        for row in boards[0].rows
    ]
    names = f" by {selection.title(metrics[0])}" if detail else ", every metric"
    title = f"BD-rate against {boards[0].anchor}{names} · {selection.image_set}"
    return Table(title, tuple(columns), tuple(rows), tuple(_bd_notes(selection, boards, evidence)))


def _detail_columns(board: Leaderboard) -> list[Column]:
    unit = digits.unit_of(board.metric)
    return [
        Column("Mean of pictures", "%", help="Mean of the BD-rates of single pictures: another estimand."),
        Column("Shared range", unit, False, "Range that codec and anchor both reach."),
        Column("Overlap", "%", help="Shared range over the range that both curves span together."),
    ]


def _bd_row(
    summary: CodecSummary, boards: list[Leaderboard], rows: list[BdRow], evidence: list[Evidence | None]
) -> Row:
    entries = [_codec_entry(summary)]
    entries += [
        _bd_entry(row.bd_rate, summary.codec_id == board.anchor_id, proof)
        for board, row, proof in zip(boards, rows, evidence, strict=True)
    ]
    if len(boards) == 1:
        entries += _detail_entries(boards[0].metric, rows[0], boards[0].common_pictures, evidence[0])
    record = {
        **_record(summary),
        "bd_rate": {
            board.metric.metric_id: _bd_record(board, row, proof)
            for board, row, proof in zip(boards, rows, evidence, strict=True)
        },
    }
    return Row((*entries, *_ends(summary, summary.pictures)), record)


def _bd_entry(bd_rate: BdRate, is_anchor: bool, proof: Evidence | None) -> Entry:
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


def _bd_record(board: Leaderboard, row: BdRow, proof: Evidence | None) -> dict[str, Any]:
    ends = _shared_scores(board.metric, row.bd_rate)
    return {
        "metric": board.metric.name,
        "implementation": board.metric.implementation,
        "version": board.metric.version,
        "anchor": board.anchor,
        "common_pictures": board.common_pictures,
        "percent": row.bd_rate.percent,
        "reason": row.bd_rate.reason,
        "shared_range": ends,
        "overlap": row.bd_rate.overlap,
        "mean_of_pictures_percent": row.mean_of_pictures,
        "pictures_in_that_mean": row.pictures_with_bd_rate,
        "lossless_settings": row.lossless_settings,
        "dominated_settings": row.bd_rate.dropped,
        "method": board.method,
        "interval_95": _ends_of(proof and proof.interval),
        "mean_of_pictures_interval_95": _ends_of(proof and proof.mean_of_pictures),
        "no_interval_because": proof.interval.reason if proof else None,
        "p_value_holm": proof.p_value if proof else None,
        "verdict": proof.verdict if proof else None,
    }


def _ends_of(interval: Interval | None) -> tuple[float, float] | None:
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
        notes.append("* The two curves share less than half of the range they span together.")
    for board, row in board_rows:
        where = f"{row.codec.label}, {selection.title(board.metric)}"
        if row.lossless_settings and row.bd_rate.percent is not None:
            settings = ", ".join(f"{lossless_setting:g}" for lossless_setting in row.lossless_settings)
            notes.append(f"{where}: setting {settings} left out: some picture came back identical.")
        if row.bd_rate.dropped:
            settings = digits.counted(row.bd_rate.dropped, "setting")
            notes.append(f"{where}: {settings} left out: another is as good for no more bits.")
    return [*notes, *affinity_notes(selection), *_last_notes([row.codec for row in boards[0].rows])]


def at_rate_table(selection: Selection, metrics: Sequence[MetricRow], bits_per_pixel: float) -> Table:
    """Return every codec's scores at a rate: median, 5th and 95th percentile over pictures.

    Args:
        selection: The pictures and codecs to compare.
        metrics: One column each; the first sorts the rows.
        bits_per_pixel: Where each picture's curve is read; a codec whose curve does not reach it has no
            score.
    """
    summaries = selection.at_rate(metrics, bits_per_pixel)
    searched = any(row.achieved for row in summaries)
    columns = [
        Column(selection.title(metric), digits.unit_of(metric), help=f"{SPREAD_NOTE}.") for metric in metrics
    ]
    rows: list[Row] = []
    for row in summaries:
        spreads = [row.scores.get(metric.metric_id) for metric in metrics]
        entries = [
            _entry(spread and digits.spread_of_scores(metric, spread), spread, row.codec.reason)
            for metric, spread in zip(metrics, spreads, strict=True)
        ]
        record = {
            **_record(row.codec),
            "at_bits_per_pixel": bits_per_pixel,
            "achieved_bits_per_pixel": row.achieved and _spread_record(row.achieved),
            "scores": {
                metric.metric_id: {"metric": metric.name, **_spread_record(spread)}
                for metric, spread in zip(metrics, spreads, strict=True)
            },
        }
        achieved = _achieved(row.achieved and digits.spread_of_amounts(row.achieved), row.achieved, searched)
        ends = _ends(row.codec, _reached(spreads))
        rows.append(Row((_codec_entry(row.codec), *achieved, *entries, *ends), record))
    notes = [
        f"{SPREAD_NOTE}, best {selection.title(metrics[0])} first. Each picture's curve is read at the rate "
        "by PCHIP over log rate, never beyond its ends.",
        *[ACHIEVED_NOTE] * searched,
        *_notes([(row.codec, _reached(row.scores.values())) for row in summaries], "the rate"),
        *affinity_notes(selection),
    ]
    title = f"Scores at {digits.significant(bits_per_pixel, 2)} bits per pixel · {selection.image_set}"
    achieved = [Column("Achieved", "bits/pixel", help=f"{SPREAD_NOTE}.")] * searched
    shown = (CODEC, *achieved, *columns, _pictures("whose curve or setting reaches the rate"), RATES)
    return Table(title, shown, tuple(rows), tuple(notes))


def at_score_table(selection: Selection, metric: MetricRow, score: float) -> Table:
    """Return what every codec spends for a score: bits per pixel, bytes, encode time.

    Args:
        selection: The pictures and codecs to compare.
        metric: Whose score it is.
        score: On the metric's own scale, as stored.
    """
    summaries = selection.at_score(metric, score)
    searched = any(row.achieved for row in summaries)
    rows: list[Row] = []
    for row in summaries:
        rate, size, seconds = row.bits_per_pixel, row.bitstream_bytes, row.encode_seconds
        mark = "†" if row.contended else ""
        achieved = row.achieved and digits.spread_of_scores(metric, row.achieved)
        entries = [
            *_achieved(achieved, row.achieved, searched),
            _entry(rate and digits.spread_of_amounts(rate), rate, row.codec.reason),
            _entry(size and digits.spread_of_amounts(size, 1e-3), size),
            _entry(seconds and digits.spread_of_amounts(seconds, 1e3) + mark, seconds),
        ]
        record = {
            **_record(row.codec),
            "at_score": {"metric": metric.name, "metric_id": metric.metric_id, "value": score},
            "achieved_score": row.achieved and _spread_record(row.achieved),
            "bits_per_pixel": _spread_record(rate),
            "bitstream_bytes": _spread_record(size),
            "encode_seconds": {**_spread_record(seconds), "contended": row.contended},
        }
        rows.append(Row((_codec_entry(row.codec), *entries, *_ends(row.codec, _reached([rate]))), record))
    notes = [
        f"{SPREAD_NOTE}, fewest bits first. Each picture's curve is read at the score by PCHIP, never beyond "
        "its ends.",
        *[ACHIEVED_NOTE] * searched,
        *_notes([(row.codec, _reached([row.bits_per_pixel])) for row in summaries], "the score"),
        *affinity_notes(selection),
    ]
    if any(row.contended for row in summaries):
        notes.append(
            "† Timed while other cells or programs ran: good for planning. Speed is what the timing pass "
            "measures: codecarena leaderboard --speed."
        )
    columns = (
        CODEC,
        *[Column("Achieved", digits.unit_of(metric), help=f"{SPREAD_NOTE}.")] * searched,
        Column("Rate", "bits/pixel", help=f"{SPREAD_NOTE}."),
        Column("File", "kB", help=f"{SPREAD_NOTE}; 1 kB is 1000 bytes."),
        Column("Encode", "ms", help=f"{SPREAD_NOTE}; wall time of one encode."),
        _pictures("whose curve or setting reaches the score"),
        RATES,
    )
    unit = digits.unit_of(metric)
    asked = f"{selection.title(metric)} {digits.score(metric, score)}{' ' + unit if unit else ''}"
    return Table(f"Cost of {asked} · {selection.image_set}", columns, tuple(rows), tuple(notes))


def _achieved(text: str | None, spread: Spread | None, searched: bool) -> list[Entry]:
    """Return the cell of a searched setting, where the table has the column."""
    return [_entry(text, spread) if spread else Entry(FROM_CURVE)] * searched


def _pictures(what: str) -> Column:
    return Column("Pictures", help=f"Pictures {what}, of those that any codec tried.")


def _codec_entry(summary: CodecSummary) -> Entry:
    return Entry(" ".join([summary.label, *digits.marks(summary.marks, summary.toy)]))


def _entry(text: str | None, spread: Spread | None, reason: str | None = None) -> Entry:
    if text and spread:
        return Entry(text, spread.median)
    beyond = "Outside the codec's curves on every picture: nothing is extrapolated."
    return Entry(f"{digits.EMPTY} {reason}" if reason else digits.EMPTY, hint=explain(reason) or beyond)


def _ends(summary: CodecSummary, pictures: int) -> tuple[Entry, Entry]:
    """Return the last two cells of every row: coverage and rate range."""
    rates = Entry(digits.EMPTY)
    if summary.lowest_rate is not None and summary.highest_rate is not None:
        ends = digits.rate(summary.lowest_rate), digits.rate(summary.highest_rate)
        rates = Entry(digits.between(*ends) if ends[0] != ends[1] else ends[0], summary.lowest_rate)
    return Entry(f"{pictures}/{summary.of_pictures}", float(pictures)), rates


def _reached(spreads: Iterable[Spread | None]) -> int:
    return max((spread.pictures for spread in spreads if spread), default=0)


def _record(summary: CodecSummary) -> dict[str, Any]:
    record = asdict(summary)
    return {"codec": record.pop("label"), **record}


def _spread_record(spread: Spread | None) -> dict[str, Any]:
    if spread is None:
        return {"median": None, "percentile_5": None, "percentile_95": None, "pictures": 0}
    return {
        "median": spread.median,
        "percentile_5": spread.low,
        "percentile_95": spread.high,
        "pictures": spread.pictures,
    }


def _notes(coverage: Sequence[tuple[CodecSummary, int]], what: str) -> list[str]:
    notes: list[str] = []
    if any(0 < reached < summary.of_pictures for summary, reached in coverage):
        notes.append(
            f"A codec that does not reach {what} on every picture has its median over fewer, often easier "
            "ones; below half of them it stands last."
        )
    return notes + _last_notes([summary for summary, _ in coverage])


def _last_notes(codecs: Sequence[CodecSummary]) -> list[str]:
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
