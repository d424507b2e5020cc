"""Store scores that people gave elsewhere as a study of their own, and read them back."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence

from sqlalchemy import Connection, insert, select

from ...bench.store.database import StoreError
from ...bench.store.tables.study_tables import ConditionTable, ContentTable, HumanScoreTable
from ..design.plan import seal
from ..records.records import (
    Content,
    PublishedScore,
    ScoreScale,
    StudyMaterial,
    StudyRow,
)
from .imports import Placement, check_name, placed_condition, placed_stimulus, quoted
from .ledger import Ledger


def keep_scores(
    ledger: Ledger,
    name: str,
    source: str,
    scale: ScoreScale,
    scores: Sequence[PublishedScore],
    placement: Placement,
    anchor: str | None = None,
) -> StudyRow:
    """Store scores as an imported study and return it.

    Args:
        ledger: Where to.
        name: Of the new study.
        source: A sentence on where they came from.
        scale: What the scores are.
        scores: One a condition, or one a condition and picture.
        placement: What the benchmark has stored of the conditions and pictures.
        anchor: Label of the codec that rates at equal quality are against; the first of the file where None.

    Raises:
        StoreError: The name is taken or none for a study, there are no scores, or no such anchor.
    """
    check_name(ledger, name)
    codecs = list(dict.fromkeys(known.codec for known in placement.conditions.values() if known.codec))
    if anchor not in (None, *codecs):
        raise StoreError(f"expected the anchor among {', '.join(codecs) or 'mapped codecs'}; got {anchor!r}")
    if not scores:
        raise StoreError("the file holds no scores")
    material = _material(scores, placement)
    level = "" if scale.level is None else f"level = {scale.level!r}\n"
    text = (
        f"source = {quoted(source)}\nsided = false\nraters_known = false\n[scores]\n"
        f"scale = {quoted(scale.name)}\nbetter = {quoted(scale.better)}\n{level}"
        + ("" if anchor is None else f"anchor = {quoted(anchor)}\n")
    )
    ledger.keep(name, text, seal(text, material.lines()), "imported", material)
    study = ledger.study(name)
    ledger.write(lambda connection: _insert(connection, study.study_id, scores))
    return study


def scale_of_scores(study: StudyRow) -> ScoreScale:
    """Return what the scores of an import are."""
    table = tomllib.loads(study.plan)["scores"]
    return ScoreScale(table["scale"], table["better"], table.get("level"))


def anchor_of_scores(study: StudyRow) -> str | None:
    """Return the codec that the import asked rates to be against; None where it did not."""
    return tomllib.loads(study.plan)["scores"].get("anchor")


def scores_of_study(ledger: Ledger, study: StudyRow) -> tuple[PublishedScore, ...]:
    """Return the scores of an import in the order of its file."""
    score = HumanScoreTable
    query = (
        select(ConditionTable.name, ContentTable.name, score.score, score.low, score.high)
        .select_from(score)
        .join(ConditionTable, ConditionTable.id == score.condition_id)
        .outerjoin(ContentTable, ContentTable.id == score.content_id)
        .where(score.study_id == study.study_id)
        .order_by(score.id)
    )
    return tuple(PublishedScore(*row) for row in ledger.rows(query))


def _material(scores: Sequence[PublishedScore], placement: Placement) -> StudyMaterial:
    conditions = list(dict.fromkeys(score.condition for score in scores))
    judged = list(dict.fromkeys(score.picture for score in scores if score.picture is not None))
    pictures = judged or list(placement.contents)
    scored = {(score.picture, score.condition) for score in scores}
    places = {
        (picture, condition): (content_place, condition_place)
        for content_place, picture in enumerate(pictures)
        for condition_place, condition in enumerate(conditions)
        if not judged or (picture, condition) in scored
    }
    return StudyMaterial(
        tuple(placed_condition(placement, name) for name in conditions),
        tuple(placement.contents.get(name, Content(name)) for name in pictures),
        tuple(
            placed_stimulus(placement, picture, condition, *place)
            for (picture, condition), place in places.items()
        ),
        (),
    )


def _insert(connection: Connection, study_id: int, scores: Sequence[PublishedScore]) -> None:
    conditions, contents = (
        {
            row.name: row.id
            for row in connection.execute(select(table.id, table.name).where(table.study_id == study_id))
        }
        for table in (ConditionTable, ContentTable)
    )
    connection.execute(
        insert(HumanScoreTable),
        [
            {
                "study_id": study_id,
                "condition_id": conditions[score.condition],
                "content_id": None if score.picture is None else contents[score.picture],
                "score": score.score,
                "low": score.low,
                "high": score.high,
            }
            for score in scores
        ],
    )
