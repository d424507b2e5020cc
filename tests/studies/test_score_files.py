"""Files of human scores and of mappings: what their columns mean, and what is refused with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from codecarena.studies.organise.condition_mapping import (
    ConditionMapping,
    SettingTable,
    read_mapping,
    with_options,
)
from codecarena.studies.organise.interchange import InterchangeError
from codecarena.studies.organise.score_file import read_scores
from codecarena.studies.records.records import PublishedScore, ScoreScale


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("method,elo\na,1\na,2\n", "line 3: a stands in line 2 already"),
        ("method,elo\na,x\n", "line 2: elo: expected a number; got 'x'"),
        ("method,elo\n,1\n", "line 2: method: expected a name"),
        ("method,points\na,1\n", "no column score; it has method, points; name it in the mapping"),
        ("elo\n1\n", "no column condition"),
        ("method,score\na,1\n", "what is score\\? Say it with --scale"),
        ("method,elo,low\na,1,0\n", "an interval has two ends; there is only low"),
        ("method,elo,low,high\na,1,0,2\n", "of which level are low and high\\?"),
        ("method,elo,p95Low,p99Hi\na,1,0,2\n", "do not end an interval of 95 %"),
        (
            "method,elo,p99Low,p99Hi\na,1,2,3\n",
            "line 2: expected a score within its interval; got 1 and 2 to 3",
        ),
        ("method,elo,picture\na,1,p\nb,1,\n", "line 3: expected a picture in every row, or in none"),
        ("method,elo\n", "no rows"),
    ],
)
def test_a_wrong_file_of_scores_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "elo.csv").write_text(text)
    with pytest.raises(InterchangeError, match=said):
        read_scores(tmp_path / "elo.csv", ConditionMapping())


def test_what_a_score_is_and_which_way_it_goes(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("codec,setting,mos\njpeg,50,3.5\nwebp,50,4\n")
    content = read_scores(tmp_path / "a.csv", ConditionMapping())
    assert content.scores[0] == PublishedScore("jpeg-50", None, 3.5, None, None)
    assert content.settings["webp-50"] == SettingTable(codec="webp", setting=50)
    assert content.scale == ScoreScale("MOS", "higher", None)
    (tmp_path / "a.csv").write_text("condition,dmos\na,3\n")
    assert read_scores(tmp_path / "a.csv", ConditionMapping()).scale.better == "lower"
    higher = with_options(ConditionMapping(), {"better": "higher"})
    assert read_scores(tmp_path / "a.csv", higher).scale.better == "higher"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("m.toml", "levels = 95\n", "levels: unknown key; did you mean 'level'"),
        ("m.toml", "level = 101\n", "level: "),
        ("m.toml", "[conditions]\na = 3\n", "conditions.a: "),
        ("m.csv", "condition,codec\na,jpeg\n", "no column setting; expected TOML, or a table"),
        ("m.csv", "condition,codec,setting\na,jpeg,fine\n", "line 2, setting: expected a number; got 'fine'"),
        (
            "m.csv",
            "condition,codec,setting\na,jpeg,1\na,jpeg,2\n",
            "line 3: condition 'a' stands there twice",
        ),
    ],
)
def test_a_wrong_mapping_is_refused_with_its_place(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InterchangeError, match=said):
        read_mapping(tmp_path / name)
