"""Turn one part of a store into a table of what the seed of stochastic decoders changes."""

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
    found = seed_variances(selection.columns, metrics, selection.scores)
    if not found:
        return None
    by_id = {metric.metric_id: metric for metric in metrics}
    notes = (
        "Standard deviations. Between seeds: of one bitstream's decodes, pooled over pictures. Between "
        "pictures: of the pictures' means, less what the seeds explain of it. Tables elsewhere average a "
        "picture's seeds first.",
    )
    rows = tuple(_row(one, by_id[one.metric_id], selection) for one in found)
    return Table(f"Seeds · {selection.image_set}", COLUMNS, rows, notes)


def _row(one: SeedVariance, metric: MetricRow, selection: Selection) -> Row:
    between = one.between_deviation
    entries = (
        Entry(one.codec),
        Entry(f"{one.setting:g}", one.setting),
        Entry(digits.rate(one.bits_per_pixel), one.bits_per_pixel),
        Entry(selection.title(metric)),
        Entry(digits.score(metric, one.mean), one.mean),
        Entry(digits.significant(one.within_deviation), one.within_deviation),
        Entry(digits.EMPTY if between is None else digits.significant(between), between),
        Entry(digits.significant(one.largest_spread), one.largest_spread),
        Entry(f"{one.seeds:g}", one.seeds),
        Entry(str(one.pictures), float(one.pictures)),
    )
    return Row(entries, asdict(one))
