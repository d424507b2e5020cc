"""Say which pictures are natural, which AI-generated, and which of those a decoder's own generator made."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from .codec_grids import Comparison
from .coverage import AnalysisError

Affinity = Literal["none", "same generator family", "same weights"]

LEVELS: tuple[Affinity, ...] = ("none", "same generator family", "same weights")
_STABLE_DIFFUSION = re.compile(r"stable-diffusion|^sd(-|xl|\d|$)")


class Origin(Protocol):
    """Who made a picture, and whose weights a codec that decoded it holds."""

    @property
    def picture_sha256(self) -> str: ...  # noqa: D102
    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def codec_id(self) -> str: ...  # noqa: D102
    @property
    def picture_generator(self) -> str | None: ...  # noqa: D102
    @property
    def codec_generator(self) -> str | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class KindPictures:
    """The common pictures of a comparison, by kind."""

    natural: frozenset[str]
    unrelated: frozenset[str]
    """AI-generated, fit for a test."""
    related: Mapping[tuple[str, Affinity], frozenset[str]]
    """By codec id and affinity, not none: AI-generated pictures."""
    generated: frozenset[str]
    toy: frozenset[str]
    others: Mapping[str, int]
    """By kind, how many are neither natural nor AI-generated."""


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


def pictures_by_kind(cells: Iterable[Origin], comparison: Comparison, anchor_id: str) -> KindPictures:
    """Return the common pictures of a comparison, by kind and by affinity to its codecs.

    Args:
        cells: Who made each picture and who decodes it, for every codec and picture at least once.
        comparison: Of any number of image sets.
        anchor_id: Codec to which a picture's affinity counts for every other codec as well.

    Raises:
        AnalysisError: A picture is of one known kind in one image set and of another in another.
    """
    kinds: dict[str, set[str]] = defaultdict(set)
    near: dict[tuple[str, str], Affinity] = {}
    toy: set[str] = set()
    for cell in cells:
        if cell.picture_sha256 not in comparison.common:
            continue
        kinds[cell.picture_sha256].add(cell.kind)
        if cell.kind == "ai-generated" and cell.codec_id in comparison.curves:
            near[cell.codec_id, cell.picture_sha256] = affinity(cell.picture_generator, cell.codec_generator)
            if is_toy(cell.picture_generator):
                toy.add(cell.picture_sha256)
    kind_of = {picture: _one_kind(picture, of_sets) for picture, of_sets in kinds.items()}
    natural, generated = (
        frozenset(picture for picture, own in kind_of.items() if own == kind)
        for kind in ("natural", "ai-generated")
    )
    others = Counter(own for own in kind_of.values() if own not in ("natural", "ai-generated"))
    related: dict[tuple[str, Affinity], set[str]] = defaultdict(set)
    for (codec_id, picture), own_affinity in near.items():
        level = (
            nearer(own_affinity, near[anchor_id, picture]) if anchor_id in comparison.curves else own_affinity
        )
        if level != "none" and codec_id != anchor_id:
            related[codec_id, level].add(picture)
    unrelated = generated - toy - frozenset[str]().union(*related.values())
    frozen = {key: frozenset(hashes) for key, hashes in related.items()}
    return KindPictures(natural, unrelated, frozen, generated, frozenset(toy), dict(sorted(others.items())))


def _one_kind(picture: str, of_sets: set[str]) -> str:
    """Return a picture's kind; that of a set which knows it, where another one does not."""
    known = sorted(of_sets - {"unknown"}, reverse=True)
    if len(known) > 1:
        titles = [kind.replace("ai-", "AI-") for kind in known]
        raise AnalysisError(
            f"picture {picture[:12]} is {titles[0]} in one image set and {titles[1]} in another"
        )
    return known[0] if known else "unknown"


def _plain(generator: str) -> str:
    """Return a name without its owner, in lower case, with dashes between words and versions without a v."""
    words = re.sub(r"[^a-z0-9]+", "-", re.sub(r"^[\w.-]+/", "", generator.strip().lower())).strip("-")
    return re.sub(r"\bv(?=\d)", "", words)


def _family(name: str) -> str:
    if _STABLE_DIFFUSION.search(name):
        return "stable-diffusion"
    return re.split(r"[-\d]", name, maxsplit=1)[0] or name
