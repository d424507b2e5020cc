"""Tables on a terminal lose nothing, however narrow it is."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import Any

import pytest
from report_rows import WIDE
from rich.console import Console

from codecarena.reports.tables import terminal
from codecarena.reports.tables.table import Column, Entry, Row, Table
from codecarena.reports.tables.terminal import show
from codecarena.terminal import Terminal

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


def shown(table: Table, width: int = 0, *, terminal_like: bool = True) -> list[str]:
    stream = io.StringIO()
    like_terminal = Console(file=stream, width=width, force_terminal=True, color_system=None)
    show(like_terminal if terminal_like else Terminal(stream), table)
    return [line.rstrip() for line in stream.getvalue().split("\n")]


def test_a_table_on_a_terminal_folds_only_where_it_must(monkeypatch: pytest.MonkeyPatch) -> None:
    table = replace(WIDE, rows=WIDE.rows[:1])
    wide = shown(table, 100)
    assert wide[0] == "Title"
    assert wide[1].split("  ")[:2] == ["Codec", "Rate, bits/pixel"]
    assert wide[3].startswith("jpeg   0.25 (0.10…0.50)  20.00…45.00")
    assert wide[4:6] == ["first note", "second note"]
    # 5, 16 and 11 characters with gaps of 2 between them: 36.
    assert any("0.25 (0.10…0.50)  20.00…45.00" in line for line in shown(table, 36))
    for width, ends in ((35, ("20.00…45.00", "")), (30, ("20.00…", "45.00"))):
        folded = [line.split() for line in shown(table, width)]
        assert ["jpeg", "0.25", ends[0]] in folded
        assert ["(0.10…0.50)", *filter(None, ends[1:])] in folded
    # A file is as wide as 140 characters, however narrow the window is.
    monkeypatch.delenv("COLUMNS", raising=False)
    assert any("0.25 (0.10…0.50)  20.00…45.00" in line for line in shown(table, terminal_like=False))


def test_records_on_a_terminal_dim_what_is_missing() -> None:
    stream = io.StringIO()
    console = Console(file=stream, width=60, force_terminal=True, color_system="standard")
    records = [{"name": "jpeg", "status": "here"}, {"name": "vvc", "status": "missing: vvencapp"}]
    terminal.show_records(console, "Codecs", records)
    lines = stream.getvalue().split("\n")
    assert "\x1b[2m" not in next(line for line in lines if "jpeg" in line)
    assert "\x1b[2m" in next(line for line in lines if "vvencapp" in line)
    terminal.show_records(console, "Nothing", [])
    narrow = Console(file=(out := io.StringIO()), width=40, color_system=None)
    terminal.show_records(narrow, "Sets", [{"name": 24 * "n", "status": 60 * "s"}])
    assert 24 * "n" in out.getvalue()  # it can be copied; the rest breaks
    assert 60 * "s" not in out.getvalue()


def test_rows_that_a_note_tells_take_no_room_unless_there_are_no_others() -> None:
    bare = Row((Entry("vvc"), Entry("– 0 of 6 pictures")), without_number=True)
    full = Row((Entry("jpeg"), Entry("−1.00")))
    for rows, drawn, left_out in (((full, bare), "jpeg", "vvc"), ((bare,), "vvc", "jpeg")):
        console = Console(file=(out := io.StringIO()), width=60, color_system=None)
        terminal.show(console, Table("Own bytes", (Column("Against"), Column("Difference")), rows))
        assert drawn in out.getvalue()
        assert left_out not in out.getvalue()


@pytest.mark.parametrize(
    ("called", "path", "expected"),
    [
        ("/x/codecarena/__main__.py", "/bin", "python -m codecarena"),
        ("/opt/venv/bin/codecarena", "/bin:/opt/venv/bin", "codecarena"),
        ("/opt/venv/bin/codecarena", "/bin", "/opt/venv/bin/codecarena"),
        ("{here}/venv/bin/codecarena", "/bin", "venv/bin/codecarena"),
        ("venv/bin/codecarena", "/bin", "venv/bin/codecarena"),
    ],
)
def test_what_the_user_types_to_call_the_program_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, called: str, path: str, expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [called.format(here=tmp_path)])
    monkeypatch.setenv("PATH", path)
    assert terminal.own_command() == expected
