"""Show stored distances of sets: as records for JSON, or as tables on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

from ...terminal import TextColumn, show_table
from ..records.identities import ENOUGH_VIEWS
from ..store.set_scores import set_metric_id, set_scores

if TYPE_CHECKING:
    from rich.console import Console

    from ..store.store import Store
    from .base import SetMetric
    from .scoring import SetReport

Record: TypeAlias = Mapping[str, str | int | float | bool | None]


def records(store: Store, report: SetReport, metrics: Sequence[SetMetric]) -> list[Record]:
    """Return one record a distance: what was compared by what, and the value.

    Args:
        store: Where the distances are.
        report: Of `score_sets`; its pools are shown.
        metrics: Whose distances are shown.
    """
    asked = [set_metric_id(metric.identity) for metric in metrics]
    wanted = {(pool.codec_id, pool.sha256) for pool in report.pools}
    return [
        {
            "image_set": score.pool.image_set,
            "codec": score.pool.codec,
            "quality": score.pool.quality,
            "seed": score.pool.seed,
            "bits_per_pixel": score.pool.bits_per_pixel,
            "metric": score.metric.name,
            "value": score.value,
            "pictures": len(score.pool.cells),
            "views": score.views,
            "doubtful": score.doubtful,
            "tile_pixels": score.metric.tile_pixels,
            "shift_pixels": score.metric.shift_pixels,
            "extractor": score.metric.extractor,
            "weights_sha256": score.metric.weights_sha256,
            "version": score.metric.version,
        }
        for score in set_scores(store)
        if set_metric_id(score.metric) in asked and (score.pool.codec_id, score.pool.sha256) in wanted
    ]


def show(console: Console, rows: Sequence[Record], metrics: Sequence[SetMetric]) -> None:
    """Print one table a set, settings by rate, and what the numbers are.

    Args:
        console: Where the tables go.
        rows: As `records` returns them.
        metrics: One column each.
    """
    names = [metric.identity.name for metric in metrics]
    for image_set, of_set in groupby(rows, key=lambda row: row["image_set"]):
        listed = list(of_set)
        show_table(
            console,
            f"{image_set}: distances between sets, lower is better",
            [TextColumn(heading) for heading in ("codec", "quality", "bpp", *names)],
            _texts(listed, names),
            _notes(listed, names),
        )


def _texts(rows: Sequence[Record], names: Sequence[str]) -> list[list[str]]:
    """Return the table's cells, a row a setting."""
    texts: list[list[str]] = []
    keys = ("codec", "quality", "seed", "bits_per_pixel")
    for (codec, quality, seed, rate), group in groupby(rows, key=lambda row: tuple(row[key] for key in keys)):
        values = {str(row["metric"]): row for row in group}
        label = codec if seed is None else f"{codec} (seed {seed})"
        scores = [_text(values.get(name)) for name in names]
        texts.append([str(label), f"{quality:g}", f"{rate:.4f}", *scores])
    return texts


def _text(row: Record | None) -> str:
    if row is None:
        return "-"
    return f"{row['value']:.4g}{'*' if row['doubtful'] else ''}"


def _notes(rows: Sequence[Record], names: Sequence[str]) -> list[str]:
    """Return what each column was computed from, and what a star means."""
    first = {str(row["metric"]): row for row in reversed(rows)}
    notes = [_note(name, first[name]) for name in names if name in first]
    if any(row["doubtful"] for row in rows):
        notes.append(
            f"* fewer than {ENOUGH_VIEWS} views: FID is too high then, and more so the fewer; compare by kid"
        )
    return notes


def _note(name: str, row: Record) -> str:
    cut = f"{row['views']} tiles of {row['tile_pixels']} pixels, second grid shifted by {row['shift_pixels']}"
    views = cut if row["tile_pixels"] else f"{row['views']} whole pictures"
    weights = f", sha256 {str(row['weights_sha256'])[:12]}" if row["weights_sha256"] else ""
    return f"{name}: {views} of {row['pictures']} pictures; {row['extractor']}{weights}"
