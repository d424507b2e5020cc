"""Palette and indices come back from their bytes; a forged length is refused before anything is allocated."""

from __future__ import annotations

import tracemalloc
import zlib

import numpy as np
import pytest

from codecarena.codecs.base import CodecError
from codecarena.codecs.bitstream import NO_WEIGHTS, Header, Kind
from codecarena.codecs.generative.latent.palette import uniform
from codecarena.codecs.generative.latent.payload import (
    SETTINGS_BYTES,
    Layout,
    Payload,
    error_code,
    error_of,
    parts,
    unpack,
)


def made(
    width: int, height: int, entries: int, channels: int = 4, seed: int = 0
) -> tuple[Header, Layout, Payload]:
    """Return a payload of noise, which nothing can deflate."""
    rng = np.random.default_rng(seed)
    header = Header(Kind.LATENT, width, height, NO_WEIGHTS)
    layout = Layout.of(header, 8, channels)
    palette = rng.integers(0, 256, (entries, 4), np.uint8) if channels == 4 else uniform(entries)
    indices = rng.integers(0, entries, layout.index_shape, np.uint8, endpoint=False)
    return header, layout, Payload(palette, indices, 77, 3)


@pytest.mark.parametrize("channels", [4, 3, 32])
@pytest.mark.parametrize("entries", [1, 2, 3, 16, 17, 32, 64, 100, 128, 256])
def test_payload_round_trip(entries: int, channels: int) -> None:
    for width, height in ((1, 1), (8, 9), (100, 60)):
        header, layout, payload = made(width, height, entries, channels)
        packed = payload.pack(header, layout)
        again = unpack(header, packed, layout)
        assert np.array_equal(again.palette, payload.palette)
        assert np.array_equal(again.indices, payload.indices)
        assert (again.error, again.steps) == (77, 3)
        assert np.array_equal(again.levels(layout), payload.levels(layout))
        assert again.levels(layout).shape == (layout.height, layout.width, channels)


def test_512_pixels_with_256_entries_are_5120_bytes_that_deflating_never_grows() -> None:
    header, layout, noise = made(512, 512, 256)
    assert layout.palette_bytes(256) + layout.index_count == 256 * 4 + 64 * 64 == 5120
    assert len(noise.pack(header, layout)) == 5120 + SETTINGS_BYTES <= 5120 + 24
    calm = Payload(np.sort(noise.palette, 0), np.zeros((64, 64), np.uint8), 0, 2)
    packed = calm.pack(header, layout)
    assert len(packed) < 5120
    assert len(zlib.decompress(packed[SETTINGS_BYTES:])) == 5120


def test_indices_take_as_many_bits_as_the_palette_needs() -> None:
    for entries, bits in ((16, 4), (32, 5), (64, 6), (128, 7), (256, 8)):
        header, layout, payload = made(512, 512, entries)
        assert len(payload.pack(header, layout)) == SETTINGS_BYTES + entries * 4 + 4096 * bits // 8


def test_parts_name_the_palette() -> None:
    header, layout, payload = made(512, 512, 64)
    byte_parts = parts(header, payload.pack(header, layout), layout)
    assert (byte_parts.header_bytes, byte_parts.payload_bytes, byte_parts.side_bytes) == (27, 3072, 256)


def test_large_flat_picture_may_be_read_again() -> None:
    header = Header(Kind.LATENT, 9000, 7000, NO_WEIGHTS)
    layout = Layout.of(header, 8, 4)
    flat = Payload(np.full((1, 4), 9, np.uint8), np.zeros(layout.index_shape, np.uint8), 1, 0)
    packed = flat.pack(header, layout)
    assert len(packed) == 9000 * 7000 // 4096
    assert np.array_equal(unpack(header, packed, layout).levels(layout), flat.levels(layout))


@pytest.mark.parametrize("forged", [(520, 512), (512, 520), (512, 8), (8, 8), (60_000, 50_000 // 30)])
@pytest.mark.parametrize("flat", [False, True], ids=["noise", "flat"])
def test_another_size_in_the_header_is_refused(forged: tuple[int, int], flat: bool) -> None:
    header, layout, payload = made(512, 512, 256)
    if flat:
        payload = Payload(payload.palette, payload.indices * 0, 1, 1)
    packed = payload.pack(header, layout)
    liar = Header(Kind.LATENT, *forged, NO_WEIGHTS)
    with pytest.raises(CodecError):
        unpack(liar, packed, Layout.of(liar, 8, 4))


def test_another_number_of_entries_is_refused() -> None:
    header, layout, payload = made(512, 512, 64)
    packed = payload.pack(header, layout)
    for entries in (1, 32, 63, 65, 128, 256):
        with pytest.raises(CodecError):
            unpack(header, bytes([entries - 1]) + packed[1:], layout)


def test_index_without_an_entry_is_refused() -> None:
    header, layout, payload = made(64, 64, 3)
    packed = bytearray(payload.pack(header, layout))
    packed[-1] |= 3
    with pytest.raises(CodecError, match="entry 3 of a palette of 3"):
        unpack(header, bytes(packed), layout)


def test_bytes_behind_the_end_are_refused() -> None:
    header, layout, payload = made(64, 64, 16)
    with pytest.raises(CodecError, match="zeros"):
        unpack(header, payload.pack(header, layout) + b"\1", layout)


def test_deflated_flood_stays_small() -> None:
    header, layout, _ = made(512, 512, 256)
    flood = bytes([255, 1, 1]) + zlib.compress(bytes(2**28), 9)
    tracemalloc.start()
    with pytest.raises(CodecError, match="5120 bytes"):
        unpack(header, flood, layout)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 2**20


@pytest.mark.parametrize(
    "body", [b"", b"\x78\x9c", b"not deflated", zlib.compress(bytes(5119)), zlib.compress(bytes(5120))[:-1]]
)
def test_broken_deflated_body_is_refused(body: bytes) -> None:
    header, layout, _ = made(512, 512, 256)
    with pytest.raises(CodecError):
        unpack(header, bytes([255, 1, 1]) + body.ljust(64, b"\0"), layout)


def test_error_byte_keeps_three_percent() -> None:
    for rms in np.geomspace(0.005, 7.5, 200):
        assert abs(error_of(error_code(float(rms))) / rms - 1) < 0.015
    assert error_code(0.0) == error_code(0.001) == 1
    assert error_code(1e9) == 255
