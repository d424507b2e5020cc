"""The published MS-ILLM networks as a codec.

Source: Muckley, El-Nouby, Ullrich, Jegou, Verbeek, "Improving Statistical Fidelity for Neural Image
Compression with Implicit Local Likelihood Models", ICML 2023; code and weights (CC-BY-NC 4.0) in
NeuralCompression.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import torch

from ...home_folder import expanded
from ..base import CodecError, CodecInfo, MissingBackendError, QualityScale, check_quality
from ..bitstream import Kind
from ..fetch import ALLOW_DOWNLOADS, allowed
from ..recipes.bottlenecks import MismatchError, check_loaded
from .latents import HyperCoder, in_double
from .library import compressai_version
from .made_tables import remake_tables
from .rates import Rate, Rates, chosen_qualities
from .transform import TransformCoder, place

if TYPE_CHECKING:
    from collections.abc import Generator

    from compressai.entropy_models import EntropyBottleneck, GaussianConditional
    from torch import Tensor, nn

    from ..base import Image, Picture, RateParts
    from .transform import Placement

REPOSITORY = "facebookresearch/NeuralCompression"
_COMMIT = "8e9c2ed56b3329b37e9b891f4ee2ad163f65c422"
"""The first that has all eight qualities; taken where no other is named."""
_TILE, _HALO = 512, 384
"""In pixels: nine residual blocks of the generator see 21 latents on either side, which are 336 pixels."""
_PARTS = (
    "encoder",
    "decoder",
    "hyper_analysis",
    "hyper_synthesis_mean",
    "hyper_synthesis_scale",
    "hyper_bottleneck",
    "latent_bottleneck",
)


class _Network(Protocol):
    """What is used of NeuralCompression's ``HiFiCAutoencoder``.

    Its own ``compress`` returns a Python object that is measured by its pickle, and its ``decompress`` hands
    strings to the range decoder as they come; its parts are called here in the same order instead.
    """

    encoder: nn.Module
    decoder: nn.Module
    hyper_analysis: nn.Sequential
    hyper_synthesis_mean: nn.Sequential
    hyper_synthesis_scale: nn.Sequential
    hyper_bottleneck: EntropyBottleneck
    latent_bottleneck: GaussianConditional

    def update(self) -> bool: ...

    def state_dict(self) -> dict[str, Tensor]: ...


class Illm:
    """MS-ILLM: a hyperprior network whose decoder was trained against a discriminator of local labels.

    Every quality is a network of 0.7 GB. The constructor loads those named by ``qualities``.

    Args:
        qualities: Those to load, by their published numbers, or ``all``: -1 and 0 are ``vlo1`` and ``vlo2``,
            the targets of 1 to 6 are 0.035, 0.07, 0.14, 0.3, 0.45 and 0.9 bits per pixel.
        repository: For ``torch.hub``: a repository on the hub, or the folder of a checkout. Its code is run.
            After a colon, a branch or commit; without one, that of the published weights.
        device: Of the transforms, as torch calls it; entropy coding stays on the CPU.
        dtype: Of the transforms: ``float32`` or ``bfloat16``.
    """

    def __init__(
        self,
        qualities: str = "1,2,3",
        repository: str = REPOSITORY,
        device: str = "cpu",
        dtype: str = "float32",
    ) -> None:
        where = place(device, dtype)
        scale = QualityScale("quality", -1, 6)
        chosen = chosen_qualities(qualities, scale)
        self._rates = Rates(Kind.ILLM, scale, {rate: _load_rate(repository, rate, where) for rate in chosen})
        self.info = CodecInfo(
            "illm",
            f"2; compressai {compressai_version}, torch {torch.__version__}",
            "generative",
            tuple(map(float, chosen)),
            scale,
            tolerance_levels=where.tolerance_levels,
            weights_sha256=self._rates.sha256,
            weights_bytes=self._rates.byte_count,
            trained_on="openimages",
        )

    def encode(self, picture: Picture, quality: float) -> bytes:
        """Return the sealed strings of a picture."""
        check_quality(self.info, quality)
        return self._rates.encode(picture, round(quality))

    def decode(self, bitstream: bytes, seed: int | None = None) -> Image:  # noqa: ARG002
        """Return the pixels, by the network of the quality that wrote the stream; nothing is drawn."""
        return self._rates.decode(bitstream)

    def breakdown(self, bitstream: bytes) -> RateParts:
        """Return the header with the quality, and the strings with their checksums."""
        return self._rates.breakdown(bitstream)


def published_name(quality: int) -> str:
    """Return what NeuralCompression calls a quality: ``msillm_quality_vlo1`` for -1, ``msillm_quality_3``."""
    return f"msillm_quality_{f'vlo{quality + 2}' if quality < 1 else quality}"


def _load_rate(repository: str, quality: int, where: Placement) -> Rate:
    network = _from_hub(repository, published_name(quality))
    sha256, byte_count = tensors_sha256(network.state_dict())
    without_tables = [
        model
        for model in (network.hyper_bottleneck, network.latent_bottleneck)
        if not cast("Tensor", model.quantized_cdf).numel()
    ]
    network.update()  # as theirs does, too: the published files hold no tables of probabilities
    for model in without_tables:
        remake_tables(model)
    scale, mean = in_double(network.hyper_synthesis_scale), in_double(network.hyper_synthesis_mean)

    def parameters(hyper: Tensor) -> tuple[Tensor, Tensor | None]:
        return scale(hyper), mean(hyper)

    channels = next(network.hyper_analysis.parameters()).shape[1]
    coder = HyperCoder(
        network.hyper_bottleneck, network.latent_bottleneck, channels, network.hyper_analysis, parameters
    )
    transforms = where.move(network.encoder), where.move_decoder(network.decoder)
    return Rate(sha256, byte_count, TransformCoder(*transforms, coder, where, _TILE, _HALO))


def _from_hub(repository: str, name: str) -> _Network:
    """Return a pretrained network by ``torch.hub``, from a folder, its cache or the hub.

    Raises:
        MissingBackendError: It cannot be downloaded.
        CodecError: The repository holds another kind of network.
    """
    folder = expanded(repository)
    local = (folder / "hubconf.py").is_file()
    where = str(folder) if local else _with_revision(repository)
    try:
        with _only_allowed_downloads():
            network = cast(
                "nn.Module",
                torch.hub.load(
                    where,
                    name,
                    source="local" if local else "github",
                    trust_repo=True,  # pyright: ignore[reportArgumentType] - its own documentation has a bool
                    # It asks the hub's address which branches there are; a commit is none.
                    skip_validation=not allowed() or bool(re.search(":[0-9a-f]{40}$", where)),
                    verbose=False,
                    pretrained=True,
                ),
            )
        check_loaded(network)
    except MismatchError as error:
        raise CodecError(f"{name} of {repository}: {error}") from error
    # The repository's own code runs here, so anything may come out of it.
    except Exception as error:
        raise MissingBackendError(
            f"{name} cannot be loaded from {repository}: {type(error).__name__}: {error}\n"
            "clone facebookresearch/NeuralCompression, install what it needs, name its folder in the "
            "parameter 'repository', and place its weights file in "
            f"{Path(torch.hub.get_dir()) / 'checkpoints'}/"
        ) from error
    network = cast("nn.Module", getattr(network, "_orig_mod", network))  # what torch.compile wraps
    missing = [part for part in _PARTS if not hasattr(network, part)]
    if missing:
        raise CodecError(f"{name} of {repository} is no HiFiC autoencoder: it has no {', '.join(missing)}")
    return cast("_Network", network.float().eval().requires_grad_(False))


def _with_revision(repository: str) -> str:
    """Return a repository with a branch or commit: torch's hub asks the network where none is named."""
    if ":" in repository:
        return repository
    return f"{repository}:{_COMMIT if repository == REPOSITORY else 'main'}"


@contextmanager
def _only_allowed_downloads() -> Generator[None]:
    """Let torch's hub download nothing unless the user allows it."""
    kept = torch.hub.download_url_to_file

    def refuse(url: str, *_: object, **__: object) -> None:
        raise MissingBackendError(f"{url} is not there; {ALLOW_DOWNLOADS}=1 lets it be fetched")

    if not allowed():
        torch.hub.download_url_to_file = refuse
    try:
        yield
    finally:
        torch.hub.download_url_to_file = kept


def tensors_sha256(state: dict[str, Tensor]) -> tuple[str, int]:
    """Return the SHA-256 of tensors with their names, and the number of their bytes."""
    digest = hashlib.sha256()
    byte_count = 0
    for name, tensor in sorted(state.items()):
        content = tensor.detach().cpu().contiguous().numpy().tobytes()
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype} ".encode() + content)
        byte_count += len(content)
    return digest.hexdigest(), byte_count
