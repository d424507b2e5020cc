"""Write the manifest of a part of a set, which names the set and the pictures chosen from it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...counts import counted
from ...home_folder import expanded
from ..manifest import ImageSet, Manifest
from ..manifest_toml import write_manifest


def write_subset(image_set: ImageSet, reference: str, names: Sequence[str], path: Path) -> None:
    """Write a manifest of some pictures of a set.

    Its name is the file's, so that results on the few stand apart from those on all.

    Args:
        image_set: The whole set.
        reference: The name or path it was opened by; a path is written in full.
        names: Of the pictures to take.
        path: The manifest to write.

    Raises:
        DatasetError: The manifest cannot be written.
    """
    given = expanded(reference)
    manifest = Manifest.model_validate(
        {
            "name": path.stem.lower(),
            "title": f"{len(names)} of the {counted(len(image_set.pictures), 'picture')} of {image_set.name}",
            "kind": image_set.kind,
            "licence": image_set.licence,
            "citation": f"see {image_set.name}",
            "of": str(given.absolute()) if given.exists() else reference,
            "only": list(names),
        }
    )
    write_manifest(manifest, path)
