"""A codec package as a stranger would write it, installed with pip, and the process that decodes for all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from fresh_process import FreshProcess
from installing import Installed, install, write_package

ENTRY_POINTS = """
[project.entry-points."codecarena.codecs"]
deflate = "arena_deflate:Deflate"
"""

CODEC = """
import struct, zlib
import numpy as np
from codecarena.codecs.base import (
    CodecError, CodecInfo, QualityScale, RateParts, check_choice, check_image, check_quality
)

class Deflate:
    def __init__(self, level: int = 6):
        check_choice("level", level, range(10))
        self.level = level
        self.info = CodecInfo("deflate", "1.0", "classic", (1, 3, 5, 7), QualityScale("bits", 1, 8))

    def encode(self, picture, quality):
        check_quality(self.info, quality)
        check_image(picture.pixels)
        header = struct.pack(">BHH", round(quality), *picture.pixels.shape[:2])
        return header + zlib.compress((picture.pixels >> (8 - round(quality))).tobytes(), self.level)

    def decode(self, bitstream, seed=None):
        try:
            bits, height, width = struct.unpack_from(">BHH", bitstream)
            levels = np.frombuffer(zlib.decompress(bitstream[5:]), np.uint8).reshape(height, width, 3)
            return (levels.astype(np.uint16) * 255 // (2**bits - 1)).astype(np.uint8)
        except (struct.error, zlib.error, ValueError, ArithmeticError) as error:
            raise CodecError(f"not a deflate stream: {error}") from error

    def breakdown(self, bitstream):
        return RateParts(5, len(bitstream) - 5)
"""

TEST = """
from codecarena.codecs.contract import CodecContract

class TestDeflate(CodecContract):
    codec_name = "deflate"
"""


WITH_DIFFUSERS = {
    "test_hfd",
    "test_latent_public",
    "test_layered_diffusion",
    "test_layered_diffusion_weights",
    "test_layered_settings",
    "test_parameters",
    "test_seams",
}
"""Files that import diffusers, which takes eight seconds in each process: in one worker, they share them.

Tests of damaged streams and of generated sets say so themselves.
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a class or a file in one worker, so that what its tests share is made once."""
    folder = f"{Path(__file__).parent}{os.sep}"
    for item in items:
        if str(item.path).startswith(folder) and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(_group(item)))


def _group(item: pytest.Item) -> str:
    shared = item.getparent(pytest.Class) or item.getparent(pytest.Module)
    assert shared
    needs_diffusers = item.path.stem in WITH_DIFFUSERS or "mode=diffusion" in shared.name
    return "diffusers" if needs_diffusers else Path(shared.name).stem


@pytest.fixture(scope="session")
def fresh_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FreshProcess]:
    """Return the process that decodes for every test, and never sees a picture."""
    process = FreshProcess(tmp_path_factory.mktemp("fresh_process"))
    yield process
    process.close()


@pytest.fixture(scope="session")
def fuzzed_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FreshProcess]:
    """Return the process that decodes damaged streams; what they do to it is no other test's affair."""
    process = FreshProcess(tmp_path_factory.mktemp("fuzzed_process"))
    yield process
    process.close()


@pytest.fixture(scope="session")
def third_party(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Return a third party's codec package, freshly written and installed."""
    folder = tmp_path_factory.mktemp("third_party")
    source = write_package(folder / "source", "arena-deflate", "1.0", {"arena_deflate": CODEC}, ENTRY_POINTS)
    (source / "test_deflate.py").write_text(TEST)
    return install(folder / "site", source)


@pytest.fixture
def any_processor_multiplies_in_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let codecs compute in bfloat16 on a processor without instructions for it: small pictures bear it."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
