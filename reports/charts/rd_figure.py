"""Draw rate-distortion curves with matplotlib, and write them as SVG, PDF or PNG."""

from __future__ import annotations

import io
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter

from ...bench.analysis.curves import FloatArray, to_quality
from ..tables.leaderboard_tables import RatePoint
from .lettering import writable

Format = Literal["svg", "pdf", "png"]

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#b58900", "#6b4c9a", "#4d4d4d")
"""Okabe and Ito's colour-blind safe set; its yellow and black, hard on white, made ochre, violet and grey."""

SIMILARITIES = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999)
"""Ticks of an axis on which similarities stand at equal steps of -10 log10(1 - x)."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ((1, 0), (4, 1.5), (1.2, 1.2), (6, 1.5, 1.2, 1.5))

PUBLISHED = "#5f6670"
"""Colour of curves that were measured elsewhere."""

LONGEST_LABEL = 32
"""Characters of a codec's label in a legend."""
LONGEST_TITLE = 48
"""Characters of a title: a longer one would leave no room for the axes."""

KNOWN = {
    "jpeg": (0, 0), "mozjpeg": (0, 1), "jpegli": (0, 2),
    "webp": (1, 0),
    "avif": (2, 0), "avif-svt": (2, 1), "avif-rav1e": (2, 2),
    "jpeg2000": (3, 0), "jpegxr": (3, 1),
    "jpegxl": (4, 0),
    "heic": (5, 0),
    "vvc": (6, 0),
    "png": (7, 0),
}  # fmt: skip
"""Colour and turn of codecs that look the same in every store; relatives share a colour."""

STYLE = {
    "axes.edgecolor": "#8a8f98",
    "axes.labelcolor": "#30343b",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 11,
    "grid.color": "#e6e8eb",
    "text.color": "#30343b",
    "xtick.color": "#30343b",
    "ytick.color": "#30343b",
}


@dataclass(frozen=True, slots=True)
class LineStyle:
    """How one codec is drawn, in every chart."""

    colour: str
    marker: str
    dashes: tuple[float, ...]


def line_styles(labels: Iterable[str]) -> dict[str, LineStyle]:
    """Return how to draw each codec of a store.

    The colour belongs to the codec's name; labels that differ in parameters share it and differ in marker
    and dashes. Pass all labels of the store, not those of one view, so that a filter changes no colour.
    """
    distinct = sorted(set(labels))
    unknown = sorted({_name(label) for label in distinct} - set(KNOWN))
    # Turns of their own keep the others apart from the known codecs of the same colour.
    places = {name: (place % len(COLOURS), 3 + place // len(COLOURS)) for place, name in enumerate(unknown)}
    places |= KNOWN
    styles: dict[str, LineStyle] = {}
    variants: Counter[str] = Counter()
    for label in distinct:
        colour, turn = places[_name(label)]
        variant = variants[_name(label)]
        variants[_name(label)] += 1
        marker = MARKERS[(turn + 2 * variant) % len(MARKERS)]
        styles[label] = LineStyle(COLOURS[colour], marker, DASHES[(turn + variant) % len(DASHES)])
    return styles


def _name(label: str) -> str:
    return label.split("(")[0].split(" ")[0]


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
) -> Figure:
    """Return a chart of score over bits per pixel, one line per codec.

    Args:
        points: Mean curves; those with intervals get a band.
        styles: From `line_styles`.
        metric: What to call the scores.
        unit: Of the scores.
        better: Where good scores are drawn; upwards in either case.
        title: Above the chart.
        decibels: Whether the scores crowd against 1 and are drawn at equal steps of -10 log10(1 - x).
        logarithmic: Whether the rate axis is.
        published: Curves that were measured elsewhere, drawn thin and grey.
    """
    with sns.axes_style("whitegrid", STYLE), sns.plotting_context("notebook"):
        figure = Figure(figsize=(6.6, 5.4), dpi=200, layout="constrained")
        axes = figure.subplots()
        # Legend from the best curve down, so that it reads like the chart.
        order = _from_the_top(points, better)
        banded = _bands(axes, points, styles)
        sns.lineplot(
            x=[point.bits_per_pixel for point in points],
            y=[point.score for point in points],
            hue=[point.codec for point in points],
            style=[point.codec for point in points],
            hue_order=order,
            style_order=order,
            palette={codec: styles[codec].colour for codec in order},
            markers={codec: styles[codec].marker for codec in order},
            dashes={codec: styles[codec].dashes for codec in order},
            errorbar=None,
            estimator=None,
            sort=True,
            linewidth=1.8,
            markersize=6,
            ax=axes,
        )
        elsewhere = _published(axes, published)
        if decibels:
            _crowd_apart(axes, [*_scores(points), *_scores(published)])
        _label(axes, f"{metric} ({unit})" if unit else metric, better, logarithmic)
        about = _shortened(title, LONGEST_TITLE) + "; bands: 95 % intervals" * banded
        axes.set_title(about, loc="left", fontsize=12, parse_math=False)
        # Outside below: beside the axes it would leave a phone half of the width.
        own = axes.get_legend()
        if own is not None:
            own.remove()
        labels = {point.codec: point.label for point in points}
        samples = {labels[codec]: _sample(styles[codec]) for codec in order} | elsewhere
        legend = figure.legend(
            list(samples.values()),
            [_shortened(sample) for sample in samples],
            loc="outside lower center",
            ncols=3,
            frameon=False,
            handlelength=2.8,
        )
        for text in legend.get_texts():
            text.set_parse_math(False)  # a name may hold dollar signs
    return figure


def _curves(points: Sequence[RatePoint]) -> dict[str, list[RatePoint]]:
    """Return each codec's points by rising rate."""
    curves: dict[str, list[RatePoint]] = {}
    for point in sorted(points, key=lambda point: point.bits_per_pixel):
        curves.setdefault(point.codec, []).append(point)
    return curves


def _bands(axes: Axes, points: Sequence[RatePoint], styles: dict[str, LineStyle]) -> bool:
    """Draw the intervals of the scores behind the curves; return whether there are any."""
    drawn = False
    for codec, curve in _curves(points).items():
        spans = [
            (point.bits_per_pixel, point.low, point.high)
            for point in curve
            if point.low is not None and point.high is not None
        ]
        if spans:
            rates, lows, highs = zip(*spans, strict=True)
            axes.fill_between(rates, lows, highs, color=styles[codec].colour, alpha=0.18, linewidth=0)
            drawn = True
    return drawn


def _published(axes: Axes, points: Sequence[RatePoint]) -> dict[str, Line2D]:
    """Draw curves that were measured elsewhere; return what stands before their names."""
    lines: dict[str, Line2D] = {}
    for place, (codec, curve) in enumerate(_curves(points).items()):
        # Solid lines are for what was measured here.
        dashes = DASHES[1 + place % (len(DASHES) - 1)]
        (line,) = axes.plot(
            [point.bits_per_pixel for point in curve], [point.score for point in curve],
            color=PUBLISHED, linewidth=1, linestyle=(0, dashes), marker=MARKERS[place % len(MARKERS)],
            markersize=3.5,
        )  # fmt: skip
        lines[codec] = line
    return lines


def _scores(points: Sequence[RatePoint]) -> list[float]:
    """Return all scores and the ends of their intervals."""
    values = [value for point in points for value in (point.score, point.low, point.high)]
    return [value for value in values if value is not None]


def _sample(look: LineStyle) -> Line2D:
    """Return what stands before a codec's name; the axes' own handles leave out names that begin with _."""
    return Line2D(
        [],
        [],
        color=look.colour,
        marker=look.marker,
        linestyle=(0, look.dashes),
        linewidth=1.8,
        markersize=6,
        markeredgecolor="white",
    )


def _shortened(label: str, longest: int = LONGEST_LABEL) -> str:
    return label if len(label) <= longest else f"{label[: longest - 1]}…"


def _crowd_apart(axes: Axes, similarities: Sequence[float]) -> None:
    """Draw similarities as BD-rate sees them, with ticks at round similarities."""
    axes.set_yscale("function", functions=(decibels_of, _similarities))
    axes.yaxis.set_major_locator(FixedLocator(SIMILARITIES))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    # Autoscaling adds its margin to the similarities, which reaches past 1.
    low, high = decibels_of(np.array([min(similarities), max(similarities)]))
    margin = 0.05 * max(high - low, 1.0)
    axes.set_ylim(*_similarities(np.array([low - margin, high + margin])))


def decibels_of(similarities: FloatArray) -> FloatArray:
    """Return where similarities stand on such an axis, in decibels; 1 itself just below its end."""
    return to_quality("decibel", "higher", np.minimum(similarities, 1 - 1e-9))


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


def _use_letters_of_the_font(figure: Figure) -> None:
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        before = text.get_text()
        written = writable(before, findfont(text.get_fontproperties()))
        if written != before:
            text.set_text(_shortened(written, max(len(before), LONGEST_LABEL)))


def export(figure: Figure, form: Format) -> bytes:
    """Return a chart as a file; SVG and PDF keep text as text, and no file holds the time it was made.

    A viewer of SVG picks the font; in the others, characters that the font lacks become code points.
    """
    if form != "svg":
        _use_letters_of_the_font(figure)
    stream = io.BytesIO()
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": None}[form]
    with warnings.catch_warnings(), mpl.rc_context({"svg.fonttype": "none", "pdf.fonttype": 42}):
        if form == "svg":
            warnings.filterwarnings("ignore", "Glyph .* missing from font")  # of ours, not of its reader's
        figure.savefig(stream, format=form, metadata=metadata)
    return stream.getvalue()
