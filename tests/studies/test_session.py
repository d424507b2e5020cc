"""A rater's way through a study: the same trial until it is answered, one vote a trial, nothing told."""

from __future__ import annotations

import dataclasses
import io
import json
import struct
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import text
from studying import enter, invite, open_study, vote_request, work_through

from codecarena.bench.store.store import Store
from codecarena.datasets.pixels import pixels_sha256
from codecarena.studies.ledger.ledger import Ledger
from codecarena.studies.ledger.votes import status as status_of
from codecarena.studies.ledger.votes import stored_votes
from codecarena.studies.records.messages import Break, Done, NotYet, Panel, SessionError, Trial
from codecarena.studies.session.session import RaterService

ONE, TWO = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"


@pytest.fixture
def service(tmp_path: Path):
    open_study(tmp_path)
    opened = RaterService(str(tmp_path))
    yield opened
    opened.close()


def count(store: Path, table: str) -> int:
    opened = Store(str(store))
    with opened.engine.connect() as connection:
        rows = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
    opened.close()
    return rows


def test_every_tab_and_every_reload_sees_the_same_trial(service: RaterService, tmp_path: Path) -> None:
    [invitation] = invite(tmp_path)
    first = enter(service, invitation)
    second = service.join(invitation).session_token
    assert first != second
    trial = service.next_trial(first)
    assert isinstance(trial, Trial)
    assert service.next_trial(second) == service.next_trial(first) == trial
    following = service.upcoming(first)
    service.vote(first, vote_request(trial))
    assert following is not None
    assert service.next_trial(second) == dataclasses.replace(following)


def test_a_trial_takes_one_vote_whatever_is_sent(service: RaterService, tmp_path: Path) -> None:
    session = enter(service, *invite(tmp_path))
    trial = service.next_trial(session)
    first = service.vote(session, vote_request(trial, "first", client_uuid=ONE))
    again = service.vote(session, vote_request(trial, "first", client_uuid=ONE))
    other = service.vote(session, vote_request(trial, "second", client_uuid=TWO))
    assert not first.repeated
    assert [again.repeated, other.repeated] == [True, True]
    assert [other.answer, other.client_uuid] == ["first", ONE]
    assert first.following == other.following
    assert count(tmp_path, "study_votes") == 1


def test_votes_come_in_order_from_their_rater_with_an_answer_of_the_trial(
    service: RaterService, tmp_path: Path
) -> None:
    first_session, other = (enter(service, invitation) for invitation in invite(tmp_path, 2))
    trial, following = service.next_trial(first_session), service.upcoming(first_session)
    for session, wrong, status in (
        (other, vote_request(trial), 404),
        (first_session, vote_request(following), 409),
        (first_session, vote_request(trial, "skip"), 422),
        (first_session, dataclasses.replace(vote_request(trial), response_ms=float("nan")), 422),
        (first_session, dataclasses.replace(vote_request(trial), display={"x": "y" * 20_000}), 422),
        ("nobody", vote_request(trial), 404),
    ):
        with pytest.raises(SessionError) as error:
            service.vote(session, wrong)
        assert error.value.status == status
    service.vote(first_session, vote_request(trial, client_uuid=ONE))
    with pytest.raises(SessionError, match="not_due"):
        service.vote(first_session, vote_request(following, client_uuid=ONE))
    assert count(tmp_path, "study_votes") == 1


def test_a_whole_session_has_every_pair_once_and_its_extras(service: RaterService, tmp_path: Path) -> None:
    session = enter(service, *invite(tmp_path))
    done = work_through(service, session, "none")
    end = service.next_trial(session)
    assert isinstance(end, Done)
    assert end.outcome == "complete"
    assert end.completion_code
    ledger = Ledger(str(tmp_path))
    votes = stored_votes(ledger, ledger.study("small"))
    ledger.close()
    kinds = Counter(vote.kind for vote in votes)
    assert kinds == {"main": 12, "training": 2, "golden": 3, "identical": 1, "repeat": 1}
    assert len(done) == 19 == done[0][0].progress.total
    pairs = {(vote.content, *sorted((vote.first, vote.second))) for vote in votes if vote.kind == "main"}
    assert len(pairs) == 12
    assert [vote.kind for vote in votes][:2] == ["training", "training"]
    [repeat] = [vote for vote in votes if vote.kind == "repeat"]
    swapped = [
        v for v in votes if (v.content, v.first, v.second) == (repeat.content, repeat.second, repeat.first)
    ]
    assert [trial.kind for trial in swapped] == ["main"]
    assert swapped[0].position < repeat.position
    contents = [vote.content for vote in votes]
    assert all(content != other for content, other in pairwise(contents))
    assert done[0][1].feedback == "look-again"
    assert all(receipt.feedback is None for trial, receipt in done if not trial.training)


def test_sides_even_out_within_a_rater_and_over_raters(service: RaterService, tmp_path: Path) -> None:
    for invitation in invite(tmp_path, 4):
        work_through(service, enter(service, invitation))
    ledger = Ledger(str(tmp_path))
    votes = [vote for vote in stored_votes(ledger, ledger.study("small")) if vote.kind == "main"]
    ledger.close()
    left = Counter((vote.rater, vote.first) for vote in votes)
    assert set(left.values()) == {4}  # each of 3 conditions stands in 8 pairs of each rater
    over_raters = Counter((vote.content, vote.first, vote.second) for vote in votes)
    assert set(over_raters.values()) == {2}


def test_pictures_are_exact_equally_long_and_nothing_else(service: RaterService, tmp_path: Path) -> None:
    session = enter(service, *invite(tmp_path))
    trial = service.next_trial(session)
    served = {shown.slot: service.stimulus(shown.token) for shown in trial.pictures}
    assert list(served) == ["reference", "first", "second"]
    assert len({len(png) for png in served.values()}) == 1
    decoded = {slot: np.asarray(Image.open(io.BytesIO(png)).convert("RGB")) for slot, png in served.items()}
    assert all(
        pixels.shape == (trial.pictures[0].height, trial.pictures[0].width, 3) for pixels in decoded.values()
    )
    assert all(
        (Store(str(tmp_path)).blobs.decoded_path(pixels_sha256(pixels))).exists()
        for pixels in decoded.values()
    )
    laid_out = set()
    for png in served.values():
        chunks, at = [], 8
        while at < len(png):
            length, name = struct.unpack(">I4s", png[at : at + 8])
            chunks.append((name, length))
            at += length + 12
        laid_out.add(tuple(chunks))
    # Not even the parts differ in length: how well a picture compresses would tell how it was coded.
    assert len(laid_out) == 1
    assert [name for name, _ in laid_out.pop()] == [b"IHDR", b"sRGB", b"IDAT", b"IEND"]
    with pytest.raises(SessionError):
        service.stimulus(trial.pictures[0].token[:-1] + "!")


def test_nothing_that_is_told_names_a_codec_a_picture_or_a_hash(
    service: RaterService, tmp_path: Path
) -> None:
    session = enter(service, *invite(tmp_path))
    replies = [
        service.welcome(session),
        *(reply for pair in work_through(service, session) for reply in pair),
    ]
    everything = json.dumps([dataclasses.asdict(reply) for reply in replies])
    ledger = Ledger(str(tmp_path))
    material = ledger.known(ledger.study("small")).material
    ledger.close()
    secrets = {stimulus.shown_sha256[:12] for stimulus in material.stimuli if stimulus.shown_sha256}
    secrets |= {content.name for content in material.contents} | {
        "codec0",
        "codec1",
        "codec2",
        "golden",
        '"repeat"',
    }
    assert [secret for secret in secrets if secret in everything] == []


def test_a_display_is_proven_by_what_was_read_back(service: RaterService, tmp_path: Path) -> None:
    session = enter(service, *invite(tmp_path))
    trial = service.next_trial(session)
    pixels = {
        picture.slot: pixels_sha256(
            np.array(Image.open(io.BytesIO(service.stimulus(picture.token))).convert("RGB"))
        )
        for picture in trial.pictures
    }
    receipt = service.vote(session, dataclasses.replace(vote_request(trial), checksums=pixels))
    noisy = dataclasses.replace(vote_request(receipt.following), checksums={**pixels, "first": "0" * 64})
    service.vote(session, noisy)
    ledger = Ledger(str(tmp_path))
    votes = stored_votes(ledger, ledger.study("small"))
    ledger.close()
    assert [vote.proof for vote in votes] == ["proven", "unproven"]


def test_withdrawal_erases_votes_and_identity_and_leaves_a_tombstone(
    service: RaterService, tmp_path: Path
) -> None:
    keeps, goes = invite(tmp_path, 2)
    work_through(service, enter(service, keeps))
    session = enter(service, goes)
    code = service.welcome(session).withdrawal_code
    for _ in range(5):
        service.vote(session, vote_request(service.next_trial(session)))
    assert service.withdraw(code) == 5
    for call in (
        lambda: service.next_trial(session),
        lambda: service.join(goes),
        lambda: service.withdraw(code),
    ):
        with pytest.raises(SessionError) as error:
            call()
        assert error.value.status == 404
    assert [count(tmp_path, f"study_{table}") for table in ("raters", "sessions", "votes", "trials")] == [
        1,
        1,
        19,
        19,
    ]
    ledger = Ledger(str(tmp_path))
    status = status_of(ledger, ledger.study("small"))
    ledger.close()
    assert (status.withdrawn, status.withdrawn_votes, status.votes) == (1, 5, 12)
    assert (status.fewest_votes, status.most_votes) == (1, 1)


def test_the_way_in_asks_what_the_plan_asks(tmp_path: Path) -> None:
    screen = (
        '[[raters.screening]]\nkey = "eyes"\nquestion = "Well?"\nanswers = ["yes", "no"]\naccepted = ["yes"]'
    )
    open_study(tmp_path, raters=f'screened_out_code = "OUT"\n{screen}')
    service = RaterService(str(tmp_path))
    well, ill, young, unwilling = (
        service.join(invitation).session_token for invitation in invite(tmp_path, 4)
    )
    assert service.next_trial(well) == NotYet("consent")
    with pytest.raises(SessionError, match="changed"):
        service.consent(well, "0", agreed=True, of_age=True)
    assert service.consent(well, "1", agreed=True, of_age=True) == "screening"
    with pytest.raises(SessionError, match="Well"):
        service.screening(well, {})
    assert service.screening(well, {"eyes": "yes"}) == "trials"
    assert service.calibration(well, {"night_mode": "off"}) == "trials"
    service.consent(ill, "1", agreed=True, of_age=True)
    assert service.screening(ill, {"eyes": "no"}) == "screened-out"
    assert service.next_trial(ill).completion_code == "OUT"
    assert service.consent(young, "1", agreed=True, of_age=False) == "screened-out"
    assert service.consent(unwilling, "1", agreed=False, of_age=True) == "declined"
    assert service.next_trial(unwilling).completion_code is None
    service.close()


def test_a_panel_s_participant_is_one_rater_known_by_a_hash(tmp_path: Path) -> None:
    panel = 'panel = "prolific"\ncompletion_code = "C0DE"\ncompletion_url = "https://panel.test/?cc={code}"'
    open_study(tmp_path, raters=panel)
    service = RaterService(str(tmp_path))
    session = service.join_panel("small", Panel("5f3a-clear-name", "study9", "session7")).session_token
    service.consent(session, "1", agreed=True, of_age=True)
    elsewhere = Panel("5f3a-clear-name", "study9", "session8")
    two = service.join_panel("small", elsewhere, session).session_token
    assert service.next_trial(session) == service.next_trial(two)
    work_through(service, two)
    assert service.next_trial(session).completion_url == "https://panel.test/?cc=C0DE"
    service.close()
    assert count(tmp_path, "study_raters") == 1
    files = [path for path in tmp_path.iterdir() if path.is_file()]
    assert not any(b"5f3a-clear-name" in path.read_bytes() for path in files)


def test_breaks_stand_where_the_plan_puts_them(tmp_path: Path) -> None:
    open_study(tmp_path, trials="break_every = 5\nbreak_seconds = 7\ntraining = 0")
    service = RaterService(str(tmp_path))
    session = enter(service, *invite(tmp_path))
    for _ in range(5):
        service.vote(session, vote_request(service.next_trial(session)))
    pause = service.next_trial(session)
    assert isinstance(pause, Break)
    assert (pause.seconds, pause.progress.done) == (7, 5)
    waiting = service.upcoming(session)
    assert service.end_break(session) == waiting
    assert service.end_break(session) == waiting
    service.close()


def test_a_closed_study_takes_no_votes_and_no_raters(service: RaterService, tmp_path: Path) -> None:
    late, under_way = invite(tmp_path, 2)
    session = enter(service, under_way)
    trial = service.next_trial(session)
    ledger = Ledger(str(tmp_path))
    ledger.set_state(ledger.study("small"), "closed")
    ledger.close()
    assert service.next_trial(session).outcome == "closed"
    for call in (lambda: service.join(late), lambda: service.vote(session, vote_request(trial))):
        with pytest.raises(SessionError) as error:
            call()
        assert error.value.status == 410


def test_an_incomplete_design_gives_pairs_equally_often_and_returns_leases(tmp_path: Path) -> None:
    design = 'name = "balanced-incomplete"\npairs_per_rater = 5\nlease_minutes = 0.0001'
    open_study(tmp_path, design=design, trials="golden = 0\ntraining = 0\nidentical = 0\nrepeats = 0")
    service = RaterService(str(tmp_path))
    gone, *others = invite(tmp_path, 13)
    service.next_trial(enter(service, gone))
    for invitation in others:
        work_through(service, enter(service, invitation))
    ledger = Ledger(str(tmp_path))
    status = status_of(ledger, ledger.study("small"))
    ledger.close()
    assert (status.votes, status.fewest_votes, status.most_votes) == (60, 5, 5)
    service.close()
