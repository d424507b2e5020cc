"""What a latent codec asks of its networks, and how they are run."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch

from ...base import CodecError
from ...devices import inference
from ...fetch import identify

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Identity:
    """Which networks a backend holds."""

    sha256: str
    """Of the SHA-256 digests of its weight files, one after another."""
    byte_count: int
    """Of all weight files."""
    trained_on: str | None
    """Name of the image set; None where the weights do not say."""
    toy: bool = False
    """Whether the weights are small ones, trained only to show that the path works."""
    generator: str | None = None
    """The image generator that they are, or are of."""

    @classmethod
    def of_files(
        cls, paths: Sequence[Path], trained_on: str | None, generator: str | None = None
    ) -> Identity:
        """Return the identity of public weights; reads every byte of them.

        Args:
            paths: Every file of weights, in an order that does not change.
            trained_on: Name of the training set, for warnings of overlap; None if unknown.
            generator: Name of the generator whose pictures are akin to these weights.

        Raises:
            MissingBackendError: A file is not there.
        """
        sha256, byte_count = identify(paths)
        return cls(sha256, byte_count, trained_on, generator=generator)


@dataclass(frozen=True, slots=True)
class Denoising:
    """How to clean quantised latents."""

    steps: int
    """Calls of the network, at least 1."""
    rms: float | None
    """Error of the latents in their standard deviations; None for the published pipeline's fixed start."""
    seed: int
    """Of what is drawn on the way."""


class Backend(Protocol):
    """An autoencoder with latents of about unit variance, and perhaps a network that denoises them.

    Tensors that go in and come out lie on the CPU, in float32; a backend moves them as it likes.
    """

    channels: int
    """Of the latents."""
    factor: int
    """Pixels of the picture to one of the latents, along each side."""
    bound: float
    """Latents beyond plus or minus this are clipped when they become bytes."""
    denoises: bool
    """Whether there is a network for `denoise`."""
    identity: Identity
    version: str
    """Of the library that runs the networks."""

    def encode(self, pixels: Tensor, seed: int | None) -> Tensor:
        """Return latents (1, channels, height / factor, width / factor).

        Args:
            pixels: (1, 3, height, width), -1 to 1, sides multiples of the factor.
            seed: Draw from the encoder's distribution; None takes its mode.

        Raises:
            CodecError: A seed is given and the encoder has no distribution.
        """
        ...

    def decode(self, latents: Tensor) -> Tensor:
        """Return pixels (1, 3, factor x height, factor x width), about -1 to 1."""
        ...

    def denoise(self, latents: Tensor, how: Denoising) -> Tensor:
        """Return latents nearer those before quantisation.

        Raises:
            CodecError: Nothing here denoises, or not in this way.
        """
        ...


@contextmanager
def networks(what: str) -> Generator[None]:
    """Run networks without gradients; what PyTorch refuses, for want of memory say, is a `CodecError`."""
    try:
        with inference():
            yield
    except RuntimeError as error:
        raise CodecError(f"{what} failed: {error}") from error


# Any: diffusers writes one type for each of its outputs, and another one for each tuple of a tensor.
def run(function: Callable[[Tensor], Any], network: torch.nn.Module, given: Tensor) -> Tensor:
    """Return what a function of the network makes of a tensor; both are on the CPU, in float32.

    Args:
        function: A method of the network.
        network: Moved to its own device and dtype already.
        given: Its argument; any device, any float dtype.
    """
    made: Tensor = function(given.to(next(network.parameters())))
    return made.float().cpu()


def refuse_seed(seed: int | None, backend: str) -> None:
    """Raise `CodecError` for a draw from an encoder that has no distribution."""
    if seed is not None:
        raise CodecError(f"backend {backend!r} has no posterior to draw from, use posterior='mode'")
