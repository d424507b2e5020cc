"""A part of a store read as records, with the tables that its columns give as well."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from statistics import median

from codecarena.bench.analysis.affinity import Affinity, affinity
from codecarena.bench.analysis.at_target import AtRateRow, AtScoreRow
from codecarena.bench.analysis.curves import Method
from codecarena.bench.analysis.kind_effect import KindSplit, split_by_kind
from codecarena.bench.analysis.leaderboard import View
from codecarena.bench.analysis.rates import SetRate
from codecarena.bench.analysis.seeds import SeedVariance
from codecarena.bench.records.rows import Failure, MatchRow, MetricRow, ScoredCell
from codecarena.bench.store.store import Store
from codecarena.reports.tables import digits
from codecarena.reports.tables.selection import Kind

from .leaderboard import (
    Comparison,
    Leaderboard,
    at_rate,
    at_score,
    choose_view,
    compare,
    default_anchor,
    leaderboard,
)
from .points import unique
from .rates import set_rates
from .seeds import seed_variances


@dataclass(frozen=True, slots=True)
class RowSelection:
    """A part of a store, read as records."""

    image_set: str
    cells: list[ScoredCell]
    failures: list[Failure]
    all_metrics: list[MetricRow]
    matches: list[MatchRow] = field(default_factory=list)
    """Where searches for a rate or score ended."""
    kind: Kind | None = None
    """Natural or AI-generated; None for both."""

    def title(self, metric: MetricRow) -> str:
        """Return what to call a metric beside all others of the store."""
        return digits.metric_title(metric, self.all_metrics)

    @property
    def picture_names(self) -> dict[str, str]:
        """Names of the pictures, by the hash of their pixels."""
        return {cell.picture_sha256: cell.picture for cell in self.cells}

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

    def affinities(self) -> dict[tuple[str, Affinity], int]:
        """Return how many pictures are near a codec's own generator, by its label and how near."""
        pictures: dict[tuple[str, Affinity], set[str]] = defaultdict(set)
        for cell in self.cells:
            near = affinity(cell.picture_generator, cell.codec_generator)
            if near != "none":
                pictures[cell.codec, near].add(cell.picture_sha256)
        return {key: len(members) for key, members in pictures.items()}

    def split(
        self, metric: MetricRow, anchor: str, method: Method = "pchip", among: Collection[str] | None = None
    ) -> KindSplit:
        """Return natural against AI-generated under one metric."""
        cells = [cell for cell in self.cells if among is None or cell.picture_sha256 in among]
        return split_by_kind(self.comparison(metric), cells, metric, anchor, method)  # type: ignore[arg-type]

    @property
    def usual_anchor(self) -> str | None:
        """The codec to compare with where nobody chose one."""
        return default_anchor(self.cells)

    def opening_view(self, metric: MetricRow) -> View:
        """Return the view that says most where nobody chose one."""
        return choose_view(self.cells, metric, self.failures)

    def usual_score(self, metric: MetricRow) -> float:
        """Return a score in the middle of those stored, rounded to what the metric shows."""
        values = [
            score.value
            for cell in unique(self.cells)
            if (score := cell.scores.get(metric.metric_id)) and score.value is not None and not score.lossless
        ]
        return digits.rounded(metric, median(values)) if values else 0.0

    def set_rates(self) -> list[SetRate]:
        """Return the rates of every codec at every setting."""
        return set_rates(self.cells)

    def seed_variances(self, metrics: Sequence[MetricRow]) -> list[SeedVariance]:
        """Return how scores vary between seeds and between pictures."""
        return seed_variances(self.cells, metrics)


def slice_of(store: Store, image_set: str, kind: Kind | None = None) -> RowSelection:
    """Return one image set of a store, or only its pictures of one kind."""
    cells = [cell for cell in store.cells(image_set) if kind in (None, cell.kind)]
    stored = store.failures(image_set)
    names = {failure.picture_sha256: failure.picture for failure in reversed(stored)}
    failures = [failure for failure in stored if failure.picture == names[failure.picture_sha256]]
    matches = store.matches(image_set)
    if kind is not None:
        # A failure does not know its picture's kind; the cells of the same picture do.
        pictures = {cell.picture_sha256 for cell in cells}
        failures = [failure for failure in failures if failure.picture_sha256 in pictures]
        matches = [match for match in matches if match.match.picture_sha256 in {None, *pictures}]
    return RowSelection(image_set, cells, failures, store.metrics(), matches, kind)
