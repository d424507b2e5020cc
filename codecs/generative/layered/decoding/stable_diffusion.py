"""Load Stable Diffusion 1.x from folders of weights, and run it on a caption and control images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

import torch

from ....base import CodecError, MissingBackendError, check_choice, check_text
from ....devices import find_device, find_dtype, in_fast_layout, inference
from ....quiet import quiet
from ..coding import text
from ..coding.layers import CANVAS_AREA, CANVAS_MULTIPLE
from ..coding.settings import GUIDANCE, STEPS, Setting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

    from ....base import Image


with quiet():  # importing them warns and logs
    import diffusers
    import transformers
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from diffusers.schedulers.scheduling_ddim import DDIMScheduler
    from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler
    from diffusers.schedulers.scheduling_pndm import PNDMScheduler
    from transformers import CLIPTextModel, CLIPTokenizer

VERSION = (
    f"2; diffusers {diffusers.__version__}; transformers {transformers.__version__}; "
    f"torch {torch.__version__}"
)
SCHEDULERS = {"pndm": PNDMScheduler, "ddim": DDIMScheduler, "dpm++": DPMSolverMultistepScheduler}
CANVAS = Setting("canvas_area", CANVAS_MULTIPLE**2, 1024**2, units=1 / CANVAS_MULTIPLE**2)
SAMPLING = (STEPS, GUIDANCE, Setting("scheduler", 0, len(SCHEDULERS) - 1), CANVAS)
"""Settings of Stable Diffusion itself."""
WEIGHT_FILES = (
    "diffusion_pytorch_model.safetensors",
    "model.safetensors",
    "diffusion_pytorch_model.bin",
    "pytorch_model.bin",
)
"""Names under which both libraries look for the weights of a model, the preferred ones first."""


class Words(NamedTuple):
    """What the text encoder reads."""

    caption: str
    """What the picture shows."""
    negative_prompt: str
    """What it is steered away from."""


class Sampling(TypedDict, total=False):
    """Parameters that all decoders share; `StableDiffusion` documents them and has their defaults."""

    steps: int
    guidance: float
    scheduler: str
    negative_prompt: str
    canvas_area: int
    device: str
    dtype: str


class StableDiffusion:
    """Stable Diffusion 1.x with its text encoder, ready to be put into pipelines.

    Steps, guidance and scheduler default to those of the code published for the layered codec (Chen, Mao and
    Cheng, DCC 2025, arXiv 2412.12982).

    Args:
        folder: A pipeline as ``save_pretrained`` writes it: text_encoder, tokenizer, unet, vae, scheduler.
        steps: Denoising steps, 1 to 100.
        guidance: Weight of the caption against the negative prompt, 1 (the latter is ignored) to 25.
        scheduler: ``pndm``, ``ddim`` or ``dpm++``.
        negative_prompt: What the picture is steered away from. The code published with the paper has a long
            list of faults; here it would count among the bytes of every stream, and there is none by default.
        canvas_area: Pixels of the canvas, about, up to 1024 x 1024; its sides are multiples of 64.
        device: As torch names it.
        dtype: ``float32``, ``float16`` or ``bfloat16``.

    Raises:
        MissingBackendError: The folder lacks a part of the pipeline.
        CodecError: A parameter is out of range, or a part does not load.
    """

    def __init__(
        self,
        folder: Path,
        *,
        steps: int = 50,
        guidance: float = 7.5,
        scheduler: str = "pndm",
        negative_prompt: str = "",
        canvas_area: int = CANVAS_AREA,
        device: str = "cpu",
        dtype: str = "float32",
    ) -> None:
        check_choice("scheduler", scheduler, SCHEDULERS)
        STEPS.check(steps)
        GUIDANCE.check(guidance)
        CANVAS.check(canvas_area)
        check_text("negative_prompt", negative_prompt)
        text.encode(negative_prompt)  # refuses at once what no stream could carry
        self.negative_prompt = negative_prompt
        self.sampling: dict[str, float] = {
            "steps": steps,
            "guidance": guidance,
            "scheduler": list(SCHEDULERS).index(scheduler),
            "canvas_area": canvas_area,
        }
        self.weight_files: list[Path] = []
        self._device = find_device(device)
        self._dtype = find_dtype(dtype, self._device)
        _check_parts(folder)
        self._text_encoder = self.load(CLIPTextModel, folder / "text_encoder")
        self._tokenizer = _read(CLIPTokenizer.from_pretrained, folder / "tokenizer")
        self._unet = self.load(UNet2DConditionModel, folder / "unet")
        self._vae = self.load(AutoencoderKL, folder / "vae")
        self._schedule = _read(PNDMScheduler.load_config, folder / "scheduler")

    def load(self, model: Any, folder: Path) -> Any:  # a class of either library, which share no base class
        """Return a model from its folder, on the device, and note its weight file.

        Raises:
            MissingBackendError: There are no weights in the folder.
            CodecError: They do not load, or leave parameters of the model unset.
        """
        weights = _weight_file(folder)
        options = {"use_safetensors": weights.suffix == ".safetensors", "output_loading_info": True}
        loaded, report = _read(model.from_pretrained, folder, **options)
        unset = [*report["missing_keys"], *report["mismatched_keys"]]
        if unset:  # both libraries would go on with random numbers
            raise CodecError(f"{weights} lacks {len(unset)} of the model's parameters, one is {unset[0]}")
        self.weight_files.append(weights)
        try:
            with quiet():
                return in_fast_layout(loaded.to(device=self._device, dtype=self._dtype).eval())
        except RuntimeError as error:  # for want of memory above all
            raise CodecError(f"device '{self._device}' does not take {folder}: {error}") from error

    @inference()
    def paint(
        self,
        pipeline: Callable[..., Any],
        parts: Mapping[str, object],
        words: Words,
        seed: int,
        how: Mapping[str, float],
        arguments: Mapping[str, object],
    ) -> Image:
        """Return the canvas that a pipeline paints.

        Args:
            pipeline: The class of the pipeline.
            parts: What it is made of besides this Stable Diffusion.
            words: Each cut to what the text encoder reads, 77 tokens with the two around it.
            seed: Of all noise, which is drawn on the CPU so that every device gets the same.
            how: The settings of `SAMPLING`, those of a stream.
            arguments: What it is called with besides words, steps, guidance and noise.

        Raises:
            CodecError: The pipeline fails, or its pixels are not finite.
        """
        with quiet():
            try:
                ready = self._assemble(pipeline, parts, list(SCHEDULERS)[int(how["scheduler"])])
                painted = ready(
                    prompt_embeds=self._embed(words.caption),
                    negative_prompt_embeds=self._embed(words.negative_prompt),
                    num_inference_steps=int(how["steps"]),
                    guidance_scale=how["guidance"],
                    generator=torch.Generator("cpu").manual_seed(seed),
                    output_type="latent",
                    **arguments,
                )
                return self._pixels(painted.images)
            except CodecError:
                raise
            except Exception as error:  # whatever parts that do not fit make of each other
                raise CodecError(f"{getattr(pipeline, '__name__', pipeline)} fails: {error}") from error

    def _assemble(self, pipeline: Callable[..., Any], parts: Mapping[str, object], scheduler: str) -> Any:
        """Return a pipeline of the class: of these parts, and with a scheduler that has seen no picture."""
        # The warnings that the configurations of 2022 cause are answered here once for every pipeline.
        schedule = {**self._schedule, "clip_sample": False, "steps_offset": 1}
        ready = pipeline(
            text_encoder=self._text_encoder,
            tokenizer=self._tokenizer,
            unet=self._unet,
            vae=self._vae,
            scheduler=SCHEDULERS[scheduler].from_config(schedule),
            # It blackens what it takes for indecent, often wrongly, which would count as the codec's failure.
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
            **parts,
        )
        ready.set_progress_bar_config(disable=True)
        return ready

    @inference()
    def _embed(self, text: str) -> Tensor:
        """Return the U-Net's embedding of a text, (1, 77, width)."""
        limit = self._text_encoder.config.max_position_embeddings
        tokens = self._tokenizer(
            text, padding="max_length", max_length=limit, truncation=True, return_tensors="pt"
        )
        return self._text_encoder(tokens.input_ids.to(self._device))[0]

    def _pixels(self, latents: Tensor) -> Image:
        decoded = self._vae.decode(latents / self._vae.config.scaling_factor).sample[0].float()
        if not decoded.isfinite().all():
            raise CodecError(f"pixels are not finite in {self._dtype}; dtype='float32' has the range")
        levels = (decoded / 2 + 0.5).clamp(0, 1).mul(255).round().to(torch.uint8)
        return levels.permute(1, 2, 0).contiguous().cpu().numpy()


def _check_parts(folder: Path) -> None:
    parts = ("text_encoder", "tokenizer", "unet", "vae", "scheduler")
    absent = [part for part in parts if not (folder / part).is_dir()]
    if absent:
        raise MissingBackendError(
            f"{folder} is no Stable Diffusion pipeline: expected the folders {', '.join(parts)}, "
            f"not there: {', '.join(absent)}"
        )


def _weight_file(folder: Path) -> Path:
    weight_files = [folder / name for name in WEIGHT_FILES if (folder / name).is_file()]
    if not weight_files:
        raise MissingBackendError(f"no weights in {folder}: expected one of {', '.join(WEIGHT_FILES)}")
    return weight_files[0]


def _read(reader: Callable[..., Any], folder: Path, **options: object) -> Any:
    """Return what a ``from_pretrained`` of either library makes of a folder, in silence."""
    bars = transformers.utils.logging.is_progress_bar_enabled()
    with quiet():
        transformers.utils.logging.disable_progress_bar()
        try:
            return reader(folder, local_files_only=True, **options)
        except Exception as error:  # they raise whatever the parsers below them do
            raise CodecError(f"{folder} does not load: {error}") from error
        finally:
            if bars:
                transformers.utils.logging.enable_progress_bar()
