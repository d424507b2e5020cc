"""The layered codec's stream: layer after layer, each sealed for itself, and nothing is believed unseen."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from codecarena.codecs.base import CodecError, Picture, check_image
from codecarena.codecs.bitstream import Header, Kind, seal
from codecarena.codecs.contract import SIZES, photograph
from codecarena.codecs.generative.layered import chunks, detectors
from codecarena.codecs.generative.layered.chunks import Chunk, Layer
from codecarena.codecs.generative.layered.codec import Layered
from codecarena.codecs.generative.layered.coding import colours, edges, text
from codecarena.codecs.generative.layered.coding.grids import fitted
from codecarena.codecs.generative.layered.coding.layers import Layers
from codecarena.codecs.generative.layered.decoding.sketch import SketchDecoder
from codecarena.codecs.generative.layered.stream import inspect

PICTURE = Picture(photograph(), caption="a sky above some ground")
HEADER_BYTES = Kind.LAYERED.header_bytes + 1
"""With the length of the sketch's settings, which has none."""


@pytest.fixture(scope="module")
def codec() -> Layered:
    return Layered(decoder="sketch", seed=77)


@pytest.fixture(scope="module")
def streams(codec: Layered) -> dict[int, bytes]:
    """The picture's streams by quality."""
    return {quality: codec.encode(PICTURE, quality) for quality in (1, 2, 3, 4, 5, 6)}


@pytest.fixture(scope="module")
def stream(streams: dict[int, bytes]) -> bytes:
    return streams[3]


def test_qualities_begin_one_another(streams: dict[int, bytes]) -> None:
    assert streams[3].startswith(streams[2])
    for quality in (2, 3, 4, 5, 6):
        assert streams[quality].startswith(streams[1])


def test_layers_are_those_of_the_quality(streams: dict[int, bytes]) -> None:
    for quality, stream in streams.items():
        layers = inspect(stream)
        assert layers.caption == PICTURE.caption
        assert (layers.edges is not None) == (quality >= 2)
        assert (layers.colours is not None) == (quality >= 3)
    # Height and width of the picture are 96 and 136, of its canvas 448 and 640.
    assert layers.edges is not None
    assert layers.colours is not None
    assert layers.edges.shape == (224, 320)
    assert layers.colours.shape == (28, 40, 3)


def test_layers_come_as_they_were_found(codec: Layered, stream: bytes) -> None:
    layers = inspect(stream)
    assert layers.edges is not None
    assert np.array_equal(layers.edges, detectors.canny(PICTURE.pixels, 112, 160))
    assert (layers.width, layers.height) == (136, 96)
    assert chunks.split(stream).header.seed == 77


def test_cuts_decode_between_layers_and_nowhere_else(
    codec: Layered, stream: bytes, streams: dict[int, bytes]
) -> None:
    bounds = {len(streams[quality]) for quality in (1, 2, 3)}
    for length in range(len(stream) + 1):
        if length in bounds:
            assert codec.decode(stream[:length]).shape == PICTURE.pixels.shape
        else:
            with pytest.raises(CodecError):
                inspect(stream[:length])


def test_any_flipped_byte_is_noticed(stream: bytes) -> None:
    rng = random.Random(5)
    for place in range(len(stream)):
        damaged = bytearray(stream)
        damaged[place] ^= rng.randrange(1, 256)
        with pytest.raises(CodecError):
            inspect(bytes(damaged))


def test_chunks_in_other_order_are_refused(stream: bytes) -> None:
    packed = [chunk.pack() for chunk in chunks.split(stream).chunks]
    header = stream.removesuffix(b"".join(packed))
    assert len(header) == HEADER_BYTES
    wrong = [packed[::-1], [packed[0], packed[0]], packed[1:] + packed[:1], [*packed, packed[2]], []]
    for order in wrong:
        with pytest.raises(CodecError):
            inspect(header + b"".join(order))
    unknown = b"\x05\x01\0"
    with pytest.raises(CodecError, match="unknown type 5"):
        inspect(stream + unknown + struct.pack(">I", zlib.crc32(unknown)))
    assert inspect(header + packed[2]).caption is None


def test_colour_error_falls_with_the_texture_layer(codec: Layered, streams: dict[int, bytes]) -> None:
    errors = []
    for quality in (2, 3, 4, 6):
        decoded = codec.decode(streams[quality])
        blocks = [pixels.reshape(8, 12, 8, 17, 3).mean(axis=(1, 3)) for pixels in (decoded, PICTURE.pixels)]
        errors.append(float(np.abs(blocks[0] - blocks[1]).mean()))
    assert errors[1] < 0.5 * errors[0]
    assert errors[3] < errors[1]


def test_bytes_on_photographs_meet_the_budget_and_rise_along_the_ladder(
    codec: Layered, kodak: list[Path]
) -> None:
    pictures = [np.asarray(Pillow.open(path).convert("RGB")) for path in kodak[::3]]
    crops = [Picture(np.ascontiguousarray(pixels[:512, :512])) for pixels in pictures]
    bits_per_pixel = [8 * len(codec.encode(crop, 3)) / 512**2 for crop in crops]
    assert 0.01 < np.mean(bits_per_pixel) < 0.02
    assert max(bits_per_pixel) < 0.035
    sizes = [len(codec.encode(crops[2], quality)) for quality in range(1, 7)]
    assert sizes == sorted(sizes)


def test_sizes_beyond_the_limit_are_refused_on_both_sides(codec: Layered) -> None:
    header = Header(Kind.LAYERED, 2**14, 2**13, bytes(6))
    forged = seal(header, b"\0") + Chunk(Layer.TEXT, text.encode("a")).pack()
    with pytest.raises(CodecError, match="at most"):
        codec.decode(forged)
    wide = np.broadcast_to(np.zeros(3, np.uint8), (2**13, 2**14, 3))
    with pytest.raises(CodecError, match="at most"):
        codec.encode(Picture(wide), 1)


@pytest.mark.parametrize("size", [(2**12, 2**12), (1, 2**22), (2**22, 1), (3, 70000)], ids=str)
def test_large_claims_within_the_limit_decode(codec: Layered, size: tuple[int, int]) -> None:
    header = Header(Kind.LAYERED, size[1], size[0], bytes(6))
    stream = seal(header, b"\0") + Chunk(Layer.TEXT, text.encode("a")).pack()
    assert codec.decode(stream).shape == (*size, 3)


@pytest.mark.scaled
def test_resealed_mutations_are_refused_or_decoded(codec: Layered, tenth: Callable[[int], int]) -> None:
    """The checks of a chunk's data are what stands between a forged stream and the decoder."""
    rng = random.Random(11)
    coarse = Layered(decoder="sketch", edge_rows=16, colour_rows=2)
    streams = [coarse.encode(PICTURE, quality) for quality in (1, 2, 3, 4)]
    outcome = {"refused": 0, "decoded": 0}
    count = tenth(3000)
    for _ in range(count):
        whole = chunks.split(rng.choice(streams))
        chunk_list = list(whole.chunks)
        place = rng.randrange(len(chunk_list))
        chunk_list[place] = _mutated(rng, chunk_list[place])
        forged = seal(_mutated_header(rng, whole.header), b"\0") + b"".join(
            chunk.pack() for chunk in chunk_list
        )
        try:
            check_image(codec.decode(forged))
            outcome["decoded"] += 1
        except CodecError:
            outcome["refused"] += 1
    assert min(outcome.values()) > count // 10


def _mutated_header(rng: random.Random, header: Header) -> Header:
    if rng.random() < 0.7:
        return header
    return Header(
        Kind.LAYERED, rng.randrange(1, 700), rng.randrange(1, 700), rng.randbytes(6), rng.getrandbits(32)
    )


def _mutated(rng: random.Random, chunk: Chunk) -> Chunk:
    data = bytearray(chunk.data)
    kind = rng.randrange(5)
    if kind == 0:
        del data[rng.randrange(len(data)) :]
    elif kind == 1:
        data[rng.randrange(len(data))] = rng.randrange(256)
    elif kind == 2:
        data[rng.randrange(min(4, len(data)))] ^= 1 << rng.randrange(8)
    elif kind == 3:
        data += rng.randbytes(rng.randrange(9))
    return Chunk(chunk.layer, bytes(data))


class Tinted:
    """A decoder with weights, as far as the stream knows: a sketch with noise from the seed."""

    toy, weights_bytes, trained_on, version, settings = True, 3, "nothing", "1", b""
    generator, negative_prompt = None, ""

    def __init__(self, weights_sha256: str) -> None:
        self.weights_sha256 = weights_sha256

    def decode(self, layers: Layers, seed: int, settings: bytes) -> np.ndarray:
        noise = np.random.default_rng(seed).integers(0, 9, (8, 8, 3))
        canvas = SketchDecoder().decode(layers, 0, settings)
        canvas[:8, :8] = noise
        return canvas


def test_streams_of_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch, codec: Layered) -> None:
    made = []
    for digits in ("ab" * 32, "cd" * 32):
        monkeypatch.setattr(
            "codecarena.codecs.generative.layered.decoding.sketch.SketchDecoder", lambda d=digits: Tinted(d)
        )
        made.append(Layered(decoder="sketch"))
    monkeypatch.undo()
    stream = made[0].encode(PICTURE, 3)
    assert made[0].info.toy
    assert made[0].info.weights_sha256 == "ab" * 32
    assert np.array_equal(made[0].decode(stream), made[0].decode(stream, 0))
    assert not np.array_equal(made[0].decode(stream), made[0].decode(stream, 1))
    with pytest.raises(CodecError, match="made for the weights abababababab"):
        made[1].decode(stream)
    assert codec.decode(stream).shape == PICTURE.pixels.shape  # a sketch shows any stream


def test_parameters_change_the_grids_and_are_checked() -> None:
    fine = Layered(decoder="sketch", edge_rows=64, colour_rows=4, canny_sigma=0)
    layers = inspect(fine.encode(PICTURE, 3))
    assert layers.edges is not None
    assert layers.colours is not None
    assert layers.edges.shape == (56, 80)
    assert layers.colours.shape == (3, 5, 3)
    for wrong in (
        {"edge_rows": 8},
        {"colour_rows": 99},
        {"structure": "sobel"},
        {"decoder": "oil"},
        {"caption": "mine"},
        {"steps": 3},
        {"seed": -1},
        {"canny_low": 90.0},
        {"canny_high": "steep"},
        {"text": 3},
        {"keypoints": "pose.json"},
    ):
        with pytest.raises(CodecError, match=next(iter(wrong))):
            Layered(**{"decoder": "sketch", **wrong})


def test_keypoints_of_the_user_take_the_place_of_edges(tmp_path: Path) -> None:
    numbers = [number for index in range(18) for number in (20 + 4 * index, 10 + 4 * index, 0.9)]
    file = tmp_path / "pose.json"
    file.write_text('{"people": [{"pose_keypoints_2d": ' + str(numbers) + "}]}")
    codec = Layered(decoder="sketch", structure="openpose", keypoints=str(file))
    stream = codec.encode(PICTURE, 3)
    layers = inspect(stream)
    assert layers.edges is None
    assert layers.skeletons is not None
    np.testing.assert_allclose(layers.skeletons[0].points[0] * (136, 96), (20, 10), atol=0.1)
    assert codec.breakdown(stream).payload_bytes < 49 + 90
    shown, hidden = codec.decode(stream), codec.decode(Layered(decoder="sketch").encode(PICTURE, 1))
    assert not np.array_equal(shown, hidden)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_small_and_narrow_pictures_have_all_layers(codec: Layered, size: tuple[int, int]) -> None:
    stream = codec.encode(Picture(np.ascontiguousarray(photograph()[: size[0], : size[1]])), 6)
    layers = inspect(stream)
    assert layers.edges is not None
    assert layers.colours is not None
    assert layers.edges.size <= edges.MOST_CELLS
    assert layers.colours.size <= 3 * colours.MOST_CELLS
    # As the codec decodes, from the layers that were just read: to read them takes most of the time.
    canvas = SketchDecoder().decode(layers, 0, b"")
    assert fitted(canvas, layers.width, layers.height).shape == (*size, 3)
