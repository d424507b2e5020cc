"""What a store keeps of pictures and of where results come from, and which pictures a condition chooses."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from measuring import INFO
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from codecarena.bench.records.messages import Identified, PictureContent
from codecarena.bench.store import database_errors
from codecarena.bench.store import pictures as stored_pictures
from codecarena.bench.store.database import StoreError
from codecarena.bench.store.picture_filter import pictures_where
from codecarena.bench.store.pictures import (
    add_contents,
    add_provenance,
    descriptors,
    known_prints,
    provenance,
    undescribed,
)
from codecarena.bench.store.provenance import (
    CodecOrigin,
    PictureOrigin,
    Provenance,
    RunOrigin,
    read_provenance,
)
from codecarena.bench.store.tables.schema import CodecTable, MemberTable, PictureTable
from codecarena.bench.store.writer import StoreWriter
from codecarena.datasets.manifest import LocalPicture
from codecarena.datasets.manifest import Provenance as PictureProvenance

HASHES = {name: name * 64 for name in "abcd"}


def local(name: str, **fields: object) -> LocalPicture:
    path = Path(f"/{name}.png")
    made = LocalPicture(f"{name}.png", path, "natural", None, None, None, "CC0", "here", None)
    return replace(made, **fields)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StoreWriter]:
    """Return a store that knows four pictures, of 2 x 3 pixels and more."""
    store = StoreWriter(str(tmp_path / "arena"))
    sizes = {name: (2 + place, 3 + 2 * place) for place, name in enumerate("abcd")}
    store.add_files(
        (Identified(f"/{name}.png", HASHES[name], *size), 100 + size[0], 1000 + size[1])
        for name, size in sizes.items()
    )
    yield store
    store.close()


def members(store: StoreWriter, image_set: str = "set") -> dict[str, str]:
    query = select(MemberTable.name, MemberTable.picture_sha256).where(MemberTable.image_set == image_set)
    with store.engine.connect() as connection:
        return {row[0]: row[1][0] for row in connection.execute(query)}


def test_files_are_known_by_bytes_time_and_pixels_until_they_change(store: StoreWriter) -> None:
    paths = ["/a.png", "/b.png", "/none.png"]
    assert store.known_files(paths) == {
        "/a.png": (102, 1003, HASHES["a"]),
        "/b.png": (103, 1005, HASHES["b"]),
    }
    assert store.picture_sizes() == {HASHES["a"]: 6, HASHES["b"]: 15, HASHES["c"]: 28, HASHES["d"]: 45}
    store.add_files([(Identified("/a.png", HASHES["d"], 5, 9), 7, 8)])
    assert store.known_files(paths) == {"/a.png": (7, 8, HASHES["d"]), "/b.png": (103, 1005, HASHES["b"])}


def test_a_set_holds_the_pictures_it_was_last_given_whole_or_in_part(store: StoreWriter) -> None:
    store.add_members("set", [(local(name), HASHES[name]) for name in "abc"])
    store.add_members("other", [(local("a"), HASHES["a"])])
    store.add_members("set", [(local("a"), HASHES["b"])], whole=False)
    assert members(store) == {"a.png": "b", "b.png": "b", "c.png": "c"}
    store.add_members("set", [(local("c"), HASHES["c"]), (local("d"), HASHES["d"])])
    assert members(store) == {"c.png": "c", "d.png": "d"}
    assert members(store, "other") == {"a.png": "a"}
    with pytest.raises(StoreError, match=r"this store knows another set 'set', with /[cd]\.png in it; give"):
        store.add_members("set", [(local("a"), HASHES["a"])])
    assert members(store) == {"c.png": "c", "d.png": "d"}


def test_a_folder_of_the_same_name_that_shares_pictures_is_another_set(
    store: StoreWriter, tmp_path: Path
) -> None:
    def of_folder(folder: str, names: str) -> list[tuple[LocalPicture, str]]:
        (tmp_path / folder).mkdir(exist_ok=True)
        for name in names:
            (tmp_path / folder / f"{name}.png").touch()
        return [(local(name, path=tmp_path / folder / f"{name}.png"), HASHES[name]) for name in names]

    store.add_members("set", of_folder("first", "ab"))
    with pytest.raises(
        StoreError, match=r"knows another set 'set', with .*first/a\.png in it; .*--name NAME"
    ):
        store.add_members("set", of_folder("second", "bc"))
    with pytest.raises(StoreError, match="knows another set"):
        store.check_set("set", of_folder("second", "bc"))
    assert members(store) == {"a.png": "a", "b.png": "b"}
    # A set may lie in several folders, and less of it may be asked for.
    store.add_members("wide", [*of_folder("first", "ab"), *of_folder("second", "cd")])
    store.check_set("wide", of_folder("first", "a"))
    store.add_members("wide", of_folder("second", "c"), whole=False)
    store.add_members("set", of_folder("copy", "a"), whole=False)
    with pytest.raises(StoreError, match="knows another set"):
        store.add_members("set", of_folder("other", "bd"), whole=False)
    store.add_members("set", of_folder("first", "a"), whole=False)
    # A copy that has grown is the set, and so is what is left of it once it was moved.
    store.add_members("set", of_folder("second", "abc"))
    (tmp_path / "second").rename(tmp_path / "third")
    store.add_members("set", of_folder("third", "cd"))
    assert members(store) == {"c.png": "c", "d.png": "d"}


def test_descriptors_and_hashes_of_pictures_replace_what_was_known(
    store: StoreWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_contents(store, [])
    add_contents(store, [PictureContent(HASHES["a"], "0" * 16, {"entropy": 3.0, "face_count": 1.0})])
    add_contents(
        store,
        [PictureContent(HASHES["b"], "1" * 16, {}), PictureContent(HASHES["c"], "2" * 16, {"entropy": 5.0})],
    )
    add_contents(store, [PictureContent(HASHES["a"], "f" * 16, {"entropy": 4.0})])
    assert descriptors(store) == {HASHES["a"]: {"entropy": 4.0}, HASHES["c"]: {"entropy": 5.0}}
    assert known_prints(store, [HASHES["a"], HASHES["b"], HASHES["d"]]) == {
        HASHES["a"]: "f" * 16,
        HASHES["b"]: "1" * 16,
    }
    add_contents(store, [PictureContent(HASHES["d"], "d" * 16, None)])
    store.add_members("set", [(local(name), HASHES[name]) for name in "abcd"])
    store.add_members("other", [(local("a"), HASHES["a"])])
    assert undescribed(store) == {HASHES["d"]: "/d.png"}, "only its perceptual hash was asked for"
    assert undescribed(store, "other") == {}
    monkeypatch.setattr(stored_pictures, "VERSION", "another")
    assert undescribed(store) == {HASHES[name]: f"/{name}.png" for name in "abcd"}
    assert len(known_prints(store, HASHES.values())) == 4, "a hash is of no version"


def test_the_provenance_of_a_picture_comes_back_field_by_field(store: StoreWriter) -> None:
    whole = PictureProvenance("v1", "a fox", "blur", 2**64 - 1, 3.5, 28, "{}", "https://a.example/a.png")
    add_provenance(store, "set", [local("a", sha256="f" * 64, provenance=whole), local("b")])
    add_provenance(store, "other", [local("a")])
    nothing = dict.fromkeys(provenance(store, "other")["a.png"])
    assert provenance(store, "set") == {
        "a.png": {
            "file_sha256": "f" * 64,
            "model_version": "v1",
            "prompt": "a fox",
            "negative_prompt": "blur",
            "seed": str(2**64 - 1),
            "guidance": 3.5,
            "steps": 28,
            "workflow": "{}",
            "url": "https://a.example/a.png",
        },
        "b.png": nothing,
    }
    add_provenance(store, "set", [local("b", provenance=replace(whole, seed=0))])
    outcome = provenance(store, "set")
    assert (outcome["a.png"]["seed"], outcome["b.png"]["seed"]) == (str(2**64 - 1), "0")
    assert provenance(store, "other") == {"a.png": nothing}


CHOSEN = {
    "entropy>4": "c",
    "entropy >= 4": "bc",
    "entropy<4": "a",
    "entropy<=4.0": "ab",
    "entropy=4": "b",
    "entropy!=4": "ac",
    " entropy > +3e0 and face_count < 1 ": "c",
    "face_count>-1": "bc",
    "jpeg_quality<95": "a",
    "file_format=jpeg": "a",
    "file_format != JPEG": "b",
}


def test_a_condition_chooses_pictures_by_what_is_on_them(store: StoreWriter) -> None:
    known = {
        "a": {"entropy": 3.0, "jpeg_quality": 75.0, "file_format": 1.0},
        "b": {"entropy": 4.0, "face_count": 1.0, "file_format": 0.0},
        "c": {"entropy": 5.0, "face_count": 0.0},
    }
    add_contents(store, [PictureContent(HASHES[name], "0" * 16, values) for name, values in known.items()])
    outcome: dict[str, str] = {}
    with store.engine.connect() as connection:
        for where in CHOSEN:
            query = select(PictureTable.sha256).where(pictures_where(where, PictureTable.sha256))
            outcome[where] = "".join(sorted(row[0][0] for row in connection.execute(query)))
    assert outcome == CHOSEN


@pytest.mark.parametrize(
    ("message", "tries", "waits"),
    [
        ("database is locked", 6, [0.1, 0.2, 0.4, 0.8, 1.6]),
        ("database is busy", 6, [0.1, 0.2, 0.4, 0.8, 1.6]),
        ("disk I/O error", 1, []),
    ],
)
def test_a_transaction_is_begun_again_while_others_hold_the_lock(
    store: StoreWriter, monkeypatch: pytest.MonkeyPatch, message: str, tries: int, waits: list[float]
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(database_errors.time, "sleep", waited.append)
    begun: list[int] = []

    def work(failures: int) -> str:
        begun.append(1)
        if len(begun) <= failures:
            raise OperationalError("INSERT", {}, sqlite3.OperationalError(message))
        return "done"

    expected = "was held by another program for 60 s" if waits else f"cannot write to .*: {message}; look at"
    with pytest.raises(StoreError, match=expected):
        store.write(lambda _: work(9))
    assert (len(begun), waited) == (tries, pytest.approx(waits))
    begun.clear()
    if waits:
        assert store.write(lambda _: work(5)) == "done"


def test_a_generator_that_older_rows_do_not_say_is_filled_in_of_its_codec_alone(store: StoreWriter) -> None:
    for name in ("id-0", "id-1", "id-2"):
        store.add_codec(name, INFO, "label", {})
    store.add_codec("id-1", replace(INFO, generator="engine"), "label", {})
    store.add_codec("id-1", replace(INFO, generator="another"), "label", {})
    with store.engine.connect() as connection:
        rows = connection.execute(select(CodecTable.id, CodecTable.generator).order_by(CodecTable.id))
        assert [tuple(row) for row in rows] == [("id-0", None), ("id-1", "engine"), ("id-2", None)]


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("entropy", "'entropy': expected such as text_share>0.1, or several with and"),
        ("entropy>1 and", "'': expected such as"),
        ("entrpy>1", "no descriptor 'entrpy'; did you mean 'entropy'"),
        ("zzz>1", "no descriptor 'zzz'; known: spatial_information, "),
        ("entropy>1.2.3", "expected a number, got '1.2.3'"),
        ("file_format>jpeg", "expected file_format= or != one of png, jpeg, webp"),
        ("file_format=gimp", "expected file_format= or != one of png, jpeg, webp"),
    ],
)
def test_what_is_no_condition_is_named(where: str, reason: str) -> None:
    with pytest.raises(StoreError, match=reason):
        pictures_where(where, PictureTable.sha256)


def test_the_origin_of_results_is_told_in_full(store: StoreWriter) -> None:
    painted = {"kind": "ai-generated", "generator": "painter", "licence": "MIT", "source": "a friend"}
    store.add_members("set", [(local("b", **painted), HASHES["b"]), (local("a"), HASHES["a"])])
    info = replace(INFO, family="learned", version="7", weights_sha256="w" * 64, trained_on="kodim", toy=True)
    store.add_codec("id-1", info, "label", {})
    store.add_codec("id-0", replace(INFO, version="8"), "label", {})
    for cpu in ("slow", "fast"):
        store.begin_run(f"suite {cpu}", "text", {"cpu": cpu}, 3, 5)
    store.end_run(2, "finished")
    outcome = read_provenance(store)
    runs = outcome.runs
    times = runs[0].started_at, runs[0].finished_at
    assert outcome == Provenance(
        (
            PictureOrigin("set", "a.png", HASHES["a"], 2, 3, "natural", None, "CC0", "here"),
            PictureOrigin("set", "b.png", HASHES["b"], 3, 5, "ai-generated", "painter", "MIT", "a friend"),
        ),
        (
            CodecOrigin("id-1", "label", "learned", "7", True, False, "w" * 64, "kodim", None),
            CodecOrigin("id-0", "label", "classic", "8", False, False, None, None, None),
        ),
        (
            RunOrigin(2, "suite fast", "text", "finished", 3, 5, *times, {"cpu": "fast"}),
            RunOrigin(1, "suite slow", "text", "running", 3, 5, runs[1].started_at, None, {"cpu": "slow"}),
        ),
    )  # fmt: skip
    assert runs[0].started_at <= str(runs[0].finished_at)
