"""What the built-in adapters do beyond the contract: defaults, threads, foreign files and bombs."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import PIL.Image
import pytest

from codecarena.codecs import registry
from codecarena.codecs.base import CodecError, Image, Picture
from codecarena.codecs.classic.jpegxl import codestream_size
from codecarena.codecs.contract import photograph

FAST: dict[str, dict[str, registry.Value]] = {"vvc": {"preset": "faster"}, "avif-rav1e": {"speed": 10}}
NAMES = [
    name for name, entry in registry.entries().items() if entry.family == "classic" and name != "command"
]


def coded(name: str, pixels: Image | None = None, **parameters: registry.Value) -> bytes:
    """Return a bitstream at the codec's middle quality, or skip."""
    if missing := registry.find(name).missing:
        pytest.skip(missing)
    codec = registry.create(name, FAST.get(name, {}) | parameters)
    return codec.encode(
        Picture(photograph() if pixels is None else pixels),
        codec.info.qualities[3 % len(codec.info.qualities)],
    )


def saved(file_format: str, **options: object) -> bytes:
    file = io.BytesIO()
    PIL.Image.fromarray(photograph()).save(file, file_format, **options)
    return file.getvalue()


@pytest.mark.parametrize(("name", "file_format"), [("jpeg", "JPEG"), ("webp", "WEBP")])
def test_defaults_are_those_of_the_published_curves(name: str, file_format: str) -> None:
    codec = registry.create(name)
    for quality in (5, 50, 95):
        assert codec.encode(Picture(photograph()), quality) == saved(file_format, quality=quality)


@pytest.mark.parametrize(("name", "few"), [("heic", 2), ("jpegxl", 1), ("avif-svt", 1), ("vvc", 1)])
def test_number_of_threads_leaves_the_bytes_alone(name: str, few: int) -> None:
    pixels = np.tile(photograph(), (3, 3, 1))
    assert coded(name, pixels, threads=few + 1) == coded(name, pixels, threads=few)


@pytest.mark.parametrize("name", NAMES)
def test_files_of_other_formats_are_refused(name: str) -> None:
    if missing := registry.find(name).missing:
        pytest.skip(missing)
    codec = registry.create(name, FAST.get(name, {}))
    own = {"jpeg": "JPEG", "mozjpeg": "JPEG", "jpegli": "JPEG", "avif-svt": "AVIF", "avif-rav1e": "AVIF"}
    kind = own.get(name, name.upper())
    for foreign in ("PNG", "JPEG", "JPEG2000", "WEBP", "AVIF", "GIF", "TIFF", "BMP"):
        if foreign != kind:
            with pytest.raises(CodecError):
                codec.decode(saved(foreign))


def _png_bomb() -> bytes:
    chunk = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    header = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + header + coded("png")[33:]


def _patched(name: str, anchor: bytes, offset: int, size: bytes, **parameters: registry.Value) -> bytes:
    bitstream = coded(name, **parameters)
    place = bitstream.index(anchor) + offset
    return bitstream[:place] + size + bitstream[place + len(size) :]


def _jpegxr_bomb() -> bytes:
    whole = coded("jpegxr")
    file = bytearray(whole[:-4])
    for tag in (0xBC80, 0xBC81):
        place = bytes(file).index(struct.pack("<HHI", tag, 4, 1)) + 8
        file[place : place + 4] = struct.pack("<I", 100_000)
    return bytes(file) + zlib.crc32(file).to_bytes(4, "little")


def _jpegxl_bomb() -> bytes:
    side = 2**30 - 1  # not small; selector 3, 30 bits; no ratio; the same again
    bits = 0 | 3 << 1 | side << 3 | 0 << 33 | 3 << 36 | side << 38
    return b"\xff\x0a" + bits.to_bytes(10, "little") + coded("jpegxl")[12:]


BOMBS = {
    "png": _png_bomb,
    "jpeg": lambda: _patched("jpeg", b"\xff\xc0", 5, struct.pack(">HH", 65_500, 65_500)),
    "mozjpeg": lambda: _patched("mozjpeg", b"\xff\xc2", 5, struct.pack(">HH", 65_500, 65_500)),
    "jpegli": lambda: _patched("jpegli", b"\xff\xc0", 5, struct.pack(">HH", 65_500, 65_500)),
    "jpeg2000": lambda: _patched("jpeg2000", b"\xff\x51", 6, struct.pack(">II", 90_000, 90_000)),
    "webp": lambda: _patched("webp", b"\x9d\x01\x2a", 3, struct.pack("<HH", 16_383, 16_383)),
    "avif": lambda: _patched("avif", b"ispe", 8, struct.pack(">II", 90_000, 90_000)),
    "heic": lambda: _patched("heic", b"ispe", 8, struct.pack(">II", 90_000, 90_000)),
    "jpegxr": _jpegxr_bomb,
    "jpegxl": _jpegxl_bomb,
    "vvc": lambda: b"\xff\xff\x07\xff\xff\x07" + coded("vvc")[3:],
}


@pytest.mark.parametrize("name", BOMBS)
def test_decompression_bombs_are_refused(name: str) -> None:
    bomb = BOMBS[name]()
    with pytest.raises(CodecError):
        registry.create(name).decode(bomb)


def test_absurd_sizes_are_named() -> None:
    with pytest.raises(CodecError, match="the bitstream claims 1073741824 x 1073741824"):
        registry.create("jpegxl").decode(_jpegxl_bomb())


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (96, 128), (90, 160), (100, 200), (37, 900), (600, 3)])
def test_jpegxl_size_is_read_from_its_header(size: tuple[int, int]) -> None:
    pixels = np.full((*size, 3), 90, np.uint8)
    assert codestream_size(coded("jpegxl", pixels)) == (size[1], size[0])


def test_breakdown_knows_the_containers() -> None:
    webp = registry.create("webp").breakdown(coded("webp"))
    assert webp.header_bytes == 20  # RIFF, size, WEBP, one chunk's kind and size
    jpeg = coded("jpeg")
    assert (
        registry.create("jpeg").breakdown(jpeg).payload_bytes == len(jpeg) - jpeg.index(b"\xff\xda") - 14 - 2
    )
    png = coded("png")
    payload = registry.create("png").breakdown(png).payload_bytes
    assert len(png) - payload == 8 + 25 + 12 * png.count(b"IDAT") + 12  # signature, IHDR, IDAT frames, IEND


def test_jpeg2000_uses_the_colour_transform() -> None:
    naive = saved("JPEG2000", quality_mode="dB", quality_layers=[35], irreversible=True)
    assert len(coded("jpeg2000")) < len(naive)


def test_jpegli_names_its_decoder() -> None:
    bitstream = coded("jpegli")
    own, turbo = (registry.create("jpegli", {"decoder": decoder}) for decoder in ("jpegli", "turbo"))
    assert own.info.version != turbo.info.version
    assert "libjpeg_turbo" in turbo.info.version
    assert not np.array_equal(own.decode(bitstream), turbo.decode(bitstream))


def test_mozjpeg_is_smaller_than_libjpeg_at_the_same_tables() -> None:
    plain = coded("mozjpeg", trellis=False, progressive=False, deringing=False)
    assert len(coded("mozjpeg")) < len(plain)


@pytest.mark.parametrize("name", ["avif-svt", "avif-rav1e"])
def test_small_avif_stays_a_file_that_others_open(name: str) -> None:
    bitstream = coded(name, np.ascontiguousarray(photograph()[:5, :9]))
    with PIL.Image.open(io.BytesIO(bitstream), formats=["AVIF"]) as image:
        image.load()
        assert image.size == (16, 16)
    assert registry.create(name, FAST.get(name, {})).decode(bitstream).shape == (5, 9, 3)
    for taken in (0xF0, 0x0F):  # columns, rows: 15 of either leave one
        assert (
            registry.create(name, FAST.get(name, {})).decode(bitstream[:-1] + bytes([taken])).size == 16 * 3
        )
    tiny = io.BytesIO()
    PIL.Image.new("RGB", (9, 9)).save(tiny, "AVIF")
    with pytest.raises(CodecError, match="cannot crop 9 x 9 pixels to 0 x 9"):
        registry.create(name, FAST.get(name, {})).decode(tiny.getvalue() + b"\0\0\0\x09free\x90")


@pytest.mark.parametrize("depth", [8, 10])
def test_rav1e_gets_every_row_of_chroma_at_odd_sides(depth: int) -> None:
    """FFmpeg hands it half the rows, rounded down: the last row of a red picture came back grey or green."""
    red = np.full((65, 63, 3), (220, 30, 40), np.uint8)
    codec = registry.create("avif-rav1e", {"speed": 10, "bit_depth": depth})
    bitstream = codec.encode(Picture(red), 20)
    assert np.abs(codec.decode(bitstream).astype(int) - red).max() <= 1
    assert bitstream.endswith(b"\0\0\0\x09free\x11")  # one column and one row are taken away


@pytest.mark.parametrize("subsampling", ["4:2:0", "4:2:2", "4:4:4"])
def test_avif_of_libaom_holds_no_alpha(subsampling: str) -> None:
    bitstream = coded("avif", subsampling=subsampling)
    assert b"auxC" not in bitstream
    with PIL.Image.open(io.BytesIO(bitstream), formats=["AVIF"]) as image:
        assert image.mode == "RGB"


def test_jpeg2000_reaches_the_psnr_it_is_asked_for() -> None:
    """Its library's estimate fails on black, and on pictures that are black in part."""
    black = np.zeros((65, 97, 3), np.uint8)
    half = photograph(65, 97)
    half[:, :48] = 0
    for irreversible in (True, False):
        codec = registry.create("jpeg2000", {"irreversible": irreversible})
        for pixels in (black, black + 255, half, np.ascontiguousarray(half[:1, -1:])):
            for asked in (10, 20, 26, 32, 41, 47):
                decoded = codec.decode(codec.encode(Picture(pixels), asked))
                mean_squared = np.square(decoded.astype(float) - pixels).mean()
                assert mean_squared <= 255**2 / 10 ** ((asked - 1) / 10), f"{asked} dB, {irreversible}"


def test_jpeg2000_takes_its_largest_rate_where_no_rate_reaches_the_psnr() -> None:
    file = io.BytesIO()
    PIL.Image.fromarray(photograph()).save(
        file, "JPEG2000", quality_mode="rates", quality_layers=[1], irreversible=True, mct=1
    )
    assert registry.create("jpeg2000").encode(Picture(photograph()), 60) == file.getvalue()


def test_jpeg2000_keeps_the_librarys_file_where_it_reaches_the_psnr() -> None:
    own = saved("JPEG2000", quality_mode="dB", quality_layers=[35], irreversible=True, mct=1)
    assert registry.create("jpeg2000").encode(Picture(photograph()), 35) == own


@pytest.mark.parametrize(("name", "file_format"), [("png", "PNG"), ("webp", "WEBP"), ("avif", "AVIF")])
def test_files_with_alpha_are_refused(name: str, file_format: str) -> None:
    """Dropping it in silence would count a half-opaque picture as lossless."""
    file = io.BytesIO()
    clear = PIL.Image.fromarray(photograph())
    clear.putalpha(128)
    clear.save(file, file_format)
    with pytest.raises(CodecError, match="expected an RGB picture, the bitstream holds RGBA"):
        registry.create(name).decode(file.getvalue())


@pytest.mark.parametrize(("name", "mode"), [("jpeg", "L"), ("jpeg", "CMYK"), ("png", "L"), ("jpeg2000", "L")])
def test_files_of_other_channels_are_refused(name: str, mode: str) -> None:
    file = io.BytesIO()
    PIL.Image.fromarray(photograph()).convert(mode).save(file, name.upper())
    with pytest.raises(CodecError, match=f"the bitstream holds {mode}"):
        registry.create(name).decode(file.getvalue())
