"""What the files of the package import, read from their source."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("bench", "codecs", "datasets", "reports", "studies")


def sources() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def nodes(tree: ast.AST, for_types: bool) -> Iterator[ast.AST]:
    """Yield what is in a file, what functions do included."""
    if not for_types and isinstance(tree, ast.If) and ast.unparse(tree.test) == "TYPE_CHECKING":
        return
    yield tree
    for child in ast.iter_child_nodes(tree):
        yield from nodes(child, for_types)


def imports(path: Path, *, for_types: bool = True, root: Path = ROOT) -> list[str]:
    """Return every module a file imports, ours as ``codecarena.room...``; or without those for types only."""
    package = ("codecarena", *path.relative_to(root).parent.parts)
    named: list[str] = []
    for node in nodes(ast.parse(path.read_text()), for_types):
        if isinstance(node, ast.Import):
            named += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            is_own = base or module.split(".")[0] == "codecarena"
            named += [f"{module}.{alias.name}" for alias in node.names] if is_own else [module]
    return named


def first_circle(paths: Iterable[Path], root: Path = ROOT) -> list[str]:
    """Return files that import each other in a circle, the first one again at the end; none if none do."""
    files = {".".join(("codecarena", *path.relative_to(root).with_suffix("").parts)): path for path in paths}
    arrows = {}
    for module, path in files.items():
        arrows[module] = {
            imported
            for name in imports(path, for_types=False, root=root)
            for imported in (name, name.rpartition(".")[0])
            if imported in files and imported != module
        }
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        return error.args[1]
    return []
