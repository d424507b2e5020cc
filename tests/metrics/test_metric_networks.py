"""CLIP and DINOv2 similarity with small random networks in the published layout: all but the weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from skimage import data

from codecarena.bench.metrics.base import MetricError
from codecarena.bench.metrics.registry import create
from codecarena.codecs.base import Picture
from codecarena.codecs.fetch import file_sha256

pytest.importorskip("transformers")
SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 56,
    "patch_size": 14,
}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from transformers import (
        CLIPImageProcessor,
        CLIPVisionConfig,
        CLIPVisionModelWithProjection,
        Dinov2Config,
        Dinov2Model,
    )

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("weights")
    clip, dino = folder / "openai/clip-vit-base-patch32", folder / "facebook/dinov2-base"
    processor = CLIPImageProcessor(size={"shortest_edge": 56}, crop_size={"height": 56, "width": 56})
    CLIPVisionModelWithProjection(
        CLIPVisionConfig(**SIZES, intermediate_size=64, projection_dim=16)
    ).save_pretrained(clip)
    Dinov2Model(Dinov2Config(**SIZES)).save_pretrained(dino)
    for entry in (clip, dino):
        processor.save_pretrained(entry)
    return folder


@pytest.mark.parametrize(
    ("name", "repository"),
    [("clip-similarity", "openai/clip-vit-base-patch32"), ("dino-similarity", "facebook/dinov2-base")],
)
def test_similarity_is_one_for_equal_pictures_and_less_for_others(
    name: str, repository: str, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODECARENA_WEIGHTS", str(weights))
    metric = create(name)
    assert metric.identity.weights_sha256 == file_sha256(weights / repository / "model.safetensors")
    pixels = np.ascontiguousarray(data.astronaut()[60:253, 120:335])
    prepared = metric.prepare(Picture(pixels))
    assert metric.score(prepared, pixels.copy()) == pytest.approx(1, abs=1e-9)
    near = metric.score(prepared, (pixels // 8 * 8).astype(np.uint8))
    far = metric.score(prepared, np.ascontiguousarray(255 - pixels[::-1]))
    assert far < near < 1
    with pytest.raises(MetricError, match="equal size"):
        metric.score(prepared, pixels[:-1])
