"""Run a training task to its last step: seeded, resumable, with a progress bar and a loss curve."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

from ..base import CodecError

WARM_UP_STEPS = 200
CHECKPOINT_SECONDS = 60.0
LOSS_EVERY = 10
"""Steps between two points of the loss curve."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a training run is made of; a checkpoint of other settings is not resumed."""

    steps: int
    seed: int = 0
    batch: int = 8
    crop: int = 128
    """Side of the square crops, pixels."""
    learning_rate: float = 1e-3
    final_learning_rate: float = 1e-5
    """Where the cosine ends."""
    clip_norm: float = 1.0
    average: float = 0.0
    """Decay of the exponential moving average of the weights; 0 keeps none."""
    bfloat16: bool = True
    """Whether convolutions run in bfloat16 (weights stay float32)."""


class Task(Protocol):
    """A network and what it is trained to do."""

    @property
    def network(self) -> nn.Module:
        """The network in training."""
        ...

    @property
    def loss(self) -> Callable[..., Tensor]:
        """Takes the tensors of a batch, returns the scalar to descend."""
        ...

    def groups(self, learning_rate: float) -> list[dict[str, Any]]:  # optimizer options are of many types
        """Return the optimizer's parameter groups; the first one's gradient is clipped."""
        ...

    def batch(self, settings: Settings, rng: np.random.Generator) -> tuple[Tensor, ...]:
        """Return what one step learns from."""
        ...


@dataclass(slots=True)
class Trained:
    """How far a run has come."""

    step: int
    seconds: float
    losses: list[float]
    """The mean of each `LOSS_EVERY` steps."""


def train(
    task: Task,
    settings: Settings,
    checkpoint: Path,
    device: str = "cpu",
    stop_after: int | None = None,
    on_loss: Callable[[float], None] | None = None,
) -> Trained:
    """Train a task's network in place and return the run, resumed from its checkpoint when there is one.

    Every step draws from generators seeded with the run's seed and the step's number, so a run that was
    stopped and resumed takes the very steps of one that was not.

    Args:
        task: Its network is left holding the averaged weights when ``settings.average`` asks for them.
        settings: See `Settings`.
        checkpoint: Written every minute and at the end; read when it exists.
        device: Of PyTorch.
        stop_after: Stop at this step and leave the rest to a later call.
        on_loss: Called with the loss of each step.

    Raises:
        CodecError: The checkpoint was made with other settings, or the loss is not a finite number.
    """
    network = task.network.to(device).to(memory_format=torch.channels_last).train()  # pyright: ignore[reportCallIssue]
    average = _Average(network, settings.average)
    groups = task.groups(settings.learning_rate)
    optimizer = torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, 0.98), weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _cosine(step, settings))
    run = _resume(checkpoint, settings, network, average, optimizer, schedule)
    started, saved = time.monotonic() - run.seconds, time.monotonic()
    recent: list[float] = []
    with _bar() as bar:
        row = bar.add_task("loss", total=settings.steps, completed=run.step)
        while run.step < (stop_after or settings.steps):
            value = _step(task, settings, run.step, optimizer, device)
            if not math.isfinite(value):
                raise CodecError(
                    f"the loss became {value} at step {run.step}; lower the learning rate and start again"
                )
            schedule.step()
            run.step += 1
            average.update(network, run.step)
            recent.append(value)
            if on_loss:
                on_loss(value)
            if len(recent) == LOSS_EVERY:
                run.losses.append(float(np.mean(recent)))
                recent.clear()
                bar.update(row, completed=run.step, description=f"loss {np.mean(run.losses[-50:]):.4f}")
            run.seconds = time.monotonic() - started
            if time.monotonic() - saved > CHECKPOINT_SECONDS and not recent:
                _save(checkpoint, settings, run, network, average, optimizer, schedule)
                saved = time.monotonic()
        _save(checkpoint, settings, run, network, average, optimizer, schedule)
    average.copy_to(network)
    network.eval()
    return run


def _step(task: Task, settings: Settings, step: int, optimizer: torch.optim.Optimizer, device: str) -> float:
    torch.manual_seed(settings.seed * 1_000_003 + step)
    batch = task.batch(settings, np.random.default_rng([settings.seed, step]))
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast(device.partition(":")[0], torch.bfloat16, enabled=settings.bfloat16):
        loss = task.loss(*(tensor.to(device) for tensor in batch))
    loss.backward()
    nn.utils.clip_grad_norm_(optimizer.param_groups[0]["params"], settings.clip_norm)
    optimizer.step()
    return float(loss.detach())


def _cosine(step: int, settings: Settings) -> float:
    warm = min(1.0, (step + 1) / WARM_UP_STEPS)
    floor = settings.final_learning_rate / settings.learning_rate
    return warm * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, step / settings.steps))))


class _Average:
    """The exponential moving average of a network's weights, with a warm-up for short runs."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.weights = (
            {name: parameter.detach().clone() for name, parameter in network.named_parameters()}
            if decay
            else {}
        )

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        if not self.decay:
            return
        share = 1 - min(self.decay, (1 + step) / (10 + step))
        for name, parameter in network.named_parameters():
            self.weights[name].lerp_(parameter, share)

    @torch.no_grad()
    def copy_to(self, network: nn.Module) -> None:
        for name, parameter in network.named_parameters():
            if name in self.weights:
                parameter.copy_(self.weights[name])


def _state(parts: Sequence[Any]) -> list[Any]:  # state_dicts hold what their owners like
    return [part.state_dict() for part in parts]


def _save(
    path: Path, settings: Settings, run: Trained, network: nn.Module, average: _Average, *others: Any
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {
        "settings": asdict(settings),
        "run": asdict(run),
        "average": average.weights,
        "parts": _state([network, *others]),
    }
    unfinished = path.with_suffix(".unfinished")
    torch.save(state, unfinished)
    unfinished.replace(path)


def _resume(path: Path, settings: Settings, network: nn.Module, average: _Average, *others: Any) -> Trained:
    if not path.exists():
        return Trained(0, 0.0, [])
    state = torch.load(path, weights_only=True)
    if state["settings"] != asdict(settings):
        raise CodecError(
            f"{path} holds a run of other settings; delete it, or give the same settings: {state['settings']}"
        )
    for part, values in zip([network, *others], state["parts"], strict=True):
        part.load_state_dict(values)
    average.weights = {
        name: values.to(next(network.parameters()).device) for name, values in state["average"].items()
    }
    return Trained(**state["run"])


def _bar() -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} steps"),
    )
    return Progress(*columns, TimeRemainingColumn())
