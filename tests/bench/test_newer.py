"""What of a tree of folders appeared within a span of time, from made-up times of change."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from codecarena.bench.worker import changed_files
from codecarena.bench.worker.changed_files import FolderChanges, Renewed, Span, appeared, outermost

SPAN = Span(10.0, 20.0)
FILE, FOLDER, LINK, PIPE = stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK, stat.S_IFIFO
Tree = dict[str, Any]
"""Entries by name: a file's time of change, (kind, time) of others, (time, entries) of a folder."""


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that looks into a made-up tree below ``/top``; it gives older names and new files."""

    def status(entry: Any) -> tuple[int, float]:
        if isinstance(entry, tuple):
            return entry if isinstance(entry[1], float) else (FOLDER, entry[0])
        return FILE, entry

    def entries(tree: Tree, folder: str) -> Iterator[Any]:
        for name, entry in tree.items():
            kind, changed = status(entry)

            def stated(follow_symlinks: bool, kind: int = kind, changed: float = changed) -> Any:
                assert not follow_symlinks
                return SimpleNamespace(st_mode=kind | 0o644, st_ctime=changed)

            # As the kernel gives it: equal to a name in the code, and another object.
            name = name.encode().decode()
            yield SimpleNamespace(name=name, path=f"{folder}/{name}", stat=stated)

    def seen(tree: Tree, covered: tuple[str, ...] = ()) -> tuple[dict[str, set[str]], set[str]]:
        @contextlib.contextmanager
        def scandir(folder: str) -> Iterator[Any]:
            inside: Any = tree
            for part in Path(folder).relative_to("/top").parts:
                inside = inside[part][1]
            yield entries(inside, folder)

        monkeypatch.setattr(changed_files.os, "scandir", scandir)
        seen, holds_older = changed_files._FolderScan(SPAN, frozenset(covered)).into("/top")
        renewed = {str(entry.folder.relative_to("/top")): set(entry.older) for entry in seen.renewed}
        assert len(renewed) == len(seen.renewed)
        assert holds_older == ("." not in renewed or bool(renewed["."]))
        return renewed, {str(file.relative_to("/top")) for file in seen.files}

    return seen


@pytest.mark.parametrize(
    ("changed", "new"), [(9.9, False), (10.0, True), (15.0, True), (20.0, True), (20.1, False)]
)
def test_a_span_has_both_its_ends(look: Any, changed: float, new: bool) -> None:
    assert (changed in SPAN) is new
    expected = ({".": {"old"}}, {"a"}) if new else ({}, set())
    assert look({"old": 1.0, "a": changed}) == expected
    assert look({"old": 1.0, "a": (LINK, changed)}) == expected


@pytest.mark.parametrize("changed", [1.0, 15.0, 99.0])
def test_a_pipe_is_left_out_whatever_its_age(look: Any, changed: float) -> None:
    assert look({"old": 1.0, "pipe": (PIPE, changed)}) == ({".": {"old"}}, {"pipe"})


@pytest.mark.parametrize(
    ("tree", "renewed", "files"),
    [
        # A folder that changed and holds nothing older is new itself; else what is new in it is.
        ({"old": 1.0, "d": (15.0, {"a": 15.0})}, {".": {"old"}}, {"d"}),
        ({"old": 1.0, "d": (15.0, {})}, {".": {"old"}}, {"d"}),
        ({"old": 1.0, "d": (15.0, {"a": 15.0, "b": 1.0})}, {"d": {"b"}}, {"d/a"}),
        ({"old": 1.0, "d": (1.0, {"a": 15.0})}, {"d": set()}, {"d/a"}),
        ({"old": 1.0, "d": (15.0, {"e": (15.0, {"f": 1.0, "a": 15.0})})}, {"d/e": {"f"}}, {"d/e/a"}),
        ({"a": 15.0, "d": (1.0, {"b": 15.0, "c": 1.0})}, {".": {"d"}, "d": {"c"}}, {"a", "d/b"}),
        ({"a": 15.0, "b": 12.0}, {".": set()}, {"a", "b"}),
        # Python's caches come back empty, and are no files that appeared.
        ({"old": 1.0, "__pycache__": (15.0, {"a.pyc": 1.0})}, {"__pycache__": set()}, set()),
        ({"old": 1.0, "__pycache__": (1.0, {"a.pyc": 1.0, "b.pyc": 20.0})}, {"__pycache__": set()}, set()),
        ({"old": 1.0, "__pycache__": (1.0, {"a.pyc": 1.0})}, {}, set()),
        ({"old": 1.0, "A": (1.0, {"b": 1.0, "a": 15.0})}, {"A": {"b"}}, {"A/a"}),
    ],
)
def test_a_folder_is_made_anew_without_what_appeared(
    look: Any, tree: Tree, renewed: dict[str, set[str]], files: set[str]
) -> None:
    assert look(tree) == (renewed, files)


def test_what_is_covered_is_not_looked_into(look: Any) -> None:
    tree = {"old": 1.0, "d": (15.0, {"a": 15.0}), "e": 15.0}
    assert look(tree, ("/top/d", "/top/e")) == ({}, set())


def test_what_cannot_be_looked_at_counts_as_new_and_a_closed_folder_as_old(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> Any:
        raise PermissionError

    @contextlib.contextmanager
    def scandir(_: str) -> Iterator[Any]:
        yield [SimpleNamespace(name="a", path="/top/a", stat=refuse)]

    monkeypatch.setattr(changed_files.os, "scandir", scandir)
    seen, older = changed_files._FolderScan(SPAN, frozenset()).into("/top")
    assert (seen, older) == (FolderChanges([Renewed(Path("/top"), ())], [Path("/top/a")]), False)
    monkeypatch.setattr(changed_files.os, "scandir", refuse)
    assert changed_files._FolderScan(SPAN, frozenset()).into("/top") == (FolderChanges(), True)


def test_folders_are_looked_into_and_files_and_covered_ones_are_not(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    (tmp_path / "file").touch()
    always = Span(0.0, float("inf"))
    places = [tmp_path / name for name in ("a", "b", "c", "file", "none")]
    outcome = appeared(places, always, [tmp_path / "b"])
    assert [entry.folder.name for entry in outcome.renewed] == ["a", "c"]
    assert outcome.files == [tmp_path / "a" / "file", tmp_path / "c" / "file"]


def test_paths_inside_of_others_say_nothing_more(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "ab").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "ab")
    given = [tmp_path / name for name in ("link", "ab", "a/b", "a", "none")]
    assert list(outermost(given)) == [Path(os.path.realpath(tmp_path / name)) for name in ("a", "ab")]
