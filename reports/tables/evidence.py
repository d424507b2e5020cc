"""Compute the intervals and tests of a selection, and keep them in the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from hashlib import sha256
from itertools import chain
from typing import Protocol, TypeVar

from ...bench.analysis.at_target import Entrant, asked_for, entrants
from ...bench.analysis.bootstrap import RESAMPLES
from ...bench.analysis.codec_grids import Comparison
from ...bench.analysis.curves import Method
from ...bench.analysis.differences import (
    Difference,
    differences_at_rate,
    differences_at_score,
    differences_by_rate,
)
from ...bench.analysis.kind_effect import KindSplit
from ...bench.analysis.leaderboard import Leaderboard
from ...bench.analysis.own_rate import OwnRateRow, own_rate_rows
from ...bench.analysis.significance import (
    Evidence,
    HeadToHead,
    Paired,
    PointEvidence,
    RankRange,
    Verdict,
    against_anchor,
    head_to_heads,
    point_evidence,
    rank_ranges,
)
from ...bench.records.rows import MetricRow
from ...bench.store.derived_cache import AnswerKind
from . import digits
from .selection import Selection

MARKS: dict[Verdict | None, str] = {"better": "▼", "worse": "▲", "not shown": "", None: ""}
"""Of bits."""
SCORE_MARKS: dict[Verdict | None, str] = {"better": "▲", "worse": "▼", "not shown": "", None: ""}

Answer = TypeVar("Answer")

AGAINST_ANCHOR = AnswerKind(dict[str, Evidence], (Selection, against_anchor))
RANKS = AnswerKind(dict[str, RankRange], (Selection, rank_ranges))
POINTS = AnswerKind(dict[str, list[PointEvidence]], (Selection, point_evidence))
AT_RATE = AnswerKind(dict[str, Difference], (Selection, differences_at_rate))
BY_RATE = AnswerKind(list[Difference], (Selection, differences_by_rate))
AT_SCORE = AnswerKind(dict[str, Difference], (Selection, differences_at_score))
OWN_RATES = AnswerKind(list[OwnRateRow], (Selection, own_rate_rows))
HEAD_TO_HEADS = AnswerKind(list[HeadToHead], (Selection, head_to_heads))
KIND_SPLIT = AnswerKind(KindSplit, (Selection, KindSplit))
"""What is kept in the store; `Selection` brings together what the methods compare."""


class Pending(Exception):
    """An answer is still being computed; whoever asks again later gets it."""


class AnswerCache(Protocol):
    """Computes answers, or recalls those it kept: `Derived`, or a page's `Background`."""

    def answer(
        self, kind: AnswerKind[Answer], question: str, rows: Iterable[bytes], compute: Callable[[], Answer]
    ) -> Answer:
        """Return the answer to a question about these rows.

        Args:
            kind: Which computation.
            question: What tells it apart from others of its kind.
            rows: All that the answer depends on, in a fixed order.
            compute: Called where no answer is kept.
        """
        ...


def board_evidence(
    selection: Selection, board: Leaderboard, derived: AnswerCache | None = None
) -> Mapping[str, Evidence]:
    """Return intervals and tests of a leaderboard's codecs against its anchor, by codec id.

    Nothing while they are being computed: point values stand without them.

    Args:
        selection: What of the store is compared.
        board: Whose codecs and anchor are tested.
        derived: Gives kept answers back; None computes them.
    """

    def compute() -> dict[str, Evidence]:
        return against_anchor(Paired(board.comparison, board.metric, board.method), board.anchor_id)

    question = ("against anchor", board.anchor_id, board.metric.metric_id, board.method)
    try:
        return _answer(derived, AGAINST_ANCHOR, question, selection, board.metric, compute)
    except Pending:
        return {}


def board_ranks(
    selection: Selection, board: Leaderboard, derived: AnswerCache | None = None
) -> Mapping[str, RankRange]:
    """Return how sure the codecs' places are, by codec id; nothing while it is being computed.

    Args:
        selection: What of the store is compared.
        board: Whose codecs and anchor are tested.
        derived: Gives kept answers back; None computes them.
    """
    question = ("ranks", board.anchor_id, board.metric.metric_id, board.method)
    try:
        return _answer(
            derived, RANKS, question, selection, board.metric,
            lambda: rank_ranges(Paired(board.comparison, board.metric, board.method), board.anchor_id),
        )  # fmt: skip
    except Pending:
        return {}


def curve_points(
    selection: Selection, metric: MetricRow, derived: AnswerCache | None = None
) -> Mapping[str, list[PointEvidence]]:
    """Return the points of every mean curve with their intervals, by codec id; nothing while computed.

    Args:
        selection: What of the store is compared.
        metric: Whose scores the points have.
        derived: Gives kept answers back; None computes them.
    """

    def compute() -> dict[str, list[PointEvidence]]:
        return point_evidence(Paired(selection.comparison(metric), metric))

    question = ("points", metric.metric_id)
    try:
        return _answer(derived, POINTS, question, selection, metric, compute)
    except Pending:
        return {}


def rate_differences(
    selection: Selection,
    metric: MetricRow,
    bits_per_pixel: float,
    against_id: str,
    derived: AnswerCache | None = None,
) -> Mapping[str, Difference]:
    """Return how codecs' scores at a rate differ from one codec's, by id; nothing while it is computed.

    Args:
        selection: The pictures and codecs to compare.
        metric: Whose scores are compared.
        bits_per_pixel: The rate.
        against_id: Id of the codec that differences are from.
        derived: Keeps the answer; without it every call computes it anew.
    """

    def compute() -> dict[str, Difference]:
        entered = _entrants(selection, "bpp", bits_per_pixel)
        return differences_at_rate(entered, selection.scores(metric), metric, bits_per_pixel, against_id)

    searched = _searched(selection, "bpp", bits_per_pixel)
    question = ("at rate", metric.metric_id, repr(bits_per_pixel), against_id, searched)
    try:
        return _answer(derived, AT_RATE, question, selection, metric, compute)
    except Pending:
        return {}


def score_differences(
    selection: Selection,
    metric: MetricRow,
    score: float,
    against_id: str,
    derived: AnswerCache | None = None,
) -> Mapping[str, Difference]:
    """Return how codecs' log rates at a score differ from one codec's, by id; nothing while it is computed.

    Args:
        selection: The pictures and codecs to compare.
        metric: Whose score it is.
        score: On the metric's own scale.
        against_id: Id of the codec that differences are from.
        derived: Keeps the answer; without it every call computes it anew.
    """

    def compute() -> dict[str, Difference]:
        entered = _entrants(selection, metric.metric_id, score)
        return differences_at_score(entered, selection.scores(metric), metric, score, against_id)

    searched = _searched(selection, metric.metric_id, score)
    question = ("at score", metric.metric_id, repr(score), against_id, searched)
    try:
        return _answer(derived, AT_SCORE, question, selection, metric, compute)
    except Pending:
        return {}


def differences_by_rates(
    selection: Selection,
    metric: MetricRow,
    rates: Sequence[float],
    pair: tuple[str, str],
    derived: AnswerCache | None = None,
) -> list[Difference]:
    """Return where, by rate, a codec is better or worse than another; nothing while it is computed.

    Args:
        selection: The pictures and codecs to compare.
        metric: Whose scores are compared.
        rates: Bits per pixel.
        pair: Ids of the codec to judge, and of the one that it is compared with.
        derived: Keeps the answer; without it every call computes it anew.
    """

    def compute() -> list[Difference]:
        entered = entrants(selection.columns, selection.grids, selection.failures, (), "bpp", rates[0])[0]
        return differences_by_rate(entered, selection.scores(metric), metric, rates, pair)

    question = ("by rate", metric.metric_id, *pair, *map(repr, rates))
    try:
        return _answer(derived, BY_RATE, question, selection, metric, compute)
    except Pending:
        return []


def _entrants(selection: Selection, kind: str, target: float) -> list[Entrant]:
    return entrants(
        selection.columns, selection.grids, selection.failures, selection.matches, kind, target
    )[0]  # fmt: skip


def _searched(selection: Selection, kind: str, target: float) -> str:
    """Return a key of the settings that searches for a target ended at: the rows of results lack them."""
    ended = sorted(repr(match.match) for match in asked_for(selection.matches, kind, target))
    return sha256("".join(ended).encode()).hexdigest()[:16]


def own_rates(
    selection: Selection, metric: MetricRow, codec_ids: Sequence[str], derived: AnswerCache | None = None
) -> list[OwnRateRow]:
    """Return how some codecs compare with all others at their own bytes; nothing while it is computed.

    Args:
        selection: The pictures and codecs to compare.
        metric: Whose scores are compared.
        codec_ids: Of the codecs that have too few settings for a curve.
        derived: Keeps the answer; without it every call computes it anew.
    """
    question = ("own rate", metric.metric_id, *codec_ids)
    try:
        return _answer(
            derived, OWN_RATES, question, selection, metric,
            lambda: own_rate_rows(selection.comparison(metric), metric, codec_ids),
        )  # fmt: skip
    except Pending:
        return []


def all_head_to_heads(
    selection: Selection,
    comparison: Comparison,
    metric: MetricRow,
    method: Method,
    derived: AnswerCache | None = None,
) -> list[HeadToHead]:
    """Return the comparison of every two codecs that are compared in a selection.

    Args:
        selection: Whose answers are kept; it must be the one that was compared.
        comparison: Of the selection under the metric.
        metric: The quality axis of the curves.
        method: How curves are interpolated over log rate.
        derived: Keeps the answer; without it every call computes it anew.
    """
    question = ("head_to_heads", metric.metric_id, method)
    return _answer(
        derived,
        HEAD_TO_HEADS,
        question,
        selection,
        metric,
        lambda: head_to_heads(Paired(comparison, metric, method)),
    )


def kind_split(
    selection: Selection,
    metric: MetricRow,
    anchor: str,
    method: Method,
    derived: AnswerCache | None = None,
    among: Collection[str] | None = None,
) -> KindSplit:
    """Return natural against AI-generated under one metric.

    Args:
        selection: It must hold pictures of both kinds.
        metric: The quality axis of the curves.
        anchor: Label or id of the codec whose BD-rate is 0.
        method: How curves are interpolated over log rate.
        derived: Keeps the answer; without it every call computes it anew.
        among: Hashes of the pictures that count; all where None.
    """
    question = ["kind", anchor, metric.metric_id, method]
    if among is not None:
        question.append(sha256("".join(sorted(among)).encode()).hexdigest()[:16])
    return _answer(
        derived, KIND_SPLIT, question, selection, metric,
        lambda: selection.split(metric, anchor, method, among),
    )  # fmt: skip


def _answer(
    derived: AnswerCache | None,
    kind: AnswerKind[Answer],
    question: Iterable[str],
    selection: Selection,
    metric: MetricRow,
    compute: Callable[[], Answer],
) -> Answer:
    if derived is None:
        return compute()
    # A metric may come to enter curves otherwise, with its scores as they were.
    rows = chain([metric.curve_scale.encode()], selection.rows(metric))
    return derived.answer(kind, " | ".join([*question, selection.scope]), rows, compute)


def affinity_notes(selection: Selection) -> list[str]:
    """Return which codecs were measured on pictures of the very generator they decode with."""
    return [
        f"{codec}: {digits.counted(pictures, 'picture')} with affinity to it: {near}."
        for (codec, near), pictures in sorted(selection.affinities().items())
    ]


def interval_notes(evidence: Sequence[Evidence], anchor: str) -> list[str]:
    """Return what the intervals and marks after BD-rates mean, and why some are missing."""
    reasons = Counter(proof.interval.reason for proof in evidence if proof.interval.reason)
    reasons.pop("no value", None)  # a BD-rate without a value says why itself
    notes: list[str] = []
    if any(proof.interval.low is not None for proof in evidence):
        notes.append(
            f"In brackets: 95 % interval over pictures, {digits.number(RESAMPLES, 0)} paired resamples. "
            f"▼ fewer, ▲ more bits than {anchor}: significant at 5 % after Holm's correction for all codecs "
            "of the column; no mark: not shown."
        )
    notes += [f"No interval: {reason}." for reason in reasons]
    return notes
