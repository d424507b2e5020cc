"""The numbers of a rater's review worked out by hand, and each label at its bound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, gammaln

from codecarena.studies.analysis.review import (
    GoldenAnswer,
    Proportion,
    RaterReview,
    _labelled,
    flagged,
    leave_one_out,
    outlying,
    proportion,
    review,
)
from codecarena.studies.scale.fisher_scoring import ORDER
from codecarena.studies.scale.fit import Fit, fit
from codecarena.studies.scale.models import BRADLEY_TERRY, DAVIDSON, choose_model
from codecarena.studies.scale.pair_counts import tally
from codecarena.studies.scale.resampling import RIDGE
from codecarena.studies.scale.votes import Kind, VoteRecord, Votes, from_records

WHOLE = Proportion(9, 10, 0.6, 0.99)
QUIET = RaterReview(
    "ann", 20, -0.3, 0.0, None, "all pictures", None, None, None, None, 0.5, 0.5, 1.0, 0, 0, 2.0, ()
)  # fmt: skip
"""Nothing to remark."""


def rows(
    rater: str, sides: str, *outcomes: int, kind: Kind = Kind.PLAIN, picture: str = "p"
) -> list[VoteRecord]:
    return [VoteRecord(rater, picture, *sides, outcome, kind) for outcome in outcomes]


def others() -> list[VoteRecord]:
    """Return twelve raters who prefer z to a three times of four, whichever stands left, with some ties."""
    records: list[VoteRecord] = []
    for n in range(12):
        name = f"other {n:02}"
        records += rows(name, "za", *(1, 1, 1, -1) if n % 2 else (1, 0, 1, -1))
        records += rows(name, "az", *(-1, -1, -1, 1) if n % 3 else (-1, 0, -1, 1))
    return records


def fitted(votes: Votes, order: bool = True) -> Fit:
    pairs = tally(votes.of_kind(Kind.PLAIN)).pairs
    return fit(pairs, choose_model("log-worth", pairs.has_ties), order=order)


def reviewed(
    records: list[VoteRecord], golden: tuple[GoldenAnswer, ...] = (), rate: float = 0.9
) -> RaterReview:
    """Return the review of the rater called mia."""
    votes = from_records([*others(), *records])
    [mine] = [row for row in review(votes, fitted(votes), golden, rate) if row.rater == "mia"]
    return mine


@pytest.mark.parametrize(
    ("change", "label"),
    [
        ({"distance": 9.0}, None),
        ({"distance": 9.0, "fit_p": 0.01}, None),
        ({"distance": 1.51, "fit_p": 0.009}, "unlike the others"),
        ({"repeats": Proportion(3, 10, 0.1, 0.60), "expected_repeats": 0.60}, None),
        ({"repeats": Proportion(3, 10, 0.1, 0.59), "expected_repeats": 0.60}, "inconsistent"),
        ({"repeats": Proportion(3, 10, 0.1, 0.61), "expected_repeats": 0.60}, None),
        ({"repeats": None, "expected_repeats": 0.60}, None),
        ({"repeats": Proportion(0, 10, 0.0, 0.3), "expected_repeats": None}, None),
        ({"golden": WHOLE, "golden_p": 0.01}, None),
        ({"golden": WHOLE, "golden_p": 0.0099}, "fails golden trials"),
        ({"golden": None, "golden_p": None}, None),
        ({"side_p": 0.01}, None),
        ({"side_p": 0.0099}, "favours a side"),
        ({"side_p": None}, None),
    ],
)
def test_a_label_begins_beyond_its_bound(change: dict[str, object], label: str | None) -> None:
    row = _labelled(replace(QUIET, **change))  # type: ignore[arg-type]
    assert row.labels == ((label,) if label else ())
    assert flagged([QUIET, row]) == (("ann",) if label else ())


def test_a_rater_may_have_all_labels() -> None:
    worst = replace(
        QUIET,
        fit_p=0.001,
        repeats=Proportion(0, 9, 0, 0.3),
        expected_repeats=0.9,
        golden_p=0.0,
        side_p=0.0,
    )  # fmt: skip
    labels = ("unlike the others", "inconsistent", "fails golden trials", "favours a side")
    assert _labelled(worst).labels == labels


def test_repeats_are_judged_by_their_whole_interval() -> None:
    """The estimate, or the lower end, below what is expected does not make a rater inconsistent."""
    votes = [other for other in others() if other.outcome]
    pair = rows("mia", "za", 1)
    repeats = rows("mia", "az", -1, -1, 1, 1, kind=Kind.REPEAT)
    all_votes = from_records([*votes, *pair, *repeats])
    [mine] = [row for row in review(all_votes, fitted(all_votes)) if row.rater == "mia"]
    assert mine.repeats == proportion(2, 4)
    assert mine.expected_repeats is not None
    assert mine.repeats.high > mine.expected_repeats > 0.5 > mine.repeats.low
    assert "inconsistent" not in mine.labels


# Golden trials


@pytest.mark.parametrize(
    ("passes", "trials", "rate"), [(4, 10, 0.9), (0, 3, 0.9), (3, 3, 0.9), (5, 8, 0.5), (7, 8, 1.0)]
)
def test_the_golden_p_is_that_of_so_few_passes_or_fewer(passes: int, trials: int, rate: float) -> None:
    answers = rows("mia", "oc", *[1] * passes, *[-1] * (trials - passes), kind=Kind.GOLDEN)
    mine = reviewed(answers, (GoldenAnswer("p", "o", "c"),), rate)
    assert mine.golden == proportion(passes, trials)
    exact = sum(
        stats.binom.pmf(count, trials, rate) for count in range(passes + 1)
    )  # fmt: skip
    assert mine.golden_p == pytest.approx(exact)


def test_a_golden_trial_is_passed_from_either_side_and_not_by_a_tie() -> None:
    golden = (GoldenAnswer("p", "o", "c"), GoldenAnswer("q", "c", "o"))
    answers = [
        *rows("mia", "oc", 1, 0, -1, kind=Kind.GOLDEN),
        *rows("mia", "co", -1, -1, 0, 1, kind=Kind.GOLDEN),
        # In the other picture c is right.
        *rows("mia", "oc", -1, kind=Kind.GOLDEN, picture="q"),
        # No answer is known here, and practice is no test.
        *rows("mia", "oc", 1, 1, kind=Kind.GOLDEN, picture="elsewhere"),
        *rows("mia", "oc", 1, 1, 1, kind=Kind.TRAINING),
    ]
    mine = reviewed(answers, golden)
    assert mine.golden == proportion(1 + 2 + 1, 3 + 4 + 1)
    assert reviewed(rows("mia", "oc", 1, kind=Kind.TRAINING), golden).golden is None


def test_a_proportion_has_wilson_s_interval() -> None:
    z, n, share = 1.959963985, 10, 0.7
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    assert proportion(7, 10) == Proportion(
        7, 10, pytest.approx(middle - reach), pytest.approx(middle + reach)
    )


# Repeats


def test_a_repeat_is_alike_if_the_same_condition_won_whatever_the_sides() -> None:
    plain = [*rows("mia", "za", 1), *rows("mia", "za", 0, picture="q"), *rows("mia", "az", 1, picture="s")]
    repeats = [
        *rows("mia", "az", -1, 1, 0, kind=Kind.REPEAT),
        *rows("mia", "za", 1, -1, kind=Kind.REPEAT),
        *rows("mia", "az", 0, 1, kind=Kind.REPEAT, picture="q"),
        *rows("mia", "za", -1, kind=Kind.REPEAT, picture="s"),
        # Nobody asked this before.
        *rows("mia", "za", 1, kind=Kind.REPEAT, picture="elsewhere"),
    ]
    mine = reviewed([*plain, *repeats])
    assert mine.repeats == proportion(1 + 1 + 1 + 1, 3 + 2 + 2 + 1)
    assert mine.votes == 3


def test_the_first_vote_on_a_pair_is_what_repeats_are_compared_with() -> None:
    mine = reviewed([*rows("mia", "za", 1, -1, -1), *rows("mia", "az", -1, kind=Kind.REPEAT)])
    assert mine.repeats == proportion(1, 1)


def test_expected_repeats_allow_for_sides_and_ties() -> None:
    """By the Davidson model: the product of the answers' shares on either side, added up."""
    mine_records = [*rows("mia", "za", 1), *rows("mia", "az", -1, kind=Kind.REPEAT)]
    votes = from_records([*others(), *mine_records])
    scale = fitted(votes)
    assert scale.problem.model is DAVIDSON
    assert scale.problem.pairs.conditions == ("a", "z")
    scale = replace(scale, parameters=np.array([-0.6, 0.6, 0.4, -0.5]))
    [mine] = [row for row in review(votes, scale) if row.rater == "mia"]

    def shares(difference: float) -> np.ndarray:
        odds = np.exp([difference / 2, -0.5, -difference / 2])
        return odds / odds.sum()

    # z first, and a first: the answers as of a.
    z_first, a_first = shares(1.2 + 0.4)[::-1], shares(-1.2 + 0.4)
    assert mine.expected_repeats == pytest.approx(float((z_first * a_first).sum()))


# Sides


def test_a_side_s_share_is_compared_with_the_scale_without_order_effect() -> None:
    """Nine of ten for the first, in pairs that z should win three times of four whichever side it is on."""
    mine_records = [*rows("mia", "za", 1, 1, 1, 1, 1, 0), *rows("mia", "az", 1, 1, 1, 1, -1)]
    votes = from_records([*others(), *mine_records])
    scale = fitted(votes)
    names = scale.problem.pairs.conditions
    worth = dict(zip(names, scale.values, strict=True))
    chance = expit(worth["z"] - worth["a"])
    rows_of = {row.rater: row for row in review(votes, scale)}
    mine = rows_of["mia"]
    assert mine.first_share == pytest.approx(0.9)
    expected = 5 * chance + 5 * (1 - chance)
    assert mine.expected_first_share == pytest.approx(expected / 10)
    gap = abs(9 - expected) - 0.5
    alone = 2 * stats.norm.sf(gap / np.sqrt(10 * chance * (1 - chance)))
    # Holm over all 13 raters: hers is the smallest p.
    assert mine.side_p == pytest.approx(min(1.0, 13 * alone))
    assert mine.side_p < min(row.side_p or 0 for name, row in rows_of.items() if name != "mia")
    assert scale.parameters[ORDER] != 0


def test_where_nobody_noted_sides_there_is_no_side_bias() -> None:
    records = [other for other in others() if other.outcome] + rows("mia", "za", *[1] * 20)
    votes = from_records(records, sided=False)
    [mine] = [row for row in review(votes, fitted(votes)) if row.rater == "mia"]
    assert (mine.first_share, mine.expected_first_share, mine.side_p) == (None, None, 1.0)


def test_who_never_decided_favours_no_side() -> None:
    mine = reviewed(rows("mia", "za", 0, 0, 0))
    assert (mine.first_share, mine.side_p) == (None, 1.0)


def test_identical_pairs_are_counted_by_side() -> None:
    mine = reviewed([*rows("mia", "za", 1), *rows("mia", "zz", 1, 1, 1, 0, -1, kind=Kind.IDENTICAL)])
    assert (mine.identical_first, mine.identical_second) == (3, 1)


def test_seconds_are_the_median_of_the_known_ones() -> None:
    seconds = (2.0, float("nan"), 9.0, 3.0, 4.0)
    records = [
        replace(record, seconds=lasted)
        for record, lasted in zip(rows("mia", "za", *[1] * 5), seconds, strict=True)
    ]  # fmt: skip
    assert reviewed(records).median_seconds == 3.5
    assert reviewed(rows("mia", "za", 1)).median_seconds is None


def test_a_rater_of_golden_trials_alone_has_no_fit() -> None:
    mine = reviewed(rows("mia", "oc", 1, kind=Kind.GOLDEN), (GoldenAnswer("p", "o", "c"),))
    assert (mine.votes, mine.fit, mine.distance, mine.first_share, mine.side_p) == (0, None, 0.0, None, None)


# Fit by the scale of all others


def test_a_rater_is_judged_by_the_scale_of_all_others() -> None:
    """Each pair's multinomial probability by a fit without the rater, written anew."""
    mine = [*rows("mia", "za", 1, 1, -1), *rows("mia", "az", -1), *rows("mia", "za", 1, picture="q")]
    everybody = from_records([record for record in [*others(), *mine] if record.outcome])
    counted = tally(everybody)
    whole_scale = fitted(everybody)
    assert whole_scale.problem.model is BRADLEY_TERRY
    rest = tally(everybody.without_raters(["mia"])).pairs
    scale = fit(rest, BRADLEY_TERRY, ridge=RIDGE / 10)
    worth = dict(zip(rest.conditions, scale.values, strict=True))
    order = scale.parameters[ORDER]
    z_left = expit(worth["z"] - worth["a"] + order)
    a_left = expit(worth["a"] - worth["z"] + order)
    three_of = np.exp(gammaln(4) - gammaln(3) - gammaln(2)) * z_left**2 * (1 - z_left)
    expected = np.log10([three_of, 1 - a_left, z_left]).mean()
    place = counted.raters.index("mia")
    assert leave_one_out(whole_scale, counted)[place] == pytest.approx(expected, abs=1e-5)
    [row] = [rater for rater in review(everybody, whole_scale) if rater.rater == "mia"]
    assert row.fit == pytest.approx(expected, abs=1e-5)


def test_answers_that_the_model_leaves_out_do_not_count_for_the_fit() -> None:
    votes = from_records([*others(), *rows("mia", "za", 1, 0, 0)])
    pairs = tally(votes).pairs
    dropped = fit(pairs, BRADLEY_TERRY)
    decided = votes.keep(votes.outcome != 0)
    counted, fewer = tally(votes), tally(decided)
    assert leave_one_out(dropped, counted) == pytest.approx(
        leave_one_out(fit(fewer.pairs, BRADLEY_TERRY), fewer), abs=1e-9
    )


def test_raters_are_judged_in_parts_as_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    votes = from_records(others())
    counted, scale = tally(votes), fitted(votes)
    whole = leave_one_out(scale, counted)
    # Two pairs of three outcomes: room for five raters.
    monkeypatch.setattr("codecarena.studies.analysis.review._NUMBERS_AT_ONCE", 30)
    assert leave_one_out(scale, counted) == pytest.approx(whole, abs=1e-9)
    assert len(set(whole.round(6))) > 1


@pytest.mark.parametrize(
    ("fits", "distances"),
    [
        ([-5.0, -1.0, -0.9], [0, 0, 0]),
        # Quartiles of (k - 0.5) / n: of four the means of the outer two on either side.
        ([-5.0, -1.0, -0.9, -0.8], [(5 - 3) / 2.15, 0, 0, 0]),
        ([-1.0, -1.0, -1.0, -1.0], [0, 0, 0, 0]),
    ],
)
def test_how_far_a_fit_lies_below_the_lower_quartile(fits: list[float], distances: list[float]) -> None:
    assert outlying(np.array(fits)) == pytest.approx(distances)
