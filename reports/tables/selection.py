"""Select the pictures, codecs and scores of a store that a table is about."""

from __future__ import annotations

import difflib
import math
import threading
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np

from ...bench.analysis.affinity import Affinity, affinity
from ...bench.analysis.at_target import AtRateRow, AtScoreRow, at_rate, at_score
from ...bench.analysis.codec_grids import CodecGrid, Comparison, compare, grids
from ...bench.analysis.coverage import AnalysisError
from ...bench.analysis.curves import Method
from ...bench.analysis.kind_effect import KindSplit, split_by_kind
from ...bench.analysis.leaderboard import (
    Leaderboard,
    View,
    choose_view,
    leaderboard,
    usual_anchor,
    why_no_bd_rates,
)
from ...bench.records.columns import ByteParts, Columns, FloatArray, ScoreColumn
from ...bench.records.rows import Failure, MetricRow
from ...bench.store.columns import (
    read_byte_parts,
    read_columns,
    read_decode_seconds,
    read_encode_seconds,
    read_scores,
    scored_metrics,
)
from ...bench.store.derived_cache import rows_of
from ...bench.store.store import Store
from . import digits

Kind = Literal["natural", "ai-generated"]


class StoredColumns:
    """One image set of a store, or all of them together; each metric's scores are read once."""

    def __init__(self, store: Store, image_set: str | None) -> None:
        self.store, self.image_set = store, image_set
        self.columns = read_columns(store, image_set)
        self.failures = _once(store.failures(image_set))
        self.metrics = store.metrics()
        scored = scored_metrics(store, image_set)
        self.scored = [metric for metric in choose_metrics(self.metrics) if metric.metric_id in scored]
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
    def decode_seconds(self) -> FloatArray:
        """Median decode time of every measurement."""
        return read_decode_seconds(self.store, self.columns)

    @cached_property
    def byte_parts(self) -> ByteParts:
        """What the bytes of every measurement are for."""
        return read_byte_parts(self.store, self.columns)

    @property
    def kinds(self) -> list[str]:
        """Which kinds of pictures there are."""
        pictures = self.columns.pictures
        return sorted(
            {kind for picture in pictures for kind in (picture.kind, picture.other_kind) if kind is not None}
        )

    @property
    def families(self) -> list[str]:
        """Which families of codecs there are."""
        return sorted({codec.family for codec in self.columns.codecs})


def _once(failures: Sequence[Failure]) -> list[Failure]:
    """Return the failures; those on a picture of several names, or in several sets, under the first alone."""
    first: dict[str, tuple[str, str]] = {}
    return [
        failure
        for failure in failures
        if first.setdefault(failure.picture_sha256, (failure.image_set, failure.picture))
        == (failure.image_set, failure.picture)
    ]


class Selection:
    """Pictures of one kind and some codecs of a source: what one table is about.

    Args:
        source: An image set, or all of them.
        kind: None for pictures of every kind.
        left_out: Ids of codecs that are in no table, mean or test.
    """

    def __init__(
        self, source: StoredColumns, kind: Kind | None = None, left_out: Collection[str] = ()
    ) -> None:
        self.source = source
        self.image_set, self.all_metrics = source.columns.image_set, source.metrics
        columns = source.columns
        chosen = np.ones(len(columns.picture), bool) if kind is None else columns.of_kind(kind)
        if left_out:
            wanted = np.array([codec.codec_id not in left_out for codec in columns.codecs], dtype=bool)
            chosen &= wanted[columns.codec]
        self._chosen = chosen
        self.columns: Columns = columns.only(chosen)
        self.failures = [failure for failure in source.failures if failure.codec_id not in left_out]
        self.matches = source.matches
        if kind is not None:
            pictures = self.pictures
            self.failures = [failure for failure in self.failures if failure.picture_sha256 in pictures]
            self.matches = [
                match for match in self.matches if match.match.picture_sha256 in {None, *pictures}
            ]
        self.scope = scope(self.image_set, kind, left_out)
        self._compared: dict[str, Comparison] = {}
        self._rows: dict[str, list[bytes]] = {}

    def title(self, metric: MetricRow) -> str:
        """Return a metric's title, unambiguous among all metrics of the store."""
        return digits.metric_title(metric, self.all_metrics)

    @property
    def left_out(self) -> list[str]:
        """Labels of the measured codecs of the source that are not in it."""
        there = set(np.unique(self.columns.codec).tolist())
        known = np.unique(self.source.columns.codec).tolist()
        return [self.columns.codecs[place].label for place in known if place not in there]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was even tried."""
        return not len(self.columns.measurement) and not self.failures

    @cached_property
    def pictures(self) -> set[str]:
        """Hashes of the pictures with a measurement."""
        return {self.columns.pictures[place].sha256 for place in np.unique(self.columns.picture)}

    @property
    def picture_names(self) -> dict[str, str]:
        """Names of the pictures, by the hash of their pixels."""
        return {picture.sha256: picture.name for picture in self.columns.pictures}

    @cached_property
    def grids(self) -> list[CodecGrid]:
        """Every codec's measurements as arrays."""
        return grids(self.columns)

    @property
    def metrics(self) -> list[MetricRow]:
        """Metrics with a score, the preferred first."""
        return self.source.scored

    def chosen_metrics(self, names: Sequence[str] = ()) -> list[MetricRow]:
        """Return those of `choose_metrics` that have a score here."""
        scored = {metric.metric_id for metric in self.metrics}
        return [metric for metric in choose_metrics(self.all_metrics, names) if metric.metric_id in scored]

    def scored_metrics(self, names: Sequence[str] = ()) -> list[MetricRow]:
        """Return those of `choose_metrics` that have a score here.

        Raises:
            AnalysisError: There are none.
        """
        chosen = self.chosen_metrics(names)
        if chosen:
            return chosen
        if not names or not self.metrics:
            raise AnalysisError(
                f"no picture of {self.image_set} has a score yet; add some with `codecarena score SUITE "
                "--metric NAME`"
            )
        raise AnalysisError(
            f"no picture of {self.image_set} has a score by {', '.join(names)}: it is not scored yet, or the "
            "pictures hold nothing that the metric measures, such as text or a face; scored: "
            + ", ".join(metric.name for metric in self.metrics)
        )

    def scores(self, metric: MetricRow) -> ScoreColumn:
        """Return one metric's scores of the selected measurements."""
        return self.source.scores(metric.metric_id).only(self._chosen)

    def chosen(self, values: FloatArray) -> FloatArray:
        """Return the selected ones of a value of every measurement of the source."""
        return values[self._chosen]

    def byte_parts(self) -> ByteParts:
        """Return header, payload and side bytes of the selected measurements."""
        return ByteParts(*(self.chosen(byte_part) for byte_part in self.source.byte_parts))

    def comparison(self, metric: MetricRow) -> Comparison:
        """Return all codecs under a metric."""
        if metric.metric_id not in self._compared:
            self._compared[metric.metric_id] = compare(
                self.columns, self.grids, self.scores(metric), metric, self.failures
            )
        return self._compared[metric.metric_id]

    def board(self, metric: MetricRow, anchor: str, method: Method = "pchip") -> Leaderboard:
        """Return BD-rates against an anchor.

        Args:
            metric: Whose scores decide.
            anchor: Label or id of the codec whose BD-rate is 0.
            method: How log rate is interpolated over quality.
        """
        return leaderboard(self.comparison(metric), metric, anchor, self.failures, method)

    def at_rate(self, metrics: Sequence[MetricRow], bits_per_pixel: float) -> list[AtRateRow]:
        """Return every codec's scores at a rate."""
        scores = {metric.metric_id: self.scores(metric) for metric in metrics}
        return at_rate(self.columns, self.grids, scores, metrics, bits_per_pixel, self.failures, self.matches)

    def at_score(self, metric: MetricRow, score: float) -> list[AtScoreRow]:
        """Return what every codec spends for a score."""
        return at_score(
            self.columns, self.grids, self.scores(metric), metric, score,
            self.chosen(self.source.encode_seconds), self.failures, self.matches,
        )  # fmt: skip

    def opening_view(self, metric: MetricRow) -> View:
        """Return the view that says most where nobody chose one."""
        anchor = self.usual_anchor
        return View() if anchor is None else choose_view(self.board(metric, anchor))

    def why_no_bd_rates(self, metric: MetricRow) -> str:
        """Return why the opening view is scores at a rate; nothing where it is BD-rates."""
        anchor = self.usual_anchor
        if anchor is None or self.opening_view(metric).anchor:
            return ""
        return why_no_bd_rates(self.board(metric, anchor))

    @property
    def usual_anchor(self) -> str | None:
        """The codec to compare with where nobody chose one."""
        return usual_anchor(self.grids)

    def usual_score(self, metric: MetricRow) -> float:
        """Return a score in the middle of those stored, rounded to what the metric shows."""
        values = self.scores(metric).values
        values = values[np.isfinite(values)]
        return digits.rounded(metric, float(np.median(values))) if len(values) else 0.0

    def rows(self, metric: MetricRow) -> Iterator[bytes]:
        """Yield all rows that an answer about a metric depends on."""
        if metric.metric_id not in self._rows:
            metric_rows = rows_of(self.columns, self.scores(metric), self.failures)
            self._rows[metric.metric_id] = list(metric_rows)
        return iter(self._rows[metric.metric_id])

    def affinities(self) -> dict[tuple[str, Affinity], int]:
        """Return how many pictures are near a codec's own generator, by its label and how near."""
        near: dict[tuple[str, Affinity], set[int]] = defaultdict(set)
        for codec, picture in self._pairs():
            about = self.columns.codecs[codec]
            level = affinity(self.columns.pictures[picture].generator, about.generator)
            if level != "none":
                near[about.label, level].add(picture)
        return {key: len(pictures) for key, pictures in near.items()}

    def split(
        self,
        metric: MetricRow,
        anchor: str,
        method: Method = "pchip",
        among: Collection[str] | None = None,
    ) -> KindSplit:
        """Return natural against AI-generated under one metric.

        Args:
            metric: Whose scores decide.
            anchor: Label or id of the codec whose BD-rate is 0.
            method: How log rate is interpolated over quality.
            among: Hashes of the pictures that count; all where None.
        """
        origins = (cell for cell in self.origins() if among is None or cell.picture_sha256 in among)
        return split_by_kind(self.comparison(metric), origins, metric, anchor, method)

    def _pairs(self) -> list[tuple[int, int]]:
        """Return places of codecs and pictures that have a measurement together."""
        count = len(self.columns.pictures)
        pairs = np.unique(self.columns.codec * count + self.columns.picture)
        return [divmod(int(pair), count) for pair in pairs]

    def origins(self) -> Iterator[Origin]:
        """Yield who made each picture and who decoded it."""
        for codec, picture in self._pairs():
            about, of = self.columns.codecs[codec], self.columns.pictures[picture]
            for kind in (of.kind, of.other_kind):
                if kind is not None:
                    yield Origin(of.sha256, kind, about.codec_id, of.generator, about.generator)


class Origin(NamedTuple):
    """Who made a picture, and whose weights a codec that decoded it holds."""

    picture_sha256: str
    kind: str
    codec_id: str
    picture_generator: str | None
    codec_generator: str | None


def scope(image_set: str, kind: Kind | None, left_out: Collection[str] = ()) -> str:
    """Return a key that is unique among the selections of a store.

    Args:
        image_set: Its name.
        kind: None for both kinds of pictures.
        left_out: Ids of codecs.
    """
    return " | ".join([image_set, kind or "every kind", *sorted(left_out)])


def choose_sets(store: Store, image_set: str | None = None) -> list[str]:
    """Return the named image set, or the names of all.

    Raises:
        AnalysisError: The store has no set of that name.
    """
    sets = store.image_sets()
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
        matching = [metric for metric in stored if name in (metric.name, metric.metric_id)]
        # A metric of another language's program may be here as its Python port only.
        matching = matching or [metric for metric in stored if metric.name == f"{name}-py"]
        if not matching:
            known = sorted({metric.name for metric in stored})
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"stored: {', '.join(known) or 'none'}"
            raise AnalysisError(f"the store has no scores of {name!r}; {hint}")
        chosen += [metric for metric in matching if metric not in chosen]
    return chosen if names else sorted(stored, key=_preference)


def _preference(metric: MetricRow) -> tuple[float, str, str]:
    order = math.inf if metric.default_order is None else metric.default_order
    return order, metric.name, metric.metric_id


def selections(store: Store, image_set: str | None = None, kind: Kind | None = None) -> list[Selection]:
    """Return a selection of a store for each image set, or for one of them; empty ones are left out.

    Args:
        store: Where the results are.
        image_set: One set; all that are stored if absent.
        kind: Pictures of one kind only; sets without any are left out.

    Raises:
        AnalysisError: The store has no such set.
    """
    of_sets = [Selection(StoredColumns(store, name), kind) for name in choose_sets(store, image_set)]
    return [selection for selection in of_sets if not selection.is_empty]
