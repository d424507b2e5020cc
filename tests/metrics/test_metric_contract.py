"""The contract that every available metric passes, and values known from elsewhere."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from metric_page import page_rows
from PIL import Image as Pillow
from skimage import data

from codecarena.bench.metrics.base import Metric, MetricError
from codecarena.bench.metrics.registry import create, entries
from codecarena.bench.records.messages import Scored
from codecarena.bench.worker.measure import Worker
from codecarena.codecs.base import Image, Picture

if TYPE_CHECKING:
    from pathlib import Path

# Known text is no photograph, and other people's weights are not here: tests of their own.
ELSEWHERE = {"cer", "clip-similarity", "dino-similarity", "face-identity"}
OURS = [
    name
    for name, entry in entries().items()
    if entry.plugin is None and not name.startswith("pyiqa:") and name not in ELSEWHERE
]
# pyiqa's metrics without weights that take less than a second.
QUICK_IQA = [
    f"pyiqa:{name}" for name in ("psnr", "psnry", "gmsd", "nlpd", "vsi", "piqe", "vif", "cw_ssim", "ssim")
]
NAMES = [*OURS, *QUICK_IQA]
# One rises and falls with the picture's own texture; a face is found or not.
NOT_MONOTONIC = {"pyiqa:piqe", "face-kept"}
ANY_SIZE = {
    *(name for name, row in page_rows().items() if row.least_side == 1),
    *("pyiqa:psnr", "pyiqa:psnry", "pyiqa:nlpd", "pyiqa:vsi"),
}


def jpeg(pixels: Image, quality: int) -> Image:
    stream = io.BytesIO()
    Pillow.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return np.array(Pillow.open(stream))


@pytest.fixture(scope="module")
def pixels() -> Image:
    """A real photograph with two odd sides, large enough for MS-SSIM."""
    return np.ascontiguousarray(data.astronaut()[60:253, 120:335])


def group(name: str) -> pytest.MarkDecorator:
    """One worker makes a metric, and runs all its tests; pyiqa takes seconds to load: one worker does."""
    return pytest.mark.xdist_group("iqa" if name.startswith("pyiqa:") else name)


@pytest.fixture(scope="module", params=[pytest.param(name, marks=group(name)) for name in NAMES])
def metric(request: pytest.FixtureRequest) -> Metric:
    entry = entries()[request.param]
    if entry.missing:
        pytest.skip(f"{request.param}: {entry.missing}")
    return create(request.param)


def picture_of(kind: str, pixels: Image) -> Image:
    """Return the photograph, a picture of one colour of its size, or a tiny one."""
    levels = {"flat": 119, "black": 0, "white": 255}
    if kind in levels:
        return np.full_like(pixels, levels[kind])
    return np.ascontiguousarray(pixels[:17, :13]) if kind == "tiny" else pixels


def scores_of(metric: Metric, original: Image, pictures: list[Image]) -> list[float]:
    """Return the scores of pictures; none where the metric refuses the original, by its own name."""
    name = metric.identity.name
    try:
        prepared = metric.prepare(Picture(original))
        scores = [metric.score(prepared, decoded) for decoded in pictures]
    except MetricError as error:
        if name not in str(error):
            raise
        return []
    # Some of pyiqa's give NaN where there is no texture, which a worker makes a failure.
    return [score for score in scores if not (name.startswith("pyiqa:") and math.isnan(score))]


@pytest.mark.parametrize("kind", ["natural", "flat", "black", "white", "tiny"])
def test_identical_pictures_get_the_perfect_value_and_none_leaves_the_range(
    metric: Metric, pixels: Image, kind: str
) -> None:
    """The others are off by one level, coarse, and the negative, which no codec would make."""
    picture, facts = picture_of(kind, pixels), metric.facts
    assert facts.lowest < facts.highest
    perfect, *scores = scores_of(
        metric, picture, [picture.copy(), picture ^ 1, jpeg(picture, 5), 255 - picture]
    ) or [None]
    if perfect is None:
        # 0 / 0 is no score; ours refuse no picture but a tiny one, or one without a face.
        assert kind == "tiny" or metric.identity.name.startswith(("pyiqa:", "face-"))
        return
    if facts.perfect is not None:
        assert perfect == pytest.approx(facts.perfect, abs=1e-5)
    if facts.perfect == math.inf:
        # Of damage where the metric does not look.
        scores = [score for score in scores if score != math.inf]
    else:
        scores.append(perfect)
    assert all(facts.lowest - 1e-6 <= score <= facts.highest + 1e-6 for score in scores), scores


def test_more_damage_scores_worse_and_nothing_beats_perfect(metric: Metric, pixels: Image) -> None:
    if metric.identity.name in NOT_MONOTONIC:
        pytest.skip("by design: its value need not fall with every step of damage")
    prepared = metric.prepare(Picture(pixels))
    scores = [metric.score(prepared, jpeg(pixels, quality)) for quality in (90, 50, 10)]
    assert all(type(score) is float for score in scores)
    sign = 1 if metric.facts.better == "higher" else -1
    assert sign * scores[0] > sign * scores[1] > sign * scores[2]
    if metric.facts.perfect is not None:
        assert sign * metric.facts.perfect > sign * scores[0]


@pytest.mark.xdist_group("iqa")
@pytest.mark.parametrize("name", ["pyiqa:cw_ssim", "pyiqa:vif"])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_picture_of_one_colour_has_no_score_where_the_metric_breaks_down(name: str, level: int) -> None:
    """CW-SSIM of identical grey pictures came out as a million, VIF as 0, its worst value."""
    if missing := entries()[name].missing:
        pytest.skip(f"{name}: {missing}")
    flat = np.full((64, 64, 3), level, np.uint8)
    result = Worker().score(name, Picture(flat), flat, lossless=True)
    if isinstance(result, Scored):
        assert result.value == pytest.approx(1.0, abs=1e-5)
    else:
        assert "beside itself" in result.message


def test_one_prepared_original_serves_many_pictures(metric: Metric, pixels: Image) -> None:
    good, bad = jpeg(pixels, 90), jpeg(pixels, 10)
    prepared = metric.prepare(Picture(pixels))
    scores = [metric.score(prepared, decoded) for decoded in (good, bad, good)]
    assert scores[0] == scores[2] != scores[1]


def test_input_is_left_alone_and_may_be_read_only_or_a_view(metric: Metric, pixels: Image) -> None:
    original, decoded = pixels.copy(), jpeg(pixels, 50)
    expected = metric.score(metric.prepare(Picture(original)), decoded)
    wide = np.zeros((decoded.shape[0], decoded.shape[1] + 7, 3), np.uint8)
    wide[:, 3:-4] = decoded
    view = wide[:, 3:-4]
    view.flags.writeable = original.flags.writeable = False
    assert metric.score(metric.prepare(Picture(original)), view) == expected
    assert np.array_equal(original, pixels)
    assert np.array_equal(view, decoded)


def test_other_sizes_and_types_are_refused(metric: Metric, pixels: Image) -> None:
    if metric.needs == "decoded":
        pytest.skip("by design: it looks at one picture only")
    prepared = metric.prepare(Picture(pixels))
    with pytest.raises(MetricError, match="equal size"):
        metric.score(prepared, pixels[:-1])
    with pytest.raises(MetricError, match="equal size"):
        metric.score(prepared, pixels.astype(np.float32))  # pyright: ignore[reportArgumentType]


def test_pictures_that_are_too_small_are_refused_by_name(metric: Metric) -> None:
    tiny = np.full((1, 1, 3), 7, np.uint8)
    name = metric.identity.name
    if name in ANY_SIZE:
        assert isinstance(metric.score(metric.prepare(Picture(tiny)), tiny), float)
        return
    with pytest.raises(MetricError, match=name):
        metric.score(metric.prepare(Picture(tiny)), tiny)


def test_metrics_of_another_picture_size_follow(metric: Metric, pixels: Image) -> None:
    """Reused buffers must not leak from a large picture into a small one."""
    small = np.ascontiguousarray(pixels[:171, :165])
    fresh = create(metric.identity.name)
    large_prepared = metric.prepare(Picture(pixels))
    metric.score(large_prepared, jpeg(pixels, 10))
    damaged = jpeg(small, 50)
    assert metric.score(metric.prepare(Picture(small)), damaged) == fresh.score(
        fresh.prepare(Picture(small)), damaged
    )


# Origins: kodim01 as JPEG quality 50 of Pillow (libjpeg-turbo, 4:2:0). ssim, ms-ssim: pytorch_msssim 1.0.0;
# ciede2000: skimage.color; ssimulacra2-py: the package's own function; butteraugli: libjxl 0.7.0's program,
# with room for newer ones; the others: their own interfaces called by hand. Another JPEG library moves PSNR
# by up to 0.14 dB, so that value is checked first.
GOLDEN = {
    "psnr": (29.867913, 1e-5),
    "ssim": (0.884837, 3e-6),
    "ms-ssim": (0.982328, 1e-6),
    "ciede2000": (3.181905, 2e-6),
    "ssimulacra2-py": (61.433772, 2e-5),
    "butteraugli": (3.4766, 0.2),
    "butteraugli-3norm": (1.6368, 0.1),
    "cvvdp": (9.83790, 1e-3),
    "cvvdp-fhd": (9.42597, 1e-3),
    "flip": (0.0709314, 1e-5),
    "psnr-hvs": (33.991475, 1e-4),
    "psnr-hvs-m": (44.449867, 1e-4),
    "vmaf": (89.484338, 0.05),
    "vmaf-neg": (87.973602, 0.05),
    "xpsnr": (36.9247, 0.01),
}


@pytest.fixture(scope="module")
def kodim01(kodak: list[Path]) -> tuple[Image, Image]:
    original = np.array(Pillow.open(kodak[0]).convert("RGB"))
    decoded = jpeg(original, 50)
    error = np.mean((original.astype(float) - decoded) ** 2)
    if abs(10 * math.log10(255**2 / error) - 29.867913) > 1e-4:
        pytest.skip("this JPEG library decodes to other pixels than the golden values were made from")
    return original, decoded


@pytest.mark.parametrize("name", GOLDEN)
def test_values_known_from_elsewhere(name: str, kodim01: tuple[Image, Image]) -> None:
    missing = entries()[name].missing
    if missing:
        pytest.skip(f"{name}: {missing}")
    original, decoded = kodim01
    metric = create(name)
    expected, tolerance = GOLDEN[name]
    assert metric.score(metric.prepare(Picture(original)), decoded) == pytest.approx(expected, abs=tolerance)
