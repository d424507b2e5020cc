"""Records of the parts of pictures that a study shows; the benchmark makes them and studies store them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Rule = Literal["whole", "centre", "detail"]


@dataclass(frozen=True, slots=True)
class Crop:
    """Which part of each picture to show."""

    rule: Rule
    """``detail``: where the luma of the original changes most from pixel to pixel."""
    width: int
    """In pixels; a smaller picture is shown whole in that direction."""
    height: int


@dataclass(frozen=True, slots=True)
class PicturePart:
    """A rectangle of a picture, and the hash of the original's pixels in it."""

    left: int
    top: int
    width: int
    height: int
    reference_sha256: str


@dataclass(frozen=True, slots=True)
class StimulusScores:
    """What one metric has of the stimuli of a study."""

    added: int
    stored: int
    """That were there before."""
    inapplicable: int
    """Of both, those on which the metric says nothing: they hold nothing that it measures."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was made ready to be shown."""

    parts: Mapping[str, PicturePart]
    """By the hash of the whole original."""
    shown: Mapping[str, str]
    """Hash of a whole decoded picture -> hash of its part; both are stored as blobs."""
    missing: Mapping[str, str]
    """Hash of a whole picture -> why it is not there."""
