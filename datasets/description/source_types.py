"""Say which kind of picture IPTC's terms for digital sources mean, however they are written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

from ..manifest import Kind

KINDS: dict[str, Kind] = {
    "digitalcapture": "natural",
    "computationalcapture": "natural",
    "compositecapture": "natural",
    "negativefilm": "natural",
    "positivefilm": "natural",
    "print": "natural",
    "minorhumanedits": "natural",
    "humanedits": "natural",
    "algorithmicallyenhanced": "natural",
    "trainedalgorithmicmedia": "ai-generated",
    "compositewithtrainedalgorithmicmedia": "composite",
    "compositesynthetic": "composite",
    "composite": "composite",
    "algorithmicmedia": "drawn",
    "datadrivenmedia": "drawn",
    "digitalart": "drawn",
    "digitalcreation": "drawn",
    "softwareimage": "drawn",
    "virtualrecording": "drawn",
    "screencapture": "unknown",
}
"""By the term in lower case.

Source: IPTC NewsCodes, https://cv.iptc.org/newscodes/digitalsourcetype/, retired terms included. A screen
shows anything, so its capture says nothing of the picture's origin.
"""

Marked: TypeAlias = Kind | Literal[None]


def kind_of_source(term: str) -> Marked:
    """Return the kind of picture that a digital source type means; None where the term is not known.

    Args:
        term: As an address (``http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture``), a QCode
            (``digsrctype:digitalCapture``) or the plain term.
    """
    return KINDS.get(term.strip().rstrip("/").replace(":", "/").rpartition("/")[2].lower())


def combined(kinds: Iterable[Marked]) -> Marked:
    """Return the kind that several marks of one file mean; None where there is no mark.

    A generated picture that is called composite elsewhere is composite: image-to-image is marked as made by a
    trained model too. Marks that contradict each other otherwise leave the kind unknown.
    """
    different: set[Kind] = {kind for kind in kinds if kind is not None}
    if len(different) > 1:
        different.discard("unknown")
    if len(different) <= 1:
        return next(iter(different), None)
    return "composite" if different == {"ai-generated", "composite"} else "unknown"
