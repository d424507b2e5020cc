"""What the page on natural and AI-generated pictures asks for, and shows until its intervals are there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from drawn import Answered
from report_rows import PSNR

from codecarena.reports.tables.evidence import Pending
from codecarena.reports.views import natural


@pytest.mark.parametrize(
    ("kinds", "offered", "said"),
    [
        ({"a": 1, "b": 2, "c": 2}, [natural.EVERY, "b", "c"], None),
        ({"a": 1, "b": 1}, [natural.EVERY, "a", "b"], "There are natural pictures only"),
        ({"a": 2}, ["a"], None),
        ({"a": 0}, ["a"], "There are no pictures only"),
    ],
)
def test_which_sets_are_offered_to_compare_kinds(
    monkeypatch: pytest.MonkeyPatch, kinds: dict[str, int], offered: list[str], said: str | None
) -> None:
    page, options, parts, scores = Answered(), [], [], []

    def source(name: str | None) -> Any:
        return SimpleNamespace(kinds=["natural", "ai-generated"][: kinds[name or offered[-1]]], name=name)

    def choose(_: Any, label: str, name: str, sets: list[str]) -> str:
        options.append((label, name, sets))
        return sets[0]

    def part(name: str | None, left_out: Any) -> Any:
        parts.append((name, left_out))
        return SimpleNamespace(source=source(offered[-1]), metrics=[])

    monkeypatch.setattr(natural, "st", page)
    monkeypatch.setattr(natural.pickers, "choose", choose)
    monkeypatch.setattr(natural.pages, "summary", lambda *_: None)
    monkeypatch.setattr(natural.pages, "no_scores", scores.append)
    monkeypatch.setattr(natural, "pick_codecs", lambda _, source: f"hidden of {source.name}")
    natural.draw(SimpleNamespace(image_sets=list(kinds), source=source, selection=part))  # type: ignore[arg-type]
    assert options == [("Image set", "of", offered)]
    of = None if offered[0] == natural.EVERY else offered[0]
    assert parts == [(of, f"hidden of {of}")]
    assert [element.split(":")[0] for element in page.of("info")] == ([said] if said else [])
    assert len(scores) == (said is None)


@pytest.mark.parametrize(
    ("is_there", "divided", "drawn"),
    [
        (True, [], ["split against zip by PSNR"]),
        (True, [1], ["split against zip by PSNR", "divided"]),
        (False, [1], ["points of zip-id against zip by PSNR", "divided"]),
    ],
)
def test_points_stand_in_for_what_is_being_computed(
    monkeypatch: pytest.MonkeyPatch, is_there: bool, divided: list[int], drawn: list[str]
) -> None:
    said: list[str] = []
    asked: list[Any] = []
    pages = natural.pages
    given: list[str] = []
    record = {"codec": "a b", "picture": "ä&.png", "picture_sha256": "sha"}
    table = SimpleNamespace(rows=[SimpleNamespace(record=record) for _ in divided])
    part: Any = SimpleNamespace(
        source=SimpleNamespace(
            kinds=["ai-generated", "natural"],
            columns=SimpleNamespace(pictures=[SimpleNamespace(sha256="sha")]),
        ),
        metrics=[PSNR], title=lambda _: "PSNR",
        grids=[
            SimpleNamespace(codec=SimpleNamespace(label=name, codec_id=f"{name}-id")) for name in ("a", "zip")
        ],
    )  # fmt: skip

    class Split(str):
        rows = ()

    def kind_split(*words: Any) -> Split:
        asked.append(words)
        if not is_there:
            raise Pending("later")
        return Split("split")

    columns: list[int | None] = []

    def pick(answer: Any) -> Any:
        return lambda place, *_: (columns.append(place.column), answer)[1]

    monkeypatch.setattr(natural, "st", Answered())
    for name, answer in {"choose": "zoo", "pick_metric": PSNR, "pick_anchor": "zip"}.items():
        monkeypatch.setattr(natural.pickers, name, pick(answer))
    for name in ("summary", "no_scores"):
        monkeypatch.setattr(pages, name, lambda *_: None)
    monkeypatch.setattr(
        pages, "show", lambda what, name="", links=(), **_: (said.append(name or what), given.extend(links))
    )
    monkeypatch.setattr(pages, "pending", lambda _: said.append("pending"))
    monkeypatch.setattr(natural, "kind_split", kind_split)
    monkeypatch.setattr(natural, "points_by_kind", lambda _, __, anchor_id: f"points of {anchor_id}")
    monkeypatch.setattr(natural, "points_table", lambda points, title: f"{points}{title[7:]}")
    monkeypatch.setattr(natural, "likeness", lambda *_: SimpleNamespace(balance=()))
    monkeypatch.setattr(natural, "_drawn", lambda _, split, title, image_set, __: (
        said.append(f"{split}{title[7:]}") if image_set == "zoo" else None))  # fmt: skip
    monkeypatch.setattr(
        natural, "dividing_pictures", lambda _, __, anchor_id: table if anchor_id == "zip-id" else None
    )
    monkeypatch.setattr(natural, "pick_codecs", pick(frozenset()))
    monkeypatch.setattr(natural, "look_link", lambda *words: words)
    frame: Any = SimpleNamespace(
        image_sets=["zoo"], source=lambda _: part.source, selection=lambda _, **__: part,
        background="background",
    )  # fmt: skip
    natural.draw(frame)
    assert asked == [(part, PSNR, "zip", "pchip", "background")]
    assert said == [*drawn, "pending"]
    link = ("zoo", ["zip", "a b"], "ä&.png")
    assert given == [link for _ in divided]
    assert columns == [0, 3, 1, 2]
