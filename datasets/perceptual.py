"""Compute and compare perceptual hashes: 64 bits that hardly change when a picture is scaled or coded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

NEAR_BITS = 8
"""Two pictures whose hashes differ in at most so many bits of 64 are taken for one."""
_SIDE, _KEPT = 32, 8
_CHUNK = 256
_ONES = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(axis=1).astype(np.uint8)
"""How many bits of a byte are set."""


def perceptual_hash(pixels: NDArray[np.uint8]) -> str:
    """Return the perceptual hash of a picture as 16 hex digits.

    Luma is brought to 32x32 by area, and of its DCT-II the 8x8 lowest frequencies are compared with their
    median (the mean's own left out). Equal areas of one colour have no such order: they hash to zero.

    Zauner, "Implementation and benchmarking of perceptual image hash functions" (2010), DCT based hash.

    Args:
        pixels: (height, width, 3), uint8, sRGB.
    """
    import cv2
    from scipy.fft import dctn

    luma = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    small = cv2.resize(luma, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float64)
    low = np.asarray(dctn(small, norm="ortho"))[:_KEPT, :_KEPT].round(3)
    median = float(np.median(low.ravel()[1:]))
    bits = (low > median).ravel()
    bits[0] = False
    return np.packbits(bits).tobytes().hex()


def near_pairs(
    first: Mapping[str, str], second: Mapping[str, str] | None = None, bits: int = NEAR_BITS
) -> list[tuple[str, str, int]]:
    """Return the names of near-duplicates and in how many bits they differ, in order of the names.

    Args:
        first: Perceptual hashes by name.
        second: Those to compare with; None compares the first with each other.
        bits: The most in which two of them may differ.
    """
    compared = first if second is None else second
    names, others = list(first), list(compared)
    rows, columns = _packed(first.values()), _packed(compared.values())
    pairs: list[tuple[str, str, int]] = []
    for start in range(0, len(names), _CHUNK):
        differing = _ONES[rows[start : start + _CHUNK, None] ^ columns[None]].sum(axis=2)
        for row, column in np.argwhere(differing <= bits):
            if second is not None or column > row + start:
                pairs.append((names[row + start], others[column], int(differing[row, column])))
    return pairs


def _packed(hashes: Iterable[str]) -> NDArray[np.uint8]:
    """Return hashes as bytes, (count, 8)."""
    return np.frombuffer(bytes.fromhex("".join(hashes)), np.uint8).reshape(-1, 8)
