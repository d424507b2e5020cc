"""What pyiqa's metrics are given, and what their errors and weight files become."""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codecarena.bench.metrics import iqa, iqa_weights
from codecarena.bench.metrics.base import MetricError, MissingMetricError
from codecarena.bench.metrics.iqa import Iqa, _short, _tensor
from codecarena.bench.metrics.iqa_names import IqaName, iqa_names
from codecarena.bench.metrics.iqa_weights import digest, wanted_from_hub
from codecarena.bench.records.metric_facts import MetricFacts
from codecarena.codecs.base import Picture

PIXELS = np.random.default_rng(1).integers(0, 256, (5, 7, 3), dtype=np.uint8)


class Model:
    """A metric of pyiqa that adds up what it is given."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def __call__(self, decoded: Any, *reference: Any, **extra: Any) -> Any:
        if self.error:
            raise self.error
        words = sum(map(len, extra.get("caption_list", ())))
        return (decoded.sum() + sum(10 * entry.sum() for entry in reference) + 1000 * words).reshape(1)


def made(needs: Any, model: Model | None = None, caption: bool = False) -> Iqa:
    pytest.importorskip("torch")
    metric = Iqa.__new__(Iqa)
    metric._name, metric.needs, metric._wants_caption = "pyiqa:x", needs, caption
    metric._model, metric.facts = model or Model(), MetricFacts()
    return metric


@pytest.fixture
def unwatched(monkeypatch: pytest.MonkeyPatch) -> iqa_weights.WeightFiles:
    files = iqa_weights.WeightFiles()
    monkeypatch.setattr(iqa, "watched", lambda: contextlib.nullcontext(files))
    return files


@pytest.mark.usefixtures("unwatched")
def test_pyiqa_gets_the_decoded_picture_then_the_original_then_the_caption() -> None:
    entry, other = np.full((2, 2, 3), 51, np.uint8), np.full((2, 2, 3), 102, np.uint8)
    pair, alone, words = made("pair"), made("decoded"), made("decoded", caption=True)
    # Twelve samples of 0.4, and of 0.2.
    assert pair.score(pair.prepare(Picture(entry)), other) == pytest.approx(4.8 + 10 * 2.4)
    assert alone.score(alone.prepare(Picture(entry)), other) == pytest.approx(4.8)
    assert words.score(words.prepare(Picture(entry, "a fox")), other) == pytest.approx(4.8 + 5000)
    with pytest.raises(
        MetricError, match="pyiqa:x compares a picture with its caption; this picture has none"
    ):
        words.prepare(Picture(entry))
    with pytest.raises(MetricError, match="equal size"):
        pair.score(pair.prepare(Picture(entry)), other[:1])


def test_what_pyiqa_cannot_score_is_named_with_the_size(unwatched: iqa_weights.WeightFiles) -> None:
    metric = made("decoded", Model(RuntimeError("too small\nand more")))
    with pytest.raises(MetricError, match=r"pyiqa:x cannot score 7x5 pixels: RuntimeError: too small$"):
        metric.score(None, PIXELS)
    unwatched.missing[Path("/w/a.pth")] = "https://a.example/a.pth"
    reason = "needs weights that are not here: fetch https://a.example/a.pth to /w/a.pth"
    with pytest.raises(MissingMetricError, match=reason):
        metric.score(None, PIXELS)


def test_pixels_become_planes_in_0_to_1() -> None:
    torch = pytest.importorskip("torch")
    tensor = _tensor(PIXELS)
    assert (tensor.shape, tensor.dtype) == ((1, 3, 5, 7), torch.float32)
    assert np.allclose(tensor[0].numpy().transpose(1, 2, 0), PIXELS / 255)


def test_an_error_is_shortened_to_its_first_line() -> None:
    assert _short(ValueError(" first \nsecond")) == "ValueError: first "
    assert _short(ValueError("")) == "ValueError: "
    assert _short(ValueError("x" * 400)) == f"ValueError: {'x' * 300}"


def test_weights_of_one_file_are_its_hash_and_of_several_the_hash_of_hashes(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("b", "a", "c")]
    for path in paths[:2]:
        path.write_text(path.name)
    entry, two = (hashlib.sha256(name.encode()).hexdigest() for name in "ab")
    assert digest(set()) is None
    assert digest({tmp_path / "c"}) is None
    assert digest({tmp_path / "a", tmp_path / "c"}) == entry
    assert digest(set(paths)) == hashlib.sha256(f"{entry}\n{two}".encode()).hexdigest()


def failing(depth: int, **known: Any) -> Exception:
    """Return an error that passed through a frame with these names, as the cause of so many others."""

    def look(repo_id: Any = None, filename: Any = None, pretrained_model_name_or_path: Any = None) -> None:
        raise ValueError(f"{repo_id}{filename}{pretrained_model_name_or_path}")

    error: Exception = ValueError()
    try:
        look(**known)
    except ValueError as raised:
        error = raised
    for _ in range(depth):
        try:
            raise RuntimeError from error
        except RuntimeError as raised:
            error = raised
    return error


@pytest.mark.parametrize(
    ("known", "wanted"),
    [
        ({"repo_id": "a/b", "filename": "c"}, ("a/b", "c")),
        ({"repo_id": "a/b", "filename": None}, None),
        ({"repo_id": None, "filename": "c"}, None),
        ({"pretrained_model_name_or_path": "a/b"}, ("a/b", "")),
        ({"pretrained_model_name_or_path": "folder"}, None),
        ({"pretrained_model_name_or_path": 7}, None),
        ({}, None),
    ],
)
@pytest.mark.parametrize("depth", [0, 2])
def test_what_was_looked_for_on_the_hub_is_read_from_the_frames(
    known: dict[str, Any], wanted: tuple[str, str] | None, depth: int
) -> None:
    assert wanted_from_hub(failing(depth, **known)) == wanted


@pytest.mark.parametrize(("value", "allowed"), [("1", True), ("0", False), ("2", False), (None, False)])
def test_downloads_are_allowed_by_a_one_alone(
    value: str | None, allowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "")
    monkeypatch.delenv("CODECARENA_ALLOW_DOWNLOADS", raising=False)
    if value is not None:
        monkeypatch.setenv("CODECARENA_ALLOW_DOWNLOADS", value)
    assert iqa_weights.downloads_allowed() is allowed
    iqa_weights.set_offline()
    assert os.environ["HF_HUB_OFFLINE"] == ("" if allowed else "1")


def test_a_row_of_the_table_is_name_direction_range_and_perfect_value() -> None:
    assert iqa_names()["dmm"] == IqaName(
        "dmm", "pair", MetricFacts(better="lower", lowest=0.0, highest=math.inf, perfect=0.0), None
    )
    first, last = next(iter(iqa_names().values())), list(iqa_names().values())[-1]
    assert (first.name, first.facts.lowest, first.facts.highest) == ("afine_all", -math.inf, math.inf)
    assert (last.name, last.needs, last.facts.highest) == ("wadiqam_nr", "decoded", math.inf)
    assert last.facts.perfect is None
    assert str(iqa_names()["fid"].refused).startswith("it compares two sets of pictures")
