"""Who gets in to the organiser's page, what the others are offered, and how a visit ends."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from drawn import Answered
from starlette.applications import Starlette
from starlette.testclient import TestClient

from codecarena.reports.server import visits
from codecarena.reports.server.sign_in import COOKIE, TICKET_SECONDS, Gate
from codecarena.reports.views import organiser


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Answered:
    drawn = Answered()
    drawn.context.cookies = {}
    monkeypatch.setattr(organiser, "st", drawn)
    monkeypatch.setattr(organiser, "_cookie", lambda **words: drawn.remember("cookie", (words["data"],), {}))
    return drawn


class User(dict[str, str]):
    """The visitor, as OpenID Connect knows them."""

    is_logged_in = False


@pytest.mark.parametrize(
    ("stored", "kept", "admitted", "email", "is_in"),
    [
        ("hash", "hash", set(), None, True),
        ("hash", "older", set(), None, False),
        ("hash", None, set(), None, False),
        ("", "", set(), None, False),
        ("", None, {"a@b.org"}, "A@b.org", True),
        ("hash", None, {"a@b.org"}, "c@b.org", False),
        ("", None, {"a@b.org"}, None, False),
        ("", None, set(), "a@b.org", False),
    ],
)
def test_who_is_signed_in(
    page: Answered, monkeypatch: pytest.MonkeyPatch, stored: str, kept: str | None, admitted: set[str],
    email: str | None, is_in: bool,
) -> None:  # fmt: skip
    user = User({} if email is None else {"email": email})
    user.is_logged_in = email is not None
    page.__dict__ |= {"user": user, "login": "log in", "logout": "log out"}
    monkeypatch.setattr(organiser, "password_hash", lambda: stored)
    monkeypatch.setattr(organiser, "admitted_addresses", lambda: admitted)
    if kept is not None:
        page.session_state[organiser.SESSION] = kept
    assert organiser.signed_in() is is_in
    assert len(page.of("markdown")) == (not is_in)
    offered = [] if is_in or not admitted else ["Sign in as somebody else" if email else "Sign in"]
    assert page.of("button") == offered
    assert len(page.of("error")) == (offered == ["Sign in as somebody else"])
    assert page.of("text_input") == ([] if is_in or not stored else ["Organiser's password"])
    assert len(page.of("info")) == (not is_in and not stored and not admitted)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (True, []), (False, ["This is not the password."]),
        (0.2, ["Too many wrong tries. Try again in 1 seconds."]),
        (3.5, ["Too many wrong tries. Try again in 4 seconds."]),
    ],
)  # fmt: skip
def test_what_a_password_leads_to(
    page: Answered, monkeypatch: pytest.MonkeyPatch, answer: bool | float, error: list[str]
) -> None:
    tried: list[Any] = []

    def enter(*words: str) -> bool | float:
        tried.append(words)
        return answer

    opened = SimpleNamespace(enter=enter, begin_visit=str.upper, ticket_for=str.lower)
    monkeypatch.setattr(organiser, "gate", lambda: opened)
    page.context.ip_address = "192.0.2.7"
    organiser._ask_password("hash")
    assert tried == []
    page.answers = {"Sign in": True, "Organiser's password": "secret"}
    organiser._ask_password("hash")
    assert tried == [("secret", "hash", "192.0.2.7")]
    assert page.of("error") == error
    assert (page.session_state, page.of("rerun")) == (
        ({organiser.SESSION: "hash", organiser.TOKEN: "HASH", organiser.TICKET: "hash"}, [()])
        if answer is True
        else ({}, [])
    )


def test_the_organiser_signs_out(page: Answered, monkeypatch: pytest.MonkeyPatch) -> None:
    page.__dict__["user"] = SimpleNamespace(is_logged_in=False)
    page.session_state[organiser.SESSION] = "hash"
    monkeypatch.setattr(organiser, "admitted_addresses", lambda: {"a@b.org"})
    place: Any = page
    organiser.sign_out(place)
    assert page.session_state == {organiser.SESSION: "hash"}
    page.answers = {"Sign out": True}
    organiser.sign_out(place)
    assert (page.session_state, page.of("rerun"), page.of("logout")) == ({}, [()], [])
    page.user.is_logged_in = True
    organiser.sign_out(place)
    assert page.of("logout") == [()]


def test_all_visitors_stand_before_one_gate() -> None:
    assert organiser.gate() is organiser.gate()  # or each new visit would begin with free tries


def test_a_page_that_is_loaded_again_stays_signed_in_until_the_organiser_signs_out(
    page: Answered, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    page.__dict__["user"] = SimpleNamespace(is_logged_in=False)
    monkeypatch.setattr(organiser, "gate", lambda: gate)
    monkeypatch.setattr(organiser, "password_hash", lambda: "hash")
    monkeypatch.setattr(organiser, "admitted_addresses", set)
    token = gate.begin_visit("hash")
    page.context.cookies = {COOKIE: token}
    assert organiser.signed_in()
    assert page.of("cookie") == []
    place: Any = page
    page.answers = {"Sign out": True}
    organiser.sign_out(place)
    page.answers = {}
    assert not organiser.signed_in()
    assert page.of("cookie") == [{"ticket": ""}]
    # Neither this browser nor another one gets in by the token of an ended visit, nor by any other.
    for kept in (token, "", "guessed"):
        page.session_state.clear()
        page.context.cookies = {COOKIE: kept}
        assert not organiser.signed_in()


def test_the_cookie_is_out_of_reach_of_scripts_and_a_ticket_for_it_works_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seconds = [0.0]
    gate = Gate(lambda: seconds[0])
    monkeypatch.setattr(visits, "gate", lambda: gate)
    token = gate.begin_visit("hash")
    ticket, late = gate.ticket_for(token), gate.ticket_for(token)

    def asked(body: str, scheme: str = "http") -> tuple[int, str]:
        with TestClient(Starlette(routes=[visits.visit_route()]), f"{scheme}://arena.example") as client:
            answer = client.post("/organiser/visit", content=body)
            return answer.status_code, answer.headers.get("set-cookie", "")

    assert asked(ticket) == (204, f"{COOKIE}={token}; HttpOnly; Path=/; SameSite=strict")
    for used in (ticket, "guessed", "x" * 300, token, "\u00e9"):
        assert asked(used) == (404, "")
    status, gone = asked("", "https")
    assert status == 204
    assert (f'{COOKIE}=""' in gone, "Max-Age=0" in gone, "HttpOnly" in gone, "Secure" in gone) == (True,) * 4
    assert asked(gate.ticket_for(token), "https")[1].endswith("; Secure")
    seconds[0] = TICKET_SECONDS
    assert asked(late) == (404, "")
