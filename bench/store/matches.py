"""Read where searches for a rate or score ended."""

from __future__ import annotations

from sqlalchemy import Engine, and_, or_, select

from ..records.rows import Match, MatchRow
from .tables.schema import CodecTable, MatchTable, MemberTable


def read_matches(engine: Engine, image_set: str) -> list[MatchRow]:
    """Return the matches of a set and of its pictures, by codec label, target and picture."""
    table, member = MatchTable, MemberTable
    query = (
        select(*(table.__table__.columns[name] for name in Match.__slots__), member.name, CodecTable.label)
        .join(CodecTable, CodecTable.id == table.codec_id)
        .outerjoin(member, and_(member.picture_sha256 == table.picture_sha256, member.image_set == image_set))
        .where(
            or_(
                and_(table.scope == "picture", member.name.is_not(None)),
                and_(table.scope == "set", table.image_set == image_set),
            )
        )
        .order_by(CodecTable.label, table.target_kind, table.target, member.name)
    )
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(query)]
    return [MatchRow(Match(*row[:-2]), *row[-2:]) for row in rows]
