"""Find pictures that other installed packages ship, without importing those packages."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def installed_folder(place: str) -> Path | None:
    """Return a folder inside an installed package, or None when the package is not installed.

    Args:
        place: The import name and the folders below it, joined by slashes: ``skimage/data``.
    """
    package, *below = place.split("/")
    spec = importlib.util.find_spec(package)  # a top-level name: nothing is imported
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0], *below)
