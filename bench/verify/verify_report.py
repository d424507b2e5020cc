"""Say how a verification ended: a table for a person, a record for a script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from rich.console import Console

from ...counts import counted
from ...terminal import TextColumn, print_text, show_table
from ..store.verifications import Verified
from .verify import OUTCOMES, Report

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
        "instruction_sets": [
            {"codec": label, "instruction_set": name, **_counts(rows), "rows": [asdict(row) for row in rows]}
            for (label, name), rows in sorted(report.older.items())
        ],
    }


def show(console: Console, report: Report) -> None:
    """Print a table with a row a codec, and under it what is wrong."""
    if not report.count:
        console.print("The store holds no bitstream of this suite; run it first.")
    else:
        counted = ("Streams", "Identical", "Tolerated", "Differ", "Failed")
        columns = [TextColumn("Codec"), *map(TextColumn, counted)]
        columns += [TextColumn("Encoder", numeric=False), TextColumn("Isolation", numeric=False)]
        show_table(console, "Stored bitstreams, decoded again", columns, _texts(report))
    for sentence in [*report.notes, *_sentences(report)]:
        print_text(console, sentence)


def _texts(report: Report) -> list[list[str]]:
    """Return the table's cells, a row a codec and one for each older instruction set."""
    texts: list[list[str]] = []
    for label, rows in sorted(report.rows.items()):
        counts = [str(count) if count else "–" for count in _counts(rows).values()]
        texts.append([label, *counts, _encoder(rows), _isolation(rows)])
        for (codec, name), older in sorted(report.older.items()):
            if codec == label:
                counts = [str(count) if count else "–" for count in _counts(older).values()]
                texts.append([f"{label}, {name}", *counts, "not asked", _isolation(older)])
    return texts


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
            yield (
                f"✗ {label}: {len(wrong)} of {counted(len(rows), 'bitstream')} do not give the measured "
                "pixels:"
            )
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
