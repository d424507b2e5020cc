"""Read a path as a shell does, where a tilde stands for a home folder."""

from __future__ import annotations

import os
from pathlib import Path


def expanded(path: str | Path) -> Path:
    """Return a path with its home folder written out; a tilde that means nobody's home stays a letter.

    >>> str(expanded("~nobody-here/a.toml"))
    '~nobody-here/a.toml'
    """
    # Path.expanduser raises for a user that there is none of.
    return Path(os.path.expanduser(path))  # noqa: PTH111
