"""The names, codes and tokens of raters: salted, each for one purpose, told to nobody else."""

from __future__ import annotations

import dataclasses
import hashlib

import pytest

from codecarena.studies.ledger import identity
from codecarena.studies.records.messages import Panel
from codecarena.studies.records.records import StudyRow

SALT = bytes(range(32)).hex()
STUDY = StudyRow(1, "small", 'simulated = false\n"', "", "imported", SALT, "", None, None)
OTHER = dataclasses.replace(STUDY, salt=bytes(range(1, 33)).hex())


# What `printf TEXT | openssl dgst -sha256 -mac HMAC -macopt hexkey:SALT` says, and base32 of its first bytes.
def test_names_and_codes_are_keyed_with_the_study_s_salt() -> None:
    participant = "4ba6da50a20a22b0a77580fa3054fcc8c88c96d5b4f7d99f5428900d849b7d6a"
    assert identity.participant_hash(STUDY, Panel("5f3a", "s9", "x7")) == participant
    assert identity.panel_record(STUDY, Panel("5f3a", "s9", "x7")) == {
        "study": "7e8d1360921a04b477658ee7bcef5f01ea449a8455e517558322df0bf6085409",
        "session": "fa9c3dc345176cf090360ba2057e3e3283aa70fe2a1836a00a207f96621348a2",
    }
    assert identity.panel_record(STUDY, Panel("5f3a", "s9")).keys() == {"study"}
    assert identity.withdrawal_code(STUDY, "r1") == "rugm-7mvm-7pru-7hbz"
    assert identity.completion_code(STUDY, "r1") == "YMJWKASK"
    trial = "a" * identity.TRIAL_CHARACTERS
    assert identity.picture_token(STUDY, trial, "first") == trial + "9e16985b3dd4c627cd2677999f8dc795"
    assert identity.picture_token(STUDY, trial, "reference") == trial + "4349cdd0897a8bc2f4d36c1078b096d9"


@pytest.mark.parametrize(
    "name",
    [
        lambda study: identity.participant_hash(study, Panel("5f3a")),
        lambda study: identity.panel_record(study, Panel("5f3a", "s9"))["study"],
        lambda study: identity.withdrawal_code(study, "r1"),
        lambda study: identity.completion_code(study, "r1"),
        lambda study: identity.picture_token(study, "a" * 32, "first"),
    ],
)
def test_nobody_is_known_by_one_name_in_two_studies(name) -> None:
    assert name(STUDY) != name(OTHER)
    assert name(STUDY) == name(STUDY)


def test_a_new_rater_s_name_says_only_whether_it_is_simulated() -> None:
    planned = dataclasses.replace(STUDY, state="open", plan="simulated = true")
    for study, prefix in ((STUDY, "r"), (planned, "simulated-")):
        rater, other = identity.new_rater(study), identity.new_rater(study)
        assert rater["name"] != other["name"]
        assert rater["name"].startswith(prefix)
        assert len(rater["name"]) == len(prefix) + 12
        code = identity.withdrawal_code(study, rater["name"])
        assert rater["withdrawal_sha256"] == hashlib.sha256(code.encode()).hexdigest()
        assert rater["study_id"] == study.study_id


def test_a_token_is_128_random_bits() -> None:
    tokens = {identity.new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert {len(bytes.fromhex(token)) for token in tokens} == {16}


@pytest.mark.parametrize(
    ("state", "plan", "simulated"),
    [
        ("open", "simulated = true", True),
        ("open", "simulated = false", False),
        ("open", "", False),
        ("imported", "simulated = true", False),
    ],
)
def test_a_study_is_simulated_where_its_sealed_plan_says_so(state, plan: str, simulated: bool) -> None:
    study = dataclasses.replace(STUDY, state=state, plan=plan)
    assert study.simulated is simulated
    assert study.label == ("small (simulated)" if simulated else "small")
