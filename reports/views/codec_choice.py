"""Choose the codecs that the pages are about: one choice for all pages that compare codecs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from ...bench.analysis.coverage import AnalysisError
from . import pickers
from .address import current

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from ..tables.selection import StoredColumns

NAMES = ("family", "name", "hide")
"""What the address calls the three pickers."""


def pick_codecs(place: DeltaGenerator, source: StoredColumns) -> frozenset[str]:
    """Draw the pickers of codecs, behind one button, and return the ids of the codecs that are left out.

    Raises:
        AnalysisError: They leave out every codec that has a result.
    """
    labels = {codec.label for codec in source.columns.codecs} | {failure.codec for failure in source.failures}
    behind = place.popover("Filter codecs", icon=":material/filter_alt:", width="stretch")
    families = pickers.choose_many(
        behind, "Families", "family", source.families, "Of these alone; of all where none.",
        pickers.asked_for("family"),
    )  # fmt: skip
    text = pickers.choose_text(
        behind, "Name or parameter contains", "name", "Every word must be in it: webp, or vvc preset=slow."
    )
    hidden_before = pickers.asked_for("hide")
    hidden = pickers.choose_many(
        # A codec that this set lacks stays hidden: the next page may be of another one.
        behind, "Hide", "hide", sorted({*labels, *hidden_before}),
        "In no table, chart, mean or test of any page.", hidden_before,
    )  # fmt: skip
    left_out = codecs_left_out(source, families, text, hidden)
    if source.columns.codecs and left_out.issuperset(codec.codec_id for codec in source.columns.codecs):
        raise AnalysisError("the choice behind the button “Filter codecs” leaves out every codec of this set")
    return left_out


def look_link(image_set: str, codecs: Sequence[str], picture: str = "") -> str:
    """Return the address of the page Look for some codecs; it leaves out the same ones as this page.

    Args:
        image_set: Of the pictures.
        codecs: Labels; the pictures on which the first two differ most come first.
        picture: What it shows; the first one where it is empty.
    """
    query = {"set": image_set, "codec": list(dict.fromkeys(codecs)), "order": "gap"}
    if picture:
        query["picture"] = picture
    query |= {name: words for name in NAMES if (words := current().chosen.get(name, []))}
    return f"look?{urlencode(query, doseq=True)}"


def codecs_left_out(
    source: StoredColumns, families: Collection[str], text: str, hidden: Collection[str]
) -> frozenset[str]:
    """Return the ids of the codecs that a choice leaves out.

    Args:
        source: With measured codecs and such as only failed; the family of the latter is not known.
        families: Of the codecs to keep; all where empty.
        text: Words that are in the label of every codec to keep, in capitals or not.
        hidden: Labels.
    """
    words = text.casefold().split()
    known = {failure.codec_id: (failure.codec, "") for failure in source.failures}
    known |= {codec.codec_id: (codec.label, codec.family) for codec in source.columns.codecs}
    return frozenset(
        codec_id
        for codec_id, (label, family) in known.items()
        if label in hidden
        or (families and family and family not in families)
        or not all(word in label.casefold() for word in words)
    )
