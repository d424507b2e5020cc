"""Write a report as one HTML file that needs nothing else: no server, no network, no other file."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ...bench.analysis.coverage import AnalysisError
from ...bench.records.rows import ScoredCell
from ...bench.store.provenance import Provenance, read_provenance
from ...bench.store.store import Store
from ...counts import counted
from ...visible_text import visible
from ..charts.inline_svg import dark_colours, inline_svg
from ..charts.study_tables import record_table
from ..tables import digits
from ..tables.latex import latex
from ..tables.markup import html_table
from ..tables.table import Table
from .contact_sheet import Sheet, plan
from .method import METHOD
from .page_pictures import BUDGET_BYTES, PageSheet, page_sheet
from .report import Chart, Report, report
from .sheet_drawing import Pixels

WEB = Path(__file__).parents[1] / "page_web"
NEWEST_RUNS = 20
"""Runs whose suites are shown in full."""


class RemadePictures(Protocol):
    """Pictures that were read or decoded again."""

    @property
    def pixels(self) -> Mapping[str, Pixels]:
        """By the hash of their pixels."""
        ...

    @property
    def missing(self) -> Mapping[str, str]:
        """Why there are none, by the same hash."""
        ...


Remake = Callable[[Store, Sequence[str], Sequence[ScoredCell]], RemadePictures]
"""Returns originals and decoded pictures; a function of the benchmark, which the command line passes in."""


def page_sheets(store: Store, content: Report, remake: Remake) -> list[PageSheet]:
    """Return the contact sheets of a report's image sets.

    Args:
        store: Where the pictures are from.
        content: Whose sets are shown.
        remake: Reads or decodes pictures.
    """
    sheets: list[Sheet] = []
    for name in content.image_sets:
        try:
            sheets.append(plan(store, image_set=name))
        except AnalysisError:
            continue  # a set with failures only
    drawn: list[PageSheet] = []
    for sheet in sheets:
        pictures = remake(store, [band.picture_sha256 for band in sheet.bands], sheet.cells)
        drawn.append(page_sheet(sheet, pictures.pixels, pictures.missing, BUDGET_BYTES // len(sheets)))
    return drawn


def html_page(store: Store, content: Report, sheets: Sequence[PageSheet] = ()) -> str:
    """Return the page.

    Args:
        store: For the machines and runs that the results come from.
        content: Sections in their order.
        sheets: Contact sheets by set, already cropped; their size adds to the page's.
    """
    known = read_provenance(store)
    script = page_script()
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        loader=FileSystemLoader(WEB), finalize=_visible,
    )  # fmt: skip
    return environment.get_template("page.html").render(
        title=f"codecarena: {', '.join(content.image_sets)}",
        report=content,
        sheets=sheets,
        has_toys=any(shot.toy for sheet in sheets for strip in sheet.strips for shot in strip.shots),
        toy_note=digits.TOY_NOTE,
        method=METHOD,
        provenance=provenance_tables(known, content.image_sets),
        runs=[run for run in known.runs if run.suite_text][:NEWEST_RUNS],
        version=version("codecarena"),
        written=datetime.now(UTC).isoformat(" ", "minutes")[:16],
        grid=lambda table: Markup(html_table(table)),
        drawing=_drawing,
        style=_text("page.css").replace("/* colours of drawings */", dark_colours()),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _visible(value: object) -> object:
    """Return what a page's template prints, text as `visible` has it; what is HTML already stays."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def page_script() -> str:
    """Return what the page does: it sorts tables as the pages of the dashboard do, and enlarges pictures."""
    sorting = (WEB.parent / "web" / "table.js").read_text(encoding="utf-8")
    return sorting.replace("export default function", "const sortable = function", 1) + _text("page.js")


@cache
def _text(name: str) -> str:
    return (WEB / name).read_text(encoding="utf-8")


def _drawing(chart: Chart, section: int, place: int) -> Markup:
    return Markup(inline_svg(chart.figure, f"chart{section}x{place}", chart.description))


def provenance_tables(known: Provenance, image_sets: Sequence[str]) -> list[Table]:
    """Return where the results of some image sets come from: runs, machines, codecs, pictures."""
    runs = [
        {
            "run": run.run_id,
            "suite": run.suite,
            "status": run.status,
            "started, UTC": run.started_at[:16].replace("T", " "),
            "workers": run.workers,
            "cells planned": run.planned_cells,
            "machine": _machine(run.machine),
            "versions": _versions(run.machine),
        }
        for run in known.runs[:NEWEST_RUNS]
    ]
    codecs = [
        {
            "codec": codec.label
            + (" (toy)" if codec.toy else "")
            + (" (imported)" if codec.imported else ""),
            "family": codec.family,
            "version": codec.version,
            "weights, SHA-256": (codec.weights_sha256 or "")[:16],
            "trained on": codec.trained_on or "",
            "from": codec.provenance or "",
            "id": codec.codec_id,
        }
        for codec in known.codecs
    ]
    pictures = [
        {
            "picture": picture.name,
            "set": picture.image_set,
            "size": f"{picture.width} × {picture.height}",
            "kind": picture.kind if picture.generator is None else f"{picture.kind}: {picture.generator}",
            "licence": picture.licence or "not stated",
            "source": picture.source or "",
            "pixels, SHA-256": picture.picture_sha256[:16],
        }
        for picture in known.pictures
        if picture.image_set in image_sets
    ]
    older = [f"{len(known.runs) - NEWEST_RUNS} older runs."] if len(known.runs) > NEWEST_RUNS else []
    return [
        record_table("Runs", runs, older, numeric=False),
        record_table("Codecs", _used(codecs), numeric=False),
        record_table("Pictures", pictures, numeric=False),
    ]


def _used(records: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return the records without keys that are empty in all of them."""
    used = {name for record in records for name, value in record.items() if value}
    return [{name: value for name, value in record.items() if name in used} for record in records]


def _machine(description: Mapping[str, object]) -> str:
    gpus = description.get("gpus")
    named = [str(description.get("cpu", "")), f"{description.get('cores', '?')} cores"]
    named += [str(gpu) for gpu in gpus] if isinstance(gpus, list) else []
    return ", ".join([*named, str(description.get("system", "")), f"Python {description.get('python', '?')}"])


def _versions(description: Mapping[str, object]) -> str:
    libraries = description.get("libraries")
    if not isinstance(libraries, dict):
        return ""
    return ", ".join(f"{name} {number}" for name, number in libraries.items())


def write(
    store: str,
    remake: Remake,
    out: Path | None,
    folder: Path | None = None,
    *,
    image_set: str | None = None,
    metrics: Sequence[str] = (),
    anchor: str | None = None,
) -> list[str]:
    """Write the page, the tables as LaTeX, or both; return a sentence on each.

    Args:
        store: A folder or a database URL.
        remake: Reads or decodes pictures.
        out: The page; None for none.
        folder: Of the LaTeX tables; None for none.
        image_set: See `report.report`.
        metrics: Likewise.
        anchor: Likewise.

    Raises:
        AnalysisError: The store holds no results, a name is not in it, or a file cannot be written.
    """
    if out is not None:
        _check_name(out)
    opened = Store(store)
    content = report(opened, image_set=image_set, metrics=metrics, anchor=anchor)
    lines: list[str] = []
    if folder is not None:
        tables = write_latex(content, folder)
        lines.append(f"{counted(len(tables), 'table')} written to {folder}; tables.tex holds them all")
    if out is not None:
        page = html_page(opened, content, page_sheets(opened, content, remake)).encode()
        try:
            out.write_bytes(page)
        except OSError as error:
            raise AnalysisError(f"cannot write {out}: {error}") from error
        lines.append(f"report written to {out} ({len(page) / 1e6:.1f} MB)")
    opened.close()
    return lines


def _check_name(out: Path) -> None:
    """Raise `AnalysisError` unless a page can go there, before any work is done for it."""
    if out.suffix.lower() not in (".html", ".htm"):
        raise AnalysisError(f"{out}: a report is one HTML page; expected a name that ends with .html")
    if not out.absolute().parent.is_dir():
        raise AnalysisError(f"cannot write {out}: there is no folder {out.absolute().parent}")


def write_latex(content: Report, folder: Path) -> list[Path]:
    r"""Write every table of a report into a file of its own, and ``tables.tex`` that holds them all.

    It holds them rather than inputting their files, whose names would be looked for beside the paper. A file
    is called after its table's label, whatever other tables there are and whatever the title says.

    Raises:
        AnalysisError: The folder cannot be written.
    """
    tables = [table for section in content.sections for table in (*section.tables, *section.folded)]
    written: dict[str, str] = {}
    for table in tables:
        stem = label = table.label or digits.file_name(table.title)
        number = 1
        while label in written:
            number += 1
            label = f"{stem}-{number}"
        written[label] = latex(replace(table, label=label))
    paths = [folder / f"{label}.tex" for label in written]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in zip(paths, written.values(), strict=True):
            path.write_text(text, encoding="utf-8")
        needs = "% needs \\usepackage{booktabs,graphicx}\n"
        (folder / "tables.tex").write_text(needs + "\n".join(written.values()), encoding="utf-8")
    except OSError as error:
        raise AnalysisError(f"cannot write {folder}: {error}") from error
    return paths
