"""Say how a run ended, in sentences for a person or a record for a script."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ...counts import counted
from ..run import timing_report
from ..run.estimate import by_codec
from ..run.runner import Report
from ..run.suite import Suite

MIB = 2**20


def as_record(suite: Suite, report: Report) -> dict[str, Any]:
    """Return a run's end as JSON holds it."""
    return {
        "suite": suite.name,
        "cells": report.plan.total,
        "done_before": report.plan.done,
        "planned": len(report.plan.cells),
        "completed": report.completed,
        "failed": report.failed,
        "nothing_to_measure": {metric: len(cells) for metric, cells in report.nothing_to_measure.items()},
        "without_result": report.missing,
        "interrupted": report.interrupted,
        "complete": report.complete,
        "notes": report.notes,
        "estimate": asdict(report.estimate) if report.estimate else None,
        "timing": timing_report.as_record(report.timing) if report.timing else None,
    }


def sentences(suite: Suite, report: Report, reference: str, store: str) -> str:
    """Return a run's end for a person to read; the suite and the store as they were called.

    Args:
        suite: The suite that was run.
        report: How it ended.
        reference: The suite as the user named it, for the commands that are suggested.
        store: The store as the user named it, likewise.
    """
    plan = report.plan
    lines = [f"{suite.name}: {counted(plan.total, 'cell')}, {plan.done} done before"]
    if report.estimate:
        return "\n".join([*lines, *_dry_run(report)])
    if plan.cells:
        lines[0] += f", {report.completed} completed now, {report.failed} failed"
    lines += [
        f"{metric}: no score of {len(cells)} of these cells: their pictures hold nothing that it measures."
        for metric, cells in report.nothing_to_measure.items()
    ]
    if report.interrupted:
        lines.append("Interrupted; what had finished is stored. The same command goes on.")
    elif report.unavailable:
        lines.append(
            "Some of what the suite asks for did not load: see the notes above, or codecarena doctor."
        )
    if report.missing and not report.interrupted:
        have = "has" if report.missing == 1 else "have"
        cells = counted(report.missing, "cell")
        lines.append(f"{cells} {have} no complete result; --retry-failed tries them again.")
    if report.timing:
        lines.append(timing_report.sentences(suite.name, report.timing, reference, store))
    return "\n".join(lines)


def _dry_run(report: Report) -> list[str]:
    plan, estimate = report.plan, report.estimate
    assert estimate is not None
    lines = [f"would run {counted(len(plan.cells), 'cell')}:"]
    for label, (count, qualities) in by_codec(plan.cells).items():
        shown = " ".join(f"{quality:g}" for quality in qualities)
        lines.append(f"  {label}: {counted(count, 'cell')} at {shown}")
    if plan.failed_before:
        lines.append(
            f"{counted(plan.failed_before, 'cell')} failed before and left alone without --retry-failed"
        )
    known = f"{estimate.measured_share:.0%} of the cells by codecs measured here before, the rest a guess"
    lines.append(
        f"estimated: {estimate.seconds:.0f} s, {estimate.disk_bytes / MIB:.1f} MiB of bitstreams ({known})"
    )
    if report.timing:
        left = report.timing.total - report.timing.done_before
        lines.append(f"then {counted(left, 'cell')} to time, one call at a time; --no-timing leaves them out")
    return lines
