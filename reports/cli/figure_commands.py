"""The command that draws figures for papers; what costs time to import is imported inside."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ...bench.options import STORE, StoreOption
from ...visible_text import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...bench.store.store import Store
    from ...studies.analysis.results import StudyResults
    from ..charts.figures import Layout
    from ..files.printed_figures import Printed
    from ..tables.selection import Selection

app = typer.Typer()

Kind = Literal["rd", "cost", "kinds", "people", "scale"]
FORMS = (".pdf", ".svg", ".png")


class FigureError(Exception):
    """A figure cannot be drawn; the message says what to do."""


@app.command()
def figure(
    kind: Annotated[
        Kind,
        typer.Argument(
            metavar="rd|cost|kinds|people|scale",
            help="Rate-distortion curves; BD-rate over cost; natural against AI-generated; metrics against "
            "people; a study's scale.",
        ),
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT.pdf", help="File to write: .pdf, .svg or .png.")],
    store: StoreOption = STORE,
    image_set: Annotated[
        str | None, typer.Option("--set", help="Image set; the first that has what is drawn, if absent.")
    ] = None,
    metric: Annotated[
        str | None, typer.Option("--metric", "-m", help="Metric; the preferred one if absent.")
    ] = None,
    anchor: Annotated[
        str | None, typer.Option("--anchor", help="Codec that BD-rates are given against.")
    ] = None,
    codec: Annotated[
        list[str] | None, typer.Option("--codec", help="rd: only this codec; more by more of them.")
    ] = None,
    picture: Annotated[
        str | None, typer.Option("--picture", help="rd: curves of this picture instead of means.")
    ] = None,
    published: Annotated[
        list[str] | None, typer.Option("--published", help="rd: an imported curve to draw as well.")
    ] = None,
    linear: Annotated[bool, typer.Option("--linear", help="rd: rates on a linear axis.")] = False,
    rates: Annotated[
        str | None, typer.Option("--rates", help="rd: ends of the rate axis in bits per pixel: 0.05..2.")
    ] = None,
    scores: Annotated[
        str | None, typer.Option("--scores", help="rd: ends of the other axis, as metric scores: 20..90.")
    ] = None,
    by: Annotated[
        Literal["decode", "decode-cpu", "encode", "decoder"] | None,
        typer.Option("--by", help="cost: which; the first that is known if absent."),
    ] = None,
    study: Annotated[
        str | None, typer.Option("--study", help="people, scale: a study; the newest if absent.")
    ] = None,
    column: Annotated[
        int | None,
        typer.Option("--column", min=1, max=2, help="Columns of a paper that it is as wide as."),
    ] = None,
    title: Annotated[bool, typer.Option(help="A title above the axes.")] = True,
    notes: Annotated[bool, typer.Option(help="Notes below; --no-notes prints them, for the caption.")] = True,
    font: Annotated[str | None, typer.Option("--font", help="Name of an installed font.")] = None,
    svg_text: Annotated[
        Literal["font", "paths"],
        typer.Option("--svg-text", help="Words of an SVG: text in the named font, or outlines."),
    ] = "font",
) -> None:
    """Draw a figure for a paper; its file says which set, metric and version of codecarena it is of."""
    if out.suffix.lower() not in FORMS:
        raise FigureError(f"{out}: expected a name that ends with .pdf, .svg or .png")
    if not out.absolute().parent.is_dir():
        raise FigureError(f"cannot write {out}: there is no folder {out.absolute().parent}")
    ends = _ends(rates, "--rates", "0.05..2"), _ends(scores, "--scores", "20..90")
    from ...bench.store.store import Store

    layout = _layout(column, title, notes, font)
    with closing(Store(store)) as opened:
        match kind:
            case "rd":
                drawn = _curves(
                    opened, image_set, metric, codec or (), picture, published or (), linear, ends, layout
                )
            case "cost":
                drawn = _costs(opened, image_set, metric, anchor, by, layout)
            case "kinds":
                drawn = _kinds(opened, image_set, metric, anchor, layout)
            case "people" | "scale":
                drawn = _study(opened, study, kind, layout)
    form = out.suffix.lower()[1:]
    try:
        out.write_bytes(drawn.file(form, svg_text))  # pyright: ignore[reportArgumentType] -- one of FORMS
    except OSError as error:
        raise FigureError(f"cannot write {out}: {error.strerror}") from error
    width, height = drawn.figure.get_size_inches()
    say(f"figure written to {out} ({width:.2f} x {height:.2f} inches)")
    if not notes:
        for note in drawn.notes:
            say(note)


def _ends(text: str | None, option: str, example: str) -> tuple[float, float] | None:
    if text is None:
        return None
    low, dots, high = text.partition("..")
    try:
        ends = float(low), float(high)
    except ValueError:
        ends = (0.0, 0.0)
    if not dots or ends[0] == ends[1] or (option == "--rates" and min(ends) < 0):
        raise FigureError(f"{option} {text!r}: expected two different numbers, such as {example}")
    return ends


def _layout(column: int | None, title: bool, notes: bool, font: str | None) -> Layout:
    import matplotlib.font_manager

    from ..charts.figures import COLUMNS, PAGE

    layout = replace(COLUMNS[column] if column else PAGE, title=title, notes=notes)
    if font is None:
        return layout
    known = sorted({entry.name for entry in matplotlib.font_manager.fontManager.ttflist})
    chosen = next((name for name in known if name.lower() == font.lower()), None)
    if chosen is None:
        raise FigureError(f"--font {font!r}: no such font is installed; there are {', '.join(known)}")
    return replace(layout, font=chosen)


def _selection(store: Store, image_set: str | None) -> Selection:
    from ..tables.selection import selections

    chosen = selections(store, image_set)
    scored = [selection for selection in chosen if selection.metrics]
    if not scored:
        raise FigureError("the store has no scores yet; run a suite first: codecarena run quick")
    return scored[0]


def _curves(
    store: Store,
    image_set: str | None,
    metric_name: str | None,
    codecs: Sequence[str],
    picture: str | None,
    published: Sequence[str],
    linear: bool,
    ends: tuple[tuple[float, float] | None, tuple[float, float] | None],
    layout: Layout,
) -> Printed:
    from ...bench.store.derived_cache import Derived
    from ...bench.store.imports import read_published
    from ..files import printed_figures
    from ..files.curve_files import picture_points, published_points
    from ..tables.evidence import curve_points
    from ..tables.leaderboard_tables import rate_points

    selection = _selection(store, image_set)
    metric = selection.chosen_metrics([metric_name] if metric_name else ())[0]
    if picture is None:
        points = rate_points(selection, metric, curve_points(selection, metric, Derived(store)))[0]
    else:
        _check(picture, [known.name for known in selection.columns.pictures], "picture")
        points = picture_points(selection, metric, picture)
    labels = sorted({point.codec for point in points})
    for codec in codecs:
        _check(codec, labels, "codec with a curve")
    overlays = published_points(read_published(store), selection.image_set, metric)
    for name in published:
        _check(f"{name} (published)", sorted({overlay.codec for overlay in overlays}), "published curve")
    points = [point for point in points if not codecs or point.codec in codecs]
    if not points:
        raise FigureError(
            f"{selection.image_set} has no curve of {selection.title(metric)} yet: no picture is finished by "
            "all codecs; --picture NAME draws those of one picture"
        )
    chosen = [overlay for overlay in overlays if overlay.codec.removesuffix(" (published)") in published]
    return printed_figures.curves(
        selection, metric, points, chosen, picture=picture, logarithmic=not linear, layout=layout,
        rates=ends[0], scores=ends[1],
    )  # fmt: skip


def _check(name: str, known: Sequence[str], noun: str) -> None:
    if name not in known:
        raise FigureError(f"there is no {noun} {name!r} here; there are {', '.join(known) or 'none'}")


def _costs(
    store: Store,
    image_set: str | None,
    metric_name: str | None,
    anchor: str | None,
    by: str | None,
    layout: Layout,
) -> Printed:
    from ...bench.store.timings import footprints, timings
    from ..charts.trades import COSTS
    from ..files import printed_figures
    from ..tables.leaderboard_columns import costs

    selection = _selection(store, image_set)
    metric = selection.chosen_metrics([metric_name] if metric_name else ())[0]
    codec_costs = costs(timings(store, selection.image_set), footprints(store))
    for cost in [by] if by else list(COSTS):
        drawn = printed_figures.costs(
            selection, metric, anchor or selection.usual_anchor or "", codec_costs, cost, layout
        )
        if drawn:
            return drawn
    raise FigureError(
        f"no codec of {selection.image_set} has both a BD-rate and "
        f"{'this cost' if by else 'a cost'}; time a suite at a quiet moment: codecarena time SUITE"
    )


def _kinds(
    store: Store, image_set: str | None, metric_name: str | None, anchor: str | None, layout: Layout
) -> Printed:
    from ...bench.store.derived_cache import Derived
    from ..files import printed_figures
    from ..tables.evidence import kind_split
    from ..tables.selection import Selection, StoredColumns, choose_sets

    choose_sets(store, image_set)
    selection = Selection(StoredColumns(store, image_set))
    if not {"natural", "ai-generated"} <= set(selection.source.kinds):
        raise FigureError(
            "expected natural and AI-generated pictures; "
            f"{'the store' if image_set is None else image_set} has {selection.source.kinds or 'none'}"
        )
    chosen = selection.chosen_metrics([metric_name] if metric_name else ())
    name = anchor or selection.usual_anchor
    if not chosen or name is None:
        raise FigureError("the store has no scores yet; run a suite first: codecarena run quick")
    split = kind_split(selection, chosen[0], name, "pchip", Derived(store))
    drawn = printed_figures.kinds(selection, chosen[0], name, split, layout)
    if drawn is None:
        raise FigureError(f"no codec has a BD-rate against {name} on either kind of picture")
    return drawn


def _study(store: Store, name: str | None, kind: Literal["people", "scale"], layout: Layout) -> Printed:
    from ...studies.analysis.results import stored_results
    from ..files import printed_figures
    from ..tables import digits

    studies = stored_results(store) if store.has_studies() else ()
    study = _chosen_study(studies, name)
    if kind == "scale":
        return printed_figures.scale(study, layout)
    if study.analysis.metrics is None:
        raise FigureError(
            "what raters saw has no scores yet: "
            f"codecarena study score {study.study} --metric ssimulacra2, then study report {study.study}"
        )
    stored = store.metrics()
    titles = {metric.name: digits.metric_title(metric, stored) for metric in stored}
    return printed_figures.people(study, study.analysis.metrics.whole, titles, layout)


def _chosen_study(studies: Sequence[StudyResults], name: str | None) -> StudyResults:
    if not studies:
        raise FigureError("no study of this store has results yet: codecarena study report NAME")
    if name is not None:
        _check(name, [study.study for study in studies], "study with results")
    return next(study for study in reversed(studies) if name in (None, study.study))
