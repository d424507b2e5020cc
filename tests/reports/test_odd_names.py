"""Names, notes and messages that nobody should choose, over the commands: no crash, no lost letter."""

from __future__ import annotations

import html
import random
import re
import unicodedata
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, update
from synthetic_store import NOW, fill

from arena import call
from codecarena.bench.store.tables.schema import AttemptTable, CodecTable, MemberTable
from codecarena.bench.store.writer import StoreWriter
from codecarena.reports.tables.markup import html_table
from codecarena.reports.tables.table import Column, Entry, Row, Table
from codecarena.reports.views import frame
from codecarena.visible_text import visible

PIECES = (
    *("[/usr/lib/x.so]", "[/]", "[red]", "[bold", "]", "[link=x]", "[@click=f()]", "\\[a]", "\\", ":rocket:"),
    *("\x1b[2J", "\x1b]0;t\x07", "\x9b31m", "\r", "\x08", "\x00", "\u202e", "\u2066", "\u200f", "\u2028"),
    *("\n", "\t", "<b>", "&amp;", "'", '"', "`", "*", "_", "$x$", "#", "%", "{x}", "{{ 7 }}", "{% x %}"),
    *("caf\xe9", "e\u0301", "\u732b", "\U0001f98a", "\u0627\u0644", "\xdf", "a b", "-1e-9", "0.5", "=1+1"),
)
COMMANDS = (
    ("leaderboard",),
    ("leaderboard", "--at", "bpp=0.5"),
    ("leaderboard", "--split", "kind"),
    ("rates",),
    ("compare",),
    ("leaderboard", "--json"),
)
NAMES_A_ROUND = 16
COMMANDING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]"
)


def odd_texts(chance: random.Random, count: int) -> list[str]:
    """Return texts of odd pieces, no two alike."""
    return [f"{''.join(chance.choices(PIECES, k=chance.randint(1, 5)))}{place}" for place in range(count)]


def letters(text: str) -> str:
    """Return a text as it is to be seen, without blanks and line ends, however the latter are shown."""
    shown = visible(text).replace("\n", "").replace("\\n", "")
    return "".join(letter for letter in unicodedata.normalize("NFC", shown) if not letter.isspace())


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("odd") / "arena"
    fill(folder, pictures=6, codecs=6, settings=4, metrics=("psnr",))
    return folder


def rename(store: Path, texts: list[str]) -> tuple[str, list[str]]:
    """Give a store's set, codecs, pictures and messages odd names; return the set's and the codecs'."""
    codec_names, picture_names, messages = texts[:6], texts[6:10], texts[10:13]
    image_set, generator = texts[13:15]
    writer = StoreWriter(str(store))
    with writer.engine.begin() as connection:
        ids = sorted(connection.scalars(select(CodecTable.id)))
        for codec_id, name in zip(ids, codec_names, strict=True):
            of_codec = update(CodecTable).where(CodecTable.id == codec_id)
            connection.execute(of_codec.values(label=name, name=name))
        generated = MemberTable.kind == "ai-generated"
        connection.execute(update(MemberTable).values(image_set=image_set))
        connection.execute(update(MemberTable).where(generated).values(generator=generator))
        hashes = sorted(connection.scalars(select(MemberTable.picture_sha256)))
        for sha256, name in zip(hashes[:4], picture_names, strict=True):
            of_picture = update(MemberTable).where(MemberTable.picture_sha256 == sha256)
            connection.execute(of_picture.values(name=name))
        connection.execute(delete(AttemptTable))
        for place, message in enumerate(messages):
            failed = {"run_id": 1, "picture_sha256": hashes[place], "codec_id": ids[place], "quality": 99.0}
            how = {"seed": -1, "outcome": "crash", "stage": "encode", "exit_code": 1, "created_at": NOW}
            said = {"message": message, "stderr_tail": message}
            connection.execute(insert(AttemptTable).values(**failed, **how, **said))
    writer.close()
    return image_set, codec_names


@pytest.mark.parametrize(
    "rounds",
    [3, pytest.param(125, marks=[pytest.mark.long, pytest.mark.timeout(3600)])],
    ids=["48 names", "2000 names"],
)
def test_odd_names_reach_every_table_whole(
    store: Path, rounds: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COLUMNS", "4000")
    chance = random.Random(rounds)
    for place in range(rounds):
        image_set, codec_names = rename(store, odd_texts(chance, NAMES_A_ROUND))
        for words in COMMANDS[place % 3 :: 3]:
            ended = call(*words, "--store", store, folder=tmp_path)
            assert ended.returncode == 0, (words, ended.stderr)
            assert not COMMANDING.search(ended.stdout + ended.stderr), words
            if "--json" in words:
                continue
            joined = letters(ended.stdout)
            assert letters(image_set) in joined, (words, image_set)
            if "kind" not in words:
                assert [name for name in codec_names if letters(name) not in joined] == [], words
        wrong = call("leaderboard", "--store", store, "--set", codec_names[0], folder=tmp_path)
        assert (wrong.returncode, COMMANDING.search(wrong.stderr)) == (2, None)
        assert "has no image set" in wrong.stderr


def test_pages_escape_what_turns_a_line_round_or_has_no_width() -> None:
    odd = "a\u202eb\x1b[2J\ufeff<"
    table = Table(odd, (Column(odd, help=odd), Column("n")), (Row((Entry(odd), Entry("1", 1.0, hint=odd))),))
    page = html_table(table)
    assert not COMMANDING.search(page)
    assert "\ufeff" not in page
    assert page.count("a\\u202eb\\x1b[2J\\ufeff&lt;") == 6  # label, help, heading, name and its title, hint
    assert frame.plain("\u202e*") == "\\\\u202e\\*"


@pytest.mark.parametrize("width", [60, 80, 120])
def test_tables_break_no_number_and_stay_within_the_terminal(
    store: Path, width: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rename(store, [f"codec{place}" for place in range(6)] + [f"name{place}" for place in range(10)])
    commands = [(*words, "--store", store) for words in COMMANDS[:-1]]
    for words in (*commands, ("list", "codecs"), ("list", "sets"), ("list", "suites")):
        monkeypatch.setenv("COLUMNS", "4000")
        whole = set(re.findall(r"\d[\d.]*", call(*words, folder=tmp_path).stdout))
        monkeypatch.setenv("COLUMNS", str(width))
        lines = call(*words, folder=tmp_path).stdout.split("\n")
        assert [line for line in lines if len(line) > width] == [], words
        broken = [
            number
            for line in lines
            if not line.startswith("Left out at")
            for number in re.findall(r"\d[\d.]*", line)
            if number not in whole
        ]
        assert broken == [], words


def test_odd_names_reach_the_report_whole(store: Path, tmp_path: Path) -> None:
    image_set, codec_names = rename(store, odd_texts(random.Random(5), NAMES_A_ROUND))
    ended = call("report", "report.html", "--store", store, folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not COMMANDING.search(page)
    text = letters(html.unescape(re.sub(r"<[^>]*>", " ", page)))
    assert [name for name in (image_set, *codec_names) if letters(name) not in text] == []
