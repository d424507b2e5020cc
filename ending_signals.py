"""The signals by which a person, a system or a closed terminal asks a program to end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
Handler = Callable[[int, FrameType | None], object]


@contextmanager
def handling_the_first(handle: Handler) -> Generator[None]:
    """Let a function handle the first of these signals; those that follow do what they did before.

    A closed terminal ends nothing that ``nohup`` began. Only the main thread has signals: in others nothing
    changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def first(number: int, frame: FrameType | None) -> None:
        restore()
        handle(number, frame)

    def restore() -> None:
        for number, old in before.items():
            signal.signal(number, old)

    ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    handled = [number for number in ENDING if not (ignored and number == signal.SIGHUP)]
    before = {number: signal.signal(number, first) for number in handled}
    try:
        yield
    finally:
        restore()
