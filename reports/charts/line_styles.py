"""Choose how each codec is drawn in every chart: its colour, its marker, its dashes, its name in a legend."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from ...bench.analysis.curves import FloatArray, to_quality

COLOURS = (
    *("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#b58900", "#6b4c9a", "#4d4d4d"),
    *("#a70f3f", "#1618a5", "#9e6bfe", "#650557", "#056f15", "#ba30a2", "#6b1709", "#954d05"),
)
"""First Okabe and Ito's colour-blind safe set; its yellow and black, hard on white, made ochre, violet, grey.

Then those that lie furthest from all before them in OKLab, with a contrast of 3 and more on white.
"""
DARK: dict[str, str] = dict(
    zip(
        COLOURS,
        (
            *("#4ba3d9", "#f0883e", "#2fc79c", "#e0a3c2", "#8ccbf0", "#dcb544", "#ab91d6", "#b8bcc2"),
            *("#d42975", "#6960f1", "#bb50d2", "#fd61bc", "#728425", "#99688c", "#be5a09", "#ac8d58"),
        ),
        strict=True,
    )
)
"""The same colours on a dark ground."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ((1, 0), (4, 1.5), (1.2, 1.2), (6, 1.5, 1.2, 1.5))
LOOKS = len(MARKERS) * len(DASHES)
"""Lines of one colour that differ; for more, the colour itself is made lighter, then darker."""
SHADES = (0.0, 0.45, -0.4)
"""How far a colour is mixed with white (above 0) or black, by how many lines of it there are already."""

PUBLISHED = "#5f6670"
"""Colour of curves that were measured elsewhere."""

SIMILARITIES = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999)
"""Ticks of an axis on which similarities stand at equal steps of -10 log10(1 - x)."""

KNOWN = {
    "jpeg": (0, 0), "mozjpeg": (0, 1), "jpegli": (0, 2),
    "webp": (1, 0),
    "avif": (2, 0), "avif-svt": (2, 1), "avif-rav1e": (2, 2),
    "jpeg2000": (3, 0), "jpegxr": (3, 1),
    "jpegxl": (4, 0),
    "heic": (5, 0),
    "vvc": (6, 0),
    "png": (7, 0),
    "hfd": (8, 0), "zoo": (9, 0), "hyperprior": (10, 0), "latent": (11, 0), "layered": (12, 0),
    "illm": (13, 0),
}  # fmt: skip
"""Colour and turn of codecs that look the same in every store; relatives share a colour, strangers none."""

_RECIPE = re.compile(r"command\(.*\brecipe=([^,)]+?)(?:\.toml)?[,)]")
_MARK = re.compile(r"(?P<name>.*\S)(?P<mark> \([a-z]+\))")
"""A name with what is said of it, such as *toy* or *published*."""
_PARAMETERS = re.compile(r"(?P<name>[^( ]+)\((?P<parameters>.*)\)(?P<rest>[^()]*(?:\([^()]*\))?)")


@dataclass(frozen=True, slots=True)
class LineStyle:
    """How one codec is drawn, in every chart."""

    colour: str
    """On a light ground."""
    marker: str
    dashes: tuple[float, ...]
    dark: str = ""
    """Colour on a dark ground."""


def line_styles(labels: Iterable[str]) -> dict[str, LineStyle]:
    """Return how to draw each codec of a store; no two look alike.

    The colour belongs to the codec's name, or to its recipe's; labels that differ in parameters share it and
    differ in marker and dashes, beyond 28 of them in shade too. A codec that does not come with us takes a
    colour that no other codec of the store has, as long as there is one. Pass all labels of the store, not
    those of one view, so that a filter changes no colour.
    """
    distinct = sorted(set(labels))
    places = _places(sorted({_name(label) for label in distinct}))
    used: dict[int, list[tuple[int, int, int]]] = {}
    styles: dict[str, LineStyle] = {}
    # Plain names first: a codec without parameters must look the same whatever variants are beside it.
    for label in sorted(distinct, key=lambda label: (label != _name(label), label)):
        colour, turn = places[_name(label)]
        marker, dashes, shade = _free_look(used.setdefault(colour, []), turn)
        styles[label] = LineStyle(
            _shaded(COLOURS[colour], SHADES[shade]), MARKERS[marker], DASHES[dashes],
            _shaded(DARK[COLOURS[colour]], SHADES[shade]),
        )  # fmt: skip
    return {label: styles[label] for label in distinct}


def _places(names: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return the colour and the turn of every codec's name."""
    places = {name: KNOWN[name] for name in names if name in KNOWN}
    counts = [sum(colour == place for colour, _ in places.values()) for place in range(len(COLOURS))]
    kept = {colour for colour, _ in KNOWN.values()}
    for name in names:
        if name not in places:
            # Where all colours are taken, a turn of its own keeps it apart from the codecs of the same one.
            colour = min(range(len(COLOURS)), key=lambda place: (counts[place], place in kept, place))
            places[name] = colour, 3 * counts[colour]
            counts[colour] += 1
    return places


def _free_look(used: list[tuple[int, int, int]], turn: int) -> tuple[int, int, int]:
    """Return places of marker, dashes and shade that no other line of the colour has, and note them."""
    looks = [
        ((turn + 2 * variant) % len(MARKERS), (turn + variant) % len(DASHES), shade)
        for shade, variant in product(range(len(SHADES)), range(LOOKS))
    ]
    look = next((look for look in looks if look not in used), looks[len(used) % len(looks)])
    used.append(look)
    return look


def _shaded(colour: str, share: float) -> str:
    """Return a colour mixed with white, or with black where the share is negative."""
    ground = 255 if share > 0 else 0
    parts = [int(colour[start : start + 2], 16) for start in (1, 3, 5)]
    return "#" + "".join(f"{round(part + (ground - part) * abs(share)):02x}" for part in parts)


def _name(label: str) -> str:
    recipe = _RECIPE.match(label)
    return recipe[1] if recipe else label.split("(")[0].split(" ")[0]


def distinct_labels(labels: Iterable[str], longest: int) -> dict[str, str]:
    """Return a text for each label that fits a place and differs from all others.

    A long label loses first those parameters that all labels of its name share, then characters that say
    least of how it differs from the label most like it. One that nothing tells apart so stays whole.

    Args:
        labels: Of one legend.
        longest: Characters that a text may have.
    """
    wanted = list(dict.fromkeys(labels))
    long = [label for label in wanted if len(label) > longest]
    shorter = {label: _without_shared(label, wanted) for label in long}
    taken = [shorter.get(label, label) for label in wanted]
    texts = {
        label: _around_difference(
            taken[place], [*taken[:place], *taken[place + 1 :]], longest
        )
        for place, label in enumerate(wanted)
    }  # fmt: skip
    shown = list(texts.values())
    return {label: text if shown.count(text) == 1 else label for label, text in texts.items()}


def _without_shared(label: str, labels: Iterable[str]) -> str:
    parts = _PARAMETERS.fullmatch(label)
    if parts is None:
        return label
    parsed = [other for other in map(_PARAMETERS.fullmatch, labels) if other]
    relatives = [set(other["parameters"].split(", ")) for other in parsed if other["name"] == parts["name"]]
    if len(relatives) < 2:
        return label
    shared = set.intersection(*relatives)
    own = [parameter for parameter in parts["parameters"].split(", ") if parameter not in shared]
    left_out = len(own) < len(parts["parameters"].split(", "))
    return f"{parts['name']}({', '.join(['…'] * left_out + own)}){parts['rest']}"


def _around_difference(text: str, others: Sequence[str], longest: int) -> str:
    """Return a text's beginning, and what is around the place where it differs from the one most like it."""
    if len(text) <= longest:
        return text
    marked = _MARK.fullmatch(text)
    if marked and len(marked["mark"]) < longest // 2:
        return _around_difference(marked["name"], others, longest - len(marked["mark"])) + marked["mark"]
    starts = max((_common_start(text, other) for other in others), default=0)
    ends = max((_common_start(text[::-1], other[::-1]) for other in others), default=len(text))
    head = longest // 3
    room = longest - head - 1
    middle = (min(starts, len(text) - 1) + max(len(text) - ends, 0)) // 2
    start = max(head, min(middle - room // 2, len(text) - room))
    if start == head:
        return text[: longest - 1] + "…"
    rest = text[start : start + room]
    if start + room < len(text):
        rest = rest[:-1] + "…"
    return f"{text[:head]}…{rest}"


def _common_start(text: str, other: str) -> int:
    pairs = zip(text, other, strict=False)
    return next((place for place, (a, b) in enumerate(pairs) if a != b), min(len(text), len(other)))


def decibels_of(similarities: FloatArray) -> FloatArray:
    """Return where similarities stand on such an axis, in decibels; 1 itself just below its end."""
    return to_quality("decibel", "higher", np.minimum(similarities, 1 - 1e-9))
