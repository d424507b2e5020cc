"""Adaptive designs: what they ask for, and that raters are served whatever becomes of the background."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.special import ndtr
from sqlalchemy import text
from studying import enter, invite, open_study, vote_request, work_through

from codecarena.bench.store.store import Store
from codecarena.studies.design.design import Choice, Pairs, PairTotals, apart, find_design, with_random_share
from codecarena.studies.design.plan import parse
from codecarena.studies.ledger.ledger import Ledger
from codecarena.studies.ledger.trials import TrialContext, TrialLedger
from codecarena.studies.ledger.votes import stored_votes
from codecarena.studies.records.messages import Trial
from codecarena.studies.session import proposals
from codecarena.studies.session.proposals import Pairing
from codecarena.studies.session.schedule import build_session_plan
from codecarena.studies.session.session import RaterService
from codecarena.studies.session.trials import choices

ADAPTIVE = ("asap", "swiss")
DESIGN = 'name = "{}"\npairs_per_rater = 14\nblock = 5\nrandom_share = {}'
BARE = "training = 0\ngolden = 0\nrepeats = 0\nidentical = 0"


def every_pair(conditions: int, contents: int) -> Pairs:
    rows = [(c, a, b) for c in range(contents) for a, b in combinations(range(conditions), 2)]
    return Pairs(*np.array(rows, np.int64).T)


def voted(pairs: Pairs, values: np.ndarray, votes: int, generator: np.random.Generator) -> PairTotals:
    given = generator.multinomial(votes, np.full(len(pairs), 1 / len(pairs)))
    won = generator.binomial(given, ndtr(values[pairs.first] - values[pairs.second]))
    return PairTotals(given, won, given - won, np.zeros_like(given))


def chosen(name: str, pairs: Pairs, pair_totals: PairTotals, open_pairs=None, seed: int = 0) -> list[int]:
    all_open = np.ones(len(pairs), bool) if open_pairs is None else open_pairs
    batch = find_design(name).choose(pairs, pair_totals, all_open, len(pairs), np.random.default_rng(seed))
    assert all(0 < choice.probability <= 1 for choice in batch)
    return [choice.pair for choice in batch]


def parts(first: np.ndarray, second: np.ndarray, conditions: int) -> int:
    links = coo_matrix((np.ones(len(first)), (first, second)), (conditions, conditions))
    return connected_components(links, directed=False)[0]


# Batches


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("conditions", [2, 5, 9, 24])
def test_an_asap_batch_links_all_conditions_with_different_pairs(conditions: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    pairs = every_pair(conditions, 3)
    pair_totals = voted(pairs, generator.normal(0, 1, conditions), seed * 40, generator)
    rows = chosen("asap", pairs, pair_totals, seed=seed)
    assert len(set(rows)) == len(rows) >= min(len(pairs), 16)
    tree = rows[: conditions - 1]
    assert parts(pairs.first[tree], pairs.second[tree], conditions) == 1


@pytest.mark.parametrize("name", ADAPTIVE)
def test_only_open_pairs_are_chosen_and_few_suffice(name: str) -> None:
    pairs = every_pair(6, 2)
    none = voted(pairs, np.zeros(6), 0, np.random.default_rng(0))
    open_pairs = np.zeros(len(pairs), bool)
    assert chosen(name, pairs, none, open_pairs) == []
    open_pairs[[3, 9, 20]] = True
    assert sorted(chosen(name, pairs, none, open_pairs)) == [3, 9, 20]


@pytest.mark.parametrize("name", ADAPTIVE)
def test_the_same_arguments_give_the_same_choice(name: str) -> None:
    pairs = every_pair(8, 3)
    pair_totals = voted(pairs, np.arange(8.0), 60, np.random.default_rng(1))
    assert chosen(name, pairs, pair_totals, seed=5) == chosen(name, pairs, pair_totals, seed=5)
    assert chosen(name, pairs, pair_totals, seed=5) != chosen(name, pairs, pair_totals, seed=6)


@pytest.mark.parametrize("name", ADAPTIVE)
def test_later_pairs_are_of_neighbours_in_the_order(name: str) -> None:
    pairs = every_pair(12, 4)
    values = np.linspace(0, 6, 12)
    pair_totals = voted(pairs, values, 3000, np.random.default_rng(2))
    rows = chosen(name, pairs, pair_totals)
    near = np.abs(pairs.first[rows] - pairs.second[rows])
    assert near.mean() < 2.5  # all pairs: 4.3


def test_a_swiss_round_pairs_everybody_once_and_rounds_meet_new_opponents() -> None:
    pairs = every_pair(10, 6)
    none = voted(pairs, np.zeros(10), 0, np.random.default_rng(0))
    rows = chosen("swiss", pairs, none)
    for start in range(0, len(rows), 5):
        met = [*pairs.first[rows[start : start + 5]], *pairs.second[rows[start : start + 5]]]
        assert sorted(met) == list(range(10))
    meetings = [(pairs.first[row], pairs.second[row]) for row in rows]
    assert len(set(meetings)) == len(meetings)


@pytest.mark.parametrize("name", ADAPTIVE)
def test_pairs_that_are_being_looked_at_are_not_asked_for_again(name: str) -> None:
    pairs = every_pair(6, 8)
    two, won = np.full(len(pairs), 2), np.random.default_rng(3).integers(0, 3, len(pairs))
    before = chosen(name, pairs, PairTotals(two, won, two - won, two * 0))
    leased = two.copy()
    leased[before] += 1
    after = chosen(name, pairs, PairTotals(leased, won, two - won, two * 0), seed=1)
    assert len(before) >= 16
    assert not set(before) & set(after)


@pytest.mark.parametrize("name", ADAPTIVE)
def test_pictures_come_equally_often_and_each_becomes_linked_early(name: str) -> None:
    conditions, pictures = 6, 4
    pairs = every_pair(conditions, pictures)
    generator = np.random.default_rng(8)
    pair_totals = voted(pairs, np.zeros(conditions), 0, generator)
    given = pair_totals.given
    while given.sum() < 64:
        rows = chosen(name, pairs, PairTotals(given, given, given * 0, given * 0), seed=int(given.sum()))[:8]
        given[rows] += 1
    assert np.ptp(np.bincount(pairs.content, given)) <= 4
    for picture in range(pictures):
        seen = (pairs.content == picture) & (given > 0)
        assert parts(pairs.first[seen], pairs.second[seen], conditions) == 1


@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("count", [1, 2, 3, 5, 10])
def test_what_a_rater_is_given_can_be_shown_without_a_picture_following_itself(
    count: int, share: float
) -> None:
    pairs = every_pair(5, 4)
    for seed in range(20):
        generator = np.random.default_rng(seed)
        before = int(generator.integers(4))
        # A queue that is all of one picture at first.
        wanted = [Choice(row, 1.0) for row in range(len(pairs))]
        all_open = np.ones(len(pairs), bool)
        given = with_random_share(wanted, pairs, all_open, count, share, generator, before)
        content = pairs.content[[choice.pair for choice in given]]
        order = apart(content, before, generator)
        assert len(content) == count
        assert all(picture != other for picture, other in pairwise([before, *content[order]]))


# In a study


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the background look for votes without pause."""
    monkeypatch.setattr(proposals, "PERIOD_SECONDS", 0.01)


def rows_of(store: Path, query: str) -> list[tuple]:
    opened = Store(str(store))
    with opened.engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text(query))]
    opened.close()
    return rows


def open_adaptive(store: Path, name: str, share: float = 0.2) -> None:
    open_study(store, conditions=5, pictures=4, design=DESIGN.format(name, share), trials=BARE)


def course_of(ledger: TrialLedger):
    study = ledger.study("small")
    return build_session_plan(parse(study.plan, Path("small")), ledger.known(study))


def wait_until(true: Callable[[], bool]) -> None:
    """Return once the background has done something, however busy the machine is."""
    for _ in range(5000):
        if true():
            return
        time.sleep(0.02)
    pytest.fail("it has not happened in 100 s")


def has_proposed(service: RaterService) -> bool:
    """Return whether there are proposals, made after the newest vote."""
    study = service.ledger.study("small")
    newest, left = service.ledger.progress_of(study)
    return left > 0 and service._pairing._seen.get(study.study_id) == newest


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("name", ADAPTIVE)
def test_raters_get_what_the_background_proposes(name: str, tmp_path: Path) -> None:
    open_adaptive(tmp_path, name)
    service = RaterService(str(tmp_path))
    for invitation in invite(tmp_path, 6):
        session = enter(service, invitation)
        assert isinstance(service.next_trial(session), Trial)
        wait_until(lambda: has_proposed(service))
        assert len(work_through(service, session)) == 14
    service.close()
    ledger = Ledger(str(tmp_path))
    votes = stored_votes(ledger, ledger.study("small"))
    ledger.close()
    of_rater = defaultdict(list)
    for vote in votes:
        of_rater[vote.rater].append(vote)
    for trials in of_rater.values():
        assert len({(trial.content, *sorted((trial.first, trial.second))) for trial in trials}) == 14
        assert all(trial.content != other.content for trial, other in pairwise(trials))
        for block in (trials[:5], trials[5:10], trials[10:]):
            left, right = Counter(trial.first for trial in block), Counter(trial.second for trial in block)
            assert all(abs(left[condition] - right[condition]) <= 1 for condition in left | right)
    probabilities = [row[0] for row in rows_of(tmp_path, "SELECT probability FROM study_trials")]
    assert all(0 < probability <= 1 for probability in probabilities)
    assert sum(probability > 0.5 for probability in probabilities) > len(probabilities) / 4


def test_a_stored_probability_is_how_often_the_pair_is_drawn(tmp_path: Path) -> None:
    open_adaptive(tmp_path, "asap", share=0.4)
    ledger = TrialLedger(str(tmp_path))
    study, session_plan = ledger.study("small"), course_of(ledger)
    ids = [session_plan.known.pair_ids[index] for index in session_plan.main]
    drawn, probabilities = Counter(), {}
    none = np.zeros(len(ids), np.int64)
    assert Pairing(ledger).refresh(session_plan)
    wanted = tuple(
        row[0]
        for row in rows_of(
            tmp_path,
            f"SELECT pair_id FROM study_proposals WHERE study_id = {study.study_id} ORDER BY id",
        )
    )
    context = TrialContext(np.array(ids), none, none, wanted, ())
    for seed in range(4000):
        first = choices(session_plan, context, (), np.random.default_rng(seed))[0]
        drawn[first.pair] += 1
        probabilities[first.pair] = first.probability
    ledger.close()
    assert sum(probabilities.values()) == pytest.approx(1)
    assert len(probabilities) == len(ids)
    for pair, probability in probabilities.items():
        error = np.sqrt(probability * (1 - probability) / 4000)
        assert drawn[pair] / 4000 == pytest.approx(probability, abs=4.5 * error)


def test_two_raters_are_not_given_the_same_proposal(tmp_path: Path) -> None:
    open_adaptive(tmp_path, "asap", share=0.0)
    ledger = TrialLedger(str(tmp_path))
    background = Pairing(ledger)
    background.refresh(course_of(ledger))
    service = RaterService(str(tmp_path))
    first, second = (enter(service, invitation) for invitation in invite(tmp_path, 2))
    service.next_trial(first)
    # The batch is made anew while the first rater's pairs are out.
    background._seen.clear()
    background.refresh(course_of(ledger))
    service.next_trial(second)
    service.close()
    ledger.close()
    given = rows_of(tmp_path, "SELECT pair_id FROM study_trials")
    assert len(given) == len(set(given)) == 10


def test_pairs_given_while_a_batch_is_computed_are_left_out_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_adaptive(tmp_path, "asap", share=0.0)
    ledger = TrialLedger(str(tmp_path))
    Pairing(ledger).refresh(course_of(ledger))
    service = RaterService(str(tmp_path))
    design = find_design("asap")
    [invitation] = invite(tmp_path)

    class Slow:
        adaptive = True

        def choose(self, *arguments):
            batch = design.choose(*arguments)
            service.next_trial(enter(service, invitation))
            return batch

    monkeypatch.setattr(proposals, "find_design", lambda _: Slow())
    Pairing(ledger).refresh(course_of(ledger))
    service.close()
    given = {row[0] for row in rows_of(tmp_path, "SELECT pair_id FROM study_trials")}
    proposed = {row[0] for row in rows_of(tmp_path, "SELECT pair_id FROM study_proposals")}
    ledger.close()
    assert len(given) == 5
    assert proposed
    assert not given & proposed


@pytest.mark.usefixtures("hasty")
def test_when_the_background_fails_raters_are_given_random_pairs_and_it_tries_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    open_adaptive(tmp_path, "asap")
    broken = True

    def find(name: str):
        if broken:
            raise RuntimeError("out of order")
        return find_design(name)

    monkeypatch.setattr(proposals, "find_design", find)
    service = RaterService(str(tmp_path))
    first_invitation, other = invite(tmp_path, 2)
    assert len(work_through(service, enter(service, first_invitation))) == 14
    wait_until(lambda: "no new pairs for study small" in caplog.text)
    session = enter(service, other)
    trial = service.next_trial(session)
    assert isinstance(trial, Trial)
    broken = False
    service.vote(session, vote_request(trial))
    wait_until(lambda: has_proposed(service))
    service.close()
    probabilities = {row[0] for row in rows_of(tmp_path, "SELECT probability FROM study_trials")}
    assert max(probabilities) < 0.2  # Every trial so far was random among 40 pairs or fewer.
