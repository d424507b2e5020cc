"""Small suites on disk for the runner's tests: pictures, programs that are codecs, and the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

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


def write_pictures(folder: Path, count: int, *, marked: int | None = None, size: int = 32) -> None:
    """Write noisy little PNGs; the marked one's first pixel is (1, 2, 3)."""
    folder.mkdir()
    random = np.random.default_rng(7)
    for index in range(count):
        pixels = random.integers(4, 256, (size, size, 3), dtype=np.uint8)
        if index == marked:
            pixels[0, 0] = 1, 2, 3
        cv2.imwrite(str(folder / f"picture{index:04}.png"), pixels[..., ::-1])


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
    """Run codecarena in a folder."""
    return subprocess.run(command(*words), cwd=folder, capture_output=True, text=True, check=False)


def run_record(*words: str | Path, folder: Path) -> tuple[int, dict[str, object]]:
    """Run a suite and return the exit status and its JSON record."""
    ended = call("run", *words, "--json", folder=folder)
    assert ended.stdout, ended.stderr
    return ended.returncode, json.loads(ended.stdout.splitlines()[-1])
