"""Show the two versions next to each other without the original."""

from __future__ import annotations

from .presentation import Presentation

NO_REFERENCE = Presentation(
    name="no-reference", summary="the two versions next to each other, no original", shows_original=False
)
