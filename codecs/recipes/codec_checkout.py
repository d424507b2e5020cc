"""What the neighbours' wrappers share: a command line, weights, and a small frame for their streams.

A wrapper is called with `encode PICTURE STREAM QUALITY`, `decode STREAM PICTURE SEED` or `version`. This file
and `bottlenecks.py` lie beside it in somebody's checkout and run in that checkout's own Python, from 3.8 on.
"""

from __future__ import annotations

import hashlib
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import bottlenecks

if TYPE_CHECKING:
    from collections.abc import Callable

CHECKOUT = Path(__file__).absolute().parent
WEIGHTS = CHECKOUT / "weights"
"""Where the wrappers look for downloaded weights, under the names that docs/recipes.md lists."""

_FRAME = struct.Struct(">HHB")


def run(
    encode: Callable[[Path, Path, int], None],
    decode: Callable[[Path, Path, int], None],
    *folders: str,
) -> None:
    """Do what the command line asks for, in the checkout, with these folders of it on Python's path.

    Args:
        encode: Reads a picture, writes a bitstream, at a quality.
        decode: Reads a bitstream, writes a picture, with a seed.
        folders: Below the checkout; the checkout itself is always on the path.
    """
    command, *words = sys.argv[1:]
    sys.path[:0] = [str(CHECKOUT / folder) for folder in ("", *folders)]
    os.chdir(CHECKOUT)
    if command == "version":
        sys.stdout.write(version(Path(sys.argv[0])) + "\n")
        return
    given, written, number = words
    try:
        (encode if command == "encode" else decode)(Path(given), Path(written), int(number))
    except bottlenecks.MismatchError as error:
        sys.exit(str(error))


def version(wrapper: Path) -> str:
    """Return the checkout's commit and a part of the wrapper's hash."""
    asked = ["git", "-C", str(CHECKOUT), "rev-parse", "--short=12", "HEAD"]
    commit = subprocess.run(asked, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
    files = (wrapper, Path(__file__), Path(bottlenecks.__file__))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    return f"commit {commit.decode().strip() or 'unknown'}, wrapper {digest[:8]}"


def weight(name: str) -> str:
    """Return the path of a weights file, or end the program with a sentence that says where it belongs."""
    path = WEIGHTS / name
    if not path.exists():
        sys.exit(
            f"no weights {path}: place them there; docs/recipes.md of codecarena says where they come from"
        )
    return str(path)


def call(program: str, *words: str, folder: str = ".") -> None:
    """Run one of the repository's programs in a folder of the checkout; its failure ends this one."""
    command = [sys.executable, program, *words]
    ended = subprocess.run(command, cwd=CHECKOUT / folder, check=False)
    if ended.returncode:
        sys.exit(f"{program} ended with exit status {ended.returncode}")


def framed(height: int, width: int, quality: int, payload: bytes) -> bytes:
    """Return a stream of the picture's size, its quality and a payload.

    These five bytes are what the authors' own decoders take from the original picture or the command line.

    Args:
        height: Of the picture, 1 to 65,535 pixels.
        width: Of the picture, 1 to 65,535 pixels.
        quality: On the recipe's scale, 0 to 255.
        payload: What the authors' coder wrote.
    """
    return _FRAME.pack(height, width, quality) + payload


def unframed(stream: bytes) -> tuple[int, int, int, bytes]:
    """Return height, width, quality and payload of a stream, or end the program when it is too short."""
    if len(stream) <= _FRAME.size:
        sys.exit(f"expected a stream of more than {_FRAME.size} bytes, got {len(stream)}")
    height, width, quality = _FRAME.unpack_from(stream)
    return height, width, quality, stream[_FRAME.size :]
