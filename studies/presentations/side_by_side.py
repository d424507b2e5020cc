"""Show the original between the two versions."""

from __future__ import annotations

from .presentation import Presentation

SIDE_BY_SIDE = Presentation(
    name="side-by-side", summary="the original in the middle, one version on each side"
)
