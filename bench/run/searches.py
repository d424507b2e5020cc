"""Search the settings that reach a target, one setting of each search at a time, many searches side by side.

A search begins from the results that are stored of its pictures, and from the settings that the codec's
other pictures needed.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Protocol, TypeAlias

from ..analysis.curves import to_quality
from ..analysis.setting_search import SearchOutcome, guess, search
from ..records.cells import CellKey, seed_key
from ..records.messages import Outcome, Stored
from ..records.rows import Match, Scope, Score
from ..store.plan_store import PlanStore
from ..store.searches import Tried, save_matches, tried
from ..store.writer import StoreWriter
from .execution import CellQueue
from .plan import Planned, PlannedCodec, PlannedPicture, make_cell
from .prepare import Prepared
from .suite import SuiteError
from .targets import Target, lossy_values

RATE_TOLERANCE = 0.005
"""On continuous scales a rate this near its target, in natural logarithms, is near enough."""
SCORE_TOLERANCE = 0.002
"""Likewise a score: its distance over the target, both as `to_quality` has them."""

Dialogue: TypeAlias = Generator[float, float | None, SearchOutcome | None]


class Progress(Protocol):
    """Where searches report their progress."""

    def searching(self, searches: int) -> None:
        """The searches are known."""
        ...

    def probed(self, planned: Planned, outcome: Outcome) -> None:
        """One cell ended and is stored."""
        ...

    def searched(self) -> None:
        """One search ended."""
        ...


@dataclass(frozen=True, slots=True)
class Ended:
    """One search and how it ended."""

    codec: str
    """Label."""
    picture: str
    """Its name, or the set's."""
    match: Match | None
    """None where the codec gave no result for too many settings."""


@dataclass(slots=True)
class MatchReport:
    """How a run of searches ended."""

    searches: int
    notes: list[str] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)
    encoded: int = 0
    failed: int = 0
    """Cells that failed now."""
    unavailable: bool = False
    interrupted: bool = False

    @property
    def complete(self) -> bool:
        """Whether every search ended with a setting, and every metric of it is there."""
        whole = len(self.ended) == self.searches and all(ended.match for ended in self.ended)
        return whole and not self.unavailable and not self.failed


@dataclass(slots=True)
class _Search:
    """One question: a codec, and a picture or all pictures of a set."""

    codec: PlannedCodec
    scope: Scope
    image_set: str
    pictures: tuple[PlannedPicture, ...]
    seed: int | None
    """Every probe is decoded with this one."""
    dialogue: Dialogue | None = None
    setting: float = 0.0
    """Asked for now."""
    pending: set[CellKey] = field(default_factory=set)
    """Cells that it waits for."""
    match: Match | None = None
    """Once the setting is found; then only its metrics may be missing."""

    @property
    def name(self) -> str:
        """What it searches."""
        return self.image_set if self.scope == "set" else self.pictures[0].picture.name

    def key(self, picture: PlannedPicture, setting: float) -> CellKey:
        """Return the cell of a probe."""
        return CellKey(picture.sha256, self.codec.codec_id, setting, seed_key(self.seed))


class Searches:
    """All searches of a run, as `execution.Work`."""

    def __init__(
        self,
        prepared: Prepared,
        store: PlanStore,
        target: Target,
        retry_failed: bool,
        progress: Progress,
    ) -> None:
        self.prepared, self.store, self.target, self.progress = prepared, store, target, progress
        self.metric_id = prepared.metric_ids.get(target.metric) if target.metric else None
        if target.metric and not self.metric_id:
            raise SuiteError("\n".join([f"--match {target}: the metric did not load", *prepared.notes]))
        ids = [codec.codec_id for codec in prepared.codecs]
        metrics = store.metrics()
        self.metrics = {metric.metric_id: metric for metric in metrics}
        self.bounded = {metric.metric_id for metric in metrics if metric.perfect is not None}
        self.sizes = store.picture_sizes()
        self.tried = tried(store, ids, self.metric_id)
        self.scored = store.scored(prepared.metric_ids.values())
        self.attempted = set[tuple[CellKey, str | None]]() if retry_failed else store.attempted(ids)
        self.to_do = deque(_questions(prepared, target.scope))
        self.report = MatchReport(len(self.to_do), prepared.notes, unavailable=prepared.unavailable)
        self.waiting = CellQueue()
        self.more, self.again = self.waiting.more, self.waiting.again
        self.owners: dict[CellKey, list[_Search]] = {}
        """Searches that wait for a cell: sets may share a picture."""
        self.unsaved: list[Match] = []
        self.run_id = 0

    # Work

    def next(self, picture_sha256: str | None) -> Planned | None:
        """Return a cell of a search that goes on, else of one that begins now."""
        while (planned := self.waiting.next(picture_sha256)) is None and self.to_do:
            self.begin(self.to_do.popleft())
        return planned

    def finished(self, planned: Planned, outcome: Outcome, last: bool) -> None:
        """Record a cell's results, and continue the searches that waited for it.

        Args:
            planned: The cell that ended.
            outcome: What its worker reported.
            last: Whether nothing more is asked of the cell: its metrics are all answered.
        """
        self.learn(planned, outcome)
        if not last or outcome.stopped:
            return
        for question in self.owners.pop(planned.key, []):
            question.pending.discard(planned.key)
            if not question.pending:
                self.resume(question)

    def stored(self, planned: Planned, outcome: Outcome, last: bool) -> None:  # noqa: ARG002
        """Count a cell, and save the matches that rest on what is stored now; arguments as in `finished`."""
        if outcome.stopped:
            return
        self.report.encoded += outcome.measured is not None
        self.report.failed += bool(outcome.failed)
        self.progress.probed(planned, outcome)
        self.save()

    def save(self) -> None:
        """Write the matches found since the last time."""
        assert isinstance(self.store, StoreWriter)  # a dry run finds none
        save_matches(self.store, self.unsaved, self.run_id)
        self.unsaved.clear()

    def learn(self, planned: Planned, outcome: Outcome) -> None:
        """Remember a cell's results, as if they had been stored before."""
        measured, key = outcome.measured, planned.key
        if measured:
            self.tried[key] = Tried(
                measured.bitstream_sha256, measured.decoded_sha256, measured.bitstream_bytes, None
            )
        for scored in outcome.scored:
            row, identity = self.tried[key], self.prepared.metric_ids[scored.metric]
            self.scored.add((key.picture_sha256, row.decoded_sha256, identity))
            if scored.metric == self.target.metric:
                applicable = scored.value is not None or identity not in self.bounded
                self.tried[key] = replace(row, score=Score(scored.value, scored.lossless, applicable))
        self.attempted.update((key, failed.metric) for failed in outcome.failed)

    # Searching

    def begin(self, question: _Search) -> None:
        """Start a search from what is stored of its pictures and of others."""
        scale, goal = question.codec.info.scale, self.goal(question)
        settings = {key.quality for key in self.tried if key.codec_id == question.codec.codec_id}
        levels = {setting: self.level(question, setting) for setting in settings if scale.contains(setting)}
        known = {setting: level for setting, level in levels.items() if level is not None}
        tolerance = SCORE_TOLERANCE * abs(goal) if self.metric_id else RATE_TOLERANCE
        question.dialogue = search(scale, goal, known, guess(scale, goal, self.others(question)), tolerance)
        self.advance(question, None)

    def resume(self, question: _Search) -> None:
        """Send a search the level it waited for, or end it when its metrics were all it waited for."""
        if question.match:
            self.end(question)
        else:
            self.advance(question, self.level(question, question.setting))

    def advance(self, question: _Search, level: float | None) -> None:
        """Ask for settings until a cell must run or the search is over."""
        assert question.dialogue is not None
        try:
            while not question.pending:
                question.setting = question.dialogue.send(level)
                self.ask(question)
                level = self.level(question, question.setting)
        except StopIteration as stop:
            self.keep_outcome(question, stop.value)

    def ask(self, question: _Search) -> None:
        """Queue the cells that a setting needs: the rate, and of the metrics only the target's."""
        for picture in question.pictures:
            key = question.key(picture, question.setting)
            row = self.tried.get(key)
            missing = (self.target.metric,) if self.target.metric and not (row and row.score) else ()
            failed = (key, None) in self.attempted or any((key, name) in self.attempted for name in missing)
            if (row is None or missing) and not failed:
                self.queue(question, picture, key, question.seed, missing)

    def queue(
        self,
        question: _Search,
        picture: PlannedPicture,
        key: CellKey,
        seed: int | None,
        metrics: tuple[str, ...],
    ) -> None:
        """Let a search wait for a cell, that another may wait for already.

        Args:
            question: The search that needs the cell's result.
            picture: Of the cell.
            key: Picture, codec, setting and seed.
            seed: As the worker is given it; None for a codec without seeds.
            metrics: Names of the metrics that the cell still lacks.
        """
        question.pending.add(key)
        self.owners.setdefault(key, []).append(question)
        if len(self.owners[key]) > 1:
            return
        row = self.tried.get(key)
        stored = Stored(row.bitstream_sha256, row.decoded_sha256) if row else None
        suite, codec = self.prepared.suite, question.codec
        cell = make_cell(suite, self.store, picture, codec, key.quality, seed, metrics, stored)
        self.waiting.add(Planned(cell, key, codec, picture, False))

    def keep_outcome(self, question: _Search, outcome: SearchOutcome | None) -> None:
        """Keep where a search ended, and have the setting scored by every metric of the suite."""
        if outcome is None:
            self.end(question)
            return
        question.match = Match(
            question.scope,
            question.image_set,
            question.pictures[0].sha256 if question.scope == "picture" else None,
            len(question.pictures),
            question.codec.codec_id,
            self.target.kind,
            self.metric_id,
            self.target.value,
            outcome.setting,
            self.achieved(question, outcome.setting),
            outcome.probes,
            outcome.asked,
            outcome.ended,
        )
        self.unsaved.append(question.match)
        for picture in question.pictures:
            for seed in question.codec.seeds(self.prepared.suite):
                self.complete(question, picture, seed)
        if not question.pending:
            self.end(question)

    def complete(self, question: _Search, picture: PlannedPicture, seed: int | None) -> None:
        """Queue what the returned setting still lacks of a picture.

        Args:
            question: A search that has ended.
            picture: Of which every metric is wanted.
            seed: As the worker is given it; None for a codec without seeds.
        """
        assert question.match is not None
        key = replace(question.key(picture, question.match.quality), seed=seed_key(seed))
        row = self.tried.get(key)
        missing = tuple(
            name
            for name, identity in self.prepared.metric_ids.items()
            if (key, name) not in self.attempted
            and not (row and (picture.sha256, row.decoded_sha256, identity) in self.scored)
        )
        if (row is None or missing) and (key, None) not in self.attempted:
            self.queue(question, picture, key, seed, missing)

    def end(self, question: _Search) -> None:
        """Count a search as ended."""
        self.report.ended.append(Ended(question.codec.label, question.name, question.match))
        self.progress.searched()

    # Levels

    def goal(self, question: _Search) -> float:
        """Return the level of the target."""
        if self.metric_id:
            goal = self.quality(self.target.value)
            if not math.isfinite(goal):
                raise SuiteError(f"--match {self.target}: no lossy coding reaches this score")
            return goal
        pixels = sum(picture.pixel_count for picture in question.pictures)
        return math.log(8 * self.target.value / pixels if self.target.kind == "bytes" else self.target.value)

    def quality(self, score: float) -> float:
        """Return a score of the target's metric as a level."""
        assert self.metric_id
        metric = self.metrics[self.metric_id]
        return float(to_quality(metric.curve_scale, metric.better, score))

    def level(self, question: _Search, setting: float) -> float | None:
        """Return the level of a setting over a search's pictures, or None where one has no result."""
        rows = [self.tried.get(question.key(picture, setting)) for picture in question.pictures]
        return self.level_of(rows, [picture.pixel_count for picture in question.pictures])

    def level_of(self, rows: Sequence[Tried | None], sizes: Sequence[int]) -> float | None:
        """Return the log of bits per pixel, or the quality of the mean score; infinite where lossless.

        None where no picture holds what the metric measures; see `lossy_values` for those that come back.
        """
        known = [row for row in rows if row]
        if len(known) < len(rows):
            return None
        if self.metric_id:
            if any(row.score is None for row in known):
                return None
            scores = [row.score for row in known if row.score and row.score.applicable]
            if not scores:
                return None
            values = lossy_values(scores)
            return self.quality(fmean(values)) if values else math.inf
        if self.target.kind == "bpp":
            each = [8 * row.bitstream_bytes / size for row, size in zip(known, sizes, strict=True)]
            return math.log(fmean(each))
        return math.log(8 * sum(row.bitstream_bytes for row in known) / sum(sizes))

    def achieved(self, question: _Search, setting: float) -> float | None:
        """Return what a setting gave, in the target's unit; None where lossless."""
        rows = [self.tried[question.key(picture, setting)] for picture in question.pictures]
        if self.metric_id:
            scores = [row.score for row in rows if row.score and row.score.applicable]
            values = lossy_values(scores)
            return fmean(values) if values else None
        total = sum(row.bitstream_bytes for row in rows)
        sizes = [picture.pixel_count for picture in question.pictures]
        if self.target.kind == "bpp":
            return fmean(8 * row.bitstream_bytes / size for row, size in zip(rows, sizes, strict=True))
        return float(total) if self.target.kind == "bytes" else 8 * total / sum(sizes)

    def others(self, question: _Search) -> list[dict[float, float]]:
        """Return the levels of each picture that the codec has coded, but for one that is searched alone."""
        alone = question.pictures[0].sha256 if question.scope == "picture" else None
        levels_of_picture: dict[str, dict[float, float]] = {}
        for key, row in self.tried.items():
            if key.codec_id != question.codec.codec_id or key.picture_sha256 == alone:
                continue
            level = self.level_of([row], [self.sizes[key.picture_sha256]])
            if level is not None:
                levels_of_picture.setdefault(key.picture_sha256, {})[key.quality] = level
        return list(levels_of_picture.values())


def _questions(prepared: Prepared, scope: Scope) -> Iterable[_Search]:
    """Yield the searches, picture by picture, so that each codec's later ones know the earlier."""
    groups: dict[str, dict[str, PlannedPicture]] = {}
    for picture in prepared.pictures:
        # The same picture in two sets is searched once.
        group = picture.image_set if scope == "set" else picture.sha256
        groups.setdefault(group, {}).setdefault(picture.sha256, picture)
    for group in groups.values():
        pictures = tuple(group.values())
        for codec in prepared.codecs:
            seed = codec.seeds(prepared.suite)[0]
            yield _Search(codec, scope, pictures[0].image_set, pictures, seed)
