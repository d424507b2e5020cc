"""What a metric is: an original prepared once, then one number for each decoded picture."""

from __future__ import annotations

from typing import Literal, Protocol

from ...codecs.base import Image, Picture
from ..records.identities import MetricIdentity


class MetricError(Exception):
    """A metric cannot score this pair; the message says why."""


class InapplicableError(MetricError):
    """The picture holds nothing that the metric measures, no text, no face: no score, and no failure."""


class MissingMetricError(MetricError):
    """A metric's library, program or weights are not here; the message says what to do."""


class Metric(Protocol):
    """A full-reference or no-reference quality measure of one decoded picture."""

    @property
    def identity(self) -> MetricIdentity:
        """Which computation this is."""
        ...

    @property
    def needs(self) -> Literal["pair", "decoded"]:
        """Whether the original is looked at."""
        ...

    @property
    def better(self) -> Literal["higher", "lower"]:
        """Which direction is better."""
        ...

    @property
    def perfect(self) -> float:
        """The value for identical pictures; infinite where unbounded, NaN where there is none."""
        ...

    def prepare(self, original: Picture) -> object:
        """Return whatever of the original's side can be computed once per picture.

        Raises:
            InapplicableError: It holds nothing that the metric measures. Only metrics with a finite `perfect`
                may raise it.
        """
        ...

    def score(self, prepared: object, decoded: Image) -> float:
        """Return the score.

        Raises:
            MetricError: The pair cannot be scored: sizes differ, or the picture is too small.
        """
        ...
