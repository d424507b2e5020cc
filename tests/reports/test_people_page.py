"""Metrics against people: the whole study, kinds of pictures, bands of rates, parts with too few votes."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from sqlalchemy import text
from streamlit.testing.v1 import AppTest
from studying import enter, invite, open_study, work_through

from codecarena.bench.run import study_pictures
from codecarena.bench.store.writer import StoreWriter
from codecarena.reports.server.server import STORE_VARIABLE
from codecarena.studies.analysis.results import results_of
from codecarena.studies.analysis.score_results import score_results_of
from codecarena.studies.ledger.imports import NOWHERE
from codecarena.studies.ledger.ledger import Ledger
from codecarena.studies.ledger.score_imports import keep_scores
from codecarena.studies.records.records import PublishedScore, ScoreScale
from codecarena.studies.session.session import RaterService

# Streamlit's own script runner, under AppTest, warns about itself.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.xdist_group("people page"),
]


def page_script() -> None:
    import streamlit as st

    from codecarena.reports.views import people

    st.session_state["page"] = "Metrics against people"
    people.main()


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of ten pictures, half of them generated, at 0.1, 1.1 and 2.1 bpp, with its results."""
    store = tmp_path_factory.mktemp("people") / "arena"
    open_study(store, pictures=10)
    random, service = np.random.default_rng(0), RaterService(str(store))
    for invitation in invite(store, 6):
        work_through(service, enter(service, invitation), str(random.choice(["first", "second"])))  # type: ignore[arg-type]
    service.close()
    writer = StoreWriter(str(store))
    generated = "UPDATE study_contents SET kind = 'ai-generated' WHERE id % 2 = 0"
    writer.write(lambda connection: connection.execute(text(generated)))
    writer.close()
    with closing(Ledger(str(store), read_only=True)) as ledger:
        material = ledger.known(ledger.study("small")).material
        pairs = [
            (str(material.contents[stimulus.content].reference_sha256), str(stimulus.shown_sha256))
            for stimulus in material.stimuli
        ]
        study_pictures.score(str(store), pairs, ["psnr"])
        results_of(ledger, "small")
    return store


def opened(store: Path, monkeypatch: pytest.MonkeyPatch, **query: str) -> AppTest:
    st.cache_resource.clear()
    monkeypatch.setenv(STORE_VARIABLE, str(store))
    page = AppTest.from_function(page_script, default_timeout=300)
    for key, value in query.items():
        page.query_params[key] = value
    page.run()
    assert not page.exception, [element.value for element in page.exception]
    return page


def headings(page: AppTest) -> list[str]:
    return [element.value.replace("\\", "") for element in page.header]


def test_the_whole_comes_first_and_every_part_below(judged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened(judged, monkeypatch)
    assert headings(page) == [
        "Metrics against people",
        "Metrics against people by kind of picture",
        "Metrics against people by rate: pairwise accuracy",
        "Metrics against people by rate: SRCC",
    ]
    assert page.segmented_control[0].options == ["All", "Natural", "AI-generated"]
    rate = next(picker for picker in page.selectbox if picker.label == "Rate")
    assert rate.options == ["All rates", "Below 0.18 bpp", "0.65 bpp and more"]


def test_a_part_is_chosen_by_the_address_and_by_hand(judged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened(judged, monkeypatch, kind="natural", band="0.65-")
    assert headings(page)[0] == "Metrics against people: natural, 0.65 bpp and more"
    page.segmented_control[0].set_value("all")
    page.run()
    assert headings(page)[0] == "Metrics against people: 0.65 bpp and more"
    assert page.query_params["kind"] == "all"
    assert page.query_params["band"] == "0.65-"


def test_too_few_votes_are_said_to_be_too_few(judged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened(judged, monkeypatch, band="0-0.18")
    said = page.info[0].value.replace("\\", "")
    assert said.startswith("Nothing can be said of below 0.18 bpp: 0 decided votes on 0 pictures")
    assert headings(page)[0] == "Metrics against people by kind of picture"


def test_an_address_that_means_nothing_shows_the_whole(judged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened(judged, monkeypatch, kind="cartoons", band="9-")
    assert headings(page)[0] == "Metrics against people"


def test_imported_scores_are_a_study_to_choose(judged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Ledger(str(judged))) as ledger:
        scores = [PublishedScore(name, None, value, None, None) for name, value in (("a", 1500), ("b", 1400))]
        keep_scores(ledger, "elo", "a paper", ScoreScale("Elo", "higher", None), scores, NOWHERE)
        # As for votes: pages compute nothing.
        assert "elo" not in opened(judged, monkeypatch).selectbox[0].options
        score_results_of(ledger, "elo")
    page = opened(judged, monkeypatch, study="elo")
    assert page.selectbox[0].options == ["small", "elo"]
    assert headings(page) == ["elo: Elo"]
