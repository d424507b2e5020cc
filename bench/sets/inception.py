"""Compute the 2048 Inception features that FID and KID are defined on."""

from __future__ import annotations

import importlib.util
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...codecs.base import MissingBackendError
from ...codecs.fetch import fetch, file_sha256
from ...home_folder import expanded
from ..metrics.base import MissingMetricError

if TYPE_CHECKING:
    import torch

    from ...codecs.base import Image

OWN_WEIGHTS = "CODECARENA_INCEPTION"
"""Environment variable: a weight file of the same network to take instead of the published one."""
FILE = "pt_inception-2015-12-05-6726825d.pth"
SHA256 = "6726825d"
"""First digits, as the file's name has them; torch-fidelity publishes the same bytes."""
ADDRESSES = (
    f"https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/{FILE}",
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
)
INPUT_PIXELS = 299
BATCH = 16


class Inception:
    """The pooled features of the Inception network that FID was published with (2015-12-05).

    Views are resized to 299 x 299 as TensorFlow 1 does it and scaled to (x - 128) / 128, as torch-fidelity
    does, on which NeuralCompression's FID rests; the network is pyiqa's, on the GPU where there is one.

    Szegedy et al. (CVPR 2016); Heusel et al. (NeurIPS 2017).
    """

    def __init__(self) -> None:
        """Load the network.

        Raises:
            MissingMetricError: A library or the weights are not here; says what to install or to place where.
        """
        if importlib.util.find_spec("pyiqa") is None:
            raise MissingMetricError("fid and kid need pyiqa's Inception network: install codecarena[iqa]")
        import torch

        path, published = _weight_file()
        name = "published weights" if published else "other weights"
        self.extractor = f"Inception v3 of 2015-12-05, pool of 2048, TensorFlow 1 bilinear to 299, {name}"
        self.weights_sha256 = file_sha256(path)
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._network = _network(path).to(self._device).eval()

    def describe(self, views: Sequence[Image]) -> NDArray[np.float32]:
        """Return the features, shape (views, 2048)."""
        import torch

        with torch.inference_mode():
            batches = [views[start : start + BATCH] for start in range(0, len(views), BATCH)]
            return np.concatenate([self._features(batch) for batch in batches])

    def _features(self, views: Sequence[Image]) -> NDArray[np.float32]:
        import torch

        resized = torch.cat([self._resized(view) for view in views])
        pooled: torch.Tensor = self._network((resized - 128) / 128)[0]
        return pooled.flatten(1).cpu().numpy()

    def _resized(self, view: Image) -> torch.Tensor:
        import torch
        from pyiqa.archs.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

        planes = torch.from_numpy(np.ascontiguousarray(view.transpose(2, 0, 1)[None])).to(self._device)
        return interpolate_bilinear_2d_like_tensorflow1x(
            planes.float(), size=(INPUT_PIXELS, INPUT_PIXELS), align_corners=False
        )


def _weight_file() -> tuple[Path, bool]:
    """Return the weight file and whether it is the published one."""
    if own := os.environ.get(OWN_WEIGHTS):
        path = expanded(own)
        if not path.is_file():
            raise MissingMetricError(f"{OWN_WEIGHTS} names {path}, which is no file")
        return path, file_sha256(path).startswith(SHA256)
    import torch.hub

    hub = Path(torch.hub.get_dir())
    try:
        return fetch(FILE, ADDRESSES, SHA256, elsewhere=(hub / "pyiqa", hub / "checkpoints")), True
    except MissingBackendError as error:
        raise MissingMetricError(f"fid and kid need the weights of Inception: {error}") from error


# Any: pyiqa has no types.
def _network(path: Path) -> Any:
    """Return pyiqa's network with these weights; only tensors are read from the file."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # It calls torchvision as of old.
        from pyiqa.archs import inception

        def load_tensors(network: torch.nn.Module, _url: str) -> None:
            network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))

        # Pyiqa's own loader would fetch the file, and unpickle whatever is in it.
        own, inception.load_pretrained_network = inception.load_pretrained_network, load_tensors
        try:
            return inception.InceptionV3(resize_input=False, normalize_input=False)
        except Exception as error:  # torch has no one type for what a wrong file raises
            raise MissingMetricError(
                f"{path} does not hold the weights of FID's Inception network: {str(error).splitlines()[0]}"
            ) from error
        finally:
            inception.load_pretrained_network = own
