"""The root is the package: what that must not break, and which room may import which."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("bench", "codecs", "datasets", "reports", "studies")
MAY_IMPORT = {
    "codecs": set(),
    "datasets": set(),
    "bench": {"codecs", "datasets"},
    "studies": {"bench.store", "bench.analysis", "bench.options", "datasets.validation"},
    "reports": {"bench.store", "bench.analysis", "bench.options", "studies"},
}
OWNERS = {
    "sqlalchemy": ("bench/store/", "studies/ledger"),
    "alembic": ("bench/store/",),
    "streamlit": ("reports/", "studies/trial/"),
}


def sources() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def imports(path: Path) -> list[str]:
    """Return every module a file imports, ours as ``codecarena.room...``."""
    package = ("codecarena", *path.relative_to(ROOT).parent.parts)
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found += [f"{module}.{alias.name}" for alias in node.names] if node.level else [module]
    return found


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


def test_the_layer_test_sees_a_wrong_import(tmp_path: Path) -> None:
    path = ROOT / "codecs" / "registry.py"
    assert "codecarena.codecs.base.Codec" in imports(path)


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
