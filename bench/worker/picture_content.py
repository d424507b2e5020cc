"""Say inside a worker which picture a file holds, and what is on it."""

from __future__ import annotations

from pathlib import Path

from ...datasets.pixels import PictureError, check_file, pixels_sha256, read_pixels
from ..records.messages import DescribePicture, Failed, Identified, Identify, PictureContent


def identify(job: Identify) -> Identified:
    """Return the hash and size of a picture's pixels, once its file is the one that its manifest means.

    Where the manifest tells the pixels of a file with this hash, they are not decoded for it; the worker that
    measures the picture checks them.
    """
    path = Path(job.path)
    try:
        if job.pixels:
            check_file(path, job.file_sha256)
            return Identified(job.path, *job.pixels)
        pixels = read_pixels(path, job.file_sha256)
    except PictureError as error:
        return Identified(job.path, error=str(error))
    return Identified(job.path, pixels_sha256(pixels), pixels.shape[0], pixels.shape[1])


def content_of(job: DescribePicture) -> PictureContent | Failed:
    """Return what is on a picture, or why its file cannot tell."""
    from ...datasets.description.descriptors import describe_pixels
    from ...datasets.description.history import measure_history
    from ...datasets.perceptual import perceptual_hash

    try:
        pixels = read_pixels(Path(job.path))
    except PictureError as error:
        return Failed("error", "load", str(error))
    if pixels_sha256(pixels) != job.sha256:
        return Failed("error", "load", f"{job.path}: holds other pixels than when it was measured")
    descriptors = None
    if job.descriptors:
        descriptors = describe_pixels(pixels) | measure_history(Path(job.path), pixels).descriptors
    return PictureContent(job.sha256, perceptual_hash(pixels), descriptors)
