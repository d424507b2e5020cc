"""Time the dashboard on 1,000,000 made-up scores, and a writer beside five readers; write the record.

Run from the repository root:  .venv/bin/python docs/benchmarks/dashboard_speed.py [SCORES [WRITES]]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "support"))

from record_age import keep
from synthetic_store import fill, sha

from codecarena.bench.store.store import Store
from codecarena.bench.store.tables.schema import MetricTable, ScoreTable
from codecarena.bench.store.writer import StoreWriter
from codecarena.bench.worker.device import cores, cpu_model

RECORD = Path(__file__).with_suffix(".md")
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
CODECS, SETTINGS, READERS = 10, 10, 5
KINDS = {"both": None, "natural": "natural", "AI-generated": "ai-generated"}
PAGES = {
    "Rate-distortion": ("rates", {}),
    "Look": ("look", {}),
    "Speed and cost": ("speed", {}),
    "Natural against AI-generated": ("natural", {}),
    "Metrics against people": ("people", {}),
    "Runs": ("runs", {}),
    "Leaderboard at a rate": ("leaderboard", {"view": "rate"}),
    "Leaderboard at a score": ("leaderboard", {"view": "score"}),
}


def tables(store: str) -> None:
    """Print seconds from opening a store to its leaderboards, in a process that has read nothing yet."""
    import numpy as np  # noqa: F401 - a server has it loaded long before a page is asked for

    from codecarena.bench.store.derived_cache import Derived
    from codecarena.reports.tables import leaderboards
    from codecarena.reports.tables.evidence import board_ranks
    from codecarena.reports.tables.selection import Selection, StoredColumns

    seconds: dict[str, tuple[float, float]] = {}
    clock, processor = time.perf_counter(), time.process_time()
    opened = Store(store)
    source = StoredColumns(opened, "synthetic")
    derived = Derived(opened)
    for number in range(2):
        for name, kind in KINDS.items():
            part = Selection(source, kind)
            metric = part.metrics[number]
            table = leaderboards.bd_table(part, [metric], "codec0", derived=derived)
            board_ranks(part, part.board(metric, "codec0"), derived)
            assert any("…" in row.entries[1].text for row in table.rows), "no interval"
            seconds[f"{metric.name}, {name}"] = time.perf_counter() - clock, time.process_time() - processor
            clock, processor = time.perf_counter(), time.process_time()
    print(json.dumps(seconds))


def pages(store: str) -> None:
    """Print seconds of every page: the first in this process, and again."""
    from streamlit.testing.v1 import AppTest

    # As on a server: it loads what is slow to load before it tells its address, the rest with its first page.
    from codecarena.reports.views import navigation  # noqa: F401

    os.environ["CODECARENA_STORE"] = store
    by_page: dict[str, tuple[float, float]] = {}
    script = (
        "import streamlit as st\nfrom codecarena.reports.views import {0}\n"
        "st.session_state['page'] = '{0}'\n{0}.main()"
    )
    # The store is read once, as on a server that somebody has used.
    AppTest.from_string(script.format("leaderboard"), default_timeout=600).run()
    for name, (page, query) in PAGES.items():
        seconds: list[float] = []
        for _ in range(2):
            test = AppTest.from_string(script.format(page), default_timeout=600)
            for key, value in query.items():
                test.query_params[key] = value
            began = time.perf_counter()
            test.run()
            seconds.append(time.perf_counter() - began)
            assert not test.exception, test.exception[0].value
        by_page[name] = seconds[0], seconds[1]
    print(json.dumps(by_page))
    os._exit(0)  # whatever is still being computed beside the pages is not waited for


def read(store: str, until: str) -> None:
    """Read leaderboards until a file appears; print how many."""
    from codecarena.reports.tables import leaderboards
    from codecarena.reports.tables.selection import Selection, StoredColumns

    opened, count = Store(store), 0
    while not Path(until).exists():
        part = Selection(StoredColumns(opened, "synthetic"))
        leaderboards.bd_table(part, [part.metrics[count % 3]], "codec0", derived=Nobody())
        opened.version()
        count += 1
    print(count)


class Nobody:
    """Computes no interval: what is timed is reading beside a writer."""

    def answer(self, kind, question, rows, compute):  # noqa: D102
        from codecarena.reports.tables.evidence import Pending

        del kind, rows, compute
        raise Pending(question)


def write_beside_readers(store: Path, writes: int) -> tuple[float, float, int, int]:
    """Return seconds, the longest write, rows that came, and how often five readers read everything."""
    end = store.parent / "end"
    call = [sys.executable, __file__, "read", str(store), str(end)]
    readers = [subprocess.Popen(call, stdout=subprocess.PIPE, text=True) for _ in range(READERS)]
    writer = StoreWriter(str(store))
    row = {
        "name": "written",
        "implementation": "synthetic",
        "version": "1",
        "colour_space": "RGB",
        "weights_sha256": None,
        "better": "higher",
        "perfect": None,
    }
    writer.insert_or_ignore(MetricTable, [{"id": "written", **row}])
    began, longest = time.perf_counter(), 0.0
    for number in range(writes):
        score = {
            "original_sha256": sha("picture", number % 100),
            "decoded_sha256": sha("written", number),
            "metric_id": "written",
            "value": float(number),
            "lossless": False,
            "seconds": 0.0,
        }
        start = time.perf_counter()
        writer.insert_or_ignore(ScoreTable, [score])
        longest = max(longest, time.perf_counter() - start)
    seconds = time.perf_counter() - began
    end.touch()
    counts = [int(reader.communicate()[0]) for reader in readers]
    assert all(reader.returncode == 0 for reader in readers), "a reader failed"
    writer.close()
    opened = Store(str(store))
    with opened.engine.connect() as connection:
        came = connection.exec_driver_sql(
            "SELECT count(*) FROM scores WHERE metric_id = 'written'"
        ).scalar_one()
    return seconds, longest, int(came), sum(counts)


def ask(*words: str) -> dict[str, tuple[float, float]]:
    """Return what a process of its own prints."""
    done = subprocess.run([sys.executable, __file__, *words], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main(scores: int, writes: int) -> None:
    """Fill a store, time it, then write the record."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "arena"
        pictures = scores // (CODECS * SETTINGS * len(METRICS))
        fill(store, pictures=pictures, codecs=CODECS, settings=SETTINGS, metrics=METRICS)
        # The first round computes the intervals and keeps them; then nobody has read anything yet.
        ask("tables", str(store))
        first = ask("tables", str(store))
        shown = ask("pages", str(store))
        seconds, longest, came, reads = write_beside_readers(store, writes)
        size = store.joinpath("arena.db").stat().st_size / 1e6
    lines = [
        "# The dashboard on a large store",
        "",
        f"Made by `.venv/bin/python docs/benchmarks/dashboard_speed.py {scores} {writes}`.",
        f"Machine: {cpu_model()}, {cores()} cores; load {os.getloadavg()[0]:.1f}, others' included.",
        f"Store: {scores:,} made-up scores of {pictures} pictures, {CODECS} codecs, {SETTINGS} settings and "
        f"{len(METRICS)} metrics, {size:.0f} MB.",
        "",
        "Leaderboards with intervals, tests and places, in a process that has read nothing: the first line "
        "holds opening and reading the store, each first one of a metric the reading of its scores.",
        "",
        "| metric, pictures | wall seconds | CPU seconds |",
        "| --- | --- | --- |",
        *(f"| {name} | {wall:.2f} | {cpu:.2f} |" for name, (wall, cpu) in first.items()),
        "",
        "Pages on a server where one leaderboard has been looked at, wall seconds: point values at once, "
        "intervals that nobody has asked for before follow by themselves.",
        "",
        "| page | first | again |",
        "| --- | --- | --- |",
        *(f"| {name} | {once:.2f} | {again:.2f} |" for name, (once, again) in shown.items()),
        "",
        f"A writer beside {READERS} processes that read the whole store again and again ({reads} times): "
        f"{writes:,} transactions of one score each in {seconds:.0f} s, the longest {longest:.2f} s; "
        f"{came:,} rows came, no lock error.",
    ]
    keep(RECORD, "\n".join(lines) + "\n")
    print("\n".join(lines))
    assert came == writes, "rows were lost"


if __name__ == "__main__":
    words = sys.argv[1:]
    if words and words[0] in ("tables", "pages", "read"):
        {"tables": tables, "pages": pages, "read": read}[words[0]](*words[1:])
    else:
        main(
            *(
                int(words[place]) if place < len(words) else usual
                for place, usual in ((0, 1_000_000), (1, 10_000))
            )
        )
