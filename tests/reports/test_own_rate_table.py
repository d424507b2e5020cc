"""Codecs of one setting against the others at their own bytes, as the tables and pages say it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from report_rows import BUTTERAUGLI, CELL, PSNR, Kept, text_columns, texts, values
from stored_cells import store_of
from streamlit.testing.v1 import AppTest

from arena import call
from codecarena.bench.records.rows import Score, ScoredCell
from codecarena.bench.store.store import Store
from codecarena.reports.files.report import report
from codecarena.reports.server.server import STORE_VARIABLE
from codecarena.reports.tables import digits
from codecarena.reports.tables.evidence import Pending
from codecarena.reports.tables.latex import latex
from codecarena.reports.tables.leaderboard_tables import leaderboard_tables
from codecarena.reports.tables.own_rate_table import own_rate_table
from codecarena.reports.tables.selection import Selection, StoredColumns
from codecarena.reports.tables.table import as_json

# Streamlit's own script runner, under AppTest, warns about itself.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PAGE = """
import streamlit as st
from codecarena.reports.views import leaderboard, navigation
st.session_state["page"] = "leaderboard"
leaderboard.main()
"""

LINE = ((0.1, 30.0), (0.4, 34.0), (1.6, 38.0))
"""2 dB for each doubling of the rate: 32 dB at 0.2 bits per pixel."""
PICTURES = ("ant", "bee", "cat", "dog", "eel", "fox")
GAINS = (2.0, 1.9, 2.1, 2.0, 2.2, -0.3)
"""Of the codec without a curve over jpeg at 0.2, in dB: 1.65 in the mean, 2.0 in the median."""


def cell(codec: str, picture: str, setting: float, rate: float, psnr: float | None) -> ScoredCell:
    """Return a cell of this rate and PSNR, None where lossless; Butteraugli is a fifth of 60 less PSNR."""
    lossless = psnr is None
    scores = {
        PSNR.metric_id: Score(psnr, lossless),
        BUTTERAUGLI.metric_id: Score(0.0 if psnr is None else (60 - psnr) / 5, lossless),
    }
    return replace(
        CELL, picture=f"{picture}.png", picture_sha256=picture, pixel_count=10**6, kind="natural",
        picture_generator=None, codec=codec, codec_id=f"{codec}-id", codec_generator=None,
        toy=codec == "latent", quality=setting, seed=None, bitstream_bytes=round(rate * 10**6 / 8),
        bitstream_sha256=f"bits {codec} {picture}", verdict=None, scores=scores,
        decoded_sha256=picture if lossless else f"{codec} {picture} {setting}",
    )  # fmt: skip


def ladder(
    codec: str, points: Sequence[tuple[float, float]], pictures: Sequence[str] = PICTURES
) -> list[ScoredCell]:
    return [
        cell(codec, picture, 10.0 * place, rate, psnr)
        for picture in pictures
        for place, (rate, psnr) in enumerate(points, 1)
    ]


def usual() -> list[ScoredCell]:
    """One codec with a point a picture; jpeg, a better line, one that begins too high, and another point."""
    point = [
        cell("latent", picture, 3.0, 0.2, 32.0 + gain) for picture, gain in zip(PICTURES, GAINS, strict=True)
    ]
    dear = [(0.3, 33.0), (0.6, 35.0)]
    return [
        *point, *ladder("jpeg", LINE), *ladder("avif", [(rate, psnr + 1.9) for rate, psnr in LINE]),
        *ladder("vvc", dear), *ladder("dots", [(0.2, 31.0)]),
    ]  # fmt: skip


def part_of(folder: Path, cells: Sequence[ScoredCell]) -> Selection:
    store = store_of(folder / "arena", cells, (PSNR, BUTTERAUGLI))
    return Selection(StoredColumns(store, "drawn"))


@pytest.fixture(scope="module")
def selection(tmp_path_factory: pytest.TempPathFactory) -> Selection:
    return part_of(tmp_path_factory.mktemp("own"), usual())


BRACKETS = (
    "In brackets: 95 % interval of the mean over these pictures, 10\N{NARROW NO-BREAK SPACE}000 resamples. "
    "▲ better, ▼ worse score than the other codec: significant at 5 % after Holm's correction for all codecs "
    "that a setting is compared with; no mark: not shown."
)


def test_one_metric_in_detail(selection: Selection) -> None:
    table = own_rate_table(selection, [PSNR], "jpeg")
    assert table is not None
    assert table.title == "At their own bytes: codecs without a curve, by PSNR · drawn"
    assert [column.heading for column in table.columns] == [
        "Codec", "Own rate, bits/pixel", "Against", "Difference, dB", "Median", "Won", "Pictures",
    ]  # fmt: skip
    assert text_columns(table) == ["Codec", "Against"]
    # The strongest first; what is below half of the pictures last.
    assert texts(table) == [
        ["dots", "0.200", "avif", "−2.90▼ (−2.90…−2.90)", "−2.90", "0/6", "6/6"],
        ["dots", "0.200", "jpeg", "−1.00▼ (−1.00…−1.00)", "−1.00", "0/6", "6/6"],
        ["dots", "0.200", "vvc", "– 0 of 6 pictures", "–", "–", "0/6"],
        ["latent (toy)", "0.200", "avif", "−0.25 (−1.43…+0.25)", "+0.10", "4/6", "6/6"],
        ["latent (toy)", "0.200", "jpeg", "+1.65▲ (+0.47…+2.15)", "+2.00", "5/6", "6/6"],
        ["latent (toy)", "0.200", "vvc", "– 0 of 6 pictures", "–", "–", "0/6"],
    ]
    assert values(table)[4] == pytest.approx([None, 0.2, None, 1.65, 2.0, 5 / 6, 6])
    assert [row.entries[3].tone for row in table.rows] == ["worse", "worse", "", "", "better", ""]
    hints = [row.entries[3].hint for row in table.rows]
    assert hints[1] == "A worse score: p < 0.001 after Holm's correction."
    assert (
        hints[2] == table.rows[2].entries[-1].hint == "On 6 of 6 pictures vvc's cheapest setting costs more."
    )
    assert hints[3].startswith("No difference is shown: p = 0.")
    assert hints[4].startswith("A better score: p = 0.0")
    assert table.notes == (
        "At its own bytes: dots, 0.200 bpp: PSNR −1.00 dB (95 % −1.00 to −1.00) against jpeg, on 6 of 6 "
        "pictures.",
        "At its own bytes: latent, 0.200 bpp: PSNR +1.65 dB (95 % +0.47 to +2.15) against jpeg, on 6 of 6 "
        "pictures.",
        "On each picture the other codec's curve is read at the bits per pixel that the codec spends there "
        "(PCHIP over log rate, never beyond its ends); the difference is the codec's score less the other's.",
        BRACKETS,
        "No number for dots where fewer than half of the pictures can be read: cheapest setting costs more: "
        "vvc on 6 of 6.",
        "No number for latent where fewer than half of the pictures can be read: cheapest setting costs "
        "more: vvc on 6 of 6.",
        "No curve to compare with: dots, latent.",
        digits.TOY_NOTE,
    )


@pytest.mark.parametrize(
    ("anchor", "named"),
    [("jpeg", "jpeg"), ("jpeg-id", "jpeg"), ("avif", "avif"), ("vvc", "avif"), (None, "avif")],
)
def test_the_sentences_name_the_anchor_or_else_the_strongest_codec(
    selection: Selection, anchor: str | None, named: str
) -> None:
    table = own_rate_table(selection, [PSNR], anchor)
    assert table is not None
    differences = {"jpeg": ("−1.00", "+1.65"), "avif": ("−2.90", "−0.25")}[named]
    for note, codec, difference in zip(table.notes, ("dots", "latent"), differences, strict=False):
        assert note.startswith(f"At its own bytes: {codec}, 0.200 bpp: PSNR {difference} dB (95 % ")
        assert note.endswith(f") against {named}, on 6 of 6 pictures.")
    assert table.notes[2].startswith("On each picture")


def test_several_metrics_side_by_side_each_on_its_own_scale(selection: Selection) -> None:
    table = own_rate_table(selection, [PSNR, BUTTERAUGLI])
    assert table is not None
    assert table.title == "At their own bytes: codecs without a curve, every metric · drawn"
    assert [column.heading for column in table.columns][3:] == ["PSNR, dB", "Butteraugli", "Pictures"]
    assert texts(table)[4] == [
        "latent (toy)", "0.200", "jpeg", "+1.65▲ (+0.47…+2.15)", "−0.33▲ (−0.43…−0.09)", "6/6",
    ]  # fmt: skip
    assert [table.columns[place].help for place in (3, 4)] == [
        "Mean of the codec's psnr less the other's at equal bytes; plus is better.",
        "Mean of the codec's butteraugli less the other's at equal bytes; minus is better.",
    ]
    assert "Minus is better: Butteraugli." in table.notes
    alone = own_rate_table(selection, [BUTTERAUGLI], "jpeg")
    assert alone is not None
    assert texts(alone)[3][2:4] == ["avif", "+0.05 (−0.05…+0.29)"]  # the better of two is first here too
    assert alone.notes[1] == (
        "At its own bytes: latent, 0.200 bpp: Butteraugli −0.33 (95 % −0.43 to −0.09) against jpeg, "
        "on 6 of 6 pictures."
    )


def test_the_record_of_a_row(selection: Selection) -> None:
    table = own_rate_table(selection, [PSNR])
    assert table is not None
    (shown,) = as_json([table])
    record = next(row for row in shown["rows"] if (row["codec"], row["against"]) == ("latent", "jpeg"))
    numbers = record.pop("own_rate")[PSNR.metric_id]
    assert record == {
        "codec": "latent", "codec_id": "latent-id", "setting": 3.0, "against": "jpeg",
        "against_id": "jpeg-id",
    }  # fmt: skip
    ends, p_value = numbers.pop("interval_95"), numbers.pop("p_value_holm")
    assert ends[0] < 1.65 < ends[1]
    assert 0 < p_value < 0.05
    assert numbers == {
        "metric": "psnr", "implementation": "codecarena", "version": "0.1", "better": "higher",
        "bits_per_pixel": pytest.approx(0.2), "lossless": 0, "without_score": 0,
        "reach": {"of_pictures": 6, "compared": 6, "below": 0, "above": 0, "other_lossless": 0,
                  "other_without_curve": 0, "other_without_score": 0},
        "mean_difference": pytest.approx(1.65), "median_difference": pytest.approx(2.0),
        "wins": 5, "losses": 1, "verdict": "better", "reason": None, "no_interval_because": None,
        "statement": "At its own bytes: latent, 0.200 bpp: PSNR +1.65 dB (95 % +0.47 to +2.15) against jpeg, "
                     "on 6 of 6 pictures.",
    }  # fmt: skip
    bare = next(row for row in shown["rows"] if row["against"] == "vvc")["own_rate"][PSNR.metric_id]
    assert (bare["mean_difference"], bare["reason"], bare["interval_95"]) == (None, "0 of 6 pictures", None)
    assert (bare["no_interval_because"], bare["reach"]["below"]) == ("0 of 6 pictures", 6)
    assert bare["statement"] == (
        "At its own bytes: dots, 0.200 bpp: vvc can be compared on 0 of 6 pictures only (on 6 of 6 pictures "
        "vvc's cheapest setting costs more)."
    )


def test_few_pictures_lossless_ones_ties_and_settings_are_said(tmp_path: Path) -> None:
    curve = [*LINE, (1.7, 38.5)]
    cells = ladder("jpeg", curve, "abcd")
    # Two settings are enough for PCHIP and too few for a cubic.
    cells += [
        cell
        for picture, psnr in (("a", 34.0), ("b", 35.5), ("c", 33.75))
        for cell in ladder("own", [(0.2, 33.0), (0.4, psnr)], picture)
    ]
    cells += [cell("own", "d", 10.0, 0.2, None), replace(cell("own", "d", 20.0, 0.4, 34.0), scores={})]
    selection = part_of(tmp_path, cells)
    assert own_rate_table(selection, [PSNR]) is None
    table = own_rate_table(selection, [PSNR], "jpeg", "cubic")
    assert table is not None
    assert [column.heading for column in table.columns][:3] == ["Codec", "Setting", "Own rate, bits/pixel"]
    assert texts(table) == [
        ["own", "10", "0.200", "jpeg", "+1.00", "+1.00", "3/3", "3/3"],
        ["own", "20", "0.400", "jpeg", "+0.42", "0.00", "1/3", "3/3"],
    ]
    assert [[entry.value for entry in row.entries[1:3]] for row in table.rows] == [
        [10, pytest.approx(0.2)],
        [20, pytest.approx(0.4)],
    ]
    assert [row.entries[4].hint for row in table.rows] == ["No interval: fewer than 5 pictures."] * 2
    assert [row.entries[6].hint for row in table.rows] == ["", "1 lost, 1 equal."]
    assert table.notes[:2] == (
        "At its own bytes: own at 10, 0.200 bpp: PSNR +1.00 dB (no interval: fewer than 5 pictures) against "
        "jpeg, on 3 of 3 pictures.",
        "At its own bytes: own at 20, 0.400 bpp: PSNR +0.42 dB (no interval: fewer than 5 pictures) against "
        "jpeg, on 3 of 3 pictures.",
    )
    assert table.notes[3:] == (
        "No interval: fewer than 5 pictures.",
        "own at 10: 1 picture came back identical, in no difference.",
        "own at 20: 1 picture without a score, in no difference.",
    )


def test_nothing_is_shown_where_every_codec_has_a_curve_or_none_has(tmp_path: Path) -> None:
    assert own_rate_table(part_of(tmp_path / "curves", ladder("jpeg", LINE)), [PSNR]) is None
    dots = [*ladder("dots", LINE[:1]), *ladder("specks", LINE[1:2])]
    assert own_rate_table(part_of(tmp_path / "points", dots), [PSNR]) is None


def test_a_page_shows_the_table_once_it_is_computed(selection: Selection) -> None:
    class Busy:
        def answer(self, *_: Any) -> Any:
            raise Pending("own rate")

    assert own_rate_table(selection, [PSNR], derived=Busy()) is None
    kept = Kept()
    assert own_rate_table(selection, [PSNR], derived=kept) == own_rate_table(selection, [PSNR])
    assert kept.questions == [f"own rate | {PSNR.metric_id} | dots-id | latent-id | {selection.scope}"]


def test_it_becomes_latex(selection: Selection) -> None:
    table = own_rate_table(selection, [PSNR], "jpeg")
    assert table is not None
    text = latex(table)
    assert text.isascii()
    assert r"latent (toy) & 0.200 & jpeg & +1.65$\bigtriangleup$ (+0.47\,\ldots\,+2.15) & +2.00" in text


def test_the_command_line_shows_it_under_bd_rates_and_scores_at_a_rate(tmp_path: Path) -> None:
    part_of(tmp_path, usual())

    def said(*words: str) -> str:
        ended = call(*words, folder=tmp_path)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    board, own = json.loads(said("leaderboard", "--anchor", "jpeg", "--json", "-m", "psnr"))
    assert [board["title"], own["title"]] == [
        "BD-rate against jpeg by PSNR · drawn", "At their own bytes: codecs without a curve, by PSNR · drawn",
    ]  # fmt: skip
    numbers = own["rows"][4]["own_rate"][PSNR.metric_id]
    assert (own["rows"][4]["against"], numbers["mean_difference"]) == ("jpeg", pytest.approx(1.65))
    assert own["notes"][1] == numbers["statement"]
    # The usual anchor is jpeg.
    text = " ".join(said("leaderboard", "--at", "bpp=0.5").split())
    assert "At their own bytes: codecs without a curve, every metric · drawn" in text
    assert " dB (95 % +0.47 to +2.15) against jpeg, on 6 of 6 pictures." in text
    assert "At their own bytes" not in said("leaderboard", "--at", "psnr=33")
    said("export", "latex", "out.tex")
    assert (tmp_path / "out.tex").read_text().count(r"\caption") == 2


def test_the_demo_shows_first_where_codecs_without_a_curve_stand(tmp_path: Path) -> None:
    part_of(tmp_path, usual())
    store = Store(str(tmp_path / "arena"))
    for own_bytes_first, kinds in ((True, ["At", "BD-rate"]), (False, ["BD-rate", "At"])):
        tables = leaderboard_tables(store, metrics=["psnr"], own_bytes_first=own_bytes_first)
        assert [table.title.split()[0] for table in tables] == kinds


def test_the_report_has_it_after_the_first_leaderboard(tmp_path: Path) -> None:
    part_of(tmp_path, usual())
    (section, *_) = report(Store(str(tmp_path / "arena"))).sections
    assert [table.title.split(" · ")[0] for table in section.tables] == [
        "BD-rate against jpeg by PSNR", "At their own bytes: codecs without a curve, by PSNR",
        "BD-rate against jpeg, every metric",
    ]  # fmt: skip


@pytest.fixture
def patient_pages(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Have pages wait for what they compute, and forget other tests' stores."""
    st.cache_resource.clear()
    st.cache_data.clear()
    monkeypatch.setattr("codecarena.reports.server.background.PATIENCE_SECONDS", 60.0)
    yield monkeypatch
    st.cache_resource.clear()
    st.cache_data.clear()


def opened(pages: pytest.MonkeyPatch, folder: Path, **query: str) -> AppTest:
    """Return the page Leaderboard of a store."""
    pages.setenv(STORE_VARIABLE, str(folder))
    page = AppTest.from_string(PAGE, default_timeout=60)
    for key, value in query.items():
        page.query_params[key] = value
    page.run()
    assert not page.exception, [element.value for element in page.exception]
    return page


def tables_of_page(page: AppTest) -> dict[str, list[list[str]]]:
    """Return the texts of a page's tables by their titles."""
    shown = [json.loads(element.proto.json).get("html", "") for element in page.get("bidi_component")]
    bodies = [re.findall(r"<tbody>(.*)</tbody>", html)[0] for html in shown if html]
    rows = [
        [re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", row) for row in re.findall(r"<tr[^>]*>(.*?)</tr>", body)]
        for body in bodies
    ]
    titles = [element.value.replace("\\", "") for element in page.header]
    return dict(zip(titles, rows, strict=True))


def test_the_page_shows_it_under_bd_rates_and_scores_at_a_rate(
    tmp_path: Path, patient_pages: pytest.MonkeyPatch
) -> None:
    part_of(tmp_path, usual())
    title = "At their own bytes: codecs without a curve, by PSNR · drawn"
    page = opened(patient_pages, tmp_path / "arena", view="bd-rate", metric="psnr", anchor="jpeg")
    tables = tables_of_page(page)
    assert list(tables) == ["BD-rate against jpeg by PSNR · drawn", title]
    boards = {row[0]: row[1] for row in tables["BD-rate against jpeg by PSNR · drawn"]}
    assert (boards["latent (toy)"], boards["dots"]) == ("– one point", "– one point")
    assert [row[:4] for row in tables[title]][3:] == [
        ["latent (toy)", "0.200", "avif", "−0.25 (−1.43…+0.25)"],
        ["latent (toy)", "0.200", "jpeg", "+1.65▲ (+0.47…+2.15)"],
        ["latent (toy)", "0.200", "vvc", "– 0 of 6 pictures"],
    ]
    said = "\n".join(element.value.replace("\\", "") for element in page.caption)
    assert "At its own bytes: latent, 0.200 bpp: PSNR +1.65 dB (95 % +0.47 to +2.15) against jpeg" in said
    page = opened(patient_pages, tmp_path / "arena", view="rate", metric="psnr", anchor="avif")
    assert title in tables_of_page(page)
    said = "\n".join(element.value.replace("\\", "") for element in page.caption)
    assert "PSNR −0.25 dB (95 % −1.43 to +0.25) against avif" in said
    page = opened(patient_pages, tmp_path / "arena", view="score", metric="psnr")
    assert title not in tables_of_page(page)
