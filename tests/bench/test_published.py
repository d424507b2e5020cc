"""Published numbers come out of our whole path: CompressAI's Kodak curves (its results/image/kodak)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import fmean

import pytest

from arena import call
from codecarena.bench.records.rows import ScoredCell
from codecarena.bench.run.suite import find, load
from codecarena.bench.store.store import Store

QUALITIES = tuple(range(5, 100, 5))
SUITE = """
name = "published"
sets = "kodak"
metrics = {metrics}
[[codecs]]
name = "{codec}"
qualities = {qualities}
"""
COMPARED = {"jpeg": ["psnr"], "webp": ["psnr", "ms-ssim"]}
"""The metrics by codec: what today's library gives for JPEG is compared in PSNR alone."""

pytestmark = [pytest.mark.scaled, pytest.mark.xdist_group("published")]


@pytest.fixture(scope="module")
def qualities(tenth: Callable[[int], int]) -> tuple[int, ...]:
    """Return the settings that are measured: under `make long` each published one, else the middle one."""
    return QUALITIES if tenth(10) == 10 else (50,)


@pytest.fixture(scope="module")
def arena(
    kodak: list[Path],
    test_data: Path,
    qualities: tuple[int, ...],
    tmp_path_factory: pytest.TempPathFactory,
) -> Store:
    folder = tmp_path_factory.mktemp("published")
    for codec, metrics in COMPARED.items():
        suite = SUITE.format(codec=codec, metrics=json.dumps(metrics), qualities=list(qualities))
        (folder / f"{codec}.toml").write_text(suite)
        ended = call("run", f"{codec}.toml", "-j", "1", "--data", test_data, folder=folder)
        assert ended.returncode == 0, ended.stderr
    return Store(str(folder / "arena"))


def means(store: Store, codec: str, qualities: tuple[int, ...]) -> Iterator[tuple[float, ...]]:
    """Yield mean bits per pixel and means of the compared metrics over the 24 pictures, at each quality."""
    metrics = {metric.name: metric.metric_id for metric in store.metrics()}
    for quality in qualities:
        cells = [cell for cell in store.cells("kodak") if (cell.codec, cell.quality) == (codec, quality)]
        assert len(cells) == 24
        bits_per_pixel = fmean(cell.bits_per_pixel for cell in cells)
        yield bits_per_pixel, *(mean(cells, metrics[name]) for name in COMPARED[codec])


def mean(cells: list[ScoredCell], metric_id: str) -> float:
    return fmean(cell.scores[metric_id].value or 0.0 for cell in cells)


def published(folder: Path, codec: str, qualities: tuple[int, ...]) -> list[tuple[float, float, float]]:
    """Return the published points of these settings; the file's 19 rise with the quality."""
    curves = json.loads((folder / "published" / "compressai_kodak" / f"{codec}.json").read_text())["results"]
    points = sorted(zip(curves["bpp"], curves["psnr-rgb"], curves["ms-ssim-rgb"], strict=True))
    by_quality = dict(zip(QUALITIES, points, strict=True))
    return [by_quality[quality] for quality in qualities]


@pytest.mark.parametrize("codec", ["jpeg", "webp"])
def test_the_suite_of_classic_codecs_measures_every_published_setting(codec: str) -> None:
    suite, _ = load(find("kodak-classic"))
    (asked,) = (entry for entry in suite.codecs if entry.name == codec)
    assert asked.ladder(()) == QUALITIES
    assert {"psnr", "ms-ssim"} <= set(suite.metrics)


def test_every_published_webp_point_is_reproduced(
    arena: Store, test_data: Path, qualities: tuple[int, ...]
) -> None:
    computed, theirs = list(means(arena, "webp", qualities)), published(test_data, "webp", qualities)
    for (rate, psnr_db, ms_ssim), (their_rate, their_psnr_db, their_ms_ssim) in zip(
        computed, theirs, strict=True
    ):
        assert rate == pytest.approx(their_rate, abs=1e-5)
        assert psnr_db == pytest.approx(their_psnr_db, abs=2e-4)
        assert ms_ssim == pytest.approx(their_ms_ssim, abs=1e-5)


def test_every_published_jpeg_point_is_reproduced_as_far_as_its_library_allows(
    arena: Store, test_data: Path, qualities: tuple[int, ...]
) -> None:
    computed, theirs = list(means(arena, "jpeg", qualities)), published(test_data, "jpeg", qualities)
    for (rate, psnr_db), (their_rate, their_psnr_db, _) in zip(computed, theirs, strict=True):
        assert rate == pytest.approx(their_rate, rel=0.003)
        # The published build of the library decoded worse than today's.
        assert 0 <= psnr_db - their_psnr_db <= 0.14
