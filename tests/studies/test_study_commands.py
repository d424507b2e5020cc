"""A study from the stored results to the scale, as an organiser does it on the command line."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text
from studying import enter, invite, open_study, work_through

from arena import call, write_pictures
from codecarena.bench.run import study_pictures
from codecarena.bench.store.study_pictures import Crop
from codecarena.bench.store.writer import StoreWriter
from codecarena.datasets.pixels import pixels_sha256, read_pixels
from codecarena.studies.design.plan import PlanError, parse
from codecarena.studies.ledger.ledger import Ledger
from codecarena.studies.ledger.votes import status
from codecarena.studies.organise.organise import plan_study
from codecarena.studies.session.session import RaterService

pytestmark = pytest.mark.xdist_group("study commands")

SUITE = """
name = "tiny"
sets = "pictures"
metrics = ["psnr"]
[[codecs]]
name = "jpeg"
qualities = [10, 50]
[[codecs]]
name = "webp"
qualities = [10, 50]
"""


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the results of two codecs and the plan that `study init` writes for them."""
    folder = tmp_path_factory.mktemp("study")
    write_pictures(folder / "pictures", 3, size=96)
    (folder / "suite.toml").write_text(SUITE)
    ran = call("run", "suite.toml", "--workers", "1", folder=folder)
    assert ran.returncode == 0, ran.stderr
    written = call("study", "init", folder=folder)
    assert written.returncode == 0, written.stderr
    return folder


def plan_text(folder: Path, **changed: str) -> str:
    written = (folder / "study.toml").read_text()
    for old, new in changed.values():
        assert old in written
        written = written.replace(old, new)
    return written


def test_the_starting_plan_runs_as_it_is(measured: Path) -> None:
    planned = call("study", "plan", "--json", folder=measured)
    assert planned.returncode == 0, planned.stderr
    record = json.loads(planned.stdout)
    assert (record["conditions"], record["pictures"], record["pairs"]) == (5, 3, 30)
    assert record["warnings"] == []
    opened = call("study", "open", "demo", folder=measured)
    assert record["sha256"] in opened.stdout
    again = call("study", "plan", folder=measured)
    assert again.returncode == 2
    assert "sealed" in again.stderr
    links = json.loads(call("study", "invite", "demo", "--count", "2", "--json", folder=measured).stdout)
    service = RaterService(str(measured / "arena"))
    for link, answer in zip(links, ("first", "second"), strict=True):
        session = service.join(link.partition("?invite=")[2]).session_token
        service.consent(session, "1", agreed=True, of_age=True)
        service.screening(session, {"eyesight": "yes"})
        service.calibration(session, {})
        work_through(service, session, answer)
    code = service.welcome(session).withdrawal_code
    service.close()
    scored = call("study", "score", "demo", "-m", "psnr", folder=measured)
    # The pictures are smaller than the crop: those scores are there, but no original has one against itself.
    assert "3 scores added, 12 there before" in scored.stdout
    report = call("study", "report", "demo", "report.json", folder=measured)
    assert report.returncode == 0, report.stderr
    written = json.loads((measured / "report.json").read_text())
    assert written["sealed"]
    assert written["status"]["votes"] == 60
    assert {condition["condition"] for condition in written["outcomes"][0]["scale"]["conditions"]} >= {
        "original",
        "jpeg q=10",
    }
    gone = call("study", "withdraw", code, folder=measured)
    assert "votes and the rater's identity are erased" in gone.stdout
    assert call("study", "close", "demo", folder=measured).returncode == 0
    state = json.loads(call("study", "status", "demo", "--json", folder=measured).stdout)
    assert (state["state"], state["votes"], state["withdrawn"], state["intact"]) == ("closed", 30, 1, True)


def test_what_is_shown_is_the_cut_of_what_was_scored(measured: Path) -> None:
    plan = plan_text(measured, name=('name = "demo"', 'name = "cut"'), crop=("width = 256", "width = 40"))
    (measured / "cut.toml").write_text(plan)
    report = plan_study(str(measured / "arena"), measured / "cut.toml", study_pictures)
    ledger = Ledger(str(measured / "arena"))
    material, blobs = ledger.known(report.study).material, ledger.store.blobs
    ledger.close()
    for cell in material.stimuli:
        part = material.contents[cell.content]
        assert cell.decoded_sha256
        assert cell.shown_sha256
        whole_path = blobs.decoded_path(cell.decoded_sha256)
        if whole_path.exists():
            whole = read_pixels(whole_path)
            cut = whole[part.top : part.top + part.height, part.left : part.left + part.width]
            assert pixels_sha256(np.ascontiguousarray(cut)) == cell.shown_sha256
        assert read_pixels(blobs.decoded_path(cell.shown_sha256)).shape == (96, 40, 3)


def test_the_detailed_part_is_where_the_detail_is() -> None:
    original = np.full((128, 160, 3), 90, np.uint8)
    original[72:104, 96:136] = np.random.default_rng(1).integers(0, 256, (32, 40, 3), dtype=np.uint8)
    left, top, width, height = study_pictures.choose(original, Crop("detail", 40, 32))
    assert (width, height) == (40, 32)
    assert abs(left - 96) <= 8
    assert abs(top - 72) <= 8
    assert study_pictures.choose(original, Crop("centre", 40, 32)) == (60, 48, 40, 32)
    assert study_pictures.choose(original, Crop("detail", 400, 32))[2] == 160
    assert study_pictures.choose(original, Crop("whole", 4, 4)) == (0, 0, 160, 128)


def test_pairs_that_leave_rates_unlinked_are_told_with_those_that_link_them(measured: Path) -> None:
    rates = 'codec = "{}"\nbits_per_pixel = [{}]\ntolerance = 1.0\n'
    start, _, rest = plan_text(measured).partition("[[conditions]]")
    tables = "".join(f"[[conditions]]\n{rates.format(name, '4, 9')}" for name in ("jpeg", "webp"))
    rest = "[trials]" + rest.partition("[trials]")[2]
    plan = (start + tables + rest).replace('pairs = "all"', 'pairs = "same-rate"')
    plan = plan.replace('name = "demo"', 'name = "links"').replace("hidden_reference = true", "")
    plan = plan.replace('anchor = "original"', "")
    (measured / "links.toml").write_text(plan)
    report = plan_study(str(measured / "arena"), measured / "links.toml", study_pictures)
    [warning] = [warning for warning in report.warnings if "2 groups" in warning]
    assert "design.link_rates = true joins them by jpeg 4 bpp - jpeg 9 bpp" in warning
    (measured / "links.toml").write_text(
        plan.replace('pairs = "same-rate"', 'link_rates = true\npairs = "same-rate"')
    )
    linked = plan_study(str(measured / "arena"), measured / "links.toml", study_pictures)
    assert not [warning for warning in linked.warnings if "groups" in warning]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('codec = "jpeg"', 'codec = "jpg"', "no results of 'jpg'"),
        ("qualities = [10, 50]", "qualities = [11]", "stored: 10, 50"),
        ('sets = ["pictures"]', 'sets = ["photos"]', "it has pictures"),
        ('anchor = "original"', 'anchor = "best"', "analysis.anchor"),
        ("break_every", "break_evry", "did you mean 'break_every'"),
        ("golden = 3", "golden = -1", "trials.golden"),
        ('name = "full"', 'name = "asap"', "needs pairs_per_rater"),
        ("allow_no_preference = true", 'allow_no_preference = true\nasks = "no"', "trials.asks"),
    ],
)
def test_a_plan_that_does_not_fit_is_refused_with_the_place(
    measured: Path, tmp_path: Path, old: str, new: str, said: str
) -> None:
    (tmp_path / "wrong.toml").write_text(plan_text(measured, change=(old, new)))
    with pytest.raises(PlanError, match=said):
        plan_study(str(measured / "arena"), tmp_path / "wrong.toml", study_pictures)


def test_a_seal_tells_rows_that_were_changed(tmp_path: Path) -> None:
    open_study(tmp_path)
    writer = StoreWriter(str(tmp_path))
    writer.write(lambda connection: connection.execute(text("UPDATE study_stimuli SET shown_sha256 = 'x'")))
    writer.close()
    shown = call("study", "status", "small", "--store", str(tmp_path), folder=tmp_path)
    assert "BROKEN" in shown.stdout


def test_ties_need_a_model_that_has_them() -> None:
    with pytest.raises(PlanError, match='leaves out "no preference"'):
        parse(
            'name="a"\ntitle="t"\n[pictures]\nsets=["x"]\n[[conditions]]\ncodec="c"\nqualities=[1]\n'
            '[consent]\nversion="1"\ntext="t"\n[analysis]\nmodel="thurstone"',
            Path("p.toml"),
        )


VOTER = """
import sys, uuid
from codecarena.studies.session.session import RaterService
from codecarena.studies.records.messages import Trial, VoteRequest
service = RaterService(sys.argv[1])
for invitation in sys.argv[2:]:
    session = service.join(invitation).session_token
    service.consent(session, "1", agreed=True, of_age=True)
    step = service.next_trial(session)
    while isinstance(step, Trial):
        client = str(uuid.uuid4())
        step = service.vote(session, VoteRequest(step.trial, client, "first", 1)).following
        print(client, flush=True)
"""


def test_a_killed_server_loses_no_acknowledged_vote(tmp_path: Path) -> None:
    open_study(tmp_path, trials="break_every = 0", pictures=6)
    invitations = invite(tmp_path, 40)
    server = subprocess.Popen(
        [sys.executable, "-c", VOTER, str(tmp_path), *invitations], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout
    lines = [server.stdout.readline().strip() for _ in range(60)]
    server.send_signal(signal.SIGKILL)
    lines += [line.strip() for line in server.stdout.read().splitlines() if len(line.strip()) == 36]
    server.wait()
    server.stdout.close()
    ledger = Ledger(str(tmp_path))
    kept = {row[0] for row in ledger.rows(text("SELECT client_uuid FROM study_votes"))}
    counted = status(ledger, ledger.study("small")).votes
    main = ledger.row(
        text("SELECT count(*) FROM study_trials WHERE kind = 'main' AND answered_at IS NOT NULL")
    )[0]
    ledger.close()
    assert set(lines) <= kept
    assert len(kept) - len(lines) <= 1  # stored, and killed before it was told
    assert counted == main


WRITER = """
import sys
from codecarena.bench.store.writer import StoreWriter
from sqlalchemy import text
store = StoreWriter(sys.argv[1])
print("ready", flush=True)
for number in range(int(sys.argv[2])):
    row = {"sha256": f"{number:064x}", "height": 8, "width": 8}
    store.write(lambda c: c.execute(text("INSERT INTO pictures VALUES (:sha256, :height, :width)"), row))
"""


def test_votes_and_a_benchmark_write_into_the_same_file(tmp_path: Path) -> None:
    open_study(tmp_path, trials="break_every = 0", pictures=4)
    service = RaterService(str(tmp_path))
    sessions = [enter(service, invitation) for invitation in invite(tmp_path, 3)]
    words = [sys.executable, "-c", WRITER, str(tmp_path), "1000"]
    bench = subprocess.Popen(words, stdout=subprocess.PIPE)
    assert bench.stdout
    bench.stdout.readline()
    for session in sessions:
        work_through(service, session)
    assert bench.wait(timeout=120) == 0
    bench.stdout.close()
    service.close()
    ledger = Ledger(str(tmp_path))
    assert status(ledger, ledger.study("small")).votes == 36
    assert ledger.row(text("SELECT count(*) FROM pictures"))[0] == 1000
    ledger.close()


def test_a_published_table_is_analysed_as_its_author_did(tmp_path: Path, test_data: Path) -> None:
    """Davidson's pudding data, through the command line, to the digits given."""
    oracles = test_data / "oracles"
    want = json.loads((oracles / "expected.json").read_text())["pudding"]
    lines = ["first,second,winner,count,sided"]
    for row in csv.DictReader((oracles / "davidson1970_pudding.csv").read_text().splitlines()):
        for winner, column in (("first", "w_ij"), ("second", "w_ji"), ("none", "t_ij")):
            lines.append(f"{row['i']},{row['j']},{winner},{row[column]},false")
    (tmp_path / "pudding.csv").write_text("\n".join(lines))
    wrong = call("study", "import", "pudding", "csv", "pudding.csv", "--anchor", "7", folder=tmp_path)
    assert (wrong.returncode, "among 1, 2, 3, 4, 5, 6; got '7'" in wrong.stderr) == (2, True)
    asked = ("--unit", "log-worth", "--anchor", "1")
    done = call("study", "import", "pudding", "csv", "pudding.csv", *asked, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    shown = json.loads(call("study", "scale", "pudding", "--json", folder=tmp_path).stdout)
    [outcome] = shown["outcomes"]
    log_worth = {condition["condition"]: condition["value"] for condition in outcome["scale"]["conditions"]}
    assert outcome["scale"]["model"] == "davidson"
    assert [log_worth[str(number)] for number in range(1, 7)] == pytest.approx(
        want["log_worth_vs_1"], abs=5e-8
    )
    table = call("study", "scale", "pudding", folder=tmp_path).stdout
    assert "95 % by vote" in table
    assert "unknown raters" in table
