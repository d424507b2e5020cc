"""How a person, a system or a closed terminal ends a command."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from arena import call
from codecarena.bench.run import runner
from codecarena.bench.run.execution import stoppable

ENDING = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])


@ENDING
def test_signals_end_a_run_once_and_are_given_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    stops: list[int] = []
    with stoppable(lambda: stops.append(1)):
        os.kill(os.getpid(), number)
        assert signal.getsignal(number) == before, "a second one ends the program at once"
    assert stops == [1]
    assert signal.getsignal(number) == before


@ENDING
def test_each_ends_a_command_that_runs_nothing_yet(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare(*_: object) -> None:
        os.kill(os.getpid(), number)
        raise AssertionError("it goes on")

    monkeypatch.setattr(runner, "prepare", prepare)
    ended = call("run", "quick", "-j", "1", folder=tmp_path)
    assert (ended.returncode, ended.stdout) == (130, "")


def test_a_closed_terminal_does_not_end_what_nohup_began() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stoppable(lambda: pytest.fail("it was ended")):
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
