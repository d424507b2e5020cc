"""What the server and a rater's browser tell each other: plain records, blind by design.

Nothing here names a codec, a rate, a file or a hash: pictures are known by random tokens only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Answer = Literal["first", "second", "none", "skip"]
"""``none``: no preference; ``skip``: the time limit passed."""
Slot = Literal["reference", "first", "second"]
Stage = Literal[
    "consent", "screening", "calibration", "trials", "done", "screened-out", "declined", "stopped", "closed"
]
"""Where a rater stands; each but the last five is left by the call of the same name."""


Refusal = Literal[
    "unknown_invitation", "unknown_study", "unknown_session", "unknown_trial", "unknown_picture",
    "unknown_code", "no_participant", "not_open", "closed", "full", "consent_changed", "unanswered",
    "not_due", "not_understood", "not_found", "stopped", "taken", "not_listed",
]  # fmt: skip
"""Why a request is refused; the texts of the pages have a sentence for each, ``refused_`` before it."""


class SessionError(Exception):
    """A rater's request cannot be answered."""

    def __init__(self, code: Refusal, status: int, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        """What the rater is told, in words of the page's language."""
        self.detail = detail
        """What a programmer is told, in English."""
        self.status = status
        """HTTP status that says the same: 404 unknown or withdrawn, 409 not at this stage or another vote
        stands, 410 study closed, 422 not understood."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A question with fixed answers, of the screening or about the surroundings."""

    key: str
    question: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Welcome:
    """Everything that a rater's pages before and around the trials show."""

    stage: Stage
    title: str
    introduction: str
    consent_text: str
    consent_version: str
    minimum_age: int
    screening: tuple[Choice, ...]
    environment: tuple[Choice, ...]
    """Questions about light, distance, night mode; answers are kept with the calibration."""
    presentation: str
    """Name of the presentation, which is that of its file of the browser; so in `Trial`."""
    parameters: Mapping[str, Any]  # Any: JSON, as the presentation declares them
    """Values of the presentation's own parameters; so in `Trial`."""
    asks_presentation_consent: bool
    """Whether the warning of the presentation itself must be shown and accepted."""
    question: str
    allow_no_preference: bool
    ask_card_calibration: bool
    ask_colour_plates: bool
    picture_width: int
    """Widest and highest picture of the study, in device pixels before zoom: what must fit on the screen."""
    picture_height: int
    zoom: int
    """Integer factor that each picture's pixels are repeated by."""
    magnify: bool
    """Whether raters may magnify further, and move what is magnified."""
    progress: Progress
    withdrawal_code: str
    """What the rater keeps to have everything deleted later; it is no name and leads nowhere else."""
    contact: str


@dataclass(frozen=True, slots=True)
class Joined:
    """A rater has a session."""

    session_token: str
    """The secret that every later call carries; each join gives another, all lead to the same trial."""
    stage: Stage


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rater is; training counts as well."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture of a trial."""

    slot: Slot
    token: str
    """What `RaterServicerService.stimulus` takes; random for this rater and trial."""
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Trial:
    """One comparison. Whether it is golden, a repeat or of two equal pictures stays on the server."""

    trial: str
    """Random id, to be sent back with the vote."""
    presentation: str
    parameters: Mapping[str, Any]  # Any: as in `Welcome`
    question: str
    pictures: tuple[Shown, ...]
    """In the order reference (where there is one), first, second; the first is shown left or before."""
    answers: tuple[Answer, ...]
    training: bool
    """A practice trial: the receipt of its vote carries feedback."""
    progress: Progress
    minimum_view_ms: int
    """No answer counts as one before; the page waits so long before it takes keys."""
    gap_ms: int
    """Neutral grey before the pictures appear."""
    time_limit_ms: int | None
    """After it the page answers ``skip``; None: no limit."""
    zoom: int
    magnify: bool
    step: Literal["trial"] = "trial"


@dataclass(frozen=True, slots=True)
class Break:
    """A pause between trials, left with `RaterServicerService.end_break`."""

    seconds: int
    """How long it should last; the rater may go on earlier."""
    progress: Progress
    step: Literal["break"] = "break"


@dataclass(frozen=True, slots=True)
class Done:
    """There is no further trial for this rater."""

    outcome: Literal["complete", "screened-out", "declined", "stopped", "closed"]
    completion_code: str | None
    """What a panel's rater hands in; None where there is nothing to hand in."""
    completion_url: str | None
    """Where the panel wants the rater to return to, the code included."""
    withdrawal_code: str
    progress: Progress
    step: Literal["done"] = "done"


@dataclass(frozen=True, slots=True)
class NotYet:
    """Something comes before the trials."""

    stage: Stage
    step: Literal["not-yet"] = "not-yet"


NextStep = Trial | Break | Done | NotYet
"""What comes next for a rater, told apart by ``step``."""


@dataclass(frozen=True, slots=True)
class VoteRequest:
    """One vote as the browser sends it, again and again until it is acknowledged."""

    trial: str
    client_uuid: str
    """Made in the browser for this vote; the same in every attempt to send it."""
    answer: Answer
    response_ms: float
    """From the first frame that shows the pictures to the answer, by the browser's monotonic clock."""
    checksums: Mapping[str, str] = field(default_factory=dict)
    """Slot -> SHA-256, 64 lower-case hex digits, of the picture read back from the canvas at zoom 1: of the
    ASCII line ``HEIGHTxWIDTHx3`` with a newline, then red, green, blue row by row (what
    `datasets.pixels.pixels_sha256` says). A slot that could not be read back is left out."""
    display: Mapping[str, Any] = field(default_factory=dict)  # Any: JSON of the browser's own record
    """What the presentation's `VoteRecord` declares: kept as it is, at most `DISPLAY_BYTES` of JSON."""


DISPLAY_BYTES = 16 * 1024
"""Longest display record, as JSON."""


@dataclass(frozen=True, slots=True)
class VoteReceipt:
    """A vote is stored: told only after its transaction is committed."""

    trial: str
    client_uuid: str
    """Of the vote that stands; another one than was sent where the trial already had a vote."""
    answer: Answer
    """Of the vote that stands."""
    repeated: bool
    """Whether the trial already had a vote; nothing was added."""
    feedback: Literal["agrees", "look-again"] | None
    """After a practice trial."""
    following: NextStep
    """What comes next, as `RaterServicerService.next_trial` would say."""


@dataclass(frozen=True, slots=True)
class Panel:
    """What a panel adds to the address of the study."""

    participant: str
    """``PROLIFIC_PID``."""
    study: str = ""
    """``STUDY_ID``: the panel's name of the study, not ours."""
    session: str = ""
    """``SESSION_ID``."""
