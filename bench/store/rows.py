"""Records that leave the store: frozen, without a trace of SQLAlchemy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric identity that the store holds scores of."""

    metric_id: str
    name: str
    implementation: str
    version: str
    colour_space: str
    better: Literal["higher", "lower"]
    perfect: float | None
    """The value for identical pictures; None where the metric is unbounded or has no such value."""
    weights_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """One metric's value for one decoded picture."""

    value: float | None
    """None where the metric is unbounded and sees no difference."""
    lossless: bool = False
    """Whether the decoded pixels equal the original's."""


@dataclass(frozen=True, slots=True)
class ScoredCell:
    """One picture x codec x quality x seed: what it cost and how it scored."""

    image_set: str
    picture: str
    picture_sha256: str
    """SHA-256 of the original's pixels."""
    kind: Literal["natural", "ai-generated"]
    pixel_count: int
    codec_id: str
    codec: str
    """Label: the codec's name with those parameters that are not its defaults."""
    family: Literal["classic", "learned", "generative"]
    toy: bool
    quality: float
    """On the codec's native scale."""
    seed: int | None
    bitstream_bytes: int
    bitstream_sha256: str
    decoded_sha256: str
    """SHA-256 of the decoded pixels."""
    encode_seconds: tuple[float, ...]
    """Wall time of each repeat."""
    decode_seconds: tuple[float, ...]
    contended: bool
    """Whether other cells ran at the same time, which makes the times unfit for a speed table."""
    scores: Mapping[str, Score] = field(default_factory=dict)
    """By metric id."""

    @property
    def bits_per_pixel(self) -> float:
        """Eight times the bitstream's bytes over the original's pixels."""
        return 8 * self.bitstream_bytes / self.pixel_count


@dataclass(frozen=True, slots=True)
class Failure:
    """One attempt that ended without a result; history, never deleted."""

    image_set: str
    picture: str
    picture_sha256: str
    codec_id: str
    codec: str
    quality: float
    seed: int | None
    metric: str | None
    """The metric that failed; None where encoding or decoding did."""
    outcome: str
    """``error``, ``timeout``, ``memory`` or ``crash``."""
    stage: str
    """``load``, ``encode``, ``decode`` or ``score``."""
    exit_code: int | None
    message: str
    stderr_tail: str
    created_at: str
    """ISO 8601, UTC."""
    settled: bool
    """Whether a later attempt succeeded."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """One call of ``codecarena run`` or ``score``."""

    run_id: int
    suite: str
    status: str
    """``running``, ``finished``, ``interrupted`` or ``killed``."""
    workers: int
    planned_cells: int
    process_id: int
    started_at: str
    """ISO 8601, UTC."""
    finished_at: str | None
