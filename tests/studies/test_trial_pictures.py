"""Which pictures a trial hands out, under which names, and what a missing one answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from giving import course_of
from studying import enter, invite, open_study, refusal

from codecarena.bench.store.writer import StoreWriter
from codecarena.studies.records.messages import Trial
from codecarena.studies.session.session import RaterService
from codecarena.studies.session.trials import pictures


@pytest.fixture
def service(tmp_path: Path) -> Iterator[RaterService]:
    StoreWriter(str(tmp_path)).close()
    opened = RaterService(str(tmp_path))
    yield opened
    opened.close()


def given_trial(service: RaterService, session: str) -> Trial:
    trial = service.next_trial(session)
    assert isinstance(trial, Trial)
    return trial


def test_a_picture_that_is_gone_is_not_found(tmp_path: Path, service: RaterService) -> None:
    open_study(tmp_path, pictures=1)
    trial = given_trial(service, enter(service, *invite(tmp_path)))
    token = trial.pictures[0].token
    assert refusal(service.stimulus, token[:-1] + ("0" if token[-1] != "0" else "1")) == (
        "unknown_picture",
        404,
    )
    for name in ("first", "reference"):
        shown = next(picture for picture in trial.pictures if picture.slot == name)
        sha256 = pictures(course_of(service.ledger), service.ledger.trial(trial.trial))[name]
        service.ledger.store.blobs.decoded_path(sha256).unlink()
        assert refusal(service.stimulus, shown.token) == ("unknown_picture", 404)


def test_pictures_are_those_of_the_trial_on_their_sides(tmp_path: Path, service: RaterService) -> None:
    open_study(tmp_path, pictures=2)
    session = enter(service, *invite(tmp_path))
    trial = given_trial(service, session)
    session_plan = course_of(service.ledger)
    place = session_plan.pair_place[service.ledger.trial(trial.trial).pair_id]
    content = session_plan.known.material.contents[session_plan.content(place)]
    assert {(picture.width, picture.height) for picture in trial.pictures} == {
        (content.width, content.height)
    }
    assert [picture.slot for picture in trial.pictures] == ["reference", "first", "second"]
    assert trial.training
    assert (trial.minimum_view_ms, trial.gap_ms, trial.time_limit_ms) == (300, 500, None)
    assert (trial.zoom, trial.magnify) == (1, True)
