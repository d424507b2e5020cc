"""Turn an address into one of the dashboard's pages."""

from __future__ import annotations

import streamlit as st

from . import leaderboard, look, natural, people, rates, runs, speed, studies
from .frame import WEB

PAGES = (
    ("Leaderboard", "leaderboard", ":material/leaderboard:", leaderboard.main),
    ("Rate-distortion", "rates", ":material/show_chart:", rates.main),
    ("Look", "look", ":material/compare:", look.main),
    ("Speed and cost", "speed", ":material/speed:", speed.main),
    ("Natural against AI", "natural", ":material/auto_awesome:", natural.main),
    ("Metrics against people", "people", ":material/groups:", people.main),
    ("Runs", "runs", ":material/history:", runs.main),
    ("Studies", "studies", ":material/how_to_vote:", studies.main),
)
"""Title, path in the address, icon and what draws it."""


def main() -> None:
    """Draw the navigation and the page that the address names."""
    st.set_page_config(page_title="codecarena", page_icon=str(WEB / "icon.svg"), layout="wide")
    pages = [
        st.Page(draw, title=title, icon=icon, url_path=path, default=path == "leaderboard")
        for title, path, icon, draw in PAGES
    ]
    chosen = st.navigation(pages, position="top")
    st.session_state["pages"] = {path: one for (_, path, _, _), one in zip(PAGES, pages, strict=True)}
    st.session_state["page"] = chosen.title
    chosen.run()
