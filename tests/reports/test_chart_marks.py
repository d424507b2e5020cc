"""With which marks, dashes, ticks, legends and words on points the charts are drawn."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from matplotlib.colors import to_hex

from codecarena.reports.charts import interactive
from codecarena.reports.charts.chart_points import SpanPoint, TradePoint
from codecarena.reports.charts.line_styles import PUBLISHED, line_styles
from codecarena.reports.charts.rd_figure import rate_distortion
from codecarena.reports.tables.leaderboard_tables import RatePoint

STYLES = line_styles(["webp", "zip"])
"""The lines of both are solid, in colours of their own."""
ZIP = [
    RatePoint("zip", 1, 0.25, 30.5, low=29.0, high=32.5, codec_id="zip-id"),
    RatePoint("zip", 3, 2.0, 39.0, codec_id="zip-id"),
]
WEBP = [
    RatePoint("webp", 5, 1.0, 34.0, codec_id="webp-id"),
    RatePoint("webp", 9, 0.5, 33.0, codec_id="webp-id"),
]
THEIRS = [RatePoint("theirs", 1, 1.5, 37.0)]
INK, GREY = "#4d535c", "#5f6670"


def marks(chart: dict[str, Any]) -> list[dict[str, Any]]:
    return [layer["mark"] for layer in chart["layer"]]


def words(layer: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return field, title and format of what a point says when the pointer rests on it."""
    return [
        (channel["field"], channel.get("title"), channel.get("format"))
        for channel in layer["encoding"]["tooltip"]
    ]


def test_curves_on_the_page() -> None:
    webp = [replace(point, low=point.score - 1, high=point.score + 1) for point in WEBP]
    chart = interactive.rate_distortion(
        [*ZIP, *webp], THEIRS, STYLES, metric="PSNR", better="higher", decibels=False,
        logarithmic=True, dark=False,
    ).to_dict()  # fmt: skip
    assert marks(chart) == [
        {"type": "area", "opacity": 0.18},
        {"type": "rule", "strokeWidth": 2},
        {"type": "line", "strokeWidth": 2},
        {"type": "point", "size": 70, "filled": True},
        {"type": "line", "strokeWidth": 1.2, "strokeDash": [3, 3], "color": GREY},
        {"type": "point", "size": 18, "color": GREY},
        {"type": "text", "align": "left", "dx": 5, "fontSize": 11, "color": GREY, "limit": 160},
    ]
    band, bar, line, point, _, theirs, name = chart["layer"]
    # What the legend leaves is drawn, in all layers of what was measured here.
    only = {"filter": {"param": "only"}}
    assert band["transform"] == [only, {"filter": "isValid(datum.low)"}]
    assert bar["transform"] == [only, {"filter": "isValid(datum.low) && datum.intervals === 1"}]
    assert line["transform"] == point["transform"] == [only]
    (rows,) = [rows for rows in chart["datasets"].values() if len(rows) == 4]
    assert [row["intervals"] for row in rows] == [1, 1, 2, 2]
    for layer in (line, point):
        opacity = layer["encoding"]["opacity"]
        assert (opacity["condition"], opacity["value"]) == ({"param": "hover", "value": 1.0}, 0.15)
    dashes = line["encoding"]["strokeDash"]
    assert (dashes["scale"], dashes["legend"]) == (
        # The widths of a line in print, for a line of two pixels.
        {"domain": ["zip-id", "webp-id"], "range": [[2, 0], [2, 0]]}, None,
    )  # fmt: skip
    assert line["encoding"]["x"]["scale"] == {"type": "log", "nice": False, "padding": 12}
    assert line["encoding"]["x"]["axis"] == {"format": "~g", "tickCount": 8}
    assert line["encoding"]["y"]["scale"] == {"zero": False, "reverse": False}
    assert line["encoding"]["color"]["legend"] == {
        "orient": "bottom", "columns": {"expr": "max(1, floor(width / 235))"}, "title": None,
        "labelLimit": 205, "symbolLimit": 60, "symbolOpacity": 1,
    }  # fmt: skip
    assert words(point) == [
        ("codec", None, None), ("setting", None, "~g"), ("bits_per_pixel", "bits per pixel", ".3f"),
        ("score", "PSNR", ".4~g"), ("interval", "95 %", None),
    ]  # fmt: skip
    assert words(theirs) == [
        ("codec", "published", None), ("bits_per_pixel", None, ".3f"), ("score", "PSNR", ".4~g"),
    ]  # fmt: skip
    # The name stands at the point of the highest rate.
    window, last = name["transform"]
    assert window["sort"] == [{"field": "bits_per_pixel", "order": "descending"}]
    assert (window["groupby"], last) == (["codec"], {"filter": "datum.rank == 1"})
    params = {param["name"]: param for param in chart["params"]}
    assert params["only"]["bind"] == "legend"
    assert params["hover"]["select"] == {
        "type": "point", "fields": ["codec"], "on": "pointerover", "clear": "pointerout",
    }  # fmt: skip
    assert params["only"]["views"] == [line["name"]]
    clicked = params["point"]
    assert clicked["select"] == {
        "type": "point", "fields": ["codec_id", "setting"], "on": "click", "toggle": False,
    }  # fmt: skip
    assert (clicked["name"], clicked["views"]) == ("point", [point["name"]])
    assert chart["height"] == 440
    assert chart["config"]["legend"] == {"labelColor": INK}
    assert chart["config"]["axis"] == {"labelColor": INK, "titleColor": INK}


def test_a_legend_of_long_names_shows_what_tells_them_apart() -> None:
    names = [f"latent(backend=stable-diffusion, faithful=True, steps={steps})" for steps in (32, 64)]
    points = [RatePoint(name, 1, 0.5, 30.0, codec_id=name) for name in names]
    chart = interactive.rate_distortion(
        points, [], line_styles(names), metric="PSNR", better="higher", decibels=False, logarithmic=True,
        dark=True,
    ).to_dict()  # fmt: skip
    line = next(layer for layer in chart["layer"] if layer["mark"]["type"] == "line")
    legend = line["encoding"]["color"]["legend"]["labelExpr"]
    assert json.loads(legend.split("(", 1)[1].rsplit(")[datum.label]", 1)[0]) == {
        names[0]: "latent(…, steps=32)", names[1]: "latent(…, steps=64)",
    }  # fmt: skip
    assert line["encoding"]["color"]["scale"]["domain"] == names  # tooltips have the whole names


def test_gains_over_costs() -> None:
    points = [TradePoint("zip", 20.0, -35.0, True)]
    chart = interactive.trade(points, STYLES, cost="ms", gain="%", less_is_better=True, dark=False).to_dict()
    assert marks(chart) == [
        {"type": "line", "strokeWidth": 1.2, "strokeDash": [4, 3], "color": INK},
        {"type": "point", "filled": True, "opacity": 1},
        {"type": "text", "align": "left", "dx": 9, "dy": -7, "fontSize": 11, "color": INK},
    ]
    front, point, _ = chart["layer"]
    assert front["transform"] == [{"filter": "datum.on_front"}]
    assert point["encoding"]["x"]["scale"] == {"type": "log", "nice": False, "padding": 16}
    assert point["encoding"]["y"]["scale"]["zero"] is False
    assert words(point) == [
        ("codec", None, None), ("cost", "ms", ".3~g"), ("gain", "%", ".4~g"),
    ]  # fmt: skip
    assert chart["height"] == 460


@pytest.mark.parametrize("zero", [True, False])
def test_values_with_their_ends(zero: bool) -> None:
    points = [
        SpanPoint(name, group, 1.0, 0.5, 2.0) for name in ("a", "b", "c") for group in ("x", "y", "z", "w")
    ]
    chart = interactive.spans(
        points, title="JOD", groups=["x", "y", "z", "w"], dark=False, zero=zero
    ).to_dict()
    *rule, bar, point = chart["layer"]
    assert marks(chart)[-2:] == [
        {"type": "rule", "strokeWidth": 3, "opacity": 0.45},
        {"type": "point", "size": 60, "filled": True, "opacity": 1},
    ]
    assert [layer["mark"] for layer in rule] == [{"type": "rule", "color": "#8a8f98"}] * zero
    assert bar["transform"] == [{"filter": "isValid(datum.low)"}]
    for axis in (bar["encoding"]["x"], point["encoding"]["x"]):
        assert (axis["title"], axis["scale"]) == ("JOD", {"zero": zero})
    assert point["encoding"]["x"]["axis"] == {"tickCount": 10, "format": "~f"}
    assert point["encoding"]["y"]["axis"] == {"labelLimit": 240}
    assert point["encoding"]["color"]["scale"]["range"] == ["#0072b2", "#d55e00", "#009e73", "#6b4c9a"]
    assert point["encoding"]["shape"]["scale"] == {"domain": ["x", "y", "z", "w"]}
    for legend in (point["encoding"]["color"]["legend"], point["encoding"]["shape"]["legend"]):
        assert legend == {"orient": "top", "title": None, "symbolOpacity": 1}
    assert words(point) == [
        ("name", None, None), ("group", None, None), ("value", None, "+.1f" if zero else ".3f"),
        ("interval", "95 %", None),
    ]  # fmt: skip
    assert chart["height"] == 90 + 26 * 3 * 2


def test_one_group_needs_no_legend() -> None:
    chart = interactive.spans([SpanPoint("a", "x", 1.0, None, None)], title="JOD", groups=["x"], dark=False)
    point = chart.to_dict()["layer"][-1]["encoding"]
    assert (point["color"]["legend"], point["shape"]["legend"]) == (None, None)


def test_curves_in_print() -> None:
    figure = rate_distortion([*ZIP, *WEBP], STYLES, metric="PSNR", title="zoo", published=THEIRS)
    (axes,), (legend,) = figure.axes, figure.legends
    assert (figure.get_size_inches()[0], figure.get_dpi()) == (6.6, 200)
    curves = {to_hex(line.get_color()): line for line in axes.lines if len(line.get_xdata())}
    zip_, webp = curves[STYLES["zip"].colour], curves[STYLES["webp"].colour]
    for curve, marker in ((zip_, "o"), (webp, "o")):
        assert (curve.get_linewidth(), curve.get_markersize(), curve.get_marker()) == (1.8, 6, marker)
    assert list(webp.get_xdata()) == [0.5, 1.0]
    theirs = curves[PUBLISHED]
    assert (theirs.get_linewidth(), theirs.get_markersize(), theirs.get_marker()) == (1, 3.5, "o")
    (bar,) = axes.collections  # one point has an interval
    assert (bar.get_alpha(), bar.get_linewidth()[0]) == (0.6, 1.6)
    assert axes.get_legend() is None
    assert (legend._ncols, legend.get_frame_on(), legend.handlelength) == (3, False, 2.8)
    samples = [
        (to_hex(line.get_color()), line.get_marker(), line.get_linewidth(), line.get_markersize())
        for line in legend.get_lines()
    ]
    assert samples == [
        (STYLES["zip"].colour, "o", 1.8, 6), (STYLES["webp"].colour, "o", 1.8, 6), (GREY, "o", 1, 3.5),
    ]  # fmt: skip
    assert legend.get_lines()[0].get_markeredgecolor() == "white"
    assert axes.title.get_text() == ""
    assert figure._suptitle.get_fontsize() == 12


def test_ticks_of_rates_and_similarities() -> None:
    points = [RatePoint("zip", 1, 0.09, 0.45), RatePoint("zip", 2, 6.0, 0.9995)]
    figure = rate_distortion(points, STYLES, metric="SSIM", decibels=True)
    (axes,) = figure.axes
    figure.draw_without_rendering()
    low, high = axes.get_xlim()
    ticks = [tick for tick in axes.xaxis.get_major_locator()() if low <= tick <= high]
    assert [axes.xaxis.get_major_formatter()(tick) for tick in ticks] == [
        "0.1", "0.2", "0.5", "1", "2", "5",
    ]  # fmt: skip
    assert {text.get_text() for text in axes.get_xticklabels(minor=True)} <= {""}
    assert [text.get_text() for text in axes.get_yticklabels()] == [
        "0.5", "0.7", "0.8", "0.9", "0.95", "0.98", "0.99", "0.995", "0.998", "0.999",
    ]  # fmt: skip
