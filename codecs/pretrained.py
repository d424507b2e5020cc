"""Weight files: the embedded ones beside this file and a user's own; `fetch` gets those of others."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..system_errors import reason
from .base import CodecError
from .bitstream import WEIGHTS_ID_BYTES
from .checkpoints import plain_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

METADATA_KEY = "codecarena"
"""Of a weights file's metadata: JSON of what the network's training says of it."""
EMBEDDED = Path(__file__).parent / "weights"
"""Folder of the weights that come with codecarena."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A safetensors file and what is known of it."""

    path: Path
    sha256: str
    byte_count: int
    metadata: Mapping[str, str]
    """What the file says of itself: ``trained_on``, ``steps``, and the network's own settings."""

    @property
    def id(self) -> bytes:
        """What a bitstream's header carries of the SHA-256."""
        return bytes.fromhex(self.sha256)[:WEIGHTS_ID_BYTES]

    def tensors(self) -> dict[str, Tensor]:
        """Return the tensors by name; half floats come as float32."""
        import torch
        from safetensors.torch import load_file

        loaded = load_file(self.path)
        named = plain_names(loaded, self.path)
        return {
            name: tensor.float() if tensor.dtype == torch.float16 else tensor
            for name, tensor in named.items()
        }

    def number(self, key: str) -> int:
        """Return a whole number of the metadata.

        Raises:
            CodecError: The file does not say it.
        """
        try:
            return int(self.metadata[key])
        except (KeyError, ValueError) as error:
            raise CodecError(f"{self.path} does not say its {key!r}: {error}") from error


def embedded(name: str) -> Weights:
    """Return the weights of an embedded network: ``hyperprior``, ``hfd_flow``, and so on."""
    return load(EMBEDDED / f"{name}.safetensors")


@cache
def load(path: Path) -> Weights:
    """Return what is known of a safetensors file.

    Raises:
        CodecError: It is not there, or no safetensors file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        content = path.read_bytes()
        with safe_open(path, framework="numpy") as opened:  # pyright: ignore[reportUnknownVariableType]
            metadata: Mapping[str, str] = json.loads((opened.metadata() or {}).get(METADATA_KEY, "{}"))
    except (OSError, SafetensorError, ValueError) as error:
        raise CodecError(f"cannot read the weights {path}: {reason(error)}") from error
    return Weights(path, hashlib.sha256(content).hexdigest(), len(content), metadata)
