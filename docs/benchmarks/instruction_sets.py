"""Decode Kodak's streams of learned and generative codecs under older instruction sets; write the record.

    python docs/benchmarks/instruction_sets.py FOLDER_OF_KODAK --pictures 24

Each picture is encoded and decoded with all that the processor has; then a process for each codec and
instruction set decodes the same bytes. Published files of the zoo and of MS-ILLM are not on every machine:
the trained hyperprior of `hyperprior` stands inside `mbt2018-mean` and inside MS-ILLM's parts, and the zoo's
other architectures have small random networks. The record is written after every few pictures: a run that is
stopped leaves what it has decoded.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import textwrap
import warnings
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "support"))

import networks
import numpy as np
import torch
from PIL import Image as Pillow
from record_age import keep

from codecarena.bench.worker.device import cores, cpu_model
from codecarena.codecs import fresh_process, pretrained, registry
from codecarena.codecs.base import CodecError, Picture
from codecarena.codecs.contract import largest_difference
from codecarena.codecs.instruction_sets import OLDER, InstructionSet, arithmetic, changes_arithmetic
from codecarena.codecs.learned import hyperprior
from codecarena.codecs.learned.library import model_architectures
from codecarena.codecs.learned.zoo import ARCHITECTURES

RECORD = Path(__file__).with_suffix(".md")
TRAINED = "mbt2018-mean"
AT_ONCE = 6
"""Pictures, after which the record is written."""
OF_AMD = (
    "On AMD's processors one thread of MKL was seen to add float64 up alike with the setting AVX2 and "
    "without; it changes those sums by how they are shared out among threads. Sums in float32, which oneDNN "
    "makes, it changes by their instructions."
)
ILLM_CHECKOUT = """
dependencies = ["torch"]

import torch
from codecarena.codecs import pretrained
from codecarena.codecs.learned import hyperprior
from compressai.entropy_models import EntropyBottleneck, GaussianConditional
from compressai.models import CompressionModel
from torch import nn


class Then(nn.Module):
    def __init__(self, function, network=None):
        super().__init__()
        self.function, self.network = function, network

    def forward(self, x):
        return self.function(x) if self.network is None else self.function(self.network, x)


class Autoencoder(CompressionModel):
    def __init__(self, trained, rate):
        super().__init__()
        gain, inverse = trained.gains(torch.tensor([float(rate)]))
        channels = gain.shape[1]
        self.encoder = Then(lambda network, pixels: network(pixels - 0.5) * gain, trained.g_a)
        self.decoder = Then(lambda network, latents: network(latents * inverse) + 0.5, trained.g_s)
        self.hyper_analysis = nn.Sequential(Then(torch.asinh), *trained.h_a)
        *hidden, last = trained.h_s
        halves = [nn.Conv2d(last.in_channels, channels, 3, padding=1) for _ in range(2)]
        for half, rows in zip(halves, (slice(None, channels), slice(channels, None))):
            half.load_state_dict({"weight": last.weight[rows], "bias": last.bias[rows]})
        self.hyper_synthesis_scale = nn.Sequential(*hidden, halves[0])
        self.hyper_synthesis_mean = nn.Sequential(*hidden, halves[1])
        self.hyper_bottleneck = EntropyBottleneck(trained.h_a[-1].out_channels)
        of_file = trained.entropy_bottleneck.state_dict()
        without_tables = {name: values for name, values in of_file.items() if not name.startswith("_")}
        self.hyper_bottleneck.load_state_dict(without_tables, strict=False)
        self.latent_bottleneck = GaussianConditional(None)


def msillm_quality_1(pretrained=True, **kwargs):
    return Autoencoder(hyperprior.load(weights), 0)


def msillm_quality_3(pretrained=True, **kwargs):
    return Autoencoder(hyperprior.load(weights), 5)


weights = pretrained.embedded("hyperprior")
"""
"""What MS-ILLM's repository would be, with our trained hyperprior in its parts and no tables in its file."""


def cases(folder: Path, pixels: np.ndarray) -> list[tuple[str, str, dict[str, registry.Value]]]:
    """Return what the record calls a codec, its name and its parameters; files go to the folder."""
    (folder / "illm").mkdir()
    (folder / "illm" / "hubconf.py").write_text(ILLM_CHECKOUT)
    small = {arch: str(folder / f"{arch}.pth") for arch in ARCHITECTURES if arch != TRAINED}
    for arch, path in small.items():
        networks.save(networks.untrained(arch), Path(path))
    trained = {"arch": TRAINED, "checkpoint": zoo_checkpoint(folder / "zoo.pth", pixels)}
    return [
        ("hyperprior", "hyperprior", {}),
        (f"zoo, {TRAINED}", "zoo", trained),
        ("illm", "illm", {"repository": str(folder / "illm"), "qualities": "1,3"}),
        ("latent", "latent", {}),
        ("hfd", "hfd", {}),
        ("layered, 2 steps", "layered", {"steps": 2}),
        *((f"zoo, {arch}", "zoo", {"arch": arch, "checkpoint": path}) for arch, path in small.items()),
        ("hfd, diffusion of 4 steps", "hfd", {"mode": "diffusion", "steps": 4}),
        ("layered, sketch", "layered", {"decoder": "sketch"}),
    ]


def zoo_checkpoint(path: Path, pixels: np.ndarray) -> str:
    """Return a checkpoint of mbt2018-mean with trained networks of scales and means, random transforms."""
    torch.manual_seed(0)
    trained = hyperprior.load(pretrained.embedded("hyperprior"))
    own = trained.state_dict()
    network = model_architectures[TRAINED](own["h_a.0.weight"].shape[0], trained.log_gain.shape[1])
    state = network.state_dict()
    kept = ("h_a", "h_s", "entropy_bottleneck", "gaussian_conditional")
    state |= {name: tensor for name, tensor in own.items() if name.split(".")[0] in kept}
    planes = torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None].float() / 255
    with torch.inference_mode():
        spread = network.g_a(planes).std()
    last = max(name for name in state if name.startswith("g_a.") and state[name].dim() == 4)
    state[last] = state[last] * 6 / spread  # latents as wide as a picture of a middle rate has them
    torch.save(state, path)
    return str(path)


def decoded(name, parameters, streams, older):
    """Return the pixels of streams under an instruction set, None for each that fails there."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            return fresh_process.decode(Path(folder), name, parameters, streams, older)
        except CodecError:
            if len(streams) == 1:
                return [None]
    return [pixels for stream in streams for pixels in decoded(name, parameters, [stream], older)]


class Count:
    """What became of a codec's streams under an instruction set."""

    def __init__(self) -> None:
        self.streams = self.failed = self.identical = self.apart = 0

    def add(self, here: list[np.ndarray], there: list[np.ndarray | None]) -> None:
        """Compare pixels decoded here with those of an older instruction set, None for streams it lost."""
        apart = [largest_difference(*pair) for pair in zip(here, there, strict=True) if pair[1] is not None]
        self.streams += len(here)
        self.failed += len(here) - len(apart)
        self.identical += sum(levels == 0 for levels in apart)
        self.apart = max([self.apart, *apart])


def counts(
    name: str, parameters: dict[str, registry.Value], pictures: list[np.ndarray]
) -> Iterator[dict[InstructionSet, Count]]:
    """Yield what became of a codec's streams so far, after every `AT_ONCE` pictures."""
    codec = registry.create(name, parameters)
    qualities = sorted({codec.info.qualities[0], codec.info.qualities[-1]})
    so_far = {older: Count() for older in OLDER if changes_arithmetic(older)}
    for first in range(0, len(pictures), AT_ONCE):
        few = [Picture(pixels) for pixels in pictures[first : first + AT_ONCE]]
        streams = [codec.encode(picture, quality) for quality in qualities for picture in few]
        here = [codec.decode(stream) for stream in streams]
        for older, count in so_far.items():
            count.add(here, decoded(name, parameters, streams, older))
        yield so_far


def rows(title: str, so_far: dict[InstructionSet, Count]) -> list[str]:
    """Return the record's lines for a codec."""
    lines = []
    for older in OLDER:
        count = so_far.get(older)
        numbers = count and f"{count.streams} | {count.failed} | {count.identical} | {count.apart}"
        lines.append(f"| {title} | {older.name} | {numbers or '0 | not tested | |'} |")
    return lines


def main() -> None:
    """Code the pictures by every codec, and write the record."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=24)
    chosen = parser.parse_args()
    paths = sorted(chosen.folder.glob("*.png"))[: chosen.pictures]
    pictures = [np.array(Pillow.open(path).convert("RGB")) for path in paths]
    with tempfile.TemporaryDirectory() as folder:
        lines: list[str] = []
        for title, name, parameters in cases(Path(folder), pictures[0]):
            latest: list[str] = []
            for so_far in counts(name, parameters, pictures):
                latest = rows(title, so_far)
                print(*latest, sep="\n", flush=True)
                write([*lines, *latest], len(pictures))
            lines += latest


def write(lines: list[str], pictures: int) -> None:
    """Write the record of the codecs so far."""
    flags = Path("/proc/cpuinfo").read_text()
    text = [
        "# Streams under other instruction sets",
        "",
        textwrap.fill(
            f"Made by `docs/benchmarks/instruction_sets.py --pictures {pictures}` on {cpu_model()}, "
            f"{cores()} cores, {'with' if 'avx512f' in flags else 'without'} AVX-512: {pictures} pictures of "
            "Kodak (the first ones where a row has fewer streams) at the worst and the best quality of each "
            "codec, encoded and decoded with all that the processor has, then decoded in a process whose "
            "libraries (PyTorch, oneDNN, MKL, OpenBLAS, NumPy) keep to older instructions. *Not tested* "
            "would stand where a float64 convolution adds up as without; its hash here is "
            f"`{arithmetic()[:10]}`.",
            120,
        ),
        "",
        "| codec | instructions | streams | failed | identical pixels | largest difference, levels |",
        "| --- | --- | --- | --- | --- | --- |",
        *lines,
        "",
        textwrap.fill(
            "The published files of `zoo` and `illm` are not here: our trained hyperprior stands inside "
            f"`{TRAINED}` and inside MS-ILLM's parts, whose tables of probabilities every process makes "
            "anew, as its published files hold none. The zoo's other architectures, where listed, have "
            "small random networks; `make test` decodes their latents so. A checkpoint of the zoo has one "
            "quality. With scales and means in float32, 46 of 72 streams of Kodak were lost under AVX2.",
            120,
        ),
        *(["", textwrap.fill(OF_AMD, 120)] if "AMD" in cpu_model() else []),
    ]
    keep(RECORD, "\n".join(text))


if __name__ == "__main__":
    main()
