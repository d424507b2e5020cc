"""Load the public pretrained networks of the latent codec, from a hub or a folder, through diffusers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import torch
from diffusers.models.autoencoders.autoencoder_dc import AutoencoderDC
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from transformers import CLIPTextModel, CLIPTokenizer

from ...base import CodecError, MissingBackendError
from ...devices import in_fast_layout, inference
from ..published import (
    DC_AE,
    STABLE_DIFFUSION,
    STABLE_DIFFUSION_FAMILY,
    TAESD,
    folder_of,
    generator_of,
    trained_on,
)
from .backends import Identity
from .deep_compression import DeepCompressionBackend
from .denoiser import UNetDenoiser
from .stable_diffusion import StableDiffusionBackend, TinyBackend

if TYPE_CHECKING:
    from torch import Tensor

    from .backends import Backend

_NETWORK, _TEXT_ENCODER = "diffusion_pytorch_model.safetensors", "model.safetensors"

_Model = TypeVar("_Model", bound=torch.nn.Module)


def load(name: str, weights: str, denoiser: str, device: str, dtype: torch.dtype) -> Backend:
    """Return the backend ``stable-diffusion``, ``taesd`` or ``dc-ae``; see `loading.load`.

    Raises:
        MissingBackendError: The weights are not there and cannot be fetched.
        CodecError: The folder holds something else.
    """
    loader = _Loader(device, dtype)
    if name == "stable-diffusion":
        folder = folder_of(weights, STABLE_DIFFUSION)
        vae, unet = loader.network(AutoencoderKL, folder / "vae"), loader.denoiser(folder)
        return StableDiffusionBackend(vae, unet, loader.identity(trained_on(weights), generator_of(folder)))
    if name == "taesd":
        tiny = loader.network(AutoencoderTiny, folder_of(weights, TAESD))
        folder = folder_of(denoiser, STABLE_DIFFUSION) if denoiser else None
        unet = loader.denoiser(folder) if folder else None
        # Without a denoiser too: it was distilled from Stable Diffusion's autoencoder.
        generator = generator_of(folder) if folder else STABLE_DIFFUSION_FAMILY
        return TinyBackend(tiny, unet, loader.identity(None, generator))
    deep = loader.network(AutoencoderDC, folder_of(weights, DC_AE))
    return DeepCompressionBackend(deep, loader.identity(None))


class _Loader:
    """Loads networks and remembers which files they came from."""

    def __init__(self, device: str, dtype: torch.dtype) -> None:
        self._device, self._dtype = device, dtype
        self._files: list[Path] = []

    def identity(self, trained_on: str | None, generator: str | None = None) -> Identity:
        """Return what all loaded files are together."""
        return Identity.of_files(self._files, trained_on, generator)

    def network(self, kind: type[_Model], folder: Path, file: str = _NETWORK) -> _Model:
        """Return a network from its folder, on the device."""
        if not (folder / file).is_file():
            raise MissingBackendError(f"expected the weights of {kind.__name__} in {folder / file}")
        options = {"use_safetensors": True, "torch_dtype": self._dtype, "output_loading_info": True}
        loaded, report = _pretrained(kind, folder, **options)
        if report["missing_keys"]:
            raise CodecError(f"{folder / file} lacks tensors of {kind.__name__}: {report['missing_keys']}")
        self._files.append(folder / file)
        network = loaded.to(self._device).eval()
        # Of an autoencoder the decoder alone: what it codes hangs on the encoder's last digits.
        in_fast_layout(getattr(network, "decoder", network))
        return network

    def denoiser(self, folder: Path) -> UNetDenoiser:
        """Return the denoiser of a Stable Diffusion pipeline, for the empty prompt."""
        scheduler = _pretrained(DDIMScheduler, folder / "scheduler")
        unet = self.network(UNet2DConditionModel, folder / "unet")
        return UNetDenoiser(unet, self._empty_prompt(folder), scheduler)

    def _empty_prompt(self, folder: Path) -> Tensor:
        """Return the embedding of the empty prompt; the text encoder is not needed after it."""
        tokenizer = _pretrained(CLIPTokenizer, folder / "tokenizer")
        encoder = self.network(CLIPTextModel, folder / "text_encoder", _TEXT_ENCODER)
        length = encoder.config.max_position_embeddings
        tokens = tokenizer([""], padding="max_length", max_length=length, return_tensors="pt")
        with inference():
            return cast("Tensor", encoder(tokens.input_ids.to(self._device)).last_hidden_state)


# Any: the two libraries have no common type for what loads from a folder.
def _pretrained(kind: Any, folder: Path, **options: object) -> Any:
    """Return what diffusers or transformers makes of a folder; whatever they raise comes as `CodecError`."""
    if not folder.is_dir():
        raise MissingBackendError(f"expected the folder {folder} with a {kind.__name__}, found none")
    try:
        return kind.from_pretrained(folder, local_files_only=True, **options)
    except Exception as error:
        raise CodecError(f"{folder} does not load as {kind.__name__}: {error}") from error
