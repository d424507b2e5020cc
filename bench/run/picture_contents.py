"""Describe pictures in workers: perceptual hashes for a run, descriptors for a question about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

from ...datasets.description import content_cache
from ...datasets.description.history import file_history
from ..records.messages import DescribePicture, Limits, PictureContent
from ..store.pictures import add_contents, known_prints, undescribed
from ..store.writer import StoreWriter
from ..worker import pool
from ..worker.device import cores

LIMITS = Limits(seconds=600, memory_mib=64 * 1024)
"""For one picture: one of a hundred megapixels takes a minute and some gigabytes."""


def store_prints(paths: Mapping[str, str], store: StoreWriter, executor: Executor) -> dict[str, str]:
    """Return the perceptual hash of each picture; those that are new to the store are computed and stored.

    Pictures whose file can no longer be read are left out: whoever measures them says so.

    Args:
        paths: Of the pictures' files, by the hash of their pixels.
        store: Receives the hashes.
        executor: Its threads wait for workers.
    """
    known = known_prints(store, paths)
    jobs = [DescribePicture(path, sha256, False) for sha256, path in paths.items() if sha256 not in known]
    outcomes = executor.map(partial(pool.supervise, limits=LIMITS), jobs)
    contents = [outcome.content for outcome in outcomes if outcome.content]
    add_contents(store, contents)
    return known | {content.picture_sha256: content.perceptual for content in contents}


def describe_stored(
    store: StoreWriter, image_set: str | None, progress: Callable[[int, int], None] | None = None
) -> list[str]:
    """Store the descriptors of those pictures of a store that lack them; return why some still do.

    Descriptors that another store of this user needed before are not computed again.

    Args:
        store: Its pictures, and where the descriptors go.
        image_set: Only pictures of this set; of all where None.
        progress: Told how many pictures are described, of how many.
    """
    paths = undescribed(store, image_set)
    contents: list[PictureContent] = []
    jobs: list[DescribePicture] = []
    for sha256, path in paths.items():
        if kept := content_cache.recall(sha256):
            perceptual, values = kept
            # The same pixels may have been in a file of another format when they were described.
            contents.append(PictureContent(sha256, perceptual, values | file_history(Path(path))))
        else:
            jobs.append(DescribePicture(path, sha256, True))
    add_contents(store, contents)
    if not jobs:
        return []
    try:
        with ThreadPoolExecutor(cores()) as executor:
            return _describe(jobs, store, executor, progress)
    finally:
        pool.close()


def _describe(
    jobs: list[DescribePicture],
    store: StoreWriter,
    executor: Executor,
    progress: Callable[[int, int], None] | None,
) -> list[str]:
    """Describe pictures in workers, store each as it comes, and return why some could not be described."""
    reasons: list[str] = []
    for done, outcome in enumerate(executor.map(partial(pool.supervise, limits=LIMITS), jobs), 1):
        if content := outcome.content:
            assert content.descriptors is not None
            content_cache.keep(content.picture_sha256, content.perceptual, content.descriptors)
            add_contents(store, [content])
        else:
            reasons += [failure.message for failure in outcome.failed]
        if progress:
            progress(done, len(jobs))
    return reasons
