"""Decode Kodak's streams of learned and generative codecs under older instruction sets; write the record.

    python docs/benchmarks/instruction_sets.py FOLDER_OF_KODAK --pictures 24

Each picture is encoded and decoded with all that the processor has; then a process for each codec and
instruction set decodes the same bytes. The zoo's network here has the trained hyperprior of `hyperprior`
inside CompressAI's architecture: its published files, and MS-ILLM's, are not on every machine.
"""

from __future__ import annotations

import argparse
import tempfile
import textwrap
import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image as Pillow
from record_age import keep

from codecarena.bench.worker.device import cores, cpu_model
from codecarena.codecs import fresh_process, pretrained, registry
from codecarena.codecs.base import CodecError, Picture
from codecarena.codecs.contract import largest_difference
from codecarena.codecs.instruction_sets import OLDER, arithmetic, changes_arithmetic
from codecarena.codecs.learned import hyperprior
from codecarena.codecs.learned.library import model_architectures

RECORD = Path(__file__).with_suffix(".md")
CASES = {
    "hyperprior": {},
    "zoo": {"arch": "mbt2018-mean"},
    "hfd": {},
    "latent": {},
    "layered": {"steps": 2},
}


def zoo_checkpoint(path: Path, pixels: np.ndarray) -> str:
    """Return a checkpoint of mbt2018-mean with trained networks of scales and means, random transforms."""
    torch.manual_seed(0)
    trained = hyperprior.load(pretrained.embedded("hyperprior"))
    own = trained.state_dict()
    network = model_architectures["mbt2018-mean"](own["h_a.0.weight"].shape[0], trained.log_gain.shape[1])
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


def row(name: str, parameters: dict[str, registry.Value], pictures: list[np.ndarray]) -> list[str]:
    """Return the record's lines for a codec."""
    codec = registry.create(name, parameters)
    qualities = sorted({codec.info.qualities[0], codec.info.qualities[-1]})
    streams = [codec.encode(Picture(pixels), quality) for quality in qualities for pixels in pictures]
    here = [codec.decode(stream) for stream in streams]
    lines = []
    for older in OLDER:
        cells = f"| {name} | {older.name} | {len(streams)}"
        if not changes_arithmetic(older):
            lines.append(f"{cells} | not tested | | |")
            continue
        there = decoded(name, parameters, streams, older)
        pairs = [(own, other) for own, other in zip(here, there, strict=True) if other is not None]
        apart = [largest_difference(own, other) for own, other in pairs]
        identical = sum(levels == 0 for levels in apart)
        lines.append(f"{cells} | {len(streams) - len(pairs)} | {identical} | {max(apart, default=0)} |")
        print(lines[-1], flush=True)
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
        checkpoint = zoo_checkpoint(Path(folder) / "zoo.pth", pictures[0])
        lines: list[str] = []
        for name, parameters in CASES.items():
            own = parameters | ({"checkpoint": checkpoint} if name == "zoo" else {})
            lines += row(name, own, pictures)
            write(lines, len(pictures))


def write(lines: list[str], pictures: int) -> None:
    """Write the record of the codecs so far."""
    flags = Path("/proc/cpuinfo").read_text()
    text = [
        "# Streams under other instruction sets",
        "",
        textwrap.fill(
            f"Made by `docs/benchmarks/instruction_sets.py --pictures {pictures}` on {cpu_model()}, "
            f"{cores()} cores, {'with' if 'avx512f' in flags else 'without'} AVX-512: {pictures} "
            "pictures of Kodak at the worst and the best quality of each codec, encoded with all that the "
            "processor has, decoded in a process whose libraries (PyTorch, oneDNN, MKL, OpenBLAS, NumPy) "
            "keep to older instructions. *Not tested* would stand where a float64 convolution adds up as "
            f"without; its hash here is `{arithmetic()[:10]}`.",
            120,
        ),
        "",
        "| codec | instructions | streams | failed | identical pixels | largest difference, levels |",
        "| --- | --- | --- | --- | --- | --- |",
        *lines,
        "",
        textwrap.fill(
            "`zoo` has the trained hyperprior inside `mbt2018-mean`. With scales and means in float32, 46 of "
            "72 streams of Kodak were lost under AVX2. Other architectures and `illm` are decoded so in "
            "`make test`, by small networks.",
            120,
        ),
    ]
    keep(RECORD, "\n".join(text))


if __name__ == "__main__":
    main()
