"""The root is the package: what that must not break, and what every file keeps to."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from imported import ROOT, first_circle, imports, sources

OWNERS = {
    "sqlalchemy": ("bench/store/", "studies/ledger/"),
    "alembic": ("bench/store/",),
    "streamlit": ("reports/", "studies/trial/"),
}

GROWING = {
    *("MatchReport", "Report", "SetReport", "TimingReport"),
    *("FolderChanges", "Outcome", "Prepared", "Trained", "WeightFiles", "_Record", "_Search", "_State"),
}
"""Records that are filled while work goes on; all others are frozen."""
CACHING = {"Asset", "PairCounts", "Problem", "Tally"}
"""Records that keep what they have computed, which slots do not allow."""


def test_imports_are_read_by_their_full_names() -> None:
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
        {"codecarena", *(".".join(("codecarena", *folder.parts)) for folder in folders)}
    )


def test_no_room_has_an_init_file_or_a_standard_name() -> None:
    assert [path for path in sources() if path.name == "__init__.py"] == []
    assert [path for path in sources() if path.stem in sys.stdlib_module_names] == []


def test_no_file_is_over_400_lines() -> None:
    all_of_them = [*sources(), ROOT / "cli.py", *(ROOT / "tests").rglob("*.py")]
    assert [
        (path.name, lines) for path in all_of_them if (lines := len(path.read_text().splitlines())) > 400
    ] == []


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
                words = {entry.arg: ast.unparse(entry.value) for entry in getattr(made, "keywords", [])}
                frozen, slots = (words.get(name) == "True" for name in ("frozen", "slots"))
                if not ((frozen or node.name in GROWING) and (slots or node.name in CACHING)):
                    wrong.append(f"{path.relative_to(ROOT)}: {node.name}")
    assert not wrong, f"expected @dataclass(frozen=True, slots=True): {wrong}"
