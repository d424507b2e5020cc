"""Invented and lost edges, faces, and content as networks see it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from codecarena.bench.metrics.base import InapplicableError, MissingMetricError
from codecarena.bench.metrics.edges import EdgeAgreement, EdgeF1, EdgePrecision, EdgeRecall, agreement
from codecarena.bench.metrics.faces import SFACE, FaceIdentity, FaceKept, FaceSsim, overlap_of
from codecarena.bench.metrics.registry import create
from codecarena.codecs.base import Image, Picture


def square() -> Image:
    """A grey field with a bright square in it."""
    pixels = np.full((96, 120, 3), 90, np.uint8)
    pixels[20:50, 20:50] = 200
    return pixels


def scores(original: Image, decoded: Image) -> tuple[float, float]:
    precision, recall = EdgePrecision(), EdgeRecall()
    return (
        precision.score(precision.prepare(Picture(original)), decoded),
        recall.score(recall.prepare(Picture(original)), decoded),
    )


def test_an_invented_shape_costs_precision_and_a_lost_one_recall() -> None:
    original, richer = square(), square()
    richer[60:90, 70:100] = 200
    precision, recall = scores(original, richer)
    assert precision == pytest.approx(0.5, abs=0.02)
    assert recall == 1
    precision, recall = scores(richer, original)
    assert precision == 1
    assert recall == pytest.approx(0.5, abs=0.02)


def test_a_picture_without_edges_has_lost_them_all_and_invented_none() -> None:
    flat = np.full((96, 120, 3), 90, np.uint8)
    assert scores(square(), flat) == (1, 0)
    assert scores(flat, square()) == (0, 1)
    assert scores(flat, flat) == (1, 1)


def test_an_edge_may_move_by_one_pixel_and_not_by_four() -> None:
    original = square()
    assert scores(original, np.roll(original, 1, axis=1)) == (1, 1)
    precision, recall = scores(original, np.roll(original, 4, axis=(0, 1)))
    assert precision < 0.5
    assert recall < 0.5


def test_noise_lowers_precision_more_and_blur_recall_more() -> None:
    original = np.ascontiguousarray(data.coffee())
    noise = np.random.default_rng(0).normal(0, 25, original.shape)
    noisy = np.clip(original + noise, 0, 255).astype(np.uint8)
    blurred = np.asarray(cv2.GaussianBlur(original, (0, 0), 3), np.uint8)
    precision, recall = scores(original, noisy)
    assert precision < recall
    precision, recall = scores(original, blurred)
    assert recall < precision


def test_edge_f1_is_the_harmonic_mean() -> None:
    assert EdgeAgreement(0.5, 1.0).f1 == pytest.approx(2 / 3)
    assert EdgeAgreement(0.0, 0.0).f1 == 0
    original, richer = square(), square()
    richer[60:90, 70:100] = 200
    metric = EdgeF1()
    precision, recall = scores(original, richer)
    expected = 2 * precision * recall / (precision + recall)
    assert metric.score(metric.prepare(Picture(original)), richer) == pytest.approx(expected)


def test_agreement_of_two_maps_by_hand() -> None:
    first, second = np.zeros((2, 9, 9), np.uint8)
    first[4, 1:5] = 255  # four pixels, of which the last three have a neighbour in the other map
    second[5, 3:9] = 255  # six pixels, of which the first three have one
    agreed = agreement(first, second)
    assert (agreed.precision, agreed.recall) == (0.5, 0.75)


def face() -> Image:
    return np.ascontiguousarray(data.astronaut()[0:256, 96:352])


def test_a_face_is_kept_by_mild_coding_and_lost_by_strong_blur_or_a_cover() -> None:
    metric, original = FaceKept(), face()
    prepared = metric.prepare(Picture(original))
    mild = np.asarray(cv2.GaussianBlur(original, (0, 0), 1), np.uint8)
    assert metric.score(prepared, mild) > 0.7
    assert metric.score(prepared, np.asarray(cv2.GaussianBlur(original, (0, 0), 25), np.uint8)) == 0
    covered = original.copy()
    covered[40:200, 50:220] = 128
    assert metric.score(prepared, covered) == 0


def test_two_faces_of_which_one_is_lost_are_half_kept() -> None:
    pair = np.concatenate([face(), face()], axis=1)
    metric = FaceKept()
    decoded = pair.copy()
    decoded[:, 256:] = 128
    assert metric.score(metric.prepare(Picture(pair)), decoded) == pytest.approx(0.5, abs=0.1)


def test_damage_outside_of_the_face_does_not_count() -> None:
    original = face()
    decoded = original.copy()
    decoded[230:] = 0
    metric = FaceSsim()
    assert metric.score(metric.prepare(Picture(original)), decoded) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("name", ["face-kept", "face-ssim", "face-edge-f1"])
def test_a_picture_without_a_face_has_no_score(name: str) -> None:
    metric = create(name)
    with pytest.raises(InapplicableError, match=f"{name}: no face"):
        metric.prepare(Picture(np.full((200, 200, 3), 128, np.uint8)))


def test_overlap_by_hand() -> None:
    assert overlap_of((0, 0, 10, 10), (5, 0, 10, 10)) == pytest.approx(50 / 150)
    assert overlap_of((0, 0, 10, 10), (10, 10, 5, 5)) == 0
    assert overlap_of((3, 4, 7, 8), (3, 4, 7, 8)) == 1


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("face-identity", SFACE),
        ("clip-similarity", "openai/clip-vit-base-patch32"),
        ("dino-similarity", "facebook/dinov2-base"),
    ],
)
def test_absent_weights_are_asked_for_by_name(
    name: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODECARENA_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.delenv("CODECARENA_ALLOW_DOWNLOADS", raising=False)
    with pytest.raises(MissingMetricError, match=f"(?s){name}: .*{file}.*place"):
        create(name)


def test_weights_of_another_face_network_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODECARENA_WEIGHTS", str(tmp_path))
    (tmp_path / SFACE).write_bytes(b"something else")
    with pytest.raises(MissingMetricError, match="is not the file expected"):
        FaceIdentity()
