"""Votes that travel in other people's formats and come back, and files that are not what they claim."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection, text
from studying import enter, invite, open_study, work_through

from codecarena.bench.store.database import StoreError
from codecarena.studies.analysis.choices import plan_of
from codecarena.studies.ledger.imports import keep_votes
from codecarena.studies.ledger.ledger import Ledger
from codecarena.studies.ledger.votes import status, stored_votes, votes_of
from codecarena.studies.organise.interchange import InterchangeError, write
from codecarena.studies.organise.interchange_read import read
from codecarena.studies.scale.votes import Kind, Votes
from codecarena.studies.session.session import RaterService


@pytest.fixture
def ledger(tmp_path: Path):
    open_study(tmp_path, conditions=3, pictures=3)
    service = RaterService(str(tmp_path))
    for invitation, answer in zip(invite(tmp_path, 3), ("first", "second", "none"), strict=True):
        work_through(service, enter(service, invitation), answer)
    service.close()
    opened = Ledger(str(tmp_path))
    yield opened
    opened.close()


def plain(votes: Votes, rename: dict[str, str] | None = None) -> list[tuple[object, ...]]:
    names = rename or {}
    return [
        (
            record.rater,
            record.picture,
            names.get(record.first, record.first),
            names.get(record.second, record.second),
            record.outcome,
        )
        for record in votes.of_kind(Kind.PLAIN).records()
    ]


@pytest.mark.parametrize("form", ["csv", "parquet", "battles"])
def test_votes_come_back_as_they_went(ledger: Ledger, tmp_path: Path, form: str) -> None:
    study = ledger.study("small")
    write(ledger, study, form, tmp_path / "votes")
    assert plain(read(form, tmp_path / "votes").votes) == plain(votes_of(ledger, study, plan_of(study)))


HOSTILE = {"codec0": "=HYPERLINK(A1)", "codec1": "@SUM(1+9)*cmd|' /C calc'!A0", "codec2": "'-2+3"}


@pytest.mark.parametrize("form", ["csv", "pwcmp", "aic"])
def test_no_cell_of_a_table_is_a_formula_and_names_come_back(
    ledger: Ledger, tmp_path: Path, form: str
) -> None:
    def rename(connection: Connection) -> None:
        for old, new in HOSTILE.items():
            names = {"old": old, "new": new}
            connection.execute(
                text("UPDATE study_conditions SET name = :new, codec = :new WHERE name = :old"), names
            )
        connection.execute(text("UPDATE study_contents SET name = '+' || name"))

    ledger.write(rename)
    study = ledger.study("small")
    write(ledger, study, form, tmp_path / "votes.csv")
    with (tmp_path / "votes.csv").open(newline="") as file:
        cells = {cell for row in csv.reader(file) for cell in row}
    assert not [cell for cell in cells if cell.startswith(tuple("=+-@\t\r"))]
    assert "'+made/0" in cells
    back = read(form, tmp_path / "votes.csv").votes
    level = "-1" if form == "aic" else ""
    # pwcmp has no golden trials, which alone show the original.
    original = set() if form == "pwcmp" else {"original"}
    assert {*back.conditions} == {f"{name}{level}" for name in HOSTILE.values()} | original
    assert {*back.pictures} == {"+made/0", "+made/1", "+made/2"}


def test_csv_keeps_kinds_and_times(ledger: Ledger, tmp_path: Path) -> None:
    study = ledger.study("small")
    count = write(ledger, study, "csv", tmp_path / "votes.csv")
    back = read("csv", tmp_path / "votes.csv").votes
    assert count == len(back) == len(stored_votes(ledger, study))
    assert set(back.kind.tolist()) == set(map(int, Kind))
    assert np.allclose(back.seconds, 0.0015)


def test_aic_tells_the_side_that_differs_more(ledger: Ledger, tmp_path: Path) -> None:
    study = ledger.study("small")
    write(ledger, study, "aic", tmp_path / "votes.csv")
    names = {f"codec{n}": f"codec{n}-1" for n in range(3)}
    assert plain(read("aic", tmp_path / "votes.csv").votes) == plain(
        votes_of(ledger, study, plan_of(study)), names
    )
    back = read("aic", tmp_path / "votes.csv").votes
    assert set(back.kind.tolist()) == {Kind.PLAIN, Kind.GOLDEN, Kind.IDENTICAL}


def test_aic_times_in_milliseconds_are_seen_as_such(tmp_path: Path) -> None:
    head = "worker,img_num,codec_left,codec_right,dlevel_left,dlevel_right,response,response_time\n"
    (tmp_path / "a.csv").write_text(head + "7,1,2,3,4,5,left,3210\n8,1,0,3,0,5,not sure,2100\n")
    votes = read("aic", tmp_path / "a.csv").votes
    assert votes.seconds.tolist() == pytest.approx([3.21, 2.1])
    assert [(record.first, record.second, record.outcome) for record in votes.records()] == [
        ("2-4", "3-5", -1),
        ("original", "3-5", 0),
    ]


def test_pwcmp_has_no_ties_and_no_sides(ledger: Ledger, tmp_path: Path) -> None:
    study = ledger.study("small")
    write(ledger, study, "pwcmp", tmp_path / "votes.csv")
    back = read("pwcmp", tmp_path / "votes.csv").votes
    decided = [row for row in plain(votes_of(ledger, study, plan_of(study))) if row[-1]]
    assert plain(back) == decided
    assert not back.sided
    # The column order of pwcmp's own example.
    text = (
        "observer,session_id,scene,condition_B,condition_A,is_A_selected,criterion\nM,1,w,b,a,0,perceptual\n"
    )
    (tmp_path / "own.csv").write_text(text)
    assert plain(read("pwcmp", tmp_path / "own.csv").votes) == [("M", "w", "a", "b", -1)]


def test_an_import_is_a_study_of_its_own(ledger: Ledger, tmp_path: Path) -> None:
    study = ledger.study("small")
    write(ledger, study, "battles", tmp_path / "votes.jsonl")
    votes = read("battles", tmp_path / "votes.jsonl").votes
    imported = keep_votes(ledger, "theirs", "somebody", votes)
    again = votes_of(ledger, imported, None)
    without_rater = [(*row[1:],) for row in plain(votes)]
    assert [(*row[1:],) for row in plain(again)] == without_rater
    assert again.conditions == votes.conditions
    assert ledger.study("theirs").state == "imported"
    assert status(ledger, imported).votes == len(votes)
    with pytest.raises(StoreError, match="already"):
        keep_votes(ledger, "theirs", "somebody", votes)


@pytest.mark.parametrize(
    ("form", "text", "said"),
    [
        ("csv", "first,second\na,b\n", "no column winner"),
        ("csv", "first,second,winner\na,b,left\n", "line 2: winner: expected one of first"),
        ("csv", "first,second,winner,kind\na,b,first,odd\n", "line 2: kind"),
        (
            "csv",
            "first,second,winner\na,b,first\na,a,first\n",
            "line 3: expected two conditions; got 'a' twice",
        ),
        ("csv", "first,second,winner\na,b,first\na,b\n", "line 3: expected 3 cells"),
        ("csv", "first,second,winner\na,b,first,more\n", "line 2: expected 3 cells"),
        (
            "csv",
            'first,second,winner\n"a\nb",b,first\n,b,first\n',
            "line 4: first: expected a name; got nothing",
        ),
        ("csv", "rater,first,second,winner\n,a,b,first\n", "line 2: rater: expected a name"),
        ("csv", "first,first,second,winner\na,a,b,first\n", "line 1: column 'first' stands there twice"),
        ("csv", "first,second,winner,count\na,b,first,2.5\n", "line 2: count: expected a whole number"),
        ("csv", "first,second,winner,count\na,b,first,-1\n", "line 2: count: expected a whole number"),
        ("csv", "first,second,winner,count\na,b,first,1e9\n", "line 2: count: more than 1,000,000 votes"),
        ("csv", "first,second,winner,count\na,b,first,inf\n", "line 2: count: expected a whole number"),
        (
            "csv",
            "first,second,winner,sided\na,b,first,false\na,b,first,true\n",
            "line 3: sided: expected one answer",
        ),
        ("csv", 'first,second,winner\n"a"x,b,first\n', "after line 2: "),
        ("csv", 'first,second,winner\n"a,b,first\n', "unexpected end of data"),
        ("csv", "first second winner\na b first\n", "no column first; it has first second winner"),
        ("parquet", "PAR1first,second,winner\n", "cannot be read"),
        ("aic", "worker,img_num\n1,2\n", "no column codec_left"),
        ("pwcmp", "observer,condition_A,condition_B,is_A_selected\nx,a,b,2\n", "line 2: .* got '2'"),
        ("pwcmp", "observer,condition_A,condition_B,is_A_selected\nx,a,b,-1\n", "line 2: .* got '-1'"),
        ("pwcmp", "observer,condition_A,condition_B,is_A_selected\n,a,b,1\n", "line 2: observer: expected"),
        ("battles", '{"model_a": "x"}\n', "no column model_b"),
        (
            "battles",
            '{"model_a": "x", "model_b": "y", "winner": "tie"}\n\n{}\n',
            "line 3: model_a: expected a name",
        ),
        ("battles", "{\n", "line 1: not JSON"),
        ("battles", "[1]", "entry 1: expected an object, got '1'"),
        ("battles", "[{", "cannot be read"),
        ("spss", "", "no format 'spss'"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(tmp_path: Path, form: str, text: str, said: str) -> None:
    (tmp_path / "f").write_text(text)
    with pytest.raises(InterchangeError, match=said):
        read(form, tmp_path / "f")


@pytest.mark.parametrize("form", ["csv", "aic", "pwcmp", "battles", "parquet", "mucped23"])
def test_bytes_that_are_no_text_and_files_that_are_not_there_are_refused(tmp_path: Path, form: str) -> None:
    (tmp_path / "bytes").write_bytes(b"first,second,winner\n\x80")
    (tmp_path / "folder").mkdir()
    for name in ("bytes", "folder", "absent"):
        with pytest.raises(InterchangeError, match=f"{name}: "):
            read(form, tmp_path / name)


def test_odd_files_that_mean_something_are_read(tmp_path: Path) -> None:
    """A mark at the beginning, foreign line ends, names of any script, quoted commas and line breaks."""
    text = '\ufefffirst,second,winner,extra\r\n"q, 5",日本 | é,first,1\r\n\r\n日本 | é,"line\nbreak",TIE,\r\n'
    (tmp_path / "odd.csv").write_bytes(text.encode())
    votes = read("csv", tmp_path / "odd.csv").votes
    outcomes = [(record.first, record.second, record.outcome) for record in votes.records()]
    assert outcomes == [("q, 5", "日本 | é", 1), ("日本 | é", "line\nbreak", 0)]
    assert not votes.raters_known


def test_a_table_of_counts_is_so_many_votes(tmp_path: Path) -> None:
    rows = "first,second,winner,count\na,b,first,28\na,b,second,11\na,b,none,6\nb,c,first,0\n"
    (tmp_path / "counts.csv").write_text(rows)
    votes = read("csv", tmp_path / "counts.csv").votes
    assert len(votes) == 45
    assert [int((votes.outcome == outcome).sum()) for outcome in (1, 0, -1)] == [28, 6, 11]
    assert not votes.raters_known


def test_battles_may_be_one_list_and_hold_a_model_against_itself(tmp_path: Path) -> None:
    rows = [
        {"model_a": "x\u2028", "model_b": "y", "winner": "model_b", "judge": "j1", "question_id": 7},
        {"model_a": "y", "model_b": "y", "winner": "tie", "judge": "j2", "question_id": 8},
    ]
    (tmp_path / "list.json").write_text(json.dumps(rows))
    (tmp_path / "lines.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows))
    for name in ("list.json", "lines.jsonl"):
        votes = read("battles", tmp_path / name).votes
        assert [record.outcome for record in votes.records()] == [-1, 0]
        assert votes.kind.tolist() == [Kind.PLAIN, Kind.IDENTICAL]
        assert votes.pictures == ("7", "8")


def test_a_study_needs_a_name_for_commands(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("first,second,winner\na,b,first\n")
    with pytest.raises(StoreError, match="lower-case letters"):
        keep_votes(ledger, "../Theirs", "somebody", read("csv", tmp_path / "v.csv").votes)


def test_battles_are_one_object_a_line(ledger: Ledger, tmp_path: Path) -> None:
    write(ledger, ledger.study("small"), "battles", tmp_path / "b.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "b.jsonl").read_text().splitlines()]
    assert {"question_id", "model_a", "model_b", "winner", "judge"} <= set(rows[0])
    assert {row["winner"] for row in rows} == {"model_a", "model_b", "tie"}
