"""Find the tensors in what training programs save, under the names that the network itself has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, cast

from .base import CodecError

Tensor = TypeVar("Tensor")

CONTAINERS = ("state_dict", "model_state_dict", "model")
"""Keys under which programs save the tensors beside an optimizer's state; the second is catalyst's."""
_WRAPPERS = frozenset({"_orig_mod", "module"})
"""Parts of names that wrappers add: torch.compile's, and those of training on several devices."""


def contents(loaded: object) -> object:
    """Return what of a loaded checkpoint holds its tensors: itself, or what it has under a known key."""
    if not isinstance(loaded, Mapping):
        return loaded
    saved = cast("Mapping[str, object]", loaded)
    return next((saved[key] for key in CONTAINERS if isinstance(saved.get(key), Mapping)), saved)


def plain_names(tensors: Mapping[str, Tensor], path: object) -> dict[str, Tensor]:
    """Return tensors under their names without what wrappers add, wherever it stands in a name.

    ``_orig_mod.`` is torch.compile's, of the whole network or of a part; ``module.`` at the beginning is that
    of training on several devices. A part of a network may itself be called ``module``.

    Raises:
        CodecError: Two names become one.
    """
    renamed: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        plain = _plain(name)
        if plain in renamed:
            raise CodecError(f"{path} holds {plain!r} twice: once by itself, once from a wrapped network")
        renamed[plain] = tensor
    return renamed


def _plain(name: str) -> str:
    words = name.split(".")
    while words[1:] and words[0] in _WRAPPERS:
        del words[0]
    return ".".join(word for word in words if word != "_orig_mod")
