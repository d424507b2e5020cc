from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from metric_rows import metric_row
from rich.console import Console
from stored_cells import part_of

from codecarena.bench.analysis.coverage import AnalysisError
from codecarena.bench.analysis.curves import bd_rate
from codecarena.bench.records.messages import PictureContent
from codecarena.bench.records.rows import Score, ScoredCell
from codecarena.bench.store.pictures import add_contents
from codecarena.bench.store.store import Store
from codecarena.bench.store.writer import StoreWriter
from codecarena.reports.files.export import write
from codecarena.reports.tables import digits
from codecarena.reports.tables.comparisons import comparison_tables, decode_seconds
from codecarena.reports.tables.kinds import kind_tables
from codecarena.reports.tables.leaderboard_tables import leaderboard_tables
from codecarena.reports.tables.table import Table, as_json
from codecarena.reports.tables.terminal import show

PSNR = metric_row("0123456789abcdef", "psnr", "codecarena", "0.1.0", "RGB", "higher", None)
PIXELS = 8_000_000
TOY = "codecarena toy latent flow 0a1b"


def cells(
    codec: str,
    factor: float,
    *,
    kind: str = "natural",
    pictures: int = 8,
    generator: str | None = None,
    own: str | None = None,
) -> list[ScoredCell]:
    random = np.random.default_rng(len(codec))
    detail = np.random.default_rng(3).normal(0, 0.3, pictures)
    gains = np.exp(random.normal(0, 0.03, pictures)) * factor
    return [
        ScoredCell(
            image_set="photos" if kind == "natural" else "made", picture=f"{kind}{place} {generator}",
            picture_sha256=f"{kind}{place}{generator}", kind=kind,  # type: ignore[arg-type]
            pixel_count=PIXELS, codec_id=f"id-{codec}", codec=codec, family="classic", toy=False,
            quality=float(step), seed=None,
            bitstream_bytes=round(0.1 * 2**step * gains[place] * np.exp(detail[place]) * PIXELS / 8),
            bitstream_sha256="", decoded_sha256="", encode_seconds=(0.1,), decode_seconds=(0.1,),
            contended=True, scores={PSNR.metric_id: Score(28 + 3.0 * step - detail[place])},
            picture_generator=generator, codec_generator=own,
        )
        for place in range(pictures)
        for step in range(4)
    ]  # fmt: skip


def drawn(table: Table, width: int = 140) -> str:
    stream = io.StringIO()
    show(Console(file=stream, width=width), table)
    return stream.getvalue()


def entry(table: Table, label: str, heading: str) -> str:
    column = [column.title for column in table.columns].index(heading)
    return next(row.entries[column].text for row in table.rows if row.entries[0].text == label)


@pytest.fixture
def three() -> list[ScoredCell]:
    return cells("jpeg", 1) + cells("better", 0.7) + cells("samejpeg", 1)


def test_bd_rates_carry_interval_mark_and_coverage(three: list[ScoredCell], make_store: Callable) -> None:
    (table,) = leaderboard_tables(make_store(three, metrics=(PSNR,)), anchor="jpeg")
    text = entry(table, "better", "BD-rate")
    assert "▼ (−" in text
    assert "▼" not in entry(table, "samejpeg", "BD-rate")
    assert "▲" not in entry(table, "samejpeg", "BD-rate")
    assert entry(table, "better", "Pictures") == "8/8"
    assert "(" in entry(table, "better", "Mean of pictures")
    record = next(row.record for row in table.rows if row.record["codec"] == "better")
    bd_rate = record["bd_rate"][PSNR.metric_id]
    low, high = bd_rate["interval_95"]
    assert low < bd_rate["percent"] < high < 0
    assert (bd_rate["verdict"], bd_rate["method"]) == ("better", "pchip")
    assert bd_rate["p_value_holm"] < 0.05
    assert "10 000 paired resamples" in drawn(table).replace("\N{NARROW NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("method", ["pchip", "cubic", "akima"])
def test_the_method_decides_on_the_number_and_is_named(
    three: list[ScoredCell], make_store: Callable, method: str
) -> None:
    (table,) = leaderboard_tables(make_store(three, metrics=(PSNR,)), anchor="jpeg", method=method)
    record = next(row.record for row in table.rows if row.record["codec"] == "better")

    def mean(codec: str) -> tuple[list[float], list[float]]:
        of_codec = [cell for cell in three if cell.codec == codec]
        steps = sorted({cell.quality for cell in of_codec})
        rates = [float(np.mean([c.bits_per_pixel for c in of_codec if c.quality == step])) for step in steps]
        scores = [
            float(np.mean([c.scores[PSNR.metric_id].value for c in of_codec if c.quality == step]))
            for step in steps
        ]
        return rates, scores

    expected = bd_rate(*mean("jpeg"), *mean("better"), method)  # type: ignore[arg-type]
    assert record["bd_rate"][PSNR.metric_id]["percent"] == pytest.approx(expected.percent)
    assert any(
        {"pchip": "PCHIP", "cubic": "one cubic", "akima": "Akima"}[method] in note for note in table.notes
    )


def test_few_pictures_have_a_reason_instead_of_an_interval(make_store: Callable) -> None:
    stored = cells("jpeg", 1, pictures=3) + cells("better", 0.7, pictures=3)
    (table,) = leaderboard_tables(make_store(stored, metrics=(PSNR,)), anchor="jpeg")
    assert "(" not in entry(table, "better", "BD-rate")
    assert "No interval: fewer than 5 pictures." in table.notes


def test_win_matrix_front_and_points(three: list[ScoredCell], make_store: Callable) -> None:
    part = part_of(make_store(three, metrics=(PSNR,)))
    wins, front, points = comparison_tables(part, PSNR, points=True)
    assert next(row.entries[0].text for row in wins.rows) == "1 better"
    assert [entry.text for entry in wins.rows[0].entries[1:]] == ["·", "8▼", "8▼"]
    assert {row.entries[0].text for row in front.rows} == {"better"}
    assert any("Without decode time" in note for note in front.notes)
    assert len(points.rows) == 12
    assert all("(" in row.entries[2].text for row in points.rows)
    assert json.loads(json.dumps(as_json([wins, front, points])))[0]["rows"][0]["against"][0]["wins"] == 8
    assert "better" in drawn(wins)
    assert decode_seconds([]) == {}


def test_the_split_shows_both_kinds_with_intervals_and_affinity(make_store: Callable) -> None:
    stored: list[ScoredCell] = []
    for codec, natural, generated, own in (
        ("jpeg", 1, 1, None),
        ("steady", 0.8, 0.8, None),
        ("latent", 0.9, 0.5, "CompVis/stable-diffusion-v1-4"),
    ):
        stored += cells(codec, natural, own=own)
        stored += cells(codec, generated, kind="ai-generated", generator="FLUX.1-dev", own=own)
        stored += cells(codec, generated, kind="ai-generated", generator="SDXL Turbo", own=own)
    store = make_store(stored, metrics=(PSNR,))
    (table,) = kind_tables(store, anchor="jpeg")
    rows = {(row.entries[0].text, row.entries[1].text): row for row in table.rows}
    assert set(rows) == {("steady", "none"), ("latent", "none"), ("latent", "same generator family")}
    tested = rows["latent", "none"]
    assert all("(" in entry.text for entry in tested.entries[2:5])
    assert tested.entries[5].text.endswith("*")
    assert rows["latent", "same generator family"].entries[4].text == "–"
    assert tested.record["order"]["codecs"] == 3
    text = " ".join(drawn(table).split())
    assert "Does the order change?" in text
    assert "8 AI-generated pictures in no test" in text
    with pytest.raises(AnalysisError, match="stored: natural"):
        kind_tables(store, anchor="jpeg", image_set="photos")


def confounded_store(make_store: Callable, natural: float, generated: float) -> Store:
    """Return a store of twelve pictures of either kind, described with these JPEG qualities."""
    stored: list[ScoredCell] = []
    for codec, here, there in (("jpeg", 1, 1), ("steady", 0.8, 0.6)):
        stored += cells(codec, here, pictures=12)
        stored += cells(codec, there, kind="ai-generated", generator="FLUX.1-dev", pictures=12)
    store = make_store(stored, metrics=(PSNR,))
    random = np.random.default_rng(5)
    qualities = {"natural": natural, "ai-generated": generated}
    contents = [
        PictureContent(
            cell.picture_sha256,
            "0" * 16,
            {"entropy": float(random.normal()), "jpeg_quality": qualities[cell.kind], "file_format": 0.0},
        )
        for cell in {cell.picture_sha256: cell for cell in stored}.values()
    ]
    writer = StoreWriter(store.location.store_option)
    add_contents(writer, contents)
    writer.close()
    return store


def test_what_differs_between_the_kinds_is_said_instead_of_an_answer(make_store: Callable) -> None:
    table, besides = kind_tables(confounded_store(make_store, 75, 100), anchor="jpeg")
    notes = " ".join(table.notes)
    assert "Does the kind matter? Kind and JPEG quality cannot be told apart here" in notes
    assert "some codec's BD-rate depends" not in notes
    assert table.rows[0].record["cannot_be_told_apart"] == ["jpeg_quality"]
    first = besides.rows[0]
    assert [entry.text for entry in first.entries] == ["JPEG quality", "75", "100", "+∞", "<0.001", "0", "no"]
    assert {row.entries[0].text for row in besides.rows} == {"JPEG quality", "entropy", "PNG file"}
    # JSON has no infinity.
    assert json.loads(json.dumps(as_json([besides]), allow_nan=False))[0]["rows"][0]["difference"] is None
    assert "Of 12 natural and 12 AI-generated pictures" in " ".join(drawn(besides).split())


def test_pictures_that_are_alike_are_compared_beside_all_of_them(make_store: Callable) -> None:
    store = confounded_store(make_store, 75, 75)
    table, _ = kind_tables(store, anchor="jpeg", match_on=["history"])
    notes = " ".join(table.notes)
    assert "some codec's BD-rate depends on the kind of picture" in notes
    assert "Matched: 12 pairs of a natural and an AI-generated picture alike in history; 0 pictures" in notes
    row = table.rows[0]
    assert (table.columns[-1].title, row.entries[-1].text) == ("Matched", row.entries[4].text)
    assert row.record["matched"]["difference"] == pytest.approx(row.record["difference"])
    apart, _ = kind_tables(confounded_store(make_store, 75, 100), anchor="jpeg", match_on=["history"])
    assert "No matched answer: fewer than 10 pairs of pictures are alike in history." in apart.notes
    assert (apart.columns[-1].title, apart.rows[0].record["matched"]) == ("Pictures", None)
    with pytest.raises(AnalysisError, match="--match-pictures sise: did you mean 'size'"):
        kind_tables(store, anchor="jpeg", match_on=["sise"])


def test_a_store_without_descriptors_says_so(make_store: Callable) -> None:
    stored = [*cells("jpeg", 1), *cells("jpeg", 1, kind="ai-generated", generator="FLUX.1-dev")]
    stored += [*cells("steady", 0.8), *cells("steady", 0.6, kind="ai-generated", generator="FLUX.1-dev")]
    (table,) = kind_tables(make_store(stored, metrics=(PSNR,)), anchor="jpeg")
    assert any(note.startswith("What else tells the pictures apart is not measured") for note in table.notes)


def test_every_row_carries_its_affinity(make_store: Callable, tmp_path: Path) -> None:
    stored = cells("jpeg", 1, kind="ai-generated", generator="SDXL Turbo")
    stored += cells("latent", 0.5, kind="ai-generated", generator="SDXL Turbo", own="Stable Diffusion")
    store = make_store(stored, metrics=(PSNR,))
    (table,) = leaderboard_tables(store, anchor="jpeg")
    assert "latent: 8 pictures with affinity to it: same generator family." in table.notes
    write(store, "csv", tmp_path / "rows.csv")
    with (tmp_path / "rows.csv").open() as opened:
        affinities = {(row["codec"], row["affinity"]) for row in csv.DictReader(opened)}
    assert affinities == {("jpeg", "none"), ("latent", "same generator family")}


def test_a_toy_set_prints_that_it_says_nothing(make_store: Callable) -> None:
    stored = [
        cell
        for codec, own in (("jpeg", None), ("latent", TOY))
        for cell in (*cells(codec, 1, own=own), *cells(codec, 1, kind="ai-generated", generator=TOY, own=own))
    ]
    stored = [replace(cell, toy=cell.codec == "latent") for cell in stored]
    (table,) = kind_tables(make_store(stored, metrics=(PSNR,)), anchor="jpeg")
    assert table.notes[0] == "toy set: no natural/AI statement"
    assert [row.entries[1].text for row in table.rows] == ["none", "same weights"]
    assert {row.entries[0].text for row in table.rows} == {"latent (toy)"}
    assert digits.TOY_NOTE in table.notes
    assert all(row.record["difference"] is None for row in table.rows)
    assert all(row.record["statement"] for row in table.rows)


def test_a_codec_that_finished_too_little_is_named(three: list[ScoredCell], make_store: Callable) -> None:
    late = [replace(cell, codec="late", codec_id="id-late") for cell in cells("late", 1, pictures=2)]
    part = part_of(make_store(three + late, metrics=(PSNR,)))
    wins, _ = comparison_tables(part, PSNR)
    assert len(wins.rows) == 3
    assert "Not compared: late finished 2 of 8 pictures." in wins.notes
