"""What a metric hands to the library or program behind it, and what it makes of the answer."""

from __future__ import annotations

import hashlib
import math
import re
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from codecarena.bench.metrics import edges, faces, flip, libjxl, psnr_hvs, text_error
from codecarena.bench.metrics.base import MetricError, MissingMetricError
from codecarena.bench.metrics.pixels import check_size, write_ppm
from codecarena.codecs.base import Picture

PIXELS = np.random.default_rng(1).integers(0, 256, (5, 7, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("shape", "refused"), [((8, 9), False), ((9, 8), False), ((7, 9), True), ((9, 7), True)]
)
def test_a_picture_has_at_least_so_many_pixels_a_side(shape: tuple[int, int], refused: bool) -> None:
    pixels = np.zeros((*shape, 3), np.uint8)
    if refused:
        size = f"got a picture of {shape[1]}x{shape[0]}"
        with pytest.raises(MetricError, match=f"x needs at least 8 pixels on each side, {size}"):
            check_size("x", pixels, 8)
    else:
        check_size("x", pixels, 8)


def test_a_ppm_is_width_height_and_samples(tmp_path: Path) -> None:
    write_ppm(tmp_path / "a.ppm", PIXELS[::-1])
    assert (tmp_path / "a.ppm").read_bytes() == b"P6\n7 5\n255\n" + PIXELS[::-1].tobytes()


# Edges.


def step(heights: np.ndarray) -> np.ndarray:
    """Return two halves that lie apart by so many levels, row by row."""
    pixels = np.full((len(heights), 40, 3), 80, np.uint8)
    pixels[:, 20:] += heights.astype(np.uint8)[:, None, None]
    return pixels


@pytest.mark.parametrize(("height", "seen"), [(38, False), (41, True)])
def test_an_edge_is_a_gradient_above_a_hundred(height: int, seen: bool) -> None:
    """Sobel of a step under a Gaussian of sigma 1: four times 0.64 of it, what lies within two pixels."""
    assert (4 * 0.64 * height > 100) is seen
    assert edges.edge_map(step(np.full(40, height))).any() == seen


def test_a_weak_edge_goes_on_from_a_strong_one_while_its_gradient_is_above_forty() -> None:
    heights = 60 - 1.5 * np.arange(40)  # 4 x 0.64 x 15.6 levels are 40, in row 29
    rows = edges.edge_map(step(heights))[:, 19:21].any(axis=1)
    assert rows[1:28].all()
    assert not rows[32:].any()
    identity = edges.EdgeF1.identity.colour_space
    assert identity == "Y BT.601 full range, Gaussian 1, Canny 40 100, one pixel of tolerance"


def test_edges_are_the_same_where_they_moved_by_one_pixel() -> None:
    marks = np.zeros((9, 9), np.uint8)
    marks[4, 4] = 255
    shares = [
        edges._share(marks, np.roll(marks, by, axis=(0, 1))) for by in ((0, 0), (1, 1), (-1, 0), (2, 0))
    ]
    assert shares == [1.0, 1.0, 1.0, 0.0]


# Faces.


def test_faces_are_looked_for_finely_and_told_from_left_to_right(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def detect(grey: np.ndarray, *words: Any, **named: Any) -> list[np.ndarray]:
        asked.append((grey.shape, words, named))
        return [np.array([9, 1, 40, 41]), np.array([2, 3, 50, 51])]

    metric = faces.FaceKept()
    metric._cascade = SimpleNamespace(detectMultiScale=detect)  # type: ignore[assignment]
    assert metric._find(PIXELS) == ((2, 3, 50, 51), (9, 1, 40, 41))
    assert asked == [((5, 7), (1.1, 6), {"minSize": (40, 40)})]


def test_a_face_is_described_in_112_pixels_of_bgr(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[np.ndarray] = []

    class Network:
        buffer = np.zeros((1, 3))

        def feature(self, face: np.ndarray) -> np.ndarray:
            given.append(face)
            self.buffer[:] = face.mean(axis=(0, 1))
            return self.buffer

        def match(self, first: np.ndarray, second: np.ndarray, kind: int) -> float:
            assert kind == cv2.FaceRecognizerSF_FR_COSINE
            return float(first.ravel() @ second.ravel() / np.linalg.norm(first) / np.linalg.norm(second))

    metric = faces.FaceIdentity.__new__(faces.FaceIdentity)
    metric._network = Network()  # type: ignore[assignment]
    original, decoded = np.zeros((80, 80, 3), np.uint8), np.zeros((80, 80, 3), np.uint8)
    original[10:60, 20:70] = (30, 40, 0)
    decoded[10:60, 20:70] = (0, 40, 30)
    assert metric._cosine(original, decoded, (20, 10, 50, 50)) == pytest.approx(1600 / 2500)
    assert [face.shape for face in given] == [(112, 112, 3)] * 2
    assert given[0][50, 50].tolist() == [0, 40, 30]


# Text.


def test_tesseract_reads_the_picture_at_twice_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    def run(words: list[str], **named: Any) -> Any:
        calls.append((words, named))
        return subprocess.CompletedProcess(words, 0, "Stra\u00dfe".encode() + b"\xff", b"")

    monkeypatch.setattr(text_error.subprocess, "run", run)
    assert text_error.read_text(PIXELS, "deu") == "Stra\u00dfe\ufffd"
    ((words, named),) = calls
    assert " ".join(words) == "tesseract stdin stdout -l deu --oem 1 --psm 6 --dpi 300"
    enlarged = cv2.resize(PIXELS, (14, 10), interpolation=cv2.INTER_CUBIC)
    assert named["input"] == b"P6\n14 10\n255\n" + enlarged.tobytes()
    assert (named["timeout"], named["env"]["OMP_THREAD_LIMIT"]) == (60, "1")


def test_a_program_that_hangs_is_named_with_the_pictures_size(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(words: list[str], **_: Any) -> Any:
        raise subprocess.TimeoutExpired(words, 60)

    monkeypatch.setattr(text_error.subprocess, "run", run)
    with pytest.raises(MetricError, match="tesseract did not read a picture of 7x5"):
        text_error.read_text(PIXELS, "eng")


def tesseract(folder: Path, version: str, *models: str) -> str:
    for name in models:
        (folder / f"{name}.traineddata").write_text(f"model {name}")
    languages = f'List of available languages in \\"{folder}\\" (4):'
    return f'#!/bin/sh\nif [ "$1" = --version ]; then echo "{version}"; else echo "{languages}"; fi\n'


def test_the_identity_of_a_reading_has_the_program_and_its_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = ("eng", "deu", "ell", "rus")
    (tmp_path / "tesseract").write_text(tesseract(tmp_path, "tesseract 5.9\nleptonica", *models))
    (tmp_path / "tesseract").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    text_error._installed.cache_clear()
    identity = text_error.TextError().identity
    hashes = "\n".join(hashlib.sha256(f"model {name}".encode()).hexdigest() for name in models)
    assert (identity.name, identity.implementation, identity.version) == (
        "cer",
        "tesseract",
        "2, tesseract 5.9",
    )
    assert identity.colour_space == "RGB, enlarged 2 times, one block, models eng deu ell rus"
    assert identity.weights_sha256 == hashlib.sha256(hashes.encode()).hexdigest()
    (tmp_path / "ell.traineddata").unlink()
    with pytest.raises(MissingMetricError, match=re.escape(f"cer needs ell.traineddata in {tmp_path}")):
        text_error.TextError()
    text_error._installed.cache_clear()


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("a\u0391\u0391", "ell"),
        ("\u00e9\u0391\u0391", "ell"),
        ("\u0391\u0410\u0410", "rus"),
        ("a\u0391", "ell"),
        ("3\u00b2", "eng"),
    ],
)
def test_most_letters_decide_and_of_equals_the_first_script_by_name(text: str, model: str) -> None:
    assert text_error.language(text) == model


# libjxl's programs, FLIP, PSNR-HVS.


@pytest.mark.parametrize(
    ("answers", "version"),
    [
        ({"--search": "libjxl-devtools: /x", "--show": "0.7-1"}, "0.7-1 "),
        ({"--search": "", "--show": "0.7-1"}, ""),
        ({"--search": "libjxl-devtools: /x", "--show": ""}, ""),
    ],
)
def test_debian_says_which_version_a_program_is(
    answers: dict[str, str], version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(libjxl.shutil, "which", lambda _: "/usr/bin/dpkg-query")
    monkeypatch.setattr(libjxl, "_output", lambda words: asked.append(words[-1]) or answers[words[1]])
    assert libjxl._debian_version("/x") == version
    assert asked == (["/x", "libjxl-devtools"] if answers["--search"] else ["/x"])
    monkeypatch.setattr(libjxl.shutil, "which", lambda _: None)
    assert libjxl._debian_version("/x") == ""


@pytest.mark.parametrize(("line", "number"), [(0, 3.5), (1, 1.25)])
def test_a_score_is_the_last_word_of_its_line(line: int, number: float) -> None:
    assert libjxl._number("x", "\nvalue is 3.5\n3-norm: 1.25\n", line) == number


@pytest.mark.parametrize("printed", ["", "3.5", "3.5\n\n", "3.5\nnothing"])
def test_a_line_without_a_score_is_named(printed: str) -> None:
    with pytest.raises(MetricError, match=r"x printed .* where a score was expected"):
        libjxl._number("x", printed, 1)


def test_flip_gets_the_original_first_and_67_pixels_a_degree(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    answer = (None, np.float32(0.25), None)
    monkeypatch.setattr(flip.flip_evaluator, "evaluate", lambda *a, **k: calls.append((a, k)) or answer)
    metric = flip.Flip()
    assert metric.score(metric.prepare(Picture(PIXELS)), PIXELS[::-1]) == 0.25
    (((original, decoded, range_of), named),) = calls
    assert np.allclose(original, PIXELS / 255)
    assert np.allclose(decoded, PIXELS[::-1] / 255)
    assert range_of == "LDR"
    assert named["applyMagma"] is False
    # 0.7 m from a screen 0.7 m wide with 3840 pixels.
    assert named["parameters"] == {"ppd": pytest.approx(0.7 * 3840 / 0.7 * math.pi / 180)}


def test_psnr_hvs_leaves_out_what_is_no_whole_block_and_tells_masked_from_plain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shapes: list[Any] = []

    def measure(original: np.ndarray, decoded: np.ndarray) -> tuple[float, float]:
        shapes.append((original.shape, decoded.shape, round(float(original.max()), 6)))
        return 0.01, 0.0001

    monkeypatch.setattr(psnr_hvs.psnr_hvsm, "BACKENDS", {"numpy": {"hvs_hvsm_mse": measure}})
    original, decoded = np.full((17, 31, 3), 255, np.uint8), np.zeros((17, 31, 3), np.uint8)
    scores = []
    for kind in (psnr_hvs.PsnrHvs, psnr_hvs.PsnrHvsM):
        metric = kind()
        scores.append(metric.score(metric.prepare(Picture(original)), decoded))
    assert scores == pytest.approx([20.0, 40.0])
    assert shapes == [((16, 24), (16, 24), 1.0)]
