"""The page's address: what it asks for when a page is opened, and how it follows what is chosen afterwards.

A page is one entry of the browser's history, and so is every change that somebody makes on it; what a page
chooses by itself completes the entry that is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import streamlit as st
from streamlit.components.v2 import component
from streamlit.runtime.scriptrunner import get_script_run_ctx

WEB = Path(__file__).parent.parent / "web"
NAMES = frozenset(
    {
        "anchor", "axis", "band", "bpp", "codec", "cost", "do", "every", "family", "hide", "kind", "map",
        "match", "metric", "name", "of", "order", "picture", "published", "run", "set", "study", "view",
    }
)  # fmt: skip
"""What an address may say; beside it the order of a table, its columns, and a score by its metric's name."""
SORT = "-sort"
WITHOUT = "-without"
SCORE = "score-"

_address = component("codecarena_address", js=(WEB / "address.js").read_text())


class Address:
    """What the address of one page says, from its opening to the next one."""

    def __init__(
        self,
        page: str = "",
        opening: int = 0,
        asked: Mapping[str, list[str]] | None = None,
        from_history: bool = False,
    ) -> None:
        self.page = page
        self.from_history = from_history
        """Whether the browser went back to it: then it says all that was chosen."""
        self.opening = opening
        """Counts how often a page was opened: components follow the address where it is another one."""
        self.asked = dict(asked or {})
        """As the page was opened, or as the browser went back to it."""
        self.settled: set[str] = set()
        """Names that have been taken from `asked`: from then on the picker decides."""
        self.query = dict(self.asked)
        """As it was written last."""
        self.chosen: dict[str, list[str]] = {}
        """By what has been drawn since the page was opened; empty where nothing is chosen."""
        self.is_new_entry = False
        """Whether somebody has changed a choice since it was written."""
        self.unknown: dict[str, str] = {}
        """What was asked for and is not here, in words."""

    def take(self, name: str) -> list[str] | None:
        """Return what is asked for by a name, once after the page was opened; None afterwards."""
        if name in self.settled:
            return None
        self.settled.add(name)
        return self.asked.get(name, [])

    def record(self, name: str, words: list[str], *, makes_entry: bool = True) -> None:
        """Note a choice.

        Args:
            name: Of the picker, in the address.
            words: The choice as the address writes it; empty for none.
            makes_entry: Whether another choice is a step that the browser goes back.
        """
        if self.chosen.get(name, words) != words:
            self.is_new_entry |= makes_entry
            self.unknown.pop(name, None)
        self.chosen[name] = words


def current() -> Address:
    """Return the address of the page that is being drawn."""
    return st.session_state.setdefault("address", Address())


def begin() -> None:
    """Read the address, where the page has just been opened or the browser went back to it."""
    page = st.session_state.get("page", "")
    went_back = _went_back()
    if current().page == page and not went_back:
        return
    asked = {name: st.query_params.get_all(name) for name in st.query_params}
    st.session_state["address"] = Address(page, current().opening + 1, asked, went_back)


def _went_back() -> bool:
    context = get_script_run_ctx(suppress_warning=True)
    return context is not None and context.is_history_navigation


def newly_reported(key: str, name: str) -> str:
    """Return what a component of a page has reported since it was asked last; empty where nothing.

    Args:
        key: Of the component.
        name: Of what it reports.
    """
    # Any: what a component gives back has attributes of its own making.
    state: Any = st.session_state.get(key)
    word = str((state and state.get(name)) or "")
    before = st.session_state.get(f"reported by {key}", "")
    st.session_state[f"reported by {key}"] = word
    return word if word != before else ""


def write() -> None:
    """Write what is chosen into the address: as an entry of its own where somebody changed a choice."""
    address = current()
    for name in set(address.asked) - address.settled:
        if name not in NAMES and not name.endswith((SORT, WITHOUT)) and not name.startswith(SCORE):
            address.unknown[name] = f"The link says {name}, which no page asks for; it is left out."
            address.query.pop(name, None)
    query = {name: words for name, words in {**address.query, **address.chosen}.items() if words}
    seen = {name: st.query_params.get_all(name) for name in st.query_params}
    # In this order: where the browser shows the new entry already, it is not completed a second time.
    if address.is_new_entry and query != address.query:
        st.query_params.from_dict(query)
    instead = [_text(address.query), _text(address.asked), _text(seen)]
    _address(
        key="address in the browser",
        data={"query": _text(query), "instead": instead, "path": st.session_state.get("path", "")},
    )
    address.query, address.is_new_entry = query, False


def _text(query: dict[str, list[str]]) -> str:
    return urlencode(query, doseq=True)
