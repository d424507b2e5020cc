"""Measure trained networks on pictures that no step learned from, as the tables of their model cards."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..base import Image
from ..generative.autoencoder import LatentAutoencoder
from ..generative.hfd.decoder import DEFAULTS, Detail, Mode
from ..learned.gained import GainedHyperprior
from ..learned.transform import PADDING
from ..planes import to_planes
from .latent_flow import Example, LatentFlowTask
from .pairs import CoarsePictures

DRAWN = 5
"""Pictures that HFD's decoders draw for the card, at each rate; a diffusion takes its time."""


@torch.no_grad()
def of_hyperprior(network: GainedHyperprior, pictures: Sequence[Image]) -> list[str]:
    """Return estimated bits per pixel and PSNR of each rate, means over pictures."""
    lines = ["| rate | bits per pixel (estimated) | PSNR, dB |", "| --- | --- | --- |"]
    for rate in range(len(network.log_gain)):
        rates_and_psnrs: list[tuple[float, float]] = []
        for pixels in (_cut(picture, PADDING) for picture in pictures):
            decoded, bits = network(pixels, torch.tensor([float(rate)]))
            rates_and_psnrs.append(
                (float(bits) / pixels[0, 0].numel(), psnr_db(decoded.clamp(0, 1), pixels, 1.0))
            )
        bits_per_pixel, quality = np.mean(rates_and_psnrs, axis=0)
        lines.append(f"| {rate + 1} | {bits_per_pixel:.3f} | {quality:.2f} |")
    return lines


@torch.no_grad()
def of_autoencoder(network: LatentAutoencoder, pictures: Sequence[Image]) -> list[str]:
    """Return the PSNR of the round trip, with clean latents and with noisy ones."""
    lines = ["| noise on the latents | PSNR, dB |", "| --- | --- |"]
    for noise in (0.0, 0.1, 0.2):
        psnrs: list[float] = []
        for pixels in (_cut(picture, 8) * 2 - 1 for picture in pictures):
            latents = network.encode(pixels)
            draws = torch.randn(latents.shape, generator=torch.Generator().manual_seed(0))
            decoded = network.decode(latents + noise * draws).clamp(-1, 1)
            psnrs.append(psnr_db(decoded, pixels, 2.0))
        lines.append(f"| {noise:g} | {np.mean(psnrs):.2f} |")
    return lines


def of_detail(detail: Detail, pairs: CoarsePictures, mode: Mode) -> list[str]:
    """Return PSNR and mean gradient of coarse and drawn pictures, relative to the original, rate by rate.

    Args:
        detail: The trained decoder.
        pairs: Held-back originals and their coarse pictures.
        mode: Flow or diffusion.
    """
    lines = [
        "| rate | PSNR coarse, dB | PSNR drawn, dB | mean gradient coarse | mean gradient drawn |",
        "| --- | --- | --- | --- | --- |",
    ]
    for rate in range(pairs.rates):
        measurements: list[tuple[float, ...]] = []
        for original, coarse in pairs.held_back(rate)[:DRAWN]:
            whole, rough = (
                to_planes(np.asarray(picture))[None].float() / 127.5 - 1 for picture in (original, coarse)
            )
            drawn = detail.draw(rough, float(rate), DEFAULTS[mode], seed=0).clamp(-1, 1)
            steep = _gradient(whole)
            measurements.append(
                (
                    psnr_db(rough, whole, 2.0),
                    psnr_db(drawn, whole, 2.0),
                    _gradient(rough) / steep,
                    _gradient(drawn) / steep,
                )
            )
        means = np.mean(measurements, axis=0)
        lines.append(f"| {rate + 1} | {means[0]:.2f} | {means[1]:.2f} | {means[2]:.2f} | {means[3]:.2f} |")
    return lines


@torch.no_grad()
def of_latent_flow(task: LatentFlowTask) -> list[str]:
    """Return the error of palette-coded latents before and after the flow, in latent deviations."""
    lines = ["| steps | rms error before | rms error after |", "| --- | --- | --- |"]
    for steps in (1, 2, 4):
        errors = [_denoised(task, example, steps) for example in task.held_back]
        before, after = np.mean(errors, axis=0)
        lines.append(f"| {steps} | {before:.3f} | {after:.3f} |")
    return lines


def _denoised(task: LatentFlowTask, example: Example, steps: int) -> tuple[float, float]:
    rms = float(example.error.square().mean().sqrt())
    clean = task.network.denoise((example.latents + example.error)[None], rms, steps)[0]
    return rms, float((clean - example.latents).square().mean().sqrt())


def psnr_db(decoded: Tensor, original: Tensor, peak: float) -> float:
    """Return the peak signal-to-noise ratio in dB of tensors whose values span ``peak``.

    Args:
        decoded: Of the original's shape.
        original: Any shape.
        peak: Difference of the largest and the smallest value that a pixel may have.
    """
    return float(10 * torch.log10(peak**2 / (decoded - original).square().mean().clamp(min=1e-12)))


def _gradient(pixels: Tensor) -> float:
    down, across = (
        pixels[:, :, 1:, :-1] - pixels[:, :, :-1, :-1],
        pixels[:, :, :-1, 1:] - pixels[:, :, :-1, :-1],
    )
    return float(torch.hypot(down, across).mean())


def _cut(pixels: Image, multiple: int) -> Tensor:
    """Return pixels (1, 3, height, width), 0 to 1, cut to sides that divide by ``multiple``."""
    height, width = (side // multiple * multiple for side in pixels.shape[:2])
    return to_planes(pixels[:height, :width])[None].float() / 255
