"""Figures for print, of what the pages show: drawn, with their notes, and with what their files say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from ...bench.analysis.kind_effect import KindSplit
from ...bench.records.rows import MetricRow
from ...counts import counted
from ...studies.analysis.human_metrics import HumanAgreement
from ...studies.analysis.results import StudyResults
from ..charts import rd_figure, span_figure
from ..charts.chart_points import GROUPS, accuracy_points, kind_points
from ..charts.figures import PAGE, About, Format, Layout, SvgText, export
from ..charts.line_styles import line_styles
from ..charts.scale_figure import scale_chart
from ..charts.trades import COSTS, absent, trades
from ..tables import digits
from ..tables.leaderboard_columns import Cost
from ..tables.leaderboard_tables import RatePoint
from ..tables.reasons import shared_notes
from ..tables.selection import Selection
from .curve_files import published_note

SIMULATED_NOTE = "Simulated raters: programs answered, no person did."


@dataclass(frozen=True, slots=True)
class Printed:
    """A figure and what its file says of it."""

    figure: Figure
    about: About
    notes: tuple[str, ...] = ()
    """What a reader must know of it; they stand below it where its layout has notes."""

    def file(self, form: Format, svg_text: SvgText = "font") -> bytes:
        """Return the figure as a file.

        Args:
            form: Of the file.
            svg_text: Whether words in SVG are text or outlines.
        """
        return export(self.figure, form, self.about, svg_text)


def curves(
    selection: Selection,
    metric: MetricRow,
    points: Sequence[RatePoint],
    published: Sequence[RatePoint] = (),
    *,
    picture: str | None = None,
    logarithmic: bool = True,
    layout: Layout = PAGE,
    rates: tuple[float, float] | None = None,
    scores: tuple[float, float] | None = None,
) -> Printed:
    """Return rate-distortion curves.

    Args:
        selection: That the points are of; all of its codecs share out the colours.
        metric: Of the scores.
        points: Measured here.
        published: Measured elsewhere.
        picture: Whose curves they are; None for mean curves.
        logarithmic: Whether the rate axis is.
        layout: Size, letters, and what stands around the axes.
        rates: Ends of the rate axis; all that is drawn if absent.
        scores: Ends of the other axis.
    """
    over = f"means over {digits.counted(len(selection.comparison(metric).shared.pictures), 'picture')}"
    notes = [published_note(selection, metric, picture)] * bool(published)
    if picture is None:
        notes += shared_notes(selection.comparison(metric), selection.picture_names)
    title = selection.title(metric)
    figure = rd_figure.rate_distortion(
        points, line_styles(grid.codec.label for grid in selection.grids), metric=title,
        unit=digits.unit_of(metric), better=metric.better,
        title=f"{selection.image_set}: {picture or over}", decibels=metric.curve_scale == "decibel",
        logarithmic=logarithmic, published=published, notes=notes, layout=layout, rates=rates, scores=scores,
    )  # fmt: skip
    intervals = [rd_figure.INTERVALS_NOTE] * any(point.low is not None for point in points)
    about = _about(f"{title} over rate", selection, metric, picture or over)
    return Printed(figure, about, (*intervals, *notes))


def costs(
    selection: Selection,
    metric: MetricRow,
    anchor: str,
    costs_by_codec: Mapping[str, Cost],
    by: str,
    layout: Layout = PAGE,
) -> Printed | None:
    """Return BD-rates over what codecs cost, or None where no codec has both.

    Args:
        selection: Whose codecs are compared.
        metric: Of the BD-rates.
        anchor: Label or id of the codec whose BD-rate is 0.
        costs_by_codec: By codec id.
        by: One of `trades.COSTS`.
        layout: Size, letters, and what stands around the axes.
    """
    board = selection.board(metric, anchor)
    points = trades(board, costs_by_codec, by)
    if not points:
        return None
    notes = absent(board, costs_by_codec, by)
    title = f"{selection.image_set}: BD-rate by {selection.title(metric)}"
    figure = span_figure.trade(
        points, line_styles(grid.codec.label for grid in selection.grids), cost=COSTS[by],
        gain=f"BD-rate against {board.anchor} (%)", less_is_better=True, title=title, notes=notes,
        layout=layout,
    )  # fmt: skip
    about_cost = f"BD-rate over {COSTS[by][0].lower()}{COSTS[by][1:]}"
    about = _about(about_cost, selection, metric, f"against {board.anchor}")
    return Printed(figure, about, (span_figure.FRONT_NOTE, *notes))


def kinds(
    selection: Selection, metric: MetricRow, anchor: str, split: KindSplit, layout: Layout = PAGE
) -> Printed | None:
    """Return BD-rates on natural beside those on AI-generated pictures, or None where there are none.

    Args:
        selection: Whose pictures they are.
        metric: Of the BD-rates.
        anchor: Label of the codec whose BD-rate is 0.
        split: Both kinds under the metric.
        layout: Size, letters, and what stands around the axes.
    """
    points = kind_points(split)
    if not points:
        return None
    notes = ["Bars: 95 % intervals over pictures."] * any(point.low is not None for point in points)
    if split.statement:
        notes.append(split.statement[0].upper() + split.statement[1:] + ".")
    figure = span_figure.spans(
        points, axis=f"BD-rate against {anchor} by {selection.title(metric)} (%)", groups=GROUPS,
        title=f"{selection.image_set}: natural against AI-generated pictures", notes=notes, layout=layout,
    )  # fmt: skip
    about = _about("BD-rate on natural and AI-generated pictures", selection, metric, f"against {anchor}")
    return Printed(figure, about, tuple(notes))


def people(
    study: StudyResults,
    agreement: HumanAgreement,
    titles: Mapping[str, str],
    layout: Layout = PAGE,
    of: str = "",
) -> Printed:
    """Return how many votes of a study each metric predicts.

    Args:
        study: Whose votes they are.
        agreement: Of the metrics with the votes.
        titles: Of metrics, by name.
        layout: Size, letters, and what stands around the axes.
        of: Which part of the votes they are; empty for all.
    """
    ceiling = 100 * agreement.ceiling
    notes = [
        f"{counted(agreement.votes, 'vote')}{f' ({of})' if of else ''}; bars: 95 % intervals over "
        "raters and pictures. "
        f"Dashed: what no metric can pass on these votes, {ceiling:.0f} %.",
        *[SIMULATED_NOTE] * study.simulated,
    ]
    figure = span_figure.spans(
        accuracy_points(agreement, titles), axis="votes predicted (%)", groups=("accuracy",),
        title=f"{study.label}: metrics against people", zero=False, ceiling=ceiling, notes=notes,
        layout=layout,
    )  # fmt: skip
    subject = f"Study {study.label}; {counted(agreement.votes, 'vote')}"
    return Printed(figure, About("Metrics against people", subject, (study.label,)), tuple(notes))


def scale(study: StudyResults, layout: Layout = PAGE) -> Printed:
    """Return a study's scale of all raters.

    Args:
        study: With its results.
        layout: Size, letters, and what stands around the axes.
    """
    outcome = study.outcomes[0]
    notes = [SIMULATED_NOTE] * study.simulated
    figure = scale_chart(outcome.scale, f"{study.label}: {outcome.title}", notes, layout)
    about = About(
        f"Scale of {study.label}", f"Study {study.label}; {counted(study.votes, 'vote')}", (study.label,)
    )
    return Printed(figure, about, tuple(notes))


def _about(title: str, selection: Selection, metric: MetricRow, detail: str) -> About:
    subject = f"Image set {selection.image_set}; {metric.name} of {metric.implementation} {metric.version}"
    return About(title, f"{subject}; {detail}", (selection.image_set, selection.title(metric)))
