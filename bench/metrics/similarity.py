"""Score how alike CLIP or DINOv2 finds two pictures: the same content, whatever the pixels."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from ...codecs.base import MissingBackendError
from ...codecs.fetch import file_sha256, pipeline_folder
from ..records.identities import MetricIdentity
from ..records.metric_facts import MetricFacts
from .base import MissingMetricError
from .iqa_weights import set_offline
from .pixels import check_pair

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from ...codecs.base import Image, Picture

_WEIGHTS = "model.safetensors"
_FILES = ("config.json", "preprocessor_config.json", _WEIGHTS)


@dataclass(frozen=True, slots=True)
class _Described:
    pixels: Image
    direction: torch.Tensor


class _Similarity:
    """The cosine between a network's descriptions of the two pictures, each prepared as it was published."""

    name: ClassVar[str]
    repository: ClassVar[str]
    needs: Literal["pair", "decoded"] = "pair"
    facts = MetricFacts(lowest=-1.0, highest=1.0, perfect=1.0)

    def __init__(self) -> None:
        """Load the network.

        Raises:
            MissingMetricError: Its files are not here; says where to place them.
        """
        set_offline()
        try:
            folder = pipeline_folder([self.repository], allow=_FILES)
        except MissingBackendError as error:
            raise MissingMetricError(f"{self.name}: {error}") from error
        if absent := [name for name in _FILES if not (folder / name).is_file()]:
            raise MissingMetricError(f"{self.name}: {', '.join(absent)} of {self.repository} not in {folder}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from transformers import AutoImageProcessor

            self._processor: Any = AutoImageProcessor.from_pretrained(folder)  # transformers has no types
            self._network = self._load(folder).eval()
        self.identity = MetricIdentity(
            self.name,
            "transformers",
            f"1, {version('transformers')}",
            f"RGB, {self.repository}'s own resizing",
            file_sha256(folder / _WEIGHTS),
        )

    # Any: transformers has no types.
    def _load(self, folder: Path) -> Any:
        raise NotImplementedError

    def _describe(self, planes: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError

    def prepare(self, original: Picture) -> object:
        """Return the original's description."""
        return _Described(original.pixels, self._direction(original.pixels))

    def score(self, prepared: object, decoded: Image) -> float:
        """Return the cosine, from -1 to 1."""
        original = cast("_Described", prepared)
        check_pair(self.name, original.pixels, decoded)
        return float(original.direction @ self._direction(decoded))

    def _direction(self, pixels: Image) -> torch.Tensor:
        import torch

        with torch.inference_mode(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            planes = self._processor(images=pixels, return_tensors="pt")["pixel_values"]
            described = self._describe(planes)[0].double()
        return described / described.norm()


class ClipSimilarity(_Similarity):
    """Cosine of CLIP's projected image embeddings. Radford et al. (ICML 2021)."""

    name = "clip-similarity"
    repository = "openai/clip-vit-base-patch32"

    def _load(self, folder: Path) -> Any:
        from transformers import CLIPVisionModelWithProjection

        return CLIPVisionModelWithProjection.from_pretrained(folder)

    def _describe(self, planes: torch.Tensor) -> torch.Tensor:
        return self._network(pixel_values=planes).image_embeds


class DinoSimilarity(_Similarity):
    """Cosine of DINOv2's class tokens. Oquab et al. (TMLR 2024)."""

    name = "dino-similarity"
    repository = "facebook/dinov2-base"

    def _load(self, folder: Path) -> Any:
        from transformers import Dinov2Model

        return Dinov2Model.from_pretrained(folder)

    def _describe(self, planes: torch.Tensor) -> torch.Tensor:
        return self._network(pixel_values=planes).last_hidden_state[:, 0]
