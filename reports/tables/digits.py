"""Format numbers for tables and charts: sensible digits, true minus signs, units apart."""

from __future__ import annotations

import math
from collections.abc import Callable

from ...bench.analysis.codec_grids import CodecFlags
from ...bench.analysis.intervals import Interval, Spread
from ...bench.records.rows import MetricRow

EMPTY = "–"
MINUS = "−"
SPACE = "\N{NARROW NO-BREAK SPACE}"
TOY_NOTE = "toy: small weights that show that the codec works; they say little of how good the method can be."

ESTIMATED = "(estimated)"
"""Behind the name of a codec whose rates are sizes of no bitstream."""
SOURCE_CHARACTERS = 60
"""Of where numbers come from, in a table."""


KINDS = {
    "natural": "natural",
    "ai-generated": "AI-generated",
    "composite": "composite",
    "drawn": "drawn",
    "unknown": "of unknown origin",
}


def number(value: float, decimals: int) -> str:
    """Return a number with that many decimals, a true minus sign and thousands apart."""
    return f"{value:,.{decimals}f}".replace("-", MINUS).replace(",", SPACE)


def significant(value: float, digits: int = 3) -> str:
    """Return a number with about that many significant digits, never as a power of ten."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    return number(value, max(0, digits - 1 - math.floor(math.log10(abs(value)))))


def counted(count: int, noun: str) -> str:
    """Return a count with its noun: ``1 picture``, ``1 234 pictures``."""
    return f"{number(count, 0)} {noun}{'' if count == 1 else 's'}"


def rate(value: float) -> str:
    """Return bits per pixel: two decimals, three below 0.1."""
    return number(value, 2 if value >= 0.1 else 3)


def percent(value: float) -> str:
    """Return a signed percentage without its unit."""
    return ("+" if round(value, 1) > 0 else "") + number(round(value, 1) + 0.0, 1)


def score(metric: MetricRow, value: float) -> str:
    """Return a metric's value with the digits that mean something."""
    return significant(value, 4) if metric.decimals is None else number(value, metric.decimals)


def rounded(metric: MetricRow, value: float) -> float:
    """Return a metric's value as `score` would write it, as a number."""
    return round(value, 3 if metric.decimals is None else metric.decimals)


def between(low: str, high: str) -> str:
    """Return a range."""
    return f"{low}…{high}"


def marks(flags: CodecFlags, toy: bool) -> list[str]:
    """Return what stands behind a codec's name."""
    checks = {"✗": flags.wrong, "~": flags.encoder_varies}
    return ["(toy)"] * toy + origin_marks(flags) + [mark for mark, is_set in checks.items() if is_set]


def origin_marks(flags: CodecFlags) -> list[str]:
    """Return those marks that say where a codec's pictures and rates come from."""
    return ["(imported)"] * flags.imported + [ESTIMATED] * flags.estimated


def shortened(source: str) -> str:
    """Return where numbers come from, cut to fit a table; files of it keep the whole."""
    return source if len(source) <= SOURCE_CHARACTERS else f"{source[: SOURCE_CHARACTERS - 1]}…"


def file_name(title: str) -> str:
    """Return a title as part of a file name: at most 60 small ASCII letters, digits and dashes."""
    words = "".join(sign if sign.isascii() and sign.isalnum() else " " for sign in title.lower()).split()
    return "-".join(words)[:60].strip("-")


def estimate_note(label: str) -> str:
    """Return what the mark of estimated rates means."""
    return (
        f"{ESTIMATED} {label}: rates that an entropy model estimates, sizes of no bitstream; every BD-rate "
        "of it or against it is an estimate too."
    )


def mark_notes(label: str, flags: CodecFlags) -> list[str]:
    """Return what the marks behind a codec's name mean, where they mean something."""
    notes: list[str] = []
    if flags.wrong:
        notes.append(
            f"✗ {label}: {flags.wrong} of {counted(flags.bitstreams, 'bitstream')} did not give the measured "
            "pixels when nothing else was in reach (codecarena verify)."
        )
    if flags.encoder_varies:
        notes.append(f"~ {label}: its encoder wrote other bytes when asked again; the rate is of one try.")
    if flags.imported:
        notes.append(
            f"(imported) {label}: sizes and pictures from a file, scored here; no bitstream to verify. "
            f"{shortened(flags.provenance or '')}".strip()
        )
    if flags.estimated:
        notes.append(estimate_note(label))
    return notes


def spread_of_scores(metric: MetricRow, spread: Spread) -> str:
    """Return the median with its tails behind it: see `Spread`."""
    return (
        f"{score(metric, spread.median)} ({between(score(metric, spread.low), score(metric, spread.high))})"
    )


def spread_of_amounts(spread: Spread, factor: float = 1.0) -> str:
    """Return the median of an amount, times a factor, with its tails behind it: see `Spread`."""
    low, high = significant(spread.low * factor), significant(spread.high * factor)
    return f"{significant(spread.median * factor)} ({between(low, high)})"


def signed_score(metric: MetricRow, value: float) -> str:
    """Return a difference of scores with its sign; none where it rounds to nothing."""
    text = score(metric, abs(value))
    if not any(sign in "123456789" for sign in text):
        return text
    return ("+" if value > 0 else MINUS) + text


def with_interval(text: str, interval: Interval, write: Callable[[float], str]) -> str:
    """Return a number with its 95 % interval behind it, or alone where there is none.

    Args:
        text: The number itself, as it is to be shown.
        interval: In the number's unit; without ends, the text stands alone.
        write: Formats each end.
    """
    if interval.low is None or interval.high is None:
        return text
    return f"{text} ({between(write(interval.low), write(interval.high))})"


def p_equals(value: float) -> str:
    """Return a p-value for a sentence, ``p = 0.03`` or ``p < 0.001``."""
    shown = p_value(value)
    return f"p < {shown[1:]}" if shown.startswith("<") else f"p = {shown}"


def p_value(value: float) -> str:
    """Return a p-value with three decimals, or that it is less."""
    return "<0.001" if value < 0.001 else number(value, 3)


def metric_title(metric: MetricRow, metrics: list[MetricRow]) -> str:
    """Return a metric's name; with implementation and version where another identity has the same name."""
    title = metric.title or metric.name
    same_name = [other for other in metrics if other.name == metric.name]
    if len(same_name) < 2:
        return title
    same_version = [
        other
        for other in same_name
        if (other.implementation, other.version) == (metric.implementation, metric.version)
    ]
    # A third identity of one name, source and version differs in colour space or weights.
    suffix = f" {metric.metric_id[:6]}" if len(same_version) > 1 else ""
    return f"{title} ({metric.implementation} {metric.version}{suffix})"


def unit_of(metric: MetricRow) -> str:
    """Return the unit of a metric, empty where it has none."""
    return metric.unit
