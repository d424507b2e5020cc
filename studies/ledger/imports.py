"""Store votes from elsewhere as a study of their own, so that they are analysed like ours."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sqlalchemy import Connection, bindparam, insert, select, update

from ...bench.store.database import StoreError
from ...bench.store.tables.study_tables import PairTable, RaterTable, TrialTable, VoteTable
from ...bench.store.writer import now
from ..design.plan import NAME, REFERENCE, AnalysisTable, seal
from ..records.records import Condition, Content, Pair, StoredStudy, StudyMaterial, StudyRow, TrialKind
from ..records.records import Stimulus as StimulusRecord
from ..scale.votes import Kind, Votes
from . import identity
from .ledger import NEW_RATER, Ledger, digest

_KINDS: dict[int, TrialKind] = {
    Kind.PLAIN: "main",
    Kind.TRAINING: "training",
    Kind.GOLDEN: "golden",
    Kind.REPEAT: "repeat",
    Kind.IDENTICAL: "identical",
}
_ANSWERS = {1: "first", 0: "none", -1: "second"}


@dataclass(frozen=True, slots=True)
class Placement:
    """What the benchmark has stored of what an imported study compared, by the study's own names."""

    conditions: Mapping[str, Condition]
    """Those that are stored settings, and the original."""
    contents: Mapping[str, Content]
    """Those pictures that are of the set."""
    stimuli: Mapping[tuple[str, str], StimulusRecord]
    """By picture and condition; the indices in them say nothing."""


NOWHERE = Placement({}, {}, {})


def keep_votes(
    ledger: Ledger,
    name: str,
    source: str,
    votes: Votes,
    analysis: AnalysisTable | None = None,
    placement: Placement = NOWHERE,
) -> StudyRow:
    """Store votes as an imported study and return it.

    Args:
        ledger: Where to.
        name: Of the new study.
        source: A sentence on where they came from.
        votes: What to store; whether sides and raters were noted is kept with them.
        analysis: How their scale is to be made; kept as well.
        placement: What the benchmark knows of the conditions and pictures.

    Raises:
        StoreError: The name is taken or none for a study, or there are no votes.
    """
    check_name(ledger, name)
    if not len(votes):
        raise StoreError("no votes were found in the file")
    analysis = analysis or AnalysisTable()
    if analysis.anchor not in (None, *votes.conditions):
        names = ", ".join(votes.conditions[:12]) + (", …" if len(votes.conditions) > 12 else "")
        raise StoreError(f"expected the anchor among {names}; got {analysis.anchor!r}")
    columns, material = _material(votes, placement)
    text = f"source = {quoted(source)}\nsided = {str(votes.sided).lower()}\n"
    text += f"raters_known = {str(votes.raters_known).lower()}\n[analysis]\n"
    text += "".join(
        f"{key} = {quoted(setting)}\n" for key, setting in analysis.model_dump(exclude_unset=True).items()
    )
    ledger.keep(name, text, seal(text, material.lines()), "imported", material)
    study = ledger.study(name)
    known = ledger.known(study)
    ledger.write(lambda connection: _insert_votes(connection, known, votes, columns))
    return study


def check_name(ledger: Ledger, name: str) -> None:
    """Refuse what is no name for a new study.

    Raises:
        StoreError: The name is taken or none for a study.
    """
    if not NAME.fullmatch(name):
        raise StoreError(f"study name {name!r}: expected lower-case letters, digits and dashes, at most 40")
    if ledger.find(name):
        raise StoreError(f"study {name!r} is in this store already; choose another name")


def facts_of(study: StudyRow) -> tuple[bool, bool]:
    """Return whether an imported study's sides and raters were noted."""
    read = tomllib.loads(study.plan)
    return bool(read["sided"]), bool(read["raters_known"])


def source_of(study: StudyRow) -> str:
    """Return where an imported study's votes came from, and what was left out of them."""
    return str(tomllib.loads(study.plan)["source"])


def analysis_of(study: StudyRow) -> AnalysisTable:
    """Return how the scale of an imported study is to be made."""
    return AnalysisTable.model_validate(tomllib.loads(study.plan).get("analysis", {}))


def _material(votes: Votes, placement: Placement) -> tuple[list[tuple[int, int, int]], StudyMaterial]:
    """Return each vote's pair, first and second stimulus, and what the study compares."""
    places: dict[tuple[int, int], int] = {}
    pairs: dict[tuple[str, int, int], int] = {}
    columns: list[tuple[int, int, int]] = []
    for content, first, second, kind in zip(
        votes.picture.tolist(), votes.first.tolist(), votes.second.tolist(), votes.kind.tolist(), strict=True
    ):
        first_place = places.setdefault((content, first), len(places))
        second_place = places.setdefault((content, second), len(places))
        ends = min(first_place, second_place), max(first_place, second_place)
        if kind == Kind.GOLDEN and votes.conditions[second] == REFERENCE:
            ends = second_place, first_place
        elif kind == Kind.GOLDEN:
            ends = first_place, second_place
        stored = "main" if kind in (Kind.PLAIN, Kind.REPEAT) else _KINDS[kind]
        columns.append((pairs.setdefault((stored, *ends), len(pairs)), first_place, second_place))
    return columns, StudyMaterial(
        tuple(placed_condition(placement, name) for name in votes.conditions),
        tuple(placement.contents.get(name, Content(name)) for name in votes.pictures),
        tuple(
            placed_stimulus(
                placement, votes.pictures[content], votes.conditions[condition], content, condition
            )
            for content, condition in places
        ),
        tuple(Pair(kind, first, second) for kind, first, second in pairs),  # pyright: ignore[reportArgumentType]
    )


def placed_condition(placement: Placement, name: str) -> Condition:
    """Return a condition with what is known of it."""
    return placement.conditions.get(name, Condition(name, None, None, None))


def placed_stimulus(
    placement: Placement, picture: str, condition: str, content_place: int, condition_place: int
) -> StimulusRecord:
    """Return a stimulus with what is known of it.

    Args:
        placement: What is known.
        picture: Name of its picture.
        condition: Name of its condition.
        content_place: Index of the picture in the study's material.
        condition_place: Likewise of the condition.
    """
    known = placement.stimuli.get((picture, condition), StimulusRecord(0, 0))
    return replace(known, content=content_place, condition=condition_place)


def _insert_votes(
    connection: Connection, known: StoredStudy, votes: Votes, columns: Sequence[tuple[int, int, int]]
) -> None:
    study = known.study
    raters = [_rater(study, name) for name in votes.raters]
    connection.execute(insert(RaterTable), raters)
    ids = {
        row.name: row.id
        for row in connection.execute(
            select(RaterTable.name, RaterTable.id).where(RaterTable.study_id == study.study_id)
        )
    }
    rater_ids = [ids[row["name"]] for row in raters]
    positions: Counter[int] = Counter()
    moment = now()
    trials: list[dict[str, object]] = []
    for row, (pair, first, second) in enumerate(columns):
        rater = int(votes.rater[row])
        trials.append(
            {
                "study_id": study.study_id,
                "rater_id": rater_ids[rater],
                "position": positions[rater],
                "token": identity.new_token(),
                "kind": _KINDS[int(votes.kind[row])],
                "pair_id": known.pair_ids[pair],
                "first_id": known.stimulus_ids[first],
                "second_id": known.stimulus_ids[second],
                "probability": None,
                "lease_until": moment,
                "answered_at": moment,
            }
        )
        positions[rater] += 1
    votes_of_pairs = Counter(trial["pair_id"] for trial in trials if trial["kind"] == "main")
    counted = update(PairTable).where(PairTable.id == bindparam("pair")).values(votes=bindparam("count"))
    if votes_of_pairs:
        pairs = [{"pair": pair, "count": count} for pair, count in votes_of_pairs.items()]
        connection.execute(counted, pairs)
    trial_ids = list(
        connection.scalars(insert(TrialTable).returning(TrialTable.id, sort_by_parameter_order=True), trials)
    )
    connection.execute(
        insert(VoteTable),
        [
            {
                "study_id": study.study_id,
                "rater_id": trial["rater_id"],
                "trial_id": trial_ids[row],
                "client_uuid": identity.new_token(),
                "answer": _ANSWERS[int(votes.outcome[row])],
                "response_ms": None if np.isnan(votes.seconds[row]) else float(votes.seconds[row]) * 1000,
                "proof": "unproven",
                "display": {},
                "received_at": moment,
            }
            for row, trial in enumerate(trials)
        ],
    )


def _rater(study: StudyRow, name: str) -> dict[str, Any]:  # Any: columns of a rater
    """Return a rater by the file's name, which is told from other studies' by the study's."""
    own = f"{study.name}:{name}"
    code = digest(identity.withdrawal_code(study, own))
    columns = {**NEW_RATER, **identity.new_rater(study)}
    return {**columns, "name": own, "withdrawal_sha256": code, "stage": "done", "invited_at": now()}


def quoted(text: str) -> str:
    """Return a text as a string of TOML: JSON's are."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
