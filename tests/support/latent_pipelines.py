"""Tiny Stable Diffusion, TAESD and DC-AE folders with random weights, as ``save_pretrained`` writes them.

The libraries take seconds to load, and every worker imports this file: they are imported where they are used.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as functional

from codecarena.codecs.contract import photograph

if TYPE_CHECKING:
    from pathlib import Path


def stable_diffusion(folder: Path) -> Path:
    """Return the folder of a pipeline: VAE 32 x 4, UNet 32/64, text encoder of 32 features."""
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from diffusers.schedulers.scheduling_pndm import PNDMScheduler
    from transformers import CLIPTextConfig, CLIPTextModel

    torch.manual_seed(0)
    vae = AutoencoderKL(
        block_out_channels=(32,) * 4,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=8,
    ).eval()
    torch.nn.init.dirac_(vae.quant_conv.weight)
    torch.nn.init.zeros_(vae.quant_conv.bias)
    _fit(vae.encoder.conv_out, vae.encode, _squares(8, 1 / 0.18215), rest=-10.0)
    _fit(vae.decoder.conv_out, lambda x: vae.decode(vae.encode(x).latent_dist.mode()), _picture())
    vae.save_pretrained(folder / "vae")
    UNet2DConditionModel(
        block_out_channels=(32, 64),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=32,
        attention_head_dim=4,
        norm_num_groups=8,
    ).save_pretrained(folder / "unet")
    text = CLIPTextConfig(
        vocab_size=4,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=4,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    CLIPTextModel(text).save_pretrained(folder / "text_encoder")
    _tokenizer(folder / "tokenizer")
    PNDMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1, skip_prk_steps=True
    ).save_pretrained(folder / "scheduler")
    return folder


def taesd(folder: Path) -> Path:
    """Return the folder of a tiny autoencoder."""
    from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny

    torch.manual_seed(0)
    tiny = AutoencoderTiny(encoder_block_out_channels=(16,) * 4, decoder_block_out_channels=(16,) * 4).eval()
    _fit(tiny.encoder.layers[-1], tiny.encode, _squares(8, 1.0))
    _fit(tiny.decoder.layers[-1], lambda x: tiny.decode(tiny.encode(x).latents), _picture() / 2 + 0.5)
    tiny.save_pretrained(folder)
    return folder


def dc_ae(folder: Path) -> Path:
    """Return the folder of a deep compression autoencoder, 16 times smaller along each side, 5 channels."""
    from diffusers.models.autoencoders.autoencoder_dc import AutoencoderDC

    torch.manual_seed(0)
    deep = AutoencoderDC(
        latent_channels=5,
        attention_head_dim=8,
        encoder_block_types="ResBlock",
        decoder_block_types="ResBlock",
        encoder_block_out_channels=(16,) * 5,
        decoder_block_out_channels=(16,) * 5,
        encoder_layers_per_block=(1,) * 5,
        decoder_layers_per_block=(1,) * 5,
        encoder_qkv_multiscales=((),) * 5,
        decoder_qkv_multiscales=((),) * 5,
        encoder_out_shortcut=False,
        decoder_in_shortcut=False,
        scaling_factor=0.5,
    ).eval()
    _fit(deep.encoder.conv_out, deep.encode, _squares(16, 2.0))
    _fit(deep.decoder.conv_out, lambda x: deep.decode(deep.encode(x).latent), _picture())
    deep.save_pretrained(folder)
    return folder


def _tokenizer(folder: Path) -> None:
    folder.mkdir(parents=True)
    ends = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}
    words = {"<|startoftext|>": 0, "<|endoftext|>": 1, "a</w>": 2, "a": 3}
    (folder / "vocab.json").write_text(json.dumps(words))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    settings = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "unk_token": "<|endoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | ends))


def _picture() -> torch.Tensor:
    """Return the contract's photograph with sides that are multiples of 32."""
    pixels = np.pad(photograph(), ((0, 0), (0, 24), (0, 0)), mode="edge")
    return torch.from_numpy(pixels.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]


def _squares(side: int, deviation: float) -> torch.Tensor:
    """Return four planes for latents to show: mean colours of squares and how their light falls."""
    halves = functional.avg_pool2d(_picture(), (side // 2, side))
    slope = (halves[:, :, ::2] - halves[:, :, 1::2]).mean(1, keepdim=True)
    planes = torch.cat([functional.avg_pool2d(_picture(), side), slope], 1)
    return deviation * (planes - planes.mean((2, 3), True)) / planes.std((2, 3), keepdim=True)


@torch.inference_mode()
def _fit(last: Any, through: Any, wanted: torch.Tensor, rest: float = 0.0) -> None:
    """Fit a last convolution by least squares, so that random features show what is wanted of the picture.

    Channels beyond those wanted become ``rest``, for the logarithm of the variance of latents.
    """
    seen: list[torch.Tensor] = []
    hook = last.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    through(_picture())
    hook.remove()
    columns = functional.unfold(seen[0], last.kernel_size, padding=last.padding)[0].T.double()
    columns = torch.cat([columns, columns.new_ones(len(columns), 1)], 1)
    ridge = 1e-4 * len(columns) * torch.eye(columns.shape[1], dtype=torch.double)
    solution = torch.linalg.solve(columns.T @ columns + ridge, columns.T @ wanted[0].flatten(1).T.double()).T
    count = len(solution)
    last.weight.zero_()
    last.bias.fill_(rest)
    last.weight[:count] = solution[:, :-1].reshape(count, *last.weight.shape[1:])
    last.bias[:count] = solution[:, -1]
