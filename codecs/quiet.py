"""Keep libraries that log, warn and draw progress bars from doing so while a codec loads or works."""

from __future__ import annotations

import logging
import os
import warnings
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator


@contextmanager
def quiet() -> Generator[None]:
    """Switch logging, warnings and Python's standard error off, and back to what they were.

    Some libraries give their loggers levels and handlers of their own when they are imported, so that only
    the switch of the logging module as a whole reaches them all.
    """
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), Path(os.devnull).open("w") as nowhere, redirect_stderr(nowhere):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
