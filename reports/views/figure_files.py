"""Offer a chart of a page as files for print."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from ..charts.figures import Format
    from ..files.printed_figures import Printed

FORMS: tuple[Format, ...] = ("svg", "pdf", "png")


def figure_files(
    draw: Callable[[], Printed | None], name: str, others: Mapping[str, tuple[bytes, str]] | None = None
) -> None:
    """Draw one button for each form of file; the figure is drawn when one is pressed.

    Args:
        draw: Returns the figure; it imports what draws, which takes a second.
        name: Of the files, before the suffix.
        others: Content and name of further files to offer beside them, by what their buttons say.
    """

    def content(form: Format) -> bytes:
        printed = draw()
        return printed.file(form) if printed else b""

    with st.container(horizontal=True):
        for form in FORMS:
            st.download_button(
                form.upper(), lambda form=form: content(form), f"{name}.{form}", on_click="ignore"
            )
        for title, (written, file_name) in (others or {}).items():
            st.download_button(title, written, file_name, on_click="ignore")
