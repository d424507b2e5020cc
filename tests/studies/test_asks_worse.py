"""A study that asks for the worse picture says what one that asks for the better says, answers mirrored."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pytest
from giving import cast_vote, course_of, give
from sqlalchemy import text
from studying import invite, open_study

from codecarena.studies.analysis.choices import choices_of, plan_of, result_of
from codecarena.studies.analysis.results import StudyResults, results_of
from codecarena.studies.analysis.screening import right
from codecarena.studies.design.design import Choice, Pairs, PairTotals, find_design
from codecarena.studies.design.plan import seal
from codecarena.studies.ledger.ledger import Ledger
from codecarena.studies.ledger.trials import TrialLedger
from codecarena.studies.ledger.votes import stored_votes, votes_of
from codecarena.studies.organise.interchange import write
from codecarena.studies.organise.interchange_read import read
from codecarena.studies.organise.simulated_study import rehearse
from codecarena.studies.records.records import StoredVote
from codecarena.studies.scale.votes import Kind, Votes
from codecarena.studies.session import proposals
from codecarena.studies.session.schedule import Item

MIRRORED = {"first": "second", "second": "first", "none": "none", "skip": "skip"}
OUTCOMES = {"first": 1, "second": -1, "none": 0}
FORMS = ("csv", "parquet", "aic", "pwcmp", "battles")


@dataclass(frozen=True, slots=True)
class Study:
    """One of the two stores, and everything that is read from it."""

    asks: str
    store: str
    votes: Votes
    stored: list[StoredVote]
    results: StudyResults


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Study]:
    """Return one study by the question it asks: of the same trials, with mirrored answers."""
    better, worse = (tmp_path_factory.mktemp("asks") / asks for asks in ("better", "worse"))
    trials = 'asks = "better"\ngolden = 4\nrepeats = 0.3\nidentical = 2'
    top = "simulated = true\nhidden_reference = true"
    exclusion = "[exclusion]\ngolden_pass_rate = 0.8\nconsistency = 0.6"
    open_study(better, conditions=4, pictures=3, top=top, trials=trials, raters=exclusion)
    with closing(sqlite3.connect(better / "arena.db")) as store, store:
        # Two codecs of two rates each.
        store.execute("UPDATE study_conditions SET codec = 'old' WHERE name IN ('codec0', 'codec2')")
        store.execute("UPDATE study_conditions SET codec = 'new' WHERE name IN ('codec1', 'codec3')")
    rehearse(str(better), "small", 6)
    shutil.copytree(better, worse)
    with closing(Ledger(str(worse))) as ledger:
        lines = ledger.known(ledger.study("small")).material.lines()
        changed = ledger.study("small").plan.replace('asks = "better"', 'asks = "worse"')
    with closing(sqlite3.connect(worse / "arena.db")) as store, store:
        store.execute("UPDATE studies SET plan = ?, sha256 = ?", (changed, seal(changed, lines)))
        turned = "CASE answer WHEN 'first' THEN 'second' WHEN 'second' THEN 'first' ELSE answer END"
        store.execute(f"UPDATE study_votes SET answer = {turned}")
    return {asks: _read(asks, str(store)) for asks, store in (("better", better), ("worse", worse))}


def _read(asks: str, store: str) -> Study:
    with closing(Ledger(store, read_only=True)) as ledger:
        study = ledger.study("small")
        votes, stored = votes_of(ledger, study, plan_of(study)), stored_votes(ledger, study)
        return Study(asks, store, votes, stored, results_of(ledger, "small", 100))


@pytest.fixture(params=["better", "worse"])
def study(request: pytest.FixtureRequest, studies: dict[str, Study]) -> Study:
    return studies[request.param]


def test_the_answers_of_the_two_studies_are_mirrored(studies: dict[str, Study]) -> None:
    better, worse = (studies[asks].stored for asks in ("better", "worse"))
    assert [MIRRORED[vote.answer] for vote in worse] == [vote.answer for vote in better]
    assert {vote.answer for vote in better} == {"first", "second", "none"}
    assert {vote.kind for vote in better} == {"main", "training", "golden", "repeat", "identical"}


def test_the_outcome_of_a_vote_is_the_better_picture(study: Study) -> None:
    turn = 1 if study.asks == "better" else -1
    expected = [(vote.first, vote.second, turn * OUTCOMES[vote.answer]) for vote in study.stored]
    assert [(record.first, record.second, record.outcome) for record in study.votes.records()] == expected


def test_everything_that_results_say_is_the_same_under_either_question(studies: dict[str, Study]) -> None:
    better, worse = (json.dumps(asdict(studies[asks].results)) for asks in ("better", "worse"))
    assert worse == better


def test_the_finer_coding_is_the_better_one(study: Study) -> None:
    """The programs see the more the finer, and the original best; nine of ten answers of one are random."""
    results = study.results
    assert results.sealed
    order = [condition.condition for condition in results.analysis.scale.conditions]
    assert order == ["original", "codec3", "codec2", "codec1", "codec0"]
    assert [value.condition for value in results.values] == order
    assert all(fool_rate.rate is not None and fool_rate.rate < 0.5 for fool_rate in results.fool_rates)
    golden = [review.golden for review in results.analysis.reviews if review.golden]
    assert sum(proportion.successes for proportion in golden) > 0.8 * sum(
        proportion.trials for proportion in golden
    )
    [saving] = results.analysis.bd_rates
    assert (saving.codec, saving.anchor) == ("new", "old")


def test_golden_trials_are_passed_by_who_knows_the_original(study: Study) -> None:
    with closing(TrialLedger(study.store)) as ledger:
        row = ledger.study("small")
        plan = plan_of(row)
        assert plan is not None
        wanted = "first" if study.asks == "better" else "second"
        ids = {row.name: row.id for row in ledger.rows(text(_RATERS))}
        for rater, rater_id in ids.items():
            golden = [vote for vote in study.stored if vote.rater == rater and vote.kind == "golden"]
            passed = [vote for vote in golden if _preferred(vote, study.asks) == "original"]
            assert [vote for vote in golden if right(plan, vote)] == passed
            assert ledger.golden_record(rater_id, wanted) == (len(golden), len(passed))
            [review] = [review for review in study.results.analysis.reviews if review.rater == rater]
            assert review.golden is not None
            assert (review.golden.trials, review.golden.successes) == (len(golden), len(passed))


def test_the_same_raters_are_excluded(studies: dict[str, Study]) -> None:
    left_out, kept = [], []
    for study in studies.values():
        with closing(Ledger(study.store, read_only=True)) as ledger:
            row = ledger.study("small")
            choices, who = choices_of(ledger, row, plan_of(row))
            left_out.append(who)
            kept.append([(title, len(votes)) for title, votes in choices])
            assert [title for title, _ in kept[-1]] == [
                outcome.title for outcome in result_of(ledger, "small", 100).outcomes
            ]
    assert left_out[0] == left_out[1]
    assert kept[0] == kept[1]
    assert 1 <= len(left_out[0]) < 6


@pytest.mark.parametrize("form", FORMS)
def test_exports_say_the_same_under_either_question(
    studies: dict[str, Study], tmp_path: Path, form: str
) -> None:
    rows = []
    for study in studies.values():
        with closing(Ledger(study.store, read_only=True)) as ledger:
            write(ledger, ledger.study("small"), form, tmp_path / study.asks)
        rows.append(_rows(form, tmp_path / study.asks))
    for cells in (row for table in rows for row in table):
        cells.pop("answer", None)
    assert rows[0] == rows[1]


@pytest.mark.parametrize("form", FORMS)
def test_an_export_names_the_better_side(study: Study, tmp_path: Path, form: str) -> None:
    with closing(Ledger(study.store, read_only=True)) as ledger:
        write(ledger, ledger.study("small"), form, tmp_path / "votes")
    rows = _rows(form, tmp_path / "votes")
    chosen = [vote for vote in study.stored if _EXPORTED[form](vote)]
    words = _WORDS[form]
    better = [vote.answer if study.asks == "better" else MIRRORED[vote.answer] for vote in chosen]
    assert [str(row[words["column"]]) for row in rows] == [words[answer] for answer in better]
    if form in ("csv", "parquet"):
        assert [row["answer"] for row in rows] == [vote.answer for vote in chosen]


@pytest.mark.parametrize("form", ["csv", "parquet", "battles"])
def test_what_is_read_back_is_the_better_one(study: Study, tmp_path: Path, form: str) -> None:
    with closing(Ledger(study.store, read_only=True)) as ledger:
        write(ledger, ledger.study("small"), form, tmp_path / "votes")
    back = read(form, tmp_path / "votes").votes.of_kind(Kind.PLAIN)
    assert [record.outcome for record in back.records()] == [
        record.outcome for record in study.votes.of_kind(Kind.PLAIN).records()
    ]


def test_programs_that_are_asked_for_the_worse_name_it(tmp_path: Path) -> None:
    open_study(
        tmp_path, conditions=3, pictures=3, top="simulated = true", trials='asks = "worse"\ngolden = 4'
    )
    rehearse(str(tmp_path), "small", 4)
    made = _read("worse", str(tmp_path))
    order = [condition.condition for condition in made.results.analysis.scale.conditions]
    assert order == ["codec2", "codec1", "codec0"]
    golden = [review.golden for review in made.results.analysis.reviews if review.golden]
    assert sum(proportion.successes for proportion in golden) > 0.6 * sum(
        proportion.trials for proportion in golden
    )


@pytest.mark.parametrize(
    ("asks", "wins"), [("better", ([0, 1, 0], [0, 0, 1])), ("worse", ([0, 0, 1], [0, 1, 0]))]
)
def test_an_adaptive_design_counts_the_better_picture_as_the_winner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asks: str, wins: tuple[list[int], list[int]]
) -> None:
    standings: list[PairTotals] = []

    class Recording:
        def choose(self, pairs: Pairs, pair_totals: PairTotals, *_: object) -> list[Choice]:
            standings.append(pair_totals)
            return []

    monkeypatch.setattr(proposals, "find_design", lambda _: Recording())
    design = 'name = "swiss"\npairs_per_rater = 3'
    open_study(tmp_path, conditions=3, pictures=1, trials=f'asks = "{asks}"', design=design)
    [invitation] = invite(tmp_path)
    with closing(TrialLedger(str(tmp_path))) as ledger:
        items = [Item("main", 1, True), Item("main", 2, True)]
        for trial, answer in zip(give(ledger, invitation, items), ("first", "second"), strict=True):
            cast_vote(ledger, trial, answer)
        proposals.Pairing(ledger).refresh(course_of(ledger))
    [pair_totals] = standings
    assert (pair_totals.first_won.tolist(), pair_totals.second_won.tolist()) == wins


@pytest.mark.parametrize("seed", range(3))
def test_asap_asks_for_the_same_pairs_whichever_way_wins_are_counted(seed: int) -> None:
    """What one more vote tells does not depend on whether the better or the worse one is named."""
    generator = np.random.default_rng(seed)
    first, second = (np.tile(index, 3) for index in np.triu_indices(6, 1))
    pairs = Pairs(np.repeat(np.arange(3), 15), first, second)
    given = generator.integers(1, 6, 45)
    won = generator.binomial(given, 0.7)
    all_open, none = np.ones(45, bool), np.zeros(45, np.int64)
    batches = [
        find_design("asap").choose(pairs, pair_totals, all_open, 45, np.random.default_rng(seed))
        for pair_totals in (
            PairTotals(given, won, given - won, none),
            PairTotals(given, given - won, won, none),
        )
    ]
    assert batches[0] == batches[1]


_RATERS = "SELECT name, id FROM study_raters"
_EXPORTED: dict[str, Callable[[StoredVote], bool]] = {
    "csv": lambda _: True,
    "parquet": lambda _: True,
    "aic": lambda vote: vote.kind not in ("training", "repeat"),
    "pwcmp": lambda vote: vote.kind == "main" and vote.answer != "none",
    "battles": lambda vote: vote.kind == "main",
}
"""Which votes a format holds."""
_SIDES = {"column": "winner", "first": "first", "second": "second", "none": "none"}
_WORDS: dict[str, dict[str, str]] = {
    "csv": _SIDES,
    "parquet": _SIDES,
    # The side that differs more from the pivot: the other one is better.
    "aic": {"column": "response", "first": "right", "second": "left", "none": "not sure"},
    "pwcmp": {"column": "is_A_selected", "first": "1", "second": "0"},
    "battles": {"column": "winner", "first": "model_a", "second": "model_b", "none": "tie"},
}
"""How a format says which side is better, and where."""


def _rows(form: str, file: Path) -> list[dict[str, object]]:
    if form == "battles":
        return [json.loads(line) for line in file.read_text().splitlines()]
    if form == "parquet":
        import pandas as pd

        return pd.read_parquet(file).astype(str).to_dict("records")
    with file.open(newline="") as content:
        return list(_records(content))


def _records(content: Iterator[str]) -> Iterator[dict[str, object]]:
    yield from csv.DictReader(content)


def _preferred(vote: StoredVote, asks: str) -> str | None:
    """Return the condition that an answer says is better; None for no preference."""
    better = vote.answer if asks == "better" else MIRRORED[vote.answer]
    return {"first": vote.first, "second": vote.second}.get(better)
