"""Which picture a metric hands to a program as the original, and which of the printed numbers it takes."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import pytest

from codecarena.bench.metrics import ffmpeg
from codecarena.bench.metrics.base import MetricError
from codecarena.bench.metrics.colorvideovdp import ColorVideoVdp
from codecarena.bench.metrics.registry import create, entries
from codecarena.codecs.base import Image, Picture

ORIGINAL = np.random.default_rng(1).integers(0, 256, (33, 40, 3), dtype=np.uint8)
DECODED = np.random.default_rng(2).integers(0, 256, (33, 40, 3), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that comes first on PATH."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def program(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def score(name: str, original: Image = ORIGINAL, decoded: Image = DECODED) -> float:
    metric = create(name)
    return metric.score(metric.prepare(Picture(original)), decoded)


def ppm(pixels: Image) -> bytes:
    return b"P6\n40 33\n255\n" + pixels.tobytes()


@pytest.mark.parametrize(
    ("name", "called", "printed", "expected"),
    [
        # As the programs of libjxl 0.7 to 0.11 print them.
        ("ssimulacra2", "ssimulacra2", "71.50640000", 71.5064),
        ("butteraugli", "butteraugli_main", "3.4766132832\n3-norm: 1.636817", 3.4766132832),
        ("butteraugli-3norm", "butteraugli_main", "3.4766132832\n3-norm: 1.636817", 1.636817),
    ],
)
def test_libjxls_programs_get_the_original_first_and_the_decoded_picture_second(
    name: str, called: str, printed: str, expected: float, folder: Path
) -> None:
    copies = f'cp "$1" "{folder}/first"; cp "$2" "{folder}/second"; echo $# > "{folder}/count"'
    program(folder / called, f"{copies}\nprintf '{printed}\\n'")
    # Pictures of their own, because Butteraugli's two norms share one run for a pair.
    original, decoded = (np.roll(pixels, len(name), axis=0) for pixels in (ORIGINAL, DECODED))
    assert score(name, original, decoded) == expected
    assert (folder / "first").read_bytes() == ppm(original)
    assert (folder / "second").read_bytes() == ppm(decoded)
    assert (folder / "count").read_text() == "2\n"


VMAF_LOG = (
    '{"frames": [{"frameNum": 0, "metrics": {"vmaf": 89.25, "vmaf-neg": 87.5}}], "pooled_metrics": '
    '{"vmaf": {"mean": 1.0}}}'
)
XPSNR_LOG = "n:    1  XPSNR y: 36.9247  XPSNR u: 41.5000  XPSNR v: 42.5000"


@pytest.mark.parametrize(
    ("name", "file", "log", "expected"),
    [
        ("vmaf", "vmaf.json", VMAF_LOG, 89.25),
        ("vmaf-neg", "vmaf.json", VMAF_LOG, 87.5),
        ("xpsnr", "xpsnr.log", XPSNR_LOG, 36.9247),
    ],
)
def test_ffmpegs_filters_get_the_decoded_picture_first_and_the_original_second(
    name: str, file: str, log: str, expected: float, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As their documentation asks: the first input is the distorted one, the second the reference."""
    (folder / "log").write_text(log)
    keep = f'printf "%s\\n" "$@" > "{folder}/words"; cp original decoded "{folder}"; cp "{folder}/log" {file}'
    program(folder / "stand-in", keep)
    monkeypatch.setattr(ffmpeg, "_ffmpeg", lambda: (str(folder / "stand-in"), "7.0"))
    original, decoded = (np.roll(pixels, len(name), axis=0) for pixels in (ORIGINAL, DECODED))
    assert score(name, original, decoded) == expected
    words = (folder / "words").read_text().splitlines()
    assert [words[place + 1] for place, word in enumerate(words) if word == "-i"] == ["decoded", "original"]
    assert [words[place + 1] for place, word in enumerate(words) if word == "-s"] == ["40x33", "40x33"]
    first, second, compared = words[words.index("-filter_complex") + 1].split(";")
    assert (first[:5], first[-9:]) == ("[0:v]", "[decoded]")
    assert (second[:5], second[-10:]) == ("[1:v]", "[original]")
    assert compared.startswith("[decoded][original]")
    assert (folder / "original").read_bytes() == original.tobytes()
    assert (folder / "decoded").read_bytes() == decoded.tobytes()


def test_a_decoded_picture_with_more_contrast_than_the_original_gains_vmaf_and_not_vmaf_neg() -> None:
    """What NEG was made for: enhancement counts for nothing (Li et al., 2020)."""
    if missing := entries()["vmaf"].missing:
        pytest.skip(missing)
    rows, columns = np.mgrid[:96, :96]
    waves = 128 + 40 * np.sin(columns / 3) * np.cos(rows / 5)
    soft, strong = (
        np.repeat(np.clip(128 + gain * (waves - 128), 0, 255).astype(np.uint8)[..., None], 3, axis=2)
        for gain in (1.0, 1.6)
    )
    assert score("vmaf", soft, strong) > score("vmaf", soft, soft)
    assert score("vmaf-neg", soft, strong) <= score("vmaf-neg", soft, soft) + 0.01
    assert score("vmaf", strong, soft) < score("vmaf", strong, strong) - 10


def test_colorvideovdp_refuses_a_picture_that_has_too_few_pixels_for_its_pyramid() -> None:
    """Without loading pycvvdp: that takes seconds."""
    metric = ColorVideoVdp.__new__(ColorVideoVdp)
    with pytest.raises(MetricError, match="cvvdp needs at least 8 pixels"):
        metric.prepare(Picture(np.zeros((9, 7, 3), np.uint8)))


SMALLEST = {
    "ssim": 11,
    "ms-ssim": 161,
    "ssimulacra2-py": 8,
    "butteraugli": 8,
    "psnr-hvs": 8,
    "vmaf": 32,
}


@pytest.mark.parametrize(("name", "side"), SMALLEST.items())
def test_a_metric_takes_the_smallest_side_it_is_defined_for_and_no_smaller(name: str, side: int) -> None:
    if missing := entries()[name].missing:
        pytest.skip(missing)
    metric = create(name)
    taken = np.full((side, side + 3, 3), 90, np.uint8)
    metric.score(metric.prepare(Picture(taken)), taken)
    for narrow in (taken[:-1], taken[:, : side - 1]):
        with pytest.raises(MetricError, match=f"{name} needs at least {side} pixels"):
            metric.prepare(Picture(np.ascontiguousarray(narrow)))
