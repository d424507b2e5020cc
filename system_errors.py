"""Say what the system or a library did not do, in words without their error numbers and class names."""

from __future__ import annotations

import errno

_FULL = (errno.ENOSPC, errno.EDQUOT)


def reason(error: BaseException) -> str:
    """Return what an error says, for a sentence that names its file already.

    >>> reason(FileNotFoundError(2, "No such file or directory", "a.png"))
    'no such file or directory'
    >>> reason(ValueError("Value error, expected a name"))
    'expected a name'
    """
    if isinstance(error, OSError) and error.strerror:
        words = "the disk is full" if error.errno in _FULL else error.strerror
        return words[0].lower() + words[1:]
    return str(error).removeprefix("Value error, ") or type(error).__name__


def sentence(error: OSError) -> str:
    """Return what the system refused, with the file it was about and what to do where the disk is full."""
    about = ": ".join([*([str(error.filename)] if error.filename else []), reason(error)])
    if error.errno in _FULL:
        return f"{about}; make room, then give the same command again: what had finished is stored"
    return about
