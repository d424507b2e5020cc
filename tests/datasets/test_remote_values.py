"""What a reference to pictures elsewhere means, part by part, and what becomes of the pictures."""

from __future__ import annotations

import hashlib
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from codecarena.datasets.manifest import DatasetError, Manifest, PictureEntry, load_manifest
from codecarena.datasets.sources import remote
from codecarena.datasets.sources.remote import Remote, manifest_path, parse, read


def picture(kind: str = "PNG", level: int = 1, **options: Any) -> bytes:
    whole = io.BytesIO()
    Image.new("RGB", (8, 8), (level, 0, 0)).save(whole, kind, **options)
    return whole.getvalue()


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("hf:owner/set", ("owner/set", True, "train", "image", None, None, None, "natural", None)),
        (
            "hf:owner/set?split=test&column=c&caption=words&config=big&revision=v1&kind=ai-generated&first=1",
            ("owner/set", True, "test", "c", "words", "big", "v1", "ai-generated", 1),
        ),
        ("hf://a/b", ("hf://a/b", False, "train", "image", None, None, None, "natural", None)),
        ("s3://b/*.png?first=20", ("s3://b/*.png", False, "train", "image", None, None, None, "natural", 20)),
        ("ZIP://*::HTTPS://b", ("ZIP://*::HTTPS://b", False, "train", "image", *[None] * 3, "natural", None)),
    ],
)  # fmt: skip
def test_a_reference_says_where_and_which(reference: str, expected: tuple[Any, ...]) -> None:
    address, hugging_face, split, column, caption, config, revision, kind, first = expected
    assert parse(reference) == Remote(
        reference, address, hugging_face, split, column, caption, config, revision, kind, first
    )


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("hf:a/b?first=0", "first: expected a number of pictures, got '0'"),
        ("hf:a/b?first=-1", "first: expected a number of pictures, got '-1'"),
        ("zip://*::ftp://a.example/x.zip", "'ftp' is not read; expected abfs, az, "),
        ("zip://*::x.zip", "'x.zip' is not read"),
        ("hf:a/b?zzz=1&aaa=2", "unknown option 'aaa'; known: caption, column, config, first, kind, "),
    ],
)
def test_the_first_wrong_part_of_a_reference_is_named(reference: str, reason: str) -> None:
    with pytest.raises(DatasetError, match=f"{reason}"):
        parse(reference)


def test_a_set_is_named_by_the_end_of_its_address_and_a_hash_of_all() -> None:
    def name(address: str) -> str:
        return Remote(f"hf:{address}", address, True).name

    digest = hashlib.sha256(b"hf:Owner/My Set").hexdigest()[:8]
    assert name("Owner/My Set") == f"owner-my-set-{digest}"
    assert name("-._a" + "b" * 47 + "._-").rpartition("-")[0] == "a" + "b" * 47
    assert name("a" + "b" * 48).rpartition("-")[0] == "b" * 48
    assert name("ab-" + "c" * 47).rpartition("-")[0] == "c" * 47
    assert name("owner/set?first=1") != name("owner/set")
    assert manifest_path(Remote("hf:x", "x", True), Path("data")) == (
        Path("data") / f"x-{hashlib.sha256(b'hf:x').hexdigest()[:8]}" / "manifest.toml"
    )


@pytest.mark.parametrize(
    ("content", "suffix"),
    [
        (picture("PNG"), ".png"),
        (picture("JPEG"), ".jpg"),
        (picture("MPO", save_all=True), ".jpg"),
        (picture("WEBP"), ".webp"),
    ],
)
def test_a_file_is_named_by_the_format_that_it_has(content: bytes, suffix: str) -> None:
    assert remote._suffix(content, "row 1") == suffix


@pytest.fixture
def pictures(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Return pictures by name that a place elsewhere holds; those that are known come without bytes."""
    there: dict[str, bytes] = {}

    def listed(_: Remote, known: set[str]) -> Iterator[tuple[str, bytes | None, str | None]]:
        for name, content in there.items():
            yield name, None if name in known else content, f"caption of {name}"

    monkeypatch.setattr(remote, "_pictures", listed)
    return there


HERE = Remote("hf:a/b", "a/b", True, kind="ai-generated")


def test_what_is_read_is_described_with_hash_and_caption(pictures: dict[str, bytes], tmp_path: Path) -> None:
    pictures |= {"a.png": picture(), "below/b.png": picture(level=2)}
    steps: list[tuple[str, int, int]] = []
    paths = read(HERE, tmp_path, lambda *step: steps.append(step))
    folder = tmp_path / HERE.name
    sizes = [len(content) for content in pictures.values()]
    assert paths == (folder / "a.png", folder / "below/b.png")
    assert [path.read_bytes() for path in paths] == list(pictures.values())
    assert steps == [(HERE.name, sizes[0], 0), (HERE.name, sum(sizes), 0)]
    assert load_manifest(folder / "manifest.toml") == Manifest(
        name=HERE.name,
        title="2 pictures of hf:a/b",
        kind="ai-generated",
        licence="unknown",
        citation="hf:a/b",
        pictures=tuple(
            PictureEntry(file=name, sha256=hashlib.sha256(content).hexdigest(), caption=f"caption of {name}")
            for name, content in pictures.items()
        ),
    )
    assert {path.name for path in folder.rglob("*")} == {"a.png", "below", "b.png", "manifest.toml"}


def test_what_is_here_is_not_read_and_what_was_lost_is(pictures: dict[str, bytes], tmp_path: Path) -> None:
    pictures |= {"a.png": picture(), "b.png": picture(level=2)}
    paths = read(HERE, tmp_path)
    paths[1].unlink()
    steps: list[tuple[str, int, int]] = []
    assert read(HERE, tmp_path, lambda *step: steps.append(step)) == paths
    assert steps == [(HERE.name, 0, 0), (HERE.name, len(pictures["b.png"]), 0)]


@pytest.mark.parametrize(
    ("first", "counts"), [(None, [2, 4, 5]), (3, [2, 3]), (4, [2, 4, 4]), (9, [2, 4, 5])]
)
def test_the_manifest_is_written_now_and_then_and_at_the_end(
    pictures: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    first: int | None,
    counts: list[int],
) -> None:
    pictures |= {f"{place}.png": picture(level=place) for place in range(5)}
    written: list[int] = []
    monkeypatch.setattr(remote, "_WRITTEN_EVERY", 2)
    monkeypatch.setattr(remote, "write_manifest", lambda made, _: written.append(len(made.pictures)))
    read(Remote("hf:a/b", "a/b", True, first=first), tmp_path)
    assert written == counts


@pytest.mark.parametrize(("more", "refused"), [(0, False), (1, True)])
def test_a_picture_may_be_as_large_as_a_file_may(
    pictures: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: int, refused: bool
) -> None:
    pictures["a.png"] = picture()
    monkeypatch.setattr(remote, "MAX_FILE_BYTES", len(pictures["a.png"]) - more)
    if refused:
        with pytest.raises(DatasetError, match=r"a\.png: more than the \d+ bytes allowed"):
            read(HERE, tmp_path)
    else:
        assert len(read(HERE, tmp_path)) == 1


def test_an_empty_place_and_a_failing_one_are_named(
    pictures: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DatasetError, match="'hf:a/b': no pictures there, or the place cannot be reached"):
        read(HERE, tmp_path)

    def failing(*_: object) -> Iterator[tuple[str, bytes, None]]:
        raise KeyError("x")
        yield

    monkeypatch.setattr(remote, "_pictures", failing)
    with pytest.raises(DatasetError, match="'hf:a/b' cannot be read: KeyError: 'x'"):
        read(HERE, tmp_path)


@pytest.mark.parametrize(
    ("module", "reference", "needed"),
    [
        ("datasets", "hf:a/b", "hf: needs Hugging Face's datasets: install codecarena"),
        ("fsspec", "s3://a/b.png", "addresses need fsspec: install codecarena"),
    ],
)
def test_without_its_library_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, reference: str, needed: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)  # type: ignore[arg-type]
    where = parse(reference)
    assert where is not None
    with pytest.raises(DatasetError, match=rf"{needed}\[sources\]"):
        read(where, tmp_path)


class Rows(list[dict[str, Any]]):
    """A data set of Hugging Face: its rows, and the columns where it knows them."""

    column_names: list[str] | None = None

    def decode(self, wanted: bool) -> Rows:
        assert wanted is False
        return self


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Rows:
    """Return the rows of the data set ``a/b``, which is asked for with the options of a reference."""
    datasets = pytest.importorskip("datasets")
    rows = Rows()

    def load(name: str, config: str | None, **options: Any) -> Rows:
        assert (name, config) == ("a/b", "big")
        assert options == {"split": "test", "revision": "v1", "streaming": True}
        return rows

    monkeypatch.setattr(datasets, "load_dataset", load)
    return rows


def of_hub(known: set[str], caption: str | None = "words") -> list[tuple[str, bytes | None, str | None]]:
    where = Remote("hf:a/b", "a/b", True, "test", "picture", caption, "big", "v1")
    return list(remote._of_hugging_face(where, known))


def test_rows_are_numbered_from_zero_and_those_that_are_here_are_left(hub: Rows) -> None:
    hub += [{"picture": {"bytes": picture(level=place)}, "words": place or None} for place in range(3)]
    hub[2]["picture"]["bytes"] = picture("JPEG")
    assert of_hub({"0000001.png"}) == [
        ("0000000.png", picture(level=0), None),
        ("0000001.png", None, "1"),
        ("0000002.jpg", picture("JPEG"), "2"),
    ]
    assert [caption for *_, caption in of_hub(set(), caption=None)] == [None] * 3


@pytest.mark.parametrize("cell", [None, b"bytes", {"bytes": None}, {"bytes": None, "path": "http://a/b"}])
def test_a_row_without_a_picture_is_named(hub: Rows, cell: Any) -> None:
    hub += [{"picture": {"bytes": picture()}, "words": ""}, {"picture": cell, "words": ""}]
    with pytest.raises(DatasetError, match="'hf:a/b': row 1 holds no picture in 'picture'"):
        of_hub(set())


@pytest.mark.parametrize(("columns", "missing"), [(["picture"], "words"), (["words"], "picture")])
def test_both_columns_must_be_there(hub: Rows, columns: list[str], missing: str) -> None:
    hub.column_names = columns
    with pytest.raises(DatasetError, match=f"no column '{missing}'; there are {columns[0]}"):
        of_hub(set())


def test_files_keep_their_folders_below_the_one_that_all_are_in(monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec = pytest.importorskip("fsspec")

    class File(io.BytesIO):
        path = ""

    def file(path: str) -> File:
        made = File(path.encode())
        made.path = path
        return made

    paths = ["top/set/a.png", "top/set/b.PNG", "top/set/notes.txt", "top/set/deep/a.png"]
    monkeypatch.setattr(fsspec, "open_files", lambda *_: [file(path) for path in paths])
    where = SimpleNamespace(address="s3://top/set/**")
    outcome = list(remote._of_file_system(where, {"b.PNG"}))  # type: ignore[arg-type]
    assert outcome == [
        ("a.png", b"top/set/a.png", None),
        ("b.PNG", None, None),
        ("deep/a.png", b"top/set/deep/a.png", None),
    ]
