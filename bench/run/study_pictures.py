"""Make the parts of pictures that a study shows from stored cells: decode, cut, store and score them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from ..records.rows import ScoredCell
from ..store.study_pictures import Crop, PicturePart, Prepared, StimulusScores

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ...codecs.base import Image
    from ..store.writer import StoreWriter
    from ..worker.measure import Worker

BATCH_PIXELS = 2**26
"""About how many decoded pixels are held at a time (200 MB)."""
STRIDE = 8
"""Steps in which the place of a detailed part is looked for."""


def prepare(store: str, cells: Sequence[ScoredCell], crop: Crop) -> Prepared:
    """Return the parts of these cells' originals and decoded pictures; all are stored as blobs.

    Decoded pictures that were not kept are decoded again in supervised workers and checked by their hashes.

    Args:
        store: Folder or URL of the store.
        cells: Whose decoded pictures a study shows.
        crop: Which part of each picture to cut.
    """
    from ...datasets.pixels import pixels_sha256
    from ..store.store import Store
    from .redecode import pictures

    opened = Store(store)
    parts: dict[str, PicturePart] = {}
    shown: dict[str, str] = {}
    missing: dict[str, str] = {}

    def keep(pixels: Image, part: PicturePart | None = None) -> str:
        cut = pixels if part is None else _cut(pixels, part)
        sha256 = pixels_sha256(cut)
        opened.blobs.put_decoded(sha256, cut)
        return sha256

    for batch in _batches(cells):
        remade = pictures(opened, dict.fromkeys(cell.picture_sha256 for cell in batch), batch)
        missing.update(remade.missing)
        for cell in batch:
            original = remade.pixels.get(cell.picture_sha256)
            decoded = remade.pixels.get(cell.decoded_sha256)
            if original is None or decoded is None:
                continue
            if cell.picture_sha256 not in parts:
                left, top, width, height = choose(original, crop)
                part = PicturePart(left, top, width, height, "")
                parts[cell.picture_sha256] = PicturePart(left, top, width, height, keep(original, part))
            shown[cell.decoded_sha256] = keep(decoded, parts[cell.picture_sha256])
    opened.close()
    return Prepared(parts, shown, missing)


def _batches(cells: Sequence[ScoredCell]) -> Iterator[list[ScoredCell]]:
    """Yield the cells picture by picture, as many at a time as fit in memory."""
    batch: list[ScoredCell] = []
    pixels = 0
    for cell in sorted(cells, key=lambda cell: cell.picture_sha256):
        if batch and pixels + cell.pixel_count > BATCH_PIXELS:
            yield batch
            batch, pixels = [], 0
        batch.append(cell)
        pixels += cell.pixel_count
    if batch:
        yield batch


def _cut(pixels: Image, part: PicturePart) -> Image:
    import numpy as np

    rows = slice(part.top, part.top + part.height)
    return np.ascontiguousarray(pixels[rows, part.left : part.left + part.width])


def choose(original: Image, crop: Crop) -> tuple[int, int, int, int]:
    """Return left, top, width and height of the part of an original that a crop rule means."""
    rows, columns = original.shape[:2]
    if crop.rule == "whole":
        return 0, 0, columns, rows
    width, height = min(crop.width, columns), min(crop.height, rows)
    if crop.rule == "centre":
        return (columns - width) // 2, (rows - height) // 2, width, height
    left, top = _most_detailed(original, width, height)
    return left, top, width, height


def _most_detailed(original: Image, width: int, height: int) -> tuple[int, int]:
    """Return left and top of the part with the largest mean difference between neighbours in luma."""
    import numpy as np

    luma = original.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    change = np.zeros_like(luma)
    change[:, 1:] += np.abs(np.diff(luma, axis=1))
    change[1:] += np.abs(np.diff(luma, axis=0))
    sums = np.pad(change.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    tops = _places(luma.shape[0] - height)
    lefts = _places(luma.shape[1] - width)
    bottom, right = tops + height, lefts + width
    detail = (
        sums[np.ix_(bottom, right)]
        - sums[np.ix_(tops, right)]
        - sums[np.ix_(bottom, lefts)]
        + sums[np.ix_(tops, lefts)]
    )
    row, column = np.unravel_index(int(detail.argmax()), detail.shape)
    return int(lefts[column]), int(tops[row])


def _places(last: int) -> NDArray[np.int64]:
    """Return the places to look at from 0 to the last, both included."""
    import numpy as np

    return np.unique(np.append(np.arange(0, last + 1, STRIDE), last))


def score(
    store: str, pairs: Sequence[tuple[str, str]], metrics: Sequence[str]
) -> Mapping[str, StimulusScores]:
    """Score stored pictures against their originals and return what each metric has of them then.

    Args:
        store: Folder or URL of the store that has both as blobs.
        pairs: Hashes of the pixels shown: (of the original, of the decoded picture).
        metrics: Names of the metrics to score with.

    Raises:
        StoreError: A metric does not load, or fails on a pair.
    """
    from ..store.writer import StoreWriter
    from ..worker.measure import Worker

    worker = Worker()
    writer = StoreWriter(store)
    try:
        return {name: _score(worker, writer, sorted(set(pairs)), name) for name in metrics}
    finally:
        writer.close()


def _score(
    worker: Worker, writer: StoreWriter, pairs: Sequence[tuple[str, str]], name: str
) -> StimulusScores:
    from ...datasets.pixels import PictureError, read_pixels
    from ..records.messages import Failed, Original
    from ..store.database import StoreError
    from ..store.shown_scores import scores_of
    from ..store.tables.schema import ScoreTable

    described = worker.describe_metric(name)
    if described.error:
        raise StoreError(f"metric {name!r}: {described.error}")
    identity = writer.add_metric(described)
    done = writer.scored([identity])
    todo: dict[str, list[str]] = defaultdict(list)
    for original, decoded in pairs:
        if (original, decoded, identity) not in done:
            todo[original].append(decoded)
    rows: list[dict[str, object]] = []
    paths = _paths(writer, todo) if todo else {}
    for original, listed in todo.items():
        try:
            picture = worker.load_picture(Original(str(paths[original]), original))
        except PictureError as error:
            raise StoreError(f"an original cannot be read: {error}") from error
        for decoded in listed:
            pixels = read_pixels(paths[decoded])
            scored = worker.score(name, picture, pixels, original == decoded)
            if isinstance(scored, Failed):
                raise StoreError(f"metric {name!r} on {decoded[:12]}: {scored.message}")
            keys = {"original_sha256": original, "decoded_sha256": decoded, "metric_id": identity}
            rows.append(
                {**keys, "value": scored.value, "lossless": scored.lossless, "seconds": scored.seconds}
            )
    writer.insert_or_ignore(ScoreTable, rows)
    known = scores_of(writer, pairs)
    applicable = sum(known[pair][identity].applicable for pair in pairs)
    return StimulusScores(len(rows), len(pairs) - len(rows), len(pairs) - applicable)


def _paths(writer: StoreWriter, pairs: Mapping[str, Sequence[str]]) -> dict[str, Path]:
    """Return where each picture lies, by the hash of its pixels; whole decoded ones are made where they lack.

    Args:
        writer: Of the store.
        pairs: Hash of the original -> hashes of the decoded pictures.

    Raises:
        StoreError: A decoded picture is not kept and cannot be decoded again.
    """
    from ..store.database import StoreError
    from ..store.store import Store
    from .redecode import keep

    with closing(Store(writer.location.store_option)) as store:
        # A part that was shown is a blob; a whole original lies where it was measured from.
        whole = {sha256: Path(path) for sha256, path in store.picture_paths().items()}
        wanted = {*pairs, *(decoded for listed in pairs.values() for decoded in listed)}
        paths = {
            sha256: whole[sha256] if sha256 in whole and not blob.exists() else blob
            for sha256 in wanted
            for blob in [store.blobs.decoded_path(sha256)]
        }
        absent = {sha256 for sha256, path in paths.items() if not path.exists()}
        if absent:
            cells = [cell for cell in store.cells() if cell.decoded_sha256 in absent]
            for sha256, reason in keep(store, cells).items():
                raise StoreError(f"the decoded picture {sha256[:12]} cannot be scored: {reason}")
    return paths
