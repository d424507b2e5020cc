"""A study's life: states, seal, cautions, endings, choices of votes, and the lines on how far it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from giving import cast_vote, give, rows_of
from sqlalchemy import text
from studying import invite, open_study, plan

from codecarena.studies.analysis import choices
from codecarena.studies.analysis.choices import Settings
from codecarena.studies.design.plan import REFERENCE, AnalysisTable, PlanError
from codecarena.studies.ledger.imports import keep_votes
from codecarena.studies.ledger.trials import TrialLedger
from codecarena.studies.organise import organise, presenting
from codecarena.studies.records.records import Content, Pair, Stimulus, StoredStudy, StudyMaterial
from codecarena.studies.scale.votes import VoteRecord, from_records
from codecarena.studies.session.schedule import Item


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[TrialLedger]:
    opened = TrialLedger(str(tmp_path))
    yield opened
    opened.close()


def imported(ledger: TrialLedger, **analysis: Any) -> None:
    votes = [VoteRecord("ann", "p", "a", "b", 1), VoteRecord("bob", "p", "b", "a", 0)]
    keep_votes(ledger, "theirs", "somebody", from_records(votes), AnalysisTable(**analysis))


# States


def test_a_study_is_opened_and_closed_once_and_an_import_never(tmp_path: Path, ledger: TrialLedger) -> None:
    open_study(tmp_path, pictures=1, state="planned")
    imported(ledger)
    with pytest.raises(PlanError, match="is planned, not open"):
        organise.close_study(ledger, "small")
    opened = organise.open_study(ledger, "small")
    assert (opened.state, opened.closed_at) == ("open", None)
    assert opened.opened_at
    with pytest.raises(PlanError, match="is open already"):
        organise.open_study(ledger, "small")
    closed = organise.close_study(ledger, "small")
    assert (closed.state, closed.opened_at) == ("closed", opened.opened_at)
    assert closed.closed_at
    with pytest.raises(PlanError, match="is closed, not open"):
        organise.close_study(ledger, "small")
    again = organise.open_study(ledger, "small")
    assert (again.state, again.closed_at) == ("open", None)
    for call in (organise.open_study, organise.close_study):
        with pytest.raises(PlanError, match="is imported"):
            call(ledger, "theirs")
    events = [event for _, event, _ in ledger.events(again)]
    assert events == ["planned", "open", "closed", "open"]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE studies SET plan = plan || ' '",
        "UPDATE study_stimuli SET shown_sha256 = 'x' WHERE id = 2",
        "UPDATE study_contents SET reference_sha256 = 'x'",
        "UPDATE study_conditions SET name = 'x' WHERE place = 0",
        "UPDATE study_pairs SET kind = 'main' WHERE kind = 'golden'",
        "UPDATE study_pairs SET first_id = second_id WHERE id = 1",
    ],
)
def test_a_study_that_is_not_what_was_planned_is_not_opened(
    tmp_path: Path, ledger: TrialLedger, change: str
) -> None:
    open_study(tmp_path, pictures=1, state="planned")
    assert choices.intact(ledger.known(ledger.study("small")))
    ledger.write(lambda connection: connection.execute(text(change)))
    with pytest.raises(PlanError, match="is not what was planned"):
        organise.open_study(ledger, "small")


@pytest.mark.parametrize(("state", "taken"), [("planned", True), ("open", True), ("closed", False)])
def test_raters_are_invited_until_a_study_is_closed(
    tmp_path: Path, ledger: TrialLedger, state: str, taken: bool
) -> None:
    open_study(tmp_path, pictures=1, state="planned")
    if state != "planned":
        ledger.set_state(ledger.study("small"), state)
    if not taken:
        with pytest.raises(PlanError, match="is closed; it takes no raters"):
            organise.invite(ledger, "small", 2)
        return
    tokens = organise.invite(ledger, "small", 2)
    assert len(set(tokens)) == 2
    names = {rater.name for token in tokens if (rater := ledger.rater_by_invitation(token))}
    assert len(names) == 2
    assert ledger.events(ledger.study("small"))[-1][1:] == ("invited", {"count": 2})
    # Only hashes are stored.
    assert rows_of(tmp_path, f"SELECT id FROM study_raters WHERE invitation_sha256 = '{tokens[0]}'") == []


def test_nobody_is_invited_to_what_programs_answer(tmp_path: Path, ledger: TrialLedger) -> None:
    open_study(tmp_path, pictures=1, top="simulated = true")
    with pytest.raises(PlanError, match="simulated: programs answer"):
        organise.invite(ledger, "small", 1)


def cautions(pairs: list[tuple[str, str]], pictures: int = 2, **tables: str) -> list[str]:
    """Return the cautions on a study of pairs of shown hashes."""
    stimuli = [Stimulus(0, at, shown_sha256=sha256) for at, sha256 in enumerate(sum(pairs, ()))]
    compared = tuple(Pair("main", 2 * at, 2 * at + 1) for at in range(len(pairs)))
    contents = tuple(Content(f"p{place}") for place in range(pictures))
    material = StudyMaterial(
        (), contents, tuple(stimuli), (*compared, Pair("identical", 0, 0), Pair("training", 0, 0))
    )
    return organise._cautions(plan(**tables), StoredStudy(None, material, (), ()))  # type: ignore[arg-type]


def test_a_plan_is_cautioned_of_what_nobody_can_answer() -> None:
    assert cautions([("x", "y"), ("x", "z")]) == []
    assert cautions([("x", "y")], pictures=1) == [
        "one picture only: every trial follows one of the same picture"
    ]
    assert cautions([("x", "x"), ("x", "y"), ("z", "y"), ("z", "z")]) == [
        "2 pairs of identical pixels: nobody can tell them apart"
    ]
    blind, hidden = 'presentation = "no-reference"', "hidden_reference = true"
    assert cautions([("x", "y")], trials=blind) == [
        "without a reference, hidden_reference = true would tell how often coding fools people"
    ]
    assert cautions([("x", "y")], trials=blind, top=hidden) == []
    assert cautions([("x", "y")], top=hidden) == []
    assert cautions([("x", "y")], trials='presentation = "triplet"') == []
    assert cautions([("x", "y")], trials='presentation = "triplet"\nflicker_hz = 10') == [
        "trials.flicker_hz is a parameter of flicker; triplet does not use it"
    ]
    assert cautions([("x", "y")], trials='presentation = "flicker"\nflicker_hz = 10') == []


# Endings


def test_a_study_has_ended_by_the_rule_that_is_met(tmp_path: Path, ledger: TrialLedger) -> None:
    open_study(tmp_path, conditions=3, pictures=1)
    study = ledger.study("small")
    first_invitation, two = invite(tmp_path, 2)
    for invitation in (first_invitation, two):
        for trial in give(ledger, invitation, [Item("main", pair, True) for pair in range(3)]):
            cast_vote(ledger, trial, "first")
    for trial in give(ledger, first_invitation, [Item("main", 0, True)]):
        cast_vote(ledger, trial, "first")
    ledger.write(
        lambda connection: connection.execute(text("UPDATE study_raters SET stage = 'done' WHERE id = 1"))
    )

    def ended(rule: str) -> str | None:
        return organise.finished(ledger, study, plan(raters=f"[stopping]\n{rule}"))

    assert ended("") is None
    assert ended("raters = 2") is None
    assert ended("raters = 1") == "1 rater finished, as many as stopping.raters asks for"
    # Three, two and two votes a pair.
    assert ended("votes_per_pair = 3") is None
    assert ended("votes_per_pair = 2") == (
        "every pair has 2 votes or more, as stopping.votes_per_pair asks for"
    )
    assert ended("raters = 2\nvotes_per_pair = 1") is not None


# Choices of votes


def test_the_votes_that_a_scale_is_made_of_are_all_then_the_stricter_choices(
    tmp_path: Path, ledger: TrialLedger
) -> None:
    open_study(tmp_path, conditions=3, pictures=1)
    study = ledger.study("small")
    free = plan(raters="[exclusion]\nminimum_median_ms = 0")
    strict = plan(raters="[exclusion]\nminimum_median_ms = 500")
    with pytest.raises(PlanError, match="'small' has no votes yet"):
        choices.choices_of(ledger, study, free)
    slow, quick = invite(tmp_path, 2)
    for invitation, milliseconds in ((slow, 900.0), (quick, 100.0)):
        items = [Item("main", pair, True) for pair in range(3)]
        for trial in give(ledger, invitation, items):
            cast_vote(ledger, trial, "first", milliseconds, "unproven" if trial.position else "proven")

    def sizes(asked: Any) -> list[tuple[str, int]]:
        chosen, _ = choices.choices_of(ledger, study, asked)
        return [(title, len(votes)) for title, votes in chosen]

    proven = ("only the 2 of 6 votes whose display is proven", 2)
    assert sizes(free) == [("all raters", 6), proven]
    assert sizes(strict) == [("all raters", 6), ("without 1 rater whom the plan's rules exclude", 3), proven]
    [left_out] = choices.choices_of(ledger, study, strict)[1]
    assert left_out.rater == ledger.rater_by_invitation(quick).name  # type: ignore[union-attr]
    # Where all are excluded nothing would be left, and where all is proven nothing is stricter.
    everybody = plan(raters="[exclusion]\nminimum_median_ms = 5000")
    assert sizes(everybody) == [("all raters", 6), proven]
    ledger.write(lambda connection: connection.execute(text("UPDATE study_votes SET proof = 'proven'")))
    assert sizes(free) == [("all raters", 6)]
    ledger.write(lambda connection: connection.execute(text("UPDATE study_votes SET proof = 'unproven'")))
    assert sizes(free) == [("all raters", 6)]
    imported(ledger)
    chosen, left_out = choices.choices_of(ledger, ledger.study("theirs"), None)
    assert [(title, len(votes)) for title, votes in chosen] == [("all raters", 2)]
    assert left_out == ()
    assert [choices.counted(["r"] * count) for count in (0, 1, 2)] == ["0 raters", "1 rater", "2 raters"]


def test_a_scale_is_made_as_the_plan_fixed_or_the_import_asked(tmp_path: Path, ledger: TrialLedger) -> None:
    open_study(tmp_path, pictures=1)
    study = ledger.study("small")
    with_original = from_records([VoteRecord("r", "p", "a", REFERENCE, 1)])
    without = from_records([VoteRecord("r", "p", "a", "b", 1)])
    hidden = plan(top="hidden_reference = true\nseed = 7")
    assert choices.settings_of(study, hidden, with_original) == Settings(
        "JOD", None, REFERENCE, None, 1000, 7
    )
    assert choices.settings_of(study, hidden, without).anchor is None
    # Practice shows the original where the design does not compare it.
    assert choices.settings_of(study, plan(), with_original).anchor is None
    asked = plan(
        raters='[analysis]\nunit = "log-worth"\nanchor = "a"\nmodel = "davidson"\n'
        "ridge = 0.5\nresamples = 200"
    )
    assert choices.settings_of(study, asked, with_original) == Settings(
        "log-worth", "davidson", "a", 0.5, 200, 1
    )
    assert choices.settings_of(study, asked, with_original, 300).resamples == 300
    imported(ledger, unit="log-worth", resamples=150)
    theirs = ledger.study("theirs")
    assert choices.settings_of(theirs, None, without) == Settings("log-worth", None, None, None, 150, 0)
    assert choices.settings_of(theirs, None, with_original).anchor == REFERENCE


# Lines and tables


def test_lines_of_a_status_say_how_far_a_study_is(tmp_path: Path, ledger: TrialLedger) -> None:
    open_study(tmp_path, conditions=3, pictures=1, raters="[stopping]\nvotes_per_pair = 1", state="planned")
    lines, _ = presenting.status_lines(ledger, "small")
    sha256 = ledger.study("small").sha256
    assert lines == [
        "study small is planned",
        f"seal {sha256[:16]}: plan and stimuli are as sealed",
        "raters: none",
        "votes: 0 on 3 pairs, 0 to 0 a pair",
    ]
    ledger.set_state(ledger.study("small"), "open")
    here, gone, _ = invite(tmp_path, 3)
    items = [Item("main", pair, True) for pair in (0, 1, 2, 0)] + [Item("golden", 5, True)]
    for trial in give(ledger, here, items):
        cast_vote(ledger, trial, "first", proof="proven" if trial.position == 3 else "unproven")
    for trial in give(ledger, gone, items[:2]):
        cast_vote(ledger, trial, "first")
    ledger.withdraw(gone)
    ledger.begin_session(ledger.rater_by_invitation(here), "token")  # type: ignore[arg-type]
    opened = ledger.study("small").opened_at
    lines, record = presenting.status_lines(ledger, "small")
    assert opened
    assert lines == [
        f"study small is open since {opened[:10]} {opened[11:16]} UTC",
        f"seal {sha256[:16]}: plan and stimuli are as sealed",
        "raters: 1 consent, 1 not here yet",
        "votes: 4 on 3 pairs, 1 to 2 a pair",
        "display unproven: 4 votes, of all kinds",
        "withdrawn: 1 rater with 2 votes",
        "finished: every pair has 1 vote or more, as stopping.votes_per_pair asks for",
    ]
    assert (record["study"], record["state"], record["intact"], record["simulated"]) == (
        "small", "open", True, False,
    )  # fmt: skip
    assert (record["votes"], record["pairs"], record["unproven"], record["withdrawn_votes"]) == (4, 3, 4, 2)
    assert [rater["votes"] for rater in record["raters"]] == [5, 0]
    ledger.set_state(ledger.study("small"), "closed")
    ledger.write(
        lambda connection: connection.execute(text("UPDATE studies SET closed_at = '2026-03-04T05:06:07'"))
    )
    ledger.write(lambda connection: connection.execute(text("UPDATE study_stimuli SET shown_sha256 = 'x'")))
    lines, record = presenting.status_lines(ledger, "small")
    assert lines[:2] == [
        "study small is closed since 2026-03-04 05:06 UTC",
        f"seal {sha256[:16]}: BROKEN: rows changed",
    ]
    assert record["intact"] is False


def test_studies_are_listed_with_whose_answers_they_hold(tmp_path: Path, ledger: TrialLedger) -> None:
    open_study(tmp_path, pictures=1)
    imported(ledger)
    invite(tmp_path, 2)
    small, theirs = presenting.study_records(ledger)
    study = ledger.study("small")
    assert small == {
        "study": "small", "state": "open", "answers of": "people", "raters": 2, "votes": 0,
        "created": study.created_at[:16], "seal": study.sha256[:12],
    }  # fmt: skip
    assert (theirs["answers of"], theirs["raters"], theirs["votes"]) == ("an import", 2, 2)
    lines, _ = presenting.status_lines(ledger, "theirs")
    # Whoever voted elsewhere is not waited for, and nobody's display can be proven there.
    assert lines[2:] == ["raters: 2 done", "votes: 2 on 1 pair, 2 to 2 a pair", "source: somebody"]
    assert presenting._answering(dataclasses.replace(study, plan="simulated = true")) == "simulated raters"
