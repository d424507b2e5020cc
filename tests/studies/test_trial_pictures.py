"""Which pictures a trial hands out, under which names, and what a missing one answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from giving import course_of
from studying import enter, invite, open_study, refusal

from codecarena.studies.records.messages import Trial
from codecarena.studies.session.session import Desk
from codecarena.studies.session.trials import pictures


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(str(tmp_path))
    yield opened
    opened.close()


def given_trial(desk: Desk, session: str) -> Trial:
    trial = desk.next_trial(session)
    assert isinstance(trial, Trial)
    return trial


def test_a_picture_that_is_gone_is_not_found(tmp_path: Path, desk: Desk) -> None:
    open_study(tmp_path, pictures=1)
    trial = given_trial(desk, enter(desk, *invite(tmp_path)))
    token = trial.pictures[0].token
    assert refusal(desk.stimulus, token[:-1] + ("0" if token[-1] != "0" else "1")) == ("unknown_picture", 404)
    for name in ("first", "reference"):
        shown = next(picture for picture in trial.pictures if picture.slot == name)
        sha256 = pictures(course_of(desk.ledger), desk.ledger.trial(trial.trial))[name]
        desk.ledger.store.blobs.decoded_path(sha256).unlink()
        assert refusal(desk.stimulus, shown.token) == ("unknown_picture", 404)


def test_pictures_are_those_of_the_trial_on_their_sides(tmp_path: Path, desk: Desk) -> None:
    open_study(tmp_path, pictures=2)
    session = enter(desk, *invite(tmp_path))
    trial = given_trial(desk, session)
    course = course_of(desk.ledger)
    place = course.pair_place[desk.ledger.trial(trial.trial).pair_id]
    content = course.known.material.contents[course.content(place)]
    assert {(picture.width, picture.height) for picture in trial.pictures} == {
        (content.width, content.height)
    }
    assert [picture.slot for picture in trial.pictures] == ["reference", "first", "second"]
    assert trial.training
    assert (trial.minimum_view_ms, trial.gap_ms, trial.time_limit_ms) == (300, 500, None)
    assert (trial.zoom, trial.magnify) == (1, True)
