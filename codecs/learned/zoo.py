"""Models of CompressAI's image zoo as a codec."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast
from urllib.parse import urlsplit

import torch

from ...home_folder import expanded
from ..base import CodecError, CodecInfo, QualityScale, check_choice, check_quality
from ..bitstream import Kind
from ..checkpoints import contents, plain_names
from ..fetch import fetch, file_sha256
from .latents import ContextCoder, FactorizedCoder, HyperCoder, in_double
from .library import compressai_version, load_pretrained, model_architectures, model_urls
from .rates import Rate, Rates, chosen_qualities
from .transform import TransformCoder, place

if TYPE_CHECKING:
    from compressai.models import FactorizedPrior, JointAutoregressiveHierarchicalPriors, ScaleHyperprior
    from torch import Tensor

    from ..base import Image, Picture, RateParts
    from .latents import LatentCoder
    from .transform import Placement

    Network: TypeAlias = FactorizedPrior | ScaleHyperprior | JointAutoregressiveHierarchicalPriors

ARCHITECTURES = (
    "bmshj2018-factorized",
    "bmshj2018-hyperprior",
    "mbt2018-mean",
    "mbt2018",
    "cheng2020-anchor",
    "cheng2020-attn",
)
METRICS = ("mse", "ms-ssim")

_REACH = {"cheng2020-anchor": (640, 192), "cheng2020-attn": (512, 256)}
"""Tiles and halos in pixels; a halo covers what an output sees on either side; their attention is local."""
_REACH_OF_2018 = (768, 64)


class Zoo:
    """CompressAI's pretrained models, or a checkpoint of the user's own.

    Every quality is a network of its own. The constructor loads those named by ``qualities``, so that no
    encode ever waits for one; all of an architecture's take 0.2 to 0.7 GB.

    Args:
        arch: Architecture. ``mbt2018`` and those of 2020 code one position of the latents after another, so
            that a large picture takes minutes.
        metric: What the networks were trained for, ``mse`` or ``ms-ssim``.
        checkpoint: A file of the user's own, to use instead of the zoo's; its only quality is 1.
        qualities: Those to load, as in ``1,2,3``, or ``all``.
        device: Of the transforms, as torch calls it; entropy coding stays on the CPU.
        dtype: Of the transforms: ``float32`` or ``bfloat16``.
    """

    def __init__(
        self,
        arch: str = "mbt2018-mean",
        metric: str = "mse",
        checkpoint: str | None = None,
        qualities: str = "all",
        device: str = "cpu",
        dtype: str = "float32",
    ) -> None:
        check_choice("arch", arch, ARCHITECTURES)
        check_choice("metric", metric, METRICS)
        where = place(device, dtype)
        scale = QualityScale("quality", 1, 1 if checkpoint else len(model_urls[arch][metric]))
        chosen = chosen_qualities(qualities, scale)
        paths = [expanded(checkpoint or zoo_file(arch, metric, quality)) for quality in chosen]
        loaded = {quality: load_rate(path, arch, where) for quality, path in zip(chosen, paths, strict=True)}
        self._rates = Rates(Kind.ZOO, scale, loaded)
        self.info = CodecInfo(
            "zoo",
            f"2; compressai {compressai_version}, torch {torch.__version__}",
            "learned",
            tuple(map(float, chosen)),
            scale,
            tolerance_levels=where.tolerance_levels,
            weights_sha256=self._rates.sha256,
            weights_bytes=self._rates.byte_count,
            trained_on=None if checkpoint else "vimeo90k",
        )

    def encode(self, picture: Picture, quality: float) -> bytes:
        """Return the sealed strings of a picture."""
        check_quality(self.info, quality)
        return self._rates.encode(picture, round(quality))

    def decode(self, bitstream: bytes, seed: int | None = None) -> Image:  # noqa: ARG002
        """Return the pixels, by the network of the quality that wrote the stream."""
        return self._rates.decode(bitstream)

    def quality_of(self, payload: bytes) -> float:
        """Return the quality that a stream's payload was encoded at."""
        return self._rates.quality_of(payload)

    def weights_id(self, quality: float) -> bytes:
        """Return the id of the weights that a quality's streams name."""
        return self._rates.weights_id(round(quality))

    def breakdown(self, bitstream: bytes) -> RateParts:
        """Return the header with the quality, and the strings with their checksums."""
        return self._rates.breakdown(bitstream)


def zoo_file(arch: str, metric: str, quality: int) -> Path:
    """Return the path of a file of CompressAI's zoo, fetched where it is not there.

    It is looked for in `fetch.weights_folder` and where CompressAI's own loader leaves it, torch's hub cache.

    Args:
        arch: Of CompressAI's image zoo, such as ``bmshj2018-hyperprior``.
        metric: ``mse`` or ``ms-ssim``: what the model was trained for.
        quality: From 1, the lowest rate.

    Raises:
        MissingBackendError: It is not there and cannot be fetched.
    """
    address: str = model_urls[arch][metric][quality]
    name = urlsplit(address).path.rsplit("/", 1)[-1]
    # As in all of torch's hub, a name ends in the first digits of the file's SHA-256.
    digits = name.split(".")[0].rsplit("-", 1)[-1]
    hub = Path(torch.hub.get_dir()) / "checkpoints"
    return fetch(name, [address], digits, elsewhere=[hub], origin="CompressAI's public model zoo")


def load_rate(path: Path, arch: str, where: Placement) -> Rate:
    """Return the network of a checkpoint; its sizes follow from the tensors.

    Args:
        path: A file of the zoo, or one saved by CompressAI's training script after ``update()``.
        arch: One of `ARCHITECTURES`.
        where: Of the transforms.

    Raises:
        CodecError: It is not there, holds more than plain tensors, or another architecture's.
    """
    state = tensors(path)
    try:
        network = cast("Network", model_architectures[arch].from_state_dict(state))
    except (KeyError, RuntimeError, ValueError, IndexError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise CodecError(f"{path} holds no {arch} network: {type(error).__name__}: {reason}") from error
    network.eval().requires_grad_(False)
    coder = latent_coder(arch, network)
    tile, halo = _REACH.get(arch, _REACH_OF_2018)
    transforms = where.move(network.g_a), where.move_decoder(network.g_s)
    return Rate(file_sha256(path), path.stat().st_size, TransformCoder(*transforms, coder, where, tile, halo))


def tensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint, under the names they have in CompressAI today.

    Raises:
        CodecError: It cannot be read, or is a pickle of more than plain tensors.
    """
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, pickle.UnpicklingError, EOFError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CodecError(f"cannot read the checkpoint {path}: {reason}") from error
    state = contents(loaded)
    if not isinstance(state, dict) or not all(isinstance(tensor, torch.Tensor) for tensor in state.values()):
        raise CodecError(f"expected a checkpoint of named tensors, {path} is none")
    return load_pretrained(plain_names(cast("dict[str, Tensor]", state), path))


def latent_coder(arch: str, network: Network) -> LatentCoder:
    """Return the coder of a network's latents.

    Raises:
        CodecError: Its tables of probabilities are missing or wrong.
    """
    if arch == "bmshj2018-factorized":
        return FactorizedCoder(network.entropy_bottleneck)
    if arch in ("mbt2018", "cheng2020-anchor", "cheng2020-attn"):
        return ContextCoder(cast("JointAutoregressiveHierarchicalPriors", network))
    hyperprior = cast("ScaleHyperprior", network)
    has_means = arch == "mbt2018-mean"
    synthesis = in_double(hyperprior.h_s)

    def analysis(latents: Tensor) -> Tensor:
        return hyperprior.h_a(latents if has_means else latents.abs())

    def parameters(hyper: Tensor) -> tuple[Tensor, Tensor | None]:
        made: Tensor = synthesis(hyper)
        scales, means = made.chunk(2, 1) if has_means else (made, None)
        return scales, means

    return HyperCoder(
        hyperprior.entropy_bottleneck, hyperprior.gaussian_conditional, hyperprior.M, analysis, parameters
    )
