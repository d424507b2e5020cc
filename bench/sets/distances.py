"""Compute distances between two sets of feature vectors, of originals and of decoded pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .base import Features

PROJECTIONS = 512
_ROWS = 2048
"""Rows of the kernel matrix held at once."""
_DIRECTIONS = 64
"""Projections held at once."""


def frechet(originals: Features, decoded: Features) -> float:
    """Return the squared Frechet distance between the normal distributions fitted to two clouds.

    |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)), covariances over n - 1, in float64. With S = R'R for the
    triangular factor R of the centred vectors, the trace of the root is the sum of the singular values of
    R1 R2': no root of an ill-conditioned product, also where there are fewer vectors than features.

    Dowson and Landau (1982); Heusel et al., "GANs Trained by a Two Time-Scale Update Rule" (NeurIPS 2017).

    Args:
        originals: Shape (n, features), at least two.
        decoded: Shape (m, features), at least two.
    """
    first_mean, first = _mean_and_factor(originals)
    second_mean, second = _mean_and_factor(decoded)
    root_trace = float(np.linalg.svd(first @ second.T, compute_uv=False).sum())
    spread = float(np.sum(first**2) + np.sum(second**2)) - 2 * root_trace
    return float(np.sum((first_mean - second_mean) ** 2)) + spread


def kernel(originals: Features, decoded: Features) -> float:
    """Return the unbiased squared maximum mean discrepancy under the kernel (x'y / features + 1)^3.

    The mean over all pairs, where other code averages over random subsets of 1000: the same expectation, no
    draw. Unbiased, so that near 0 it may be negative: most of all where decoded pictures equal their
    originals, because pairs of equal pictures count only between the two clouds.

    Binkowski et al., "Demystifying MMD GANs" (ICLR 2018).

    Args:
        originals: Shape (n, features), at least two.
        decoded: Shape (m, features), at least two.
    """
    first, second = originals.astype(np.float64), decoded.astype(np.float64)
    within = sum(
        (_kernel_sum(cloud, cloud) - _kernel_trace(cloud)) / (len(cloud) * (len(cloud) - 1))
        for cloud in (first, second)
    )
    return within - 2 * _kernel_sum(first, second) / (len(first) * len(second))


def sliced_wasserstein(originals: Features, decoded: Features) -> float:
    """Return the mean Wasserstein-1 distance between random one-dimensional projections of two clouds.

    Each axis of each level is first scaled by the originals' mean and deviation, so that all levels and
    colours weigh the same and a loss of contrast still counts. 0 is equal; 1 means that a projection's values
    are shifted by their own standard deviation.

    Rabin et al., "Wasserstein Barycenter and its Application to Texture Mixing" (SSVM 2011); Karras et al.,
    "Progressive Growing of GANs" (ICLR 2018), who scale each cloud by itself.

    Args:
        originals: Shape (n, levels, axes).
        decoded: The same shape.
    """
    generator = np.random.default_rng(0)
    directions = generator.standard_normal((originals.shape[2], PROJECTIONS))
    directions /= np.linalg.norm(directions, axis=0)
    levels = range(originals.shape[1])
    return float(
        np.mean([_level_distance(originals[:, level], decoded[:, level], directions) for level in levels])
    )


def spectrum(originals: Features, decoded: Features) -> float:
    """Return how many decibels two mean power spectra lie apart: the mean of the rings' absolute differences.

    Args:
        originals: Power, shape (n, rings), above 0.
        decoded: Shape (m, rings).
    """
    decibels = 10 * np.log10(np.mean(decoded, axis=0) / np.mean(originals, axis=0))
    return float(np.mean(np.abs(decibels)))


def _mean_and_factor(features: Features) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    values = features.astype(np.float64)
    mean = values.mean(axis=0)
    factor = cast("NDArray[np.float64]", np.linalg.qr((values - mean) / np.sqrt(len(values) - 1), mode="r"))
    return mean, factor


def _kernel_sum(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    parts = [first[start : start + _ROWS] @ second.T for start in range(0, len(first), _ROWS)]
    return sum(float(np.sum((part / first.shape[1] + 1) ** 3)) for part in parts)


def _kernel_trace(cloud: NDArray[np.float64]) -> float:
    return float(np.sum((np.sum(cloud**2, axis=1) / cloud.shape[1] + 1) ** 3))


def _level_distance(originals: Features, decoded: Features, directions: NDArray[np.float64]) -> float:
    mean, deviation = originals.mean(axis=0), originals.std(axis=0)
    # An axis on which all originals are equal keeps its own units.
    first, second = ((cloud - mean) / np.where(deviation > 0, deviation, 1) for cloud in (originals, decoded))
    moved = [
        np.mean(np.abs(np.sort(first @ some, axis=0) - np.sort(second @ some, axis=0)))
        for some in np.split(directions, PROJECTIONS // _DIRECTIONS, axis=1)
    ]
    return float(np.mean(moved))
