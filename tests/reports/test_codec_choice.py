"""One choice of codecs for all pages: by family, by name, or all but those that are hidden."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from drawn import Address, Pickers

from codecarena.bench.analysis.coverage import AnalysisError
from codecarena.reports.views import address, codec_choice, pickers

CODECS = [("j1", "jpeg", "classic"), ("j2", "jpeg(subsampling=444)", "classic"), ("h", "HFD", "generative")]
SOURCE: Any = SimpleNamespace(
    columns=SimpleNamespace(
        codecs=[SimpleNamespace(codec_id=key, label=label, family=family) for key, label, family in CODECS]
    ),
    failures=[SimpleNamespace(codec_id=key, codec=label) for key, label in (("b", "broken"), ("h", "HFD"))],
    families=["classic", "generative"],
)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Pickers:
    drawn = Pickers()
    for module in (address, pickers):
        monkeypatch.setattr(module, "st", drawn)
    monkeypatch.setattr(address, "_address", lambda **_: None)
    monkeypatch.setattr(drawn, "popover", lambda *_, **__: drawn, raising=False)
    return drawn


def opened(page: Pickers, title: str, asked: Any) -> frozenset[str]:
    """Open a page at an address and return what is left out there."""
    page.query_params = Address(asked)
    page.session_state["page"] = title
    address.begin()
    left_out = codec_choice.pick_codecs(page, SOURCE)  # type: ignore[arg-type]
    address.write()
    return left_out


@pytest.mark.parametrize(
    ("families", "text", "hidden", "left_out"),
    [
        ([], "", [], ""),
        # Of a codec that only failed nobody knows the family.
        (["generative"], "", [], "j1 j2"),
        (["classic", "generative"], "", [], ""),
        ([], "JPEG", [], "h b"),
        ([], "jpeg subsampling=444", [], "j1 h b"),
        ([], "hfd", [], "j1 j2 b"),
        ([], "", ["jpeg", "broken"], "j1 b"),
        (["classic"], "444", ["HFD"], "j1 h b"),
    ],
)
def test_which_codecs_a_choice_leaves_out(
    families: Sequence[str], text: str, hidden: Sequence[str], left_out: str
) -> None:
    assert codec_choice.codecs_left_out(SOURCE, families, text, hidden) == set(left_out.split())


def test_a_hidden_codec_is_hidden_on_the_next_page_and_shown_again_by_going_back(
    page: Pickers, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert opened(page, "Look", {"hide": "jpeg", "family": "classic"}) == {"j1", "h"}
    assert codec_choice.look_link("a b", ["zip", "x", "zip"], "ä&.png") == (
        "look?set=a+b&codec=zip&codec=x&order=gap&picture=%C3%A4%26.png&family=classic&hide=jpeg"
    )
    assert opened(page, "Speed", {}) == {"j1", "h"}
    assert address.current().query == {"family": ["classic"], "hide": ["jpeg"]}
    page.session_state["hide of Speed"] = ["broken"]
    assert opened(page, "Speed", {}) == {"b", "h"}
    assert opened(page, "Rates", {"hide": "HFD"}) == {"h"}
    # An entry of the history says all that was chosen.
    monkeypatch.setattr(address, "_went_back", lambda: True)
    assert opened(page, "Look", {}) == set()


def test_words_are_kept_and_can_be_taken_back(page: Pickers) -> None:
    assert opened(page, "Look", {"name": "444"}) == {"j1", "h", "b"}
    assert opened(page, "Speed", {}) == {"j1", "h", "b"}
    page.session_state["name of Speed"] = " "
    assert opened(page, "Speed", {}) == set()
    assert opened(page, "Rates", {}) == set()


def test_a_codec_of_another_set_stays_hidden(page: Pickers) -> None:
    assert opened(page, "Look", {"hide": ["webp", "jpeg"]}) == {"j1"}
    assert not address.current().unknown
    hide = next(asked for asked in page.asked if asked[1] == "Hide")
    assert hide[2] == [["HFD", "broken", "jpeg", "jpeg(subsampling=444)", "webp"]]


def test_a_choice_of_no_codec_at_all_is_said(page: Pickers) -> None:
    with pytest.raises(AnalysisError, match="leaves out every codec of this set"):
        opened(page, "Look", {"name": "nothing"})
