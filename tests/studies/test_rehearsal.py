"""A study of simulated raters goes the real way and says everywhere what it is."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from studying import open_study

from arena import call, write_pictures
from codecarena.bench.run import study_pictures
from codecarena.bench.store.store import Store
from codecarena.studies.analysis.choices import intact
from codecarena.studies.analysis.results import results_of, stored_results
from codecarena.studies.design.plan import PlanError
from codecarena.studies.ledger.ledger import Ledger
from codecarena.studies.ledger.votes import status, stored_votes
from codecarena.studies.organise.interchange import write
from codecarena.studies.organise.organise import invite
from codecarena.studies.organise.presenting import SIMULATED, report_record, report_tables, report_text
from codecarena.studies.organise.simulated_study import NAME, RATERS, demonstrate, rehearse

pytestmark = pytest.mark.xdist_group("rehearsal")

SUITE = """
name = "tiny"
sets = "pictures"
metrics = ["psnr"]
[[codecs]]
name = "jpeg"
qualities = [5, 30, 80]
[[codecs]]
name = "webp"
qualities = [5, 30, 80]
"""


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rehearsed")
    write_pictures(folder / "pictures", 3, size=96)
    (folder / "suite.toml").write_text(SUITE)
    ran = call("run", "suite.toml", "--workers", "1", folder=folder)
    assert ran.returncode == 0, ran.stderr
    assert demonstrate(str(folder / "arena"), study_pictures) == RATERS * 42
    return folder


def test_it_goes_the_real_way(rehearsed: Path) -> None:
    ledger = Ledger(str(rehearsed / "arena"), read_only=True)
    study = ledger.study(NAME)
    progress = status(ledger, study)
    assert (study.state, progress.votes, progress.fewest_votes > 0) == ("closed", RATERS * 30, True)
    assert intact(ledger.known(study))
    assert {rater.stage for rater in progress.raters} == {"done"}
    assert [event for _, event, _ in ledger.events(study)] == ["planned", "open", "closed"]
    kinds = [vote.kind for vote in stored_votes(ledger, study)]
    assert {"main", "golden", "training", "repeat", "identical"} == set(kinds)
    ledger.close()


def test_the_better_coding_wins(rehearsed: Path) -> None:
    (results,) = stored_results(Store(str(rehearsed / "arena")))
    order = [value.condition for value in results.values]
    for codec in ("jpeg", "webp"):
        places = [order.index(f"{codec} q={quality}") for quality in (80, 30, 5)]
        assert places == sorted(places)
    assert results.analysis.metrics is not None


def test_every_vote_name_and_table_says_that_it_is_simulated(rehearsed: Path, tmp_path: Path) -> None:
    ledger = Ledger(str(rehearsed / "arena"), read_only=True)
    study = ledger.study(NAME)
    assert study.label == f"{NAME} (simulated)"
    votes = stored_votes(ledger, study)
    assert {vote.proof for vote in votes} == {"simulated"}
    assert all(vote.rater.startswith("simulated-") for vote in votes)
    results = results_of(ledger, NAME)
    tables = report_tables(results)
    assert len(tables) > 4
    assert [title for title, _, _ in tables if "(simulated)" not in title] == []
    record = report_record(ledger, results)
    assert record["simulated"] is True
    assert SIMULATED in report_text(record)
    for form in ("csv", "aic", "pwcmp"):
        write(ledger, study, form, tmp_path / form)
        with (tmp_path / form).open() as file:
            assert all("simulated-" in "".join(row) for row in list(csv.reader(file))[1:])
    write(ledger, study, "battles", tmp_path / "battles")
    lines = (tmp_path / "battles").read_text().splitlines()
    assert all(json.loads(line)["judge"].startswith("simulated-") for line in lines)
    ledger.close()
    shown = call("study", "status", NAME, folder=rehearsed).stdout
    assert f"study {NAME} (simulated) is closed" in shown
    assert "simulated" in call("study", "status", folder=rehearsed).stdout


def test_it_is_made_once_and_takes_no_people(rehearsed: Path, tmp_path: Path) -> None:
    shutil.copytree(rehearsed / "arena", tmp_path / "arena")
    assert demonstrate(str(tmp_path / "arena"), study_pictures) == 0
    again = call("study", "open", NAME, folder=tmp_path)
    assert again.returncode == 0
    refused = call("study", "invite", NAME, folder=tmp_path)
    assert refused.returncode == 2
    assert "simulated: programs answer" in refused.stderr
    assert call("study", "close", NAME, folder=tmp_path).returncode == 0


def test_programs_take_no_part_in_a_study_for_people(tmp_path: Path) -> None:
    open_study(tmp_path / "arena")
    with pytest.raises(PlanError, match="is for people"):
        rehearse(str(tmp_path / "arena"), "small", 2)
    ledger = Ledger(str(tmp_path / "arena"))
    assert status(ledger, ledger.study("small")).raters == ()
    assert len(invite(ledger, "small", 1)) == 1
    ledger.close()


def test_one_codec_makes_no_study(tmp_path: Path) -> None:
    write_pictures(tmp_path / "pictures", 1, size=64)
    (tmp_path / "suite.toml").write_text(SUITE.split('[[codecs]]\nname = "webp"')[0])
    assert call("run", "suite.toml", "--workers", "1", folder=tmp_path).returncode == 0
    with pytest.raises(PlanError, match="two codecs"):
        demonstrate(str(tmp_path / "arena"), study_pictures)
