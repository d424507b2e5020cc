"""Tables as LaTeX: any name is set as text, and the files compile as they are."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from codecarena.bench.run.redecode import pictures
from codecarena.reports.files.page import write
from codecarena.reports.tables.latex import escaped, latex
from codecarena.reports.tables.table import Column, Entry, Row, Table

NASTY = (
    r"\input{/etc/passwd} \end{tabular} & % $x_1^2$ # {a} ~ ` '' \"quoted\" <b>|*[x] --verbose ???"
    + " 🦆 日本 Zoë Łukasz ǅ œuvre ½ \n\n new\tline " + 200 * "w"
)  # fmt: skip

DOCUMENT = r"""\documentclass[twocolumn]{article}
\usepackage{booktabs,graphicx}
\begin{document}
See Table~\ref{tab:the-table}. \input{numbers/tables}
\end{document}
"""


def compiled(folder: Path) -> str:
    """Compile a paper that inputs `numbers/tables.tex`, and return LaTeX's messages; or skip."""
    if shutil.which("pdflatex") is None or not _has("booktabs.sty"):
        pytest.skip("by design: no pdflatex with booktabs is installed, and nothing else here needs it")
    (folder / "document.tex").write_text(DOCUMENT)
    command = ["pdflatex", "-no-shell-escape", "-halt-on-error", "-interaction=nonstopmode", "document.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, errors="replace")
    assert done.returncode == 0, done.stdout[-2000:]
    assert (folder / "document.pdf").read_bytes().startswith(b"%PDF")
    return done.stdout


def _has(file: str) -> bool:
    return subprocess.run(["kpsewhich", file], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"a\b", r"a\textbackslash{}b"),
        ("50 % & {x}_1 #$", r"50 \% \& \{x\}\_1 \#\$"),
        ("[a](b) *c*", "{[}a](b) {*}c{*}"),
        ("-12 --quality---", "-12 -{}-quality-{}-{}-"),
        ('"q" `r`', r"{''}q{''} \`{}r\`{}"),
        ("−3.2…−1", r"$-$3.2\,\ldots\,$-$1"),
        ("Zoë Łukasz Žižka", r"Zo\"{e} \L{}ukasz \v{Z}i\v{z}ka"),
        ("🦆 日", r"\texttt{U+1F986} \texttt{U+65E5}"),
        ("two\n\nlines", "two  lines"),
    ],
)
def test_every_sign_is_set_as_text(text: str, expected: str) -> None:
    assert escaped(text) == expected


def test_any_name_compiles(tmp_path: Path) -> None:
    rows = tuple(Row((Entry(name), Entry("−1.5 (−2.0…+1.0)▼"))) for name in (NASTY, "[x]", "*x", "plain"))
    table = Table(NASTY, (Column(NASTY, numeric=False), Column("50 %", "kB")), rows, (NASTY,))
    text = latex(table)
    assert text.isascii()
    (tmp_path / "numbers").mkdir()
    (tmp_path / "numbers" / "tables.tex").write_text(text, encoding="ascii")
    compiled(tmp_path)


def test_a_report_compiles(seeded_store: Path, tmp_path: Path) -> None:
    write(str(seeded_store), pictures, None, tmp_path / "numbers")
    assert "Float too large" not in compiled(tmp_path)


def table_of(columns: int, rows: int, letters: int = 8, names: int = 1, **named: Any) -> Table:
    """Return a table whose cells have so many letters, and whose first columns name the rows together."""
    shown = tuple(Column(f"Name {n}", numeric=False) for n in range(names)) + tuple(
        Column(f"column {n}", "dB") for n in range(columns)
    )
    cells = tuple(
        Row((*(Entry(f"n{row % (n + 2)}" if names > 1 else f"n{row}") for n in range(names)),
             *(Entry(letters * "8") for _ in range(columns))))
        for row in range(rows)
    )  # fmt: skip
    return Table("Speed", shown, cells, ("A note.",), **named)


def test_a_narrow_table_takes_one_column_and_a_wide_one_both() -> None:
    narrow, wide = latex(table_of(3, 4)), latex(table_of(7, 4))
    assert narrow.startswith("\\begin{table}\n")
    assert wide.startswith("\\begin{table*}\n")
    assert narrow.count(r"\toprule") == wide.count(r"\toprule") == 1


def test_columns_that_do_not_fit_stand_below_the_others_with_the_names_again() -> None:
    text = latex(table_of(12, 4, names=2))
    assert text.count(r"\begin{table*}") == text.count(r"\caption") == 1
    grids = re.findall(r"\\midrule\n(.*?)\\bottomrule", text, re.DOTALL)
    assert len(grids) == 2
    assert [grid.split(" & ")[:2] for grid in grids] == [["n0", "n0"]] * 2
    assert [grid.split(r"\\")[0].count("&") for grid in grids] == [7, 7]  # of like widths


def test_rows_without_a_number_are_left_to_the_note() -> None:
    table = Table(
        "x", (Column("Codec", numeric=False),), (Row((Entry("zip"),)), Row((Entry("bare"),), {}, True))
    )
    assert "zip" in latex(table)
    assert "bare" not in latex(table)
    only = replace(table, rows=table.rows[1:])
    assert "bare" in latex(only)


def test_a_long_table_goes_on_over_pages_under_one_number() -> None:
    text = latex(table_of(3, 120, label="speed"))
    assert text.count(r"\begin{table}") == 3
    assert text.count("(continued)") == text.count(r"\addtocounter{table}{-1}") == 2
    assert text.count(r"\label{tab:speed}") == text.count("A note.") == 1
    assert text.count("n7 &") == 1


def test_notes_are_smaller_than_the_table_and_headings_break_between_words() -> None:
    text = latex(table_of(3, 2, letters=3))
    table, notes = text.index(r"\footnotesize"), text.index(r"\scriptsize")
    assert text.index(r"\caption") < table < text.index("888") < notes < text.index("A note.")
    assert r"\begin{tabular}[b]{@{}r@{}}column\\0, dB\end{tabular}" in text


def test_a_table_compiles_in_two_columns_and_can_be_referred_to(tmp_path: Path) -> None:
    (tmp_path / "numbers").mkdir()
    tables = [table_of(3, 120), table_of(12, 30, names=2), table_of(7, 4, label="the-table")]
    (tmp_path / "numbers" / "tables.tex").write_text("\n".join(map(latex, tables)))
    said = compiled(tmp_path)
    assert "Float too large" not in said
    assert "Overfull" not in said
    aux = (tmp_path / "document.aux").read_text()
    assert r"\newlabel{tab:the-table}{{3}" in aux
