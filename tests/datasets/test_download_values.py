"""Which addresses a file is asked from, under which limits, and what is told of those that are not here."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from codecarena.datasets.folder import look_into, shortened
from codecarena.datasets.manifest import DatasetError, Manifest
from codecarena.datasets.sets import catalogue
from codecarena.datasets.sets.catalogue import KnownSet, open_set
from codecarena.datasets.sources import download
from codecarena.datasets.sources.download import fetch
from codecarena.datasets.sources.lock import pin
from codecarena.datasets.sources.transfer import TransferError, Wanted

HEAD: dict[str, Any] = {"name": "s", "title": "t", "kind": "natural", "licence": "CC0", "citation": "c"}
HASH = "a" * 64


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def manifest(**keys: Any) -> Manifest:
    return Manifest.model_validate(HEAD | keys)


def touched(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Wanted]:
    """Return what is asked for; every address that does not say ``nowhere`` gives a file."""
    wanted: list[Wanted] = []

    def fetch_file(wanted_file: Wanted, _: object) -> str:
        wanted.append(wanted_file)
        if "nowhere" in wanted_file.url:
            raise TransferError("404 gone")
        wanted_file.path.parent.mkdir(parents=True, exist_ok=True)
        wanted_file.path.write_bytes(wanted_file.url.encode())
        return sha256(wanted_file.url.encode())

    monkeypatch.setattr(download, "fetch_file", fetch_file)
    return wanted


@pytest.mark.parametrize(
    ("keys", "mirror", "urls"),
    [
        ({}, None, ["https://nowhere/x/a%20b/c.png", "https://one/a%20b/c.png"]),
        ({"url": "https://own/c.png"}, None, ["https://own/c.png"]),
        ({"url": "https://nowhere/c.png"}, None, ["https://nowhere/c.png", "https://nowhere/x/a%20b/c.png", "https://one/a%20b/c.png"]),
        ({"url": "https://own/c.png"}, "https://mirror/", ["https://mirror/a%20b/c.png"]),
    ],
)  # fmt: skip
def test_addresses_are_tried_in_order_the_files_own_first(
    asked: list[Wanted], tmp_path: Path, keys: dict[str, Any], mirror: str | None, urls: list[str]
) -> None:
    bases = ["https://nowhere/x/", "https://one"]
    entry = {"file": "a b/c.png", "sha256": HASH, **keys}
    described = manifest(base_urls=bases, redirects=["cdn"], pictures=[entry])
    path = tmp_path / "s" / "a b" / "c.png"
    assert fetch(described, tmp_path, base_url=mirror) == (path,)
    assert asked == [Wanted(url, path, HASH, "a b/c.png", ("cdn",), 2**30) for url in urls]


def test_a_pinned_hash_is_asked_for_and_a_file_that_is_here_is_pinned(
    asked: list[Wanted], tmp_path: Path
) -> None:
    described = manifest(base_urls=["https://one"], pictures=[{"file": "a.png"}, {"file": "b.png"}])
    pin(tmp_path, "s", {"a.png": HASH})
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "b.png").write_bytes(b"here")
    with pytest.raises(DatasetError, match=r"a\.png: expected sha256 a+, as pinned in"):
        fetch(described, tmp_path)
    assert [entry.sha256 for entry in asked] == [HASH]
    fetch(manifest(pictures=[{"file": "b.png"}]), tmp_path)
    assert f"{sha256(b'here')}  b.png" in (tmp_path / "s.lock").read_text()


def test_what_could_not_be_fetched_is_told_with_each_address_and_what_is_missing(
    asked: list[Wanted], tmp_path: Path
) -> None:
    files = [{"file": f"{place}.png", "sha256": HASH} for place in range(7)]
    described = manifest(base_urls=["https://nowhere/1", "https://nowhere/2"], pictures=files)
    with pytest.raises(DatasetError) as caught:
        fetch(described, tmp_path)
    assert str(caught.value).splitlines() == [
        "set 's': 0.png could not be fetched:",
        "  https://nowhere/1/0.png: 404 gone",
        "  https://nowhere/2/0.png: 404 gone",
        "try again later, name a mirror, or get the files from where you have them from and place them in "
        f"{tmp_path / 's'}/; 7 missing: 0.png, 1.png, 2.png, 3.png, 4.png and 2 more",
    ]
    with pytest.raises(
        DatasetError, match=r"0\.png could not be fetched:\n  the manifest gives no address\n"
    ):
        fetch(manifest(pictures=files), tmp_path)


ARCHIVE = "https://one/x/set%201.zip?v=2"


@pytest.mark.parametrize("known", ["listed", "pinned", None])
@pytest.mark.parametrize("mirror", [None, "https://mirror/"])
def test_an_archive_is_fetched_beside_its_set_and_unpacked(
    asked: list[Wanted],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mirror: str | None,
    known: str | None,
) -> None:
    unpacked: list[Any] = []

    def unpack(path: Path, folder: Path, patterns: list[str], suffixes: tuple[str, ...]) -> tuple[str, ...]:
        unpacked.append((path, folder, patterns, ".json" in suffixes, ".png" in suffixes))
        touched(folder, "a.png", "t.json")
        return "a.png", "t.json"

    monkeypatch.setattr(download, "unpack", unpack)
    url = "https://mirror/set%25201.zip" if mirror else ARCHIVE
    whole = sha256(url.encode())
    if known == "pinned":
        pin(tmp_path, "s", {ARCHIVE: whole, "a.png": sha256(b"a.png")})
    keys = {"sha256": whole} if known == "listed" else {}
    described = manifest(archives=[{"url": ARCHIVE, "members": "*.png", "prompts": "t.json", **keys}])
    assert fetch(described, tmp_path, base_url=mirror) == (tmp_path / "s" / "a.png",)
    path = tmp_path / ".s-set%201.zip"
    assert asked == [Wanted(url, path, whole if known else None, "set%201.zip", (), 2**36)]
    assert unpacked == [(path, tmp_path / "s", ["*.png", "t.json"], True, True)]
    assert not path.exists()
    lines = [f"{sha256(b'a.png')}  a.png", f"{whole}  {ARCHIVE}", f"{sha256(b't.json')}  t.json"]
    assert (tmp_path / "s.lock").read_text().splitlines()[1:] == lines
    asked.clear()
    assert fetch(described, tmp_path, base_url=mirror) == (tmp_path / "s" / "a.png",)
    assert asked == [], "what was unpacked is not fetched again"


def test_pictures_placed_by_hand_that_were_pinned_and_are_gone_are_named(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    for name in ("a.png", "b.png"):
        (tmp_path / "s" / name).write_bytes(name.encode())
    described = manifest(count=2)
    assert fetch(described, tmp_path) == (tmp_path / "s" / "a.png", tmp_path / "s" / "b.png")
    (tmp_path / "s" / "a.png").unlink()
    with pytest.raises(DatasetError, match=r"s: 1 pinned files are gone: a\.png"):
        fetch(described, tmp_path)


def test_a_part_of_a_set_is_not_fetched(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="set 's' is a part of 'kodak': fetch that set"):
        fetch(manifest(of="kodak", only=["a.png"]), tmp_path)


@pytest.mark.parametrize(
    ("count", "text"), [(1, "0"), (5, "0, 1, 2, 3, 4"), (6, "0, 1, 2, 3, 4 and 1 more"), (0, "")]
)
def test_of_many_names_the_first_five_are_told(count: int, text: str) -> None:
    assert shortened([str(place) for place in range(count)]) == text
    assert shortened(["a", "b", "c"], 1) == "a and 2 more"


def test_pictures_of_a_folder_are_its_files_by_name_without_hidden_ones(tmp_path: Path) -> None:
    for name in ("b.png", "a.JPG", "deep/a.webp", ".c.png", ".d/a.png", "notes.txt", "e.png/f.tif"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert look_into(tmp_path).pictures == ("a.JPG", "b.png", "deep/a.webp", "e.png/f.tif")


# What the catalogue makes of what is here.


def written(folder: Path, text: str) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "s.toml"
    path.write_text('name = "s"\ntitle = "t"\nkind = "natural"\nlicence = "CC0"\ncitation = "c"\n' + text)
    return str(path)


TWO = '[[pictures]]\nfile = "a.png"\n[[pictures]]\nfile = "b.png"\n'


def test_pictures_beside_the_manifest_go_before_those_in_the_data_folder_where_hashes_are_pinned(
    tmp_path: Path,
) -> None:
    data, beside = tmp_path / "data", tmp_path / "mine"
    reference = written(beside, TWO)
    touched(data / "s", "a.png", "b.png")
    touched(beside, "a.png")
    pin(data, "s", {"a.png": HASH, "b.png": "b" * 64})
    opened = open_set(reference, data)
    assert [(picture.path, picture.sha256) for picture in opened.pictures] == [
        (beside / "a.png", None),
        (data / "s" / "b.png", "b" * 64),
    ]
    assert (opened.name, opened.kind, opened.licence, opened.source) == ("s", "natural", "CC0", "unknown")


def test_a_manifest_may_name_the_folder_of_its_pictures(tmp_path: Path) -> None:
    touched(tmp_path / "pictures", "a.png", "b.png")
    opened = open_set(written(tmp_path / "mine", f'folder = "../pictures"\n{TWO}'), tmp_path / "data")
    assert [picture.path.resolve() for picture in opened.pictures] == [
        tmp_path / "pictures" / "a.png",
        tmp_path / "pictures" / "b.png",
    ]


@pytest.mark.parametrize(
    ("text", "here", "said"),
    [
        (TWO, ["b.png"], "1 of 2 pictures are not in {home}/ (a.png)"),
        ("count = 7\n", [], "all pictures are not in {home}/; "),
        ("count = 7\n", ["a.png"], "1 of 7 pictures are not in {home}/ (gone.png)"),
    ],
)
def test_pictures_that_are_not_here_are_counted(
    tmp_path: Path, text: str, here: list[str], said: str
) -> None:
    reference, home = written(tmp_path / "mine", text), tmp_path / "s"
    touched(home, *here)
    if "gone" in said:
        pin(tmp_path, "s", {"gone.png": HASH, "a.png": HASH})
    with pytest.raises(DatasetError) as caught:
        open_set(reference, tmp_path)
    assert str(caught.value).startswith(f"set 's': {said.format(home=home)}")
    assert f"`codecarena sets fetch {reference}` fetches them" in str(caught.value)


def test_names_that_the_whole_set_does_not_have_are_told(tmp_path: Path) -> None:
    touched(tmp_path / "whole", "a.png", "b.png", "c.png")
    whole = tmp_path / "whole"
    opened = open_set(written(tmp_path / "one", f'of = "{whole}"\nonly = ["c.png", "a.png"]\n'), tmp_path)
    assert [picture.name for picture in opened.pictures] == ["c.png", "a.png"]
    reference = written(tmp_path / "two", f'of = "{whole}"\nonly = ["a.png", "x.png", "y.png"]\n')
    with pytest.raises(DatasetError, match=r"set 's': '.*whole' has no pictures x\.png, y\.png$"):
        open_set(reference, tmp_path)


def test_a_known_set_counts_what_it_lists_what_it_should_have_or_what_is_here(tmp_path: Path) -> None:
    touched(tmp_path / "s", "a.png", "x/c.png")
    sample = [{"file": "d.png", "sample": {"seed": 1}}]
    listed = [{"file": "a.png"}, {"file": "b.png"}, *sample, {"file": "e.png", "package": "no_such/package"}]
    rows = [({"pictures": listed}, 4, 2), ({"count": 9}, 9, 2), ({"archives": [{"url": "https://a"}]}, 2, 2)]
    for keys, count, present in rows:
        known = catalogue._known_set(manifest(**keys), tmp_path)
        assert known == KnownSet("s", "t", "natural", "CC0", count, present)
