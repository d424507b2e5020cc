"""Time one encode and one decode, or look at what they need, inside a worker process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Protocol, TypeVar

from ...codecs.base import Codec, CodecError, Image, Picture, check_image
from ..records.messages import CallNeeds, CodecSpec, Inspected, Original, Timed, TimingCall
from ..store.blobs import Blobs
from . import clocks, gpu
from .flops import multiply_accumulates

Result = TypeVar("Result")


Work = tuple[CodecSpec, float, int, int]
"""A codec, its quality, and the height and width of a picture: what decides how much a network computes."""


class Loaded(Protocol):
    """What a worker holds from job to job."""

    load_seconds: dict[CodecSpec, float]
    macs: dict[Work, tuple[int | None, int | None]]
    """Multiply-accumulates of an encode and of a decode."""

    def codec(self, spec: CodecSpec) -> Codec:
        """Return a codec, made at its first use."""
        ...

    def load_picture(self, original: Original) -> Picture:
        """Return the picture of a job."""
        ...


def load(worker: Loaded, job: TimingCall) -> tuple[Picture, Codec, float]:
    """Return the picture, the codec, and the resident MiB before it; stay on the job's cores."""
    clocks.pin(job.cores)
    picture = worker.load_picture(job.original)
    empty_mib = clocks.resident_mib() if job.inspect else 0.0
    return picture, worker.codec(job.codec), empty_mib


def time(codec: Codec, picture: Picture, job: TimingCall) -> Timed:
    """Return what an encode and a decode cost, each after its own dropped warm-up.

    Args:
        codec: The codec, loaded.
        picture: The original.
        job: The setting, and how many warm-up calls are made and dropped.
    """
    for _ in range(job.warm_up):
        codec.encode(picture, job.quality)
    bitstream, encode = clocks.timed(lambda: codec.encode(picture, job.quality))
    for _ in range(job.warm_up):
        codec.decode(bitstream)
    decoded, decode = clocks.timed(lambda: codec.decode(bitstream))
    check_decoded(decoded, picture.pixels)
    return Timed(encode, decode)


def inspect(worker: Loaded, codec: Codec, picture: Picture, job: TimingCall, empty_mib: float) -> Inspected:
    """Return what an encode and a decode need; the bitstream is stored.

    Multiply-accumulates are counted once for each codec, quality and size of picture.

    Args:
        worker: Counts multiply-accumulates once for all its jobs.
        codec: Loaded with the job's parameters.
        picture: The one to code.
        job: Setting, cores and where the bitstream is kept.
        empty_mib: Resident memory before the codec was loaded.
    """
    bitstream, encode = _needs(lambda: codec.encode(picture, job.quality))
    decoded, decode = _needs(lambda: codec.decode(bitstream))
    check_decoded(decoded, picture.pixels)
    height, width = picture.pixels.shape[:2]
    work = job.codec, job.quality, height, width
    if work not in worker.macs:
        worker.macs[work] = (
            multiply_accumulates(lambda: codec.encode(picture, job.quality)),
            multiply_accumulates(lambda: codec.decode(bitstream)),
        )
    encode_macs, decode_macs = worker.macs[work]
    sha256 = Blobs(Path(job.blobs)).put_bitstream(bitstream)
    return Inspected(
        sha256,
        len(bitstream),
        worker.load_seconds[job.codec],
        empty_mib,
        replace(encode, macs=encode_macs),
        replace(decode, macs=decode_macs),
    )


def check_decoded(decoded: Image, original: Image) -> None:
    """Raise `CodecError` unless the decoded picture has the original's shape."""
    check_image(decoded)
    if decoded.shape != original.shape:
        (height, width), (expected_height, expected_width) = decoded.shape[:2], original.shape[:2]
        raise CodecError(f"decoded to {width}x{height}, the original is {expected_width}x{expected_height}")


def _needs(call: Callable[[], Result]) -> tuple[Result, CallNeeds]:
    """Return a call's result and needs but for its operations: one call for memory, one for kernels."""
    start = perf_counter()
    gpu.forget_peaks()
    result, host_mib = clocks.peak_mib(call)
    # Asked for afterwards: a codec may go to its device at its first call.
    device = gpu.in_use()
    gpu_mib = device.peak_mib() if device else None
    wall_seconds = perf_counter() - start
    busy_seconds = device.busy_seconds(call) if device else None
    return result, CallNeeds(wall_seconds, host_mib, gpu_mib, busy_seconds)
