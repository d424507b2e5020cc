"""Coverage of a codec counted picture by picture."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean

from codecarena.bench.analysis.coverage import CodecSummary
from codecarena.bench.records.rows import Failure, ScoredCell

from .points import CodecPoints, finished, ladder


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
        fmean(codec.pictures[picture][setting].bits_per_pixel for picture in done)
        for setting in settings
        if done
    ]
    open_failures = sum(failure.codec_id == codec.codec_id and not failure.settled for failure in failures)
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
