"""How often requests are answered: bots are slowed down, people behind the same address are not."""

from __future__ import annotations

import threading
from collections import Counter
from functools import partial

import anyio
import anyio.from_thread
import anyio.to_thread
import httpx2
import pytest
from scripted_rater_service import ScriptedRaterService
from starlette.applications import Starlette
from starlette.testclient import TestClient

from codecarena.studies.records.messages import Joined, Panel, SessionError, Stage
from codecarena.studies.session import rates
from codecarena.studies.session.rates import Rates
from codecarena.studies.session.routes import VOTE_THREADS, routes


class CrowdedService(ScriptedRaterService):
    """Knows every session that it gave out."""

    def __init__(self) -> None:
        super().__init__()
        self.known: set[str] = set()

    def join_panel(self, study: str, panel: Panel, earlier: str = "") -> Joined:
        self.known.add(panel.participant)
        return Joined(panel.participant, "trials")

    def screening(self, session_token: str, answers: object) -> Stage:
        if session_token not in self.known:
            raise SessionError("unknown_session", 404)
        return "trials"


class Site:
    """A server, and who asks it from where."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.service = CrowdedService()
        self.app = Starlette(routes=routes(lambda: self.service, lambda: self.seconds))  # type: ignore[arg-type]

    def at(self, address: str) -> TestClient:
        return TestClient(self.app, client=(address, 50_000))


@pytest.fixture
def site() -> Site:
    return Site()


def joins(client: TestClient, names: str, count: int) -> list[int]:
    return [
        client.post("/study/join", json={"study": "s", "participant": f"{names}{place}"}).status_code
        for place in range(count)
    ]


def screening(client: TestClient, session: str) -> int:
    return client.post("/study/screening", json={"session": session, "answers": {}}).status_code


def test_a_flood_of_joins_is_slowed_down_and_who_is_under_way_is_not(site: Site) -> None:
    office, elsewhere = site.at("192.0.2.7"), site.at("192.0.2.8")
    assert joins(office, "person", 20) == [200] * 20
    assert [screening(office, f"person{place}") for place in range(20)] == [200] * 20
    flood = joins(office, "invented", 600)
    assert Counter(flood) == {200: 40, 429: 560}
    # Sessions that nobody was given are asked for no more often.
    assert [screening(office, f"guessed{place}") for place in range(9)] == [429] * 9
    # The twenty go on voting from the same address, and others are let in from theirs.
    for _ in range(5):
        site.seconds += 1
        assert [screening(office, f"person{place}") for place in range(20)] == [200] * 20
    assert joins(elsewhere, "neighbour", 1) == [200]
    site.seconds += 10
    assert joins(office, "later", 100) == [200] * 60 + [429] * 40


def test_a_visit_has_turns_of_its_own(site: Site) -> None:
    client = site.at("192.0.2.7")
    joins(client, "person", 2)
    answers = [screening(client, "person0") for _ in range(200)]
    assert answers == [200] * 60 + [429] * 140
    assert screening(client, "person1") == 200
    refused = client.post("/study/screening", json={"session": "person0", "answers": {}})
    assert (refused.json(), refused.headers["retry-after"]) == ({"error": "try_again"}, "1")
    site.seconds += 1
    assert [screening(client, "person0") for _ in range(11)] == [200] * 10 + [429]


def test_pictures_of_two_hundred_raters_pass(site: Site) -> None:
    client = site.at("192.0.2.7")
    token = next(iter(site.service.tokens), "unknown")
    assert {client.get(f"/study/picture/{token}").status_code for _ in range(1200)} <= {200, 404}
    assert client.get(f"/study/picture/{token}").status_code == 429


def test_a_table_has_an_end_and_forgets_who_was_quiet_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MOST_KEYS", 3)
    seconds = [0.0]
    table = Rates(1, 1, lambda: seconds[0])
    assert [table.wait_seconds(key) for key in "abcabd"] == [0, 0, 0, 1, 1, 0]
    assert [key in table for key in "abcd"] == [False, True, True, True]
    seconds[0] = 0.5
    assert table.wait_seconds("d") == 0.5
    seconds[0] = 1.0
    assert table.wait_seconds("d") == 0


def test_a_crowd_that_comes_in_holds_up_neither_who_votes_nor_who_comes_from_elsewhere(site: Site) -> None:
    held, let_go = threading.Event(), threading.Event()

    def join(invitation: str) -> Joined:
        if invitation == "crowd":
            held.set()
            assert let_go.wait(20)
        return Joined(invitation, "trials")

    site.service.join = join  # type: ignore[method-assign]

    def visitor(address: str) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            transport=httpx2.ASGITransport(site.app, client=(address, 1)), base_url="http://arena"
        )

    async def scene() -> list[int]:
        async with visitor("192.0.2.7") as office, visitor("192.0.2.8") as elsewhere:
            try:
                async with anyio.create_task_group() as crowd:
                    for _ in range(2 * VOTE_THREADS):
                        crowd.start_soon(partial(office.post, "/study/join", json={"invitation": "crowd"}))
                    await anyio.to_thread.run_sync(held.wait)
                    vote = {
                        "session": "s",
                        "trial": "t",
                        "client_uuid": "u",
                        "answer": "first",
                        "response_ms": 1,
                    }
                    answers = [
                        await office.post("/study/vote", json=vote),
                        await elsewhere.post("/study/join", json={"invitation": "person"}),
                    ]
                    let_go.set()
            finally:
                let_go.set()
            return [answer.status_code for answer in answers]

    # In a thread of its own: a browser's tests leave a loop running in theirs.
    with anyio.from_thread.start_blocking_portal() as portal:
        assert portal.call(scene) == [409, 200]
