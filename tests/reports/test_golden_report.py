"""Sections, provenance and pictures of a report: which table stands where, and whose numbers they are."""

from __future__ import annotations

import io
import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from report_rows import CELL, PSNR, texts
from starlette.applications import Starlette
from starlette.testclient import TestClient
from stored_cells import part_of, store_of
from zoo import zoo_of

from codecarena.bench.analysis.coverage import AnalysisError
from codecarena.bench.records.rows import Failure
from codecarena.bench.store.database import StoreError
from codecarena.bench.store.provenance import CodecOrigin, PictureOrigin, Provenance, RunOrigin
from codecarena.bench.store.store import Store
from codecarena.reports.files.page import provenance_tables, write_latex
from codecarena.reports.files.report import Report, Section, report, summary
from codecarena.reports.server import pictures
from codecarena.reports.server.pictures import Gallery, PictureLost, difference_map, png, routes
from codecarena.reports.server.server import ServeError, address, check_address
from codecarena.reports.tables.table import Column, Entry, Row, Table


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return zoo_of(tmp_path_factory.mktemp("zoo") / "arena")


def titles(section: Section) -> tuple[list[str], list[str]]:
    return [table.title.split(" · ")[0] for table in section.tables], [
        table.title.split(" · ")[0] for table in section.folded
    ]


def test_a_report_has_a_section_for_every_kind_of_evidence(zoo: Store) -> None:
    content = report(zoo, anchor="zip")
    assert content.image_sets == ("zoo",)
    assert content.lines == ("zoo: 4 pictures · 3 codecs · 24 results · 3 open failures",)
    assert [section.title for section in content.sections] == [
        "Leaderboard · zoo", "Rate and distortion · zoo", "Codecs against each other · zoo", "Failures · zoo",
        "Natural against AI-generated",
    ]  # fmt: skip
    board, curves, duels, failures, kinds = content.sections
    assert titles(board) == (["BD-rate against zip by PSNR", "BD-rate against zip, every metric"], ["Rates"])
    assert titles(duels) == (["Pareto front by PSNR"], ["Wins by PSNR"])
    assert titles(failures) == (["Failures"], [])
    (first,), (second,) = titles(kinds)
    assert "by PSNR" in first
    assert "by Butteraugli" in second
    descriptions = [chart.description for chart in curves.charts]
    assert descriptions == [
        f"{title} over bits per pixel of 3 codecs; the tables hold the numbers"
        for title in ("PSNR", "Butteraugli")
    ]
    assert curves.charts[0].figure.get_suptitle() == "PSNR, means over 4 pictures"
    assert curves.charts[1].figure.axes[0].yaxis_inverted()
    one_metric = report(zoo, metrics=["butteraugli"], anchor="zip")
    assert titles(one_metric.sections[0]) == (["BD-rate against zip by Butteraugli"], ["Rates"])


def test_a_set_without_scores_or_without_results_says_so(tmp_path: Path) -> None:
    bare = store_of(tmp_path / "arena", [replace(CELL, scores={}, verdict=None)], (PSNR,))
    content = report(bare)
    assert [section.title for section in content.sections] == ["Leaderboard · drawn"]
    assert content.sections[0].lines == ("No picture of the set has a score yet.",)
    assert content.lines == ("drawn: 1 picture · 1 codec · 1 result",)


def test_the_line_of_a_set_counts_pictures_codecs_and_open_failures(zoo: Store) -> None:
    part = part_of(zoo, "zoo", "natural")
    assert summary(part) == "zoo: 2 pictures · 3 codecs · 12 results · 1 open failure"
    settled = Failure("zoo", "a", "a", "x", "x", 1.0, None, None, "crash", "encode", 1, "", "", "", True)
    part.failures = [settled]
    assert summary(part) == "zoo: 2 pictures · 3 codecs · 12 results"


def origin(**changes: Any) -> RunOrigin:
    known: dict[str, Any] = {
        "run_id": 1, "suite": "quick", "suite_text": "x", "status": "finished", "workers": 3,
        "planned_cells": 40, "started_at": "2026-02-03T04:05:06+00:00", "finished_at": None,
        "machine": {"cpu": "Ryzen", "cores": 16, "gpus": ["H200"], "system": "Linux", "python": "3.11",
                    "libraries": {"numpy": "1.26", "torch": "2.5"}},
    }  # fmt: skip
    return RunOrigin(**{**known, **changes})


def test_where_results_come_from() -> None:
    codecs = (
        CodecOrigin("zip-id", "zip", "classic", "1.2", False, False, None, None, None),
        CodecOrigin("net-id", "net", "learned", "3", True, False, 20 * "ab", "kodak", None),
        CodecOrigin("far-id", "far", "learned", "4", False, True, None, None, "a paper"),
    )
    shown = (
        PictureOrigin("zoo", "ant.png", 20 * "cd", 480, 640, "natural", None, "CC0", "a site"),
        PictureOrigin("zoo", "bee.png", 20 * "ef", 512, 512, "ai-generated", "SDXL", None, None),
        PictureOrigin("kodak", "k.png", 20 * "00", 1, 2, "natural", None, None, None),
    )
    known: Any = SimpleNamespace(
        runs=(origin(), origin(run_id=2, machine={"libraries": None})), codecs=codecs, pictures=shown
    )
    ran, coders, originals = provenance_tables(known, ["zoo"])
    assert texts(ran) == [
        ["1", "quick", "finished", "2026-02-03 04:05", "3", "40", "Ryzen, 16 cores, H200, Linux, Python 3.11",
         "numpy 1.26, torch 2.5"],
        ["2", "quick", "finished", "2026-02-03 04:05", "3", "40", ", ? cores, , Python ?", ""],
    ]  # fmt: skip
    assert [column.title for column in coders.columns] == [
        "codec", "family", "version", "weights, SHA-256", "trained on", "from", "id",
    ]  # fmt: skip
    assert texts(coders) == [
        ["zip", "classic", "1.2", "", "", "", "zip-id"],
        ["net (toy)", "learned", "3", "abababababababab", "kodak", "", "net-id"],
        ["far (imported)", "learned", "4", "", "", "a paper", "far-id"],
    ]
    assert texts(originals) == [
        ["ant.png", "zoo", "640 × 480", "natural", "CC0", "a site", "cdcdcdcdcdcdcdcd"],
        ["bee.png", "zoo", "512 × 512", "ai-generated: SDXL", "not stated", "", "efefefefefefefef"],
    ]
    assert not any(column.numeric for table in (ran, coders, originals) for column in table.columns)
    known.codecs = codecs[:1]
    assert [column.title for column in provenance_tables(known, [])[1].columns] == [
        "codec",
        "family",
        "version",
        "id",
    ]


@pytest.mark.parametrize(("count", "rows", "notes"), [(20, 20, ()), (21, 20, ("1 older runs.",))])
def test_older_runs_are_counted(count: int, rows: int, notes: tuple[str, ...]) -> None:
    known: Provenance = SimpleNamespace(
        runs=[origin(run_id=place) for place in range(count)], codecs=(), pictures=()
    )  # type: ignore[assignment]
    table = provenance_tables(known, [])[0]
    assert (len(table.rows), table.notes) == (rows, notes)


def test_latex_files_are_called_after_their_tables_and_stand_together(
    tmp_path: Path,
) -> None:
    def table(name: str) -> Table:
        return Table(name, (Column("A"),), (Row((Entry("1"),)),))

    sections = (
        Section("x", (table("One"), table("Two")), folded=(table("Three"),)),
        Section("y", (table("Four"),)),
    )
    paths = write_latex(Report(("zoo",), (), sections), tmp_path / "out")
    assert [path.name for path in paths] == ["one.tex", "two.tex", "three.tex", "four.tex"]
    assert (tmp_path / "out" / "tables.tex").read_text() == (
        "% needs \\usepackage{booktabs,graphicx}\n" + "\n".join(path.read_text() for path in paths)
    )
    (tmp_path / "file").write_text("")
    with pytest.raises(AnalysisError, match="cannot write"):
        write_latex(Report(("zoo",), (), sections), tmp_path / "file")


ORIGINAL = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
DECODED = (ORIGINAL + 70).astype(np.uint8)
FIRST, SECOND, THIRD = 64 * "a", 64 * "b", 64 * "c"


class Shelf:
    """A store that holds one picture and what three codecs made of it."""

    def cells(self, picture_sha256: str) -> list[Any]:
        hashes = (64 * "0", 64 * "d", SECOND) if picture_sha256 == FIRST else ()
        return [SimpleNamespace(decoded_sha256=sha256) for sha256 in hashes]

    def picture_paths(self) -> Mapping[str, str]:
        return {FIRST: "a.png"}


class Remade:
    """Remembers which pictures were asked for."""

    def __init__(self, **known: Any) -> None:
        self.asked: list[tuple[list[str], list[str]]] = []
        self.pixels = known.get("pixels", {FIRST: ORIGINAL, SECOND: DECODED})
        self.missing = known.get("missing", {})

    def __call__(self, _: Any, originals: Any, cells: Any) -> Any:
        self.asked.append((list(originals), [cell.decoded_sha256 for cell in cells]))
        return self


def gallery(remade: Remade) -> Gallery:
    return Gallery(lambda: Shelf(), remade)  # type: ignore[arg-type, return-value]


def pixels_of(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


def test_a_gallery_gives_the_very_pixels_and_asks_once() -> None:
    remade = Remade()
    shown = gallery(remade)
    assert np.array_equal(pixels_of(shown.picture(FIRST, None)), ORIGINAL)
    assert np.array_equal(pixels_of(shown.picture(FIRST, SECOND)), DECODED)
    assert np.array_equal(
        pixels_of(shown.map("difference", FIRST, SECOND)), difference_map(ORIGINAL, DECODED)
    )
    assert remade.asked == [([FIRST], []), ([FIRST], [SECOND]), ([FIRST], [SECOND])]
    shown.picture(FIRST, None)
    assert len(remade.asked) == 3


def test_a_large_picture_is_made_small_by_means_of_areas() -> None:
    large = np.repeat(np.repeat(ORIGINAL, 160, axis=0), 80, axis=1)
    remade = Remade(pixels={FIRST: large})
    shown = gallery(remade)
    small = pixels_of(shown.thumbnail(FIRST))
    assert np.array_equal(small, np.repeat(np.repeat(ORIGINAL, 40, axis=0), 20, axis=1))
    shown.thumbnail(FIRST)
    assert len(remade.asked) == 1


def test_a_gallery_forgets_what_was_not_looked_at_for_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    remade = Remade()
    shown = gallery(remade)
    sizes = [len(shown.picture(FIRST, None)), len(shown.picture(FIRST, SECOND))]
    monkeypatch.setattr(pictures, "KEPT_BYTES", sum(sizes))
    shown.picture(FIRST, None)  # the decoded picture is now the older one
    shown.map("difference", FIRST, SECOND)
    asked = len(remade.asked)
    shown.picture(FIRST, None)
    assert len(remade.asked) == asked
    shown.picture(FIRST, SECOND)
    assert len(remade.asked) == asked + 1
    monkeypatch.setattr(pictures, "KEPT_BYTES", 1)
    shown.map("difference", FIRST, SECOND)
    asked = len(remade.asked)
    shown.map("difference", FIRST, SECOND)  # the newest stays, however large
    assert len(remade.asked) == asked


def test_a_gallery_keeps_256_mebibytes() -> None:
    shown: Any = gallery(Remade())
    made: list[str] = []

    def once(name: str, size: int) -> None:
        shown._once(name, lambda: made.append(name) or range(size))

    half = 128 * 2**20
    for name, size in (("a", half), ("b", half), ("a", 0), ("c", 1), ("a", half), ("b", half)):
        once(name, size)
    # With c it is a byte too much, and b was not looked at for longest.
    assert made == ["a", "b", "c", "b"]


@pytest.mark.parametrize(
    ("original", "decoded", "known", "reason"),
    [
        (FIRST, THIRD, {}, "no measurement of this picture has these pixels any more"),
        (THIRD, None, {}, "no picture of the store has these pixels"),
        (FIRST, None, {"pixels": {}, "missing": {FIRST: "the file moved"}}, "the file moved"),
        (FIRST, SECOND, {"pixels": {FIRST: ORIGINAL}}, "the picture is not here"),
    ],
)
def test_a_picture_that_cannot_be_had_says_why(
    original: str, decoded: str | None, known: dict[str, Any], reason: str
) -> None:
    with pytest.raises(PictureLost, match=reason):
        gallery(Remade(**known)).picture(original, decoded)


def test_a_store_that_does_not_open_is_told() -> None:
    def fail() -> Store:
        raise StoreError("/home/me/arena.db is locked")

    with pytest.raises(PictureLost, match="the store cannot be read; the server's log says why"):
        Gallery(fail, Remade()).picture(FIRST, None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "status", "shown"),
    [
        (f"original/{FIRST}", 200, ORIGINAL),
        # What is small already is left as it is.
        (f"thumbnail/{FIRST}", 200, ORIGINAL),
        ("thumbnail/other", 404, "expected the SHA-256 of pixels"),
        (f"decoded/{FIRST}/{SECOND}", 200, DECODED),
        (f"map/difference/{FIRST}/{SECOND}", 200, difference_map(ORIGINAL, DECODED)),
        (f"map/heat/{FIRST}/{SECOND}", 404, "no such map"),
        (f"original/{FIRST[:-1]}", 404, "expected the SHA-256 of pixels"),
        (f"original/{FIRST}a", 404, "expected the SHA-256 of pixels"),
        (f"decoded/{FIRST}/{SECOND.upper()}", 404, "expected the SHA-256 of pixels"),
        (f"decoded/{FIRST}/{THIRD}", 404, "no measurement of this picture"),
    ],
)
def test_pictures_over_routes(path: str, status: int, shown: Any) -> None:
    answer = TestClient(Starlette(routes=routes(gallery(Remade())))).get(f"/look/{path}")
    assert answer.status_code == status
    if status == 200:
        assert np.array_equal(pixels_of(answer.content), shown)
        assert answer.headers["content-type"] == "image/png"
        assert "immutable" in answer.headers["cache-control"]
    else:
        assert answer.json()["error"].startswith(shown)
        assert answer.headers["cache-control"] == "no-store"


def test_a_difference_is_absolute_four_times_as_large_and_cut() -> None:
    before = np.array([[[10, 200, 0], [0, 255, 64]]], np.uint8)
    after = np.array([[[13, 195, 255], [63, 0, 0]]], np.uint8)
    assert difference_map(before, after).tolist() == [[[12, 20, 255], [252, 255, 255]]]
    assert np.array_equal(pixels_of(png(before)), before)


@pytest.mark.parametrize(
    ("host", "shown"), [("127.0.0.1", "http://127.0.0.1:8501"), ("::1", "http://[::1]:8501")]
)
def test_the_address_of_the_page(host: str, shown: str) -> None:
    assert address(host, 8501) == shown


def test_a_taken_port_is_refused_with_the_next_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(
            ServeError, match=rf"cannot listen on http://127.0.0.1:{port}.*; try --port {port + 1}"
        ):
            check_address("127.0.0.1", port)
    check_address("127.0.0.1", 0)  # any that is free
