"""Small suites on disk for the runner's tests: pictures, programs that are codecs, and the command line."""

from __future__ import annotations

import atexit
import gc
import io
import json
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer.main

from codecarena import __main__ as entry
from codecarena.bench.worker import pool

PROGRAM = """
import os, sys, time, zlib
from pathlib import Path
fault, role, given, written = sys.argv[1:5]
mended = Path(sys.argv[0]).with_name("mended").exists()
content = Path(given).read_bytes()
if role == "decode":
    Path(written).write_bytes(zlib.decompress(content))
    sys.exit()
header, pixels = content[:-32 * 32 * 3], content[-32 * 32 * 3:]
if pixels[:3] == bytes((1, 2, 3)) and not mended:
    if fault == "exits": sys.exit("out of luck")
    if fault == "silent": sys.exit()
    if fault == "small": content = b"P6 16 16 255 " + bytes(16 * 16 * 3)
    if fault == "sleeps": time.sleep(600)
    if fault == "segfaults": os.kill(os.getpid(), 11)
    if fault == "allocates":
        held = []
        while True: held.append(bytearray(os.urandom(1)) * 2**24); time.sleep(0.005)
Path(written).write_bytes(zlib.compress(content))
"""

RECIPE = """
name = "{fault}"
version = "1"
encode = ["{python}", "{program}", "{fault}", "encode", "{{input}}", "{{output}}", "{{quality}}"]
decode = ["{python}", "{program}", "{fault}", "decode", "{{input}}", "{{output}}"]
picture = "ppm"
decoded = "ppm"
[quality]
name = "level"
worst = 1
best = 9
ladder = [1]
"""


command_line = cache(typer.main.get_command)
"""Reading the signatures of every command takes Typer longer than many a command takes to run."""


def write_pictures(folder: Path, count: int, *, marked: int | None = None, size: int = 32) -> None:
    """Write noisy little PNGs; the marked one's first pixel is (1, 2, 3)."""
    folder.mkdir()
    random = np.random.default_rng(7)
    for index in range(count):
        pixels = random.integers(4, 256, (size, size, 3), dtype=np.uint8)
        if index == marked:
            pixels[0, 0] = 1, 2, 3
        cv2.imwrite(str(folder / f"picture{index:04}.png"), pixels[..., ::-1])


SMALL_SUITE = """
name = "small"
sets = "./pictures"
metrics = ["psnr"]
[[codecs]]
name = "jpeg"
qualities = [20, 80]
[[codecs]]
name = "png"
"""


def small_arena(folder: Path) -> Path:
    """Write three pictures and `SMALL_SUITE`, as ``suite.toml``, into a folder; return it."""
    write_pictures(folder / "pictures", 3)
    (folder / "suite.toml").write_text(SMALL_SUITE)
    return folder


def write_recipe(folder: Path, fault: str) -> str:
    """Write a program and the recipe that calls it; return the recipe's file name."""
    program = folder / "program.py"
    program.write_text(PROGRAM)
    recipe = folder / f"{fault}.toml"
    recipe.write_text(RECIPE.format(fault=fault, python=sys.executable, program=program))
    return recipe.name


def command(*words: str | Path) -> list[str]:
    """Return the command line of codecarena."""
    return [sys.executable, "-m", "codecarena", *map(str, words)]


def call(*words: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Call the command line in this process, in a folder; what it changes in the process is put back."""
    output, errors = io.StringIO(), io.StringIO()
    status: str | int | None = None
    with _as_own_process(words, folder), redirect_stdout(output), redirect_stderr(errors):
        try:
            entry.main()
        except SystemExit as ended:
            status = ended.code
    code = 0 if status is None else status if isinstance(status, int) else 1
    return subprocess.CompletedProcess(command(*words), code, output.getvalue(), errors.getvalue())


@contextmanager
def _as_own_process(words: tuple[str | Path, ...], folder: Path) -> Iterator[None]:
    environment, thresholds = dict(os.environ), gc.get_threshold()
    # What is here already is not looked through below, nor later: it would be at every page that is drawn.
    gc.collect()
    gc.freeze()
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        # Of a connection that the end of a process would have closed.
        warnings.simplefilter("ignore", ResourceWarning)
        patch.chdir(folder)
        patch.setattr(sys, "argv", [entry.__file__, *map(str, words)])
        patch.setitem(sys.modules, "__main__", entry)  # what Click names in its usage line
        patch.setattr(typer.main, "get_command", command_line)
        patch.setattr(tempfile, "tempdir", None)  # TMPDIR counts as it does for a new process
        try:
            yield
        finally:
            pool.close()  # workers take their environment when they start
            atexit.unregister(gc.freeze)
            gc.set_threshold(*thresholds)
            os.environ.clear()
            os.environ.update(environment)
            gc.collect()


def call_process(*words: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run codecarena as a process of its own, where the process is the point."""
    # Python's own variables only: readline, which pytest loads, gives children the width of a terminal.
    environment = dict(os.environ)
    return subprocess.run(
        command(*words), cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def run_record(*words: str | Path, folder: Path, process: bool = False) -> tuple[int, dict[str, object]]:
    """Run a suite, in a process of its own if need be; return the exit status and its JSON record.

    One worker measures unless the words say how many: the tests themselves keep every core busy.
    """
    workers = () if {"--workers", "-j"} & set(words) else ("--workers", "1")
    ended = (call_process if process else call)("run", *words, *workers, "--json", folder=folder)
    assert ended.stdout, ended.stderr
    return ended.returncode, json.loads(ended.stdout.splitlines()[-1])
