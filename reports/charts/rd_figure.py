"""Draw rate-distortion curves for print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter

from ...bench.analysis.curves import FloatArray
from ..tables.leaderboard_tables import RatePoint
from .figures import PAGE, PIXELS_PER_INCH, Layout, finish, lettering, limit, sample
from .line_styles import DASHES, MARKERS, PUBLISHED, SIMILARITIES, LineStyle, decibels_of

INTERVALS_NOTE = "Bands and bars: 95 % intervals."


def rate_distortion(
    points: Sequence[RatePoint],
    styles: dict[str, LineStyle],
    *,
    metric: str,
    unit: str = "",
    better: Literal["higher", "lower"] = "higher",
    title: str = "",
    decibels: bool = False,
    logarithmic: bool = True,
    published: Sequence[RatePoint] = (),
    notes: Sequence[str] = (),
    layout: Layout = PAGE,
    rates: tuple[float, float] | None = None,
    scores: tuple[float, float] | None = None,
) -> Figure:
    """Return a chart of score over bits per pixel, one line per codec.

    Args:
        points: Mean curves; those with intervals get a band, or a bar where a codec has one point.
        styles: From `line_styles`.
        metric: What to call the scores.
        unit: Of the scores.
        better: Where good scores are drawn; upwards in either case.
        title: Above the chart.
        decibels: Whether the scores crowd against 1 and are drawn at equal steps of -10 log10(1 - x).
        logarithmic: Whether the rate axis is.
        published: Curves that were measured elsewhere, drawn thin and grey.
        notes: Below the chart.
        layout: Size, letters, and what stands around the axes.
        rates: Ends of the rate axis in bits per pixel; all that is drawn if absent.
        scores: Ends of the other axis, in either order, as metric scores.
    """
    with lettering(layout):
        figure = Figure(dpi=PIXELS_PER_INCH, layout="constrained")
        axes = figure.subplots()
        banded = _intervals(axes, points, styles, layout.scale)
        for codec, curve in _curves(points).items():
            axes.plot(
                [point.bits_per_pixel for point in curve], [point.score for point in curve],
                color=styles[codec].colour, linewidth=1.8 * layout.scale, linestyle=(0, styles[codec].dashes),
                marker=styles[codec].marker, markersize=6 * layout.scale, markeredgecolor="white",
                markeredgewidth=0.75 * layout.scale,
            )  # fmt: skip
        elsewhere = _published(axes, published, layout.scale)
        if decibels:
            _crowd_apart(axes, [*_scores(points), *_scores(published)])
        _label(axes, f"{metric} ({unit})" if unit else metric, better, logarithmic)
        limit(axes, "x", rates)
        limit(axes, "y", scores)
        # Legend from the best curve down, so that it reads like the chart.
        labels = {point.codec: point.label for point in points}
        samples = {
            labels[codec]: sample(styles[codec], layout.scale) for codec in _from_the_top(points, better)
        }
        outside = _outside([*points, *published], rates, scores)
        finish(
            figure, layout, title=title, samples=samples | elsewhere,
            notes=[*[INTERVALS_NOTE] * banded, *notes, *outside],
        )  # fmt: skip
    return figure


def _curves(points: Sequence[RatePoint]) -> dict[str, list[RatePoint]]:
    """Return each codec's points by rising rate."""
    curves: dict[str, list[RatePoint]] = {}
    for point in sorted(points, key=lambda point: point.bits_per_pixel):
        curves.setdefault(point.codec, []).append(point)
    return curves


def _intervals(axes: Axes, points: Sequence[RatePoint], styles: dict[str, LineStyle], scale: float) -> bool:
    """Draw the intervals of the scores behind the curves; return whether there are any."""
    drawn = False
    for codec, curve in _curves(points).items():
        spans = [
            (point.bits_per_pixel, point.low, point.high)
            for point in curve
            if point.low is not None and point.high is not None
        ]
        if not spans:
            continue
        rates, lows, highs = zip(*spans, strict=True)
        colour = styles[codec].colour
        if len(spans) == 1:  # a band of one point has no area
            axes.vlines(rates, lows, highs, color=colour, alpha=0.6, linewidth=1.6 * scale)
        else:
            axes.fill_between(rates, lows, highs, color=colour, alpha=0.18, linewidth=0)
        drawn = True
    return drawn


def _published(axes: Axes, points: Sequence[RatePoint], scale: float) -> dict[str, Line2D]:
    """Draw curves that were measured elsewhere; return what stands before their names."""
    lines: dict[str, Line2D] = {}
    for place, (codec, curve) in enumerate(_curves(points).items()):
        # Solid lines are for what was measured here.
        dashes = DASHES[1 + place % (len(DASHES) - 1)]
        (line,) = axes.plot(
            [point.bits_per_pixel for point in curve], [point.score for point in curve],
            color=PUBLISHED, linewidth=scale, linestyle=(0, dashes), marker=MARKERS[place % len(MARKERS)],
            markersize=3.5 * scale,
        )  # fmt: skip
        lines[codec] = line
    return lines


def _scores(points: Sequence[RatePoint]) -> list[float]:
    """Return all scores and the ends of their intervals."""
    values = [value for point in points for value in (point.score, point.low, point.high)]
    return [value for value in values if value is not None]


def _outside(
    points: Sequence[RatePoint], rates: tuple[float, float] | None, scores: tuple[float, float] | None
) -> list[str]:
    """Return how many points the chosen ends of the axes leave out."""
    out = sum(
        not (
            (rates is None or min(rates) <= point.bits_per_pixel <= max(rates))
            and (scores is None or min(scores) <= point.score <= max(scores))
        )
        for point in points
    )
    return [f"{out} of {len(points)} points lie outside the axes."] if out else []


def _crowd_apart(axes: Axes, similarities: Sequence[float]) -> None:
    """Draw similarities as BD-rate sees them, with ticks at round similarities."""
    axes.set_yscale("function", functions=(decibels_of, _similarities))
    axes.yaxis.set_major_locator(FixedLocator(SIMILARITIES))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    # Autoscaling adds its margin to the similarities, which reaches past 1.
    low, high = decibels_of(np.array([min(similarities), max(similarities)]))
    margin = 0.05 * max(high - low, 1.0)
    axes.set_ylim(*_similarities(np.array([low - margin, high + margin])))


def _similarities(decibels: FloatArray) -> FloatArray:
    return 1 - 10 ** (-decibels / 10)


def _from_the_top(points: Sequence[RatePoint], better: Literal["higher", "lower"]) -> list[str]:
    best: dict[str, float] = {}
    for point in points:
        value = point.score if better == "higher" else -point.score
        best[point.codec] = max(value, best.get(point.codec, value))
    return sorted(best, key=lambda codec: (-best[codec], codec))


def _label(axes: Axes, score: str, better: Literal["higher", "lower"], logarithmic: bool) -> None:
    if logarithmic:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("rate (bits per pixel, logarithmic)" if logarithmic else "rate (bits per pixel)")
    if better == "lower":
        axes.invert_yaxis()
        score += ", axis turned: better is up"
    axes.set_ylabel(score, parse_math=False)
