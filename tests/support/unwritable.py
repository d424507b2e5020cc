"""Folders that nothing can be written to, not even by root."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def unwritable(folder: Path) -> Generator[None]:
    """Let nothing be made, changed or deleted in a folder meanwhile; skip where root cannot be kept off.

    Files in its subfolders can still be changed by root.
    """
    files = [path for path in folder.iterdir() if path.is_file()]
    if os.geteuid():
        begin = [["chmod", "a-w", folder, *files]]
        end = [["chmod", "u+w", folder, *files]]
    elif _done([["chattr", "+i", folder]]):
        begin, end = [["chattr", "+i", *files]], [["chattr", "-i", folder, *files]]
    else:
        begin = [["mount", "--bind", folder, folder], ["mount", "-o", "remount,bind,ro", folder]]
        end = [["umount", folder]]
    if not _done(begin):
        pytest.skip("by design: root cannot be kept from writing here")
    try:
        yield
    finally:
        assert _done(end)


def _done(commands: list[list[str | Path]]) -> bool:
    return all(
        subprocess.run(words, check=False, stderr=subprocess.DEVNULL).returncode == 0 for words in commands
    )
