"""Summarise a codec's coverage: pictures finished, range of rates, and why results are missing."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..records.rows import Failure
from .codec_grids import NO_FLAGS, CodecFlags, CodecGrid, MeasuredCodec, usual_ladder


class AnalysisError(ValueError):
    """A question that the stored results cannot answer; the message says why."""


@dataclass(frozen=True, slots=True)
class CodecSummary:
    """Coverage and range of rates of a codec, shown beside its numbers in every table."""

    codec_id: str
    label: str
    family: str | None
    """None where the codec never gave a result."""
    toy: bool
    pictures: int
    """Pictures with every setting of the codec's ladder done."""
    of_pictures: int
    """Pictures of the set."""
    lowest_rate: float | None
    """Mean bits per pixel at the cheapest setting."""
    highest_rate: float | None
    """Mean bits per pixel at the dearest setting."""
    failed: int = 0
    """Attempts that failed and were not made good since."""
    reason: str | None = None
    """Why the codec has no result at all."""
    marks: CodecFlags = NO_FLAGS


def find_codec(codecs: Sequence[MeasuredCodec], name: str) -> MeasuredCodec:
    """Return the codec of a label or id.

    Raises:
        AnalysisError: There is none; the message names the nearest label.
    """
    for codec in codecs:
        if name in (codec.label, codec.codec_id):
            return codec
    labels = [codec.label for codec in codecs]
    near = difflib.get_close_matches(name, labels, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"stored: {', '.join(labels) or 'none'}"
    raise AnalysisError(f"no stored codec is called {name!r}; {hint}")


def summarise(grid: CodecGrid, failures: Sequence[Failure], of_pictures: int) -> CodecSummary:
    """Return a codec's coverage and rate range.

    Args:
        grid: The codec's measurements.
        failures: Attempts of any codecs that failed; the codec's own unsettled ones are counted.
        of_pictures: How many pictures were tried, the denominator of the coverage.
    """
    ladder, done = usual_ladder(grid.measured)
    rates = grid.rates[np.ix_(done, ladder)].mean(axis=0) if done.any() else np.zeros(0)
    codec = grid.codec
    failed = sum(failure.codec_id == codec.codec_id and not failure.settled for failure in failures)
    return CodecSummary(
        codec.codec_id, codec.label, codec.family, codec.toy, int(done.sum()), of_pictures,
        float(rates.min()) if len(rates) else None,
        float(rates.max()) if len(rates) else None,
        failed, marks=codec.marks,
    )  # fmt: skip


def absent_codecs(
    codecs: Iterable[MeasuredCodec], failures: Iterable[Failure], of_pictures: int
) -> list[CodecSummary]:
    """Return the codecs that failed everywhere, each with its commonest outcome.

    Args:
        codecs: Codecs with measurements; all others that appear in ``failures`` are returned.
        failures: Attempts that failed; those settled later do not count.
        of_pictures: How many pictures were tried, the denominator of the coverage.
    """
    present = {codec.codec_id for codec in codecs}
    outcomes: dict[tuple[str, str], Counter[str]] = {}
    for failure in failures:
        if failure.codec_id not in present and not failure.settled:
            key = (failure.codec_id, failure.codec)
            outcomes.setdefault(key, Counter())[f"{failure.outcome} in {failure.stage}"] += 1
    return [
        CodecSummary(
            codec_id,
            label,
            None,
            False,
            0,
            of_pictures,
            None,
            None,
            count.total(),
            count.most_common(1)[0][0],
        )
        for (codec_id, label), count in sorted(outcomes.items(), key=lambda item: item[0][1])
    ]
