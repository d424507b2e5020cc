"""Paint a canvas from layers by Stable Diffusion, steered by T2I-Adapters or by ControlNets.

The caption speaks to the text encoder, structure and colours to networks that were trained beside Stable
Diffusion; what a stream holds decides which of them take part.

What a parameter that names weights may be: see `published`. Here ``none`` leaves a network out: there is less
to fetch, but streams with its layer are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, Unpack

import numpy as np
import torch
import torch.nn.functional as functional

from ....base import CodecError
from ....fetch import identify
from ....quiet import quiet
from ...published import (
    CANNY_ADAPTERS,
    CANNY_CONTROLNETS,
    COLOUR_ADAPTERS,
    POSE_ADAPTERS,
    POSE_CONTROLNETS,
    SKETCH_ADAPTERS,
    SOFT_EDGE_CONTROLNETS,
    STABLE_DIFFUSION,
    STABLE_DIFFUSION_15,
    folder_of,
    generator_of,
    trained_on,
)
from ..coding.layers import canvas_size
from ..coding.settings import Setting, pack, unpack
from ..coding.skeleton import render
from .stable_diffusion import SAMPLING, VERSION, Sampling, StableDiffusion, Words

with quiet():  # importing them warns and logs
    from diffusers.models.adapter import MultiAdapter, T2IAdapter
    from diffusers.models.controlnets.controlnet import ControlNetModel
    from diffusers.pipelines.controlnet.pipeline_controlnet import StableDiffusionControlNetPipeline
    from diffusers.pipelines.controlnet.pipeline_controlnet_img2img import (
        StableDiffusionControlNetImg2ImgPipeline,
    )
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_img2img import (
        StableDiffusionImg2ImgPipeline,
    )
    from diffusers.pipelines.t2i_adapter.pipeline_stable_diffusion_adapter import (
        StableDiffusionAdapterPipeline,
    )

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torch import Tensor

    from ....base import Image
    from ...published import Published
    from ..coding.layers import LayerDecoder, Layers


LEFT_OUT = "none"
STRUCTURE_SCALE = Setting("structure_scale", 0, 2, units=100)
COLOUR_SCALE = Setting("colour_scale", 0, 2, units=100)
STRENGTH = Setting("strength", 0, 1, units=100)

Network = TypeVar("Network")


def adapter_decoder(
    base: str = "",
    sketch_adapter: str = "",
    pose_adapter: str = "",
    colour_adapter: str = "",
    structure: str = "canny",
    structure_scale: float = 1.0,
    colour_scale: float = 1.0,
    **sampling: Unpack[Sampling],
) -> LayerDecoder:
    """Return the decoder of the layered codec's paper: a T2I-Adapter for each layer but the caption.

    Source: Chen, Mao and Cheng, "Stable Diffusion is a Natural Cross-Modal Decoder for Layered AI-generated
    Image Compression", DCC 2025, arXiv 2412.12982, and the code published with it; T2I-Adapters: Mou et al.,
    AAAI 2024. That code paints captions alone by a community pipeline for long prompts, which is code from
    the hub; here the stock pipeline paints them, from their first 77 tokens.

    Args:
        base: Stable Diffusion 1.x.
        sketch_adapter: For edges; empty for the one that was trained on such edges.
        pose_adapter: For skeletons.
        colour_adapter: For colours.
        structure: What the edges are: ``canny`` takes ``TencentARC/t2iadapter_canny_sd14v1``, any other
            ``TencentARC/t2iadapter_sketch_sd14v1``, which was trained on those of PiDiNet.
        structure_scale: Weight of edges or skeletons, 0 to 2.
        colour_scale: Weight of colours, 0 to 2.
        **sampling: See `StableDiffusion`.

    Raises:
        MissingBackendError: Weights are neither here nor to be fetched.
        CodecError: A parameter is out of range, or weights do not load or do not fit together.
    """
    STRUCTURE_SCALE.check(structure_scale)
    COLOUR_SCALE.check(colour_scale)
    base_folder = folder_of(base, STABLE_DIFFUSION)
    folders = _folders(
        edges=(sketch_adapter, CANNY_ADAPTERS if structure == "canny" else SKETCH_ADAPTERS),
        skeletons=(pose_adapter, POSE_ADAPTERS),
        colours=(colour_adapter, COLOUR_ADAPTERS),
    )
    stable_diffusion = StableDiffusion(base_folder, **sampling)
    adapters = {kind: stable_diffusion.load(T2IAdapter, folder) for kind, folder in folders.items()}
    steering = Adapters(adapters, structure_scale, colour_scale)
    return DiffusionDecoder(stable_diffusion, steering, trained_on(base), generator_of(base_folder))


def controlnet_decoder(
    base: str = "",
    edge_controlnet: str = "",
    pose_controlnet: str = "",
    structure: str = "canny",
    structure_scale: float = 1.0,
    strength: float = 0.8,
    **sampling: Unpack[Sampling],
) -> LayerDecoder:
    """Return a decoder of our own: a ControlNet for the structure, and painting over the blurred colours.

    Source of the ControlNets: Zhang, Rao and Agrawala, ICCV 2023.

    Args:
        base: Stable Diffusion 1.x.
        edge_controlnet: For edges; empty for the one that was trained on such edges.
            ``lllyasviel/control_v11p_sd15_scribble`` takes them less literally.
        pose_controlnet: For skeletons.
        structure: What the edges are: ``canny`` takes ``lllyasviel/control_v11p_sd15_canny``, any other
            ``lllyasviel/control_v11p_sd15_softedge``.
        structure_scale: Weight of edges or skeletons, 0 to 2.
        strength: Share of the steps that paint over the colours; 1 leaves next to nothing of them.
        **sampling: See `StableDiffusion`.

    Raises:
        MissingBackendError: Weights are neither here nor to be fetched.
        CodecError: A parameter is out of range, or weights do not load.
    """
    STRUCTURE_SCALE.check(structure_scale)
    STRENGTH.check(strength)
    base_folder = folder_of(base, STABLE_DIFFUSION_15)
    folders = _folders(
        edges=(edge_controlnet, CANNY_CONTROLNETS if structure == "canny" else SOFT_EDGE_CONTROLNETS),
        skeletons=(pose_controlnet, POSE_CONTROLNETS),
    )
    stable_diffusion = StableDiffusion(base_folder, **sampling)
    _check_strength(round(strength * STRENGTH.units) / STRENGTH.units, stable_diffusion.sampling["steps"])
    nets = {kind: stable_diffusion.load(ControlNetModel, folder) for kind, folder in folders.items()}
    steering = ControlNets(nets, structure_scale, strength)
    return DiffusionDecoder(stable_diffusion, steering, trained_on(base), generator_of(base_folder))


class DiffusionDecoder:
    """Stable Diffusion and what steers it, as a decoder of the layered codec."""

    toy = False
    version = VERSION

    def __init__(
        self,
        stable_diffusion: StableDiffusion,
        steering: Adapters | ControlNets,
        trained_on: str | None,
        generator: str,
    ) -> None:
        self._stable_diffusion = stable_diffusion
        self._steering = steering
        self.settings = pack(steering.settings, stable_diffusion.sampling | steering.scales)
        self.negative_prompt = stable_diffusion.negative_prompt
        self.weights_sha256, self.weights_bytes = identify(stable_diffusion.weight_files)
        self.trained_on = trained_on
        self.generator: str | None = generator

    def decode(self, layers: Layers, seed: int, settings: bytes) -> Image:
        """Return a canvas of `canvas_size`.

        Args:
            layers: Caption, structure and colours; any of them may be absent.
            seed: Of the start noise.
            settings: The decoder's own, as its encoder packed them.

        Raises:
            CodecError: The settings are others or out of range, there is a layer whose network was left out,
                or a pipeline fails.
        """
        how = unpack(self._steering.settings, settings)
        width, height = canvas_size(layers.width, layers.height, int(how["canvas_area"]))
        pipeline, parts, arguments = self._steering.steer(layers, width, height, how)
        words = Words(layers.caption or "", layers.negative_prompt)
        return self._stable_diffusion.paint(pipeline, parts, words, seed, how, arguments)


class Steered(NamedTuple):
    """A pipeline with the inputs that steer it by the layers."""

    pipeline: Callable[..., Any]  # classes without a common base that says what they are called with
    parts: dict[str, object]
    """What it is made of besides Stable Diffusion."""
    arguments: dict[str, object]
    """What it is called with because of the layers."""


class Adapters:
    """T2I-Adapters, whose features are added up.

    Args:
        adapters: One for each kind of layer that may come.
        structure_scale: Weight of edges or skeletons.
        colour_scale: Weight of colours.
    """

    settings = (*SAMPLING, STRUCTURE_SCALE, COLOUR_SCALE)

    def __init__(self, adapters: dict[str, T2IAdapter], structure_scale: float, colour_scale: float) -> None:
        self.scales = {"structure_scale": structure_scale, "colour_scale": colour_scale}
        self._adapters = adapters
        if len(adapters) > 1:
            _joined(list(adapters.values()))  # refuses at once those that do not fit together

    def steer(self, layers: Layers, width: int, height: int, how: Mapping[str, float]) -> Steered:
        """Return the stock pipeline, the one with an adapter, or the one with several adapters as one.

        Args:
            layers: Caption, structure and colours; any of them may be absent.
            width: Of the canvas, pixels.
            height: Of the canvas, pixels.
            how: The settings by name: steps, guidance, strength and scales.
        """
        maps = control_maps(layers, width, height)
        arguments: dict[str, object] = {"width": width, "height": height}
        if not maps:
            return Steered(StableDiffusionPipeline, {}, arguments)
        adapters = [_network(self._adapters, kind) for kind in maps]
        inputs = zip(maps.values(), adapters, strict=True)
        images = [as_tensor(pixels, adapter.config["in_channels"]) for pixels, adapter in inputs]
        scales = [how["colour_scale" if kind == "colours" else "structure_scale"] for kind in maps]
        together = _joined(adapters) if len(maps) > 1 else adapters[0]
        arguments["image"] = images if len(maps) > 1 else images[0]
        arguments["adapter_conditioning_scale"] = scales if len(maps) > 1 else scales[0]
        return Steered(StableDiffusionAdapterPipeline, {"adapter": together}, arguments)


class ControlNets:
    """ControlNets for the structure, and colours that are painted over.

    Args:
        nets: One for each kind of structure that may come.
        structure_scale: Weight of the structure.
        strength: Share of the steps that paint over the colours.
    """

    settings = (*SAMPLING, STRUCTURE_SCALE, STRENGTH)

    def __init__(self, nets: dict[str, ControlNetModel], structure_scale: float, strength: float) -> None:
        self.scales = {"structure_scale": structure_scale, "strength": strength}
        self._nets = nets

    def steer(self, layers: Layers, width: int, height: int, how: Mapping[str, float]) -> Steered:
        """Return one of four pipelines: with or without ControlNets, from noise or from colours.

        Args:
            layers: Caption, structure and colours; any of them may be absent.
            width: Of the canvas, pixels.
            height: Of the canvas, pixels.
            how: The settings by name: steps, guidance, strength and scales.

        Raises:
            CodecError: The strength leaves no step, or there is structure whose network was left out.
        """
        _check_strength(how["strength"], how["steps"])
        maps = control_maps(layers, width, height)
        maps.pop("colours", None)
        nets = [_network(self._nets, kind) for kind in maps]
        images = [
            as_tensor(pixels, net.config["conditioning_channels"])
            for pixels, net in zip(maps.values(), nets, strict=True)
        ]
        size: dict[str, object] = {"width": width, "height": height}
        control = size | {"controlnet_conditioning_scale": [how["structure_scale"]] * len(nets)}
        if layers.colours is None and not nets:
            return Steered(StableDiffusionPipeline, {}, size)
        if layers.colours is None:
            return Steered(
                StableDiffusionControlNetPipeline, {"controlnet": nets}, control | {"image": images}
            )
        start: dict[str, object] = {
            "image": blurred(layers.colours, width, height),
            "strength": how["strength"],
        }
        if not nets:
            return Steered(StableDiffusionImg2ImgPipeline, {}, start)
        control = control | start | {"control_image": images}
        return Steered(StableDiffusionControlNetImg2ImgPipeline, {"controlnet": nets}, control)


def _check_strength(strength: float, steps: float) -> None:
    """Raise `CodecError` unless a share of the steps is a step or more."""
    if int(steps * strength) < 1:
        raise CodecError(
            f"strength {strength} of {steps:g} steps leaves none, expected {1 / steps:.3f} or more"
        )


def control_maps(layers: Layers, width: int, height: int) -> dict[str, Image]:
    """Return what the networks are shown of each layer that there is, as pictures of the size of the canvas.

    Edges are white on black, skeletons are drawn in OpenPose's colours on black, and colours are flat cells:
    of 64 pixels, as the colour adapter was trained, where the layer has a cell for each 64 of the canvas.

    Args:
        layers: Edges, skeletons and colours, or only some of them.
        width: Of the canvas, in pixels.
        height: Of the canvas, in pixels.
    """
    maps: dict[str, Image] = {}
    if layers.edges is not None:
        white = layers.edges.astype(np.uint8) * np.uint8(255)
        maps["edges"] = enlarged(np.dstack([white] * 3), width, height)
    if layers.skeletons is not None:
        maps["skeletons"] = render(layers.skeletons, width, height)
    if layers.colours is not None:
        maps["colours"] = enlarged(layers.colours, width, height)
    return maps


def enlarged(cells: Image, width: int, height: int) -> Image:
    """Return a picture of another size by nearest neighbour.

    Args:
        cells: (rows, columns, 3) uint8.
        width: Of the result, pixels.
        height: Of the result, pixels.
    """
    row_count, column_count = cells.shape[:2]
    rows = np.arange(height) * row_count // height
    columns = np.arange(width) * column_count // width
    return cells[rows][:, columns]


def blurred(cells: Image, width: int, height: int) -> Tensor:
    """Return colours without the borders of their cells, (1, 3, height, width), 0 to 1.

    Painting over flat cells would leave the borders in the picture.

    Args:
        cells: Colours of the texture layer, (rows, columns, 3) uint8.
        width: Of the result, pixels.
        height: Of the result, pixels.
    """
    size = (height, width)
    return functional.interpolate(as_tensor(cells, 3), size, mode="bilinear", align_corners=False)


def as_tensor(pixels: Image, channels: int) -> Tensor:
    """Return pixels for a network that takes one channel or three: (1, channels, height, width), 0 to 1."""
    planes = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None].float() / 255
    if channels not in (1, 3):
        raise CodecError(f"expected a network that takes 1 or 3 channels, this one takes {channels}")
    return planes if channels == 3 else planes.mean(1, keepdim=True)


def _network(networks: dict[str, Network], kind: str) -> Network:
    if kind not in networks:
        raise CodecError(
            f"there are {kind} in the stream, and the network for them was left out by {LEFT_OUT!r}"
        )
    return networks[kind]


def _joined(adapters: list[T2IAdapter]) -> MultiAdapter:
    try:
        return MultiAdapter(adapters)
    except ValueError as error:
        raise CodecError(f"these adapters do not work together: {error}") from error


def _folders(**choices: tuple[str, Published]) -> dict[str, Path]:
    """Return the folders of those networks that are not left out, by the layer they take."""
    return {kind: folder_of(*choice) for kind, choice in choices.items() if choice[0] != LEFT_OUT}
