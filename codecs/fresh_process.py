"""Decode bitstreams in a Python of their own, which never saw the pictures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np

from .base import CodecError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from .base import Image
    from .instruction_sets import InstructionSet
    from .registry import Value

_PROGRAM = f"""
import json, pathlib, sys
import numpy
from {__package__} import registry
folder = pathlib.Path(sys.argv[1])
codec = registry.create(sys.argv[2], json.loads(sys.argv[3]))
for path in folder.glob("*.bits"):
    numpy.save(path.with_suffix(".npy"), codec.decode(path.read_bytes()))
"""


def decode(
    folder: Path,
    name: str,
    parameters: Mapping[str, Value],
    bitstreams: Sequence[bytes],
    older: InstructionSet | None = None,
) -> list[Image]:
    """Return the pixels of bitstreams, by a codec that is made for them alone.

    Args:
        folder: An empty one, for what the two processes exchange.
        name: The registered name of the codec.
        parameters: Its constructor keywords.
        bitstreams: All of them are this codec's.
        older: What the process is restrained to; None for what the processor has.

    Raises:
        CodecError: The process failed; the message is the end of what it wrote.
    """
    for index, bitstream in enumerate(bitstreams):
        (folder / f"{index}.bits").write_bytes(bitstream)
    command = [sys.executable, "-c", _PROGRAM, str(folder), name, json.dumps(dict(parameters))]
    environment = os.environ | dict(older.environment if older else {})
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if ended.returncode:
        where = f" under {older.name}" if older else ""
        raise CodecError(f"{name} does not decode in a process of its own{where}: {ended.stderr[-2000:]}")
    return [np.load(folder / f"{index}.npy") for index in range(len(bitstreams))]
