"""Train a network of ours and write its weights and card: ``python -m codecarena.codecs.training MODEL``."""

from __future__ import annotations

import dataclasses
import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import torch
import typer

from .. import pretrained
from ..base import CodecError, Image, Picture
from ..generative.hfd import diffusion
from ..generative.hfd.autoencoder import LearnedCodec, fingerprint, open_codec
from ..generative.hfd.decoder import Detail
from ..generative.latent.embedded import load_autoencoder
from . import autoencoder, held_back, hfd, hyperprior, latent_flow
from .export import Facts, write
from .loop import Settings, Task, Trained, train
from .pairs import CoarsePictures
from .pictures import TrainingPictures

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Train a network on a folder of pictures.")

Data = Annotated[Path, typer.Option("--data", help="Folder of training pictures; folders below it count.")]
Out = Annotated[Path, typer.Option("--out", help="Where weights, card, loss curve and checkpoint go.")]
Steps = Annotated[int, typer.Option("--steps", help="0 for the number our own weights were trained for.")]
Seed = Annotated[int, typer.Option("--seed", help="Of initial weights, crops and noise.")]
Device = Annotated[str, typer.Option("--device", help="As torch calls it: cpu, cuda.")]
StopAfter = Annotated[int, typer.Option("--stop-after", help="Stop at this step; the same command goes on.")]
WEIGHTS = Path("weights")


@app.command("hyperprior")
def train_hyperprior(
    data: Data,
    out: Out = WEIGHTS,
    steps: Steps = 0,
    seed: Seed = 0,
    device: Device = "cpu",
    stop_after: StopAfter = 0,
) -> None:
    """The embedded learned codec: a mean-scale hyperprior with gains."""
    run = _Run("hyperprior", data, out, _settings(hyperprior.SETTINGS, steps, seed), device, stop_after)
    task = hyperprior.HyperpriorTask(run.pictures)
    if not run.to_the_end(task):
        return
    task.network.cpu().update(scale_table=hyperprior.scale_table(), force=True)
    sizes = {"narrow": hyperprior.NARROW, "wide": hyperprior.WIDE, "rates": len(hyperprior.LAMBDAS)}
    run.export(
        task,
        {key: str(value) for key, value in sizes.items()},
        "Gained hyperprior",
        "A mean-scale hyperprior (CompressAI's model class) with small transforms of our own and gain units: "
        "one network for a ladder of rates.",
        held_back.of_hyperprior(task.network, run.pictures.held_back),
        (
            "It is small and was trained for minutes: behind CompressAI's published models at every rate.",
            "Fine texture is lost first; below 0.1 bits per pixel flat areas show blocks' remains.",
            "Drawings, text and screen content were not in its training pictures.",
        ),
    )


@app.command("latent-autoencoder")
def train_latent_autoencoder(
    data: Data,
    out: Out = WEIGHTS,
    steps: Steps = 0,
    seed: Seed = 0,
    device: Device = "cpu",
    stop_after: StopAfter = 0,
) -> None:
    """The embedded latent codec's autoencoder: four channels at an eighth of the sides."""
    settings = _settings(autoencoder.SETTINGS, steps, seed)
    run = _Run("latent_autoencoder", data, out, settings, device, stop_after)
    task = autoencoder.AutoencoderTask(run.pictures)
    if not run.to_the_end(task):
        return
    run.export(
        task,
        {"narrow": str(autoencoder.NARROW), "wide": str(autoencoder.WIDE)},
        "Latent autoencoder",
        "A small deterministic autoencoder with the latent shape of Stable Diffusion's (4 channels, an "
        "eighth of the sides), bounded by a hyperbolic tangent.",
        held_back.of_autoencoder(task.network.cpu(), run.pictures.held_back),
        (
            "Its pictures are soft: there is no adversarial or perceptual loss behind it.",
            "Small text and faces do not survive an eighth of the sides in four channels.",
        ),
    )


@app.command("latent-flow")
def train_latent_flow(
    data: Data,
    out: Out = WEIGHTS,
    steps: Steps = 0,
    seed: Seed = 0,
    device: Device = "cpu",
    stop_after: StopAfter = 0,
) -> None:
    """The flow on the latent autoencoder's latents: denoiser and painter of layers."""
    settings = _settings(latent_flow.SETTINGS, steps, seed)
    run = _Run("latent_flow", data, out, settings, device, stop_after)
    weights = _beside(out, "latent_autoencoder")
    frozen = load_autoencoder(weights)
    task = latent_flow.LatentFlowTask(run.pictures, frozen)
    if not run.to_the_end(task):
        return
    task.network.cpu()
    run.export(
        task,
        {"autoencoder_sha256": weights.sha256},
        "Latent flow",
        "A conditional rectified flow on the latent autoencoder's latents. Without layers it takes the error "
        "of a palette out of latents; with a colour map, an edge map and hashed words it paints them.",
        held_back.of_latent_flow(task),
        (
            "From layers it paints blurs with the right colours and contours, no objects.",
            "Of the text it knows the words of our template captions (colours, light, shape), nothing else.",
        ),
    )


@app.command("hfd")
def train_hfd(
    data: Data,
    mode: Annotated[str, typer.Option("--mode", help="flow or diffusion.")] = "flow",
    out: Out = WEIGHTS,
    steps: Steps = 0,
    seed: Seed = 0,
    device: Device = "cpu",
    stop_after: StopAfter = 0,
    of: Annotated[str, typer.Option("--autoencoder", help="hyperprior or zoo.")] = "hyperprior",
    weights: Annotated[str, typer.Option("--weights", help="The autoencoder's own weights file.")] = "",
    arch: Annotated[str, typer.Option("--arch", help="Of the zoo.")] = "",
    qualities: Annotated[str, typer.Option("--qualities", help="Of the zoo, as in 1,2,3.")] = "all",
) -> None:
    """A decoder for HFD, on pictures of an autoencoder."""
    if mode not in ("flow", "diffusion"):
        raise CodecError(f"--mode must be flow or diffusion, got {mode!r}")
    run = _Run(f"hfd_{mode}", data, out, _settings(hfd.SETTINGS, steps, seed), device, stop_after)
    if of == "hyperprior" and not weights:
        weights = str(_beside(out, "hyperprior").path)
    codec = open_codec(of, weights, arch, qualities, device)
    ladder = codec.info.qualities
    ids = fingerprint(codec, ladder)
    cache = out / f"pairs_{of}_{ids[:12]}.bin"
    pairs = CoarsePictures(
        run.pictures, lambda picture, quality: _coarse(codec, picture, quality), ladder, cache
    )
    task = hfd.DetailTask(pairs, mode)
    if not run.to_the_end(task):
        return
    run.export(
        task,
        {
            "mode": mode,
            "rates": str(len(ladder)),
            "shift": str(diffusion.DEFAULT_SHIFT),
            "autoencoder": of,
            "autoencoder_weights": ids,
            "qualities": ",".join(f"{quality:g}" for quality in ladder),
        },
        f"HFD decoder, {mode}",
        "Draws the detail that the autoencoder's picture lacks. "
        f"It knows the pictures of `{of}` with the weights {ids} and of no other.",
        held_back.of_detail(Detail(task.network.cpu()), pairs, mode),
        (
            "It adds plausible fine texture, no meaning: faces and text stay as blurred as they were.",
            "At rates where the autoencoder is already good it can only add noise.",
        ),
    )


class _Run:
    """One training run: what it learns from, and where its files go."""

    def __init__(
        self, name: str, data: Path, out: Path, settings: Settings, device: str, stop_after: int
    ) -> None:
        if not data.is_dir():
            raise CodecError(f"--data: there is no folder {data}")
        self.name, self.data, self.out, self.settings, self.device = name, data, out, settings, device
        self._stop_after = stop_after or settings.steps
        self.pictures = TrainingPictures(data, settings.crop)
        self._trained = Trained(0, 0.0, [])
        torch.manual_seed(settings.seed)

    def to_the_end(self, task: Task) -> bool:
        """Train, and return whether the last step was reached."""
        checkpoint = self.out / f"{self.name}.checkpoint"
        self._trained = train(task, self.settings, checkpoint, self.device, self._stop_after)
        return self._trained.step >= self.settings.steps

    def export(
        self,
        task: Task,
        metadata: Mapping[str, str],
        title: str,
        summary: str,
        table: Sequence[str],
        weaknesses: Sequence[str],
    ) -> None:
        """Write weights, loss curve and card."""
        megapixels = self.pictures.pixel_count / 1e6
        data = f"{len(self.pictures.training)} pictures, {megapixels:.0f} megapixels: {self.pictures.origin}"
        facts = Facts(title, summary, data, table, weaknesses, _command(), _machine(self.device))
        path = write(task.network, self.name, self.out, metadata, self.settings, self._trained, facts)
        typer.echo(f"{path} and its card are written")


def _command() -> str:
    """Return what was typed, with folders that mean nothing elsewhere left out."""
    words = sys.argv[1:]
    kept = [
        "FOLDER" if before in ("--data", "--out") else word
        for before, word in zip(["", *words], words, strict=False)
    ]
    return " ".join(["python -m codecarena.codecs.training", *kept])


def _settings(defaults: Settings, steps: int, seed: int) -> Settings:
    return dataclasses.replace(defaults, steps=steps or defaults.steps, seed=seed)


def _beside(out: Path, name: str) -> pretrained.Weights:
    """Return the weights of an earlier run in the same folder, or else the embedded ones."""
    path = out / f"{name}.safetensors"
    return pretrained.load(path) if path.exists() else pretrained.embedded(name)


def _coarse(codec: LearnedCodec, pixels: Image, quality: float) -> Image:
    return codec.decode(codec.encode(Picture(pixels), quality))


def _machine(device: str) -> str:
    if device.startswith("cuda"):
        return torch.cuda.get_device_name()
    threads = torch.get_num_threads()
    return f"{threads} {'thread' if threads == 1 else 'threads'} of an {platform.machine()} CPU"


if __name__ == "__main__":
    try:
        app(prog_name="python -m codecarena.codecs.training")
    except CodecError as error:
        sys.exit(f"codecarena training: {error}")
