"""Draw values with their intervals, and gains over costs, for print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from .chart_points import SpanPoint, TradePoint
from .figures import EDGE, INK, PAGE, PIXELS_PER_INCH, Layout, finish, lettering
from .line_styles import COLOURS, MARKERS, LineStyle, distinct_labels

LONGEST_NAME = 28
"""Characters of a name beside an axis; a longer one would leave no room for the values."""
FRONT_NOTE = "Dashed: codecs that no other one beats in both."
GROUP_COLOURS = (COLOURS[0], COLOURS[1], COLOURS[2], COLOURS[6])


def spans(
    points: Sequence[SpanPoint],
    *,
    axis: str,
    groups: Sequence[str],
    title: str = "",
    zero: bool = True,
    ceiling: float | None = None,
    notes: Sequence[str] = (),
    layout: Layout = PAGE,
) -> Figure:
    """Return values with their intervals, one line for each name, groups in colours.

    Args:
        points: Values with their intervals; ``name`` and ``group`` together are unique.
        axis: Title of the value's axis.
        groups: In their order; at most four.
        title: Above the chart.
        zero: Whether a line stands at zero.
        ceiling: Value that none can pass, drawn as a dashed line; None for none.
        notes: Below the chart.
        layout: Size, letters, and what stands around the axes.
    """
    names = list(dict.fromkeys(point.name for point in points))
    drawn_groups = [group for group in groups if any(point.group == group for point in points)]
    scale = layout.scale
    with lettering(layout):
        figure = Figure(dpi=PIXELS_PER_INCH, layout="constrained")
        axes = figure.subplots()
        for point in points:
            group, count = groups.index(point.group), len(drawn_groups)
            step = drawn_groups.index(point.group) - (count - 1) / 2
            height = names.index(point.name) + step * 0.7 / count
            colour = GROUP_COLOURS[group]
            if point.low is not None and point.high is not None:
                axes.plot([point.low, point.high], [height, height], color=colour, alpha=0.45,
                          linewidth=3 * scale, solid_capstyle="butt", zorder=2)  # fmt: skip
            axes.plot([point.value], [height], MARKERS[group], color=colour, markersize=6 * scale, zorder=3)
        shown = distinct_labels(names, LONGEST_NAME)
        axes.set_yticks(range(len(names)), [shown[name] for name in names], parse_math=False)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.grid(axis="y", visible=False)
        if zero:
            axes.axvline(0, color=EDGE, linewidth=scale, zorder=1)
        if ceiling is not None:
            axes.axvline(ceiling, color=INK, linewidth=scale, linestyle=(0, (4, 3)), zorder=1)
        axes.set_xlabel(axis, parse_math=False)
        samples = {
            group: Line2D([], [], color=GROUP_COLOURS[place], marker=MARKERS[place], linestyle="",
                          markersize=6 * scale)
            for place, group in enumerate(groups)
            if group in drawn_groups
        }  # fmt: skip
        lines = len(names) * (1 if len(drawn_groups) == 1 else 1.5)
        finish(
            figure, layout, title=title, samples=samples if len(groups) > 1 else None, notes=notes,
            axes_inches=(0.75 + 0.3 * lines) * max(scale, 0.8),
        )  # fmt: skip
    return figure


def trade(
    points: Sequence[TradePoint],
    styles: Mapping[str, LineStyle],
    *,
    cost: str,
    gain: str,
    less_is_better: bool,
    title: str = "",
    notes: Sequence[str] = (),
    layout: Layout = PAGE,
) -> Figure:
    """Return gains over costs on a logarithmic axis, with the Pareto front as a line.

    Args:
        points: One for each codec.
        styles: From `line_styles`, by label, of all codecs of the set.
        cost: Title of the horizontal axis.
        gain: Title of the vertical axis.
        less_is_better: Whether the vertical axis is turned, as for BD-rates.
        title: Above the chart.
        notes: Below the chart.
        layout: Size, letters, and what stands around the axes.
    """
    scale = layout.scale
    with lettering(layout):
        figure = Figure(dpi=PIXELS_PER_INCH, layout="constrained")
        axes = figure.subplots()
        front = sorted((point.cost, point.gain) for point in points if point.on_front)
        axes.plot(*zip(*front, strict=True), color=INK, linewidth=scale, linestyle=(0, (4, 3)), zorder=1)
        samples: dict[str, Line2D] = {}
        for point in sorted(points, key=lambda point: point.gain if less_is_better else -point.gain):
            # By marker and colour: names beside the points would lie upon each other.
            look = styles[point.codec]
            drawn = Line2D(
                [point.cost], [point.gain], color=look.colour, marker=look.marker, linestyle="",
                markersize=(8 if point.on_front else 5.5) * scale, zorder=2,
                fillstyle="full" if look.dashes == (1, 0) else "none",
            )  # fmt: skip
            samples[point.codec] = axes.add_line(drawn)
        axes.autoscale_view()
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        if less_is_better:
            axes.invert_yaxis()
        axes.set_xlabel(f"{cost}, logarithmic", parse_math=False)
        axes.set_ylabel(gain, parse_math=False)
        finish(figure, layout, title=title, samples=samples, notes=[FRONT_NOTE, *notes])
    return figure
