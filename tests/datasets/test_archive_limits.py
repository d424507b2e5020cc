"""How much an archive may hold, to the byte, which members are pictures of a set, and pinned hashes."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from codecarena.datasets.manifest import DatasetError
from codecarena.datasets.sources import archives
from codecarena.datasets.sources.archives import ArchiveError, _check_name, _checked, _is_wanted, _Member
from codecarena.datasets.sources.lock import Lock, pin, read_lock
from codecarena.datasets.sources.prompts import read_tables

MEBIBYTE = 2**20


def member(name: str = "a.png", unpacked: int = 1, packed: int | None = None) -> _Member:
    return _Member(name, unpacked, packed, lambda: None)


@pytest.mark.parametrize(
    ("members", "archive_bytes", "reason"),
    [
        # Together: 64 MiB and 200 times the archive.
        ([member(unpacked=64 * MEBIBYTE + 200)], 1, None),
        ([member(unpacked=64 * MEBIBYTE + 201)], 1, "more than allowed"),
        ([member("a", 64 * MEBIBYTE), member("b", 200)], 1, None),
        ([member("a", 64 * MEBIBYTE), member("b", 201)], 1, "more than allowed"),
        # One: 1 GiB, and 1 MiB and 200 times its packed bytes.
        ([member(unpacked=2**30)], 2**30, None),
        ([member(unpacked=2**30 + 1)], 2**30, "more than allowed"),
        ([member(unpacked=MEBIBYTE + 600, packed=3)], 2**20, None),
        ([member(unpacked=MEBIBYTE + 601, packed=3)], 2**20, "unpacks to 1049177 bytes"),
        # All: 64 GiB, whatever the archive's own size.
        ([member(str(place), 2**30) for place in range(64)], 2**40, None),
        ([*(member(str(place), 2**30) for place in range(64)), member("more")], 2**40, "more than allowed"),
        ([member("a.png"), member("b.png")], 9, None),
        ([member("a.png"), member("A.PNG")], 9, "two members are called 'A.PNG'"),
    ],
)
def test_members_may_unpack_to_so_much_and_no_more(
    members: list[_Member], archive_bytes: int, reason: str | None
) -> None:
    if reason is None:
        assert _checked(members, archive_bytes) == members
        return
    with pytest.raises(ArchiveError, match=reason):
        _checked(members, archive_bytes)


@pytest.mark.parametrize(("count", "refused"), [(3, False), (4, True)])
def test_an_archive_may_have_so_many_members(
    count: int, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBERS", 3)
    members = [member(str(place)) for place in range(count)]
    if refused:
        with pytest.raises(ArchiveError, match="more than the 3 members allowed"):
            _checked(members, 9)
    else:
        assert len(_checked(members, 9)) == count
    assert (archives.MAX_MEMBER_BYTES, archives.MAX_BYTES, archives.MAX_RATIO) == (2**30, 2**36, 200)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a/b.png", None),
        ("..a/b..png", None),
        ("n" * 1000, None),
        ("n" * 1001, "its member 'n{80}' has no usable name"),
        ("ü" * 501, "no usable name"),
        ("/a.png", "leaves the folder"),
        ("a/../b.png", "leaves the folder"),
        ("a\\b.png", "leaves the folder"),
        ("c:b.png", "leaves the folder"),
        ("c:", "leaves the folder"),
        ("./", "leaves the folder"),
        ("a", None),
        (" a.png", "no usable name"),
        ("a\n.png", "no usable name"),
    ],
)
def test_names_of_members_stay_in_their_folder(name: str, reason: str | None) -> None:
    if reason is None:
        _check_name(name)
        return
    with pytest.raises(ArchiveError, match=reason):
        _check_name(name)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("set/a.png", True),
        ("set/A.PNG", True),
        ("extra/b.jpg", True),
        ("set/a.txt", False),
        ("other/a.png", False),
        ("set/.a.png", False),
        ("set/.b/a.png", False),
        ("set/__MACOSX/a.png", False),
        ("SET/a.png", False),
    ],
)
def test_members_that_fit_a_pattern_and_a_suffix_are_wanted(name: str, wanted: bool) -> None:
    assert _is_wanted(name, ("set/*", "extra/*"), (".png", ".jpg")) is wanted


@pytest.mark.parametrize(("archive_bytes", "refused"), [(6000, True), (6001, False)])
def test_a_tar_member_may_be_200_times_the_archive_once_it_is_over_a_mebibyte(
    archive_bytes: int, refused: bool
) -> None:
    large = tarfile.TarInfo("a.png")
    large.size = 200 * 6001
    small = tarfile.TarInfo("b.png")
    small.size = MEBIBYTE
    with tarfile.open(fileobj=io.BytesIO(large.tobuf() + bytes(1024))) as opened:
        opened.members[:] = [small, large]
        opened._loaded = True
        if refused:
            with pytest.raises(ArchiveError, match=r"'a\.png' unpacks to 1200200 bytes"):
                list(archives._of_tar(opened, archive_bytes))
        else:
            assert [path.name for path in archives._of_tar(opened, archive_bytes)] == ["b.png", "a.png"]


@pytest.mark.parametrize(
    ("offsets", "archive_bytes", "reason"),
    [
        # A member takes the 30 bytes of its own header and its packed ones.
        ((0, 40), 80, None),
        ((40, 0), 80, None),
        ((0, 39), 80, "shares its bytes"),
        ((0, 0), 80, "shares its bytes"),
        ((0, 40), 79, "reaches beyond"),
    ],
)
def test_members_of_a_zip_lie_one_after_another(
    offsets: tuple[int, ...], archive_bytes: int, reason: str | None
) -> None:
    infos = []
    for offset in offsets:
        info = zipfile.ZipInfo(f"{offset}.png")
        info.header_offset, info.compress_size = offset, 10
        infos.append(info)
    opened: Any = SimpleNamespace(infolist=lambda: infos)
    if reason is None:
        archives._refuse_shared_bytes(opened, archive_bytes)
        return
    with pytest.raises(ArchiveError, match=reason):
        archives._refuse_shared_bytes(opened, archive_bytes)


@pytest.mark.parametrize(
    ("said", "holds", "reason"),
    [
        (MEBIBYTE + 5, MEBIBYTE + 5, None),
        (0, 0, None),
        (5, 6, "is longer than it says"),
        (MEBIBYTE, MEBIBYTE + 1, "is longer than it says"),
        (6, 5, "is cut off"),
        (5, None, "cannot be read"),
    ],
)
def test_a_member_is_written_as_long_as_it_says(
    tmp_path: Path, said: int, holds: int | None, reason: str | None
) -> None:
    source = _Member("a.png", said, None, lambda: None if holds is None else io.BytesIO(b"x" * holds))
    path = tmp_path / "set" / "a.png"
    if reason is None:
        archives._write(source, path)
        assert path.read_bytes() == b"x" * said
        return
    with pytest.raises(ArchiveError, match=rf"its member 'a\.png' {reason}"):
        archives._write(source, path)


ONE, TWO = "1" * 64, "2" * 64


def test_hashes_are_pinned_once_and_written_by_name(tmp_path: Path) -> None:
    assert read_lock(tmp_path, "set") == Lock(tmp_path / "set.lock")
    pin(tmp_path, "set", {"b.png": TWO, "https://a.example/x.zip": ONE})
    lock = pin(tmp_path, "set", {"a.png": ONE, "b.png": TWO})
    assert read_lock(tmp_path, "set") == lock
    assert lock.hashes == {"b.png": TWO, "https://a.example/x.zip": ONE, "a.png": ONE}
    assert lock.files == {"b.png": TWO, "a.png": ONE}
    head, *lines = (tmp_path / "set.lock").read_text().splitlines()
    assert head.startswith("# Hashes pinned")
    assert lines == [f"{ONE}  a.png", f"{TWO}  b.png", f"{ONE}  https://a.example/x.zip"]
    with pytest.raises(DatasetError, match=rf"b\.png: expected sha256 {TWO}, as pinned in .* got {ONE}"):
        pin(tmp_path, "set", {"c.png": ONE, "b.png": ONE})
    assert read_lock(tmp_path, "set") == lock, "all or nothing"


def test_a_wrong_line_of_a_lock_is_named_by_its_number(tmp_path: Path) -> None:
    (tmp_path / "set.lock").write_text(f"# head\n\n{ONE}  a.png\n{ONE} b.png\n")
    with pytest.raises(DatasetError, match=r"set\.lock:4: expected a sha256, two blanks and a name"):
        read_lock(tmp_path, "set")


def test_tables_of_prompts_are_joined_and_empty_values_say_nothing(tmp_path: Path) -> None:
    (tmp_path / "1.json").write_text('{"a.png": {"p": "a fox", "se": 0, "c": 7.5, "st": 50, "sa": "x"}}')
    (tmp_path / "2.json").write_text('{"b.png": {"p": "", "se": null, "st": 3}}')
    assert read_tables(tmp_path, ["1.json", "2.json"]) == {
        "a.png": {"prompt": "a fox", "seed": 0, "guidance": 7.5, "steps": 50},
        "b.png": {"steps": 3},
    }
    (tmp_path / "3.json").write_text("[1]")
    with pytest.raises(DatasetError, match="no table of prompts"):
        read_tables(tmp_path, ["3.json"])
