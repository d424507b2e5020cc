"""What is handed to a chart: the right series on the right axis, in the right colour."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.text import Text

from codecarena.reports.charts import interactive
from codecarena.reports.charts.chart_points import SpanPoint, TradePoint
from codecarena.reports.charts.interactive import INK, SHAPES
from codecarena.reports.charts.line_styles import (
    COLOURS,
    DARK,
    DASHES,
    MARKERS,
    PUBLISHED,
    decibels_of,
    line_styles,
)
from codecarena.reports.charts.rd_figure import rate_distortion
from codecarena.reports.charts.scale_figure import NARROW, WIDE, scale_chart
from codecarena.reports.tables.leaderboard_tables import RatePoint

ZIP = [RatePoint("zip", 3, 2.0, 39.0), RatePoint("zip", 1, 0.25, 30.5, low=29.0, high=32.5)]
AVIF = [RatePoint("avif", 7, 0.5, 34.0, toy=True, codec_id="avif-id")]
STYLES = line_styles(["zip", "avif"])


def lines_of(figure: Any, colour: str) -> list[tuple[list[float], list[float]]]:
    return [
        (list(line.get_xdata()), list(line.get_ydata()))
        for line in figure.axes[0].lines
        if len(line.get_xdata()) and to_hex(line.get_color()) == colour
    ]


def test_rates_lie_on_the_horizontal_axis_and_scores_on_the_vertical_one() -> None:
    figure = rate_distortion([*ZIP, *AVIF], STYLES, metric="PSNR", unit="dB", title="photos")
    (axes,) = figure.axes
    assert lines_of(figure, STYLES["zip"].colour) == [([0.25, 2.0], [30.5, 39.0])]
    assert lines_of(figure, STYLES["avif"].colour) == [([0.5], [34.0])]
    assert axes.get_xlabel() == "rate (bits per pixel, logarithmic)"
    assert axes.get_ylabel() == "PSNR (dB)"
    assert figure.get_suptitle() == "photos"
    (band,) = axes.collections
    assert band.get_paths()[0].vertices[:, 1].min() == 29.0
    assert band.get_paths()[0].vertices[:, 1].max() == 32.5
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["zip", "avif (toy)"]
    assert not axes.yaxis_inverted()
    assert [side for side, line in axes.spines.items() if line.get_visible()] == ["left", "bottom"]
    assert (axes.get_xscale(), [to_hex(tick.get_color()) for tick in axes.get_xgridlines()][:1]) == (
        "log", ["#e6e8eb"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("better", "legend", "label"),
    [("higher", ["top", "low"], "score"), ("lower", ["low", "top"], "score, axis turned: better is up")],
)
def test_the_best_curve_stands_first_in_the_legend(better: Any, legend: list[str], label: str) -> None:
    points = [RatePoint("low", 1, 1.0, 10.0), RatePoint("top", 1, 1.0, 20.0), RatePoint("low", 2, 2.0, 12.0),
              RatePoint("top", 2, 2.0, 18.0)]  # fmt: skip
    figure = rate_distortion(points, line_styles(["low", "top"]), metric="score", better=better)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == legend
    assert figure.axes[0].get_ylabel() == label
    assert bool(figure.axes[0].yaxis_inverted()) is (better == "lower")


def test_similarities_stand_at_equal_steps_of_decibels() -> None:
    assert decibels_of(np.array([0.0, 0.9, 0.99, 0.999])) == pytest.approx([0, 10, 20, 30])
    assert decibels_of(np.array([1.0])) == pytest.approx([90])
    points = [RatePoint("zip", 1, 1.0, 0.9, low=0.684, high=0.95), RatePoint("zip", 2, 2.0, 0.99)]
    published = [RatePoint("theirs", 1, 1.0, 0.999)]
    figure = rate_distortion(points, STYLES, metric="SSIM", decibels=True, published=published)
    # From 5 to 30 dB with 5 % of 25 dB on either side.
    low, high = figure.axes[0].get_ylim()
    assert decibels_of(np.array([low, high])) == pytest.approx([5 - 1.25, 30 + 1.25], abs=0.01)
    alike = rate_distortion(points[1:], STYLES, metric="SSIM", decibels=True)
    assert decibels_of(np.array(alike.axes[0].get_ylim())) == pytest.approx([19.95, 20.05])


def test_published_curves_differ_in_dashes_and_markers_and_none_is_solid() -> None:
    others = [RatePoint(f"theirs{place}", 1, 1.0 + place, 30.0 + place) for place in range(4)]
    figure = rate_distortion(ZIP, STYLES, metric="PSNR", published=others)
    grey = [line for line in figure.axes[0].lines if line.get_color() == PUBLISHED]
    assert [line.get_marker() for line in grey] == list(MARKERS[:4])
    # Dashes are in widths of the line, which is 1 point; the fourth curve begins again with the first dashes.
    assert [line._dash_pattern[1] for line in grey] == [  # type: ignore[attr-defined]
        [4, 1.5], [1.2, 1.2], [6, 1.5, 1.2, 1.5], [4, 1.5],
    ]  # fmt: skip
    assert [text.get_text() for text in figure.legends[0].get_texts()][1:] == [f"theirs{n}" for n in range(4)]


def test_looks_of_known_codecs_their_relatives_and_others() -> None:
    styles = line_styles(
        ["jpeg", "mozjpeg", "jpegli", "webp", "jpeg(subsampling=444)", "aaa", "bbb q", "bbb(x=1)"]
    )
    assert {name: COLOURS.index(look.colour) for name, look in styles.items()} == {
        "jpeg": 0, "mozjpeg": 0, "jpegli": 0, "webp": 1, "jpeg(subsampling=444)": 0, "aaa": 14, "bbb q": 15,
        "bbb(x=1)": 15,
    }  # fmt: skip
    assert {name: MARKERS.index(look.marker) for name, look in styles.items()} == {
        "jpeg": 0, "mozjpeg": 1, "jpegli": 2, "webp": 0, "jpeg(subsampling=444)": 2, "aaa": 0, "bbb q": 0,
        "bbb(x=1)": 2,
    }  # fmt: skip
    assert styles["jpeg"].dashes == DASHES[0]
    assert styles["mozjpeg"].dashes == DASHES[1]
    many = line_styles([f"new{place:02}" for place in range(17)])
    assert len({look.colour for look in many.values()}) == 16
    assert many["new16"].colour == many["new00"].colour
    assert many["new16"].marker != many["new00"].marker


@pytest.mark.parametrize(
    ("family", "colour"),
    [
        (("jpeg", "mozjpeg", "jpegli"), 0), (("webp",), 1), (("avif", "avif-svt", "avif-rav1e"), 2),
        (("jpeg2000", "jpegxr"), 3), (("jpegxl",), 4), (("heic",), 5), (("vvc",), 6), (("png",), 7),
    ],
)  # fmt: skip
def test_relatives_share_a_colour_and_the_first_is_drawn_plainly(
    family: tuple[str, ...], colour: int
) -> None:
    styles = line_styles(family)
    assert {look.colour for look in styles.values()} == {COLOURS[colour]}
    assert [styles[name].marker for name in family] == ["o", "s", "^"][: len(family)]
    assert [styles[name].dashes for name in family] == list(DASHES[: len(family)])
    assert DASHES[0] == (1, 0)


def test_no_name_is_read_as_mathematics() -> None:
    figure = rate_distortion(
        [RatePoint("$x$", 1, 1.0, 30.0)], line_styles(["$x$"]), metric="$y$", title="$t$"
    )
    scale: Any = SimpleNamespace(unit="JOD", conditions=[
        SimpleNamespace(condition="$c$", value=1.0, by_rater=None, by_rater_and_picture=None),
    ])  # fmt: skip
    named = [text for drawn in (figure, scale_chart(scale, "$s$")) for text in drawn.findobj(Text)]
    parsed = {text.get_text(): text.get_parse_math() for text in named if "$" in text.get_text()}
    assert parsed == dict.fromkeys(("$x$", "$y$", "$t$", "$c$", "$s$"), False)


def spec(chart: Any) -> dict[str, Any]:
    return chart.to_dict()


def encodings(chart: Any) -> list[dict[str, Any]]:
    return [layer["encoding"] for layer in spec(chart)["layer"]]


def rows_of(chart: Any) -> list[list[dict[str, Any]]]:
    return list(spec(chart)["datasets"].values())


def drawn(points: list[RatePoint], published: list[RatePoint] | None = None, **changes: Any) -> Any:
    known: dict[str, Any] = {
        "metric": "PSNR", "better": "higher", "decibels": False, "logarithmic": True, "dark": False,
    }  # fmt: skip
    return interactive.rate_distortion(points, published or [], STYLES, **{**known, **changes})


def test_the_page_draws_scores_over_rates_with_every_point_told() -> None:
    chart = drawn([*ZIP, *AVIF], [RatePoint("theirs", 1, 1.5, 37.0)])
    band, line, point, *published = encodings(chart)
    assert (band["x"]["field"], band["y"]["field"], band["y2"]["field"]) == (
        "bits_per_pixel",
        "low_at",
        "high_at",
    )
    for encoding in (line, point):
        assert (encoding["x"]["field"], encoding["y"]["field"]) == ("bits_per_pixel", "score_at")
        assert encoding["x"]["title"] == "rate (bits per pixel, logarithmic)"
        assert encoding["x"]["scale"]["type"] == "log"
        assert encoding["y"]["title"] == "PSNR"
        assert encoding["y"]["scale"]["reverse"] is False
        scale = encoding["color"]["scale"]
        assert dict(zip(scale["domain"], scale["range"], strict=True)) == {
            "zip": STYLES["zip"].colour, "avif (toy)": STYLES["avif"].colour,
        }  # fmt: skip
    scale = point["shape"]["scale"]
    assert dict(zip(scale["domain"], scale["range"], strict=True)) == {
        "zip": SHAPES[STYLES["zip"].marker], "avif (toy)": SHAPES[STYLES["avif"].marker],
    }  # fmt: skip
    assert [channel["field"] for channel in point["tooltip"]] == [
        "codec", "setting", "bits_per_pixel", "score", "interval",
    ]  # fmt: skip
    assert len(published) == 3
    drawn_as = spec(chart)["layer"]
    assert (drawn_as[2]["mark"]["type"], drawn_as[2]["mark"]["filled"]) == ("point", True)
    assert [channel["field"] for channel in (line["strokeDash"], line["order"])] == [
        "codec_id",
        "bits_per_pixel",
    ]
    assert spec(chart)["height"] == interactive.HEIGHT
    points, theirs = sorted(rows_of(chart), key=len, reverse=True)
    assert [(point["codec"], point["bits_per_pixel"], point["score_at"]) for point in points] == [
        ("zip", 2.0, 39.0), ("zip", 0.25, 30.5), ("avif (toy)", 0.5, 34.0),
    ]  # fmt: skip
    assert [(point["low_at"], point["high_at"]) for point in points] == [
        (None, None),
        (29.0, 32.5),
        (None, None),
    ]
    assert [point["interval"] for point in points] == ["–", "29…32.5", "–"]
    assert [(row["codec"], row["bits_per_pixel"], row["score"]) for row in theirs] == [("theirs", 1.5, 37.0)]


def test_the_page_turns_the_axis_where_less_is_better_and_draws_similarities_in_decibels() -> None:
    (line, point) = encodings(drawn(AVIF, better="lower", logarithmic=False))
    assert line["y"]["scale"]["reverse"] is True
    assert point["x"]["scale"]["type"] == "linear"
    assert point["x"]["title"] == "rate (bits per pixel)"
    assert [channel["field"] for channel in point["tooltip"]] == [
        "codec",
        "setting",
        "bits_per_pixel",
        "score",
    ]
    chart = drawn([RatePoint("zip", 1, 1.0, 0.9, low=0.0, high=0.99)], decibels=True)
    ((row,),) = rows_of(chart)
    assert (row["score"], row["low"], row["high"]) == (0.9, 0.0, 0.99)
    assert (row["score_at"], row["low_at"], row["high_at"]) == pytest.approx((10, 0, 20))
    ticks = encodings(chart)[1]["y"]["axis"]["values"]
    assert ticks[3:7] == pytest.approx([10, 13.0103, 16.9897, 20])


def test_a_dark_ground_has_its_own_colours() -> None:
    assert interactive.on_ground(STYLES, dark=True) == {
        name: DARK[look.colour] for name, look in STYLES.items()
    }
    assert interactive.on_ground(STYLES, dark=False) == {name: look.colour for name, look in STYLES.items()}
    for dark in (True, False):
        chart = spec(drawn([*ZIP], [RatePoint("theirs", 1, 1.5, 37.0)], dark=dark))
        assert chart["config"]["axis"]["labelColor"] == INK[dark]
        assert chart["layer"][3]["mark"]["color"] == (INK[True] if dark else PUBLISHED)


def test_trades_are_gains_over_costs() -> None:
    points = [TradePoint("zip", 20.0, -35.0, True), TradePoint("avif", 70.0, 12.0, False)]
    chart = interactive.trade(points, STYLES, cost="ms", gain="%", less_is_better=True, dark=False)
    front, marks, *labels = encodings(chart)
    for encoding in (front, marks, *labels):
        assert (encoding["x"]["field"], encoding["y"]["field"]) == ("cost", "gain")
        assert (encoding["x"]["title"], encoding["y"]["title"]) == ("ms", "%")
        assert encoding["y"]["scale"]["reverse"] is True
    (table,) = rows_of(chart)
    assert [(row["codec"], row["cost"], row["gain"], row["on_front"]) for row in table] == [
        ("zip", 20.0, -35.0, True), ("avif", 70.0, 12.0, False),
    ]  # fmt: skip
    assert marks["color"]["scale"] == {
        "domain": ["avif", "zip"], "range": [STYLES["avif"].colour, STYLES["zip"].colour],
    }  # fmt: skip
    assert front["order"]["field"] == "cost"
    assert [label["text"]["field"] for label in labels] == ["codec", "codec"]
    assert spec(chart)["layer"][1]["mark"]["filled"] is True
    assert (marks["color"]["legend"], marks["size"]["value"]) == (None, 40)
    assert marks["size"]["condition"] == {"test": "datum.on_front", "value": 130}
    turned = interactive.trade(points, STYLES, cost="ms", gain="dB", less_is_better=False, dark=True)
    assert encodings(turned)[1]["y"]["scale"]["reverse"] is False


def test_spans_are_values_with_their_ends() -> None:
    points = [
        SpanPoint("webp", "natural", -20.0, -25.0, -14.0),
        SpanPoint("avif", "ai-generated", 3.0, None, None),
    ]
    chart = interactive.spans(points, title="BD-rate", groups=["natural", "ai-generated"], dark=False)
    zero, bars, marks = encodings(chart)
    assert zero["x"]["field"] == "zero"
    assert (bars["x"]["field"], bars["x2"]["field"]) == ("low", "high")
    assert (marks["x"]["field"], marks["y"]["field"], marks["yOffset"]["field"]) == ("value", "name", "group")
    assert marks["y"]["sort"] == ["webp", "avif"]
    assert marks["color"]["scale"] == {"domain": ["natural", "ai-generated"], "range": list(COLOURS[:2])}
    assert spec(chart)["height"] == 90 + 26 * 2 * 2
    rows = max(rows_of(chart), key=len)
    assert [(row["value"], row["low"], row["high"]) for row in rows] == [
        (-20.0, -25.0, -14.0),
        (3.0, None, None),
    ]
    assert [row["interval"] for row in rows] == ["−25.0…−14.0", "–"]
    one_group = interactive.spans(
        points[:1], title="JOD", groups=["natural"], dark=True, zero=False, order=["b", "webp"]
    )
    assert len(encodings(one_group)) == 2
    assert spec(one_group)["height"] == 90 + 26 * 2
    assert encodings(one_group)[1]["y"]["sort"] == ["b", "webp"]
    assert encodings(one_group)[1]["color"]["scale"]["range"] == [DARK[COLOURS[0]]]
    assert encodings(one_group)[1]["x"]["scale"]["zero"] is False
    # What no value can pass is drawn, with its number.
    limited = interactive.spans(
        points[:1], title="votes", groups=["natural"], dark=False, zero=False, ceiling=81.25
    )
    *_, line, words = encodings(limited)
    assert (line["x"]["field"], words["x"]["field"], words["text"]["field"]) == (
        "ceiling",
        "ceiling",
        "words",
    )
    assert {"ceiling": 81.25, "words": "at most 81.2"} in [row for rows in rows_of(limited) for row in rows]
    assert [layer["mark"].get("strokeDash") for layer in spec(limited)["layer"]][-2:] == [[4, 3], None]


def test_a_scale_is_drawn_best_on_top_with_both_intervals() -> None:
    def condition(name: str, value: float, *spans: tuple[float, float] | None) -> Any:
        ends = [span and SimpleNamespace(low=span[0], high=span[1]) for span in spans]
        return SimpleNamespace(condition=name, value=value, by_rater=ends[0], by_rater_and_picture=ends[1])

    scale: Any = SimpleNamespace(unit="JOD", conditions=(
        condition("good", 1.5, (1.25, 1.75), (1.0, 2.0)), condition(33 * "n", -0.5, (-0.5, -0.5), None),
    ))  # fmt: skip
    figure = scale_chart(scale, "tea: all raters")
    (axes,) = figure.axes
    three = SimpleNamespace(unit="JOD", conditions=(*scale.conditions, condition("bad", -1.0, None, None)))
    (width, height), (_, taller) = (
        drawn.get_size_inches() for drawn in (figure, scale_chart(three, "tea: all raters"))
    )
    assert (width, taller - height) == pytest.approx((6.6, 0.34))  # a third of an inch a line
    drawn = [
        (to_hex(line.get_color()), list(line.get_xdata()), list(line.get_ydata())) for line in axes.lines
    ]
    assert (WIDE, [1.0, 2.0], [1, 1]) in drawn
    assert (NARROW, [1.25, 1.75], [1, 1]) in drawn
    assert sum(colour in (WIDE, NARROW) for colour, _, _ in drawn) == 2
    assert [(xs, ys) for _, xs, ys in drawn if len(xs) == 1] == [([-0.5], [0]), ([1.5], [1])]
    assert [text.get_text() for text in axes.get_yticklabels()] == [27 * "n" + "…", "good"]
    assert figure.get_suptitle() == "tea: all raters"
    assert axes.get_xlabel() == "JOD"
    assert figure.texts[-1].get_text().startswith("95 % intervals: dark for other raters, light")
