"""Say in one sentence what went wrong, for the user of a command."""

from __future__ import annotations

import signal
import sys
from typing import Any

from typer.core import TyperGroup

from ...ending_signals import handling_the_first
from ...system_errors import sentence

PACKAGE = __name__.partition(".")[0]


class PlainErrors(TyperGroup):
    """The commands, whose wrong options are told without the words of the library that checks them."""

    # Any: Typer's context, of the Click that Typer brings along.
    def invoke(self, ctx: Any) -> Any:
        """Run a command; what it says of a wrong option begins with what was wrong.

        SIGTERM and a closed terminal end it as Ctrl-C does.
        """
        try:
            with handling_the_first(signal.default_int_handler):
                return super().invoke(ctx)
        except Exception as error:
            message = getattr(error, "message", None)
            if isinstance(message, str) and hasattr(error, "format_message"):
                setattr(error, "message", message.removeprefix("Value error, "))  # noqa: B010
            raise


def error_sentence(error: Exception) -> str:
    """Return an error of codecarena as it is, the system's in words; any other is a defect of codecarena."""
    if type(error).__module__.partition(".")[0] == PACKAGE:
        return str(error)
    if isinstance(error, OSError):
        return sentence(error)
    if isinstance(error, MemoryError):
        return "memory is used up; fewer workers (-j 1) or smaller pictures need less"
    # Only a command that opened a store has loaded what its errors are known by.
    if f"{PACKAGE}.bench.store.database_errors" in sys.modules:
        from ..store.database_errors import explained, is_of_database

        if is_of_database(error):
            return f"the store's database cannot be used: {explained(error)}"
    return f"{type(error).__name__}: {error} (this is a defect; CODECARENA_DEBUG=1 shows where)"
