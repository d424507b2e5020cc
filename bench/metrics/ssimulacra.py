"""Score pictures by SSIMULACRA2 as the Python port defines it, with an original prepared once.

The numbers are those of the package `ssimulacra2`, whose constants and weights are read from it, many times
sooner: with d = decoded - original in XYB only d, d^2 and x d are blurred, in float32, and every rounding is
in proportion to d. For the port's map 1 - (1 - md^2) (2 cov + C2) / (var x + var y + C2) this module computes
md^2 + q - md^2 q with q = var d / (2 var x + 2 cov(x, d) + var d + C2): the same without cancellation.

Both sides go through a picture in strips of rows, with the rows about them that the blur reaches, so that
what is held for a moment does not grow with the picture. Every pixel's values are those of the whole.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from importlib.metadata import version
from typing import TYPE_CHECKING, Literal, cast

import cv2
import numpy as np
from ssimulacra2 import ssimulacra2 as port

from ..records.identities import MetricIdentity
from ..records.metric_facts import MetricFacts
from .pixels import Plane, Scratch, check_pair, check_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...codecs.base import Image, Picture


_SMALLEST_SIDE = 8
_RADIUS = 5
_SIGMA = 1.5
STRIP_ROWS = 128

_LINEAR64 = port.srgb_to_linear(np.arange(256))
_LINEAR = _LINEAR64.astype(np.float32)
_ABSORBANCE = port.kOpsinAbsorbanceMatrix.reshape(3, 3)
# From cube roots of the absorbances to positive X, Y, B - Y: `linear_rgb_to_xyb`, then `make_positive_xyb`.
_TO_XYB = np.array([[7.0, -7.0, 0.0], [0.5, 0.5, 0.0], [-0.5, -0.5, 1.0]])
_XYB_OFFSET = np.array([0.42, 0.01, 0.55]) - _TO_XYB @ np.cbrt(port.kOpsinAbsorbanceBias)


def _gaussian_taps() -> Plane:
    offsets = np.arange(-_RADIUS, _RADIUS + 1)
    taps = np.exp(-(offsets**2) / (2 * _SIGMA**2))
    return taps / taps.sum()


_TAPS64 = _gaussian_taps()
_TAPS = _TAPS64.astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Scale:
    """What one scale of the original contributes; float32, three channels."""

    absorbance: Plane
    """Opsin absorbances of linear RGB."""
    root: Plane
    """Their cube roots."""
    padded: Plane
    """XYB with a margin of zeros left and right, where the port's blur sees zeros."""
    mean: Plane
    """Blurred XYB."""
    base: Plane
    """2 var x + C2."""
    edge: Plane
    """XYB minus its blur."""
    edge_weight: Plane
    """1 / (1 + |edge|)."""

    def of_rows(self, rows: slice) -> _Scale:
        """Return what some rows contribute."""
        return _Scale(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True, slots=True)
class _Prepared:
    pixels: Image
    linear: Plane
    scales: tuple[_Scale, ...]


@dataclass(frozen=True, slots=True)
class _Strip:
    """Some rows of a picture."""

    own: slice
    seen: slice
    """Its own and those about them that a blur of its own reaches."""
    inner: slice
    """Its own among those that it sees."""


def _strips(height: int) -> Iterator[_Strip]:
    for top in range(0, height, STRIP_ROWS):
        bottom = min(top + STRIP_ROWS, height)
        first = max(0, top - _RADIUS)
        yield _Strip(
            slice(top, bottom),
            slice(first, min(bottom + _RADIUS, height)),
            slice(top - first, bottom - first),
        )


def _linear(pixels: Image) -> Plane:
    return cv2.LUT(pixels, _LINEAR)


def _halve(linear: Plane) -> Plane:
    """Return 2x2 means; the last row or column of an odd side stands for itself."""
    height, width = linear.shape[:2]
    rows, columns = height % 2, width % 2
    if rows or columns:
        linear = cv2.copyMakeBorder(linear, 0, rows, 0, columns, cv2.BORDER_REPLICATE)
    return cv2.resize(linear, ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_AREA)


def _pad(values: Plane) -> Plane:
    return cv2.copyMakeBorder(values, 0, 0, _RADIUS, _RADIUS, cv2.BORDER_CONSTANT)


def _blur64(values: Plane) -> Plane:
    blurred = cv2.sepFilter2D(_pad(values), -1, _TAPS64, _TAPS64, borderType=cv2.BORDER_REFLECT)
    return blurred[:, _RADIUS:-_RADIUS]


def _prepare_scale(linear: Plane) -> _Scale:
    height, width, channels = linear.shape
    wide = width + 2 * _RADIUS
    widths = {field.name: wide if field.name == "padded" else width for field in fields(_Scale)}
    scale = _Scale(*(np.empty((height, columns, channels), np.float32) for columns in widths.values()))
    for strip in _strips(height):
        rows = scale.of_rows(strip.own)
        for field, values in zip(fields(_Scale), _prepare_rows(linear[strip.seen]), strict=True):
            getattr(rows, field.name)[:] = values[strip.inner]
    return scale


def _prepare_rows(linear: Plane) -> tuple[Plane, ...]:
    """Return what the fields of a scale hold, in float64."""
    absorbance = linear @ _ABSORBANCE.T + port.kOpsinAbsorbanceBias
    root = np.cbrt(absorbance)
    xyb = root @ _TO_XYB.T + _XYB_OFFSET
    mean = _blur64(xyb)
    variance = _blur64(xyb * xyb) - mean * mean
    edge = xyb - mean
    return absorbance, root, _pad(xyb), mean, 2 * variance + port.kC2, edge, 1 / (1 + np.abs(edge))


def _prepare(pixels: Image) -> _Prepared:
    level, scales = cv2.LUT(pixels, _LINEAR64), list[_Scale]()
    while len(scales) < port.kNumScales and min(level.shape[:2]) >= _SMALLEST_SIDE:
        scales.append(_prepare_scale(level))
        level = _halve(level)
    return _Prepared(pixels, _linear(pixels), tuple(scales))


def _means(values: Plane) -> Plane:
    return np.array(cv2.mean(values)[:3])


def _sums(values: Plane) -> Plane:
    """Return each channel's sum, and that of its fourth powers; the values are overwritten."""
    count = values.shape[0] * values.shape[1]
    mean = _means(values)
    cv2.multiply(values, values, dst=values)
    cv2.multiply(values, values, dst=values)
    return np.array([mean, _means(values)]) * count


class Ssimulacra2Port:
    """SSIMULACRA2 by the Python package: not equal to libjxl's, so it has a name of its own."""

    identity = MetricIdentity("ssimulacra2-py", "ssimulacra2 (Python)", version("ssimulacra2"), "XYB")
    needs: Literal["pair", "decoded"] = "pair"
    facts = MetricFacts("SSIMULACRA2-py", decimals=1, highest=100.0, perfect=100.0, default_order=2)

    def __init__(self) -> None:
        self._scratch = Scratch()

    def prepare(self, original: Picture) -> object:
        """Return the original's pyramid of XYB, blurs and edges, about 125 bytes a pixel."""
        check_size("ssimulacra2-py", original.pixels, _SMALLEST_SIDE)
        return _prepare(original.pixels)

    def score(self, prepared: object, decoded: Image) -> float:
        """Return the score: 100 for equal pixels, above 90 no visible loss, 30 low quality, no lower end.

        It agrees with `ssimulacra2.compute_ssimulacra2` to 1e-5.
        """
        original = cast("_Prepared", prepared)
        check_pair("ssimulacra2-py", original.pixels, decoded)
        change, features = cv2.subtract(_linear(decoded), original.linear), list[Plane]()
        for scale in original.scales:
            features.append(self._features(scale, change))
            change = _halve(change)
        return _score(np.array(features))

    def _features(self, scale: _Scale, change: Plane) -> Plane:
        """Return one scale's features, shape (channel, norm, map): structure, ringing, blurring.

        The norms are the mean and the fourth root of the mean fourth power.
        """
        sums = np.zeros((3, 2, 3))
        for strip in _strips(len(change)):
            sums += self._sums_of_strip(scale.of_rows(strip.seen), change[strip.seen], strip.inner)
        means = sums / (change.shape[0] * change.shape[1])
        means[:, 1] **= 0.25
        return means.transpose(2, 1, 0)

    def _sums_of_strip(self, scale: _Scale, change: Plane, inner: slice) -> Plane:
        """Return the sums of the inner rows of what a strip sees, shape (map, norm, channel)."""
        padded = self._difference(scale, change)
        product = self._scratch(1, padded.shape)
        mean = self._blur(padded, 2)
        variance = self._blur(cv2.multiply(padded, padded, dst=product), 3)
        covariance = self._blur(cv2.multiply(scale.padded, padded, dst=product), 4)
        loss = self._structure_loss(scale, mean, variance, covariance)
        edges = self._edge_sums(scale, padded[:, _RADIUS:-_RADIUS], mean, inner)
        return np.array([_sums(loss[inner]), *edges])

    def _difference(self, scale: _Scale, change: Plane) -> Plane:
        """Return decoded minus original in XYB between margins of zeros.

        The difference of two cube roots r and s is (r^3 - s^3) / (r^2 + r s + s^2), which does not cancel.
        """
        absorbed = cv2.transform(change, _ABSORBANCE)
        term = cv2.add(scale.absorbance, absorbed, dst=self._scratch(1, change.shape))
        root = cv2.pow(term, 1 / 3, dst=self._scratch(2, change.shape))
        cv2.multiply(cv2.add(root, scale.root, dst=term), root, dst=term)
        cv2.multiply(scale.root, scale.root, dst=root)
        cv2.divide(absorbed, cv2.add(term, root, dst=term), dst=absorbed)
        padded = self._scratch(0, scale.padded.shape)
        padded[:, :_RADIUS] = padded[:, -_RADIUS:] = 0
        cv2.transform(absorbed, _TO_XYB, dst=padded[:, _RADIUS:-_RADIUS])
        return padded

    def _edge_sums(self, scale: _Scale, difference: Plane, mean: Plane, inner: slice) -> list[Plane]:
        """Return the sums of edges that the codec made, then of edges that it lost."""
        strength = cv2.subtract(difference, mean, dst=self._scratch(1, mean.shape))
        cv2.add(strength, scale.edge, dst=strength)
        np.abs(strength, out=strength)
        strength -= np.abs(scale.edge)
        strength *= scale.edge_weight
        own = strength[inner]
        return [_sums(np.maximum(own, 0)), _sums(np.maximum(-own, 0))]

    def _blur(self, padded: Plane, number: int) -> Plane:
        blurred = self._scratch(number, padded.shape)
        cv2.sepFilter2D(padded, -1, _TAPS, _TAPS, dst=blurred, borderType=cv2.BORDER_REFLECT)
        return blurred[:, _RADIUS:-_RADIUS]

    def _structure_loss(self, scale: _Scale, mean: Plane, variance: Plane, covariance: Plane) -> Plane:
        term = self._scratch(5, mean.shape)
        cv2.subtract(covariance, cv2.multiply(scale.mean, mean, dst=term), dst=covariance)
        squared_mean = cv2.multiply(mean, mean, dst=term)
        cv2.subtract(variance, squared_mean, dst=variance)
        total = cv2.scaleAdd(covariance, 2.0, scale.base, dst=covariance)
        cv2.add(total, variance, dst=total)
        loss = cv2.divide(variance, total, dst=variance)
        # md^2 + q - md^2 q
        cv2.multiply(squared_mean, loss, dst=total)
        cv2.add(loss, squared_mean, dst=loss)
        cv2.subtract(loss, total, dst=loss)
        return np.maximum(loss, 0, out=loss)


def _score(features: Plane) -> float:
    """Return the score of features of shape (scale, channel, norm, map)."""
    ordered = features.transpose(1, 0, 2, 3).ravel()
    # A small picture has fewer scales; like the port, the weights are then taken in order from the first.
    error = 0.9562382616834844 * float(ordered @ port.weights[: ordered.size])
    error = 2.326765642916932 * error - 0.020884521182843837 * error**2 + 6.248496625763138e-05 * error**3
    return 100.0 - 10.0 * error**0.6276336467831387 if error > 0 else 100.0
