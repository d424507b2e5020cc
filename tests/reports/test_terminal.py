"""Tables on a terminal lose nothing, however narrow it is."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from codecarena.reports.grid import Column, Entry, Row, Table
from codecarena.reports.terminal import show

TABLE = Table(
    "Scores",
    (
        Column("Codec"),
        Column("SSIMULACRA2-py"),
        Column("MS-SSIM"),
        Column("PSNR", "dB"),
        Column("Rate range", "bits/pixel"),
    ),
    (Row((Entry("vvc(preset=fast)"), *[Entry("0.9808 (0.9676…0.9895)")] * 3, Entry("0.042…1.48"))),),
    ("A note under the table.",),
)


@pytest.mark.parametrize("columns", [80, 100, 200])
def test_every_number_is_shown_whole(columns: int) -> None:
    out = io.StringIO()
    show(Console(file=out, width=columns, force_terminal=True, color_system=None), TABLE)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())
    assert shown.count("0.9808") == 3
    assert shown.count("(0.9676…0.9895)") == 3
    assert {"0.042…", "1.48"} <= set(shown.replace("…", "… ").split())
    assert all(len(line) <= columns for line in shown.splitlines())
