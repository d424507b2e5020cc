"""Read the scores of certain pictures: those that a study showed, by the hashes of what was shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import select

from ..records.rows import Score
from .store import Store, chunks
from .tables.schema import MetricTable, ScoreTable


def scores_of(store: Store, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Score]]:
    """Return every stored score of these pictures.

    Args:
        store: Where the scores are.
        pairs: Hashes of (original, decoded picture), of whole pictures or of parts.

    Returns:
        Metric id -> score, for each pair that has any.
    """
    wanted = set(pairs)
    scores: dict[tuple[str, str], dict[str, Score]] = defaultdict(dict)
    table = ScoreTable
    columns = (table.original_sha256, table.decoded_sha256, table.metric_id, table.value, table.lossless)
    query = select(*columns, MetricTable.perfect).join(MetricTable, MetricTable.id == table.metric_id)
    with store.reading() as connection:
        for part in chunks(sorted({decoded for _, decoded in wanted})):
            for original, decoded, metric_id, value, lossless, perfect in connection.execute(
                query.where(table.decoded_sha256.in_(part))
            ):
                if (original, decoded) in wanted:
                    # A bounded metric has no value only where there was nothing to measure.
                    applicable = value is not None or perfect is None
                    scores[original, decoded][metric_id] = Score(value, lossless, applicable)
    return dict(scores)
