"""A search returns what an exhaustive sweep would, in few questions, however the levels lie."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median

import numpy as np
import pytest

from codecarena.bench.analysis.setting_search import SearchOutcome, guess, index_of, search, setting_at, steps
from codecarena.codecs import registry
from codecarena.codecs.base import Picture, QualityScale
from codecarena.datasets.pixels import read_pixels
from codecarena.datasets.sets.catalogue import open_set

RISING = QualityScale("quality", 0, 100)
FALLING = QualityScale("qp", 63, 1)
GOAL = math.log(0.25)


def ask(
    scale: QualityScale,
    levels: Sequence[float | None],
    target: float,
    others: Sequence[Mapping[float, float]] = (),
    known: Mapping[float, float] | None = None,
    tolerance: float = 0.0,
) -> tuple[SearchOutcome | None, dict[float, float | None]]:
    """Return where a search over these levels, from the worst setting on, ends, and what it was told."""
    message: dict[float, float | None] = {}
    dialogue = search(scale, target, known, guess(scale, target, others), tolerance)
    answer = None
    while True:
        try:
            setting = dialogue.send(answer)
        except StopIteration as stop:
            return stop.value, message
        assert setting not in message, "asked twice"
        assert scale.contains(setting)
        answer = message[setting] = levels[index_of(scale, setting)]


def curve(scale: QualityScale, seed: int, jitter: float = 0.0) -> list[float]:
    """Return log rates that rise unevenly, with neighbours out of order by the jitter."""
    random = np.random.default_rng(seed)
    rises = random.gamma(2.0, 0.02, steps(scale))
    levels = np.concatenate([[-3.0 + random.normal(0, 0.4)], rises]).cumsum()
    return list(levels + random.normal(0, jitter, len(levels)))


@pytest.mark.parametrize("scale", [RISING, FALLING], ids=["rising", "falling"])
def test_rising_levels_give_what_a_sweep_gives_in_few_questions(scale: QualityScale) -> None:
    others: list[dict[float, float]] = []
    asked: list[int] = []
    for seed in range(100):
        levels = curve(scale, seed)
        outcome, message = ask(scale, levels, GOAL, others)
        assert outcome
        assert abs(outcome.level - GOAL) == min(abs(level - GOAL) for level in levels)
        assert outcome.asked == outcome.probes == len(message)
        others.append({setting: level for setting, level in message.items() if level is not None})
        asked.append(outcome.asked)
    assert median(asked) <= 8


def test_levels_that_fall_here_and_there_give_what_a_sweep_gives() -> None:
    equal = falling = 0
    for seed in range(200):
        levels = curve(RISING, seed, jitter=0.01)
        falling += bool(np.any(np.diff(levels) < 0))
        outcome, _ = ask(RISING, levels, GOAL)
        assert outcome
        equal += abs(outcome.level - GOAL) == min(abs(level - GOAL) for level in levels)
    assert falling > 190
    assert equal >= 196


def test_a_level_that_falls_back_behind_the_target_is_found() -> None:
    levels = [0.1 * index - 5.04 for index in range(101)]
    levels[52] = 0.01
    outcome, _ = ask(RISING, levels, 0.0)
    assert outcome
    assert (outcome.setting, outcome.level) == (52, 0.01)


def test_every_known_crossing_is_looked_into() -> None:
    levels = [0.1 * index - 2.03 for index in range(101)]
    levels[70:] = [0.1 * index - 7.5 for index in range(70, 101)]
    known = {setting: levels[setting] for setting in (0, 40, 69, 70, 100)}
    outcome, _ = ask(RISING, levels, 0.0, known=known)
    assert outcome
    assert outcome.setting == 75


@pytest.mark.parametrize(("target", "setting"), [(-9.0, 0), (99.0, 100)])
def test_a_target_beyond_the_scale_ends_at_its_end(target: float, setting: float) -> None:
    outcome, _ = ask(RISING, curve(RISING, 3), target)
    assert outcome
    assert (outcome.setting, outcome.ended) == (setting, "out of range")
    again, message = ask(RISING, curve(RISING, 4), target, [dict(enumerate(curve(RISING, 3)))])
    assert again
    assert again.setting == setting
    assert len(message) <= 4


def test_what_is_known_is_not_asked_and_no_question_is_left_the_second_time() -> None:
    levels = curve(RISING, 5)
    first, outcome = ask(RISING, levels, GOAL, known={10: levels[10], 90: levels[90]})
    assert first
    assert not outcome.keys() & {10, 90}
    known = {setting: level for setting, level in outcome.items() if level is not None}
    second, nothing = ask(RISING, levels, GOAL, known={**known, 10: levels[10], 90: levels[90]})
    assert second
    assert (second.setting, second.asked, nothing) == (first.setting, 0, {})
    assert second.probes == first.probes


def test_settings_without_a_result_are_passed_over_until_there_are_too_many() -> None:
    levels: list[float | None] = [0.1 * index - 5.04 for index in range(101)]
    levels[50] = None
    outcome, _ = ask(RISING, levels, 0.0)
    assert outcome
    assert outcome.setting == 51
    assert ask(RISING, [None] * 101, 0.0)[0] is None


def test_lossless_settings_lie_above_every_target() -> None:
    levels = [*(30 + 0.2 * index for index in range(60)), *[math.inf] * 41]
    outcome, _ = ask(RISING, levels, 35.0)
    assert outcome
    assert outcome.ended == "exact"
    beyond, _ = ask(RISING, levels, 60.0)
    assert beyond
    assert beyond.setting == 59


def test_a_continuous_scale_ends_once_it_is_near_enough() -> None:
    scale = QualityScale("distance", 25, 0.05, 0.01, continuous=True)
    random = np.random.default_rng(1)
    distance = np.array([setting_at(scale, index) for index in range(steps(scale) + 1)])
    levels = list(-np.log(distance + 0.3) + random.normal(0, 0.004, len(distance)))
    outcome, message = ask(scale, levels, GOAL - 0.5, tolerance=0.005)
    assert outcome
    assert outcome.ended in ("close", "exact")
    assert abs(outcome.level - GOAL + 0.5) <= 0.005
    assert len(message) <= 10


def test_a_scale_of_one_setting_has_one_answer() -> None:
    outcome, _ = ask(QualityScale("lossless", 0, 0), [1.0], 0.5)
    assert outcome
    assert (outcome.setting, outcome.asked) == (0, 1)


QUICK = ("jpeg", "webp", "mozjpeg", "jpegli", "jpegxr")
SLOW = ("avif", "avif-svt", "heic")
WHOLE = ("jpeg", "avif", "avif-svt")
"""Whose whole photographs are swept by `make long`; of the others a crop."""


def swept(name: str, side: int | None) -> None:
    """Search every photograph, or a square of it, and hold what is found against a sweep of the scale."""
    if registry.find(name).missing:
        pytest.skip(str(registry.find(name).missing))
    codec = registry.create(name)
    scale = codec.info.scale
    others: list[dict[float, float]] = []
    asked: list[int] = []
    for picture in open_set("photos").pictures:
        pixels = read_pixels(picture.path)
        if side:
            pixels = np.ascontiguousarray(pixels[100 : 100 + side, 150 : 150 + side])
        count = pixels.shape[0] * pixels.shape[1]
        levels = [
            math.log(8 * len(codec.encode(Picture(pixels), setting_at(scale, index))) / count)
            for index in range(steps(scale) + 1)
        ]
        for target in (0.25, 1.0):
            outcome, message = ask(scale, levels, math.log(target), others)
            assert outcome
            assert abs(outcome.level - math.log(target)) == min(
                abs(level - math.log(target)) for level in levels
            )
            others.append({setting: level for setting, level in message.items() if level is not None})
            asked.append(outcome.asked)
    assert median(asked) <= 8


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(entry, marks=pytest.mark.long) for entry in SLOW)])
def test_a_classic_codec_is_matched_as_by_a_sweep_of_its_scale(name: str) -> None:
    swept(name, 96)


@pytest.mark.long
@pytest.mark.parametrize("name", WHOLE)
def test_whole_photographs_are_matched_as_by_a_sweep(name: str) -> None:
    swept(name, None)


@pytest.mark.parametrize("name", ["jpeg2000", "jpegxl"])
def test_continuous_scales_land_within_one_percent(name: str) -> None:
    if registry.find(name).missing:
        pytest.skip(str(registry.find(name).missing))
    codec = registry.create(name)
    scale = codec.info.scale
    picture = Picture(np.ascontiguousarray(read_pixels(open_set("photos").pictures[0].path)[:384, :384]))
    dialogue = search(scale, GOAL, tolerance=0.005)
    setting = next(dialogue)
    while True:
        try:
            setting = dialogue.send(math.log(8 * len(codec.encode(picture, setting)) / 384**2))
        except StopIteration as stop:
            outcome: SearchOutcome = stop.value
            break
    assert math.exp(abs(outcome.level - GOAL)) < 1.01
    assert outcome.asked <= 16
