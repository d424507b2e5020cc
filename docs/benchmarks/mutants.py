"""Plant one fault of one line after another at random places, and record how many the tests notice.

Cosmic Ray makes the faults: an operator, a comparison, a number, a condition changed. What nothing could
notice is not planted: faults inside annotations and under ``if TYPE_CHECKING``. A fault is planted in a copy
of the tree and meets the tests that ran its line when the whole suite was run with coverage, the cheapest
first, up to `BUDGET_SECONDS` of them: what survives might fall to a later test, so the rate is a lower bound.

Run from the repository root:  make mutants                    (every room, on with what was stopped)
                               make mutants ROOMS=studies      (some rooms)
                               make mutants SEED=2             (another sample)
"""

from __future__ import annotations

import argparse
import ast
import difflib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from xml.etree import ElementTree

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names
from coverage import CoverageData
from scipy import stats

from codecarena.bench.worker.device import cores, cpu_model

ROOT = Path(__file__).parents[2]
RECORD = Path(__file__).with_suffix(".md")
RESULTS = Path(__file__).with_suffix(".json")
"""What was planted and what noticed it: the record is written from it."""
EQUIVALENT = Path(__file__).with_name("mutants_equivalent.toml")
"""Faults that change nothing a user could see, each with the reason."""
KEPT = ROOT / ".mutants"
"""Which tests ran which line; made anew when it is deleted."""
SAMPLE = 100
BUDGET_SECONDS = 40.0
READING = "tests/test_layout.py::test_records_are_frozen_and_have_slots"
"""Reads the source instead of running it, so that coverage does not know what it covers."""
LEVEL = 0.95
ROOMS = {
    "analysis": ("bench/analysis/*.py",),
    "metrics": ("bench/metrics/*.py", "bench/sets/*.py"),
    "runner": ("bench/*.py", "bench/records/*.py", "bench/store/*.py"),
    "codecs": ("codecs/**/*.py",),
    "datasets": ("datasets/*.py", "picture_*.py"),
    "reports": ("reports/**/*.py",),
    "studies": ("studies/**/*.py",),
}
COVERAGE = """
[run]
source = {root}
omit = {root}/tests/*
data_file = {data}
parallel = true
patch = subprocess
context = ${{PYTEST_CURRENT_TEST}}
"""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A fault of one place."""

    path: str
    line: int
    operator: str
    occurrence: int
    before: str
    """The lines as they are."""
    after: str
    """The lines with the fault."""

    @property
    def name(self) -> str:
        """What it is called in the results."""
        return f"{self.path}:{self.line}: {self.before} -> {self.after}"


def main() -> int:
    """Plant what is missing of each room's sample and write the record after each fault."""
    reader = argparse.ArgumentParser()
    reader.add_argument("rooms", nargs="*", choices=[*ROOMS, []], help="all if absent")
    reader.add_argument("--seed", type=int, default=1, help="of the sample")
    chosen = reader.parse_args()
    results: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(cores()):
            copies.put(copy_of_the_tree(Path(folder) / str(number)))
        tests_of_line, seconds_of_test = covering_tests(Path(folder))
        for room in chosen.rooms or ROOMS:
            mutants = sample(room, chosen.seed)
            if results.get(room, {}).get("seed") != chosen.seed:
                results[room] = {"seed": chosen.seed, "planted": {}}
            planted = results[room]["planted"]

            def plant(mutant: Mutant) -> tuple[str, str]:
                copy = copies.get()
                try:
                    chosen_tests = tests_for(mutant, tests_of_line, seconds_of_test)
                    return mutant.name, noticed_by(mutant, copy, chosen_tests)
                finally:
                    copies.put(copy)

            waiting = [mutant for mutant in mutants if mutant.name not in planted]
            with ThreadPoolExecutor(cores()) as pool:
                for name, killer in pool.map(plant, waiting):
                    planted[name] = killer
                    print(f"{room}: {'noticed ' if killer else 'SURVIVES'} {name}  {killer}", flush=True)
                    save(results, room)
            for killer in failing_without_a_fault(copies, sorted(set(filter(None, planted.values())))):
                print(f"{room}: {killer} fails without a fault: what it noticed counts as not noticed")
                planted |= {name: "" for name, by in planted.items() if by == killer}
                save(results, room)
    return 0


def copy_of_the_tree(folder: Path) -> Path:
    """Copy the working tree and a link that makes the copy the package; return the copy."""
    copy, library = folder / "copy", folder / "library"
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\n")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    library.mkdir(parents=True)
    (library / "codecarena").symlink_to(copy)
    return copy


def environment(copy: Path) -> dict[str, str]:
    """Return the environment in which the tests import the copy."""
    data = os.environ.get("CODECARENA_TEST_DATA", str(ROOT.parent / "shared" / "data"))
    added = {"PYTHONPATH": str(copy.parent / "library"), "PYTHONDONTWRITEBYTECODE": "1", "CI": ""}
    return os.environ | added | {"CODECARENA_TEST_DATA": data}


def covering_tests(folder: Path) -> tuple[dict[str, dict[int, set[str]]], dict[str, float]]:
    """Return the tests that ran each line of each file, and the seconds of each test."""
    if not (KEPT / "report.xml").exists():
        KEPT.mkdir(exist_ok=True)
        copy = copy_of_the_tree(folder / "covered")
        settings = folder / "coverage.ini"
        settings.write_text(COVERAGE.format(root=copy, data=folder / "lines"))
        words = ["-n", "auto", "--dist", "loadgroup", "--cov", "--cov-context=test", "--cov-report="]
        words += [
            f"--cov-config={settings}",
            "-o",
            "junit_family=xunit1",
            f"--junitxml={KEPT / 'report.xml'}",
        ]
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
        subprocess.run(command, cwd=copy, env=environment(copy), check=False)
        leftover = [str(path) for path in folder.glob("lines.*")]
        combine = ["combine", f"--rcfile={settings}", "--append", *leftover]
        subprocess.run([sys.executable, "-m", "coverage", *combine], cwd=copy, check=False)
        shutil.copy2(folder / "lines", KEPT / "lines")
    # A test that fails without a fault can notice none.
    seconds = {
        case_id(case): float(case.get("time", "0"))
        for case in ElementTree.parse(KEPT / "report.xml").iter("testcase")
        if case.find("failure") is None and case.find("error") is None
    }
    data = CoverageData(str(KEPT / "lines"))
    data.read()
    ran: dict[str, dict[int, set[str]]] = {}
    for path in data.measured_files():
        by_line = data.contexts_by_lineno(path)
        name = path.partition("/covered/copy/")[2]
        ran[name] = {line: set(filter(None, map(test_of, contexts))) for line, contexts in by_line.items()}
    return ran, seconds


def case_id(case: ElementTree.Element) -> str:
    """Return the id by which pytest runs a case of its report: an inherited test stands in another file."""
    parts = case.get("classname", "").split(".")
    length = next(
        (n for n in range(len(parts), 0, -1) if ROOT.joinpath(*parts[:n]).with_suffix(".py").is_file()), 0
    )
    path = "/".join(parts[:length]) + ".py"
    return "::".join(filter(None, (path, ".".join(parts[length:]), case.get("name", ""))))


def test_of(context: str) -> str:
    """Return the test that a context of coverage names: ``id|run`` in pytest, ``id (call)`` in a child."""
    return context.partition("|")[0].rpartition(" (")[0] or context.partition("|")[0]


def sample(room: str, seed: int) -> list[Mutant]:
    """Return faults at random places of a room, in random order."""
    paths = sorted({path for pattern in ROOMS[room] for path in ROOT.glob(pattern)})
    places = [place for path in paths if "migrations" not in path.parts for place in places_of(path)]
    random.Random(f"{room} {seed}").shuffle(places)
    chosen: list[Mutant] = []
    for path, line, operator, occurrence in places:
        if len(chosen) == SAMPLE:
            break
        chosen += [planted] if (planted := mutant(path, line, operator, occurrence)) else []
    return chosen


def places_of(path: Path) -> Iterator[tuple[Path, int, str, int]]:
    """Yield every fault that could be planted in a file: its line, its operator, which of the operator's."""
    source = path.read_text()
    unseen = list(never_run(ast.parse(source)))
    nodes = list(ast_nodes(get_ast(source)))
    for name in operator_names():
        operator = get_operator(name)
        if operator.arguments():
            continue
        positions = [position for node in nodes for position in operator().mutation_positions(node)]
        for occurrence, (start, end) in enumerate(positions):
            if not any(first <= start and end <= last for first, last in unseen):
                yield path, start[0], name, occurrence


def never_run(tree: ast.Module) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Yield the spans of annotations, which nothing evaluates, and of imports for type checkers alone."""
    for node in ast.walk(tree):
        spans: list[ast.AST | None] = []
        if isinstance(node, ast.arg):
            spans.append(node.annotation)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            spans.append(node.returns)
        elif isinstance(node, ast.AnnAssign):
            spans.append(node.annotation)
        elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            spans.append(node)
        for span in spans:
            if span is not None:
                yield (span.lineno, span.col_offset), (span.end_lineno, span.end_col_offset)  # type: ignore


def mutant(path: Path, line: int, operator: str, occurrence: int) -> Mutant | None:
    """Return the fault with the lines it changes, None where Cosmic Ray changes nothing."""
    source = path.read_text()
    changed = mutate_code(source, get_operator(operator)(), occurrence)
    if changed is None or changed == source:
        return None
    difference = list(difflib.ndiff(source.splitlines(), changed.splitlines()))
    before = " / ".join(row[2:].strip() for row in difference if row.startswith("- "))
    after = " / ".join(row[2:].strip() for row in difference if row.startswith("+ "))
    return Mutant(str(path.relative_to(ROOT)), line, operator, occurrence, before, after)


def tests_for(
    mutant: Mutant, tests_of_line: dict[str, dict[int, set[str]]], seconds: dict[str, float]
) -> list[str]:
    """Return the tests that could notice a fault, the cheapest first, within the budget."""
    lines = tests_of_line.get(mutant.path, {})
    tests = {test for test in lines.get(mutant.line, set()) if test in seconds}
    if not tests or not inside_a_function(mutant):  # what runs at import reaches whatever uses the file
        tests |= {test for of_line in lines.values() for test in of_line if test in seconds}
    chosen, spent = [], 0.0
    for test in sorted(tests, key=lambda test: (seconds[test], test)):
        spent += seconds[test]
        if chosen and spent > BUDGET_SECONDS:
            break
        chosen.append(test)
    return chosen if inside_a_function(mutant) else [READING, *chosen]


def inside_a_function(mutant: Mutant) -> bool:
    """Return whether a fault stands where a call reaches it, not only an import."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    return any(
        isinstance(node, functions) and body_of(node) <= mutant.line <= (node.end_lineno or 0)
        for node in ast.walk(ast.parse((ROOT / mutant.path).read_text()))
    )


def body_of(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> int:
    """Return the first line that runs when a function is called."""
    return function.body.lineno if isinstance(function, ast.Lambda) else function.body[0].lineno


def noticed_by(mutant: Mutant, copy: Path, tests: list[str]) -> str:
    """Return the first test that fails with a fault in the copy, empty where none does."""
    path = copy / mutant.path
    source = path.read_text()
    changed = mutate_code(source, get_operator(mutant.operator)(), mutant.occurrence)
    assert changed is not None
    path.write_text(changed)
    try:
        # Those beside the fault first: most are noticed there, without importing what the others need.
        room = Path(mutant.path).parts[0]
        near = [test for test in tests if test.startswith(f"tests/{room}") or test.count("/") == 1]
        for some in (near, [test for test in tests if test not in near]):
            if some and (killer := first_failure(copy, some)):
                return killer
    finally:
        path.write_text(source)
    return ""


def failing_without_a_fault(copies: SimpleQueue[Path], killers: list[str]) -> list[str]:
    """Return which tests fail in a copy as it is, each by itself where all of them together do not pass."""
    copy = copies.get()
    try:
        tests = [killer for killer in killers if "::" in killer]
        if not tests or not first_failure(copy, tests):
            return []
        return [test for test in tests if first_failure(copy, [test])]
    finally:
        copies.put(copy)


def first_failure(copy: Path, tests: list[str]) -> str:
    """Run tests until one fails and return its name; a run that hangs has noticed as well."""
    listed = copy.parent / "tests.txt"
    listed.write_text("\n".join(tests))
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--tb=no", f"@{listed}"]
    try:
        ended = subprocess.run(
            command, cwd=copy, env=environment(copy), capture_output=True, text=True, timeout=600, check=False
        )
    except subprocess.TimeoutExpired:
        return "timeout"
    if ended.returncode == 0:
        return ""
    named = [row for row in ended.stdout.split("\n") if row.startswith(("FAILED ", "ERROR "))]
    if not named:
        return f"pytest ended with status {ended.returncode}"
    return named[0].partition(" ")[2].partition(" - ")[0]


def save(results: dict[str, Any], room: str) -> None:
    """Write the results and the record."""
    results[room] |= {"date": f"{datetime.now(UTC):%Y-%m-%d}", "machine": f"{cpu_model()}, {cores()} cores"}
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    RECORD.write_text(record(results))


def record(results: dict[str, Any]) -> str:
    """Return the record: a row a room with the exact (Clopper-Pearson) interval, then what survived."""
    reasons = tomllib.loads(EQUIVALENT.read_text()) if EQUIVALENT.exists() else {}
    lines = [
        "# Planted faults",
        "",
        f"Made by `make mutants`: up to {SAMPLE} faults of one line at random places of each room, made by",
        f"Cosmic Ray, each against the tests that run its line, up to {BUDGET_SECONDS:g} s of them.",
        "Faults argued to change nothing (below) are not counted.",
        "",
        "| room | sample | planted | equivalent | noticed | share | 95 % interval | day |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    survivors: list[str] = []
    for room, result in results.items():
        equivalent = [name for name, killer in result["planted"].items() if not killer and name in reasons]
        counted = {name: killer for name, killer in result["planted"].items() if name not in equivalent}
        noticed = sum(map(bool, counted.values()))
        low, high = stats.binomtest(noticed, max(len(counted), 1)).proportion_ci(LEVEL)
        share = 100 * noticed / max(len(counted), 1)
        lines.append(
            f"| {room} | {result['seed']} | {len(result['planted'])} | {len(equivalent)} | {noticed} | "
            f"{share:.0f} % | {100 * low:.0f} to {100 * high:.0f} % | {result['date']} |"
        )
        survivors += [f"- {room}: `{name}`" for name, killer in counted.items() if not killer]
    argued = [f"- `{name}`: {reason}" for name, reason in reasons.items()]
    return "\n".join([*lines, "", "## Not noticed", "", *survivors, "", "## Equivalent", "", *argued, ""])


if __name__ == "__main__":
    sys.exit(main())
