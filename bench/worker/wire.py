"""What runner and worker send each other: frames of bytes with their length before them.

A job goes to the worker pickled, since the runner made it. What comes back may come from a hostile decoder in
the worker's process: it is JSON, read against the types of the messages, bounded, and never unpickled.
What a worker writes to stderr goes to a file, of which a failure has the end.
"""

from __future__ import annotations

import json
import os
import pickle
import socket
import struct
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ..records import messages
from ..records.messages import DecodedAgain, Job, Message

if TYPE_CHECKING:
    from pydantic import TypeAdapter

MOST_MESSAGE_BYTES = 2**24
"""Of the JSON of some messages: what a codec is, with all its parameters, takes a few kilobytes."""
STDERR_TAIL_BYTES = 4000
_LENGTH = struct.Struct("!Q")
_SIZE = struct.Struct("!II")
"""Height and width of a picture."""
_JSON, _PIXELS = b"J", b"P"
"""What a frame holds, in its first byte."""
_HEAD_BYTES = 1 + _SIZE.size
"""Before the pixels of a picture."""
_CHUNK_BYTES = 2**20
_MESSAGES = {
    type_.__name__: type_
    for type_ in (
        messages.Described,
        messages.Identified,
        messages.Began,
        messages.Measured,
        messages.Scored,
        messages.Timed,
        messages.Inspected,
        messages.PictureContent,
        messages.Peeked,
        messages.DecodedSize,
        messages.EncodedAgain,
        messages.Failed,
        messages.Finished,
    )
}


class WireError(Exception):
    """What came from a worker is no message; the text says what was expected."""


class Channel:
    """One end of a pair of sockets between the runner and a worker."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._received = bytearray()
        self._wanted_bytes: int | None = None
        """Of the frame whose length has come."""

    def close(self) -> None:
        """Close this end."""
        self._socket.close()

    def send(self, content: bytes | memoryview, seconds: float | None = None) -> None:
        """Send a frame.

        Args:
            content: The frame's bytes.
            seconds: How long the other end may take to receive it; None for as long as it likes.

        Raises:
            OSError: The other end is gone, or took too long.
        """
        self._socket.settimeout(seconds)
        length = _LENGTH.pack(len(content))
        if len(content) > _CHUNK_BYTES:
            self._socket.sendall(length)
            self._socket.sendall(content)
        else:
            self._socket.sendall(length + content)

    def receive(self, most_bytes: int, seconds: float | None = None) -> bytes | None:
        """Return the next frame; None where it is not all there in time: what has come is kept.

        Args:
            most_bytes: The longest frame that is taken.
            seconds: How long to wait; None for as long as it takes.

        Raises:
            EOFError: The other end is gone.
            OSError: The connection broke.
            WireError: The frame is longer.
        """
        deadline = None if seconds is None else monotonic() + seconds
        while True:
            if self._wanted_bytes is None and len(self._received) >= _LENGTH.size:
                wanted_bytes = int(_LENGTH.unpack(self._received[: _LENGTH.size])[0])
                del self._received[: _LENGTH.size]
                if wanted_bytes > most_bytes:
                    raise WireError(f"expected at most {most_bytes} bytes, got {wanted_bytes}")
                self._wanted_bytes = wanted_bytes
            if self._wanted_bytes is not None and len(self._received) >= self._wanted_bytes:
                frame = bytes(self._received[: self._wanted_bytes])
                del self._received[: self._wanted_bytes]
                self._wanted_bytes = None
                return frame
            self._socket.settimeout(None if deadline is None else max(0, deadline - monotonic()))
            try:
                content = self._socket.recv(_CHUNK_BYTES)
            except (TimeoutError, BlockingIOError):
                return None
            if not content:
                raise EOFError
            self._received += content


def forget_stderr(file: int) -> None:
    """Empty the file of a worker's stderr: a job begins."""
    os.ftruncate(file, 0)
    os.lseek(file, 0, os.SEEK_SET)


def stderr_tail(file: int) -> str:
    """Return the end of what a worker and its children wrote to the file of their stderr."""
    start = max(0, os.fstat(file).st_size - STDERR_TAIL_BYTES)
    return os.pread(file, STDERR_TAIL_BYTES, start).decode(errors="replace")


def send_job(channel: Channel, job: Job, seconds: float) -> None:
    """Send a job to a worker; arguments and errors as of `Channel.send`."""
    channel.send(pickle.dumps(job), seconds)


def receive_job(channel: Channel) -> Job:
    """Return the next job inside a worker.

    Raises:
        EOFError: The runner has no more.
    """
    frame = channel.receive(2**63)
    assert frame is not None
    return cast("Job", pickle.loads(frame))


def send_messages(channel: Channel, said: Iterable[Message]) -> None:
    """Send a worker's messages in their order: frames of JSON, and one for each decoded picture."""
    records: list[tuple[str, dict[str, Any]]] = []
    for message in said:
        if isinstance(message, DecodedAgain):
            _send_json(channel, records)
            records = []
            height, width = message.pixels.shape[:2]
            channel.send(_PIXELS + _SIZE.pack(height, width) + message.pixels.tobytes())
        else:
            records.append((type(message).__name__, _plain_fields(message)))
    _send_json(channel, records)


def _send_json(channel: Channel, records: list[tuple[str, dict[str, Any]]]) -> None:
    if records:
        channel.send(_JSON + json.dumps(records, default=_number).encode())


def receive_messages(channel: Channel, seconds: float, pixel_bytes: int = 0) -> list[Message] | None:
    """Return the next messages of a worker; None where they are not there in time.

    Args:
        channel: The runner's end.
        seconds: How long to wait.
        pixel_bytes: Of the decoded picture that the worker is asked for; 0 where it is asked for none.

    Raises:
        EOFError: The worker is gone.
        OSError: The connection broke.
        WireError: What came is no message, or a picture of another size than that.
    """
    frame = channel.receive(max(MOST_MESSAGE_BYTES, pixel_bytes + _HEAD_BYTES), seconds)
    if frame is None:
        return None
    kind, content = frame[:1], memoryview(frame)[1:]
    if kind == _JSON:
        return read_messages(content)
    if kind != _PIXELS or len(frame) != pixel_bytes + _HEAD_BYTES:
        raise WireError(f"expected messages, got {len(frame)} bytes that begin with {bytes(frame[:8])!r}")
    height, width = _SIZE.unpack(content[: _SIZE.size])
    if 3 * height * width != pixel_bytes:
        raise WireError(f"expected {pixel_bytes} bytes of pixels, got a picture of {width}x{height}")
    pixels = np.frombuffer(content[_SIZE.size :], np.uint8).reshape(height, width, 3)
    return [DecodedAgain(pixels)]


def read_messages(content: bytes | memoryview) -> list[Message]:
    """Return the messages in a frame of JSON, each checked against its type.

    Raises:
        WireError: It is no JSON, or some of it is no message.
    """
    from pydantic import ValidationError

    try:
        records = json.loads(bytes(content))
    except (ValueError, RecursionError) as error:
        raise WireError(f"expected messages as JSON: {error}") from error
    if not isinstance(records, list):
        raise WireError(f"expected a list of messages, got {str(records)[:40]!r}")
    said: list[Message] = []
    for record in cast("list[Any]", records):
        name = record[0] if isinstance(record, list) and len(cast("list[Any]", record)) == 2 else None
        if not isinstance(name, str) or name not in _MESSAGES:
            raise WireError(f"expected a message, got {str(record)[:40]!r}")
        try:
            said.append(_adapter(name).validate_python(record[1]))
        except ValidationError as error:
            wrong = error.errors()[0]
            place = ".".join(map(str, wrong["loc"]))
            raise WireError(f"{name}.{place}: {wrong['msg']}, got {str(wrong['input'])[:40]!r}") from error
    return said


@cache
def _adapter(name: str) -> TypeAdapter[Any]:  # Any: of whichever message
    from pydantic import TypeAdapter

    return TypeAdapter(_MESSAGES[name])


# Any: JSON holds anything.
def _plain_fields(record: Any) -> dict[str, Any]:
    """Return a record's fields as JSON takes them."""
    return {field.name: _plain(getattr(record, field.name)) for field in fields(record)}


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return _plain_fields(value)
    if isinstance(value, Mapping):
        return {key: _plain(content) for key, content in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_plain(content) for content in cast("list[Any]", value)]
    return value


def _number(value: Any) -> Any:
    """Return one of NumPy's numbers as Python's."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"expected what JSON holds, got {type(value).__name__}")
