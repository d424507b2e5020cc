"""What others' files of votes are read as, and how they are kept: names, sides, kinds, times, counts."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from giving import rows_of

from codecarena.bench.store.database import StoreError
from codecarena.studies.design.plan import AnalysisTable
from codecarena.studies.ledger.identity import withdrawal_code
from codecarena.studies.ledger.imports import analysis_of, facts_of, keep_votes, source_of
from codecarena.studies.ledger.ledger import Ledger, digest
from codecarena.studies.ledger.votes import status, votes_of
from codecarena.studies.organise.interchange import InterchangeError, write
from codecarena.studies.organise.interchange_read import read
from codecarena.studies.scale.votes import Kind, VoteRecord, Votes, from_records


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(str(tmp_path / "arena"))
    yield opened
    opened.close()


def reading(folder: Path, form: str, text: str) -> Votes:
    (folder / "votes").write_text(text)
    return read(form, folder / "votes").votes


def plain_records(votes: Votes) -> list[tuple[object, ...]]:
    return [
        (record.rater, record.picture, record.first, record.second, record.outcome, record.kind)
        for record in votes.records()
    ]


def test_a_table_of_votes_is_read_by_its_columns(tmp_path: Path) -> None:
    votes = reading(
        tmp_path, "csv",
        "rater,picture,first,second,winner,kind,response_ms,count\n"
        "r1,p1,a,b,first,main,1250,\n"
        "r2,p1,b,a,SECOND,repeat,640,2\n"
        "r1,,a,b,none,,,1\n"
        "r1,p2,a,b,tie,golden,quick,1\n"
        "r1,p2,a,b,skip,main,9000,1\n"
        "r1,p2,a,a,first,identical,1,1\n"
        "r3,p2,a,b,second,training,0,0\n",
    )  # fmt: skip
    assert plain_records(votes) == [
        ("r1", "p1", "a", "b", 1, Kind.PLAIN),
        ("r2", "p1", "b", "a", -1, Kind.REPEAT),
        ("r2", "p1", "b", "a", -1, Kind.REPEAT),
        ("r1", "unknown", "a", "b", 0, Kind.PLAIN),
        ("r1", "p2", "a", "b", 0, Kind.GOLDEN),
        ("r1", "p2", "a", "a", 1, Kind.IDENTICAL),
    ]
    assert votes.seconds.tolist()[:3] == pytest.approx([1.25, 0.64, 0.64])
    assert [math.isnan(seconds) for seconds in votes.seconds] == [False, False, False, True, True, False]
    assert (votes.sided, votes.raters_known) == (True, True)


@pytest.mark.parametrize(
    ("text", "sided", "raters_known"),
    [
        ("first,second,winner\na,b,first\n", True, False),
        ("first,second,winner,sided\na,b,first,false\na,b,first,FALSE\n", False, False),
        ("first,second,winner,sided,rater\na,b,first,True,r\n", True, True),
        ("first,second,winner\n", True, False),
    ],
)
def test_a_table_says_whether_sides_and_raters_were_noted(
    tmp_path: Path, text: str, sided: bool, raters_known: bool
) -> None:
    votes = reading(tmp_path, "csv", text)
    assert (votes.sided, votes.raters_known) == (sided, raters_known)
    assert set(votes.raters) <= ({"r"} if raters_known else {"unknown"})


def test_a_million_votes_are_taken_and_not_one_more(tmp_path: Path) -> None:
    head = "first,second,winner,count\na,b,first,999999\n"
    assert len(reading(tmp_path, "csv", head + "a,b,none,1\n")) == 1_000_000
    with pytest.raises(InterchangeError, match="line 3: count: more than 1,000,000 votes in all"):
        reading(tmp_path, "csv", head + "a,b,none,2\n")


AIC = "worker,img_num,codec_left,codec_right,dlevel_left,dlevel_right,response,response_time,is_trap\n"


def test_the_aic_response_is_the_side_that_loses(tmp_path: Path) -> None:
    votes = reading(
        tmp_path, "aic",
        AIC + "w1,5,jpeg,avif,2,3,left,1.5,0\n"
        "w1,5,jpeg,avif,2,3,Right,2.5,\n"
        "w2,5,jpeg,avif,2,3,not sure,,0\n"
        "w2,5,x,avif,0,1,right,1,1\n"
        "w2,5,x,avif,0.0,1,right,1,True\n"
        "w2,5,avif,avif,1,1,left,1,0\n"
        "w2,5,x,y,0,0,left,1,0\n"
        "w2,5,jpeg,avif,2,3,skip,1,0\n"
        "w2,5,jpeg,avif,2,3,Skipped,1,0\n"
        "w2,5,jpeg,avif,2,3,,1,0\n",
    )  # fmt: skip
    assert plain_records(votes) == [
        ("w1", "5", "jpeg-2", "avif-3", -1, Kind.PLAIN),
        ("w1", "5", "jpeg-2", "avif-3", 1, Kind.PLAIN),
        ("w2", "5", "jpeg-2", "avif-3", 0, Kind.PLAIN),
        ("w2", "5", "original", "avif-1", 1, Kind.GOLDEN),
        ("w2", "5", "original", "avif-1", 1, Kind.GOLDEN),
        ("w2", "5", "avif-1", "avif-1", -1, Kind.IDENTICAL),
        ("w2", "5", "original", "original", -1, Kind.IDENTICAL),
    ]
    assert votes.seconds.tolist()[:2] == [1.5, 2.5]


@pytest.mark.parametrize(
    ("times", "seconds"),
    [
        ((200, 200, 200), (200, 200, 200)),
        ((201, 201, 201), (0.201, 0.201, 0.201)),
        ((3, 2, 5000), (3, 2, 5000)),
    ],
)
def test_a_median_above_200_is_of_milliseconds(
    tmp_path: Path, times: tuple[float, ...], seconds: tuple[float, ...]
) -> None:
    rows = "".join(f"w,5,jpeg,avif,2,3,left,{time},0\n" for time in times)
    assert reading(tmp_path, "aic", AIC + rows).seconds.tolist() == pytest.approx(seconds)


def test_pwcmp_is_read_by_either_name_of_its_column(tmp_path: Path) -> None:
    for column in ("is_A_selected", "selected_A"):
        votes = reading(
            tmp_path, "pwcmp",
            f"observer,scene,condition_A,condition_B,{column}\no,s,a,b,1\no,,a,b,0\no,s,b,b,1.0\no,s,b,a,0.0\n",
        )  # fmt: skip
        assert plain_records(votes) == [
            ("o", "s", "a", "b", 1, Kind.PLAIN),
            ("o", "all", "a", "b", -1, Kind.PLAIN),
            ("o", "s", "b", "b", 1, Kind.IDENTICAL),
            ("o", "s", "b", "a", -1, Kind.PLAIN),
        ]
        assert (votes.sided, votes.raters_known) == (False, True)
        assert all(math.isnan(seconds) for seconds in votes.seconds)


@pytest.mark.parametrize(
    ("judges", "raters_known"), [(("j1", "j2"), True), (("j1", "j1"), False), ((None, None), False)]
)
def test_battles_know_their_raters_where_there_are_several_judges(
    tmp_path: Path, judges: tuple[str | None, ...], raters_known: bool
) -> None:
    winners = ("model_a", "tie (bothbad)")
    rows = [
        {"model_a": "x", "model_b": "y", "winner": winner, "judge": judge}
        for winner, judge in zip(winners, judges, strict=True)
    ]
    votes = reading(tmp_path, "battles", "\n".join(json.dumps(row) for row in rows))
    assert plain_records(votes) == [
        (judges[0] or "unknown", "all", "x", "y", 1, Kind.PLAIN),
        (judges[1] or "unknown", "all", "x", "y", 0, Kind.PLAIN),
    ]
    assert votes.raters_known is raters_known
    assert votes.sided


def test_a_file_without_battles_is_no_votes_of_unknown_raters(tmp_path: Path) -> None:
    votes = reading(tmp_path, "battles", "")
    assert (len(votes), votes.raters_known) == (0, False)


# Kept as a study

RECORDS = [
    VoteRecord("ann", "p1", "a", "b", 1, Kind.PLAIN, 1.25),
    VoteRecord("bob", "p1", "b", "a", -1, Kind.PLAIN),
    VoteRecord("ann", "p1", "b", "a", 0, Kind.REPEAT, 0.5),
    VoteRecord("ann", "p2", "a", "original", -1, Kind.GOLDEN, 2.0),
    VoteRecord("ann", "p2", "original", "b", 1, Kind.GOLDEN, 2.0),
    VoteRecord("bob", "p2", "b", "a", 1, Kind.GOLDEN, 2.0),
    VoteRecord("bob", "p2", "b", "b", 0, Kind.IDENTICAL, 3.0),
    VoteRecord("bob", "p2", "original", "b", 1, Kind.TRAINING, 4.0),
    VoteRecord("bob", "p2", "a", "b", 1, Kind.PLAIN, 5.0),
]


def test_kept_votes_are_a_study_with_each_vote_as_it_came(tmp_path: Path, ledger: Ledger) -> None:
    votes = from_records(RECORDS)
    study = keep_votes(ledger, "theirs", 'somebody\'s "table"', votes)
    back = votes_of(ledger, study)
    assert [
        (record.picture, record.first, record.second, record.outcome, record.kind)
        for record in back.records()
    ] == [(record.picture, record.first, record.second, record.outcome, record.kind) for record in RECORDS]
    assert back.seconds.tolist() == pytest.approx(votes.seconds.tolist(), nan_ok=True)
    # A rater is told from another study's of the same name.
    assert [record.rater for record in back.records()] == [f"theirs:{record.rater}" for record in RECORDS]
    assert back.conditions == ("a", "b", "original")
    assert (study.state, facts_of(study), analysis_of(study)) == ("imported", (True, True), AnalysisTable())
    assert source_of(study) == 'somebody\'s "table"'
    # The three votes on p1 are of one pair, of which the repeat is no vote of its own.
    counted = status(ledger, study)
    assert (counted.votes, counted.pairs, counted.fewest_votes, counted.most_votes) == (3, 2, 1, 2)
    assert [(rater.name, rater.stage, rater.votes) for rater in counted.raters] == [
        ("theirs:ann", "done", 4), ("theirs:bob", "done", 5),
    ]  # fmt: skip
    store = tmp_path / "arena"
    positions = rows_of(store, "SELECT position FROM study_trials ORDER BY id")
    assert [row[0] for row in positions] == [0, 0, 1, 2, 3, 1, 2, 3, 4]
    assert rows_of(store, "SELECT DISTINCT proof FROM study_votes") == [("unproven",)]
    assert rows_of(store, "SELECT response_ms FROM study_votes ORDER BY id LIMIT 3") == [
        (1250,),
        (None,),
        (500,),
    ]
    assert rows_of(store, "SELECT count(*) FROM study_trials WHERE answered_at IS NULL") == [(0,)]
    code = withdrawal_code(study, "theirs:ann")
    assert rows_of(store, "SELECT withdrawal_sha256 FROM study_raters ORDER BY id")[0] == (digest(code),)
    assert ledger.withdraw(code) == 4
    assert status(ledger, study).votes == 2


def test_the_first_of_a_golden_pair_is_the_original_or_who_stood_first(ledger: Ledger) -> None:
    study = keep_votes(ledger, "theirs", "somebody", from_records(RECORDS))
    material = ledger.known(study).material

    def named(stimulus: int) -> str:
        return material.conditions[material.stimuli[stimulus].condition].name

    pairs = [(pair.kind, named(pair.first), named(pair.second)) for pair in material.pairs]
    assert pairs == [
        ("main", "a", "b"),
        ("golden", "original", "a"),
        ("golden", "original", "b"),
        ("golden", "b", "a"),
        ("identical", "b", "b"),
        ("training", "original", "b"),
        ("main", "a", "b"),
    ]


def test_what_was_not_noted_and_how_to_analyse_are_kept(ledger: Ledger) -> None:
    votes = from_records(RECORDS[:2], sided=False, raters_known=False)
    asked = AnalysisTable(unit="log-worth", anchor="b", resamples=200)
    study = keep_votes(ledger, "theirs", "a \x7f b 😀", votes, asked)
    assert facts_of(study) == (False, False)
    assert analysis_of(study) == asked
    back = votes_of(ledger, study)
    assert (back.sided, back.raters_known) == (False, False)


def test_an_import_names_what_is_wrong_with_it(ledger: Ledger) -> None:
    many = from_records([VoteRecord("r", "p", f"c{place:02}", f"c{place + 1:02}", 1) for place in range(12)])
    listed = ", ".join(f"c{place:02}" for place in range(12))
    table = [
        ("Theirs", many, None, "study name 'Theirs': expected lower-case letters"),
        ("a" * 41, many, None, "at most 40"),
        ("theirs", from_records([]), None, "no votes were found in the file"),
        ("theirs", many, "best", f"expected the anchor among {listed}, …; got 'best'"),
        ("theirs", from_records(RECORDS), "c", "expected the anchor among a, b, original; got 'c'"),
    ]
    for name, votes, anchor, said in table:
        with pytest.raises(StoreError) as error:
            keep_votes(ledger, name, "somebody", votes, AnalysisTable(anchor=anchor))
        assert said in str(error.value)
    assert ledger.studies() == []
    twelve = from_records(many.records()[:11])
    with pytest.raises(StoreError, match=f"among {listed}; got"):
        keep_votes(ledger, "theirs", "somebody", twelve, AnalysisTable(anchor="best"))
    keep_votes(ledger, "a" * 40, "somebody", many, AnalysisTable(anchor="c12"))


def test_an_import_goes_out_as_it_came_and_without_a_time_where_none_was_noted(
    tmp_path: Path, ledger: Ledger
) -> None:
    study = keep_votes(ledger, "theirs", "somebody", from_records(RECORDS))
    assert write(ledger, study, "aic", tmp_path / "aic.csv") == 7
    back = read("aic", tmp_path / "aic.csv").votes
    assert [record.outcome for record in back.records()] == [1, -1, -1, 1, 1, 0, 1]
    assert back.seconds.tolist() == pytest.approx([1.25, math.nan, 2, 2, 2, 3, 5], nan_ok=True)
    assert write(ledger, study, "battles", tmp_path / "battles") == 3
    assert [record.outcome for record in read("battles", tmp_path / "battles").votes.records()] == [1, -1, 1]
