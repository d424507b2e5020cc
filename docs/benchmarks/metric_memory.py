"""Measure the most memory that a metric takes on a large pair, now and before; write the record.

Run from the repository root:  .venv/bin/python docs/benchmarks/metric_memory.py --before 335748c
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from codec_creation import package_at
from record_age import keep

from codecarena.bench.worker.device import cpu_model

RECORD = Path(__file__).with_suffix(".md")
METRICS = ("ms-ssim", "ssimulacra2-py", "cvvdp")
HEIGHT, WIDTH = 1229, 2048
MEASURES = ("bench/metrics/ssimulacra.py", "bench/metrics/ssim.py", "bench/metrics/colorvideovdp.py")
PROGRAM = """
import json, resource, sys, time
import numpy as np
from codecarena.bench.metrics import registry
from codecarena.codecs.base import Picture
name, height, width = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
random = np.random.default_rng(0)
small = random.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
original = np.repeat(np.repeat(small, 8, 0), 8, 1)[:height, :width].copy()
decoded = (original // 2 + random.integers(0, 9, original.shape, dtype=np.uint8) + 60).astype(np.uint8)
metric = registry.create(name)
most = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
loaded, began = most(), time.process_time()
score = metric.score(metric.prepare(Picture(original)), decoded)
print(json.dumps([loaded, most(), time.process_time() - began, score]))
"""


def measure(name: str, package: Path) -> tuple[float, float, float, float]:
    """Return MiB when loaded, the most MiB, CPU seconds and the score of a pair."""
    environment = os.environ | {"PYTHONPATH": str(package), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, name, str(HEIGHT), str(WIDTH)]
    ended = subprocess.run(command, env=environment, cwd=package, capture_output=True, text=True, check=True)
    return tuple(json.loads(ended.stdout.splitlines()[-1]))


def main() -> None:
    """Score a pair by every metric at both commits, then write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", required=True, help="commit to compare with")
    before = parser.parse_args().before
    rows: list[str] = []
    with package_at(before) as earlier, package_at("HEAD") as today:
        for name in METRICS:
            old, new = measure(name, earlier), measure(name, today)
            cells = [f"{value:.0f}" for value in (old[0], old[1], new[1])]
            cells += [f"{old[2]:.1f}", f"{new[2]:.1f}", f"{abs(old[3] - new[3]):.0e}"]
            rows.append(f"| {name} | {' | '.join(cells)} |")
            print(rows[-1], flush=True)
    text = [
        "# The most memory that a metric takes",
        "",
        f"{cpu_model()}: one pair of {WIDTH} x {HEIGHT} pixels (2.5 megapixels), the original",
        "prepared and the pair scored once in a new process with one thread,",
        f"at `{before}` and now. Made by `metric_memory.py`.",
        "",
        "| metric | MiB loaded | most MiB before | most MiB now | CPU-s before | CPU-s now | scores apart |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *rows,
    ]
    keep(RECORD, "\n".join(text))


if __name__ == "__main__":
    main()
