"""Say inside a worker what is on a picture: a perceptual hash, and descriptors where they are wanted."""

from __future__ import annotations

from pathlib import Path

from ...datasets.pixels import PictureError, pixels_sha256, read_pixels
from ..records.messages import DescribePicture, Failed, PictureContent


def content_of(job: DescribePicture) -> PictureContent | Failed:
    """Return what is on a picture, or why its file cannot tell."""
    from ...datasets.description.descriptors import describe_pixels
    from ...datasets.perceptual import perceptual_hash

    try:
        pixels = read_pixels(Path(job.path))
    except PictureError as error:
        return Failed("error", "load", str(error))
    if pixels_sha256(pixels) != job.sha256:
        return Failed("error", "load", f"{job.path}: holds other pixels than when it was measured")
    descriptors = describe_pixels(pixels) if job.descriptors else None
    return PictureContent(job.sha256, perceptual_hash(pixels), descriptors)
