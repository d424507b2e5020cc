"""Guess how long a plan will take and how much disk it will fill, from what was measured before."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

from ..store.plan_store import PlanStore
from .plan import Plan, Planned

UNKNOWN_SECONDS_PER_PIXEL = 1e-6
"""For a codec that never ran here: a slow classic encoder."""
UNKNOWN_BYTES_PER_PIXEL = 0.125
"""For a codec that never ran here: one bit per pixel."""
UNKNOWN_SCORE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a plan is expected to need."""

    seconds: float
    disk_bytes: int
    measured_share: float
    """Share of the cells whose codec has run here before; the rest is a guess."""


def estimate(plan: Plan, store: PlanStore, metric_ids: dict[str, str], workers: int) -> Estimate:
    """Return the expected time and disk of a plan.

    Args:
        plan: The cells to run.
        store: Earlier times and sizes of the same codecs and metrics; fixed guesses stand for what is not in
            it.
        metric_ids: By name, of all metrics of the plan.
        workers: How many cells run at a time; the time is divided by them.
    """
    pace = store.pace()
    score_seconds = store.score_seconds()
    seconds = disk_bytes = 0.0
    for planned in plan.cells:
        seconds_per_pixel, bytes_per_pixel = pace.get(
            planned.codec.codec_id, (UNKNOWN_SECONDS_PER_PIXEL, UNKNOWN_BYTES_PER_PIXEL)
        )
        pixels = planned.picture.pixel_count
        seconds += seconds_per_pixel * pixels
        seconds += sum(
            score_seconds.get(metric_ids[name], UNKNOWN_SCORE_SECONDS) for name in planned.cell.metrics
        )
        disk_bytes += 0 if planned.cell.stored else bytes_per_pixel * pixels
    known = fmean(planned.codec.codec_id in pace for planned in plan.cells) if plan.cells else 1.0
    return Estimate(seconds / workers, int(disk_bytes), known)


def by_codec(cells: tuple[Planned, ...]) -> dict[str, tuple[int, list[float]]]:
    """Return, for each codec's label, how many cells it has and at which qualities."""
    cells_and_qualities: dict[str, tuple[int, list[float]]] = {}
    for planned in cells:
        count, qualities = cells_and_qualities.get(planned.codec.label, (0, []))
        fresh = [planned.cell.quality] if planned.cell.quality not in qualities else []
        cells_and_qualities[planned.codec.label] = (count + 1, qualities + fresh)
    return cells_and_qualities
