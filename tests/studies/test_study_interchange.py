"""Votes that travel in other people's formats and come back, and files that are not what they claim."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from studying import enter, invite, open_study, work_through

from codecarena.bench.store.database import StoreError
from codecarena.studies.interchange import InterchangeError, write
from codecarena.studies.interchange_read import read
from codecarena.studies.ledger import Ledger
from codecarena.studies.ledger_import import keep_votes
from codecarena.studies.ledger_votes import status, stored_votes, votes_of
from codecarena.studies.organise import plan_of
from codecarena.studies.session import Desk
from codecarena.studies.votes import Kind, Votes


@pytest.fixture
def ledger(tmp_path: Path):
    open_study(tmp_path, conditions=3, pictures=3)
    desk = Desk(str(tmp_path))
    for invitation, answer in zip(invite(tmp_path, 3), ("first", "second", "none"), strict=True):
        work_through(desk, enter(desk, invitation), answer)
    desk.close()
    opened = Ledger(str(tmp_path))
    yield opened
    opened.close()


def plain(votes: Votes, rename: dict[str, str] | None = None) -> list[tuple[object, ...]]:
    names = rename or {}
    return [
        (
            one.rater,
            one.picture,
            names.get(one.first, one.first),
            names.get(one.second, one.second),
            one.outcome,
        )
        for one in votes.of_kind(Kind.PLAIN).records()
    ]


@pytest.mark.parametrize("form", ["csv", "parquet", "battles"])
def test_votes_come_back_as_they_went(ledger: Ledger, tmp_path: Path, form: str) -> None:
    study = ledger.study("small")
    write(ledger, study, form, tmp_path / "votes")
    assert plain(read(form, tmp_path / "votes")) == plain(votes_of(ledger, study, plan_of(study)))


def test_csv_keeps_kinds_and_times(ledger: Ledger, tmp_path: Path) -> None:
    study = ledger.study("small")
    count = write(ledger, study, "csv", tmp_path / "votes.csv")
    back = read("csv", tmp_path / "votes.csv")
    assert count == len(back) == len(stored_votes(ledger, study))
    assert set(back.kind.tolist()) == set(map(int, Kind))
    assert np.allclose(back.seconds, 0.8125)


def test_aic_tells_the_side_that_differs_more(ledger: Ledger, tmp_path: Path) -> None:
    study = ledger.study("small")
    write(ledger, study, "aic", tmp_path / "votes.csv")
    names = {f"codec{n}": f"codec{n}-1" for n in range(3)}
    assert plain(read("aic", tmp_path / "votes.csv")) == plain(votes_of(ledger, study, plan_of(study)), names)
    back = read("aic", tmp_path / "votes.csv")
    assert set(back.kind.tolist()) == {Kind.PLAIN, Kind.GOLDEN, Kind.IDENTICAL}


def test_aic_times_in_milliseconds_are_seen_as_such(tmp_path: Path) -> None:
    head = "worker,img_num,codec_left,codec_right,dlevel_left,dlevel_right,response,response_time\n"
    (tmp_path / "a.csv").write_text(head + "7,1,2,3,4,5,left,3210\n8,1,0,3,0,5,not sure,2100\n")
    votes = read("aic", tmp_path / "a.csv")
    assert votes.seconds.tolist() == pytest.approx([3.21, 2.1])
    assert [(one.first, one.second, one.outcome) for one in votes.records()] == [
        ("2-4", "3-5", -1),
        ("original", "3-5", 0),
    ]


def test_pwcmp_has_no_ties_and_no_sides(ledger: Ledger, tmp_path: Path) -> None:
    study = ledger.study("small")
    write(ledger, study, "pwcmp", tmp_path / "votes.csv")
    back = read("pwcmp", tmp_path / "votes.csv")
    decided = [one for one in plain(votes_of(ledger, study, plan_of(study))) if one[-1]]
    assert plain(back) == decided
    assert not back.sided
    # The column order of pwcmp's own example.
    text = (
        "observer,session_id,scene,condition_B,condition_A,is_A_selected,criterion\nM,1,w,b,a,0,perceptual\n"
    )
    (tmp_path / "own.csv").write_text(text)
    assert plain(read("pwcmp", tmp_path / "own.csv")) == [("M", "w", "a", "b", -1)]


def test_an_import_is_a_study_of_its_own(ledger: Ledger, tmp_path: Path) -> None:
    study = ledger.study("small")
    write(ledger, study, "battles", tmp_path / "votes.jsonl")
    votes = read("battles", tmp_path / "votes.jsonl")
    imported = keep_votes(ledger, "theirs", "somebody", votes)
    again = votes_of(ledger, imported, None)
    ours = [(*one[1:],) for one in plain(votes)]
    assert [(*one[1:],) for one in plain(again)] == ours
    assert again.conditions == votes.conditions
    assert ledger.study("theirs").state == "imported"
    assert status(ledger, imported).votes == len(votes)
    with pytest.raises(StoreError, match="already"):
        keep_votes(ledger, "theirs", "somebody", votes)


@pytest.mark.parametrize(
    ("form", "text", "said"),
    [
        ("csv", "first,second\na,b\n", "no column winner"),
        ("csv", "first,second,winner\na,b,left\n", "row 1: winner: expected one of first"),
        ("csv", "first,second,winner,kind\na,b,first,odd\n", "row 1: kind"),
        ("csv", "first,second,winner\na,a,first\n", "two conditions"),
        ("pwcmp", "observer,condition_A,condition_B,is_A_selected\nx,a,b,2\n", "got '2'"),
        ("battles", '{"model_a": "x"}\n', "no column model_b"),
        ("battles", "{\n", "line 1: not JSON"),
        ("spss", "", "no format 'spss'"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(tmp_path: Path, form: str, text: str, said: str) -> None:
    (tmp_path / "f").write_text(text)
    with pytest.raises(InterchangeError, match=said):
        read(form, tmp_path / "f")


def test_battles_are_one_object_a_line(ledger: Ledger, tmp_path: Path) -> None:
    write(ledger, ledger.study("small"), "battles", tmp_path / "b.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "b.jsonl").read_text().splitlines()]
    assert {"question_id", "model_a", "model_b", "winner", "judge"} <= set(rows[0])
    assert {row["winner"] for row in rows} == {"model_a", "model_b", "tie"}
