"""What each key of a suite file means: defaults, bounds, ladders, titles, and paths beside the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from codecarena.bench.records.messages import CodecSpec, Limits
from codecarena.bench.run import suite
from codecarena.bench.run.suite import CodecTable, Ladder, LimitsTable, Suite, TimingTable

LEAST: dict[str, Any] = {"name": "s", "sets": "kodak", "codecs": [{"name": "jpeg"}]}


def test_what_a_suite_does_not_say() -> None:
    least = Suite.model_validate(LEAST)
    assert (least.summary, least.optional_sets, least.metrics) == ("", (), ("psnr", "ms-ssim"))
    assert (least.repeats, least.seeds, least.keep_decoded, least.timing) == (1, (), False, None)
    assert least.cell_limits == Limits(600, 8192)
    assert least.codecs == (CodecTable(name="jpeg", params={}, qualities=None, optional=False),)
    timing = TimingTable()
    assert (timing.repeats, timing.warm_up, timing.threads) == (5, 1, 1)
    assert (timing.pictures, timing.settings, timing.seconds) == (None, 3, 600)


@pytest.mark.parametrize(
    ("model", "key", "taken", "refused"),
    [
        (LimitsTable, "seconds", 0.1, 0),
        (LimitsTable, "memory_mib", 1, 0),
        (TimingTable, "repeats", 1, 0),
        (TimingTable, "warm_up", 0, -1),
        (TimingTable, "threads", 1, 0),
        (TimingTable, "pictures", 1, 0),
        (TimingTable, "settings", 1, 0),
        (TimingTable, "settings", None, 0),
        (TimingTable, "seconds", 0.1, 0),
    ],
)
def test_a_number_begins_where_it_means_something(model: Any, key: str, taken: Any, refused: Any) -> None:
    assert getattr(model.model_validate({key: taken}), key) == taken
    with pytest.raises(ValidationError, match=key):
        model.model_validate({key: refused})


@pytest.mark.parametrize("changed", [{"sets": []}, {"codecs": []}, {"repeats": 0}, {"timing": {"repeat": 1}}])
def test_a_suite_has_sets_codecs_and_repeats(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Suite.model_validate(LEAST | changed)


@pytest.mark.parametrize(
    ("start", "stop", "step", "values"),
    [
        (1, 2, 1, (1.0, 2.0)),
        (1, 2.9, 1, (1.0, 2.0)),
        (5, 5, 1, (5.0,)),
        (0.1, 0.3, 0.1, (0.1, 0.2, 0.3)),
        (3, 1, -0.5, (3.0, 2.5, 2.0, 1.5, 1.0)),
        (-1, 1, 1, (-1.0, 0.0, 1.0)),
    ],
)
def test_a_ladder_goes_from_its_start_as_far_as_its_stop(
    start: float, stop: float, step: float, values: tuple[float, ...]
) -> None:
    assert Ladder(start=start, stop=stop, step=step).values() == values


@pytest.mark.parametrize("step", [0, -1])
def test_a_ladder_that_does_not_lead_to_its_stop_is_refused(step: float) -> None:
    with pytest.raises(ValidationError, match=f"step {step} does not lead from 1 to 2"):
        Ladder(start=1, stop=2, step=step)


def test_a_codec_is_titled_by_its_parameters_in_order() -> None:
    table = CodecTable(name="x", params={"b": "/a/long/way/recipe.toml", "a": 2})
    assert table.title == "x(a=2, b=recipe.toml)"
    assert table.spec == CodecSpec("x", (("a", 2), ("b", "/a/long/way/recipe.toml")))
    assert CodecTable(name="x").title == "x"


@pytest.mark.parametrize(
    ("qualities", "ladder"),
    [
        (None, (1.0, 2.0)),
        ((5, 3, 5), (5.0, 3.0)),
        ({"start": 7, "stop": 9, "step": 1}, (7.0, 8.0, 9.0)),
        ((), (1.0, 2.0)),
    ],
)
def test_qualities_are_the_suites_or_the_codecs_without_repeats(
    qualities: Any, ladder: tuple[float, ...]
) -> None:
    table = CodecTable.model_validate({"name": "x", "qualities": qualities})
    assert table.ladder((1.0, 2.0, 1.0)) == ladder


def test_one_codec_may_stand_twice_with_other_parameters_only() -> None:
    twice = [{"name": "jpeg", "params": {"subsampling": entry}} for entry in ("4:2:0", "4:4:4")]
    assert len(Suite.model_validate(LEAST | {"codecs": twice}).codecs) == 2
    with pytest.raises(ValidationError, match="codec 'jpeg' with the same params stands twice"):
        Suite.model_validate(LEAST | {"codecs": [*twice, twice[0]]})


@pytest.mark.parametrize(
    ("reference", "name"),
    [("$NOWHERE/a", "NOWHERE"), ("${NO_WHERE}/a", "NO_WHERE"), ("/a/b", None), ("kodak", None)],
)
def test_a_variable_that_nobody_set_is_named(reference: str, name: str | None) -> None:
    said = name and f"the environment variable {name} is not set; see docs/suites.md"
    assert suite.unset_variable(reference) == said


SUITE = """
name = "s"
sets = ["./here", "here", "/there", "own.toml", "none.toml", "$SETS/more", "./none", "$NOWHERE/a"]
optional_sets = "here/below"
[[codecs]]
name = "command"
params = {{ recipe = "{recipe}" }}
[[codecs]]
name = "jpeg"
"""


@pytest.mark.parametrize(
    ("recipe", "resolved"),
    [
        ("mine.toml", "{suite}/mine.toml"),
        ("/a/mine.toml", "/a/mine.toml"),
        ("$SETS/mine.toml", "{sets}/mine.toml"),
        ("$NOWHERE/mine.toml", "$NOWHERE/mine.toml"),
    ],
)
def test_paths_are_taken_from_the_suites_folder_where_they_lead_somewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: str, resolved: str
) -> None:
    folder, sets = tmp_path / "suites", tmp_path / "sets"
    for place in (folder / "here" / "below", sets / "more"):
        place.mkdir(parents=True)
    (folder / "own.toml").touch()
    monkeypatch.setenv("SETS", str(sets))
    monkeypatch.delenv("NOWHERE", raising=False)
    monkeypatch.chdir(tmp_path)
    text = SUITE.format(recipe=recipe)
    (folder / "s.toml").write_text(text)
    loaded, content = suite.load(Path("suites/s.toml"))
    assert content == text
    assert loaded.sets == (
        f"{folder}/here",
        "here",
        "/there",
        f"{folder}/own.toml",
        "none.toml",
        f"{sets}/more",
        "./none",
        "$NOWHERE/a",
    )
    assert loaded.optional_sets == (f"{folder}/here/below",)
    assert loaded.codecs[0].params == {"recipe": resolved.format(suite=folder, sets=sets)}
    assert loaded.codecs[1].params == {}


def test_a_suite_is_a_shipped_name_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine.toml").touch()
    assert suite.find("~/mine.toml") == tmp_path / "mine.toml"
    name, path = next(iter(suite.shipped().items()))
    assert suite.find(name) == path
    assert (path.stem, path.suffix, path.is_file()) == (name, ".toml", True)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_bytes(b"\xff")
    for name in ("s.toml", "none.toml"):
        with pytest.raises(suite.SuiteError, match=rf"{name}: cannot be read"):
            suite.load(tmp_path / name)
