"""The types every codec speaks: pictures in, bytes out, bytes in, pixels out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Collection

Image: TypeAlias = NDArray[np.uint8]
"""Pixels of shape (height, width, 3), uint8, sRGB, C-contiguous."""

MAX_PIXELS = 178_956_970
"""Larger pictures are refused before a buffer is made for them; Pillow's limit for decompression bombs."""

Family: TypeAlias = Literal["classic", "learned", "generative"]


class CodecError(Exception):
    """A codec cannot encode this picture or decode these bytes; the message says why."""


class MissingBackendError(CodecError):
    """A codec's library or program is not installed; the message says what to install."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What an encoder may see."""

    pixels: Image
    caption: str | None = None
    """A description of the picture, the prompt of a generated one."""
    text: str | None = None
    """Strings known to be rendered in the picture."""

    @property
    def pixel_count(self) -> int:
        """Height times width."""
        return self.pixels.shape[0] * self.pixels.shape[1]


@dataclass(frozen=True, slots=True)
class QualityScale:
    """A codec's own quality setting: its name, its ends and its smallest step."""

    name: str
    """As the encoder's manual calls it: ``quality``, ``qp``, ``distance``."""
    worst: float
    """The setting that spends the fewest bytes."""
    best: float
    """The setting that spends the most bytes; smaller than ``worst`` where the scale falls."""
    step: float = 1.0
    """Distance between neighbouring settings."""
    continuous: bool = False
    """Whether the encoder takes any number and ``step`` is only how finely we tell settings apart: a search
    for a rate then ends once it is near enough, and does not prove that no other step is nearer."""

    def contains(self, quality: float) -> bool:
        """Whether the setting lies between the two ends, on a step."""
        steps = (quality - self.worst) / self.step
        inside = min(self.worst, self.best) <= quality <= max(self.worst, self.best)
        return inside and abs(steps - round(steps)) < 1e-6


@dataclass(frozen=True, slots=True)
class CodecInfo:
    """What is known of a codec before it sees a picture."""

    name: str
    """The registered name."""
    version: str
    """Versions of the encoder and decoder libraries: other versions may write other bytes."""
    family: Family
    qualities: tuple[float, ...]
    """The default ladder on the native scale, from worst to best."""
    scale: QualityScale
    stochastic: bool = False
    """Whether the decoder draws from a seed."""
    tolerance_levels: int = 0
    """How far, in 8-bit levels, two decodes of one stream may differ: machines and threads round apart."""
    scalable: bool = False
    """Whether a prefix of the bitstream decodes at a lower quality."""
    toy: bool = False
    """Whether the weights are small ones, trained only to show that the path works."""
    weights_sha256: str | None = None
    weights_bytes: int = 0
    """Bytes of the weight files that the decoder opens."""
    trained_on: str | None = None
    """Name of the image set the weights were trained on."""
    generator: str | None = None
    """The image generator whose weights the decoder holds, named as its pictures name it: results on
    pictures of the same generator are kept apart."""


@dataclass(frozen=True, slots=True)
class RateParts:
    """The bytes of one bitstream, split by what they are for."""

    header_bytes: int
    """Sizes, magic numbers and container boxes."""
    payload_bytes: int
    """Coded pixels."""
    side_bytes: int = 0
    """Everything else the decoder reads: captions, palettes, layers."""

    @property
    def total_bytes(self) -> int:
        """The length of the bitstream."""
        return self.header_bytes + self.payload_bytes + self.side_bytes


class Codec(Protocol):
    """An encoder and its decoder.

    Constructor keywords are the parameters and the constructor is the load step. An object is used by one
    thread of one process. ``encode`` and ``decode`` neither log, print, time nor exit, and leave their
    input as it was. Whatever goes wrong is raised as `CodecError`.
    """

    @property
    def info(self) -> CodecInfo:
        """The codec's description; constant for the life of the object."""
        ...

    def encode(self, picture: Picture, quality: float) -> bytes:
        """Return the bitstream of a picture at a quality on the native scale."""
        ...

    def decode(self, bitstream: bytes, seed: int | None = None) -> Image:
        """Return the pixels, from these bytes alone.

        Args:
            bitstream: What ``encode`` returned, perhaps in another process.
            seed: For stochastic decoders; None takes the seed in the stream. Others ignore it.
        """
        ...

    def breakdown(self, bitstream: bytes) -> RateParts:
        """Return the parts of the bitstream; their sum is its length."""
        ...


def check_image(pixels: NDArray[np.uint8]) -> None:
    """Raise `CodecError` unless the array is an `Image`."""
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or 0 in pixels.shape:
        message = f"expected uint8 pixels of shape (height, width, 3), got {pixels.dtype} {pixels.shape}"
        raise CodecError(message)


def check_quality(info: CodecInfo, quality: float) -> None:
    """Raise `CodecError` unless the quality is a setting of the codec's scale."""
    scale = info.scale
    if not scale.contains(quality):
        ends = (
            f"{scale.name} from {scale.worst:g} (worst) to {scale.best:g} (best) in steps of {scale.step:g}"
        )
        raise CodecError(f"{info.name} takes a {ends}, got {quality!r}")


def check_size(width: int, height: int) -> None:
    """Raise `CodecError` for sizes that a header may claim and no picture has."""
    if width < 1 or height < 1 or width * height > MAX_PIXELS:
        raise CodecError(f"expected 1 to {MAX_PIXELS} pixels, the bitstream claims {width} x {height}")


def check_range(name: str, value: object, lowest: float, highest: float, *, whole: bool = False) -> None:
    """Raise `CodecError` unless a codec's parameter is a number, perhaps a whole one, in a range.

    Args:
        name: Of the parameter, as a user writes it.
        value: What was given; numbers in strings, and true and false, are refused.
        lowest: Smallest allowed.
        highest: Largest allowed.
        whole: Whether it must be an int.
    """
    kinds = (int,) if whole else (int, float)
    if type(value) not in kinds or not lowest <= cast("float", value) <= highest:
        whole_number = ", a whole number" if whole else ""
        raise CodecError(
            f"parameter {name!r} must lie between {lowest:g} and {highest:.10g}{whole_number}, got {value!r}"
        )


def check_text(name: str, value: object) -> None:
    """Raise `CodecError` unless a codec's parameter is a text."""
    if not isinstance(value, str):
        raise CodecError(f"parameter {name!r} must be a text, got {value!r}")


def check_choice(name: str, value: object, choices: Collection[object]) -> None:
    """Raise `CodecError` unless a codec's parameter is one of the choices.

    Args:
        name: Of the parameter, as a user writes it.
        value: What was given; it must equal a choice in type too.
        choices: Listed in the error, in their order.
    """
    if value not in choices or type(value) not in {
        type(choice) for choice in choices
    }:  # 1, 1.0 and True are equal
        known = ", ".join(map(str, choices))
        raise CodecError(f"parameter {name!r} must be one of {known}, got {value!r}")
