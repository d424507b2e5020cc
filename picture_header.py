"""Read what the header of a picture file says of bit depth and colours, where Pillow does not tell."""

from __future__ import annotations

from collections.abc import Iterator

from PIL import Image

from .picture_profile import png_profile

BITS_PER_SAMPLE = 258
"""The TIFF tag."""

UNSPECIFIED = 2
"""The code point that says nothing."""

_SRGB_CODES = ({1, 2}, {1, 2, 6, 13, 14, 15})
"""ITU-T H.273 primaries and transfers (BT.709, sRGB or unspecified) that decoders show as sRGB."""


def bit_depth(data: bytes, image: Image.Image) -> int:
    """Return the bits per channel that the file declares; 8 where its format knows nothing else.

    Pillow drops the low bits of deeper RGB files without a word, so its mode cannot be asked.
    """
    if image.format == "PNG":
        return data[24]
    if image.format == "TIFF":
        return max(_tiff_depths(image))
    if image.format == "PPM":
        return 16 if image.mode == "I" or _ppm_maximum(data) > 255 else 8
    if image.format == "AVIF":
        return _avif_depth(data)
    return 8


def colour_coding(data: bytes, image: Image.Image) -> str | None:
    """Return what the file's H.273 code points say when that is not full-range sRGB, else None.

    HDR and wide gamut are not; neither are the narrow-range samples of video (16 to 235) in a PNG file, which
    Pillow takes as they are. Those of an AVIF file it expands.
    """
    codes = None
    if image.format == "PNG":
        body = _png_chunk(data, b"cICP")
        codes = (body[0], body[1]) if len(body) >= 2 else None
        if codes and body[3:4] == b"\0":
            return (
                f"narrow-range samples of colour primaries {codes[0]} and transfer {codes[1]} (ITU-T H.273)"
            )
    elif image.format == "AVIF":
        body = _after(data, b"colrnclx", 4)
        codes = (int.from_bytes(body[:2]), int.from_bytes(body[2:])) if body else None
    if codes is None or all(code in known for code, known in zip(codes, _SRGB_CODES, strict=True)):
        return None
    return f"colour primaries {codes[0]} and transfer {codes[1]} (ITU-T H.273)"


def embedded_profile(data: bytes, image: Image.Image) -> bytes | None:
    """Return the ICC profile that a file's colours are to be read by; None for sRGB.

    In a PNG file, code points come before a profile, a profile before an ``sRGB`` chunk, that before ``gAMA``
    and ``cHRM`` (Portable Network Graphics, third edition, 12.1), of which a profile is made here.
    """
    profile: bytes | None = image.info.get("icc_profile")
    if image.format != "PNG":
        return profile
    if UNSPECIFIED not in _png_chunk(data, b"cICP")[:2] and _png_chunk(data, b"cICP"):
        return None
    if profile or _png_chunk(data, b"sRGB"):
        return profile
    return png_profile(_png_chunk(data, b"gAMA"), _png_chunk(data, b"cHRM"))


def _tiff_depths(image: Image.Image) -> tuple[int, ...]:
    tags: dict[int, tuple[int, ...] | int] = getattr(image, "tag_v2", {})
    value = tags.get(BITS_PER_SAMPLE, 1)
    return value if isinstance(value, tuple) else (value,)


def _ppm_maximum(data: bytes) -> int:
    lines = (line.split(b"#")[0] for line in data[:4096].split(b"\n"))
    words = b" ".join(lines).split(maxsplit=4)
    return int(words[3]) if words[0] not in (b"P1", b"P4") and len(words) > 3 and words[3].isdigit() else 1


def _avif_depth(data: bytes) -> int:
    configuration = _after(data, b"av1C", 3)
    if not configuration or not configuration[2] & 0x40:
        return 8
    return 12 if configuration[2] & 0x20 else 10


def _after(data: bytes, mark: bytes, count: int) -> bytes:
    """Return the bytes after a box type, empty when the box is not there."""
    place = data.find(mark)
    return b"" if place < 0 else data[place + len(mark) : place + len(mark) + count]


def _png_chunk(data: bytes, kind: bytes) -> bytes:
    """Return the body of the first chunk of a kind before the pixels, empty when there is none."""
    return next((body for name, body in _png_chunks(data) if name == kind), b"")


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 8
    while place + 8 <= len(data) and data[place + 4 : place + 8] != b"IDAT":
        length = int.from_bytes(data[place : place + 4])
        yield data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        place += length + 12
