"""Hash the source of what computes an answer, so that a kept one is of the very same method."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
FOLDERS = ("bench/analysis", "bench/records", "studies")
"""Where methods lie. What only reads or shows numbers lies elsewhere: rows are in an answer's key anyway."""

_IMPORT = re.compile(r"^ *from (\.+)([\w.]*) import (\([^)]*\)|.*)", re.MULTILINE)


def source_sha256(functions: Iterable[Callable[..., object]]) -> str:
    """Return the SHA-256 of the files of some functions or classes, and of the methods' files they import.

    Files are read once in a process, in some milliseconds.
    """
    return _sha256_of(frozenset(function.__module__ for function in functions), ROOT)


@cache
def _sha256_of(modules: frozenset[str], root: Path) -> str:
    digest = hashlib.sha256()
    for name, text in sorted(_texts(modules, root).items()):
        digest.update(f"{name} {len(text)}\n{text}".encode())
    return digest.hexdigest()


def _texts(modules: frozenset[str], root: Path) -> dict[str, str]:
    """Return the text of each file that counts, by its name."""
    texts: dict[str, str] = {}
    waiting = [_name(module, root) for module in sorted(modules)]
    while waiting:
        name = waiting.pop()
        if name not in texts:
            texts[name] = _read(name, root)
            waiting += _imported(name, root)
    return texts


def _name(module: str, root: Path) -> str:
    """Return the name of a module's file in the root, or all of its path where it is elsewhere."""
    file = getattr(sys.modules[module], "__file__", None)
    if file is None:
        raise TypeError(f"expected a method with a source file, got one of {module}")
    path = Path(file)
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


@cache
def _read(name: str, root: Path) -> str:
    return (root / name).read_text(encoding="utf-8")


@cache
def _methods(root: Path) -> frozenset[str]:
    """Return the names of all files that a method may lie in, without their suffix."""
    paths = (path for folder in FOLDERS for path in (root / folder).rglob("*.py"))
    return frozenset(str(path.relative_to(root).with_suffix("")).replace("\\", "/") for path in paths)


@cache
def _imported(name: str, root: Path) -> tuple[str, ...]:
    """Return the names of the methods' files that a file imports, wherever in it.

    A pattern finds them ten times as quickly as the syntax tree does. It may find one in a text, too: then an
    answer depends on one file more.
    """
    candidates = _candidates(name, _read(name, root))
    return tuple(f"{module}.py" for module in candidates if module in _methods(root))


def _candidates(name: str, text: str) -> Iterator[str]:
    folders = name.split("/")[:-1]
    for dots, module, names in _IMPORT.findall(text):
        above = folders[: len(folders) + 1 - len(dots)]
        base = "/".join([*above, *module.split(".")] if module else above)
        yield base
        if not module or base.startswith(FOLDERS):
            yield from (f"{base}/{word}" for word in re.findall(r"\w+", names))
