"""Say whose a panel's participant is: of the browser that came first under this id, and of no other."""

from __future__ import annotations

from collections.abc import Mapping
from hmac import compare_digest

from sqlalchemy import select, update

from ...bench.store.tables.study_tables import RaterTable
from ...bench.store.writer import now
from ..records.records import RaterRow
from .ledger import Ledger


def claim(ledger: Ledger, rater: RaterRow, panel: Mapping[str, str]) -> bool:
    """Return whether somebody is the first to come as this participant; in one transaction.

    Args:
        ledger: Where the raters are.
        rater: The participant's row.
        panel: The panel's study and session, hashed; kept of who comes first.
    """
    unclaimed = update(RaterTable).where(RaterTable.id == rater.rater_id, RaterTable.joined_at.is_(None))
    change = unclaimed.values(joined_at=now(), panel=dict(panel))
    return ledger.write(lambda connection: connection.execute(change).rowcount == 1)


def comes_back(ledger: Ledger, rater: RaterRow, panel: Mapping[str, str], earlier: str) -> bool:
    """Return whether somebody is who came first as this participant.

    An id can be guessed or read over a shoulder, so it is not enough: the browser shows the token of an
    earlier session, or the link has the panel's own number of the session, which strangers do not know.

    Args:
        ledger: Where the raters are.
        rater: The participant's row.
        panel: The panel's study and session as they are given now, hashed.
        earlier: Token of an earlier session; empty where the browser has none.
    """
    before = ledger.rater_by_session(earlier) if earlier else None
    if before is not None and before.rater_id == rater.rater_id:
        return True
    row = ledger.row(select(RaterTable.panel).where(RaterTable.id == rater.rater_id))
    kept = row[0].get("session", "") if row else ""
    return bool(kept) and compare_digest(kept, panel.get("session", ""))
