"""Compare metrics and codecs with scores that people gave elsewhere: opinion scores, Elo or JND."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from scipy import stats

from ...bench.analysis.curves import BdRate, bd_rate
from ...bench.store.derived_cache import AnswerKind, Derived
from ...bench.store.store import Store
from ..ledger.erasure import results_question
from ..ledger.imports import source_of
from ..ledger.ledger import Ledger
from ..ledger.score_imports import anchor_of_scores, scale_of_scores, scores_of_study
from ..records.records import PublishedScore, ScoreScale, StoredStudy
from ..scale.models import FloatArray
from ..scale.scale_results import Interval
from .benchmark_facts import Joined, join
from .correlation import monotone_fit, pearson, spearman
from .human_rate import HumanBdRate
from .results import rows_behind

FEWEST_POINTS = 4
"""Of a correlation: the logistic alone has four parameters."""
RESAMPLES = 500
_MOST_DEFINED = 0.95
"""Share of the resamples that must have a BD-rate for an interval."""


@dataclass(frozen=True, slots=True)
class ScoredCondition:
    """What people gave one condition, and which setting of the store it is."""

    score: PublishedScore
    codec_id: str | None
    """None where the mapping does not name the condition; so ``codec`` and ``bits_per_pixel``."""
    codec: str | None
    setting: str | None
    bits_per_pixel: float | None
    """Of the picture, or mean over the pictures."""


@dataclass(frozen=True, slots=True)
class MetricCorrelation:
    """How one metric goes with the scores."""

    metric: str
    srcc: float
    """Spearman's correlation; above 0 where the metric agrees with people."""
    srcc_interval: Interval | None
    plcc: float
    """Pearson's correlation after a monotone logistic fit."""
    plcc_interval: Interval | None


@dataclass(frozen=True, slots=True)
class ScoreResults:
    """Everything that an import of scores says."""

    study: str
    label: str
    scale: ScoreScale
    source: str
    values: tuple[ScoredCondition, ...]
    """Best first."""
    metrics: tuple[MetricCorrelation, ...]
    """Best SRCC first."""
    points: int
    """Scores that the correlations are of."""
    pictures: tuple[str, ...]
    """SHA-256 of the originals."""
    per_picture: bool
    """Whether each score is of one picture."""
    bd_rates: tuple[HumanBdRate, ...]
    notes: tuple[str, ...]


def score_results_of(ledger: Ledger, name: str) -> ScoreResults:
    """Return what an import of scores says, computing it only if it is not kept.

    Raises:
        StoreError: No such study.
    """
    study = ledger.study(name)
    known = ledger.known(study)
    return Derived(ledger.store).answer(
        SCORE_RESULTS, results_question(study.study_id), _rows(ledger, known), lambda: _compute(ledger, known)
    )


def stored_score_results(store: Store) -> tuple[ScoreResults, ...]:
    """Return those results of imported scores that are kept and still hold; quick, for pages."""
    kept: list[ScoreResults | None] = []
    with closing(Ledger(store.location.store_option, read_only=True)) as ledger:
        for study in ledger.studies():
            if study.holds_scores:
                question = results_question(study.study_id)
                kept.append(
                    Derived(store).recall(SCORE_RESULTS, question, _rows(ledger, ledger.known(study)))
                )
    return tuple(results for results in kept if results is not None)


def _rows(ledger: Ledger, known: StoredStudy) -> Iterator[bytes]:
    yield from rows_behind(ledger, known)
    yield repr(scores_of_study(ledger, known.study)).encode()


@dataclass(frozen=True, slots=True, eq=False)
class _Points:
    """The scores that have metric values, as arrays."""

    names: tuple[str, ...]
    quality: FloatArray
    """Shape (metrics, points, pictures), higher is better; one picture where each score is of one."""
    human: FloatArray
    """Shape (points,), higher is better."""
    error: FloatArray
    """Standard errors of ``human``; 0 where no interval was published."""
    picture: FloatArray | None
    """Index of each point's picture; None where every point is over all pictures."""


def _compute(ledger: Ledger, known: StoredStudy) -> ScoreResults:
    study, scale = known.study, scale_of_scores(known.study)
    scores = scores_of_study(ledger, study)
    joined = join(ledger.store, known, None)
    values = _values(known, scores, joined)
    sign = 1.0 if scale.better == "higher" else -1.0
    per_picture = any(score.picture is not None for score in scores)
    random = np.random.default_rng(0)
    pictures = [content.name for content in known.material.contents]
    notes = list(joined.notes)
    points = _points(scores, joined, scale, pictures)
    metrics: tuple[MetricCorrelation, ...] = ()
    if points is not None and len(points.human) >= FEWEST_POINTS:
        metrics = _correlations(points, len(pictures), random)
    elif joined.beside.scores:
        count = 0 if points is None else len(points.human)
        notes.append(f"{count} scores have a value of every metric: too few, expected {FEWEST_POINTS}")
    return ScoreResults(
        study.name,
        study.label,
        scale,
        source_of(study),
        tuple(sorted(values, key=lambda value: -sign * value.score.score)),
        metrics,
        0 if points is None else len(points.human),
        tuple(content.picture_sha256 for content in known.material.contents if content.picture_sha256),
        per_picture,
        _bd_rates(values, joined, scale, pictures, random, anchor_of_scores(study)),
        tuple(notes),
    )


def _values(known: StoredStudy, scores: Sequence[PublishedScore], joined: Joined) -> list[ScoredCondition]:
    rates = joined.beside.rates or {}
    conditions = {condition.name: condition for condition in known.material.conditions}
    values: list[ScoredCondition] = []
    for score in scores:
        condition = conditions[score.condition]
        own = [
            rate
            for (picture, name), rate in rates.items()
            if name == score.condition and score.picture in (None, picture)
        ]
        facts = condition.codec_id, condition.codec, condition.rate, fmean(own) if own else None
        values.append(ScoredCondition(score, *facts))
    return values


def _signed(scale: ScoreScale, scores: Sequence[PublishedScore]) -> tuple[FloatArray, FloatArray]:
    """Return scores of which more is better, and their standard errors by the level of their intervals."""
    sign = 1.0 if scale.better == "higher" else -1.0
    ends = stats.norm.ppf(0.5 + (scale.level or 95.0) / 200.0)
    errors = [
        0.0 if score.low is None or score.high is None else (score.high - score.low) / (2.0 * ends)
        for score in scores
    ]
    return sign * np.array([score.score for score in scores], np.float64), np.array(errors, np.float64)


def _points(
    scores: Sequence[PublishedScore], joined: Joined, scale: ScoreScale, pictures: Sequence[str]
) -> _Points | None:
    by_metric = joined.beside.scores
    if not by_metric:
        return None
    names = tuple(by_metric)
    table = np.array(
        [
            [
                [
                    by_metric[name].get((picture, score.condition), np.nan)
                    for picture in (pictures if score.picture is None else [score.picture])
                ]
                for score in scores
            ]
            for name in names
        ],
        np.float64,
    )
    known = np.isfinite(table).all((0, 2))
    chosen = [score for score, is_known in zip(scores, known, strict=True) if is_known]
    human, error = _signed(scale, chosen)
    places = None
    if any(score.picture is not None for score in chosen):
        places = np.array([pictures.index(score.picture or "") for score in chosen], np.float64)
    return _Points(names, table[:, known], human, error, places)


def _correlations(
    points: _Points, pictures: int, random: np.random.Generator
) -> tuple[MetricCorrelation, ...]:
    metrics, count = len(points.names), len(points.human)
    even = np.ones((1, metrics, count))
    estimate, begin = _estimates(points.quality.mean(2)[None], points.human[None], even, None)
    spread = None
    if pictures > 1 or points.error.any():
        drawn = random.multinomial(pictures, np.full(pictures, 1.0 / pictures), RESAMPLES).astype(np.float64)
        human = points.human + points.error * random.standard_normal((RESAMPLES, count))
        if points.picture is None:
            quality = np.einsum("mcp,rp->rmc", points.quality, drawn / pictures)
            often = np.ones((RESAMPLES, metrics, count))
        else:
            quality = np.broadcast_to(points.quality[None, :, :, 0], (RESAMPLES, metrics, count))
            weight = drawn[:, points.picture.astype(np.int64)]
            often = np.broadcast_to(weight[:, None, :], (RESAMPLES, metrics, count))
        spread = _estimates(quality, human, often, begin)[0]
    rows = [
        MetricCorrelation(
            name,
            float(estimate[0, at, 0]),
            _around(estimate[0, at, 0], None if spread is None else spread[:, at, 0]),
            float(estimate[0, at, 1]),
            _around(estimate[0, at, 1], None if spread is None else spread[:, at, 1]),
        )
        for at, name in enumerate(points.names)
    ]
    return tuple(sorted(rows, key=lambda row: -row.srcc))


def _estimates(
    quality: FloatArray, human: FloatArray, often: FloatArray, begin: FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    """Return SRCC and PLCC, shape (draws, metrics, 2), and the parameters of the logistics.

    Args:
        quality: Shape (draws, metrics, points).
        human: Shape (draws, points).
        often: How often each point counts, shape (draws, metrics, points).
        begin: Parameters of the logistics to begin with, shape (metrics, 4).
    """
    draws, metrics, count = quality.shape
    score = np.ascontiguousarray(quality.reshape(-1, count))
    target = np.repeat(human, metrics, axis=0)
    weight = np.ascontiguousarray(often.reshape(-1, count))
    starts = None if begin is None else np.tile(begin, (draws, 1))
    fitted, parameters = monotone_fit(score, target, weight, starts)
    straight = pearson(fitted, target, weight)
    # A logistic gone flat says nothing; the scores themselves then do.
    straight = np.where(np.isnan(straight), pearson(score, target, weight), straight)
    both = np.stack([spearman(score, target, weight), straight], axis=1)
    return both.reshape(draws, metrics, 2), parameters


def _around(estimate: float, drawn: FloatArray | None) -> Interval | None:
    """Return a 95 % interval of a correlation by Fisher's transformation.

    Drawing scores within their intervals adds their error a second time, which lowers every drawn
    correlation: so the spread of the draws is taken, not their place.
    """
    if drawn is None or not np.isfinite(estimate):
        return None
    kept = drawn[np.isfinite(drawn)]
    if len(kept) < _MOST_DEFINED * len(drawn):
        return None
    error = float(np.arctanh(np.clip(kept, -1 + 1e-9, 1 - 1e-9)).std(ddof=1))
    middle = float(np.arctanh(np.clip(estimate, -1 + 1e-9, 1 - 1e-9)))
    low, high = (float(np.tanh(middle + side * 1.959964 * error)) for side in (-1, 1))
    return Interval(low, high, error * (1 - estimate**2))


@dataclass(frozen=True, slots=True, eq=False)
class _Curve:
    """The conditions of one codec that were judged on every picture."""

    rates: FloatArray
    """Shape (conditions, pictures), bits per pixel."""
    human: FloatArray
    """Shape (conditions, pictures or 1), higher is better; so ``error``."""
    error: FloatArray


def _bd_rates(
    values: Sequence[ScoredCondition],
    joined: Joined,
    scale: ScoreScale,
    pictures: Sequence[str],
    random: np.random.Generator,
    wanted: str | None,
) -> tuple[HumanBdRate, ...]:
    curves = {
        codec: curve
        for codec in dict.fromkeys(value.codec for value in values if value.codec)
        if (curve := _curve(codec, values, joined.beside.rates or {}, scale, pictures))
    }
    anchor = wanted or next(iter(curves), None)
    if len(curves) < 2 or anchor not in curves:
        return ()
    others = [codec for codec in curves if codec != anchor]
    drawn = random.multinomial(len(pictures), np.full(len(pictures), 1.0 / len(pictures)), RESAMPLES)
    weights = drawn / len(pictures)
    return tuple(_against((anchor, curves[anchor]), (name, curves[name]), weights, random) for name in others)


def _curve(
    codec: str,
    values: Sequence[ScoredCondition],
    rates: Mapping[tuple[str, str], float],
    scale: ScoreScale,
    pictures: Sequence[str],
) -> _Curve | None:
    by_condition: dict[str, list[PublishedScore]] = {}
    for value in values:
        if value.codec == codec:
            by_condition.setdefault(value.score.condition, []).append(value.score)
    rows: list[tuple[list[float], FloatArray, FloatArray]] = []
    for condition, scores in by_condition.items():
        own = [rates[picture, condition] for picture in pictures if (picture, condition) in rates]
        order = sorted(scores, key=lambda score: pictures.index(score.picture) if score.picture else 0)
        if len(own) == len(pictures) and len(scores) in (1, len(pictures)):
            rows.append((own, *_signed(scale, order)))
    if len(rows) < 2 or len({len(human) for _, human, _ in rows}) > 1:
        return None
    own_rates, human, error = (np.array(column, np.float64) for column in zip(*rows, strict=True))
    return _Curve(own_rates, human, error)


def _against(
    anchor: tuple[str, _Curve], test: tuple[str, _Curve], weights: FloatArray, random: np.random.Generator
) -> HumanBdRate:
    pictures = weights.shape[1]
    whole = _bd_rate(anchor[1], test[1], np.full(pictures, 1.0 / pictures), None)
    if whole.percent is None:
        return HumanBdRate(test[0], anchor[0], whole, None, None, 0, 0)
    drawn = [_bd_rate(anchor[1], test[1], weight, random).percent for weight in weights]
    known = np.array([percent for percent in drawn if percent is not None])
    low = high = None
    if len(known) >= _MOST_DEFINED * len(drawn):
        low, high = (float(end) for end in np.percentile(known, (2.5, 97.5)))
    return HumanBdRate(test[0], anchor[0], whole, low, high, len(drawn), len(drawn) - len(known))


def _bd_rate(anchor: _Curve, test: _Curve, weight: FloatArray, random: np.random.Generator | None) -> BdRate:
    def mean(curve: _Curve) -> FloatArray:
        human = curve.human
        if random is not None:
            human = human + curve.error * random.standard_normal(human.shape)
        return human[:, 0] if human.shape[1] == 1 else human @ weight

    return bd_rate(anchor.rates @ weight, mean(anchor), test.rates @ weight, mean(test))


SCORE_RESULTS = AnswerKind(ScoreResults, (_compute,))
"""As they are kept."""
