"""Measure a decoder's footprint: the bytes of weights and libraries it opens in a fresh process."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from ..records.messages import CodecSpec
from ..worker.pool import worker_environment
from .opened_files import Opened, listen, surrender

if TYPE_CHECKING:
    from ..store.timings import Footprint

WEIGHTS = {
    ".bin", ".ckpt", ".gguf", ".h5", ".msgpack", ".npy", ".npz", ".onnx", ".pb", ".pkl", ".pt", ".pth",
    ".safetensors", ".tar", ".tflite",
}  # fmt: skip
"""Suffixes of the files that hold what a network learned."""
RUNTIMES = {"torch": "torch", "tensorflow": "tensorflow", "onnxruntime": "onnxruntime", "jaxlib": "jaxlib"}
"""Frameworks that are named and not counted: distribution by folder."""
COMPANIONS = ("nvidia", "triton", "torch", "torchvision", "tensorflow", "onnxruntime", "jaxlib", "functorch")
"""Folders of site-packages that belong to a framework."""
PACKAGES = ("site-packages", "dist-packages")
"""Folders of Python's packages; a .pth directly in one is a list of paths."""
MARK = Path("/codecarena/the codec begins here")
"""A path that is tried, and is not there, when everything but the codec is loaded."""
SYSTEM = ("/proc", "/sys", "/dev", "/etc")


class FootprintError(Exception):
    """What a decoder opens cannot be seen here; the message says why."""


@dataclass(frozen=True, slots=True)
class FootprintJob:
    """What the fresh process is to load and decode."""

    codec: CodecSpec
    bitstreams: tuple[str, ...]


def observe(job: FootprintJob, seconds: float) -> Footprint:
    """Return the footprint of a decoder: loaded once, then every bitstream decoded.

    Raises:
        FootprintError: The kernel does not let us look, or the decoder fails in the fresh process.
    """
    parent_end, theirs = socket.socketpair()
    words = [sys.executable, "-P", "-m", f"{__package__}.footprint", str(theirs.fileno())]
    task = json.dumps([job.codec.name, dict(job.codec.parameters), job.bitstreams])
    with parent_end, tempfile.TemporaryFile() as stderr:
        process = subprocess.Popen(
            [*words, task],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
            env=worker_environment(1),
        )
        theirs.close()
        opened = _opened(parent_end, process, seconds)
        if opened is None or process.returncode:
            stderr.seek(0)
            last = stderr.read().decode(errors="replace").strip().splitlines()[-1:]
            raise FootprintError(f"what its decoder opens is unknown: {' '.join(last) or 'it took too long'}")
    return footprint(opened)


def _opened(channel: socket.socket, process: subprocess.Popen[bytes], seconds: float) -> list[Opened] | None:
    """Return all that was opened, None where we may not look; a process that takes too long is killed."""
    alarm = threading.Timer(seconds, _kill, [process])
    alarm.start()
    try:
        opened = list(listen(channel))
        process.wait()
    except OSError:
        return None
    finally:
        alarm.cancel()
        _kill(process)
    return opened


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        # The alarm's thread may have been quicker.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def footprint(opened: Iterable[Opened]) -> Footprint:
    """Return the footprint of opened files, in order; those opened before `MARK` are common to all codecs."""
    # Not above: the store's libraries are half of the time that the fresh process takes.
    from ..store.timings import Footprint

    shared: set[Path] = set()
    weights: dict[Path, int] = {}
    libraries: dict[Path, int] = {}
    runtimes: set[str] = set()
    begun = False
    for file in opened:
        begun = begun or file.path == MARK
        path = _file(file.path)
        if path is None:
            continue
        if not begun:
            shared.add(path)
        elif path not in shared:
            runtime = _framework(path)
            if runtime:
                runtimes.add(runtime)
            elif file.executed or (".so" in path.suffixes and not _of_python(path)):
                libraries[path] = path.stat().st_size
            elif path.suffix.lower() in WEIGHTS and path.parent.name not in PACKAGES:
                weights[path] = path.stat().st_size
    named = {RUNTIMES[runtime]: _version(runtime) for runtime in sorted(runtimes) if runtime in RUNTIMES}
    return Footprint(
        sum(weights.values()),
        sum(libraries.values()),
        ", ".join(f"{name} {release}" for name, release in named.items()),
        {"weights": _by_name(weights), "libraries": _by_name(libraries)},
    )


def _file(path: Path) -> Path | None:
    """Return the real path of a regular file, None for anything else."""
    if str(path).startswith(SYSTEM):
        return None
    try:
        real = path.resolve()
        return real if real.is_file() else None
    except (OSError, ValueError):
        return None


def _of_python(path: Path) -> bool:
    """Whether a library is one of the interpreter's own modules."""
    return path.is_relative_to(sysconfig.get_path("stdlib")) and "site-packages" not in path.parts


def _framework(path: Path) -> str | None:
    """Return the folder of site-packages that a framework's file lies in."""
    parts = path.parts
    for folder in PACKAGES:
        if folder in parts and (rest := parts[parts.index(folder) + 1 :]):
            name = rest[0].partition(".")[0]
            return name if name in COMPANIONS else None
    return None


def _by_name(sizes: dict[Path, int]) -> dict[str, int]:
    """Return bytes by file name, of files of one name the sum."""
    named: dict[str, int] = {}
    for path, size in sorted(sizes.items()):
        named[path.name] = named.get(path.name, 0) + size
    return named


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def main() -> None:
    """Load a codec and decode bitstreams; the kernel reports every opened file to the parent."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    surrender(channel)
    channel.close()
    name, parameters, bitstreams = json.loads(sys.argv[2])
    # Every codec's pictures are NumPy's, so it is nobody's footprint.
    importlib.import_module("numpy")
    from ...codecs import registry

    with contextlib.suppress(OSError):
        MARK.open()
    codec = registry.create(name, parameters)
    for path in bitstreams:
        codec.decode(Path(path).read_bytes())


if __name__ == "__main__":
    main()
