"""Names say what a value is: words that fit everything name nothing, and each thing has one name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from imported import ROOT, sources

SAY_NOTHING = {"found", "one", "ours", "told", "every"}
"""They were bound more than two thousand times, to values of forty types."""
FORMER = {
    *(
        "Desk",
        "Course",
        "course",
        "further",
        "Ballot",
        "Receipt",
        "Known",
        "Material",
        "Situation",
        "Standing",
    ),
    *("Duel", "Slice", "ColumnSlice", "Part", "Beside", "Marks", "Place", "Waiting", "go", "foretell"),
    *("_LEANED", "_RIGHTED", "_STANDS", "_COUNTED"),
}
"""Names that only we understood, by what is bound; docs/decisions/007 has what they are called now."""


def bound_names(tree: ast.AST) -> Iterator[str]:
    """Yield every name that is bound: variables, arguments, functions, classes, imports, fields."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Attribute(attr=name, ctx=ast.Store()):
                yield name
            case ast.alias(asname=str(name)) | ast.ExceptHandler(name=str(name)):
                yield name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name
            case _:
                pass


def files() -> list[Path]:
    beside = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "docs").rglob("*.py"), *ROOT.glob("*.py")]
    return [*sources(), *sorted(beside)]


@pytest.mark.parametrize("words", [SAY_NOTHING, FORMER], ids=["say nothing", "former"])
def test_no_name_is_one_of_these(words: set[str]) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in files()
        for name in bound_names(ast.parse(path.read_text()))
        if name in words
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "text",
    [
        "found = 1",
        "found: int",
        "for found in x: pass",
        "[1 for found in x]",
        "def found(): pass",
        "def f(*, found): pass",
        "lambda found: 1",
        "class found: pass",
        "import x as found",
        "self.found = 1",
        "if found := x: pass",
        "try: pass\nexcept E as found: pass",
        "match x:\n case [found]: pass",
    ],
)
def test_every_way_of_binding_a_name_is_seen(text: str) -> None:
    assert "found" in set(bound_names(ast.parse(text)))
    assert "found" not in set(bound_names(ast.parse("f(found, x.found, found='found')")))
