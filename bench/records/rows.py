"""Records that leave the store: frozen, without a trace of SQLAlchemy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from .metric_facts import CurveScale, Direction

RateKind: TypeAlias = Literal["bytes", "estimated"]
"""Whether a rate is the size of a bitstream, or what an entropy model says that one would have."""


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric identity that the store holds scores of."""

    metric_id: str
    name: str
    implementation: str
    version: str
    colour_space: str
    better: Direction
    perfect: float | None
    """The value for identical pictures; None where the metric is unbounded or has no such value."""
    weights_sha256: str | None = None
    lowest: float | None = None
    """The lowest value that the metric's definition allows; None where there is none."""
    highest: float | None = None
    """Likewise the highest."""
    title: str = ""
    """As tables and charts call it; empty for the name."""
    unit: str = ""
    decimals: int | None = None
    """Digits behind the point; None for four significant digits."""
    curve_scale: CurveScale = "linear"
    """How scores enter rate-distortion curves."""
    default_order: int | None = None
    """Place among the metrics where nobody chose one; None for after all those that have one."""


@dataclass(frozen=True, slots=True)
class Score:
    """One metric's value for one decoded picture."""

    value: float | None
    """None where the metric is unbounded and sees no difference."""
    lossless: bool = False
    """Whether the decoded pixels equal the original's."""
    applicable: bool = True
    """False where the picture holds nothing that the metric measures, such as text or a face."""


Finding: TypeAlias = Literal["identical", "within tolerance", "differs", "failed"]
"""What decoding a stored bitstream again gave, beside the measured pixels."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the newest verification found of a bitstream."""

    outcome: Finding
    isolation: str
    """``bubblewrap``, ``unshare`` or ``none``."""
    encoder_repeats: bool | None
    """Whether the encoder wrote the same bytes again; None where it was not asked to."""


@dataclass(frozen=True, slots=True)
class ScoredCell:
    """One picture x codec x quality x seed: what it cost and how it scored."""

    image_set: str
    picture: str
    picture_sha256: str
    """SHA-256 of the original's pixels."""
    kind: Literal["natural", "ai-generated", "composite", "drawn", "unknown"]
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
    """Whether other cells or programs ran at the same time, which makes the times unfit for a speed table."""
    scores: Mapping[str, Score] = field(default_factory=dict)
    """By metric id."""
    probe: bool = False
    """Whether a search asked for it and no suite did: on no mean curve."""
    picture_generator: str | None = None
    """The model that made a generated picture."""
    codec_generator: str | None = None
    """The image generator whose weights the codec's decoder holds."""
    header_bytes: int = 0
    """Sizes, magic numbers and container boxes."""
    payload_bytes: int = 0
    """Coded pixels."""
    side_bytes: int = 0
    """Everything else the decoder reads."""
    imported: bool = False
    """Whether size and picture come from a file: there is no bitstream here, and its parts are unknown."""
    provenance: str | None = None
    """Where imported rows come from."""
    rate_kind: RateKind = "bytes"
    """Only of imported rows can it be ``estimated``; their bytes are no file's then."""
    verdict: Verdict | None = None
    """None where the bitstream was never verified."""

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
    """The metric that failed, or ``timing``; None where encoding or decoding did."""
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
    started_at: str
    """ISO 8601, UTC."""
    finished_at: str | None
    call: tuple[str, ...]
    """The command and its options, but for the suite, the store and the workers; empty where unknown."""


Scope: TypeAlias = Literal["picture", "set"]
"""What a search for a rate or score ran over."""


@dataclass(frozen=True, slots=True)
class Match:
    """The setting nearest a target: of one picture, or one setting for all pictures of a set."""

    scope: Scope
    image_set: str
    """The set that the search ran over."""
    picture_sha256: str | None
    """None where the scope is the set."""
    pictures: int
    """How many pictures share the setting."""
    codec_id: str
    target_kind: str
    """``bpp``, ``total-bpp``, ``bytes``, or a metric's name."""
    metric_id: str | None
    target: float
    quality: float
    """On the codec's native scale."""
    achieved: float | None
    """In the target's unit; None where coding was lossless and the metric is unbounded."""
    probes: int
    """Settings that the search knew in the end."""
    encodes: int
    """Those of them that it had to ask for; settings stored before cost nothing."""
    ended: str
    """``exact``, ``close``, ``nearest`` or ``out of range``; see `bench.analysis.setting_search`."""


@dataclass(frozen=True, slots=True)
class MatchRow:
    """A match as reports show it, one record for each set its picture is in."""

    match: Match
    picture: str | None
    """Name in the set; None where the scope is the set."""
    codec: str
    """Label."""

    @property
    def reached(self) -> bool:
        """Whether the target lies on the codec's scale."""
        return self.match.ended != "out of range"
