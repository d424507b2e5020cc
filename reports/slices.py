"""Turn a store into the part of it that one table is about."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from ..bench.analysis.affinity import Affinity, affinity
from ..bench.analysis.coverage import AnalysisError
from ..bench.analysis.curves import Method
from ..bench.analysis.factor import KindSplit, split_by_kind
from ..bench.analysis.leaderboard import (
    AtRateRow,
    AtScoreRow,
    Comparison,
    Leaderboard,
    at_rate,
    at_score,
    compare,
    leaderboard,
)
from ..bench.store.derived import rows_of
from ..bench.store.rows import Failure, MatchRow, MetricRow, ScoredCell
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

    def matches(self, image_set: str) -> list[MatchRow]:
        """Return where searches for a rate or score ended, on a set and its pictures."""
        ...

    def image_sets(self) -> list[str]:
        """Return the names of the sets."""
        ...


class Part(Protocol):
    """The part of a store that one table is about, however it was read."""

    @property
    def image_set(self) -> str:
        """Name of the set; of several, their names joined."""
        ...

    @property
    def cells(self) -> Sequence[ScoredCell]:
        """Every measurement as a record."""
        ...

    @property
    def failures(self) -> Sequence[Failure]:
        """Failed attempts."""
        ...

    @property
    def all_metrics(self) -> list[MetricRow]:
        """Every metric of the store."""
        ...

    @property
    def scope(self) -> str:
        """Which part it is, in words that stay when rows are added to it."""
        ...

    def title(self, metric: MetricRow) -> str:
        """Return what to call a metric beside all others of the store."""
        ...

    def comparison(self, metric: MetricRow) -> Comparison:
        """Return all codecs under a metric."""
        ...

    def board(self, metric: MetricRow, anchor: str, method: Method = "pchip") -> Leaderboard:
        """Return BD-rates against an anchor."""
        ...

    def at_rate(self, metrics: Sequence[MetricRow], bits_per_pixel: float) -> list[AtRateRow]:
        """Return every codec's scores at a rate."""
        ...

    def at_score(self, metric: MetricRow, score: float) -> list[AtScoreRow]:
        """Return what every codec spends for a score."""
        ...

    def rows(self, metric: MetricRow) -> Iterator[bytes]:
        """Yield all rows that an answer about a metric depends on."""
        ...

    def affinities(self) -> Mapping[tuple[str, Affinity], int]:
        """Return how many pictures are near a codec's own generator, by its label and how near."""
        ...

    def split(self, metric: MetricRow, anchor: str, method: Method = "pchip") -> KindSplit:
        """Return natural against AI-generated under one metric."""
        ...


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a store, read as records."""

    image_set: str
    cells: list[ScoredCell]
    failures: list[Failure]
    all_metrics: list[MetricRow]
    matches: list[MatchRow] = field(default_factory=list)
    """Where searches for a rate or score ended."""
    kind: Kind | None = None
    """Natural or AI-generated; None for both."""

    @property
    def scope(self) -> str:
        """Which part it is, in words that stay when rows are added to it."""
        return scope(self.image_set, self.kind)

    def title(self, metric: MetricRow) -> str:
        """Return what to call a metric beside all others of the store."""
        return digits.metric_title(metric, self.all_metrics)

    def comparison(self, metric: MetricRow) -> Comparison:
        """Return all codecs under a metric."""
        return compare(self.cells, metric, self.failures)

    def board(self, metric: MetricRow, anchor: str, method: Method = "pchip") -> Leaderboard:
        """Return BD-rates against an anchor."""
        return leaderboard(self.cells, metric, anchor, self.failures, method)

    def at_rate(self, metrics: Sequence[MetricRow], bits_per_pixel: float) -> list[AtRateRow]:
        """Return every codec's scores at a rate."""
        return at_rate(self.cells, metrics, bits_per_pixel, self.failures, self.matches)

    def at_score(self, metric: MetricRow, score: float) -> list[AtScoreRow]:
        """Return what every codec spends for a score."""
        return at_score(self.cells, metric, score, self.failures, self.matches)

    def rows(self, metric: MetricRow) -> Iterator[bytes]:
        """Yield all rows that an answer about a metric depends on."""
        return rows_of(self.cells, self.failures, metric.metric_id)

    def affinities(self) -> dict[tuple[str, Affinity], int]:
        """Return how many pictures are near a codec's own generator, by its label and how near."""
        pictures: dict[tuple[str, Affinity], set[str]] = defaultdict(set)
        for cell in self.cells:
            near = affinity(cell.picture_generator, cell.codec_generator)
            if near != "none":
                pictures[cell.codec, near].add(cell.picture_sha256)
        return {key: len(found) for key, found in pictures.items()}

    def split(self, metric: MetricRow, anchor: str, method: Method = "pchip") -> KindSplit:
        """Return natural against AI-generated under one metric."""
        return split_by_kind(self.cells, metric, anchor, self.failures, method)


def scope(image_set: str, kind: Kind | None, families: Sequence[str] = ()) -> str:
    """Return what tells one part of a store from the others."""
    return " | ".join([image_set, kind or "every kind", *sorted(families)])


def choose_sets(source: Source, image_set: str | None = None) -> list[str]:
    """Return the named image set, or the names of all.

    Raises:
        AnalysisError: The store has no set of that name.
    """
    sets = source.image_sets()
    if image_set is None:
        return sets
    if image_set not in sets:
        raise AnalysisError(f"the store has no image set {image_set!r}; stored: {', '.join(sets) or 'none'}")
    return [image_set]


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


def chosen_metrics(part: Slice, names: Sequence[str] = ()) -> list[MetricRow]:
    """Return those of `choose_metrics` that this part of the store has scores of."""
    scored = {metric_id for cell in part.cells for metric_id in cell.scores}
    return [one for one in choose_metrics(part.all_metrics, names) if one.metric_id in scored]


def _preference(metric: MetricRow) -> tuple[int, str, str]:
    place = PREFERRED.index(metric.name) if metric.name in PREFERRED else len(PREFERRED)
    return place, metric.name, metric.metric_id


def slice_of(source: Source, image_set: str, kind: Kind | None = None) -> Slice:
    """Return one image set of a store, or only its pictures of one kind."""
    cells = [cell for cell in source.cells(image_set) if kind in (None, cell.kind)]
    failures = source.failures(image_set)
    matches = source.matches(image_set)
    if kind is not None:
        # A failure does not know its picture's kind; the cells of the same picture do.
        pictures = {cell.picture_sha256 for cell in cells}
        failures = [failure for failure in failures if failure.picture_sha256 in pictures]
        matches = [one for one in matches if one.match.picture_sha256 in {None, *pictures}]
    return Slice(image_set, cells, failures, source.metrics(), matches, kind)


def slices(source: Source, image_set: str | None = None, kind: Kind | None = None) -> list[Slice]:
    """Return one part of a store for each image set, or for one of them; empty ones are left out.

    Raises:
        AnalysisError: The store has no such set.
    """
    parts = [slice_of(source, name, kind) for name in choose_sets(source, image_set)]
    return [part for part in parts if part.cells or part.failures]
