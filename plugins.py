"""Find what other installed packages bring along: codecs, metrics and designs of studies."""

from __future__ import annotations

import importlib
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any

THIS_PACKAGE = "codecarena itself"


@dataclass(frozen=True, slots=True)
class Plugin:
    """What an entry point of another package names; nothing of that package is imported to know it."""

    name: str
    path: str
    """``module:Class``."""
    package: str
    """The distribution that brings it."""
    version: str
    clash: str | None = None
    """Who else claims the name, and what to do; None where the name is this package's alone."""

    # Any: the class that the entry point names, of whichever kind its group holds.
    def load(self) -> Any:
        """Import and return what the entry point names; raises whatever that package raises."""
        module, _, attribute = self.path.partition(":")
        return getattr(importlib.import_module(module), attribute)


def find_plugins(group: str, built_in: Collection[str]) -> Mapping[str, Plugin]:
    """Return what other packages registered, by name; where two claim a name, the first, with its `clash`.

    Args:
        group: Of the entry points: ``codecarena.codecs``, ``codecarena.metrics`` or ``codecarena.designs``.
        built_in: Names that are taken by what this package has of the same kind.
    """
    claims: dict[str, list[EntryPoint]] = defaultdict(list)
    for point in entry_points(group=group):
        claims[point.name].append(point)
    return MappingProxyType({name: _plugin(claims[name], name in built_in) for name in sorted(claims)})


def _plugin(claims: list[EntryPoint], is_taken: bool) -> Plugin:
    first = claims[0]
    claimants = [THIS_PACKAGE] * is_taken + sorted(" ".join(_origin(point)).strip() for point in claims)
    clash = None
    if len(claimants) > 1:
        clash = (
            f"the name {first.name!r} is claimed by {' and by '.join(claimants)}; uninstall one of them, or "
            "have its author choose another name"
        )
    return Plugin(first.name, first.value, *_origin(first), clash)


def _origin(point: EntryPoint) -> tuple[str, str]:
    return (point.dist.name, point.dist.version) if point.dist else ("an unknown package", "")
