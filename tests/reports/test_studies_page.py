"""The organiser's page: nobody gets in without the password; the same steps as the study commands."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from studying import enter, open_study, work_through

from codecarena.bench.run import study_pictures
from codecarena.bench.store.writer import StoreWriter
from codecarena.reports.server import sign_in
from codecarena.reports.server.server import STORE_VARIABLE
from codecarena.reports.server.sign_in import Gate, SignInError, hash_password, matches, prepare, write_hash
from codecarena.studies.ledger.ledger import Ledger
from codecarena.studies.organise.organise import Bench, invite
from codecarena.studies.session.session import RaterService

# Streamlit's own script runner, under AppTest, warns about itself.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PASSWORD = "correct horse <b> battery"
HASH = hash_password(PASSWORD)


def page_script(bench) -> None:
    import streamlit as st

    from codecarena.reports.views import studies

    st.session_state["page"] = "Studies"
    studies.main(bench)


@pytest.fixture(autouse=True)
def organiser(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    st.cache_resource.clear()
    monkeypatch.setenv(sign_in.VARIABLE, HASH)
    yield
    st.cache_resource.clear()


def open_page(
    store: Path, monkeypatch: pytest.MonkeyPatch, bench: Bench | None = study_pictures, **query: str
) -> AppTest:
    monkeypatch.setenv(STORE_VARIABLE, str(store))
    page = AppTest.from_function(page_script, default_timeout=300, args=(bench,))
    for key, value in query.items():
        page.query_params[key] = value
    return checked(page.run())


def checked(page: AppTest) -> AppTest:
    assert not page.exception, [element.value for element in page.exception]
    return page


def signed_in(
    store: Path, monkeypatch: pytest.MonkeyPatch, bench: Bench | None = study_pictures, **query: str
) -> AppTest:
    page = open_page(store, monkeypatch, bench, **query)
    page.text_input[0].set_value(PASSWORD)
    return press(page, "Sign in")


def press(page: AppTest, label: str) -> AppTest:
    return checked(next(button for button in page.button if button.label == label).click().run())


def labels(page: AppTest) -> list[str]:
    return [button.label for button in page.button]


@pytest.fixture
def voted(tmp_path: Path) -> Path:
    """A store whose small study two raters have finished."""
    open_study(tmp_path / "arena")
    ledger = Ledger(str(tmp_path / "arena"))
    links = invite(ledger, "small", 2)
    ledger.close()
    service = RaterService(str(tmp_path / "arena"))
    for link, answer in zip(links, ("first", "second"), strict=True):
        work_through(service, enter(service, link), answer)
    service.close()
    return tmp_path / "arena"


def test_nobody_sees_a_study_without_the_password(voted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for task in ("Watch", "Plan", "Simulate", "Results", "Export"):
        page = open_page(voted, monkeypatch, do=task, study="small")
        assert labels(page) == ["Sign in"]
        assert not page.segmented_control
        assert not page.text_area
        assert not page.metric
        assert "small" not in str(page.main)
    page.text_input[0].set_value("correct horse")
    press(page, "Sign in")
    assert page.error[0].value == "This is not the password."
    assert not page.metric


def test_without_a_hash_nobody_gets_in(voted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(sign_in.VARIABLE)
    page = open_page(voted, monkeypatch)
    assert labels(page) == []
    assert "organiser-password" in page.code[0].value


def test_a_new_password_ends_old_visits(voted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = signed_in(voted, monkeypatch)
    assert "Sign out" in labels(page)
    monkeypatch.setenv(sign_in.VARIABLE, hash_password("another password"))
    assert labels(checked(page.run())) == ["Sign in"]
    monkeypatch.setenv(sign_in.VARIABLE, HASH)
    assert "Sign out" in labels(checked(page.run()))
    assert labels(press(page, "Sign out")) == ["Sign in"]


def test_a_study_is_watched_and_closed(voted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = signed_in(voted, monkeypatch)
    numbers = {figure.label: figure.value for figure in page.metric}
    assert numbers["Raters finished"] == "2 of 2"
    assert numbers["Votes"] == "24"
    press(page, "Close the study")
    ledger = Ledger(str(voted), read_only=True)
    assert ledger.study("small").state == "closed"
    assert "Seal and open" in labels(page)
    ledger.close()


def test_raters_are_invited_and_links_told_once(voted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = signed_in(voted, monkeypatch)
    page.number_input[0].set_value(3)
    press(page, "Make links")
    links = page.code[0].value.splitlines()
    assert len(links) == 3
    assert all(link.startswith("http://127.0.0.1:8501/?invite=") for link in links)
    service = RaterService(str(voted))
    assert service.join(links[0].partition("=")[2]).stage == "consent"
    service.close()
    assert not signed_in(voted, monkeypatch).code


def test_a_plan_is_not_stored_where_nothing_cuts_its_pictures(
    seeded_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = signed_in(seeded_store, monkeypatch, bench=None, do="Plan")
    press(page, "Check and store")
    assert page.error[0].value.startswith("Pictures cannot be cut here.")
    assert not page.success


def test_a_plan_is_checked_and_stored(
    seeded_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = shutil.copytree(seeded_store, tmp_path / "arena")
    page = signed_in(store, monkeypatch, do="Plan")
    page.text_area[0].set_value(page.text_area[0].value.replace("[trials]", "[trails]"))
    press(page, "Check and store")
    assert "trails" in page.error[0].value
    page.text_area[0].set_value(page.text_area[0].value.replace("[trails]", "[trials]"))
    press(page, "Check and store")
    assert page.success[0].value.startswith("Study demo is planned: 5 conditions of 2 pictures")
    again = signed_in(store, monkeypatch, do="Watch", study="demo")
    assert "Seal and open" in labels(again)


def test_the_planner_answers(voted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = signed_in(voted, monkeypatch, do="Simulate")
    page.text_input[0].set_value("0, 3")
    page.number_input[3].set_value(10)
    press(page, "Simulate")
    assert {figure.label: figure.value for figure in page.metric}["Power, hardest pair"] == "100%"
    page.text_input[0].set_value("much")
    press(page, "Simulate")
    assert "Expected numbers" in page.error[0].value


def test_results_and_files(voted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = signed_in(voted, monkeypatch, do="Results", study="small")
    texts = [element.value.replace("\\", "") for element in page.header] + [
        element.value for element in page.info
    ]
    assert any(text.startswith("small: ") for text in texts), texts
    page = signed_in(voted, monkeypatch, do="Export", study="small")
    assert page.radio[0].options[0].startswith("CSV")
    page.text_input[0].set_value("nobody")
    press(page, "Erase votes and identity")
    assert "Nobody is known" in page.error[0].value


def test_an_empty_store_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    StoreWriter(str(tmp_path / "arena")).close()
    assert "No study yet" in signed_in(tmp_path / "arena", monkeypatch).info[0].value
    assert "no results yet" in signed_in(tmp_path / "arena", monkeypatch, do="Plan").error[0].value


def test_hashes_match_their_password_only() -> None:
    assert matches(PASSWORD, HASH + "\n")
    assert not matches(PASSWORD + " ", HASH)
    assert hash_password(PASSWORD) != HASH
    assert PASSWORD not in HASH
    for broken in ("", "scrypt", "scrypt:a:b:c:d:e", HASH.replace("scrypt", "plain"), PASSWORD):
        assert not matches(PASSWORD, broken)
    with pytest.raises(SignInError, match="9 characters"):
        hash_password("too short")


def test_wrong_tries_make_the_next_ones_wait() -> None:
    seconds = [0.0]
    gate = Gate(lambda: seconds[0])
    assert [gate.enter("wrong", HASH) for _ in range(4)] == [False] * 4
    assert gate.enter(PASSWORD, HASH) == 2.0
    seconds[0] = 2.0
    assert gate.enter("wrong", HASH) is False
    assert gate.enter(PASSWORD, HASH) == 4.0
    seconds[0] = 6.0
    assert gate.enter(PASSWORD, HASH) is True
    assert gate.enter("wrong", HASH) is False


def test_a_password_for_a_run_or_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert prepare(None) is None  # the environment has one
    monkeypatch.delenv(sign_in.VARIABLE)
    made = prepare(None)
    assert made is not None
    assert matches(made, os.environ[sign_in.VARIABLE])
    path = tmp_path / "organiser.hash"
    write_hash(PASSWORD, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert prepare(path) is None
    assert matches(PASSWORD, os.environ[sign_in.VARIABLE])
    with pytest.raises(SignInError, match="exists"):
        write_hash(PASSWORD, path)
    for wrong in (PASSWORD, HASH.removesuffix(HASH[HASH.rindex(":") :]), f"{HASH}:more", f"x{HASH}"):
        path.write_text(wrong)
        with pytest.raises(SignInError, match="not a password"):
            prepare(path)
    with pytest.raises(SignInError, match="cannot be read"):
        prepare(tmp_path / "nothing")


def test_streamlits_secrets_may_hold_the_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv(sign_in.VARIABLE)
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "secrets.toml").write_text(f'[organiser]\npassword_hash = "{HASH}"\n')
    assert prepare(None) is None
    assert sign_in.VARIABLE not in os.environ
