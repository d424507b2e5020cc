"""Detect a picture's structure: edges by Canny's or a learned detector, or the people in it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from ...base import CodecError, MissingBackendError
from ...quiet import quiet
from ..published import ANNOTATORS, Published, folder_of
from .coding.grids import cell_means
from .coding.skeleton import made

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...base import Image
    from .coding.layers import Skeleton

_DETECTORS = {
    "pidinet": ("PidiNetDetector", ("table5_pidinet.pth",)),
    "hed": ("HEDdetector", ("ControlNetHED.pth",)),
    "openpose": ("OpenposeDetector", ("body_pose_model.pth", "hand_pose_model.pth", "facenet.pth")),
}
_DETECTION_SIDE = 512
_EDGE_LEVEL = 128
"""Of a learned detector's grey map, from where on there is an edge."""


def canny(
    pixels: Image, rows: int, columns: int, sigma: float = 1.4, low: float = 40, high: float = 80
) -> NDArray[np.bool_]:
    """Return the edge map of a picture on a grid, boolean of shape (rows, columns).

    The picture is brought to the grid first, so that edges are one cell wide.

    Args:
        pixels: sRGB.
        rows: Of the grid.
        columns: Of the grid.
        sigma: Of the Gaussian before the detector, cells.
        low: Gradient (Sobel, 8-bit levels) down to which an edge is followed.
        high: Gradient from which an edge begins.
    """
    grey = cv2.cvtColor(cell_means(pixels, rows, columns), cv2.COLOR_RGB2GRAY)
    smooth = cv2.GaussianBlur(grey, (0, 0), sigma) if sigma > 0 else grey
    return cv2.Canny(smooth, low, high, L2gradient=True) > 0


def from_lines(drawing: Image, rows: int, columns: int) -> NDArray[np.bool_]:
    """Return the edge map of a drawing with dark lines on light ground, or light ones on dark.

    Lines are what differs from the commoner ground; they stay even where the grid is coarser than they.

    Args:
        drawing: (height, width, 3), uint8.
        rows: Of the grid.
        columns: Of the grid.
    """
    grey = cv2.cvtColor(drawing, cv2.COLOR_RGB2GRAY)
    dark = grey < _EDGE_LEVEL
    return on_grid(dark if dark.mean() <= 0.5 else ~dark, rows, columns)


def on_grid(edges: NDArray[np.bool_], rows: int, columns: int) -> NDArray[np.bool_]:
    """Return an edge map on another grid: a cell has an edge where any that it covers has one.

    Args:
        edges: Boolean, of any shape.
        rows: Of the new grid.
        columns: Of the new grid.
    """
    if edges.shape == (rows, columns):
        return edges.copy()
    cells = np.zeros((rows, columns), np.bool_)
    down, across = np.nonzero(edges)
    if edges.shape[0] >= rows and edges.shape[1] >= columns:
        cells[down * rows // edges.shape[0], across * columns // edges.shape[1]] = True
        return cells
    up = np.arange(rows) * edges.shape[0] // rows
    return edges[up[:, None], np.arange(columns) * edges.shape[1] // columns]


class LearnedDetector:
    """A detector of the ``controlnet_aux`` package: PiDiNet or HED for edges, OpenPose for people.

    Args:
        name: ``pidinet``, ``hed`` or ``openpose``.
        folder: Of its weights; empty for those that are published, fetched when they are not there.
        device: As torch names it.

    Raises:
        MissingBackendError: The package or the weights are not there.
    """

    def __init__(self, name: str, folder: str = "", device: str = "cpu") -> None:
        kind, files = _DETECTORS[name]
        try:
            with quiet():
                package = importlib.import_module("controlnet_aux")
        except ImportError as error:
            raise MissingBackendError(
                f"structure {name!r} needs the package controlnet_aux: pip install controlnet_aux ({error})"
            ) from error
        from ...devices import find_device

        where = find_device(device)
        place = folder_of(folder, Published((ANNOTATORS,), files))
        try:
            with quiet():
                self._detector: Any = getattr(package, kind).from_pretrained(str(place)).to(where)
        except Exception as error:  # whatever the package's parsers raise
            raise CodecError(f"the detector {name!r} does not load from {place}: {error!r}") from error

    def edges(self, pixels: Image, rows: int, columns: int) -> NDArray[np.bool_]:
        """Return the edge map on a grid, boolean of shape (rows, columns).

        Args:
            pixels: (height, width, 3) uint8.
            rows: Of the grid.
            columns: Of the grid.
        """
        with quiet():
            grey = self._detector(pixels, _DETECTION_SIDE, _DETECTION_SIDE, output_type="np")
        return cell_means(np.ascontiguousarray(grey, np.uint8), rows, columns)[..., 0] >= _EDGE_LEVEL

    def people(self, pixels: Image) -> tuple[Skeleton, ...]:
        """Return the skeletons of the people in the picture; none where no one is found."""
        with quiet():
            poses: list[Any] = self._detector.detect_poses(pixels)
        bodies = [pose.body.keypoints for pose in poses]
        return tuple(
            made([None if keypoint is None else (keypoint.x, keypoint.y) for keypoint in body])
            for body in bodies
        )
