"""Draw layers without any network: the blurred colours, with the structure drawn over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from ..coding.layers import canvas_size
from ..coding.skeleton import render

if TYPE_CHECKING:
    from ....base import Image
    from ..coding.layers import Layers

_GROUND = 128
_EDGE_LIGHT = 0.45
"""Light that an edge leaves of the colour under it."""


class SketchDecoder:
    """Shows what the layers hold and adds nothing; the caption is not looked at. What an editor previews."""

    toy = False
    weights_sha256 = ""
    weights_bytes = 0
    trained_on = None
    generator = None
    version = f"sketch 1; opencv {cv2.__version__}"
    settings = b""
    negative_prompt = ""

    def decode(self, layers: Layers, seed: int, settings: bytes) -> Image:  # noqa: ARG002
        """Return a canvas of `canvas_size`; seed and settings (another decoder's) change nothing.

        Args:
            layers: Caption, structure and colours; any of them may be absent.
            seed: Of the start noise.
            settings: The decoder's own, as its encoder packed them.
        """
        width, height = canvas_size(layers.width, layers.height)
        canvas = np.full((height, width, 3), _GROUND, np.uint8)
        if layers.colours is not None:
            blurred = cv2.resize(layers.colours, (width, height), interpolation=cv2.INTER_LINEAR)
            canvas = np.asarray(blurred, np.uint8)
        if layers.edges is not None:
            lines = cv2.resize(
                layers.edges.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST
            )
            canvas[lines > 0] = (canvas[lines > 0] * _EDGE_LIGHT).astype(np.uint8)
        if layers.skeletons is not None:
            limbs = render(layers.skeletons, width, height)
            canvas = np.where(limbs.any(axis=2, keepdims=True), limbs, canvas).astype(np.uint8)
        return np.ascontiguousarray(canvas)
