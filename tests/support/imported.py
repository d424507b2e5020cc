"""What the files of the package import, read from their source."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
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
    return imports_of(ast.parse(path.read_text()), path, for_types=for_types, root=root)


def imports_of(tree: ast.AST, path: Path, *, for_types: bool = True, root: Path = ROOT) -> list[str]:
    """Return every module that a tree of a file's source imports."""
    package = ("codecarena", *path.relative_to(root).parent.parts)
    named: list[str] = []
    for node in nodes(tree, for_types):
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


def arrows(paths: list[Path], root: Path = ROOT) -> dict[str, set[str]]:
    """Return, for each folder, the other folders whose modules its files import."""
    folders = {path: path.parent.relative_to(root).as_posix() for path in paths}
    of_module = {
        ".".join(("codecarena", *path.relative_to(root).with_suffix("").parts)): folder
        for path, folder in folders.items()
    }
    drawn: dict[str, set[str]] = {folder: set() for folder in folders.values()}
    for path, folder in folders.items():
        for name in imports(path, root=root):
            target = of_module.get(name) or of_module.get(name.rpartition(".")[0])
            if target and target != folder:
                drawn[folder].add(target)
    return drawn


def floors(drawn: Mapping[str, set[str]], room: str) -> dict[str, int]:
    """Return the floor of each folder of a room: 1 for those that import no other folder of it."""
    inside = {
        folder: {target for target in targets if target.split("/")[0] == room}
        for folder, targets in drawn.items()
        if folder.split("/")[0] == room
    }
    floor: dict[str, int] = {}
    for folder in TopologicalSorter(inside).static_order():
        floor[folder] = 1 + max((floor[target] for target in inside[folder]), default=0)
    return floor


def drawing(drawn: Mapping[str, set[str]], room: str) -> str:
    """Return a room's import graph in Mermaid's language: the arrows that follow from no others."""
    inside = {
        folder: {target for target in targets if target.split("/")[0] == room}
        for folder, targets in drawn.items()
        if folder.split("/")[0] == room
    }
    reached: dict[str, set[str]] = {}
    for folder in TopologicalSorter(inside).static_order():
        reached[folder] = inside[folder].union(*(reached[target] for target in inside[folder]))
    lines = ["flowchart TD"]
    for folder in sorted(inside):
        others = [reached[target] for target in inside[folder]]
        direct = sorted(target for target in inside[folder] if not any(target in far for far in others))
        lines += [f"  {folder} --> {target}" for target in direct] or [f"  {folder}"]
    return "\n".join(lines) + "\n"
