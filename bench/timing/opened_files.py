"""List the files that a child process, and whatever it starts, opens, as the kernel reports them.

A filter (seccomp, Linux 5.5 and newer) stops every call that opens or executes a file until this side, which
sees the path, lets it go on. So nothing escapes: not a library that maps its weights, not a program that a
codec calls. Linux's seccomp_unotify(2) describes the protocol.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import platform
import select
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NO_NEW_PRIVILEGES = 38
FILTER_WITH_LISTENER = (1, 8)
"""SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER."""
NOTIFY, ALLOW = 0x7FC00000, 0x7FFF0000
RECEIVE, SEND = 0xC0502100, 0xC0182101
"""SECCOMP_IOCTL_NOTIF_RECV and _SEND."""
NOTIFICATION = struct.Struct("QIIiIQ6Q")
"""id, process, flags, call number, architecture, instruction, six arguments."""
ANSWER = struct.Struct("QqiI")
CONTINUE = 1
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
"""Classic BPF: load the call's number, compare, return."""
AT_WORKING_FOLDER = -100
PATH_BYTES = 4096


@dataclass(frozen=True, slots=True)
class _Calls:
    """Numbers of the calls on one architecture."""

    seccomp: int
    path_place: dict[int, int]
    """Which argument the path is, by number of a call that opens or executes."""
    execute: int


CALLS = {
    "x86_64": _Calls(317, {2: 0, 257: 1, 437: 1, 59: 0}, 59),  # open, openat, openat2, execve
    "aarch64": _Calls(277, {56: 1, 437: 1, 221: 0}, 221),  # openat, openat2, execve
}


@dataclass(frozen=True, slots=True)
class Opened:
    """One call."""

    path: Path
    executed: bool


def surrender(channel: socket.socket) -> None:
    """Report every file that this process opens from now on through a socket to `listen`.

    Raises:
        OSError: The kernel, or the sandbox around this process, does not allow it.
    """
    calls = CALLS.get(platform.machine())
    if calls is None:
        raise OSError(f"no table of system calls for {platform.machine()}")
    library = ctypes.CDLL(None, use_errno=True)
    program = _program(calls)
    code = ctypes.create_string_buffer(program, len(program))
    described = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    if library.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no filter without prctl")
    listener = library.syscall(calls.seccomp, *FILTER_WITH_LISTENER, described)
    if listener < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"no filter: {os.strerror(number)}")
    socket.send_fds(channel, [b"+"], [listener])
    os.close(listener)


def _program(calls: _Calls) -> bytes:
    numbers = list(calls.path_place)
    steps = [(LOAD, 0, 0, 0)]
    steps += [(JUMP_IF_EQUAL, len(numbers) - place, 0, number) for place, number in enumerate(numbers)]
    return b"".join(
        struct.pack("HBBI", *step) for step in [*steps, (RETURN, 0, 0, ALLOW), (RETURN, 0, 0, NOTIFY)]
    )


def listen(channel: socket.socket) -> Iterator[Opened]:
    """Yield every file that the process behind a socket opens for reading, in order, until it has ended.

    Raises:
        OSError: It could not set up its filter.
    """
    message, descriptors, _, _ = socket.recv_fds(channel, 1, 1)
    if not message or not descriptors:
        raise OSError("the kernel does not allow looking at what a process opens")
    calls = CALLS[platform.machine()]
    listener = descriptors[0]
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    try:
        while not (events := poll.poll())[0][1] & select.POLLHUP or events[0][1] & select.POLLIN:
            opened = _answer(listener, calls)
            if opened:
                yield opened
    finally:
        os.close(listener)


def _answer(listener: int, calls: _Calls) -> Opened | None:
    """Read one notification, return its path, and let the call continue."""
    buffer = bytearray(NOTIFICATION.size)
    try:
        fcntl.ioctl(listener, RECEIVE, buffer)
    except FileNotFoundError:
        return None  # the caller was killed while it waited
    identity, process, _, number, _, _, *arguments = NOTIFICATION.unpack(buffer)
    place = calls.path_place[number]
    folder = ctypes.c_int(arguments[0]).value if place else AT_WORKING_FOLDER
    try:
        path = _path(process, folder, arguments[place])
    except OSError:
        path = None  # gone meanwhile, or an address that the call itself will refuse
    try:
        fcntl.ioctl(listener, SEND, bytearray(ANSWER.pack(identity, 0, 0, CONTINUE)))
    except FileNotFoundError:
        return None
    return Opened(path, number == calls.execute) if path else None


def _path(process: int, folder: int, address: int) -> Path:
    """Return the absolute path that a waiting process names."""
    with Path(f"/proc/{process}/mem").open("rb", buffering=0) as memory:
        memory.seek(address)
        # Not across a page's end: the next one may not be there.
        named = memory.read(PATH_BYTES - address % PATH_BYTES)
        if b"\0" not in named:
            named += memory.read(PATH_BYTES)
    start = "cwd" if folder == AT_WORKING_FOLDER else f"fd/{folder}"
    base = Path(f"/proc/{process}/{start}").readlink()
    return base / os.fsdecode(named.partition(b"\0")[0])
