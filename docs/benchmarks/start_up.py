"""Time what a user waits for: quick commands, the demo, and Ctrl-C in the middle of a run; write the record.

Run from the repository root:  .venv/bin/python docs/benchmarks/start_up.py
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from record_age import keep

from codecarena.bench.worker.device import cores, cpu_model

MEASURES = ("cli.py",)
"""What runs in processes of its own."""
RECORD = Path(__file__).with_suffix(".md")
ROUNDS = 10
DEMOS = 3
COMMANDS = (["--help"], ["list", "codecs"], ["list", "metrics"], ["list", "sets"], ["list", "suites"])


def start(words: list[str], folder: str) -> subprocess.Popen[bytes]:
    """Start codecarena, which may keep its compiled bytecode, as anybody's does after the first run."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-m", "codecarena", *words]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=quiet, stderr=quiet)


def command_seconds(words: list[str], folder: str) -> float:
    """Return the wall time of one command."""
    began = time.perf_counter()
    assert start(words, folder).wait() == 0
    return time.perf_counter() - began


def stop_seconds(folder: str) -> float:
    """Return the time from Ctrl-C to the end of the process, in the middle of the quick suite."""
    run = start(["run", "quick", "--store", f"arena-{time.monotonic_ns()}"], folder)
    time.sleep(6)
    began = time.perf_counter()
    run.send_signal(signal.SIGINT)
    assert run.wait() == 130
    return time.perf_counter() - began


def main() -> None:
    """Time everything, then write the record."""
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for words in COMMANDS:
            command_seconds(words, folder)
            seconds = [command_seconds(words, folder) for _ in range(ROUNDS)]
            rows.append((f"`codecarena {' '.join(words)}`", seconds))
        rows.append(
            ("Ctrl-C in the quick suite, to the end of the process", [stop_seconds(folder) for _ in range(5)])
        )
        stores = (f"demo-{number}" for number in range(DEMOS))
        demos = [command_seconds(["demo", "--store", store], folder) for store in stores]
        rows.append(("`codecarena demo`, each time with a new store", demos))
    lines = [
        "# Start and stop",
        "",
        "Made by `.venv/bin/python docs/benchmarks/start_up.py`: wall seconds, bytecode compiled.",
        f"Machine: {cpu_model()}, {cores()} cores; load {os.getloadavg()[0]:.1f} at the end.",
        "",
        "| what | median | slowest | runs |",
        "| --- | --- | --- | --- |",
        *(f"| {what} | {median(took):.2f} | {max(took):.2f} | {len(took)} |" for what, took in rows),
        "",
    ]
    keep(RECORD, "\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
