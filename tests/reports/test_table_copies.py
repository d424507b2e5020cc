"""Tables to paste: what stands on the page, in the order of the page, as Markdown, CSV and BibTeX."""

from __future__ import annotations

import csv
import io
import math

import pytest
from report_rows import PSNR, Answers

from codecarena import __version__
from codecarena.reports.files.table_copies import as_bibtex, as_csv, as_markdown, results_sha256
from codecarena.reports.tables.table import Column, Entry, Row, Summary, Table

TABLE = Table(
    "BD-rate against a_b · photos",
    (Column("Codec", numeric=False), Column("BD-rate", "%"), Column("Range", "dB", numeric=False)),
    (
        Row((Entry("a_b|c*"), Entry("−2.5▼ (−3.0…−2.0)", -2.53125), Entry("20…30", 20.0))),
        Row((Entry("=SUM(A1)"), Entry("– no curve"), Entry("–", math.nan))),
    ),
    ("* thin <b>.",),
    summary=Summary("a_b leads.", "id"),
)


def test_markdown_has_the_table_with_its_sentences_and_escapes_names() -> None:
    assert as_markdown(TABLE).splitlines() == [
        r"**BD-rate against a\_b · photos**",
        "",
        "| Codec | BD-rate, % | Range, dB |",
        "| :--- | ---: | :--- |",
        r"| a\_b\|c\* | −2.5▼ (−3.0…−2.0) | 20…30 |",
        "| =SUM(A1) | – no curve | – |",
        "",
        r"- a\_b leads.",
        r"- \* thin \<b\>.",
    ]


def test_csv_has_unrounded_numbers_beside_what_is_shown() -> None:
    assert list(csv.reader(io.StringIO(as_csv(TABLE)))) == [
        ["Codec", "BD-rate, %", "BD-rate, % (as shown)", "Range, dB"],
        ["a_b|c*", "-2.53125", "−2.5▼ (−3.0…−2.0)", "20…30"],
        # No spreadsheet takes it for a formula.
        ["'=SUM(A1)", "", "– no curve", "–"],
    ]


def test_a_citation_names_program_and_results() -> None:
    assert as_bibtex(TABLE, "0123456789abcdef", "2026").splitlines() == [
        "@misc{codecarena-bd-rate-against-a-b-photos-01234567,",
        r"  title = {{BD-rate against a\_b $\cdot$ photos}},",
        "  author = {{codecarena}},",
        f"  howpublished = {{Table of codecarena {__version__}}},",
        "  note = {Made from the results with SHA-256 0123456789abcdef},",
        "  year = {2026},",
        "}",
    ]


def test_a_brace_in_a_name_leaves_the_entry_whole() -> None:
    entry = as_bibtex(Table("a{b} {", (), ()), "0123456789abcdef", "2026")
    assert r"{{a\textbraceleft{}b\textbraceright{} \textbraceleft{}}}" in entry
    assert entry.count("{") == entry.count("}")


@pytest.mark.parametrize("metrics", [[PSNR], []])
def test_the_hash_is_of_the_rows_of_the_metrics(metrics: list) -> None:
    part = Answers()
    first = results_sha256(part, metrics)  # type: ignore[arg-type]
    assert len(first) == 64
    assert first == results_sha256(Answers(), metrics)  # type: ignore[arg-type]
    assert first != results_sha256(part, [*metrics, PSNR])  # type: ignore[arg-type]
