"""List the records of this folder that are older than the code they measure.

Every record ends with the commit it was made at. It is out of date when a file that its script can reach by
imports, or names in ``MEASURES``, has other code today; comments, docstrings and imports do not count. The
records of the tests (long.md, mutants.md, suite_speed.md) say themselves what they belong to: not listed.

Run from the repository root:  make records     (exit status 1 where a record is out of date)
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from sources import ROOT, reached

FOLDER = Path(__file__).parent
STAMP = re.compile(r"^(?:Made|Recorded) at commit `([0-9a-f]{7,40})`", re.MULTILINE)
OF_TESTS = ("long", "mutants", "suite_speed")
_NAMED = 3
"""How many changed files a line names."""


def keep(record: Path, text: str, script: Path | None = None) -> None:
    """Write a record with the commit it was made at.

    Args:
        record: The file.
        text: Of the record, without the commit.
        script: What made it; the script of the record's name where None.
    """
    made_by = script.with_suffix(".md") if script else record
    record.write_text(f"{text.rstrip()}\n\n{stamp(made_by)}\n")


def stamp(record: Path) -> str:
    """Return the line that says at which commit a record is made, and whether its code is all committed."""
    commit = _git("rev-parse", "--short=10", "HEAD").strip()
    files = [str(path.relative_to(ROOT)) for path in measured(record)]
    changed = _git("status", "--porcelain", "--", *files).strip()
    return f"Made at commit `{commit}`{' with changes that were not committed yet' if changed else ''}."


def measured(record: Path) -> list[Path]:
    """Return the product's files whose code decides on what a record says."""
    script = record.with_suffix(".py")
    starts = [script, *(ROOT / name for name in files_run_by(script))]
    return sorted(path for path in reached(starts) if path.parent != FOLDER)


def files_run_by(script: Path) -> tuple[str, ...]:
    """Return what a script names in ``MEASURES``: files that it runs in other processes."""
    for node in ast.parse(script.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "MEASURES":
            return tuple(ast.literal_eval(node.value))
    return ()


def changed_since(record: Path) -> list[str] | None:
    """Return which files have other code than when a record was made; None where it names no commit."""
    named = STAMP.search(record.read_text())
    if named is None:
        return None
    then = _blobs_at(named[1])
    today = _blobs_today()
    files = [str(path.relative_to(ROOT)) for path in measured(record)]
    return [name for name in files if not _same_code(then.get(name), today[name])]


def _same_code(then: str | None, today: str) -> bool:
    return then == today or (then is not None and _code(then) == _code(today))


@cache
def _code(blob: str) -> str:
    """Return what a stored Python file does, as text."""
    return code_of(_git("cat-file", "blob", blob))


def code_of(source: str) -> str:
    """Return the syntax tree of a Python file as text, without docstrings and imports."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            body[:] = [line for line in body if not _says_nothing(line)]
    return ast.dump(tree)


def _says_nothing(line: ast.AST) -> bool:
    text = isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)
    return text or isinstance(line, ast.Import | ast.ImportFrom)


@cache
def _blobs_at(commit: str) -> Mapping[str, str]:
    lines = _git("ls-tree", "-r", commit).splitlines()
    return {line.partition("\t")[2]: line.split()[2] for line in lines}


@cache
def _blobs_today() -> Mapping[str, str]:
    """Return the blob of each Python file as it lies here, committed or not."""
    names = [
        name
        for name in _git("ls-files", "--cached", "--others", "--exclude-standard", "*.py").split("\n")
        if name
    ]
    names = [name for name in names if (ROOT / name).is_file()]
    listed = "\n".join(names)
    return dict(zip(names, _git("hash-object", "-w", "--stdin-paths", given=listed).split(), strict=True))


def _git(*words: str, given: str | None = None) -> str:
    ended = subprocess.run(["git", *words], cwd=ROOT, input=given, capture_output=True, text=True, check=True)
    return ended.stdout


def main() -> int:
    """Print a line for each record, and return 1 where one is out of date or names no commit."""
    stale = 0
    for record in sorted(FOLDER.glob("*.md")):
        if record.stem in OF_TESTS or not record.with_suffix(".py").exists():
            continue
        changed = changed_since(record)
        if changed is None:
            print(f"{record.name}: names no commit")
        elif changed:
            more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
            print(f"{record.name}: older than {', '.join(changed[:_NAMED])}{more}")
        else:
            print(f"{record.name}: of today's code")
        stale += changed != []
    return int(stale > 0)


if __name__ == "__main__":
    sys.exit(main())
