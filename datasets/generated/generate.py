"""Generate an image set from prompts with a diffusers pipeline, going on where an earlier call stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ...home_folder import expanded
from ...text_file import TextFileError, read_lines
from ..manifest import DatasetError, Manifest, PictureEntry, load_manifest
from ..manifest_toml import write_manifest
from ..perceptual import perceptual_hash
from ..pixels import pixels_sha256, read_pixels
from ..png_file import remove_beginnings, save_png

if TYPE_CHECKING:
    from PIL import Image

MANIFEST = "manifest.toml"
MAX_PROMPTS = 100_000


@dataclass(frozen=True, slots=True)
class Order:
    """What to generate."""

    model: str
    """A hub id, or a folder in diffusers' layout."""
    prompts: tuple[str, ...]
    seeds: tuple[int, ...]
    """Each prompt is painted from each seed."""
    steps: int | None = None
    """None leaves this and the next three to the model."""
    guidance: float | None = None
    width: int | None = None
    height: int | None = None
    batch: int = 1
    revision: str | None = None
    device: str = "cpu"
    dtype: Literal["float32", "float16", "bfloat16"] = "float32"
    licence: str = "unknown"


@dataclass(frozen=True, slots=True)
class _Job:
    file: str
    prompt: str
    seed: int


def read_prompts(path: Path) -> tuple[str, ...]:
    """Return the lines of a text file that are not empty and do not begin with ``#``.

    Raises:
        DatasetError: The file cannot be read or holds no prompt.
    """
    try:
        lines = [line.strip() for line in read_lines(path)]
    except TextFileError as error:
        raise DatasetError(str(error)) from error
    prompts = tuple(line for line in lines if line and not line.startswith("#"))
    if not 1 <= len(prompts) <= MAX_PROMPTS:
        raise DatasetError(f"{path}: expected 1 to {MAX_PROMPTS} prompts, one a line, got {len(prompts)}")
    return prompts


def make_set(
    order: Order, folder: Path, progress: Callable[[int, int], None] | None = None
) -> tuple[int, Path]:
    """Return how many pictures were made, and the manifest of all that are in the folder.

    A picture is written whole, then the manifest with it, batch by batch. One that is there already and was
    made by the same model with the same settings is kept. Each has a generator of its own seed, so that
    neither the batch nor what was there before changes what it is painted from.

    Args:
        order: The model, prompts, seeds and settings.
        folder: Of the set; pictures that are in it are kept.
        progress: Called with how many of the missing pictures are made, and how many were missing.

    Raises:
        DatasetError: The model cannot be loaded, or the folder holds what was made in another way.
    """
    jobs = list(_jobs(order))
    version = model_version(order)
    path = folder / MANIFEST
    done = _made_before(path, order, version)
    left = [job for job in jobs if job.file not in done or not (folder / job.file).is_file()]
    if not left:
        return 0, path
    for job in left:
        remove_beginnings(folder / job.file)
    pipeline = _Pipeline(order)
    for start in range(0, len(left), order.batch):
        part = left[start : start + order.batch]
        for job, image in zip(part, pipeline.paint(part), strict=True):
            save_png(image, folder / job.file)
            done[job.file] = _entry(job, order, version, folder / job.file)
        write_manifest(_manifest(order, folder, [done[job.file] for job in jobs if job.file in done]), path)
        if progress:
            progress(start + len(part), len(left))
    return len(left), path


def model_version(order: Order) -> str:
    """Return the version of a model's weights: the commit on the hub, or a hash of a folder's files.

    Raises:
        DatasetError: The model is not to be had.
    """
    folder = expanded(order.model)
    if folder.is_dir():
        digest = hashlib.sha256()
        for file in sorted(folder.rglob("*")):
            if file.is_file() and file.suffix in (".json", ".safetensors", ".bin", ".txt", ".model"):
                digest.update(file.relative_to(folder).as_posix().encode())
                with file.open("rb") as opened:
                    digest.update(hashlib.file_digest(opened, "sha256").digest())
        return f"sha256 of files {digest.hexdigest()}"
    try:
        from diffusers.pipelines.pipeline_utils import DiffusionPipeline

        snapshot = DiffusionPipeline.download(order.model, revision=order.revision)
    except ImportError as error:
        raise DatasetError("generating needs diffusers: install codecarena[generative]") from error
    except Exception as error:  # the hub's errors are of many classes
        raise DatasetError(
            f"the model {order.model!r} is neither a folder nor to be had from the hub: {error}"
        ) from error
    return f"revision {Path(str(snapshot)).name}"


def _jobs(order: Order) -> Iterator[_Job]:
    for place, prompt in enumerate(order.prompts, 1):
        for seed in order.seeds:
            yield _Job(f"{place:05d}-{seed}.png", prompt, seed)


def _entry(job: _Job, order: Order, version: str, path: Path) -> PictureEntry:
    pixels = read_pixels(path)
    return PictureEntry(
        file=job.file,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        pixels_sha256=pixels_sha256(pixels),
        width=pixels.shape[1],
        height=pixels.shape[0],
        perceptual=perceptual_hash(pixels),
        prompt=job.prompt,
        seed=job.seed,
        generator=order.model,
        model_version=version,
        guidance=order.guidance,
        steps=order.steps,
        workflow=_workflow(order),
    )


def _workflow(order: Order) -> str:
    """Return the settings that decide on the pixels and have no key of their own."""
    import diffusers
    import torch

    libraries = {"diffusers": diffusers.__version__, "torch": torch.__version__}
    return json.dumps({"width": order.width, "height": order.height, "dtype": order.dtype, **libraries})


def _made_before(path: Path, order: Order, version: str) -> dict[str, PictureEntry]:
    """Return the pictures that an earlier call made.

    Raises:
        DatasetError: It made them in another way.
    """
    if not path.is_file():
        return {}
    entries = {picture.file: picture for picture in load_manifest(path).pictures}
    ordered = {job.file: job for job in _jobs(order)}
    for file, entry in entries.items():
        job = ordered.get(file)
        made = (entry.generator, entry.model_version, entry.steps, entry.guidance)
        size = json.loads(entry.workflow or "{}")
        made_so = (*made, size.get("width"), size.get("height"), size.get("dtype"))
        wanted = (order.model, version, order.steps, order.guidance, order.width, order.height, order.dtype)
        if made_so != wanted or (job and (job.prompt, job.seed) != (entry.prompt, entry.seed)):
            raise DatasetError(
                f"{path}: {file} was made in another way (another prompt, model or setting); "
                "name another --out, or delete the folder"
            )
    return entries


def _manifest(order: Order, folder: Path, entries: Sequence[PictureEntry]) -> Manifest:
    name = "".join(
        character if character.isalnum() or character in "._-" else "-"
        for character in folder.resolve().name.lower()
    )
    return Manifest.model_validate(
        {
            "name": name.strip("-._") or "generated",
            "title": f"Pictures of {order.model}, made on this machine",
            "kind": "ai-generated",
            "generator": order.model,
            "licence": order.licence,
            "citation": order.model,
            "pictures": list(entries),
        }
    )


class _Pipeline:
    """A diffusers text-to-image pipeline, on its device."""

    def __init__(self, order: Order) -> None:
        try:
            import torch
            from diffusers.pipelines.auto_pipeline import AutoPipelineForText2Image
        except ImportError as error:
            raise DatasetError("generating needs diffusers: install codecarena[generative]") from error
        self._order = order
        try:
            loaded = AutoPipelineForText2Image.from_pretrained(
                order.model, revision=order.revision, torch_dtype=getattr(torch, order.dtype)
            )
        except Exception as error:  # diffusers and the hub raise many classes
            raise DatasetError(f"the model {order.model!r} cannot be loaded: {error}") from error
        # Any: diffusers' pipelines share no type that has their call.
        self._pipeline: Any = loaded.to(order.device)
        self._pipeline.set_progress_bar_config(disable=True)

    def paint(self, jobs: Sequence[_Job]) -> list[Image.Image]:
        """Return a picture of each job, each from its own seed."""
        import torch

        order = self._order
        chosen: dict[str, Any] = {
            "num_inference_steps": order.steps,
            "guidance_scale": order.guidance,
            "width": order.width,
            "height": order.height,
        }
        # On the CPU, so that another device paints from the same noise.
        generators = [torch.Generator("cpu").manual_seed(job.seed) for job in jobs]
        try:
            result = self._pipeline(
                prompt=[job.prompt for job in jobs],
                generator=generators,
                **{key: value for key, value in chosen.items() if value is not None},
            )
        except (RuntimeError, ValueError, TypeError) as error:
            raise DatasetError(f"{order.model!r} could not paint {jobs[0].file}: {error}") from error
        return list(result.images)
