"""Turn a store of any size into the part of it that a page is about, read as columns and kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..bench.analysis.affinity import Affinity, affinity
from ..bench.analysis.curves import Method
from ..bench.analysis.factor import KindSplit, split_comparison
from ..bench.analysis.leaderboard import AtRateRow, AtScoreRow, Leaderboard, View, at_rate, at_score
from ..bench.analysis.panel_readings import (
    at_rate_of_panels,
    at_score_of_panels,
    choose_view_of_panels,
    usual_anchor_of_panels,
)
from ..bench.analysis.panels import Panel, PanelComparison, compare_panels, leaderboard_of_panels, panels
from ..bench.store.columns import (
    ColumnCodec,
    ColumnPicture,
    Columns,
    FloatArray,
    ScoreColumn,
    read_columns,
    read_encode_seconds,
    read_scores,
    scored_metrics,
)
from ..bench.store.derived import rows_of_columns
from ..bench.store.rows import MetricRow, ScoredCell
from ..bench.store.store import Store
from . import digits
from .slices import Kind, choose_metrics, scope


class ColumnSource:
    """One image set of a store, or all of them together; each metric's scores are read once."""

    def __init__(self, store: Store, image_set: str | None) -> None:
        self.store, self.image_set = store, image_set
        self.columns = read_columns(store, image_set)
        self.failures = store.failures(image_set)
        self.metrics = store.metrics()
        scored = scored_metrics(store, image_set)
        self.scored = [one for one in choose_metrics(self.metrics) if one.metric_id in scored]
        self.matches = store.matches(image_set) if image_set is not None else []
        self._scores: dict[str, ScoreColumn] = {}
        self._lock = threading.Lock()

    def scores(self, metric_id: str) -> ScoreColumn:
        """Return one metric's scores of every measurement."""
        with self._lock:
            if metric_id not in self._scores:
                self._scores[metric_id] = read_scores(self.store, self.columns, metric_id, self.image_set)
            return self._scores[metric_id]

    def has_read(self, metric_id: str) -> bool:
        """Whether one metric's scores are here already."""
        return metric_id in self._scores

    @cached_property
    def encode_seconds(self) -> FloatArray:
        """Median encode time of every measurement."""
        return read_encode_seconds(self.store, self.columns)

    @cached_property
    def cells(self) -> list[ScoredCell]:
        """Every measurement as a record: slow on a large store."""
        return self.store.cells(self.image_set)

    @property
    def kinds(self) -> list[str]:
        """Which kinds of pictures there are."""
        return sorted({one.kind for one in self.columns.pictures})

    @property
    def families(self) -> list[str]:
        """Which families of codecs there are."""
        return sorted({one.family for one in self.columns.codecs})


class ColumnSlice:
    """Pictures of one kind and codecs of some families of a source; a `Part` whose tables come of columns."""

    def __init__(self, source: ColumnSource, kind: Kind | None = None, families: Sequence[str] = ()) -> None:
        self.source = source
        self.image_set, self.all_metrics = source.columns.image_set, source.metrics
        every = source.columns
        chosen = np.ones(len(every.picture), bool) if kind is None else every.of_kind(kind)
        if families:
            wanted = np.array([one.family in families for one in every.codecs], dtype=bool)
            chosen &= wanted[every.codec]
        self._chosen = chosen
        self.columns: Columns = every.only(chosen)
        self.failures, self.matches = source.failures, source.matches
        if kind is not None:
            pictures = self._pictures()
            self.failures = [one for one in self.failures if one.picture_sha256 in pictures]
            self.matches = [one for one in self.matches if one.match.picture_sha256 in {None, *pictures}]
        if families:
            codecs = {one.codec_id: one.family for one in every.codecs}
            self.failures = [
                one for one in self.failures if codecs.get(one.codec_id, families[0]) in families
            ]
        self.scope = scope(self.image_set, kind, families)
        self._compared: dict[str, PanelComparison] = {}
        self._rows: dict[str, list[bytes]] = {}

    def _pictures(self) -> set[str]:
        return {self.columns.pictures[place].sha256 for place in np.unique(self.columns.picture)}

    def title(self, metric: MetricRow) -> str:
        """Return what to call a metric beside all others of the store."""
        return digits.metric_title(metric, self.all_metrics)

    @property
    def cells(self) -> list[ScoredCell]:
        """The part's measurements as records: slow on a large store."""
        return self._cells

    @cached_property
    def _cells(self) -> list[ScoredCell]:
        codecs = {self.columns.codecs[place].codec_id for place in np.unique(self.columns.codec)}
        pictures = self._pictures()
        return [one for one in self.source.cells if one.codec_id in codecs and one.picture_sha256 in pictures]

    @cached_property
    def panels(self) -> list[Panel]:
        """Every codec's measurements as arrays."""
        return panels(self.columns)

    @property
    def metrics(self) -> list[MetricRow]:
        """Metrics with a score, the preferred first."""
        return self.source.scored

    def scores(self, metric: MetricRow) -> ScoreColumn:
        """Return one metric's scores of the part's measurements."""
        return self.source.scores(metric.metric_id).only(self._chosen)

    def comparison(self, metric: MetricRow) -> PanelComparison:
        """Return all codecs under a metric."""
        if metric.metric_id not in self._compared:
            self._compared[metric.metric_id] = compare_panels(
                self.columns, self.panels, self.scores(metric), metric, self.failures
            )
        return self._compared[metric.metric_id]

    def board(self, metric: MetricRow, anchor: str, method: Method = "pchip") -> Leaderboard:
        """Return BD-rates against an anchor."""
        return leaderboard_of_panels(self.comparison(metric), metric, anchor, self.failures, method)

    def at_rate(self, metrics: Sequence[MetricRow], bits_per_pixel: float) -> list[AtRateRow]:
        """Return every codec's scores at a rate."""
        if self._searched("bpp", bits_per_pixel):
            return at_rate(self.cells, metrics, bits_per_pixel, self.failures, self.matches)
        scores = {one.metric_id: self.scores(one) for one in metrics}
        return at_rate_of_panels(self.columns, self.panels, scores, metrics, bits_per_pixel, self.failures)

    def at_score(self, metric: MetricRow, score: float) -> list[AtScoreRow]:
        """Return what every codec spends for a score."""
        if self._searched(metric.metric_id, score):
            return at_score(self.cells, metric, score, self.failures, self.matches)
        seconds = self.source.encode_seconds[self._chosen]
        column = self.scores(metric)
        return at_score_of_panels(self.columns, self.panels, column, metric, score, seconds, self.failures)

    def _searched(self, kind: str, target: float) -> bool:
        known = ((one.match.metric_id or one.match.target_kind, one.match.target) for one in self.matches)
        return (kind, target) in known

    def opening_view(self, metric: MetricRow) -> View:
        """Return the view that says most where nobody chose one."""
        anchor = self.usual_anchor
        if anchor is None:
            return View()
        board = self.board(metric, anchor)
        return choose_view_of_panels(board, list(self.comparison(metric).panels.values()), metric)

    @property
    def usual_anchor(self) -> str | None:
        """The codec to compare with where nobody chose one."""
        return usual_anchor_of_panels(self.panels)

    def usual_score(self, metric: MetricRow) -> float:
        """Return a score in the middle of those stored, rounded to what the metric shows."""
        values = self.scores(metric).values
        values = values[np.isfinite(values)]
        return digits.rounded(metric.name, float(np.median(values))) if len(values) else 0.0

    def rows(self, metric: MetricRow) -> Iterator[bytes]:
        """Yield all rows that an answer about a metric depends on."""
        if metric.metric_id not in self._rows:
            found = rows_of_columns(self.columns, self.scores(metric), self.failures)
            self._rows[metric.metric_id] = list(found)
        return iter(self._rows[metric.metric_id])

    def affinities(self) -> dict[tuple[str, Affinity], int]:
        """Return how many pictures are near a codec's own generator, by its label and how near."""
        pairs = np.unique(np.stack([self.columns.codec, self.columns.picture]), axis=1).T
        own = {place for place, one in enumerate(self.columns.codecs) if one.generator}
        found: dict[tuple[str, Affinity], int] = {}
        for codec, picture in pairs[np.isin(pairs[:, 0], list(own))]:
            label = self.columns.codecs[codec].label
            near = affinity(self.columns.pictures[picture].generator, self.columns.codecs[codec].generator)
            if near != "none":
                found[label, near] = found.get((label, near), 0) + 1
        return found

    def split(self, metric: MetricRow, anchor: str, method: Method = "pchip") -> KindSplit:
        """Return natural against AI-generated under one metric."""
        return split_comparison(self.comparison(metric), self._origins(), metric, anchor, method)

    def _origins(self) -> list[Origin]:
        pairs = np.unique(np.stack([self.columns.codec, self.columns.picture]), axis=1).T
        codecs, pictures = self.columns.codecs, self.columns.pictures
        return [_origin(codecs[codec], pictures[picture]) for codec, picture in pairs]


class Origin(NamedTuple):
    """Who made a picture, and whose weights a codec that decoded it holds."""

    picture_sha256: str
    kind: str
    codec_id: str
    picture_generator: str | None
    codec_generator: str | None


def _origin(codec: ColumnCodec, picture: ColumnPicture) -> Origin:
    return Origin(picture.sha256, picture.kind, codec.codec_id, picture.generator, codec.generator)
