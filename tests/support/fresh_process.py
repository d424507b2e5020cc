"""One Python that runs programs for many tests, so that torch is imported once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codecarena.codecs.base import Image
from codecarena.codecs.contract import CodecContract
from codecarena.codecs.instruction_sets import InstructionSet
from codecarena.codecs.registry import Value

SERVER = f"""
import json, os, sys, traceback
sys.path.insert(0, {str(Path(__file__).parent)!r})
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
for line in sys.stdin:
    job = json.loads(line)
    os.environ.clear()
    os.environ.update(job["environment"])
    names, failure = {{"arguments": job["arguments"]}}, ""
    try:
        exec(job["program"], names)
    except Exception:
        failure = traceback.format_exc()
    print(json.dumps([failure, names.get("answer")]), file=answers, flush=True)
"""

DECODE = """
import contextlib, pathlib
import numpy
from codecarena.codecs import registry
folder, name, parameters, on_small_canvas = arguments
with contextlib.ExitStack() as stack:
    if on_small_canvas:
        from canvas import small_canvas
        stack.enter_context(small_canvas())
    codec = registry.create(name, parameters)
    for path in pathlib.Path(folder).glob("*.bits"):
        numpy.save(path.with_suffix(".npy"), codec.decode(path.read_bytes()))
"""


class FreshProcess:
    """A Python that is started by its first program, and again by the next one after a death.

    Args:
        folder: For what it exchanges with the tests.
        older: The instruction set that it is restrained to; None for none.
    """

    def __init__(self, folder: Path, older: InstructionSet | None = None) -> None:
        self._folder = folder
        self._restraint = dict(older.environment) if older else {}
        self._jobs = 0
        self._python: subprocess.Popen[str] | None = None

    def run(self, program: str, *arguments: object) -> Any:
        """Return what the program leaves in `answer`; it finds what it is given in `arguments`.

        A program that raises something, or ends the process, fails the test.
        """
        errors = self._folder / "errors"
        if self._python is None:
            with errors.open("w") as stderr:
                words = [sys.executable, "-c", SERVER]
                self._python = subprocess.Popen(
                    words,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=stderr,
                    text=True,
                    env=os.environ | self._restraint,
                )
        assert self._python.stdin
        assert self._python.stdout
        environment = os.environ | self._restraint
        job = {"program": program, "arguments": arguments, "environment": environment}
        print(json.dumps(job), file=self._python.stdin, flush=True)
        line = self._python.stdout.readline()
        if not line:
            self.close()
            pytest.fail(f"the process died: {errors.read_text()[-2000:]}")
        failure, answer = json.loads(line)
        if failure:
            pytest.fail(failure)
        return answer

    def decode(
        self,
        name: str,
        parameters: Mapping[str, Value],
        bitstreams: Sequence[bytes],
        on_small_canvas: bool = False,
    ) -> list[Image]:
        """Return the pixels of bitstreams, by a codec that is made for them alone.

        Args:
            name: Of the codec.
            parameters: Of the codec.
            bitstreams: All of them are of this codec.
            on_small_canvas: Whether layered streams are painted on the `small_canvas`.
        """
        self._jobs += 1
        folder = self._folder / str(self._jobs)
        folder.mkdir()
        for index, bitstream in enumerate(bitstreams):
            (folder / f"{index}.bits").write_bytes(bitstream)
        self.run(DECODE, str(folder), name, dict(parameters), on_small_canvas)
        return [np.load(folder / f"{index}.npy") for index in range(len(bitstreams))]

    def close(self) -> None:
        """End the process, if one was started."""
        if self._python:
            self._python.kill()  # it may hang in a program
            self._python.communicate()
            self._python = None


class BuiltInContract(CodecContract):
    """The contract as it is shipped, but with one process for all codecs: each of its own imports torch."""

    test_every_parameter_changes_something_or_says_why_not = None
    """A test of its own has a row for each parameter."""
    test_older_instruction_sets_decode_the_same_pixels = None
    """A test of its own has a process for each instruction set and decodes with every codec in it."""

    @pytest.fixture
    def decode_elsewhere(self, fresh_process: FreshProcess) -> Callable[[Sequence[bytes]], list[Image]]:
        """The process of the whole test session."""
        return lambda bitstreams: fresh_process.decode(self.codec_name, self.parameters, bitstreams)
