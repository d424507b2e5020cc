"""Caption a picture with a model of the BLIP family, through transformers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PIL import Image as Pillow

from ...base import CodecError, MissingBackendError
from ...quiet import quiet
from ..published import CAPTIONERS, folder_of

if TYPE_CHECKING:
    from ...base import Image

_NEW_TOKENS = 60


class Blip:
    """A captioner: BLIP, BLIP-2 or another model for which transformers turns a picture into text.

    Args:
        model: Ids on the Hugging Face hub with commas between them, or a folder; empty for `CAPTIONERS`.
        device: As torch names it.

    Raises:
        MissingBackendError: transformers or the weights are not there.
        CodecError: They do not load.
    """

    def __init__(self, model: str = "", device: str = "cpu") -> None:
        try:
            with quiet():
                from transformers import AutoModelForImageTextToText, AutoProcessor
                from transformers.utils import logging
        except ImportError as error:
            raise MissingBackendError(
                f"caption='blip' needs torch and transformers: pip install torch transformers ({error})"
            ) from error
        from ...devices import find_device

        folder = folder_of(model, CAPTIONERS)
        self._device = find_device(device)
        bars = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()
        try:
            with quiet():
                self._processor: Any = AutoProcessor.from_pretrained(folder, local_files_only=True)
                loaded: Any = AutoModelForImageTextToText.from_pretrained(folder, local_files_only=True)
                self._model = loaded.to(self._device).eval()
        except Exception as error:  # the libraries raise whatever the parsers below them do
            raise CodecError(f"the captioner {folder} does not load: {error}") from error
        finally:
            if bars:
                logging.enable_progress_bar()

    def caption(self, pixels: Image) -> str:
        """Return what the picture shows, by beam-free decoding: the same picture has the same caption."""
        try:
            with quiet():
                given = self._processor(images=Pillow.fromarray(pixels), return_tensors="pt").to(self._device)
                tokens = self._model.generate(**given, max_new_tokens=_NEW_TOKENS, do_sample=False)
                words: list[str] = self._processor.batch_decode(tokens, skip_special_tokens=True)
        except (RuntimeError, ValueError, TypeError) as error:
            raise CodecError(f"the captioner fails: {error}") from error
        return " ".join(words[0].split())
