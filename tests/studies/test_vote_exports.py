"""What each format of votes says of each answer, row by row, whichever way the question asked."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from giving import cast_vote, give
from studying import invite, plan, text

from codecarena.studies.design.plan import REFERENCE, seal
from codecarena.studies.ledger.trials import TrialLedger
from codecarena.studies.ledger.votes import status, stored_votes, vote_rows, votes_of
from codecarena.studies.organise.interchange import InterchangeError, write
from codecarena.studies.records.messages import Answer
from codecarena.studies.records.records import Condition, Content, Pair, Stimulus, StudyMaterial
from codecarena.studies.scale.votes import Kind
from codecarena.studies.session.schedule import Item

MIRRORED: dict[Answer, Answer] = {"first": "second", "second": "first", "none": "none", "skip": "skip"}
CONDITIONS = (
    Condition("jpeg q=10", "j", "jpeg", "q=10"),
    Condition("webp q=5", "w", "webp", "q=5"),
    Condition("jpeg q=50", "j", "jpeg", "q=50"),
    Condition(REFERENCE, None, None, None, is_reference=True),
)
MATERIAL = StudyMaterial(
    CONDITIONS,
    (Content("kodak/1"), Content("kodak/2")),
    tuple(Stimulus(content, condition) for content in (0, 1) for condition in range(4)),
    (
        Pair("main", 4, 5),  # kodak/2: jpeg q=10, webp q=5
        Pair("main", 0, 2),  # kodak/1: jpeg q=10, jpeg q=50
        Pair("training", 3, 0),  # kodak/1: original, jpeg q=10
        Pair("golden", 7, 4),  # kodak/2: original, jpeg q=10
        Pair("identical", 1, 1),  # kodak/1: webp q=5
    ),
)
# Trial, answer, milliseconds.
VOTES: tuple[tuple[Item, Answer, float], ...] = (
    (Item("training", 2, True), "first", 5000.0),
    (Item("main", 0, False, 0.25), "first", 1250.0),
    (Item("main", 1, True), "second", 2000.0),
    (Item("golden", 3, False), "second", 640.0),
    (Item("repeat", 0, True), "second", 700.0),
    (Item("identical", 4, True), "none", 3000.0),
    (Item("main", 0, True), "none", 4000.0),
    (Item("main", 1, False), "skip", 9000.0),
)


def stored(store: Path, asks: str, answers: list[Answer]) -> TrialLedger:
    """Return a ledger with the votes above, answered so, in a study that asks so."""
    trials = f'asks = "{asks}"\ntime_limit_ms = 9000'
    ledger = TrialLedger(str(store))
    ledger.keep(
        plan().name, text(trials=trials), seal(text(trials=trials), MATERIAL.lines()), "planned", MATERIAL
    )
    ledger.set_state(ledger.study("small"), "open")
    [invitation] = invite(store)
    trials_given = give(ledger, invitation, [item for item, _, _ in VOTES])
    for trial, answer, (_, _, response_ms) in zip(trials_given, answers, VOTES, strict=True):
        proof = "proven" if trial.position == 2 else "unproven"
        cast_vote(ledger, trial, answer, response_ms, proof, times_begun=3, screen=[1920, 1080], toggles=5)
    return ledger


@pytest.fixture(scope="module", params=["better", "worse"])
def asked(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[tuple[TrialLedger, str]]:
    """Return votes for the same pictures as the better ones, and how it was asked for them.

    Where the question asks for the worse picture, each answer names the other side: every export but the
    answer itself must be the same.
    """
    answers = [answer if request.param == "better" else MIRRORED[answer] for _, answer, _ in VOTES]
    ledger = stored(tmp_path_factory.mktemp("votes"), request.param, answers)
    yield ledger, request.param
    ledger.close()


def exported(ledger: TrialLedger, form: str, out: Path) -> list[dict[str, Any]]:
    rows = write(ledger, ledger.study("small"), form, out)
    if form == "battles":
        read = [json.loads(line) for line in out.read_text().splitlines()]
    elif form == "parquet":
        read = pd.read_parquet(out).to_dict("records")
    else:
        with out.open(newline="") as file:
            read = list(csv.DictReader(file))
    assert len(read) == rows
    return read


def test_aic_names_the_side_that_differs_more_and_counts_seconds(
    asked: tuple[TrialLedger, str], tmp_path: Path
) -> None:
    ledger, _ = asked
    rows = exported(ledger, "aic", tmp_path / "votes.csv")
    vote = stored_votes(ledger, ledger.study("small"))[1]
    assert rows[0] == {
        "assignment": vote.rater, "worker": vote.rater, "method": "PTC", "task": "1", "question_id": "2",
        "img_num": "kodak/2", "codec_left": "webp", "codec_pivot": "0", "codec_right": "jpeg",
        "dlevel_left": "1", "dlevel_pivot": "0", "dlevel_right": "1",
        "img_left": "webp q=5", "img_pivot": "original", "img_right": "jpeg q=10",
        "is_same": "0", "is_cross": "1", "is_bias": "0", "is_trap": "0", "question_order": "2",
        "response": "right", "submission_time": vote.received_at, "response_time": "1.25",
        "reload_count": "2", "resolution": "1920x1080", "toggle_count": "5",
    }  # fmt: skip
    # Training and the repeat are left out.
    columns = ("question_id", "codec_left", "dlevel_left", "codec_right", "dlevel_right")
    assert [tuple(row[name] for name in columns) for row in rows] == [
        ("2", "webp", "1", "jpeg", "1"),
        ("3", "jpeg", "1", "jpeg", "2"),
        ("4", "jpeg", "1", "0", "0"),
        ("6", "webp", "1", "webp", "1"),
        ("7", "jpeg", "1", "webp", "1"),
        ("8", "jpeg", "2", "jpeg", "1"),
    ]
    columns = ("response", "response_time", "is_same", "is_cross", "is_bias", "is_trap", "question_order")
    assert [tuple(row[name] for name in columns) for row in rows] == [
        ("right", "1.25", "0", "1", "0", "0", "2"),
        ("left", "2.0", "1", "0", "0", "0", "3"),
        ("left", "0.64", "0", "1", "0", "1", "4"),
        ("not sure", "3.0", "1", "0", "1", "0", "6"),
        ("not sure", "4.0", "0", "1", "0", "0", "7"),
        ("skip", "9.0", "1", "0", "0", "0", "8"),
    ]


def test_battles_name_the_better_side_of_the_plan_s_pairs(
    asked: tuple[TrialLedger, str], tmp_path: Path
) -> None:
    ledger, _ = asked
    rows = exported(ledger, "battles", tmp_path / "votes.jsonl")
    votes = stored_votes(ledger, ledger.study("small"))
    assert rows[0] == {
        "question_id": "kodak/2", "model_a": "webp q=5", "model_b": "jpeg q=10", "winner": "model_a",
        "judge": votes[1].rater, "turn": 1, "anony": True, "tstamp": votes[1].received_at,
        "vote_id": votes[1].client_uuid,
    }  # fmt: skip
    # Only trials of the design; the one that ran out of time is no battle.
    assert [(row["question_id"], row["model_a"], row["winner"]) for row in rows] == [
        ("kodak/2", "webp q=5", "model_a"),
        ("kodak/1", "jpeg q=10", "model_b"),
        ("kodak/2", "jpeg q=10", "tie"),
    ]


def test_pwcmp_selects_the_better_side_and_leaves_ties_out(
    asked: tuple[TrialLedger, str], tmp_path: Path
) -> None:
    ledger, _ = asked
    rows = exported(ledger, "pwcmp", tmp_path / "votes.csv")
    rater = stored_votes(ledger, ledger.study("small"))[0].rater
    assert [tuple(row.values()) for row in rows] == [
        (rater, "1", "kodak/2", "webp q=5", "jpeg q=10", "1"),
        (rater, "1", "kodak/1", "jpeg q=10", "jpeg q=50", "0"),
    ]
    assert list(rows[0]) == ["observer", "session_id", "scene", "condition_A", "condition_B", "is_A_selected"]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_whole_table_says_what_was_answered_and_who_is_better(
    asked: tuple[TrialLedger, str], tmp_path: Path, form: str
) -> None:
    ledger, asks = asked
    rows = exported(ledger, form, tmp_path / "votes")
    votes = stored_votes(ledger, ledger.study("small"))
    answer = "first" if asks == "better" else "second"
    expected = {
        "rater": votes[1].rater, "picture": "kodak/2", "first": "webp q=5", "second": "jpeg q=10",
        "winner": "first", "answer": answer, "kind": "main", "golden_first": None, "position": 1,
        "probability": 0.25, "response_ms": 1250.0, "display_proof": "unproven",
        "received_at": votes[1].received_at, "client_uuid": votes[1].client_uuid,
        "display": '{"screen": [1920, 1080], "times_begun": 3, "toggles": 5}',
    }  # fmt: skip
    if form == "csv":
        expected = {key: "" if value is None else str(value) for key, value in expected.items()}
    assert rows[1] == expected
    assert [row["winner"] for row in rows] == [
        "first", "first", "second", "second", "second", "none", "none", "skip",
    ]  # fmt: skip
    # Known answers: whether the original, the better one, stood first.
    assert [str(row["golden_first"] or "") for row in rows] == [
        "True", "", "", "False" if form == "csv" else "", "", "", "", "",
    ]  # fmt: skip
    assert rows[3]["golden_first"] in (False, "False")
    assert [row["display_proof"] for row in rows].index("proven") == 2


def test_votes_for_the_scale_name_who_is_better_in_seconds(asked: tuple[TrialLedger, str]) -> None:
    ledger, asks = asked
    study = ledger.study("small")
    votes = votes_of(ledger, study, plan(trials=f'asks = "{asks}"'))
    assert [
        (record.first, record.second, record.outcome, record.kind, record.seconds)
        for record in votes.records()
    ] == [
        ("original", "jpeg q=10", 1, Kind.TRAINING, 5.0),
        ("webp q=5", "jpeg q=10", 1, Kind.PLAIN, 1.25),
        ("jpeg q=10", "jpeg q=50", -1, Kind.PLAIN, 2.0),
        ("jpeg q=10", "original", -1, Kind.GOLDEN, pytest.approx(0.64)),
        ("jpeg q=10", "webp q=5", -1, Kind.REPEAT, pytest.approx(0.7)),
        ("webp q=5", "webp q=5", 0, Kind.IDENTICAL, 3.0),
        ("jpeg q=10", "webp q=5", 0, Kind.PLAIN, 4.0),
    ]
    # In the order of the plan, not of the names.
    assert votes.conditions == ("jpeg q=10", "webp q=5", "jpeg q=50", "original")
    assert (votes.sided, votes.raters_known) == (True, True)
    [proven] = votes_of(ledger, study, plan(trials=f'asks = "{asks}"'), proven_only=True).records()
    assert (proven.first, proven.outcome) == ("jpeg q=10", -1)


def test_known_answers_are_those_of_golden_trials_and_practice(asked: tuple[TrialLedger, str]) -> None:
    ledger, _ = asked
    votes = stored_votes(ledger, ledger.study("small"))
    assert [vote.golden_first for vote in votes] == [True, None, None, False, None, None, None, None]
    assert [vote.position for vote in votes] == list(range(8))


def test_a_status_counts_the_design_s_votes_and_the_unproven_of_all(asked: tuple[TrialLedger, str]) -> None:
    ledger, _ = asked
    counted = status(ledger, ledger.study("small"))
    # Two a pair: the one that ran out of time has been asked as well.
    assert (counted.votes, counted.pairs, counted.fewest_votes, counted.most_votes) == (4, 2, 2, 2)
    assert (counted.unproven, counted.withdrawn, counted.withdrawn_votes) == (7, 0, 0)
    assert [(rater.stage, rater.votes) for rater in counted.raters] == [("consent", 8)]


def test_a_status_counts_who_withdrew_and_their_votes(tmp_path: Path) -> None:
    ledger = stored(tmp_path, "better", [answer for _, answer, _ in VOTES])
    first_invitation, other = invite(tmp_path, 2)
    assert [rater.votes for rater in status(ledger, ledger.study("small")).raters] == [8, 0, 0]
    cast_vote(ledger, *give(ledger, first_invitation, [Item("main", 0, True)]), "first")
    assert [ledger.withdraw(first_invitation), ledger.withdraw(other)] == [1, 0]
    counted = status(ledger, ledger.study("small"))
    assert (counted.withdrawn, counted.withdrawn_votes, len(counted.raters)) == (2, 1, 1)
    ledger.close()


def test_rows_that_a_scale_depends_on_are_all_votes_in_order(asked: tuple[TrialLedger, str]) -> None:
    ledger, asks = asked
    rows = [row.decode() for row in vote_rows(ledger, ledger.study("small"))]
    assert len(rows) == 8
    assert rows[1].split(", ")[2:6] == [
        f"'{'first' if asks == 'better' else 'second'}'",
        "1250.0",
        "'unproven'",
        "'main'",
    ]


def test_no_file_is_written_where_it_cannot_be(asked: tuple[TrialLedger, str], tmp_path: Path) -> None:
    ledger, _ = asked
    for form in ("csv", "battles"):
        with pytest.raises(InterchangeError, match="absent/votes: cannot be written"):
            write(ledger, ledger.study("small"), form, tmp_path / "absent" / "votes")
    with pytest.raises(
        InterchangeError, match="no format 'spss'; there are csv, parquet, aic, pwcmp, battles"
    ):
        write(ledger, ledger.study("small"), "spss", tmp_path / "votes")
