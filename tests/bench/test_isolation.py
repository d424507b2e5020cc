"""Which words put up the walls around a decoder, without putting them up."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from codecarena.bench.worker import sandbox
from codecarena.bench.worker.changed_files import Renewed
from codecarena.bench.worker.sandbox import Sandbox, Walls


def touched(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the root of a machine with a folder of programs and a link to it, and no devices."""
    root = Path(os.path.realpath(tmp_path))
    (root / "usr").mkdir()
    (root / "bin").symlink_to("usr")
    monkeypatch.setattr(sandbox, "SYSTEM", (f"{root}/usr", f"{root}/bin", f"{root}/nix"))
    monkeypatch.setattr(sandbox, "_devices", lambda: [Path("/dev/nvidia0")])
    return root


def test_what_is_shown_is_named_once_outer_folders_first(machine: Path) -> None:
    a, b, inner = (machine / name for name in ("a", "ab", "a/inner"))
    inner.mkdir(parents=True)
    b.mkdir()
    (machine / "link").symlink_to(b)
    (machine / "usr" / "own").mkdir()
    visible = (b, inner, a, machine / "link" / "none", machine / "link", machine / "usr" / "own")
    assert sandbox._shown(Walls(visible)) == [machine / "usr", machine / "bin", a, b, machine / "link"]


@pytest.mark.parametrize(
    ("hidden", "renewed", "covered"),
    [
        (("a/x",), (), ["a/x"]),
        (("a/x", "a/x/y", "a/z", "none"), (), ["a/x", "a/z"]),
        (("elsewhere",), (), []),
        (("a",), (), ["a"]),
        # A folder made anew holds only what is older in it; the rest needs no cover.
        (("a/x/y", "a/z"), (("a", ("z",)),), ["a/z"]),
        (("a/x",), (("a/x", ()),), ["a/x"]),
    ],
)
def test_what_is_hidden_is_covered_where_it_would_be_seen(
    machine: Path, hidden: tuple[str, ...], renewed: Any, covered: list[str]
) -> None:
    touched(machine, "a/x/y", "a/z", "elsewhere")
    anew = tuple(Renewed(machine / name, older) for name, older in renewed)
    made = Walls((machine / "a",), tuple(machine / name for name in hidden), anew)
    assert sandbox._covered(made) == [machine / name for name in covered]


@pytest.fixture
def made(machine: Path) -> Walls:
    """Return walls that show a folder and a file, renew a folder and cover a file and a folder."""
    touched(machine, "a/x/y", "a/z", "a/new/old", "a/new/later", "file")
    hidden = (machine / "a/x", machine / "a/z")
    return Walls((machine / "a", machine / "file"), hidden, (Renewed(machine / "a/new", ("old",)),))


def test_bubblewrap_binds_renews_and_covers_in_this_order(machine: Path, made: Walls) -> None:
    built = sandbox.build(made, {"A": "b"}, "bubblewrap", machine / "own")
    assert built == Sandbox("bubblewrap", built.prefix, {"A": "b", "HOME": "/tmp/home", "TMPDIR": "/tmp"})
    words = " ".join(built.prefix).replace(str(machine), "")
    assert words == (
        "bwrap --unshare-all --die-with-parent --proc /proc --dev /dev --dev-bind /dev/nvidia0 /dev/nvidia0 "
        "--tmpfs /tmp --dir /tmp/home --dir /tmp/work "
        "--ro-bind /usr /usr --symlink usr /bin --ro-bind /a /a --ro-bind /file /file "
        "--tmpfs /a/new --ro-bind /a/new/old /a/new/old "
        "--tmpfs /a/x --ro-bind /dev/null /a/z --chdir /tmp/work --"
    )


@pytest.mark.parametrize(("user", "flags"), [(0, ()), (1000, ("--map-root-user",))])
def test_unshare_makes_the_same_by_hand(
    machine: Path, made: Walls, monkeypatch: pytest.MonkeyPatch, user: int, flags: tuple[str, ...]
) -> None:
    monkeypatch.setattr(sandbox.os, "geteuid", lambda: user)
    own = machine / "own"
    own.mkdir()
    built = sandbox.build(made, {}, "unshare", own)
    assert built.environment == {"HOME": "/tmp/home", "TMPDIR": "/tmp"}
    shared = ("--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child")
    assert built.prefix == ("unshare", *shared, *flags, "sh", f"{own}/enter.sh")
    root = own / "root"
    lines = (own / "enter.sh").read_text().replace(f"{root}{machine}", "IN").replace(str(root), "ROOT")
    lines = lines.replace(str(machine), "").replace(f"ROOT{machine.parent}", "IN").splitlines()
    assert (lines[:2], lines[-2:]) == (["{", "set -e"], ['exec "$@"', "}"])
    assert "ln -s usr IN/bin" in lines
    order = [
        "mount -t tmpfs tmpfs ROOT",
        "mount -t proc proc ROOT/proc",
        "mount --rbind /usr IN/usr",
        "mount --rbind /a IN/a",
        "touch IN/file",
        "mount --rbind /file IN/file",
        "mount -t tmpfs tmpfs IN/a/new",
        "touch IN/a/new/old",
        "mount --rbind /a/new/old IN/a/new/old",
        "mount -t tmpfs tmpfs IN/a/x",
        "mount --bind /dev/null IN/a/z",
        "cd ROOT",
        "pivot_root . .outside",
        "cd /tmp/work",
        "umount -l /.outside",
    ]
    assert [lines.index(line) for line in order] == sorted(lines.index(line) for line in order)
    assert "mkdir -p IN/a" in lines


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str | None]]:
    """Return the tools of a machine, each with why it does not hide a file, None where it does."""
    here: dict[str, str | None] = {}
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: name if name in here else None)
    monkeypatch.setattr(sandbox, "_probe", lambda tool: here["bwrap" if tool == "bubblewrap" else tool])
    sandbox.available.cache_clear()
    yield here
    sandbox.available.cache_clear()


@pytest.mark.parametrize(
    ("here", "expected"),
    [
        ({"bwrap": None, "unshare": None}, ("bubblewrap", "")),
        ({"bwrap": "broken", "unshare": None}, ("unshare", "")),
        ({"unshare": None}, ("unshare", "")),
        ({"bwrap": "broken"}, ("none", "bwrap: broken; no unshare")),
        ({}, ("none", "no bwrap; no unshare")),
    ],
)
def test_the_first_tool_that_hides_a_file_is_taken(
    tools: dict[str, str | None], here: dict[str, str | None], expected: tuple[str, str]
) -> None:
    tools.update(here)
    assert sandbox.available() == expected


@pytest.mark.parametrize(
    ("status", "printed", "errors", "failure"),
    [
        (0, "seen", "", None),
        (0, "seenseen", "", "showed 2 of 1 file"),
        (0, "", "", "showed 0 of 1 file"),
        (1, "seen", "first\nlast\n", "last"),
    ],
)
def test_a_tool_must_show_one_file_and_hide_two(
    monkeypatch: pytest.MonkeyPatch, status: int, printed: str, errors: str, failure: str | None
) -> None:
    def run(words: list[str], **_: Any) -> Any:
        assert words[:4] == ["x", "sh", "-c", words[3]]
        return subprocess.CompletedProcess(words, status, printed, errors)

    monkeypatch.setattr(sandbox, "build", lambda *_: Sandbox("unshare", ("x",)))
    monkeypatch.setattr(sandbox.subprocess, "run", run)
    assert sandbox._probe("unshare") == failure


def test_a_probe_without_walls_sees_all_three_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "build", lambda *_: Sandbox("unshare"))
    assert sandbox._probe("unshare") == "showed 3 of 1 file"


def test_a_program_needs_its_installation_through_every_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touched(tmp_path, "opt/tool/bin/real", "home/alone")
    (tmp_path / "usr" / "sbin").mkdir(parents=True)
    (tmp_path / "usr" / "sbin" / "tool").symlink_to("../../opt/tool/bin/real")
    outcome = sandbox.of_program(tmp_path / "usr" / "sbin" / "tool")
    assert [Path(os.path.realpath(entry)) for entry in outcome] == [
        tmp_path / "usr",
        tmp_path / "opt" / "tool",
    ]
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    assert sandbox.of_program(tmp_path / "home" / "alone") == [tmp_path / "home" / "alone"]
    assert sandbox.of_program(Path("/bin/none")) == [Path("/bin/none")]
    (tmp_path / "loop").symlink_to("loop")
    assert sandbox.of_program(tmp_path / "loop") == [tmp_path]


def test_pythons_folders_are_those_that_are_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", ["/caller", str(tmp_path), "", str(tmp_path / "none")])
    monkeypatch.setattr(sys, "flags", SimpleNamespace(safe_path=False))
    outcome = sandbox.of_python()
    assert (outcome[0] / "bench" / "worker" / "sandbox.py").is_file()
    assert outcome[1:] == [Path(sys.prefix), Path(sys.base_prefix), Path(sys.exec_prefix), tmp_path]
    monkeypatch.setattr(sys, "flags", SimpleNamespace(safe_path=True))
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert sandbox.of_python()[-1] == tmp_path
