"""Measure the detail that a decoded picture adds to a coarse reconstruction, against the original.

A generative decoder adds detail to the coarse picture that its bits describe. Noise and sharpening add
"detail" too, so no measure here proves anything alone: `white_noise_at_psnr` and `unsharp_at_psnr` make, from
the same coarse picture, what a decoder of equal PSNR must be better than.

All pictures are uint8 of shape (height, width, 3), one pixel upwards; borders are continued by their edge.
Spatial measures look at luma (`bench.metrics.pixels.luma`); residuals are compared in all three channels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, laplace
from scipy.optimize import root_scalar

from ..metrics.pixels import check_pair, luma
from ..metrics.psnr import decibels
from .curves import FloatArray

if TYPE_CHECKING:
    from ...codecs.base import Image

RING_CYCLES_PER_PIXEL = 1 / 64
"""Width of the rings over which a spectrum is averaged."""
ROUNDING_POWER = 1 / 12
"""Power that rounding to 8 bits adds at every frequency; keeps the logarithm of a flat picture finite."""
PATCH_SIDE = 7
PROJECTIONS = 256
PATCHES = 8192
"""Patches drawn from a larger picture; all of them would take a minute to sort."""
UNSHARP_RADIUS_PIXELS = 1.0
"""Standard deviation of the blur that the unsharp mask subtracts."""
STRONGEST_NOISE = 256.0
"""Standard deviation, 8-bit levels."""
STRONGEST_UNSHARP = 64.0


def gradient_energy_ratio(decoded: Image, original: Image) -> float:
    """Return the mean squared luma gradient of the decoded picture over the original's; 1 is as sharp.

    Gradients are differences to the next pixel right and below. Strong edges, which survive any blur, weigh
    most; `mean_gradient_ratio` hears more of the fine texture.

    Returns:
        1 where neither picture has a gradient, infinite where only the original has none.
    """
    check_pair("gradient energy ratio", original, decoded)
    return _ratio(*(float(np.mean(_squared_gradient(picture))) for picture in (decoded, original)))


def mean_gradient_ratio(decoded: Image, original: Image) -> float:
    """Return the mean magnitude of the luma gradient over the original's; see `gradient_energy_ratio`."""
    check_pair("mean gradient ratio", original, decoded)
    return _ratio(*(float(np.mean(np.sqrt(_squared_gradient(picture)))) for picture in (decoded, original)))


def laplacian_energy_ratio(decoded: Image, original: Image) -> float:
    """Return the mean squared five-point Laplacian of luma over the original's: the finest detail only."""
    check_pair("Laplacian energy ratio", original, decoded)
    return _ratio(*(float(np.mean(_laplacian(picture) ** 2)) for picture in (decoded, original)))


def log_spectrum_distance(decoded: Image, original: Image) -> float:
    """Return how far two power spectra lie apart: the mean over rings of |difference of natural logarithms|.

    The luma, less its mean and under a Hann window, is Fourier transformed; its power is averaged over
    rings of `RING_CYCLES_PER_PIXEL` from zero to the corners (0.71 cycles per pixel), plus
    `ROUNDING_POWER`. 0 is equal; 1 means that the powers differ by a factor e on average. Too little and
    too much detail both count, detail in the wrong place does not.
    """
    check_pair("log spectrum distance", original, decoded)
    return float(np.mean(np.abs(_log_spectrum(decoded) - _log_spectrum(original))))


def patch_sliced_wasserstein(decoded: Image, original: Image, seed: int = 0) -> float:
    """Return the sliced Wasserstein-1 distance between the 7 x 7 patches of two luma Laplacians; 0 is equal.

    Up to `PATCHES` patches, at the same places in both pictures, are projected on `PROJECTIONS` random unit
    vectors; sorted projections are compared. White is 1, black 0.

    Source: Rabin et al., "Wasserstein Barycenter and its Application to Texture Mixing" (SSVM 2011).

    Args:
        decoded: The picture to judge, shape (height, width, 3), uint8.
        original: What it should look like, of the same shape.
        seed: Draws places and projections; only values of one seed compare.
    """
    check_pair("patch sliced Wasserstein", original, decoded)
    generator = np.random.default_rng(seed)
    count = original.shape[0] * original.shape[1]
    places = generator.choice(count, min(count, PATCHES), replace=False)
    directions = generator.standard_normal((PATCH_SIDE**2, PROJECTIONS))
    directions /= np.linalg.norm(directions, axis=0)
    first, second = (
        np.sort(_patches(picture, places) @ directions, axis=0) for picture in (decoded, original)
    )
    return float(np.mean(np.abs(first - second)))


def residual_cosine(decoded: Image, coarse: Image, original: Image) -> float:
    """Return the cosine between the added detail, decoded - coarse, and the missing one, original - coarse.

    1 is the true residual, 0 is as unrelated as noise, and nothing added. It shows detail put where it was
    lost. A low value does not convict: about a perfect mean estimate even a perfect sample of the posterior
    is uncorrelated with the true residual.

    Args:
        decoded: The picture to judge, shape (height, width, 3), uint8.
        coarse: What the detail was added to, of the same shape.
        original: What it should look like, of the same shape.
    """
    check_pair("residual cosine", original, decoded)
    check_pair("residual cosine", original, coarse)
    added, missing = (_difference(picture, coarse).ravel() for picture in (decoded, original))
    lengths = float(np.linalg.norm(added) * np.linalg.norm(missing))
    return float(added @ missing) / lengths if lengths else 0.0


def phase_share(decoded: Image, coarse: Image, period: int = 4) -> float:
    """Return the share of the added detail's variance that a pixel's place in a periodic grid explains.

    A network that works at 1/4 resolution may leave a 4 x 4 pattern; that alone has share 1, noise about
    ``period ** 2 / pixels``. So a picture of few periods tends to 1 whatever was added; nothing added is 0.

    Args:
        decoded: The picture to judge, shape (height, width, 3), uint8.
        coarse: What the detail was added to, of the same shape.
        period: Side of the grid, pixels.
    """
    check_pair("phase share", coarse, decoded)
    added = _difference(decoded, coarse)
    added -= added.mean(axis=(0, 1))
    phases = [added[row::period, column::period] for row in range(period) for column in range(period)]
    explained = sum(
        float(np.sum(phase.sum(axis=(0, 1)) ** 2)) / phase[..., 0].size for phase in phases if phase.size
    )
    total = float(np.sum(added**2))
    return explained / total if total else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Control:
    """A coarse picture made livelier without any knowledge of the original, down to a PSNR."""

    pixels: Image
    strength: float
    """Standard deviation of the noise in 8-bit levels, or the amount of the unsharp mask."""
    psnr_db: float
    """What was reached. Above the PSNR asked for at the greatest strength; below it, at strength 0, where the
    coarse picture itself is no better."""


def white_noise_at_psnr(
    coarse: Image, original: Image, psnr_db: float, seed: int = 0, grey: bool = False
) -> Control:
    """Return the coarse picture plus Gaussian noise, as much as lowers its PSNR to the original to this one.

    Args:
        coarse: What the noise is added to.
        original: What PSNR is measured against.
        psnr_db: The PSNR over red, green and blue to reach.
        seed: Draws the noise.
        grey: Whether the three channels share their noise, so that all of it is luma; otherwise each has its
            own.
    """
    height, width = coarse.shape[:2]
    noise = np.random.default_rng(seed).standard_normal((height, width, 1 if grey else 3))
    return _tune(coarse, noise, original, psnr_db, STRONGEST_NOISE)


def unsharp_at_psnr(coarse: Image, original: Image, psnr_db: float) -> Control:
    """Return the coarse picture under an unsharp mask, as strong as lowers its PSNR to this one.

    The first bit of sharpening may raise the PSNR; the strength is the one beyond, where it has fallen again.
    Where there is nothing to sharpen the PSNR is out of reach; `Control.psnr_db` tells.

    Args:
        coarse: The picture to sharpen, shape (height, width, 3), uint8.
        original: What PSNR is measured against, of the same shape.
        psnr_db: PSNR of the sharpened picture, decibels; lower than the coarse picture's.
    """
    blurred = gaussian_filter(
        coarse.astype(np.float64), (UNSHARP_RADIUS_PIXELS, UNSHARP_RADIUS_PIXELS, 0), mode="nearest"
    )
    return _tune(coarse, coarse - blurred, original, psnr_db, STRONGEST_UNSHARP)


def _tune(coarse: Image, direction: FloatArray, original: Image, psnr_db: float, strongest: float) -> Control:
    """Return coarse + strength x direction, rounded to bytes, of this PSNR or as near as it gets."""
    check_pair("control", original, coarse)
    wanted = 255.0**2 / 10 ** (psnr_db / 10)

    def excess(strength: float) -> float:
        return _squared_error(_moved(coarse, direction, strength), original) - wanted

    strength = _root(excess, strongest)
    pixels = _moved(coarse, direction, strength)
    return Control(pixels, strength, decibels(_squared_error(pixels, original)))


def _root(excess: Callable[[float], float], strongest: float) -> float:
    # But for rounding and clipping the error is a parabola in the strength: it crosses upwards only once.
    if excess(0.0) > -1e-9:
        return 0.0
    upper = 1.0
    while excess(upper) < 0:
        if upper >= strongest:
            return strongest
        upper *= 2
    return float(root_scalar(excess, method="brentq", bracket=(0.0, upper), xtol=1e-4).root)


def _moved(coarse: Image, direction: FloatArray, strength: float) -> Image:
    return np.clip(np.rint(coarse + strength * direction), 0, 255).astype(np.uint8)


def _squared_error(first: Image, second: Image) -> float:
    return float(np.mean(_difference(first, second) ** 2))


def _difference(first: Image, second: Image) -> FloatArray:
    return first.astype(np.float64) - second


def _ratio(numerator: float, denominator: float) -> float:
    if denominator > 0:
        return numerator / denominator
    return np.inf if numerator > 0 else 1.0


def _squared_gradient(pixels: Image) -> FloatArray:
    plane = luma(pixels)
    right: FloatArray = np.diff(plane, axis=1, append=plane[:, -1:])
    below: FloatArray = np.diff(plane, axis=0, append=plane[-1:])
    return right**2 + below**2


def _laplacian(pixels: Image) -> FloatArray:
    return laplace(luma(pixels), mode="nearest")


def _log_spectrum(pixels: Image) -> FloatArray:
    return np.log(ring_power(pixels))


def ring_power(pixels: Image) -> FloatArray:
    """Return the mean power of luma in every ring with a frequency, as `log_spectrum_distance` takes it."""
    height, width = pixels.shape[:2]
    # Two points more than needed, cut off: no weight is zero, however small the picture.
    window = np.outer(np.hanning(height + 2)[1:-1], np.hanning(width + 2)[1:-1])
    plane = luma(pixels)
    centred = plane - np.average(plane, weights=window)
    power = np.abs(np.fft.fft2(centred * window)) ** 2 / np.sum(window**2)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))
    ring = np.floor(frequency / RING_CYCLES_PER_PIXEL).astype(np.intp).ravel()
    count = np.bincount(ring)
    used = count > 0
    return np.bincount(ring, power.ravel())[used] / count[used] + ROUNDING_POWER


def _patches(pixels: Image, places: NDArray[np.int64]) -> FloatArray:
    """Return the patches of the Laplacian centred on these places, shape (places, 49)."""
    padded = np.pad(_laplacian(pixels) / 255, PATCH_SIDE // 2, mode="edge")
    windows = sliding_window_view(padded, (PATCH_SIDE, PATCH_SIDE))
    rows, columns = np.unravel_index(places, windows.shape[:2])
    return windows[rows, columns].reshape(len(places), -1)
