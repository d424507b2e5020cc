"""Find the dashboard page of an address."""

from __future__ import annotations

from functools import partial

import streamlit as st

from ..server.server import Services
from . import leaderboard, look, natural, people, rates, runs, speed, studies
from .frame import WEB


def main(services: Services) -> None:
    """Draw the navigation and the page that the address names.

    Args:
        services: What pages may ask of the benchmark.
    """
    st.set_page_config(page_icon=str(WEB / "icon.svg"), layout="wide")
    drawn = (
        # Title, path in the address, icon and what draws it.
        ("Leaderboard", "leaderboard", ":material/leaderboard:", leaderboard.main),
        ("Rate-distortion", "rates", ":material/show_chart:", rates.main),
        ("Look", "look", ":material/compare:", look.main),
        ("Speed and cost", "speed", ":material/speed:", speed.main),
        ("Natural against AI", "natural", ":material/auto_awesome:", natural.main),
        ("Metrics against people", "people", ":material/groups:", people.main),
        ("Runs", "runs", ":material/history:", runs.main),
        ("Studies", "studies", ":material/how_to_vote:", partial(studies.main, services.bench)),
    )
    pages = {
        path: st.Page(draw, title=title, icon=icon, url_path=path, default=path == "leaderboard")
        for title, path, icon, draw in drawn
    }
    chosen = st.navigation(list(pages.values()), position="top")
    st.session_state["pages"] = pages
    st.session_state["page"] = chosen.title
    st.session_state["path"] = chosen.url_path
    chosen.run()
