"""Write how far a long command is where no bar is seen: in a file, through a pipe, in a job's log."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

from .visible_text import encodable, visible

if TYPE_CHECKING:
    from rich.console import Console

LINE_SECONDS = 30.0
"""How often a line is written."""


@contextmanager
def progress_lines(console: Console, line: Callable[[], str]) -> Generator[None]:
    """Write a line every half a minute until the block ends; on a terminal, which shows a bar, none.

    Args:
        console: Where the bar goes.
        line: Returns how far the command is.
    """
    if console.is_terminal:
        yield
        return
    ended = Event()

    def write() -> None:
        while not ended.wait(LINE_SECONDS):
            console.file.write(encodable(visible(line()), console.encoding) + "\n")
            console.file.flush()

    writer = Thread(target=write, name="progress", daemon=True)
    writer.start()
    try:
        yield
    finally:
        ended.set()
        writer.join()
