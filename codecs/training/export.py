"""Write a trained network as a weights file, with its loss curve and its model card beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from ..bitstream import WEIGHTS_ID_BYTES
from ..pretrained import METADATA_KEY
from .loop import LOSS_EVERY, Settings, Trained


@dataclass(frozen=True, slots=True)
class Facts:
    """What a model card says in addition to what the run records."""

    title: str
    summary: str
    """What the network is and does, in a sentence or two."""
    data: str
    """What it was trained on."""
    held_back: Sequence[str]
    """Lines of a Markdown table: quality on pictures that were not trained on."""
    weaknesses: Sequence[str]
    """What it is bad at."""
    command: str
    """What to type to train it again."""
    device: str


def write(
    network: nn.Module,
    name: str,
    folder: Path,
    metadata: Mapping[str, str],
    settings: Settings,
    run: Trained,
    facts: Facts,
) -> Path:
    """Write ``name.safetensors``, ``name.png`` and ``name.md`` and return the path of the first.

    Parameters are stored as float16; buffers, the probability tables among them, as they are.

    Args:
        network: Its parameters are stored as float16, its buffers as they are.
        name: Of the three files.
        folder: Made if it is not there; files of the same name are overwritten.
        metadata: Stored in the weights file, for the decoder to read; it counts towards the file's hash.
        settings: Of the training, for the card.
        run: The steps made and the losses recorded.
        facts: What the card says.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.safetensors"
    parameters = dict(network.named_parameters())
    tensors = {
        key: (value.half() if key in parameters else value).detach().cpu().contiguous()
        for key, value in network.state_dict().items()
    }
    said = {"trained_on": facts.data, "steps": str(run.step)}
    # One entry: safetensors writes several in any order, and the file's hash is the network's identity.
    save_file(tensors, path, {METADATA_KEY: json.dumps({**said, **metadata}, sort_keys=True)})
    path.chmod(0o644)  # safetensors makes it the owner's alone
    draw(run.losses, path.with_suffix(".png"), facts.title)
    path.with_suffix(".md").write_text(card(path, settings, run, facts))
    return path


def draw(losses: Sequence[float], path: Path, title: str) -> None:
    """Draw the loss curve and its running mean.

    Args:
        losses: Means of `LOSS_EVERY` steps each, above 0: the axis is logarithmic.
        path: The PNG to write.
        title: Above the curve.
    """
    import numpy as np
    from matplotlib.figure import Figure

    steps = np.arange(1, len(losses) + 1) * LOSS_EVERY
    width = max(1, len(losses) // 100)
    smooth = np.convolve(losses, np.ones(width) / width, "valid")
    figure = Figure(figsize=(6, 3), layout="constrained")
    axes = figure.subplots()
    axes.plot(steps, losses, color="0.8", linewidth=0.5)
    axes.plot(steps[width - 1 :], smooth, color="C0")
    axes.set(title=title, xlabel="step", ylabel="loss", yscale="log")
    figure.savefig(path, dpi=80, metadata={"Software": ""})


def card(path: Path, settings: Settings, run: Trained, facts: Facts) -> str:
    """Return the model card, Markdown.

    Args:
        path: Of the weights, for their name, size and hash.
        settings: Of the training: steps, batch, learning rate, seed.
        run: For its steps and seconds.
        facts: Title, summary, data, quality on held-back pictures, weaknesses, command and device.
    """
    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    held_back = "\n".join(facts.held_back)
    weaknesses = "\n".join(f"- {weakness}" for weakness in facts.weaknesses)
    return f"""# {facts.title}

{facts.summary}

| | |
| --- | --- |
| file | `{path.name}`, {len(content):,} bytes, float16 |
| SHA-256 | `{sha256}` |
| id in bitstreams | `{sha256[: 2 * WEIGHTS_ID_BYTES]}` |
| data | {facts.data} |
| steps | {run.step} of {settings.batch} crops of {settings.crop} x {settings.crop} pixels |
| learning rate | {settings.learning_rate:g}, by a cosine to {settings.final_learning_rate:g} |
| seed | {settings.seed} |
| seconds | {run.seconds:.0f}, on {facts.device}, torch {torch.__version__} |
| again | `{facts.command}` |

![Loss curve]({path.with_suffix(".png").name})

## Quality on pictures that were held back

{held_back}

## What it is bad at

{weaknesses}
"""
