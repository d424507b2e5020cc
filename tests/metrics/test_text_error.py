"""Character error rate: the arithmetic by hand, the reading by Tesseract on the drawn text."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from codecarena.bench.metrics import text_error
from codecarena.bench.metrics.base import InapplicableError, MetricError, MissingMetricError
from codecarena.bench.metrics.registry import create, entries
from codecarena.bench.metrics.text_error import edits, language, normalised
from codecarena.codecs.base import Image, Picture
from codecarena.datasets.manifest import DatasetError
from codecarena.datasets.pixels import read_pixels
from codecarena.datasets.sets.catalogue import open_set

pytestmark = pytest.mark.xdist_group("text error")


def edits_by_table(first: str, second: str) -> int:
    table = [[row + column for column in range(len(second) + 1)] for row in range(len(first) + 1)]
    for row, entry in enumerate(first, start=1):
        for column, other in enumerate(second, start=1):
            table[row][column] = min(
                table[row - 1][column] + 1,
                table[row][column - 1] + 1,
                table[row - 1][column - 1] + (entry != other),
            )
    return table[-1][-1]


def test_edits_are_levenshteins() -> None:
    assert (edits("kitten", "sitting"), edits("", "abc"), edits("abc", ""), edits("", "")) == (3, 3, 3, 0)
    draw = random.Random(1)
    for _ in range(200):
        entry, other = ("".join(draw.choices("abcé", k=draw.randrange(12))) for _ in range(2))
        assert edits(entry, other) == edits_by_table(entry, other)


def test_text_is_compared_with_composed_characters_and_single_blanks() -> None:
    assert normalised(" Ko\u0308ln\n\n am  Rhein\f") == "K\u00f6ln am Rhein"
    assert normalised("\u00b5") == "\u03bc"  # Tesseract writes the micro sign for the Greek letter


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("Street 9", "eng"),
        ("Straße 9", "deu"),
        ("Το πλοίο 7", "ell"),
        ("Поезд, train", "rus"),
        ("17:30", "eng"),
    ],
)
def test_the_model_follows_the_letters(text: str, model: str) -> None:
    assert language(text) == model


def test_a_script_without_a_model_is_refused() -> None:
    with pytest.raises(MetricError, match=r"most letters of .* are KATAKANA"):
        language("日本語のテキスト")


def test_without_tesseract_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    text_error._installed.cache_clear()
    assert "tesseract-ocr" in str(entries()["cer"].missing)
    with pytest.raises(MissingMetricError, match="tesseract-ocr"):
        create("cer")


@pytest.fixture(scope="module")
def metric() -> text_error.TextError:
    text_error._installed.cache_clear()
    missing = entries()["cer"].missing
    if missing:
        pytest.skip(f"cer: {missing}")
    return text_error.TextError()


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Picture]:
    try:
        opened = open_set("text", tmp_path_factory.mktemp("data"))
    except DatasetError as error:
        pytest.skip(str(error))
    return {
        picture.name: Picture(read_pixels(picture.path), None, picture.text) for picture in opened.pictures
    }


def jpeg(pixels: Image, quality: int) -> Image:
    stream = io.BytesIO()
    Pillow.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return np.array(Pillow.open(stream))


@pytest.mark.scaled
def test_the_whole_set_is_read_nearly_without_error(
    metric: text_error.TextError, drawn: dict[str, Picture], tenth: Callable[[int], int]
) -> None:
    assert len(drawn) == 24
    names = sorted(drawn)[:: 1 if tenth(10) == 10 else 5]
    rates = {name: metric.score(metric.prepare(drawn[name]), drawn[name].pixels) for name in names}
    assert sum(rates.values()) / len(rates) < 0.005, rates
    assert max(rates.values()) < 0.05, rates


def test_the_rate_rises_with_damage_and_a_blank_picture_is_all_wrong(
    metric: text_error.TextError, drawn: dict[str, Picture]
) -> None:
    chosen = [drawn[f"{name}.png"] for name in ("english-16-strong", "greek-24-faint", "russian-36-inverse")]
    prepared = [metric.prepare(entry) for entry in chosen]

    def mean(damage: int) -> float:
        return sum(
            metric.score(known, jpeg(entry.pixels, damage))
            for known, entry in zip(prepared, chosen, strict=True)
        ) / len(chosen)

    light, strong, worst = mean(90), mean(10), mean(1)
    assert light < 0.01
    assert light <= strong < worst
    blank = np.full_like(chosen[0].pixels, 128)
    assert metric.score(prepared[0], blank) == 1
    assert metric.score(prepared[0], chosen[1].pixels) > 0.5


def test_a_picture_without_known_text_has_no_score(metric: text_error.TextError) -> None:
    with pytest.raises(InapplicableError, match="no known text"):
        metric.prepare(Picture(np.zeros((9, 9, 3), np.uint8)))


def test_a_program_that_fails_is_a_metric_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "tesseract"
    program.write_text("#!/bin/sh\necho 'cannot open models' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MetricError, match="status 1: cannot open models"):
        text_error.read_text(np.zeros((9, 9, 3), np.uint8), "eng")
