"""Load, encode, decode and score for one job inside a worker process, and report by messages."""

from __future__ import annotations

import contextlib
import gc
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import TypeVar

from ...codecs import registry as codec_registry
from ...codecs.base import Codec, CodecError, Image, MissingBackendError, Picture
from ...datasets.pixels import PictureError, pixels_sha256, read_pixels
from ...system_errors import sentence
from ..metrics import registry as metric_registry
from ..metrics.base import InapplicableError, Metric, MetricError
from ..records.messages import (
    Began,
    Cell,
    CodecSpec,
    DecodeAgain,
    Describe,
    Described,
    DescribePicture,
    EncodeAgain,
    Failed,
    Identify,
    Job,
    Measured,
    Message,
    Original,
    Peek,
    Scored,
    TimingCall,
)
from ..records.metric_facts import impossible_score
from ..store.blobs import BlobError, Blobs
from . import repeat, stopwatch
from .picture_content import content_of, identify
from .stopwatch import check_decoded

Result = TypeVar("Result")

SLOW_DECODE_SECONDS = 1.0
"""A decoder slower than this has its pictures kept, so that no later metric waits for it again."""

KNOWN_ERRORS = (CodecError, MetricError, PictureError, BlobError)
"""Errors whose text is written for the user; any other is shown with its class."""


def explain(error: BaseException) -> str:
    """Return the message for a failure row."""
    if isinstance(error, KNOWN_ERRORS):
        return str(error)
    return sentence(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"


class Worker:
    """Holds what is loaded once per process: codecs, metrics and the picture in hand."""

    def __init__(self) -> None:
        self.codecs: dict[CodecSpec, Codec] = {}
        self.load_seconds: dict[CodecSpec, float] = {}
        self.macs: dict[stopwatch.Work, tuple[int | None, int | None]] = {}
        self.metrics: dict[str, Metric] = {}
        self.original = Original("", "")
        self.picture: Picture | None = None
        self.prepared: dict[str, object] = {}

    def run(self, job: Job) -> Iterator[Message]:
        """Yield what a job gives, as it becomes known."""
        match job:
            case Describe():
                yield from self.describe(job)
            case Cell():
                yield from self.measure(job)
            case TimingCall():
                yield from self.time(job)
            case Peek() | DecodeAgain() | EncodeAgain():
                yield from self.repeat(job)
            case DescribePicture():
                yield content_of(job)
            case Identify():
                yield identify(job)

    def describe(self, job: Describe) -> Iterator[Described]:
        """Yield what each codec and metric is, or why it does not load."""
        yield from map(self.describe_codec, job.codecs)
        yield from map(self.describe_metric, job.metrics)

    def describe_codec(self, spec: CodecSpec) -> Described:
        """Return what a codec is; a wrong parameter is another error than a codec that does not load."""
        given = dict(spec.parameters)
        try:
            complete = codec_registry.parameters(spec.name, given)
            label = codec_registry.label(spec.name, given)
        except CodecError as error:
            absent = isinstance(error, MissingBackendError)
            return Described(spec, error=str(error), mistaken=not absent, absent=absent)
        try:
            info = self.codec(spec).info
        except Exception as error:
            return Described(spec, error=explain(error), absent=isinstance(error, MissingBackendError))
        if info.name != spec.name:
            # A recipe names its own codec; its digest is in the version, and where it lies changes nothing.
            return Described(spec, info, (), info.name)
        return Described(spec, info, tuple(complete.items()), label)

    def describe_metric(self, name: str) -> Described:
        """Return what a metric is, or why it does not load."""
        try:
            metric = self.metric(name)
        except Exception as error:
            return Described(name, error=explain(error))
        return Described(name, identity=metric.identity, facts=metric.facts)

    def codec(self, spec: CodecSpec) -> Codec:
        """Return a codec, made at its first use."""
        if spec not in self.codecs:
            start = perf_counter()
            self.codecs[spec] = codec_registry.create(spec.name, dict(spec.parameters))
            self.load_seconds[spec] = perf_counter() - start
        return self.codecs[spec]

    def metric(self, name: str) -> Metric:
        """Return a metric, made at its first use."""
        if name not in self.metrics:
            self.metrics[name] = metric_registry.create(name)
        return self.metrics[name]

    def load_picture(self, original: Original) -> Picture:
        """Return the picture of a cell; the last one is kept, and with it what the metrics prepared."""
        if self.picture is None or original != self.original:
            self.prepared.clear()
            pixels = read_pixels(Path(original.path))
            read_sha256 = pixels_sha256(pixels)
            if read_sha256 != original.sha256:
                raise PictureError(
                    f"{original.path}: expected pixels of hash {original.sha256[:12]}, by its manifest or as "
                    f"they were first read, got {read_sha256[:12]}"
                )
            self.original, self.picture = original, Picture(pixels, original.caption, original.text)
        return self.picture

    def measure(self, cell: Cell) -> Iterator[Message]:
        """Yield the measurement of a cell, unless it is stored, and then each score."""
        stage = Began("load")  # Every job begins with it, so no message is needed.
        try:
            picture = self.load_picture(cell.original)
            if cell.stored is None:
                codec = self.codec(cell.codec)
                stage = Began("encode")
                yield stage
                bitstream, encode_seconds = encode(codec, picture, cell)
                stage = Began("decode")
                yield stage
                decoded, measured = decode(
                    codec, picture, cell, bitstream, encode_seconds, self.load_seconds[cell.codec]
                )
                yield measured
                decoded_sha256 = measured.decoded_sha256
            else:
                # A codec whose picture is kept need not load, and an imported one cannot.
                kept = kept_pixels(cell)
                codec = self.codec(cell.codec) if kept is None else None
                stage = Began("decode")
                yield stage
                decoded = decode_stored(codec, cell) if codec else kept
                assert decoded is not None
                check_decoded(decoded, picture.pixels)
                decoded_sha256 = cell.stored.decoded_sha256
        except Exception as error:
            yield Failed("error", stage.stage, explain(error))
            return
        lossless = decoded_sha256 == cell.original.sha256
        for name in cell.metrics:
            yield Began("score", name)
            yield self.score(name, picture, decoded, lossless)

    def time(self, job: TimingCall) -> Iterator[Message]:
        """Yield what one encode and one decode cost, or what they need."""
        stage = Began("load")
        try:
            picture, codec, empty_mib = stopwatch.load(self, job)
            stage = Began("encode")
            yield stage
            if job.inspect:
                yield stopwatch.inspect(self, codec, picture, job, empty_mib)
            else:
                yield stopwatch.time(codec, picture, job)
        except Exception as error:
            yield Failed("error", stage.stage, explain(error))

    def repeat(self, job: Peek | DecodeAgain | EncodeAgain) -> Iterator[Message]:
        """Yield what an encoder or a decoder gives this time, or which files can be read."""
        try:
            match job:
                case Peek():
                    yield repeat.peek(job)
                case DecodeAgain():
                    yield Began("decode")
                    yield repeat.decode(self.codec(job.codec), job)
                case EncodeAgain():
                    yield Began("encode")
                    picture = self.load_picture(job.original)
                    yield repeat.encode(self.codec(job.codec), picture, job)
        except Exception as error:
            yield Failed("error", "encode" if isinstance(job, EncodeAgain) else "decode", explain(error))

    def score(self, name: str, picture: Picture, decoded: Image, lossless: bool) -> Scored | Failed:
        """Return one metric's value, or why there is none.

        Args:
            name: The metric's name.
            picture: The original, with caption and text.
            decoded: Shape (height, width, 3), uint8.
            lossless: Whether the pixels are the original's; no value is kept then where the metric's perfect
                is infinite.
        """
        try:
            metric = self.metric(name)
            if name not in self.prepared:
                self.prepared[name] = metric.prepare(picture)
            if lossless and metric.facts.perfect in (math.inf, -math.inf):
                return Scored(name, None, True, 0.0)
            start = perf_counter()
            value = metric.score(self.prepared[name], decoded)
            seconds = perf_counter() - start
        except InapplicableError:
            return Scored(name, None, False, 0.0, applicable=False)
        except Exception as error:
            return Failed("error", "score", explain(error), name)
        if problem := impossible_score(metric.facts, value, identical=lossless):
            return Failed("error", "score", f"{name}: {problem}", name)
        # Infinite for pictures that differ only where this metric does not look.
        return Scored(name, None if math.isinf(value) else value, lossless, seconds)


def encode(codec: Codec, picture: Picture, cell: Cell) -> tuple[bytes, tuple[float, ...]]:
    """Return the bitstream and the wall time of each repeat; none where another seed's cell has stored it.

    Args:
        codec: Loaded with the cell's parameters.
        picture: 8-bit sRGB with what else an encoder may see.
        cell: Setting, repeats and the stored bitstream, if there is one.
    """
    if cell.bitstream_sha256:
        return Blobs(Path(cell.blobs)).bitstream(cell.bitstream_sha256), ()
    streams, seconds = timed(lambda: codec.encode(picture, cell.quality), cell.repeats)
    if not streams[0]:
        raise CodecError("the encoder returned no bytes")
    return streams[0], seconds


def decode(
    codec: Codec,
    picture: Picture,
    cell: Cell,
    bitstream: bytes,
    encode_seconds: tuple[float, ...],
    load_seconds: float,
) -> tuple[Image, Measured]:
    """Return the decoded pixels and the cell's measurement; the bitstream is stored.

    Args:
        codec: The one that encoded.
        picture: The original, for its size and hash.
        cell: Seed, repeats, and whether the decoded picture is kept.
        bitstream: What the encoder wrote.
        encode_seconds: Wall seconds of each repeat, for the measurement.
        load_seconds: Wall seconds that loading the codec took in this worker.
    """
    pictures, decode_seconds = timed(lambda: codec.decode(bitstream, cell.seed), cell.repeats)
    decoded = pictures[0]
    check_decoded(decoded, picture.pixels)
    parts = codec.breakdown(bitstream)
    if parts.total_bytes != len(bitstream):
        raise CodecError(f"the breakdown counts {parts.total_bytes} bytes of a bitstream of {len(bitstream)}")
    blobs = Blobs(Path(cell.blobs))
    decoded_sha256 = pixels_sha256(decoded)
    if cell.keep_decoded or codec.info.stochastic or min(decode_seconds) > SLOW_DECODE_SECONDS:
        blobs.put_decoded(decoded_sha256, decoded)
    bitstream_sha256 = blobs.put_bitstream(bitstream)
    return decoded, Measured(
        bitstream_sha256, parts, len(bitstream), decoded_sha256, encode_seconds, decode_seconds, load_seconds
    )


def kept_pixels(cell: Cell) -> Image | None:
    """Return the decoded pixels that the store keeps of a cell, or None; a damaged file is removed."""
    assert cell.stored is not None
    path = Blobs(Path(cell.blobs)).decoded_path(cell.stored.decoded_sha256)
    if not path.exists():
        return None
    with contextlib.suppress(PictureError):
        decoded = read_pixels(path)
        if pixels_sha256(decoded) == cell.stored.decoded_sha256:
            return decoded
    path.unlink(missing_ok=True)
    return None


def decode_stored(codec: Codec, cell: Cell) -> Image:
    """Return the pixels of a stored bitstream, which are kept from now on.

    Args:
        codec: Decodes the bitstream.
        cell: Has the hashes of bitstream and decoded picture.

    Raises:
        CodecError: They are not those that were measured.
        BlobError: The bitstream is missing or damaged.
    """
    assert cell.stored is not None
    blobs = Blobs(Path(cell.blobs))
    decoded = codec.decode(blobs.bitstream(cell.stored.bitstream_sha256), cell.seed)
    sha256 = pixels_sha256(decoded)
    if sha256 != cell.stored.decoded_sha256:
        raise CodecError(
            f"the stored bitstream decodes to other pixels (hash {sha256[:12]}) than when it was measured "
            f"({cell.stored.decoded_sha256[:12]}): the decoder changed; use --force {cell.codec.name}"
        )
    blobs.put_decoded(sha256, decoded)
    return decoded


def timed(call: Callable[[], Result], repeats: int) -> tuple[list[Result], tuple[float, ...]]:
    """Return every repeat's result and wall time, the garbage collector held off meanwhile."""
    results: list[Result] = []
    seconds: list[float] = []
    gc.disable()
    try:
        for _ in range(repeats):
            start = perf_counter()
            results.append(call())
            seconds.append(perf_counter() - start)
    finally:
        gc.enable()
    return results, tuple(seconds)
