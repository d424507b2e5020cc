"""How a picker's value comes from the address, the last page or the default, and goes into the address."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from drawn import Address, Pickers

from codecarena.reports.server import server
from codecarena.reports.views import address, pickers


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Pickers:
    drawn = Pickers()
    for module in (address, pickers):
        monkeypatch.setattr(module, "st", drawn)
    monkeypatch.setattr(address, "_address", lambda **words: drawn.remember("address", (words["data"],), {}))
    return drawn


def opened(page: Pickers, asked: Any = None, **session: Any) -> Any:
    """Open a page at an address, or draw it again; return where pickers may stand."""
    if asked is not None:
        page.query_params = Address(asked)
        page.session_state.pop("address", None)
    page.session_state |= session
    address.begin()
    return page


@pytest.mark.parametrize(
    ("asked", "session", "default", "chosen"),
    [
        ({}, {}, None, "a"),
        ({}, {}, "b", "b"),
        ({}, {}, "z", "a"),
        ({"n": "c"}, {}, "b", "c"),
        ({"n": "z"}, {}, "b", "b"),
        ({"n": "z"}, {"kept n": ["c"]}, "b", "c"),
        ({}, {"kept n": ["c"]}, "b", "c"),
        ({"n": "b"}, {"kept n": ["c"]}, None, "b"),
        ({"n": "b"}, {"n of Look": "c"}, None, "b"),  # left by an earlier visit
        ({}, {"n of Look": "c"}, None, "a"),
        ({}, {"n of Rates": "b"}, None, "a"),  # another page's picker
    ],
)
def test_which_option_is_chosen_when_a_page_is_opened(
    page: Pickers, asked: dict[str, str], session: dict[str, Any], default: str | None, chosen: str
) -> None:
    place = opened(page, asked, **session)
    assert pickers.choose(place, "Name", "n", ["a", "b", "c"], default, help_text="what it is") == chosen
    assert page.asked == [("selectbox", "Name", ["a", "b", "c"], "n of Look", {"help": "what it is"})]
    assert page.session_state["n of Look"] == chosen
    assert page.session_state["kept n"] == [chosen]
    address.write()
    # What the page chose by itself completes the entry that is there; it makes none.
    assert page.query_params.entries == 0
    (written,) = page.of("address")
    assert written["query"] == f"n={chosen}"
    assert "".join(f"n={word}" for word in asked.values()) in written["instead"]


def test_options_are_written_and_shown_in_their_own_ways(page: Pickers) -> None:
    place = opened(page, {"m": "20"})
    chosen = pickers.choose(
        place, "Tens", "m", [1, 2, 3], write=lambda option: f"{option}0", show=lambda option: f"<{option}>",
        segmented=True,
    )  # fmt: skip
    assert chosen == 2
    assert page.asked == [("segmented_control", "Tens", ["<1>", "<2>", "<3>"], "m of Look", {"help": None})]


@pytest.mark.parametrize("segmented", [False, True])
def test_a_widget_that_gives_nothing_back_changes_no_choice(page: Pickers, segmented: bool) -> None:
    place = opened(page, {"anchor": "jpeg"})
    options = ["avif", "jpeg", "webp"]

    def choose() -> str:
        return pickers.choose(place, "Anchor", "anchor", options, "webp", segmented=segmented)

    assert choose() == "jpeg"
    silent: Any = SimpleNamespace(selectbox=lambda *_, **__: None, segmented_control=lambda *_, **__: None)
    place = silent
    assert choose() == "jpeg"
    # Its value is gone with it, in a run that was cut off or in one where another codec has come.
    for lost in (None, "gone"):
        page.session_state["anchor of Look"] = lost
        options = [f"a {lost}", *options]
        assert choose() == "jpeg"
    del page.session_state["anchor of Look"]
    place = page
    assert choose() == "jpeg"
    address.write()
    assert page.query_params == {"anchor": "jpeg"}
    assert page.query_params.entries == 0


def test_a_choice_outlives_runs_that_are_cut_off(page: Pickers) -> None:
    options = ["a", "b", "c"]
    for _ in range(3):  # opened, and cut off before the address was written
        place = opened(page, {"n": "b", "m": "c"} if not page.asked else None)
        assert pickers.choose(place, "Name", "n", options) == "b"
    page.session_state["n of Look"] = "c"
    for _ in range(3):  # somebody chose, and the address is still the old one
        place = opened(page)
        assert pickers.choose(place, "Name", "n", options) == "c"
    assert pickers.choose(place, "Name", "m", options) == "c"
    address.write()
    assert (page.query_params, page.query_params.entries) == ({"n": ["c"], "m": ["c"]}, 1)


def test_every_change_is_one_entry_and_going_back_chooses_what_was(
    page: Pickers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw() -> tuple[str, list[str], float]:
        place = opened(page)
        values = (
            pickers.choose(place, "Name", "n", ["a", "b"]),
            pickers.choose_many(place, "Names", "m", ["a", "b"]),
            pickers.choose_number(place, "Rate", "bpp", 0.5),
        )
        address.write()
        return values

    opened(page, {})
    assert draw() == ("a", [], 0.5)
    assert page.query_params.entries == 0
    entries = []
    for name, value in (("n", "b"), ("m", ["b"]), ("bpp", 0.75)):
        page.session_state[f"{name} of Look"] = value
        draw()
        draw()
        entries.append(dict(page.query_params))
        assert page.query_params.entries == len(entries)
    assert entries[-1] == {"n": ["b"], "m": ["b"], "bpp": ["0.75"]}
    # The browser goes back: the widgets still hold what was chosen last.
    page.query_params.clear()
    page.query_params.update(entries[0])
    monkeypatch.setattr(address, "_went_back", lambda: True)
    assert draw() == ("b", [], 0.5)
    assert page.query_params.entries == 3
    assert address.current().opening == 2


def test_another_page_begins_with_what_was_chosen_and_asks_its_own_address(page: Pickers) -> None:
    place = opened(page, {"n": "b"})
    pickers.choose(place, "Name", "n", ["a", "b"])
    address.write()
    page.query_params = Address()
    page.session_state["page"] = "Rates"
    opened(page)
    assert pickers.choose(place, "Name", "n", ["a", "b"]) == "b"
    address.write()
    assert page.query_params.entries == 0
    assert page.of("address")[-1] == {"query": "n=b", "instead": ["", "", ""], "path": ""}


@pytest.mark.parametrize(
    ("asked", "default", "chosen"),
    [
        ([], ["d"], []), ([], ["c"], ["c"]), (["b", "z"], ["c"], ["b"]), (["z"], ["c"], ["c"]),
        (["b", "a"], [], ["b", "a"]),
    ],
)  # fmt: skip
def test_which_of_many_options_are_chosen(
    page: Pickers, asked: list[str], default: list[str], chosen: list[str]
) -> None:
    place = opened(page, {"n": asked} if asked else {})
    assert pickers.choose_many(place, "Names", "n", ["a", "b", "c"], "which", default) == chosen
    assert page.asked == [("multiselect", "Names", [["a", "b", "c"]], "n of Look", {"help": "which"})]
    address.write()
    assert page.of("address")[-1]["query"] == "&".join(f"n={name}" for name in chosen)
    assert page.session_state["kept n"] == (chosen or [""])
    # One that goes leaves the others chosen; none at all may be chosen, whatever the default.
    page.session_state["n of Look"] = ["b", "gone"]
    assert pickers.choose_many(opened(page), "Names", "n", ["a", "b", "c"], default=default) == ["b"]
    page.session_state["n of Look"] = []
    assert pickers.choose_many(opened(page), "Names", "n", ["a", "b", "c"], default=default) == []


@pytest.mark.parametrize(
    ("asked", "chosen", "written"),
    [
        (None, 0.5, "0.5"), ("2.25", 2.25, "2.25"), ("99", 0.5, "0.5"), ("nan", 0.5, "0.5"),
        ("inf", 0.5, "0.5"), ("many", 0.5, "0.5"), ("", 0.5, "0.5"), ("0.1", 0.1, "0.1"), ("4", 4.0, "4"),
    ],
)  # fmt: skip
def test_which_number_is_chosen(page: Pickers, asked: str | None, chosen: float, written: str) -> None:
    place = opened(page, {} if asked is None else {"n": asked}, **{"n of Look": 3.0})

    def choose() -> float:
        return pickers.choose_number(
            place, "Rate", "n", 0.5, low=0.1, high=4.0, step=0.05, help_text="of what"
        )

    assert choose() == chosen
    assert page.asked == [
        ("number_input", "Rate", [0.1, 4.0], "n of Look", {"step": 0.05, "help": "of what"})
    ]
    address.write()
    assert page.of("address")[-1]["query"] == f"n={written}"
    assert bool(address.current().unknown) == (asked is not None and float(written) != _number(asked))
    page.session_state["n of Look"] = None
    assert choose() == chosen


def _number(text: str) -> float | None:
    return float(text) if text[:1].isdigit() else None


def test_what_a_link_asks_for_and_is_not_here_is_said_until_something_else_is_chosen(page: Pickers) -> None:
    place = opened(page, {"n": "z", "m": ["a", "y", "x"], "bpp": "99", "mertic": "psnr", "board-sort": "1",
                          "score-psnr": "30", "view": "rate"})  # fmt: skip

    def draw() -> list[str]:
        opened(page)
        pickers.choose(place, "Metric", "n", ["a", "b"], show=str.upper)
        pickers.choose_many(place, "Codecs", "m", ["a", "b"])
        pickers.choose_number(place, "Bits per pixel", "bpp", 0.5, low=0.1, high=4.0)
        address.write()
        return list(address.current().unknown.values())

    said = [
        "Metric: the link asks for “z”, which is not here; shown is A.",
        "Codecs: the link asks for “y”, “x”, which is not here; shown is a.",
        "Bits per pixel: the link asks for “99”, which is not here; shown is 0.5.",
        "The link says mertic, which no page asks for; it is left out.",
    ]
    assert draw() == draw() == said
    # What other views of the pages ask for stays.
    written = page.of("address")[-1]["query"]
    assert written == "n=a&m=a&bpp=0.5&board-sort=1&score-psnr=30&view=rate"
    page.session_state["n of Look"] = "b"
    assert draw() == said[1:]


def test_a_report_of_a_component_is_read_once(page: Pickers) -> None:
    assert address.newly_reported("look", "view") == ""
    reads = []
    for state in ({"view": None}, {"view": "flip"}, {"view": "flip"}, {"view": "side"}, {"view": "flip"}):
        page.session_state["look"] = state
        reads.append(address.newly_reported("look", "view"))
    assert reads == ["", "flip", "", "side", "flip"]


@pytest.mark.parametrize(
    ("query", "location"), [("", "./"), ("metric=psnr&codec=a%20b", "./?metric=psnr&codec=a%20b")]
)
def test_the_first_page_opens_by_its_name_too(query: str, location: str) -> None:
    route: Any = server._first_page()
    answer = route.endpoint(SimpleNamespace(url=SimpleNamespace(query=query)))
    assert (route.path, answer.status_code, answer.headers["location"]) == ("/leaderboard", 307, location)
