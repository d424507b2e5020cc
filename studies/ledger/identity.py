"""Derive the names, codes and tokens of raters from a study's salt; none of them is stored in clear."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Any

from ..records.messages import Panel, Slot
from ..records.records import StudyRow
from .ledger import digest

TRIAL_CHARACTERS = 32


def new_rater(study: StudyRow) -> dict[str, Any]:  # Any: columns of a rater
    """Return the columns of a rater whose name says nothing, unless that it is a simulated one."""
    name = ("simulated-" if study.simulated else "r") + secrets.token_hex(6)
    code = withdrawal_code(study, name)
    return {"study_id": study.study_id, "name": name, "withdrawal_sha256": digest(code)}


def new_token() -> str:
    """Return a secret that cannot be guessed: 128 random bits, in hex."""
    return secrets.token_hex(TRIAL_CHARACTERS // 2)


def withdrawal_code(study: StudyRow, rater_name: str) -> str:
    """Return what a rater keeps to have everything deleted."""
    code = base64.b32encode(_keyed(study, "withdrawal", rater_name)[:10]).decode().lower()
    return "-".join(code[at : at + 4] for at in range(0, 16, 4))


def completion_code(study: StudyRow, rater_name: str) -> str:
    """Return a code that only somebody who finished can know."""
    return base64.b32encode(_keyed(study, "completion", rater_name)[:5]).decode()


def participant_hash(study: StudyRow, panel: Panel) -> str:
    """Return what a panel's participant is known by in this study; another study knows them by another."""
    return _keyed(study, "participant", panel.participant).hex()


def panel_record(study: StudyRow, panel: Panel) -> dict[str, str]:
    """Return the panel's study and session, hashed."""
    given = {"study": panel.study, "session": panel.session}
    return {key: _keyed(study, key, value).hex() for key, value in given.items() if value}


def picture_token(study: StudyRow, trial_token: str, slot: Slot) -> str:
    """Return the token of one picture of a trial: without the salt nobody can tell which slot it is of.

    Args:
        study: Whose salt keys the token.
        trial_token: Of the trial.
        slot: ``reference``, ``first`` or ``second``.
    """
    return trial_token + _keyed(study, slot, trial_token).hex()[:TRIAL_CHARACTERS]


def _keyed(study: StudyRow, purpose: str, text: str) -> bytes:
    return hmac.digest(bytes.fromhex(study.salt), f"{purpose}:{text}".encode(), hashlib.sha256)
