"""Compare a picture's generator with the one in a decoder: the same weights, the same family, or neither."""

from __future__ import annotations

import re
from typing import Literal

Affinity = Literal["none", "same generator family", "same weights"]

LEVELS: tuple[Affinity, ...] = ("none", "same generator family", "same weights")
_STABLE_DIFFUSION = re.compile(r"stable-diffusion|^sd(-|xl|\d|$)")


def affinity(picture_generator: str | None, codec_generator: str | None) -> Affinity:
    """Return how near a picture's generator is to the one whose weights a decoder holds.

    Generators are known by their names; a hub id and its plain name are the same. ``same weights`` needs
    equal names, one of them a hub id or with a version in it; others tell the family only.

    >>> affinity("CompVis/stable-diffusion-v1-4", "Stable Diffusion 1.4")
    'same weights'
    >>> affinity("SDXL Turbo", "CompVis/stable-diffusion-v1-4")
    'same generator family'
    >>> affinity("FLUX.1-dev", "CompVis/stable-diffusion-v1-4")
    'none'
    """
    if not picture_generator or not codec_generator:
        return "none"
    names = _plain(picture_generator), _plain(codec_generator)
    on_hub = "/" in picture_generator + codec_generator
    if names[0] == names[1] and (on_hub or re.search(r"\d(?!-x\b)", names[0])):
        return "same weights"
    return "same generator family" if _family(names[0]) == _family(names[1]) else "none"


def nearer(first: Affinity, second: Affinity) -> Affinity:
    """Return the nearer of two affinities."""
    return LEVELS[max(LEVELS.index(first), LEVELS.index(second))]


def is_toy(generator: str | None) -> bool:
    """Whether pictures of this generator only show that a path works: its name says *toy*."""
    return "toy" in _plain(generator or "").split("-")


def _plain(generator: str) -> str:
    """Return a name without its owner, in lower case, with dashes between words and versions without a v."""
    words = re.sub(r"[^a-z0-9]+", "-", re.sub(r"^[\w.-]+/", "", generator.strip().lower())).strip("-")
    return re.sub(r"\bv(?=\d)", "", words)


def _family(name: str) -> str:
    if _STABLE_DIFFUSION.search(name):
        return "stable-diffusion"
    return re.split(r"[-\d]", name, maxsplit=1)[0] or name
