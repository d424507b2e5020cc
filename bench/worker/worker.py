"""The worker process: read jobs from a pipe, write messages to it, die with the runner."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import signal
import socket
import sys
import threading
from dataclasses import replace
from time import monotonic

import psutil

from ...counts import counted
from ..records.messages import Began, Cell, Failed, Finished, Message, Stage, TimingCall
from .measure import Worker
from .process_tree import descendants, left_session
from .wire import Channel, forget_stderr, receive_job, send_messages, stderr_tail

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
"""From Linux's <sys/prctl.h>."""
CLONE_NEWNS, MS_REC, MS_SLAVE, MS_NOSUID, MS_NODEV = 0x20000, 0x4000, 0x80000, 2, 4
"""From Linux's <sched.h> and <sys/mount.h>."""
STDERR = 2


def die_with_parent(lifeline: int) -> None:
    """Kill this process and all that it has started when the runner is gone, however it went.

    The runner holds the other end of the lifeline pipe and never writes. The kernel's own signal covers a
    worker that is stuck in a library without ever letting another thread run.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    def watch() -> None:
        os.read(lifeline, 1)
        for process in descendants(os.getpid()):
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def adopt_orphans() -> None:
    """Become the parent of what this process's children leave behind, so that it is seen and counted."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def own_shared_memory() -> None:
    """Have a ``/dev/shm`` of its own, which goes with this process; only where the system lets it make one.

    Must be called while there is one thread: others would keep the one of all programs.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "unshare"):
        if libc.unshare(CLONE_NEWNS):
            return  # not root, or a container without the right
        # Else the new one would be everybody's.
        if not libc.mount(None, b"/", None, MS_REC | MS_SLAVE, None):
            libc.mount(b"tmpfs", b"/dev/shm", b"tmpfs", MS_NOSUID | MS_NODEV, b"mode=1777")


def end_daemons(stage: Stage) -> Failed | None:
    """Kill what a job has left running in sessions of its own, and return the failure that it is.

    What stays in this session, as a helper that a library keeps, is counted with the worker and ends with it.

    Args:
        stage: The last one of the job.
    """
    left = [process for process in left_session(os.getpid()) if not _has_ended(process)]
    names: set[str] = set()
    for process in left:
        with contextlib.suppress(psutil.Error):
            names.add(psutil.Process(process).name())
    for process in left:
        with contextlib.suppress(OSError):
            os.kill(process, signal.SIGKILL)
    for process in left:
        with contextlib.suppress(ChildProcessError):  # the child of another that is left
            os.waitpid(process, 0)
    if not left:
        return None
    what = f"{counted(len(left), 'process')} ({', '.join(sorted(names))})"
    return Failed("error", stage, f"left {what} running in a session of its own: killed")


def _has_ended(process: int) -> bool:
    """Whether an adopted process is dead and waited for nothing but to be asked."""
    try:
        return os.waitpid(process, os.WNOHANG)[0] == process
    except ChildProcessError:  # the child of another that is left
        return False


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
    own_shared_memory()
    die_with_parent(int(sys.argv[2]))
    adopt_orphans()
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
        stage: Stage = "load"
        for message in worker.run(job):
            messages.append(_with_stderr(message) if isinstance(message, Failed) else message)
            # What is known must be out before a step that may kill this process begins, and not sooner:
            # each message wakes the runner.
            if isinstance(message, Began):
                stage = message.stage
                send_messages(channel, messages)
                messages = []
                limit_threads()
        if isinstance(job, Cell | TimingCall) and (failed := end_daemons(stage)):
            messages.append(_with_stderr(failed))
        send_messages(channel, [*messages, Finished(monotonic() - began)])


if __name__ == "__main__":
    main()
