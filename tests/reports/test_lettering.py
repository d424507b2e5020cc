"""Signs that a font lacks, and charts that stand inside a page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from matplotlib import get_data_path
from matplotlib.figure import Figure

from codecarena.reports.charts.inline_svg import inline_svg
from codecarena.reports.charts.lettering import writable

FONT = str(Path(get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Zoë, 10⁶ × 3…", "Zoë, 10⁶ × 3…"),
        ("a🦆b", "aU+1F986b"),
        ("写", "U+5199"),
        ("a\u0007b", "ab"),  # a control sign
        ("a\U000e0001b", "ab"),  # a tag
        ("a\ufe0fb", "a\ufe0fb"),  # a variation selector, which this font knows
        ("a\U000e0100b", "ab"),  # one that it does not
        ("", ""),
    ],
)
def test_a_sign_that_the_font_lacks_is_told_by_its_number(text: str, written: str) -> None:
    assert writable(text, FONT) == written


def test_a_chart_inside_a_page_has_names_of_its_own() -> None:
    figure = Figure(figsize=(2, 2))
    axes = figure.subplots()
    axes.plot([1, 2], [3, 4])
    axes.set_title('<b> id="mine" font-family: serif; "q"')
    drawn = inline_svg(figure, "chart7", 'scores & "rates"')
    assert drawn.startswith('<svg xmlns="http://www.w3.org/2000/svg" ')
    assert drawn.count("<svg") == 1
    assert 'viewBox="0 0 144 144"' in drawn
    assert 'aria-label="scores &amp; &quot;rates&quot;"' in drawn
    assert "<metadata" not in drawn
    tags = re.findall(r"<[^>]*>", drawn)
    names = [name for tag in tags for name in re.findall(r'\bid="([^"]*)"', tag)]
    assert len(names) > 5
    assert all(name.startswith("chart7-") for name in names)
    uses = [name for tag in tags for name in re.findall(r'href="#([^"]*)"|url\(#([^)]*)\)', tag)]
    assert uses
    assert {first or other for first, other in uses} <= set(names)
    assert not any("font-family" in tag for tag in tags)
    # A style sheet may give each colour another one.
    assert any("stroke: var(--1f77b4, #1f77b4)" in tag for tag in tags)
    assert not any(re.search(r": #[0-9a-f]{6}[;\"]", tag) for tag in tags)
    # What stands between the tags may be anybody's name.
    assert '&lt;b&gt; id="mine" font-family: serif; "q"' in drawn
