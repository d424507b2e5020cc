"""Load the networks of a latent codec by the name of their backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...base import CodecError, MissingBackendError, check_choice
from ...devices import find_device, find_dtype
from ...quiet import quiet

if TYPE_CHECKING:
    from .backends import Backend


def load(name: str, weights: str, denoiser: str, device: str, dtype: str) -> Backend:
    """Return a backend with its networks on the device; the parameters are `codec.LatentCodec`'s.

    Raises:
        MissingBackendError: A library, the weights or the device is not there.
        CodecError: A parameter is wrong.
    """
    check_choice("backend", name, ("embedded", "stable-diffusion", "taesd", "dc-ae"))
    number_format = find_dtype(dtype, find_device(device))
    if denoiser and name != "taesd":
        raise CodecError(f"only backend 'taesd' takes a denoiser, {name!r} got {denoiser!r}")
    if name == "embedded":
        if weights:
            raise CodecError(f"the embedded backend has its own weights, got {weights!r}")
        from .embedded import EmbeddedBackend

        return EmbeddedBackend.load(device, number_format)
    try:
        with quiet():
            from .public import load as load_public

            return load_public(name, weights, denoiser, device, number_format)
    except ImportError as error:
        message = f"backend {name!r} is missing: install codecarena[generative] ({error})"
        raise MissingBackendError(message) from error
