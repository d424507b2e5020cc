"""The table of how much scores vary with the seed of a stochastic decoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from ...bench.analysis.seeds import SeedVariance, seed_variances
from ...bench.records.rows import MetricRow
from . import digits
from .selection import Selection
from .table import Column, Entry, Row, Table

COLUMNS = (
    Column("Codec", numeric=False),
    Column("Setting", help="On the codec's own scale."),
    Column("Rate", "bits/pixel"),
    Column("Metric", numeric=False),
    Column("Mean", help="Mean of the pictures' means over seeds."),
    Column("Between seeds", help="Standard deviation within a picture, between decodes of one bitstream."),
    Column("Between pictures", help="Standard deviation between pictures, the seeds' share taken out."),
    Column("Largest spread", help="Best minus worst seed, of the picture where they differ most."),
    Column("Seeds", help="Decodes of a bitstream."),
    Column("Pictures", help="With at least two seeds."),
)


def seed_table(selection: Selection, metrics: Sequence[MetricRow]) -> Table | None:
    """Return how scores vary between seeds and between pictures; None where no bitstream has two decodes."""
    variances = seed_variances(selection.columns, metrics, selection.scores)
    if not variances:
        return None
    by_id = {metric.metric_id: metric for metric in metrics}
    notes = (
        "Standard deviations. Between seeds: of one bitstream's decodes, pooled over pictures. Between "
        "pictures: of the pictures' means, less what the seeds explain of it. Tables elsewhere average a "
        "picture's seeds first.",
    )
    rows = tuple(_row(variance, by_id[variance.metric_id], selection) for variance in variances)
    return Table(f"Seeds · {selection.image_set}", COLUMNS, rows, notes)


def _row(variance: SeedVariance, metric: MetricRow, selection: Selection) -> Row:
    between = variance.between_deviation
    entries = (
        Entry(variance.codec),
        Entry(f"{variance.setting:g}", variance.setting),
        Entry(digits.rate(variance.bits_per_pixel), variance.bits_per_pixel),
        Entry(selection.title(metric)),
        Entry(digits.score(metric, variance.mean), variance.mean),
        Entry(digits.significant(variance.within_deviation), variance.within_deviation),
        Entry(digits.EMPTY if between is None else digits.significant(between), between),
        Entry(digits.significant(variance.largest_spread), variance.largest_spread),
        Entry(f"{variance.seeds:g}", variance.seeds),
        Entry(str(variance.pictures), float(variance.pictures)),
    )
    return Row(entries, asdict(variance))
