"""The results of a study for its organiser: scale, tests, review of the raters, files to download."""

from __future__ import annotations

import json
import tempfile
from contextlib import closing
from pathlib import Path

import streamlit as st

from ...counts import counted
from ...studies.analysis.results import results_of
from ...studies.ledger.ledger import Ledger
from ...studies.organise.interchange import write
from ...studies.organise.presenting import report_record, report_text
from ...studies.records.records import StudyRow
from ..charts.study_tables import StudyFindings, findings_of
from .figure_files import figure_files
from .frame import Frame, plain, show

FORMS = {
    "csv": "CSV: one row a vote, everything that is known of it",
    "parquet": "Parquet: likewise",
    "aic": "JPEG AIC: the columns of its triplet data",
    "pwcmp": "pwcmp: for Mantiuk's Matlab code; no ties",
    "battles": "Arena battles: one JSON object a line",
}
SUFFIXES = {"parquet": "parquet", "battles": "jsonl"}


def results(frame: Frame, study: StudyRow) -> None:
    """Draw scales, tests, fit, review of the raters, metrics and rates against people."""
    findings = _found(frame, study)
    if findings.results is None:
        if findings.reason:
            st.info(f"No result: {plain(findings.reason)}.")
        for table in findings.tables:
            show(table)
        return
    from ..files import printed_figures  # matplotlib: a second that other pages need not spend

    chart = printed_figures.scale(findings.results)
    st.pyplot(
        chart.figure, width=780, alt=f"Scale of {findings.study.label}; the table below holds the numbers"
    )
    figure_files(lambda: chart, f"{study.name}-scale")
    for table in findings.tables:
        show(table)
    _downloads(frame, study)


def _found(frame: Frame, study: StudyRow) -> StudyFindings:
    with st.spinner("Fitting and resampling …"), closing(Ledger(frame.url, read_only=True)) as ledger:
        return findings_of(ledger, study)


def _downloads(frame: Frame, study: StudyRow) -> None:
    def text(form: str) -> str:
        with closing(Ledger(frame.url, read_only=True)) as ledger:
            record = report_record(ledger, results_of(ledger, study.name))
        return json.dumps(record, indent=2) if form == "json" else report_text(record)

    with st.container(horizontal=True):
        for form, title in (("md", "Report as Markdown"), ("json", "Report as JSON")):
            st.download_button(title, lambda form=form: text(form), f"{study.name}.{form}", on_click="ignore")


def export(frame: Frame, study: StudyRow) -> None:
    """Offer the votes as files that others read, and the erasure of a rater."""
    form = st.radio("Format", list(FORMS), format_func=FORMS.__getitem__)
    name = f"{study.label.replace(' (simulated)', '-simulated')}-{form}.{SUFFIXES.get(form, 'csv')}"

    def content() -> bytes:
        with closing(Ledger(frame.url, read_only=True)) as ledger, tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "votes"
            write(ledger, ledger.study(study.name), form, out)
            return out.read_bytes()

    st.download_button("Download votes", content, name, type="primary", on_click="ignore")
    st.caption(
        "Response times and screen records are personal as long as they stand beside a rater's name: leave "
        "out the column display before you publish."
    )
    with st.expander("Erase a rater who withdraws"):
        _erase(frame)


def _erase(frame: Frame) -> None:
    with st.form("erase", border=False, clear_on_submit=True):
        code = st.text_input("Withdrawal code or invitation", width=420)
        if not st.form_submit_button("Erase votes and identity"):
            return
    with closing(Ledger(frame.url)) as ledger:
        erased = ledger.withdraw(code.strip())
    if erased is None:
        st.error("Nobody is known by this code; it may have been used already.")
    else:
        st.success(
            f"{counted(erased, 'vote')} and the rater's identity are erased; the time and the count stay."
        )
