"""The name of the toy generator whose weights come with the package, without loading them."""

from __future__ import annotations

from .. import pretrained
from ..fetch import combined_sha256

NETWORKS = ("latent_autoencoder", "latent_flow")


def weights_sha256() -> str:
    """Return one SHA-256 over the embedded autoencoder's and the latent flow's files."""
    return combined_sha256(bytes.fromhex(pretrained.embedded(name).sha256) for name in NETWORKS)


def generator_name() -> str:
    """Return what pictures out of these weights are said to be made by, and what their codecs hold."""
    return f"codecarena toy latent flow {weights_sha256()[:12]}"
