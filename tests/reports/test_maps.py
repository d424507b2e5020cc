"""Maps of errors: dark where nothing was changed, bright where much was; or what is missing for one."""

from __future__ import annotations

import shutil
from typing import get_args

import numpy as np
import pytest
from skimage import data

from codecarena.reports.pictures import MapKind, PictureLost, draw_map

ORIGINAL = np.ascontiguousarray(data.astronaut()[:192, :256])


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
