"""Average pictures to one curve a codec, over those pictures that have finite scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..records.columns import Mask
from ..records.rows import MetricRow
from .curves import Curve, clean, to_quality


@dataclass(frozen=True, slots=True)
class MeanPoint:
    """One setting of a codec: means over pictures."""

    setting: float
    bits_per_pixel: float
    score: float
    """Mean of the scores on the metric's own scale."""


@dataclass(frozen=True, slots=True)
class MeanCurve:
    """A codec's means over a given set of pictures, setting by setting."""

    points: tuple[MeanPoint, ...]
    lossless_settings: tuple[float, ...] = ()
    """Left out: at least half of the pictures came back identical there."""
    pictures: frozenset[str] = frozenset()
    """Those of the means: pictures that have a finite score at each setting of the points."""

    def curve(self, metric: MetricRow) -> Curve:
        """Return the points as a rate-distortion curve."""
        rates = [point.bits_per_pixel for point in self.points]
        return clean(
            rates, to_quality(metric.curve_scale, metric.better, [point.score for point in self.points])
        )


@dataclass(frozen=True, slots=True)
class SharedPictures:
    """Pictures over which the mean curves of several codecs can be drawn together."""

    pictures: frozenset[str]
    codec_ids: frozenset[str]
    """Codecs whose curves have finite scores on all these pictures."""


def at_least_half(count: int, of: int) -> bool:
    """Return whether a count is at least half of the pictures, as a comparison needs."""
    return 2 * count >= of


def finite_part(finite: Mask) -> tuple[Mask, Mask]:
    """Return the pictures and the settings to average over, so that each picture is finite at each setting.

    A picture that comes back identical at a setting has no finite score there. It costs the picture. Only a
    setting at which half of the pictures or more do, and which lacks more of them than any picture lacks
    settings, goes itself: it is lossless rather than they are blank.

    Args:
        finite: Shape (pictures, settings).

    Returns:
        Masks of shape (pictures,) and (settings,). Where nothing is finite, no picture and no setting.
    """
    pictures, settings = finite.any(axis=1), finite.any(axis=0)
    while not (part := finite[np.ix_(pictures, settings)]).all():
        lack_of_pictures, lack_of_settings = 1 - part.mean(axis=1), 1 - part.mean(axis=0)
        worst_picture, worst_setting = lack_of_pictures.max(), lack_of_settings.max()
        if worst_setting >= 0.5 and worst_setting > worst_picture:
            settings[np.flatnonzero(settings)[lack_of_settings == worst_setting]] = False
        else:
            pictures[np.flatnonzero(pictures)[lack_of_pictures == worst_picture]] = False
    return pictures, settings


def shared_pictures(curves: Mapping[str, MeanCurve]) -> SharedPictures:
    """Return the pictures that codecs' curves share, and the codecs that share them.

    A codec that would leave fewer than half of the pictures of the fullest curve is not among them: one that
    is lossless nearly everywhere must not take the others' pictures away.
    """
    fullest_first = sorted(
        (codec_id for codec_id, curve in curves.items() if curve.points),
        key=lambda codec_id: -len(curves[codec_id].pictures),
    )
    if not fullest_first:
        return SharedPictures(frozenset(), frozenset())
    pictures = fullest = curves[fullest_first[0]].pictures
    codec_ids: set[str] = set()
    for codec_id in fullest_first:
        left = pictures & curves[codec_id].pictures
        if at_least_half(len(left), len(fullest)):
            pictures = left
            codec_ids.add(codec_id)
    return SharedPictures(pictures, frozenset(codec_ids))
