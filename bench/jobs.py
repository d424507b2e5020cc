"""What the runner asks of a worker and what a worker tells: plain records that travel through a pipe."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ..codecs.base import CodecInfo, RateParts
from ..codecs.registry import Value
from .metrics.base import MetricIdentity

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


Job = Describe | Cell


@dataclass(frozen=True, slots=True)
class Described:
    """What one codec or metric is, or why it does not load."""

    what: CodecSpec | str
    info: CodecInfo | None = None
    parameters: tuple[tuple[str, Value], ...] = ()
    """All of a codec's parameters, defaults filled in."""
    label: str = ""
    identity: MetricIdentity | None = None
    better: str = "higher"
    perfect: float = 0.0
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


Message = Described | Began | Measured | Scored | Failed | Finished


@dataclass(slots=True)
class Outcome:
    """Everything a worker told about one job before it finished or died."""

    described: list[Described] = field(default_factory=list)
    measured: Measured | None = None
    scored: list[Scored] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    stopped: bool = False
    """Whether the run was stopped while the job ran: then nothing is known of its end."""
