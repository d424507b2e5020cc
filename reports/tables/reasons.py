"""Explain why a cell of a table is empty, what to do about it, and which pictures a number leaves out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...bench.analysis.codec_grids import Comparison
from ...bench.analysis.curves import NO_CURVE, NO_OVERLAP, NO_SHARED_RATE, ONE_POINT
from ...bench.analysis.leaderboard import (
    LOSSLESS,
    NO_ANCHOR_CURVE,
    NO_COMMON_PICTURE,
    NOTHING_TO_MEASURE,
)
from ...counts import counted

_EXPLANATIONS = {
    NO_SHARED_RATE: "The codec's curve and the anchor's share no rate: add settings to either of them.",
    NO_OVERLAP: "The codec's curve and the anchor's share no score: add settings to either of them.",
    LOSSLESS: "Every setting gives pictures back identical: there is no lossy curve to compare.",
    ONE_POINT: "A curve needs two settings; only one was run, or no other one is worth its bits.",
    NO_CURVE: "No lossy setting is left to draw a curve through.",
    NOTHING_TO_MEASURE: "No picture holds what the metric measures, such as text or a face.",
    NO_ANCHOR_CURVE: "The anchor finished fewer than half of the pictures.",
    NO_COMMON_PICTURE: "No picture was finished by all codecs that are compared, and came back changed.",
}

MOST_NAMES = 5


def explain(reason: str | None) -> str:
    """Return what the reason of an empty cell means and what fills it; nothing for no reason."""
    if reason is None:
        return ""
    if reason.startswith("anchor: "):
        return f"The anchor: {explain(reason.removeprefix('anchor: '))}"
    if reason.endswith("pictures"):
        return f"Finished {reason}; codecs are compared once they have finished half of them."
    if reason.endswith("yet"):
        return "Not scored by this metric: codecarena score SUITE --metric NAME adds it."
    if " in " in reason:
        return f"Every attempt failed ({reason}); the page Runs shows what the codec said."
    return _EXPLANATIONS.get(reason, reason)


def picture_names(hashes: Iterable[str], names: Mapping[str, str]) -> str:
    """Return the names of pictures in their order, and how many more there are behind the first few.

    Args:
        hashes: Of the pictures' pixels.
        names: By hash.
    """
    sorted_names = sorted(names.get(sha256, sha256[:12]) for sha256 in hashes)
    more = len(sorted_names) - MOST_NAMES
    return ", ".join(sorted_names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def left_out_notes(
    left_out: Mapping[str, frozenset[str]], names: Mapping[str, str], of: int, what: str, whose: str
) -> list[str]:
    """Return which pictures the numbers of some codecs are without, codecs of the same ones together.

    Args:
        left_out: Hashes of pictures, by codec.
        names: Of pictures, by hash.
        of: How many pictures there are.
        what: What the numbers are.
        whose: The codecs that may have given a picture back identical.
    """
    codecs: dict[frozenset[str], list[str]] = {}
    for codec, pictures in left_out.items():
        if pictures:
            codecs.setdefault(pictures, []).append(codec)
    return [
        f"{what} of {', '.join(labels)}: over {of - len(pictures)} of {counted(of, 'picture')}, without "
        f"{picture_names(pictures, names)}: identical to the original at some setting of {whose}."
        for pictures, labels in codecs.items()
    ]


def curve_notes(comparison: Comparison, names: Mapping[str, str]) -> list[str]:
    """Return which of the common pictures are in no BD-rate with a codec, as its curve is without them."""
    labels = {codec.codec_id: codec.label for codec in comparison.codecs}
    left_out = {
        labels[codec_id]: comparison.common - curve.pictures
        for codec_id, curve in comparison.curves.items()
        if curve.points
    }
    return left_out_notes(left_out, names, len(comparison.common), "BD-rates", "the codec")


def shared_notes(comparison: Comparison, names: Mapping[str, str]) -> list[str]:
    """Return which pictures are in no mean of curves that are drawn together, and which codecs are not."""
    labels = {codec.codec_id: codec.label for codec in comparison.codecs}
    shared, common = comparison.shared, comparison.common
    missing = common - shared.pictures
    notes: list[str] = []
    if missing and shared.codec_ids:
        notes.append(
            f"Means over {len(shared.pictures)} of {counted(len(common), 'picture')}, without "
            f"{picture_names(missing, names)}: identical to the original at some setting of a codec."
        )
    for codec_id, curve in comparison.curves.items():
        if curve.points and codec_id not in shared.codec_ids:
            notes.append(
                f"Not among them: {labels[codec_id]}, which is lossy at all its settings on "
                f"{len(curve.pictures)} of {counted(len(common), 'picture')} only."
            )
        if not curve.points and curve.lossless_settings:
            notes.append(f"Not among them: {labels[codec_id]}, which is lossless.")
    return notes
