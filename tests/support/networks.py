"""Small networks of CompressAI's architectures: random ones, and ones that show the picture."""

from __future__ import annotations

from pathlib import Path

import torch

from codecarena.codecs import contract
from codecarena.codecs.learned.library import model_architectures


def untrained(arch: str, seed: int = 0) -> torch.nn.Module:
    """Return a random network whose latents are some units wide, with its tables of probabilities."""
    torch.manual_seed(seed)
    kind = model_architectures[arch]
    network = kind(8) if arch.startswith("cheng") else kind(8, 12)
    photograph = torch.from_numpy(contract.photograph(128, 128)).permute(2, 0, 1)[None] / 255
    with torch.no_grad():
        last = [module for module in network.g_a.modules() if isinstance(module, torch.nn.Conv2d)][-1]
        last.weight.mul_(3 / network.g_a(photograph).std())
        if hasattr(network, "h_s"):
            for part in (network.h_a[-1], *(layer for layer in network.h_s if hasattr(layer, "weight"))):
                part.weight.mul_(4)
    network.eval().update()
    return network


def showing(arch: str) -> torch.nn.Module:
    """Return a network of 2018 that shows a blurred picture.

    Its latents are the picture at an eighth of the sides, with four neighbours in four channels.
    """
    torch.manual_seed(0)
    network = model_architectures[arch](8, 12)
    smooth, between = torch.tensor([0, 1.0, 2, 1, 0]) / 4, torch.tensor([0, 0.5, 1, 0.5, 0])
    with torch.no_grad():
        for transform, line in ((network.g_a, smooth), (network.g_s, between)):
            for part in transform:
                if isinstance(part, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
                    part.weight.zero_()
                    part.bias.zero_()
                    for channel in range(3):
                        part.weight[channel, channel] = line[:, None] * line
                else:  # x / sqrt(1 + 0 x ** 2)
                    part.beta.fill_(1)
                    part.gamma.fill_(0)
        for part, factor in ((network.g_a[-1], 40), (network.g_s[0], 1 / 40)):
            part.weight.zero_()
            for latent in range(12):
                down, right, channel = latent // 6, latent // 3 % 2, latent % 3
                part.weight[latent, channel, 2 + down, 2 + right] = factor
    network.eval().update()
    return network


def save(network: torch.nn.Module, path: Path) -> str:
    """Return the path of a checkpoint of a network."""
    torch.save(network.state_dict(), path)
    return str(path)
