"""Measure what creating each codec costs a new process, now and at an earlier commit; write the record.

Run from the repository root:  .venv/bin/python docs/benchmarks/codec_creation.py --before 09dc235
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from statistics import median

from record_age import keep

from codecarena.bench.worker.device import cores, cpu_model
from codecarena.codecs import registry

ROOT = Path(__file__).parents[2]
RECORD = Path(__file__).with_suffix(".md")
ROUNDS = 3
PROGRAM = """
import json, resource, sys, time
from codecarena.codecs import registry
try:
    registry.create(sys.argv[1])
except Exception as error:
    print(json.dumps({"missing": str(error)}))
else:
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"cpu_seconds": time.process_time(), "peak_mib": used.ru_maxrss / 1024}))
"""
Cost = tuple[float, float]
"""CPU seconds and the most resident MiB."""


@contextlib.contextmanager
def package_at(commit: str) -> Iterator[Path]:
    """Yield a folder from which the package of a commit is imported."""
    with tempfile.TemporaryDirectory() as folder:
        tree, lib = Path(folder) / "tree", Path(folder) / "lib"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(tree), commit], check=True)
        try:
            lib.mkdir()
            (lib / "codecarena").symlink_to(tree)
            yield lib
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True)


def cost(name: str, package: Path) -> Cost | None:
    """Return what creating a codec costs a new process, None where the codec is not here."""
    environment = os.environ | {"PYTHONPATH": str(package), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, name]
    ended = subprocess.run(command, env=environment, cwd=package, capture_output=True, text=True, check=True)
    answer = json.loads(ended.stdout.splitlines()[-1])
    return None if "missing" in answer else (answer["cpu_seconds"], answer["peak_mib"])


def medians(costs: list[Cost]) -> Cost:
    """Return the median CPU seconds and the median MiB."""
    return median(seconds for seconds, _ in costs), median(mib for _, mib in costs)


def main() -> None:
    """Create every codec that is here, at both commits in turns, then write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", required=True, help="commit to compare with")
    before = parser.parse_args().before
    now = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True
    )
    rows: list[str] = []
    with package_at(before) as earlier, package_at("HEAD") as today:
        for name in registry.entries():
            costs: dict[Path, list[Cost]] = {earlier: [], today: []}
            for _ in range(ROUNDS):
                for package, known in costs.items():
                    if measured := cost(name, package):
                        known.append(measured)
            if not costs[earlier] or not costs[today]:
                continue
            (seconds_before, mib_before), (seconds, mib) = medians(costs[earlier]), medians(costs[today])
            rows.append(f"| {name} | {seconds_before:.2f} | {seconds:.2f} | {mib_before:.0f} | {mib:.0f} |")
            print(rows[-1], flush=True)
    lines = [
        "# What creating a codec costs",
        "",
        f"Made by `docs/benchmarks/codec_creation.py --before {before}` at {now.stdout.strip()},",
        f"{date.today()}: {cpu_model()}, {cores()} cores, load {os.getloadavg()[0]:.1f} at the end.",
        f"Each codec in a new process with one thread; medians of {ROUNDS} rounds, both commits in turns.",
        "Codecs whose programs or weights are not here are left out.",
        "",
        "| codec | CPU-s before | CPU-s now | MiB before | MiB now |",
        "| --- | --- | --- | --- | --- |",
        *rows,
        "",
    ]
    keep(RECORD, "\n".join(lines))


if __name__ == "__main__":
    main()
