"""Run the long tests part by part, and write the record: what ran, how long each took, on which machine.

A part is a test file; the last part is all of `make test` in random order. One that passed, and whose sources
are as they were then, is not run again: what was stopped goes on where it was, a change runs what it touches.

Run from the repository root:  make long            (what is missing or was touched)
                               make long EVERY=1    (all of it, as before a release)
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from sources import ROOT, reached, with_data

from codecarena.bench.worker.device import cores, cpu_model

RECORD = Path(__file__).with_suffix(".md")
PARTS = Path(__file__).with_suffix(".json")
"""What each part's last run gave: the record is written from it."""
SELECTED = ("-m", "long or scaled")
SHUFFLED = "tests in random order"
"""The part that is `make test`, in another order each time."""
WORKERS = ("-n", "auto", "--dist", "loadgroup", "--timeout", "3600")


def main() -> int:
    """Run what is missing, record every part as it ends, and return 1 if a test failed."""
    reader = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    reader.add_argument("--every", action="store_true", help="run the parts that passed, too")
    reader.add_argument("parts", nargs="*", help="test files; all if absent")
    chosen = reader.parse_args()
    parts: dict[str, Any] = json.loads(PARTS.read_text()) if PARTS.exists() else {}
    names = part_names()
    parts = {name: part for name, part in parts.items() if name in names}
    for name in chosen.parts or names:
        fingerprint = sources_sha256(
            [ROOT / name] if name != SHUFFLED else sorted(ROOT.glob("tests/**/*.py"))
        )
        done = parts.get(name)
        if done and done["passed"] and done["sources_sha256"] == fingerprint and not chosen.every:
            print(f"{name}: passed on {done['date']}, nothing it uses has changed")
            continue
        parts[name] = {"sources_sha256": fingerprint, **run(name)}
        PARTS.write_text(json.dumps(parts, indent=1, sort_keys=True) + "\n")
        RECORD.write_text(record(parts))
    return int(not all(part["passed"] for part in parts.values()))


def part_names() -> list[str]:
    """Return the test files that hold a long or scaled test, and the shuffled part."""
    words = ("-m", "pytest", *SELECTED, "--collect-only", "-q", "--no-header")
    listed = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return [
        *sorted({line.partition("::")[0] for line in listed.stdout.splitlines() if "::" in line}),
        SHUFFLED,
    ]


def run(name: str) -> dict[str, Any]:
    """Run a part; return how each test ended, its seconds, and its lines for the record."""
    seed = str(int(datetime.now(UTC).timestamp()))
    if name == SHUFFLED:
        status, cases = pytest(["--random-order-bucket=global", f"--random-order-seed={seed}"], {})
        seconds = sum(float(case.get("time", "0")) for case in cases)
        tests = [{"name": f"{len(cases)} tests, seed {seed}", "ended": "passed", "seconds": round(seconds)}]
        tests += [row(case, name) for case in cases if ended(case) in {"failure", "error"}]
    else:
        status, cases = pytest([name, *SELECTED], {"CODECARENA_LONG": "1"})
        tests = [row(case, name) for case in cases]
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": f"{cpu_model()}, {cores()} cores",
        "passed": status == 0,
        "tests": tests,
        "notes": [
            line
            for case in cases
            for line in re.findall(r"^record: (.*\S)", case.findtext("system-out", ""), re.MULTILINE)
        ],
    }


def pytest(words: list[str], environment: dict[str, str]) -> tuple[int, list[ElementTree.Element]]:
    """Run tests on every core; return pytest's exit status and the cases of its report."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        options = ("-o", "junit_family=xunit1", "-o", "junit_logging=system-out", f"--junitxml={report}")
        command = [sys.executable, "-m", "pytest", *words, *WORKERS, *options]
        ended = subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=False)
        return ended.returncode, list(ElementTree.parse(report).iter("testcase"))


def row(case: ElementTree.Element, name: str) -> dict[str, str | float]:
    """Return a test's row of the record."""
    return {
        "name": title(case, name),
        "ended": ended(case),
        "seconds": round(float(case.get("time", "0")), 1),
    }


def title(case: ElementTree.Element, name: str) -> str:
    """Return a test's name within its file: its class, if it has one, and its function."""
    module = name.removesuffix(".py").replace("/", ".")
    within = case.get("classname", "").removeprefix(module).strip(".")
    return "::".join(filter(None, (within, case.get("name", ""))))


def ended(case: ElementTree.Element) -> str:
    """Return how a test ended."""
    return next((child.tag for child in case if child.tag in {"failure", "error", "skipped"}), "passed")


def sources_sha256(tests: list[Path]) -> str:
    """Return the hash of all that test files can reach: what they import or name, and data beside that."""
    conftests = [folder / "conftest.py" for test in tests for folder in test.parents if folder != ROOT]
    digest = hashlib.sha256()
    for path in sorted(with_data(reached([*tests, *conftests]))):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def record(parts: dict[str, Any]) -> str:
    """Return the record of all parts: a row a test, then what the tests found."""
    lines = [
        "# The long tests",
        "",
        "Made by `make long`, part by part: a part runs again when a source that it can reach has changed.",
        "",
        "| part | sources | day | machine | tests passed | seconds |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, part in sorted(parts.items()):
        passed = sum(test["ended"] == "passed" for test in part["tests"])
        seconds = sum(test["seconds"] for test in part["tests"])
        count = f"{passed} of {len(part['tests'])}"
        sources = part["sources_sha256"] or "not recorded"
        lines.append(f"| {name} | {sources} | {part['date']} | {part['machine']} | {count} | {seconds:.0f} |")
    lines += ["", "| test | ended | seconds |", "| --- | --- | --- |"]
    for name, part in sorted(parts.items()):
        lines += [
            f"| {name}::{test['name']} | {test['ended']} | {test['seconds']} |" for test in part["tests"]
        ]
    notes = [note for _, part in sorted(parts.items()) for note in part["notes"]]
    return "\n".join([*lines, "", *(f"- {note}" for note in notes)]).strip() + "\n"


if __name__ == "__main__":
    sys.exit(main())
