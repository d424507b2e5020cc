"""Differences from one codec: columns of tables at a rate or a score, and two codecs against each other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, Literal

from ...bench.analysis.at_target import AtRateRow, AtScoreRow
from ...bench.analysis.bootstrap import set_itself
from ...bench.analysis.codec_grids import MeasuredCodec
from ...bench.analysis.coverage import AnalysisError, find_codec
from ...bench.analysis.differences import Difference
from ...bench.analysis.significance import Paired, percent
from ...bench.records.metric_facts import Direction
from ...bench.records.rows import MetricRow
from . import digits
from .evidence import MARKS, SCORE_MARKS, AnswerCache, board_evidence, differences_by_rates
from .leaderboards import bd_entry, bd_summary, ends_of, last_notes, quality_entry, quality_unit
from .selection import Selection, StoredColumns
from .table import Column, Entry, Row, Summary, Table

OCTAVES = (0.03, 0.06, 0.12, 0.25, 0.5, 1.0, 2.0, 4.0)
"""Bits per pixel at which two codecs are compared from the cheapest pictures to the dearest."""


@dataclass(frozen=True, slots=True)
class Against:
    """The codec that the others are compared with at a rate or a score."""

    codec_id: str
    label: str

    @classmethod
    def of(cls, rows: Sequence[AtRateRow] | Sequence[AtScoreRow], anchor: str | None) -> Against | None:
        """Return the codec of a label or id; None where nobody asks for one.

        Raises:
            AnalysisError: No codec of the rows has that label or id.
        """
        if anchor is None:
            return None
        codecs = [
            MeasuredCodec(row.codec.codec_id, row.codec.label, row.codec.family or "", row.codec.toy)
            for row in rows
        ]
        codec = find_codec(codecs, anchor)
        return cls(codec.codec_id, codec.label)

    def columns(self, where: str, unit: str, better: Direction) -> list[Column]:
        """Return the columns of a table: the difference, and on how many pictures.

        Args:
            where: What both reach: a rate or a score.
            unit: Of the difference.
            better: Which differences are better.
        """
        sign = "plus" if better == "higher" else "minus"
        help_text = (
            f"Mean difference from {self.label} over the pictures on which both reach the {where}; {sign} is "
            "better."
        )
        return [
            Column(f"Against {self.label}", unit, help=help_text),
            Column("Both", help=f"Pictures on which the codec and {self.label} reach the {where}."),
        ]

    def entries(
        self, codec_id: str, difference: Difference | None, write: Callable[[Difference], Entry]
    ) -> list[Entry]:
        """Return the cells of a codec.

        Args:
            codec_id: Of the row.
            difference: From the anchor; None for the anchor, and while it is computed.
            write: Writes a difference that has a mean.
        """
        if codec_id == self.codec_id:
            return [Entry("anchor", 0.0), Entry(digits.EMPTY)]
        if difference is None:
            return [Entry(digits.EMPTY), Entry(digits.EMPTY)]
        pictures = Entry(str(difference.pictures), float(difference.pictures))
        if difference.mean is None:
            hint = f"The codec and {self.label} reach it together on no picture."
            return [Entry(digits.EMPTY, hint=hint), pictures]
        return [write(difference), pictures]


def score_difference_entry(metric: MetricRow, difference: Difference) -> Entry:
    """Return the cell of a difference in scores."""
    mean = difference.mean or 0.0
    text = digits.signed_score(metric, mean) + SCORE_MARKS[difference.verdict]
    text = digits.with_interval(text, difference.interval, lambda value: digits.signed_score(metric, value))
    return Entry(text, mean, _tone(difference), _tested(difference))


def rate_difference_entry(difference: Difference) -> Entry:
    """Return the cell of a difference in log rate, as a percentage of rate."""
    mean = percent(difference.mean or 0.0)
    text = digits.percent(mean) + MARKS[difference.verdict]
    text = digits.with_interval(text, difference.interval.through(percent), digits.percent)
    return Entry(text, mean, _tone(difference), _tested(difference))


def _tone(difference: Difference) -> Literal["", "better", "worse"]:
    return difference.verdict if difference.verdict in ("better", "worse") else ""


def _tested(difference: Difference) -> str:
    if difference.p_value is None:
        return f"No interval: {difference.interval.reason}."
    words = {"better": "Better", "worse": "Worse"}.get(difference.verdict or "", "No difference is shown")
    return (
        f"{words}: {digits.p_equals(difference.p_value)} after Holm's correction; won "
        f"{difference.wins} of {digits.counted(difference.pictures, 'picture')}."
    )


def difference_record(
    label: str, difference: Difference | None, write: Callable[[float], float] = float
) -> dict[str, Any] | None:
    """Return a difference for JSON.

    Args:
        label: Of the codec that it is from.
        difference: None where there is none, or none yet.
        write: Changes its values to those that are shown.
    """
    if difference is None:
        return None
    ends = difference.interval.through(write)
    known = ends.low is not None and ends.high is not None
    return {
        "against": label,
        "pictures": difference.pictures,
        "mean_difference": None if difference.mean is None else write(difference.mean),
        "interval_95": (ends.low, ends.high) if known else None,
        "no_interval_because": None if known else ends.reason,
        "wins": difference.wins,
        "losses": difference.losses,
        "p_value_holm": difference.p_value,
        "verdict": difference.verdict,
    }


def difference_notes(differences: Sequence[Difference], label: str, marks: str) -> list[str]:
    """Return what the columns of differences mean, and why intervals are missing.

    Args:
        differences: Of the table.
        label: Of the codec that they are from.
        marks: What the marks behind them say, before "than".
    """
    if not differences:
        return []
    known = any(difference.interval.low is not None for difference in differences)
    reasons = dict.fromkeys(
        difference.interval.reason
        for difference in differences
        if difference.pictures and difference.interval.reason
    )
    bracket = (
        f"; in brackets its 95 % interval. {marks} than {label}: significant at 5 % after Holm's correction "
        "for all codecs; no mark: not shown"
    ) * known
    return [
        f"Against {label}: mean difference over the pictures on which both are there{bracket}. Codecs "
        "that share at least half of the pictures with it stand in this order, the others after them.",
        *(f"No interval: {reason}." for reason in reasons),
    ]


def all_but(source: StoredColumns, codec_ids: Collection[str]) -> set[str]:
    """Return the ids of the other codecs of a source, of those too that only failed."""
    measured = {codec.codec_id for codec in source.columns.codecs}
    return (measured | {failure.codec_id for failure in source.failures}) - set(codec_ids)


def pair_of(selection: Selection, pair: tuple[str, str]) -> Selection:
    """Return all pictures of a selection's source with two codecs alone.

    Raises:
        AnalysisError: No codec has one of these labels or ids.
    """
    codecs = [grid.codec for grid in selection.grids]
    ids = [find_codec(codecs, name).codec_id for name in pair]
    return Selection(selection.source, None, all_but(selection.source, ids))


def pair_tables(
    selection: Selection,
    metrics: Sequence[MetricRow],
    pair: tuple[str, str],
    derived: AnswerCache | None = None,
) -> list[Table]:
    """Return one codec against another one: by metric, rate by rate, and picture by picture.

    Args:
        selection: Of these two codecs alone: then no third one has a say in pictures and tests.
        metrics: A row each in the first table; the others are of the first metric.
        pair: Labels or ids of the codec to judge, and of the one that it is compared with.
        derived: Keeps intervals and tests; without it they are computed anew.

    Raises:
        AnalysisError: No codec has one of the labels, or both are one codec.
    """
    by_rate = by_rate_table(selection, metrics[0], pair, derived)
    codec, anchor = (find_codec([grid.codec for grid in selection.grids], name) for name in pair)
    return [
        _pair_by_metric(selection, metrics, codec, anchor, derived),
        by_rate,
        _pair_by_picture(selection, metrics[0], codec, anchor),
    ]


def _pair_by_metric(
    selection: Selection,
    metrics: Sequence[MetricRow],
    codec: MeasuredCodec,
    anchor: MeasuredCodec,
    derived: AnswerCache | None,
) -> Table:
    rows: list[Row] = []
    summary: Summary | None = None
    for metric in metrics:
        board, title = selection.board(metric, anchor.codec_id), selection.title(metric)
        row = next(row for row in board.rows if row.codec.codec_id == codec.codec_id)
        proof = board_evidence(selection, board, derived).get(codec.codec_id)
        if metric == metrics[0]:
            fewer = "fewer" if (row.bd_rate.percent or 0.0) < 0 else "more"
            summary = bd_summary(
                f"By {title}, {codec.label} needs {fewer} bits than {anchor.label}", board, row, proof
            )
        each = _of_pictures(selection, metric, codec, anchor)
        wins = sum(percents < 0 for percents in each.values())
        quality, unit = quality_entry(board, row, proof), quality_unit(metric)
        entries = (
            Entry(title),
            bd_entry(row.bd_rate, False, proof),
            replace(quality, text=f"{quality.text} {unit}".rstrip()) if quality.is_number else quality,
            Entry(f"{wins}/{len(each)}", wins / len(each)) if each else Entry(digits.EMPTY),
            Entry(str(row.pictures), float(row.pictures)),
        )
        record = {
            "codec": codec.label, "codec_id": codec.codec_id, "against": anchor.label, "metric": metric.name,
            "bd_rate_percent": row.bd_rate.percent, "bd_quality": quality.value, "bd_quality_unit": unit,
            "interval_95": ends_of(proof and proof.interval),
            "bd_quality_interval_95": ends_of(proof and proof.quality),
            "p_value": proof.p_value if proof else None, "wins": wins, "pictures_compared": len(each),
            "pictures": row.pictures,
        }  # fmt: skip
        rows.append(Row(entries, record))
    columns = (
        Column("Metric", numeric=False),
        Column("BD-rate", "%", help=f"Of {codec.label} against {anchor.label}; minus is fewer bits."),
        Column("BD-quality", help="Mean difference in score at equal bits."),
        Column("Won", help=f"Pictures whose own curves give {codec.label} fewer bits, of those compared."),
        Column("Pictures", help="That both mean curves are over."),
    )
    notes = (
        "In brackets 95 % intervals over pictures. ▼ fewer, ▲ more bits: significant at 5 %; the metrics are "
        "not corrected for each other. No mark: not shown.",
        *last_notes([row.codec for row in selection.board(metrics[0], anchor.codec_id).rows]),
    )
    title = f"{codec.label} against {anchor.label} · {selection.image_set}"
    return Table(title, columns, tuple(rows), notes, summary=summary)


def _pair_by_picture(
    selection: Selection, metric: MetricRow, codec: MeasuredCodec, anchor: MeasuredCodec
) -> Table:
    names = selection.picture_names
    each = sorted(_of_pictures(selection, metric, codec, anchor).items(), key=lambda item: item[1])
    rows = tuple(
        Row(
            (
                Entry(names[sha256]),
                Entry(digits.percent(percents), percents),
                Entry(codec.label if percents < 0 else anchor.label if percents > 0 else "both"),
            ),
            {
                "picture": names[sha256], "picture_sha256": sha256, "codec": codec.label,
                "against": anchor.label, "metric": metric.name, "bd_rate_percent": percents,
            },
        )
        for sha256, percents in each
    )  # fmt: skip
    columns = (
        Column("Picture", numeric=False),
        Column("BD-rate", "%", help="Of the picture's own curves; minus is fewer bits."),
        Column("Fewer bits", numeric=False),
    )
    notes = ("Pictures on which the two curves share no range of scores are left out.",)
    title = f"{codec.label} against {anchor.label}, picture by picture, by {selection.title(metric)}"
    return Table(f"{title} · {selection.image_set}", columns, rows, notes)


def _of_pictures(
    selection: Selection, metric: MetricRow, codec: MeasuredCodec, anchor: MeasuredCodec
) -> dict[str, float]:
    """Return the BD-rate of each picture's own curves, percent, by the hash of its pixels."""
    comparison = selection.comparison(metric)
    if not comparison.common or not {codec.codec_id, anchor.codec_id} <= comparison.curves.keys():
        return {}
    paired = Paired(comparison, metric, "pchip", None, set_itself)
    each = paired.of_pictures(anchor.codec_id, codec.codec_id)
    return {
        sha256: percent(float(value))
        for sha256, value in zip(paired.pictures, each, strict=True)
        if isfinite(value)
    }


def by_rate_table(
    selection: Selection,
    metric: MetricRow,
    pair: tuple[str, str],
    derived: AnswerCache | None = None,
) -> Table:
    """Return where, rate by rate, one codec's scores are better or worse than another one's.

    Args:
        selection: The pictures and codecs to compare.
        metric: Whose scores are compared.
        pair: Labels or ids of the codec to judge, and of the one that it is compared with.
        derived: Keeps the differences; without it they are computed anew.

    Raises:
        AnalysisError: No codec has one of the labels, or both are one codec.
    """
    codec, other = (find_codec([grid.codec for grid in selection.grids], name) for name in pair)
    if codec == other:
        raise AnalysisError(f"expected two codecs to compare, got {codec.label!r} twice")
    ids = codec.codec_id, other.codec_id
    differences = differences_by_rates(selection, metric, OCTAVES, ids, derived)
    shown = [
        (rate, difference)
        for rate, difference in zip(OCTAVES, differences, strict=False)
        if difference.pictures
    ]
    columns = (
        Column("Rate", "bits/pixel"),
        Column(
            "Difference", digits.unit_of(metric), help=f"Mean score of {codec.label} less {other.label}'s."
        ),
        Column("Won", help=f"Pictures on which {codec.label} has the better score, of those compared."),
        Column("Both", help="Pictures on which both reach the rate, of those that any codec tried."),
    )
    of_pictures = selection.comparison(metric).of_pictures
    rows = tuple(
        Row(
            (
                Entry(f"{rate:g}", rate),
                score_difference_entry(metric, difference),
                Entry(f"{difference.wins}/{difference.pictures}", difference.wins / difference.pictures),
                Entry(f"{difference.pictures}/{of_pictures}", float(difference.pictures)),
            ),
            {
                "codec": codec.label,
                "codec_id": codec.codec_id,
                "metric": metric.name,
                "bits_per_pixel": rate,
                **(difference_record(other.label, difference) or {}),
            },
        )
        for rate, difference in shown
    )
    title = f"{codec.label} against {other.label}, rate by rate, by {selection.title(metric)}"
    notes = (
        []
        if not differences  # they are being computed
        else [_regions(codec.label, other.label, shown)]
        if shown
        else [f"On no picture both reach any of {', '.join(f'{rate:g}' for rate in OCTAVES)} bits per pixel."]
    )
    sign = "plus" if metric.better == "higher" else "minus"
    notes += [
        f"Each picture's curves are read at the rate, never beyond their ends; {sign} is better for "
        f"{codec.label}. ▲ better, ▼ worse: significant at 5 % after Holm's correction for all rates; in "
        "brackets the 95 % interval of the mean. Each rate has its own pictures: no curve to read down."
    ]
    reasons = dict.fromkeys(
        difference.interval.reason for _, difference in shown if difference.interval.reason
    )
    notes += [f"No interval: {reason}." for reason in reasons]
    return Table(f"{title} · {selection.image_set}", columns, rows, tuple(notes))


def _regions(codec: str, other: str, shown: Sequence[tuple[float, Difference]]) -> str:
    """Return at which rates a codec is better and worse than another, as a sentence."""
    parts: list[str] = []
    for verdict, word in (("better", "better"), ("worse", "worse"), ("not shown", "not shown to differ")):
        rates = [f"{rate:g}" for rate, difference in shown if difference.verdict == verdict]
        if rates:
            parts.append(f"{word} at {', '.join(rates)}")
    untested = [f"{rate:g}" for rate, difference in shown if difference.verdict is None]
    if untested:
        parts.append(f"on too few pictures for a test at {', '.join(untested)}")
    return f"{codec} against {other}: {'; '.join(parts)} bits per pixel."
