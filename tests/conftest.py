"""Fixtures that every test may ask for, and the rules about what may be missing where."""

from __future__ import annotations

import gc
import os

# Collecting the tests imports libraries and makes a million objects that all live to the end.
gc.disable()

# Before anything imports NumPy or torch: one test a core, each on one thread, is what is fast on every
# machine, and a thread count that is the same everywhere rounds the same everywhere.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
# Tables are as wide as for a file, whatever terminal the tests run at and whichever of their processes asks.
for _name in ("COLUMNS", "LINES"):
    os.environ.pop(_name, None)

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import postgresql
import pytest
from browsing import CHROMIUM, QUIET

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

# So that a failing contract test shows the two values, as any test does.
pytest.register_assert_rewrite("codecarena.codecs.contract")

ROOT = Path(__file__).parent.parent
ON_CI = bool(os.environ.get("CI"))
MEANT = ("long:", "by design:", "gpu:")
"""How the reason of a skip begins that is no lack of anything."""
FIRST_GROUPS = ("browser", "diffusers", "browser-studies", "postgresql")
"""The groups of tests that take longest begin first, so that no worker ends alone with one of them."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """On CI, where everything must run, turn a skip for something that is missing into a failure."""
    report = yield
    if ON_CI and report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if not reason.startswith(MEANT):
            report.outcome = "failed"
            report.longrepr = f"on CI nothing may be missing: {reason}"
    return report


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest groups first, and leave the long tests out unless a mark expression asks for them.

    The reason of a slow test goes into pytest's report, from which the record of the suite's time is made.
    """
    items.sort(key=_place_of_group)
    for item in items:
        if slow := item.get_closest_marker("slow"):
            (why,) = slow.args
            item.user_properties.append(("slow", why))
    if config.option.markexpr:
        return
    skip = pytest.mark.skip(reason="long: run by `make long`")
    for item in items:
        if item.get_closest_marker("long"):  # keywords hold the names of folders as well
            item.add_marker(skip)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """Let the garbage collector pass over what is here before the first test.

    Streamlit collects after every run of a page, and a worker before and after all that it times: half a
    second each time, if they looked through every library and every test. New objects are looked through less
    often than Python would: that is a fortieth of the time.
    """
    gc.freeze()
    gc.set_threshold(10_000)
    gc.enable()


def pytest_unconfigure() -> None:
    """Let the interpreter clear everything at its end: libraries complain of objects that are left."""
    gc.unfreeze()


def _place_of_group(item: pytest.Item) -> int:
    group = item.get_closest_marker("xdist_group")
    return FIRST_GROUPS.index(group.args[0]) if group and group.args[0] in FIRST_GROUPS else len(FIRST_GROUPS)


@pytest.fixture(scope="session")
def tenth() -> Callable[[int], int]:
    """Return a function that gives a size in full under `make long`, else a tenth of it."""
    return (lambda size: size) if os.environ.get("CODECARENA_LONG") else (lambda size: size // 10)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Return the folder of test pictures and oracles, or skip."""
    folder = Path(os.environ.get("CODECARENA_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no test data in {folder}; set CODECARENA_TEST_DATA")
    return folder.resolve()


@pytest.fixture(scope="session")
def kodak(test_data: Path) -> list[Path]:
    """Return the 24 Kodak pictures, in order."""
    paths = sorted((test_data / "kodak").glob("kodim*.png"))
    assert len(paths) == 24, f"expected 24 Kodak pictures in {test_data / 'kodak'}, got {len(paths)}"
    return paths


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Return what starts browsers; there can be only one of it in a thread."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Return a browser without a window; a test opens a page of its own and closes it."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def postgresql_process() -> Iterator[postgresql.Server]:
    """Return a PostgreSQL server that can be restarted."""
    binaries = postgresql.programs()
    if binaries is None:
        pytest.skip("no PostgreSQL server: apt-get install postgresql")
    with postgresql.server(binaries) as running:
        yield running


@pytest.fixture(scope="session")
def postgresql_server(postgresql_process: postgresql.Server) -> str:
    """Return the address of a PostgreSQL server; `postgresql.new_database` makes a store's own database."""
    return postgresql_process.address
