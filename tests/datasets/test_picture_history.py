"""What a picture went through is measured from its file and its pixels, and kept in the manifest."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.fft import idctn

from codecarena.datasets.description.block_grids import GRID_FOUND, STRONGEST, block_grid
from codecarena.datasets.description.describe import describe
from codecarena.datasets.description.history import FILE_FORMATS, HISTORY, Traces, measure_history
from codecarena.datasets.manifest import load_manifest
from codecarena.datasets.manifest_toml import write_manifest
from codecarena.datasets.pixels import read_pixels


@pytest.fixture(scope="module")
def photograph() -> np.ndarray:
    """Return a photograph that was never coded with loss: it comes with scikit-image."""
    import skimage.data

    path = Path(skimage.data.__file__).parent / "coffee.png"
    return read_pixels(path)[:400, :600]


def coded(pixels: np.ndarray, form: str, **options: Any) -> bytes:
    whole = io.BytesIO()
    Image.fromarray(pixels).save(whole, form, **options)
    return whole.getvalue()


def as_png(folder: Path, data: bytes) -> Path:
    """Return a PNG file of the pixels that a lossy file decodes to."""
    Image.open(io.BytesIO(data)).convert("RGB").save(folder / "a.png")
    return folder / "a.png"


def measured(path: Path) -> Traces:
    return measure_history(path, read_pixels(path))


def test_a_picture_without_a_past_has_no_traces(tmp_path: Path, photograph: np.ndarray) -> None:
    traces = measured(as_png(tmp_path, coded(photograph, "PNG")))
    values = traces.descriptors
    assert set(values) == set(HISTORY)
    assert (values["jpeg_quality"], values["enlargement"], values["chroma_half"]) == (100, 1, 0)
    assert (values["file_format"], values["megapixels"]) == (0, 0.24)
    assert (values["blocks_of_8"] < GRID_FOUND[8], values["blocks_of_4"] < GRID_FOUND[4]) == (True, True)
    assert traces.jpeg is None


@pytest.mark.parametrize(
    ("quality", "least", "most"), [(60, 57, 63), (75, 72, 78), (85, 82, 88), (95, 90, 97)]
)
def test_jpeg_is_seen_in_pixels_up_to_fine_qualities(
    tmp_path: Path, photograph: np.ndarray, quality: int, least: int, most: int
) -> None:
    path = as_png(tmp_path, coded(photograph, "JPEG", quality=quality, subsampling=0))
    values = measured(path).descriptors
    assert least <= values["jpeg_quality"] <= most
    assert values["blocks_of_8"] >= GRID_FOUND[8]


@pytest.mark.parametrize(("form", "quality"), [("WEBP", 50), ("WEBP", 90), ("AVIF", 75)])
def test_other_lossy_formats_are_seen_in_blocks_of_four(
    tmp_path: Path, photograph: np.ndarray, form: str, quality: int
) -> None:
    values = measured(as_png(tmp_path, coded(photograph, form, quality=quality))).descriptors
    assert values["jpeg_quality"] == 100, "it is not taken for JPEG"
    assert values["blocks_of_4"] >= GRID_FOUND[4]


@pytest.mark.parametrize(
    ("form", "options", "half"),
    [
        ("JPEG", {"quality": 80, "subsampling": 0}, False),
        ("JPEG", {"quality": 80, "subsampling": 1}, True),
        ("JPEG", {"quality": 80, "subsampling": 2}, True),
        ("WEBP", {"quality": 80}, True),
        ("WEBP", {"lossless": True}, False),
        ("AVIF", {"quality": 80, "subsampling": "4:2:0"}, True),
        ("AVIF", {"quality": 80, "subsampling": "4:4:4"}, False),
        ("PNG", {}, False),
    ],
)
def test_the_header_tells_format_and_chroma(
    tmp_path: Path, photograph: np.ndarray, form: str, options: dict[str, Any], half: bool
) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(coded(photograph[:128, :128], form, **options))
    values = measured(path).descriptors
    assert FILE_FORMATS[int(values["file_format"])] == form.lower()
    assert values["chroma_half"] == half
    if form == "JPEG":
        assert values["jpeg_quality"] == 80


def test_a_grid_counts_where_high_frequencies_are_missing_on_it_alone() -> None:
    flat = np.full((256, 256), 90.0)
    noise = np.random.default_rng(1).normal(128, 20, (256, 256))
    assert (block_grid(flat, 8), block_grid(noise, 8), block_grid(flat[:63], 8)) == (0, 0, 0)
    low = np.zeros((1024, 8, 8))
    low[:, :4, :4] = np.random.default_rng(2).normal(0, 30, (1024, 4, 4))
    pixels = idctn(low, axes=(1, 2), norm="ortho")
    blocks = pixels.reshape(32, 32, 8, 8).swapaxes(1, 2).reshape(256, 256)
    assert block_grid(blocks, 8) == STRONGEST
    assert block_grid(blocks[3:, 5:], 8) == 0
    assert block_grid(blocks[3:, 5:], 8, (5, 3)) == STRONGEST


def test_what_a_picture_went_through_stands_in_its_manifest(tmp_path: Path, photograph: np.ndarray) -> None:
    (tmp_path / "a.jpg").write_bytes(coded(photograph, "JPEG", quality=80))
    as_png(tmp_path, coded(photograph, "WEBP", quality=90))
    described = describe(tmp_path)
    write_manifest(described.manifest, tmp_path / "set.toml")
    entries = {entry.file: entry.history for entry in load_manifest(tmp_path / "set.toml").pictures}
    jpeg, png = entries["a.jpg"], entries["a.png"]
    assert jpeg is not None
    assert png is not None
    assert (jpeg.file_format, jpeg.jpeg_quality, jpeg.chroma_half) == ("jpeg", 80, True)
    assert (png.file_format, png.jpeg_quality, png.chroma_half) == ("png", 100, False)
    assert png.blocks_of_4 >= GRID_FOUND[4]
    assert ("a.png", "lossy") in {(finding.picture, finding.concern) for finding in described.findings}
