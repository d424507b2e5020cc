"""Give figures for print their size, lettering, legend and notes, and write them as SVG, PDF or PNG."""

from __future__ import annotations

import io
import textwrap
import warnings
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.textpath import text_to_path

from .lettering import writable
from .line_styles import LineStyle, distinct_labels

Format = Literal["svg", "pdf", "png"]
SvgText = Literal["font", "paths"]
"""Whether the words of an SVG are text, which a viewer's font draws and a search finds, or outlines."""

INK, FAINT, EDGE, GRID = "#30343b", "#5f6670", "#8a8f98", "#e6e8eb"
MOST_COLUMNS = 4
"""Of a legend."""
MOST_ROWS = 24
"""Of a legend whose names stand whole."""
MOST_TITLE_LINES = 2
PIXELS_PER_INCH = 200
PNG_PIXELS_PER_INCH = 300
POINTS_PER_INCH = 72


@dataclass(frozen=True, slots=True)
class Layout:
    """How large a figure is and what stands around its axes."""

    width_inches: float = 6.6
    axes_inches: float = 4.2
    """Height without title, legend and notes."""
    points: float = 11
    """Size of the letters; legend, ticks and notes are smaller."""
    title: bool = True
    notes: bool = True
    font: str = "DejaVu Sans"

    @property
    def scale(self) -> float:
        """How large lines and letters are beside those of a chart on a page."""
        return self.points / 11


PAGE = Layout()
"""For a page in the browser, or a slide."""
COLUMNS = {
    1: Layout(width_inches=3.5, axes_inches=2.4, points=8),
    2: Layout(width_inches=7.16, axes_inches=3.4, points=8),
}
"""For one or two columns of a paper, whose figures are set unscaled."""


@dataclass(frozen=True, slots=True)
class About:
    """What a figure shows, as its file says."""

    title: str
    subject: str = ""
    """Image set, metric, pictures."""
    keywords: tuple[str, ...] = field(default=())


@contextmanager
def lettering(layout: Layout) -> Generator[None]:
    """Draw with the lines and letters of a layout until the block ends."""
    scale = layout.scale
    style: dict[str, Any] = {  # Any: Matplotlib's settings have values of many types
        "font.family": [layout.font, "DejaVu Sans"],
        "axes.edgecolor": EDGE,
        "axes.labelcolor": INK,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "grid.color": GRID,
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
    }
    sizes = {
        "font.size": layout.points,
        "axes.labelsize": layout.points,
        "xtick.labelsize": 0.92 * layout.points,
        "ytick.labelsize": 0.92 * layout.points,
        "legend.fontsize": 0.92 * layout.points,
        "axes.linewidth": 1.1 * scale,
        "grid.linewidth": scale,
        "xtick.major.size": 0,
        "ytick.major.size": 0,
        "xtick.minor.size": 0,
        "ytick.minor.size": 0,
    }
    with sns.axes_style("whitegrid", style), sns.plotting_context("paper", rc=sizes):
        yield


def sample(look: LineStyle, scale: float = 1.0) -> Line2D:
    """Return what stands before a codec's name.

    A line's own sample would be left out of a legend where the name begins with an underscore.
    """
    return Line2D(
        [], [], color=look.colour, marker=look.marker, linestyle=(0, look.dashes), linewidth=1.8 * scale,
        markersize=6 * scale, markeredgecolor="white",
    )  # fmt: skip


def finish(
    figure: Figure,
    layout: Layout,
    *,
    title: str = "",
    samples: Mapping[str, Line2D] | None = None,
    notes: Sequence[str] = (),
    axes_inches: float | None = None,
) -> None:
    """Put title, legend and notes around the axes of a figure, which grows by their heights.

    No name of a legend is cut: it takes fewer columns where names are long, and more lines where one is
    longer than the figure is wide. In a legend of very many, names keep what tells them apart.

    Args:
        figure: With one axes.
        layout: Its width and letters.
        title: Above the axes, where the layout has titles.
        samples: By name, in their order; None for no legend.
        notes: Below all, where the layout has notes.
        axes_inches: Height of the axes with their labels; the layout's if absent.
    """
    small = 0.92 * layout.points
    note_lines = [
        line for note in (notes if layout.notes else ()) for line in _lines(note, layout, 0.85 * small)
    ]
    note_points = len(note_lines) * 0.85 * small * 1.25 + (4 if note_lines else 0)
    columns, names = _columns(list(samples or {}), layout, small)
    places = _split(len(names), columns)
    rows = max((sum(1 + names[place].count("\n") for place in column) for column in places), default=0)
    legend_points = rows * small * 1.38 + (6 if names else 0)
    title_lines = _title_lines(title, layout) if layout.title else []
    title_points = layout.points + layout.scale
    around = note_points + legend_points + len(title_lines) * title_points * 1.3
    height = (axes_inches or layout.axes_inches) + around / POINTS_PER_INCH
    figure.set_size_inches(layout.width_inches, height)
    below = (note_points + legend_points) / POINTS_PER_INCH / height
    engine = figure.get_layout_engine()
    assert engine is not None, "drawn with layout='constrained'"
    engine.set(rect=(0, below, 1, 1 - below))  # pyright: ignore[reportCallIssue] -- the stub knows no engine
    margin = 4 / POINTS_PER_INCH
    if title_lines:
        figure.suptitle(
            "\n".join(title_lines), x=margin / layout.width_inches, ha="left", fontsize=title_points,
            parse_math=False,
        )  # fmt: skip
    if note_lines:
        figure.text(
            margin / layout.width_inches, margin / height, "\n".join(note_lines),
            fontsize=0.85 * small, color=FAINT, va="bottom", linespacing=1.25, parse_math=False,
        )  # fmt: skip
    if names and samples:
        legend = figure.legend(
            list(samples.values()), names, loc="lower center", ncols=columns, frameon=False, handlelength=2.8,
            labelspacing=0.35, borderpad=0, borderaxespad=0, columnspacing=1.6,
            bbox_to_anchor=(0.5, note_points / POINTS_PER_INCH / height + margin / height),
        )  # fmt: skip
        for text in legend.get_texts():
            text.set_parse_math(False)  # a name may hold dollar signs


def _width(text: str, layout: Layout, points: float) -> float:
    """Return how wide a line of text is, in points."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(?s)Glyph .* missing from font")  # `export` replaces it
        font = FontProperties(family=[layout.font, "DejaVu Sans"], size=points)
        return text_to_path.get_text_width_height_descent(text or " ", font, ismath=False)[0]


def _columns(names: Sequence[str], layout: Layout, points: float) -> tuple[int, list[str]]:
    """Return in how many columns a legend fits, and its names.

    Names stand whole as long as the legend is not much higher than the axes, a long one in several lines; in
    a higher one they are shortened to what tells them apart, as far as that spares rows.
    """
    room = layout.width_inches * POINTS_PER_INCH - 12
    # Handle, its distance from the name, and the distance between columns, in letters' heights.
    beside = (2.8 + 0.8 + 1.6) * points

    def fit(shown: Sequence[str], columns: int) -> bool:
        widths = [_width(name, layout, points) + beside for name in shown]
        places = _split(len(shown), columns)
        return sum(max(widths[place] for place in column) for column in places) <= room + 1.6 * points

    most = min(MOST_COLUMNS, len(names))
    columns = next((columns for columns in range(most, 1, -1) if fit(names, columns)), 1)
    shown = list(names)
    for more in range(columns + 1, most + 1):
        if len(names) <= MOST_ROWS * columns:
            break
        letter = max(_width(name, layout, points) / len(name) for name in names if name)
        shorter = list(distinct_labels(names, max(int((room / more - beside) / letter), 8)).values())
        if fit(shorter, more):
            columns, shown = more, shorter
    if columns > 1:
        return columns, shown
    return 1, ["\n".join(_lines(name, layout, points, room - beside)) for name in shown]


def _split(count: int, columns: int) -> list[list[int]]:
    """Return which places stand in each column of a legend, as matplotlib fills them."""
    return [[int(place) for place in column] for column in np.array_split(np.arange(count), columns)]


def _lines(text: str, layout: Layout, points: float, room: float | None = None) -> list[str]:
    """Return a text in lines that fit into a figure, or into some points of its width."""
    room = layout.width_inches * POINTS_PER_INCH - 12 if room is None else room
    width = _width(text, layout, points)
    letters = len(text) if width <= room else max(8, int(len(text) * room / width) - 2)
    return textwrap.wrap(text, max(letters, 1))


def _title_lines(title: str, layout: Layout) -> list[str]:
    lines = _lines(title, layout, layout.points + layout.scale)
    if len(lines) > MOST_TITLE_LINES:
        lines = [*lines[: MOST_TITLE_LINES - 1], lines[MOST_TITLE_LINES - 1][:-1] + "…"]
    return lines


def limit(axes: Axes, which: Literal["x", "y"], ends: tuple[float, float] | None) -> None:
    """Let an axis reach from one value to another, turned where it is turned; as drawn where None."""
    if ends is None:
        return
    low, high = sorted(ends)
    turned = axes.yaxis_inverted() if which == "y" else axes.xaxis_inverted()
    set_ends = axes.set_ylim if which == "y" else axes.set_xlim
    set_ends(*((high, low) if turned else (low, high)))


def _use_letters_of_the_font(figure: Figure) -> None:
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        before = text.get_text()
        written = "\n".join(
            writable(line, findfont(text.get_fontproperties())) for line in before.split("\n")
        )
        if written != before:
            text.set_text(written)


def export(figure: Figure, form: Format, about: About | None = None, svg_text: SvgText = "font") -> bytes:
    """Return a figure as a file that says what it shows; no file holds the time it was made.

    PDF keeps text as text. Characters that the font lacks become code points, but in SVG with text as text,
    where the viewer's font draws them.

    Args:
        figure: From one of the functions that draw.
        form: Of the file.
        about: For the file's metadata; None for none but the program's name.
        svg_text: How SVG holds words.
    """
    as_text = form == "svg" and svg_text == "font"
    if not as_text:
        _use_letters_of_the_font(figure)
    stream = io.BytesIO()
    settings: dict[Any, Any] = {  # Any: as in `lettering`
        "svg.fonttype": "none" if as_text else "path", "pdf.fonttype": 42, "svg.hashsalt": "figure",
    }  # fmt: skip
    with warnings.catch_warnings(), mpl.rc_context(settings):
        if as_text:
            # Of ours, not of its reader's.
            warnings.filterwarnings("ignore", "(?s)Glyph .* missing from font")
        figure.savefig(stream, format=form, metadata=_metadata(form, about), dpi=PNG_PIXELS_PER_INCH)
    return stream.getvalue()


def _metadata(form: Format, about: About | None) -> dict[str, Any]:  # Any: each format has types of its own
    program = f"codecarena {version('codecarena')}"
    known = replace(about or About(""), keywords=(*(about.keywords if about else ()), program))
    title, subject = _plain(known.title), _plain(known.subject)
    keywords = [_plain(keyword) for keyword in known.keywords]
    if form == "svg":
        held = {"Creator": [program], "Date": None, "Title": title, "Description": subject}
        return {**{key: value for key, value in held.items() if value != ""}, "Keywords": keywords}
    if form == "pdf":
        held = {"Creator": program, "Title": title, "Subject": subject, "Keywords": ", ".join(keywords)}
        return {**{key: value for key, value in held.items() if value}, "CreationDate": None}
    held = {"Software": program, "Title": title, "Description": subject, "Keywords": ", ".join(keywords)}
    # Text chunks of PNG hold Latin-1.
    return {
        key: value.encode("latin-1", "backslashreplace").decode("latin-1")
        for key, value in held.items()
        if value
    }


def _plain(text: str) -> str:
    """Return a text without control characters, which XML and PDF do not hold."""
    return "".join(character if character.isprintable() else " " for character in text)
