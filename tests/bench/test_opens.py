"""Which system calls are stopped, and which path a stopped call names, without stopping one."""

from __future__ import annotations

import ctypes
import mmap
import os
import platform
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from codecarena.bench.timing import opened_files
from codecarena.bench.timing.opened_files import CALLS, NOTIFICATION, Opened

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="by design: the filter is Linux's")

OPEN, OPENAT, OPENAT2, EXECVE = range(4)
NUMBERS = {
    # As <asm/unistd.h> of each architecture has them; arm64 has no open.
    "x86_64": {OPEN: 2, OPENAT: 257, OPENAT2: 437, EXECVE: 59},
    "aarch64": {OPENAT: 56, OPENAT2: 437, EXECVE: 221},
}
PATH_PLACE = {OPEN: 0, OPENAT: 1, OPENAT2: 1, EXECVE: 0}


def decision(program: bytes, number: int) -> int:
    """Run a classic BPF program on a call's number and return what it decides (Linux's filter.h)."""
    steps, place, loaded = list(struct.iter_unpack("HBBI", program)), 0, None
    while True:
        code, if_equal, if_not, value = steps[place]
        place += 1
        if code == 0x20:  # load the word at an offset: 0 is the call's number
            assert value == 0
            loaded = number
        elif code == 0x15:
            place += if_equal if loaded == value else if_not
        else:
            assert code == 0x06
            return value


@pytest.mark.parametrize("machine", NUMBERS)
def test_calls_that_open_or_execute_are_told_and_all_others_go_on(machine: str) -> None:
    numbers, calls = NUMBERS[machine], CALLS[machine]
    assert calls.path_place == {number: PATH_PLACE[call] for call, number in numbers.items()}
    assert calls.execute == numbers[EXECVE]
    assert calls.seccomp == {"x86_64": 317, "aarch64": 277}[machine]
    message = {
        number for number in range(600) if decision(opened_files._program(calls), number) == 0x7FC00000
    }
    assert message == set(numbers.values())
    assert {decision(opened_files._program(calls), number) for number in set(range(600)) - message} == {
        0x7FFF0000
    }


def test_a_machine_without_a_table_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "abacus")
    with socket.socket() as channel, pytest.raises(OSError, match="no table of system calls for abacus"):
        opened_files.surrender(channel)


def test_a_process_that_sets_up_no_filter_is_told() -> None:
    computed, theirs = socket.socketpair()
    with computed, theirs:
        theirs.send(b"-")
        with pytest.raises(OSError, match="does not allow looking"):
            list(opened_files.listen(computed))
        theirs.shutdown(socket.SHUT_WR)
        with pytest.raises(OSError, match="does not allow looking"):
            list(opened_files.listen(computed))


def named(path: bytes) -> tuple[ctypes.Array[ctypes.c_char], int]:
    held = ctypes.create_string_buffer(path)
    return held, ctypes.addressof(held)


def test_a_path_is_taken_from_the_working_folder_or_the_folder_it_is_opened_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path)
    held, address = named("a/ü.png".encode())
    assert opened_files._path(os.getpid(), -100, address) == tmp_path / "a/ü.png"
    folder = os.open(tmp_path / "here", os.O_RDONLY)
    try:
        assert opened_files._path(os.getpid(), folder, address) == tmp_path / "here" / "a/ü.png"
    finally:
        os.close(folder)
    _, address = absolute = named(b"/etc/passwd\0more")
    assert opened_files._path(os.getpid(), -100, address) == Path("/etc/passwd")
    assert absolute
    assert held


@pytest.mark.parametrize("before", [4096 - 5, 0])
def test_a_path_may_go_on_behind_a_pages_end(before: int) -> None:
    path = b"/" + b"a" * 5000
    with mmap.mmap(-1, 4 * 4096) as pages:
        pages[before : before + len(path)] = path
        view = ctypes.c_char.from_buffer(pages)
        try:
            outcome = opened_files._path(os.getpid(), -100, ctypes.addressof(view) + before)
        finally:
            del view
    # At most to the end of the next page: no path of Linux is longer.
    assert os.fsencode(outcome) == path[: 8192 - before]


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Return what the kernel tells of a call, and what it is answered."""
    state: dict[str, Any] = {"answers": []}

    def ioctl(listener: int, request: int, buffer: bytearray) -> None:
        assert listener == 9
        if request == 0xC0502100:
            if state.get("gone") == "before":
                raise FileNotFoundError
            buffer[:] = NOTIFICATION.pack(77, 1234, 0, state["number"], 0, 0, *state["arguments"])
        else:
            assert request == 0xC0182101
            if state.get("gone") == "after":
                raise FileNotFoundError
            state["answers"].append(bytes(buffer))

    def path(process: int, folder: int, address: int) -> Path:
        if state.get("unreadable"):
            raise OSError
        return Path(f"/{process}/{folder}/{address}")

    monkeypatch.setattr(opened_files.fcntl, "ioctl", ioctl)
    monkeypatch.setattr(opened_files, "_path", path)
    return state


@pytest.mark.parametrize(
    ("call", "arguments", "path", "executed"),
    [
        (OPEN, (50, 1, 2), "/1234/-100/50", False),
        (OPENAT, (7, 60, 2), "/1234/7/60", False),
        (OPENAT, (2**32 - 100, 60, 2), "/1234/-100/60", False),  # as the kernel tells a negative number
        (OPENAT2, (8, 70, 2), "/1234/8/70", False),
        (EXECVE, (80, 1, 2), "/1234/-100/80", True),
    ],
)
def test_a_stopped_call_is_noted_and_goes_on(
    kernel: dict[str, Any], call: int, arguments: tuple[int, ...], path: str, executed: bool
) -> None:
    kernel |= {"number": NUMBERS["x86_64"][call], "arguments": (*arguments, 0, 0, 0)}
    assert opened_files._answer(9, CALLS["x86_64"]) == Opened(Path(path), executed)
    # struct seccomp_notif_resp: id, value, error, and the flag to go on.
    assert kernel["answers"] == [struct.pack("QqiI", 77, 0, 0, 1)]
    kernel["unreadable"] = True
    assert opened_files._answer(9, CALLS["x86_64"]) is None
    assert len(kernel["answers"]) == 2, "the call goes on all the same"


@pytest.mark.parametrize("gone", ["before", "after"])
def test_a_caller_that_was_killed_meanwhile_is_no_error(kernel: dict[str, Any], gone: str) -> None:
    kernel |= {"number": 2, "arguments": (0,) * 6, "gone": gone}
    assert opened_files._answer(9, CALLS["x86_64"]) is None
