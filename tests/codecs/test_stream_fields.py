"""Headers, numbers and containers of bitstreams, byte by byte; scales, recipes and checks at their ends."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from codecarena.codecs import bitstream, leb128, registry
from codecarena.codecs.base import (
    MAX_PIXELS,
    CodecError,
    QualityScale,
    RateParts,
    check_choice,
    check_range,
    check_size,
    check_text,
)
from codecarena.codecs.bitstream import Header, Kind, Reader, seal, unseal
from codecarena.codecs.classic import containers
from codecarena.codecs.recipe import Quality, Recipe, fill

WEIGHTS = b"sha256"


@pytest.mark.parametrize(
    ("kind", "number", "seed"),
    [
        (Kind.HYPERPRIOR, 1, None),
        (Kind.ZOO, 2, None),
        (Kind.HFD, 3, 7),
        (Kind.LATENT, 4, 7),
        (Kind.LAYERED, 5, 7),
        (Kind.ILLM, 6, None),
    ],
)
def test_a_sealed_stream_is_laid_out_as_documented(kind: Kind, number: int, seed: int | None) -> None:
    header = Header(kind, 0x010203, 20, WEIGHTS, seed or 0)
    packed = b"cA" + bytes([number, 1, 1, 2, 3, 0, 0, 20]) + WEIGHTS
    packed += b"" if seed is None else bytes([0, 0, 0, seed])
    stream = packed + struct.pack(">I", zlib.crc32(packed + b"payload")) + b"payload"
    assert seal(header, b"payload") == stream
    assert kind.header_bytes == len(packed) + 4
    assert unseal(stream, kind, WEIGHTS) == (header, b"payload")
    assert unseal(seal(header, b""), kind) == (header, b"")


SEALED = seal(Header(Kind.HFD, 3, 4, WEIGHTS, 7), b"payload")


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (b"cB" + SEALED[2:], "expected the bytes 63 41 at its beginning, got 63 42"),
        (SEALED[:23], "cut short: 23 bytes of its header"),
        (SEALED[:2] + b"\x04" + SEALED[3:], "expected a hfd stream, this one was written by latent"),
        (SEALED[:2] + b"\x63" + SEALED[3:], "written by codec 99"),
        (SEALED[:3] + b"\x02" + SEALED[4:], "format version 2, this decoder reads 1"),
        (SEALED[:-1], "its CRC-32 does not match"),
        (SEALED[:5] + b"\x01" + SEALED[6:], "its CRC-32 does not match"),
    ],
)
def test_a_stream_that_is_not_what_it_says_is_refused(stream: bytes, reason: str) -> None:
    with pytest.raises(CodecError, match=reason):
        unseal(stream, Kind.HFD)


def test_a_stream_of_other_weights_names_both() -> None:
    with pytest.raises(
        CodecError, match=f"the weights {WEIGHTS.hex()}, this decoder holds {b'others'.hex()}"
    ):
        unseal(SEALED, Kind.HFD, b"others")


def test_a_header_may_claim_4096_pixels_for_each_byte_of_its_payload() -> None:
    header = Header(Kind.HFD, 4096, 3, WEIGHTS)
    bitstream.check_claim(header, b"123")
    bitstream.check_claim(Header(Kind.HFD, 4095, 1, WEIGHTS), b"")
    with pytest.raises(CodecError, match="claims 4096 x 3 pixels in 2 bytes"):
        bitstream.check_claim(header, b"12")
    assert bitstream.pad_payload(header, b"1") == b"1\0\0"
    assert bitstream.pad_payload(header, b"1234") == b"1234"


@pytest.mark.parametrize(("width", "height"), [(2**24, 1), (1, 2**24), (0, 5), (5, 0)])
def test_sides_that_no_header_holds_are_refused(width: int, height: int) -> None:
    Header(Kind.HFD, 2**24 - 1, 1, WEIGHTS).pack()
    with pytest.raises(CodecError):
        Header(Kind.HFD, width, height, WEIGHTS).pack()


def test_a_decoder_draws_from_the_seed_it_is_told_else_from_the_streams() -> None:
    header = Header(Kind.HFD, 3, 4, WEIGHTS, 7)
    assert [bitstream.seed_of(header, seed) for seed in (None, 0, 9, 2**32 - 1)] == [7, 0, 9, 2**32 - 1]
    for seed in (-1, 2**32, 1.0):
        with pytest.raises(CodecError, match="seed"):
            bitstream.seed_of(header, seed)


def test_a_reader_takes_fields_in_order_and_never_past_the_end() -> None:
    reader = Reader(b"\x01\x02\x03rest")
    assert (reader.number(1), reader.number(2), reader.position, reader.rest()) == (1, 0x0203, 3, b"rest")
    assert reader.take(0) == b""
    for count in (1, -1):
        with pytest.raises(CodecError, match="at byte 7 of 7"):
            reader.take(count)


@pytest.mark.parametrize(
    ("number", "written"),
    [(0, "00"), (1, "01"), (127, "7f"), (128, "8001"), (300, "ac02"), (16383, "ff7f"), (16384, "808001")],
)
def test_whole_numbers_in_seven_bits_a_byte(number: int, written: str) -> None:
    assert leb128.write(number).hex() == written
    assert leb128.read(Reader(bytes.fromhex(written)), number, "x") == number


@pytest.mark.parametrize("written", ["7f", "8000", "80", "ffffffffff7f", "808080808001"])
def test_numbers_too_large_or_written_too_long_are_refused(written: str) -> None:
    with pytest.raises(CodecError):
        leb128.read(Reader(bytes.fromhex(written)), 2**31 if written != "7f" else 126, "x")


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body), kind) + body + b"crc!"


def riff(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def part(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


PNG = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes(13)) + chunk(b"IDAT", b"12345") + chunk(b"IDAT", b"67")
JPEG = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xda\x00\x03c" + b"pixels\xff\xd0" + b"\xff\xd9"
CODESTREAM = b"\xff\x4f\xff\x51\x00\x05abc\xff\x90tile part\xff\xd9"
LARGE_BOX = struct.pack(">I4sQ", 1, b"mdat", 16 + 5) + b"large"


@pytest.mark.parametrize(
    ("parts", "file", "payload"),
    [
        (containers.png_parts, PNG + chunk(b"IEND", b""), 7),
        (containers.jpeg_parts, JPEG, 8),
        (
            containers.webp_parts,
            riff(part(b"VP8X", b"head"), part(b"ALPH", b"abc"), part(b"VP8 ", b"pixel")),
            8,
        ),
        (containers.webp_parts, riff(part(b"VP8L", b"pixels"), part(b"EXIF", b"abc")), 6),
        (containers.media_parts, box(b"ftyp", b"avif") + box(b"mdat", b"pixels") + box(b"mdat", b"more"), 10),
        (containers.media_parts, box(b"ftyp", b"avif") + LARGE_BOX + box(b"free", b"x"), 5),
        (containers.media_parts, box(b"ftyp", b"avif") + struct.pack(">I4s", 0, b"mdat") + b"to the end", 10),
        (containers.jpeg2000_parts, box(b"jP  ", b"head") + box(b"jp2c", CODESTREAM), 13),
    ],
)
def test_the_payload_of_a_container_is_counted_to_the_byte(parts: Any, file: bytes, payload: int) -> None:
    assert parts(file) == RateParts(len(file) - payload, payload, 0)


@pytest.mark.parametrize(
    ("parts", "file"),
    [
        (containers.png_parts, PNG),
        (containers.png_parts, PNG + chunk(b"IEND", b"") + b"more"),
        (containers.jpeg_parts, JPEG[:-1]),
        (containers.jpeg_parts, JPEG.replace(b"\xff\xe0", b"\xfe\xe0")),
        (containers.webp_parts, riff(part(b"VP8 ", b"pixels")) + b"x"),
        (containers.webp_parts, riff().replace(b"WEBP", b"WAVE")),
        (containers.media_parts, box(b"mdat", b"pixels")[:-1]),
        (containers.media_parts, struct.pack(">I4s", 4, b"mdat")),
        (containers.jpeg2000_parts, box(b"jp2c", CODESTREAM[:-1])),
        (containers.jpeg2000_parts, box(b"free", b"")),
    ],
)
def test_a_container_that_does_not_add_up_is_refused(parts: Any, file: bytes) -> None:
    with pytest.raises(CodecError, match="damaged or cut off"):
        parts(file)


def test_parts_add_up() -> None:
    assert RateParts(1, 20, 300).total_bytes == 321
    assert RateParts(1, 20) == RateParts(1, 20, 0)


@pytest.mark.parametrize(
    ("scale", "inside", "outside"),
    [
        (QualityScale("quality", 1, 100), (1, 2.0, 100), (0, 101, 1.5, float("nan"))),
        (QualityScale("qp", 63, 13), (63, 62, 13), (64, 12, 13.5)),
        (QualityScale("distance", 25, 0.05, 0.01), (25, 0.05, 1.23), (0.04, 25.01, 1.234)),
        (QualityScale("lossless", 0, 0), (0,), (1, -1)),
    ],
)
def test_a_scale_holds_its_ends_and_every_step(scale: QualityScale, inside: Any, outside: Any) -> None:
    assert all(scale.contains(quality) for quality in inside)
    assert not any(scale.contains(quality) for quality in outside)


ENDS = {
    # As the encoders' manuals have them; worst and best, step.
    "avif": (0, 100, 1),
    "avif-rav1e": (255, 1, 1),
    "avif-svt": (63, 1, 1),
    "heic": (0, 100, 1),
    "jpeg": (1, 100, 1),
    "jpegli": (1, 100, 1),
    "jpegxl": (25, 0.05, 0.01),
    "mozjpeg": (1, 100, 1),
    "png": (0, 0, 1),
    "webp": (0, 100, 1),
}


@pytest.mark.parametrize("name", ENDS)
def test_a_classic_codec_has_its_encoders_scale_and_no_tolerance(name: str) -> None:
    if missing := registry.find(name).missing:
        pytest.skip(missing)
    info = registry.create(name).info
    assert (info.scale.worst, info.scale.best, info.scale.step) == ENDS[name]
    assert (info.family, info.stochastic, info.tolerance_levels) == ("classic", False, 0)
    assert (info.scalable, info.toy, info.weights_bytes, info.generator) == (False, False, 0, None)


@pytest.mark.parametrize("size", [(0, 1), (1, 0), (MAX_PIXELS + 1, 1), (2, MAX_PIXELS // 2 + 1)])
def test_sizes_that_no_picture_has_are_refused(size: tuple[int, int]) -> None:
    check_size(1, 1)
    check_size(MAX_PIXELS, 1)
    with pytest.raises(CodecError, match="expected 1 to 178956970 pixels"):
        check_size(*size)


def test_parameters_are_checked_at_the_ends_of_their_range_and_by_type() -> None:
    for value in (0, 1, 0.5):
        check_range("x", value, 0, 1)
    check_range("x", 5, 0, 5, whole=True)
    for value, whole in (
        (-0.1, False),
        (1.1, False),
        (True, False),
        ("1", False),
        (0.5, True),
        (None, False),
    ):
        with pytest.raises(CodecError, match="parameter 'x' must lie between 0 and 1"):
            check_range("x", value, 0, 1, whole=whole)
    check_choice("x", 1, (1, 2))
    for value in (3, 1.0, True):
        with pytest.raises(CodecError, match="must be one of 1, 2"):
            check_choice("x", value, (1, 2))
    check_text("x", "")
    with pytest.raises(CodecError, match="must be a text, got 7"):
        check_text("x", 7)


QUALITY = {"name": "level", "worst": 1, "best": 9, "ladder": [1, 5, 9]}
RECIPE = {
    "name": "x",
    "version": "1",
    "encode": ["e", "{input}", "{output}", "{quality}"],
    "decode": ["d", "{input}", "{output}"],
    "quality": QUALITY,
}


@pytest.mark.parametrize(
    ("worst", "best", "step", "quality", "text"),
    [(1, 9, 1, 5, "5"), (0.5, 9.5, 1, 5.5, "5.5"), (1, 9, 0.5, 5, "5"), (1, 9, 0.25, 5.25, "5.25")],
)
def test_a_setting_is_written_without_a_point_where_every_one_is_whole(
    worst: float, best: float, step: float, quality: float, text: str
) -> None:
    table = Quality(name="level", worst=worst, best=best, step=step, ladder=[worst])
    assert table.text(quality) == text
    assert table.scale == QualityScale("level", worst, best, step)


@pytest.mark.parametrize(
    "ladder", [[5, 1], [1, 1], [0, 5], [1.5], []], ids=["falls", "twice", "below", "between", "empty"]
)
def test_a_ladder_off_its_scale_is_refused(ladder: list[float]) -> None:
    with pytest.raises(ValidationError):
        Quality.model_validate(QUALITY | {"ladder": ladder})
    Quality.model_validate(QUALITY | {"worst": 9, "best": 1, "ladder": [9, 5, 1]})


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"encode": ["e", "{input}", "{output}"]}, "encode: the placeholder {quality} is missing"),
        ({"decode": ["d", "{input}"]}, "decode: the placeholder {output} is missing"),
        ({"stochastic": True}, "decode: the placeholder {seed} is missing"),
        ({"encode": [*RECIPE["encode"], "{widht}"]}, "did you mean {width}"),
        ({"decode": [*RECIPE["decode"], "{quality}"]}, "unknown placeholder {quality}"),
        ({"version": None}, "expected either version or version_command"),
        ({"version_command": ["e"]}, "expected either version or version_command"),
        ({"tolerance_levels": 256}, "less than or equal to 255"),
        ({"tolerance_levels": -1}, "greater than or equal to 0"),
    ],
)
def test_a_recipe_that_cannot_run_is_refused(changed: dict[str, Any], reason: str) -> None:
    recipe = Recipe.model_validate(RECIPE)
    assert (recipe.default_seed, recipe.tolerance_levels, recipe.stochastic) == (0, 0, False)
    with pytest.raises(ValidationError) as refused:
        Recipe.model_validate(RECIPE | changed)
    assert reason in str(refused.value)


def test_placeholders_are_filled_wherever_they_stand(tmp_path: Path) -> None:
    words = ["{input}", "-q={quality}", "{quality}{quality}", "{other}", "{}"]
    values = {"input": tmp_path, "quality": 5, "other": "o"}
    assert fill(words, values) == [str(tmp_path), "-q=5", "55", "o", "{}"]
