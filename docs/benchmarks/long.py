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
    seconds = {
        match[2]: float(match[1]) for line in lines if (match := re.match(r"([\d.]+)s call +(\S.*)", line))
    }
    status = {
        match[1]: match[2].lower()
        for line in lines
        if (match := re.match(r"(tests/\S+) (PASSED|FAILED|SKIPPED)", line))
    }
    rows = [f"| {name} | {ended} | {seconds.get(name, 0.0):.1f} |" for name, ended in status.items()]
    notes = [f"- {line.removeprefix('record: ').strip()}" for line in lines if line.startswith("record: ")]
    closing = lines[-1].strip("= \n")
    RECORD.write_text(
        "# The long tests\n\n"
        f"Made by `make long` on {datetime.now(UTC):%Y-%m-%d}: {cpu_model()}, {cores()} cores. {closing}.\n\n"
        "| test | ended | seconds |\n| --- | --- | --- |\n"
        + "\n".join(rows)
        + "\n"
        + ("\n" + "\n".join(notes) + "\n" if notes else "")
    )
    return tests.returncode


if __name__ == "__main__":
    sys.exit(main())
