"""Find out which codecs and metrics work on this machine, by loading each in a worker."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ... import __version__
from ...codecs import registry as codec_registry
from ...counts import counted
from ...datasets.sets.catalogue import names
from ..metrics import registry as metric_registry
from ..records.messages import CodecSpec, Describe, Limits
from ..store.database import StoreError
from ..store.store import Store
from ..worker import pool
from ..worker.device import cores, cpu_model

LIMITS = Limits(seconds=60, memory_mib=16 * 1024)
CONFIGURED = "ready: needs a recipe"
"""The `command` codec cannot be made without the user's own file."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing looked at."""

    kind: str
    name: str
    status: str


def examine(store: str, data: Path | None) -> Iterator[Line]:
    """Yield what was found of the machine, each codec, each metric, the sets and the store."""
    yield Line("machine", "python", f"{platform.python_version()} on {platform.platform()}")
    yield Line("machine", "processor", f"{cpu_model()}, {counted(cores(), 'core')}")
    yield Line("machine", "codecarena", __version__)
    try:
        for name, entry in codec_registry.entries().items():
            yield Line("codec", name, entry.missing or _codec_status(name))
        for name, entry in metric_registry.entries().items():
            if not name.startswith("pyiqa:"):
                yield Line("metric", name, entry.missing or _metric_status(name))
    finally:
        pool.stop()
        pool.close()
    for images in names(data):
        fetch = "" if images.present == images.count else f"; get them: codecarena sets fetch {images.name}"
        yield Line("set", images.name, f"{images.present} of {counted(images.count, 'picture')} here{fetch}")
    yield Line("store", store, _store_status(store))


def _codec_status(name: str) -> str:
    if name == "command":
        return CONFIGURED
    outcome = pool.supervise(Describe((CodecSpec(name, ()),), ()), LIMITS)
    if outcome.failed:
        return f"broken: {outcome.failed[0].message}"
    described = outcome.described[0]
    if described.absent and described.error:
        return _missing(described.error)
    return described.info.version if described.info else f"broken: {described.error}"


def _metric_status(name: str) -> str:
    outcome = pool.supervise(Describe((), (name,)), LIMITS)
    if outcome.failed:
        return f"broken: {outcome.failed[0].message}"
    identity = outcome.described[0].identity
    if identity:
        return f"{identity.implementation} {identity.version}"
    return _missing(str(outcome.described[0].error))


def _missing(error: str) -> str:
    """Return what is missing and how to get it: the lines between tell where it was looked for."""
    first, *others = error.splitlines()
    return "\n".join([f"missing: {first.rstrip(':')}", *others[-1:]])


def _store_status(store: str) -> str:
    try:
        opened = Store(store)
    except StoreError as error:
        return str(error)
    return (
        f"{counted(len(opened.cells()), 'cell')}, {counted(len(opened.failures()), 'failure')}, "
        f"{counted(len(opened.runs()), 'run')}"
    )
