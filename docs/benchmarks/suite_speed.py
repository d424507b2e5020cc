"""Time `make test`: wall and processor seconds, its slowest tests, and those over 10 s.

Run from the repository root on an idle machine:  .venv/bin/python docs/benchmarks/suite_speed.py [--runs 3]
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from xml.etree import ElementTree

from codecarena.bench.worker.device import cores, cpu_model

ROOT = Path(__file__).parents[2]
RECORD = Path(__file__).with_suffix(".md")
SLOW_SECONDS = 10.0
SHOWN = 30


@dataclass(frozen=True, slots=True)
class SuiteRun:
    """One run of the suite."""

    wall_seconds: float
    cpu_seconds: float
    """Of every process it started."""
    load: float
    """Of the machine, over the minute before it began."""
    seconds: dict[str, float]
    """Of each test, its fixtures included."""
    reasons: dict[str, str]
    """Why a test may take over 10 s: what its mark says."""
    failed: int
    skipped: int


def main() -> int:
    """Run the suite, write the record, and return 1 if a test failed or is slow without saying why."""
    reader = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    reader.add_argument("--runs", type=int, default=3)
    runs = [suite_run() for _ in range(reader.parse_args().runs)]
    RECORD.write_text(record(runs))
    return int(any(run.failed for run in runs) or bool(unexplained(runs[-1])))


def suite_run() -> SuiteRun:
    """Run `make test` once."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        options = f"-q -o junit_family=xunit1 --junitxml={report}"
        before, start = children_seconds(), monotonic()
        subprocess.run(["make", "test", f"PYTEST_ARGS={options}"], cwd=ROOT, check=False)
        wall, cpu = monotonic() - start, children_seconds() - before
        cases = list(ElementTree.parse(report).iter("testcase"))
    names = [f"{case.get('classname')}::{case.get('name')}" for case in cases]
    return SuiteRun(
        wall,
        cpu,
        load,
        {name: float(case.get("time", "0")) for name, case in zip(names, cases, strict=True)},
        {
            name: entry.get("value", "")
            for name, case in zip(names, cases, strict=True)
            for entry in case.iter("property")
            if entry.get("name") == "slow"
        },
        sum(case.find("failure") is not None or case.find("error") is not None for case in cases),
        sum(case.find("skipped") is not None for case in cases),
    )


def children_seconds() -> float:
    """Return the processor seconds of the processes that ended, theirs included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def unexplained(run: SuiteRun) -> list[str]:
    """Return the tests that take over 10 s and do not say why."""
    return [
        name for name, seconds in run.seconds.items() if seconds > SLOW_SECONDS and name not in run.reasons
    ]


def record(runs: list[SuiteRun]) -> str:
    """Return the record: a row a run, the slowest tests of the last, and the reasons of those over 10 s."""
    last = runs[-1]
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    lines = [
        "# The time of `make test`",
        "",
        f"Made by `docs/benchmarks/suite_speed.py` at {commit.stdout.strip()}, {datetime.now(UTC):%Y-%m-%d}:",
        f"{cpu_model()}, {cores()} cores, everything installed before.",
        "",
        "| run | tests | failed | skipped | wall s | processor s | load before |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(
            f"| {number} | {len(run.seconds)} | {run.failed} | {run.skipped} | {run.wall_seconds:.0f} | "
            f"{run.cpu_seconds:.0f} | {run.load:.1f} |"
            for number, run in enumerate(runs, 1)
        ),
        "",
        f"The {SHOWN} slowest tests of the last run, what was made for them included:",
        "",
        "| test | seconds | why over 10 s |",
        "| --- | --- | --- |",
    ]
    slowest = sorted(last.seconds.items(), key=lambda entry: -entry[1])[:SHOWN]
    lines += [f"| {name} | {seconds:.1f} | {last.reasons.get(name, '')} |" for name, seconds in slowest]
    silent = unexplained(last)
    lines += [
        "",
        f"Over {SLOW_SECONDS:g} s without a reason: {len(silent)}.",
        *(f"- {name}" for name in silent),
        "",
        "What `make long` runs instead, or at a larger size: [suite_moved.md](suite_moved.md).",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
