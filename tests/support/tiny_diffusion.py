"""Tiny Stable Diffusion, adapters and ControlNets of random weights, and layers to paint from with them.

diffusers takes seconds to load, and every worker imports this file: it is imported where it is used.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from codecarena.codecs.base import Image
from codecarena.codecs.generative.layered.coding.layers import LayerDecoder, Layers, Skeleton
from codecarena.codecs.quiet import quiet

if TYPE_CHECKING:
    from codecarena.codecs.generative.layered.decoding.stable_diffusion import UNet2DConditionModel

SMALL = {"steps": 2, "canvas_area": 64 * 64}
STANDING = [(0.5, 0.1), (0.5, 0.3), (0.3, 0.3), (0.2, 0.5), (0.2, 0.7), (0.7, 0.3), (0.8, 0.5), (0.8, 0.7)]
STANDING += [(0.4, 0.6), (0.4, 0.8), (0.4, 1.0), (0.6, 0.6), (0.6, 0.8), (0.6, 1.0)]
STANDING += [(0.45, 0.05), (0.55, 0.05), (0.4, 0.1), (0.6, 0.1)]


def save_models(folder: Path) -> Path:
    """Return the folder, with the models in the layout of the published ones."""
    from codecarena.codecs.generative.layered.decoding import diffusion

    torch.manual_seed(0)
    with quiet():
        base = _save_base(folder / "base")
        full = {"channels": [32, 64, 64], "num_res_blocks": 1, "adapter_type": "full_adapter"}
        light = {"channels": [32, 64], "num_res_blocks": 1, "adapter_type": "light_adapter"}
        diffusion.T2IAdapter(in_channels=1, **full).save_pretrained(folder / "sketch_adapter")
        diffusion.T2IAdapter(in_channels=3, **full).save_pretrained(folder / "pose_adapter")
        diffusion.T2IAdapter(in_channels=3, **light).save_pretrained(folder / "colour_adapter")
        for name in ("edge_controlnet", "pose_controlnet"):
            net = diffusion.ControlNetModel.from_unet(
                base, conditioning_embedding_out_channels=(16, 16, 32, 32)
            )
            for parameter in net.parameters():  # a new ControlNet says zero everywhere
                parameter.data.add_(torch.randn_like(parameter) * 0.05)
            net.save_pretrained(folder / name)
    return folder


def _save_base(folder: Path) -> UNet2DConditionModel:
    from transformers import CLIPTextConfig

    from codecarena.codecs.generative.layered.decoding.stable_diffusion import (
        AutoencoderKL,
        CLIPTextModel,
        PNDMScheduler,
        UNet2DConditionModel,
    )

    letters = [chr(code) for code in range(33, 127)]
    words = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    start, end = len(words) - 2, len(words) - 1
    tokenizer = folder / "tokenizer"
    tokenizer.mkdir(parents=True)
    (tokenizer / "vocab.json").write_text(json.dumps({word: index for index, word in enumerate(words)}))
    (tokenizer / "merges.txt").write_text("#version: 0.2\n")
    special = {"bos_token": words[start], "eos_token": words[end], "pad_token": words[end]}
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "unk_token": words[end]}
    (tokenizer / "tokenizer_config.json").write_text(json.dumps(config | special))
    text = CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        bos_token_id=start,
        eos_token_id=end,
        pad_token_id=end,
    )
    CLIPTextModel(text).save_pretrained(folder / "text_encoder")
    AutoencoderKL(
        block_out_channels=(32,) * 4,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
    ).save_pretrained(folder / "vae")
    unet = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(32, 64, 64),
        layers_per_block=1,
        # The features of adapters meet only such levels, and the last.
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=32,
    )
    unet.save_pretrained(folder / "unet")
    PNDMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", skip_prk_steps=True
    ).save_pretrained(folder / "scheduler")
    return unet


def adapters(models: Path, **options: object) -> LayerDecoder:
    from codecarena.codecs.generative.layered.decoding.diffusion import adapter_decoder

    names = ("base", "sketch_adapter", "pose_adapter", "colour_adapter")
    return adapter_decoder(**({name: str(models / name) for name in names} | SMALL | options))


def controlnets(models: Path, **options: object) -> LayerDecoder:
    from codecarena.codecs.generative.layered.decoding.diffusion import controlnet_decoder

    names = ("base", "edge_controlnet", "pose_controlnet")
    return controlnet_decoder(**({name: str(models / name) for name in names} | SMALL | options))


Maker = Callable[..., LayerDecoder]
MAKERS: dict[str, Maker] = {"adapters": adapters, "controlnets": controlnets}


def _skeleton(shift: float) -> Skeleton:
    points = np.clip(np.array(STANDING) + np.array([shift, 0.0]), 0, 1)
    return Skeleton(points, np.ones(len(STANDING), np.bool_))


def _edges(row: int) -> np.ndarray:
    edges = np.zeros((16, 16), np.bool_)
    edges[row, 2:14] = True
    return edges


def _colours(red: int) -> Image:
    colours = np.full((2, 2, 3), 90, np.uint8)
    colours[0, 0, 0] = red
    return colours


LAYERS = {
    "caption": ("a red barn", "the open sea"),
    "edges": (_edges(4), _edges(11)),
    "skeletons": ((_skeleton(0),), (_skeleton(0.2),)),
    "colours": (_colours(10), _colours(240)),
}
"""Two contents of each layer."""


def layers(kinds: str, changed: str = "", width: int = 64, height: int = 64) -> Layers:
    return Layers(width, height, **{kind: LAYERS[kind][kind == changed] for kind in kinds.split()})
