"""How long the organiser's door stays closed after wrong tries, and what a password's hash is."""

from __future__ import annotations

import threading

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


def test_a_stranger_who_keeps_trying_keeps_nobody_else_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "codecarena.reports.server.sign_in.matches", lambda password, stored: password == stored
    )
    seconds = [0.0]
    gate = Gate(lambda: seconds[0])
    counted = 0
    for _ in range(720):
        seconds[0] += 1
        for address in ("192.0.2.7", "2001:db8::1", "2001:db8::2"):
            counted += gate.enter("wrong", "right", address) is False
        assert gate.enter("right", "right", "192.0.2.8") is True
    assert counted < 2 * 22  # the two addresses of one network share their tries
    assert isinstance(gate.enter("right", "right", "192.0.2.7"), float)


def test_a_place_is_kept_for_who_has_not_been_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    held, let_go = threading.Event(), threading.Event()

    def check(password: str, stored: str) -> bool:
        if password == "slow":
            held.set()
            assert let_go.wait(60)
        return password == stored

    monkeypatch.setattr("codecarena.reports.server.sign_in.matches", check)
    gate = Gate(lambda: 0.0)
    assert gate.enter("wrong", "right", "192.0.2.7") is False
    stranger = threading.Thread(target=gate.enter, args=("slow", "right", "192.0.2.7"))
    stranger.start()
    assert held.wait(60)
    # One try at a time of a client, and the organiser does not wait for it.
    assert gate.enter("right", "right", "192.0.2.7") == 1.0
    assert gate.enter("right", "right", "192.0.2.8") is True
    let_go.set()
    stranger.join()
    assert gate.enter("right", "right", "192.0.2.7") is True


def test_only_so_many_clients_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codecarena.reports.server.sign_in.matches", lambda *_: False)
    monkeypatch.setattr("codecarena.reports.server.sign_in.MOST_CLIENTS", 2)
    gate = Gate(lambda: 0.0)
    for address in ("a", "b", "c"):
        assert [gate.enter("wrong", "right", address) for _ in range(5)] == [False] * 4 + [2.0]
    assert gate.enter("wrong", "right", "a") is False
    assert gate.enter("wrong", "right", "c") == 2.0


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
