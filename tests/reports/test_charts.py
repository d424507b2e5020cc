from __future__ import annotations

import re
from dataclasses import replace

import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from codecarena.reports.charts.figures import Format, export
from codecarena.reports.charts.line_styles import PUBLISHED, line_styles
from codecarena.reports.charts.rd_figure import INTERVALS_NOTE, rate_distortion
from codecarena.reports.tables.leaderboard_tables import RatePoint

POINTS = [
    RatePoint("webp", 1, 0.1, 0.9), RatePoint("webp", 2, 1.0, 0.99),
    RatePoint("jpeg", 1, 0.2, 0.9), RatePoint("jpeg", 2, 2.0, 0.98),
]  # fmt: skip


def below(figure: Figure) -> list[str]:
    """Return the lines below a chart."""
    return [
        line for text in figure.texts if text.get_va() == "bottom" for line in text.get_text().split("\n")
    ]


def test_a_codec_keeps_its_look_whatever_else_is_there() -> None:
    few, many = line_styles(["jpeg", "webp"]), line_styles(["avif", "jpeg", "mine", "webp", "zzz"])
    assert few["jpeg"] == many["jpeg"]
    assert few["webp"] == many["webp"]
    assert len(set(many.values())) == 5


def test_variants_share_the_colour_and_differ_otherwise() -> None:
    styles = line_styles(["avif", "avif(speed=4)", "avif(speed=8)"])
    assert len({look.colour for look in styles.values()}) == 1
    assert len({(look.marker, look.dashes) for look in styles.values()}) == 3


def test_the_chart_has_units_a_log_axis_and_a_legend_from_the_top() -> None:
    figure = rate_distortion(POINTS, line_styles(["jpeg", "webp"]), metric="MS-SSIM", decibels=True)
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    assert "bits per pixel" in axes.get_xlabel()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["webp", "jpeg"]
    assert axes.get_ylim()[1] < 1


def test_a_toy_is_named_in_the_legend() -> None:
    toys = [replace(point, toy=point.codec == "jpeg") for point in POINTS]
    figure = rate_distortion(toys, line_styles(["jpeg", "webp"]), metric="MS-SSIM")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["webp", "jpeg (toy)"]


def test_intervals_become_bands_in_the_colour_of_their_codec() -> None:
    webp = [replace(point, low=point.score - 0.01, high=point.score + 0.005) for point in POINTS[:2]]
    styles = line_styles(["jpeg", "webp"])
    figure = rate_distortion([*webp, *POINTS[2:]], styles, metric="SSIM", decibels=True, title="kodak")
    (band,) = figure.axes[0].collections
    assert to_hex(band.get_facecolor()[0]) == styles["webp"].colour
    corners = band.get_paths()[0].vertices
    assert (corners[:, 1].min(), corners[:, 1].max()) == pytest.approx((0.89, 0.995))
    assert figure.axes[0].get_ylim()[0] < 0.89
    assert (figure.get_suptitle(), below(figure)) == ("kodak", [INTERVALS_NOTE])
    bare = rate_distortion(POINTS, styles, metric="SSIM", title="kodak")
    assert not bare.axes[0].collections
    assert (bare.get_suptitle(), below(bare)) == ("kodak", [])


def test_a_long_title_leaves_room_for_the_chart() -> None:
    figure = rate_distortion(POINTS, line_styles(["jpeg", "webp"]), metric="SSIM", title=200 * "w")
    assert len(figure.get_suptitle().split("\n")) == 2
    assert figure.get_suptitle().endswith("…")
    export(figure, "png")  # warns, which is an error here, where no room is left


def test_published_curves_are_grey_and_in_the_legend() -> None:
    other = [RatePoint("theirs (published)", 0, rate, 0.95 + rate / 100) for rate in (1.0, 0.5)]
    figure = rate_distortion(
        POINTS, line_styles(["jpeg", "webp"]), metric="SSIM", logarithmic=False, published=other
    )
    (axes,) = figure.axes
    assert [text.get_text() for text in figure.legends[0].get_texts()][-1] == "theirs (published)"
    (line,) = [line for line in axes.lines if line.get_color() == PUBLISHED]
    assert list(line.get_xdata()) == [0.5, 1.0]
    assert axes.get_xscale() == "linear"
    assert axes.get_xlabel() == "rate (bits per pixel)"


def test_lower_is_better_is_drawn_upwards() -> None:
    figure = rate_distortion(POINTS, line_styles(["jpeg", "webp"]), metric="difference", better="lower")
    low, high = figure.axes[0].get_ylim()
    assert low > high


@pytest.mark.parametrize(("form", "start"), [("svg", b"<?xml"), ("pdf", b"%PDF"), ("png", b"\x89PNG")])
def test_files(form: str, start: bytes) -> None:
    figure = rate_distortion(POINTS, line_styles(["jpeg", "webp"]), metric="PSNR", unit="dB")
    written = export(figure, form)
    assert written.startswith(start)
    if form == "svg":
        assert b">PSNR (dB)</text>" in written
    if form == "pdf":
        assert b"/FontFile2" in written  # TrueType, which other programs can edit


@pytest.mark.parametrize("form", ["png", "pdf"])
def test_signs_that_the_font_lacks_are_told_by_number(form: Format) -> None:
    named = [replace(point, codec=f"{point.codec} 🦆 写真") for point in POINTS]
    styles = line_styles(point.codec for point in named)
    figure = rate_distortion(named, styles, metric="PSNR 🦆", title="写真")
    export(figure, form)  # a warning of Matplotlib's, that a sign will be a box, would fail here
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["webp U+1F986 U+5199U+771F", "jpeg U+1F986 U+5199U+771F"]
    (axes,) = figure.axes
    assert axes.get_ylabel() == "PSNR U+1F986"
    assert figure.get_suptitle().startswith("U+5199U+771F")


def test_svg_keeps_every_sign() -> None:
    figure = rate_distortion(POINTS, line_styles(["jpeg", "webp"]), metric="PSNR 🦆", title="写真")
    assert {"PSNR 🦆", "写真"} <= set(re.findall(r">([^<>]+)</text>", export(figure, "svg").decode()))
