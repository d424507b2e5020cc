"""Time codecarena against CompressAI's bench on Kodak x JPEG 5..95 x (PSNR, MS-SSIM) and write the record.

Run from the repository root:  .venv/bin/python docs/benchmarks/kodak_jpeg_speed.py DATA [ROUNDS]
DATA holds kodak/; CompressAI must be installed beside codecarena.
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
from statistics import fmean, median
from typing import IO

import psutil
from record_age import keep

from codecarena.bench.worker.device import cores, cpu_model

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


def spent(store: Path) -> tuple[float, float]:
    """Return the seconds in encoders and decoders, and in metrics, summed over the workers."""
    with sqlite3.connect(store / "arena.db") as connection:
        times = connection.execute("SELECT encode_seconds, decode_seconds FROM measurements").fetchall()
        (scoring,) = connection.execute("SELECT sum(seconds) FROM scores").fetchone()
    return sum(sum(json.loads(cell)) for row in times for cell in row), scoring


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


def main() -> None:
    """Alternate the programs, then write the record."""
    data = Path(sys.argv[1]).absolute()
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    seconds: dict[str, list[float]] = {"two": [], "one": [], "again": [], "compressai": []}
    within: dict[str, list[float]] = {"two": [], "one": []}
    overheads: list[float] = []
    differences: dict[str, float] = {}
    load_before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "suite.toml").write_text(SUITE)
        for index in range(rounds):
            took, _ = timed(codecarena_command(folder, data, 2, f"two{index}"))
            codec, metric = spent(folder / f"two{index}")
            seconds["two"].append(took)
            overheads.append(1 - (codec + metric) / (2 * took))
            seconds["again"].append(timed(codecarena_command(folder, data, 2, f"two{index}"))[0])
            seconds["one"].append(timed(codecarena_command(folder, data, 1, f"one{index}"))[0])
            within["one"].append(cells_seconds(folder / f"one{index}"))
            within["two"].append(cells_seconds(folder / f"two{index}"))
            took, out = timed(theirs(data), OMP_NUM_THREADS="1")
            seconds["compressai"].append(took)
            curves = json.loads(out)["results"]
            for key, values in means(folder / f"two{index}").items():
                gaps = [abs(mean - other) for mean, other in zip(values, curves[key], strict=True)]
                differences[key] = max(differences.get(key, 0.0), *gaps)
        peak = peak_mib(codecarena_command(folder, data, 2, "memory"))
    middle = {key: median(values) for key, values in seconds.items()}
    lines = [
        "# Kodak x JPEG 5..95 x (PSNR, MS-SSIM): 456 cells",
        "",
        "Made by `.venv/bin/python docs/benchmarks/kodak_jpeg_speed.py DATA`: "
        f"{rounds} rounds, the programs one after the other in each; medians.",
        f"Machine: {cpu_model()}, {cores()} cores; load before {load_before:.1f}. "
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
        f"- **{middle['compressai'] / middle['two']:.1f} times** as fast as CompressAI's bench at its best.",
        f"- {middle['one'] / middle['two']:.2f} times as fast with two workers as with one, all included; "
        f"{median(within['one']) / median(within['two']):.2f} times from the first cell to the last.",
        f"- Peak resident memory of the whole process tree: {peak:.0f} MiB.",
        f"- Share of the workers' wall time that is neither codec nor metric: {fmean(overheads):.0%} "
        "(start-up, reading pictures, hashing, pipes, SQLite).",
        "- Largest difference of any point of the curves from CompressAI's, same libraries: "
        + ", ".join(f"{key} {value:.1e}" for key, value in differences.items())
        + ".",
        "",
    ]
    keep(RECORD, "\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
