"""The layered codec: caption, structure and colour map in some hundred bytes, painted by a decoder.

After Chen, Mao and Cheng, "Stable Diffusion is a Natural Cross-Modal Decoder for Layered AI-generated Image
Compression" (DCC 2025, arXiv 2412.12982): the same layers and decoders. The entropy coders, the chunked
stream and the ladder beyond three layers are ours.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from ...base import (
    CodecError,
    CodecInfo,
    QualityScale,
    check_choice,
    check_image,
    check_quality,
    check_range,
    check_text,
)
from ...bitstream import LARGEST_SEED, NO_WEIGHTS, WEIGHTS_ID_BYTES, Header, Kind, check_weights, seed_of
from . import chunks
from .captioner import Blip
from .chunks import Chunk, Layer, Stream
from .coding import colours, edges, skeleton, text
from .coding.captions import SOURCES, caption_for
from .coding.grids import cell_means, check_pixels, fitted, grid_shape
from .decoding import decoders
from .detectors import LearnedDetector, canny
from .stream import layers_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ...base import Image, Picture, RateParts

STRUCTURES = ("canny", "pidinet", "hed", "openpose")
DEFAULT_EDGE_ROWS = 128
DEFAULT_COLOUR_ROWS = 8
_FINER = {3: (1.0, 1), 4: (1.0, 2), 5: (1.5, 2), 6: (2.0, 4)}
"""By quality: how many times as many rows the edge map and the colour map have."""
_STEEPEST = 1500.0
"""No gradient of Sobel's filter on 8-bit levels is larger."""
_LADDER = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)


class Layered:
    """Quality 1 keeps the caption, 2 the structure too, 3 the colours too; 4 to 6 have finer grids.

    The streams of qualities 1 and 2 begin the one of quality 3. Grids are given by their rows on a square
    picture; any picture has about as many cells, so that bytes hardly depend on its size.

    Steps, guidance, scheduler, negative prompt, canvas area, scales and strength are for the streams that are
    encoded: each carries them, numbers rounded to what a byte can hold, and is painted by its own.

    Args:
        decoder: What paints the picture: ``embedded`` (our small network), ``t2i-adapter``, ``controlnet``
            (Stable Diffusion), or ``sketch`` (no network: shows the layers).
        structure: ``canny``, ``pidinet`` or ``hed`` for edges, ``openpose`` for the people's keypoints.
        edge_rows: Rows of the edge map at quality 2 and 3, 16 to 192.
        colour_rows: Rows of the colour map at quality 3, 2 to 16.
        canny_sigma: Of the Gaussian before Canny's detector, in cells of the edge map.
        canny_low: Gradient down to which an edge is followed, in 8-bit levels of a Sobel filter.
        canny_high: Gradient from which an edge begins.
        keypoints: An OpenPose JSON file of the picture, instead of a detector.
        detector: Folder of the weights of a learned detector; empty for the published ones.
        caption: Where the text comes from: ``auto`` (the prompt, else statistics), ``prompt`` (nothing where
            there is none), ``blip``, ``template`` (statistics) or ``none``.
        text: The user's own caption; it goes before all sources but ``none``.
        caption_model: For ``blip``: ids with commas between them, or a folder.
        seed: The decoder's, in the stream.
        device: As torch names it.
        dtype: As torch names it.
        steps: For the decoder; None keeps its default, as with all that follow.
        guidance: Weight of the caption.
        scheduler: See `stable_diffusion`.
        negative_prompt: What the picture is steered away from; coded as the caption is.
        canvas_area: Pixels of the canvas, about.
        base: Weights of Stable Diffusion; see `diffusion`, as for all that follow.
        sketch_adapter: T2I-Adapter for edges; by default the one that was trained on those of `structure`.
        pose_adapter: T2I-Adapter for keypoints.
        colour_adapter: T2I-Adapter for colours.
        edge_controlnet: ControlNet for edges; chosen as the adapter is.
        pose_controlnet: ControlNet for keypoints.
        structure_scale: Weight of the structure.
        colour_scale: Weight of the colours.
        strength: Share of the steps that paint over the colours.
    """

    def __init__(
        self,
        decoder: str = "embedded",
        structure: str = "canny",
        edge_rows: int = DEFAULT_EDGE_ROWS,
        colour_rows: int = DEFAULT_COLOUR_ROWS,
        canny_sigma: float = 1.4,
        canny_low: float = 40.0,
        canny_high: float = 80.0,
        keypoints: str = "",
        detector: str = "",
        caption: str = "auto",
        text: str = "",
        caption_model: str = "",
        seed: int = 0,
        device: str = "cpu",
        dtype: str = "float32",
        steps: int | None = None,
        guidance: float | None = None,
        scheduler: str | None = None,
        negative_prompt: str | None = None,
        canvas_area: int | None = None,
        base: str | None = None,
        sketch_adapter: str | None = None,
        pose_adapter: str | None = None,
        colour_adapter: str | None = None,
        edge_controlnet: str | None = None,
        pose_controlnet: str | None = None,
        structure_scale: float | None = None,
        colour_scale: float | None = None,
        strength: float | None = None,
    ) -> None:
        check_choice("structure", structure, STRUCTURES)
        check_choice("caption", caption, SOURCES)
        check_text("text", text)
        check_text("keypoints", keypoints)
        check_range("edge_rows", edge_rows, 16, 192, whole=True)
        check_range("colour_rows", colour_rows, 2, 16, whole=True)
        check_range("canny_sigma", canny_sigma, 0, 10)
        check_range("canny_high", canny_high, 0, _STEEPEST)
        check_range("canny_low", canny_low, 0, canny_high)
        check_range("seed", seed, 0, LARGEST_SEED, whole=True)
        if keypoints and structure != "openpose":
            raise CodecError(f"keypoints are of structure='openpose', got structure={structure!r}")
        self._structure, self._keypoints = structure, keypoints
        self._edge_rows, self._colour_rows = edge_rows, colour_rows
        self._canny = (canny_sigma, canny_low, canny_high)
        self._source, self._text, self._seed = caption, text, seed
        self._captioner = Blip(caption_model, device) if caption == "blip" and not text else None
        learned = structure != "canny" and not keypoints
        self._detector = LearnedDetector(structure, detector, device) if learned else None
        options = {
            "steps": steps,
            "guidance": guidance,
            "scheduler": scheduler,
            "negative_prompt": negative_prompt,
            "canvas_area": canvas_area,
            "base": base,
            "sketch_adapter": sketch_adapter,
            "pose_adapter": pose_adapter,
            "colour_adapter": colour_adapter,
            "edge_controlnet": edge_controlnet,
            "pose_controlnet": pose_controlnet,
            "structure_scale": structure_scale,
            "colour_scale": colour_scale,
            "strength": strength,
        }
        self._decoder = decoders.create(decoder, options, structure, device, dtype)
        self._weights_id = bytes.fromhex(self._decoder.weights_sha256)[:WEIGHTS_ID_BYTES] or NO_WEIGHTS
        self.info = CodecInfo(
            "layered",
            f"{self._decoder.version}; opencv {cv2.__version__}",
            "generative",
            _LADDER,
            QualityScale("layers", _LADDER[0], _LADDER[-1]),
            stochastic=decoders.DECODERS[decoder].stochastic,
            tolerance_levels=decoders.tolerance_levels(decoder, dtype),
            scalable=True,
            toy=self._decoder.toy,
            weights_sha256=self._decoder.weights_sha256 or None,
            weights_bytes=self._decoder.weights_bytes,
            trained_on=self._decoder.trained_on,
            generator=self._decoder.generator,
        )

    def encode(self, picture: Picture, quality: float) -> bytes:
        """Return the stream of as many layers as the quality keeps."""
        check_quality(self.info, quality)
        check_image(picture.pixels)
        height, width = picture.pixels.shape[:2]
        check_pixels(width, height)
        finer_edges, finer_colours = _FINER.get(round(quality), (1.0, 1))
        caption = caption_for(picture, self._source, self._text, self._captioner)
        kept = [Chunk(Layer.TEXT, text.encode(caption))]
        if negative_prompt := self._decoder.negative_prompt:
            kept.append(Chunk(Layer.NEGATIVE, text.encode(negative_prompt)))
        if quality >= 2:
            kept.append(self._structure_of(picture.pixels, round(self._edge_rows * finer_edges)))
        if quality >= 3:
            kept.append(_colours_of(picture.pixels, self._colour_rows * finer_colours))
        header = Header(Kind.LAYERED, width, height, self._weights_id, self._seed)
        return chunks.join(Stream(header, self._decoder.settings, tuple(kept)))

    def decode(self, bitstream: bytes, seed: int | None = None) -> Image:
        """Return what the decoder paints from the layers that are there."""
        stream = chunks.split(bitstream)
        header = stream.header
        # Without weights, nothing but the layers decides on the pixels: the sketch shows any stream.
        if self._weights_id != NO_WEIGHTS:
            check_weights(header, self._weights_id)
        canvas = self._decoder.decode(layers_of(stream), seed_of(header, seed), stream.settings)
        return fitted(canvas, header.width, header.height)

    def breakdown(self, bitstream: bytes) -> RateParts:
        """Return header, settings and framing, structure with texture, and both texts (side)."""
        return chunks.parts(bitstream)

    def _structure_of(self, pixels: Image, edge_rows: int) -> Chunk:
        height, width = pixels.shape[:2]
        if self._keypoints:
            people = skeleton.from_openpose(Path(self._keypoints), width, height)
            return Chunk(Layer.POSES, skeleton.encode(people))
        if self._detector is not None and self._structure == "openpose":
            return Chunk(Layer.POSES, skeleton.encode(self._detector.people(pixels)))
        return Chunk(Layer.EDGES, edges.encode(self._edges_of(pixels, edge_rows)))

    def _edges_of(self, pixels: Image, edge_rows: int) -> NDArray[np.bool_]:
        rows, columns = grid_shape(pixels.shape[1], pixels.shape[0], edge_rows)
        if self._detector is not None:
            return self._detector.edges(pixels, rows, columns)
        return canny(pixels, rows, columns, *self._canny)


def _colours_of(pixels: Image, colour_rows: int) -> Chunk:
    """Return the colour layer of a picture."""
    rows, columns = grid_shape(pixels.shape[1], pixels.shape[0], colour_rows)
    return Chunk(Layer.COLOURS, colours.encode(colours.quantise(cell_means(pixels, rows, columns))))
