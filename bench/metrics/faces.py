"""Score how well the faces of the original survived."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

import cv2
import numpy as np
from cv2 import data as cv2_data
from scipy.optimize import linear_sum_assignment

from ...codecs.base import MissingBackendError
from ...codecs.base import Picture as AnyPicture
from ...codecs.fetch import fetch, file_sha256
from ..records.identities import MetricIdentity
from ..records.metric_facts import MetricFacts
from .base import InapplicableError, MissingMetricError
from .edges import agreement, edge_map
from .pixels import check_pair
from .ssim import Ssim

if TYPE_CHECKING:
    from ...codecs.base import Image, Picture

Box: TypeAlias = tuple[int, int, int, int]
"""Left, top, width, height."""

CASCADE = "haarcascade_frontalface_default.xml"
SMALLEST_PIXELS = 40
_SCALE_STEP, _NEIGHBOURS = 1.1, 6
"""How finely sizes are tried, and how many overlapping hits make a face: few false ones."""
_SPACE = f"RGB in boxes of {CASCADE}, OpenCV {cv2.__version__}, step {_SCALE_STEP}, {_NEIGHBOURS} neighbours"

SFACE = "face_recognition_sface_2021dec.onnx"
SFACE_SHA256 = "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79"
SFACE_ADDRESSES = (f"https://huggingface.co/opencv/face_recognition_sface/resolve/main/{SFACE}",)
_SFACE_PIXELS = 112


@dataclass(frozen=True, slots=True)
class _Faces:
    pixels: Image
    boxes: tuple[Box, ...]


class _FaceMetric:
    """What the face metrics share: the faces that a Haar cascade finds in the original.

    Viola and Jones (CVPR 2001). Every metric is a mean over the original's faces.
    """

    needs: Literal["pair", "decoded"] = "pair"
    facts = MetricFacts(lowest=0.0, highest=1.0, perfect=1.0)
    identity: MetricIdentity

    def __init__(self) -> None:
        self._cascade = cv2.CascadeClassifier(str(Path(cv2_data.haarcascades, CASCADE)))

    def prepare(self, original: Picture) -> object:
        """Return the original with its faces.

        Raises:
            InapplicableError: No face is found in the original.
        """
        boxes = self._find(original.pixels)
        if not boxes:
            raise InapplicableError(f"{self.identity.name}: no face is found in the original")
        return _Faces(original.pixels, boxes)

    def _find(self, pixels: Image) -> tuple[Box, ...]:
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        smallest = (SMALLEST_PIXELS, SMALLEST_PIXELS)
        boxes = self._cascade.detectMultiScale(grey, _SCALE_STEP, _NEIGHBOURS, minSize=smallest)
        return tuple(sorted((int(left), int(top), int(w), int(h)) for left, top, w, h in boxes))

    def _checked(self, prepared: object, decoded: Image) -> _Faces:
        faces = cast("_Faces", prepared)
        check_pair(self.identity.name, faces.pixels, decoded)
        return faces


class FaceKept(_FaceMetric):
    """Overlap of each face's box with the one found in the decoded picture; 0 where none is found."""

    identity = MetricIdentity("face-kept", "codecarena", "1", _SPACE)

    def score(self, prepared: object, decoded: Image) -> float:
        """Return the mean intersection over union of the original's faces, from 0 to 1."""
        faces = self._checked(prepared, decoded)
        decoded_boxes = self._find(decoded)
        overlap = np.array([[overlap_of(box, other) for other in decoded_boxes] for box in faces.boxes])
        if not decoded_boxes:
            return 0.0
        # Each found box belongs to one face at most.
        return float(overlap[linear_sum_assignment(-overlap)].sum()) / len(faces.boxes)


class FaceSsim(_FaceMetric):
    """SSIM inside the boxes of the original's faces."""

    facts = MetricFacts(lowest=-1.0, highest=1.0, perfect=1.0)
    identity = MetricIdentity("face-ssim", "codecarena", "1", f"{_SPACE}; {Ssim.identity.colour_space}")

    def __init__(self) -> None:
        super().__init__()
        self._ssim = Ssim()

    def score(self, prepared: object, decoded: Image) -> float:
        """Return the mean SSIM of the original's faces."""
        faces = self._checked(prepared, decoded)
        return fmean(
            self._ssim.score(self._ssim.prepare(AnyPicture(cut(faces.pixels, box))), cut(decoded, box))
            for box in faces.boxes
        )


class FaceEdges(_FaceMetric):
    """Edge F1 inside the boxes of the original's faces: invented and lost features both count."""

    identity = MetricIdentity("face-edge-f1", "codecarena", "1", f"{_SPACE}; edge-f1")

    def score(self, prepared: object, decoded: Image) -> float:
        """Return the mean edge F1 of the original's faces, from 0 to 1."""
        faces = self._checked(prepared, decoded)
        maps = edge_map(faces.pixels), edge_map(decoded)
        return fmean(agreement(*(cut(edges, box) for edges in maps)).f1 for box in faces.boxes)


class FaceIdentity(_FaceMetric):
    """Cosine between SFace's descriptions of a face before and after, both cut out by the original's box.

    Zhong et al., "SFace: Sigmoid-Constrained Hypersphere Loss" (TIP 2021), by OpenCV's FaceRecognizerSF; its
    authors take two pictures for one person above 0.363. Boxes are not aligned by landmarks: both pictures
    are cut alike, so that a change of the cut cannot pass for a change of the face.
    """

    facts = MetricFacts(lowest=-1.0, highest=1.0, perfect=1.0)

    def __init__(self) -> None:
        """Load the network.

        Raises:
            MissingMetricError: Its weights are not here; says where to place them.
        """
        super().__init__()
        try:
            path = fetch(SFACE, SFACE_ADDRESSES, SFACE_SHA256, origin="OpenCV's model zoo")
        except MissingBackendError as error:
            raise MissingMetricError(f"face-identity: {error}") from error
        self._network = cv2.FaceRecognizerSF.create(str(path), "")
        self.identity = MetricIdentity("face-identity", "SFace", "1", _SPACE, file_sha256(path))

    def score(self, prepared: object, decoded: Image) -> float:
        """Return the mean cosine of the original's faces, from -1 to 1."""
        faces = self._checked(prepared, decoded)
        return fmean(self._cosine(faces.pixels, decoded, box) for box in faces.boxes)

    def _cosine(self, original: Image, decoded: Image, box: Box) -> float:
        first, second = self._description(original, box), self._description(decoded, box)
        return self._network.match(first, second, cv2.FaceRecognizerSF_FR_COSINE)

    def _description(self, pixels: Image, box: Box) -> cv2.typing.MatLike:
        size = (_SFACE_PIXELS, _SFACE_PIXELS)
        face = cv2.resize(cut(pixels, box), size, interpolation=cv2.INTER_AREA)
        # The network hands out a buffer that its next call overwrites.
        return self._network.feature(cv2.cvtColor(face, cv2.COLOR_RGB2BGR)).copy()


def cut(pixels: Image, box: Box) -> Image:
    """Return the part of a picture or a map inside a box."""
    left, top, width, height = box
    return np.ascontiguousarray(pixels[top : top + height, left : left + width])


def overlap_of(first: Box, second: Box) -> float:
    """Return the intersection of two boxes over their union, from 0 to 1."""
    sides = [
        max(
            0,
            min(first[axis] + first[axis + 2], second[axis] + second[axis + 2])
            - max(first[axis], second[axis]),
        )
        for axis in (0, 1)
    ]
    common = sides[0] * sides[1]
    return common / (first[2] * first[3] + second[2] * second[3] - common)
