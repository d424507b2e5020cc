"""Pickers whose choice is in the page's address, so that a link shows what its sender saw."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from ...bench.analysis.coverage import AnalysisError
from ..tables.published_table import PUBLISHED
from .address import current

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from ...bench.records.rows import MetricRow
    from ..tables.selection import Selection, StoredColumns
    from .frame import Frame

KINDS = {
    "all": "All",
    "natural": "Natural",
    "ai-generated": "AI-generated",
    "composite": "Composite",
    "drawn": "Drawn",
    "unknown": "Unknown",
}

Option = TypeVar("Option")


def choose(
    place: DeltaGenerator,
    label: str,
    name: str,
    options: Sequence[Option],
    default: Option | None = None,
    *,
    write: Callable[[Option], str] = str,
    show: Callable[[Option], str] | None = None,
    segmented: bool = False,
    help_text: str | None = None,
) -> Option:
    """Draw a picker whose choice is in the page's address, and return the choice.

    The address decides when the page is opened or the browser goes back; after that the picker. Pages that
    ask by the same name begin with what was chosen on the last one. What the address asks for and is not
    among the options is said on the page.

    Args:
        place: Where.
        label: Beside it.
        name: In the address.
        options: At least one.
        default: Where nothing was chosen; the first if absent.
        write: Returns the text of an option in the address.
        show: Returns the text of an option on the page.
        segmented: Whether all options are shown side by side, not in a list.
        help_text: Behind the question mark.
    """
    known = {write(option): option for option in options}
    named = {text: (show or str)(option) for text, option in known.items()}
    usual = write(options[0] if default is None or default not in options else default)
    key = settle(label, name, named, usual)
    texts = list(known)
    before = st.session_state[key]
    if segmented:
        picked = place.segmented_control(
            label, texts, key=key, required=True, format_func=named.__getitem__, help=help_text
        )
    else:
        picked = place.selectbox(label, texts, key=key, format_func=named.__getitem__, help=help_text)
    # A widget may give nothing back while the page is drawn again and again.
    text = picked if picked in known else before
    remember(name, [text])
    return known[text]


def settle(label: str, name: str, named: Mapping[str, str], usual: str) -> str:
    """Set a picker's value where the address or nobody has said it yet; return the widget's key.

    Args:
        label: Of the picker.
        name: Of the picker, in the address.
        named: What each option is called on the page, by how the address writes it.
        usual: How the address writes the option that is chosen where nobody has chosen.
    """
    key = f"{name} of {st.session_state.get('page', '')}"
    asked = current().take(name)
    before = current().chosen.get(name, [""])
    kept = st.session_state.get(f"kept {name}", [""])
    if asked is not None or st.session_state.get(key) not in named:
        chosen = next((text for text in (*(asked or ()), *before, *kept) if text in named), usual)
        st.session_state[key] = chosen
        tell(label, name, [text for text in asked or () if text not in named], named[chosen])
    return key


def tell(label: str, name: str, unknown: Sequence[str], shown: str) -> None:
    """Have the page say that a link asks for what is not here.

    Args:
        label: Of the picker.
        name: Of the picker, in the address.
        unknown: What the link asks for; nothing is said where it is empty.
        shown: What is shown instead.
    """
    if unknown:
        listed = ", ".join(f"“{text}”" for text in unknown)
        current().unknown[name] = f"{label}: the link asks for {listed}, which is not here; shown is {shown}."


def choose_many(
    place: DeltaGenerator,
    label: str,
    name: str,
    options: Sequence[str],
    help_text: str | None = None,
    default: Sequence[str] = (),
) -> list[str]:
    """Draw a picker of any number of options whose choice is in the page's address; otherwise as `choose`.

    Args:
        place: Where on the page.
        label: Above the picker.
        name: In the address.
        options: In the order shown.
        help_text: Behind the question mark.
        default: Chosen where the address says nothing.
    """
    key = f"{name} of {st.session_state.get('page', '')}"
    asked = current().take(name)
    before = st.session_state.get(key)
    if asked is not None:
        before = [option for option in asked if option in options] or list(default)
        shown = ", ".join(before) or "none chosen"
        tell(label, name, [option for option in asked if option not in options], shown)
    elif before is None:
        before = current().chosen.get(name, list(default))
    st.session_state[key] = [option for option in before if option in options]
    picked = place.multiselect(label, options, key=key, help=help_text)
    remember(name, picked)
    return picked


def asked_for(name: str) -> list[str]:
    """Return what a picker that all pages share begins with: what its address says, or else the last page.

    Args:
        name: Of the picker, in the address.
    """
    page = current()
    if name in page.settled:
        return page.chosen.get(name, [])
    if name in page.asked or page.from_history:
        return page.asked.get(name, [])
    return [word for word in st.session_state.get(f"kept {name}", []) if word]


def choose_text(place: DeltaGenerator, label: str, name: str, help_text: str) -> str:
    """Draw a field of text that is in the page's address and goes along to other pages; empty for none.

    Args:
        place: Where on the page.
        label: Above the field.
        name: In the address.
        help_text: Behind the question mark.
    """
    key = f"{name} of {st.session_state.get('page', '')}"
    words = asked_for(name)
    if current().take(name) is not None or st.session_state.get(key) is None:
        st.session_state[key] = " ".join(words)
    text = str(place.text_input(label, key=key, help=help_text) or "").strip()
    remember(name, [text] * bool(text))
    return text


def choose_number(
    place: DeltaGenerator,
    label: str,
    name: str,
    default: float,
    *,
    low: float | None = None,
    high: float | None = None,
    step: float | None = None,
    help_text: str | None = None,
) -> float:
    """Draw a number that is in the page's address; ``default`` where it holds none within the limits.

    Args:
        place: Where on the page.
        label: Above the field.
        name: In the address.
        default: Where the address holds no number within the limits.
        low: Least allowed.
        high: Greatest allowed.
        step: Of its arrows.
        help_text: Behind the question mark.
    """
    key = f"{name} of {st.session_state.get('page', '')}"
    asked = current().take(name)
    before = current().chosen.get(name, [])
    if asked is not None or st.session_state.get(key) is None:
        numbers = [_number(text, low, high) for text in (*(asked or ()), *before)]
        number = next((number for number in numbers if number is not None), default)
        st.session_state[key] = number
        tell(label, name, [text for text in asked or () if _number(text, low, high) is None], f"{number:g}")
    number = place.number_input(label, low, high, key=key, step=step, help=help_text)
    remember(name, [f"{number:g}"])
    return number


def _number(text: str, low: float | None, high: float | None) -> float | None:
    """Return the number that a text holds, None where it holds none within the limits."""
    try:
        number = float(text)
    except ValueError:
        return None
    inside = math.isfinite(number) and (low is None or low <= number) and (high is None or number <= high)
    return number if inside else None


def remember(name: str, words: list[str]) -> None:
    """Note a choice for the address, and for the next page that asks for it.

    Args:
        name: Of the picker, in the address.
        words: The choice as the address writes it.
    """
    current().record(name, words)
    st.session_state[f"kept {name}"] = words or [""]


def pick_set(place: DeltaGenerator, frame: Frame) -> str:
    """Draw the picker of image sets."""
    return choose(place, "Image set", "set", frame.image_sets)


def pick_kind(place: DeltaGenerator, source: StoredColumns) -> str:
    """Draw the picker of kinds, where there are two."""
    if len(source.kinds) < 2:
        return "all"
    offered = [kind for kind in KINDS if kind == "all" or kind in source.kinds]
    return choose(place, "Pictures", "kind", offered, show=KINDS.__getitem__, segmented=True)


def pick_metric(place: DeltaGenerator, selection: Selection, metrics: Sequence[MetricRow]) -> MetricRow:
    """Draw the picker of metrics.

    Args:
        place: Where on the page.
        selection: Whose usual metric is the default.
        metrics: To choose from; the first where none is usual.
    """
    return choose(
        place,
        "Metric",
        "metric",
        list(metrics),
        write=lambda metric: _address(metric, metrics),
        show=selection.title,
    )


def _address(metric: MetricRow, metrics: Iterable[MetricRow]) -> str:
    """Return a metric's name, or its id where another one has the name too."""
    alone = sum(other.name == metric.name for other in metrics) == 1
    return metric.name if alone else metric.metric_id


def pick_anchor(place: DeltaGenerator, selection: Selection, published: Sequence[str] = ()) -> str:
    """Draw the picker of the codec that others are compared with.

    Args:
        place: Where on the page.
        selection: Whose codecs are offered.
        published: Published curves to offer as well, as `published_anchors` names them.
    """
    labels = [grid.codec.label for grid in selection.grids]
    if not labels:
        raise AnalysisError("no codec has a result here yet; failures are on the page Runs")
    names = {anchor: f"{anchor.removeprefix(PUBLISHED)} (published)" for anchor in published}
    help_text = "The codec that all others are compared with."
    if published:
        help_text += " Against a published curve there is no interval: no picture of it is known."
    return choose(
        place, "Anchor", "anchor", [*labels, *published], selection.usual_anchor, help_text=help_text,
        show=lambda anchor: names.get(anchor, anchor),
    )  # fmt: skip
