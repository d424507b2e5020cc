"""Alternate each version with the original in its place: what differs flickers."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from .presentation import Parameters, Presentation, VoteRecord


class FlickerParameters(Parameters):
    """A plan says how fast."""

    flicker_hz: Literal[8, 10] = 8
    """How often a second each version appears."""


class FlickerRate(BaseModel):
    """How often a second each version appeared."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    requested: float
    """By the plan."""
    achieved: float
    """By the count of changes over the response time; 0 where the device asks for reduced motion."""


class FlickerRecord(VoteRecord):
    """A vote says how fast the pictures really alternated."""

    flicker_hz: FlickerRate


FLICKER = Presentation(
    name="flicker",
    summary="two places, in each a version in turn with the original; off unless asked for: photosensitivity",
    parameters=FlickerParameters,
    vote_record=FlickerRecord,
    needs_consent=True,
    own_texts=("flicker_still", "flicker_still_title", "flicker_still_text"),
)
