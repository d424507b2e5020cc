"""Do again, inside a worker, what an earlier run did: decode a bitstream or encode a picture."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ...codecs.base import Codec, Picture, check_image
from ...datasets.pixels import pixels_sha256
from ..records.messages import DecodeAgain, DecodedAgain, EncodeAgain, EncodedAgain, Peek, Peeked


def peek(job: Peek) -> Peeked:
    """Return which of the files hold anything here."""
    return Peeked(tuple(path for path in job.paths if _readable(Path(path))))


def _readable(path: Path) -> bool:
    try:
        with path.open("rb") as opened:
            return bool(opened.read(1))
    except OSError:
        return False


def decode(codec: Codec, job: DecodeAgain) -> DecodedAgain:
    """Return the hash of what a bitstream decodes to, and the pixels where it is not the expected one."""
    decoded = codec.decode(job.bitstream, job.seed)
    check_image(decoded)
    decoded_sha256 = pixels_sha256(decoded)
    return DecodedAgain(decoded_sha256, None if decoded_sha256 == job.decoded_sha256 else decoded)


def encode(codec: Codec, picture: Picture, job: EncodeAgain) -> EncodedAgain:
    """Return the hash of the bitstream that a picture gives now.

    Args:
        codec: The codec.
        picture: The original.
        job: Has the setting to encode at.
    """
    return EncodedAgain(hashlib.sha256(codec.encode(picture, job.quality)).hexdigest())
