"""How each answer of a server is taken: appended, begun again, refused; and how often a cut is borne."""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from fileserver import FileServer

from codecarena.datasets.sources import transfer
from codecarena.datasets.sources.transfer import TransferError, Wanted

BODY = b"0123456789"
REST = "bytes 1-9/*"
SHA256 = hashlib.sha256(BODY).hexdigest()


class Answer:
    """A server's answer, as requests gives it."""

    def __init__(self, status_code: int, body: bytes = b"", **headers: object) -> None:
        self.status_code, self.body, self.reason = status_code, body, "reason"
        self.headers = {name.replace("_", "-"): str(value) for name, value in headers.items()}

    def iter_content(self, size: int) -> Iterator[bytes]:
        for start in range(0, len(self.body), 4):
            yield self.body[start : start + 4]

    def close(self) -> None:
        """Close it."""


def wanted(folder: Path, sha256: str | None = SHA256, **more: Any) -> Wanted:
    return Wanted("http://a.example/x", folder / "x", sha256, "the file", **more)


def append(
    folder: Path, monkeypatch: pytest.MonkeyPatch, here: bytes, answer: Answer, **more: Any
) -> tuple[bool, bytes, list[tuple[str, int, int]]]:
    """Return whether the file is complete after one answer, what is there now, and the progress."""
    monkeypatch.setattr(transfer, "_ask", lambda *_: answer)
    (folder / "x.part").write_bytes(here)
    steps: list[tuple[str, int, int]] = []
    with (folder / "x.part").open("ab") as file:
        whole = transfer._append(None, wanted(folder, **more), file, lambda *step: steps.append(step))
    return whole, (folder / "x.part").read_bytes(), steps


@pytest.mark.parametrize(
    ("here", "answer", "whole", "there", "done", "total"),
    [
        (b"", Answer(200, BODY, Content_Length=10), True, BODY, [4, 8, 10], 10),
        (b"", Answer(200, BODY), True, BODY, [4, 8, 10], 0),
        (b"", Answer(200, BODY[:9], Content_Length=10), False, BODY[:9], [4, 8, 9], 10),
        (b"012", Answer(206, BODY[3:], Content_Range="bytes 3-9/10"), True, BODY, [7, 10], 10),
        (b"012", Answer(206, BODY[3:8], Content_Range="bytes 3-7/10"), False, BODY[:8], [7, 8], 10),
        (b"0", Answer(206, BODY[1:], Content_Range=REST, Content_Length=9), True, BODY, [5, 9, 10], 10),
        # The whole file instead of its rest: what is here is thrown away.
        (b"012", Answer(200, BODY, Content_Length=10), True, BODY, [4, 8, 10], 10),
        # There is no rest.
        (BODY, Answer(416, Content_Range="bytes */10"), True, BODY, [], 0),
        (BODY + b"!", Answer(416, Content_Range="bytes */10"), False, b"", [], 0),
        (b"012", Answer(416), False, b"", [], 0),
    ],
)  # fmt: skip
def test_an_answer_gives_the_whole_the_rest_or_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    here: bytes,
    answer: Answer,
    whole: bool,
    there: bytes,
    done: list[int],
    total: int,
) -> None:
    steps = [("the file", count, total) for count in done]
    assert append(tmp_path, monkeypatch, here, answer) == (whole, there, steps)


@pytest.mark.parametrize(
    ("here", "answer", "reason"),
    [
        (b"012", Answer(206, BODY, Content_Range="bytes 2-9/10"), "bytes from 3, got 'bytes 2-9/10'"),
        (b"012", Answer(206, BODY), "asked for bytes from 3, got None"),
        (b"", Answer(416), "416 reason"),
        (b"", Answer(404), "404 reason"),
        (b"", Answer(201, BODY), "201 reason"),
        (b"", Answer(200, BODY, Content_Encoding="br"), "sent br-compressed"),
        (b"", Answer(200, BODY, Content_Length=11), "more than the 10 bytes"),
        (b"0", Answer(206, BODY, Content_Range="bytes 1-9/11"), "more than the 10 bytes"),
        (b"", Answer(200, BODY + b"!"), "more than the 10 bytes"),
    ],
)  # fmt: skip
def test_other_answers_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: bytes, answer: Answer, reason: str
) -> None:
    with pytest.raises(TransferError, match=reason):
        append(tmp_path, monkeypatch, here, answer, max_bytes=10)


def test_as_many_bytes_as_are_allowed_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Answer(200, BODY, Content_Length=10, Content_Encoding="identity")
    assert append(tmp_path, monkeypatch, b"", answer, max_bytes=10)[:2] == (True, BODY)


@pytest.mark.parametrize(
    ("headers", "kept"),
    [
        ({"ETag": '"a"', "Last_Modified": "Monday"}, '"a"'),
        ({"Last_Modified": "Monday"}, "Monday"),
        ({"ETag": 'W/"a"'}, None),
        ({}, None),
    ],
)
def test_the_servers_version_is_kept_unless_it_is_a_weak_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], kept: str | None
) -> None:
    append(tmp_path, monkeypatch, b"", Answer(200, BODY, **headers))
    tag = tmp_path / "x.part-tag"
    assert (tag.read_text() if tag.exists() else None) == kept


@pytest.mark.parametrize(
    ("here", "grows_at", "asked"),
    [
        # Where nothing came at all, the host is not there; else five cuts in a row without a byte are borne.
        (b"", (), 1),
        (b"0", (), 5),
        (b"", (1,), 6),
        (b"012", (3,), 8),
        (b"0", (5,), 5 + 5),
    ],
)
def test_a_connection_may_break_five_times_in_a_row_without_a_new_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: bytes, grows_at: tuple[int, ...], asked: int
) -> None:
    asks = itertools.count(1)

    def cut(session: object, _: Wanted, file: Any, progress: object) -> bool:
        if (ask := next(asks)) in grows_at:
            file.write(b"x")
        raise requests.Timeout(f"ask {ask}")

    monkeypatch.setattr(transfer, "_append", cut)
    (tmp_path / "x.part").write_bytes(here)
    with (tmp_path / "x.part").open("ab") as file, pytest.raises(requests.Timeout, match=f"ask {asked}$"):
        transfer._get(wanted(tmp_path), file, None)


@pytest.mark.parametrize(
    ("here", "sha256", "tag", "resumed"),
    [
        (b"", SHA256, False, False),
        (b"0", SHA256, False, True),
        (b"0", None, True, True),
        (b"0", None, False, False),  # two files could be mixed, and nothing would tell
    ],
)
def test_what_is_here_is_gone_on_with_where_a_hash_or_a_version_can_tell(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    here: bytes,
    sha256: str | None,
    tag: bool,
    resumed: bool,
) -> None:
    answers = iter([False, True])
    monkeypatch.setattr(transfer, "_append", lambda *_: next(answers))
    (tmp_path / "x.part").write_bytes(here)
    if tag:
        (tmp_path / "x.part-tag").write_text("version")
    with (tmp_path / "x.part").open("ab") as file:
        assert transfer._get(wanted(tmp_path, sha256), file, None) is resumed
    assert (tmp_path / "x.part").read_bytes() == (here if resumed else b"")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with FileServer({"x": BODY}) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("here", "asked"), [(b"", [None]), (b"012", ["bytes=3-", None])])
def test_a_wrong_file_is_got_again_only_where_it_was_joined(
    server: FileServer, tmp_path: Path, here: bytes, asked: list[str | None]
) -> None:
    if here:
        (tmp_path / "x.part").write_bytes(here)
    with pytest.raises(TransferError, match=f"expected sha256 {'0' * 64}, got {SHA256}"):
        transfer.fetch_file(Wanted(f"{server.url}x", tmp_path / "x", "0" * 64, "x"))
    assert [part for _, part in server.asked] == asked
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_readable_by_all_and_its_hash_is_returned(server: FileServer, tmp_path: Path) -> None:
    path = tmp_path / "below" / "x"
    assert transfer.fetch_file(Wanted(f"{server.url}x", path, None, "x")) == SHA256
    assert (path.stat().st_mode & 0o777, [path.name for path in path.parent.iterdir()]) == (0o644, ["x"])


@pytest.mark.parametrize(("hops", "refused"), [(4, False), (5, True)])
def test_four_redirects_are_followed(server: FileServer, tmp_path: Path, hops: int, refused: bool) -> None:
    server.redirects = {f"/{place}": f"/{place - 1}" for place in range(1, hops + 1)}
    server.files["0"] = BODY
    fetch: Callable[[], str] = lambda: transfer.fetch_file(  # noqa: E731
        Wanted(f"{server.url}{hops}", tmp_path / "x", SHA256, "x")
    )
    if refused:
        with pytest.raises(TransferError, match="led on more than 5 times"):
            fetch()
    else:
        assert fetch() == SHA256


def test_two_processes_do_not_write_one_file(server: FileServer, tmp_path: Path) -> None:
    with (
        transfer._only_one(tmp_path / "x.part"),
        pytest.raises(TransferError, match=r"another process is fetching .*x\.part"),
    ):
        transfer.fetch_file(Wanted(f"{server.url}x", tmp_path / "x", SHA256, "x"))
