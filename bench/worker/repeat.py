"""Do again, inside a worker, what an earlier run did: decode a bitstream or encode a picture."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ...codecs.base import Codec, Picture, check_image
from ..records.messages import DecodeAgain, DecodedAgain, DecodedSize, EncodeAgain, EncodedAgain, Peek, Peeked


def peek(job: Peek) -> Peeked:
    """Return which of the files hold anything here."""
    return Peeked(tuple(path for path in job.paths if _readable(Path(path))))


def _readable(path: Path) -> bool:
    try:
        with path.open("rb") as opened:
            return bool(opened.read(1))
    except OSError:
        return False


def decode(codec: Codec, job: DecodeAgain) -> DecodedAgain | DecodedSize:
    """Return what a bitstream decodes to; whoever asked compares the pixels, not this process."""
    decoded = codec.decode(job.bitstream, job.seed)
    check_image(decoded)
    height, width = decoded.shape[:2]
    return DecodedAgain(decoded) if height * width == job.pixel_count else DecodedSize(height, width)


def encode(codec: Codec, picture: Picture, job: EncodeAgain) -> EncodedAgain:
    """Return the hash of the bitstream that a picture gives now.

    Args:
        codec: The codec.
        picture: The original.
        job: Has the setting to encode at.
    """
    return EncodedAgain(hashlib.sha256(codec.encode(picture, job.quality)).hexdigest())
