"""A small store whose every number is known: two natural and two AI-generated pictures, three codecs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from report_rows import BUTTERAUGLI, CELL, PSNR
from stored_cells import store_of

from codecarena.bench.records.rows import Failure, Match, Score, ScoredCell
from codecarena.bench.store.store import Store

PICTURES: dict[str, tuple[Any, str | None]] = {
    "ant": ("natural", None),
    "bee": ("ai-generated", "SDXL Turbo"),
    "cat": ("natural", None),
    "dog": ("ai-generated", "FLUX.1-dev"),
}
CODECS: dict[str, tuple[Any, str | None]] = {
    "zip": ("classic", None),
    "latent": ("generative", "CompVis/stable-diffusion-v1-4"),
    "hyper": ("learned", None),
}
SIZES = {
    # Bytes of 800 pixels at the two settings: the factor on those of zip divides the pictures of hyper.
    ("zip", "ant"): (100, 200), ("zip", "bee"): (110, 220), ("zip", "cat"): (90, 180),
    ("zip", "dog"): (80, 160),
    ("hyper", "ant"): (50, 100), ("hyper", "bee"): (220, 440), ("hyper", "cat"): (45, 90),
    ("hyper", "dog"): (60, 120),
    ("latent", "ant"): (125, 250), ("latent", "bee"): (11, 22), ("latent", "cat"): (90, 180),
    ("latent", "dog"): (88, 176),
}  # fmt: skip
PSNRS = {"ant": (33.0, 36.0), "bee": (30.0, 39.0), "cat": (35.0, 37.0), "dog": (31.0, 34.0)}


def cells() -> list[ScoredCell]:
    return [
        replace(
            CELL, image_set="zoo", picture=f"{picture}.png", picture_sha256=picture, pixel_count=800,
            kind=PICTURES[picture][0], picture_generator=PICTURES[picture][1], codec=codec,
            codec_id=f"{codec}-id", family=CODECS[codec][0], codec_generator=CODECS[codec][1], toy=False,
            quality=place + 1.5, seed=None, bitstream_bytes=size,
            bitstream_sha256=f"bits {codec} {picture} {place}",
            decoded_sha256=f"{codec} {picture} {place}", verdict=None, encode_seconds=(0.5, 0.2, 0.3),
            scores={
                PSNR.metric_id: Score(PSNRS[picture][place]),
                BUTTERAUGLI.metric_id: Score((60 - PSNRS[picture][place]) / 10),
            },
        )
        for (codec, picture), sizes in SIZES.items()
        for place, size in enumerate(sizes)
    ]  # fmt: skip


def failure(picture: str, codec: str) -> Failure:
    return Failure("zoo", f"{picture}.png", picture, f"{codec}-id", codec, 9.0, None, None, "crash",
                   "encode", 1, "", "", "2026-01-01T00:00:00", False)  # fmt: skip


def match(picture: str | None, target: float, metric_id: str | None = None, kind: str = "bpp") -> Match:
    scope = "set" if picture is None else "picture"
    return Match(scope, "zoo", picture, 1, "zip-id", kind, metric_id, target, 1.5, target, 3, 2, "close")  # type: ignore[arg-type]


def zoo_of(folder: Path) -> Store:
    """Return a new store of these cells, with open failures and searches."""
    failures = [failure("ant", "zip"), failure("bee", "latent"), failure("dog", "hyper")]
    matches = [
        match("ant", 1.0),
        match("dog", 2.0),
        match(None, 3.0),
        match("bee", 33.5, PSNR.metric_id, "psnr"),
    ]
    return store_of(folder, cells(), (PSNR, BUTTERAUGLI), failures, matches)
