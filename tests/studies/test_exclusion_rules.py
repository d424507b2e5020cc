"""Whom a plan's exclusion rules leave out: each rule at its bound, below it, and with no such trial."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError
from studying import enter, invite, open_study, plan, text, work_through

from codecarena.studies.analysis.choices import choices_of, plan_of
from codecarena.studies.analysis.screening import excluded, fewer_than, right
from codecarena.studies.design.plan import ExclusionTable, StudyPlan, parse
from codecarena.studies.ledger.ledger import Ledger
from codecarena.studies.ledger.votes import stored_votes
from codecarena.studies.records.messages import Answer
from codecarena.studies.records.records import StoredVote, TrialKind
from codecarena.studies.session.session import RaterService

NO_RULE = {"golden_pass_rate": 0, "consistency": 0, "minimum_median_ms": 0}
QUESTIONS: dict[str, dict[Answer, Answer]] = {
    "better": {"first": "first", "second": "second", "none": "none", "skip": "skip"},
    "worse": {"first": "second", "second": "first", "none": "none", "skip": "skip"},
}
"""The answer that means the same under either question: here by what it says of the better picture."""


def rules(asks: str = "better", **exclusion: float) -> StudyPlan:
    """Return a plan with these exclusion rules and no other."""
    table = "\n".join(f"{name} = {value}" for name, value in (NO_RULE | exclusion).items())
    return plan(trials=f'asks = "{asks}"', raters=f"[exclusion]\n{table}")


def vote(
    answer: str,
    kind: TrialKind = "main",
    *,
    rater: str = "ann",
    content: str = "p",
    sides: str = "ab",
    golden_first: bool | None = None,
    ms: float | None = 900.0,
) -> StoredVote:
    return StoredVote(
        rater, content, *sides, answer, kind, golden_first, 0, None, ms, "proven", "", "", {}
    )  # fmt: skip


def golden(*answers: str, golden_first: bool = True, rater: str = "ann") -> list[StoredVote]:
    return [vote(answer, "golden", golden_first=golden_first, rater=rater, ms=None) for answer in answers]


def timed(*milliseconds: float | None, kind: TrialKind = "main") -> list[StoredVote]:
    return [vote("first", kind, content=f"t{place}", ms=ms) for place, ms in enumerate(milliseconds)]


def repeated(*answers: tuple[str, str]) -> list[StoredVote]:
    """Return trials of several pictures, each with its repeat, whose sides are swapped."""
    votes: list[StoredVote] = []
    for place, (before, again) in enumerate(answers):
        votes += [vote(before, content=f"p{place}"), vote(again, "repeat", content=f"p{place}", sides="ba")]
    return votes


def reasons(made: StudyPlan, votes: list[StoredVote]) -> list[str]:
    """Return why the one rater of these votes is left out; nothing where they stay."""
    [*left_out] = excluded(made, votes)
    assert len(left_out) <= 1
    return [reason for exclusion in left_out for reason in exclusion.reasons]


@pytest.mark.parametrize(
    ("rate", "answers", "reason"),
    [
        (0.75, ["first", "first", "first", "second"], None),
        (0.75, ["first", "first", "second", "second"], "2 of 4 golden trials right, fewer than 75%"),
        (0.75, ["first", "first", "none", "none"], "2 of 4 golden trials right, fewer than 75%"),
        (0.75, ["first", "first", "first", "none"], None),
        (0.5, ["first", "skip"], None),
        (0.5, ["skip"], "0 of 1 golden trials right, fewer than 50%"),
        (1.0, ["first"] * 9, None),
        (1.0, ["first"] * 8 + ["second"], "8 of 9 golden trials right, fewer than 100%"),
        (0.0, ["second"] * 5, None),
        (1.0, [], None),
    ],
)
@pytest.mark.parametrize("asks", list(QUESTIONS))
@pytest.mark.parametrize("golden_first", [True, False])
def test_golden_trials_exclude_below_their_pass_rate(
    asks: str, golden_first: bool, rate: float, answers: list[Answer], reason: str | None
) -> None:
    given = [QUESTIONS["better" if golden_first else "worse"][answer] for answer in answers]
    given = [QUESTIONS[asks][answer] for answer in given]
    votes = [*golden(*given, golden_first=golden_first), *timed(900, 900)]
    assert reasons(rules(asks, golden_pass_rate=rate), votes) == ([reason] if reason else [])


@pytest.mark.parametrize(
    ("count", "rate", "total", "fewer"),
    [
        (14, 0.56, 25, False),
        (13, 0.56, 25, True),
        (7, 0.28, 25, False),
        (3, 0.1, 30, False),
        (0, 0.9, 0, False),
    ],
)
def test_a_rate_is_taken_as_it_is_written(count: int, rate: float, total: int, fewer: bool) -> None:
    assert fewer_than(count, rate, total) is fewer


@pytest.mark.parametrize(
    ("asks", "golden_first", "answer"),
    [
        ("better", True, "first"),
        ("better", False, "second"),
        ("worse", True, "second"),
        ("worse", False, "first"),
    ],
)
def test_one_answer_to_a_golden_trial_is_right(asks: str, golden_first: bool, answer: str) -> None:
    judged = {
        given: right(rules(asks), golden(given, golden_first=golden_first)[0])
        for given in ("first", "second", "none", "skip")
    }
    assert [given for given, is_right in judged.items() if is_right] == [answer]


@pytest.mark.parametrize(
    ("least", "answers", "reason"),
    [
        (0.5, [("first", "second"), ("first", "first")], None),
        (0.5, [("first", "first"), ("second", "second")], "0 of 2 repeats answered alike, fewer than 50%"),
        (0.75, [("first", "second"), ("second", "first"), ("none", "none"), ("none", "first")], None),
        (
            0.76,
            [("first", "second"), ("second", "first"), ("none", "none"), ("none", "first")],
            "3 of 4 repeats answered alike, fewer than 76%",
        ),
        (1.0, [("none", "none")], None),
        (1.0, [("first", "none")], "0 of 1 repeat answered alike, fewer than 100%"),
        (1.0, [("none", "second")], "0 of 1 repeat answered alike, fewer than 100%"),
        (0.0, [("first", "first")], None),
        (1.0, [], None),
    ],
)
@pytest.mark.parametrize("asks", list(QUESTIONS))
def test_repeats_exclude_below_their_share_answered_alike(
    asks: str, least: float, answers: list[tuple[Answer, Answer]], reason: str | None
) -> None:
    given = [(QUESTIONS[asks][answer], QUESTIONS[asks][other]) for answer, other in answers]
    votes = [*repeated(*given), *timed(900, 900)]
    assert reasons(rules(asks, consistency=least), votes) == ([reason] if reason else [])


@pytest.mark.parametrize(
    "repeat",
    [
        vote("first", "repeat", content="elsewhere", sides="ba"),
        vote("first", "repeat", sides="ca"),
        vote("first", "repeat", sides="ab"),
        vote("first", "golden", sides="ba", golden_first=True),
        vote("first", "repeat", sides="ba", rater="ben"),
    ],
    ids=["another picture", "another pair", "the same sides", "no repeat", "another rater"],
)
def test_only_a_rater_s_own_pair_with_sides_swapped_is_a_repeat(repeat: StoredVote) -> None:
    assert excluded(rules(consistency=1.0), [vote("first"), repeat]) == []


def test_a_repeat_of_a_trial_that_is_not_of_the_design_says_nothing() -> None:
    votes = [vote("first", "training", golden_first=True), vote("first", "repeat", sides="ba")]
    assert reasons(rules(consistency=1.0), votes) == []


@pytest.mark.parametrize(
    ("least", "milliseconds", "reason"),
    [
        (500, [500], None),
        (500, [499], "median answer after 499 ms, before 500 ms"),
        (500, [100, 500, 9000], None),
        (500, [100, 499, 9000], "median answer after 499 ms, before 500 ms"),
        (500, [400, 600], None),
        (500, [400, 598], "median answer after 499 ms, before 500 ms"),
        (500, [None, 400, None], "median answer after 400 ms, before 500 ms"),
        (500, [None], None),
        (500, [], None),
        (0, [0.0], None),
    ],
)
def test_answers_exclude_whose_median_comes_before_the_least_time(
    least: float, milliseconds: list[float | None], reason: str | None
) -> None:
    broken = reasons(rules(minimum_median_ms=least), timed(*milliseconds))
    assert broken == ([reason] if reason else [])


@pytest.mark.parametrize("kind", ["training", "golden", "repeat", "identical"])
def test_only_trials_of_the_design_are_timed(kind: TrialKind) -> None:
    fast = [vote("first", kind, content=f"q{n}", golden_first=True, ms=1.0) for n in range(9)]
    assert reasons(rules(minimum_median_ms=500), [*timed(700), *fast]) == []


def test_every_broken_rule_is_named_and_raters_stand_by_name() -> None:
    made = rules(golden_pass_rate=0.9, consistency=0.9, minimum_median_ms=950)
    zoe = [
        *golden("second", "first", rater="zoe"),
        vote("first", rater="zoe"),
        vote("first", "repeat", sides="ba", rater="zoe"),
    ]
    ann = golden("none")
    eve = golden("first", rater="eve")
    left_out = excluded(made, [*zoe, *eve, *ann])
    assert [(exclusion.rater, exclusion.reasons) for exclusion in left_out] == [
        ("ann", ("0 of 1 golden trials right, fewer than 90%",)),
        (
            "zoe",
            (
                "1 of 2 golden trials right, fewer than 90%",
                "0 of 1 repeat answered alike, fewer than 90%",
                "median answer after 900 ms, before 950 ms",
            ),
        ),
    ]


def test_the_rules_of_a_plan_that_names_none() -> None:
    assert plan().exclusion == ExclusionTable(golden_pass_rate=0.66, consistency=0.0, minimum_median_ms=500)
    two_of_three = golden("first", "first", "second")
    assert reasons(plan(), [*two_of_three, *timed(500)]) == []
    one_of_three = golden("first", "second", "second")
    assert reasons(plan(), one_of_three) == ["1 of 3 golden trials right, fewer than 66%"]


@pytest.mark.parametrize(
    "rule",
    [
        {"golden_pass_rate": -0.01},
        {"golden_pass_rate": 1.01},
        {"consistency": -0.01},
        {"consistency": 1.01},
        {"minimum_median_ms": -1},
        {"consistence": 0.5},
    ],
)
def test_a_rule_out_of_its_range_is_refused(rule: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        ExclusionTable(**rule)
    assert ExclusionTable(golden_pass_rate=1, consistency=1).golden_pass_rate == 1
    assert ExclusionTable(golden_pass_rate=0, minimum_median_ms=0).minimum_median_ms == 0


@pytest.mark.parametrize("asks", list(QUESTIONS))
def test_the_stricter_scale_is_without_whom_the_rules_exclude(tmp_path: Path, asks: str) -> None:
    """One rater always answers left, so that about half of the golden trials are wrong; all votes stay."""
    tables = {
        "trials": f'asks = "{asks}"\ngolden = 6\nrepeats = 0.25',
        "raters": "[exclusion]\ngolden_pass_rate = 0\nconsistency = 0.5\nminimum_median_ms = 0",
    }
    open_study(tmp_path, **tables)
    service = RaterService(str(tmp_path))
    for invitation, answer in zip(invite(tmp_path, 2), ("first", "none"), strict=True):
        work_through(service, enter(service, invitation), answer)
    service.close()
    ledger = Ledger(str(tmp_path))
    study = ledger.study("small")
    made = plan_of(study)
    assert made == parse(text(**tables), Path("study.toml"))
    stored = stored_votes(ledger, study)
    choices, left_out = choices_of(ledger, study, made)
    ledger.close()
    # Who always answers left contradicts each repeat; who never prefers anything does not.
    [leaning] = {vote.rater for vote in stored if vote.answer == "first"}
    repeats = sum(vote.rater == leaning and vote.kind == "repeat" for vote in stored)
    assert [(exclusion.rater, exclusion.reasons) for exclusion in left_out] == [
        (leaning, (f"0 of {repeats} repeats answered alike, fewer than 50%",))
    ]
    (everybody, votes), (title, kept) = choices[:2]
    assert (everybody, len(votes)) == ("all raters", len(stored))
    assert title == "without 1 rater whom the plan's rules exclude"
    assert {record.rater for record in kept.records()} == {vote.rater for vote in stored} - {leaning}
    assert len(kept) == sum(vote.rater != leaning for vote in stored)
