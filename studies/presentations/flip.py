"""Show A and B in turn in one place, flipped by the rater."""

from __future__ import annotations

from .presentation import Presentation, VoteRecord


class FlipRecord(VoteRecord):
    """A vote says how often the rater flipped."""

    toggles: int
    """How often the picture changed from A to B or back."""


FLIP = Presentation(
    name="flip",
    summary="one place, A and B in turn, the original while a key is held",
    vote_record=FlipRecord,
    own_texts=("flip", "keys_flip", "look_at_both"),
)
