"""Record the weight files that a pyiqa metric reads, and those that it lacks, while it is made."""

from __future__ import annotations

import builtins
import contextlib
import hashlib
import os
import urllib.request
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

ALLOW_DOWNLOADS = "CODECARENA_ALLOW_DOWNLOADS"
"""Environment variable that, set to 1, lets pyiqa fetch weights."""


class DownloadRefusedError(OSError):
    """Something asked for a file from the internet while downloads are not allowed."""


@dataclass(slots=True)
class WeightFiles:
    """What a metric asked for while it was made."""

    missing: dict[Path, str] = field(default_factory=dict)
    """Where each file that is not there belongs, and its address, in the order they were asked for."""
    opened: set[Path] = field(default_factory=set)
    """Files below PyTorch's hub folder that were read."""


class _Absent(dict[str, Any]):
    """Stands in for the contents of an absent file, whatever part of it is read."""

    def __missing__(self, key: str) -> _Absent:
        return _Absent()


def downloads_allowed() -> bool:
    """Whether the user lets pyiqa fetch weights."""
    return os.environ.get(ALLOW_DOWNLOADS) == "1"


def set_offline() -> None:
    """Tell Hugging Face's libraries not to ask the internet; it must happen before they are imported."""
    if not downloads_allowed():
        os.environ["HF_HUB_OFFLINE"] = "1"


@contextlib.contextmanager
def watched() -> Generator[WeightFiles]:
    """Record the weight files asked for, and refuse downloads unless they are allowed.

    A file that is not there does not stop the maker: its contents are replaced by nothing and loading a state
    becomes a no-op, so that the second and third file are requested too and the user learns of all at once.
    Such a metric is broken; the caller must throw it away when ``missing`` is not empty. Everything is put
    back at the end.
    """
    import torch.hub
    from pyiqa.utils import download_util

    files = WeightFiles()

    def download(url: str, dst: str, *_: Any, **__: Any) -> None:
        files.missing[Path(dst)] = url

    def load(original: Callable[..., Any], file: Any, *rest: Any, **options: Any) -> Any:
        absent = isinstance(file, str | Path) and Path(file) in files.missing
        return _Absent() if absent else original(file, *rest, **options)

    def load_state(original: Callable[..., Any], *rest: Any, **options: Any) -> Any:
        return None if files.missing else original(*rest, **options)

    def note(original: Callable[..., Any], file: Any, *rest: Any, **options: Any) -> Any:
        opened = original(file, *rest, **options)
        if isinstance(file, str | Path) and Path(file).is_relative_to(torch.hub.get_dir()):
            files.opened.add(Path(file))
        return opened

    def refuse(original: Callable[..., Any], opener: Any, request: Any, *_: Any, **__: Any) -> Any:
        url = request if isinstance(request, str) else request.full_url
        if urlparse(url).scheme == "file":
            return original(opener, request, *_, **__)
        # Only CLIP downloads by itself; everything else goes through the functions replaced below.
        files.missing[Path.home() / ".cache/clip" / PurePosixPath(urlparse(url).path).name] = url
        raise DownloadRefusedError(f"{url} may not be fetched")

    with contextlib.ExitStack() as stack:
        stack.enter_context(_wrapped(builtins, "open", note))
        if not downloads_allowed():
            # The second name is a copy that pyiqa imported; both end in the same function.
            stack.enter_context(_replaced(torch.hub, "download_url_to_file", download))
            stack.enter_context(_replaced(download_util, "download_url_to_file", download))
            stack.enter_context(_wrapped(torch, "load", load))
            stack.enter_context(_wrapped(torch.nn.Module, "load_state_dict", load_state))
            stack.enter_context(_wrapped(urllib.request.OpenerDirector, "open", refuse))
        yield files


@contextlib.contextmanager
def _replaced(owner: Any, name: str, replacement: object) -> Generator[None]:
    original = getattr(owner, name)
    setattr(owner, name, replacement)
    try:
        yield
    finally:
        setattr(owner, name, original)


@contextlib.contextmanager
def _wrapped(owner: Any, name: str, wrapper: Callable[..., Any]) -> Generator[None]:
    original = getattr(owner, name)

    # A function, not a partial object: the wrapped one may be a method.
    def call(*rest: Any, **options: Any) -> Any:
        return wrapper(original, *rest, **options)

    with _replaced(owner, name, call):
        yield


def digest(files: set[Path]) -> str | None:
    """Return the SHA-256 of the one file, of the list of hashes of several, None of none."""
    hashes = [_file_digest(file) for file in sorted(files) if file.is_file()]
    if len(hashes) < 2:
        return hashes[0] if hashes else None
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


@cache
def _file_digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def wanted_from_hub(error: BaseException | None) -> tuple[str, str] | None:
    """Return the repository and file that Hugging Face's library looked for when this error arose, or None.

    Its messages name neither, so they are read from the frames that the error passed through.
    """
    while error is not None:
        trace = error.__traceback__
        while trace is not None:
            known = trace.tb_frame.f_locals
            repository, file = known.get("repo_id"), known.get("filename")
            if isinstance(repository, str) and isinstance(file, str):
                return repository, file
            repository = known.get("pretrained_model_name_or_path")
            if isinstance(repository, str) and "/" in repository:
                return repository, ""
            trace = trace.tb_next
        error = error.__cause__ or error.__context__
    return None
