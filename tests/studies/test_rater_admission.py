"""Who is let in and where a rater stands: consent, flicker, screening, quotas, leases, and the end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from giving import rater_of, rows_of
from sqlalchemy import text
from studying import enter, invite, open_study, refusal, vote_request, work_through

from codecarena.bench.store.writer import StoreWriter
from codecarena.studies.ledger.identity import completion_code
from codecarena.studies.ledger.ledger import Ledger
from codecarena.studies.records.messages import Done, NotYet, Panel, Progress, SessionError, Trial
from codecarena.studies.session.session import RaterService

BARE = "training = 0\ngolden = 0\nidentical = 0\nrepeats = 0.0\nbreak_every = 0\n"
EYES = """
[[raters.screening]]
key = "eyes"
question = "Well?"
answers = ["yes", "no", "unsure"]
accepted = ["yes", "unsure"]
[[raters.screening]]
key = "screen"
question = "Which?"
answers = ["laptop", "desktop"]
"""
NIGHT = '[[raters.environment]]\nkey = "night"\nquestion = "Night mode?"\nanswers = ["on", "off"]\n'


def given_trial(service: RaterService, session: str) -> Trial:
    trial = service.next_trial(session)
    assert isinstance(trial, Trial)
    return trial


@pytest.fixture
def service(tmp_path: Path) -> Iterator[RaterService]:
    StoreWriter(str(tmp_path)).close()
    opened = RaterService(str(tmp_path))
    yield opened
    opened.close()


# Consent

# Agreed, of age, accepts flicker; where the rater stands where pictures flip, and where they flicker.
CONSENTS = [
    ((True, True, True), "trials", "trials"),
    ((True, True, False), "trials", "declined"),
    ((True, False, True), "screened-out", "screened-out"),
    ((True, False, False), "screened-out", "declined"),
    ((False, True, True), "declined", "declined"),
    ((False, False, False), "declined", "declined"),
]


@pytest.mark.parametrize("presentation", ["flip", "flicker"])
def test_nobody_is_shown_flicker_who_has_not_accepted_it(
    tmp_path: Path, service: RaterService, presentation: str
) -> None:
    open_study(tmp_path, pictures=1, trials=f'presentation = "{presentation}"\nflicker_hz = 10')
    session = service.join(*invite(tmp_path)).session_token
    unasked = service.consent(session, "1", agreed=True, of_age=True)
    assert unasked == ("declined" if presentation == "flicker" else "trials")
    service.withdraw(session)
    for (agreed, of_age, accepts), flips, flickers in CONSENTS:
        [invitation] = invite(tmp_path)
        session = service.join(invitation).session_token
        assert service.welcome(session).asks_presentation_consent == (presentation == "flicker")
        stage = service.consent(session, "1", agreed=agreed, of_age=of_age, accepts_presentation=accepts)
        assert stage == (flickers if presentation == "flicker" else flips)
        assert service.welcome(session).stage == stage
        # What is answered once stands.
        assert service.consent(session, "1", agreed=True, of_age=True, accepts_presentation=True) == stage
        assert service.screening(session, {}) == stage
        step = service.next_trial(session)
        if stage == "trials":
            assert isinstance(step, Trial)
            assert step.parameters == ({"flicker_hz": 10} if presentation == "flicker" else {})
        else:
            assert isinstance(step, Done)
            assert step.outcome == stage
            assert service.upcoming(session) is None
    stored = rows_of(
        tmp_path,
        "SELECT consent_version, consented_at IS NULL, of_age, accepts_flicker FROM study_raters ORDER BY id",
    )
    assert stored == [
        ("1" if agreed else None, not agreed, of_age, accepts) for (agreed, of_age, accepts), *_ in CONSENTS
    ]


@pytest.mark.parametrize(
    ("raters", "then"),
    [
        ("", "trials"),
        (NIGHT, "calibration"),
        (EYES, "screening"),
        (EYES + NIGHT, "screening"),
    ],
)
def test_consent_leads_to_what_the_plan_asks_next(
    tmp_path: Path, service: RaterService, raters: str, then: str
) -> None:
    open_study(tmp_path, pictures=1, raters=raters)
    session = service.join(*invite(tmp_path)).session_token
    assert service.next_trial(session) == NotYet("consent")
    assert service.screening(session, {"eyes": "yes"}) == "consent"
    assert service.calibration(session, {}) == "consent"
    assert service.consent(session, "1", agreed=True, of_age=True) == then
    assert service.consent(session, "1", agreed=False, of_age=True) == then
    if then != "trials":
        assert service.next_trial(session) == NotYet(then)
    assert rows_of(tmp_path, "SELECT count(*) FROM study_environments") == [(0,)]


@pytest.mark.parametrize("asked", ["card_calibration", "colour_plates"])
def test_either_check_of_the_screen_comes_before_the_trials(
    tmp_path: Path, service: RaterService, asked: str
) -> None:
    open_study(tmp_path, pictures=1)
    with closing(Ledger(str(tmp_path))) as ledger:
        asking = ledger.study("small").plan.replace(f"{asked} = false", f"{asked} = true")
        ledger.write(
            lambda connection: connection.execute(text("UPDATE studies SET plan = :plan"), {"plan": asking})
        )
    session = service.join(*invite(tmp_path)).session_token
    welcome = service.welcome(session)
    assert welcome.ask_card_calibration is (asked == "card_calibration")
    assert welcome.ask_colour_plates is (asked == "colour_plates")
    assert service.consent(session, "1", agreed=True, of_age=True) == "calibration"
    assert service.calibration(session, {"width_px": 336}) == "trials"


@pytest.mark.parametrize(
    ("answers", "stage"),
    [
        ({"eyes": "yes", "screen": "laptop"}, "calibration"),
        ({"eyes": "unsure", "screen": "desktop"}, "calibration"),  # any is accepted where none is named
        ({"eyes": "no", "screen": "desktop"}, "screened-out"),
        ({"eyes": "maybe", "screen": "desktop"}, "Well?"),
        ({"screen": "desktop"}, "Well?"),
        ({"eyes": "no"}, "Which?"),
        ({"eyes": "yes", "screen": ""}, "Which?"),
    ],
)
def test_who_is_meant_is_told_by_every_answer(
    tmp_path: Path, service: RaterService, answers: dict[str, str], stage: str
) -> None:
    open_study(tmp_path, pictures=1, raters='screened_out_code = "OUT"\n' + EYES + NIGHT)
    session = service.join(*invite(tmp_path)).session_token
    service.consent(session, "1", agreed=True, of_age=True)
    sent = {**answers, "more": "is not kept"}
    if stage.endswith("?"):
        with pytest.raises(SessionError) as error:
            service.screening(session, sent)
        assert (error.value.code, error.value.status, error.value.detail) == ("unanswered", 422, stage)
        assert service.next_trial(session) == NotYet("screening")
        return
    assert service.screening(session, sent) == stage
    assert service.screening(session, {"eyes": "yes", "screen": "laptop"}) == stage
    assert [json.loads(row[0]) for row in rows_of(tmp_path, "SELECT answers FROM study_raters")] == [answers]


def test_what_is_told_of_the_screen_is_kept_each_time_up_to_16_kilobytes(
    tmp_path: Path, service: RaterService
) -> None:
    open_study(tmp_path, pictures=1, raters=NIGHT)
    [invitation] = invite(tmp_path)
    session = enter(service, invitation)
    longest = {"x": "y" * (16 * 1024 - len('{"x": ""}'))}
    assert refusal(service.calibration, session, {"x": longest["x"] + "y"}) == ("not_understood", 422)
    assert service.welcome(session).stage == "calibration"
    assert service.calibration(session, longest) == "trials"
    assert service.calibration(session, {"night": "off"}) == "trials"
    kept = rows_of(tmp_path, "SELECT record FROM study_environments ORDER BY id")
    assert [json.loads(row[0]) for row in kept] == [longest, {"night": "off"}]
    with closing(Ledger(str(tmp_path))) as ledger:
        ledger.set_state(ledger.study("small"), "closed")
    assert service.calibration(session, {"night": "on"}) == "closed"


def test_a_welcome_says_all_that_the_plan_says(tmp_path: Path, service: RaterService) -> None:
    open_study(
        tmp_path,
        pictures=3,
        top='introduction = "Look."\ncontact = "lab@example"',
        trials='presentation = "triplet"\nquestion = "Which?"\nzoom = 2\nmagnify = false\n'
        "allow_no_preference = false",
        raters=EYES + NIGHT,
    )
    session = service.join(*invite(tmp_path)).session_token
    welcome = service.welcome(session)
    assert (welcome.title, welcome.introduction, welcome.contact) == ("A small study", "Look.", "lab@example")
    consent = welcome.consent_text, welcome.consent_version, welcome.minimum_age
    assert consent == ("You look at pictures.", "1", 18)
    assert [
        (question.key, question.question, question.answers)
        for question in (*welcome.screening, *welcome.environment)
    ] == [
        ("eyes", "Well?", ("yes", "no", "unsure")),
        ("screen", "Which?", ("laptop", "desktop")),
        ("night", "Night mode?", ("on", "off")),
    ]
    assert (welcome.presentation, welcome.question, welcome.allow_no_preference) == (
        "triplet",
        "Which?",
        False,
    )
    assert (welcome.zoom, welcome.magnify, welcome.parameters) == (2, False, {})
    # Pictures are 24 high and 24, 25 and 26 wide.
    assert (welcome.picture_width, welcome.picture_height) == (26, 24)
    # 9 pairs, 1 repeat, 2 practice, 3 golden, 1 identical.
    assert welcome.progress == Progress(0, 16)
    assert (welcome.ask_card_calibration, welcome.ask_colour_plates) == (False, False)
    assert service.withdraw(f" {welcome.withdrawal_code}\n") == 0


# Quotas


def test_as_many_raters_are_let_in_as_may_finish_and_not_one_more(
    tmp_path: Path, service: RaterService
) -> None:
    open_study(tmp_path, conditions=2, pictures=1, trials=BARE, raters="[stopping]\nraters = 2")
    first_invitation, two, under_way, late, early = invite(tmp_path, 5)
    service.join(early)
    work_through(service, enter(service, first_invitation))
    session = enter(service, under_way)
    work_through(service, enter(service, two))
    # Two have finished: who has agreed may go on, who has not may not begin.
    assert refusal(service.join, late) == ("full", 410)
    assert refusal(service.join, early) == ("full", 410)
    assert service.join(under_way).stage == "trials"
    assert service.join(first_invitation).stage == "done"
    assert len(work_through(service, session)) == 1
    assert rows_of(tmp_path, "SELECT count(*) FROM study_raters WHERE stage = 'done'") == [(3,)]
    assert refusal(service.join, late) == ("full", 410)


@pytest.mark.parametrize(("state", "refused"), [("planned", "not_open"), ("closed", "closed")])
def test_a_study_that_is_not_open_lets_nobody_in(
    tmp_path: Path, service: RaterService, state: str, refused: str
) -> None:
    open_study(tmp_path, pictures=1, state="planned", raters='panel = "prolific"')
    if state == "closed":
        with closing(Ledger(str(tmp_path))) as ledger:
            ledger.set_state(ledger.study("small"), "closed")
    [invitation] = invite(tmp_path)
    assert refusal(service.join, invitation) == (refused, 410)
    assert refusal(service.join_panel, "small", Panel("somebody")) == (refused, 410)


def test_panels_come_where_the_plan_takes_them_and_by_name(tmp_path: Path, service: RaterService) -> None:
    open_study(tmp_path, pictures=1)
    assert refusal(service.join_panel, "small", Panel("5f3a")) == ("unknown_study", 404)
    assert refusal(service.join_panel, "other", Panel("5f3a")) == ("unknown_study", 404)
    assert refusal(service.join, "5f3a") == ("unknown_invitation", 404)
    assert refusal(service.withdraw, "5f3a") == ("unknown_code", 404)
    assert refusal(service.stimulus, "5f3a") == ("unknown_picture", 404)
    open_study(tmp_path / "panel", pictures=1, raters='panel = "prolific"')
    with closing(RaterService(str(tmp_path / "panel"))) as other:
        assert refusal(other.join_panel, "small", Panel("")) == ("no_participant", 422)
        visitors = [Panel(name, session="s") for name in ("5f3a", "5f3a", "77")]
        tokens = {other.join_panel("small", panel).session_token for panel in visitors}
    assert len(tokens) == 3
    assert rows_of(tmp_path / "panel", "SELECT count(*), count(DISTINCT rater_id) FROM study_sessions") == [
        (3, 2)
    ]


def test_a_rater_has_joined_when_they_first_came(tmp_path: Path, service: RaterService) -> None:
    open_study(tmp_path, pictures=1)
    first_invitation, _ = invite(tmp_path, 2)
    service.join(first_invitation)
    query = "SELECT joined_at FROM study_raters ORDER BY id"
    [(first,), (nobody,)] = rows_of(tmp_path, query)
    assert first
    assert nobody is None
    service.join(first_invitation)
    assert rows_of(tmp_path, query) == [(first,), (None,)]


# Leases


@pytest.mark.parametrize(("minutes_left", "renewed"), [(-5, True), (4, True), (6, False)])
def test_a_lease_is_renewed_for_who_comes_back_in_its_second_half(
    tmp_path: Path, service: RaterService, minutes_left: float, renewed: bool
) -> None:
    open_study(tmp_path, conditions=2, pictures=2, trials=BARE, design="lease_minutes = 10")
    session, other = (enter(service, invitation) for invitation in invite(tmp_path, 2))
    began = datetime.now(UTC)
    service.next_trial(session)
    service.next_trial(other)
    query = "SELECT lease_until FROM study_trials ORDER BY rater_id, position"
    leases = [datetime.fromisoformat(row[0]) for row in rows_of(tmp_path, query)]
    assert len(leases) == 4
    assert all(timedelta(minutes=9.9) < lease - began < timedelta(minutes=15) for lease in leases)
    until = (datetime.now(UTC) + timedelta(minutes=minutes_left)).isoformat(timespec="milliseconds")
    change = text("UPDATE study_trials SET lease_until = :until")
    service.ledger.write(lambda connection: connection.execute(change, {"until": until}))
    service.next_trial(session)
    assert [row[0] > until for row in rows_of(tmp_path, query)] == [renewed, renewed, False, False]


# The end


@pytest.mark.parametrize(
    ("raters", "code", "url"),
    [
        ("", None, None),
        ('completion_code = "C1"', "C1", None),
        ('completion_code = "C1"\ncompletion_url = "https://panel.test/?cc={code}"', "C1", "https://panel.test/?cc={}"),
        ('completion_url = "https://panel.test/?cc={code}"', None, "https://panel.test/?cc={}"),
    ],
)  # fmt: skip
def test_who_finishes_is_told_a_code_and_where_to_hand_it_in(
    tmp_path: Path, service: RaterService, raters: str, code: str | None, url: str | None
) -> None:
    open_study(tmp_path, conditions=2, pictures=2, trials=BARE, raters=raters)
    [invitation] = invite(tmp_path)
    session = enter(service, invitation)
    last = work_through(service, session)[-1][1]
    end = last.following
    assert isinstance(end, Done)
    own = completion_code(service.ledger.study("small"), rater_of(service.ledger, invitation).name)
    assert (end.outcome, end.completion_code) == ("complete", code or own)
    assert end.completion_url == (url and url.format(code or own))
    assert end.progress == Progress(2, 2)
    assert end.withdrawal_code == service.welcome(session).withdrawal_code
    assert service.next_trial(session) == service.end_break(session) == end
    assert service.upcoming(session) is None
    assert [row[0] is not None for row in rows_of(tmp_path, "SELECT finished_at FROM study_raters")] == [True]


def test_who_declines_or_is_screened_out_has_nothing_to_hand_in_but_the_plan_s_code(
    tmp_path: Path, service: RaterService
) -> None:
    codes = (
        'completion_code = "C1"\nscreened_out_code = "OUT"\ncompletion_url = "https://panel.test/?cc={code}"'
    )
    open_study(tmp_path, pictures=1, raters=codes)
    for agreed, of_age, code, url in (
        (False, True, None, None),
        (True, False, "OUT", "https://panel.test/?cc=OUT"),
    ):
        session = service.join(*invite(tmp_path)).session_token
        service.consent(session, "1", agreed=agreed, of_age=of_age)
        end = service.next_trial(session)
        assert isinstance(end, Done)
        assert (end.completion_code, end.completion_url) == (code, url)
        assert end.progress == Progress(0, 9)


def test_a_closed_study_says_how_far_a_rater_came(tmp_path: Path, service: RaterService) -> None:
    open_study(tmp_path, conditions=2, pictures=3, trials=BARE)
    session = enter(service, *invite(tmp_path))
    trial = given_trial(service, session)
    service.vote(session, vote_request(trial))
    with closing(Ledger(str(tmp_path))) as ledger:
        ledger.set_state(ledger.study("small"), "closed")
    end = service.next_trial(session)
    assert isinstance(end, Done)
    assert (end.outcome, end.progress) == ("closed", Progress(1, 3))
    assert service.upcoming(session) is None
    with pytest.raises(SessionError, match="closed"):
        service.vote(session, vote_request(trial))


def test_who_is_done_stays_done_when_the_study_is_closed(tmp_path: Path, service: RaterService) -> None:
    open_study(tmp_path, conditions=2, pictures=1, trials=BARE)
    done, declined, waiting = invite(tmp_path, 3)
    sessions = [
        enter(service, done),
        *(service.join(invitation).session_token for invitation in (declined, waiting)),
    ]
    work_through(service, sessions[0])
    service.consent(sessions[1], "1", agreed=False, of_age=True)
    with closing(Ledger(str(tmp_path))) as ledger:
        ledger.set_state(ledger.study("small"), "closed")
    assert [service.welcome(session).stage for session in sessions] == ["done", "declined", "closed"]
