"""Turn the bytes of a picture file into 8-bit sRGB pixels, or refuse them and say why.

One reader for originals (`datasets.pixels`) and for what a decoder on the command line wrote
(`codecs.pictures`): what is refused of the one would be a wrong number of the other. Each case of the
treatment is a row of the table in ``docs/pictures.md``. It lies above both rooms because neither may import
the other.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Generator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFile, ImageOps

from .picture_header import bit_depth, colour_coding, embedded_profile

FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "TIFF", "BMP", "PPM", "GIF")
"""Those that are read, by Pillow's names."""

MAX_PIXELS = 2**27
"""Largest picture, in pixels (134 million): a larger claim is taken for a decompression bomb."""

SRGB_TOLERANCE_LEVELS = 2
"""A profile that moves no colour further than this is sRGB, and its pixels stay as they are."""

_GREY_MODES = ("1", "L", "LA")
_COLOUR_MODES = ("P", "PA", "RGB", "RGBA")


class PictureError(Exception):
    """A file is not a picture that can be measured; the message says why and what to do."""


def decode(data: bytes, formats: tuple[str, ...] = FORMATS) -> NDArray[np.uint8]:
    """Return the pixels of a picture file's bytes: (height, width, 3), uint8, sRGB, C-contiguous.

    Args:
        data: The whole file.
        formats: Those that it may have, of `FORMATS`.

    Raises:
        PictureError: It is no picture of these formats, is damaged, or holds what has no single meaning as
            opaque 8-bit sRGB.
    """
    try:
        with _strict_pillow():
            _check_whole_file(data, formats)
            return _decode(data, formats)
    except PictureError:
        raise
    except Image.DecompressionBombError as error:
        raise PictureError(_too_large(str(error))) from None
    except Image.UnidentifiedImageError:
        names = ", ".join(formats)
        raise PictureError(f"no picture in a known format ({names}); convert it to {formats[0]}") from None
    # Decoders raise whatever they like on hostile bytes: Pillow alone uses seven classes.
    except Exception as error:
        raise PictureError(f"damaged or cut short ({error}); get the file again") from error


@contextmanager
def _strict_pillow() -> Generator[None]:
    """Make Pillow raise on damage: some libraries switch its truncation check off for everybody."""
    lenient = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata and large sizes; our own limit decides
            yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = lenient


def _check_whole_file(data: bytes, formats: tuple[str, ...]) -> None:
    # Decoding a PNG does not look at the checksums of its chunks; verifying does, and spends the object.
    with Image.open(io.BytesIO(data), formats=formats) as image:
        image.verify()


def _decode(data: bytes, formats: tuple[str, ...]) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(data), formats=formats) as image:
        _refuse_by_header(data, image)
        _forget_xmp(image)
        image.load()
        _forget_xmp(image)  # in a PNG it may stand behind the pixels
        upright = ImageOps.exif_transpose(image)
        profile = embedded_profile(data, image)
        opaque = _drop_opaque_alpha(upright)
    picture = _to_srgb(opaque, profile) if profile else opaque.convert("RGB")
    return np.array(picture, dtype=np.uint8, order="C")


def _forget_xmp(image: Image.Image) -> None:
    """Take a picture's XMP out of what Pillow knows: it would turn pixels by an orientation in it."""
    for key in ("XML:com.adobe.xmp", "xmp"):
        image.info.pop(key, None)


def _refuse_by_header(data: bytes, image: Image.Image) -> None:
    """Raise for what is known before the pixels are decoded."""
    if image.width * image.height > MAX_PIXELS:
        raise PictureError(_too_large(f"{image.width}x{image.height}"))
    # The further images of an MPO (a phone's JPEG) are previews and gain maps; its first is the picture.
    if getattr(image, "is_animated", False) and image.format != "MPO":
        raise PictureError("holds several frames or pages; save the one you mean as a PNG")
    if image.mode == "CMYK":
        raise PictureError("CMYK, which has no single meaning in sRGB; convert it to RGB in an image editor")
    depth = bit_depth(data, image)
    if depth > 8 or image.mode.startswith("I;16"):
        bits = max(depth, 16) if image.mode.startswith("I;16") else depth
        raise PictureError(f"{bits} bits per channel, but codecs are compared on 8; make an 8-bit copy first")
    if image.mode not in _GREY_MODES + _COLOUR_MODES:
        raise PictureError(f"pixel format {image.mode}; make an 8-bit RGB copy first")
    if coding := colour_coding(data, image):
        raise PictureError(f"{coding} are not sRGB; make an sRGB copy first")


def _too_large(claim: str) -> str:
    return f"claims more than the {MAX_PIXELS} pixels allowed (a decompression bomb?): {claim}; crop it first"


def _drop_opaque_alpha(image: Image.Image) -> Image.Image:
    """Return the picture as grey or RGB, its palette looked up; raise if any pixel is see-through."""
    if image.mode.endswith("A") or "transparency" in image.info:
        alpha = image.convert("RGBA").getchannel("A")
        if np.asarray(alpha).min() < 255:
            raise PictureError("has transparent pixels; flatten it onto the background you mean")
    return image.convert("L" if image.mode in _GREY_MODES else "RGB")


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Return the RGB picture that an embedded profile means; an sRGB profile changes nothing."""
    # Bytes 16 to 20 of a profile name its colour space. A colour profile on a grey picture is common.
    mode = "L" if profile[16:20] == b"GRAY" else "RGB"
    if mode == "L" and image.mode != "L":
        raise PictureError("a colour picture with a grey ICC profile; remove or replace the profile")
    try:
        transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            # Unoptimised: the shortcut's tables are up to 10 levels off in the shadows of a linear grey.
            ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.NOOPTIMIZE,
        )
    except (OSError, ImageCms.PyCMSError) as error:
        raise PictureError(f"its ICC profile cannot be used ({error}); remove or replace it") from error
    if _is_srgb(transform, mode):
        return image.convert("RGB")
    return transform.apply(image.convert(mode))


def _is_srgb(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether a transform to sRGB leaves the colours of a 17x17x17 lattice (all 256 greys) where they are."""
    if mode == "L":
        lattice = np.arange(256, dtype=np.uint8)[None]
    else:
        levels = np.linspace(0, 255, 17).round().astype(np.uint8)
        lattice = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(17, -1, 3)
    moved = transform.apply(Image.fromarray(lattice))
    expected = np.asarray(Image.fromarray(lattice).convert("RGB"), dtype=np.int16)
    return int(np.abs(np.asarray(moved, dtype=np.int16) - expected).max()) <= SRGB_TOLERANCE_LEVELS
