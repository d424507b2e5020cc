"""The static report: one page that loads nothing, holds any name as text, zooms and prints."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import PATIENCE_MS, needs_chromium

from codecarena.bench.analysis.coverage import AnalysisError
from codecarena.bench.run.redecode import Remade, pictures
from codecarena.bench.store.store import Store
from codecarena.reports.charts.scale_figure import scale_chart
from codecarena.reports.charts.study_tables import record_table
from codecarena.reports.files import page as report_page
from codecarena.reports.files.page import html_page, page_sheets, write, write_latex
from codecarena.reports.files.page_pictures import page_sheet
from codecarena.reports.files.report import Chart, Report, Section, report
from codecarena.reports.tables.table import Column, Entry, Row, Table

NASTY = "<script>alert('x')</script> \"quoted\" & $x_1$ 😀 {{ 7*7 }} " + "w" * 200
WRITTEN = "<b>bold</b>"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, seeded_store: Path) -> Path:
    out = tmp_path_factory.mktemp("report") / "report.html"
    messages = write(str(seeded_store), pictures, out, out.parent / "tables")
    assert [line.split(" written")[0] for line in messages][1] == "report"
    return out


def test_a_report_is_one_file_that_names_no_other(written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    assert written.stat().st_size < 10_000_000
    loads = re.findall(r"""(?:src|href|action|srcset|data)\s*=\s*["']([^"']*)""", text)
    assert loads
    assert [address[:40] for address in loads if not address.startswith(("#", "data:image/"))] == []
    assert re.findall(r"@import|url\((?!#)", text) == []
    assert "default-src 'none'" in text
    for heading in ("Leaderboard", "Rate and distortion", "Pictures", "Method", "Provenance"):
        assert f"<h2>{heading}" in text


def test_every_table_becomes_latex(written: Path) -> None:
    folder = written.parent / "tables"
    files = {path.stem: path.read_text() for path in folder.glob("*.tex")}
    together = files.pop("tables")
    assert r"\input" not in together
    assert {"leaderboard-photos", "bd-rates-photos", "rates-photos", "front-photos", "wins-photos"} <= set(
        files
    )
    for name, text in files.items():
        assert text in together
        assert re.findall(r"\\label\{tab:(.+)\}", text) == [name]
    assert files["leaderboard-photos"].startswith("\\begin{table")
    assert "BD-rate against jpeg" in files["leaderboard-photos"]
    assert " Place " in files["leaderboard-photos"]


def test_latex_takes_any_name(tmp_path: Path) -> None:
    table = Table(
        NASTY, (Column("a_b", numeric=False), Column("%")), (Row((Entry("50 % & {x}"), Entry("−1"))),)
    )
    (path,) = write_latex(Report(("a",), (), (Section("x", (table,)),)), tmp_path / "new" / "folder")
    text = path.read_text(encoding="utf-8")
    assert r"50 \% \& \{x\} & $-$1 \\" in text
    assert r"\$x\_1\$" in text
    assert len(path.name) < 80


def test_files_are_called_alike_whatever_other_tables_and_titles_there_are(tmp_path: Path) -> None:
    def board(title: str) -> Table:
        return Table(title, (Column("Codec"),), (Row((Entry("zip"),)),), label="leaderboard-zoo")

    first = Section("x", (board("BD-rate against zip"), board("Scores at 0.5 bits per pixel")))
    second = Section("x", (Table("Failures", (Column("Codec"),), ()), board("Scores at 0.75 bits per pixel")))
    written = [
        [path.name for path in write_latex(Report(("a",), (), (section,)), tmp_path / str(place))]
        for place, section in enumerate((first, second))
    ]
    assert written == [
        ["leaderboard-zoo.tex", "leaderboard-zoo-2.tex"],
        ["failures.tex", "leaderboard-zoo.tex"],
    ]


def test_a_store_without_results_says_what_to_run(tmp_path: Path) -> None:
    from codecarena.bench.store.writer import StoreWriter

    StoreWriter(str(tmp_path / "arena")).close()
    with pytest.raises(AnalysisError, match="codecarena run quick"):
        write(str(tmp_path / "arena"), pictures, tmp_path / "report.html")
    with pytest.raises(AnalysisError, match=r"ends with \.html"):
        write(str(tmp_path / "arena"), pictures, tmp_path / "report.pdf")
    assert not (tmp_path / "report.html").exists()


def test_pictures_that_do_not_fit_are_named(seeded_store: Path) -> None:
    from codecarena.reports.files.contact_sheet import plan

    sheet = plan(Store(str(seeded_store)), at="bpp=0.5")
    assert len(sheet.bands) == 2
    flat = {
        sha256: np.full((40, 50, 3), 9, np.uint8)
        for band in sheet.bands
        for sha256 in (band.picture_sha256, *(pick.cell.decoded_sha256 for pick in band.picks if pick.cell))
    }
    whole = page_sheet(sheet, flat, {})
    assert len(whole.strips) == 2
    assert whole.left_out == ()
    size = sum(len(shot.source) for shot in whole.strips[0].shots)
    tight = page_sheet(sheet, flat, {}, size)
    assert len(tight.strips) == 1
    assert tight.left_out == (f"{sheet.bands[1].picture}: no room in a page of this size",)
    gone = page_sheet(sheet, {}, {sheet.bands[0].picture_sha256: "file moved"})
    assert gone.left_out[0] == f"{sheet.bands[0].picture}: file moved"


def nasty_report(store: Path) -> tuple[Report, list[report_page.PageSheet]]:
    """Return a report whose every text is a name that nobody should have chosen."""
    opened = Store(str(store))
    content = report(opened)
    sheets = page_sheets(opened, content, lambda *_: Remade())
    rows = [{"condition": NASTY, "JOD": "-1.00"}, {"condition": WRITTEN, "JOD": "-"}]
    table = record_table(NASTY, rows, [NASTY])
    figure = content.sections[1].charts[0].figure
    section = Section(NASTY, (table,), (Chart(figure, NASTY),), NASTY, (NASTY,), (table,))
    flat = np.full((40, 50, 3), 200, np.uint8)
    from codecarena.reports.files.contact_sheet import Band, Sheet

    cell = next(cell for cell in opened.cells())
    from codecarena.reports.files.contact_sheet import Pick

    pick = Pick(NASTY, True, cell, cell.bits_per_pixel)
    band = Band(NASTY, cell.picture_sha256, (pick, replace(pick, cell=None)))
    sheet = page_sheet(
        Sheet(NASTY, 0.5, (band,), ()), {cell.picture_sha256: flat, cell.decoded_sha256: flat}, {}
    )
    return Report((NASTY,), (NASTY,), (section, *content.sections)), [sheet, *sheets]


BROKEN_WORDS = """[...document.querySelectorAll(".arena thead button")].flatMap((button) => {
    const walker = document.createTreeWalker(button, NodeFilter.SHOW_TEXT), broken = [];
    while (walker.nextNode()) {
        for (const word of walker.currentNode.data.matchAll(/\\S+/g)) {
            const range = document.createRange();
            range.setStart(walker.currentNode, word.index);
            range.setEnd(walker.currentNode, word.index + word[0].length);
            if (range.getClientRects().length > 1) broken.push(word[0]);
        }
    }
    return broken; })"""
"""Words of headings that are broken over two lines."""


@pytest.mark.browser
@pytest.mark.xdist_group("browser")
@needs_chromium
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_the_page_in_a_browser_without_a_network(
    chromium: Any, written: Path, seeded_store: Path, tmp_path: Path
) -> None:
    nasty = tmp_path / "nasty.html"
    nasty.write_text(html_page(Store(str(seeded_store)), *nasty_report(seeded_store)), encoding="utf-8")
    troubles: list[str] = []
    asked: list[str] = []
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("dialog", lambda dialog: troubles.append(dialog.message))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(written.as_uri())
    assert page.get_by_role("heading", name="Leaderboard · photos").is_visible()
    assert page.locator("figure.chart svg").first.get_attribute("role") == "img"
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids)) > 50
    zoom(page)
    for width in (400, 1280):
        page.set_viewport_size({"width": width, "height": 850})
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")

    sorts(page)
    looks_dark(page)
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    # What is folded is not printed, and the paper says so; what the reader opened is.
    folded = page.locator("details:not(.suite)").first
    assert folded.locator("summary").is_visible()
    assert not folded.locator("table").is_visible()
    folded.evaluate("(one) => one.open = true")
    assert folded.locator("table").is_visible()
    folded.evaluate("(one) => one.open = false")
    assert page.evaluate(BROKEN_WORDS) == []
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    wide = """[...document.querySelectorAll("main > section table")]
        .filter((one) => one.checkVisibility() && one.scrollWidth > 1030).length"""
    page.set_viewport_size({"width": 1030, "height": 700})
    assert page.evaluate(wide) == 0

    page.emulate_media(media="screen")
    page.goto(nasty.as_uri())
    assert page.locator("script").count() == 1
    assert page.locator("main b", has_text="bold").count() == 0
    body = page.locator("body").text_content() or ""
    assert body.count("{{ 7*7 }}") > 8
    assert NASTY in body
    page.set_viewport_size({"width": 400, "height": 850})
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    context.close()
    assert troubles == []
    assert [url[:60] for url in asked if not url.startswith(("file:", "data:image/"))] == []


def sorts(page) -> None:
    """Sort a table by a heading, both ways; what has no number stays below."""
    grid = page.locator(".arena").first
    button = grid.get_by_role("button", name="BD-rate")
    column = button.evaluate("(one) => one.closest('th').cellIndex")
    orders = []
    for way in ("ascending", "descending"):
        button.click()
        assert grid.locator("th[aria-sort]").get_attribute("aria-sort") == way
        cells = grid.locator("tbody tr").evaluate_all(
            "(rows, column) => rows.map((row) => row.children[column].dataset.value ?? null)", column
        )
        numbers = [float(cell) for cell in cells if cell is not None]
        assert cells[len(numbers) :] == [None] * (len(cells) - len(numbers))
        orders.append(numbers)
    assert len(orders[0]) > 1
    assert orders[0] == sorted(orders[0]) == orders[1][::-1]


def looks_dark(page) -> None:
    """Look at the page by night: words and curves are light, the ground is dark; paper stays white."""
    line = """() => { const style = getComputedStyle; const body = style(document.body);
        const curve = [...document.querySelectorAll(".chart path")].find((one) =>
            one.getAttribute("style").includes("--0072b2"));
        return [body.backgroundColor, body.color, style(curve).stroke]; }"""
    light = ["rgb(255, 255, 255)", "rgb(34, 38, 44)", "rgb(0, 114, 178)"]
    assert page.evaluate(line) == light
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(line) == ["rgb(21, 24, 29)", "rgb(228, 231, 236)", "rgb(75, 163, 217)"]
    page.emulate_media(color_scheme="dark", media="print")
    assert page.evaluate(line) == light
    page.emulate_media(color_scheme="light", media="screen")


def zoom(page) -> None:
    """Enlarge a picture, walk on, look at the original, and leave, all by keyboard."""
    button = page.get_by_role("button", name=re.compile("Enlarge")).nth(1)
    button.focus()
    page.keyboard.press("Enter")
    shown = page.locator("#zoom-picture")
    name = page.locator("#zoom-name")
    first = name.text_content()
    assert shown.evaluate("(one) => getComputedStyle(one).imageRendering") == "pixelated"
    width = shown.evaluate("(one) => one.width")
    page.keyboard.press("+")
    assert shown.evaluate("(one) => one.width") == width * 4 / 3
    page.keyboard.down(" ")
    assert (name.text_content() or "").startswith("original")
    page.keyboard.up(" ")
    assert name.text_content() == first
    page.keyboard.press("ArrowRight")
    assert name.text_content() != first
    page.keyboard.press("Escape")
    assert not page.locator("#zoom").is_visible()


def test_a_scale_is_drawn_with_any_name() -> None:
    from codecarena.studies.design.simulation import Assumptions, simulate_votes
    from codecarena.studies.scale.scale import analyse

    assumed = Assumptions({NASTY: 0.0, "_hidden": 1.0, WRITTEN: 2.0}, raters=5, pictures=4)
    scale = analyse(simulate_votes(assumed, np.random.default_rng(1)), resamples=50)
    figure = scale_chart(scale, NASTY)
    labels = [tick_label.get_text() for tick_label in figure.axes[0].get_yticklabels()]
    assert "_hidden" in labels
    assert WRITTEN in labels
    assert len(max(labels, key=len)) == 28
    figure.canvas.draw()
