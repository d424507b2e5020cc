"""Which words put up the walls around a decoder, without putting them up."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
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
    own = {"A": "b", "HOME": "/tmp/home", "TMPDIR": "/tmp"}
    assert built == Sandbox("bubblewrap", built.prefix, own, inherits=False)
    words = " ".join(built.prefix).replace(str(machine), "")
    assert words == (
        "prlimit --core=0 --fsize=8589934592 --nofile=4096 -- "
        "bwrap --unshare-all --die-with-parent --new-session --cap-drop ALL --proc /proc --dev /dev "
        "--dev-bind /dev/nvidia0 /dev/nvidia0 "
        "--size 4294967296 --tmpfs /tmp --size 536870912 --tmpfs /dev/shm --dir /tmp/home --dir /tmp/work "
        "--ro-bind /usr /usr --symlink usr /bin --ro-bind /a /a --ro-bind /file /file "
        "--tmpfs /a/new --ro-bind /a/new/old /a/new/old "
        "--tmpfs /a/x --ro-bind /dev/null /a/z --remount-ro /dev --remount-ro / --chdir /tmp/work --"
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
    assert built.prefix[-4 - len(shared) - len(flags) :] == (
        "--", "unshare", *shared, *flags, "sh", f"{own}/enter.sh"
    )  # fmt: skip
    root = own / "root"
    lines = (own / "enter.sh").read_text().replace(f"{root}{machine}", "IN").replace(str(root), "ROOT")
    lines = lines.replace(str(machine), "").replace(f"ROOT{machine.parent}", "IN").splitlines()
    last = 'exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all -- "$@"'
    assert (lines[:2], lines[-2:]) == (["{", "set -e"], [last, "}"])
    assert "ln -s usr IN/bin" in lines
    order = [
        "mount -t tmpfs tmpfs ROOT",
        "mount -t proc proc ROOT/proc",
        "mount -t tmpfs -o nosuid,nodev,size=4096m tmpfs ROOT/tmp",
        "mount -t tmpfs -o nosuid,nodev,size=512m tmpfs ROOT/dev/shm",
        "mkdir -p ROOT/tmp/home ROOT/tmp/work",
        "mount --rbind /dev/null ROOT/dev/null",
        "mount --rbind /usr IN/usr",
        "mount --rbind /a IN/a",
        "touch IN/file",
        "mount --rbind /file IN/file",
        "mount -t tmpfs tmpfs IN/a/new",
        "touch IN/a/new/old",
        "mount --rbind /a/new/old IN/a/new/old",
        "mount -t tmpfs tmpfs IN/a/x",
        "mount --bind /dev/null IN/a/z",
        "done < /proc/self/mountinfo",
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
    there = ("setpriv",)
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: name if name in (*here, *there) else None)
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


PROBES = """
id -u
grep -E "^(CapPrm|CapEff|CapBnd|NoNewPrivs)" /proc/self/status
for place in "{shown}" /opt /usr /etc /dev /sys /; do
    (echo x > "$place/written") 2> /dev/null && echo "wrote in $place"
done
echo x > /tmp/file && echo x > /dev/shm/file && echo x > /dev/null && echo "scratch"
mount -o remount,rw / 2> /dev/null && echo "remounted"
cat "{shown}/file"
echo "token=$TOKEN threads=$OMP_NUM_THREADS own=$OWN"
ulimit -c
"""


@pytest.mark.parametrize("tool", ["unshare", "bubblewrap"])
@pytest.mark.parametrize("user", [0, 65534])
def test_behind_the_walls_nothing_can_be_written_and_nothing_is_allowed(
    tool: sandbox.Tool, user: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("by design: only root can try it as root and as another user")
    if shutil.which("unshare" if tool == "unshare" else "bwrap") is None:
        pytest.skip(f"by design: {tool} is not here, and the walls are put up by what is")
    as_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    own_namespace = ["unshare", "--mount", *(["--map-root-user"] if user else []), "true"]
    if subprocess.run([*as_user, *own_namespace], capture_output=True, check=False).returncode:
        pytest.skip("by design: the kernel gives this user no walls, and rows say so")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        shown, own = folder / "a shown folder", folder / "own"
        shown.mkdir()
        own.mkdir()
        (shown / "file").write_text("shown\n")
        monkeypatch.setattr(sandbox.os, "geteuid", lambda: user)
        built = sandbox.build(Walls((shown,)), {"OWN": "1"}, tool, own)
        for path in (shown, own, *own.iterdir()):
            os.chown(path, user, user)
        runners = {**os.environ, "TOKEN": "secret", "OMP_NUM_THREADS": "3"}
        words = [*as_user, *built.prefix]
        script = PROBES.format(shown=shown)
        ended = subprocess.run(
            [*words, "sh", "-c", script],
            env=built.variables(runners),
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        assert [path.name for path in shown.iterdir()] == ["file"]
    _, *lines = ended.stdout.splitlines()
    assert [line.split() for line in lines[:4]] == [
        ["CapPrm:", "0" * 16], ["CapEff:", "0" * 16], ["CapBnd:", "0" * 16], ["NoNewPrivs:", "1"]
    ]  # fmt: skip
    assert lines[4:] == ["scratch", "shown", "token= threads=3 own=1", "0"]


def test_without_walls_a_decoder_gets_no_secrets_either(tmp_path: Path) -> None:
    built = sandbox.build(Walls(()), {"OWN": "1"}, "none", tmp_path)
    passed = built.variables({"TOKEN": "secret", "AWS_SECRET_ACCESS_KEY": "x", "PATH": "/bin", "LC_ALL": "C"})
    assert passed.keys() == {"PATH", "LC_ALL", "OWN", "HOME", "TMPDIR", "WORK"}
    assert Sandbox("none").variables({"TOKEN": "secret"}) == {"TOKEN": "secret"}, "an ordinary worker's"
