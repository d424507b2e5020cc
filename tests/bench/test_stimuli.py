"""Which part of a picture a study shows, in which batches pictures are held, and what is scored of them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from codecarena.bench.records.messages import Described, Failed, Scored
from codecarena.bench.run import study_pictures
from codecarena.bench.store import shown_scores
from codecarena.bench.store.database import StoreError
from codecarena.bench.store.study_pictures import Crop, PicturePart, StimulusScores
from codecarena.datasets import pixels as dataset_pixels


@pytest.mark.parametrize(
    ("rule", "width", "height", "expected"),
    [
        ("whole", 1, 1, (0, 0, 90, 61)),
        ("centre", 40, 20, (25, 20, 40, 20)),
        ("centre", 41, 200, (24, 0, 41, 61)),
        ("centre", 200, 21, (0, 20, 90, 21)),
        ("detail", 200, 200, (0, 0, 90, 61)),
    ],
)
def test_a_part_is_cut_as_its_rule_says(
    rule: Any, width: int, height: int, expected: tuple[int, ...]
) -> None:
    original = np.zeros((61, 90, 3), np.uint8)
    assert study_pictures.choose(original, Crop(rule, width, height)) == expected


@pytest.mark.parametrize(
    ("place", "levels", "expected"),
    [
        # One pixel differs from its neighbours: the first place in steps of 8 that has all four edges.
        ((30, 50), (200, 200, 200), (32, 16)),
        ((0, 0), (200, 200, 200), (0, 0)),
        ((60, 89), (200, 200, 200), (70, 41)),
        ((9, 30), (0, 200, 0), (16, 0)),
    ],
)
def test_the_detailed_part_is_the_first_with_most_change(
    place: tuple[int, int], levels: tuple[int, ...], expected: tuple[int, int]
) -> None:
    original = np.zeros((61, 90, 3), np.uint8)
    original[place] = levels
    assert study_pictures._most_detailed(original, 20, 20) == expected


def test_no_other_part_changes_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study_pictures, "STRIDE", 3)
    random = np.random.default_rng(6)
    for _ in range(5):
        original = random.integers(0, 256, (23, 31, 3), dtype=np.uint8)
        luma = original @ np.array([0.299, 0.587, 0.114])
        # What a pixel differs from the one before it, across and down, at the place of the second.
        across = np.abs(np.diff(luma, axis=1, prepend=luma[:, :1]))
        change = across + np.abs(np.diff(luma, axis=0, prepend=luma[:1]))
        places = [(left, top) for top in (*range(0, 15, 3), 15) for left in (*range(0, 20, 3), 20)]
        sums = [change[top : top + 8, left : left + 11].sum() for left, top in places]
        assert study_pictures._most_detailed(original, 11, 8) == places[int(np.argmax(sums))]


def test_change_is_of_luma_and_in_both_directions() -> None:
    """Two pixels, one bright in green and one in blue, in parts that do not touch: green weighs more."""
    original = np.zeros((24, 72, 3), np.uint8)
    original[12, 12, 2] = 255
    original[12, 60, 1] = 60
    assert study_pictures._most_detailed(original, 24, 24) == (40, 0)
    across, down = np.zeros((48, 96, 3), np.uint8), np.zeros((96, 48, 3), np.uint8)
    across[::2, 48:] = down[48:, ::2] = 90
    assert study_pictures._most_detailed(across, 48, 48) == (48, 0)
    assert study_pictures._most_detailed(down, 48, 48) == (0, 48)


@pytest.mark.parametrize(
    ("last", "places"), [(0, [0]), (7, [0, 7]), (8, [0, 8]), (9, [0, 8, 9]), (16, [0, 8, 16])]
)
def test_places_are_eight_apart_with_both_ends(last: int, places: list[int]) -> None:
    assert study_pictures._places(last).tolist() == places


def test_a_cut_is_left_top_width_and_height() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    cut = study_pictures._cut(pixels, PicturePart(3, 5, 10, 7, ""))
    assert np.array_equal(cut, pixels[5:12, 3:13])
    assert cut.flags.c_contiguous


@pytest.mark.parametrize(
    ("sizes", "batches"),
    [
        ([("b", 4), ("a", 4), ("a", 2)], [["a", "a", "b"]]),
        ([("a", 4), ("b", 7)], [["a"], ["b"]]),
        ([("a", 11), ("b", 1)], [["a"], ["b"]]),
        ([("a", 6), ("b", 4), ("c", 1)], [["a", "b"], ["c"]]),
        ([], []),
    ],
)
def test_a_batch_holds_so_many_pixels_and_at_least_one_cell(
    monkeypatch: pytest.MonkeyPatch, sizes: list[tuple[str, int]], batches: list[list[str]]
) -> None:
    monkeypatch.setattr(study_pictures, "BATCH_PIXELS", 10)
    cells: Any = [SimpleNamespace(picture_sha256=name, pixel_count=count) for name, count in sizes]
    assert [[cell.picture_sha256 for cell in batch] for batch in study_pictures._batches(cells)] == batches


class Ledger:
    """A store that has the score of one pair."""

    blobs = SimpleNamespace(decoded_path=lambda sha256: f"/blobs/{sha256}")

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def add_metric(self, described: Described) -> str:
        return f"id of {described.what}"

    def scored(self, identities: list[str]) -> set[tuple[str, str, str]]:
        assert identities == ["id of psnr"]
        return {("a", "known", "id of psnr")}

    def insert_or_ignore(self, _table: object, rows: list[dict[str, Any]]) -> None:
        self.rows += rows


def worker(**answers: Any) -> Any:
    """Return a worker whose metrics answer with a pair's names."""
    return SimpleNamespace(
        **{
            "describe_metric": lambda name: Described(name),
            "load_picture": lambda original: (original.path, original.sha256),
            "score": lambda name, _, pixels, same: Scored(name, 30.0 + len(pixels), same, 0.5),
            **answers,
        }
    )


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each picture lie in a folder of its name, and its pixels be the path."""
    monkeypatch.setattr(dataset_pixels, "read_pixels", lambda path: path)
    monkeypatch.setattr(
        study_pictures,
        "_paths",
        lambda _, pairs: {
            name: f"/blobs/{name}" for original in pairs for name in (original, *pairs[original])
        },
    )


@pytest.mark.usefixtures("here")
def test_pairs_without_a_score_are_scored_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    unmeasured, measured = (SimpleNamespace(applicable=applicable) for applicable in (False, True))
    known = {
        ("a", "new"): measured,
        ("a", "known"): unmeasured,
        ("b", "b"): measured,
        ("b", "known"): measured,
    }
    scores = {pair: {"id of psnr": score} for pair, score in known.items()}
    monkeypatch.setattr(shown_scores, "scores_of", lambda *_: scores)
    ledger: Any = Ledger()
    pairs = [("a", "new"), ("a", "known"), ("b", "b"), ("b", "known")]
    outcome = study_pictures._score(worker(), ledger, pairs, "psnr")
    assert outcome == StimulusScores(3, 1, 1), "gained, known before, nothing to measure"
    row = {"metric_id": "id of psnr", "seconds": 0.5}
    assert ledger.rows == [
        {"original_sha256": "a", "decoded_sha256": "new", "value": 40.0, "lossless": False, **row},
        {"original_sha256": "b", "decoded_sha256": "b", "value": 38.0, "lossless": True, **row},
        {"original_sha256": "b", "decoded_sha256": "known", "value": 42.0, "lossless": False, **row},
    ]


@pytest.mark.usefixtures("here")
def test_a_metric_that_does_not_load_or_fails_is_named() -> None:
    failing = worker(score=lambda *_: Failed("error", "score", "too small", "psnr"))
    with pytest.raises(StoreError, match="metric 'psnr' on 0123456789ab: too small"):
        study_pictures._score(failing, Ledger(), [("a", "0123456789abcdef")], "psnr")  # type: ignore[arg-type]
    absent = worker(describe_metric=lambda name: Described(name, error="no library"))
    with pytest.raises(StoreError, match="metric 'psnr': no library"):
        study_pictures._score(absent, Ledger(), [], "psnr")  # type: ignore[arg-type]
