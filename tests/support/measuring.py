"""Codecs, metrics and a clock made up in memory, for tests of the runner that start no process."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from codecarena.bench.metrics.base import InapplicableError
from codecarena.bench.records.cells import CellKey, seed_key
from codecarena.bench.records.identities import MetricIdentity
from codecarena.bench.records.messages import Cell, CodecSpec, Original
from codecarena.bench.records.metric_facts import MetricFacts
from codecarena.bench.run.plan import Planned, PlannedCodec, PlannedPicture
from codecarena.bench.run.suite import CodecTable
from codecarena.codecs.base import CodecInfo, Image, Picture, QualityScale, RateParts
from codecarena.datasets.manifest import LocalPicture
from codecarena.datasets.pixels import pixels_sha256

LEVELS = QualityScale("level", worst=1, best=9)
INFO = CodecInfo("made-up", "1", "classic", (2.0, 4.0, 6.0), LEVELS)
SPEC = CodecSpec("made-up", ())


@dataclass
class Clock:
    """A clock that stands still until a test spends time on it."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now

    def spend(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class MadeUpCodec:
    """Writes sizes, quality and a count of calls before the pixels; each call costs what the test says."""

    clock: Clock
    encode_costs: Sequence[float] = (2.0, 3.0)
    decode_costs: Sequence[float] = (7.0, 11.0)
    info: CodecInfo = INFO
    encoded: list[tuple[Image, str | None, float]] = field(default_factory=list)
    decoded: list[tuple[bytes, int | None]] = field(default_factory=list)

    def encode(self, picture: Picture, quality: float) -> bytes:
        self.clock.spend(self.encode_costs[len(self.encoded) % len(self.encode_costs)])
        self.encoded.append((picture.pixels, picture.caption, quality))
        height, width = picture.pixels.shape[:2]
        return bytes((height, width, int(quality), len(self.encoded))) + picture.pixels.tobytes() + b"side."

    def decode(self, bitstream: bytes, seed: int | None = None) -> Image:
        self.clock.spend(self.decode_costs[len(self.decoded) % len(self.decode_costs)])
        self.decoded.append((bitstream, seed))
        pixels = np.frombuffer(bitstream[4:-5], np.uint8).reshape(bitstream[0], bitstream[1], 3)
        return pixels // 2 + np.uint8(seed or 0)

    def breakdown(self, bitstream: bytes) -> RateParts:
        return RateParts(4, len(bitstream) - 9, 5)


@dataclass
class MadeUpMetric:
    """The mean of the decoded picture less that of the original, or what the test says."""

    clock: Clock
    perfect: float | None = 0.0
    lowest: float = -math.inf
    highest: float = math.inf
    answer: float | Exception | None = None
    prepared: int = 0

    identity = MetricIdentity("made-up", "test", "1", "RGB")
    needs = "pair"

    @property
    def facts(self) -> MetricFacts:
        return MetricFacts(lowest=self.lowest, highest=self.highest, perfect=self.perfect)

    def prepare(self, original: Picture) -> object:
        self.prepared += 1
        if isinstance(self.answer, InapplicableError):
            raise self.answer
        return original.pixels.mean()

    def score(self, prepared: object, decoded: Image) -> float:
        self.clock.spend(0.25)
        if isinstance(self.answer, Exception):
            raise self.answer
        return float(decoded.mean() - prepared) if self.answer is None else self.answer


def planned_picture(name: str, image_set: str = "pictures", pixel_count: int = 100) -> PlannedPicture:
    """Return a picture whose pixels nobody reads; its hash is its name."""
    local = LocalPicture(name, Path(f"/{name}"), "natural", f"{name}?", f"{name}!", None, "CC0", "here", None)
    return PlannedPicture(image_set, local, f"sha-{name}", pixel_count)


def planned_codec(codec_id: str, *, info: CodecInfo = INFO, **table: object) -> PlannedCodec:
    """Return a codec that nobody loads; keywords are keys of its suite's table."""
    return PlannedCodec(CodecTable(name=info.name, **table), info, codec_id, f"label of {codec_id}")


def planned_cell(
    picture: PlannedPicture,
    codec: PlannedCodec,
    quality: float = 2.0,
    seed: int | None = None,
    metrics: tuple[str, ...] = ("psnr", "ssim"),
    **cell: object,
) -> Planned:
    """Return one cell to run; keywords are fields of the cell."""
    original = Original(f"/{picture.picture.name}", picture.sha256)
    made = Cell(original, codec.table.spec, codec.codec_id, quality, seed, metrics, "/blobs", **cell)
    key = CellKey(picture.sha256, codec.codec_id, quality, seed_key(seed))
    return Planned(made, key, codec, picture, replace=False)


def original_of(path: Path, pixels: Image) -> Original:
    """Write a PNG and return it as the original of a cell."""
    import cv2

    cv2.imwrite(str(path), pixels[..., ::-1])
    return Original(str(path), pixels_sha256(pixels), "a caption")
