"""CompressAI's classes are the published ones, and what only point clouds need is not imported with them."""

from __future__ import annotations

import subprocess
import sys

import pytest

LIGHT = """
import hashlib, inspect, sys
from importlib.metadata import distribution
from codecarena.codecs.learned import library

heavy = {"torch_geometric", "transformers", "pandas", "torchvision", "torch._dynamo"} & set(sys.modules)
assert not heavy, heavy

import compressai
published = {"compressai." + part for part in ("datasets", "losses", "transforms", "registry.transforms")}
assert not published & set(sys.modules)

from compressai.models import MeanScaleHyperprior
assert library.MeanScaleHyperprior is MeanScaleHyperprior is library.model_architectures["mbt2018-mean"]
for item in (library.MeanScaleHyperprior, library.quantize_ste, library.load_pretrained):
    source = inspect.getsourcefile(item)
    (listed,) = [file for file in distribution("compressai").files if str(file.locate()) == source]
    digest = hashlib.sha256(open(source, "rb").read()).digest()
    import base64
    assert listed.hash.mode == "sha256"
    assert listed.hash.value == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
for absent in (compressai, compressai.registry):
    try:
        absent.no_such_part
    except AttributeError as error:
        assert "no_such_part" in str(error)
    else:
        raise AssertionError("a part that does not exist was found")
"""
WHOLE = """
from codecarena.codecs.learned import library
import compressai
from compressai.losses import RateDistortionLoss

assert compressai.losses.RateDistortionLoss is RateDistortionLoss
assert compressai.datasets.ImageFolder.__module__ == "compressai.datasets.image"
assert "RandomCrop" in compressai.registry.TRANSFORMS
assert compressai.registry.register_transform.__module__ == "compressai.registry.transforms"
assert compressai.transforms.__file__
"""


def run(program: str) -> None:
    """Run a program in a process that has imported nothing."""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_the_classes_are_the_published_ones_and_come_alone() -> None:
    """Their source files are those that CompressAI's own list of files has the hashes of."""
    run(LIGHT)


@pytest.mark.long
def test_the_other_parts_are_imported_at_first_use() -> None:
    """Whoever uses CompressAI's data sets or losses in the same process finds them."""
    run(WHOLE)
