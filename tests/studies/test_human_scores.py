"""Scores that people gave elsewhere meet the stored pixels of their conditions; so do imported votes."""

from __future__ import annotations

import csv
import json
import shutil
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest
from scipy import stats

from arena import call, run_record, write_pictures
from codecarena.bench.analysis.curves import bd_rate
from codecarena.bench.store.store import Store
from codecarena.studies.analysis.score_results import score_results_of, stored_score_results
from codecarena.studies.ledger.ledger import Ledger
from codecarena.studies.ledger.score_imports import keep_scores, scale_of_scores, scores_of_study
from codecarena.studies.organise.condition_mapping import (
    ConditionMapping,
    SettingTable,
    read_mapping,
    with_options,
)
from codecarena.studies.organise.interchange import InterchangeError
from codecarena.studies.organise.score_file import read_scores
from codecarena.studies.organise.stored_settings import place
from codecarena.studies.records.records import ScoreScale

pytestmark = pytest.mark.xdist_group("human scores")

SUITE = """
name = "judged"
sets = "./photos"
metrics = ["psnr", "ssim"]
[[codecs]]
name = "jpeg"
qualities = [10, 30, 50, 70, 90]
[[codecs]]
name = "webp"
qualities = [10, 30, 50, 70, 90]
"""
METHODS = [(codec, quality) for codec in ("jpeg", "webp") for quality in (10, 30, 50, 70, 90)]
Means = dict[tuple[str, float], dict[str, float]]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("judged")
    write_pictures(folder / "photos", 4, size=64)
    (folder / "suite.toml").write_text(SUITE)
    status, record = run_record("suite.toml", folder=folder)
    assert status == 0, record
    return folder


@pytest.fixture(scope="module")
def means(ran: Path) -> Means:
    """Return mean rate and mean scores of every setting over the pictures."""
    store = Store(str(ran / "arena"))
    names = {metric.metric_id: metric.name for metric in store.metrics()}
    values: dict[tuple[str, float], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for cell in store.cells():
        values[cell.codec, cell.quality]["bpp"].append(cell.bits_per_pixel)
        for metric_id, score in cell.scores.items():
            values[cell.codec, cell.quality][names[metric_id]].append(score.value or np.nan)
    store.close()
    return {key: {name: fmean(own) for name, own in by_name.items()} for key, by_name in values.items()}


def elo(means: Means, codec: str, quality: float) -> float:
    """Return what the made-up raters give: they see PSNR, and like JPEG 100 points more."""
    return round(1000 + 200 * means[codec, quality]["psnr"] - 100 * (codec == "webp"), 2)


@pytest.fixture(scope="module")
def elo_csv(ran: Path, means: Means) -> Path:
    """Return a table of the form of mucped23's ``elo.csv``."""
    lines = ["method,elo,p99Low,p99Hi,bpp,label"]
    for codec, quality in METHODS:
        score, rate = elo(means, codec, quality), means[codec, quality]["bpp"]
        lines.append(f"{codec}-q{quality},{score},{score - 25.7583},{score + 25.7583},{rate},{codec}")
    (ran / "elo.csv").write_text("\n".join(lines) + "\n")
    settings = "\n".join(
        f'"{codec}-q{quality}" = {{ codec = "{codec}", setting = {quality} }}' for codec, quality in METHODS
    )
    (ran / "map.toml").write_text(f'set = "photos"\nlevel = 99\n[conditions]\n{settings}\n')
    rows = "".join(f"{codec}-q{quality};{codec};{quality}\r\n" for codec, quality in METHODS)
    (ran / "map.csv").write_text(f"\ufeffcondition;codec;setting\r\n{rows}", encoding="utf-8")
    return ran / "elo.csv"


@pytest.fixture(scope="module")
def imported(ran: Path, elo_csv: Path) -> Path:
    done = call("study", "import", "elo", "scores", elo_csv, "--mapping", "map.toml", folder=ran)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "10 scores (Elo) of 10 conditions are study elo; see codecarena study report elo\n"
    assert done.stderr == ""
    return ran


def test_scores_by_condition_meet_the_stored_settings(imported: Path, means: Means) -> None:
    with closing(Ledger(str(imported / "arena"), read_only=True)) as ledger:
        study = ledger.study("elo")
        assert study.holds_scores
        assert scale_of_scores(study) == ScoreScale("Elo", "higher", 99)
        assert len(scores_of_study(ledger, study)) == 10
        results = score_results_of(ledger, "elo")
    best = results.values[0]
    codec, quality = max(METHODS, key=lambda method: elo(means, *method))
    assert (best.score.condition, best.codec, best.setting) == (f"{codec}-q{quality}", codec, f"{quality}")
    assert best.bits_per_pixel == pytest.approx(means[codec, quality]["bpp"])
    assert len(results.pictures) == 4
    human = [elo(means, *method) for method in METHODS]
    by_name = {metric.metric: metric for metric in results.metrics}
    for name in ("psnr", "ssim"):
        expected = stats.spearmanr([means[method][name] for method in METHODS], human).statistic
        assert by_name[name].srcc == pytest.approx(expected)
        assert by_name[name].plcc > 0.8
        interval = by_name[name].srcc_interval
        assert interval is not None
        assert interval.low < by_name[name].srcc < interval.high


def test_the_rate_at_equal_human_quality_is_the_bd_rate_of_the_scores(imported: Path, means: Means) -> None:
    with closing(Ledger(str(imported / "arena"), read_only=True)) as ledger:
        (rate,) = score_results_of(ledger, "elo").bd_rates

    def curve(codec: str) -> tuple[list[float], list[float]]:
        own = [method for method in METHODS if method[0] == codec]
        return [means[method]["bpp"] for method in own], [elo(means, *method) for method in own]

    assert (rate.codec, rate.anchor) == ("webp", "jpeg")
    assert rate.bd_rate.percent == pytest.approx(bd_rate(*curve("jpeg"), *curve("webp")).percent)
    assert rate.low is not None
    assert rate.high is not None
    assert rate.low < (rate.bd_rate.percent or 0) < rate.high


def test_the_anchor_of_the_rates_is_chosen_at_the_import(imported: Path, elo_csv: Path) -> None:
    words = ("study", "import", "turned", "scores", elo_csv, "--mapping", "map.toml", "--anchor")
    wrong = call(*words, "avif", folder=imported)
    assert (wrong.returncode, "expected the anchor among jpeg, webp; got 'avif'" in wrong.stderr) == (2, True)
    assert call(*words, "webp", folder=imported).returncode == 0
    with closing(Ledger(str(imported / "arena"), read_only=True)) as ledger:
        (turned,), (rate,) = (score_results_of(ledger, name).bd_rates for name in ("turned", "elo"))
    assert (turned.codec, turned.anchor) == ("jpeg", "webp")
    ratios = [1 + (own.bd_rate.percent or 0) / 100 for own in (turned, rate)]
    assert ratios[0] * ratios[1] == pytest.approx(1)


def test_scores_are_no_votes_to_export(imported: Path) -> None:
    done = call("study", "export", "elo", "csv", "votes.csv", folder=imported)
    assert (done.returncode, "holds scores, no votes" in done.stderr) == (2, True)
    assert not (imported / "votes.csv").exists()


def test_the_level_of_the_intervals_decides_how_far_scores_are_drawn(ran: Path, elo_csv: Path) -> None:
    """One picture, so that only the scores' own error is left: at 99 % it is 25.7583 / 2.5758 = 10 points."""
    text = elo_csv.read_text().replace("p99Low", "low").replace("p99Hi", "high")
    (ran / "plain.csv").write_text(text)
    widths: list[float] = []
    with closing(Ledger(str(ran / "arena"))) as ledger:
        for level in (99.0, 68.27):
            mapping = with_options(read_mapping(ran / "map.toml"), {"level": level})
            content = read_scores(ran / "plain.csv", mapping)
            placement, _ = place(ledger.store, mapping, content.conditions, None)
            name = f"level{level:.0f}"
            keep_scores(ledger, name, "somebody", content.scale, content.scores, placement)
            (rate,) = score_results_of(ledger, name).bd_rates
            assert rate.low is not None
            assert rate.high is not None
            widths.append(rate.high - rate.low)
    assert widths[1] > 1.5 * widths[0]


def test_the_command_shows_and_writes_everything(imported: Path) -> None:
    shown = call("study", "report", "elo", folder=imported).stdout
    for part in ("elo: Elo", "99 %", "elo: Metrics against people", "SRCC", "Rate at equal human quality",
                 "rate against jpeg", "imported from elo.csv (scores); more is better",
                 "10 conditions; metrics are means over 4 pictures"):  # fmt: skip
        assert part in shown, part
    assert call("study", "scale", "elo", folder=imported).stdout == shown
    record = json.loads(call("study", "report", "elo", "--json", folder=imported).stdout)
    assert record["scale"] == {"name": "Elo", "better": "higher", "level": 99.0}
    assert len(record["values"]) == 10
    call("study", "report", "elo", "elo.md", folder=imported)
    assert "| metric | SRCC | PLCC |" in (imported / "elo.md").read_text()
    status = call("study", "status", "elo", folder=imported).stdout
    assert "scores that people gave elsewhere, no votes" in status
    store = Store(str(imported / "arena"))
    assert "elo" in [results.study for results in stored_score_results(store)]
    store.close()


def test_a_table_maps_as_toml_does_and_options_say_the_rest(ran: Path, elo_csv: Path) -> None:
    words = ("study", "import", "by-table", "scores", elo_csv, "--mapping", "map.csv")
    wrong = call(*words, folder=ran)
    assert wrong.returncode == 2
    assert "expected the image set that was judged, of photos; got none" in wrong.stderr
    done = call(*words, "--set", "photos", folder=ran)
    assert done.returncode == 0, done.stderr
    with closing(Ledger(str(ran / "arena"), read_only=True)) as ledger:
        results = score_results_of(ledger, "by-table")
    assert len(results.metrics) == 2
    # The level is in the columns' names.
    assert results.scale.level == 99


def test_a_rate_that_is_not_the_stores_is_doubted(ran: Path, elo_csv: Path) -> None:
    rows = list(csv.DictReader(elo_csv.read_text().splitlines()))
    rows[3]["bpp"] = str(1.05 * float(rows[3]["bpp"]))
    with (ran / "far.csv").open("w", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    done = call("study", "import", "far", "scores", "far.csv", "--mapping", "map.toml", folder=ran)
    assert done.returncode == 0
    (note,) = done.stderr.splitlines()
    assert note.startswith("note jpeg-q70: the file says ")
    assert "is it the same setting of the same encoder?" in note


def test_scores_of_single_pictures_of_which_less_is_better(ran: Path, means: Means) -> None:
    """As JPEG AIC's reconstructed scores: codec and level are two columns, JND of distortion, 95 %."""
    lines = ["img_num,codec,dlevel,distortion,CI_min,CI_max"]
    store = Store(str(ran / "arena"))
    psnr = next(metric.metric_id for metric in store.metrics() if metric.name == "psnr")
    values = [
        (cell.picture, cell.quality, (cell.scores[psnr].value or 0.0))
        for cell in store.cells()
        if cell.codec == "jpeg"
    ]
    store.close()
    for picture, quality, score in values:
        jnd = (50 - score) / 10
        lines.append(f"{Path(picture).stem},1,{quality / 10:g},{jnd},{jnd - 0.1},{jnd + 0.1}")
    (ran / "jnd.csv").write_text("\n".join(lines) + "\n")
    (ran / "jnd.toml").write_text(
        'set = "photos"\nscale = "JND"\nlevel = 95\n[columns]\ncondition = ["codec", "dlevel"]\n'
        'score = "distortion"\npicture = "img_num"\n[conditions]\n'
        + "".join(f'"1-{n}" = {{ codec = "jpeg", setting = {10 * n} }}\n' for n in (1, 3, 5, 7, 9))
    )
    done = call("study", "import", "jnd", "scores", "jnd.csv", "--mapping", "jnd.toml", folder=ran)
    assert done.returncode == 0, done.stderr
    with closing(Ledger(str(ran / "arena"), read_only=True)) as ledger:
        results = score_results_of(ledger, "jnd")
    assert (results.scale.better, results.per_picture, results.points) == ("lower", True, 20)
    by_name = {metric.metric: metric for metric in results.metrics}
    assert by_name["psnr"].srcc == pytest.approx(1)
    expected = stats.spearmanr([score for *_, score in values], ssims(ran)).statistic
    assert by_name["ssim"].srcc == pytest.approx(expected)
    assert results.values[0].score.score == min(value.score.score for value in results.values)


def ssims(ran: Path) -> list[float]:
    store = Store(str(ran / "arena"))
    ssim = next(metric.metric_id for metric in store.metrics() if metric.name == "ssim")
    values = [cell.scores[ssim].value or 0.0 for cell in store.cells() if cell.codec == "jpeg"]
    store.close()
    return values


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"image_set": "elsewhere"}, "of photos; got 'elsewhere'"),
        (
            {"conditions": {"z": SettingTable(codec="jpeg", setting=10)}},
            "the mapping names z, which the file",
        ),
        ({"conditions": {"a": SettingTable(codec="avif", setting=10)}}, "one of jpeg, webp; got 'avif'"),
        (
            {"conditions": {"a": SettingTable(codec="jpeg", setting=11)}},
            "condition 'a': jpeg was run at 10, 30, 50, 70, 90; not at 11",
        ),
        ({"pictures": {"p": "nowhere.png"}}, "names nowhere.png; the set has"),
    ],
)
def test_a_mapping_that_fits_nothing_stored_is_refused(ran: Path, change: dict[str, Any], said: str) -> None:
    mapping = ConditionMapping(
        image_set="photos", conditions={"a": SettingTable(codec="jpeg", setting=10)}
    ).model_copy(update=change)
    store = Store(str(ran / "arena"))
    with pytest.raises(InterchangeError, match=said):
        place(store, mapping, ["a", "b"], ["p"])
    store.close()


def votes_csv(ran: Path, means: Means) -> Path:
    """Write votes of four raters on every pair of jpeg's settings on two pictures: the better PSNR wins."""
    lines = ["methodA,methodB,originalName,answerValue"]
    for picture in ("picture0000", "picture0001"):
        for codec in ("jpeg", "webp"):
            for first, second in ((10, 30), (30, 50), (50, 70), (70, 90), (10, 50)):
                lines += [f"{codec}-q{first},{codec}-q{second},{picture},A"] * 3
                lines += [f"{codec}-q{first},{codec}-q{second},{picture},B"]
        lines += [f"jpeg-q50,webp-q50,{picture},A", f"jpeg-q50,webp-q50,{picture},B"] * 2
    (ran / "answers.csv").write_text("\n".join(lines) + "\n")
    return ran / "answers.csv"


def test_imported_votes_meet_the_pixels_of_their_conditions(
    ran: Path, means: Means, elo_csv: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(ran, tmp_path / "copy")
    votes = votes_csv(folder, means)
    words = ("study", "import", "votes", "mucped23", votes, "--mapping", "map.toml")
    done = call(*words, folder=folder)
    assert done.returncode == 0, done.stderr
    record = json.loads(call("study", "report", "votes", "--json", folder=folder).stdout)
    metrics = {metric["metric"]: metric for metric in record["analysis"]["metrics"]["whole"]["metrics"]}
    # Of the votes within a codec three of four are for the better setting.
    assert metrics["psnr"]["accuracy"] == pytest.approx(0.75, abs=0.04)
    assert [rate["codec"] for rate in record["analysis"]["bd_rates"]] == ["webp"]
    values = {value["condition"]: value for value in record["values"]}
    assert (values["webp-q90"]["codec"], len(record["pictures"])) == ("webp", 2)
    scored = call("study", "score", "votes", "-m", "psnr", folder=folder)
    assert "psnr: 0 scores added, 20 there before" in scored.stdout
    added = call("study", "score", "votes", "-m", "ciede2000", folder=folder)
    assert (added.returncode, added.stdout) == (0, "ciede2000: 20 scores added, 0 there before\n")


def test_scoring_what_has_no_pixels_says_why_and_fails(ran: Path, elo_csv: Path, tmp_path: Path) -> None:
    (tmp_path / "votes.csv").write_text("first,second,winner\na,b,first\n")
    call("study", "import", "bare", "csv", "votes.csv", folder=tmp_path)
    done = call("study", "score", "bare", "-m", "psnr", folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "study bare: nothing to score, as the store has no pixels of what it compares" in done.stderr
    assert "--mapping" in done.stderr


@pytest.mark.parametrize(
    ("form", "words", "said"),
    [
        ("scores", ("--keep-named",), "--keep-named: says nothing of an import of scores; leave it out"),
        ("scores", ("--unit", "log-worth", "--model", "davidson"), "--unit, --model: says nothing"),
        ("mucped23", ("--level", "99"), "--level: says nothing of an import of mucped23"),
        ("mucped23", ("--set", "photos"), "--set: says nothing of an import of mucped23 without --mapping"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(
    tmp_path: Path, form: str, words: tuple[str, ...], said: str
) -> None:
    done = call("study", "import", "x", form, "absent.csv", *words, folder=tmp_path)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_scores_without_a_mapping_are_kept_and_compared_with_nothing(elo_csv: Path, tmp_path: Path) -> None:
    done = call("study", "import", "alone", "scores", elo_csv, folder=tmp_path)
    assert done.returncode == 0
    assert "no --mapping: no metric can be compared with Elo" in done.stderr
    shown = call("study", "report", "alone", folder=tmp_path).stdout
    assert "webp-q90" in shown
    assert "no metric is compared: none of the conditions is a stored setting" in shown
