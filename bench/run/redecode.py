"""Load the decoded pictures of stored cells: kept ones, or bitstreams decoded again and checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ...codecs.base import Image
from ...codecs.registry import entries
from ...datasets.pixels import PictureError, pixels_sha256, read_pixels
from ..records.messages import Cell, CodecSpec, Limits, Original, Stored
from ..records.rows import ScoredCell
from ..store.store import Store
from ..worker import pool
from ..worker.device import cores

LIMITS = Limits(seconds=600, memory_mib=16 * 1024)


@dataclass(frozen=True, slots=True)
class Remade:
    """What was found of the pictures, by the hash of their pixels."""

    pixels: dict[str, Image] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    """Why there is none, in a few words."""


def pictures(store: Store, originals: Iterable[str], cells: Iterable[ScoredCell]) -> Remade:
    """Return originals and the decoded pictures of cells; decoding happens in supervised workers.

    Args:
        store: Has the bitstreams; pictures that are decoded again are kept in its blobs.
        originals: Hashes of originals' pixels, those of the cells' pictures among them.
        cells: Whose decoded pictures are returned, of any codecs.
    """
    listed = {cell.decoded_sha256: cell for cell in cells}
    remade = Remade()
    paths = store.picture_paths()
    for sha256 in originals:
        _take(remade, sha256, Path(paths[sha256]), "original")
    remade.missing.update(keep(store, listed.values(), remade.missing))
    for sha256 in listed.keys() - remade.missing.keys():
        _take(remade, sha256, store.blobs.decoded_path(sha256), "kept picture")
    return remade


def keep(
    store: Store, cells: Iterable[ScoredCell], lost_originals: Mapping[str, str] = MappingProxyType({})
) -> dict[str, str]:
    """Make sure that the decoded pictures of cells lie in the store; return why others do not, by hash.

    Args:
        store: Has the bitstreams; its blobs receive the decoded pictures.
        cells: Whose decoded pictures are kept, of any codecs; supervised workers decode.
        lost_originals: Why an original cannot be read, by hash, where that is known already.
    """
    listed = {cell.decoded_sha256: cell for cell in cells}
    restore = partial(_restore, store, store.picture_paths(), store.codec_parameters(), lost_originals)
    try:
        with ThreadPoolExecutor(cores()) as executor:
            reasons = executor.map(restore, listed.values())
            return {sha256: reason for sha256, reason in zip(listed, reasons, strict=True) if reason}
    finally:
        pool.stop()
        pool.close()


def _take(remade: Remade, sha256: str, path: Path, what: str) -> None:
    try:
        pixels = read_pixels(path)
    except PictureError as error:
        remade.missing[sha256] = f"{what}: {error}"
        return
    if pixels_sha256(pixels) == sha256:
        remade.pixels[sha256] = pixels
    else:
        remade.missing[sha256] = f"{what} {path} changed since it was measured"


def _restore(
    store: Store,
    paths: dict[str, str],
    # Any: parameters are what a suite may hold, read back from JSON.
    parameters: dict[str, tuple[str, dict[str, Any]]],
    lost_originals: Mapping[str, str],
    cell: ScoredCell,
) -> str | None:
    """Make sure that a cell's decoded picture lies in the store; return why it does not."""
    if store.blobs.decoded_path(cell.decoded_sha256).exists():
        return None
    if cell.picture_sha256 in lost_originals:
        return lost_originals[cell.picture_sha256]
    if cell.imported:
        return "imported, and its picture is no longer in the store: import it again"
    name, given = parameters[cell.codec_id]
    if name not in entries():
        return "not kept, and its recipe is unknown here: run its suite with keep_decoded = true"
    original = Original(paths[cell.picture_sha256], cell.picture_sha256)
    spec = CodecSpec(name, tuple(sorted(given.items())))
    stored = Stored(cell.bitstream_sha256, cell.decoded_sha256)
    blobs = str(store.blobs.folder)
    job = Cell(original, spec, cell.codec_id, cell.quality, cell.seed, (), blobs, stored)
    outcome = pool.supervise(job, LIMITS)
    return outcome.failed[0].message if outcome.failed else None
