"""Explain why a cell of a table is empty, and what to do about it."""

from __future__ import annotations

from ...bench.analysis.curves import NO_CURVE, NO_OVERLAP, ONE_POINT
from ...bench.analysis.leaderboard import LOSSLESS, NO_ANCHOR_CURVE, NO_COMMON_PICTURE

_EXPLANATIONS = {
    NO_OVERLAP: "The codec's curve and the anchor's share no score: add settings to either of them.",
    LOSSLESS: "Every setting gave some picture back identical: there is no lossy curve to compare.",
    ONE_POINT: "A curve needs two settings; only one was run, or no other one is worth its bits.",
    NO_CURVE: "No lossy setting is left to draw a curve through.",
    NO_ANCHOR_CURVE: "The anchor finished fewer than half of the pictures.",
    NO_COMMON_PICTURE: "No picture was finished by all codecs that are compared.",
}


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
