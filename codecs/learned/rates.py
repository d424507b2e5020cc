"""A codec over several networks, one for each quality, with sealed streams.

Payload: which quality it is, counted from the worst (1 byte), then what `latents` says.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..base import CodecError, RateParts, check_image
from ..bitstream import WEIGHTS_ID_BYTES, Header, check_claim, check_weights, pad_payload, seal, unseal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..base import Image, Picture, QualityScale
    from ..bitstream import Kind
    from .transform import TransformCoder


@dataclass(frozen=True, slots=True)
class Rate:
    """One loaded network."""

    sha256: str
    """Of the weights it was made of."""
    byte_count: int
    """Of these weights."""
    coder: TransformCoder

    @property
    def id(self) -> bytes:
        """What a bitstream's header carries of the SHA-256."""
        return bytes.fromhex(self.sha256)[:WEIGHTS_ID_BYTES]


class Rates:
    """The loaded networks of a codec.

    Args:
        kind: Of the codec's streams.
        scale: The codec's own; its numbers are whole.
        loaded: By quality.
    """

    def __init__(self, kind: Kind, scale: QualityScale, loaded: Mapping[int, Rate]) -> None:
        self._kind = kind
        self._worst = round(scale.worst)
        self._loaded = loaded

    @property
    def sha256(self) -> str:
        """The SHA-256 of one network's weights, or of those of several together."""
        digests = [rate.sha256 for rate in self._loaded.values()]
        return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()

    @property
    def byte_count(self) -> int:
        """Bytes of all weights."""
        return sum(rate.byte_count for rate in self._loaded.values())

    def encode(self, picture: Picture, quality: int) -> bytes:
        """Return the sealed stream of a picture.

        Raises:
            CodecError: It is no picture, or the quality's network is not loaded.
        """
        check_image(picture.pixels)
        rate = self._rate(quality)
        height, width = picture.pixels.shape[:2]
        header = Header(self._kind, width, height, rate.id)
        payload = bytes([quality - self._worst]) + rate.coder.encode(picture.pixels)
        return seal(header, pad_payload(header, payload))

    def decode(self, bitstream: bytes) -> Image:
        """Return the pixels, by the network that the stream names.

        Raises:
            CodecError: The stream is damaged, or its network is not loaded or has other weights.
        """
        header, payload = unseal(bitstream, self._kind)
        check_claim(header, payload)
        rate = self._rate(self.quality_of(payload))
        check_weights(header, rate.id)
        return rate.coder.decode(payload[1:], header.width, header.height)

    def quality_of(self, payload: bytes) -> int:
        """Return the quality that a stream's payload was encoded at.

        Raises:
            CodecError: The payload is empty.
        """
        if not payload:
            raise CodecError(f"{self._kind.name.lower()} stream is cut short: it does not say its quality")
        return payload[0] + self._worst

    def weights_id(self, quality: int) -> bytes:
        """Return the id of the weights that a quality's streams name."""
        return self._rate(quality).id

    def breakdown(self, bitstream: bytes) -> RateParts:
        """Return the header with the quality, and the strings with their checksums."""
        unseal(bitstream, self._kind)
        header_bytes = min(len(bitstream), self._kind.header_bytes + 1)
        return RateParts(header_bytes, len(bitstream) - header_bytes)

    def _rate(self, quality: int) -> Rate:
        if quality not in self._loaded:
            loaded = ", ".join(map(str, self._loaded))
            raise CodecError(
                f"the network of quality {quality} is not loaded, only {loaded}: "
                "name it in the parameter 'qualities'"
            )
        return self._loaded[quality]


def chosen_qualities(text: str, scale: QualityScale) -> tuple[int, ...]:
    """Return the whole qualities that a parameter names, from worst to best: ``all``, or as in ``1,2,3``.

    Raises:
        CodecError: It is no list of numbers, or one lies outside the scale.
    """
    if text == "all":
        return tuple(range(round(scale.worst), round(scale.best) + 1))
    try:
        chosen = sorted({int(word) for word in text.split(",")})
    except ValueError as error:
        raise CodecError(f"parameter 'qualities' must be 'all' or like '1,2,3', got {text!r}") from error
    for quality in chosen:
        if not scale.contains(quality):
            raise CodecError(
                f"parameter 'qualities': expected {scale.worst:g} to {scale.best:g}, "
                f"got {quality} in {text!r}"
            )
    return tuple(chosen)
