"""Turn points and failures into what stands beside a codec's numbers: coverage, rate range, reasons."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from ..store.rows import Failure, ScoredCell
from .marks import NO_MARKS, Marks
from .points import CodecPoints, finished, ladder


class AnalysisError(ValueError):
    """A question that the stored results cannot answer; the message says why."""


@dataclass(frozen=True, slots=True)
class CodecSummary:
    """What stands beside a codec's numbers in every table."""

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
    marks: Marks = NO_MARKS


def find_codec(codecs: Sequence[CodecPoints], name: str) -> CodecPoints:
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


def count_pictures(codecs: Iterable[CodecPoints], failures: Iterable[Failure]) -> int:
    """Return how many pictures of the set were tried by any codec."""
    tried = {picture for codec in codecs for picture in codec.pictures}
    return len(tried | {failure.picture_sha256 for failure in failures})


def count_inapplicable(cells: Iterable[ScoredCell], metric_id: str) -> int:
    """Return how many pictures hold nothing that the metric measures: no text, no face."""
    return len(
        {
            cell.picture_sha256
            for cell in cells
            if (score := cell.scores.get(metric_id)) is not None and not score.applicable
        }
    )


def summarise(codec: CodecPoints, failures: Iterable[Failure], of_pictures: int) -> CodecSummary:
    """Return a codec's coverage and rate range."""
    done = finished(codec.pictures)
    settings = ladder(codec.pictures)
    rates = [
        fmean(codec.pictures[one][setting].bits_per_pixel for one in done) for setting in settings if done
    ]
    open_failures = sum(one.codec_id == codec.codec_id and not one.settled for one in failures)
    return CodecSummary(
        codec.codec_id,
        codec.label,
        codec.family,
        codec.toy,
        len(done),
        of_pictures,
        min(rates, default=None),
        max(rates, default=None),
        open_failures,
        marks=codec.marks,
    )


def absent_codecs(
    codecs: Iterable[CodecPoints], failures: Iterable[Failure], of_pictures: int
) -> list[CodecSummary]:
    """Return the codecs that failed everywhere, each with its commonest outcome."""
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
