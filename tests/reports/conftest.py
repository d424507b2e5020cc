"""A small arena for the report tests: two photographs, three real codecs, and one codec that fails."""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from arena import call
from codecarena.bench.store.rows import Failure, MatchRow, MetricRow, RunRow, Score, ScoredCell

PSNR = MetricRow("0123456789abcdef", "psnr", "codecarena", "0.1.0", "RGB", "higher", None)
DELTA = MetricRow("fedcba9876543210", "mean-difference", "test", "1", "RGB", "lower", 0.0)

FORMATS: dict[str, tuple[str, dict[str, object], tuple[int, ...]]] = {
    "jpeg": ("JPEG", {"optimize": True}, (10, 25, 50, 75, 90)),
    "webp": ("WEBP", {"method": 4}, (5, 25, 50, 75, 90)),
    "jpeg(subsampling=444)": ("JPEG", {"optimize": True, "subsampling": 0}, (10, 25, 50, 75, 90)),
}


@dataclass
class MemoryStore:
    """What `reports` needs of a store, held in lists."""

    stored: list[ScoredCell] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    identities: list[MetricRow] = field(default_factory=list)
    run_rows: list[RunRow] = field(default_factory=list)
    matched: list[MatchRow] = field(default_factory=list)

    def cells(self, image_set: str | None = None) -> list[ScoredCell]:
        return [cell for cell in self.stored if image_set in (None, cell.image_set)]

    def failures(self, image_set: str | None = None) -> list[Failure]:
        return [one for one in self.failed if image_set in (None, one.image_set)]

    def metrics(self) -> list[MetricRow]:
        return self.identities

    def matches(self, image_set: str) -> list[MatchRow]:
        return [one for one in self.matched if one.match.image_set == image_set]

    def image_sets(self) -> list[str]:
        return sorted({one.image_set for one in (*self.stored, *self.failed)})

    def runs(self) -> list[RunRow]:
        return self.run_rows

    def version(self) -> int:
        return len(self.stored) + len(self.failed)


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
        image_set, picture, hashlib.sha256(pixels.tobytes()).hexdigest(), "natural",
        pixels.shape[0] * pixels.shape[1], hashlib.sha256(name.encode()).hexdigest()[:16], name, "classic",
        False, float(quality), None, len(stream.getvalue()), "", "", (seconds,), (0.001,), True, scores,
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
def make_store() -> Callable[..., MemoryStore]:
    """Return a function that makes a store of these cells, failures, metrics and runs."""

    def make(
        cells: list[ScoredCell] | None = None,
        failures: list[Failure] | None = None,
        metrics: tuple[MetricRow, ...] = (PSNR, DELTA),
        runs: list[RunRow] | None = None,
    ) -> MemoryStore:
        return MemoryStore(list(cells or []), list(failures or []), list(metrics), list(runs or []))

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
