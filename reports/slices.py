"""Turn a store into the part of it that one table is about."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from ..bench.analysis.coverage import AnalysisError
from ..bench.store.rows import Failure, MetricRow, ScoredCell
from . import digits

Kind = Literal["natural", "ai-generated"]

PREFERRED = ("ssimulacra2", "ssimulacra2-py", "ms-ssim", "ssim", "psnr")
"""Shown first, and ranked by, where nobody chose: what agrees best with people first."""


class Source(Protocol):
    """What the tables need of a store."""

    def cells(self, image_set: str | None = None) -> list[ScoredCell]:
        """Return the scored cells of a set."""
        ...

    def failures(self, image_set: str | None = None) -> list[Failure]:
        """Return the failed attempts of a set."""
        ...

    def metrics(self) -> list[MetricRow]:
        """Return every metric identity."""
        ...

    def image_sets(self) -> list[str]:
        """Return the names of the sets."""
        ...


@dataclass(frozen=True, slots=True)
class Slice:
    """The part of a store that one table is about."""

    image_set: str
    cells: list[ScoredCell]
    failures: list[Failure]
    all_metrics: list[MetricRow]

    def title(self, metric: MetricRow) -> str:
        """Return what to call a metric beside all others of the store."""
        return digits.metric_title(metric, self.all_metrics)


def choose_metrics(stored: Sequence[MetricRow], names: Sequence[str] = ()) -> list[MetricRow]:
    """Return the stored identities of these names (or ids), or all of them, the preferred first.

    Raises:
        AnalysisError: A name has no score here.
    """
    chosen: list[MetricRow] = []
    for name in names:
        found = [one for one in stored if name in (one.name, one.metric_id)]
        # A metric of another language's program may be here as its Python port only.
        found = found or [one for one in stored if one.name == f"{name}-py"]
        if not found:
            known = sorted({one.name for one in stored})
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"stored: {', '.join(known) or 'none'}"
            raise AnalysisError(f"the store has no scores of {name!r}; {hint}")
        chosen += [one for one in found if one not in chosen]
    return chosen if names else sorted(stored, key=_preference)


def _preference(metric: MetricRow) -> tuple[int, str, str]:
    place = PREFERRED.index(metric.name) if metric.name in PREFERRED else len(PREFERRED)
    return place, metric.name, metric.metric_id


def slice_of(source: Source, image_set: str, kind: Kind | None = None) -> Slice:
    """Return one image set of a store, or only its pictures of one kind."""
    cells = [cell for cell in source.cells(image_set) if kind in (None, cell.kind)]
    failures = source.failures(image_set)
    if kind is not None:
        # A failure does not know its picture's kind; the cells of the same picture do.
        pictures = {cell.picture_sha256 for cell in cells}
        failures = [failure for failure in failures if failure.picture_sha256 in pictures]
    return Slice(image_set, cells, failures, source.metrics())
