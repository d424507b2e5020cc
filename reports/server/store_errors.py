"""Say on a page why a store cannot be read, without paths, addresses or SQL; the server's log has them."""

from __future__ import annotations

import logging
import shlex

from ...bench.store.database import StoreError, locate
from ...bench.store.database_errors import explained, is_of_database

logger = logging.getLogger(__name__)


def is_of_store(error: BaseException) -> bool:
    """Whether an error means that the store does not open, or does not answer."""
    return isinstance(error, StoreError) or is_of_database(error)


def for_visitors(error: BaseException, store: str) -> str:
    """Return what visitors may read of such an error.

    Args:
        error: One that `is_of_store`.
        store: As the server was given it.
    """
    text = f"The store cannot be read: {explained(error)}" if is_of_database(error) else str(error)
    logger.warning("%s", text)
    return without_places(text, store)


def without_places(text: str, store: str) -> str:
    """Return a message about a store without its path or address."""
    try:
        place = locate(store)
    except StoreError:  # it is the name itself that is wrong
        return "The server was started with a store that is none; its log says why."
    names = {place.shown, place.store_option, str(place.blobs.parent), store}
    for name in sorted(names - {""}, key=len, reverse=True):
        text = text.replace(f" --store {shlex.quote(name)}", "").replace(name, "the store")
    return text[:1].upper() + text[1:]
