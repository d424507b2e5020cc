"""What people said stands beside the right codec, at the right rate, with the right sign."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from report_rows import texts, values

from codecarena.bench.analysis.curves import BdRate
from codecarena.bench.analysis.significance import RankRange
from codecarena.reports.tables.leaderboard_columns import (
    study_of,
    with_human_rates,
    with_human_values,
    with_people,
    with_ranks,
)
from codecarena.reports.tables.table import Column, Entry, Row, Table
from codecarena.studies.analysis.human_rate import HumanBdRate
from codecarena.studies.analysis.results import HumanValue
from codecarena.studies.scale.scale_results import Interval

TABLE = Table(
    "Board",
    (Column("Codec", numeric=False),),
    tuple(
        Row(
            (Entry(name),),
            {"codec_id": f"{name}-id", "bd_rate": {"p": {"anchor": "jpeg"}, "s": {"anchor": "jpeg"}}},
        )
        for name in ("webp", "jpeg", "new")
    ),
    ("first",),
)


def value(
    codec: str | None, rate: float | None, jod: float, span: tuple[float, float] | None = None
) -> HumanValue:
    ends = Interval(*span, 0.1) if span else None
    return HumanValue(f"{codec} {rate}", codec and f"{codec}-id", codec, rate, jod, ends, 0)


def study(*human_values: HumanValue, name: str = "tea", simulated: bool = False, **rest: Any) -> Any:
    scale = SimpleNamespace(unit="JOD", anchor=rest.get("anchor"), pictures=rest.get("of", 2), votes=1234.0)
    return SimpleNamespace(
        study=name, label=f"{name} study", simulated=simulated, votes=1300, values=human_values,
        pictures=rest.get("pictures", ("a", "b")),
        analysis=SimpleNamespace(scale=scale, bd_rates=rest.get("bd_rates", ())),
    )  # fmt: skip


def test_the_study_of_a_table_is_the_latest_whose_pictures_are_all_in_it() -> None:
    older, newer, wider, imported = (
        study(name="older", pictures=("a",)), study(name="newer", pictures=("a", "b")),
        study(name="wider", pictures=("a", "b", "c")), study(name="imported", pictures=()),
    )  # fmt: skip
    assert study_of([older, newer, wider, imported], ["a", "b", "z"]) is newer
    assert study_of([newer, older], ["a", "b"]) is older
    assert study_of([wider, imported], ["a", "b"]) is None


def test_values_of_people_stand_at_the_condition_nearest_the_rate() -> None:
    results = study(
        value("webp", 9.5, -3.0), value("webp", 10.25, 1.25, (-0.5, 2.5)), value("webp", 11.0, -4.0),
        value("jpeg", 11.0, -0.75), value("new", 11.25, 9.0), value(None, 10.0, 5.0), value("new", None, 6.0),
    )  # fmt: skip
    table = with_human_values(TABLE, results, 10.0)
    assert table.columns[-1].heading == "People, JOD"
    assert texts(table) == [["webp", "+1.25 (−0.50…+2.50)"], ["jpeg", "−0.75"], ["new", "–"]]
    assert values(table) == [[None, 1.25], [None, -0.75], [None, None]]
    people = table.rows[0].record["people"]
    assert (people["study"], people["simulated"], people["bits_per_pixel"]) == ("tea", False, 10.25)
    assert people["interval"] == {"low": -0.5, "high": 2.5, "standard_error": 0.1}
    assert table.rows[2].record["people"] is None
    assert table.notes == (
        "first",
        "People: study tea study, 1234 votes; 0 is the mean of all conditions; 95 % interval over raters and "
        "pictures.",
    )
    assert with_human_values(TABLE, results, 5.0) is TABLE
    below = with_human_values(TABLE, study(value("webp", 9.0, 2.0)), 10.0)
    assert texts(below)[0] == ["webp", "+2.00"]
    assert with_human_values(TABLE, study(value("webp", 8.75, 2.0)), 10.0) is TABLE


def test_the_note_on_people_tells_what_is_0_who_answered_and_what_varies() -> None:
    results = study(value("webp", 10.0, 0.0), simulated=True, anchor="jpeg q=50", of=1)
    table = with_human_values(TABLE, results, 10.0)
    assert table.columns[-1].title == "Simulated people"
    assert texts(table)[0] == ["webp", "0.00"]
    assert table.rows[0].record["people"]["simulated"] is True
    assert table.notes[-1] == (
        "Simulated people: study tea study, 1234 votes; 0 is jpeg q=50; 95 % interval over raters."
    )


def test_bits_at_equal_human_quality() -> None:
    rates = (
        HumanBdRate("webp", "jpeg", BdRate(-20.5), -30.25, 4.0, 1000, 3),
        HumanBdRate("new", "jpeg", BdRate(None, "no overlap"), None, None, 1000, 9),
        HumanBdRate("webp", "avif", BdRate(77.0), None, None, 1000, 0),
    )
    results = study(value("webp", 1, 1), value("jpeg", 1, 0), value("new", 1, 2), bd_rates=rates)
    table = with_human_rates(TABLE, results)
    assert table.columns[-1].heading == "People, %"
    assert texts(table) == [["webp", "−20.5 (−30.2…+4.0)"], ["jpeg", "anchor"], ["new", "– no overlap"]]
    assert values(table) == [[None, -20.5], [None, 0.0], [None, None]]
    people = table.rows[0].record["people"]
    assert (people["study"], people["low"], people["high"], people["bd_rate"]["percent"]) == (
        "tea", -30.25, 4.0, -20.5,
    )  # fmt: skip
    assert table.rows[1].record["people"] is None
    assert "bits at equal JOD of study tea study, 1234 votes" in table.notes[-1]
    only = study(value("webp", 1, 1), value("jpeg", 1, 0), bd_rates=(rates[0],))
    assert texts(with_human_rates(TABLE, only))[2] == ["new", "–"]
    early = with_human_rates(replace(TABLE, rows=(replace(TABLE.rows[2], record={
        **TABLE.rows[2].record, "codec_id": "avif-id",
    }),)), only)  # fmt: skip
    assert texts(early) == [["new", "–"]]
    assert with_human_rates(replace(TABLE, rows=()), only).columns == TABLE.columns
    no_ends = study(value("webp", 1, 1), value("jpeg", 1, 0),
                    bd_rates=(HumanBdRate("webp", "jpeg", BdRate(3.0), None, None, 1, 0),))  # fmt: skip
    assert texts(with_human_rates(TABLE, no_ends))[0] == ["webp", "+3.0"]
    assert with_human_rates(TABLE, study(value("webp", 1, 1), bd_rates=rates[2:])) is TABLE


def test_people_beside_a_leaderboard_from_the_lowest_to_the_highest_rate() -> None:
    results = study(
        value("webp", 2.0, 1.5, (1.0, 1.75)), value("webp", 0.5, -1.0), value("webp", 1.0, 7.0),
        value("jpeg", None, 0.25), value(None, 3.0, 9.0),
    )  # fmt: skip
    older = study(value("webp", 1.0, 5.0), name="older", pictures=("a",))
    elsewhere = study(value("webp", 1.0, 6.0), name="elsewhere", pictures=("z",))
    table = with_people(TABLE, [older, results, elsewhere], ["a", "q"])
    assert table.columns[-1].heading == "People, JOD"
    assert texts(table) == [["webp", "−1.00…+1.50"], ["jpeg", "+0.25"], ["new", "–"]]
    assert values(table) == [[None, 1.5], [None, 0.25], [None, None]]
    assert [row.entries[1].hint for row in table.rows] == [
        "−1.00 JOD at 0.50 bits per pixel; +7.00 JOD at 1.00 bits per pixel; "
        "+1.50 (+1.00…+1.75) JOD at 2.00 bits per pixel",
        "+0.25 JOD",
        "Not shown in study tea study.",
    ]
    assert table.notes == ("first", "People: study tea study, 1300 votes.")
    assert with_people(TABLE, [elsewhere], ["a"]) is TABLE
    assert with_people(TABLE, [study(value(None, 1.0, 1.0))], ["a"]) is TABLE
    simulated = with_people(TABLE, [study(value("webp", 1.0, 1.0), simulated=True)], ["a"])
    assert simulated.columns[-1].title == "Simulated people"
    assert "what simulated raters think of it" in simulated.columns[-1].help
    assert "what people think of it" in table.columns[-1].help


def test_places_and_how_sure_they_are() -> None:
    table = with_ranks(TABLE, {"webp-id": RankRange(2, 1, 3, 0.256), "jpeg-id": RankRange(4, 4, 4, 0.0)})
    assert table.columns[-1].title == "Place"
    assert texts(table) == [["webp", "2 (1…3)"], ["jpeg", "4"], ["new", "–"]]
    assert values(table) == [[None, 2], [None, 4], [None, None]]
    assert [row.entries[1].hint for row in table.rows] == [
        "First in 26% of the resamples.",
        "First in 0% of the resamples.",
        "No BD-rate, no place.",
    ]
    assert with_ranks(TABLE, {}) is TABLE


@pytest.mark.parametrize(("jod", "text"), [(0.006, "+0.01"), (-1234.5, "−1\N{NARROW NO-BREAK SPACE}234.50")])
def test_a_value_has_its_sign(jod: float, text: str) -> None:
    assert texts(with_human_values(TABLE, study(value("webp", 1.0, jod)), 1.0))[0] == ["webp", text]
