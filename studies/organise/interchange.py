"""Export a study's votes to the formats of other tools; `interchange_read` imports them.

===========  ==========================================================================================
csv          one row a vote, everything that is known of it; read: rater, picture, first, second, winner
parquet      likewise
aic          the columns of the JPEG AIC triplet data (jpeg-aic/dataset-JPEG-AI-SDR25): the response is
             the side that differs more from the pivot
pwcmp        observer, session_id, scene, condition_A, condition_B, is_A_selected (mantiuk/pwcmp); it has
             no ties, so 'no preference' is left out, never halved
battles      one JSON object a line: question_id, model_a, model_b, winner, judge (lm-sys/FastChat)
mucped23     read only: methodA, methodB, originalName, answerValue (google-research/mucped23); the answer is
             the picture that differs more from the original
===========  ==========================================================================================
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from ...bench.records.frames import data_frame
from ...bench.store.database import StoreError
from ...text_file import guarded_rows
from ..analysis.choices import plan_of
from ..design.plan import REFERENCE
from ..ledger.ledger import Ledger
from ..ledger.votes import stored_votes
from ..records.records import Condition, StoredVote, StudyRow


class InterchangeError(StoreError):
    """A file of votes cannot be written or read; the message names it and what is expected."""


def write(ledger: Ledger, study: StudyRow, form: str, out: Path) -> int:
    """Write a study's votes and return how many.

    Args:
        ledger: Where the votes are.
        study: The study, as stored.
        form: Name of the format, one of `FORMS`.
        out: The file to write; replaced where it is there.

    Raises:
        InterchangeError: No such format, the study holds no votes but scores, or the file cannot be written.
    """
    if form not in _WRITERS:
        raise InterchangeError(f"no format {form!r}; there are {', '.join(_WRITERS)}")
    if study.holds_scores:
        raise InterchangeError(
            f"study {study.name!r} holds scores, no votes: codecarena study report {study.name}"
        )
    plan = plan_of(study)
    turned = plan is not None and plan.trials.asks == "worse"
    rows = _WRITERS[form](stored_votes(ledger, study), ledger.known(study).material.conditions, turned)
    try:
        _save(form, rows, out)
    except OSError as error:
        raise InterchangeError(f"{out}: cannot be written ({error.strerror})") from error
    return len(rows)


def _save(form: str, rows: list[dict[str, Any]], out: Path) -> None:
    if form == "battles":
        out.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return
    if form == "parquet":
        data_frame(rows).to_parquet(out, index=False)
    else:
        data_frame(guarded_rows(rows)).to_csv(out, index=False)


def _winner(vote: StoredVote, turned: bool) -> str:
    """Return the better side: what was answered, or its opposite where the question asks for the worse."""
    other = {"first": "second", "second": "first"}
    return other.get(vote.answer, vote.answer) if turned else vote.answer


def _full(votes: Sequence[StoredVote], _: Sequence[Condition], turned: bool) -> list[dict[str, Any]]:
    return [
        {
            "rater": vote.rater,
            "picture": vote.content,
            "first": vote.first,
            "second": vote.second,
            "winner": _winner(vote, turned),
            "answer": vote.answer,
            "kind": vote.kind,
            "golden_first": vote.golden_first,
            "position": vote.position,
            "probability": vote.probability,
            "response_ms": vote.response_ms,
            "display_proof": vote.proof,
            "received_at": vote.received_at,
            "client_uuid": vote.client_uuid,
            "display": json.dumps(vote.display, sort_keys=True),
        }
        for vote in votes
    ]


def _aic(votes: Sequence[StoredVote], conditions: Sequence[Condition], turned: bool) -> list[dict[str, Any]]:
    levels = _levels(conditions)
    response = {"first": "right", "second": "left", "none": "not sure", "skip": "skip"}
    rows: list[dict[str, Any]] = []
    for number, vote in enumerate(votes):
        # The columns cannot tell training and repeats from the rest.
        if vote.kind in ("training", "repeat"):
            continue
        (left, left_level), (right, right_level) = levels[vote.first], levels[vote.second]
        rows.append(
            {
                "assignment": vote.rater,
                "worker": vote.rater,
                "method": "PTC",
                "task": 1,
                "question_id": number + 1,
                "img_num": vote.content,
                "codec_left": left,
                "codec_pivot": 0,
                "codec_right": right,
                "dlevel_left": left_level,
                "dlevel_pivot": 0,
                "dlevel_right": right_level,
                "img_left": vote.first,
                "img_pivot": REFERENCE,
                "img_right": vote.second,
                "is_same": int(left == right),
                "is_cross": int(left != right),
                "is_bias": int(vote.kind == "identical"),
                "is_trap": int(vote.kind == "golden"),
                "question_order": vote.position + 1,
                "response": response[_winner(vote, turned)],
                "submission_time": vote.received_at,
                "response_time": None if vote.response_ms is None else vote.response_ms / 1000,
                **_aic_browser(vote.display),
            }
        )
    return rows


# Any: the browser's own record, which nothing has checked.
def _aic_browser(display: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that the record of a vote fills, empty where it says nothing (`VoteRecord`)."""
    times_begun, screen = display.get("times_begun"), display.get("screen")
    pixels = cast("list[Any]", screen) if isinstance(screen, list) else []
    return {
        "reload_count": times_begun - 1 if isinstance(times_begun, int) else None,
        "resolution": "x".join(map(str, pixels)) or None,
        "toggle_count": display.get("toggles"),
    }


def _levels(conditions: Sequence[Condition]) -> dict[str, tuple[str | int, int]]:
    """Return each condition's codec and its place among that codec's, 1 the first; the original is (0, 0)."""
    seen: dict[str, int] = {}
    levels: dict[str, tuple[str | int, int]] = {}
    for condition in conditions:
        if condition.is_reference or condition.name == REFERENCE:
            levels[condition.name] = (0, 0)
            continue
        codec = condition.codec or condition.name
        seen[codec] = seen.get(codec, 0) + 1
        levels[condition.name] = (codec, seen[codec])
    return levels


def _pwcmp(votes: Sequence[StoredVote], _: Sequence[Condition], turned: bool) -> list[dict[str, Any]]:
    return [
        {
            "observer": vote.rater,
            "session_id": 1,
            "scene": vote.content,
            "condition_A": vote.first,
            "condition_B": vote.second,
            "is_A_selected": int(_winner(vote, turned) == "first"),
        }
        for vote in votes
        if vote.kind == "main" and vote.answer in ("first", "second")
    ]


def _battles(votes: Sequence[StoredVote], _: Sequence[Condition], turned: bool) -> list[dict[str, Any]]:
    winner = {"first": "model_a", "second": "model_b", "none": "tie"}
    return [
        {
            "question_id": vote.content,
            "model_a": vote.first,
            "model_b": vote.second,
            "winner": winner[_winner(vote, turned)],
            "judge": vote.rater,
            "turn": 1,
            "anony": True,
            "tstamp": vote.received_at,
            "vote_id": vote.client_uuid,
        }
        for vote in votes
        if vote.kind == "main" and vote.answer != "skip"
    ]


_WRITERS: Mapping[str, Callable[[Sequence[StoredVote], Sequence[Condition], bool], list[dict[str, Any]]]] = {
    "csv": _full,
    "parquet": _full,
    "aic": _aic,
    "pwcmp": _pwcmp,
    "battles": _battles,
}
