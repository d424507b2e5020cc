"""Records that leave the ledger: frozen, without a trace of SQLAlchemy."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

PairKind = Literal["main", "training", "golden", "identical"]
TrialKind = Literal["main", "training", "golden", "repeat", "identical"]
StudyState = Literal["planned", "open", "closed", "imported"]


@dataclass(frozen=True, slots=True)
class StudyRow:
    """One study."""

    study_id: int
    name: str
    plan: str
    """Text of its ``study.toml``; of an import a sentence on where the votes came from."""
    sha256: str
    state: StudyState
    salt: str
    """Secret."""
    created_at: str
    """ISO 8601, UTC; so all times."""
    opened_at: str | None
    closed_at: str | None

    @property
    def simulated(self) -> bool:
        """Whether programs answered in place of people: the plan says so, under the seal."""
        return self.state != "imported" and tomllib.loads(self.plan).get("simulated") is True

    @property
    def holds_scores(self) -> bool:
        """Whether it is an import of scores, which has no votes."""
        return self.state == "imported" and "scores" in tomllib.loads(self.plan)

    @property
    def label(self) -> str:
        """The name as tables and charts show it; of a simulated study it says so."""
        return f"{self.name} (simulated)" if self.simulated else self.name


@dataclass(frozen=True, slots=True)
class Condition:
    """What is compared."""

    name: str
    codec_id: str | None
    """None for the original and in imports."""
    codec: str | None
    """Label."""
    rate: str | None
    """What codecs at one rate have in common, such as ``0.25 bpp``; of others their setting."""
    is_reference: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """A picture and the part of it that is shown."""

    name: str
    image_set: str | None = None
    kind: str | None = None
    picture_sha256: str | None = None
    reference_sha256: str | None = None
    """Of the part of the original that is shown."""
    left: int = 0
    top: int = 0
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Stimulus:
    """One condition of one picture."""

    content: int
    """Index into the contents; so for ``condition``."""
    condition: int
    quality: float | None = None
    bits_per_pixel: float | None = None
    decoded_sha256: str | None = None
    """Of the whole decoded picture."""
    shown_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two stimuli that may be compared."""

    kind: PairKind
    first: int
    """Index into the stimuli; the better one where an answer is known."""
    second: int


@dataclass(frozen=True, slots=True)
class StudyMaterial:
    """Everything a study compares."""

    conditions: tuple[Condition, ...]
    contents: tuple[Content, ...]
    stimuli: tuple[Stimulus, ...]
    pairs: tuple[Pair, ...]

    def lines(self) -> list[str]:
        """Return a line for each stimulus and pair, for the seal."""
        shown = [
            f"stimulus {stimulus.content} {stimulus.condition} {stimulus.shown_sha256}"
            for stimulus in self.stimuli
        ]
        references = [f"reference {content.name} {content.reference_sha256}" for content in self.contents]
        names = [f"condition {condition.name}" for condition in self.conditions]
        return [
            *names,
            *references,
            *shown,
            *(f"pair {pair.kind} {pair.first} {pair.second}" for pair in self.pairs),
        ]


@dataclass(frozen=True, slots=True)
class ScoreScale:
    """What somebody's scores of conditions are."""

    name: str
    """Elo, MOS, DMOS or JND."""
    better: Literal["higher", "lower"]
    level: float | None
    """Of the scores' intervals, percent; None where there are none."""


@dataclass(frozen=True, slots=True)
class PublishedScore:
    """What people gave one condition, as somebody published it."""

    condition: str
    picture: str | None
    """None of a score over all pictures."""
    score: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class StoredStudy:
    """A stored study's material, with the row ids that trials name."""

    study: StudyRow
    material: StudyMaterial
    stimulus_ids: tuple[int, ...]
    """In the order of the material's; so the pairs'."""
    pair_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RaterRow:
    """A rater as a request finds them."""

    rater_id: int
    study_id: int
    state: StudyState
    """Of the study."""
    name: str
    stage: str
    consent_version: str | None
    accepts_presentation: bool
    breaks: int


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One comparison given to one rater."""

    trial_id: int
    rater_id: int
    study_id: int
    position: int
    token: str
    kind: TrialKind
    pair_id: int
    first_id: int
    """Stimulus shown left, or before."""
    second_id: int
    lease_until: str


@dataclass(frozen=True, slots=True)
class NewTrial:
    """A trial about to be given."""

    token: str
    kind: TrialKind
    pair_id: int
    first_id: int
    second_id: int
    probability: float | None


@dataclass(frozen=True, slots=True)
class StoredVote:
    """One vote with everything that is known of it, by names: what an export holds."""

    rater: str
    content: str
    first: str
    """Condition shown left, or before."""
    second: str
    answer: str
    kind: TrialKind
    golden_first: bool | None
    """Whether the first is the right answer; None where none is known."""
    position: int
    """Of the trial within the rater's."""
    probability: float | None
    response_ms: float | None
    proof: str
    received_at: str
    client_uuid: str
    display: Mapping[str, Any]  # Any: JSON of the browser's own record


@dataclass(frozen=True, slots=True)
class RaterStatus:
    """How far one rater is."""

    name: str
    stage: str
    votes: int
    joined_at: str | None
    finished_at: str | None


@dataclass(frozen=True, slots=True)
class Status:
    """How far a study is."""

    study: StudyRow
    raters: tuple[RaterStatus, ...]
    votes: int
    """Of the design's pairs; golden trials, training and repeats apart."""
    pairs: int
    fewest_votes: int
    """Of any pair, of raters whom stopping rules count."""
    most_votes: int
    unproven: int
    """Votes whose display was not proven."""
    withdrawn: int
    withdrawn_votes: int
