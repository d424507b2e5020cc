"""Find the files of this repository that a script or a test can reach by imports."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
DATA_SUFFIXES = (".toml", ".safetensors", ".json", ".csv", ".js", ".html", ".css", ".mako")


def reached(starts: Iterable[Path]) -> set[Path]:
    """Return these files and all that they import, or name as ``module:Class``, in the end."""
    files: set[Path] = set()
    waiting = list(starts)
    while waiting:
        path = waiting.pop()
        if path in files or not path.is_file():
            continue
        files.add(path)
        waiting += _imported(path)
    return files


def with_data(files: set[Path]) -> set[Path]:
    """Return the files and the data that lie beside them: weights, tables, pages."""
    folders = {path.parent for path in files if not path.is_relative_to(ROOT / "tests")} - {ROOT}
    if any(folder.is_relative_to(ROOT / "codecs") for folder in folders):
        folders.add(ROOT / "codecs" / "weights")
    return files | {path for folder in folders for path in folder.iterdir() if path.suffix in DATA_SUFFIXES}


@cache
def _imported(path: Path) -> tuple[Path, ...]:
    return tuple(_imports(path)) if path.suffix == ".py" else ()


def _imports(path: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _files_of(alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = path.parents[node.level - 1] if node.level else None
            module = node.module or ""
            for name in (module, *(f"{module}.{alias.name}".strip(".") for alias in node.names)):
                yield from _files_of(name, base)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if re.fullmatch(r"\.*[a-z_]\w*(\.\w+)*:\w+", node.value):
                yield from _files_of(node.value.partition(":")[0].strip("."), path.parent)
            elif node.value.endswith(".worker"):  # a process of its own, started by the module's name
                yield path.with_name("worker.py")


def _files_of(module: str, base: Path | None = None) -> Iterator[Path]:
    """Yield where a module's file may lie: in the package, beside what imports it, in tests/support."""
    parts = module.split(".")
    if base is None and parts[0] == "codecarena":
        yield ROOT.joinpath(*parts[1:]).with_suffix(".py") if parts[1:] else ROOT / "__init__.py"
    else:
        yield (base or ROOT / "tests" / "support").joinpath(*parts).with_suffix(".py")
