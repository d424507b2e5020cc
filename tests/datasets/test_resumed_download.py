"""Downloads that are cut off, killed, changed on the server or led astray, and hashes that are pinned."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from fileserver import FileServer

from arena import call, command
from codecarena.datasets.manifest import DatasetError, Manifest, PictureEntry
from codecarena.datasets.sources import transfer
from codecarena.datasets.sources.download import fetch

CONTENT = random.Random(5).randbytes(600_000)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    with FileServer({"one.png": CONTENT}) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def manifest(server: FileServer, sha256: str | None = "", **more: object) -> Manifest:
    known = hashlib.sha256(CONTENT).hexdigest() if sha256 == "" else sha256
    fields = {"name": "trial", "title": "One file", "kind": "natural", "licence": "CC0", "citation": "none"}
    entry = PictureEntry(file="one.png", sha256=known)
    return Manifest.model_validate({**fields, "base_urls": [server.url], "pictures": [entry], **more})


def failure(described: Manifest, data: Path) -> str:
    with pytest.raises(DatasetError) as caught:
        fetch(described, data)
    return str(caught.value)


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def fetch_killed(server: FileServer, data: Path, words: list[str], most_bytes: int, kills: int) -> None:
    """Fetch by the command, killed again and again after a random number of bytes, then left alone."""
    fetching = ("sets", "fetch", *words, "--data", data)
    rng = random.Random(7)
    server.pause_seconds = 0.002
    for _ in range(kills):
        before = server.sent_bytes
        process = subprocess.Popen(command(*fetching), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wanted = rng.randrange(1, most_bytes)
        while process.poll() is None and server.sent_bytes - before < wanted:
            time.sleep(0.001)
        assert process.poll() is None, "it ended before it was killed"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        finished = [name for name in files_below(data) if name.endswith(".png")]
        assert all((data / name).read_bytes() == server.files[Path(name).name] for name in finished)
    server.pause_seconds = 0.0
    ended = call(*fetching, folder=data)
    assert ended.returncode == 0, ended.stderr
    assert not [name for name in files_below(data) if ".part" in name]
    assert any(asked is not None for _, asked in server.asked)


@pytest.mark.scaled
def test_kodak_killed_at_random_again_and_again_is_kodak(
    server: FileServer, tmp_path: Path, kodak: list[Path], tenth: Callable[[int], int]
) -> None:
    server.files = {path.name: path.read_bytes() for path in kodak}
    fetch_killed(server, tmp_path, ["kodak", "--mirror", server.url], 1_200_000, kills=max(2, tenth(10)))
    assert {path.name: path.read_bytes() for path in (tmp_path / "kodak").iterdir()} == server.files


@pytest.mark.scaled
def test_a_file_without_a_known_hash_survives_kills(
    server: FileServer, tmp_path: Path, kodak: list[Path], tenth: Callable[[int], int]
) -> None:
    server.files = {path.name: path.read_bytes() for path in kodak[:3]}
    unknown = kodak[1].name
    entries = "\n".join(
        f'[[pictures]]\nfile = "{name}"\n'
        + (f'sha256 = "{hashlib.sha256(body).hexdigest()}"\n' if name != unknown else "")
        for name, body in server.files.items()
    )
    reference = tmp_path / "trial.toml"
    reference.write_text(
        'name = "trial"\ntitle = "Three"\nkind = "natural"\nlicence = "CC0"\ncitation = "none"\n'
        f'base_urls = ["{server.url}"]\n{entries}'
    )
    data = tmp_path / "data"
    fetch_killed(server, data, [str(reference)], 300_000, kills=max(2, tenth(5)))
    assert {name: (data / "trial" / name).read_bytes() for name in server.files} == server.files


def test_what_is_here_is_not_asked_for_again(server: FileServer, tmp_path: Path) -> None:
    part = tmp_path / "trial" / "one.png.part"
    part.parent.mkdir()
    part.write_bytes(CONTENT[:400_000])
    assert fetch(manifest(server), tmp_path)[0].read_bytes() == CONTENT
    assert server.asked == [("/one.png", "bytes=400000-")]
    assert server.sent_bytes == 200_000


@pytest.mark.parametrize("left", [b"not the beginning", CONTENT + b"too long", CONTENT])
def test_a_beginning_that_is_not_the_files_is_thrown_away(
    server: FileServer, tmp_path: Path, left: bytes
) -> None:
    part = tmp_path / "trial" / "one.png.part"
    part.parent.mkdir()
    part.write_bytes(left)
    assert fetch(manifest(server), tmp_path)[0].read_bytes() == CONTENT
    assert files_below(tmp_path) == {"trial/one.png"}


def test_two_versions_of_a_file_are_never_joined(server: FileServer, tmp_path: Path) -> None:
    part = tmp_path / "trial" / "one.png.part"
    part.parent.mkdir()
    part.write_bytes(b"old" * 1000)
    (part.parent / "one.png.part-tag").write_text('"the old version"')
    assert fetch(manifest(server, sha256=None), tmp_path)[0].read_bytes() == CONTENT
    server.tags = False
    (tmp_path / "trial" / "one.png").rename(part)
    (tmp_path / "trial.lock").unlink()
    assert fetch(manifest(server, sha256=None), tmp_path)[0].read_bytes() == CONTENT
    assert server.asked[-1] == ("/one.png", None)


def test_a_wrong_byte_is_refused_by_name_and_leaves_nothing(server: FileServer, tmp_path: Path) -> None:
    server.files["one.png"] = CONTENT[:-1] + b"!"
    message = failure(manifest(server), tmp_path)
    assert "one.png could not be fetched" in message
    assert f"expected sha256 {hashlib.sha256(CONTENT).hexdigest()}, got" in message
    assert files_below(tmp_path) == set()


def test_an_unknown_hash_is_pinned_and_must_stay(server: FileServer, tmp_path: Path) -> None:
    described = manifest(server, sha256=None)
    path = fetch(described, tmp_path)[0]
    pinned = (tmp_path / "trial.lock").read_text()
    assert f"{hashlib.sha256(CONTENT).hexdigest()}  one.png" in pinned
    path.unlink()
    server.files["one.png"] = b"another"
    assert "expected sha256" in failure(described, tmp_path)
    assert files_below(tmp_path) == {"trial.lock"}
    path.write_bytes(b"placed by hand")
    assert "trial.lock" in failure(described, tmp_path)
    assert (tmp_path / "trial.lock").read_text() == pinned


def test_a_lock_file_that_is_none_is_named_with_its_line(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "trial.lock").write_text("# fine\n0123 one.png\n")
    assert "trial.lock:2: expected a sha256" in failure(manifest(server), tmp_path)


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("http://localhost:{port}/one.png", "leads on to the host localhost"),
        ("file:///etc/passwd", "leads on to 'file:///etc/passwd'"),
        ("ftp://127.0.0.1/one.png", "which is not followed"),
        ("http://169.254.169.254/latest/meta-data/", "leads on to the host 169.254.169.254"),
        ("//example.org/one.png", "leads on to the host example.org"),
        ("http://127.0.0.1@example.org/one.png", "leads on to the host example.org"),
        ("/again.png", "more than 5 times"),
    ],
)
def test_redirects_elsewhere_are_refused(
    server: FileServer, tmp_path: Path, target: str, reason: str
) -> None:
    server.redirects["/one.png"] = target.format(port=server.server_port)
    server.redirects["/again.png"] = "/again.png"
    assert reason in failure(manifest(server), tmp_path)
    assert not [name for name in files_below(tmp_path) if (tmp_path / name).stat().st_size]


@pytest.mark.parametrize("target", ["http://example.org/one.png", "//example.net/one.png", "file:///one.png"])
def test_no_redirect_leads_out_of_encryption(tmp_path: Path, target: str) -> None:
    wanted = transfer.Wanted("https://example.org/one.png", tmp_path / "one.png", None, "one.png")
    with pytest.raises(transfer.TransferError, match="leads on to"):
        transfer._followed(wanted.url, target, wanted)
    assert transfer._followed(wanted.url, "/two.png", wanted) == "https://example.org/two.png"


class Careless(BaseHTTPRequestHandler):
    """Sends what its class says: another length than its body has, or a body that never ends."""

    length: str | None = None
    body = CONTENT

    def do_GET(self) -> None:
        self.send_response(200)
        if self.length is not None:
            self.send_header("Content-Length", self.length)
        self.end_headers()
        with contextlib.suppress(OSError):  # whoever asked has had enough
            self.wfile.write(self.body)
            while self.length is None:
                self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@pytest.fixture
def careless(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Careless) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/one.png"
        server.shutdown()
        thread.join()


def test_a_body_that_never_ends_is_cut_and_leaves_nothing(careless: str, tmp_path: Path) -> None:
    wanted = transfer.Wanted(careless, tmp_path / "one.png", None, "one.png", max_bytes=5_000_000)
    with pytest.raises(transfer.TransferError, match="more than the 5000000 bytes allowed"):
        transfer.fetch_file(wanted)
    assert files_below(tmp_path) == set()


@pytest.mark.parametrize(
    ("length", "reason"),
    [
        (str(2**50), "more than the"),
        (str(len(CONTENT) + 1), "more expected|broken|IncompleteRead"),
        (str(len(CONTENT) - 1), "expected sha256"),
        ("many", "many"),
    ],
)
def test_a_length_that_is_not_the_bodys_gives_no_file(
    careless: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: str, reason: str
) -> None:
    monkeypatch.setattr(Careless, "length", length)
    known = hashlib.sha256(CONTENT).hexdigest()
    with pytest.raises((transfer.TransferError, OSError, ValueError), match=reason):
        transfer.fetch_file(transfer.Wanted(careless, tmp_path / "one.png", known, "one.png"))
    assert not (tmp_path / "one.png").exists()


def test_a_redirect_that_the_manifest_names_is_followed(server: FileServer, tmp_path: Path) -> None:
    server.redirects["/one.png"] = f"http://localhost:{server.server_port}/there.png"
    server.files = {"there.png": CONTENT}
    assert fetch(manifest(server, redirects=["localhost"]), tmp_path)[0].read_bytes() == CONTENT


def test_an_answer_that_is_compressed_unasked_is_refused(server: FileServer, tmp_path: Path) -> None:
    server.headers["Content-Encoding"] = "gzip"
    assert "gzip-compressed" in failure(manifest(server), tmp_path)
