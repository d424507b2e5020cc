"""Code people's keypoints, draw them as OpenPose does, and read them from its JSON."""

from __future__ import annotations

import colorsys
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from ....base import CodecError
from ....bitstream import Reader
from .layers import KEYPOINTS, Skeleton

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ....base import Image

MOST_PEOPLE = 64
_COORDINATE_BITS = 10
_COORDINATE_TOP = (1 << _COORDINATE_BITS) - 1
_BODY_25 = (0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18)
"""Where OpenPose's 25-point model has the points of its 18-point one; what it has more is left out."""
_LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10),
    (1, 11), (11, 12), (12, 13), (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
"""Pairs of points, in the order in which OpenPose colours them along the colour wheel."""
_LIMB_LIGHT = 0.6
_CANVAS_SIDE = 512
"""Side at which OpenPose's limbs are four pixels to either side."""


def encode(skeletons: Sequence[Skeleton]) -> bytes:
    """Return a byte for the number of people, then for each 18 visibility bits and 20 a visible point.

    Raises:
        CodecError: There are more than `MOST_PEOPLE`.
    """
    if len(skeletons) > MOST_PEOPLE:
        raise CodecError(f"expected at most {MOST_PEOPLE} people, got {len(skeletons)}")
    bits = "".join(_bits(skeleton) for skeleton in skeletons)
    whole = bits.ljust(-(-len(bits) // 8) * 8, "0")
    return bytes([len(skeletons)]) + bytes(int(whole[at : at + 8], 2) for at in range(0, len(whole), 8))


def decode(data: bytes) -> tuple[Skeleton, ...]:
    """Return the skeletons.

    Raises:
        CodecError: The data are cut short or too long, or claim too many people.
    """
    reader = Reader(data)
    count = reader.number(1)
    if count > MOST_PEOPLE:
        raise CodecError(f"expected at most {MOST_PEOPLE} people in the stream, it claims {count}")
    bits = "".join(f"{byte:08b}" for byte in reader.rest())
    skeletons: list[Skeleton] = []
    for _ in range(count):
        skeleton, bits = _skeleton(bits)
        skeletons.append(skeleton)
    if len(bits) > 7 or "1" in bits:
        raise CodecError("keypoints in the stream are followed by something else")
    return tuple(skeletons)


def from_openpose(path: Path, width: int, height: int) -> tuple[Skeleton, ...]:
    """Return the people of a JSON file as OpenPose writes it: ``people[].pose_keypoints_2d``, in pixels.

    Args:
        path: Of the file; models of 18 and of 25 points are read. Where it has ``canvas_width`` and
            ``canvas_height``, as some tools write them, these are the size that its pixels are of.
        width: Of the picture, pixels.
        height: Of the picture, pixels.

    Raises:
        CodecError: It cannot be read, or is no such file.
    """
    try:
        content = json.loads(path.read_bytes())
        size = (float(content.get("canvas_width", width)), float(content.get("canvas_height", height)))
        if not all(0 < side < np.inf for side in size):
            raise ValueError(f"a canvas of {size[0]:g} x {size[1]:g}")
        people = [np.array(person["pose_keypoints_2d"], np.float64) for person in content["people"]]
        return tuple(_from_numbers(numbers, size) for numbers in people if numbers.size)
    # Numbers may be too large for a float, brackets too deep for the parser.
    except (
        OSError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise CodecError(
            f"expected OpenPose's JSON, people[].pose_keypoints_2d with 18 or 25 points, in {path}: {error!r}"
        ) from error


def made(points: Sequence[tuple[float, float] | None]) -> Skeleton:
    """Return a skeleton of 18 points, shares of width and height; None for those that are not visible."""
    visible = np.array([point is not None for point in points])
    return Skeleton(np.array([point or (0.0, 0.0) for point in points]).clip(0, 1), visible)


def render(skeletons: Sequence[Skeleton], width: int, height: int) -> Image:
    """Return OpenPose's picture of the skeletons: coloured limbs and points on black.

    It is what openpose adapters and ControlNets were trained on. Points are coloured along the colour wheel,
    limbs likewise at 0.6 of the light.

    Args:
        skeletons: Points in shares of the picture, 0 to 1.
        width: Of the drawing, pixels.
        height: Of the drawing, pixels.
    """
    canvas = np.zeros((height, width, 3), np.uint8)
    thickness = max(1, round(4 * min(width, height) / _CANVAS_SIDE))
    for skeleton in skeletons:
        places = np.rint(skeleton.points * (width - 1, height - 1)).astype(int)
        for index, (start, end) in enumerate(_LIMBS):
            if skeleton.visible[start] and skeleton.visible[end]:
                _limb(canvas, places[start], places[end], thickness, _colour(index, _LIMB_LIGHT))
    for skeleton in skeletons:
        places = np.rint(skeleton.points * (width - 1, height - 1)).astype(int)
        for index in np.flatnonzero(skeleton.visible):
            cv2.circle(canvas, places[index].tolist(), thickness, _colour(int(index), 1.0), -1)
    return canvas


def _limb(
    canvas: Image,
    start: np.ndarray[Any, Any],
    end: np.ndarray[Any, Any],
    thickness: int,
    colour: tuple[int, ...],
) -> None:
    centre = np.rint((start + end) / 2).astype(int).tolist()
    across, down = (end - start).tolist()
    angle = float(np.degrees(np.arctan2(down, across)))
    cv2.ellipse(canvas, centre, (round(np.hypot(across, down) / 2), thickness), angle, 0, 360, colour, -1)


def _colour(index: int, light: float) -> tuple[int, ...]:
    return tuple(int(255 * level * light) for level in colorsys.hsv_to_rgb(index / KEYPOINTS, 1, 1))


def _bits(skeleton: Skeleton) -> str:
    visible = "".join("1" if is_visible else "0" for is_visible in skeleton.visible)
    shown = np.rint(skeleton.points[skeleton.visible].clip(0, 1) * _COORDINATE_TOP).astype(int)
    return visible + "".join(
        f"{coordinate:0{_COORDINATE_BITS}b}" for coordinate in shown.reshape(-1).tolist()
    )


def _skeleton(bits: str) -> tuple[Skeleton, str]:
    """Return the first skeleton of a string of bits, and the rest of the string."""
    visible = np.array([bit == "1" for bit in bits[:KEYPOINTS]], dtype=np.bool_)
    length = KEYPOINTS + 2 * _COORDINATE_BITS * int(visible.sum())
    if len(bits) < length:
        raise CodecError("keypoints in the stream are cut short")
    starts = range(KEYPOINTS, length, _COORDINATE_BITS)
    numbers = [int(bits[start : start + _COORDINATE_BITS], 2) for start in starts]
    points = np.zeros((KEYPOINTS, 2))
    points[visible] = np.array(numbers).reshape(-1, 2) / _COORDINATE_TOP
    return Skeleton(points, visible), bits[length:]


def _from_numbers(numbers: np.ndarray[Any, Any], size: tuple[float, float]) -> Skeleton:
    """Return the skeleton of x, y and confidence, point after point."""
    table = numbers.reshape(-1, 3)
    if len(table) not in (KEYPOINTS, 25) or not np.isfinite(table).all():
        raise ValueError(f"{len(table)} points, or numbers that are none")
    chosen = table if len(table) == KEYPOINTS else table[list(_BODY_25)]
    visible = chosen[:, 2] > 0
    shares = (chosen[:, :2] / size).clip(0, 1)
    return Skeleton(np.where(visible[:, None], shares, 0.0), visible)
