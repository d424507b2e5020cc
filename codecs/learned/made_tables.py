"""Make the tables of probabilities that a weights file lacks, alike on every processor.

CompressAI's ``update()`` makes them in float32: another processor's exponential then moves a probability by a
part in 65536 here and there, and strings that were coded by the one table are lost under the other.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, cast

import torch

from .library import EntropyBottleneck, GaussianConditional

if TYPE_CHECKING:
    from compressai.entropy_models import EntropyModel
    from torch import Tensor

_BUFFERS = ("_quantized_cdf", "_offset", "_cdf_length")
_DIGITS = 5
"""Significant digits of the first and last scale; what float32 makes of 0.11 is 0.10999999940395."""


@torch.no_grad()
def remake_tables(model: EntropyModel) -> None:
    """Replace the tables that ``update()`` made by those of the same formulas in double precision."""
    if isinstance(model, GaussianConditional):
        _remake_gaussians(model)
        return
    exact = copy.deepcopy(cast("EntropyBottleneck", model)).double()
    exact.update(force=True)
    for name in _BUFFERS:
        setattr(model, name, getattr(exact, name))


def _remake_gaussians(model: GaussianConditional) -> None:
    scales = exact_scales(model.scale_table)
    reach = -float(model._standardized_quantile(model.tail_mass / 2))  # pyright: ignore[reportPrivateUsage]
    centres = torch.ceil(scales * reach).int()
    lengths = 2 * centres + 1
    longest = int(lengths.max())
    distances = (torch.arange(longest) - centres[:, None]).abs().double()
    above, below = (
        # The complementary error function keeps the digits of small probabilities.
        torch.erfc((distances + half) / (scales[:, None] * 2**0.5)) / 2
        for half in (-0.5, 0.5)
    )
    model.scale_table = scales
    model._quantized_cdf = model._pmf_to_cdf(  # pyright: ignore[reportPrivateUsage]
        (above - below).clamp(min=0), 2 * below[:, :1], lengths, longest
    )
    model._offset, model._cdf_length = -centres, lengths + 2  # pyright: ignore[reportPrivateUsage]


def exact_scales(table: Tensor) -> Tensor:
    """Return a table of scales in double precision, made anew where each is the same factor of the last.

    CompressAI's is the exponential of equal steps in float32, whose last digit differs between processors.
    """
    first, last = (float(f"{end:.{_DIGITS}g}") for end in (table[0], table[-1]))
    steps = torch.linspace(0, 1, len(table), dtype=torch.float64)
    exact = first * (last / first) ** steps
    return exact if torch.allclose(exact, table.double(), rtol=1e-5) else table.double()
