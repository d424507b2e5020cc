"""What a worker sends is read as records and nothing else, however hostile the decoder in it is."""

from __future__ import annotations

import math
import pickle
import socket
import struct
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from measuring import INFO, planned_cell, planned_codec, planned_picture

from codecarena.bench.records.identities import MetricIdentity
from codecarena.bench.records.messages import (
    Began,
    CallCost,
    CallNeeds,
    CodecSpec,
    DecodeAgain,
    DecodedAgain,
    DecodedSize,
    Described,
    EncodedAgain,
    Failed,
    Finished,
    Identified,
    Inspected,
    Limits,
    Measured,
    Message,
    Outcome,
    Peeked,
    PictureContent,
    Scored,
    Timed,
)
from codecarena.bench.records.metric_facts import MetricFacts
from codecarena.bench.worker import pool, wire
from codecarena.bench.worker.sandbox import Sandbox
from codecarena.bench.worker.wire import Channel, WireError
from codecarena.codecs.base import RateParts

SPEC = CodecSpec("made-up", (("float", 1.0), ("flag", True), ("number", 1), ("text", "\udce9 é")))
NEEDS = CallNeeds(1.0, 2.5, None, 0.5, 2**40)
MESSAGES: list[Message] = [
    Described(SPEC, replace(INFO, qualities=(0.5, 2)), SPEC.parameters, "label"),
    Described("metric", identity=MetricIdentity("m", "i", "1", "RGB"), facts=MetricFacts(perfect=math.inf)),
    Identified("/a", "sha", 3, 4, None),
    Began("score", "psnr"),
    Measured("bits", RateParts(1, 2, 3), 6, "pixels", (1.0, 2.0), (), 0.5),
    Scored("psnr", None, True, 0.1),
    Timed(CallCost(1.0, 2.0), CallCost(3.0, 4.0, 5.0, 6.0)),
    Inspected("bits", 6, 0.5, 99.5, NEEDS, NEEDS),
    PictureContent("sha", "0" * 16, {"entropy": 3.5}),
    PictureContent("sha", "0" * 16, None),
    Peeked(("a", "b")),
    EncodedAgain("bits"),
    Failed("memory", "decode", "a \x1b[2J message", None, -9, "tail"),
    DecodedSize(3, 4),
    Finished(),
]


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Channel]]:
    """Return the worker's end and the runner's."""
    channels = [Channel(end) for end in socket.socketpair()]
    yield channels[0], channels[1]
    for channel in channels:
        channel.close()


def test_each_message_arrives_as_it_was_sent(ends: tuple[Channel, Channel]) -> None:
    worker, runner = ends
    wire.send_messages(worker, MESSAGES)
    received = wire.receive_messages(runner, 5)
    assert received == MESSAGES
    parameters = received[0].parameters  # type: ignore[union-attr]
    assert [type(value) for _, value in parameters] == [float, bool, int, str]
    assert {type(message) for message in MESSAGES} == set(wire._MESSAGES.values()), "a kind is untried"


def test_numbers_of_numpy_arrive_as_numbers(ends: tuple[Channel, Channel]) -> None:
    worker, runner = ends
    wire.send_messages(worker, [Scored("m", np.float32(0.5), np.bool_(False), np.float64(2))])  # type: ignore[arg-type]
    assert wire.receive_messages(runner, 5) == [Scored("m", 0.5, False, 2.0)]


def test_pixels_arrive_in_their_place_among_the_messages(ends: tuple[Channel, Channel]) -> None:
    worker, runner = ends
    pixels = np.arange(2 * 5 * 3, dtype=np.uint8).reshape(2, 5, 3)
    wire.send_messages(worker, [Began("decode"), DecodedAgain(pixels[:, ::-1]), Finished()])
    received = [wire.receive_messages(runner, 5, pixels.size) for _ in range(3)]
    assert (received[0], received[2]) == ([Began("decode")], [Finished()])
    (decoded,) = received[1] or ()
    assert isinstance(decoded, DecodedAgain)
    np.testing.assert_array_equal(decoded.pixels, pixels[:, ::-1])


def test_a_frame_that_comes_in_pieces_is_one_frame(ends: tuple[Channel, Channel]) -> None:
    worker, runner = ends
    frame = wire._LENGTH.pack(5) + b"Jabcd" + wire._LENGTH.pack(0)
    for place in range(len(frame) - 1):
        worker._socket.sendall(frame[place : place + 1])
        received = runner.receive(9, 0)
        assert received == (b"Jabcd" if place == wire._LENGTH.size + 4 else None)
    worker._socket.sendall(frame[-1:])
    assert runner.receive(9, 5) == b""
    worker.close()
    with pytest.raises(EOFError):
        runner.receive(9, 5)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"J{}", "expected a list of messages"),
        (b"J[", "expected messages as JSON"),
        (b"J" + b"[" * 100_000, "expected messages as JSON"),
        (b"J\xff", "expected messages as JSON"),
        (b"J[1]", "expected a message, got '1'"),
        (b'J[["Job", {}]]', "expected a message"),
        (b'J[[["Finished"], {}]]', "expected a message"),
        (b'J[["Finished"]]', "expected a message"),
        (b'J[["Scored", 3]]', "Scored"),
        (b'J[["Scored", {"metric": "psnr", "value": "high"}]]', "Scored.value"),
        (b'J[["Measured", {"parts": {"header_bytes": []}}]]', "Measured"),
        (b'J[["Began", {"stage": "sleep"}]]', "Began.stage"),
        (pickle.dumps(Finished()), "expected messages, got"),
        (b"", "expected messages, got 0 bytes"),
        (b"P" + struct.pack("!II", 2, 5) + bytes(30), "expected messages, got 39 bytes"),
    ],
)
def test_what_is_no_message_is_named_and_not_taken(
    ends: tuple[Channel, Channel], frame: bytes, reason: str
) -> None:
    worker, runner = ends
    worker.send(frame)
    with pytest.raises(WireError, match=reason):
        wire.receive_messages(runner, 5)


@pytest.mark.parametrize("size", [(5, 2, 29), (2, 6, 30), (2**31, 2**31, 30)])
def test_a_picture_of_another_size_than_asked_for_is_not_taken(
    ends: tuple[Channel, Channel], size: tuple[int, int, int]
) -> None:
    worker, runner = ends
    height, width, count = size
    worker.send(b"P" + struct.pack("!II", height, width) + bytes(count))
    with pytest.raises(WireError, match="expected"):
        wire.receive_messages(runner, 5, 30)


def test_a_frame_longer_than_any_message_is_not_waited_for(ends: tuple[Channel, Channel]) -> None:
    worker, runner = ends
    worker._socket.sendall(wire._LENGTH.pack(2**62))
    with pytest.raises(WireError, match="expected at most"):
        wire.receive_messages(runner, 5)


HOSTILE = {
    # What multiprocessing's Connection reads, and what ours does: both would run a command if unpickled.
    "old pickle": 'end.sendall(struct.pack("!i", len(poison)) + poison)',
    "pickle": 'end.sendall(struct.pack("!Q", len(poison)) + poison)',
    "half a message": 'end.sendall(struct.pack("!Q", 100) + b"J")',
    "silence": "pass",
    "drip": 'end.sendall(struct.pack("!Q", 10**6))\nwhile True: end.sendall(b"J"); time.sleep(0.01)',
}
PROGRAM = """
import os, pickle, socket, struct, sys, time
class Poison:
    def __reduce__(self):
        return os.system, ("touch {flag}",)
poison = pickle.dumps(Poison())
end = socket.socket(fileno=int(sys.argv[-2]))
{attack}
time.sleep(60)
"""


@pytest.mark.parametrize("attack", HOSTILE)
def test_a_hostile_worker_is_killed_in_time_and_reaches_nothing(attack: str, tmp_path: Path) -> None:
    flag = tmp_path / "reached"
    program = textwrap.dedent(PROGRAM).format(flag=flag, attack=HOSTILE[attack])
    walls = Sandbox("none", (sys.executable, "-c", program), {})
    child = pool.Child(1, lambda _: walls)
    outcome = Outcome()
    # More than the pipe holds, and nobody reads it.
    job = DecodeAgain(SPEC, bytes(2**21), None, 10) if attack == "silence" else _cell()
    pool.ask(child, job, Limits(seconds=0.5, memory_mib=4096), outcome)
    (failed,) = outcome.failed
    expected = "crash" if "pickle" in attack else "timeout"
    assert failed.outcome == expected, failed
    assert not child.alive
    assert not flag.exists()


def _cell() -> object:
    return planned_cell(planned_picture("a"), planned_codec("codec-id")).cell
