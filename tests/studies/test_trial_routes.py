from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from scripted_rater_service import SCENES, ScriptedRaterService
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.testclient import TestClient

from codecarena.bench.store.database import StoreError
from codecarena.studies.presentations.registry import PRESENTATIONS
from codecarena.studies.records.messages import Refusal
from codecarena.studies.session.assets import KeptFiles
from codecarena.studies.session.routes import LONGEST_BODY_BYTES, WEB, routes


@pytest.fixture
def service() -> ScriptedRaterService:
    return ScriptedRaterService()


@pytest.fixture
def client(service: ScriptedRaterService) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=routes(lambda: service))) as client:
        yield client


def vote(trial: str, **more: object) -> dict[str, object]:
    vote_request = {"trial": trial, "client_uuid": "u", "answer": "first", "response_ms": 900}
    return {"session": "session", **vote_request, **more}


def test_a_vote_is_answered_with_what_comes_next(client: TestClient, service: ScriptedRaterService) -> None:
    assert client.post("/study/join", json={"invitation": "known"}).json()["session_token"] == "session"
    ahead = client.post("/study/next", json={"session": "session"}).json()
    assert (ahead["step"]["trial"], ahead["upcoming"]["trial"]) == ("trial-0", "trial-1")
    reply = client.post("/study/vote", json=vote("trial-0", display={"zoom": 1})).json()
    assert reply["receipt"]["client_uuid"] == "u"
    assert "following" not in reply["receipt"]
    assert (reply["step"]["trial"], reply["upcoming"]["trial"]) == ("trial-1", "trial-2")
    assert service.vote_requests[0].display == {"zoom": 1}


def test_a_picture_is_the_bytes_of_the_service(client: TestClient, service: ScriptedRaterService) -> None:
    for token, png in service.tokens.items():
        answer = client.get(f"/study/picture/{token}")
        assert answer.content == png
        assert answer.headers["content-type"] == "image/png"
        assert set(answer.headers) == {
            "cache-control", "content-length", "content-type", "referrer-policy", "x-content-type-options"
        }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "expected JSON"),
        (b"[]", "expected a JSON object"),
        (b'{"session": 1}', "session: expected a text"),
        (json.dumps(vote("trial-0", answer="third")).encode(), "answer: Input should be"),
        (json.dumps(vote("trial-0", response_ms=float("nan"))).encode(), "NaN is no JSON"),
        (b'{"session": "\\ud800"}', "surrogates not allowed"),
        (json.dumps(vote("trial-0", display={"\ud800": 1})).encode(), "surrogates not allowed"),
        (b"[" * 30_000, "recursion"),
        (b" " * LONGEST_BODY_BYTES + b"{}", "expected at most"),
    ],
)
def test_what_is_not_understood_is_refused(
    client: TestClient, service: ScriptedRaterService, body: bytes, said: str
) -> None:
    answer = client.post("/study/vote", content=body)
    assert answer.status_code == 422
    assert answer.json()["error"] == "not_understood"
    assert said in answer.json()["detail"]
    assert service.vote_requests == []


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/study/erase"), ("GET", "/study/picture/unknown"), ("GET", "/study/web/..%2Fpage.py")],
)
def test_what_is_not_there_is_not_found(client: TestClient, method: str, path: str) -> None:
    assert client.request(method, path, json={}).status_code == 404


def test_the_rater_service_says_the_status_and_the_reason(client: TestClient) -> None:
    refused = client.post("/study/join", json={"invitation": "stolen"})
    assert refused.status_code == 404
    assert refused.json() == {"error": "unknown_invitation", "detail": ""}
    client.post("/study/join", json={"invitation": "known"})
    assert client.post("/study/vote", json=vote(f"trial-{len(SCENES)}")).status_code == 409


def test_every_text_of_the_pages_is_in_the_texts_file_and_used(client: TestClient) -> None:
    texts = client.get("/study/web/texts_en.json").json()
    code = "".join(path.read_text() for path in WEB.rglob("*.js"))
    composed = ("no_", "done_", "label_", "choose_", "keys_choose_", "feedback_", "refused_")
    declared = {key for presentation in PRESENTATIONS for key in presentation.texts}
    unused = [key for key in texts if f'"{key}"' not in code and not key.startswith(composed)]
    unused = [key for key in unused if key not in declared]
    assert unused == []
    said = {part.split('"')[0] for part in code.split('say("')[1:]}
    assert said - set(texts) == set()
    assert {key for key in texts if key.startswith("refused_")} == {
        f"refused_{refusal}" for refusal in get_args(Refusal)
    }


def test_modules_are_sent_compressed_to_who_reads_that(client: TestClient) -> None:
    plain = client.get("/study/web/main.js", headers={"Accept-Encoding": "identity"})
    small = client.get("/study/web/main.js", headers={"Accept-Encoding": "gzip"})
    assert small.headers["content-encoding"] == "gzip"
    assert int(small.headers["content-length"]) < int(plain.headers["content-length"]) / 2
    assert small.text == plain.text == (WEB / "main.js").read_text()


def test_kept_files_are_those_of_the_folder_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "kept" / "js").mkdir(parents=True)
    (tmp_path / "kept" / "js" / "one.js").write_text("export {};" * 99)
    app = KeptFiles(Starlette(), tmp_path / "kept", "/static/")
    with TestClient(app) as client:
        for _ in range(2):
            response = client.get("/static/js/one.js")
            assert response.text == "export {};" * 99
            assert (response.headers["content-type"], response.headers["content-encoding"]) == (
                "text/javascript; charset=utf-8",
                "gzip",
            )
        for path in ("/static/../secret.txt", "/static/js/%2e%2e/%2e%2e/secret.txt", "/static/js"):
            assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("INSERT INTO secret-token", {}, sqlite3.OperationalError("database is locked")),
        StoreError("cannot write to the store"),
    ],
)
def test_a_database_that_does_not_answer_is_asked_again_and_told_in_one_line(
    error: Exception, client: TestClient, service: ScriptedRaterService, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    def fails(*_: object) -> None:
        raise error

    for name in ("next_trial", "vote", "stimulus"):
        monkeypatch.setattr(service, name, fails, raising=False)
    answers = [
        client.post("/study/next", json={"session": "secret-token"}),
        client.post("/study/vote", json=vote("trial-0", session="secret-token")),
        client.get("/study/picture/secret-token"),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()) == (503, {"error": "try_again"})
        assert answer.headers["retry-after"] == "1"
    assert len(caplog.records) == 3
    assert "secret-token" not in caplog.text
    assert "OperationalError" in caplog.text or "StoreError" in caplog.text
