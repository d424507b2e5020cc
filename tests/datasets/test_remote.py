"""Pictures of Hugging Face data sets and behind addresses, read one at a time from this machine."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fileserver import FileServer
from PIL import Image

from codecarena.datasets.manifest import DatasetError
from codecarena.datasets.pixels import read_pixels
from codecarena.datasets.sets.catalogue import open_set
from codecarena.datasets.sources import remote


def png(red: int) -> bytes:
    whole = io.BytesIO()
    Image.new("RGB", (8, 8), (red, 0, 0)).save(whole, "PNG")
    return whole.getvalue()


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Return a folder with a data set of five pictures in Parquet, as on Hugging Face's hub."""
    pytest.importorskip("datasets")
    import pandas as pd

    folder = tmp_path / "table"
    folder.mkdir()
    rows = {
        "image": [{"bytes": png(index), "path": None} for index in range(5)],
        "words": [f"picture {index}" for index in range(5)],
    }
    pd.DataFrame(rows).to_parquet(folder / "train-00000.parquet")
    return folder


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with FileServer({}) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def fetched(reference: str, data: Path) -> tuple[Path, ...]:
    outcome = remote.parse(reference)
    assert outcome is not None
    return remote.read(outcome, data)


def test_a_hugging_face_set_is_read_row_by_row_and_opens(table: Path, tmp_path: Path) -> None:
    reference = f"hf:{table}?split=train&column=image&caption=words&first=3&kind=ai-generated"
    with pytest.raises(DatasetError, match="sets fetch 'hf:"):
        open_set(reference, tmp_path)
    paths = fetched(reference, tmp_path)
    opened = open_set(reference, tmp_path)
    assert [picture.path for picture in opened.pictures] == list(paths)
    assert [picture.caption for picture in opened.pictures] == ["picture 0", "picture 1", "picture 2"]
    assert {picture.kind for picture in opened.pictures} == {"ai-generated"}
    assert [int(read_pixels(picture.path, picture.sha256)[0, 0, 0]) for picture in opened.pictures] == [
        0,
        1,
        2,
    ]


def test_what_is_here_is_not_written_again(table: Path, tmp_path: Path) -> None:
    reference = f"hf:{table}?first=4"
    paths = fetched(reference, tmp_path)
    before = [path.stat().st_mtime_ns for path in paths]
    paths[2].unlink()
    assert fetched(reference, tmp_path) == paths
    after = [path.stat().st_mtime_ns for path in paths]
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, True, False, True]


def test_a_column_that_is_not_there_is_named(table: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no column 'picture'; there are image, words"):
        fetched(f"hf:{table}?column=picture", tmp_path)


def test_pictures_of_a_zip_behind_an_address_are_read(server: FileServer, tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as opened:
        for index in range(3):
            opened.writestr(f"set/{index}.png", png(index))
        opened.writestr("set/notes.txt", "no picture")
    server.files["set.zip"] = whole.getvalue()
    reference = f"zip://set/*::{server.url}set.zip"
    fetched(reference, tmp_path)
    assert [picture.name for picture in open_set(reference, tmp_path).pictures] == ["0.png", "1.png", "2.png"]


def test_what_is_no_picture_is_refused(server: FileServer, tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    server.files["one.png"] = b"<html>please sign in</html>"
    with pytest.raises(DatasetError, match=r"one\.png: no picture"):
        fetched(f"{server.url}one.png", tmp_path)
    assert not list(tmp_path.rglob("*.png*"))


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("file:///etc/passwd", "'file' is not read"),
        ("local:///etc/passwd", "'local' is not read"),
        ("zip://*::file:///etc/secret.zip", "'file' is not read"),
        ("zip://*.png::/etc/secret.zip", "is not read"),
        ("simplecache::file:///etc/passwd", "is not read"),
        ("hf:owner/name?colum=image", "unknown option 'colum'"),
        ("hf:owner/name?first=all", "expected a number"),
        ("hf:owner/name?kind=fake", "expected natural or ai-generated"),
    ],
)
def test_other_references_are_refused(reference: str, reason: str) -> None:
    with pytest.raises(DatasetError, match=reason):
        remote.parse(reference)


def test_folders_and_names_are_no_addresses() -> None:
    assert [remote.parse(entry) for entry in ("kodak", "./pictures", "/data/set.toml", "C:pictures")] == [
        None
    ] * 4
