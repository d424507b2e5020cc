"""The commands that compare codecs give every option on, and say what is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from zoo import zoo_of

from arena import call


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of four pictures and three codecs."""
    folder = tmp_path_factory.mktemp("commands")
    zoo_of(folder / "arena").close()
    return folder


def tables(folder: Path, *words: str) -> list[dict[str, Any]]:
    ended = call(*words, "--json", folder=folder)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.parametrize(
    ("words", "titles"),
    [
        (("leaderboard", "--anchor", "zip", "-m", "psnr"), ["BD-rate against zip by PSNR · zoo"]),
        (("leaderboard", "--at", "bpp=1", "-m", "butteraugli"), ["Scores at 1.0 bits per pixel · zoo"]),
        (("leaderboard", "--at", "psnr=34"), ["Cost of PSNR 34.00 dB · zoo"]),
        (
            ("leaderboard", "--split", "kind", "--anchor", "zip", "-m", "psnr"),
            ["Natural against AI-generated: BD-rate against zip by PSNR · zoo"],
        ),
        (("leaderboard", "--speed"), []),
        (("compare",), ["Wins by PSNR · zoo", "Pareto front by PSNR · zoo"]),
        (
            ("compare", "-m", "butteraugli", "-m", "psnr", "--points"),
            [
                f"{what} {name} · zoo"
                for name in ("Butteraugli", "PSNR")
                for what in ("Wins by", "Pareto front by", "Points of")
            ],
        ),
        (("rates",), ["Rates · zoo"]),
        (("seeds",), []),
        (("published",), []),
    ],
)
def test_which_tables_a_command_prints(folder: Path, words: tuple[str, ...], titles: list[str]) -> None:
    assert [table["title"] for table in tables(folder, *words)] == titles


def test_the_method_reaches_the_numbers(folder: Path) -> None:
    (table,) = tables(folder, "leaderboard", "--anchor", "zip", "-m", "psnr", "--method", "akima")
    hyper = next(row for row in table["rows"] if row["codec"] == "hyper")
    (bd_rate,) = hyper["bd_rate"].values()
    assert bd_rate["method"] == "akima"
    assert bd_rate["percent"] == pytest.approx(100 * (93.75 / 95 - 1))
    (split,) = tables(folder, "leaderboard", "--split", "kind", "--anchor", "zip", "-m", "psnr")
    natural = {row["codec"]: row["natural"]["percent"] for row in split["rows"]}
    assert natural["hyper"] == pytest.approx(-50.0)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("leaderboard", "--speed"), "codecarena time SUITE"),
        (("seeds",), "No bitstream has been decoded with two seeds."),
        (("published",), "No published points are stored"),
    ],
)
def test_a_command_without_rows_says_how_to_get_some(folder: Path, words: tuple[str, ...], said: str) -> None:
    ended = call(*words, folder=folder)
    assert ended.returncode == 0
    assert said in ended.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("leaderboard", "--split", "kind", "--at", "bpp=1"), "it goes with --anchor, not with --at"),
        (("leaderboard", "--split", "kind", "--anchor", "zop"), "did you mean 'zip'"),
        (("compare", "--set", "park"), "stored: zoo"),
        (("export", "xls", "out"), "cannot export 'xls'"),
    ],
)
def test_what_a_command_cannot_do(folder: Path, words: tuple[str, ...], said: str) -> None:
    ended = call(*words, folder=folder)
    assert ended.returncode == 2
    assert said in " ".join(ended.stderr.split())


def test_an_export_tells_what_it_wrote(folder: Path) -> None:
    ended = call("export", "csv", "out.csv", "--what", "leaderboard", "--at", "bpp=1", folder=folder)
    assert ended.stdout == "3 rows of 1 table written to out.csv\n"
    assert (folder / "out.csv").read_text().startswith("table,codec,codec_id,")
