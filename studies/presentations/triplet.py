"""Show the original between the two versions, for raters who compare each with the middle."""

from __future__ import annotations

from .presentation import Presentation

TRIPLET = Presentation(
    name="triplet",
    summary="the original in the middle, as in JPEG AIC's triplets: which side is nearer, or differs more",
    compares_differences=True,
)
