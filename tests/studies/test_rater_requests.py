"""What a request asks of the rater service, what is refused before it, and the bytes of a picture."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from scripted_rater_service import ScriptedRaterService
from starlette.applications import Starlette
from starlette.testclient import TestClient

from codecarena.studies.records.messages import Break, NextStep, Panel, Progress, VoteReceipt, VoteRequest
from codecarena.studies.session import stimulus_png
from codecarena.studies.session.routes import LONGEST_BODY_BYTES, routes
from codecarena.studies.session.stimulus_png import StimulusError, plain_png


class NotingService(ScriptedRaterService):
    """Notes what it is asked, by name."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[Any, ...]] = []

    def join_panel(self, study: str, panel: Panel, earlier: str = "") -> Any:
        self.asked.append((study, panel, earlier))
        return super().join_panel(study, panel)

    def consent(self, session_token: str, version: str, **flags: bool) -> Any:  # type: ignore[override]
        self.asked.append((session_token, version, flags))
        return super().consent(session_token, version, **flags)

    def screening(self, session_token: str, answers: Any) -> Any:
        self.asked.append((session_token, answers))
        return super().screening(session_token, answers)

    def calibration(self, session_token: str, record: Any) -> Any:
        self.asked.append((session_token, record))
        return super().calibration(session_token, record)

    def end_break(self, session_token: str) -> NextStep:
        self.asked.append((session_token,))
        return Break(7, Progress(3, 9))

    def vote(self, session_token: str, vote_request: VoteRequest) -> VoteReceipt:
        self.asked.append((session_token, vote_request))
        return super().vote(session_token, vote_request)

    def withdraw(self, token: str) -> int:
        self.asked.append((token,))
        return 4


@pytest.fixture
def service() -> NotingService:
    return NotingService()


@pytest.fixture
def client(service: NotingService) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=routes(lambda: service))) as client:  # type: ignore[arg-type]
        yield client


VOTE_REQUEST = {"trial": "trial-0", "client_uuid": "u", "answer": "none", "response_ms": 12.5}
JOINED = {"session_token": "session", "stage": "trials"}


@pytest.mark.parametrize(
    ("action", "body", "asked", "reply"),
    [
        (
            "join", {"study": "small", "participant": "p", "panel_study": "s", "panel_session": "x"},
            ("small", Panel("p", "s", "x"), ""), JOINED,
        ),
        ("join", {"study": "small"}, ("small", Panel("", "", ""), ""), JOINED),
        (
            "consent", {"session": "t", "version": "2", "agreed": True, "of_age": True},
            ("t", "2", {"agreed": True, "of_age": True, "accepts_presentation": False}),
            {"stage": "screening"},
        ),
        (
            "consent", {"session": "t", "version": "2", "accepts_presentation": True},
            ("t", "2", {"agreed": False, "of_age": False, "accepts_presentation": True}),
            {"stage": "declined"},
        ),
        (
            "screening", {"session": "t", "answers": {"eyes": "yes"}},
            ("t", {"eyes": "yes"}), {"stage": "calibration"},
        ),
        ("calibration", {"session": "t", "record": {"x": [1]}}, ("t", {"x": [1]}), {"stage": "trials"}),
        ("withdraw", {"token": "code"}, ("code",), {"votes": 4}),
        (
            "continue", {"session": "t"}, ("t",),
            {"step": {"seconds": 7, "progress": {"done": 3, "total": 9}, "step": "break"}, "upcoming": None},
        ),
    ],
)  # fmt: skip
def test_a_request_asks_the_rater_service_what_it_says(
    client: TestClient,
    service: NotingService,
    action: str,
    body: dict[str, Any],
    asked: tuple[Any, ...],
    reply: Any,
) -> None:
    answer = client.post(f"/study/{action}", json=body)
    assert (answer.status_code, answer.json()) == (200, reply)
    assert service.asked == [asked]
    assert answer.headers["cache-control"] == "no-store"


def test_a_vote_request_arrives_whole(client: TestClient, service: NotingService) -> None:
    more = {"checksums": {"first": "0" * 64}, "display": {"toggles": 3}}
    reply = client.post("/study/vote", json={"session": "t", **VOTE_REQUEST, **more}).json()
    assert service.asked == [
        ("t", VoteRequest("trial-0", "u", "none", 12.5, more["checksums"], more["display"]))
    ]
    # The first scene is practice.
    assert reply["receipt"] == {
        "trial": "trial-0", "client_uuid": "u", "answer": "none", "repeated": False, "feedback": "agrees",
    }  # fmt: skip


def test_a_welcome_is_the_rater_service_s(client: TestClient) -> None:
    reply = client.post("/study/welcome", json={"session": "t"}).json()
    assert (reply["title"], reply["progress"]) == ("Which picture looks better?", {"done": 0, "total": 5})


@pytest.mark.parametrize(
    ("action", "body", "said"),
    [
        ("consent", {"session": "t", "version": "1", "agreed": 1}, "agreed: expected true or false"),
        ("consent", {"session": "t"}, "version: expected a text"),
        ("calibration", {"session": "t", "record": []}, "record: expected an object"),
        ("calibration", {"session": "t"}, "record: expected an object"),
        ("screening", {"session": "t", "answers": {"eyes": 1}}, "eyes: Input should be a valid string"),
        ("join", {"study": "small", "participant": 5}, "participant: expected a text"),
        ("join", {"invitation": None}, "invitation: expected a text"),
        ("join", {}, "study: expected a text"),
        ("withdraw", {}, "token: expected a text"),
        ("vote", {**VOTE_REQUEST}, "session: expected a text"),
    ],
)
def test_a_request_of_the_wrong_form_is_refused_by_name(
    client: TestClient, service: NotingService, action: str, body: dict[str, Any], said: str
) -> None:
    answer = client.post(f"/study/{action}", json=body)
    assert answer.status_code == 422
    assert (answer.json()["error"], answer.json()["detail"]) == ("not_understood", said)
    assert service.asked == []


def test_a_body_may_be_64_kilobytes_and_not_one_more(client: TestClient) -> None:
    body = json.dumps({"token": "code"}).encode()
    assert LONGEST_BODY_BYTES == 65536
    for length, status in ((65536, 200), (65537, 422)):
        assert client.post("/study/withdraw", content=body.ljust(length)).status_code == status


def test_the_store_is_opened_at_the_first_request_and_once() -> None:
    opened: list[ScriptedRaterService] = []

    def open_service() -> ScriptedRaterService:
        opened.append(NotingService())
        return opened[-1]

    with TestClient(Starlette(routes=routes(open_service))) as client:  # type: ignore[arg-type]
        client.post("/study/erase", json={})
        client.get("/study/web/main.js")
        assert opened == []
        for _ in range(2):
            client.post("/study/withdraw", json={"token": "code"})
    assert len(opened) == 1


# Pictures


def chunks_of(png: bytes) -> list[tuple[bytes, bytes]]:
    """Return name and content of each chunk, whose checksums must be right (PNG specification, 5.3)."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = [], 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        named = png[at + 4 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length]) == (zlib.crc32(named),)
        chunks.append((named[:4], named[4:]))
        at += length + 12
    return chunks


def test_a_picture_is_sent_as_unfiltered_unpacked_rgb_with_an_srgb_tag(tmp_path: Path) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (5, 7, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "p.png"), pixels[..., ::-1])
    png = plain_png(tmp_path / "p.png")
    (header, size), (tag, intent), (data, packed), end = chunks_of(png)
    assert (header, tag, data, end) == (b"IHDR", b"sRGB", b"IDAT", (b"IEND", b""))
    # Seven wide and five high, eight bits, colour, and nothing else; perceptual intent.
    assert size == struct.pack(">IIBBBBB", 7, 5, 8, 2, 0, 0, 0)
    assert intent == b"\x00"
    rows = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(5, 1 + 7 * 3)
    assert rows[:, 0].tolist() == [0] * 5
    assert np.array_equal(rows[:, 1:].reshape(5, 7, 3), pixels)
    # Stored as it is: five bytes a block, two before and four after.
    assert len(packed) == 5 * (1 + 7 * 3) + 5 + 2 + 4
    for name in ("absent.png", "text.png"):
        if name == "text.png":
            (tmp_path / name).write_text("no picture")
        with pytest.raises(StimulusError, match=f"{name}: cannot be read as a picture"):
            plain_png(tmp_path / name)


def test_the_pictures_asked_for_last_are_kept_up_to_so_many_bytes() -> None:
    kept = stimulus_png._Kept(10)
    first, second, third, large = (Path(name) for name in ("first", "second", "third", "large"))
    assert kept.get(first) is None
    kept.put(first, b"aaaaa")
    kept.put(second, b"bbbbb")
    assert kept.get(first) == b"aaaaa"  # ten bytes are no more than ten
    kept.put(first, b"again")  # a path's pixels never change
    assert kept.get(first) == b"aaaaa"
    kept.put(third, b"ccc")
    # The second was asked for longest ago; eight bytes are left.
    assert [kept.get(name) for name in (first, second, third)] == [b"aaaaa", None, b"ccc"]
    kept.put(second, b"dd")
    assert [kept.get(name) for name in (first, second, third)] == [b"aaaaa", b"dd", b"ccc"]
    # What alone is too much is kept, and all else goes.
    kept.put(large, b"e" * 20)
    assert [kept.get(name) for name in (first, second, third)] == [None] * 3
    assert kept.get(large) == b"e" * 20
    kept.put(first, b"f")
    assert [kept.get(name) for name in (first, large)] == [b"f", None]


def test_a_picture_is_read_once(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "p.png"), np.zeros((2, 2, 3), np.uint8))
    png = plain_png(tmp_path / "p.png")
    (tmp_path / "p.png").unlink()
    assert plain_png(tmp_path / "p.png") == png
    assert stimulus_png.MOST_KEPT_BYTES == 128 * 1024 * 1024
