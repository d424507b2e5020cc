"""Tables as LaTeX: any name is set as text, and the files compile as they are."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from codecarena.bench.run.redecode import pictures
from codecarena.reports.files.page import write
from codecarena.reports.tables.latex import escaped, latex
from codecarena.reports.tables.table import Column, Entry, Row, Table

NASTY = (
    r"\input{/etc/passwd} \end{tabular} & % $x_1^2$ # {a} ~ ` '' \"quoted\" <b>|*[x] --verbose ???"
    + " 🦆 日本 Zoë Łukasz ǅ œuvre ½ \n\n new\tline " + 200 * "w"
)  # fmt: skip

DOCUMENT = r"""\documentclass{article}
\usepackage{booktabs,graphicx}
\begin{document}
\input{tables.tex}
\end{document}
"""


def compiled(folder: Path) -> None:
    """Compile `tables.tex` of a folder, or skip."""
    if shutil.which("pdflatex") is None or not _has("booktabs.sty"):
        pytest.skip("by design: no pdflatex with booktabs is installed, and nothing else here needs it")
    (folder / "document.tex").write_text(DOCUMENT)
    command = ["pdflatex", "-no-shell-escape", "-halt-on-error", "-interaction=nonstopmode", "document.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, errors="replace")
    assert done.returncode == 0, done.stdout[-2000:]
    assert (folder / "document.pdf").read_bytes().startswith(b"%PDF")


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
    (tmp_path / "tables.tex").write_text(text, encoding="ascii")
    compiled(tmp_path)


def test_a_report_compiles(seeded_store: Path, tmp_path: Path) -> None:
    write(str(seeded_store), pictures, None, tmp_path)
    assert (tmp_path / "tables.tex").is_file()
    compiled(tmp_path)
