"""Published numbers come out of our whole path: CompressAI's Kodak curves (its results/image/kodak)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

import pytest

from arena import call
from codecarena.bench.store.rows import ScoredCell
from codecarena.bench.store.store import Store

QUALITIES = range(5, 100, 5)


@pytest.fixture(scope="module")
def arena(kodak: list[Path], test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("published")
    words = ("run", "kodak-classic", "--only", "codec=jpeg,webp", "--data", test_data)
    ended = call(*words, folder=folder)
    assert ended.returncode == 0, ended.stderr
    return Store(str(folder / "arena"))


def means(store: Store, codec: str) -> Iterator[tuple[float, float, float]]:
    """Yield mean bits per pixel, PSNR and MS-SSIM over the 24 pictures at each quality."""
    metrics = {metric.name: metric.metric_id for metric in store.metrics()}
    for quality in QUALITIES:
        cells = [cell for cell in store.cells("kodak") if (cell.codec, cell.quality) == (codec, quality)]
        assert len(cells) == 24
        bits_per_pixel = fmean(cell.bits_per_pixel for cell in cells)
        yield bits_per_pixel, mean(cells, metrics["psnr"]), mean(cells, metrics["ms-ssim"])


def mean(cells: list[ScoredCell], metric_id: str) -> float:
    return fmean(cell.scores[metric_id].value or 0.0 for cell in cells)


def published(folder: Path, codec: str) -> list[tuple[float, float, float]]:
    curves = json.loads((folder / "published" / "compressai_kodak" / f"{codec}.json").read_text())["results"]
    return sorted(zip(curves["bpp"], curves["psnr-rgb"], curves["ms-ssim-rgb"], strict=True))


def test_every_published_webp_point_is_reproduced(arena: Store, test_data: Path) -> None:
    ours, theirs = list(means(arena, "webp")), published(test_data, "webp")
    assert len(ours) == len(theirs) == 19
    for (rate, psnr_db, ms_ssim), (their_rate, their_psnr_db, their_ms_ssim) in zip(
        ours, theirs, strict=True
    ):
        assert rate == pytest.approx(their_rate, abs=1e-5)
        assert psnr_db == pytest.approx(their_psnr_db, abs=2e-4)
        assert ms_ssim == pytest.approx(their_ms_ssim, abs=1e-5)


def test_every_published_jpeg_point_is_reproduced_as_far_as_its_library_allows(
    arena: Store, test_data: Path
) -> None:
    ours, theirs = list(means(arena, "jpeg")), published(test_data, "jpeg")
    assert len(ours) == len(theirs) == 19
    for (rate, psnr_db, _), (their_rate, their_psnr_db, _) in zip(ours, theirs, strict=True):
        assert rate == pytest.approx(their_rate, rel=0.003)
        # The published build of the library decoded worse than today's.
        assert 0 <= psnr_db - their_psnr_db <= 0.14
