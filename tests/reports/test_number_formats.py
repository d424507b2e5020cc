"""How numbers are written, at the edges where one more digit, sign or word begins."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from metric_rows import metric_row, named

from codecarena.bench.analysis.codec_grids import CodecFlags
from codecarena.bench.analysis.intervals import Interval, Spread
from codecarena.reports.tables import digits

PSNR = metric_row("aaaaaaaa", "psnr", "codecarena", "0.1", "RGB", "higher", None)
NARROW = "\N{NARROW NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (digits.number(1234567.891, 2), f"1{NARROW}234{NARROW}567.89"),
        (digits.number(-1000, 0), f"−1{NARROW}000"),
        (digits.number(999.5, 0), f"1{NARROW}000"),
        (digits.significant(0), "0"),
        (digits.significant(math.inf), "inf"),
        (digits.significant(1), "1.00"),
        (digits.significant(9.994), "9.99"),
        (digits.significant(10), "10.0"),
        (digits.significant(99.94), "99.9"),
        (digits.significant(100), "100"),
        (digits.significant(-0.5), "−0.500"),
        (digits.significant(0.1), "0.100"),
        (digits.significant(1234.5, 2), f"1{NARROW}234"),
        (digits.significant(0.25, 2), "0.25"),
        (digits.counted(0, "picture"), "0 pictures"),
        (digits.counted(1, "picture"), "1 picture"),
        (digits.counted(2, "picture"), "2 pictures"),
        (digits.counted(1234, "picture"), f"1{NARROW}234 pictures"),
        (digits.rate(0.0999), "0.100"),
        (digits.rate(0.1), "0.10"),
        (digits.rate(2.345), "2.35"),
        (digits.percent(0.0), "0.0"),
        (digits.percent(0.06), "+0.1"),
        (digits.percent(-0.06), "−0.1"),
        (digits.percent(0.04), "0.0"),
        (digits.percent(1234.56), f"+1{NARROW}234.6"),
        (digits.score(named("psnr"), 31.415), "31.41"),
        (digits.score(named("ssimulacra2"), 71.25), "71.2"),
        (digits.score(named("flip"), 0.12345), "0.123"),
        (digits.score(named("unheard-of"), 0.123456), "0.1235"),
        (digits.score(named("unheard-of"), 12.3456), "12.35"),
        (digits.p_value(0.00099), "<0.001"),
        (digits.p_value(0.001), "0.001"),
        (digits.p_value(1.0), "1.000"),
        (digits.p_equals(0.00099), "p < 0.001"),
        (digits.p_equals(0.001), "p = 0.001"),
        (digits.between("1", "2"), "1…2"),
        (digits.shortened(60 * "a"), 60 * "a"),
        (digits.shortened(61 * "a"), f"{59 * 'a'}…"),
        (digits.file_name("Wins by PSNR-HVS · Ködak 24!"), "wins-by-psnr-hvs-k-dak-24"),
        (digits.file_name(59 * "a" + " b"), 59 * "a"),
        (digits.file_name(70 * "a"), 60 * "a"),
        (digits.spread_of_scores(named("psnr"), Spread(31.0, 29.5, 33.25, 7)), "31.00 (29.50…33.25)"),
        (digits.spread_of_amounts(Spread(2000, 500, 30000, 7), 1e-3), "2.00 (0.500…30.0)"),
        (digits.spread_of_amounts(Spread(2, 1, 3, 7)), "2.00 (1.00…3.00)"),
        (digits.with_interval("5", Interval(-2.0, 3.0), digits.percent), "5 (−2.0…+3.0)"),
        (digits.with_interval("5", Interval(None, None, "few"), digits.percent), "5"),
        (digits.with_interval("5", Interval(None, 3.0), digits.percent), "5"),
        (digits.with_interval("5", Interval(0.0, 0.0), digits.percent), "5 (0.0…0.0)"),
    ],
)
def test_numbers(text: str, expected: str) -> None:
    assert text == expected


def test_scores_are_rounded_to_what_is_shown() -> None:
    assert digits.rounded(named("psnr"), 31.4159) == 31.42
    assert digits.rounded(named("ssimulacra2"), 71.26) == 71.3
    assert digits.rounded(named("unheard-of"), 1.23456) == 1.235


@pytest.mark.parametrize(
    ("name", "title", "unit", "written"),
    [
        ("psnr", "PSNR", "dB", "1.23"),
        ("psnr-y", "PSNR-Y", "dB", "1.23"),
        ("psnr-hvs", "PSNR-HVS", "dB", "1.23"),
        ("psnr-hvs-m", "PSNR-HVS-M", "dB", "1.23"),
        ("xpsnr", "XPSNR", "dB", "1.23"),
        ("ssim", "SSIM", "", "1.2346"),
        ("ms-ssim", "MS-SSIM", "", "1.2346"),
        ("ciede2000", "CIEDE2000", "", "1.23"),
        ("ssimulacra2", "SSIMULACRA2", "", "1.2"),
        ("ssimulacra2-py", "SSIMULACRA2-py", "", "1.2"),
        ("butteraugli", "Butteraugli", "", "1.23"),
        ("butteraugli-3norm", "Butteraugli 3-norm", "", "1.23"),
        ("vmaf", "VMAF", "", "1.2"),
        ("vmaf-neg", "VMAF NEG", "", "1.2"),
        ("cvvdp", "ColorVideoVDP", "JOD", "1.23"),
        ("cvvdp-fhd", "ColorVideoVDP FHD", "JOD", "1.23"),
        ("flip", "FLIP", "", "1.235"),
        ("unheard-of", "unheard-of", "", "1.235"),
    ],
)
def test_each_metric_has_its_title_unit_and_decimals(name: str, title: str, unit: str, written: str) -> None:
    metric = named(name)
    assert digits.metric_title(metric, [metric]) == title
    assert digits.unit_of(metric) == unit
    assert digits.score(metric, 1.23456) == written


def test_a_metrics_title_tells_as_much_as_keeps_it_apart() -> None:
    ssim = metric_row("bbbbbbbb", "ssim", "codecarena", "0.1", "RGB", "higher", 1.0)
    newer = replace(PSNR, metric_id="cccccccc", version="0.2")
    other_space = replace(PSNR, metric_id="dddddddddd", colour_space="Y")
    assert digits.metric_title(PSNR, [PSNR, ssim]) == "PSNR"
    assert digits.metric_title(PSNR, [PSNR, newer]) == "PSNR (codecarena 0.1)"
    assert digits.metric_title(newer, [PSNR, newer, other_space]) == "PSNR (codecarena 0.2)"
    assert digits.metric_title(other_space, [PSNR, newer, other_space]) == "PSNR (codecarena 0.1 dddddd)"


def test_marks_behind_a_name_and_what_they_mean() -> None:
    flags = CodecFlags(
        imported=True,
        bitstreams=1200,
        verified=7,
        isolated=5,
        wrong=3,
        encoder_varies=True,
        provenance="a paper",
        estimated=True,
    )
    assert digits.marks(flags, toy=True) == ["(toy)", "(imported)", "(estimated)", "✗", "~"]
    assert digits.marks(CodecFlags(), toy=True) == ["(toy)"]
    assert digits.marks(CodecFlags(imported=True), toy=False) == ["(imported)"]
    assert digits.marks(CodecFlags(wrong=1), toy=False) == ["✗"]
    assert digits.marks(CodecFlags(encoder_varies=True), toy=False) == ["~"]
    wrong, varies, imported, estimated = digits.mark_notes("jpeg", flags)
    assert wrong.startswith(f"✗ jpeg: 3 of 1{NARROW}200 bitstreams did not give the measured pixels")
    assert varies.startswith("~ jpeg: its encoder wrote other bytes")
    assert imported.startswith("(imported) jpeg: ")
    assert imported.endswith("no bitstream to verify. a paper")
    assert estimated == (
        "(estimated) jpeg: rates that an entropy model estimates, sizes of no bitstream; every BD-rate of it "
        "or against it is an estimate too."
    )
    assert digits.mark_notes("jpeg", CodecFlags(bitstreams=9, verified=9, isolated=9)) == []
    assert digits.mark_notes("jpeg", CodecFlags(imported=True))[0].endswith("no bitstream to verify.")
