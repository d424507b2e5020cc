"""Votes as arenas and JPEG AIC publish them: what counts, what is left out and said, and every file form."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from arena import call
from codecarena.studies.organise.interchange import InterchangeError
from codecarena.studies.organise.interchange_read import VoteFile, read
from codecarena.studies.scale.votes import Kind

Row = dict[str, Any]


def battle(number: int, first: str, second: str, winner: str, **more: object) -> Row:
    return {
        "question_id": f"q{number}", "model_a": first, "model_b": second, "winner": winner,
        "judge": f"arena_user_{number}", "turn": 1, "anony": True, "tstamp": 1_700_000_000 + number, **more,
    }  # fmt: skip


def blind(count: int = 30) -> list[Row]:
    """Return battles in which B wins two of three against A."""
    return [battle(n, "A", "B", "model_a" if n % 3 == 0 else "model_b") for n in range(count)]


def lines(path: Path, rows: Sequence[Row]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def one_list(path: Path, rows: Sequence[Row]) -> None:
    path.write_text(json.dumps(rows, indent=1))


def table(path: Path, rows: Sequence[Row]) -> None:
    pd.DataFrame(rows).to_csv(path, index=False)


def numbered_table(path: Path, rows: Sequence[Row]) -> None:
    pd.DataFrame(rows).to_csv(path)


def semicolons(path: Path, rows: Sequence[Row]) -> None:
    path.write_text("\ufeff" + pd.DataFrame(rows).to_csv(index=False, sep=";", lineterminator="\r\n"))


def parquet(path: Path, rows: Sequence[Row]) -> None:
    pd.DataFrame(rows).to_parquet(path)


def imported(
    folder: Path, rows: Sequence[Row], write: Callable[[Path, Sequence[Row]], None] = lines
) -> VoteFile:
    write(folder / "battles", rows)
    return read("battles", folder / "battles")


def outcomes(content: VoteFile) -> list[tuple[str, str, int]]:
    return [(record.first, record.second, record.outcome) for record in content.votes.records()]


FILES = [lines, one_list, table, numbered_table, semicolons, parquet]


@pytest.mark.parametrize("write", FILES)
def test_battles_with_names_shown_do_not_count_in_any_file(
    tmp_path: Path, write: Callable[[Path, Sequence[Row]], None]
) -> None:
    named = [battle(100 + n, "A", "B", "model_a", anony=False) for n in range(40)]
    content = imported(tmp_path, [*blind(), *named], write)
    assert content.sentence() == "left out: 40 battles with names shown"
    everything = read("battles", tmp_path / "battles", frozenset({"battle with names shown"}))
    assert (len(everything.votes), everything.sentence()) == (70, "among them: 40 battles with names shown")
    assert outcomes(content) == outcomes(imported(tmp_path, blind()))


@pytest.mark.parametrize("write", FILES)
def test_a_battle_written_several_times_counts_once_in_any_file(
    tmp_path: Path, write: Callable[[Path, Sequence[Row]], None]
) -> None:
    rows = blind()
    content = imported(tmp_path, [*rows[:7], *rows, *rows[:1]], write)
    assert content.sentence() == "left out: 8 exact repeats"
    everything = read("battles", tmp_path / "battles", frozenset({"exact repeat"}))
    assert (len(everything.votes), everything.sentence()) == (38, "among them: 8 exact repeats")
    assert outcomes(content) == outcomes(imported(tmp_path, rows))


def test_the_order_of_a_rows_keys_makes_no_other_battle_and_any_other_cell_does(tmp_path: Path) -> None:
    row = battle(1, "A", "B", "model_a")
    turned = dict(reversed(row.items()))
    assert len(imported(tmp_path, [row, turned]).votes) == 1
    for column, other in (("tstamp", 5), ("judge", "x"), ("winner", "tie"), ("turn", 2)):
        assert len(imported(tmp_path, [row, row | {column: other}]).votes) == 2


@pytest.mark.parametrize(
    ("names", "counted"),
    [
        (["model_a", "model_b", "winner"], 3),
        (["question_id", "model_a", "model_b", "winner"], 3),
        (["question_id", "judge", "model_a", "model_b", "winner"], 1),
        (["question_id", "judge_hash", "model_a", "model_b", "winner"], 1),
        (["id", "model_a", "model_b", "winner"], 1),
        (["timestamp", "model_a", "model_b", "winner"], 1),
    ],
)
def test_equal_rows_are_one_answer_only_where_something_tells_answers_apart(
    tmp_path: Path, names: list[str], counted: int
) -> None:
    row = battle(1, "A", "B", "model_a", judge_hash="j", id="7", timestamp="2025-01-01")
    assert len(imported(tmp_path, [{name: row[name] for name in names}] * 3).votes) == counted


@pytest.mark.parametrize(
    "answer", ["tie", "tie (bothbad)", "both_bad", "BOTH_BAD", "bothbad", "Tie (both bad)"]
)
def test_both_bad_is_no_preference(tmp_path: Path, answer: str) -> None:
    assert outcomes(imported(tmp_path, [battle(1, "A", "B", answer)])) == [("A", "B", 0)]


@pytest.mark.parametrize("write", FILES)
@pytest.mark.parametrize("chosen", [1, 1.0, True])
def test_a_winner_may_be_one_of_three_columns(
    tmp_path: Path, write: Callable[[Path, Sequence[Row]], None], chosen: float
) -> None:
    none = type(chosen)(0)
    columns = ("winner_model_a", "winner_model_b", "winner_tie")
    rows = [
        {"id": at, "model_a": "A", "model_b": "B", "prompt": "a,\n\u2028b"}
        | {name: chosen if name == column else none for name in columns}
        for at, column in enumerate(columns)
    ]
    content = imported(tmp_path, rows, write)
    assert outcomes(content) == [("A", "B", 1), ("A", "B", -1), ("A", "B", 0)]
    assert content.votes.pictures == ("0", "1", "2")
    assert not content.votes.raters_known


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            {"winner_model_a": 1, "winner_model_b": 1, "winner_tie": 0},
            "expected 1 in one of them; got it in 2",
        ),
        (
            {"winner_model_a": 0, "winner_model_b": 0, "winner_tie": 0},
            "expected 1 in one of them; got it in 0",
        ),
        ({"winner_model_a": 0.4, "winner_model_b": 0.6, "winner_tie": 0}, "winner_model_a: .* got '0.4'"),
        ({"winner_model_a": 1}, "no column winner or winner_model_b"),
        ({"winner": "model_c"}, "line 1: winner: expected one of model_a, .* got 'model_c'"),
        ({"winner": "tie", "anony": "perhaps"}, "line 1: anony: expected one of true, false"),
    ],
)
def test_a_winner_that_is_none_is_refused(tmp_path: Path, row: Row, said: str) -> None:
    with pytest.raises(InterchangeError, match=said):
        imported(tmp_path, [{"id": 1, "model_a": "A", "model_b": "B", **row}])


@pytest.mark.parametrize("column", ["judge", "judge_hash", "user_id", "evaluation_session_id"])
def test_a_release_calls_its_raters_by_one_of_four_names(tmp_path: Path, column: str) -> None:
    rows = [{"id": at, "model_a": "A", "model_b": "B", "winner": "tie", column: f"r{at}"} for at in range(2)]
    content = imported(tmp_path, rows)
    assert (content.votes.raters, content.votes.raters_known) == (("r0", "r1"), True)


def test_whole_conversations_are_no_hindrance(tmp_path: Path) -> None:
    talk = [{"role": "user", "content": "x" * 200_000}]
    rows = [row | {"conversation_a": talk, "text": "y" * 200_000} for row in blind(3)]
    for write in FILES:
        assert len(imported(tmp_path, rows, write).votes) == 3


def test_the_command_says_what_it_left_out_and_counts_it_when_asked(tmp_path: Path) -> None:
    rows = [*blind(), *blind(4), battle(99, "A", "B", "model_a", anony=False)]
    lines(tmp_path / "b.jsonl", rows)
    done = call("study", "import", "arena", "battles", "b.jsonl", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "30 votes are study arena; see codecarena study scale arena",
        "left out: 4 exact repeats, 1 battle with names shown (to count them: --keep-repeats --keep-named)",
    ]
    shown = call("study", "status", "arena", folder=tmp_path).stdout
    assert "imported from b.jsonl (battles); left out: 4 exact repeats, 1 battle with names shown" in shown
    done = call(
        "study", "import", "all", "battles", "b.jsonl", "--keep-repeats", "--keep-named", folder=tmp_path
    )
    assert done.stdout.splitlines() == [
        "35 votes are study all; see codecarena study scale all",
        "among them: 4 exact repeats, 1 battle with names shown",
    ]
    lines(tmp_path / "named.jsonl", rows[-1:])
    none = call("study", "import", "none", "battles", "named.jsonl", folder=tmp_path)
    assert none.returncode == 2
    assert "named.jsonl: no row is left that counts; left out: 1 battle with names shown" in none.stderr


AIC_HEAD = (
    "assignment,worker,method,task,question_id,img_num,codec_left,codec_right,codec_pivot,dlevel_left,"
    "dlevel_right,dlevel_pivot,img_left,img_right,img_pivot,is_same,is_cross,is_bias,is_trap,question_order,"
    "response,submission_time,response_time,reload_count,resolution\r\n"
)
"""As the answers of JPEG AI SDR25 begin."""


def aic_row(order: int, left: tuple[int, int], right: tuple[int, int], response: str, trap: int = 0) -> str:
    return (
        f"a1,157,BTC,1,{order},2,{left[0]},{right[0]},0,{left[1]},{right[1]},0,l.png,r.png,p.png,1,0,0,{trap},"
        f"{order},{response},2025-01-05T01:53:{order:02}.007Z,{2515 + order},0,1920x1080\r\n"
    )


def test_answers_of_jpeg_aic_are_read_as_published(tmp_path: Path) -> None:
    rows = [
        aic_row(1, (0, 0), (6, 2), "right"),
        aic_row(2, (6, 3), (6, 1), "left"),
        aic_row(3, (6, 1), (0, 0), "notsure"),
        aic_row(4, (6, 2), (6, 4), "skip"),
        aic_row(5, (6, 2), (5, 2), "not sure"),
        aic_row(6, (6, 10), (0, 0), "left", trap=1),
        aic_row(7, (6, 3), (6, 3), "notsure"),
    ]
    (tmp_path / "answers.csv").write_bytes((AIC_HEAD + "".join([*rows, rows[1]])).encode())
    content = read("aic", tmp_path / "answers.csv")
    assert [(*vote, kind) for vote, kind in zip(outcomes(content), content.votes.kind, strict=True)] == [
        ("original", "6-2", 1, Kind.PLAIN),
        ("6-3", "6-1", -1, Kind.PLAIN),
        ("6-1", "original", 0, Kind.PLAIN),
        ("6-2", "5-2", 0, Kind.PLAIN),
        ("6-10", "original", -1, Kind.GOLDEN),
        ("6-3", "6-3", 0, Kind.IDENTICAL),
    ]
    assert content.sentence() == "left out: 1 skipped trial, 1 exact repeat"
    assert content.votes.seconds[0] == pytest.approx(2.516)


def test_pwcmps_own_example_is_read_as_published(test_data: Path) -> None:
    content = read("pwcmp", test_data / "oracles" / "pwcmp_ex3_tone_mapping.csv")
    assert (len(content.votes), len(content.votes.raters), len(content.votes.conditions)) == (1213, 18, 7)
    assert (content.votes.sided, content.sentence()) == (False, "")


def test_answers_of_mucped23_name_the_picture_that_differs_more(tmp_path: Path) -> None:
    (tmp_path / "answers.csv").write_text(
        "methodA,methodB,originalName,answerValue\n"
        "mozjpeg-q70-yuv420,libjpeg-turbo-q90-yuv444,2116,A\n"
        "jpegli-q85-yuv444,jpegli-q75-yuv444,1189261,B\n"
        "jpegli-q85-yuv444,jpegli-q75-yuv444,1189261,B\n"
    )
    content = read("mucped23", tmp_path / "answers.csv")
    assert outcomes(content) == [
        ("mozjpeg-q70-yuv420", "libjpeg-turbo-q90-yuv444", -1),
        ("jpegli-q85-yuv444", "jpegli-q75-yuv444", 1),
        ("jpegli-q85-yuv444", "jpegli-q75-yuv444", 1),
    ]
    assert (content.votes.sided, content.votes.raters_known) == (False, False)
