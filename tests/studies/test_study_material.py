"""What a plan compares: pairs of every kind, cells near a rate, what nothing links; a plan to start from."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from studying import plan, text

from codecarena.bench.records.rows import ScoredCell
from codecarena.bench.store.study_pictures import Crop, PicturePart, Prepared
from codecarena.bench.store.writer import StoreWriter
from codecarena.studies.design.plan import REFERENCE, ConditionsTable, PlanError, StudyPlan, parse
from codecarena.studies.design.selection import compared, link_warning, material, pairs_of, select, unlinked
from codecarena.studies.design.starter import common_codecs, settings_near, starter
from codecarena.studies.organise import organise
from codecarena.studies.records.records import Condition, Pair, Stimulus, StudyMaterial

ORIGINAL = Condition(REFERENCE, None, None, None, is_reference=True)


def conditions(*named: tuple[str, str]) -> tuple[Condition, ...]:
    """Return conditions of (codec, rate) and the original."""
    return *(Condition(f"{codec} {rate}", codec, codec, rate) for codec, rate in named), ORIGINAL


def stimuli(rates: list[list[float]]) -> list[Stimulus]:
    """Return the stimuli of pictures whose codings have these bits per pixel; the original comes last."""
    return [
        Stimulus(content, condition, None, rate)
        for content, listed in enumerate(rates)
        for condition, rate in enumerate([*listed, None])
    ]


THREE = conditions(("a", "q=1"), ("b", "q=1"), ("c", "q=1"))


# Two pictures of four stimuli each: 0 to 2 are the codings of the first, 3 its original; so 4 to 7.
RATES = [[0.5, 0.2, 0.9], [0.3, 0.8, 0.1]]


def known(kind: str, rates: list[list[float]] = RATES, **counts: int) -> list[tuple[int, int]]:
    counts = {"training": 0, "golden": 0, "identical": 0} | counts
    table = "\n".join(f"{name} = {count}" for name, count in counts.items())
    pairs = pairs_of(plan(trials=table), THREE, stimuli(rates))
    return [(pair.first, pair.second) for pair in pairs if pair.kind == kind]


def test_main_pairs_are_all_of_each_picture_and_the_original_s_where_it_is_compared() -> None:
    assert known("main") == [(0, 1), (0, 2), (1, 2), (4, 5), (4, 6), (5, 6)]
    hidden = pairs_of(plan(top="hidden_reference = true"), THREE, stimuli(RATES[:1]))
    main = [(pair.first, pair.second) for pair in hidden if pair.kind == "main"]
    assert main == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]


def test_practice_and_golden_pairs_are_the_original_against_the_coarsest_coding() -> None:
    """The original comes first, which is the better one; each picture again takes the next coarsest."""
    assert known("training", training=5) == [(3, 1), (7, 6), (3, 0), (7, 4), (3, 2)]
    # Golden ones begin with the last picture.
    assert known("golden", golden=5) == [(7, 6), (3, 1), (7, 4), (3, 0), (7, 5)]
    # After the finest comes the coarsest again.
    assert known("training", [RATES[0]], training=4) == [(3, 1), (3, 0), (3, 2), (3, 1)]


def test_identical_pairs_are_of_the_middle_coding() -> None:
    assert known("identical", identical=3) == [(0, 0), (4, 4), (0, 0)]
    two = pairs_of(plan(trials="identical = 1"), THREE[1:], stimuli([[0.5, 0.2]]))
    assert [pair for pair in two if pair.kind == "identical"] == [Pair("identical", 1, 1)]
    single = pairs_of(plan(trials="identical = 1"), THREE[2:], stimuli([[0.5]]))
    assert [pair for pair in single if pair.kind == "identical"] == [Pair("identical", 0, 0)]


RATED = conditions(("a", "0.2 bpp"), ("a", "0.5 bpp"), ("a", "1 bpp"), ("b", "0.2 bpp"), ("b", "1 bpp"))


def same_rate(*, link: bool = False, hidden: bool = False) -> StudyPlan:
    free = plan(top=f"hidden_reference = {str(hidden).lower()}")
    design = free.design.model_copy(update={"pairs": "same-rate", "link_rates": link})
    return free.model_copy(update={"design": design})


@pytest.mark.parametrize(
    ("asked", "pairs"),
    [
        (same_rate(), {(0, 3), (2, 4)}),
        # A codec's next rate is the next of its own: b has no 0.5 bpp.
        (same_rate(link=True), {(0, 3), (2, 4), (0, 1), (1, 2), (3, 4)}),
        (same_rate(hidden=True), {(0, 3), (2, 4), (0, 5), (1, 5), (2, 5), (3, 5), (4, 5)}),
        (plan(), {(first, two) for two in range(5) for first in range(two)}),
    ],
)
def test_codecs_meet_at_one_rate_or_at_their_own_next_one(
    asked: StudyPlan, pairs: set[tuple[int, int]]
) -> None:
    met = {(first, two) for two in range(6) for first in range(two) if compared(asked, RATED, first, two)}
    assert met == pairs


def test_what_no_chain_of_pairs_joins_is_told_with_what_would_join_it() -> None:
    apart = unlinked(same_rate(), RATED)
    assert apart == [["a 0.2 bpp", "b 0.2 bpp"], ["a 0.5 bpp"], ["a 1 bpp", "b 1 bpp"]]
    assert unlinked(same_rate(link=True), RATED) == [[condition.name for condition in RATED[:5]]]
    assert len(unlinked(same_rate(hidden=True), RATED)) == 1
    # A chain: a 0.2 - a 0.5 - b 0.5, and a 0.2 - c 0.2.
    chain = conditions(("a", "0.2 bpp"), ("a", "0.5 bpp"), ("b", "0.5 bpp"), ("c", "0.2 bpp"))
    assert unlinked(same_rate(link=True), chain) == [[condition.name for condition in chain[:4]]]
    assert link_warning(plan(), RATED) is None
    assert link_warning(same_rate(hidden=True), RATED) is None
    assert link_warning(same_rate(), RATED) == (
        "3 groups of conditions are never compared with each other (a 0.2 bpp, b 0.2 bpp; a 0.5 bpp; "
        "a 1 bpp, b 1 bpp): each gets a scale of its own. design.link_rates = true joins them by "
        "a 0.2 bpp - a 0.5 bpp, a 0.5 bpp - a 1 bpp, b 0.2 bpp - b 1 bpp on every picture"
    )
    # Two codecs that share no rate: their own rates do not join them.
    strangers = conditions(("a", "0.2 bpp"), ("b", "0.5 bpp"))
    assert link_warning(same_rate(), strangers) == (
        "2 groups of conditions are never compared with each other (a 0.2 bpp; b 0.5 bpp): each gets a scale "
        'of its own. hidden_reference = true, or design.pairs = "all", joins them'
    )


# Stored cells


def cell(codec: str, picture: str, quality: float, rate: float, **changed: object) -> ScoredCell:
    """Return a stored cell of a picture of 8000 pixels, so that a thousand bytes are one bit per pixel."""
    made = ScoredCell(
        "made", picture, f"sha-{picture}", "natural", 8000, f"id-{codec}", codec, "classic", False, quality,
        None, round(rate * 1000), "", f"{codec}-{picture}-{quality:g}", (), (), False,
    )  # fmt: skip
    return dataclasses.replace(made, **changed)


def asking(*tables: ConditionsTable, **pictures: tuple[str, ...]) -> StudyPlan:
    free = plan()
    wanted = free.pictures.model_copy(update={"sets": ("made",), **pictures})
    return free.model_copy(update={"conditions": tables, "pictures": wanted})


AT_10 = ConditionsTable(codec="jpeg", qualities=(10,))
CELLS = [
    cell(codec, picture, quality, rate + more)
    for picture, more in (("b", 0.0), ("a", 0.02))
    for codec, ladder in (("jpeg", {10: 0.2, 50: 0.5}), ("webp(effort=6)", {5: 0.25, 40: 0.52}))
    for quality, rate in ladder.items()
]


def test_cells_are_chosen_by_setting_with_every_condition_on_every_picture() -> None:
    selected = select(
        asking(
            ConditionsTable(codec="jpeg", qualities=(50, 10)), ConditionsTable(codec="webp", qualities=(5,))
        ),
        CELLS,
    )
    assert [
        (condition.name, condition.codec_id, condition.codec, condition.rate)
        for condition in selected.conditions
    ] == [
        ("jpeg q=50", "id-jpeg", "jpeg", "q=50"),
        ("jpeg q=10", "id-jpeg", "jpeg", "q=10"),
        ("webp(effort=6) q=5", "id-webp(effort=6)", "webp(effort=6)", "q=5"),
    ]
    assert selected.pictures == (("made/b", "sha-b"), ("made/a", "sha-a"))
    assert [chosen.cell.decoded_sha256 for chosen in selected.chosen] == [
        "jpeg-b-50", "jpeg-b-10", "webp(effort=6)-b-5", "jpeg-a-50", "jpeg-a-10", "webp(effort=6)-a-5",
    ]  # fmt: skip
    assert selected.warnings == ()


@pytest.mark.parametrize(
    ("rate", "tolerance", "chosen"),
    [
        (0.5, 0.1, {"b": 50, "a": 50}),
        (1.0, 0.5, {"b": 50, "a": 50}),  # 0.5 is just near enough
        (1.0, 0.49, {"a": 50}),
        (0.2, 0.05, {"b": 10}),
        (0.22, 0.01, {"a": 10}),
        (0.34, 1.0, {"b": 10, "a": 10}),
        (0.36, 1.0, {"b": 50, "a": 10}),
    ],
)
def test_the_cell_nearest_to_a_rate_is_taken_within_the_tolerance(
    rate: float, tolerance: float, chosen: dict[str, int]
) -> None:
    table = ConditionsTable(codec="jpeg", bits_per_pixel=(rate,), tolerance=tolerance)
    selected = select(asking(table), CELLS)
    assert selected.conditions[0].name == f"jpeg {rate:g} bpp"
    assert selected.conditions[0].rate == f"{rate:g} bpp"
    assert {chosen.cell.picture: chosen.cell.quality for chosen in selected.chosen} == chosen
    left_out = sorted({"a", "b"} - set(chosen))
    assert selected.warnings == tuple(
        f"made/{name} is left out: no stored result for jpeg {rate:g} bpp" for name in left_out
    )


@pytest.mark.parametrize(
    ("asked", "cells", "said"),
    [
        (asking(AT_10, AT_10), CELLS, "conditions.1: 'jpeg q=10' stands twice; leave one out"),
        (
            asking(ConditionsTable(codec="jpeg", bits_per_pixel=(0.9,))),
            CELLS,
            "no picture has a stored result for every one of them (jpeg 0.9 bpp on 0 of 2); widen",
        ),
        (
            asking(ConditionsTable(codec="avif", qualities=(10,))),
            CELLS,
            "conditions.0.codec: no results of 'avif' on these pictures; there are jpeg, webp(effort=6)",
        ),
        (
            asking(ConditionsTable(codec="jpeg", qualities=(11,))),
            CELLS,
            "conditions.0.qualities: jpeg has no results at 11; stored: 10, 50",
        ),
        (
            asking(AT_10),
            [*CELLS, cell("jpeg", "a", 10, 0.3, codec_id="other!")],
            "conditions.0.codec: 'jpeg' means 2 codecs (jpeg [id-jpe], jpeg [other!])",
        ),
        (
            asking(AT_10, sets=("zoo", "made", "photos")),
            CELLS,
            "pictures.sets: no results of 'photos' in this store; it has made",
        ),
        (asking(AT_10), [], "it has none; run a suite first"),
        (asking(AT_10, names=("d", "c", "a")), CELLS, "pictures.names: no 'c'; there are a, b"),
    ],
)
def test_a_plan_that_the_store_cannot_meet_is_refused(
    asked: StudyPlan, cells: list[ScoredCell], said: str
) -> None:
    with pytest.raises(PlanError, match=re.escape(said)):
        select(asked, cells)


def test_only_the_pictures_that_are_named_are_chosen() -> None:
    elsewhere = cell("jpeg", "z", 10, 0.2, image_set="other")
    named = asking(AT_10, names=("a",))
    assert select(named, [*CELLS, elsewhere]).pictures == (("made/a", "sha-a"),)
    assert len(select(asking(AT_10), [*CELLS, elsewhere]).pictures) == 2


LACKING = cell("jpeg", "c", 10, 0.2)


def made_ready(**missing: str) -> Prepared:
    parts = {f"sha-{letter}": PicturePart(3, 4, 50, 60, f"part-{letter}") for letter in "ab"}
    return Prepared(parts, {cell.decoded_sha256: f"shown-{cell.decoded_sha256}" for cell in CELLS}, missing)


def test_material_names_the_parts_that_are_shown_and_the_original_last() -> None:
    asked = asking(ConditionsTable(codec="jpeg", qualities=(10, 50)))
    compares: StudyMaterial = material(asked, select(asked, CELLS), made_ready())
    assert [condition.name for condition in compares.conditions] == ["jpeg q=10", "jpeg q=50", REFERENCE]
    assert [condition.is_reference for condition in compares.conditions] == [False, False, True]
    content = compares.contents[1]
    assert (content.name, content.image_set, content.kind) == ("made/a", "made", "natural")
    assert (content.picture_sha256, content.reference_sha256) == ("sha-a", "part-a")
    assert (content.left, content.top, content.width, content.height) == (3, 4, 50, 60)
    assert compares.stimuli == (
        Stimulus(0, 0, 10, 0.2, "jpeg-b-10", "shown-jpeg-b-10"),
        Stimulus(0, 1, 50, 0.5, "jpeg-b-50", "shown-jpeg-b-50"),
        Stimulus(1, 0, 10, 0.22, "jpeg-a-10", "shown-jpeg-a-10"),
        Stimulus(1, 1, 50, 0.52, "jpeg-a-50", "shown-jpeg-a-50"),
        Stimulus(0, 2, None, None, "sha-b", "part-b"),
        Stimulus(1, 2, None, None, "sha-a", "part-a"),
    )
    # The originals are stimuli 4 and 5: the golden ones begin with the last picture.
    golden = [(pair.first, pair.second) for pair in compares.pairs if pair.kind == "golden"]
    assert golden == [(5, 2), (4, 0), (5, 3)]
    with pytest.raises(PlanError, match="picture 0123456789ab cannot be shown: it is gone"):
        material(asked, select(asked, CELLS), made_ready(**{"0123456789abcdef": "it is gone"}))


class Bench:
    """Has every part of every picture ready, and notes what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, Crop]] = []

    def prepare(self, store: str, cells: Sequence[ScoredCell], crop: Crop) -> Prepared:
        self.asked.append((len(cells), crop))
        return made_ready()


@pytest.mark.parametrize(("hidden", "compares", "pairs"), [(False, 2, 1), (True, 3, 3)])
def test_a_report_on_a_plan_counts_what_is_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hidden: bool, compares: int, pairs: int
) -> None:
    StoreWriter(str(tmp_path)).close()
    monkeypatch.setattr(organise, "select", lambda asked, _: select(asked, [*CELLS, LACKING]))
    written = text(top=f"hidden_reference = {str(hidden).lower()}").replace(
        'codec = "none"', 'codec = "jpeg"'
    )
    written = written.replace("qualities = [1]", "qualities = [10, 50]")
    crop = 'sets = ["made"]\ncrop = { rule = "centre", width = 50, height = 60 }'
    written, bench = written.replace('sets = ["made"]', crop), Bench()
    for replaced in (False, True):
        report = organise.plan_text(str(tmp_path), written, Path("study.toml"), bench)  # type: ignore[arg-type]
        assert (report.conditions, report.pictures, report.pairs) == (compares, 2, 2 * pairs)
        # Two of practice, three golden, one identical; a tenth of six is a repeat, a tenth of two is none.
        assert report.trials_per_rater == 2 * pairs + 6 + hidden
        assert report.replaced is replaced
        assert report.warnings == ("made/c is left out: no stored result for jpeg q=50",)
        assert (report.study.name, report.study.state, report.study.plan) == ("small", "planned", written)
    assert bench.asked == [(4, Crop("centre", 50, 60))] * 2
    anchored = written + '[analysis]\nanchor = "jpeg q=11"\n'
    with pytest.raises(PlanError, match=r"expected one of jpeg q=10, jpeg q=50, original, got 'jpeg q=11'"):
        organise.plan_text(str(tmp_path), anchored, Path("study.toml"), bench)  # type: ignore[arg-type]


# A plan to start from


def test_a_starting_plan_takes_two_codecs_near_two_rates_on_the_pictures_they_share() -> None:
    pictures = [f"p{place}" for place in range(8)]
    cells = [
        cell(codec, picture, quality, rate)
        for codec, ladder in (
            ("toy", {1: 0.2, 2: 0.6}),
            ("webp", {5: 0.1, 30: 0.3, 60: 0.55, 90: 2.0}),
            ("jpeg", {10: 0.24, 50: 0.9}),
        )
        for picture in pictures
        for quality, rate in ladder.items()
    ]
    cells += [cell("alone", "p0", 1, 0.3, image_set="fewer")]
    written = starter("first", cells)
    read = parse(written, Path("study.toml"))
    assert (read.name, read.pictures.sets) == ("first", ("made",))
    assert read.pictures.names == tuple(pictures[:6])
    assert [(condition.codec, condition.qualities) for condition in read.conditions] == [
        ("jpeg", (10, 50)),
        ("webp", (30, 60)),
    ]
    # Five conditions with the original: ten pairs on six pictures at six seconds are six minutes.
    assert "about 6 minutes" in read.introduction
    few = starter("few", [cell for cell in cells if cell.picture in pictures[:2]])
    assert "about 5 minutes" in few


def test_well_known_codecs_on_most_pictures_are_taken_first_and_ambiguous_labels_never() -> None:
    pictures = {"avif": 3, "jpegxl": 3, "zeta": 3, "alpha": 3, "toy": 3, "webp": 2, "two": 4}
    cells = [
        cell(codec, str(place), 1, 0.5, toy=codec in ("toy", "alpha"))
        for codec, count in pictures.items()
        for place in range(count)
    ]
    cells.append(cell("two", "0", 1, 0.5, codec_id="another"))
    assert list(common_codecs(cells)) == ["avif", "jpegxl"]
    assert list(common_codecs(cells, 9)) == ["avif", "jpegxl", "zeta", "alpha", "toy", "webp"]
    assert len(common_codecs(cells)["avif"]) == 3


def test_settings_near_rates_are_those_of_every_picture_each_once_in_order_of_rate() -> None:
    rates = {1: 0.9, 2: 0.27, 3: 0.24, 4: 0.1}
    cells = [cell("a", picture, quality, rate) for picture in "xy" for quality, rate in rates.items()]
    cells.append(cell("a", "x", 9, 0.25))
    assert settings_near(cells) == ["3", "1"]
    assert settings_near(cells, (0.24, 0.25)) == ["3", "2"]
    assert settings_near(cells, (0.95, 0.05)) == ["4", "1"]
    assert settings_near([cell("a", "x", 1.5, 0.3)]) == ["1.5"]


@pytest.mark.parametrize(
    ("cells", "said"),
    [([], "no results yet"), ([cell("jpeg", "a", 10, 0.2)], "set 'made' has one codec only")],
)
def test_no_plan_starts_from_too_little(cells: list[ScoredCell], said: str) -> None:
    with pytest.raises(PlanError, match=said):
        starter("first", cells)
