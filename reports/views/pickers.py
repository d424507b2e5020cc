"""Pickers whose choice is in the page's address, so that a link shows what its sender saw."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from ...bench.analysis.coverage import AnalysisError

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from ...bench.records.rows import MetricRow
    from ..tables.selection import Selection, StoredColumns
    from .frame import Frame

KINDS = {"all": "All", "natural": "Natural", "ai-generated": "AI-generated"}

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
    ask by the same name begin with what was chosen on the last one.

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
    key = settle(
        name,
        {write(option): option for option in options},
        options[0] if default is None or default not in options else default,
        write,
    )
    texts = [write(option) for option in options]
    named = {write(option): (show or str)(option) for option in options}
    if segmented:
        picked = place.segmented_control(
            label, texts, key=key, required=True, format_func=named.__getitem__, help=help_text
        )
    else:
        picked = place.selectbox(label, texts, key=key, format_func=named.__getitem__, help=help_text)
    text = picked or texts[0]
    remember(name, [text])
    return options[texts.index(text)]


def settle(name: str, known: dict[str, Option], default: Option, write: Callable[[Option], str] = str) -> str:
    """Set a picker's value from the address where it says something new; return the widget's key.

    Args:
        name: Of the picker, in the address.
        known: Options by how the address writes them.
        default: Where the address says nothing.
        write: How the address writes an option.
    """
    key = f"{name} of {st.session_state.get('page', '')}"
    asked = st.query_params.get(name)
    kept = st.session_state.get(f"kept {name}", [""])[0]
    if st.session_state.get(key) not in known or asked != st.session_state.get(f"written {name}"):
        chosen = next(
            (text for text in (asked, st.session_state.get(key), kept) if text in known), write(default)
        )
        st.session_state[key] = chosen
    return key


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
    asked = st.query_params.get_all(name)
    written = st.session_state.get(f"written {name}")
    if key not in st.session_state or (asked or None) != written:
        st.session_state[key] = [option for option in asked if option in options] or list(default)
    else:
        st.session_state[key] = [option for option in st.session_state[key] if option in options]
    picked = place.multiselect(label, options, key=key, help=help_text)
    remember(name, picked, many=True)
    return picked


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
    asked = st.query_params.get(name)
    if key not in st.session_state or asked != st.session_state.get(f"written {name}"):
        st.session_state[key] = _number(asked, default, low, high)
    number = place.number_input(label, low, high, key=key, step=step, help=help_text)
    remember(name, [f"{number:g}"])
    return number


def _number(text: str | None, default: float, low: float | None, high: float | None) -> float:
    try:
        number = float(text or "")
    except ValueError:
        return default
    inside = (low is None or low <= number) and (high is None or number <= high)
    return number if inside else default


def remember(name: str, texts: list[str], *, many: bool = False) -> None:
    """Write a choice into the address, and keep it for the next page that asks for it.

    Args:
        name: Of the picker, in the address.
        texts: The choice as the address writes it.
        many: Whether the address repeats the name for each.
    """
    value = texts if many else texts[0]
    if (st.query_params.get_all(name) if many else st.query_params.get(name)) != value:
        if value:
            st.query_params[name] = value
        elif name in st.query_params:
            del st.query_params[name]
    st.session_state[f"written {name}"] = value or None
    st.session_state[f"kept {name}"] = texts or [""]


def pick_set(place: DeltaGenerator, frame: Frame) -> str:
    """Draw the picker of image sets."""
    return choose(place, "Image set", "set", frame.image_sets)


def pick_kind(place: DeltaGenerator, source: StoredColumns) -> str:
    """Draw the picker of kinds, where there are two."""
    if len(source.kinds) < 2:
        return "all"
    return choose(place, "Pictures", "kind", list(KINDS), show=KINDS.__getitem__, segmented=True)


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


def pick_anchor(place: DeltaGenerator, selection: Selection) -> str:
    """Draw the picker of the codec that others are compared with."""
    labels = [grid.codec.label for grid in selection.grids]
    if not labels:
        raise AnalysisError("no codec has a result here yet; failures are on the page Runs")
    return choose(
        place, "Anchor", "anchor", labels, selection.usual_anchor,
        help_text="The codec that all others are compared with.",
    )  # fmt: skip
