"""Score pictures, alone or with their originals, by any metric that pyiqa lists."""

from __future__ import annotations

import contextlib
import io
import warnings
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from ..records.identities import MetricIdentity
from ..records.metric_facts import impossible_score
from .base import MetricError, MissingMetricError
from .iqa_names import iqa_names
from .iqa_weights import (
    ALLOW_DOWNLOADS,
    WeightFiles,
    digest,
    downloads_allowed,
    set_offline,
    wanted_from_hub,
    watched,
)
from .pixels import check_pair

if TYPE_CHECKING:
    from collections.abc import Generator

    import torch

    from ...codecs.base import Image, Picture

PREFIX = "pyiqa:"
_ALLOW = f"or set {ALLOW_DOWNLOADS}=1 to let pyiqa fetch them"


class Iqa:
    """One of pyiqa's metrics with its default options, on the processor.

    Chen, Mo: IQA-PyTorch, PyTorch toolbox for image quality assessment (2022).
    """

    def __init__(self, name: str) -> None:
        """Make the metric that pyiqa calls ``name``.

        Raises:
            MissingMetricError: A weight file or a module is not here; says which, and where it belongs.
            MetricError: This version does not offer it.
        """
        known = iqa_names()[name]
        if known.refused:
            raise MetricError(f"{PREFIX}{name} is not offered: {known.refused}")
        self._name = PREFIX + name
        self.needs, self.facts = known.needs, known.facts
        self._wants_caption = name == "clipscore"
        self._model, files = _make(name)
        self.identity = MetricIdentity(
            self._name, "pyiqa", version("pyiqa"), "RGB, pyiqa's defaults", digest(files.opened)
        )

    def prepare(self, original: Picture) -> object:
        """Return the original as a tensor, or its caption for the one metric that compares with words.

        Raises:
            MetricError: There is no caption, or the original beside itself does not have the perfect value
                (of a picture of one colour VIF is 0 / 0): scores of its decoded pictures would mean nothing.
        """
        if self._wants_caption:
            if not original.caption:
                raise MetricError(f"{self._name} compares a picture with its caption; this picture has none")
            return original.caption
        if self.needs != "pair":
            return None
        prepared = _Original(original.pixels)
        if self.facts.is_bounded:
            value = self.score(prepared, original.pixels)
            if problem := impossible_score(self.facts, value, identical=True):
                raise MetricError(
                    f"{self._name} cannot judge pictures by this original: beside itself {problem}"
                )
        return prepared

    def score(self, prepared: object, decoded: Image) -> float:
        """Return the score."""
        if isinstance(prepared, _Original):
            check_pair(self._name, prepared.pixels, decoded)
        extra: dict[str, Any] = {}  # whatever pyiqa's metric takes
        if isinstance(prepared, str):
            extra["caption_list"] = [prepared]
        reference = [prepared.tensor] if isinstance(prepared, _Original) else []
        with _quiet(), watched() as files:
            try:
                return float(self._model(_tensor(decoded), *reference, **extra).item())
            except Exception as error:
                if files.missing:
                    raise MissingMetricError(_missing_files(self._name, files)) from error
                height, width = decoded.shape[:2]
                message = f"{self._name} cannot score {width}x{height} pixels: {_short(error)}"
                raise MetricError(message) from error


class _Original:
    """The original in both forms: for the check and for the model."""

    def __init__(self, pixels: Image) -> None:
        self.pixels, self.tensor = pixels, _tensor(pixels)


def _tensor(pixels: Image) -> torch.Tensor:
    """Return pixels as float32 in 0 to 1, shape (1, 3, height, width)."""
    import torch

    planes = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])
    return torch.from_numpy(planes).float() / 255


@contextlib.contextmanager
def _quiet() -> Generator[None]:
    """Drop what pyiqa prints and warns of: a worker's output is not the place."""
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        yield


def _make(name: str) -> tuple[Any, WeightFiles]:
    """Return pyiqa's model and the weight files it read."""
    set_offline()
    with _quiet():
        import pyiqa
        import torch

        with watched() as files:
            try:
                model = pyiqa.create_metric(name, device=torch.device("cpu"))
            except Exception as error:
                raise MissingMetricError(_reason(PREFIX + name, files, error)) from error
    if files.missing:
        raise MissingMetricError(_missing_files(PREFIX + name, files))
    return model, files


def _reason(name: str, files: WeightFiles, error: Exception) -> str:
    """Return what to do about a metric that cannot be made; pyiqa has no one type of error for it."""
    if files.missing:
        return _missing_files(name, files)
    if isinstance(error, ModuleNotFoundError):
        return f"{name} needs the Python module {error.name!r}: install codecarena[iqa], or that module"
    wanted = wanted_from_hub(error)
    if wanted and not downloads_allowed():
        from huggingface_hub import constants

        repository, file = wanted
        fetch = f"`hf download {repository} {file}`".replace(" `", "`")
        place = f"{constants.HF_HUB_CACHE} (HF_HOME moves it)"
        return f"{name} needs weights that are not here: {fetch} puts them into {place}; {_ALLOW}"
    return f"{name} cannot be made: {_short(error)}"


def _missing_files(name: str, files: WeightFiles) -> str:
    fetch = ", ".join(f"{url} to {path}" for path, url in files.missing.items())
    return (
        f"{name} needs weights that are not here: fetch {fetch} (TORCH_HOME moves the hub folder); {_ALLOW}"
    )


def _short(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:300]}"
