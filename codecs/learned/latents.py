"""Code latents as rANS strings, with the entropy models CompressAI has for them.

A payload is, where there are hyper-latents, a checksum of theirs (1 byte); the checksum of all symbols (3
bytes); the strings of the hyper-latents; those of the latents.

What chooses a table or a mean runs in double precision on the CPU, on both sides. Processors and numbers of
threads add in different orders: in float32 a scale in a few thousand then falls on the other side of a
threshold, and every symbol after it is lost; in double one in about 10 ** 12 does.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar, cast

import torch
import torch.nn.functional as functional

from ..base import CodecError
from ..bitstream import Reader
from .strings import (
    CHECKSUM_BYTES,
    SymbolDecoder,
    check_symbols,
    decode_symbols,
    encode_symbols,
    pack_strings,
    rounded,
    segment_count,
    segments,
    symbol_checksum,
    tables,
    unpack_strings,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from compressai.entropy_models import EntropyBottleneck, GaussianConditional
    from compressai.models import JointAutoregressiveHierarchicalPriors
    from torch import Tensor, nn

    Parameters: TypeAlias = Callable[[Tensor], tuple[Tensor, Tensor | None]]
    """Takes decoded hyper-latents in double precision; returns scales and means of the latents in the same,
    None for means of zero."""
    Module = TypeVar("Module", bound=nn.Module)

HYPER_DOWNSAMPLING = 4
"""Sides of the latents over those of the hyper-latents, in every model here."""
_MEAN_STEPS = 2**20
"""To one of the latents, of means that the next positions depend on: else a difference in the last digit
would grow from position to position."""


def in_double(module: Module) -> Module:
    """Return a copy of a network in double precision: its original may move to another device or type."""
    return copy.deepcopy(module).double()


class LatentCoder(Protocol):
    """Latents to bytes and back; the bytes are all that the decoder gets."""

    def encode(self, latents: Tensor) -> tuple[bytes, Tensor]:
        """Return the payload and the latents as `decode` will return them.

        Args:
            latents: (1, channels, height, width), float32 on the CPU.
        """
        ...

    def decode(self, payload: bytes, height: int, width: int) -> Tensor:
        """Return the latents (1, channels, height, width).

        Args:
            payload: What `encode` returned; zeros may follow it.
            height: Of the latents.
            width: Of the latents.

        Raises:
            CodecError: The payload is damaged, cut short, or was made by other arithmetic.
        """
        ...


class _Bottleneck:
    """Symbols of an entropy bottleneck: a table of probabilities for each channel."""

    def __init__(self, model: EntropyBottleneck) -> None:
        self.tables = tables(model)
        self.channels = len(self.tables.rows)
        self.medians = model.quantiles[:, 0, 1].detach().reshape(1, -1, 1, 1)

    def indexes(self, height: int, width: int) -> Tensor:
        return torch.arange(self.channels).reshape(1, -1, 1, 1).expand(1, -1, height, width)

    def encode(self, values: Tensor) -> tuple[list[bytes], Tensor]:
        symbols = rounded(values, self.medians)
        return encode_symbols(self.tables, symbols, self.indexes(*symbols.shape[2:])), symbols

    def decode(self, reader: Reader, height: int, width: int, behind: int) -> tuple[list[bytes], Tensor]:
        """Return the next strings with those of ``behind`` more, and the symbols of the first."""
        own = segment_count(self.channels * height * width)
        strings = unpack_strings(reader, own + behind)
        return strings[own:], decode_symbols(self.tables, strings[:own], self.indexes(height, width))


class FactorizedCoder:
    """Codes latents by an entropy bottleneck alone.

    Source: Balle, Minnen, Singh, Hwang, Johnston, "Variational Image Compression with a Scale Hyperprior",
    ICLR 2018 (its factorized prior).
    """

    def __init__(self, bottleneck: EntropyBottleneck) -> None:
        self._bottleneck = _Bottleneck(bottleneck)

    def encode(self, latents: Tensor) -> tuple[bytes, Tensor]:
        """Return the payload and the decoded latents; see `LatentCoder`."""
        strings, symbols = self._bottleneck.encode(latents)
        return symbol_checksum(symbols) + pack_strings(strings), symbols + self._bottleneck.medians

    def decode(self, payload: bytes, height: int, width: int) -> Tensor:
        """Return the latents; see `LatentCoder`.

        Args:
            payload: As `encode` wrote it.
            height: Of the latents, in cells.
            width: Of the latents, in cells.
        """
        reader = Reader(payload)
        expected = reader.take(CHECKSUM_BYTES)
        _, symbols = self._bottleneck.decode(reader, height, width, 0)
        check_symbols(expected, symbols)
        return symbols + self._bottleneck.medians


class _Conditional:
    """Symbols of a Gaussian conditional behind an entropy bottleneck, and the payload of both."""

    def __init__(
        self, bottleneck: EntropyBottleneck, conditional: GaussianConditional, channels: int
    ) -> None:
        self.bottleneck = _Bottleneck(bottleneck)
        self.tables = tables(conditional)
        self.thresholds = conditional.scale_table[:-1].detach().cpu().double()
        if len(self.thresholds) + 1 != len(self.tables.rows):
            raise CodecError(
                f"expected a table of probabilities for each of {len(self.thresholds) + 1} scales, "
                f"got {len(self.tables.rows)}"
            )
        self.channels = channels

    def indexes(self, scales: Tensor) -> Tensor:
        """Return the table of each scale; what ``GaussianConditional.build_indexes`` does, in one step."""
        return torch.bucketize(scales, self.thresholds)

    def pack(self, hyper_strings: list[bytes], hyper: Tensor, strings: list[bytes], symbols: Tensor) -> bytes:
        checks = symbol_checksum(hyper, size=1) + symbol_checksum(hyper, symbols)
        return checks + pack_strings(hyper_strings + strings)

    def unpack(self, payload: bytes, height: int, width: int) -> tuple[Tensor, list[bytes], bytes]:
        """Return hyper symbols, the strings of the latents and the checksum of both.

        The hyper-latents have a checksum of their own, so that damage is seen before the long work.
        """
        rows, columns = height // HYPER_DOWNSAMPLING, width // HYPER_DOWNSAMPLING
        reader = Reader(payload)
        first, expected = reader.take(1), reader.take(CHECKSUM_BYTES)
        behind = segment_count(self.channels * height * width, self.channels)
        strings, hyper = self.bottleneck.decode(reader, rows, columns, behind)
        check_symbols(first, hyper)
        return hyper, strings, expected


class HyperCoder:
    """Codes latents by Gaussians whose scales, and means if there are any, come from hyper-latents.

    Source: Balle et al., ICLR 2018 (scales); Minnen, Balle, Toderici, "Joint Autoregressive and Hierarchical
    Priors for Learned Image Compression", NeurIPS 2018 (means).

    Args:
        bottleneck: Of the hyper-latents.
        conditional: Of the latents.
        channels: Of the latents.
        analysis: Takes latents, returns hyper-latents of a quarter of the sides.
        parameters: See `Parameters`.
    """

    def __init__(
        self,
        bottleneck: EntropyBottleneck,
        conditional: GaussianConditional,
        channels: int,
        analysis: Callable[[Tensor], Tensor],
        parameters: Parameters,
    ) -> None:
        self._model = _Conditional(bottleneck, conditional, channels)
        self._analysis = analysis
        self._parameters = parameters

    def encode(self, latents: Tensor) -> tuple[bytes, Tensor]:
        """Return the payload and the decoded latents; see `LatentCoder`."""
        model = self._model
        hyper_strings, hyper = model.bottleneck.encode(self._analysis(latents))
        scales, means = self._scales_and_means(hyper)
        symbols = rounded(latents, means)
        strings = encode_symbols(model.tables, symbols, model.indexes(scales), model.channels)
        return model.pack(hyper_strings, hyper, strings, symbols), _about(symbols, means)

    def decode(self, payload: bytes, height: int, width: int) -> Tensor:
        """Return the latents; see `LatentCoder`.

        Args:
            payload: As `encode` wrote it.
            height: Of the latents, in cells.
            width: Of the latents, in cells.
        """
        model = self._model
        hyper, strings, expected = model.unpack(payload, height, width)
        scales, means = self._scales_and_means(hyper)
        symbols = decode_symbols(model.tables, strings, model.indexes(scales), model.channels)
        check_symbols(expected, hyper, symbols)
        return _about(symbols, means)

    def _scales_and_means(self, hyper: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return scales in double precision and means, which only move what is decoded, in float32."""
        scales, means = self._parameters((hyper + self._model.bottleneck.medians).double())
        return scales, means if means is None else means.float()


def _about(symbols: Tensor, means: Tensor | None) -> Tensor:
    return symbols.float() if means is None else symbols + means


class ContextCoder:
    """Codes latents by Gaussians that depend on hyper-latents and on the latents above and to the left.

    One position after another: a megapixel takes a thousand times what `HyperCoder` takes.

    Source: Minnen, Balle, Toderici, NeurIPS 2018, as CompressAI's ``JointAutoregressiveHierarchicalPriors``
    has it; up to `strings.SEGMENT_SYMBOLS` the strings are the same.
    """

    def __init__(self, model: JointAutoregressiveHierarchicalPriors) -> None:
        self._model = _Conditional(model.entropy_bottleneck, model.gaussian_conditional, model.M)
        self._hyper_analysis, self._hyper_synthesis = model.h_a, in_double(model.h_s)
        self._entropy_parameters = in_double(model.entropy_parameters)
        context = in_double(model.context_prediction)
        self._weight, self._bias = context.weight * cast("Tensor", context.mask), context.bias
        self._margin = context.kernel_size[0] // 2

    def encode(self, latents: Tensor) -> tuple[bytes, Tensor]:
        """Return the payload and the decoded latents; see `LatentCoder`."""
        model = self._model
        hyper_strings, hyper = model.bottleneck.encode(self._hyper_analysis(latents))
        # One row for each position, from the left, then downwards.
        wanted = iter(latents[0].flatten(1).T)
        coded: list[tuple[Tensor, Tensor]] = []

        def symbols_here(indexes: Tensor, means: Tensor) -> Tensor:
            coded.append((rounded(next(wanted), means), indexes))
            return coded[-1][0]

        decoded = self._walk(hyper, symbols_here)
        symbols, indexes = (torch.stack(arrays) for arrays in zip(*coded, strict=True))
        strings = encode_symbols(model.tables, symbols, indexes, model.channels)
        return model.pack(hyper_strings, hyper, strings, symbols), decoded

    def decode(self, payload: bytes, height: int, width: int) -> Tensor:
        """Return the latents; see `LatentCoder`.

        Args:
            payload: As `encode` wrote it.
            height: Of the latents, in cells.
            width: Of the latents, in cells.
        """
        model = self._model
        hyper, strings, expected = model.unpack(payload, height, width)
        decoders = self._decoders(strings, height * width * model.channels)
        coded: list[Tensor] = []

        def symbols_here(indexes: Tensor, means: Tensor) -> Tensor:  # noqa: ARG001
            symbols = next(decoders).take(model.tables, indexes.tolist())
            coded.append(torch.tensor(symbols, dtype=torch.int32))
            return coded[-1]

        decoded = self._walk(hyper, symbols_here)
        check_symbols(expected, hyper, torch.stack(coded))
        return decoded

    def _decoders(self, strings: list[bytes], count: int) -> Iterator[SymbolDecoder]:
        """Yield the decoder for each position, one string after another."""
        channels = self._model.channels
        for string, part in zip(strings, segments(count, channels), strict=True):
            decoder = SymbolDecoder(string, part.stop - part.start)
            for _ in range(part.start, part.stop, channels):
                yield decoder

    def _walk(self, hyper: Tensor, symbols_here: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """Return the latents made of the symbols at each position, from the left, then downwards.

        Args:
            hyper: Symbols of the hyper-latents.
            symbols_here: Takes the table indexes and the means of the next position, returns its symbols.
        """
        features = self._hyper_synthesis((hyper + self._model.bottleneck.medians).double())
        height, width = features.shape[2:]
        size, margin = 2 * self._margin + 1, self._margin
        decoded = features.new_zeros(1, self._model.channels, height + size - 1, width + size - 1)
        for row in range(height):
            for column in range(width):
                seen = decoded[:, :, row : row + size, column : column + size]
                context = functional.conv2d(seen, self._weight, self._bias)
                known = torch.cat((features[:, :, row : row + 1, column : column + 1], context), 1)
                scales, means = self._entropy_parameters(known).flatten().chunk(2)
                means = torch.round(means * _MEAN_STEPS) / _MEAN_STEPS
                symbols = symbols_here(self._model.indexes(scales), means)
                decoded[0, :, row + margin, column + margin] = symbols + means
        return decoded[:, :, margin : margin + height, margin : margin + width].float()
