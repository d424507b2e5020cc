"""CompressAI's classes are the published ones, and what only point clouds need is not imported with them."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
import torch
from torch import nn

from codecarena.codecs.learned.library import EntropyBottleneck
from codecarena.codecs.recipes.bottlenecks import MismatchError, check_loaded

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


class Whole(nn.Module):
    """A network that is not CompressAI's, with a bottleneck deep inside."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 1, 1)
        self.part = nn.Module()
        self.part.of_latents = EntropyBottleneck(3)


def spelled(network: nn.Module, plural: str, dot: str) -> dict[str, torch.Tensor]:
    """Return a network's tensors as another version of CompressAI calls them."""

    def name_then(match: re.Match[str]) -> str:
        today = match[1]
        then = {"matrices": "matrix", "biases": "bias", "factors": "factor"}[today]
        return f"_{today if plural else then}{dot}{match[2]}"

    tensors = network.state_dict()
    return {re.sub(r"(matrices|biases|factors)\.(\d)", name_then, name): tensors[name] for name in tensors}


@pytest.mark.parametrize("merged", [False, True], ids=["the file alone", "merged into the network's own"])
@pytest.mark.parametrize(("plural", "dot"), [("", ""), ("s", ".")], ids=["_matrix0", "_matrices.0"])
def test_a_bottleneck_deep_inside_is_loaded_under_the_names_of_other_versions(
    plural: str, dot: str, merged: bool
) -> None:
    random, trained = Whole(), Whole()
    with torch.no_grad():
        for parameter in trained.parameters():
            parameter.uniform_()
    state = spelled(trained, plural, dot)
    assert len(state.keys() - random.state_dict().keys()) == 14
    random.load_state_dict((random.state_dict() if merged else {}) | state, strict=False)
    check_loaded(random)
    for name, tensor in trained.state_dict().items():
        assert torch.equal(tensor, random.state_dict()[name]), name


def test_a_bottleneck_is_loaded_whole_or_not_at_all() -> None:
    state = Whole().state_dict()
    partial = {name: tensor for name, tensor in state.items() if not name.endswith("biases.2")}
    with pytest.raises(
        MismatchError, match=r"expected 15 tensors of .* part\.of_latents, .* lacks biases\.2: "
    ):
        Whole().load_state_dict(partial, strict=False)
    network = Whole()
    network.load_state_dict({name: state[name] for name in state if name.startswith("first")}, strict=False)
    with pytest.raises(MismatchError, match=r"no tensor of the entropy bottleneck part\.of_latents: "):
        check_loaded(network)
