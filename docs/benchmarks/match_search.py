"""Count the encodes that equal-rate search needs, and hold what it returns against an exhaustive sweep.

Run: python docs/benchmarks/match_search.py [--bpp 0.25] [--crop 0] [--sweeps sweeps.jsonl] [CODEC ...]
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from statistics import median

import numpy as np
from record_age import stamp

from codecarena.bench.analysis.setting_search import SearchOutcome, guess, search, setting_at, steps
from codecarena.bench.run.searches import RATE_TOLERANCE
from codecarena.codecs import registry
from codecarena.codecs.base import Codec, Image, Picture
from codecarena.datasets.pixels import read_pixels
from codecarena.datasets.sets.catalogue import open_set

LEFT_OUT = {"png", "command"}
"""Lossless, and no codec of its own."""


def crop(pixels: Image, side: int) -> Image:
    """Return the middle of a picture, or all of it for side 0."""
    if not side:
        return pixels
    top, left = (max(0, (length - side) // 2) for length in pixels.shape[:2])
    return np.ascontiguousarray(pixels[top : top + side, left : left + side])


def level(codec: Codec, pixels: Image, setting: float) -> float:
    """Return the logarithm of the bits per pixel at a setting."""
    return math.log(8 * len(codec.encode(Picture(pixels), setting)) / (pixels.shape[0] * pixels.shape[1]))


def sweep(codec: Codec, pixels: Image) -> list[float]:
    """Return the level of every setting of the scale."""
    scale = codec.info.scale
    return [level(codec, pixels, setting_at(scale, index)) for index in range(steps(scale) + 1)]


def find(
    codec: Codec, pixels: Image, goal: float, others: list[dict[float, float]]
) -> tuple[SearchOutcome, dict]:
    """Return where the search ends, and the levels it was told."""
    levels: dict[float, float] = {}
    scale = codec.info.scale
    dialogue = search(scale, goal, {}, guess(scale, goal, others), RATE_TOLERANCE)
    answer = None
    while True:
        try:
            setting = dialogue.send(answer)
        except StopIteration as stop:
            return stop.value, levels
        answer = levels[setting] = level(codec, pixels, setting)


def report(name: str, photographs: dict[str, Image], bpp: float, kept: Path | None) -> None:
    """Print one line of the table."""
    codec = registry.create(name)
    goal, others, encodes, off, equal = math.log(bpp), [], [], [], 0
    sweeps = read(kept)
    for picture, pixels in photographs.items():
        outcome, levels = find(codec, pixels, goal, others)
        others.append(levels)
        encodes.append(outcome.asked)
        if outcome.ended != "out of range":
            off.append(math.expm1(outcome.level - goal))
        if not codec.info.scale.continuous:
            key = f"{name} {picture} {pixels.shape}"
            if key not in sweeps:
                sweeps[key] = sweep(codec, pixels)
                write(kept, key, sweeps[key])
            equal += abs(outcome.level - goal) <= min(abs(swept - goal) for swept in sweeps[key]) + 1e-9
    same = "" if codec.info.scale.continuous else f"{equal}/{len(photographs)}"
    far = f"{100 * max(map(abs, off)):.2f} %" if off else ""
    settings = steps(codec.info.scale) + 1
    reached = f"{len(off)}/{len(photographs)}"
    print(
        f"| {name} | {settings} | {median(encodes):g} | {max(encodes)} | {same} | {reached} | {far} |",
        flush=True,
    )


def read(kept: Path | None) -> dict[str, list[float]]:
    """Return the sweeps of earlier runs."""
    if kept is None or not kept.exists():
        return {}
    return dict(json.loads(line) for line in kept.read_text().splitlines())


def write(kept: Path | None, key: str, levels: list[float]) -> None:
    """Keep a sweep for later runs."""
    if kept:
        with kept.open("a") as file:
            file.write(json.dumps([key, levels]) + "\n")


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("codecs", nargs="*")
    arguments.add_argument("--bpp", type=float, default=0.25)
    arguments.add_argument("--crop", type=int, default=0, help="side of the middle that is coded; 0: all")
    arguments.add_argument("--sweeps", type=Path, help="file that keeps sweeps from run to run")
    chosen = arguments.parse_args()
    photographs = {
        picture.name: crop(read_pixels(picture.path), chosen.crop) for picture in open_set("photos").pictures
    }
    classic = [entry.name for entry in registry.entries().values() if entry.family == "classic"]
    print("| codec | settings | median encodes | most | equals the sweep | in range | furthest off |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in chosen.codecs or [codec for codec in classic if codec not in LEFT_OUT]:
        report(name, photographs, chosen.bpp, chosen.sweeps)
    print(f"\n{stamp(Path(__file__).with_suffix('.md'))}")


if __name__ == "__main__":
    main()
