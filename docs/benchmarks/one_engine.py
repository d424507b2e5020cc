"""Measure what tables of a large store cost on the command line, beside an earlier commit; write the record.

Both commits are checked out into a temporary folder and measured in turn, each on a copy of the same made-up
store. Run from the repository root:

    .venv/bin/python docs/benchmarks/one_engine.py [BEFORE [SCORES [ROUNDS]]]
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "support"))

from record_age import keep
from synthetic_store import fill

from codecarena.bench.worker.device import cores, cpu_model

MEASURES = ("reports/cli/commands.py", "reports/cli/leaderboard_commands.py")
"""What runs in processes of its own."""
ROOT = Path(__file__).parents[2]
RECORD = Path(__file__).with_suffix(".md")
BEFORE = "cd787b3"
"""The last commit with two engines."""
METRICS = (
    "ssimulacra2",
    "ms-ssim",
    "psnr",
    "ssim",
    "butteraugli",
    "flip",
    "vmaf",
    "cvvdp",
    "psnr-hvs",
    "xpsnr",
)
CODECS, SETTINGS = 10, 10


class Task(NamedTuple):
    """A command and what it may cost."""

    words: tuple[str, ...]
    share: float
    """Of the scores that the store has."""
    keeps: bool
    """Whether answers are kept from a call before; else they are deleted."""
    cpu_seconds: float | None = None
    """At most; None where nothing was promised."""
    mebibytes: float | None = None


TASKS = {
    # In this order: what is computed anew is kept for the call after it.
    "leaderboard, answers deleted": Task(("leaderboard", "--json"), 1.0, False, 25, 450),
    "leaderboard, answers kept": Task(("leaderboard", "--json"), 1.0, True, 8, 300),
    "report, answers deleted": Task(("report",), 0.1, False, 10),
}


class Cost(NamedTuple):
    """What one call took."""

    cpu_seconds: float
    """User and system time of the process and its children."""
    mebibytes: float
    """Largest resident memory of one process."""


def checkout(commit: str, folder: Path) -> Path:
    """Check a commit out as a package of its own and return the folder that holds it."""
    place = folder / "codecarena"
    subprocess.run(["git", "worktree", "add", "--detach", "-q", str(place), commit], cwd=ROOT, check=True)
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(place)], check=False)
    return folder


def call(version: Path, words: tuple[str, ...], store: Path) -> Cost:
    """Run codecarena of one version on a store."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPATH"] = str(version)
    out = [str(store.parent / "report.html")] if words[0] == "report" else []
    command = [sys.executable, "-m", "codecarena", *words, *out, "--store", str(store)]
    with (store.parent / "output.txt").open("wb") as output:
        process = subprocess.Popen(command, cwd=store.parent, env=environment, stdout=output, stderr=output)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}\n{(store.parent / 'output.txt').read_text()[-2000:]}")
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def forget(store: Path) -> None:
    """Delete all kept answers."""
    with sqlite3.connect(store / "arena.db") as connection:
        connection.execute("DELETE FROM derived")


def measure(version: Path, task: Task, store: Path) -> Cost:
    """Return what a command costs, its answers kept or deleted before it."""
    if not task.keeps:
        forget(store)
    return call(version, task.words, store)


def stores(folder: Path, scores: int) -> dict[float, Path]:
    """Return made-up stores by their share of the scores."""
    made: dict[float, Path] = {}
    for share in sorted({task.share for task in TASKS.values()}):
        made[share] = folder / f"{share:g}" / "arena"
        pictures = max(2, round(share * scores / (CODECS * SETTINGS * len(METRICS))))
        made[share].parent.mkdir()
        fill(made[share], pictures=pictures, codecs=CODECS, settings=SETTINGS, metrics=METRICS)
    return made


def compared(before: str, scores: int, rounds: int) -> dict[str, list[list[Cost]]]:
    """Return the costs of every task, by name and then of the two versions, each call in turn."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        versions = [checkout(commit, folder / side) for side, commit in (("old", before), ("new", "HEAD"))]
        try:
            made = stores(folder, scores)
            copies: list[dict[float, Path]] = []
            for version in versions:
                copies.append({share: version / f"store {share:g}" / "arena" for share in made})
                for share, store in copies[-1].items():
                    shutil.copytree(made[share], store)
            return {name: _costs(task, versions, copies, rounds) for name, task in TASKS.items()}
        finally:
            for version in versions:
                place = str(version / "codecarena")
                subprocess.run(["git", "worktree", "remove", "--force", place], cwd=ROOT, check=True)


def _costs(
    task: Task, versions: list[Path], copies: list[dict[float, Path]], rounds: int
) -> list[list[Cost]]:
    """Return the costs of a task: of the earlier version once, of today's in every round."""
    costs: list[list[Cost]] = [[] for _ in versions]
    for turn in range(rounds):
        for place, (version, copy) in enumerate(zip(versions, copies, strict=True)):
            if turn == 0 or place == len(versions) - 1:
                costs[place].append(measure(version, task, copy[task.share]))
    return costs


def written(costs: list[Cost]) -> str:
    """Return medians as the table has them."""
    return (
        f"{median(cost.cpu_seconds for cost in costs):.1f} | {median(cost.mebibytes for cost in costs):,.0f}"
    )


def limit(task: Task) -> str:
    """Return what a task may cost."""
    asked = [
        f"{task.cpu_seconds:g} s" if task.cpu_seconds else "",
        f"{task.mebibytes:g} MiB" if task.mebibytes else "",
    ]
    return ", ".join(text for text in asked if text)


def main(before: str = BEFORE, scores: int = 1_000_000, rounds: int = 3) -> None:
    """Measure both commits, then write the record."""
    commits = [
        subprocess.check_output(["git", "rev-parse", "--short", revision], cwd=ROOT, text=True).strip()
        for revision in (before, "HEAD")
    ]
    costs = compared(before, scores, rounds)
    lines = [
        "# One engine",
        "",
        f"Made by `.venv/bin/python docs/benchmarks/one_engine.py {before} {scores} {rounds}`.",
        f"Machine: {cpu_model()}, {cores()} cores; load {os.getloadavg()[0]:.1f}, others' included.",
        "",
        f"Commands on a made-up store of {scores:,} scores ({CODECS} codecs, {SETTINGS} settings, "
        f"{len(METRICS)} metrics), the report on a tenth of them: processor seconds of the whole process and "
        f"its largest resident memory; before of one call, now the medians of {rounds}, begun in turn. "
        f"Before: {commits[0]}; now: {commits[1]}.",
        "The limits are for a machine where the earlier commit takes 76, 62 and 32 s, in the table's order.",
        "",
        "| command | before, CPU s | MiB | now, CPU s | MiB | at most |",
        "| --- | --- | --- | --- | --- | --- |",
        *(
            f"| {name} | {written(old)} | {written(new)} | {limit(TASKS[name])} |"
            for name, (old, new) in costs.items()
        ),
        "",
    ]
    keep(RECORD, "\n".join(lines))
    print("\n".join(lines))
    over = [
        name
        for name, (_, new) in costs.items()
        if median(cost.cpu_seconds for cost in new) > (TASKS[name].cpu_seconds or float("inf"))
        or median(cost.mebibytes for cost in new) > (TASKS[name].mebibytes or float("inf"))
    ]
    if over:
        raise SystemExit(f"over the limit: {', '.join(over)}")


if __name__ == "__main__":
    words = sys.argv[1:]
    main(*words[:1], *map(int, words[1:3]))
