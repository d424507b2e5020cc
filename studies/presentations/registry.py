"""All presentations, by the names that plans give them."""

from __future__ import annotations

from pydantic import create_model

from .flicker import FLICKER
from .flip import FLIP
from .no_reference import NO_REFERENCE
from .presentation import Presentation
from .side_by_side import SIDE_BY_SIDE
from .triplet import TRIPLET

PRESENTATIONS: tuple[Presentation, ...] = (
    FLIP,
    SIDE_BY_SIDE,
    TRIPLET,
    NO_REFERENCE,
    FLICKER,
)

PRESENTATION_NAMES = tuple(presentation.name for presentation in PRESENTATIONS)


def find_presentation(name: str) -> Presentation:
    """Return the presentation of a name.

    Raises:
        ValueError: There is none; the message names those that there are.
    """
    for presentation in PRESENTATIONS:
        if presentation.name == name:
            return presentation
    raise ValueError(f"expected one of {', '.join(PRESENTATION_NAMES)}")


# Tables are read before it is known which presentation they name, so a table takes the parameters of all.
AllParameters = create_model(
    "AllParameters",
    __base__=tuple(
        {
            presentation.parameters: None
            for presentation in PRESENTATIONS
            if presentation.parameters.model_fields
        }
    ),
)


def unused_parameters(chosen: Presentation, keys: set[str]) -> dict[str, str]:
    """Return the keys that are parameters of other presentations only, and one such presentation's name."""
    return {
        key: presentation.name
        for presentation in PRESENTATIONS
        for key in sorted(keys & set(presentation.parameters.model_fields))
        if key not in chosen.parameters.model_fields
    }
