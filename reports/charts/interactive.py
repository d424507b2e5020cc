"""Interactive charts for the pages, in the colours and marks of `line_styles`, with tooltips."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Literal

import altair as alt
import numpy as np
import pandas as pd

from ..tables import digits
from ..tables.leaderboard_tables import RatePoint
from .chart_points import SpanPoint, TradePoint
from .label_sides import LETTER_PIXELS, SIDES, TRADE_HEIGHT, label_sides
from .line_styles import (
    COLOURS,
    DARK,
    MARKERS,
    PUBLISHED,
    SIMILARITIES,
    LineStyle,
    decibels_of,
    distinct_labels,
)

SHAPES: dict[str, str] = dict(
    zip(
        MARKERS,
        ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "triangle-right"),
        strict=True,
    )
)
HEIGHT = 440
FAINT = 0.15
"""Opacity of curves while the pointer is on another."""
LONGEST_NAME = 26
"""Characters of a codec's label in a legend."""
INK = {True: "#c9ced6", False: "#4d535c"}
"""Colour of words and thin lines on a dark and on a light ground."""


def on_ground(line_styles: Mapping[str, LineStyle], dark: bool) -> dict[str, str]:
    """Return the colour of each codec on a light or dark ground."""
    return {codec: look.dark if dark else look.colour for codec, look in line_styles.items()}


def rate_distortion(
    points: Sequence[RatePoint],
    published: Sequence[RatePoint],
    line_styles: Mapping[str, LineStyle],
    *,
    metric: str,
    better: Literal["higher", "lower"],
    decibels: bool,
    logarithmic: bool,
    dark: bool,
) -> alt.LayerChart | alt.FacetChart:
    """Return curves of score over rate; a click on a point selects it under the name ``point``.

    The pointer on a curve's point makes the others faint; a click on a name in the legend leaves its curve
    alone, with the shift key further ones, and a click beside the names brings all back.

    Args:
        points: Measured here; those with an interval get a band.
        published: Measured elsewhere, drawn thin and dashed.
        line_styles: From `line_styles.line_styles`.
        metric: Title of the vertical axis.
        better: Where good scores are drawn; upwards in either case.
        decibels: Whether the scores crowd against 1 and are drawn at equal steps of -10 log10(1 - x).
        logarithmic: Whether the rate axis is.
        dark: Whether the ground is.
    """
    table = _table(points, decibels)
    codecs = {point.label: point.codec for point in points}
    colours, shapes = (
        on_ground(line_styles, dark),
        [SHAPES[line_styles[codec].marker] for codec in codecs.values()],
    )
    rate = alt.X(
        "bits_per_pixel:Q",
        title=f"rate (bits per pixel{', logarithmic' if logarithmic else ''})",
        scale=alt.Scale(type="log" if logarithmic else "linear", nice=False, padding=12),
        axis=alt.Axis(format="~g", tickCount=8),
    )
    # Reversed where less is better, so that better is up in every chart.
    score_scale = alt.Scale(zero=False, reverse=better == "lower")
    axis = alt.Axis()
    if decibels:
        # An expression of Vega's turns decibels back into what they are of.
        ticks = [float(decibels) for decibels in decibels_of(np.array(SIMILARITIES))]
        axis = alt.Axis(values=ticks, labelExpr="format(1 - pow(10, -datum.value / 10), '~g')")
    score = alt.Y("score_at:Q", title=metric, scale=score_scale, axis=axis)
    colour = alt.Color(
        "codec:N",
        scale=alt.Scale(domain=list(codecs), range=[colours[codec] for codec in codecs.values()]),
        legend=alt.Legend(
            orient="bottom",
            columns=alt.ExprRef("max(1, floor(width / 235))"),
            title=None,
            labelLimit=205,  # as long as the widest of `LONGEST_NAME` letters
            **_shown_names(codecs),
            symbolLimit=60,
            symbolOpacity=1,
        ),
    )
    shape = alt.Shape("codec:N", scale=alt.Scale(domain=list(codecs), range=shapes))
    # By another field than the rest, or the legend's marks would be dashed too. Widths of the line in print.
    dashes = {point.codec_id: [2 * dash for dash in line_styles[point.codec].dashes] for point in points}
    dash = alt.StrokeDash(
        "codec_id:N", scale=alt.Scale(domain=list(dashes), range=list(dashes.values())), legend=None
    )
    pick = alt.selection_point(name="point", fields=["codec_id", "setting"], on="click", toggle=False)
    only = alt.selection_point(name="only", fields=["codec"], bind="legend")
    hover = alt.selection_point(name="hover", fields=["codec"], on="pointerover", clear="pointerout")
    faint = alt.condition(hover, alt.value(1.0), alt.value(FAINT))
    base = alt.Chart(table).transform_filter(only)
    tips = [
        alt.Tooltip("codec:N"),
        alt.Tooltip("setting:Q", format="~g"),
        alt.Tooltip("bits_per_pixel:Q", title="bits per pixel", format=".3f"),
        alt.Tooltip("score:Q", title=metric, format=".4~g"),
        *(
            [
                alt.Tooltip("interval:N", title="95 %"),
            ]
            if any(point.low is not None for point in points)
            else []
        ),
    ]
    layers: list[Any] = []
    ends: dict[str, Any] = {"y": alt.Y("low_at:Q", scale=score_scale), "y2": "high_at:Q"}
    if (table["intervals"] > 1).any():
        bands = base.transform_filter("isValid(datum.low)").mark_area(opacity=0.18)
        layers.append(bands.encode(x=rate, color=colour, **ends))
    if (table["intervals"] == 1).any():  # a band of one point has no area
        bars = base.transform_filter("isValid(datum.low) && datum.intervals === 1").mark_rule(strokeWidth=2)
        layers.append(bars.encode(x=rate, color=colour, opacity=alt.value(0.6), **ends))
    layers.append(
        base.mark_line(strokeWidth=2)
        .encode(x=rate, y=score, color=colour, strokeDash=dash, order="bits_per_pixel:Q", opacity=faint)
        .add_params(only)
    )
    layers.append(
        base.mark_point(size=70, filled=True)
        .encode(x=rate, y=score, color=colour, shape=shape, tooltip=tips, opacity=faint)
        .add_params(pick, hover)
    )
    if published:
        layers += _published(_table(published, decibels), rate, score, metric, dark)
    return _finished(layers, HEIGHT, dark)


# Any: the other settings of a legend are of many types.
def _shown_names(codecs: Iterable[str]) -> dict[str, Any]:
    """Return how a legend writes names that are too long for it: by what tells them apart."""
    names = {codec: text for codec, text in distinct_labels(codecs, LONGEST_NAME).items() if text != codec}
    return {"labelExpr": f"({json.dumps(names)})[datum.label] || datum.label"} if names else {}


def _finished(layers: Sequence[alt.Chart], height: int, dark: bool) -> alt.LayerChart | alt.FacetChart:
    """Return layers as one chart whose words can be read: Streamlit's own are too faint."""
    ink = INK[dark]
    return (
        alt.layer(*layers)
        # The height is the curves' own: what a narrow page's legend takes comes on top of it.
        .properties(height=height, autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))
        .configure_axis(labelColor=ink, titleColor=ink)
        .configure_legend(labelColor=ink)
    )


def _table(points: Sequence[RatePoint], decibels: bool) -> pd.DataFrame:
    """Return points as rows, with where their scores are drawn."""
    rows = [
        {**asdict(point), "codec": point.label, "interval": _ends(point.low, point.high, "{:.4g}".format)}
        for point in points
    ]
    table = pd.DataFrame(rows)
    table["intervals"] = table["low"].notna().groupby(table["codec"]).transform("sum")
    for name in ("score", "low", "high"):
        values = table[name].to_numpy(dtype=np.float64)
        table[f"{name}_at"] = decibels_of(values) if decibels else values
    return table


def _published(table: pd.DataFrame, rate: alt.X, score: alt.Y, metric: str, dark: bool) -> list[alt.Chart]:
    colour = INK[True] if dark else PUBLISHED
    base = alt.Chart(table).encode(x=rate, y=score, detail="codec:N")
    tips = [
        alt.Tooltip("codec:N", title="published"),
        alt.Tooltip("bits_per_pixel:Q", format=".3f"),
        alt.Tooltip("score:Q", title=metric, format=".4~g"),
    ]
    last = base.transform_window(
        rank="rank()", sort=[alt.SortField("bits_per_pixel", order="descending")], groupby=["codec"]
    ).transform_filter("datum.rank == 1")
    return [
        base.mark_line(strokeDash=[3, 3], strokeWidth=1.2, color=colour),
        base.mark_point(size=18, color=colour).encode(tooltip=tips),
        last.mark_text(align="left", dx=5, fontSize=11, color=colour, limit=160).encode(text="codec:N"),
    ]


def trade(
    points: Sequence[TradePoint],
    line_styles: Mapping[str, LineStyle],
    *,
    cost: str,
    gain: str,
    less_is_better: bool,
    dark: bool,
) -> alt.LayerChart | alt.FacetChart:
    """Return gains over costs on a logarithmic axis, with the Pareto front as a line.

    Args:
        points: One for each codec.
        line_styles: By label, of all codecs of the page, so that colours stay when codecs are left out.
        cost: Title of the horizontal axis, which is logarithmic.
        gain: Title of the vertical axis.
        less_is_better: Whether the vertical axis is turned, as for BD-rates.
        dark: Whether the page is.
    """
    table = pd.DataFrame([asdict(point) for point in points])
    table["side"] = label_sides(points, less_is_better=less_is_better)
    codecs = sorted({point.codec for point in points})
    colours = on_ground(line_styles, dark)
    x = alt.X(
        "cost:Q", title=cost, scale=alt.Scale(type="log", nice=False, padding=16), axis=alt.Axis(format="~g")
    )
    y = alt.Y("gain:Q", title=gain, scale=alt.Scale(zero=False, reverse=less_is_better))
    base = alt.Chart(table)
    front = base.transform_filter("datum.on_front").mark_line(
        strokeDash=[4, 3], color=INK[dark], strokeWidth=1.2
    )
    marks = base.mark_point(filled=True, opacity=1).encode(
        x=x,
        y=y,
        color=alt.Color(
            "codec:N",
            scale=alt.Scale(domain=codecs, range=[colours[codec] for codec in codecs]),
            legend=None,
        ),
        size=alt.condition("datum.on_front", alt.value(130), alt.value(40)),
        tooltip=[
            alt.Tooltip("codec:N"),
            alt.Tooltip("cost:Q", title=cost, format=".3~g"),
            alt.Tooltip("gain:Q", title=gain, format=".4~g"),
        ],
    )
    labels = [
        base.transform_filter(alt.datum.side == side)
        .mark_text(align=align, dx=dx, dy=dy, fontSize=LETTER_PIXELS, color=INK[dark])
        .encode(x=x, y=y, text="codec:N")
        for side, (align, dx, dy) in SIDES.items()
        if side in set(table["side"])
    ]
    return _finished([front.encode(x=x, y=y, order="cost:Q"), marks, *labels], TRADE_HEIGHT, dark)


def spans(
    points: Sequence[SpanPoint],
    *,
    title: str,
    groups: Sequence[str],
    dark: bool,
    zero: bool = True,
    order: Sequence[str] | None = None,
    ceiling: float | None = None,
) -> alt.LayerChart | alt.FacetChart:
    """Return values with their intervals, one line for each name, groups side by side in colours.

    Args:
        points: Values with their intervals; ``name`` and ``group`` together are unique.
        title: Of the value's axis.
        groups: In their order; at most four, each with a colour of its own.
        dark: Whether the page is.
        zero: Whether the axis begins at zero.
        order: Names from top to bottom; as they come in ``points`` if absent.
        ceiling: Value that none can pass, drawn as a dashed line with its number; None for none.
    """
    table = pd.DataFrame([{**asdict(point), "interval": _interval(point, zero)} for point in points])
    palette = [COLOURS[0], COLOURS[1], COLOURS[2], COLOURS[6]][: len(groups)]
    colours = [DARK[colour] if dark else colour for colour in palette]
    names = list(order or dict.fromkeys(point.name for point in points))
    y = alt.Y("name:N", title=None, sort=names, axis=alt.Axis(labelLimit=240))
    offset = alt.YOffset("group:N", sort=list(groups))
    legend = alt.Legend(orient="top", title=None, symbolOpacity=1) if len(groups) > 1 else None
    colour = alt.Color(
        "group:N",
        scale=alt.Scale(domain=list(groups), range=colours),
        legend=legend,
    )
    base = alt.Chart(table).encode(y=y, yOffset=offset, color=colour)
    x = alt.X("value:Q", title=title, scale=alt.Scale(zero=zero), axis=alt.Axis(tickCount=10, format="~f"))
    tips = [
        "name:N",
        "group:N",
        alt.Tooltip("value:Q", format="+.1f" if zero else ".3f"),
        alt.Tooltip("interval:N", title="95 %"),
    ]
    bars = base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=3, opacity=0.45)
    layers: list[Any] = [
        bars.encode(x=alt.X("low:Q", title=title, scale=alt.Scale(zero=zero)), x2="high:Q"),
        base.mark_point(filled=True, size=60, opacity=1).encode(
            x=x, shape=alt.Shape("group:N", scale=alt.Scale(domain=list(groups)), legend=legend), tooltip=tips
        ),
    ]
    if zero:
        rule = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color="#8a8f98")
        layers.insert(0, rule.encode(x="zero:Q"))
    if ceiling is not None:
        limit = alt.Chart(pd.DataFrame({"ceiling": [ceiling], "words": [f"at most {ceiling:.1f}"]}))
        line = limit.mark_rule(strokeDash=[4, 3], color=INK[dark])
        words = limit.mark_text(align="right", dx=-4, dy=8, baseline="top", color=INK[dark])
        at = alt.X("ceiling:Q", title=title, scale=alt.Scale(zero=zero))
        layers += [line.encode(x=at), words.encode(x=at, y=alt.value(0), text="words:N")]
    return _finished(layers, 90 + 26 * len(names) * (1 if len(groups) == 1 else 2), dark)


def _interval(point: SpanPoint, signed: bool) -> str:
    """Return a point's interval as tables write it."""
    return _ends(point.low, point.high, digits.percent if signed else digits.significant)


def _ends(low: float | None, high: float | None, write: Callable[[float], str]) -> str:
    return digits.EMPTY if low is None or high is None else digits.between(write(low), write(high))
