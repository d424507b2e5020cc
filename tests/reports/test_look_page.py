"""What the page Look asks for, which picture stands first, and what it hands to its pictures."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from drawn import Answered
from report_rows import BUTTERAUGLI, CELL, MS_SSIM, PSNR

from codecarena.bench.records.rows import Score
from codecarena.reports.server.picture_choice import Gap, Target
from codecarena.reports.views import look

METRICS = [PSNR, BUTTERAUGLI, MS_SSIM, replace(PSNR, name="flip", metric_id="flip-id")]


def part(metrics: list[Any] = METRICS, labels: tuple[str, ...] = ("zip", "latent", "hyper")) -> Any:
    pictures = [SimpleNamespace(name=f"{name}.png", sha256=f"{name}-sha") for name in "ab"]
    return SimpleNamespace(
        metrics=metrics, title=lambda metric: metric.name.upper(), usual_score=lambda _: 33.0,
        columns=SimpleNamespace(pictures=pictures), left_out=[],
        grids=[SimpleNamespace(codec=SimpleNamespace(label=name, codec_id=f"{name}-id")) for name in labels],
    )  # fmt: skip


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the pickers of the page ask for; the first option is chosen, or what `answers` says."""
    said: list[Any] = []

    def choose(place: Any, label: str, name: str, options: list[str], **named: Any) -> str:
        said.append((place, label, name, options, [named.get("show", str)(option) for option in options]))
        return answers.get(name, options[0])

    def choose_number(place: Any, label: str, name: str, usual: float, **named: Any) -> float:
        said.append((place, label, name, usual, named))
        return 7.5

    monkeypatch.setattr(look.pickers, "choose", choose)
    monkeypatch.setattr(look.pickers, "choose_number", choose_number)
    monkeypatch.setattr(look, "_usual_rate", lambda _: 0.25)
    answers: dict[str, str] = {}
    said.append(answers)
    return said


@pytest.mark.parametrize(
    ("answer", "number", "target"),
    [
        ("bpp", ("Bits per pixel", "bpp", 0.25, {"low": 0.001, "high": 48.0, "step": 0.05}), Target(7.5)),
        (
            BUTTERAUGLI.metric_id, ("BUTTERAUGLI score", "score-butteraugli", 33.0, {}),
            Target(7.5, BUTTERAUGLI),
        ),
    ],
)  # fmt: skip
def test_codecs_are_matched_by_a_rate_or_a_score(
    asked: list[Any], answer: str, number: tuple[Any, ...], target: Target
) -> None:
    asked[0]["match"] = answer
    assert look._target(["set", "match", "number"], part()) == target
    options = ["bpp", *(metric.metric_id for metric in METRICS)]
    titles = ["Rate", "PSNR", "BUTTERAUGLI", "MS-SSIM", "FLIP"]
    assert asked[1:] == [("match", "Match by", "match", options, titles), ("number", *number)]


@pytest.mark.parametrize(
    ("target", "metrics", "judge"),
    [
        (Target(1.0), METRICS, PSNR),
        (Target(30.0, PSNR), METRICS, BUTTERAUGLI),
        (Target(2.0, BUTTERAUGLI), METRICS, PSNR),
        (Target(30.0, PSNR), [PSNR], PSNR),
    ],
)
def test_pictures_stand_by_a_score_that_they_are_not_matched_by(
    asked: list[Any], monkeypatch: pytest.MonkeyPatch, target: Target, metrics: list[Any], judge: Any
) -> None:
    judged: list[Any] = []

    def worst_first(_: Any, grid: Any, metric: Any, target: Target) -> list[tuple[str, float]]:
        judged.append((grid.codec.label, metric, target))
        return [("b.png", 31.25), ("a.png", math.nan)]

    monkeypatch.setattr(look, "worst_first", worst_first)
    assert look._picture("place", part(metrics), ["latent"], target, "worst") == "b.png"
    assert judged == [("latent", judge, target)]
    written = {"psnr": "31.25", "butteraugli": "31.25"}[judge.name]
    shown = [f"b.png  ({judge.name.upper()} {written})", "a.png"]
    assert asked[1:] == [
        ("place", "Picture, the worst of latent first", "picture", ["b.png", "a.png"], shown)
    ]


@pytest.mark.parametrize(
    ("codecs", "metrics", "options"),
    [
        (["zip", "hyper", "latent"], METRICS, ["Worst of zip", "Largest gap of zip and hyper"]),
        (["zip"], METRICS, None),
        (["zip", "hyper"], [], None),
    ],
)
def test_two_codecs_have_a_gap_to_sort_by(
    asked: list[Any], codecs: list[str], metrics: list[Any], options: list[str] | None
) -> None:
    asked[0]["order"] = "gap" if options else "worst"
    assert look._order("place", part(metrics), codecs) == asked[0]["order"]
    shown = [("place", "Pictures first", "order", ["worst", "gap"], options)] if options else []
    assert asked[1:] == shown


def test_pictures_of_a_gap_say_who_is_better_by_how_much(
    asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    gaps = [
        Gap("a.png", -3.25, True), Gap("b.png", 1.5, True), Gap("c.png", 9.0, False),
        Gap("d.png", math.nan, True),
    ]  # fmt: skip
    given: list[Any] = []

    def largest_gap_first(_: Any, codec_ids: Any, metric: Any, target: Target) -> list[Gap]:
        given.append((codec_ids, metric, target))
        return gaps

    monkeypatch.setattr(look, "largest_gap_first", largest_gap_first)
    assert look._picture("place", part(), ["zip", "hyper", "latent"], Target(1.0), "gap") == "a.png"
    assert given == [(("zip-id", "hyper-id"), PSNR, Target(1.0))]
    shown = ["a.png  (PSNR: hyper +3.25 dB)", "b.png  (PSNR: zip +1.50 dB)",
             "c.png  (PSNR: zip +9.00 dB, not matched)", "d.png"]  # fmt: skip
    label = "Picture, largest gap of zip and hyper first"
    assert asked[1:] == [("place", label, "picture", ["a.png", "b.png", "c.png", "d.png"], shown)]


@pytest.mark.parametrize(
    ("target", "said", "only"),
    [
        (Target(2.0), None, None),
        (Target(1.91), None, None),
        (Target(1.9), "5 % from 1.90 bpp: jpeg(subsampling=444) +5.3 %, gone +5.3 %.", "bpp=1.9"),
        (Target(31.0, PSNR), None, None),
        (Target(30.0, PSNR), "1 % from PSNR 30.00 dB: jpeg(subsampling=444) +1.25 dB, gone +1.25 dB.",
         "psnr=30"),
        (Target(0.5, MS_SSIM), "0.25 dB of MS-SSIM from MS-SSIM 0.5000: jpeg(subsampling=444) –,",
         "ms-ssim=0.5"),
    ],
)  # fmt: skip
def test_pictures_that_do_not_match_are_named_with_the_command_that_makes_some(
    monkeypatch: pytest.MonkeyPatch, target: Target, said: str | None, only: str | None
) -> None:
    page = Answered()
    monkeypatch.setattr(look, "st", page)
    cells = {"jpeg(subsampling=444)": CELL, "gone": replace(CELL, imported=True)}
    look._missed(SimpleNamespace(url="arena x"), cells, target)  # type: ignore[arg-type]
    warnings = [warning.replace("\\", "") for warning in page.of("warning")]
    assert len(warnings) == (said is not None)
    if said is not None:
        assert said.replace("\\", "") in warnings[0]
        command = (f"codecarena run suite.toml --match {only} --only codec=jpeg --only set={CELL.image_set} "
                   "--store 'arena x'")  # fmt: skip
        assert page.of("code") == [(command, None)]
    # Of pictures that came from elsewhere no setting can be searched.
    look._missed(SimpleNamespace(url="arena"), {"gone": cells["gone"]}, target)  # type: ignore[arg-type]
    assert len(page.of("code")) == (said is not None)


def test_the_command_for_matched_settings_shows_no_password() -> None:
    target = Target(0.25)
    command = look.match_command("postgresql://me:secret@host/arena", "kodak", ["jpeg"], target)
    assert command.endswith("--store 'postgresql://me:***@host/arena'")


def test_without_scores_pictures_stand_in_their_own_order(asked: list[Any]) -> None:
    assert look._picture("place", part([]), ["zip", "hyper"], Target(1.0), "gap") == "a.png"
    assert asked[1:] == [("place", "Picture", "picture", ["a.png", "b.png"], ["a.png", "b.png"])]


@pytest.mark.parametrize(
    ("chosen", "labels"), [(["latent", "zip"], ["latent", "zip"]), ([], ["zip"]), (["gone"], ["gone"])]
)
def test_what_the_page_hands_to_its_pictures(
    monkeypatch: pytest.MonkeyPatch, chosen: list[str], labels: list[str]
) -> None:
    page, given, tables, nearest = Answered(), [], [], []
    answers = {"codec": chosen, "map": ["flip"]}
    scores = {**CELL.scores, MS_SSIM.metric_id: Score(0.9876), "flip-id": Score(0.5)}
    cells = {
        name: replace(CELL, codec=name, decoded_sha256=f"{name}-pixels", scores=scores) for name in labels[:1]
    }
    if labels == ["gone"]:
        cells = {}

    def component(*, data: dict[str, Any], **_: Any) -> Any:
        given.append(data)
        return SimpleNamespace(view=None)

    def nearest_cells(*words: Any) -> Any:
        nearest.append(words[1:])
        return cells

    monkeypatch.setattr(look, "st", page)
    monkeypatch.setattr(look, "_look", component)
    monkeypatch.setattr(look.pickers, "pick_set", lambda *_: "zoo")
    monkeypatch.setattr(look.pickers, "choose_many", lambda _, __, name, *___, **____: answers[name])
    monkeypatch.setattr(look.pages, "show", tables.append)
    monkeypatch.setattr(look, "_first_codecs", lambda _: [])
    monkeypatch.setattr(look, "_target", lambda *_: Target(2.0))
    monkeypatch.setattr(look, "_order", lambda *_: "gap")
    monkeypatch.setattr(look, "_picture", lambda _, __, codecs, ___, order: (
        "b.png" if (codecs[0], order) == (labels[0], "gap") else ""))  # fmt: skip
    monkeypatch.setattr(look, "nearest_cells", nearest_cells)
    monkeypatch.setattr(look, "pick_codecs", lambda _, source: {f"hidden of {source}"})
    frame: Any = SimpleNamespace(
        source=str,
        store=None,
        selection=lambda _, left_out: part() if left_out == {"hidden of zoo"} else None,
    )
    look.draw(frame)
    wanted = {f"{name}-id": name for name in labels if name != "gone"}
    ((image_set, sha256, codecs, target),) = nearest
    assert (image_set, sha256, target) == ("zoo", "b-sha", Target(2.0))
    assert list(codecs.items()) == list(wanted.items())
    panes = given[0]["panes"]
    assert [pane["name"] for pane in panes] == [
        "Original", *cells, *(f"FLIP: {name}" for name in cells),
    ]  # fmt: skip
    # The first three metrics of four.
    assert [pane["numbers"].split(" · ")[2:] for pane in panes[1 : 1 + len(cells)]] == [
        ["PSNR 31.25 dB", "Butteraugli 2.50", "MS-SSIM 0.9876", "0.0 % from 2.00 bpp"] for _ in cells
    ]
    assert page.of("warning") == []
    missing = [name for name in labels if name not in cells]
    assert page.of("caption") == [f"{name} has no result for this picture." for name in missing]
    assert [table.title for table in tables] == (["Numbers of b.png"] if cells else [])


def test_a_set_without_results_says_where_failures_are(monkeypatch: pytest.MonkeyPatch) -> None:
    page = Answered()
    monkeypatch.setattr(look, "st", page)
    monkeypatch.setattr(look.pickers, "pick_set", lambda *_: "zoo")
    monkeypatch.setattr(look, "pick_codecs", lambda *_: frozenset())
    look.draw(SimpleNamespace(source=str, selection=lambda *_, **__: part(labels=())))  # type: ignore[arg-type]
    assert page.of("info") == ["No codec has a result in this set yet; failures are on the page Runs."]
