"""Read objects of S3, and of what speaks as it does, through pyarrow where s3fs is not installed."""

from __future__ import annotations

import importlib.util
import os
from typing import Any

from fsspec import register_implementation
from fsspec.implementations.arrow import ArrowFSWrapper

SCHEME = "s3"


class ArrowS3(ArrowFSWrapper):
    """A file system over pyarrow's: credentials, region and ``AWS_ENDPOINT_URL`` are as in every AWS tool."""

    # As fsspec's own HDFS does: there it is a property that asks Arrow.
    protocol = SCHEME  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]
    cachable = False  # what the environment says may change

    # Any: fsspec hands over whatever its configuration has for the scheme.
    def __init__(self, *, anon: bool = False, **options: Any) -> None:
        """Open it; ``anon``, as s3fs calls it, signs nothing: for public buckets."""
        from pyarrow.fs import S3FileSystem

        named = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
        scheme, _, host = named.rpartition("://")
        there = {"endpoint_override": host.rstrip("/"), "scheme": scheme or "https"} if host else {}
        super().__init__(S3FileSystem(anonymous=anon, **there), **options)


def ensure_s3() -> None:
    """Let fsspec read ``s3://`` addresses."""
    if importlib.util.find_spec("s3fs") is None:
        register_implementation(SCHEME, ArrowS3, clobber=True)
