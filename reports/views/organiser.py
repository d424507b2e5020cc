"""Sign the organiser in, by a password whose hash is in the settings, or by OpenID Connect."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any, cast

import streamlit as st
from streamlit.components.v2 import component
from streamlit.delta_generator import DeltaGenerator

from ..server.sign_in import COOKIE, VARIABLE, gate
from .address import WEB

SESSION = "signed in as organiser"
TOKEN = "token of the organiser's visit"
TICKET = "ticket for the organiser's cookie"

_cookie = component("codecarena_organiser", js=(WEB / "organiser.js").read_text())


def signed_in() -> bool:
    """Return whether the visitor is signed in as organiser; draw the sign-in where not."""
    stored, admitted = password_hash(), admitted_addresses()
    if TOKEN not in st.session_state:
        token = str(st.context.cookies.get(COOKIE, ""))
        if token and gate().is_visiting(token, stored):
            st.session_state[SESSION], st.session_state[TOKEN] = stored, token
    if TICKET in st.session_state:
        # Drawn before anything else, so that it stands where a rerun finds it.
        _cookie(key=COOKIE, data={"ticket": st.session_state[TICKET]})
    if stored and st.session_state.get(SESSION) == stored:
        return True
    if admitted and st.user.is_logged_in and str(st.user.get("email", "")).lower() in admitted:
        return True
    _ask(stored, admitted)
    return False


def password_hash() -> str:
    """Return the hash of the organiser's password: the environment's, else that of Streamlit's secrets."""
    return os.environ.get(VARIABLE) or str(_secrets("organiser").get("password_hash", ""))


def admitted_addresses() -> set[str]:
    """Return the addresses that OpenID Connect may sign in; none where it is not set up."""
    listed = _secrets("organiser").get("emails", ())
    return {str(address).lower() for address in listed} if _secrets("auth") else set()


def _secrets(section: str) -> Mapping[str, Any]:  # Any: whatever secrets.toml holds
    try:
        return cast("Mapping[str, Any]", st.secrets.get(section, {}))
    except FileNotFoundError:
        return {}


def sign_out(place: DeltaGenerator) -> None:
    """Draw what ends the organiser's visit."""
    if place.button("Sign out", icon=":material/logout:"):
        st.session_state.pop(SESSION, None)
        if token := st.session_state.get(TOKEN):
            gate().end_visit(token)
            st.session_state[TOKEN] = st.session_state[TICKET] = ""
        if admitted_addresses() and st.user.is_logged_in:
            st.logout()
        st.rerun()


def _ask(stored: str, admitted: set[str]) -> None:
    st.markdown("This page is for the organiser of studies: it invites raters and reads their votes.")
    if admitted:
        _ask_provider()
    if stored:
        _ask_password(stored)
    if not stored and not admitted:
        st.info("No sign-in is set up, so nobody gets in. Serve with a password:")
        st.code(
            "codecarena organiser-password organiser.hash\n"
            "codecarena serve --organiser-password-file organiser.hash",
            language="bash",
        )


def _ask_provider() -> None:
    if st.user.is_logged_in:
        st.error("This address is not the organiser's.")
        st.button("Sign in as somebody else", on_click=st.logout)
    else:
        st.button("Sign in", type="primary", on_click=st.login)


def _ask_password(stored: str) -> None:
    with st.form("organiser", width=420):
        password = st.text_input("Organiser's password", type="password")
        st.caption("`codecarena serve` tells it in the terminal where nobody has set one.")
        if not st.form_submit_button("Sign in", type="primary"):
            return
    outcome = gate().enter(password, stored, st.context.ip_address or "")
    if outcome is True:
        st.session_state[SESSION] = stored
        token = gate().begin_visit(stored)
        st.session_state[TOKEN], st.session_state[TICKET] = token, gate().ticket_for(token)
        st.rerun()
    elif outcome is False:
        st.error("This is not the password.")
    else:
        st.error(f"Too many wrong tries. Try again in {math.ceil(outcome)} seconds.")
