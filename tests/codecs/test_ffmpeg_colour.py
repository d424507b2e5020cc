"""The way through FFmpeg keeps colours, edges and their place, and says how to read them."""

from __future__ import annotations

import numpy as np
import pytest

from codecarena.codecs import registry
from codecarena.codecs.base import Codec, CodecError, MissingBackendError, Picture
from codecarena.codecs.contract import photograph

ffmpeg = pytest.importorskip("codecarena.codecs.classic.ffmpeg")
CODECS: dict[str, tuple[dict[str, registry.Value], float]] = {
    "vvc": ({"preset": "faster"}, 13),
    "avif-svt": ({"bit_depth": 10}, 4),
    "avif-svt-8": ({}, 4),
    "avif-rav1e": ({"speed": 10}, 10),
    "avif-rav1e-10": ({"speed": 10, "bit_depth": 10}, 10),
}


@pytest.fixture(params=CODECS)
def codec(request: pytest.FixtureRequest) -> Codec:
    name = request.param.removesuffix("-8").removesuffix("-10")
    return registry.create(name, CODECS[request.param][0])


@pytest.fixture
def best(request: pytest.FixtureRequest, codec: Codec) -> float:
    return CODECS[request.node.callspec.params["codec"]][1]


@pytest.mark.parametrize(
    "colour",
    [
        (255, 0, 0),
        (0, 255, 0),
        (0, 0, 255),
        (0, 0, 0),
        (255, 255, 255),
        (200, 30, 40),
        (16, 16, 16),
        (235, 128, 9),
    ],
)
def test_flat_colours_come_back(codec: Codec, best: float, colour: tuple[int, int, int]) -> None:
    flat = np.full((48, 50, 3), colour, np.uint8)
    decoded = codec.decode(codec.encode(Picture(flat), best))
    assert np.abs(decoded.astype(int) - flat).max() <= 3


def test_nothing_moves_and_no_edge_is_lost(codec: Codec, best: float) -> None:
    pixels = np.ascontiguousarray(photograph()[:75, :91])
    decoded = codec.decode(codec.encode(Picture(pixels), best)).astype(float)

    def error(rows: int, columns: int) -> float:
        moved = np.roll(pixels, (rows, columns), (0, 1))
        return float(((decoded - moved)[2:-2, 2:-2] ** 2).mean())

    places = {(rows, columns): error(rows, columns) for rows in (-1, 0, 1) for columns in (-1, 0, 1)}
    assert min(places, key=places.__getitem__) == (0, 0)
    border = np.concatenate([(decoded - pixels)[[0, -1]].ravel(), (decoded - pixels)[:, [0, -1]].ravel()])
    assert np.sqrt((border**2).mean()) < 3 * np.sqrt(places[0, 0]) + 1


def test_no_colour_shifts(codec: Codec, best: float) -> None:
    """Pillow's libavif drops two of ten bits, FFmpeg's scaler divides by four: each shifts all colours."""
    pixels = (photograph() // 2 + 64).astype(np.uint8)  # within the gamut: no shift comes from clipping
    decoded = codec.decode(codec.encode(Picture(pixels), best)).astype(float)
    assert np.abs((decoded - pixels).reshape(-1, 3).mean(axis=0)).max() < 0.35


def test_vvc_stream_says_how_to_read_its_colours() -> None:
    codec = registry.create("vvc", {"preset": "faster"})
    bitstream = codec.encode(Picture(photograph()), 40)
    raw = bitstream[codec.breakdown(bitstream).header_bytes :]
    log = ffmpeg.run(["-f", "vvc", "-i", "pipe:0", "-f", "null", "-"], raw, level="verbose")[1]
    assert "yuv420p10le(pc, bt709/bt709/iec61966-2-1" in log


@pytest.mark.parametrize("name", ["avif-svt", "avif-rav1e"])
def test_avif_says_how_to_read_its_colours(name: str) -> None:
    codec = registry.create(name)
    bitstream = codec.encode(Picture(photograph()), 50)
    place = bitstream.index(b"colrnclx") + 8
    assert bitstream[place : place + 7] == bytes([0, 1, 0, 13, 0, 5, 0x80])  # BT.709, sRGB, BT.601, full


def test_ffmpegs_complaint_is_in_the_error() -> None:
    with pytest.raises(CodecError, match=r"FFmpeg ended with status \d+: (.|\n)*no-such-file"):
        ffmpeg.run(["-i", "no-such-file", "-f", "null", "-"])


def test_encoder_that_is_not_built_in_is_a_missing_backend() -> None:
    with pytest.raises(
        MissingBackendError, match=r"does not encode with libnonesuch; install codecarena\[video\]"
    ):
        ffmpeg.version("libnonesuch")
