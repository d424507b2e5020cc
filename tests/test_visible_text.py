"""Text of any origin is shown as it is on every console, and nothing of it commands the console."""

from __future__ import annotations

import ast
import io
import os
import random
import re
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from imported import ROOT, sources
from rich.console import Console

from arena import command
from codecarena.cli import app
from codecarena.terminal import Terminal, TextColumn, plain, print_notes, show_table
from codecarena.visible_text import encodable, plain_help, say, show_every_letter, visible

NOTES = (
    "[libx265 @ 0x55aa] cannot open [/usr/lib/x.so]",
    "[/]",
    "[red]not red[/red] [bold",
    "\\[escaped] C:\\[a]\\",
    ":rocket: :smile:",
    "[link=https://example.org]x[/link]",
    "[@click=f()]x[/]",
    "100 % of {x} %s <b>",
    "caf\xe9 \u732b \U0001f98a e\u0301",
)


def texts(count: int) -> Iterator[str]:
    """Yield odd texts: pieces of markup, of commands, of every kind of letter."""
    chance = random.Random(7)
    pieces = [*NOTES, "\x1b[2J", "\x1b]0;t\x07", "\u202e", "\u2066", "\r", "\x08", "\x9b31m", "\udce9"]
    pieces += ["\u2028", "\x00", "\u200b", "\ufeff", "[", "]", "/", "\\", "\t", " ", "a", "\xdf", "\u0430"]
    pieces += ["\U000e0041"]
    for _ in range(count):
        yield "".join(chance.choices(pieces, k=chance.randint(1, 6)))


def kept(text: str) -> str:
    """Return what of a text must be on the console: its letters, without blanks and what is escaped."""
    return "".join(
        letter
        for letter in text
        if unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Zl", "Zp") and not letter.isspace()
    )


def is_harmless(shown: str) -> bool:
    """Whether no letter but tab and line feed commands a console or turns a line round."""
    return not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ud800-\udfff]", shown)  # fmt: skip  # noqa: E501


def drawn(width: int, title: str, text: str, encoding: str = "utf-8", number: str = "1") -> str:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, newline="")
    console = Terminal(stream, width=width)
    show_table(console, title, [TextColumn(text), TextColumn("n")], [[text, number]], [text])
    print_notes([text], console)
    say(text, stream)
    stream.flush()
    return raw.getvalue().decode(encoding)


def test_no_text_breaks_a_table_a_note_or_a_line_and_none_loses_a_letter() -> None:
    for text in texts(400):
        shown = drawn(300, text, text)
        assert is_harmless(shown), repr(text)
        joined = "".join(shown.split())
        # In the title, the heading, the row, the note under the table, the note on a line, the line.
        whole = kept(visible(text))
        assert joined.count(whole) >= 6 or not whole, repr(text)


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "ascii", "cp437", "koi8-r"])
def test_no_letter_ends_a_table_on_a_console_that_lacks_it(encoding: str) -> None:
    for text in (*texts(60), "0.04\u20262.33 \u25bc", "\u2212 \u00d7 \u00b1 \u2265 \u2713 \u2020 \u2076"):
        assert is_harmless(drawn(60, text, text, encoding))
    assert "0.04..2.33" in drawn(60, "t", "0.04\u20262.33", "ascii")
    folded = drawn(16, "t", "jpeg", "ascii", "\u221255.3 (\u221259.6\u2026\u221250.8)").split()
    assert {"-55.3", "(-59.6..", "-50.8)"} <= set(folded)
    assert "-1.50" in drawn(60, "t", "\u22121.50", "latin-1")
    assert "\\u732b" in drawn(60, "t", "\u732b", "cp1252")


@pytest.mark.parametrize("text", NOTES)
def test_brackets_and_colons_are_letters(text: str) -> None:
    assert text in drawn(300, "", text)


def test_what_commands_a_console_is_escaped() -> None:
    assert (
        visible("a\x1b[2J\r\x9b\u202eb\udce9\u2028\ufeff") == "a\\x1b[2J\\x0d\\x9b\\u202eb\\xe9\\u2028\\ufeff"
    )
    assert visible("tab\tline\nend \U0001f468\u200d\U0001f469 \u06a9\u200c\u06cc") == (
        "tab\tline\nend \U0001f468\u200d\U0001f469 \u06a9\u200c\u06cc"
    )
    assert visible("\U000e0041") == "\\U000e0041"
    assert encodable("caf\xe9", None) == "caf\xe9"
    assert encodable("\u2026", "no such encoding") == ".."


def test_a_stream_writes_what_it_lacks_instead_of_ending_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="cp1252", errors="strict", newline="")
    show_every_letter(stream)
    stream.write("\u2714 \u25bc caf\xe9 \udce9 \u2212")
    stream.flush()
    assert raw.getvalue() == b"\\u2714 v caf\xe9 \\xe9 -"
    show_every_letter(io.StringIO())
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    say("a\x1b")
    assert sys.stdout.getvalue() == "a\\x1b\n"  # type: ignore[attr-defined]


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "ascii"])
def test_the_program_ends_no_table_on_a_console_that_is_not_utf_8(encoding: str, tmp_path: Path) -> None:
    ended = subprocess.run(
        command("list", "codecs"),
        env=os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert "\n-----" in ended.stdout.decode(encoding)


def helps(command: object, path: str = "") -> Iterator[tuple[str, object, str]]:
    """Yield every help text of a command and the commands below it."""
    for owner in (command, *command.params):  # type: ignore[attr-defined]
        if getattr(owner, "help", None):
            yield path, owner, owner.help
    for name, below in getattr(command, "commands", {}).items():
        yield from helps(below, f"{path} {name}".strip())


def test_help_shows_every_bracket(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = typer.main.get_command(app)
    with_brackets = {path: text for path, _, text in helps(command) if "[" in text and path}
    assert "run" in with_brackets
    plain_help(command)
    plain_help(command)  # once more changes nothing
    monkeypatch.setenv("COLUMNS", "200")
    for path, text in with_brackets.items():
        with pytest.raises(SystemExit):
            command([*path.split(), "--help"])  # type: ignore[operator]
        shown = " ".join(re.sub(r"[\u2500-\u257f]", " ", capsys.readouterr().out).split())
        assert " ".join(text.replace("\\[", "[").split()) in shown
        assert "\\[" not in shown


SCRIPTS = ("codecs/training/", "codecs/recipes/")
"""Their users' own programs."""


def test_nothing_else_prints_text_and_no_other_console_reads_markup() -> None:
    printing = set[str]()
    for path in (*sources(), ROOT / "cli.py"):
        name = str(path.relative_to(ROOT))
        if name.startswith(SCRIPTS):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            # JSON escapes what it must by itself.
            if called in ("print", "typer.echo") and "json.dumps" not in ast.unparse(node):
                printing.add(f"{name}: {called}")
            if called in ("Console", "Text.from_markup", "RichTable"):
                printing.add(f"{name}: {called}")
    assert printing == set()


# Width.


NUMBERS = (
    "\u221255.3\u25bc (\u221259.6\u2026\u221250.8)",
    "0.9808 (0.9670\u20260.9894)",
    "0.042\u20261.48",
    "3 501",
    "7/7",
)
HEADINGS = ("SSIMULACRA2-py, %", "MS-SSIM", "Rate range, bits/pixel", "Payload, bytes", "Pictures")


@pytest.mark.parametrize("width", [20, 30, 40, 50, 60, 80, 100, 120, 200])
@pytest.mark.parametrize(
    "name", ["jpeg", "vvc(preset=fast)", "command(recipe=a/long/path/to.toml, steps=50)"]
)
def test_no_number_breaks_and_what_has_no_room_is_named(width: int, name: str) -> None:
    columns = [TextColumn("Codec"), *(TextColumn(heading) for heading in HEADINGS)]
    stream = io.StringIO()
    show_table(Terminal(stream, width=width), "Title", columns, [[name, *NUMBERS]])
    table, _, rest = stream.getvalue().partition("Left out at")
    heading, rule, body = re.split(r"\n(\u2500+)\n", table, maxsplit=1)
    assert all(len(line) <= width for line in table.split("\n"))
    numbers = {number for text in NUMBERS for number in re.findall(r"[\d.]*\d", text)}
    for token in re.findall(r"[\d.]*\d", body.replace(name, "")):
        assert token in numbers or token in re.findall(r"[\d.]*\d", name), token
    there = ["".join(text.split())[:7] in "".join(heading.split()) for text in ("Payload", "Picture")]
    left_out = " ".join(rest.split())
    for column, is_there in zip(("Payload, bytes", "Pictures"), there, strict=True):
        assert is_there != (column in left_out)
    assert ("A wider terminal or --json shows them." in left_out) == bool(rest)
    assert len(rule) <= width


def test_names_that_are_typed_next_stay_whole() -> None:
    rows = [["clic2020-professional-valid", "ai-generated", "0 of 2982", 30 * "licence "]]
    columns = [TextColumn(name, numeric=False) for name in ("set", "kind", "here", "licence")]
    stream = io.StringIO()
    show_table(Terminal(stream, width=60), "sets", columns, rows, whole_names=True)
    assert "\nclic2020-professional-valid  ai-" in stream.getvalue()
    stream = io.StringIO()
    show_table(Terminal(stream, width=30), "sets", columns, rows, whole_names=True)
    assert "\nclic2020-professional-valid\n" in stream.getvalue()
    assert "Left out at 30 columns: kind; here; licence." in " ".join(stream.getvalue().split())
    stream = io.StringIO()
    show_table(Terminal(stream, width=30), "sets", columns, rows)
    assert "\nclic2020-" in stream.getvalue()
    assert "\nclic2020-professional-valid" not in stream.getvalue()


def test_a_line_feed_in_a_name_makes_no_row() -> None:
    stream = io.StringIO()
    show_table(Terminal(stream, width=60), "a\nb", [TextColumn("c\nd")], [["e\nf"]])
    assert stream.getvalue().split("\n") == ["a\\nb", "c\\nd", "\u2500\u2500\u2500\u2500", "e\\nf", ""]


def test_wide_letters_take_the_room_that_they_take() -> None:
    stream = io.StringIO()
    columns = [TextColumn("Codec"), TextColumn("n")]
    show_table(Terminal(stream, width=40), "", columns, [["\u732b\u732b", "1"], ["abcd", "2"], ["ab", "3"]])
    assert stream.getvalue().split("\n")[2:5] == ["\u732b\u732b   1", "abcd   2", "ab     3"]


def test_a_console_that_is_no_terminal_is_wide_unless_the_variable_says_how_wide(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert Terminal(io.StringIO()).width == 140
    monkeypatch.setenv("COLUMNS", "60")
    assert Terminal(io.StringIO()).width == 60
    assert plain(Console(file=io.StringIO()), "[x]\x1b") == "[x]\\x1b"
