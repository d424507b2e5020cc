"""Find what paints a picture from layers by its name; nothing of it is imported before it is asked for."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from ....base import CodecError, MissingBackendError, check_choice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..coding.layers import LayerDecoder

_SAMPLING = ("steps", "guidance", "scheduler", "negative_prompt", "canvas_area", "device", "dtype")

_TOLERANCE = {"float16": 16, "bfloat16": 32}
"""Levels; set above what rounding in that format can do, as for the latent codec."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a decoder lives."""

    place: str
    """``module:factory``, the module beside this one."""
    options: tuple[str, ...] = ()
    """Keywords of the factory."""
    stochastic: bool = True
    """Whether it draws from a seed."""
    tolerance_levels: int = 4
    """How far, in 8-bit levels, its pixels may differ with the machine and its threads."""


DECODERS: Mapping[str, Entry] = {
    "embedded": Entry("flow:FlowDecoder", ("steps", "guidance", "device", "dtype")),
    "t2i-adapter": Entry(
        "diffusion:adapter_decoder",
        (
            "base",
            "sketch_adapter",
            "pose_adapter",
            "colour_adapter",
            "structure",
            "structure_scale",
            "colour_scale",
            *_SAMPLING,
        ),
    ),
    "controlnet": Entry(
        "diffusion:controlnet_decoder",
        (
            "base",
            "edge_controlnet",
            "pose_controlnet",
            "structure",
            "structure_scale",
            "strength",
            *_SAMPLING,
        ),
    ),
    "sketch": Entry("sketch:SketchDecoder", stochastic=False, tolerance_levels=0),
}


def tolerance_levels(name: str, dtype: str) -> int:
    """Return how far, in 8-bit levels, a decoder's pixels may differ in a number format."""
    usual = DECODERS[name].tolerance_levels
    return max(usual, _TOLERANCE.get(dtype, 0)) if usual else 0


def create(
    name: str, options: Mapping[str, str | int | float | None], structure: str, device: str, dtype: str
) -> LayerDecoder:
    """Return a decoder: its load step.

    Args:
        name: One of `DECODERS`.
        options: For it; those that are None keep the decoder's own default.
        structure: What draws the edges, for those whose weights are of one kind of them.
        device: As torch names it, for those that run on one.
        dtype: As torch names it.

    Raises:
        MissingBackendError: A library or the weights are not there.
        CodecError: There is no such decoder, or it has no such option.
    """
    check_choice("decoder", name, DECODERS)
    check_choice("dtype", dtype, ("float32", *_TOLERANCE))
    entry = DECODERS[name]
    given = {key: value for key, value in options.items() if value is not None}
    for key in given:
        if key not in entry.options:
            known = ", ".join(entry.options) or "none"
            raise CodecError(f"decoder {name!r} has no parameter {key!r}; it takes {known}")
    if "device" in entry.options:
        given |= {"device": device, "dtype": dtype}
    if "structure" in entry.options:
        given["structure"] = structure
    module, _, factory = entry.place.partition(":")
    try:
        decoder_module = importlib.import_module(f".{module}", __package__)
    except ImportError as error:
        raise MissingBackendError(f"decoder {name!r} needs a library that is not there: {error}") from error
    return cast("LayerDecoder", getattr(decoder_module, factory)(**given))
