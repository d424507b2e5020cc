"""Time codecarena against CompressAI's bench on Kodak x JPEG 5..95 x (PSNR, MS-SSIM) and write the record.

Run from the repository root:  .venv/bin/python docs/benchmarks/kodak_jpeg_speed.py DATA [ROUNDS]
DATA holds kodak/; CompressAI must be installed beside codecarena. The headline is the median of each round's
own ratio, whose two programs ran within half a minute; runs beside it are made in the first rounds only.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import IO

import cv2
import psutil
from record_age import keep

from codecarena.bench.metrics import registry as metrics
from codecarena.bench.worker.cpu_load import LOADED_SHARE, Watch
from codecarena.bench.worker.device import cores, cpu_model
from codecarena.codecs import registry as codecs
from codecarena.codecs.base import Picture
from codecarena.datasets.pixels import read_pixels

MEASURES = (
    "bench/cli/commands.py",
    "bench/run/runner.py",
    "bench/worker/worker.py",
    "bench/metrics/psnr.py",
    "bench/metrics/ssim.py",
    "codecs/classic/jpeg.py",
)
"""What runs in processes of its own."""
QUALITIES = range(5, 100, 5)
ROUNDS = 7
OTHER_ROUNDS = 3
"""In how many rounds the runs beside the headline's are made."""
METRICS = ("psnr", "ms-ssim")
SUITE = """
name = "speed"
sets = "kodak"
metrics = ["psnr", "ms-ssim"]
[[codecs]]
name = "jpeg"
qualities = { start = 5, stop = 95, step = 5 }
"""
RECORD = Path(__file__).with_suffix(".md")


def start(
    words: list[str], out: IO[str] | int = subprocess.DEVNULL, **environment: str
) -> subprocess.Popen[str]:
    """Start a program; both may keep their compiled bytecode, as anybody's do after the first run."""
    inherited = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.Popen(
        words, env=inherited | environment, stdout=out, stderr=subprocess.DEVNULL, text=True
    )


def timed(words: list[str], **environment: str) -> tuple[float, str]:
    """Return wall seconds and what it printed."""
    with tempfile.TemporaryFile("w+") as out:
        began = time.perf_counter()
        assert start(words, out, **environment).wait() == 0, words
        seconds = time.perf_counter() - began
        out.seek(0)
        return seconds, out.read()


def peak_mib(words: list[str]) -> float:
    """Return the peak resident memory of a process tree, in a run of its own: looking costs time."""
    process = start(words)
    peak = 0
    while process.poll() is None:
        peak = max(peak, tree_bytes(process.pid))
        time.sleep(0.02)
    return peak / 2**20


def tree_bytes(pid: int) -> int:
    """Return the resident bytes of a process and its children; shared pages count once for each."""
    total = 0
    try:
        for process in (parent := psutil.Process(pid), *parent.children(recursive=True)):
            total += process.memory_info().rss
    except psutil.Error:
        pass
    return total


def codecarena_command(folder: Path, data: Path, workers: int, store: str) -> list[str]:
    """Return our command line on a store of its own."""
    words = ["run", str(folder / "suite.toml"), "--data", str(data), "--store", str(folder / store)]
    return [sys.executable, "-m", "codecarena", *words, "--workers", str(workers)]


def theirs(data: Path) -> list[str]:
    """Return CompressAI's command line at its best setting on two cores."""
    qualities = ",".join(map(str, QUALITIES))
    return [
        sys.executable,
        "-m",
        "compressai.utils.bench",
        "jpeg",
        str(data / "kodak"),
        "-j",
        "2",
        "-q",
        qualities,
    ]


def bound_seconds(data: Path) -> float:
    """Return the CPU seconds of codec and metrics alone, in this process: what no runner goes below."""
    cv2.setNumThreads(1)  # as in a worker
    codec, scorers = codecs.create("jpeg"), [metrics.create(name) for name in METRICS]
    seconds = 0.0
    for path in sorted((data / "kodak").glob("*.png")):
        picture = Picture(read_pixels(path))
        began = time.process_time()
        prepared = [scorer.prepare(picture) for scorer in scorers]
        for quality in QUALITIES:
            decoded = codec.decode(codec.encode(picture, quality))
            for scorer, original in zip(scorers, prepared, strict=True):
                scorer.score(original, decoded)
        seconds += time.process_time() - began
    return seconds


def cells_seconds(store: Path) -> float:
    """Return the time from the first cell to the last, without start and end of the program."""
    with sqlite3.connect(store / "arena.db") as connection:
        began, ended = connection.execute("SELECT started_at, finished_at FROM runs ORDER BY id").fetchone()
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()


def means(store: Path) -> dict[str, list[float]]:
    """Return our curves in the form of CompressAI's."""
    query = """
        SELECT m.quality, avg(8.0 * m.bitstream_bytes / (p.height * p.width)),
               avg(CASE t.name WHEN 'psnr' THEN s.value END), avg(CASE t.name WHEN 'ms-ssim' THEN s.value END)
        FROM measurements m JOIN pictures p ON p.sha256 = m.picture_sha256
        JOIN scores s ON s.original_sha256 = m.picture_sha256 AND s.decoded_sha256 = m.decoded_sha256
        JOIN metrics t ON t.id = s.metric_id GROUP BY m.quality ORDER BY m.quality"""
    with sqlite3.connect(store / "arena.db") as connection:
        rows = connection.execute(query).fetchall()
    return {
        "bpp": [row[1] for row in rows],
        "psnr-rgb": [row[2] for row in rows],
        "ms-ssim-rgb": [row[3] for row in rows],
    }


class Rounds:
    """What the rounds took."""

    def __init__(self, folder: Path, data: Path) -> None:
        self.folder, self.data = folder, data
        self.seconds: dict[str, list[float]] = {"two": [], "one": [], "again": [], "compressai": []}
        self.within: dict[str, list[float]] = {"two": [], "one": []}
        self.bounds: list[float] = []
        self.shares: list[float] = []
        """Of the cores, that other programs used in each round."""
        self.differences: dict[str, float] = {}
        (folder / "suite.toml").write_text(SUITE)

    def make(self, index: int) -> None:
        """Make one round: ours and CompressAI's, one after the other."""
        watch = Watch(())
        began = watch.look(())
        self.run("two", index, 2)
        took, out = timed(theirs(self.data), OMP_NUM_THREADS="1")
        self.shares.append(watch.share(began, watch.look(())))
        self.seconds["compressai"].append(took)
        curves = json.loads(out)["results"]
        for key, values in means(self.folder / f"two{index}").items():
            gaps = [abs(mean - other) for mean, other in zip(values, curves[key], strict=True)]
            self.differences[key] = max(self.differences.get(key, 0.0), *gaps)
        if index < OTHER_ROUNDS:
            self.seconds["again"].append(
                timed(codecarena_command(self.folder, self.data, 2, f"two{index}"))[0]
            )
            self.run("one", index, 1)
            self.bounds.append(bound_seconds(self.data))

    def run(self, key: str, index: int, workers: int) -> None:
        """Run the suite on a store of its own."""
        words = codecarena_command(self.folder, self.data, workers, f"{key}{index}")
        self.seconds[key].append(timed(words)[0])
        self.within[key].append(cells_seconds(self.folder / f"{key}{index}"))


def main() -> None:
    """Alternate the programs, then write the record."""
    data = Path(sys.argv[1]).absolute()
    count = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
    with tempfile.TemporaryDirectory() as name:
        rounds = Rounds(Path(name), data)
        for index in range(count):
            rounds.make(index)
        peak = peak_mib(codecarena_command(Path(name), data, 2, "memory"))
    seconds, within, others = rounds.seconds, rounds.within, max(rounds.shares)
    middle = {key: median(values) for key, values in seconds.items()}
    ratios = [long / short for long, short in zip(seconds["compressai"], seconds["two"], strict=True)]
    bound = median(rounds.bounds)
    lines = [
        "# Kodak x JPEG 5..95 x (PSNR, MS-SSIM): 456 cells",
        "",
        "Made by `.venv/bin/python docs/benchmarks/kodak_jpeg_speed.py DATA`: "
        f"{count} rounds, the programs one after the other in each.",
        f"Machine: {cpu_model()}, {cores()} cores; others used at most {others:.0%} of it in a round.",
        *([f"**Not quiet** (over {LOADED_SHARE:.0%}): compare nothing."] if others > LOADED_SHARE else []),
        "Compare ratios, not seconds.",
        "",
        "| run | wall seconds, median | all |",
        "| --- | --- | --- |",
        *(
            f"| {label} | {middle[key]:.2f} | {' '.join(f'{wall:.2f}' for wall in seconds[key])} |"
            for key, label in (
                ("two", "codecarena, 2 workers"),
                ("one", "codecarena, 1 worker"),
                ("again", "codecarena, the finished run again"),
                ("compressai", "CompressAI bench, `-j 2`, `OMP_NUM_THREADS=1`"),
            )
        ),
        "",
        f"- **{median(ratios):.1f} times** as fast as CompressAI's bench at its best: "
        f"the median of {count} rounds, {min(ratios):.1f} to {max(ratios):.1f}.",
        f"- {middle['one'] / middle['two']:.2f} times as fast with two workers as with one, all included; "
        f"{median(within['one']) / median(within['two']):.2f} times from the first cell to the last.",
        f"- Codec and metrics alone take {bound:.2f} CPU seconds in one process: "
        f"on two cores no run goes below {bound / 2:.2f} s. "
        f"From the first cell to the last it took {median(within['two']):.2f} s, "
        f"{2 * median(within['two']) / bound - 1:.0%} more: reading, hashing, storing, messages.",
        f"- Peak resident memory of the whole process tree: {peak:.0f} MiB.",
        "- Largest difference of any point of the curves from CompressAI's, same libraries: "
        + ", ".join(f"{key} {value:.1e}" for key, value in rounds.differences.items())
        + ".",
        "",
    ]
    keep(RECORD, "\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
