"""Downloads against a web server on this machine that misbehaves as asked."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from codecarena.datasets.manifest import DatasetError, Manifest, PictureEntry
from codecarena.datasets.sets.catalogue import open_set
from codecarena.datasets.sources.download import fetch

FILES = {"one.png": bytes(range(256)) * 1000, "below/two 2.png": b"second" * 50000}


class Server(ThreadingHTTPServer):
    """Serves `FILES`; ``faults`` maps a path to what goes wrong with it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.faults: dict[str, str] = {}
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/files/"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        body = FILES.get(self.path.removeprefix("/files/").replace("%20", " "))
        fault = self.server.faults.get(self.path)
        if body is None or fault == "absent":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fault == "cut":
            body = body[: len(body) // 2]
        if fault == "wrong byte":
            body = body[:-1] + b"!"
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def manifest(*base_urls: str, url: str | None = None) -> Manifest:
    entries = tuple(
        PictureEntry(
            file=name, sha256=hashlib.sha256(body).hexdigest(), url=url if name == "one.png" else None
        )
        for name, body in FILES.items()
    )
    return Manifest(
        name="trial",
        title="Two files",
        kind="natural",
        licence="CC0",
        citation="none",
        site="https://example.org/",
        base_urls=base_urls,
        pictures=entries,
    )


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def failure(described: Manifest, data: Path, base_url: str | None = None) -> str:
    with pytest.raises(DatasetError) as caught:
        fetch(described, data, base_url=base_url)
    return str(caught.value)


def test_files_arrive_whole_and_once(
    server: Server, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    paths = fetch(manifest(server.url), tmp_path)
    assert paths == tuple(tmp_path / "trial" / name for name in FILES)
    assert [path.read_bytes() for path in paths] == list(FILES.values())
    assert files_below(tmp_path) == {f"trial/{name}" for name in FILES}
    assert all(path.stat().st_mode & 0o044 == 0o044 for path in paths)
    assert fetch(manifest(server.url), tmp_path) == paths
    assert len(server.asked) == len(FILES)
    assert capfd.readouterr() == ("", "")


def test_progress_rises_to_the_size_of_each_file(server: Server, tmp_path: Path) -> None:
    message: list[tuple[str, int, int]] = []
    fetch(manifest(server.url), tmp_path, progress=lambda *step: message.append(step))
    for name, body in FILES.items():
        steps = [done for told_name, done, total in message if told_name == name and total == len(body)]
        assert len(steps) > 2
        assert steps == sorted(steps)
        assert steps[-1] == len(body)
    assert {name for name, _, _ in message} == set(FILES)


@pytest.mark.parametrize("fault", ["cut", "wrong byte", "absent"])
def test_a_bad_file_never_looks_finished_and_the_next_call_goes_on(
    server: Server, tmp_path: Path, fault: str
) -> None:
    server.faults["/files/below/two%202.png"] = fault
    message = failure(manifest(server.url), tmp_path)
    assert "below/two 2.png could not be fetched" in message
    assert f"place them in {tmp_path / 'trial'}/; 1 missing: below/two 2.png" in message
    assert "https://example.org/" in message
    assert {"cut": "", "wrong byte": "expected sha256", "absent": "404"}[fault] in message
    left = {"trial/below/two 2.png.part"} if fault == "cut" else set()
    assert files_below(tmp_path) == {"trial/one.png", *left}
    server.faults.clear()
    server.asked.clear()
    fetch(manifest(server.url), tmp_path)
    assert server.asked == ["/files/below/two%202.png"]


def test_a_file_that_is_there_with_other_content_is_never_overwritten(server: Server, tmp_path: Path) -> None:
    mine = tmp_path / "trial" / "one.png"
    mine.parent.mkdir()
    mine.write_bytes(b"mine")
    message = failure(manifest(server.url), tmp_path)
    assert message.startswith(f"{mine}: is there but is not the file of the manifest")
    assert mine.read_bytes() == b"mine"
    assert server.asked == []


def test_mirrors_are_tried_in_order(server: Server, tmp_path: Path) -> None:
    nobody = "http://127.0.0.1:9/"
    fetch(manifest(nobody, server.url.replace("files", "nothing"), server.url), tmp_path)
    assert server.asked[:2] == ["/nothing/one.png", "/files/one.png"]
    assert files_below(tmp_path) == {f"trial/{name}" for name in FILES}


def test_a_files_own_address_comes_first(server: Server, tmp_path: Path) -> None:
    fetch(manifest("http://127.0.0.1:9/", server.url, url=server.url + "one.png"), tmp_path)
    assert server.asked[0] == "/files/one.png"


def test_a_named_mirror_replaces_all_addresses(server: Server, tmp_path: Path) -> None:
    other = manifest("http://127.0.0.1:9/", url="http://127.0.0.1:9/one.png")
    fetch(other, tmp_path, base_url=server.url.rstrip("/"))
    assert files_below(tmp_path) == {f"trial/{name}" for name in FILES}
    (tmp_path / "trial" / "one.png").unlink()
    assert "mirror 'file:///tmp/': expected an address" in failure(other, tmp_path, base_url="file:///tmp/")


def test_without_a_network_the_message_says_what_to_place_where(tmp_path: Path) -> None:
    message = failure(manifest("http://127.0.0.1:9/"), tmp_path)
    assert "http://127.0.0.1:9/one.png: " in message
    assert f"get the files from https://example.org/ and place them in {tmp_path / 'trial'}/" in message
    assert "2 missing: one.png, below/two 2.png" in message
    assert files_below(tmp_path) == set()


def test_a_folder_that_cannot_be_written_is_named(server: Server, tmp_path: Path) -> None:
    (tmp_path / "trial").write_text("a file where the folder should be")
    assert str(tmp_path / "trial") in failure(manifest(server.url), tmp_path)


def test_what_comes_with_packages_needs_no_download(tmp_path: Path) -> None:
    from codecarena.datasets.sets.catalogue import find_manifest

    assert all(path.is_file() for path in fetch(find_manifest("photos"), tmp_path))
    assert files_below(tmp_path) == set()


def test_a_fetched_set_opens(server: Server, tmp_path: Path) -> None:
    described = manifest(server.url)
    lines = [
        f'{key} = "{getattr(described, key)}"'
        for key in ("name", "title", "kind", "licence", "citation", "site")
    ]
    lines += [
        f'[[pictures]]\nfile = "{picture.file}"\nsha256 = "{picture.sha256}"'
        for picture in described.pictures
    ]
    (tmp_path / "trial.toml").write_text("\n".join(lines))
    fetch(described, tmp_path / "data")
    opened = open_set(str(tmp_path / "trial.toml"), tmp_path / "data")
    assert [picture.name for picture in opened.pictures] == list(FILES)
