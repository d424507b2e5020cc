"""The dashboard's pages without a browser: what they say of full, empty and odd stores."""

from __future__ import annotations

import json
import shlex
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from released_stores import add_migration
from sqlalchemy import Executable, delete, update
from streamlit.testing.v1 import AppTest
from synthetic_store import fill

from arena import call
from codecarena.bench.store.store import Store
from codecarena.bench.store.tables.schema import CodecTable, MeasurementTable, RunTable, ScoreTable
from codecarena.bench.store.writer import StoreWriter, now
from codecarena.reports.server.server import APP, STORE_VARIABLE

# Streamlit's own script runner, under AppTest, warns about itself.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PAGES = ("leaderboard", "rates", "look", "speed", "natural", "people", "runs")
ONE_PAGE = """
import streamlit as st
from codecarena.reports.views import {name}, navigation
st.session_state["page"] = "{name}"
{name}.main()
"""
NASTY = """<b onclick="x">'"&amp;_*[a](b)$x$ :rocket: 🦆 """ + 150 * "n" + " "


@pytest.fixture(autouse=True)
def fresh_caches() -> Iterator[None]:
    st.cache_resource.clear()
    st.cache_data.clear()
    yield
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Return a function that opens one page of a store, with these words in the address."""

    def open_one(store: Path, name: str = "leaderboard", **query: str | list[str]) -> AppTest:
        monkeypatch.setenv(STORE_VARIABLE, str(store))
        page = AppTest.from_string(ONE_PAGE.format(name=name), default_timeout=300)
        for key, value in query.items():
            page.query_params[key] = value
        page.run()
        assert not page.exception, [element.value for element in page.exception]
        return page

    return open_one


@pytest.fixture(scope="module")
def odd_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("odd") / "arena"
    fill(folder, pictures=8, codecs=4, settings=4, metrics=("psnr", "ms-ssim"), odd=True, before=NASTY,
         image_set=f"{NASTY}set")  # fmt: skip
    return folder


def subheaders(page: AppTest) -> list[str]:
    return [element.value.replace("\\", "") for element in page.header]


def tables(page: AppTest) -> str:
    """Return the HTML of all tables of ours."""
    return "".join(json.loads(element.proto.json).get("html", "") for element in page.get("bidi_component"))


def query(page: AppTest, name: str) -> list[str]:
    values = page.query_params.get(name, [])
    return [values] if isinstance(values, str) else list(values)


def test_the_dashboard_opens_on_the_leaderboard(seeded_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(seeded_store))
    page = AppTest.from_file(str(APP), default_timeout=300).run()
    assert not page.exception
    assert page.title[0].value == "Leaderboard"
    assert subheaders(page)[0] == "BD-rate against jpeg by MS-SSIM · photos"
    assert page.caption[0].value == "2 pictures · 3 codecs · 14 results"
    assert "– lossless" in tables(page)


def test_a_store_from_before_the_first_release_is_refused_in_one_sentence(open_page, tmp_path: Path) -> None:
    fill(tmp_path, pictures=1, codecs=1, settings=1, metrics=("psnr",))
    with sqlite3.connect(tmp_path / "arena.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0005'")
    page = open_page(tmp_path)
    (said,) = page.error
    assert said.value.replace("\\", "").startswith("The store was made by a codecarena from before the first")
    assert str(tmp_path) not in said.value.replace("\\", "")
    # What fills an empty store would be refused as well.
    assert not page.code


def test_filters_change_the_table_and_the_address(open_page, seeded_store: Path) -> None:
    page = open_page(seeded_store)
    page.selectbox(key="metric of leaderboard").select("psnr").run()
    page.selectbox(key="anchor of leaderboard").select("webp").run()
    assert subheaders(page)[0] == "BD-rate against webp by PSNR · photos"
    assert (query(page, "metric"), query(page, "anchor")) == (["psnr"], ["webp"])
    page.selectbox(key="view of leaderboard").select("rate").run()
    page.number_input[0].set_value(0.75).run()
    assert subheaders(page)[0] == "Scores at 0.75 bits per pixel · photos"
    assert query(page, "bpp") == ["0.75"]
    page.selectbox(key="view of leaderboard").select("score").run()
    page.number_input[0].set_value(30.0).run()
    assert subheaders(page)[0] == "Cost of PSNR 30.00 dB · photos"
    assert query(page, "score-psnr") == ["30"]


def test_a_link_shares_the_view(open_page, seeded_store: Path) -> None:
    page = open_page(seeded_store, metric="psnr", view="rate", bpp="1")
    assert subheaders(page)[0] == "Scores at 1.0 bits per pixel · photos"
    assert page.selectbox(key="metric of leaderboard").value == "psnr"


def choices(page: AppTest) -> list[tuple[str, object]]:
    """Return what is chosen on a page, and the headings that say so."""
    widgets = [*page.selectbox, *page.segmented_control, *page.number_input]
    return [
        *((widget.label, widget.value) for widget in widgets),
        *(("heading", title) for title in subheaders(page)),
    ]


@pytest.mark.parametrize("name", PAGES)
def test_an_address_that_makes_no_sense_chooses_what_an_empty_one_does(
    name: str, open_page, seeded_store: Path
) -> None:
    known = "set metric view anchor kind bpp codec picture match run of cost axis family study map board-sort"
    words = dict.fromkeys(known.split(), "nonsense")
    assert choices(open_page(seeded_store, name, **words)) == choices(open_page(seeded_store, name))


@pytest.mark.parametrize("name", PAGES)
def test_no_store_says_how_to_make_one(name: str, open_page, tmp_path: Path) -> None:
    page = open_page(tmp_path / "nowhere", name)
    assert page.info[0].value.startswith("There is no store yet.")
    assert "nowhere" not in page.info[0].value
    assert page.code[0].value == "codecarena demo"
    assert not (tmp_path / "nowhere").exists()


def test_a_page_notices_the_first_run(open_page, tmp_path: Path) -> None:
    page = open_page(tmp_path / "arena")
    assert page.code[0].value == "codecarena demo"
    fill(tmp_path / "arena", pictures=2, codecs=2, settings=2, metrics=("psnr",))
    page.run()  # as the page does by itself every few seconds
    assert "codecarena demo" not in [element.value for element in page.code]
    assert page.caption[0].value == "2 pictures · 2 codecs · 8 results"


@pytest.mark.parametrize("after_it_opened", [False, True])
def test_a_broken_store_is_no_missing_one(open_page, tmp_path: Path, after_it_opened: bool) -> None:
    fill(tmp_path, pictures=2, codecs=2, settings=2, metrics=("psnr",))
    page = open_page(tmp_path) if after_it_opened else None
    st.cache_resource.clear()
    for name in ("arena.db-wal", "arena.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / "arena.db").write_bytes(b"no database at all" * 1000)
    page = page.run() if page else open_page(tmp_path)
    assert not page.exception
    (said,) = page.error
    words = said.value.replace("\\", "")
    assert words.startswith("The store does not open as a store: file is not a database")
    assert str(tmp_path) not in words
    assert "SELECT" not in words
    assert not page.code, "no demo is to be run over it"


def test_an_older_store_is_shown_with_a_word(
    open_page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "arena", pictures=2, codecs=2, settings=2, metrics=("psnr",))
    add_migration(tmp_path, 'op.add_column("runs", sa.Column("note", sa.Text()))', monkeypatch)
    page = open_page(tmp_path / "arena")
    words = page.info[0].value.replace("\\", "")
    assert words.startswith("The store has tables of version ")
    assert words.endswith("to upgrade it, with all its rows: codecarena store upgrade")
    assert "2 pictures · 2 codecs · 8 results" in [element.value for element in page.caption]


@pytest.mark.parametrize("name", PAGES)
def test_an_empty_store_says_what_to_run(name: str, open_page, tmp_path: Path) -> None:
    StoreWriter(str(tmp_path / "arena")).close()
    page = open_page(tmp_path / "arena", name)
    assert page.info
    assert page.code[0].value.startswith("codecarena")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(
    "size",
    [
        {"pictures": 1, "codecs": 1, "settings": 1, "metrics": ("psnr",)},
        {"pictures": 2, "codecs": 1, "settings": 3, "metrics": ("psnr",)},
        {"pictures": 3, "codecs": 2, "settings": 2, "metrics": ()},
    ],
    ids=["one cell", "one codec", "no scores"],
)
def test_small_stores_have_every_page(size, name: str, open_page, tmp_path: Path) -> None:
    fill(tmp_path / "arena", **size)
    page = open_page(tmp_path / "arena", name)
    said = [*page.info, *page.warning, *page.get("bidi_component"), *page.get("arrow_vega_lite_chart")]
    assert said


@pytest.mark.parametrize("name", PAGES)
def test_names_stay_text_on_odd_stores(name: str, open_page, odd_store: Path) -> None:
    page = open_page(odd_store, name)
    assert "<b onclick" not in tables(page)
    # Markdown gets every punctuation of a name escaped; widgets and code show plain text.
    for element in [*page.header, *page.caption, *page.markdown, *page.warning, *page.info]:
        assert "[a](b)" not in element.value
        assert "$x$" not in element.value


def changed(folder: Path, *statements: Executable) -> None:
    """Change a store behind everybody's back."""
    writer = StoreWriter(str(folder))
    for statement in statements:
        writer.write(lambda connection, statement=statement: connection.execute(statement))
    writer.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_store_of_failures_alone_says_where_they_are(name: str, open_page, tmp_path: Path) -> None:
    fill(tmp_path / "arena", pictures=4, codecs=2, settings=2, metrics=("psnr",), odd=True)
    changed(tmp_path / "arena", delete(ScoreTable), delete(MeasurementTable))
    page = open_page(tmp_path / "arena", name)
    said = " ".join(element.value for element in [*page.info, *page.warning, *page.code])
    assert said
    if name == "runs":
        assert "crash in encode" in tables(page)
    elif name in ("leaderboard", "rates", "look"):
        assert "failures are on the page Runs" in said


@pytest.mark.parametrize("name", PAGES)
def test_imported_rows_alone_have_every_page(name: str, open_page, tmp_path: Path) -> None:
    fill(tmp_path / "arena", pictures=6, codecs=2, settings=3, metrics=("psnr",))
    changed(
        tmp_path / "arena",
        update(CodecTable).values(imported=True, provenance="theirs.csv"),
        update(RunTable).values(suite="import theirs.csv", suite_text="picture,decoded,bytes"),
    )
    page = open_page(tmp_path / "arena", name)
    if name == "leaderboard":
        assert "codec1 (imported)" in tables(page)
        assert "theirs.csv" in " ".join(element.value for element in page.caption).replace("\\", "")
    if name == "runs":
        assert not any(element.value.startswith("codecarena run") for element in page.code)
        assert page.code[0].value == "picture,decoded,bytes"


def test_the_command_to_copy_does_the_same_again(open_page, seeded_store: Path, tmp_path: Path) -> None:
    page = open_page(seeded_store, "runs")
    command = next(element.value for element in page.code if element.value.startswith("codecarena run"))
    suite = next(element.value for element in page.code if "[[codecs]]" in element.value)
    (tmp_path / "suite.toml").write_text(suite)
    words = shlex.split(command)[1:]
    assert words == ["run", "suite.toml", "--limit", "2", "--store", str(seeded_store), "-j", "1"]
    words[words.index("--store") + 1] = str(tmp_path / "arena")
    ended = call(*words, folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    # Two photographs; seven settings of three codecs.
    first, again = Store(str(seeded_store)), Store(str(tmp_path / "arena"))
    assert len(first.cells()) == len(again.cells()) == 2 * 7
    first.close()
    again.close()


@pytest.mark.parametrize(
    ("call", "shown"),
    [
        (None, "codecarena run suite.toml --store {} -j 1"),
        (["score", "--metric", "a b"], "codecarena score suite.toml --metric 'a b' --store {} -j 1"),
        (["time", "--again"], "codecarena time suite.toml --again --store {}"),
    ],
    ids=["of a store before 0005", "score", "time"],
)
def test_the_command_to_copy_has_the_options_of_the_call(
    open_page, tmp_path: Path, call: list[str] | None, shown: str
) -> None:
    fill(tmp_path / "arena", pictures=1, codecs=1, settings=2, metrics=("psnr",))
    writer = StoreWriter(str(tmp_path / "arena"))
    writer.write(lambda connection: connection.execute(update(RunTable).values(call=call)))
    writer.close()
    page = open_page(tmp_path / "arena", "runs")
    (command,) = [element.value for element in page.code if element.value.startswith("codecarena ")]
    assert command == shown.format(tmp_path / "arena")
    assert any("is not known" in element.value for element in page.caption) == (call is None)


def test_one_codec_says_what_is_missing(open_page, tmp_path: Path) -> None:
    fill(tmp_path / "arena", pictures=2, codecs=1, settings=3, metrics=("psnr",))
    assert "One codec so far" in open_page(tmp_path / "arena").info[0].value


def test_failures_are_on_the_page_of_runs(open_page, odd_store: Path) -> None:
    page = open_page(odd_store, "runs")
    assert any("crash in encode" in element.label.replace("\\", "") for element in page.expander)
    assert any("tail" in element.value for element in page.code)
    assert any(element.value.startswith("codecarena run suite.toml") for element in page.code)


def test_a_run_in_progress_is_followed(open_page, tmp_path: Path) -> None:
    fill(tmp_path / "arena", pictures=2, codecs=2, settings=3, metrics=("psnr",))
    writer = StoreWriter(str(tmp_path / "arena"))
    alive = update(RunTable).values(status="running", seen_at=now(), planned_cells=24)
    writer.write(lambda connection: connection.execute(alive))
    writer.close()
    assert "24 cells planned" in open_page(tmp_path / "arena").info[0].value.replace("\\", "")
    progress = open_page(tmp_path / "arena", "runs").get("progress")
    assert progress[0].proto.value == 50


def test_kinds_can_be_told_apart(open_page, odd_store: Path) -> None:
    both, natural = open_page(odd_store), open_page(odd_store, kind="natural")
    assert "8 pictures" in both.caption[0].value
    assert "4 pictures" in natural.caption[0].value
    assert tables(both) != tables(natural)


def test_families_can_be_told_apart(open_page, odd_store: Path) -> None:
    page = open_page(odd_store, family=["learned"])
    assert "codec1" in tables(page)
    assert "codec2" not in tables(page)


def test_intervals_come_when_they_are_ready(open_page, tmp_path: Path) -> None:
    fill(tmp_path / "arena", pictures=12, codecs=3, settings=4, metrics=("psnr",))
    page = open_page(tmp_path / "arena")
    for _ in range(60):
        if "…" in tables(page).split("Rate range")[1].split("</tr>")[1].split("</td>")[0]:
            break
        page.run()
    assert "95 % interval over pictures" in " ".join(element.value for element in page.caption).replace(
        "\\", ""
    )
    # They are kept: another server finds them at once.
    st.cache_resource.clear()
    again = open_page(tmp_path / "arena")
    assert "95 % interval over pictures" in " ".join(element.value for element in again.caption).replace(
        "\\", ""
    )
    Store(str(tmp_path / "arena")).close()
