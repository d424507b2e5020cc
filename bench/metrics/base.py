"""What a metric is: an original prepared once, then one number for each decoded picture."""

from __future__ import annotations

from typing import Literal, Protocol

from ...codecs.base import Image, Picture
from ..records.identities import MetricIdentity
from ..records.metric_facts import MetricFacts


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
    def facts(self) -> MetricFacts:
        """What its values mean: direction, range, perfect value; and how they are written."""
        ...

    def prepare(self, original: Picture) -> object:
        """Return whatever of the original's side can be computed once per picture.

        Raises:
            InapplicableError: It holds nothing that the metric measures. Only metrics whose perfect
                value is finite may raise it.
        """
        ...

    def score(self, prepared: object, decoded: Image) -> float:
        """Return the score.

        Raises:
            MetricError: The pair cannot be scored: sizes differ, or the picture is too small.
        """
        ...
