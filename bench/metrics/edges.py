"""Score pictures by the shares of edges that were invented and lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ..records.identities import MetricIdentity
from ..records.metric_facts import MetricFacts
from .pixels import LastPair, check_pair

if TYPE_CHECKING:
    from ...codecs.base import Image, Picture

_BLUR_SIGMA = 1.0
_LOW, _HIGH = 40, 100
"""Canny's thresholds on the L2 norm of the Sobel gradient; fixed, so that an edge that fades away is lost."""
_NEAR = np.ones((3, 3), np.uint8)
"""An edge is the same where it moved by at most one pixel."""
_SPACE = f"Y BT.601 full range, Gaussian {_BLUR_SIGMA:g}, Canny {_LOW} {_HIGH}, one pixel of tolerance"


@dataclass(frozen=True, slots=True)
class EdgeAgreement:
    """How two edge maps agree."""

    precision: float
    """Share of the decoded picture's edge pixels that lie near one of the original; the rest is invented."""
    recall: float
    """Share of the original's edge pixels with an edge of the decoded picture near by; the rest is lost."""

    @property
    def f1(self) -> float:
        """The harmonic mean of the two."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def edge_map(pixels: Image) -> NDArray[np.uint8]:
    """Return the edges of luma: 255 on an edge, else 0. Canny (PAMI 1986), by OpenCV."""
    grey = cv2.GaussianBlur(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), (0, 0), _BLUR_SIGMA)
    return np.asarray(cv2.Canny(grey, _LOW, _HIGH, L2gradient=True), np.uint8)


def agreement(original: NDArray[np.uint8], decoded: NDArray[np.uint8]) -> EdgeAgreement:
    """Return how the edge maps of a decoded picture and its original agree.

    Precision and recall of boundaries as in Martin, Fowlkes, Malik (PAMI 2004), each edge pixel matched to
    any near one rather than to one of its own. Where a map is empty, nothing of it is wrong: its share is 1.
    """
    return EdgeAgreement(_share(decoded, original), _share(original, decoded))


def _share(edges: NDArray[np.uint8], others: NDArray[np.uint8]) -> float:
    count = cv2.countNonZero(edges)
    if count == 0:
        return 1.0
    return cv2.countNonZero(cv2.bitwise_and(edges, cv2.dilate(others, _NEAR))) / count


def _compare(original: Image, decoded: Image) -> EdgeAgreement:
    return agreement(edge_map(original), edge_map(decoded))


_last_agreement = LastPair(_compare)


class _EdgeMetric:
    needs: Literal["pair", "decoded"] = "pair"
    facts = MetricFacts(lowest=0.0, highest=1.0, perfect=1.0)

    def prepare(self, original: Picture) -> Image:
        """Return the pixels as they are; the metrics share one comparison of each pair."""
        return original.pixels

    def _agreement(self, name: str, prepared: object, decoded: Image) -> EdgeAgreement:
        original = cast("Image", prepared)
        check_pair(name, original, decoded)
        return _last_agreement(original, decoded)


class EdgePrecision(_EdgeMetric):
    """Share of the decoded picture's edges that the original has: below 1, structure was invented."""

    identity = MetricIdentity("edge-precision", "codecarena", "1", _SPACE)

    def score(self, prepared: object, decoded: Image) -> float:
        """Return the precision, from 0 to 1."""
        return self._agreement("edge-precision", prepared, decoded).precision


class EdgeRecall(_EdgeMetric):
    """Share of the original's edges that the decoded picture has: below 1, structure was lost."""

    identity = MetricIdentity("edge-recall", "codecarena", "1", _SPACE)

    def score(self, prepared: object, decoded: Image) -> float:
        """Return the recall, from 0 to 1."""
        return self._agreement("edge-recall", prepared, decoded).recall


class EdgeF1(_EdgeMetric):
    """The harmonic mean of edge precision and edge recall."""

    identity = MetricIdentity("edge-f1", "codecarena", "1", _SPACE)

    def score(self, prepared: object, decoded: Image) -> float:
        """Return F1, from 0 to 1."""
        return self._agreement("edge-f1", prepared, decoded).f1
