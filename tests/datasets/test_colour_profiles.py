"""ICC profiles, made here from their primaries and gamma, against the arithmetic they stand for."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms, PngImagePlugin

from codecarena.datasets.pixels import read_pixels
from codecarena.picture_file import PictureError, _is_srgb

RNG_SEED = 7


@pytest.fixture
def colours() -> NDArray[np.uint8]:
    return np.random.default_rng(RNG_SEED).integers(0, 256, (13, 17, 3), dtype=np.uint8)


def icc_profile(space: bytes, gamma: float, primaries: dict[bytes, tuple[float, float, float]]) -> bytes:
    """Return a display profile: one gamma curve, and the XYZ of each primary (D50) for a colour space."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    white = (0.9642, 1.0, 0.8249)
    curves = [b"kTRC"] if space == b"GRAY" else [b"rTRC", b"gTRC", b"bTRC"]
    tags = {b"wtpt": xyz(white), **dict.fromkeys(curves, curve)}
    tags |= {name: xyz(value) for name, value in primaries.items()}
    offset, table, body = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, value in tags.items():
        table += struct.pack(">4sII", name, offset + len(body), len(value))
        body += value
    header = struct.pack(
        ">I4sI4s4s4s", 128 + len(table) + len(body), bytes(4), 0x02400000, b"mntr", space, b"XYZ "
    )
    header += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", *(round(v * 65536) for v in white))
    return header.ljust(128, b"\0") + table + body


def xyz(values: tuple[float, float, float]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))


SRGB_PRIMARIES = {
    b"rXYZ": (0.4361, 0.2225, 0.0139),
    b"gXYZ": (0.3851, 0.7169, 0.0971),
    b"bXYZ": (0.1431, 0.0606, 0.7141),
}
P3_PRIMARIES = {
    b"rXYZ": (0.5151, 0.2412, -0.0011),
    b"gXYZ": (0.2920, 0.6922, 0.0419),
    b"bXYZ": (0.1571, 0.0666, 0.7841),
}


def srgb_encode(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return sRGB levels 0..255 of linear light 0..1 (IEC 61966-2-1)."""
    clipped = np.clip(linear, 0, 1)
    curve = np.where(clipped <= 0.0031308, 12.92 * clipped, 1.055 * clipped ** (1 / 2.4) - 0.055)
    return 255 * curve


def test_an_srgb_profile_changes_nothing(tmp_path: Path, colours: NDArray[np.uint8]) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(colours).save(tmp_path / "srgb.png", icc_profile=profile)
    np.testing.assert_array_equal(read_pixels(tmp_path / "srgb.png"), colours)


def test_a_wide_profile_is_converted(tmp_path: Path) -> None:
    pale = np.random.default_rng(RNG_SEED).integers(100, 200, (9, 11, 3), dtype=np.uint8)
    Image.fromarray(pale).save(tmp_path / "p3.png", icc_profile=icc_profile(b"RGB ", 2.2, P3_PRIMARIES))
    to_xyz = np.array([*P3_PRIMARIES.values()]).T
    from_xyz = np.linalg.inv(np.array([*SRGB_PRIMARIES.values()]).T)
    expected = srgb_encode((pale / 255) ** 2.2 @ (from_xyz @ to_xyz).T)
    assert np.abs(expected - pale).max() > 10
    assert np.abs(read_pixels(tmp_path / "p3.png") - expected).max() <= 2


def test_a_grey_profile_is_converted(tmp_path: Path) -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    Image.fromarray(grey).save(tmp_path / "linear.png", icc_profile=icc_profile(b"GRAY", 1.0, {}))
    pixels = read_pixels(tmp_path / "linear.png")
    assert np.abs(pixels[..., 0] - srgb_encode(grey / 255)).max() <= 2
    np.testing.assert_array_equal(pixels[..., 0], pixels[..., 1])
    np.testing.assert_array_equal(pixels[..., 0], pixels[..., 2])


def test_a_grey_picture_with_an_srgb_profile_stays(tmp_path: Path) -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(grey).save(tmp_path / "grey.png", icc_profile=profile)
    np.testing.assert_array_equal(read_pixels(tmp_path / "grey.png")[..., 1], grey)


def test_a_palette_is_converted_through_its_profile(tmp_path: Path) -> None:
    profile = icc_profile(b"RGB ", 1.0, SRGB_PRIMARIES)
    image = Image.new("P", (2, 2), 0)
    image.putpalette([64, 64, 64])
    image.save(tmp_path / "palette.png", icc_profile=profile)
    assert np.abs(read_pixels(tmp_path / "palette.png") - srgb_encode(np.array(64 / 255))).max() <= 2


@pytest.mark.parametrize("profile", [b"junk", b"\0" * 200])
def test_a_broken_profile_is_refused(tmp_path: Path, colours: NDArray[np.uint8], profile: bytes) -> None:
    Image.fromarray(colours).save(tmp_path / "broken.png", icc_profile=profile)
    with pytest.raises(PictureError, match="ICC profile cannot be used"):
        read_pixels(tmp_path / "broken.png")


def test_a_grey_profile_on_a_colour_picture_is_refused(tmp_path: Path, colours: NDArray[np.uint8]) -> None:
    Image.fromarray(colours).save(tmp_path / "mixed.png", icc_profile=icc_profile(b"GRAY", 2.2, {}))
    with pytest.raises(PictureError, match="grey ICC profile"):
        read_pixels(tmp_path / "mixed.png")


def save_with_chunks(path: Path, image: Image.Image, **chunks: bytes) -> None:
    extra = PngImagePlugin.PngInfo()
    for kind, body in chunks.items():
        extra.add(kind.encode(), body)
    image.save(path, pnginfo=extra)


@pytest.mark.parametrize("mode", ["L", "RGB", "P"])
def test_a_png_of_linear_light_is_converted(tmp_path: Path, mode: str) -> None:
    """By gAMA alone, level 64 of linear light is level 137 of sRGB, as by an ICC profile of exponent 1."""
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16)).convert(mode)
    save_with_chunks(tmp_path / "linear.png", ramp, gAMA=struct.pack(">I", 100_000))
    pixels = read_pixels(tmp_path / "linear.png")
    assert pixels[4, 0].tolist() == [137, 137, 137]
    expected = srgb_encode(np.arange(256).reshape(16, 16, 1) / 255)
    assert np.abs(pixels - expected).max() <= 1


def test_a_gamma_of_old_macintoshes_is_converted(tmp_path: Path) -> None:
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16))
    save_with_chunks(tmp_path / "mac.png", ramp, gAMA=struct.pack(">I", 55_556))
    expected = srgb_encode((np.arange(256).reshape(16, 16, 1) / 255) ** 1.8)
    assert np.abs(read_pixels(tmp_path / "mac.png") - expected).max() <= 2


def test_chromaticities_of_a_png_are_converted(tmp_path: Path) -> None:
    """Those of Display P3, with sRGB's curve as it has: against the XYZ of its published profile."""
    pale = np.random.default_rng(RNG_SEED).integers(100, 200, (9, 11, 3), dtype=np.uint8)
    points = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
    save_with_chunks(tmp_path / "p3.png", Image.fromarray(pale), cHRM=struct.pack(">8I", *points))
    to_xyz = np.array([*P3_PRIMARIES.values()]).T
    from_xyz = np.linalg.inv(np.array([*SRGB_PRIMARIES.values()]).T)
    level = pale / 255
    linear = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    expected = srgb_encode(linear @ (from_xyz @ to_xyz).T)
    assert np.abs(expected - pale).max() > 10
    assert np.abs(read_pixels(tmp_path / "p3.png") - expected).max() <= 2


def test_a_profile_comes_before_gamma_and_code_points_before_a_profile(
    tmp_path: Path, colours: NDArray[np.uint8]
) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    linear = icc_profile(b"RGB ", 1.0, SRGB_PRIMARIES)
    for profile, chunk in (
        (srgb, {"gAMA": struct.pack(">I", 100_000)}),
        (linear, {"cICP": bytes([1, 13, 0, 1])}),
    ):
        image = Image.fromarray(colours)
        image.info["icc_profile"] = profile
        save_with_chunks(tmp_path / "both.png", image, **chunk)
        np.testing.assert_array_equal(read_pixels(tmp_path / "both.png"), colours)
    image = Image.fromarray(colours)
    image.info["icc_profile"] = linear
    save_with_chunks(tmp_path / "says_nothing.png", image, cICP=bytes([2, 2, 0, 1]))
    assert np.abs(read_pixels(tmp_path / "says_nothing.png") - srgb_encode(colours / 255)).max() <= 2


@pytest.mark.parametrize("points", [(0,) * 8, (31270, 0, *[1] * 6), (31270, 32900, *(30000, 30000) * 3)])
def test_chromaticities_that_are_no_triangle_say_nothing(
    tmp_path: Path, colours: NDArray[np.uint8], points: tuple[int, ...]
) -> None:
    save_with_chunks(tmp_path / "x.png", Image.fromarray(colours), cHRM=struct.pack(">8I", *points))
    np.testing.assert_array_equal(read_pixels(tmp_path / "x.png"), colours)


class Moving:
    """A transform that moves one level of one channel by a few levels."""

    def __init__(self, level: int, channel: int, by: int) -> None:
        self.level, self.channel, self.by = level, channel, by

    def apply(self, image: Image.Image) -> Image.Image:
        levels = np.array(image.convert("RGB"), np.int16)
        levels[..., self.channel] += self.by * (levels[..., self.channel] == self.level)
        return Image.fromarray(levels.astype(np.uint8))


@pytest.mark.parametrize(
    ("mode", "level", "channel"),
    [
        *(("RGB", level, channel) for level in (0, 16, 128, 239) for channel in range(3)),
        ("L", 1, 0),
        ("L", 252, 2),
    ],
)
def test_a_profile_that_moves_a_colour_by_two_levels_is_srgb_and_by_three_is_not(
    mode: str, level: int, channel: int
) -> None:
    moved: list[Any] = [Moving(level, channel, by) for by in (0, 2, 3)]
    assert [_is_srgb(transform, mode) for transform in moved] == [True, True, False]


def test_white_that_is_moved_down_is_no_srgb() -> None:
    moved: list[Any] = [Moving(255, 1, by) for by in (-2, -3)]
    assert [_is_srgb(transform, mode) for mode in ("RGB", "L") for transform in moved] == [True, False] * 2
