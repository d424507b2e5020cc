"""Tables on the pages: columns that are chosen, copies, two codecs, and codecs that are hidden."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from codecarena.reports.server.server import STORE_VARIABLE

# Streamlit's own script runner, under AppTest, warns about itself.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

ONE_PAGE = """
import streamlit as st
from codecarena.reports.views import {name}, navigation
st.session_state["page"] = "{name}"
{name}.main()
"""


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch, seeded_store: Path) -> Iterator[Callable[..., AppTest]]:
    """Return a function that opens one page, with these words in the address."""
    st.cache_resource.clear()
    st.cache_data.clear()
    monkeypatch.setenv(STORE_VARIABLE, str(seeded_store))

    def open_one(name: str = "leaderboard", **query: str | list[str]) -> AppTest:
        page = AppTest.from_string(ONE_PAGE.format(name=name), default_timeout=60)
        for key, value in query.items():
            page.query_params[key] = value
        page.run()
        assert not page.exception, [element.value for element in page.exception]
        return page

    yield open_one
    st.cache_resource.clear()
    st.cache_data.clear()


def tables(page: AppTest) -> str:
    """Return the HTML of all tables of ours."""
    return "".join(json.loads(element.proto.json).get("html", "") for element in page.get("bidi_component"))


def code_of(page: AppTest, begins: str) -> str:
    """Return the text to copy that begins so, from the first table of a page."""
    return next(element.value for element in page.code if element.value.startswith(begins))


def test_copies_are_of_the_very_table_that_is_shown(open_page: Callable[..., AppTest]) -> None:
    page = open_page(metric="psnr", view="rate", bpp="1", **{"board-sort": "-0", "board-without": "Pictures"})
    markdown, bibtex = code_of(page, "**Scores at"), code_of(page, "@misc{")
    names = [
        line.split(" | ")[0].removeprefix("| ") for line in markdown.splitlines() if line.startswith("| ")
    ]
    # The anchor stands first; the others fall by name.
    assert names == ["Codec", ":---", "jpeg", "webp", "png"]
    assert "| Pictures |" not in markdown
    assert ">Pictures</th>" not in tables(page).split("</table>")[0]
    assert code_of(page, "Codec,").splitlines()[0].startswith('Codec,"PSNR, dB","PSNR, dB (as shown)"')
    assert r"\begin{tabular}" in code_of(page, r"\begin{table")
    assert "SHA-256" in bibtex
    assert "Pictures" in page.query_params["board-without"]
    # Other pictures, codecs or scores are other results.
    hidden = open_page(metric="psnr", view="rate", bpp="1", hide="png")
    assert code_of(hidden, "@misc{") != bibtex
    again = open_page(metric="psnr", view="rate", bpp="1")
    assert code_of(again, "@misc{") == bibtex


def test_two_codecs_against_each_other(open_page: Callable[..., AppTest]) -> None:
    page = open_page(metric="psnr", view="pair", codec="webp")
    assert [element.value.replace("\\", "") for element in page.header] == [
        "webp against jpeg · photos",
        "webp against jpeg, rate by rate, by PSNR · photos",
        "webp against jpeg, picture by picture, by PSNR · photos",
    ]
    said = page.markdown[0].value.replace("\\", "")
    assert said.startswith("**By PSNR, webp needs ")
    assert "against jpeg" in said
    shown = tables(page)
    assert shown.count('<img src="look/thumbnail/') == 2
    assert 'href="look?set=photos&amp;codec=jpeg&amp;codec=webp&amp;order=gap&amp;picture=' in shown
    by_metric = shown.split("</table>")[0]
    assert by_metric.count("<tr>") == 3
    assert open_page(view="pair", hide=["webp", "png"]).info[-1].value.startswith("There is no other")


def test_a_hidden_codec_is_on_no_page(open_page: Callable[..., AppTest]) -> None:
    for name in ("leaderboard", "look", "speed", "natural", "rates"):
        page = open_page(name, hide="webp")
        assert "webp" not in tables(page), name
        assert any("webp" in element.value and "Left out" in element.value for element in page.caption), name
        widgets = [*page.selectbox, *(box for box in page.multiselect if box.label != "Hide")]
        assert not any("webp" in option for widget in widgets for option in widget.options), name
