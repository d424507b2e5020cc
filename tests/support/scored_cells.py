"""Cells of a store made by hand, a field at a time: no two fields of the usual one are alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from metric_rows import metric_row

from codecarena.bench.records.rows import Failure, Score, ScoredCell

PSNR = metric_row("m-psnr", "psnr", "codecarena", "1", "RGB", "higher", None)
MS_SSIM = metric_row("m-ms", "ms-ssim", "codecarena", "1", "RGB", "higher", 1.0)
DELTA = metric_row("m-delta", "ciede2000", "codecarena", "1", "Lab", "lower", 0.0)

CELL = ScoredCell(
    image_set="set", picture="a.png", picture_sha256="a", kind="natural", pixel_count=2000, codec_id="id-x",
    codec="x", family="learned", toy=False, quality=10.0, seed=None, bitstream_bytes=500,
    bitstream_sha256="stream", decoded_sha256="decoded", encode_seconds=(0.3, 0.1, 0.2),
    decode_seconds=(0.04, 0.05), contended=False, scores={PSNR.metric_id: Score(32.0)}, header_bytes=11,
    payload_bytes=470, side_bytes=19,
)  # fmt: skip
"""2 bits per pixel."""


# object: any field of a cell.
def cell(
    codec: str = "x",
    picture: str = "a",
    quality: float = 10.0,
    *,
    rate: float | None = None,
    score: float | None = 32.0,
    **changes: object,
) -> ScoredCell:
    """Return a cell of this rate, in bits per pixel, and PSNR, None where coding was lossless."""
    fields: dict[str, object] = {"scores": {PSNR.metric_id: Score(score, score is None)}}
    if rate is not None:
        fields |= {"bitstream_bytes": round(rate * 10**8 / 8), "pixel_count": 10**8}
    fields |= {"codec": codec, "codec_id": f"id-{codec}", "picture": f"{picture}.png"}
    fields |= {"picture_sha256": picture, "quality": quality, **changes}
    return replace(CELL, **fields)  # type: ignore[arg-type]


def ladder_cells(
    codec: str, curves: Mapping[str, Iterable[tuple[float, float | None]]], **changes: object
) -> list[ScoredCell]:
    """Return the cells of a codec: picture -> (bits per pixel, PSNR) at settings 10, 20, 30 ..."""
    return [
        cell(codec, picture, 10.0 * place, rate=rate, score=score, **changes)
        for picture, points in curves.items()
        for place, (rate, score) in enumerate(points, 1)
    ]


def failure(codec: str, picture: str = "a", outcome: str = "timeout", **changes: object) -> Failure:
    """Return an open failure of an encoder, with changed fields."""
    usual = Failure(
        "set", f"{picture}.png", picture, f"id-{codec}", codec, 20.0, None, None, outcome, "encode", 9,
        "took longer than 5 s", "tail", "2026-01-01T00:00:00+00:00", False,
    )  # fmt: skip
    return replace(usual, **changes)  # type: ignore[arg-type]
