"""Maps of errors: dark where nothing was changed, bright where much was; or what is missing for one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from PIL import Image
from skimage import data

from codecarena.reports.server.pictures import MapKind, PictureLost, draw_map

ORIGINAL = np.ascontiguousarray(data.astronaut()[:192, :256])
DECODED = ORIGINAL[::-1].copy()


@pytest.mark.parametrize("kind", get_args(MapKind))
def test_a_map_is_bright_where_the_picture_was_changed(kind: MapKind) -> None:
    if kind == "butteraugli" and shutil.which("butteraugli_main") is None:
        pytest.skip("butteraugli_main is not installed: apt install libjxl-devtools")
    decoded = ORIGINAL.copy()
    decoded[64:128, 96:160] = np.minimum(decoded[64:128, 96:160].astype(int) + 40, 255)
    drawn = draw_map(kind, ORIGINAL, decoded)
    assert drawn.shape == ORIGINAL.shape
    assert drawn.dtype == np.uint8
    brightness = drawn.mean(axis=2)
    assert brightness[80:112, 112:144].mean() > 60
    assert brightness[:32, :32].mean() < 5
    assert draw_map(kind, ORIGINAL, ORIGINAL).max() < 5


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(PictureLost, match="butteraugli_main is not installed"):
        draw_map("butteraugli", ORIGINAL, ORIGINAL)


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (subprocess.TimeoutExpired("butteraugli_main", 120), "butteraugli_main failed: .* timed out"),
        (subprocess.CalledProcessError(1, "butteraugli_main"), "butteraugli_main failed: .* exit status 1"),
        (None, "butteraugli_main wrote no map"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_a_program_that_draws_no_map_says_why(
    monkeypatch: pytest.MonkeyPatch, failure: Exception | None, reason: str
) -> None:
    asked: list[Any] = []

    def run(command: list[str], **named: Any) -> None:
        asked.append((command[0], [Path(word).name for word in command[1:]], named))
        for path, pixels in zip(command[1:3], (ORIGINAL, DECODED), strict=True):
            assert np.array_equal(np.asarray(Image.open(path)), pixels)
        if failure:
            raise failure

    monkeypatch.setattr("codecarena.reports.server.pictures.subprocess.run", run)
    with pytest.raises(PictureLost, match=reason):
        draw_map("butteraugli", ORIGINAL, DECODED)
    words = ["original.png", "decoded.png", "--distmap", "map.png"]
    assert asked == [("butteraugli_main", words, {"check": True, "capture_output": True, "timeout": 120})]
