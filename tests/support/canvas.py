"""A small canvas for the layered codec's own decoders, which paint 512 x 512 pixels whatever the picture."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib import import_module
from unittest import mock

from codecarena.codecs.generative.layered.coding.layers import canvas_size

AREA = 256 * 256
"""Pixels, about: a quarter of the whole canvas. The streams are the same for any."""


@contextmanager
def small_canvas(area: int = AREA) -> Generator[None]:
    """Let the decoders without Stable Diffusion paint so many pixels."""
    decoding = "codecarena.codecs.generative.layered.decoding"
    with ExitStack() as patches:
        for name in ("flow", "sketch"):
            decoder = import_module(f"{decoding}.{name}")
            patches.enter_context(mock.patch.object(decoder, "canvas_size", partial(canvas_size, area=area)))
        yield
