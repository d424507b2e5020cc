"""Time codecs quiet and while programs burn every core, beside CompressAI's bench, and write the record.

Run from the repository root:  .venv/bin/python docs/benchmarks/timing_under_load.py DATA [ROUNDS]
DATA holds kodak/; CompressAI must be installed beside codecarena.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from record_age import keep

from codecarena.bench.store.store import Store
from codecarena.bench.store.timings import TimingRow, timings
from codecarena.bench.worker.cpu_load import LOADED_SHARE, Watch
from codecarena.bench.worker.device import cores, cpu_model

MEASURES = ("bench/timing/timing_pass.py", "bench/worker/worker.py")
"""What runs in processes of its own."""
RECORD = Path(__file__).with_suffix(".md")
SUITE = """
name = "load"
sets = "kodak"
metrics = ["psnr"]
[timing]
repeats = 7
pictures = 4
settings = 1
[[codecs]]
name = "jpeg"
qualities = [75]
[[codecs]]
name = "webp"
qualities = [75]
[[codecs]]
name = "avif"
qualities = [60]
"""
CODECS = ("jpeg", "webp", "avif")
MEANT = ("webp", "avif")
"""Whose calls are long enough for the promise of `TOLERANCE`; a JPEG takes two milliseconds."""
TOLERANCE = 0.15
SETTLE_SECONDS = 2.0


@contextmanager
def burners(count: int) -> Iterator[None]:
    """Keep so many cores busy until the block ends."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    time.sleep(SETTLE_SECONDS)
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def others_share() -> float:
    """Return the share of the cores that anybody uses just now."""
    watch = Watch(range(cores()))
    start = watch.look([])
    time.sleep(1)
    return watch.share(start, watch.look([]))


def codecarena(*words: str) -> None:
    """Run codecarena, or say why it failed."""
    ended = subprocess.run(
        [sys.executable, "-m", "codecarena", *words], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr


def timed(folder: Path, data: Path, name: str) -> list[TimingRow]:
    """Return the rows of a timing pass into a store of its own."""
    store = folder / name
    codecarena("time", str(folder / "suite.toml"), "--data", str(data), "--store", str(store))
    return timings(Store(str(store)))


def theirs(data: Path, codec: str, jobs: int) -> float:
    """Return CompressAI's mean encoding milliseconds."""
    words = ["-m", "compressai.utils.bench", codec, str(data / "kodak"), "-j", str(jobs), "-q", "75"]
    ended = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=True)
    return 1000 * json.loads(ended.stdout)["results"]["encoding_time"][0]


def milliseconds(rows: list[TimingRow], codec: str, clock: str) -> float:
    """Return the median over pictures of the medians over repeats, encode and decode together."""
    chosen = [row.timing for row in rows if row.codec == codec]
    return 1000 * median(
        median(getattr(timing.encode, clock)) + median(getattr(timing.decode, clock)) for timing in chosen
    )


def contended(folder: Path, data: Path) -> str:
    """Return how many rows the quality pass marks as contended while every core burns."""
    store = folder / "quality"
    words = ["run", str(folder / "suite.toml"), "--no-timing", "--limit", "4"]
    codecarena(*words, "--data", str(data), "--store", str(store))
    cells = Store(str(store)).cells()
    return f"{sum(cell.contended for cell in cells)} of {len(cells)}"


def main() -> None:
    data, rounds = Path(sys.argv[1]).absolute(), int(sys.argv[2]) if len(sys.argv) > 2 else 2
    rows_by_load: dict[str, list[list[TimingRow]]] = {"quiet": [], "burning": []}
    bench: dict[tuple[str, int], list[float]] = {}
    before: list[float] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "suite.toml").write_text(SUITE)
        for place in range(rounds):
            before.append(others_share())
            rows_by_load["quiet"].append(timed(folder, data, f"quiet{place}"))
            for codec in ("jpeg", "webp"):
                for jobs in (1, 2):
                    bench.setdefault((codec, jobs), []).append(theirs(data, codec, jobs))
            with burners(cores()):
                rows_by_load["burning"].append(timed(folder, data, f"burning{place}"))
                marked = contended(folder, data)
    keep(RECORD, report(rows_by_load, bench, before, marked))
    print(RECORD.read_text())


def report(
    rows_by_load: dict[str, list[list[TimingRow]]],
    bench: dict[tuple[str, int], list[float]],
    before: list[float],
    marked: str,
) -> str:
    """Return the record."""
    quiet = max(before) < LOADED_SHARE
    rounds = len(before)
    lines = [
        "# Times under load",
        "",
        f"Made by `.venv/bin/python docs/benchmarks/timing_under_load.py DATA {rounds}`: 4 Kodak pictures,",
        f"7 repeats, {rounds} round{'s' * (rounds > 1)}, medians; encode and decode together. "
        f"Machine: {cpu_model()}, {cores()} cores.",
        f"Others used {', '.join(f'{share:.0%}' for share in before)} of the cores before the rounds"
        + (": quiet." if quiet else ': **not quiet**, so "quiet" below means without our own burners.'),
        "",
        "| codec | CPU ms, quiet | CPU ms, burning | change | wall ms, quiet | burning | marked loaded |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    changes: dict[str, float] = {}
    for codec in CODECS:
        cpu, wall = (
            {
                name: median(milliseconds(rows, codec, clock) for rows in all_rounds)
                for name, all_rounds in rows_by_load.items()
            }
            for clock in ("cpu_seconds", "seconds")
        )
        changes[codec] = cpu["burning"] / cpu["quiet"] - 1
        burning = [
            row.timing.loaded for rows in rows_by_load["burning"] for row in rows if row.codec == codec
        ]
        lines.append(
            f"| {codec} | {cpu['quiet']:.2f} | {cpu['burning']:.2f} | {changes[codec]:+.1%} | "
            f"{wall['quiet']:.2f} | {wall['burning']:.2f} | {sum(burning)} of {len(burning)} |"
        )
    held = all(abs(changes[codec]) <= TOLERANCE for codec in MEANT)
    lines += [
        "",
        f"- WebP and AVIF within {TOLERANCE:.0%}: **{'yes' if held else 'no'}**.",
        f"- The quality pass marked {marked} rows as contended while every core burnt.",
        "",
        "CompressAI's bench on the 24 pictures, mean encoding milliseconds as it reports them, no burners:",
        "",
        "| codec | `-j 1` | `-j 2` | inflation |",
        "| --- | --- | --- | --- |",
    ]
    for codec in ("jpeg", "webp"):
        one_job, two_jobs = (median(bench[codec, jobs]) for jobs in (1, 2))
        lines.append(f"| {codec} | {one_job:.2f} | {two_jobs:.2f} | {two_jobs / one_job:.2f} |")
    if not quiet:
        lines += ["", "Not quiet: `-j 1` was inflated already, so this table says nothing yet."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    os.environ["PYTHONDONTWRITEBYTECODE"] = ""
    main()
