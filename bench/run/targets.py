"""Parse the target of a search from the command line: a rate or a score, of each picture or of a set."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..metrics import registry as metric_registry
from ..metrics.base import MetricError
from ..records.rows import Scope, Score
from .suite import SuiteError

RATES = ("bpp", "total-bpp", "bytes")


@dataclass(frozen=True, slots=True)
class Target:
    """What codecs are matched by."""

    kind: str
    """``bpp``, ``total-bpp``, ``bytes``, or a metric's name."""
    value: float
    scope: Scope = "picture"

    @property
    def metric(self) -> str | None:
        """The metric, where it is one."""
        return None if self.kind in RATES else self.kind

    def __str__(self) -> str:
        """As the command line takes it."""
        return f"{self.kind}={self.value:g}"


def parse_target(text: str, scope: Scope = "picture") -> Target:
    """Return the target that ``bpp=0.25``, ``bytes=8000`` or ``ssimulacra2=70`` means.

    Raises:
        SuiteError: It is none of these; the message says what is expected.
    """
    kind, _, number = text.partition("=")
    kind = kind.strip()
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not kind or not math.isfinite(value):
        raise SuiteError(f"--match {text!r}: expected bpp=NUMBER, bytes=NUMBER or METRIC=NUMBER")
    if kind not in RATES:
        try:
            kind = metric_registry.resolved(metric_registry.find(kind).name)
        except MetricError as error:
            raise SuiteError(f"--match {text!r}: neither bpp nor bytes, and {error}") from error
    elif value <= 0:
        raise SuiteError(f"--match {text!r}: expected more than 0")
    if kind == "total-bpp" and scope == "picture":
        raise SuiteError(
            f"--match {text!r}: total bits over total pixels are those of a set; add --match-set"
        )
    return Target(kind, value, scope)


def lossy_values(scores: Sequence[Score]) -> list[float]:
    """Return the finite scores to average: a picture that came back identical costs that picture alone.

    None where half of the pictures or more came back identical: the setting is lossless.
    """
    values = [score.value for score in scores if score.value is not None]
    return values if 2 * len(values) > len(scores) else []
