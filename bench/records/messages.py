"""Messages between the runner and its workers: plain records that travel through a pipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ...codecs.base import CodecInfo, Image, RateParts
from ...codecs.registry import Value
from .identities import MetricIdentity
from .metric_facts import MetricFacts

Stage = Literal["load", "encode", "decode", "score"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one cell may use before its worker is killed."""

    seconds: float
    memory_mib: int
    """Resident memory of the worker and all its children together."""


@dataclass(frozen=True, slots=True)
class CodecSpec:
    """A codec as a suite asks for it."""

    name: str
    parameters: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Original:
    """Where an original lies and what its encoder may know of it."""

    path: str
    sha256: str
    """Of the pixels."""
    caption: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Describe:
    """Load these codecs and metrics and say what they are."""

    codecs: tuple[CodecSpec, ...]
    metrics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """A bitstream that was measured before."""

    bitstream_sha256: str
    decoded_sha256: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One picture x codec x quality x seed, and the metrics still wanted of it."""

    original: Original
    codec: CodecSpec
    codec_id: str
    quality: float
    seed: int | None
    metrics: tuple[str, ...]
    blobs: str
    stored: Stored | None = None
    """Set when only scores are missing: nothing is encoded then."""
    repeats: int = 1
    keep_decoded: bool = False
    bitstream_sha256: str | None = None
    """Of the stored bitstream that another seed's cell wrote: decoded once more instead of encoding anew."""


@dataclass(frozen=True, slots=True)
class TimingCall:
    """One encode and one decode of one picture, with nothing else running."""

    original: Original
    codec: CodecSpec
    quality: float
    cores: tuple[int, ...]
    """To stay on; empty for any."""
    blobs: str
    inspect: bool = False
    """Whether to look at memory, operations and kernels instead of the clock."""
    warm_up: int = 0
    """Calls to make and drop directly before the timed one."""


@dataclass(frozen=True, slots=True)
class Peek:
    """Say which of these files can be read from where the worker is."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DecodeAgain:
    """Decode a bitstream of an earlier run, knowing nothing else of it."""

    codec: CodecSpec
    bitstream: bytes
    seed: int | None
    pixel_count: int
    """Of the original: pictures of another count are not sent back."""


@dataclass(frozen=True, slots=True)
class EncodeAgain:
    """Encode a picture of an earlier run."""

    original: Original
    codec: CodecSpec
    quality: float


@dataclass(frozen=True, slots=True)
class Identify:
    """Say which pixels a picture's file holds."""

    path: str
    file_sha256: str | None
    """As the manifest has it; None for any."""
    pixels: tuple[str, int, int] | None
    """Hash, height and width by the manifest: then only the file's own hash is checked."""


@dataclass(frozen=True, slots=True)
class DescribePicture:
    """Say what is on a picture."""

    path: str
    sha256: str
    """Of the pixels."""
    descriptors: bool
    """Whether its descriptors are wanted beside its perceptual hash; they take some hundred times as long."""


Job = Describe | Identify | Cell | TimingCall | Peek | DecodeAgain | EncodeAgain | DescribePicture


@dataclass(frozen=True, slots=True)
class Described:
    """What one codec or metric is, or why it does not load."""

    what: CodecSpec | str
    info: CodecInfo | None = None
    parameters: tuple[tuple[str, Value], ...] = ()
    """All of a codec's parameters, defaults filled in."""
    label: str = ""
    identity: MetricIdentity | None = None
    facts: MetricFacts = field(default_factory=MetricFacts)
    """Of a metric."""
    error: str | None = None
    mistaken: bool = False
    """Whether the suite asks for what cannot be, as against something missing here."""
    absent: bool = False
    """Whether a library, a program or weights are missing here."""


@dataclass(frozen=True, slots=True)
class Identified:
    """The pixels of one file, or why it is not a picture."""

    path: str
    sha256: str = ""
    height: int = 0
    width: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Began:
    """The stage a worker enters; the last one tells where a dead worker died."""

    stage: Stage
    metric: str | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """What encoding and decoding one cell gave."""

    bitstream_sha256: str
    parts: RateParts
    bitstream_bytes: int
    decoded_sha256: str
    encode_seconds: tuple[float, ...]
    decode_seconds: tuple[float, ...]
    load_seconds: float


@dataclass(frozen=True, slots=True)
class Scored:
    """One metric's value; None where it is unbounded and sees no difference."""

    metric: str
    value: float | None
    lossless: bool
    seconds: float
    applicable: bool = True
    """Whether the picture holds what the metric measures; there is no value else."""


@dataclass(frozen=True, slots=True)
class CallCost:
    """What one timed call cost; of the device only where the codec uses one."""

    wall_seconds: float
    cpu_seconds: float
    """Of all threads, and of child processes."""
    device_span_seconds: float | None = None
    """Between CUDA events at both ends, gaps included."""
    energy_joules: float | None = None
    """Of the whole device, by NVML."""


@dataclass(frozen=True, slots=True)
class CallNeeds:
    """What one call needs, looked at without timing it."""

    wall_seconds: float
    """Slowed by looking: good for planning only."""
    peak_mib: float | None
    """Resident memory of the worker and its children."""
    peak_gpu_mib: float | None = None
    gpu_busy_seconds: float | None = None
    """Time in which at least one kernel ran."""
    macs: int | None = None
    """Multiply-accumulates; None for codecs without torch."""


@dataclass(frozen=True, slots=True)
class Timed:
    """What one encode and one decode cost."""

    encode: CallCost
    decode: CallCost


@dataclass(frozen=True, slots=True)
class Inspected:
    """What one encode and one decode need."""

    bitstream_sha256: str
    bitstream_bytes: int
    load_seconds: float
    """Of the codec's constructor, libraries and weights included, in this worker."""
    empty_mib: float
    """Resident memory of the worker before it loaded the codec."""
    encode: CallNeeds
    decode: CallNeeds


@dataclass(frozen=True, slots=True)
class Peeked:
    """What a worker could read."""

    readable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DecodedAgain:
    """What a bitstream gave this time."""

    pixels: Image


@dataclass(frozen=True, slots=True)
class DecodedSize:
    """The size of what a bitstream gave this time: another count of pixels than the original has."""

    height: int
    width: int


@dataclass(frozen=True, slots=True)
class EncodedAgain:
    """What an encoder gave this time."""

    bitstream_sha256: str


@dataclass(frozen=True, slots=True)
class PictureContent:
    """What is on a picture."""

    picture_sha256: str
    perceptual: str
    """Perceptual hash, 16 hex digits."""
    descriptors: Mapping[str, float] | None
    """By name; None where they were not asked for."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Why a cell, or one metric of it, has no result."""

    outcome: Literal["error", "timeout", "memory", "crash"]
    stage: Stage
    message: str
    metric: str | None = None
    exit_code: int | None = None
    stderr_tail: str = ""


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a job."""

    seconds: float = 0.0
    """What it took in the worker."""


Again = Peeked | DecodedAgain | DecodedSize | EncodedAgain
_Answer = Described | Identified | Measured | Scored | Timed | Inspected | PictureContent | Again
Message = _Answer | Began | Failed | Finished


@dataclass(slots=True)
class Outcome:
    """All messages of a worker about one job, up to its end or death."""

    described: list[Described] = field(default_factory=list)
    measured: Measured | None = None
    timed: Timed | None = None
    inspected: Inspected | None = None
    identified: Identified | None = None
    content: PictureContent | None = None
    again: Again | None = None
    scored: list[Scored] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    seconds: float | None = None
    """What the job took in its worker, where it came to its end."""
    stopped: bool = False
    """Whether the run was stopped while the job ran: then nothing is known of its end."""
