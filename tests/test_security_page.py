"""Every row of docs/security.md names a test that exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text()


def test_every_row_names_a_test_that_exists() -> None:
    rows = [
        line
        for line in PAGE.splitlines()
        if line.startswith("| ") and not line.startswith(("| attack", "| ---"))
    ]
    assert len(rows) > 15
    for row in rows:
        _, attack, stopped, named, *_ = (cell.strip() for cell in row.split("|"))
        assert attack
        assert stopped
        test = re.fullmatch(r"`(tests/[\w/]+\.py)::(\w+)`", named)
        assert test, f"expected one test, got {named!r}"
        tree = ast.parse((ROOT / test[1]).read_text())
        functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert test[2] in functions, named
