"""The registry finds codecs without importing them, and says what is wrong in the user's words."""

from __future__ import annotations

import subprocess
import sys

import pytest

from codecarena.codecs import registry
from codecarena.codecs.base import CodecError, CodecInfo, MissingBackendError, QualityScale

FROM_FILES = ("command", "illm", "zoo")
"""Codecs whose constructor needs a file of the user's, or fetched weights."""


def built_in() -> list[registry.Entry]:
    return [entry for entry in registry.entries().values() if entry.origin == "built-in"]


def test_listing_imports_no_codec_library() -> None:
    program = (
        "import sys; from codecarena.codecs import registry;"
        "[entry.missing for entry in registry.entries().values()];"
        "print(sorted({'PIL', 'imagecodecs', 'pyvips', 'pydantic', 'torch'} & set(sys.modules)))"
    )
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "[]"


def test_entries_are_in_order_and_described() -> None:
    names = list(registry.entries())
    assert names == sorted(names)
    assert len(built_in()) >= 14
    assert all(entry.summary for entry in built_in())


@pytest.mark.parametrize(
    "entry", [entry for entry in built_in() if entry.name not in FROM_FILES], ids=lambda e: e.name
)
def test_built_in_codec_has_its_own_name(entry: registry.Entry) -> None:
    if entry.missing:
        pytest.skip(entry.missing)
    codec = registry.create(entry.name)
    assert codec.info.name == entry.name
    assert codec.info.family == entry.family


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(CodecError, match="no codec is named 'jpgxl'; did you mean 'jpegxl'"):
        registry.find("jpgxl")
    with pytest.raises(CodecError, match=r"known: avif, "):
        registry.find("????")


def test_missing_library_is_told_and_never_raised_while_listing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)  # as Python marks what cannot be imported
    assert registry.entries()["heic"].missing == "missing: install codecarena[heic]"
    with pytest.raises(MissingBackendError, match=r"codec 'heic' is missing: install codecarena\[heic\]"):
        registry.create("heic")


def test_parameters_are_completed_and_sorted() -> None:
    complete = registry.parameters("jpeg", {"progressive": True})
    assert list(complete.items()) == [("optimize", False), ("progressive", True), ("subsampling", "4:2:0")]


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("avif", {"sped": 4}, "codec 'avif' has no parameter 'sped'; did you mean 'speed'?"),
        ("avif", {"zzz": 4}, "it takes speed, subsampling, threads"),
        ("command", {}, "codec 'command' needs the parameter 'recipe'"),
        ("avif", {"speed": 11}, "parameter 'speed' must be one of 0, 1, .*, got 11"),
        ("avif", {"speed": "4"}, "parameter 'speed' must be .*, got '4'"),
        ("avif", {"speed": True}, "parameter 'speed' must be .*, got True"),
        ("jpeg", {"subsampling": "420"}, "must be one of 4:4:4, 4:2:2, 4:2:0, got '420'"),
        ("jpeg", {"optimize": 1}, "must be one of False, True, got 1"),
        ("vvc", {"preset": "slowest"}, "must be one of faster, fast, medium, slow, slower"),
    ],
)
def test_wrong_parameters_are_refused(name: str, given: dict[str, registry.Value], message: str) -> None:
    with pytest.raises(CodecError, match=message.replace("?", r"\?")):
        registry.create(name, given)


def test_identity_tells_name_parameters_and_version_apart() -> None:
    info = CodecInfo("jpeg", "1", "classic", (1,), QualityScale("quality", 1, 100))
    newer = CodecInfo("jpeg", "2", "classic", (1,), QualityScale("quality", 1, 100))
    identities = [
        registry.codec_id(info, {"a": 1}),
        registry.codec_id(info, {"a": 2}),
        registry.codec_id(newer, {"a": 1}),
    ]
    assert len(set(identities)) == 3
    assert identities[0] == registry.codec_id(info, {"a": 1})


def test_label_shows_what_differs_from_the_defaults() -> None:
    assert registry.label("avif", {}) == "avif"
    assert registry.label("avif", {"speed": 6, "threads": 1}) == "avif"
    assert registry.label("avif", {"speed": 4, "subsampling": "4:4:4"}) == "avif(speed=4, subsampling=4:4:4)"
