from __future__ import annotations

from dataclasses import replace

import pytest

from codecarena.reports.charts import export, looks, rate_distortion
from codecarena.reports.tables import RatePoint

POINTS = [
    RatePoint("webp", 1, 0.1, 0.9), RatePoint("webp", 2, 1.0, 0.99),
    RatePoint("jpeg", 1, 0.2, 0.9), RatePoint("jpeg", 2, 2.0, 0.98),
]  # fmt: skip


def test_a_codec_keeps_its_look_whatever_else_is_there() -> None:
    few, many = looks(["jpeg", "webp"]), looks(["avif", "jpeg", "mine", "webp", "zzz"])
    assert few["jpeg"] == many["jpeg"]
    assert few["webp"] == many["webp"]
    assert len(set(many.values())) == 5


def test_variants_share_the_colour_and_differ_otherwise() -> None:
    found = looks(["avif", "avif(speed=4)", "avif(speed=8)"])
    assert len({look.colour for look in found.values()}) == 1
    assert len({(look.marker, look.dashes) for look in found.values()}) == 3


def test_the_chart_has_units_a_log_axis_and_a_legend_from_the_top() -> None:
    figure = rate_distortion(
        POINTS, looks(["jpeg", "webp"]), metric="MS-SSIM", decibels=True, marked_rate=0.5
    )
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    assert "bits per pixel" in axes.get_xlabel()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["webp", "jpeg"]
    assert axes.get_ylim()[1] < 1


def test_a_toy_is_named_in_the_legend() -> None:
    toys = [replace(point, toy=point.codec == "jpeg") for point in POINTS]
    figure = rate_distortion(toys, looks(["jpeg", "webp"]), metric="MS-SSIM")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["webp", "jpeg (toy)"]


def test_lower_is_better_is_drawn_upwards() -> None:
    figure = rate_distortion(POINTS, looks(["jpeg", "webp"]), metric="difference", better="lower")
    low, high = figure.axes[0].get_ylim()
    assert low > high


@pytest.mark.parametrize(("form", "start"), [("svg", b"<?xml"), ("pdf", b"%PDF"), ("png", b"\x89PNG")])
def test_files(form: str, start: bytes) -> None:
    figure = rate_distortion(POINTS, looks(["jpeg", "webp"]), metric="PSNR", unit="dB")
    written = export(figure, form)
    assert written.startswith(start)
    if form == "svg":
        assert b"PSNR (dB)" in written
