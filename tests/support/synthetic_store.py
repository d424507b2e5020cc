"""Fill a store with made-up measurements: curves of the usual shape, for tests and for records of speed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from metric_rows import writing
from sqlalchemy import insert

from codecarena.bench.store.tables.schema import (
    AttemptTable,
    CodecTable,
    MachineTable,
    MeasurementTable,
    MemberTable,
    MetricTable,
    PictureTable,
    RunTable,
    ScoreTable,
)
from codecarena.bench.store.writer import StoreWriter

NOW = "2026-01-01T00:00:00+00:00"
LOWER = ("butteraugli", "ciede2000", "flip")
PIXELS = 768 * 512


def sha(*parts: object) -> str:
    return hashlib.sha256(" ".join(map(str, parts)).encode()).hexdigest()


def fill(
    folder: Path | str,
    *,
    pictures: int,
    codecs: int,
    settings: int,
    metrics: tuple[str, ...],
    odd: bool = False,
    seed: int = 0,
    image_set: str = "synthetic",
    before: str = "",
) -> None:
    """Fill a new store, a folder or a URL; half of the pictures are AI-generated.

    Odd stores lack and repeat some rows. Names of codecs, pictures and error messages begin with ``before``.
    """
    random = np.random.default_rng(seed)
    writer = StoreWriter(str(folder))
    originals = [sha("picture", number) for number in range(pictures)]
    ids = [sha("codec", number)[:16] for number in range(codecs)]
    identities = {name: sha("metric", name)[:16] for name in metrics}
    names = [f"{before}codec{number}" for number in range(codecs)]
    families = ("classic", "learned", "generative")
    with writer.engine.begin() as connection:
        _insert(
            connection,
            PictureTable,
            [{"sha256": original, "height": 512, "width": 768} for original in originals],
        )
        _insert(
            connection,
            MemberTable,
            [
                {
                    "image_set": image_set,
                    "name": f"{before}picture{place:04}.png",
                    "picture_sha256": sha256,
                    "kind": "natural" if place % 2 else "ai-generated",
                    "path": "",
                    "caption": None,
                    "text": None,
                    "generator": None if place % 2 else f"generator-{place % 3}",
                    "licence": None,
                    "source": None,
                }
                for place, sha256 in enumerate(originals)
            ],
        )
        _insert(
            connection,
            CodecTable,
            [
                {
                    "id": codec_id,
                    "name": names[place],
                    "label": names[place],
                    "version": "1",
                    "family": families[place % 3],
                    "parameters": {},
                    "stochastic": False,
                    "toy": False,
                    "tolerance_levels": 0,
                    "weights_sha256": None,
                    "weights_bytes": 0,
                    "trained_on": None,
                    "imported": False,
                    "provenance": None,
                    "generator": "generator-0" if odd and place == 1 else None,
                }
                for place, codec_id in enumerate(ids)
            ],
        )
        _insert(
            connection,
            MetricTable,
            [
                {
                    "id": identity,
                    "name": name,
                    "implementation": "synthetic",
                    "version": "1",
                    "colour_space": "RGB",
                    "weights_sha256": None,
                    "better": "lower" if name in LOWER else "higher",
                    "perfect": None if name == "psnr" else 1.0,
                    **writing(name),
                }
                for name, identity in identities.items()
            ],
        )
        _insert(connection, MachineTable, [{"id": "machine", "description": {"cpu": "made up", "cores": 1}}])
        _insert(
            connection,
            RunTable,
            [
                {
                    "id": 1,
                    "suite": "synthetic",
                    "suite_text": "",
                    "machine_id": "machine",
                    "workers": 1,
                    "planned_cells": pictures * codecs * settings,
                    "status": "finished",
                    "started_at": NOW,
                    "finished_at": NOW,
                }
            ],
        )
        for place, original in enumerate(originals):
            cells = _cells(random, place, original, ids, settings, odd)
            scores = [score for cell in cells for score in _scores(random, cell, identities, odd)]
            if odd:
                cells += _odd_cells(random, cells)
            _insert(
                connection, MeasurementTable, [{k: v for k, v in c.items() if k != "level"} for c in cells]
            )
            _insert(connection, ScoreTable, scores)
        if odd:
            _insert(
                connection,
                AttemptTable,
                [
                    {
                        "run_id": 1,
                        "picture_sha256": originals[number],
                        "codec_id": ids[number % codecs],
                        "quality": 99.0,
                        "seed": -1,
                        "metric": None,
                        "outcome": "crash",
                        "stage": "encode",
                        "exit_code": 1,
                        "message": f"{before}made up",
                        "stderr_tail": f"{before}tail",
                        "created_at": NOW,
                    }
                    for number in range(3)
                ],
            )
    writer.close()


def _insert(connection, table, rows) -> None:
    if rows:
        connection.execute(insert(table), rows)


def _cells(random, place: int, original: str, ids: list[str], settings: int, odd: bool) -> list[dict]:
    detail = random.uniform(0.5, 2.0)
    rows = []
    for codec, codec_id in enumerate(ids):
        for setting in range(settings):
            if odd and random.random() < 0.02:
                continue
            rate = (
                0.08 * 2 ** (setting * 5 / settings) * detail * (1 + 0.08 * codec) * random.lognormal(0, 0.05)
            )
            if odd and setting and random.random() < 0.03:
                rate = rows[-1]["bitstream_bytes"] * 8 / PIXELS if rows else rate
            decoded = (
                original if odd and codec == 2 and setting == settings - 1 else sha(place, codec, setting)
            )
            rows.append(
                {
                    "picture_sha256": original,
                    "codec_id": codec_id,
                    "quality": float(10 * (setting + 1)),
                    "seed": -1,
                    "run_id": 1,
                    "bitstream_sha256": sha("bits", place, codec, setting),
                    "bitstream_bytes": int(rate * PIXELS / 8),
                    "header_bytes": 10,
                    "payload_bytes": 100,
                    "side_bytes": 0,
                    "decoded_sha256": decoded,
                    "encode_seconds": [0.01 * (codec + 1)] * (2 if odd else 1),
                    "decode_seconds": [0.01],
                    "load_seconds": 0.1,
                    "contended": True,
                    "probe": bool(odd and random.random() < 0.02),
                    "created_at": NOW,
                    "superseded_at": None,
                    "level": np.log2(rate / detail / (1 + 0.08 * codec)),
                }
            )
    return rows


def _odd_cells(random, cells: list[dict]) -> list[dict]:
    """Return second seeds of some cells, with the same pixels, and history that was replaced."""
    seeds = [{**cell, "seed": 7} for cell in cells if random.random() < 0.1]
    old = [{**cell, "superseded_at": NOW, "bitstream_bytes": 1} for cell in cells if random.random() < 0.1]
    return seeds + old


def _scores(random, cell: dict, identities: dict[str, str], odd: bool) -> list[dict]:
    level = 32 + 3 * cell["level"] + random.normal(0, 0.3)
    values = {"psnr": level, "butteraugli": 8 - level / 6, "flip": 0.5 - level / 120}
    lossless = cell["decoded_sha256"] == cell["picture_sha256"]
    rows = []
    for name, identity in identities.items():
        value = values.get(name, 1 - 10 ** (-level / 20) if "ssim" in name and "2" not in name else 2 * level)
        if odd and random.random() < 0.01:
            continue
        missing = odd and name != "psnr" and random.random() < 0.01
        if lossless:
            value = None if name == "psnr" else 1.0
        rows.append(
            {
                "original_sha256": cell["picture_sha256"],
                "decoded_sha256": cell["decoded_sha256"],
                "metric_id": identity,
                "value": None if missing else value,
                "lossless": lossless,
                "seconds": 0.01,
            }
        )
    return rows
