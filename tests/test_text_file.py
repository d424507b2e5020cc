"""Text files as Notepad, Excel and other programs save them are read as what their writers meant."""

from __future__ import annotations

import ast
import codecs
import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from imported import ROOT, sources

from codecarena import text_file
from codecarena.bench.run.foreign_results import read as read_results
from codecarena.bench.run.suite import load as load_suite
from codecarena.codecs.recipe import load as load_recipe
from codecarena.datasets.generated.generate import read_prompts
from codecarena.datasets.manifest import load_manifest
from codecarena.datasets.sources.lock import read_lock
from codecarena.studies.design.plan import load as load_plan
from codecarena.studies.organise.interchange_read import read as read_votes
from codecarena.text_file import (
    TextFileError,
    guarded,
    guarded_rows,
    parse_table,
    parse_toml,
    read_lines,
    read_table,
    read_text,
)

SAVED = {
    "UTF-8": lambda text: text.encode(),
    "UTF-8 with a mark": lambda text: codecs.BOM_UTF8 + text.encode(),
    "UTF-16 of Notepad": lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
    "UTF-16, other order": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    "UTF-16 without a mark": lambda text: text.encode("utf-16-le"),
    "lines of Windows": lambda text: text.replace("\n", "\r\n").encode(),
    "lines of old Macs": lambda text: text.replace("\n", "\r").encode(),
}
"""How programs save a text."""
Save: TypeAlias = Callable[[str, str], Path]
"""Writes a text to a file of this name and returns its path."""

SUITE = 'name = "caf\xe9"\nsets = ["x"]\n[[codecs]]\nname = "jpeg"\n'
RECIPE = """name = "caf\xe9"
version = "1"
encode = ["x", "{input}", "{output}", "{quality}"]
decode = ["x", "{input}", "{output}"]
[quality]
name = "q"
worst = 1
best = 5
ladder = [1]
"""
MANIFEST = 'name = "s"\ntitle = "caf\xe9"\nkind = "natural"\nlicence = "?"\ncitation = "?"\ncount = 1\n'
PLAN = 'name = "s"\nquestion = "caf\xe9"\n'


@pytest.fixture(params=SAVED, ids=lambda name: name)
def saved(request: pytest.FixtureRequest, tmp_path: Path) -> Save:
    def write(text: str, name: str) -> Path:
        path = tmp_path / name
        path.write_bytes(SAVED[request.param](text))
        return path

    return write


def test_every_reader_of_the_product_reads_a_file_however_it_was_saved(saved: Save) -> None:
    assert load_suite(saved(SUITE, "suite.toml"))[0].name == "caf\xe9"
    assert load_suite(saved(SUITE, "suite.toml"))[1] == SUITE
    assert load_recipe(saved(RECIPE, "recipe.toml"))[0].name == "caf\xe9"
    assert load_manifest(saved(MANIFEST, "set.toml")).title == "caf\xe9"
    listed = saved("file,prompt\na.png,caf\xe9\n", "list.csv")
    manifest = saved(MANIFEST.replace("count = 1", 'listing = "list.csv"'), "set.toml")
    assert load_manifest(manifest).pictures[0].prompt == "caf\xe9"
    assert read_prompts(saved("# no prompt\na caf\xe9\n\nb\n", "prompts.txt")) == ("a caf\xe9", "b")
    saved(f"# pinned\n{64 * 'a'}  caf\xe9.png\n", "s.lock")
    assert read_lock(listed.parent, "s").hashes == {"caf\xe9.png": 64 * "a"}
    results = saved("codec,bpp,psnr\ncaf\xe9,0.5,30\n", "means.csv")
    assert read_results(results, "kodak").points[0].codec == "caf\xe9"
    results = saved('{"name": "x", "results": {"bpp": [0.5], "psnr": [30]}}', "means.json")
    assert read_results(results, "kodak").points[0].scores == {"psnr": 30}
    votes = saved("first;second;winner\ncaf\xe9;b;first\n", "votes.csv")
    assert read_votes("csv", votes).votes.conditions == ("b", "caf\xe9")
    battle = '{"model_a": "caf\xe9", "model_b": "b", "winner": "model_a"}\n'
    assert read_votes("battles", saved(battle, "battles.jsonl")).votes.conditions == ("b", "caf\xe9")
    plan = saved("= \n", "study.toml")
    with pytest.raises(Exception, match=r"study\.toml: not TOML"):
        load_plan(plan)


def test_a_table_of_excel_is_cut_where_its_heading_shows(saved: Save) -> None:
    for delimiter in ",;\t":
        heading = delimiter.join(("file", "prompt", "generator"))
        row = delimiter.join(("a.png", '"one, two; three\tfour\nfive"', "x"))
        table = read_table(saved(f"{heading}\n\n{row}\n", "t.csv"))
        assert table.columns == ("file", "prompt", "generator")
        (cells,) = (row.cells for row in table.rows)
        assert (cells["file"], cells["generator"]) == ("a.png", "x")
        assert re.sub(r"\r\n?", "\n", cells["prompt"]) == "one, two; three\tfour\nfive"
        assert table.rows[0].line == 3


def parsed(folder: Path, text: str, known: tuple[str, ...] = ()) -> list[tuple[int, dict[str, str]]]:
    (folder / "t.csv").write_bytes(text.encode())
    return [(row.line, row.cells) for row in read_table(folder / "t.csv", known).rows]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a,b\n1,x\u2028y\x0cz\x85\x1cw\n", [(2, {"a": "1", "b": "x\u2028y\x0cz\x85\x1cw"})]),
        ('a,b\n"1\n2",x\n3,y\n', [(2, {"a": "1\n2", "b": "x"}), (4, {"a": "3", "b": "y"})]),
        ("sep=;\na;b\n1,5;x\n", [(3, {"a": "1,5", "b": "x"})]),
        (",a,b\n0,1,x\n", [(2, {"a": "1", "b": "x"})]),  # of pandas, with its index
        ("a,b,,\n1,x,,\n,,,\n", [(2, {"a": "1", "b": "x"})]),  # filled up by a spreadsheet
        ("a,b\n1,x,,\n", [(2, {"a": "1", "b": "x"})]),
        (" a , b\n1, x\n", [(2, {"a": "1", "b": " x"})]),
        ("a\n1\n", [(2, {"a": "1"})]),
        (f"a,b\n1,{200_000 * 'x'}\n", [(2, {"a": "1", "b": 200_000 * "x"})]),
        ("", []),
    ],
)
def test_a_row_ends_where_its_writer_ended_it(
    tmp_path: Path, text: str, rows: list[tuple[int, dict[str, str]]]
) -> None:
    assert parsed(tmp_path, text) == rows


def test_columns_that_are_known_tell_by_what_the_heading_is_cut(tmp_path: Path) -> None:
    text = "file;a note, of many, commas\nx;y\n"
    assert parsed(tmp_path, text, ("File",)) == [(2, {"file": "x", "a note, of many, commas": "y"})]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a,b\n1,2,3\n", "t.csv: line 2: expected 2 cells, as the first line has; got 3"),
        ("a,b\n\n1\n", "t.csv: line 3: expected 2 cells, as the first line has; got 1"),
        ("a,a\n1,2\n", "t.csv: line 1: column 'a' stands there twice"),
        ('a,b\n1,"2\n', "t.csv: after line 2: unexpected end of data"),
        (
            "a,b\n1,caf\xe9\n".encode("latin-1"),
            "t.csv: cannot be read (line 2: expected UTF-8, got the byte 0xe9",
        ),
        (codecs.BOM_UTF16_LE + b"a", "t.csv: cannot be read (no utf-16"),
    ],
)
def test_a_torn_table_is_refused_with_its_line(tmp_path: Path, text: str | bytes, reason: str) -> None:
    (tmp_path / "t.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(TextFileError, match=re.escape(reason)):
        read_table(tmp_path / "t.csv")


def test_what_cannot_be_opened_is_named_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(TextFileError, match=r"none\.txt: cannot be read \(No such file or directory\)"):
        read_text(tmp_path / "none.txt")
    (tmp_path / "lines.txt").write_bytes(b"a\xe2\x80\xa8b\r\nc\x0cd\re\n")
    assert read_lines(tmp_path / "lines.txt") == ["a\u2028b", "c\x0cd", "e"]


OWN = {
    # What reads files that this package or the system wrote, streams, or text that is no file's.
    "codecs/recipe_install.py",
    "codecs/classic/ffmpeg.py",
    "codecs/command.py",
    "codecs/devices.py",
    "codecs/fetch.py",
    "codecs/instruction_sets.py",
    "codecs/learned/transform.py",
    "codecs/learned/zoo.py",
    "bench/cli/doctor.py",
    "bench/metrics/ffmpeg.py",
    "bench/metrics/iqa.py",
    "bench/metrics/libjxl.py",
    "bench/metrics/text_error.py",
    "bench/run/prepare.py",
    "bench/sets/inception.py",
    "bench/store/method_source.py",
    "bench/timing/footprint.py",
    "bench/verify/verify_report.py",
    "bench/worker/clocks.py",
    "bench/worker/cpu_load.py",
    "bench/worker/device.py",
    "bench/worker/process_tree.py",
    "bench/worker/gpu.py",
    "bench/worker/sandbox.py",
    "datasets/description/content_cache.py",
    "datasets/generated/text_pictures.py",
    "datasets/sources/transfer.py",
    # A plan's text in the store.
    "studies/ledger/imports.py",
    "studies/ledger/score_imports.py",
    "studies/records/records.py",
}


def test_no_other_file_reads_text_by_itself() -> None:
    reading = set[str]()
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                # What the pages are made of lies in the package.
                case ast.Call(func=ast.Attribute(value=value, attr=("read_text" | "splitlines"))) if (
                    "WEB" not in ast.unparse(value)
                ):
                    reading.add(str(path.relative_to(ROOT)))
                case (
                    ast.Attribute(value=ast.Name(id="csv"), attr=("reader" | "DictReader"))
                    | ast.Attribute(value=ast.Name(id="tomllib"), attr=("load" | "loads"))
                ):
                    reading.add(str(path.relative_to(ROOT)))
                case _:
                    pass
    assert reading - OWN == set()
    assert text_file.LONGEST_CELL > 1e6


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("=1+1", "'=1+1"), ("+a", "'+a"), ("-a", "'-a"), ("@a", "'@a"), ("\ta", "'\ta"), ("\ra", "'\ra"),
        ("\uff1da", "'\uff1da"), ("'=1", "''=1"), ("''@", "'''@"),
        ("a=1", "a=1"), ("'a", "'a"), ("-1.5", "-1.5"), ("+3e9", "+3e9"), ("", ""),
    ],
)  # fmt: skip
def test_a_cell_that_is_guarded_against_spreadsheets_is_read_as_it_was(name: str, written: str) -> None:
    assert guarded(name) == written
    assert guarded_rows([{"a": name, "n": -2.5, name: None}]) == [{"a": written, "n": -2.5, written: None}]
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([["a", "b"], [written, "x"]])
    assert [row.cells["a"] for row in parse_table(stream.getvalue(), Path("t.csv")).rows] == [name]


@pytest.mark.parametrize("text", ["a = " + "9" * 5000, "a = " + "[" * 5000, "a = 1\na = 2"])
def test_a_table_that_cannot_be_held_is_refused(text: str) -> None:
    with pytest.raises(TextFileError, match=r"a\.toml: not TOML"):
        parse_toml(text, Path("a.toml"))
