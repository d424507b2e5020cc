"""What a presentation is: one way to show a comparison, declared before any of it is drawn.

The record here is the server's half. The browser's half is ``trial/web/presentations/NAME.js``: which
pictures each view shows and what happens while a trial runs; ``trial/web/presentation.js`` has its contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

CONSENT_TEXTS = "title", "warning", "accept"
"""What a presentation with a consent of its own says: heading, warning, and the box to tick."""


class Parameters(BaseModel):
    """What a plan may set of a presentation: fields are keys of its ``[trials]``, with types and defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class VoteRecord(BaseModel):
    """What the browser records with a vote, whatever the presentation; one that records more adds its fields.

    The record is stored as it comes: to refuse a vote for an odd record would lose an answer.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)

    shown_at: str
    """First frame that showed the pictures; ISO 8601, UTC, by the browser's clock."""
    times_begun: int | None
    """How often this tab began the trial, 2 after a reload; None where the browser stores nothing."""
    zoom: int
    """Screen pixels for each pixel of a picture, in each direction, at the beginning."""
    largest_zoom: int
    """The same at the most that the rater magnified."""
    events: list[tuple[int, str]]
    """Milliseconds since the pictures were shown, and what happened; the first 300."""
    counts: dict[str, int]
    """How often each kind of event happened."""
    span_ms: dict[str, int]
    """How long the original was held, the page hidden or blurred, the window too small."""
    frames: int
    """Intervals between frames that were measured, at most 6000."""
    frame_interval_ms: float | None
    """Their median."""
    late_frames: int
    """How many took over 1.5 times the median."""
    device_pixel_ratio: float
    """Screen pixels for each CSS pixel."""
    window: tuple[int, int]
    """Width and height in CSS pixels; so ``screen``."""
    screen: tuple[int, int]
    colour_depth: int
    """Bits a pixel."""
    colour_gamut: str | None
    """``srgb``, ``p3`` or ``rec2020``: the widest that the screen is said to cover."""
    high_dynamic_range: bool
    reduced_motion: bool
    """Whether the device asks pages to move little."""
    touch: bool


@dataclass(frozen=True, slots=True)
class Presentation:
    """One way to show a comparison."""

    name: str
    """As plans say it: lower-case letters and dashes. Its file of the browser is ``NAME.js``."""
    summary: str
    """What a rater sees, in a few words, for those who plan."""
    shows_original: bool = True
    """Whether the original is among the pictures of a trial."""
    parameters: type[Parameters] = Parameters
    vote_record: type[VoteRecord] = VoteRecord
    needs_consent: bool = False
    """Whether raters must accept this presentation itself, beside the study's consent text."""
    own_texts: tuple[str, ...] = ()
    """Keys of the texts that only its file of the browser uses."""
    compares_differences: bool = False
    """Whether raters compare how far each version is from the original: who asks which one *differs* then
    asks for the worse."""

    @property
    def texts(self) -> tuple[str, ...]:
        """The keys of all texts that must be there for it; in a text ``{NAME}`` is a parameter's value."""
        consent = [f"consent_{self.name}_{part}" for part in CONSENT_TEXTS] if self.needs_consent else []
        return f"task_{self.name}", *consent, *self.own_texts

    @property
    def own_fields(self) -> tuple[str, ...]:
        """The fields that it adds to the record of a vote."""
        return tuple(name for name in self.vote_record.model_fields if name not in VoteRecord.model_fields)

    # Any: numbers, texts or flags, as the parameters' types say.
    def values_in(self, table: BaseModel) -> dict[str, Any]:
        """Return the values of its parameters in a plan's table, which has those of all presentations."""
        return {name: getattr(table, name) for name in self.parameters.model_fields}
