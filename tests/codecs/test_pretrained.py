"""Weights come from where they are published, whole and with the right hash, or a message says what to do."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from codecarena.codecs import pretrained
from codecarena.codecs.base import CodecError, MissingBackendError
from codecarena.codecs.fetch import fetch, pipeline_folder, pipeline_name, weights_folder

CONTENT = np.random.default_rng(0).bytes(3_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def _downloads_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODECARENA_ALLOW_DOWNLOADS", "1")


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Stay silent."""


class _CutOff(_Files):
    """Promise the whole file, send a part of it and hang up."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[:1_200_000])


def _serve(handler: object) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:  # type: ignore[arg-type]
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def published(tmp_path: Path) -> Iterator[str]:
    """The address of a server that has ``net.pth``."""
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "net.pth").write_bytes(CONTENT)
    yield from _serve(partial(_Files, directory=str(tmp_path / "served")))


@pytest.fixture
def cut_off() -> Iterator[str]:
    yield from _serve(_CutOff)


@pytest.fixture
def dead() -> str:
    """An address where nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "weights"


def test_a_file_is_fetched_once(published: str, folder: Path, dead: str) -> None:
    path = fetch("net.pth", [f"{published}/net.pth"], SHA256, folder)
    assert path == folder / "net.pth"
    assert path.read_bytes() == CONTENT
    assert path.stat().st_mode & 0o777 == 0o644
    assert fetch("net.pth", [f"{dead}/net.pth"], SHA256[:8], folder) == path


def test_a_wrong_file_is_not_kept(published: str, folder: Path) -> None:
    with pytest.raises(MissingBackendError, match=f"begins with 0000, got {SHA256}"):
        fetch("net.pth", [f"{published}/net.pth"], "0000", folder)
    assert list(folder.iterdir()) == []


def test_a_wrong_file_that_is_there_is_told_and_left(folder: Path, published: str) -> None:
    folder.mkdir()
    (folder / "net.pth").write_bytes(b"mine")
    with pytest.raises(MissingBackendError, match="is not the file expected"):
        fetch("net.pth", [f"{published}/net.pth"], SHA256, folder)
    assert (folder / "net.pth").read_bytes() == b"mine"


def test_the_next_address_is_tried(published: str, dead: str, cut_off: str, folder: Path) -> None:
    addresses = [f"{dead}/net.pth", f"{cut_off}/net.pth", f"{published}/absent.pth", "no address"]
    path = fetch("net.pth", [*addresses, f"{published}/net.pth"], SHA256, folder)
    assert path.read_bytes() == CONTENT
    assert list(folder.iterdir()) == [path]


def test_a_cut_off_transfer_leaves_nothing(cut_off: str, folder: Path) -> None:
    with pytest.raises(MissingBackendError, match=r"cut off after 1200000 of 3000000 bytes|IncompleteRead"):
        fetch("net.pth", [f"{cut_off}/net.pth"], SHA256, folder)
    assert list(folder.iterdir()) == []


def test_other_folders_are_searched(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "net.pth").write_bytes(CONTENT)
    assert fetch("net.pth", [], SHA256, folder, elsewhere=[tmp_path / "hub"]) == tmp_path / "hub" / "net.pth"


def test_the_message_says_what_to_do(dead: str, folder: Path) -> None:
    with pytest.raises(MissingBackendError) as caught:
        fetch("net.pth", [f"{dead}/net.pth"], SHA256, folder, origin="somebody's zoo")
    for words in ("net.pth", "somebody's zoo", f"{dead}/net.pth", SHA256, f"{folder}/", "CODECARENA_WEIGHTS"):
        assert words in str(caught.value)


def test_the_folder_is_the_environments_or_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CODECARENA_WEIGHTS", str(tmp_path))
    assert weights_folder() == tmp_path
    monkeypatch.delenv("CODECARENA_WEIGHTS")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert weights_folder() == tmp_path / "cache" / "codecarena" / "weights"


def test_a_pipelines_folder_may_be_given_or_placed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CODECARENA_WEIGHTS", str(tmp_path))
    assert pipeline_folder(["some/one"], str(tmp_path)) == tmp_path
    with pytest.raises(MissingBackendError, match="nowhere is none"):
        pipeline_folder(["some/one"], "nowhere")
    (tmp_path / "a" / "mirror").mkdir(parents=True)
    assert pipeline_folder(["some/one", "a/mirror"]) == tmp_path / "a" / "mirror"


HUB_COMMIT = "0123456789abcdef0123456789abcdef01234567"
HUB_FILES = {
    "model_index.json": b'{"_class_name": "None"}',
    "unet/net.bin": CONTENT[:1000],
    "README.md": b"hello",
}


class _Hub(BaseHTTPRequestHandler):
    """As much of the hub as a snapshot asks for; of all repositories it has ``a/mirror``."""

    def log_message(self, *_: object) -> None:
        """Stay silent."""

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, with_body: bool) -> None:
        path = self.path.split("?")[0]
        name = path.partition("/resolve/")[2].partition("/")[2]
        headers = {"Content-Type": "application/json"}
        if "a/mirror" not in path:
            body, status = b"{}", 404
            headers["X-Error-Code"] = "RepoNotFound"
        elif name:
            body, status = HUB_FILES[name], 200
            headers |= {"X-Repo-Commit": HUB_COMMIT, "ETag": f'"{hashlib.sha1(body).hexdigest()}"'}
        elif "/tree/" in path:
            rows = (
                {"type": "file", "path": name, "size": len(body), "oid": hashlib.sha1(body).hexdigest()}
                for name, body in HUB_FILES.items()
            )
            body, status = json.dumps(list(rows)).encode(), 200
        else:
            about = {"id": "a/mirror", "sha": HUB_COMMIT, "siblings": []}
            body, status = json.dumps(about).encode(), 200
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(key, value)
        self.end_headers()
        if with_body:
            self.wfile.write(body)


# The hub's address is read when its library is imported, so each try is a process of its own.
SNAPSHOT = """
import sys
from codecarena.codecs.base import MissingBackendError
from codecarena.codecs.fetch import pipeline_folder
try:
    folder = pipeline_folder(["some/original", "a/mirror"], allow=["*.json", "unet/*"])
    print(*sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file()), sep="\\n")
except MissingBackendError as error:
    sys.exit(str(error))
"""


def _snapshot(endpoint: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    places = {
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(tmp_path / "hub"),
        "CODECARENA_WEIGHTS": str(tmp_path / "own"),
    }
    return subprocess.run(
        [sys.executable, "-c", SNAPSHOT],
        env={**os.environ, **places, "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_pipelines_come_from_the_first_name_that_is_there(tmp_path: Path, dead: str) -> None:
    offline = _snapshot(dead, tmp_path)
    assert offline.returncode == 1, offline.stdout
    for words in (
        "some/original: ",
        "a/mirror: ",
        f"{tmp_path}/own/some/original/",
        "(*.json, unet/*)",
        "parameter",
    ):
        assert words in offline.stderr
    for endpoint in _serve(_Hub):
        fetched = _snapshot(endpoint, tmp_path)
        assert fetched.stdout.split() == ["model_index.json", "unet/net.bin"], fetched.stderr
    again = _snapshot(dead, tmp_path)
    assert again.stdout == fetched.stdout, again.stderr


def test_embedded_weights_tell_of_themselves(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    said = {pretrained.METADATA_KEY: json.dumps({"trained_on": "toy", "rates": "4"})}
    save_file({"a": torch.ones(3, dtype=torch.float16)}, path, said)
    weights = pretrained.load(path)
    assert weights.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert weights.id.hex() == weights.sha256[:12]
    assert weights.byte_count == path.stat().st_size
    assert weights.metadata["trained_on"] == "toy"
    assert weights.number("rates") == 4
    assert weights.tensors()["a"].dtype == torch.float32
    for key in ("steps", "trained_on"):
        with pytest.raises(CodecError, match=f"does not say its '{key}'"):
            weights.number(key)


@pytest.mark.parametrize("content", [b"", b"no weights at all", None])
def test_damaged_weights_are_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / f"{content}.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CodecError, match="cannot read the weights"):
        pretrained.load(path)


def test_a_pipelines_folder_tells_its_name(tmp_path: Path) -> None:
    cached = tmp_path / "hub" / "models--CompVis--stable-diffusion-v1-4" / "snapshots" / "0a1b"
    assert pipeline_name(cached) == "CompVis/stable-diffusion-v1-4"
    assert pipeline_name(weights_folder() / "owner" / "name") == "owner/name"
    assert pipeline_name(tmp_path / "mine") is None


def test_weights_of_a_compiled_network_have_its_own_names(tmp_path: Path) -> None:
    path = tmp_path / "compiled.safetensors"
    save_file({"_orig_mod.a.weight": torch.ones(2), "b._orig_mod.weight": torch.zeros(2)}, path)
    assert set(pretrained.load(path).tensors()) == {"a.weight", "b.weight"}
