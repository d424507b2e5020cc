"""Decide which files an isolated decoder may see, and which are hidden from it."""

from __future__ import annotations

import importlib.util
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ...codecs import recipe, registry
from ...codecs.base import CodecError
from ...codecs.fetch import weights_folder
from ...datasets.pixels import EXTENSIONS
from ...home_folder import expanded
from ..records.messages import CodecSpec
from ..run.plan import PlannedCodec
from ..store.store import Store
from ..store.verifications import StoredStream
from ..worker.changed_files import FolderChanges, Span, appeared, outermost
from ..worker.sandbox import HOME, SYSTEM, WORK, Walls, of_program, of_python

BESIDE_PICTURES = frozenset({".toml", ".txt", ".md", ".json", ".csv"})
"""What may lie in a folder that is covered as a whole."""


def environment(codec: PlannedCodec) -> dict[str, str]:
    """Return the variables of an isolated worker: caches where they were, nothing that leads to pictures."""
    caches = {name: str(path) for name, path in _caches(codec).items()}
    return caches | {"CODECARENA_DATA": "", "CODECARENA_STORE": "", "PWD": WORK, "OLDPWD": HOME}


def around(
    codec: PlannedCodec,
    store: Store,
    pictures: Iterable[Path],
    streams: Iterable[StoredStream],
    settled: FolderChanges,
    shown: Iterable[Path] = (),
) -> tuple[Walls, list[Path]]:
    """Return the walls around a codec's decoder, and the files that are left out for being too new.

    Args:
        codec: The codec whose bitstreams are decoded; its own files stay visible.
        store: Has the bitstreams; its blobs and database are hidden.
        pictures: Files of originals; their neighbours of the same kinds are hidden, too.
        streams: The bitstreams: what appeared among the codec's own files since their encoders first ran is
            left out.
        settled: Changes in folders of the system and of Python, as `of_settled` returns them.
        shown: More folders that the decoder may see.
    """
    python, own = of_python(), [*_of_codec(codec), *_caches(codec).values()]
    visible = [Path(os.path.realpath(path)) for path in (*python, *own, *shown) if path.exists()]
    hidden = [*_of_store(store), *_covered_pictures(pictures, visible)]
    codec_files = [path for path in outermost(own) if not _within(path, _settled())]
    span = Span(_began(streams), math.inf)
    newer = appeared(codec_files, span, hidden)
    # A file that a parameter names stands for itself: it is covered.
    changed = [path for path in codec_files if path.is_file() and _changed(path) in span]
    walls = Walls(tuple(visible), (*hidden, *changed), (*settled.renewed, *newer.renewed))
    return walls, [*changed, *newer.files, *settled.files]


def of_settled(store: Store, streams: Sequence[StoredStream]) -> FolderChanges:
    """Return what appeared in the system's and Python's own folders while the encoders of bitstreams ran.

    Not what changed after: a package may be upgraded meanwhile. Folders that this user cannot write to are
    passed over.
    """
    if not streams:
        return FolderChanges()
    ends = [math.inf if stream.ended_at is None else _seconds(stream.ended_at) for stream in streams]
    span = Span(_began(streams), max(ends))
    tops = [path for path in outermost(_settled()) if os.access(path, os.W_OK)]
    return appeared(tops, span, _of_store(store))


def _settled() -> list[Path]:
    """Return the folders of the system and of Python; /sys holds no files."""
    return [*(Path("/", name) for name in SYSTEM if name != "sys"), *of_python()]


def _began(streams: Iterable[StoredStream]) -> float:
    # The kernel's times have the resolution of a tick: what was written at once may seem to be older.
    return min(_seconds(stream.began_at) for stream in streams) - 0.02


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _of_codec(codec: PlannedCodec) -> list[Path]:
    """Return where a codec's own code and the files that its parameters name lie."""
    spec = codec.table.spec
    module = registry.find(spec.name).path.partition(":")[0].partition(".")[0]
    package = importlib.util.find_spec(module)
    folders = (
        [Path(place) for place in (package.submodule_search_locations or ()) if package] if package else []
    )
    folders += [Path(package.origin).parent] if package and package.origin and not folders else []
    return folders + _paths(str(value) for _, value in spec.parameters) + _of_recipe(spec)


def _of_recipe(spec: CodecSpec) -> list[Path]:
    """Return the folder of a command codec's recipe, and the programs and files that its decoder is given."""
    needed: list[Path] = []
    for folder, words, variables in _recipes(spec):
        filled = recipe.fill([word for word in words if word.count("{") <= 1], _Places(folder))
        needed.append(folder)
        program = folder / filled[0] if "/" in filled[0] else None
        needed += of_program(program) if program else []
        for path in _paths([*filled[1:], *variables]):
            needed += of_program(path) if os.access(path, os.X_OK) and path.is_file() else [path]
    return needed


class _Places(dict[str, Any]):
    """Fills ``{recipe_dir}``; what only a call knows stays as it is."""

    def __init__(self, folder: Path) -> None:
        super().__init__(recipe_dir=folder)

    def __missing__(self, key: str) -> str:
        return f"{{{key}}}"


def _recipes(spec: CodecSpec) -> list[tuple[Path, list[str], list[str]]]:
    """Return folder, decoder's words and environment of a command codec's recipe; nothing for others."""
    named = dict(spec.parameters).get("recipe")
    if spec.name != "command" or not isinstance(named, str):
        return []
    path = expanded(named).absolute()
    try:
        read, _ = recipe.load(path)
    except CodecError:
        return []
    return [(path.parent, list(read.decode), list(read.environment.values()))]


def _paths(values: Iterable[str]) -> list[Path]:
    """Return those values that are absolute paths, or home ones, of something that exists."""
    paths = [expanded(value) for value in values if "/" in value]
    return [path for path in paths if path.is_absolute() and path.exists()]


def _caches(codec: PlannedCodec) -> Mapping[str, Path]:
    """Return the folders of fetched weights, by the variable that names each; none for classic codecs."""
    if codec.info.family == "classic":
        return {}
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    usual = {"HF_HOME": cache / "huggingface", "TORCH_HOME": cache / "torch"}
    named = {name: expanded(os.environ.get(name) or path) for name, path in usual.items()}
    return {"CODECARENA_WEIGHTS": weights_folder(), **named}


def _of_store(store: Store) -> list[Path]:
    """Return the real paths of a store's blobs and files."""
    file = store.location.file
    files = [file.with_name(f"{file.name}{suffix}") for suffix in ("", "-wal", "-shm")] if file else []
    return [Path(os.path.realpath(path)) for path in (store.blobs.folder, *files)]


def _covered_pictures(pictures: Iterable[Path], visible: Iterable[Path]) -> list[Path]:
    """Return whole folders of pictures, or the single ones where other things lie beside them."""
    visible = list(visible)
    covered: list[Path] = []
    for folder in sorted({Path(os.path.realpath(path)).parent for path in pictures}):
        if not folder.is_dir() or not any(folder.is_relative_to(seen) for seen in visible):
            continue
        inside = list(folder.iterdir())
        images = [path for path in inside if path.suffix.lower() in EXTENSIONS]
        others = [path for path in inside if path.suffix.lower() not in (*EXTENSIONS, *BESIDE_PICTURES)]
        whole = not others and not any(seen.is_relative_to(folder) for seen in visible)
        covered += [folder] if whole else images
    return covered


def _within(path: Path, folders: Iterable[Path]) -> bool:
    real = Path(os.path.realpath(path))
    return any(real.is_relative_to(os.path.realpath(folder)) for folder in folders)


def _changed(path: Path) -> float:
    try:
        return path.lstat().st_ctime
    except OSError:
        return 0.0
