"""Each row of the table in docs/pictures.md, on files made here."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFile, PngImagePlugin

from codecarena.datasets import pixels as dataset_pixels
from codecarena.datasets.pixels import pixels_sha256, read_pixels
from codecarena.picture_file import MAX_PIXELS, PictureError

RNG_SEED = 7
ROTATE_CLOCKWISE = 6  # EXIF: the camera was held so that the picture must be turned 90 degrees clockwise


@pytest.fixture
def colours() -> NDArray[np.uint8]:
    return np.random.default_rng(RNG_SEED).integers(0, 256, (13, 17, 3), dtype=np.uint8)


@pytest.fixture
def smooth() -> NDArray[np.uint8]:
    """Return a picture that lossy codecs keep to within a few levels."""
    rows, columns = np.mgrid[0:64, 0:96]
    return np.stack([rows * 2 + 40, columns + 60, 200 - rows], axis=-1).astype(np.uint8)


def refused(path: Path) -> str:
    """Return what the refusal says after the file's name."""
    with pytest.raises(PictureError) as caught:
        read_pixels(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def raw_png(width: int, height: int, depth: int, colour_type: int, rows: bytes, extra: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    body = png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + extra + body


@pytest.mark.parametrize("extension", ["png", "tiff", "bmp", "ppm", "webp"])
def test_lossless_rgb_is_read_as_it_is(tmp_path: Path, colours: NDArray[np.uint8], extension: str) -> None:
    path = tmp_path / f"picture.{extension}"
    Image.fromarray(colours).save(path, **({"lossless": True} if extension == "webp" else {}))
    pixels = read_pixels(path)
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    assert pixels.flags.writeable
    np.testing.assert_array_equal(pixels, colours)


@pytest.mark.parametrize("extension", ["jpg", "webp", "avif"])
def test_lossy_formats_are_read(tmp_path: Path, smooth: NDArray[np.uint8], extension: str) -> None:
    path = tmp_path / f"picture.{extension}"
    Image.fromarray(smooth).save(path, quality=95)
    assert np.abs(read_pixels(path).astype(int) - smooth).max() <= 6


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1)])
def test_single_rows_and_columns_are_read(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.new("RGB", size, (1, 2, 3)).save(tmp_path / "thin.png")
    assert read_pixels(tmp_path / "thin.png").shape == (size[1], size[0], 3)


def test_content_decides_over_the_extension(tmp_path: Path, smooth: NDArray[np.uint8]) -> None:
    Image.fromarray(smooth).save(tmp_path / "real.jpg")
    (tmp_path / "real.jpg").rename(tmp_path / "wrong.png")
    assert read_pixels(tmp_path / "wrong.png").shape == smooth.shape


def test_grey_becomes_three_equal_channels(tmp_path: Path, colours: NDArray[np.uint8]) -> None:
    grey = colours[..., 0]
    Image.fromarray(grey).save(tmp_path / "grey.png")
    np.testing.assert_array_equal(read_pixels(tmp_path / "grey.png"), np.stack([grey] * 3, axis=-1))


def test_bilevel_becomes_black_and_white(tmp_path: Path, colours: NDArray[np.uint8]) -> None:
    bits = colours[..., 0] > 127
    Image.fromarray(bits).save(tmp_path / "bits.png")
    np.testing.assert_array_equal(
        read_pixels(tmp_path / "bits.png"), np.stack([bits * np.uint8(255)] * 3, axis=-1)
    )


@pytest.mark.parametrize("extension", ["png", "gif"])
def test_palette_is_looked_up(tmp_path: Path, extension: str) -> None:
    table = np.array([[10, 200, 30], [250, 5, 128], [0, 0, 255]], dtype=np.uint8)
    indices = np.arange(15, dtype=np.uint8).reshape(3, 5) % 3
    image = Image.fromarray(indices)
    image.putpalette(table.tobytes())
    image.save(tmp_path / f"palette.{extension}")
    with Image.open(tmp_path / f"palette.{extension}") as stored:
        assert stored.mode == "P"
    np.testing.assert_array_equal(read_pixels(tmp_path / f"palette.{extension}"), table[indices])


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_opaque_alpha_is_dropped(tmp_path: Path, colours: NDArray[np.uint8], mode: str) -> None:
    opaque = Image.fromarray(colours).convert(mode)
    opaque.save(tmp_path / "opaque.png")
    expected = np.asarray(Image.fromarray(colours).convert(mode[:-1]).convert("RGB"))
    np.testing.assert_array_equal(read_pixels(tmp_path / "opaque.png"), expected)


@pytest.mark.parametrize("extension", ["png", "webp", "avif", "tiff"])
def test_one_see_through_pixel_is_refused(tmp_path: Path, colours: NDArray[np.uint8], extension: str) -> None:
    image = Image.fromarray(colours).convert("RGBA")
    image.putpixel((3, 4), (1, 2, 3, 0))
    image.save(tmp_path / f"hole.{extension}", **({"quality": 100} if extension == "avif" else {}))
    assert "transparent pixels; flatten it" in refused(tmp_path / f"hole.{extension}")


def test_a_transparent_colour_that_is_used_is_refused(tmp_path: Path, colours: NDArray[np.uint8]) -> None:
    used = tuple(int(level) for level in colours[2, 3])
    Image.fromarray(colours).save(tmp_path / "keyed.png", transparency=used)
    assert "transparent pixels" in refused(tmp_path / "keyed.png")


def test_a_transparent_colour_that_is_not_used_is_ignored(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4), (9, 9, 9)).save(tmp_path / "keyed.png", transparency=(1, 2, 3))
    assert (read_pixels(tmp_path / "keyed.png") == 9).all()


def test_cmyk_is_refused(tmp_path: Path, smooth: NDArray[np.uint8]) -> None:
    Image.fromarray(smooth).convert("CMYK").save(tmp_path / "print.jpg")
    assert refused(tmp_path / "print.jpg").startswith("CMYK")


@pytest.mark.parametrize(("colour_type", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_16_bit_png_is_refused(tmp_path: Path, colour_type: int, channels: int) -> None:
    rows = b"".join(b"\0" + bytes(range(2 * channels * 3)) for _ in range(2))
    (tmp_path / "deep.png").write_bytes(raw_png(3, 2, 16, colour_type, rows))
    assert refused(tmp_path / "deep.png").startswith("16 bits per channel")


def test_16_bit_tiff_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.arange(12, dtype=np.uint16).reshape(3, 4)).save(tmp_path / "deep.tiff")
    assert refused(tmp_path / "deep.tiff").startswith("16 bits per channel")


@pytest.mark.parametrize("magic", [b"P5", b"P6"])
def test_16_bit_netpbm_is_refused(tmp_path: Path, magic: bytes) -> None:
    samples = bytes(2 * 2 * 2 * (3 if magic == b"P6" else 1))
    (tmp_path / "deep.ppm").write_bytes(magic + b"\n# a comment 9\n2 2\n65535\n" + samples)
    assert refused(tmp_path / "deep.ppm").startswith("16 bits per channel")


def test_10_bit_avif_is_refused(tmp_path: Path, smooth: NDArray[np.uint8]) -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    deep = imagecodecs.avif_encode(smooth.astype(np.uint16) * 4, bitspersample=10)
    (tmp_path / "deep.avif").write_bytes(deep)
    assert refused(tmp_path / "deep.avif").startswith("10 bits per channel")


def test_floating_point_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.ones((3, 4), dtype=np.float32)).save(tmp_path / "float.tiff")
    assert "bits per channel" in refused(tmp_path / "float.tiff")


@pytest.mark.parametrize(("primaries", "transfer"), [(9, 16), (12, 13), (1, 18)])
def test_png_code_points_of_another_colour_space_are_refused(
    tmp_path: Path, primaries: int, transfer: int
) -> None:
    extra = png_chunk(b"cICP", bytes([primaries, transfer, 0, 1]))
    (tmp_path / "wide.png").write_bytes(raw_png(1, 1, 8, 2, b"\0\1\2\3", extra))
    assert f"primaries {primaries} and transfer {transfer}" in refused(tmp_path / "wide.png")


def test_png_code_points_of_srgb_change_nothing(tmp_path: Path) -> None:
    extra = png_chunk(b"cICP", bytes([1, 13, 0, 1]))
    (tmp_path / "srgb.png").write_bytes(raw_png(1, 1, 8, 2, b"\0\1\2\3", extra))
    assert read_pixels(tmp_path / "srgb.png").tolist() == [[[1, 2, 3]]]


def test_avif_code_points_of_another_colour_space_are_refused(
    tmp_path: Path, smooth: NDArray[np.uint8]
) -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    wide = imagecodecs.avif_encode(smooth, primaries=9, transfer=16)
    (tmp_path / "wide.avif").write_bytes(wide)
    assert "primaries 9 and transfer 16" in refused(tmp_path / "wide.avif")


@pytest.mark.parametrize("extension", ["png", "jpg", "tiff", "webp", "avif"])
def test_exif_orientation_is_applied(tmp_path: Path, smooth: NDArray[np.uint8], extension: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = ROTATE_CLOCKWISE
    Image.fromarray(smooth).save(tmp_path / f"turned.{extension}", exif=exif, quality=95)
    pixels = read_pixels(tmp_path / f"turned.{extension}").astype(int)
    expected = np.rot90(smooth, k=-1)
    assert pixels.shape == expected.shape
    assert np.abs(pixels - expected).max() <= 6


XMP_TURNED = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>'
    "</rdf:RDF></x:xmpmeta>"
)


@pytest.mark.parametrize("extension", ["png", "jpg", "tiff", "webp", "avif"])
def test_an_orientation_in_xmp_has_no_effect(
    tmp_path: Path, smooth: NDArray[np.uint8], extension: str
) -> None:
    path = tmp_path / f"turned.{extension}"
    if extension == "png":
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", XMP_TURNED)
        Image.fromarray(smooth).save(path, pnginfo=info)
    elif extension == "tiff":
        Image.fromarray(smooth).save(path, tiffinfo={700: XMP_TURNED.encode()})
    else:
        Image.fromarray(smooth).save(path, xmp=XMP_TURNED.encode(), quality=95)
    assert "Orientation" in path.read_bytes().decode("latin-1")
    assert read_pixels(path).shape == smooth.shape


SRGB_POINTS = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
"""Chromaticities of sRGB, in 1 / 100,000: white, red, green, blue."""


@pytest.mark.parametrize(
    "chunks",
    [
        {b"tEXt": b"prompt\0a cat"},
        {b"gAMA": struct.pack(">I", 45455)},
        {b"gAMA": struct.pack(">I", 45000)},  # rounded by who wrote it
        {b"gAMA": bytes(4)},  # says nothing
        {b"gAMA": struct.pack(">I", 45455), b"cHRM": struct.pack(">8I", *SRGB_POINTS)},
        {b"sRGB": b"\0", b"gAMA": struct.pack(">I", 100000)},  # sRGB comes before gAMA
        {b"cICP": bytes([1, 13, 0, 1]), b"gAMA": struct.pack(">I", 100000)},  # and code points before both
    ],
)
def test_what_stands_for_srgb_in_a_png_does_not_change_pixels(
    tmp_path: Path, chunks: dict[bytes, bytes]
) -> None:
    extra = b"".join(png_chunk(kind, body) for kind, body in chunks.items())
    (tmp_path / "chunks.png").write_bytes(raw_png(1, 1, 8, 2, b"\0\1\2\3", extra))
    assert read_pixels(tmp_path / "chunks.png").tolist() == [[[1, 2, 3]]]


def test_narrow_range_code_points_of_a_png_are_refused(tmp_path: Path) -> None:
    """Pillow takes 16 to 235 as they are: black would be read as dark grey."""
    extra = png_chunk(b"cICP", bytes([1, 13, 0, 0]))
    (tmp_path / "narrow.png").write_bytes(raw_png(1, 1, 8, 2, b"\0\x10\x10\x10", extra))
    assert "narrow-range samples of colour primaries 1 and transfer 13" in refused(tmp_path / "narrow.png")


@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize("extension", ["png", "jpg", "webp", "avif", "tiff"])
def test_truncated_files_are_refused(
    tmp_path: Path, colours: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch, extension: str, lenient: bool
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", lenient)  # some libraries do this on import
    whole = io.BytesIO()
    Image.fromarray(np.tile(colours, (9, 9, 1))).save(whole, {"jpg": "jpeg"}.get(extension, extension))
    path = tmp_path / f"cut.{extension}"
    path.write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])
    message = refused(path)
    assert "damaged or cut short" in message or "no picture" in message
    assert lenient is ImageFile.LOAD_TRUNCATED_IMAGES


def test_a_flipped_bit_in_a_png_is_refused(tmp_path: Path, colours: NDArray[np.uint8]) -> None:
    whole = io.BytesIO()
    Image.fromarray(colours).save(whole, "png", compress_level=0)
    damaged = bytearray(whole.getvalue())
    damaged[len(damaged) // 2] ^= 1
    (tmp_path / "flipped.png").write_bytes(damaged)
    assert "damaged" in refused(tmp_path / "flipped.png")


def test_every_cut_that_loses_data_of_a_png_is_refused(tmp_path: Path, colours: NDArray[np.uint8]) -> None:
    whole = io.BytesIO()
    Image.fromarray(colours[:3, :3]).save(whole, "png")
    end_chunk = whole.getvalue().index(b"IEND") - 4
    for length in range(end_chunk + 1):
        (tmp_path / "cut.png").write_bytes(whole.getvalue()[:length])
        assert refused(tmp_path / "cut.png")


@pytest.mark.parametrize(
    "content", [b"", b"this is no picture", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"\x89PNG\r\n\x1a\n"]
)
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "text.png").write_bytes(content)
    assert refused(tmp_path / "text.png")


def test_absent_files_and_folders_are_refused(tmp_path: Path) -> None:
    assert "cannot be read (No such file" in refused(tmp_path / "absent.png")
    assert "cannot be read (Is a directory" in refused(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="by design: root reads every file")
def test_forbidden_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.png").touch(mode=0)
    assert "check path and permissions" in refused(tmp_path / "mine.png")


@pytest.mark.parametrize("extension", ["png", "gif", "webp", "avif", "tiff"])
def test_animations_and_page_stacks_are_refused(
    tmp_path: Path, colours: NDArray[np.uint8], extension: str
) -> None:
    frames = [Image.fromarray(colours), Image.fromarray(255 - colours)]
    frames[0].save(tmp_path / f"frames.{extension}", save_all=True, append_images=frames[1:])
    assert "several frames or pages" in refused(tmp_path / f"frames.{extension}")


def test_the_first_image_of_a_phone_jpeg_is_the_picture(tmp_path: Path, smooth: NDArray[np.uint8]) -> None:
    frames = [Image.fromarray(smooth), Image.fromarray(255 - smooth)]
    frames[0].save(tmp_path / "phone.jpg", "MPO", save_all=True, append_images=frames[1:], quality=95)
    assert np.abs(read_pixels(tmp_path / "phone.jpg").astype(int) - smooth).max() <= 6


@pytest.mark.parametrize("size", [(60000, 60000), (12000, MAX_PIXELS // 12000 + 1)])
def test_decompression_bombs_are_refused_before_decoding(tmp_path: Path, size: tuple[int, int]) -> None:
    (tmp_path / "bomb.png").write_bytes(raw_png(*size, 8, 2, bytes(1000)))
    assert "decompression bomb" in refused(tmp_path / "bomb.png")


def test_the_file_hash_is_checked(tmp_path: Path, colours: NDArray[np.uint8]) -> None:
    path = tmp_path / "known.png"
    Image.fromarray(colours).save(path)
    good = hashlib.sha256(path.read_bytes()).hexdigest()
    np.testing.assert_array_equal(read_pixels(path, good), colours)
    with pytest.raises(PictureError, match=f"expected sha256 {'0' * 64}, got {good}"):
        read_pixels(path, "0" * 64)


def test_a_file_may_be_as_large_as_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert dataset_pixels.MAX_FILE_BYTES == 2**30
    path = tmp_path / "a.png"
    Image.new("RGB", (3, 2)).save(path)
    size = path.stat().st_size
    monkeypatch.setattr(dataset_pixels, "MAX_FILE_BYTES", size)
    assert read_pixels(path).shape == (2, 3, 3)
    monkeypatch.setattr(dataset_pixels, "MAX_FILE_BYTES", size - 1)
    assert refused(path) == f"{size} bytes, more than the {size - 1} that are opened"


def test_pixel_hash_is_over_shape_and_samples(colours: NDArray[np.uint8]) -> None:
    expected = hashlib.sha256(b"13x17x3\n" + bytes(colours.ravel().tolist())).hexdigest()
    assert pixels_sha256(colours) == expected
    assert pixels_sha256(np.asfortranarray(colours)) == expected
    assert pixels_sha256(colours.reshape(17, 13, 3)) != expected
    with pytest.raises(ValueError, match="float32"):
        pixels_sha256(colours.astype(np.float32))


def test_kodak_is_read_as_another_decoder_reads_it(kodak: list[Path]) -> None:
    cv2 = pytest.importorskip("cv2")
    for path in kodak:
        np.testing.assert_array_equal(read_pixels(path), cv2.imread(str(path))[..., ::-1])
