from __future__ import annotations

from pathlib import Path

import pytest

from codecarena.bench.run import suite
from codecarena.bench.run.suite import SuiteError

GOOD = 'name = "mine"\nsets = "photos"\n[[codecs]]\nname = "jpeg"\n'


def load(folder: Path, text: str) -> suite.Suite:
    path = folder / "suite.toml"
    path.write_text(text)
    return suite.load(path)[0]


def test_a_small_suite_gets_the_defaults(tmp_path: Path) -> None:
    loaded = load(tmp_path, GOOD)
    assert loaded.sets == ("photos",)
    assert loaded.metrics == ("psnr", "ms-ssim")
    assert loaded.codecs[0].ladder((1.0, 2.0)) == (1.0, 2.0)
    assert loaded.cell_limits.seconds == 600


@pytest.mark.parametrize("name", suite.shipped())
def test_every_shipped_suite_loads_under_its_own_name(name: str) -> None:
    loaded, _ = suite.load(suite.shipped()[name])
    assert loaded.name == name
    assert loaded.summary


def test_a_ladder_includes_both_ends(tmp_path: Path) -> None:
    loaded = load(tmp_path, GOOD + "qualities = { start = 5, stop = 95, step = 5 }\n")
    assert loaded.codecs[0].ladder(()) == tuple(range(5, 100, 5))
    falling = load(tmp_path, GOOD + "qualities = { start = 3.0, stop = 0.5, step = -0.5 }\n")
    assert falling.codecs[0].ladder(()) == (3.0, 2.5, 2.0, 1.5, 1.0, 0.5)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD + "qualitys = [1]\n", ("codecs.0.qualitys", "did you mean 'qualities'")),
        ("metrix = ['psnr']\n" + GOOD, ("metrix", "did you mean 'metrics'")),
        (GOOD + "[limits]\nsecond = 3\n", ("limits.second", "did you mean 'seconds'")),
        (GOOD + "qualities = { start = 1, stop = 9, stepp = 1 }\n", ("qualities", "did you mean 'step'")),
        (GOOD + "[limits]\nseconds = -1\n", ("limits.seconds", "greater than 0", "-1")),
        ('sets = "photos"\n[[codecs]]\nname = "jpeg"\n', ("name", "needed")),
        ('name = "x"\nsets = "photos"\n', ("codecs", "needed")),
        (GOOD + '[[codecs]]\nname = "jpeg"\n', ("jpeg", "twice")),
        (GOOD + "qualities = { start = 1, stop = 9, step = -1 }\n", ("does not lead",)),
        ("name = 'x\n", ("not TOML",)),
    ],
)
def test_a_mistake_is_named_with_its_place_and_the_nearest_key(
    tmp_path: Path, text: str, words: tuple[str, ...]
) -> None:
    with pytest.raises(SuiteError) as caught:
        load(tmp_path, text)
    assert str(tmp_path / "suite.toml") in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_paths_are_taken_from_the_suites_own_folder(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    text = 'name = "x"\nsets = ["./pictures", "kodak"]\n'
    text += '[[codecs]]\nname = "command"\nparams = { recipe = "mine.toml" }\n'
    loaded = load(tmp_path, text)
    assert Path(loaded.sets[0]) == tmp_path / "pictures"
    assert loaded.sets[1] == "kodak"
    assert loaded.codecs[0].params["recipe"] == str(tmp_path / "mine.toml")


def test_an_unknown_suite_names_the_known_ones() -> None:
    with pytest.raises(SuiteError, match="quick"):
        suite.find("quikc")
