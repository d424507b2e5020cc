"""What the bytes of a header say of bit depth and colour space, format by format."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from codecarena.picture_header import _png_chunks, bit_depth, colour_coding

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def image(kind: str, mode: str = "RGB", **tags: Any) -> Any:
    return SimpleNamespace(format=kind, mode=mode, **tags)


def av1(flags: int) -> bytes:
    """Return a file with an AV1 configuration whose third byte holds high_bitdepth (64), twelve_bit (32)."""
    return b"ftypavif....av1C\x81\x04" + bytes([flags]) + b"more"


@pytest.mark.parametrize(
    ("data", "opened", "depth"),
    [
        (bytes(24) + b"\x02" + bytes(9), image("PNG"), 2),
        (bytes(24) + b"\x10\x08", image("PNG"), 16),
        (b"", image("TIFF", tag_v2={258: (8, 16, 8)}), 16),
        (b"", image("TIFF", tag_v2={258: 12}), 12),
        (b"", image("TIFF", tag_v2={}), 1),
        (b"", image("TIFF"), 1),
        (b"P5 2 2 255\n", image("PPM", "I"), 16),
        (b"P5 2 2 255\n", image("PPM", "L"), 8),
        (b"P5\n2 2\n256\n", image("PPM", "L"), 16),
        (b"P6\n# 9 9 9\n2 # 3\n2\n65535\n\0\0", image("PPM"), 16),
        (b"P4\n2 2\n\x80 900 ", image("PPM", "1"), 8),
        (b"P1\n2 2\n1 900\n", image("PPM", "1"), 8),
        (b"P5 2 2", image("PPM", "L"), 8),
        (b"P5 2 2 many", image("PPM", "L"), 8),
        (av1(0), image("AVIF"), 8),
        (av1(0x20), image("AVIF"), 8),
        (av1(0x40), image("AVIF"), 10),
        (av1(0x60), image("AVIF"), 12),
        (av1(0x9F), image("AVIF"), 8),
        (av1(0xFF), image("AVIF"), 12),
        (b"ftypavif", image("AVIF"), 8),
        *((b"", image(kind), 8) for kind in ("BMP", "GIF", "JPEG", "WEBP")),
    ],
)
def test_the_bit_depth_is_what_the_header_declares(data: bytes, opened: Any, depth: int) -> None:
    assert bit_depth(data, opened) == depth


def chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4) + kind + body + b"crc!"


def png(primaries: int, transfer: int) -> bytes:
    return SIGNATURE + chunk(b"IHDR", bytes(13)) + chunk(b"cICP", bytes([primaries, transfer, 0, 1]))


def avif(primaries: int, transfer: int) -> bytes:
    return b"ftypavif..colrnclx" + primaries.to_bytes(2) + transfer.to_bytes(2) + bytes([0, 0, 0x80])


@pytest.mark.parametrize(("kind", "coded"), [("PNG", png), ("AVIF", avif)])
def test_srgb_is_primaries_1_or_2_and_a_transfer_that_is_shown_as_srgb(kind: str, coded: Any) -> None:
    primaries = {code for code in range(23) if colour_coding(coded(code, 13), image(kind)) is None}
    transfers = {code for code in range(23) if colour_coding(coded(1, code), image(kind)) is None}
    assert (primaries, transfers) == ({1, 2}, {1, 2, 6, 13, 14, 15})
    message = "colour primaries 9 and transfer 16 (ITU-T H.273)"
    assert colour_coding(coded(9, 16), image(kind)) == message


def test_code_points_of_two_bytes_are_read_whole() -> None:
    message = "colour primaries 257 and transfer 13 (ITU-T H.273)"
    assert colour_coding(avif(257, 13), image("AVIF")) == message
    assert colour_coding(avif(1, 0x010D), image("AVIF")) is not None


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (SIGNATURE + chunk(b"cICP", b"\x09"), "PNG"),
        (SIGNATURE + chunk(b"IDAT", b"") + chunk(b"cICP", bytes([9, 16])), "PNG"),
        (SIGNATURE + chunk(b"tEXt", b"cICP" + bytes([9, 16])), "PNG"),
        (b"ftypavif", "AVIF"),
        (avif(9, 16), "JPEG"),
    ],
)
def test_what_names_no_code_points_is_taken_for_srgb(data: bytes, kind: str) -> None:
    assert colour_coding(data, image(kind)) is None


def test_two_bytes_of_code_points_are_enough() -> None:
    assert colour_coding(SIGNATURE + chunk(b"cICP", bytes([9, 16])), image("PNG")) is not None


def test_chunks_are_walked_until_the_pixels_or_the_end() -> None:
    head = chunk(b"IHDR", bytes(13)) + chunk(b"tEXt", b"word")
    expected = [(b"IHDR", bytes(13)), (b"tEXt", b"word")]
    assert list(_png_chunks(SIGNATURE + head + chunk(b"IDAT", b"...") + chunk(b"cICP", b"ab"))) == expected
    assert list(_png_chunks(SIGNATURE + head)) == expected
    assert list(_png_chunks(SIGNATURE + b"\0\0\0\1")) == []
    assert list(_png_chunks(SIGNATURE + head + b"\0\0\0\0cIC")) == expected
    assert list(_png_chunks(SIGNATURE + head + b"\0\0\0\0IEND")) == [*expected, (b"IEND", b"")]
