"""Write a chart as SVG inside an HTML page: scalable, described, with ids of its own."""

from __future__ import annotations

import io
import re
import warnings
from html import escape

import matplotlib as mpl
from matplotlib.figure import Figure

from ...visible_text import visible
from .figures import EDGE, FAINT, GRID, INK
from .line_styles import DARK
from .scale_figure import NARROW, WIDE

_TAG = re.compile(r"<[^>]*>")
_NAMED = re.compile(r'(\bid="|href="#|url\(#)')
_FAMILY = re.compile(r" ?font-family: [^;\"]*;")
_COLOUR = re.compile(r"(?<=: )#([0-9a-f]{6})(?=[;\"])")

THEMED = {
    **DARK, "#ffffff": "#15181d", INK: "#c9ced6", FAINT: "#a3abb6", EDGE: "#7d8590", GRID: "#2c323a",
    WIDE: "#2c5d80", NARROW: DARK[NARROW],
}  # fmt: skip
"""What a colour becomes on a dark page, whose style sheet says so: see `dark_colours`."""


def inline_svg(figure: Figure, name: str, description: str) -> str:
    """Return a figure as an ``<svg>`` element as wide as its place, in the font of the page.

    Args:
        figure: From `charts`.
        name: Letters and digits; every id of the drawing begins with it, so that many fit into one page.
        description: What the chart shows, for those who do not see it.
    """
    stream = io.StringIO()
    with warnings.catch_warnings(), mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        # The reader's fonts draw the text.
        warnings.filterwarnings("ignore", "(?s)Glyph .* missing from font", UserWarning)
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    # XML holds no control characters.
    drawing = visible(stream.getvalue())
    drawing = drawing[drawing.index("<svg") :]
    drawing = re.sub(r"<metadata>.*?</metadata>", "", drawing, flags=re.DOTALL)
    # In tags only: what stands between them may be anybody's name.
    drawing = _TAG.sub(lambda tag: _themed(_FAMILY.sub("", _NAMED.sub(rf"\g<1>{name}-", tag[0]))), drawing)
    box = re.search(r'viewBox="([^"]+)"', drawing)
    assert box, "matplotlib writes a viewBox"
    inside = drawing[drawing.index(">") + 1 :]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{box[1]}" role="img" aria-label="{escape(visible(description), quote=True)}">{inside}'
    )


def _themed(tag: str) -> str:
    """Return a tag whose colours a style sheet can change."""
    return _COLOUR.sub(lambda colour: f"var(--{colour[1]}, {colour[0]})", tag)


def dark_colours() -> str:
    """Return declarations of CSS that give drawings the colours of a dark page."""
    return " ".join(f"--{colour[1:]}: {dark};" for colour, dark in THEMED.items())
