"""What a plan may say: its edges, what it means where it says nothing, and what contradicts itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from studying import plan, text

from codecarena.studies.design.plan import PlanError, StudyPlan, load, parse, seal


def changed(old: str, new: str) -> StudyPlan:
    written = text()
    assert old in written
    return parse(written.replace(old, new), Path("study.toml"))


def test_where_a_plan_says_nothing_it_means_what_the_documentation_says() -> None:
    free = plan()
    assert (free.seed, free.hidden_reference, free.simulated) == (1, False, False)
    trials = free.trials
    assert (trials.presentation, trials.asks, trials.allow_no_preference) == ("flip", "better", True)
    assert (trials.training, trials.golden, trials.repeats, trials.identical) == (2, 3, 0.1, 1)
    assert (trials.minimum_view_ms, trials.gap_ms, trials.time_limit_ms) == (300, 500, None)
    assert (trials.break_every, trials.break_seconds, trials.flicker_hz) == (40, 60, 8)
    assert (trials.zoom, trials.magnify) == (1, True)
    design = free.design
    assert (design.name, design.pairs, design.link_rates, design.pairs_per_rater) == (
        "full",
        "all",
        False,
        None,
    )
    assert (design.random_share, design.block, design.lease_minutes) == (0.2, 10, 30)
    rules = free.exclusion
    assert (rules.golden_pass_rate, rules.consistency, rules.minimum_median_ms) == (0.66, 0.0, 500)
    assert (free.stopping.raters, free.stopping.votes_per_pair) == (None, None)
    analysis = free.analysis
    assert (analysis.unit, analysis.model, analysis.anchor) == ("JOD", None, None)
    assert (analysis.resamples, analysis.ridge) == (1000, None)
    crop = free.pictures.crop
    assert (crop.rule, crop.width, crop.height, free.pictures.names) == ("whole", 512, 512, ())
    assert (free.conditions[0].tolerance, free.consent.minimum_age, free.raters.panel) == (0.1, 18, "none")
    asking = parse(text().replace("card_calibration = false\ncolour_plates = false\n", ""), Path("p")).raters
    assert (asking.card_calibration, asking.colour_plates) == (True, True)
    assert (asking.completion_code, asking.screened_out_code, asking.failed_checks_code) == (None, None, None)


@pytest.mark.parametrize(
    ("table", "key", "last", "beyond"),
    [
        ("trials", "training", 0, -1),
        ("trials", "golden", 0, -1),
        ("trials", "identical", 0, -1),
        ("trials", "repeats", 0, -0.01),
        ("trials", "repeats", 0.5, 0.51),
        ("trials", "minimum_view_ms", 0, -1),
        ("trials", "gap_ms", 0, -1),
        ("trials", "gap_ms", 5000, 5001),
        ("trials", "time_limit_ms", 1000, 999),
        ("trials", "break_every", 0, -1),
        ("trials", "break_seconds", 0, -1),
        ("trials", "zoom", 1, 0),
        ("trials", "zoom", 8, 9),
        ("trials", "flicker_hz", 10, 9),
        ("design", "pairs_per_rater", 1, 0),
        ("design", "random_share", 0, -0.01),
        ("design", "random_share", 1, 1.01),
        ("design", "block", 2, 1),
        ("design", "lease_minutes", 0.001, 0),
        ("exclusion", "golden_pass_rate", 0, -0.01),
        ("exclusion", "golden_pass_rate", 1, 1.01),
        ("exclusion", "consistency", 0, -0.01),
        ("exclusion", "consistency", 1, 1.01),
        ("exclusion", "minimum_median_ms", 0, -1),
        ("stopping", "raters", 1, 0),
        ("stopping", "votes_per_pair", 1, 0),
        ("analysis", "resamples", 100, 99),
        ("analysis", "ridge", 0, -0.1),
    ],
)
def test_a_number_is_taken_up_to_its_edge(table: str, key: str, last: float, beyond: float) -> None:
    def said(value: float) -> StudyPlan:
        if table in ("trials", "design"):
            return plan(**{table: f"{key} = {value}"})
        return plan(raters=f"[{table}]\n{key} = {value}")

    assert getattr(getattr(said(last), table), key) == last
    with pytest.raises(PlanError, match=f"{table}.{key}"):
        said(beyond)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "small"', 'name = "Small"', "lower-case letters, digits and dashes, at most 40"),
        ('name = "small"', f'name = "{"a" * 41}"', "at most 40"),
        ("qualities = [1]", "", "either qualities or bits_per_pixel"),
        ("qualities = [1]", "qualities = [1]\nbits_per_pixel = [1]", "either qualities or bits_per_pixel"),
        ("qualities = [1]", "bits_per_pixel = [0.5, 0]", "rates above 0"),
        ("qualities = [1]", "bits_per_pixel = [1]\ntolerance = 0", "tolerance"),
        ("qualities = [1]", "bits_per_pixel = [1]\ntolerance = 1.01", "tolerance"),
        ('sets = ["made"]', "sets = []", "pictures.sets"),
        ('sets = ["made"]', 'sets = ["made"]\ncrop = { width = 31 }', "crop.width"),
        ('sets = ["made"]', 'sets = ["made"]\ncrop = { height = 8193 }', "crop.height"),
        ("[design]", '[design]\nname = "swiss"', "design 'swiss' needs pairs_per_rater"),
        ("[design]", '[design]\npairs = "same-rate"', "needs bits_per_pixel in every"),
        (
            "[trials]",
            '[trials]\npresentation = "triplet"\nquestion = "Which differs?"',
            'write asks = "worse"',
        ),
        ('version = "1"', 'version = "1"\nminimum_age = 121', "minimum_age"),
        ('version = "1"', 'version = "1"\nminimum_age = -1', "minimum_age"),
        (
            "[raters]",
            '[raters]\nscreening = [{ key = "k", question = "?", answers = ["a", "b"], accepted = ["c"] }]',
            "accepted names 'c', which is none of the answers",
        ),
        ("[raters]", '[raters]\nscreening = [{ key = "k", question = "?", answers = ["a"] }]', "answers"),
        ("[raters]", '[analysis]\nmodel = "bradley-terry"\n[raters]', 'leaves out "no preference"'),
        ("[trials]", "[trials", "study.toml: not TOML"),
    ],
)
def test_a_plan_that_cannot_be_meant_is_refused(old: str, new: str, said: str) -> None:
    with pytest.raises(PlanError, match=said):
        changed(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('name = "small"', f'name = "{"a" * 40}"'),
        ('name = "small"', 'name = "0-b"'),
        ("qualities = [1]", "bits_per_pixel = [0.001]\ntolerance = 1"),
        ('sets = ["made"]', 'sets = ["made"]\ncrop = { width = 32, height = 8192 }'),
        ("[design]", '[design]\nname = "swiss"\npairs_per_rater = 1'),
        ("[trials]", '[trials]\npresentation = "triplet"\nquestion = "Which differs?"\nasks = "worse"'),
        ("[trials]", '[trials]\npresentation = "triplet"\nquestion = "Which is closer?"'),
        ("[trials]", '[trials]\nquestion = "Which differs?"'),
        ("[trials]\n", '[analysis]\nmodel = "bradley-terry"\n[trials]\nallow_no_preference = false\n'),
        ("[raters]", '[analysis]\nmodel = "davidson"\n[raters]'),
        ('version = "1"', 'version = "1"\nminimum_age = 0'),
        ('version = "1"', 'version = "1"\nminimum_age = 120'),
    ],
)
def test_a_plan_at_its_edge_is_taken(old: str, new: str) -> None:
    changed(old, new)


def test_a_seal_is_the_hash_of_the_plan_and_its_rows() -> None:
    # printf 'plan\nrow 1\nrow 2' | sha256sum
    assert (
        seal("plan", ["row 1", "row 2"]) == "2846b95ab7d454b2a3c5637a610632b89a7c83be7702bebaaf6b73a529474738"
    )
    assert seal("plan\nrow 1", ["row 2"]) == seal("plan", ["row 1", "row 2"])
    assert seal("plan", ["row 2", "row 1"]) != seal("plan", ["row 1", "row 2"])


def test_a_plan_is_read_with_its_text(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(text())
    read, written = load(tmp_path / "study.toml")
    assert (read, written) == (plan(), text())
    (tmp_path / "bytes.toml").write_bytes(b"\xff")
    for name in ("absent.toml", "bytes.toml"):
        with pytest.raises(PlanError, match=f"{name}: cannot be read .*codecarena study init"):
            load(tmp_path / name)
