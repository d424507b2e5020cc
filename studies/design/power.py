"""Simulate studies to predict interval widths, power, votes, minutes and cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..scale.fit import fit
from ..scale.models import choose_model
from ..scale.pair_counts import tally
from ..scale.pair_tests import SIGNIFICANT, pair_tests
from ..scale.resampling import Scheme
from ..scale.scale import resample
from ..scale.scale_results import PairTest, ScaleError
from .simulation import Assumptions, simulate_votes


@dataclass(frozen=True, slots=True)
class Prices:
    """What a vote takes."""

    seconds_per_vote: float = 6.0
    """Neutral gap included."""
    minutes_besides: float = 4.0
    """Per rater: consent, calibration, training."""
    per_hour: float = 12.0
    """Paid to a rater."""
    fee: float = 1 / 3
    """Of the panel, as a share of the pay."""


@dataclass(frozen=True, slots=True)
class PairPower:
    """One pair of conditions over all simulated studies."""

    first: str
    second: str
    difference: float
    """Assumed, JOD."""
    power: float
    """Share of studies that find the difference (Holm, two-sided, 5 %) in the right direction."""
    width: float
    """Mean width of the 95 % interval, JOD."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a study of this kind can be expected to give and to cost."""

    studies: int
    unusable: int
    """Simulated studies without a scale."""
    scheme: Scheme
    """What intervals and tests allow for."""
    width: float
    """Mean width of the 95 % intervals of differences, JOD."""
    design_effect: float
    """Mean over studies: clustered variance over that of independent votes."""
    pairs: tuple[PairPower, ...]
    raters: int
    pictures: int
    votes: int
    votes_per_rater: int
    minutes_per_rater: float
    hours: float
    cost: float
    """In the currency of the prices, fee included."""


def simulate(
    assumed: Assumptions,
    *,
    prices: Prices | None = None,
    studies: int = 100,
    resamples: int = 200,
    in_general: bool = True,
    seed: int = 0,
) -> Simulation:
    """Return what studies under these assumptions find, by simulating and analysing each of them whole.

    Args:
        assumed: Scale, raters, pictures, ties, lapses and spreads.
        prices: What a vote takes.
        studies: How many to simulate.
        resamples: For the intervals of each.
        in_general: Whether to claim something about pictures in general (rater x picture) or only about
            those shown (rater).
        seed: Of everything.

    Raises:
        ScaleError: An assumption is out of range, or no simulated study has a scale.
    """
    _check(assumed, studies)
    scheme: Scheme = "rater x picture" if in_general and assumed.pictures > 1 else "rater"
    random = np.random.default_rng(seed)
    simulated: list[tuple[Sequence[PairTest], float]] = []
    for _ in range(studies):
        study = _study(assumed, scheme, resamples, random)
        if study is not None:
            simulated.append(study)
    if not simulated:
        raise ScaleError("no simulated study gave a scale: assume more votes or fewer ties")
    pairs = _powers(assumed, [tests for tests, _ in simulated], scheme, studies)
    return Simulation(
        studies,
        studies - len(simulated),
        scheme,
        float(np.mean([pair.width for pair in pairs])),
        float(np.mean([effect for _, effect in simulated])),
        pairs,
        assumed.raters,
        assumed.pictures,
        *_costs(assumed, prices or Prices()),
    )


def _check(assumed: Assumptions, studies: int) -> None:
    for name, value, low, high in (
        ("conditions", len(assumed.scale), 2, 1000),
        ("raters", assumed.raters, 2, 100_000),
        ("pictures", assumed.pictures, 1, 100_000),
        ("votes_per_rater", assumed.votes_per_rater or 1, 1, 100_000),
        ("tie_rate", assumed.tie_rate, 0, 0.95),
        ("lapse_rate", assumed.lapse_rate, 0, 0.95),
        ("rater_spread", assumed.rater_spread, 0, 100),
        ("picture_spread", assumed.picture_spread, 0, 100),
        ("studies", studies, 1, 1_000_000),
    ):
        if not low <= value <= high:
            raise ScaleError(f"expected {name} from {low:g} to {high:g}; got {value:g}")


def _study(
    assumed: Assumptions, scheme: Scheme, resamples: int, random: np.random.Generator
) -> tuple[Sequence[PairTest], float] | None:
    """Return the pair tests and the design effect of one simulated study, or None without a scale."""
    counted = tally(simulate_votes(assumed, random))
    try:
        fitted = fit(counted.pairs, choose_model("JOD", counted.pairs.has_ties))
    except ScaleError:
        return None
    draws = resample(fitted, counted, resamples, int(random.integers(2**31)), (scheme,))
    spread = draws[0].parameters[:, :-2].var(0, ddof=1).sum() * draws[0].inflation
    return pair_tests(fitted, draws, counted), float(spread / fitted.covariance[:-2, :-2].trace())


def _powers(
    assumed: Assumptions, tests: Sequence[Sequence[PairTest]], scheme: Scheme, studies: int
) -> tuple[PairPower, ...]:
    hits: dict[tuple[str, str], int] = {}
    widths: dict[tuple[str, str], list[float]] = {}
    for test in (test for study in tests for test in study):
        key = (test.first, test.second)
        true = assumed.scale[test.first] - assumed.scale[test.second]
        hits[key] = hits.get(key, 0) + (test.p_holm < SIGNIFICANT and test.difference * true > 0)
        span = test.by_rater if scheme == "rater" else test.by_rater_and_picture
        if span is not None:
            widths.setdefault(key, []).append(span.high - span.low)
    return tuple(
        PairPower(
            first,
            second,
            assumed.scale[first] - assumed.scale[second],
            hits[first, second] / studies,
            float(np.mean(widths[first, second])),
        )
        for first, second in sorted(hits)
    )


def _costs(assumed: Assumptions, prices: Prices) -> tuple[int, int, float, float, float]:
    """Return votes, votes per rater, minutes per rater, hours of all raters, and cost."""
    conditions = len(assumed.scale)
    own = assumed.votes_per_rater or assumed.pictures * conditions * (conditions - 1) // 2
    minutes = own * prices.seconds_per_vote / 60.0 + prices.minutes_besides
    hours = assumed.raters * minutes / 60.0
    return own * assumed.raters, own, minutes, hours, hours * prices.per_hour * (1.0 + prices.fee)
