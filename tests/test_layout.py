"""The root is the package: what that must not break, and which room may import which."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("bench", "codecs", "datasets", "reports", "studies")
MAY_IMPORT = {
    "codecs": set(),
    "datasets": set(),
    "bench": {"codecs", "datasets"},
    "studies": {"bench.records", "bench.store", "bench.analysis", "bench.options", "datasets.validation"},
    "reports": {"bench.records", "bench.store", "bench.analysis", "bench.options", "studies"},
}
FOLDERS_MAY_IMPORT = {"bench.records": set(), "bench.store": {"bench.records"}}
"""Of the other folders and files of their room."""
OWNERS = {
    "sqlalchemy": ("bench/store/", "studies/ledger"),
    "alembic": ("bench/store/",),
    "streamlit": ("reports/", "studies/trial/"),
}

GROWING = {
    *("MatchReport", "Report", "SetReport", "TimingReport"),
    *("Found", "Outcome", "Prepared", "Trained", "WeightFiles", "_Record", "_Search", "_State"),
}
"""Records that are filled while work goes on; all others are frozen."""
CACHING = {"Asset", "PairCounts", "Tally"}
"""Records that keep what they have computed, which slots do not allow."""


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
    found = []
    for node in nodes(ast.parse(path.read_text()), for_types):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            ours = base or module.split(".")[0] == "codecarena"
            found += [f"{module}.{alias.name}" for alias in node.names] if ours else [module]
    return found


def first_circle(paths: Iterable[Path], root: Path = ROOT) -> list[str]:
    """Return files that import each other in a circle, the first one again at the end; none if none do."""
    files = {".".join(("codecarena", *path.relative_to(root).with_suffix("").parts)): path for path in paths}
    arrows = {}
    for module, path in files.items():
        named = imports(path, for_types=False, root=root)
        arrows[module] = {
            one for name in named for one in (name, name.rpartition(".")[0]) if one in files and one != module
        }
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_no_room_imports_against_the_flow() -> None:
    wrong = []
    for path in sources():
        room = path.relative_to(ROOT).parts[0]
        for name in imports(path):
            parts = name.split(".")
            if parts[0] != "codecarena" or len(parts) < 2 or parts[1] not in ROOMS or parts[1] == room:
                continue
            if parts[1] not in MAY_IMPORT[room] and ".".join(parts[1:3]) not in MAY_IMPORT[room]:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(("folder", "others"), FOLDERS_MAY_IMPORT.items())
def test_a_folder_imports_only_what_lies_below_it(folder: str, others: set[str]) -> None:
    room = folder.split(".")[0]
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ROOT / folder.replace(".", "/")).rglob("*.py"))
        for name in imports(path)
        if name.startswith(f"codecarena.{room}.") and ".".join(name.split(".")[1:3]) not in {folder, *others}
    ]
    assert not wrong, "\n".join(wrong)


def test_the_layer_test_sees_a_wrong_import(tmp_path: Path) -> None:
    path = ROOT / "codecs" / "registry.py"
    assert "codecarena.codecs.base.Codec" in imports(path)


def test_no_files_import_each_other_in_a_circle() -> None:
    assert first_circle([*sources(), ROOT / "cli.py"]) == []


@pytest.mark.parametrize(
    ("line", "circle"),
    [
        ("from .b import name", True),
        ("from . import b", True),
        ("from codecarena.room.b import name", True),
        ("from codecarena.room import b", True),
        ("import codecarena.room.b", True),
        ("def call():\n    from .b import name", True),
        ("if TYPE_CHECKING:\n    from .b import name", False),
        ("from .c import b", False),
    ],
)
def test_the_test_of_circles_sees_one(tmp_path: Path, line: str, circle: bool) -> None:
    (tmp_path / "room").mkdir()
    for name, text in {"a": line, "b": "from . import a", "c": ""}.items():
        (tmp_path / "room" / f"{name}.py").write_text(text)
    paths = sorted((tmp_path / "room").iterdir())
    assert set(first_circle(paths, tmp_path)) == (
        {"codecarena.room.a", "codecarena.room.b"} if circle else set()
    )


@pytest.mark.parametrize(("library", "owners"), OWNERS.items())
def test_a_library_stays_with_its_owner(library: str, owners: tuple[str, ...]) -> None:
    users = [
        str(path.relative_to(ROOT))
        for path in sources()
        if any(name.split(".")[0] == library for name in imports(path))
    ]
    assert users
    assert [user for user in users if not user.startswith(owners)] == []


def test_the_package_list_equals_the_folders() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = {path.parent.relative_to(ROOT) for path in sources()}
    assert sorted(listed) == sorted(
        {"codecarena", *(".".join(("codecarena", *one.parts)) for one in folders)}
    )


def test_no_room_has_an_init_file_or_a_standard_name() -> None:
    assert [path for path in sources() if path.name == "__init__.py"] == []
    assert [path for path in sources() if path.stem in sys.stdlib_module_names] == []


def test_no_file_is_over_400_lines() -> None:
    every = [*sources(), ROOT / "cli.py", *(ROOT / "tests").rglob("*.py")]
    assert [(path.name, lines) for path in every if (lines := len(path.read_text().splitlines())) > 400] == []


def test_outside_packages_of_the_same_names_win_in_the_root() -> None:
    code = "import codecs, datasets; print(codecs.__file__); print(datasets.__file__)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    standard, hugging_face = run.stdout.splitlines()
    assert Path(standard).parent == Path(ast.__file__).parent
    assert "site-packages" in hugging_face


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["list", "codecs"],
        ["list", "metrics"],
        ["list", "sets"],
        ["list", "suites"],
    ],
)
def test_quick_commands_import_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys; sys.argv = ['codecarena', *sys.argv[1:]]\n"
        "from codecarena import cli\n"
        "try: cli.main()\n"
        "except SystemExit as end: assert not end.code, end\n"
        "heavy = {'torch', 'pandas', 'streamlit', 'sqlalchemy', 'scipy', 'cv2', 'seaborn', 'matplotlib'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_records_are_frozen_and_have_slots() -> None:
    wrong = []
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            for made in node.decorator_list if isinstance(node, ast.ClassDef) else []:
                if not ast.unparse(made).startswith("dataclass"):
                    continue
                words = {one.arg: ast.unparse(one.value) for one in getattr(made, "keywords", [])}
                frozen, slots = (words.get(name) == "True" for name in ("frozen", "slots"))
                if not ((frozen or node.name in GROWING) and (slots or node.name in CACHING)):
                    wrong.append(f"{path.relative_to(ROOT)}: {node.name}")
    assert not wrong, f"expected @dataclass(frozen=True, slots=True): {wrong}"
