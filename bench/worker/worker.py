"""The worker process: read jobs from a pipe, write messages to it, die with the runner."""

from __future__ import annotations

import ctypes
import importlib
import os
import signal
import socket
import sys
import threading
from dataclasses import replace
from time import monotonic

from ..records.messages import Began, Failed, Finished, Message
from .measure import Worker
from .wire import Channel, forget_stderr, receive_job, send_messages, stderr_tail

PR_SET_PDEATHSIG = 1
"""From Linux's <sys/prctl.h>."""
STDERR = 2


def die_with_parent(lifeline: int) -> None:
    """Kill this process's whole group when the runner is gone, however it went.

    The runner holds the other end of the lifeline pipe and never writes. The kernel's own signal covers a
    worker that is stuck in a library without ever letting another thread run.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    def watch() -> None:
        os.read(lifeline, 1)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def limit_threads() -> None:
    """Hold libraries that ignore the environment to the thread count of OMP_NUM_THREADS."""
    count = int(os.environ.get("OMP_NUM_THREADS", "1"))
    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(count)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)


def _with_stderr(failed: Failed) -> Failed:
    """Return a failure with the end of stderr: when the runner hears of it, the next job may write there."""
    return replace(failed, stderr_tail=stderr_tail(STDERR))


def main() -> None:
    """Serve jobs until the pipe closes. Called as ``-m codecarena.bench.worker.worker JOBS LIFELINE``."""
    channel = Channel(socket.socket(fileno=int(sys.argv[1])))
    die_with_parent(int(sys.argv[2]))
    # Loaded while the runner still looks for work: nearly every cell needs it.
    importlib.import_module("cv2")
    # Descriptor 1 is for nobody: what a library prints would otherwise reach the user's terminal.
    os.dup2(STDERR, 1)
    worker = Worker()
    while True:
        try:
            job = receive_job(channel)
        except EOFError:
            return
        began = monotonic()
        forget_stderr(STDERR)
        messages: list[Message] = []
        for message in worker.run(job):
            messages.append(_with_stderr(message) if isinstance(message, Failed) else message)
            # What is known must be out before a step that may kill this process begins, and not sooner:
            # each message wakes the runner.
            if isinstance(message, Began):
                send_messages(channel, messages)
                messages = []
                limit_threads()
        send_messages(channel, [*messages, Finished(monotonic() - began)])


if __name__ == "__main__":
    main()
