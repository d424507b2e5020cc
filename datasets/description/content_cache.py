"""Keep descriptors of pictures by the hash of their pixels, for every store of this user."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from .descriptors import VERSION


def recall(sha256: str) -> tuple[str, dict[str, float]] | None:
    """Return the perceptual hash and the descriptors of these pixels; None where they are not kept.

    Args:
        sha256: Of the pixels.
    """
    try:
        kept = json.loads(_path(sha256).read_text(encoding="utf-8"))
        if kept["version"] != VERSION:
            return None
        values = {str(name): float(value) for name, value in kept["descriptors"].items()}
        return str(kept["perceptual"]), values
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # absent, or torn by a full disk
        return None


def keep(sha256: str, perceptual: str, descriptors: Mapping[str, float]) -> None:
    """Keep what is on a picture; nothing is kept where the cache cannot be written.

    Args:
        sha256: Of the pixels.
        perceptual: Perceptual hash, 16 hex digits.
        descriptors: Values by name.
    """
    path = _path(sha256)
    content = {"version": VERSION, "perceptual": perceptual, "descriptors": dict(descriptors)}
    partial = path.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(content), encoding="utf-8")
        os.replace(partial, path)  # noqa: PTH105 - the same call, said with both names in view
    except OSError:
        partial.unlink(missing_ok=True)


def _path(sha256: str) -> Path:
    import platformdirs

    folder = platformdirs.user_cache_path("codecarena", appauthor=False) / "pictures"
    return folder / sha256[:2] / f"{sha256}.json"
