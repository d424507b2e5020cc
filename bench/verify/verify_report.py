"""Say how a verification ended: a table for a person, a record for a script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from ..store.verifications import Verified
from .verify import Report

OUTCOMES = ("identical", "within tolerance", "differs", "failed")
SHOWN_MESSAGES = 3
"""Of one codec; the rest is in the store and in the JSON."""


def as_record(report: Report) -> dict[str, Any]:
    """Return a verification's end as JSON holds it."""
    return {
        "bitstreams": report.count,
        "wrong": report.wrong,
        "isolation": report.tool,
        "interrupted": report.interrupted,
        "notes": report.notes,
        "codecs": [
            {
                "codec": label,
                **_counts(rows),
                "encoder": _encoder(rows),
                "isolation": _isolation(rows),
                "rows": [asdict(row) for row in rows],
            }
            for label, rows in sorted(report.rows.items())
        ],
    }


def show(console: Console, report: Report) -> None:
    """Print a table with a row a codec, and under it what is wrong."""
    if not report.count:
        console.print("The store holds no bitstream of this suite; run it first.")
    else:
        console.print(_table(report))
    for sentence in [*report.notes, *_sentences(report)]:
        console.print(sentence, highlight=False, markup=False, soft_wrap=True)


def _table(report: Report) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
        title="Stored bitstreams, decoded again",
        title_justify="left",
        title_style="bold",
    )
    table.add_column("Codec", overflow="fold", min_width=8)
    for heading in ("Streams", "Identical", "Tolerated", "Differ", "Failed"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("Encoder", "Isolation"):
        table.add_column(heading, overflow="fold")
    for label, rows in sorted(report.rows.items()):
        counts = [str(count) if count else "–" for count in _counts(rows).values()]
        table.add_row(label, *counts, _encoder(rows), _isolation(rows))
    return table


def _counts(rows: list[Verified]) -> dict[str, int]:
    outcomes = Counter(row.outcome for row in rows)
    return {"bitstreams": len(rows)} | {outcome: outcomes[outcome] for outcome in OUTCOMES}


def _encoder(rows: Iterable[Verified]) -> str:
    answers = [row.encoder_repeats for row in rows]
    other = sum(answer is False for answer in answers)
    if other:
        return f"varies ({other}/{len(answers)})"
    return "repeats" if any(answers) else "not asked"


def _isolation(rows: Iterable[Verified]) -> str:
    tools = sorted({"not isolated" if row.isolation == "none" else row.isolation for row in rows})
    return ", ".join(tools)


def _sentences(report: Report) -> Iterator[str]:
    for label, rows in sorted(report.rows.items()):
        wrong = [row for row in rows if row.outcome in ("differs", "failed")]
        if wrong:
            yield f"✗ {label}: {len(wrong)} of {len(rows)} bitstreams do not give the measured pixels:"
        messages = Counter(row.message for row in rows if row.message)
        yield from (f"    {_in_a_line(message)}" for message, _ in messages.most_common(SHOWN_MESSAGES))
        if any(row.encoder_repeats is False for row in rows):
            yield f"~ {label}: its encoder is not deterministic: it wrote other bytes when asked again."
    if report.interrupted:
        yield "Interrupted; what had been verified is stored."
    elif report.count and not report.wrong:
        yield "Every bitstream gives the pixels that were measured."


def _in_a_line(message: str) -> str:
    """Return a message without the middle of what a program printed."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return lines[0] if len(lines) < 2 else f"{lines[0]} … {lines[-1]}"
