"""Pictures of the hub and of S3, through the real client libraries, from servers on this machine."""

from __future__ import annotations

import io
import json
import resource
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hub import Bucket, Hub
from PIL import Image

from arena import call, call_process
from codecarena.datasets.manifest import DatasetError
from codecarena.datasets.pixels import read_pixels
from codecarena.datasets.sets.catalogue import open_set
from codecarena.datasets.sources import remote

pytest.importorskip("datasets")
pytest.importorskip("fsspec")


def png(red: int) -> bytes:
    whole = io.BytesIO()
    Image.new("RGB", (8, 8), (red, 0, 0)).save(whole, "PNG")
    return whole.getvalue()


def parquet(count: int) -> bytes:
    import pandas as pd

    rows = {
        "image": [{"bytes": png(index), "path": None} for index in range(count)],
        "words": [f"picture {index}" for index in range(count)],
    }
    whole = io.BytesIO()
    pd.DataFrame(rows).to_parquet(whole)
    return whole.getvalue()


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[Hub | Bucket], None]]:
    """Return a function that starts a server and points the libraries of processes to come at it."""
    running: list[tuple[Hub | Bucket, threading.Thread]] = []

    def start(server: Hub | Bucket) -> None:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        running.append((server, thread))
        here = server.url.rstrip("/")
        message = {"HF_ENDPOINT": here, "HF_HOME": str(tmp_path / "hub"), "NO_PROXY": "127.0.0.1"}
        message |= {"AWS_ENDPOINT_URL": here, "FSSPEC_S3": json.dumps({"anon": True})}
        message |= {"AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": "us-east-1"}
        for name, value in message.items():
            monkeypatch.setenv(name, value)

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


def fetched(reference: str, folder: Path) -> list[int]:
    """Fetch by the command and return the red of each picture."""
    # The hub's libraries read its address when they are imported.
    fetch = call_process if reference.startswith("hf:") else call
    ended = fetch("sets", "fetch", reference, "--data", folder, folder=folder)
    assert ended.returncode == 0, ended.stderr
    pictures = open_set(reference, folder).pictures
    assert f"{len(pictures)} pictures of" in ended.stdout
    return [int(read_pixels(picture.path, picture.sha256)[0, 0, 0]) for picture in pictures]


def test_a_table_on_the_hub_is_streamed(serve: Callable[[Hub], None], tmp_path: Path) -> None:
    serve(Hub({"data/train-00000-of-00001.parquet": parquet(5)}))
    reference = "hf:owner/set?caption=words&first=3&kind=ai-generated"
    assert fetched(reference, tmp_path) == [0, 1, 2]
    assert [picture.caption for picture in open_set(reference, tmp_path).pictures] == [
        f"picture {index}" for index in range(3)
    ]


def test_a_folder_of_files_on_the_hub_is_read_file_by_file(
    serve: Callable[[Hub], None], tmp_path: Path
) -> None:
    server = Hub({f"train/{index}.png": png(index) for index in range(4)})
    serve(server)
    assert fetched("hf:owner/set?first=2", tmp_path) == [0, 1]
    # The library looks at every file's head; only the two that are wanted are read whole.
    read = {path.rpartition("/")[2] for path, part in server.asked if path.endswith(".png") and part}
    assert read <= {"0.png", "1.png"}


def test_a_set_that_is_not_on_the_hub_is_named(serve: Callable[[Hub], None], tmp_path: Path) -> None:
    serve(Hub({}))
    ended = call_process("sets", "fetch", "hf:owner/nothing", "--data", tmp_path, folder=tmp_path)
    assert ended.returncode == 2
    assert "'hf:owner/nothing' cannot be read" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "file:///etc/passwd", "http://127.0.0.1/a.png", "zip://a::/b"]
)
def test_a_row_that_names_a_file_elsewhere_is_no_picture(path: str) -> None:
    assert remote._cell_bytes({"bytes": None, "path": path}) is None


def test_objects_of_a_bucket_are_read_and_keep_their_folders(
    serve: Callable[[Bucket], None], tmp_path: Path
) -> None:
    files = {f"bucket/set/{index}.png": png(index) for index in range(5)}
    serve(Bucket(files | {"bucket/set/deep/1.png": png(9), "bucket/set/notes.txt": b"no picture"}))
    assert fetched("s3://bucket/set/*.png", tmp_path) == [0, 1, 2, 3, 4]
    reference = "s3://bucket/**/*.png"
    assert sorted(fetched(reference, tmp_path)) == [0, 1, 2, 3, 4, 9]
    assert "deep/1.png" in {picture.name for picture in open_set(reference, tmp_path).pictures}


def test_a_bucket_without_pictures_is_named(serve: Callable[[Bucket], None], tmp_path: Path) -> None:
    serve(Bucket({"bucket/notes.txt": b"no picture"}))
    ended = call("sets", "fetch", "s3://bucket/*.png", "--data", tmp_path, folder=tmp_path)
    assert ended.returncode == 2
    assert "no pictures there" in ended.stderr


@pytest.mark.scaled
def test_a_large_set_is_read_one_picture_at_a_time(
    serve: Callable[[Bucket], None], tmp_path: Path, tenth: Callable[[int], int]
) -> None:
    pictures = tenth(100)
    whole = io.BytesIO()
    Image.new("RGB", (1024, 1024)).save(whole, "BMP")
    server = Bucket({f"bucket/{index:03}.bmp": whole.getvalue() for index in range(pictures)})
    serve(server)
    outcome = remote.parse("s3://bucket/*.bmp")
    assert outcome is not None
    seen: list[tuple[int, int]] = []

    def stored(name: str, done: int, total: int) -> None:
        asked = len({path for path, part in server.asked if part})
        seen.append((asked, len(list(tmp_path.rglob("*.bmp")))))

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert len(remote.read(outcome, tmp_path, stored)) == pictures
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    mib = pictures * len(whole.getvalue()) / 2**20
    sys.stdout.write(f"a set of {mib:.0f} MiB was read; the peak of memory rose by {grown / 1024:.0f} MiB\n")
    assert seen == [(count, count) for count in range(1, pictures + 1)]


def test_what_is_no_name_for_a_picture_is_refused(serve: Callable[[Bucket], None], tmp_path: Path) -> None:
    serve(Bucket({"bucket/a:b.png": png(1)}))
    outcome = remote.parse("s3://bucket/*.png")
    assert outcome is not None
    with pytest.raises(DatasetError, match="file: expected a relative path"):
        remote.read(outcome, tmp_path)
    assert not list(tmp_path.rglob("*.png"))
