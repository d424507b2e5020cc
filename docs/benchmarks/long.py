"""Run `make long`'s tests and write the record: what ran, how long each took, on which machine.

Run from the repository root:  make long
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from codecarena.bench.device import cores, cpu_model

RECORD = Path(__file__).with_suffix(".md")
WORDS = ["-m", "pytest", "-m", "long or scaled", "--timeout", "3600", "--durations", "0", "-vv", "-rP"]


def main() -> int:
    """Run the tests, show their output as it comes, and write the record."""
    environment = os.environ | {"CODECARENA_LONG": "1"}
    command = [sys.executable, *WORDS, *sys.argv[1:]]
    lines: list[str] = []
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as tests:
        assert tests.stdout is not None
        for line in tests.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    RECORD.write_text(record(lines))
    return tests.returncode


def record(lines: list[str]) -> str:
    """Return what pytest printed as the record: what ran, how it ended, how long it took, what it found."""
    seconds = {
        match[2]: float(match[1]) for line in lines if (match := re.match(r"([\d.]+)s call +(\S.*)", line))
    }
    # A test that is inherited is followed by the file it stands in.
    ended = re.compile(r"(tests/\S.*?)(?: <- \S+)? (PASSED|FAILED|SKIPPED)")
    status = {match[1]: match[2].lower() for line in lines if (match := ended.match(line))}
    rows = [f"| {name} | {how} | {seconds.get(name, 0.0):.1f} |" for name, how in status.items()]
    notes = [f"- {line.removeprefix('record: ').strip()}" for line in lines if line.startswith("record: ")]
    closing = lines[-1].strip("= \n")
    return (
        "# The long tests\n\n"
        f"Made by `make long` on {datetime.now(UTC):%Y-%m-%d}: {cpu_model()}, {cores()} cores. {closing}.\n\n"
        "| test | ended | seconds |\n| --- | --- | --- |\n"
        + "\n".join(rows)
        + "\n"
        + ("\n" + "\n".join(notes) + "\n" if notes else "")
    )


if __name__ == "__main__":
    sys.exit(main())
