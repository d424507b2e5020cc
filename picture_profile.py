"""Make the ICC profile that a PNG file's ``gAMA`` and ``cHRM`` chunks stand for."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

_SRGB_GAMMA = 45455
"""What files of sRGB pixels carry in ``gAMA``, in 1 / 100,000: 1 / 2.2."""
_SRGB_CHROMATICITIES = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
"""White, red, green and blue of sRGB, x and y each, in 1 / 100,000."""
_GAMMA_TOLERANCE = 0.05
"""Share by which a gamma may differ from sRGB's; Macintosh's 1 / 1.8 differs by a fifth."""
_CHROMATICITY_TOLERANCE = 1000
"""In 1 / 100,000: rounded and swapped digits stay within it, Adobe RGB and Display P3 do not."""
_D50 = (0.9642, 1.0, 0.8249)
_SRGB_COLORANTS = np.array([[0.4361, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7141]])
"""XYZ of sRGB's red, green and blue, as columns, adapted to D50 (IEC 61966-2-1)."""
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def png_profile(gamma: bytes, chromaticities: bytes) -> bytes | None:
    """Return the profile of a PNG file that has neither code points nor a profile nor ``sRGB``.

    Args:
        gamma: Body of ``gAMA``, empty where there is none.
        chromaticities: Body of ``cHRM``, empty where there is none.

    Returns:
        None for sRGB, which a gamma of 1 / 2.2 stands for: its files carry it.
    """
    exponent = int.from_bytes(gamma) if len(gamma) == 4 else _SRGB_GAMMA
    points = struct.unpack(">8I", chromaticities) if len(chromaticities) == 32 else _SRGB_CHROMATICITIES
    far = [abs(got - usual) for got, usual in zip(points, _SRGB_CHROMATICITIES, strict=True)]
    usual_gamma = not exponent or abs(exponent / _SRGB_GAMMA - 1) <= _GAMMA_TOLERANCE
    colorants = None if max(far) <= _CHROMATICITY_TOLERANCE else _colorants(points)
    if usual_gamma and colorants is None:
        return None
    curve = _SRGB_CURVE if usual_gamma else _power_curve(100_000 / exponent)
    return _profile(curve, _SRGB_COLORANTS if colorants is None else colorants)


def _colorants(points: tuple[int, ...]) -> NDArray[np.float64] | None:
    """Return XYZ of red, green and blue as columns, adapted to D50; None if they are no triangle."""
    xy = np.array(points, float).reshape(4, 2) / 100_000
    if not (xy[:, 1] > 0).all():
        return None
    xyz = np.stack([xy[:, 0] / xy[:, 1], np.ones(4), (1 - xy.sum(1)) / xy[:, 1]])
    white, primaries = xyz[:, 0], xyz[:, 1:]
    if abs(np.linalg.det(primaries)) < 1e-6:
        return None
    cone_gains = (_BRADFORD @ np.array(_D50)) / (_BRADFORD @ white)
    adapted = np.linalg.inv(_BRADFORD) @ np.diag(cone_gains) @ _BRADFORD
    return adapted @ (primaries * np.linalg.solve(primaries, white))


def _power_curve(exponent: float) -> bytes:
    return b"para" + bytes(4) + struct.pack(">HHi", 0, 0, round(exponent * 65536))


def _number(value: float) -> int:
    return round(value * 65536)


_SRGB_CURVE = (
    b"para"
    + bytes(4)
    + struct.pack(">HH5i", 3, 0, *map(_number, (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)))
)


def _profile(curve: bytes, colorants: NDArray[np.float64]) -> bytes:
    """Return an ICC 4.3 display profile of one curve and three colorants (ICC.1:2010, 7 and 8.3)."""

    def xyz(values: NDArray[np.float64] | tuple[float, ...]) -> bytes:
        return b"XYZ " + bytes(4) + struct.pack(">3i", *(_number(float(value)) for value in values))

    tags = {b"wtpt": xyz(_D50), b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    tags |= {name: xyz(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), colorants.T, strict=True)}
    place, table, body = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, value in tags.items():
        table += struct.pack(">4sII", name, place + len(body), len(value))
        body += value
    header = struct.pack(
        ">I4sI4s4s4s", 128 + len(table) + len(body), b"", 0x04300000, b"mntr", b"RGB ", b"XYZ "
    )
    header += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", *map(_number, _D50))
    return header.ljust(128, b"\0") + table + body
