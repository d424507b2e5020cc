"""A small arena for the report tests: two photographs, three real codecs, and one codec that fails."""

from __future__ import annotations

import hashlib
import io
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from metric_rows import metric_row
from PIL import Image
from skimage import data
from stored_cells import store_of

from arena import call
from codecarena.bench.records.rows import Failure, Match, MetricRow, Score, ScoredCell
from codecarena.bench.store.store import Store

PSNR = metric_row("0123456789abcdef", "psnr", "codecarena", "0.1.0", "RGB", "higher", None)
DELTA = metric_row("fedcba9876543210", "mean-difference", "test", "1", "RGB", "lower", 0.0)

FORMATS: dict[str, tuple[str, dict[str, object], tuple[int, ...]]] = {
    "jpeg": ("JPEG", {"optimize": True}, (10, 25, 50, 75, 90)),
    "webp": ("WEBP", {"method": 4}, (5, 25, 50, 75, 90)),
    "jpeg(subsampling=444)": ("JPEG", {"optimize": True, "subsampling": 0}, (10, 25, 50, 75, 90)),
}


@pytest.fixture(scope="session", autouse=True)
def no_scan_of_packages() -> Iterator[None]:
    """Keep Streamlit's AppTest from reading every installed package's metadata for each page, half a second.

    It looks for components that packages bring; those of our pages are a part of the pages.
    """
    if "streamlit.testing.v1" not in sys.modules:
        yield
        return
    from streamlit.components.v2 import manifest_scanner

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", list)
        yield


def sha256(pixels: np.ndarray) -> str:
    return hashlib.sha256(pixels.tobytes()).hexdigest()


def coded(name: str, picture: str, pixels: np.ndarray, quality: int, image_set: str = "photos") -> ScoredCell:
    """Code a picture with Pillow and score it."""
    form, options, _ = FORMATS[name]
    stream = io.BytesIO()
    start = time.perf_counter()
    Image.fromarray(pixels).save(stream, form, quality=quality, **options)
    seconds = time.perf_counter() - start
    decoded = np.asarray(Image.open(stream).convert("RGB"))
    difference = pixels.astype(np.float64) - decoded
    scores = {
        PSNR.metric_id: Score(10 * np.log10(255**2 / float(np.mean(difference**2)))),
        DELTA.metric_id: Score(float(np.mean(np.abs(difference)))),
    }
    return ScoredCell(
        image_set, picture, sha256(pixels), "natural",
        pixels.shape[0] * pixels.shape[1], hashlib.sha256(name.encode()).hexdigest()[:16], name, "classic",
        False, float(quality), None, len(stream.getvalue()), "", sha256(decoded), (seconds,), (0.001,), True,
        scores,
    )  # fmt: skip


@pytest.fixture(scope="session")
def arena_cells() -> list[ScoredCell]:
    """Two photographs coded by every format at every quality."""
    photos = {"astronaut": data.astronaut()[:256, :384], "coffee": data.coffee()[100:356, 100:484]}
    return [
        coded(name, picture, np.ascontiguousarray(pixels), quality)
        for picture, pixels in photos.items()
        for name, (_, _, qualities) in FORMATS.items()
        for quality in qualities
    ]


@pytest.fixture(scope="session")
def broken(arena_cells: list[ScoredCell]) -> list[Failure]:
    """A codec that crashed on every picture."""
    return [
        Failure(
            cell.image_set, cell.picture, cell.picture_sha256, "broken0123456789", "<b>broken</b>", 10.0,
            None, None, "crash", "encode", -11, "the encoder died of signal 11", "", "2026-01-01T00:00:00",
            False,
        )
        for cell in arena_cells
        if cell.codec == "jpeg" and cell.quality == 10
    ]  # fmt: skip


@pytest.fixture
def make_store(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Store]:
    """Return a function that makes a store of these cells, failures, metrics and matches."""

    def make(
        cells: Sequence[ScoredCell] = (),
        failures: Sequence[Failure] = (),
        metrics: tuple[MetricRow, ...] = (PSNR, DELTA),
        matches: Sequence[Match] = (),
    ) -> Store:
        known = {metric.metric_id for metric in metrics}
        pixels = Counter((cell.picture_sha256, cell.decoded_sha256) for cell in cells)
        stored = [
            replace(
                cell,
                # Cells that were made by changing one have its pixels: scores would be shared.
                decoded_sha256=cell.decoded_sha256
                if pixels[cell.picture_sha256, cell.decoded_sha256] == 1
                else f"{cell.codec_id} {cell.picture_sha256} {cell.quality} {cell.seed}",
                scores={name: score for name, score in cell.scores.items() if name in known},
            )
            for cell in cells
        ]
        return store_of(tmp_path_factory.mktemp("made") / "arena", stored, metrics, failures, matches)

    return make


SUITE = """
name = "<i>seeded</i>"
sets = "photos"
metrics = ["psnr", "ms-ssim"]
[[codecs]]
name = "jpeg"
qualities = [20, 50, 80]
[[codecs]]
name = "webp"
qualities = [20, 50, 80]
[[codecs]]
name = "png"
"""


@pytest.fixture(scope="session")
def seeded_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real store that the real runner filled; a test that writes into it copies it."""
    folder = tmp_path_factory.mktemp("seeded")
    suite = folder / "suite.toml"
    suite.write_text(SUITE)
    store = folder / "arena"
    ended = call("run", suite, "--store", store, "-j", "1", "--limit", "2", folder=folder)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return store
