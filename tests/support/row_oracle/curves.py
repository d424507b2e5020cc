"""One rate-distortion curve read at one rate or one quality, by SciPy's interpolation."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import PchipInterpolator

from codecarena.bench.analysis.curves import Curve, FloatArray


def quality_at_rate(curve: Curve, rate: float) -> float | None:
    """Return the quality at a rate by PCHIP over log rate, or None outside the curve."""
    if curve.points < 2 or not curve.rates[0] <= rate <= curve.rates[-1]:
        return None
    return float(PchipInterpolator(np.log(curve.rates), curve.qualities)(np.log(rate)))


def rate_at_quality(curve: Curve, quality: float) -> float | None:
    """Return the rate at a quality on the curve that BD-rate integrates, or None outside it."""
    if not _reaches(curve, quality):
        return None
    return float(np.exp(PchipInterpolator(curve.qualities, np.log(curve.rates))(quality)))


def columns_at_quality(curve: Curve, quality: float) -> FloatArray | None:
    """Return the further columns at a quality by PCHIP, shape (columns,), or None outside the curve.

    PCHIP never leaves the interval between the two neighbouring measurements. A column that lacks a value has
    none anywhere: NaN.
    """
    if not _reaches(curve, quality):
        return None
    return np.array(
        [
            PchipInterpolator(curve.qualities, column)(quality) if np.isfinite(column).all() else np.nan
            for column in curve.columns
        ]
    )


def _reaches(curve: Curve, quality: float) -> bool:
    return curve.points > 1 and bool(curve.qualities[0] <= quality <= curve.qualities[-1])
