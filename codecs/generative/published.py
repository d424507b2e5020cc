"""Where published weights can be downloaded, and the folder of those that a parameter names.

A parameter that names weights is a model id, several ids with commas between them, of which the first one to
be had is taken, or a folder. Empty stands for the ids below.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from ..fetch import pipeline_folder, pipeline_name


class Published(NamedTuple):
    """Weights that others published."""

    ids: tuple[str, ...]
    """On the Hugging Face hub, the preferred one first."""
    files: tuple[str, ...] = ()
    """Patterns of the files that are needed of such a repository, which has more of the same weights; none
    for all. Who shares a repository shares its patterns too: what one has fetched, another takes as whole."""


_PIPELINE_FILES = (
    "*/config.json",
    "scheduler/*",
    "tokenizer/*",
    "text_encoder/model.safetensors",
    "unet/diffusion_pytorch_model.safetensors",
    "vae/diffusion_pytorch_model.safetensors",
)
_NETWORK_FILES = ("config.json", "diffusion_pytorch_model.safetensors")
_ADAPTER_FILES = (*_NETWORK_FILES, "diffusion_pytorch_model.bin")  # not all have been converted
_VERSION_14 = ("CompVis/stable-diffusion-v1-4",)
# Mirrors of a repository that its owner withdrew in 2024.
_VERSION_15 = ("stable-diffusion-v1-5/stable-diffusion-v1-5", "sd-legacy/stable-diffusion-v1-5")

STABLE_DIFFUSION = Published((*_VERSION_14, *_VERSION_15), _PIPELINE_FILES)
STABLE_DIFFUSION_15 = Published((*_VERSION_15, *_VERSION_14), _PIPELINE_FILES)
"""For networks that were trained with version 1.5."""
TAESD = Published(("madebyollin/taesd",), _NETWORK_FILES)
DC_AE = Published(("mit-han-lab/dc-ae-f32c32-mix-1.0-diffusers",), _NETWORK_FILES)
CANNY_ADAPTERS = Published(
    ("TencentARC/t2iadapter_canny_sd14v1", "TencentARC/t2iadapter_canny_sd15v2"), _ADAPTER_FILES
)
SKETCH_ADAPTERS = Published(
    ("TencentARC/t2iadapter_sketch_sd14v1", "TencentARC/t2iadapter_sketch_sd15v2"), _ADAPTER_FILES
)
"""Trained on the edges of PiDiNet, which are those of the layered codec's authors."""
POSE_ADAPTERS = Published(("TencentARC/t2iadapter_openpose_sd14v1",), _ADAPTER_FILES)
COLOUR_ADAPTERS = Published(("TencentARC/t2iadapter_color_sd14v1",), _ADAPTER_FILES)
CANNY_CONTROLNETS = Published(
    ("lllyasviel/control_v11p_sd15_canny", "lllyasviel/sd-controlnet-canny"), _NETWORK_FILES
)
SOFT_EDGE_CONTROLNETS = Published(
    ("lllyasviel/control_v11p_sd15_softedge", "lllyasviel/sd-controlnet-hed"), _NETWORK_FILES
)
"""Trained on the edges of PiDiNet and HED."""
POSE_CONTROLNETS = Published(
    ("lllyasviel/control_v11p_sd15_openpose", "lllyasviel/sd-controlnet-openpose"), _NETWORK_FILES
)
CAPTIONERS = Published(
    ("Salesforce/blip-image-captioning-base",), ("*.json", "*.txt", "*.safetensors", "pytorch_model*.bin")
)
"""The layered codec's authors use ``Salesforce/blip2-opt-2.7b``."""
ANNOTATORS = "lllyasviel/Annotators"
"""Detectors of edges and people; each has files of its own there."""

STABLE_DIFFUSION_FAMILY = "Stable Diffusion"
TRAINED_ON = "LAION (Stable Diffusion 1.x)"


def folder_of(choice: str, published: Published) -> Path:
    """Return the folder that a parameter names: see the top of this file.

    Raises:
        MissingBackendError: There is no such folder, or none of the ids can be downloaded.
    """
    ids = _ids(choice)
    named = all(re.fullmatch(r"[\w-][\w.-]*/[\w.-]+", id_) for id_ in ids)
    if choice and (not named or Path(choice).is_dir()):
        return pipeline_folder((), local=choice)
    return pipeline_folder(ids or published.ids, allow=published.files)


def trained_on(choice: str) -> str | None:
    """Return what Stable Diffusion was trained on; None for weights that are not known to be its."""
    return TRAINED_ON if set(_ids(choice)) <= set(STABLE_DIFFUSION.ids) else None


def generator_of(folder: Path) -> str:
    """Return the name of the Stable Diffusion in a folder; of one's own folder only the family is known."""
    return pipeline_name(folder) or STABLE_DIFFUSION_FAMILY


def _ids(choice: str) -> list[str]:
    return [pipeline_id.strip() for pipeline_id in choice.split(",") if pipeline_id.strip()]
