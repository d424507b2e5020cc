"""Collect what a picture file holds beside its pixels: PNG text, comments, EXIF, XMP, C2PA's store."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from PIL import ExifTags, Image

from ...system_errors import reason

MAX_TEXT = 2**20
"""Longest text that is looked into, in characters."""
MAX_CREDENTIALS_BYTES = 2**24
"""Largest manifest store of C2PA that is looked into; they hold thumbnails."""

_MAKER_NOTE, _USER_COMMENT = 0x927C, 0x9286
_EXIF_TEXTS = {
    0x010E: "ImageDescription",
    0x010F: "Make",
    0x0110: "Model",
    0x0131: "Software",
    _MAKER_NOTE: "MakerNote",
    _USER_COMMENT: "UserComment",
}
_TIFF_CREDENTIALS = 0xCD41
_BMFF_CREDENTIALS = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_FRAMES = (b"IDAT", b"acTL", b"fcTL", b"fdAT")
_EMPTY_IDAT = b"\0\0\0\0IDAT\x35\xaf\x06\x1e"


@dataclass(frozen=True, slots=True)
class FileTexts:
    """What a file holds beside its pixels; anybody may have written it."""

    name: str = ""
    """Of the file."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """By keyword of PNG text, by name of an EXIF tag, or ``comment``; none longer than `MAX_TEXT`."""
    xmp: bytes = b""
    credentials: bytes = b""
    """C2PA's manifest store, in JUMBF boxes."""


def read_file_texts(path: Path) -> FileTexts:
    """Return what a picture file holds beside its pixels, which are not decoded.

    Raises:
        ValueError: The file is no picture, or its metadata is damaged or larger than a decoder opens.
    """
    try:
        with path.open("rb") as file:
            is_png = file.read(8) == _PNG_SIGNATURE
            file.seek(0)
            chunks = _png_without_pixels(file) if is_png else b""
            with Image.open(io.BytesIO(chunks) if is_png else file) as image:
                texts = {key: _text(value) for key, value in image.info.items() if isinstance(key, str)}
                xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
                texts |= _exif(image)
                credentials = _credentials(file, image, chunks)
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path}: metadata cannot be read ({reason(error)})") from error
    short = {key: value for key, value in texts.items() if value and len(value) <= MAX_TEXT}
    xmp = xmp.encode() if isinstance(xmp, str) else xmp
    return FileTexts(path.name, short, xmp if len(xmp) <= MAX_TEXT else b"", credentials)


def unicode_text(data: bytes, little_endian: bool) -> str:
    """Return UTF-16 text, whose byte order a user comment does not name.

    Every language's prompts come with spaces, digits and line ends, whose high byte is zero: the order in
    which more letters are of that kind is the text's. Single letters decide nothing: U+4E00 is 4E 00. Where
    no letter or as many of either are, the order of the file's EXIF block counts.

    Args:
        data: Without the comment's code.
        little_endian: Whether the file's EXIF block is.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    big, little = data[::2].count(0), data[1::2].count(0)
    if big != little:
        little_endian = little > big
    return data.decode("utf-16-le" if little_endian else "utf-16-be", "replace")


def _text(value: object) -> str:
    """Return a value as text; a comment of JPEG or GIF is bytes in whatever encoding."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value) if isinstance(value, str) else ""


def _exif(image: Image.Image) -> dict[str, str]:
    """Return the EXIF texts that say how a picture was made.

    Some programs write the tags of the EXIF directory into the first one.
    """
    exif = Image.Image.getexif(image)  # PNG's own would decode the pixels to look behind them
    tags = {**exif, **exif.get_ifd(ExifTags.IFD.Exif)}
    little_endian = exif.endian == "<"
    return {name: exif_text(tags[tag], little_endian) for tag, name in _EXIF_TEXTS.items() if tag in tags}


def exif_text(value: object, little_endian: bool = False) -> str:
    """Return an EXIF text; a user comment begins with eight bytes that name its encoding."""
    if isinstance(value, str):
        return value.strip("\0 ")
    if not isinstance(value, bytes):
        return ""
    code, body = value[:8], value[8:]
    if code == b"UNICODE\0":
        return unicode_text(body, little_endian).strip("\0 ")
    text = body if code in (b"ASCII\0\0\0", bytes(8)) else value
    return text.decode("utf-8", "replace").strip("\0 ")


def _png_without_pixels(file: BinaryIO) -> bytes:
    """Return a PNG file's chunks but for its pixels, which an empty one stands for behind all others.

    Text may stand behind the pixels, and decoding those to get there costs a hundred times as much.
    """
    kept = [file.read(8)]
    while len(head := file.read(8)) == 8 and head[4:] != b"IEND":
        length = int.from_bytes(head[:4]) + 4
        if head[4:] in _FRAMES or length > MAX_CREDENTIALS_BYTES:
            file.seek(length, io.SEEK_CUR)
        else:
            kept.append(head + file.read(length))
    return b"".join([*kept, _EMPTY_IDAT])


def _credentials(file: BinaryIO, image: Image.Image, png: bytes) -> bytes:
    """Return C2PA's manifest store; nothing where the file has none."""
    if image.format == "PNG":
        return next((body for kind, body in _png_chunks(png) if kind == b"caBX"), b"")
    if image.format in ("JPEG", "MPO"):
        return _of_segments([data for name, data in getattr(image, "applist", ()) if name == "APP11"])
    if image.format == "WEBP":
        return next((body for kind, body in _riff_chunks(file) if kind == b"C2PA"), b"")
    if image.format == "AVIF":
        boxes = (body for kind, body in _bmff_boxes(file) if kind == b"uuid")
        return next((_of_uuid_box(body[16:]) for body in boxes if body[:16] == _BMFF_CREDENTIALS), b"")
    if image.format == "TIFF":
        store: object = getattr(image, "tag_v2", {}).get(_TIFF_CREDENTIALS, b"")
        return store if isinstance(store, bytes) else b""
    return b""


def _of_segments(segments: list[bytes]) -> bytes:
    """Return the box that JPEG's APP11 segments carry in parts.

    Each begins with ``JP``, the box's number (2 bytes), the part's (4 bytes), and the box's own header of
    8 bytes, which all but the first repeat (ISO/IEC 19566-5, annex D).
    """
    parts = sorted(
        ((data[2:4], int.from_bytes(data[4:8]), data[8:]) for data in segments if data[:2] == b"JP"),
        key=lambda part: part[:2],
    )
    if not parts:
        return b""
    box = parts[0][0]
    return b"".join(
        body if place == 0 else body[8:] for place, (_, _, body) in enumerate(p for p in parts if p[0] == box)
    )


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 8
    while place + 8 <= len(data):
        length = int.from_bytes(data[place : place + 4])
        yield data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        place += length + 12


def _riff_chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    file.seek(12)
    while len(head := file.read(8)) == 8:
        length = int.from_bytes(head[4:], "little")
        if head[:4] == b"C2PA" and length <= MAX_CREDENTIALS_BYTES:
            yield head[:4], file.read(length)
        else:
            file.seek(length, io.SEEK_CUR)
        file.seek(length % 2, io.SEEK_CUR)


def _bmff_boxes(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    file.seek(0)
    while len(head := file.read(8)) == 8:
        length, kind = int.from_bytes(head[:4]) - 8, head[4:]
        if length == 1 - 8:
            length = int.from_bytes(file.read(8)) - 16
        if length < 0:  # a box to the end of the file
            return
        if kind == b"uuid" and length <= MAX_CREDENTIALS_BYTES:
            yield kind, file.read(length)
        else:
            file.seek(length, io.SEEK_CUR)


def _of_uuid_box(body: bytes) -> bytes:
    """Return the store in a box of version and flags, purpose, place of a Merkle tree, and the store."""
    purpose, _, rest = body[4:].partition(b"\0")
    return rest[8:] if purpose in (b"manifest", b"original", b"update") else b""
