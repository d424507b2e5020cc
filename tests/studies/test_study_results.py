"""A simulated study through the real path, from coded pictures to everything that its report says."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest
from sqlalchemy import func, select, text

from arena import call, write_pictures
from codecarena.bench.run import study_pictures
from codecarena.bench.store.store import Store
from codecarena.bench.store.tables.schema import DerivedTable
from codecarena.bench.store.writer import StoreWriter
from codecarena.datasets.pixels import read_pixels
from codecarena.reports.tables.leaderboard_tables import leaderboard_tables
from codecarena.studies.analysis import results as module
from codecarena.studies.analysis.benchmark_facts import join
from codecarena.studies.analysis.fool_rate import share_interval
from codecarena.studies.analysis.results import StudyResults, results_of, stored_results
from codecarena.studies.ledger.identity import withdrawal_code
from codecarena.studies.ledger.ledger import Ledger
from codecarena.studies.organise.organise import open_study, plan_text
from codecarena.studies.organise.presenting import report_tables
from codecarena.studies.organise.simulated_study import rehearse

pytestmark = pytest.mark.xdist_group("study results")

SUITE = """
name = "tiny"
sets = "pictures"
metrics = ["psnr", "ssim"]
[[codecs]]
name = "jpeg"
qualities = [10, 40, 80]
[[codecs]]
name = "webp"
qualities = [10, 40, 80]
"""

PLAN = """
name = "{name}"
title = "Simulated"
simulated = true
hidden_reference = {hidden}
[pictures]
sets = ["pictures"]
crop = {{ rule = "centre", width = {width}, height = 40 }}
{conditions}
[trials]
golden = 4
[design]
{design}
[consent]
version = "1"
text = "Nobody reads this."
[raters]
card_calibration = false
colour_plates = false
[analysis]
resamples = 100
"""
QUALITIES = "".join(
    f'[[conditions]]\ncodec = "{codec}"\nqualities = [10, 40, 80]\n' for codec in ("jpeg", "webp")
)
SOME = 'name = "balanced-incomplete"\npairs_per_rater = 40'
RATERS = 9


def run_study(store: str, name: str, raters: int, **plan: str) -> None:
    """Plan, open and rehearse a study."""
    wishes = {"hidden": "true", "conditions": QUALITIES, "design": SOME, "width": "48", **plan}
    plan_text(store, PLAN.format(name=name, **wishes), Path("study.toml"), study_pictures)
    with closing(Ledger(store)) as ledger:
        open_study(ledger, name)
    rehearse(store, name, raters)


def score_shown(store: str, name: str, *metrics: str) -> None:
    with closing(Ledger(store, read_only=True)) as ledger:
        material = ledger.known(ledger.study(name)).material
    pairs = [
        (str(material.contents[stimulus.content].reference_sha256), str(stimulus.shown_sha256))
        for stimulus in material.stimuli
    ]
    study_pictures.score(store, pairs, metrics)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two codecs' results on four pictures and a study of parts of them."""
    folder = tmp_path_factory.mktemp("results")
    write_pictures(folder / "pictures", 4, size=96)
    (folder / "suite.toml").write_text(SUITE)
    ran = call("run", "suite.toml", "--workers", "1", folder=folder)
    assert ran.returncode == 0, ran.stderr
    run_study(str(folder / "arena"), "people", RATERS)
    writer = StoreWriter(str(folder / "arena"))
    # Half of the pictures are said to be generated; the seal is about what is shown, not about its kind.
    change = "UPDATE study_contents SET kind = 'ai-generated' WHERE name IN ('pictures/picture0001.png', "
    writer.write(lambda connection: connection.execute(text(change + "'pictures/picture0003.png')")))
    writer.close()
    return folder


@pytest.fixture(scope="module")
def unscored(measured: Path) -> StudyResults:
    """Return the study's results while only whole pictures have scores."""
    with closing(Ledger(str(measured / "arena"), read_only=True)) as ledger:
        return results_of(ledger, "people", 100)


@pytest.fixture(scope="module")
def scored(measured: Path, unscored: StudyResults) -> StudyResults:
    """Return the study's results once what was shown has scores; they are kept in the store then."""
    assert unscored.analysis.metrics is None
    score_shown(str(measured / "arena"), "people", "psnr", "ssim")
    with closing(Ledger(str(measured / "arena"), read_only=True)) as ledger:
        return results_of(ledger, "people")


def test_scores_of_whole_pictures_are_none_of_the_parts_that_were_shown(unscored: StudyResults) -> None:
    assert unscored.analysis.metrics is None
    assert any("no metric has scored what was shown" in note for note in unscored.notes)


def test_metrics_are_joined_by_the_hash_that_was_shown(measured: Path, scored: StudyResults) -> None:
    assert scored.analysis.metrics is not None
    assert {metric.metric for metric in scored.analysis.metrics.whole.metrics} == {"psnr", "ssim"}
    with closing(Ledger(str(measured / "arena"), read_only=True)) as ledger:
        known = ledger.known(ledger.study("people"))
        joined = join(ledger.store, known, "original").beside.scores
        blobs = ledger.store.blobs
    assert joined is not None
    for stimulus in known.material.stimuli[:3]:
        content, condition = (
            known.material.contents[stimulus.content],
            known.material.conditions[stimulus.condition],
        )
        parts = [
            read_pixels(blobs.decoded_path(str(name)))
            for name in (content.reference_sha256, stimulus.shown_sha256)
        ]
        assert parts[0].shape == (40, 48, 3)
        error = np.mean((parts[0].astype(float) - parts[1].astype(float)) ** 2)
        assert joined["psnr"][content.name, condition.name] == pytest.approx(10 * np.log10(255**2 / error))


def test_the_report_says_everything(measured: Path, scored: StudyResults) -> None:
    """Its tables, and its JSON without a number that JSON does not have."""
    titles = [title for title, _, _ in report_tables(scored)]
    said = [
        "threshold-probit, JOD, all raters",
        "Against the original",
        "Pairs",
        "Fit",
        "Does the scale depend on the kind of picture? (JOD)",
        "Rate at equal human quality",
        "Metrics against people",
        "Between metrics",
        "Raters",
    ]
    plain = [title.removeprefix("people (simulated): ") for title in titles]
    assert [title for title in plain if title in said] == said
    analysis = scored.analysis
    assert [resampling.scheme for resampling in analysis.scale.resampling] == ["rater", "rater x picture"]
    assert analysis.scale.order_effect is not None
    assert analysis.by_kind is not None
    assert analysis.by_kind.groups == ("ai-generated", "natural")
    assert analysis.scale.condition("original").value == 0
    assert {fool_rate.condition for fool_rate in scored.fool_rates} == {
        f"{codec} q={quality}" for codec in ("jpeg", "webp") for quality in (10, 40, 80)
    }
    assert all(review.golden and review.golden.trials == 4 for review in analysis.reviews)
    shown = call("study", "report", "people", "--json", folder=measured)
    assert shown.returncode == 0, shown.stderr
    record = json.loads(shown.stdout, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert [table["title"] for table in record["tables"]] == titles
    assert record["simulated"] is True
    report = call("study", "report", "people", "report.md", folder=measured)
    assert report.returncode == 0, report.stderr
    assert "| webp |" in (measured / "report.md").read_text()


def test_raters_with_a_label_are_shown_and_left_out_beside_all(scored: StudyResults) -> None:
    """The first program answers nine of ten trials by chance."""
    assert 1 <= len(scored.analysis.flagged) < RATERS / 2
    everybody, *others = scored.outcomes
    assert everybody.scale.raters == RATERS
    [without] = [other for other in others if "whom the review labels" in other.title]
    assert without.scale.raters == RATERS - len(scored.analysis.flagged)


def test_results_are_kept_and_read_without_computing(
    measured: Path, scored: StudyResults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_compute", lambda *_: pytest.fail("computed again"))
    store = Store(str(measured / "arena"))
    [kept] = stored_results(store)
    assert asdict(kept) == asdict(scored)
    with closing(Ledger(str(measured / "arena"), read_only=True)) as ledger:
        assert results_of(ledger, "people") == kept
    store.close()


def test_people_stand_beside_the_codecs(measured: Path, scored: StudyResults) -> None:
    store = Store(str(measured / "arena"))
    people = stored_results(store)
    [table] = leaderboard_tables(store, metrics=["psnr"], anchor="jpeg", people=people)
    by_codec = {row.record["codec"]: row for row in table.rows}
    assert table.columns[-1].title == "Simulated people"
    saving = scored.analysis.bd_rates[0]
    assert by_codec["webp"].record["people"]["bd_rate"]["percent"] == saving.bd_rate.percent
    value = next(value for value in scored.values if value.condition == "webp q=40")
    assert value.bits_per_pixel is not None
    [at] = leaderboard_tables(store, metrics=["psnr"], at=f"bpp={value.bits_per_pixel}", people=people)
    row = next(row for row in at.rows if row.record["codec"] == "webp")
    assert row.record["people"]["value"] == value.value
    assert row.record["people"]["interval"]["low"] <= value.value <= row.record["people"]["interval"]["high"]
    [plain] = leaderboard_tables(store, metrics=["psnr"], anchor="jpeg")
    assert plain.columns == table.columns[:-1]
    store.close()


@pytest.fixture
def store(measured: Path, tmp_path: Path) -> str:
    """Return a copy of the store, for another study in it."""
    shutil.copytree(measured / "arena", tmp_path / "arena")
    return str(tmp_path / "arena")


def test_rates_that_nothing_links_have_no_human_bd_rate(store: str) -> None:
    rates = "".join(
        f'[[conditions]]\ncodec = "{codec}"\nbits_per_pixel = [3, 7]\ntolerance = 1.0\n'
        for codec in ("jpeg", "webp")
    )
    run_study(store, "apart", 3, hidden="false", conditions=rates, design='pairs = "same-rate"')
    with closing(Ledger(store, read_only=True)) as ledger:
        results = results_of(ledger, "apart", 20)
    assert results.analysis.scale.components == 2
    [rate] = results.analysis.bd_rates
    assert rate.bd_rate.percent is None
    assert "do not link all rates of the two codecs" in str(rate.bd_rate.reason)


def test_what_changed_is_never_shown_and_a_withdrawal_drops_what_names_the_rater(store: str) -> None:
    opened = Store(store)
    run_study(store, "fleeting", 4, width="32", design=SOME.replace("40", "12"))

    def kept() -> list[str]:
        return [result.study for result in stored_results(opened) if result.study == "fleeting"]

    def compute() -> StudyResults:
        with closing(Ledger(store, read_only=True)) as ledger:
            return results_of(ledger, "fleeting")

    assert kept() == []
    [name, *_] = [review.rater for review in compute().analysis.reviews]
    assert kept() == ["fleeting"]
    with closing(Ledger(store)) as ledger:
        [question] = [
            row[0] for row in ledger.rows(select(DerivedTable.question)) if _names(ledger, row[0], name)
        ]
        assert ledger.withdraw(withdrawal_code(ledger.study("fleeting"), name))
        left = ledger.row(select(func.count()).where(DerivedTable.question == question))
        assert left[0] == 0
    assert kept() == []
    compute()
    rehearse(store, "fleeting", 1, seed=8)
    assert kept() == []
    compute()
    assert kept() == ["fleeting"]
    score_shown(store, "fleeting", "psnr-y")
    assert kept() == []
    opened.close()


def _names(ledger: Ledger, question: str, rater: str) -> bool:
    """Whether what is kept of a question names a rater."""
    value = ledger.row(select(DerivedTable.value).where(DerivedTable.question == question))[0]
    return rater in json.dumps(value)


def test_a_share_of_independent_votes_has_wilson_s_interval() -> None:
    won = np.array([1] * 7 + [0] * 13)
    interval = share_interval(won, np.arange(20))
    assert interval is not None
    expected = binomtest(7, 20).proportion_ci(method="wilson")
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), abs=0.02)
    # Five raters of four equal votes each are worth five votes.
    clustered = share_interval(np.repeat([1, 0, 1, 0, 0], 4), np.repeat(np.arange(5), 4))
    assert clustered is not None
    five = binomtest(2, 5).proportion_ci(method="wilson")
    assert (clustered.low, clustered.high) == pytest.approx((five.low, five.high), abs=0.02)
    never = share_interval(np.zeros(40, int), np.repeat(np.arange(10), 4))
    assert never is not None
    assert never.high == pytest.approx(binomtest(0, 10).proportion_ci(method="wilson").high)
