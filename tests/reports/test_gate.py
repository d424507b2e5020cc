"""How long the organiser's door stays closed after wrong tries, and what a password's hash is."""

from __future__ import annotations

import pytest

from codecarena.reports.server.sign_in import (
    LONGEST_PAUSE_SECONDS,
    SHORTEST,
    VISIT_SECONDS,
    Gate,
    SignInError,
    hash_password,
)


def test_the_pause_after_wrong_tries_doubles_up_to_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "codecarena.reports.server.sign_in.matches", lambda password, stored: password == stored
    )
    seconds = [100.0]
    gate = Gate(lambda: seconds[0])
    assert [gate.enter("wrong", "right") for _ in range(3)] == [False] * 3
    pauses: list[bool | float] = []
    for _ in range(7):
        assert gate.enter("wrong", "right") is False
        pauses.append(gate.enter("right", "right"))
        seconds[0] += float(pauses[-1])
    assert pauses == [2, 4, 8, 16, 32, LONGEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS]
    assert LONGEST_PAUSE_SECONDS == 60
    assert gate.enter("right", "right") is True
    # Who got in begins anew.
    assert [gate.enter("wrong", "right") for _ in range(4)] == [False] * 4
    assert gate.enter("right", "right") == 2.0
    seconds[0] += 1.5
    assert gate.enter("right", "right") == 0.5


def test_a_visit_ends_by_itself_with_its_password_or_by_signing_out() -> None:
    seconds = [100.0]
    gate = Gate(lambda: seconds[0])
    first, second = gate.begin_visit("right"), gate.begin_visit("right")
    assert first != second
    assert gate.is_visiting(first, "right")
    assert not gate.is_visiting(first, "changed")
    assert not gate.is_visiting("", "")
    gate.end_visit(first)
    assert [gate.is_visiting(token, "right") for token in (first, second)] == [False, True]
    seconds[0] += VISIT_SECONDS - 1
    assert gate.is_visiting(second, "right")
    seconds[0] += 1
    assert not gate.is_visiting(second, "right")
    assert VISIT_SECONDS == 12 * 3600


def test_a_password_has_ten_characters_and_a_hash_that_names_what_made_it() -> None:
    assert SHORTEST == 10
    with pytest.raises(SignInError, match="expected 10 or more"):
        hash_password(9 * "p")
    name, cost, block, parallel, salt, hashed = hash_password(10 * "p").split(":")
    assert (name, cost, block, parallel) == ("scrypt", "32768", "8", "1")
    assert len(salt) == 24  # 16 bytes
    assert len(hashed) == 88  # 64 bytes
