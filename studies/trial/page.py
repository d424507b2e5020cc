"""Host the rater's pages in a Streamlit page: one component, nothing of Streamlit in sight."""

from __future__ import annotations

import streamlit as st
from streamlit.components.v2 import component

RATER_PARAMETERS = frozenset({"invite", "PROLIFIC_PID", "withdraw"})
"""A query parameter of these means that a rater came."""

# The modules come from our own routes: they import each other by their names, as written.
LOADER = """
export default function () {
  import(new URL("study/web/main.js", document.baseURI).href).then((study) => study.mount());
}
"""
# Menu, toolbar and Streamlit's own word on a lost connection: the rater's pages say that themselves.
BARE = """
<style>
[data-testid="stHeader"], [data-testid="stToolbar"], [data-testid="stStatusWidget"],
[data-testid="stSidebar"], [data-testid="stDialog"], [data-baseweb="modal"], footer {
  display: none !important;
}
</style>
"""

_trial = component("codecarena_trial", js=LOADER)


def is_for_raters() -> bool:
    """Whether the address is one that raters are given."""
    return bool(RATER_PARAMETERS & set(st.query_params))


def main() -> None:
    """Draw the page."""
    st.set_page_config(page_title="Study", layout="wide", initial_sidebar_state="collapsed")
    st.html(BARE)
    _trial(key="trial", height=1)
