"""Draw the scale of a study."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from ...studies.scale.scale_results import StudyScale
from .figures import EDGE, INK, PAGE, PIXELS_PER_INCH, Layout, finish, lettering
from .line_styles import distinct_labels
from .span_figure import LONGEST_NAME

WIDE, NARROW = "#8fb8d6", "#0072b2"
"""Colours of the two intervals: for other pictures as well, and for these pictures."""
SPANS_NOTE = "95 % intervals: dark for other raters, light for other pictures as well."


def scale_chart(scale: StudyScale, title: str, notes: Sequence[str] = (), layout: Layout = PAGE) -> Figure:
    """Return the values of a scale with both intervals, best condition on top.

    Args:
        scale: Of one study; its components are drawn one below the other.
        title: Above the chart.
        notes: Below the chart, after what the intervals are.
        layout: Size, letters, and what stands around the axes.
    """
    conditions = list(reversed(scale.conditions))
    thickness = layout.scale
    with lettering(layout):
        figure = Figure(dpi=PIXELS_PER_INCH, layout="constrained")
        axes = figure.subplots()
        for place, estimate in enumerate(conditions):
            for span, colour, width in (
                (estimate.by_rater_and_picture, WIDE, 3.0 * thickness),
                (estimate.by_rater, NARROW, 6.0 * thickness),
            ):
                if span is not None and span.low < span.high:
                    axes.plot([span.low, span.high], [place, place], color=colour, linewidth=width,
                              solid_capstyle="butt", zorder=2)  # fmt: skip
            axes.plot([estimate.value], [place], "o", color="white", markeredgecolor=INK,
                      markersize=6 * thickness, zorder=3)  # fmt: skip
        names = distinct_labels((condition.condition for condition in conditions), LONGEST_NAME)
        axes.set_yticks(range(len(names)), list(names.values()), parse_math=False)
        axes.grid(axis="y", visible=False)
        axes.axvline(0, color=EDGE, linewidth=thickness, zorder=1)
        axes.set_xlabel(scale.unit)
        finish(
            figure, layout, title=title, notes=[SPANS_NOTE, *notes],
            axes_inches=(0.75 + 0.34 * len(conditions)) * max(thickness, 0.8),
        )  # fmt: skip
    return figure
