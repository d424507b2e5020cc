"""Show text of any origin as what it is: what would command a terminal or turn a line round is escaped."""

from __future__ import annotations

import codecs
import io
import re
import sys
from typing import Any, TextIO

_ESCAPED = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but tab and line feed
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks that change the direction of what follows
    "\u2028\u2029"  # ends of lines and paragraphs
    "\u00ad\u180e\u200b\u2060-\u2064\ufeff"  # no width: names that look alike and differ
    "\U000e0001\U000e0020-\U000e007f"  # tags, likewise
    "\ud800-\udfff"  # halves of letters: bytes of a name that is not UTF-8
    "]"
)
_MARKUP = re.compile(r"(?<!\\)\[(?=[a-z#/@])")
"""Brackets that Rich takes for the beginning of a style or an end."""
_LOOK_ALIKES = str.maketrans(
    {
        **dict.fromkeys("–—−‐‑", "-"),
        **dict.fromkeys("‘’", "'"),
        **dict.fromkeys("“”", '"'),
        "…": "..",
        "×": "x",
        "±": "+-",
        "·": ".",
        "→": "->",
        "≥": ">=",
        "≤": "<=",
        "≈": "~",
        "✗": "x",
        "─": "-",
        "▼": "v",
        "▲": "^",
        "†": "+",
        "‡": "++",
        "⁶": "^6",
        "\u202f": " ",
        "\xa0": " ",
    }
)


def visible(text: str) -> str:
    r"""Return a text in which whatever commands a terminal, turns lines round or has no width is escaped.

    Tabs and line feeds stay. Bytes of a file name that is not UTF-8 become ``\xNN``.

    >>> visible("red \x1b[31m, caf\udce9.png")
    'red \\x1b[31m, caf\\xe9.png'
    """
    return _ESCAPED.sub(_escape, text)


def encodable(text: str, encoding: str | None) -> str:
    """Return a text that a console of this encoding can show: look-alikes, else escapes.

    Args:
        text: Of any letters.
        encoding: The console's, by Python's name for it; None for UTF-8.
    """
    try:
        text.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        encoding = encoding or "ascii"
        return "".join(_nearest(letter, encoding) for letter in text)
    except LookupError:  # an encoding that Python does not know
        return encodable(text, "ascii")
    return text


def say(text: str, stream: TextIO | None = None) -> None:
    """Write a text and a line end; `visible`, in letters that the stream has.

    Args:
        text: Lines of any origin.
        stream: Where to; standard output if absent.
    """
    chosen: TextIO = sys.stdout if stream is None else stream
    chosen.write(encodable(visible(text), chosen.encoding) + "\n")
    chosen.flush()


def show_every_letter(stream: TextIO) -> None:
    """Let a stream write what its encoding lacks by look-alikes, else escapes, instead of ending the program.

    Args:
        stream: Standard output or error; what stands for it in a test is left alone.
    """
    codecs.register_error("look-alikes", _replacement)
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="look-alikes")


def _replacement(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = visible(error.object[error.start : error.end])
    return "".join(_nearest(letter, "ascii") for letter in lacking), error.end


# Any: a command of the copy of Click that Typer brings along.
def plain_help(command: Any) -> None:
    """Let a command's help, and that of the commands below it, show square brackets as they are.

    Typer reads help as Rich's markup, in which ``[timing]`` is a style.

    Args:
        command: Of Click, with its parameters and commands.
    """
    for owner in (command, *command.params):
        for name in ("help", "short_help", "epilog"):
            if text := getattr(owner, name, None):
                setattr(owner, name, _MARKUP.sub(r"\[", text))
    for below in getattr(command, "commands", {}).values():
        plain_help(below)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:  # Python's form of a byte (PEP 383)
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _nearest(letter: str, encoding: str) -> str:
    for candidate in (letter, letter.translate(_LOOK_ALIKES)):
        try:
            candidate.encode(encoding)
        except UnicodeEncodeError:
            continue
        return candidate
    return letter.encode("ascii", "backslashreplace").decode()
