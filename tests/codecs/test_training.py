"""The first steps of each training: losses are as recorded, and a stopped run ends as one that was not."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from codecarena.codecs import contract, pretrained
from codecarena.codecs.base import CodecError, Image
from codecarena.codecs.generative.autoencoder import LatentAutoencoder
from codecarena.codecs.training import autoencoder, export, hfd, hyperprior, latent_flow, loop
from codecarena.codecs.training.pairs import CoarsePictures
from codecarena.codecs.training.pictures import TrainingPictures

SMOKE = loop.Settings(steps=50, batch=1, crop=64, bfloat16=False)
LOSSES = {
    "hyperprior": [42.70, 42.65],
    "autoencoder": [1.779, 1.260, 1.123, 0.983, 0.931],
    "flow": [2.049, 2.032, 2.009],
    "diffusion": [1.976, 2.004, 1.989],
    "latent_flow": [1.472, 1.333, 1.411, 1.147, 1.220],
}
"""The mean of each ten steps on one crop a step; another machine's arithmetic moves them a little."""
LAST_LOSS_OF_PAIRS = {
    "hyperprior": 42.74,
    "autoencoder": 0.918,
    "flow": 1.929,
    "diffusion": 1.948,
    "latent_flow": 1.219,
}
"""Of the last ten of fifty steps on two crops a step, written down when the networks were made."""
TOLERANCE = 0.03


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight pictures that every machine makes alike, and one of an evaluation set."""
    made = tmp_path_factory.mktemp("training")
    whole = contract.photograph(640, 640)
    (made / "clic2025_tiles").mkdir()
    PillowImage.fromarray(whole[:300, :300]).save(made / "clic2025_tiles" / "never.png")
    for index in range(8):
        top, left = 40 * index, 350 - 40 * index
        PillowImage.fromarray(whole[top : top + 288, left : left + 288]).save(made / f"{index}.png")
    return made


@pytest.fixture
def pictures(folder: Path) -> TrainingPictures:
    return TrainingPictures(folder, 256)


def blurred(pixels: Image, quality: float) -> Image:
    """What a poor autoencoder would make of a picture."""
    small = PillowImage.fromarray(pixels).reduce(round(8 / quality))
    return np.asarray(small.resize(pixels.shape[1::-1], PillowImage.Resampling.BILINEAR))


Make = Callable[[TrainingPictures, Path], loop.Task]


def detail(mode: hfd.Mode) -> Make:
    def make(pictures: TrainingPictures, place: Path) -> loop.Task:
        return hfd.DetailTask(CoarsePictures(pictures, blurred, (1, 2), place / "pairs.bin"), mode)

    return make


def flow_of_latents(pictures: TrainingPictures, _: Path) -> loop.Task:
    return latent_flow.LatentFlowTask(pictures, LatentAutoencoder(16, 16).eval())


TASKS: dict[str, Make] = {
    "hyperprior": lambda pictures, _: hyperprior.HyperpriorTask(pictures),
    "autoencoder": lambda pictures, _: autoencoder.AutoencoderTask(pictures),
    "flow": detail("flow"),
    "diffusion": detail("diffusion"),
    "latent_flow": flow_of_latents,
}


def trained(
    name: str, pictures: TrainingPictures, place: Path, stops: tuple[int, ...] = (50,), batch: int = 1
) -> tuple[loop.Task, loop.Trained]:
    """Train from stop to stop, each time with a new network that goes on from the checkpoint."""
    settings = dataclasses.replace(SMOKE, crop=128 if name == "latent_flow" else 64, batch=batch)
    for stop in stops:
        torch.manual_seed(0)
        task = TASKS[name](pictures, place)
        run = loop.train(task, settings, place / f"{name}.checkpoint", stop_after=stop)
    return task, run


@pytest.fixture(scope="module")
def whole(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[loop.Task, loop.Trained]:
    """The autoencoder, trained without a stop."""
    return trained("autoencoder", TrainingPictures(folder, 256), tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("name", TASKS)
def test_its_first_steps_reproduce_their_losses(
    name: str, pictures: TrainingPictures, whole: tuple[loop.Task, loop.Trained], tmp_path: Path
) -> None:
    expected = LOSSES[name]
    steps = loop.LOSS_EVERY * len(expected)
    _, run = whole if name == "autoencoder" else trained(name, pictures, tmp_path, stops=(steps,))
    assert run.losses == pytest.approx(expected, rel=TOLERANCE)


@pytest.mark.long
@pytest.mark.parametrize("name", TASKS)
def test_fifty_steps_reproduce_their_loss(name: str, pictures: TrainingPictures, tmp_path: Path) -> None:
    _, run = trained(name, pictures, tmp_path, batch=2)
    assert run.losses[-1] == pytest.approx(LAST_LOSS_OF_PAIRS[name], rel=TOLERANCE)


def test_a_stopped_run_ends_as_one_that_was_not(
    pictures: TrainingPictures, whole: tuple[loop.Task, loop.Trained], tmp_path: Path
) -> None:
    task, run = whole
    parts, run_in_parts = trained("autoencoder", pictures, tmp_path, stops=(20, 30, 50))
    assert run.losses == run_in_parts.losses
    for parameter, other in zip(task.network.parameters(), parts.network.parameters(), strict=True):
        assert torch.equal(parameter, other)


def test_a_checkpoint_of_other_settings_is_refused(pictures: TrainingPictures, tmp_path: Path) -> None:
    task = autoencoder.AutoencoderTask(pictures)
    loop.train(task, dataclasses.replace(SMOKE, steps=2), tmp_path / "c")
    with pytest.raises(CodecError, match="other settings"):
        loop.train(task, dataclasses.replace(SMOKE, steps=3), tmp_path / "c")


def test_evaluation_sets_are_never_trained_on(pictures: TrainingPictures) -> None:
    assert len(pictures.training) + len(pictures.held_back) == 8


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CodecError, match="found 0"):
        TrainingPictures(tmp_path, 64)


def test_the_card_says_what_the_file_is(whole: tuple[loop.Task, loop.Trained], tmp_path: Path) -> None:
    task, run = whole
    facts = export.Facts("A title", "A summary.", "eight pictures", ["| a |"], ["all"], "command", "a CPU")
    path = export.write(task.network, "small", tmp_path, {"narrow": "64"}, SMOKE, run, facts)
    weights = pretrained.load(path)
    assert weights.sha256 in path.with_suffix(".md").read_text()
    assert path.with_suffix(".png").stat().st_size > 1000
    assert weights.metadata["trained_on"] == "eight pictures"
    again = LatentAutoencoder()
    again.load_state_dict(weights.tensors())
    for parameter, other in zip(again.parameters(), task.network.parameters(), strict=True):
        assert torch.equal(parameter, other.half().float())
