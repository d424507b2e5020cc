"""Isolate a decoder's process from files it must not read, by bubblewrap or unshare, or not at all.

The walls are a file system of their own, which cannot be written to. It holds the system's programs, Python,
and what the codec is made of; then the originals and the store are covered again, where they lie inside one
of those. There is no network, no other process and no capability; of the caller's environment only what
`PASSED_ON` names; ``/tmp``, ``/dev/shm`` and HOME are new, empty and of bounded size.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Literal

from .changed_files import Renewed

Tool = Literal["bubblewrap", "unshare", "none"]

SYSTEM = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc", "opt", "nix", "gnu", "sys")
"""Folders of the root that hold programs, not people's files."""
PLAIN_DEVICES = ("null", "zero", "full", "random", "urandom")
DEVICES = ("nvidia*", "kfd", "dri")
"""What a decoder on a GPU opens under ``/dev``."""
HOME = "/tmp/home"
WORK = "/tmp/work"
PROBE_SECONDS = 60
SCRATCH_MIB = {"/tmp": 4096, "/dev/shm": 512}
"""Memory that files may fill behind the walls: nobody counts it as the process's."""
LIMITS = (("core", 0), ("fsize", 2**33), ("nofile", 4096))
"""Of each process behind the walls, as prlimit names them: bytes of a core, bytes of a file, open files."""
PASSED_ON = (
    "PATH", "LANG", "LANGUAGE", "LC_*", "TZ", "PYTHON*", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "*_NUM_THREADS",
    "VIPS_CONCURRENCY", "MALLOC_*", "HF_HUB_OFFLINE", "CUDA_*", "NVIDIA_*", "ATEN_*", "ONEDNN_*", "MKL_*",
    "NPY_*", "XDG_CACHE_HOME",
)  # fmt: skip
"""The caller's variables that a decoder may need to start and to compute alike; others may be secrets."""


@dataclass(frozen=True, slots=True)
class Walls:
    """What a worker may see beside the system's programs."""

    visible: tuple[Path, ...]
    """Folders and files."""
    hidden: tuple[Path, ...] = ()
    """Folders and files to cover, inside visible ones or not."""
    renewed: tuple[Renewed, ...] = ()
    """Folders to make anew inside visible ones, outer ones first: what is not older has no name there."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """How to start a worker behind walls."""

    tool: Tool
    prefix: tuple[str, ...] = ()
    """Words before the worker's own command."""
    environment: dict[str, str] = field(default_factory=dict)
    """What differs from the runner's."""
    folder: str | None = None
    """The working folder, where the tool does not set it."""
    inherits: bool = True
    """Whether the worker gets all of the runner's variables, or those of `PASSED_ON` only."""

    def variables(self, runners: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of the worker.

        Args:
            runners: The runner's, with what every worker gets.
        """
        passed = {
            name: value
            for name, value in runners.items()
            if self.inherits or any(fnmatchcase(name, pattern) for pattern in PASSED_ON)
        }
        return passed | self.environment


def build(walls: Walls, environment: dict[str, str], tool: Tool, folder: Path) -> Sandbox:
    """Return how to start a worker behind these walls.

    Args:
        walls: Which files the worker may see, and which of them are hidden or left out.
        environment: Variables to set, beside HOME and TMPDIR.
        tool: The one that `available` returns.
        folder: An empty one of this worker's; without a tool its HOME, TMPDIR and working folder.
    """
    if tool == "none":
        own = {name: str(folder / name.lower()) for name in ("HOME", "TMPDIR", "WORK")}
        for path in own.values():
            Path(path).mkdir(exist_ok=True)
        return Sandbox("none", (), environment | own, own["WORK"], inherits=False)
    prefix = _bubblewrap(walls) if tool == "bubblewrap" else _unshare(walls, folder)
    own = {"HOME": HOME, "TMPDIR": "/tmp"}
    return Sandbox(tool, (*_limited(), *prefix), environment | own, inherits=False)


def _limited() -> list[str]:
    """Return the words that bound what each process uses, where util-linux's program for it is here."""
    bounds = [f"--{name}={most}" for name, most in LIMITS]
    return ["prlimit", *bounds, "--"] if shutil.which("prlimit") else []


@cache
def available() -> tuple[Tool, str]:
    """Return the first tool that really hides a file on this machine, or why there is none."""
    reasons: list[str] = []
    tools: tuple[Tool, ...] = ("bubblewrap", "unshare")
    for tool in tools:
        program = "bwrap" if tool == "bubblewrap" else "unshare"
        needed = (program,) if tool == "bubblewrap" else (program, "setpriv")
        if missing := [name for name in needed if shutil.which(name) is None]:
            reasons.append(f"no {missing[0]}")
            continue
        failure = _probe(tool)
        if failure is None:
            return tool, ""
        reasons.append(f"{program}: {failure}")
    return "none", "; ".join(reasons)


def _probe(tool: Tool) -> str | None:
    """Return why a tool does not hide one file and show another beside it, or None where it does."""
    with tempfile.TemporaryDirectory(prefix="codecarena-probe-") as name:
        folder = Path(name)
        shown, covered, outside = folder / "shown", folder / "shown" / "covered", folder / "outside"
        shown.mkdir()
        for path in (shown / "open", covered, outside):
            path.write_text("seen")
        sandbox = build(Walls((shown,), (covered,)), {}, tool, folder)
        script = f'cat "{shown}/open"; cat "{covered}" "{outside}" 2>/dev/null; exit 0'
        try:
            ended = subprocess.run(
                [*sandbox.prefix, "sh", "-c", script],
                capture_output=True,
                text=True,
                check=False,
                timeout=PROBE_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
    if ended.returncode == 0 and ended.stdout == "seen":
        return None
    printed = ended.stderr.strip().splitlines()
    return printed[-1] if printed else f"showed {ended.stdout.count('seen')} of 1 file"


def _bubblewrap(walls: Walls) -> list[str]:
    words = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    words += ["--proc", "/proc", "--dev", "/dev"]
    for device in _devices():
        words += ["--dev-bind", str(device), str(device)]
    for place, mib in SCRATCH_MIB.items():
        words += ["--size", str(mib * 2**20), "--tmpfs", place]
    words += ["--dir", HOME, "--dir", WORK]
    for path in _shown(walls):
        words += _shown_by_bubblewrap(path)
    for remade in walls.renewed:
        words += ["--tmpfs", str(remade.folder)]
        for name in remade.older:
            words += _shown_by_bubblewrap(remade.folder / name)
    for path in _covered(walls):
        words += ["--tmpfs", str(path)] if path.is_dir() else ["--ro-bind", "/dev/null", str(path)]
    return [*words, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", WORK, "--"]


def _shown_by_bubblewrap(path: Path) -> list[str]:
    if path.is_symlink():
        return ["--symlink", str(path.readlink()), str(path)]
    return ["--ro-bind", str(path), str(path)]


def _unshare(walls: Walls, folder: Path) -> list[str]:
    """Return words that make the same file system by hand, with mount and pivot_root."""
    root = folder / "root"
    root.mkdir()
    at = shlex.quote(str(root))

    def inside(path: Path) -> str:
        return shlex.quote(f"{root}{path}")

    def shown(path: Path) -> list[str]:
        if path.is_symlink():
            return [f"ln -s {shlex.quote(str(path.readlink()))} {inside(path)}"]
        make = "mkdir -p" if path.is_dir() else "touch"
        return [f"{make} {inside(path)}", f"mount --rbind {shlex.quote(str(path))} {inside(path)}"]

    lines = [
        "set -e",
        f"mount -t tmpfs tmpfs {at}",
        f"mkdir -p {at}/proc {at}/dev/shm {at}/tmp {at}/.outside",
    ]
    lines.append(f"mount -t proc proc {at}/proc")
    for place, mib in SCRATCH_MIB.items():
        lines.append(f"mount -t tmpfs -o nosuid,nodev,size={mib}m tmpfs {at}{place}")
    lines.append(f"mkdir -p {at}{HOME} {at}{WORK}")
    for device in [Path("/dev", name) for name in PLAIN_DEVICES] + _devices():
        make = "mkdir -p" if device.is_dir() else "touch"
        lines += [f"{make} {inside(device)}", f"mount --rbind {shlex.quote(str(device))} {inside(device)}"]
    lines += [f"ln -s /proc/self/fd {at}/dev/fd"]
    for path in _shown(walls):
        lines += [f"mkdir -p {inside(path.parent)}", *shown(path)]
    for remade in walls.renewed:
        lines.append(f"mount -t tmpfs tmpfs {inside(remade.folder)}")
        lines += [line for name in remade.older for line in shown(remade.folder / name)]
    for path in _covered(walls):
        mount = "mount -t tmpfs tmpfs" if path.is_dir() else "mount --bind /dev/null"
        lines.append(f"{mount} {inside(path)}")
    writable = "|".join(f"{at}{place}" for place in SCRATCH_MIB)
    lines += [
        # All that was bound, and what lies mounted below it. Each keeps its other flags: some are locked.
        "while read -r _ _ _ _ place flags _; do",
        '    place=$(printf "%b" "$place")',
        "    case $place in",
        f"        {at}/proc|{at}/dev/*|{writable}) ;;",
        f'        {at}|{at}/*) mount -o "remount,bind,ro${{flags#r[wo]}}" "$place" ;;',
        "    esac",
        "done < /proc/self/mountinfo",
        f"cd {at}",
        "pivot_root . .outside",
        f"cd {WORK}",
        "umount -l /.outside",
    ]
    # In braces, so that the shell has read all of it before its file is gone.
    script = folder / "enter.sh"
    last = 'exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all -- "$@"'
    script.write_text("\n".join(["{", *lines, last, "}"]))
    flags = ["--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child"]
    flags += [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", *flags, "sh", str(script)]


def _devices() -> list[Path]:
    return [path for pattern in DEVICES for path in sorted(Path("/dev").glob(pattern))]


def _shown(walls: Walls) -> list[Path]:
    """Return what to bind, outer folders before what lies in them, nothing twice."""
    system = [Path("/", name) for name in SYSTEM]
    bound = [path for path in system if path.exists() or path.is_symlink()]
    for path in sorted({Path(os.path.realpath(visible)) for visible in walls.visible}):
        if path.exists() and not any(path.is_relative_to(os.path.realpath(outer)) for outer in bound):
            bound.append(path)
    return bound + _links(walls.visible, bound)


def _links(paths: Iterable[Path], bound: Sequence[Path]) -> list[Path]:
    """Return the links that stand for visible things under another name and lie in no visible folder."""
    links: list[Path] = []
    for path in paths:
        for part in (*reversed(path.parents), path):
            inside = any(part.is_relative_to(outer) for outer in (*bound, *links))
            if part.is_symlink() and not inside:
                links.append(part)
    return links


def _covered(walls: Walls) -> list[Path]:
    """Return what to cover: hidden things that lie in something visible, outer ones first."""
    shown = _shown(walls)
    covered: list[Path] = []
    for path in sorted({Path(os.path.realpath(hidden)) for hidden in walls.hidden}):
        inside = any(path.is_relative_to(outer) for outer in shown) and not _left_out(path, walls.renewed)
        if path.exists() and inside and not any(path.is_relative_to(outer) for outer in covered):
            covered.append(path)
    return covered


def _left_out(path: Path, renewed: Iterable[Renewed]) -> bool:
    """Whether a folder made anew has no entry that leads to a path."""
    return any(
        path.is_relative_to(remade.folder)
        and path != remade.folder
        and path.relative_to(remade.folder).parts[0] not in remade.older
        for remade in renewed
    )


def of_python() -> list[Path]:
    """Return the folders that this interpreter and its packages live in."""
    own = Path(__file__).parents[2]
    # A worker's search path lacks the first entry, the caller's own folder.
    search = sys.path if sys.flags.safe_path else sys.path[1:]
    places = [sys.prefix, sys.base_prefix, sys.exec_prefix, *search]
    return [own, *(Path(place) for place in places if place and Path(place).exists())]


def of_program(program: Path) -> list[Path]:
    """Return the folders that a program on its own needs: its installation, through every link to it."""
    folders: list[Path] = []
    seen: set[Path] = set()
    while program not in seen:
        seen.add(program)
        folder = program.parent
        whole = folder.parent if folder.name in ("bin", "sbin") else folder
        # Somebody's home or the root is no installation.
        folders.append(program if whole in (Path.home(), Path("/")) else whole)
        if program.is_symlink():
            program = folder / program.readlink()
    return folders
