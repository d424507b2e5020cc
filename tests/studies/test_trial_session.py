"""A whole session at the real server and store, with everything that goes wrong on the way."""

from __future__ import annotations

import gc
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browsing import CHROMIUM, PATIENCE_MS, QUIET, free_port, needs_chromium, wait_until_healthy
from rating import agree, answer, await_trial, stored_votes
from studying import invite, open_study

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser-studies"),
    needs_chromium,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
TOTAL = 40
TRIALS = """
training = 4
golden = 0
identical = 0
repeats = 0.0
break_every = 20
minimum_view_ms = 0
gap_ms = 0
"""


class Server:
    """`codecarena serve --raters` in a process of its own."""

    def __init__(self, store: Path) -> None:
        self.store = store
        self.port = free_port()
        self.start()

    def start(self) -> None:
        options = ["--raters", "--store", str(self.store), "--port", str(self.port)]
        with (self.store / "server.log").open("a") as log:
            command = [sys.executable, "-m", "codecarena", "serve", *options]
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)
        wait_until_healthy(f"http://127.0.0.1:{self.port}", self.process)

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        self.process.wait()


class Ears:
    """Hears everything that a browser is told by the server."""

    def __init__(self, context: Any) -> None:  # Any: Playwright's
        self.heard: list[Any] = []
        self.texts: list[tuple[str, bytes]] = []
        self.headers: dict[str, dict[str, str]] = {}
        """Of each picture's response, by the picture's token."""
        self.trials: dict[str, list[str]] = {}
        """The tokens of each trial's pictures."""
        self.asked: set[str] = set()
        context.on("request", lambda request: self.asked.add(request.url.split("?")[0]))
        context.on("response", lambda response: self.heard.append(response))
        context.on("page", lambda page: page.on("websocket", self.listen))

    def listen(self, socket: Any) -> None:
        socket.on(
            "framereceived",
            lambda frame: self.texts.append(("frame", frame if isinstance(frame, bytes) else frame.encode())),
        )

    def note(self) -> None:
        """Keep what was heard; the browser forgets it when it leaves the page."""
        from playwright.sync_api import Error

        for response in self.heard:
            try:
                body = response.body()
            except Error:
                continue  # a redirect, or a page that is gone already
            self.texts.append((response.url, str(response.headers).encode() + body))
            if "/study/picture/" in response.url:
                self.headers[response.url.rpartition("/")[2]] = response.headers
            elif response.url.endswith(("/next", "/continue", "/vote")):
                reply = json.loads(body)
                for step in (reply["step"], reply["upcoming"] or {}):
                    if "pictures" in step:
                        self.trials[step["trial"]] = [picture["token"] for picture in step["pictures"]]
        self.heard.clear()


def secrets_of(store: Path) -> set[str]:
    """Return every word of a store that would tell a rater what is shown."""
    tables = ("study_conditions", "study_contents", "study_stimuli")
    with sqlite3.connect(f"file:{store / 'arena.db'}?mode=ro", uri=True) as connection:
        rows = [row for table in tables for row in connection.execute(f"SELECT * FROM {table}")]
    connection.close()
    # The original is named to the rater; "made", the set's name, is an English word.
    return {word for row in rows for word in row if isinstance(word, str)} - {
        "",
        "original",
        "natural",
        "made",
    }


@pytest.mark.scaled
@pytest.mark.slow("forty trials at a real server that is killed and a network that is lost on the way")
def test_a_session_of_forty_trials_loses_and_doubles_nothing(
    playwright: Any, tmp_path: Path, tenth: Callable[[int], int]
) -> None:
    open_study(tmp_path, conditions=4, pictures=6, size=64, trials=TRIALS)
    [invitation] = invite(tmp_path)
    server = Server(tmp_path)
    try:
        # Plain http by a name that is not this machine's: no secure context, as in a lab's network.
        flags = [*QUIET, "--host-resolver-rules=MAP lab.test 127.0.0.1"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        context = browser.new_context(viewport={"width": 900, "height": 700})
        context.set_default_timeout(PATIENCE_MS)
        visit = Visit(context, server, f"http://lab.test:{server.port}/?invite={invitation}", tenth(20))
        wanted = visit.whole_session()
        assert context.cookies() == []
        browser.close()
    finally:
        server.kill()
    rows = stored_votes(tmp_path)
    assert [row[0] for row in rows] == list(range(TOTAL))
    assert [row[1] for row in rows] == wanted
    assert {row[3] for row in rows} == {"proven"}
    assert len(visit.ears.headers) == 3 * TOTAL
    check_blindness(visit.ears, secrets_of(tmp_path))
    outside = ("blob:http://lab.test:", "http://lab.test:", "data:", "about:")
    assert {url for url in visit.ears.asked if not url.startswith(outside)} == set()
    assert "127.0.0.1" not in (tmp_path / "server.log").read_text(), "a rater's address was written down"


class Visit:
    """One rater's session, disturbed at some trials."""

    def __init__(self, context: Any, server: Server, address: str, offline_seconds: int) -> None:
        self.context, self.server, self.offline_seconds = context, server, offline_seconds
        self.ears = Ears(context)
        self.page = context.new_page()
        self.page.goto(address)

    def whole_session(self) -> list[str]:
        """Answer everything and return the answers."""
        agree(self.page)
        self.page.get_by_role("button", name="Begin").click()
        assert not self.page.evaluate("isSecureContext")
        answers = []
        for number in range(1, TOTAL + 1):
            self.ears.note()
            getattr(self, f"before_{number}", lambda: None)()
            special = getattr(self, f"at_{number}", None)
            answers.append(special() if special else answer(self.page, number, TOTAL))
            getattr(self, f"after_{number}", lambda: None)()
        self.page.get_by_role("heading", name="Thank you").wait_for()
        self.ears.note()
        return answers

    def await_pictures(self, number: int) -> None:
        """Wait until the three pictures of every trial up to this one are in the browser."""
        while len(self.ears.headers) < 3 * number:
            self.page.wait_for_timeout(50)
            self.ears.note()

    def before_5(self) -> None:
        """Reload the page."""
        await_trial(self.page, 5, TOTAL)
        self.page.reload()
        self.page.get_by_role("button", name="Go on").click()

    def at_8(self) -> str:
        """Double-click a button."""
        await_trial(self.page, 8, TOTAL)
        self.page.keyboard.press("ArrowUp")
        self.page.get_by_role("button", name="No preference").dblclick()
        return "none"

    def before_11(self) -> None:
        """Open a second tab, which takes the session over."""
        await_trial(self.page, 11, TOTAL)
        second = self.context.new_page()
        second.goto(self.page.url)
        second.get_by_role("button", name="Go on").click()
        self.page.get_by_role("heading", name="open in another tab").wait_for()
        self.page.close()
        self.page = second

    def before_14(self) -> None:
        """Leave the page and come back by the browser's own button."""
        await_trial(self.page, 14, TOTAL)
        self.page.goto("about:blank")
        self.page.go_back()
        self.page.get_by_role("button", name="Go on").click()

    def before_17(self) -> None:
        """Lose the network once the next trial's pictures are here."""
        await_trial(self.page, 17, TOTAL)
        self.await_pictures(18)
        self.context.set_offline(True)

    def after_18(self) -> None:
        """Two votes wait in the browser; then the network is back."""
        self.page.get_by_text("No connection to the study").wait_for()
        self.page.wait_for_timeout(1000 * self.offline_seconds)
        assert len(stored_votes(self.server.store)) == 16
        self.context.set_offline(False)

    def before_21(self) -> None:
        """Take the break."""
        self.page.get_by_role("heading", name="Time for a break").wait_for()
        self.page.get_by_role("button", name="Continue").click()

    def before_30(self) -> None:
        """Kill the server while the rater looks."""
        await_trial(self.page, 30, TOTAL)
        self.await_pictures(31)
        self.server.kill()

    def after_31(self) -> None:
        """Start it again; two votes wait for it."""
        self.page.get_by_text("No connection to the study").wait_for()
        self.server.start()


def check_blindness(ears: Ears, names: set[str]) -> None:
    """Nothing that the browser was told names a codec, a rate, a file or a picture's hash."""
    assert {"codec0", "id0", "q=0", "made/0"} < names
    # Streamlit's own modules are the same for every study of the world.
    replies = [(source, text.decode("latin-1")) for source, text in ears.texts if "/static/" not in source]
    assert len(replies) > 4 * TOTAL
    assert any(source == "frame" for source, _ in replies)
    assert {(source, name) for source, text in replies for name in names if name in text} == set()
    assert len(ears.trials) == TOTAL
    for tokens in ears.trials.values():
        assert len({tuple(sorted(ears.headers[token].items())) for token in tokens}) == 1
    assert any("content-length" in header for header in ears.headers.values())


def test_a_run_of_a_raters_page_leaves_garbage_to_python(monkeypatch: pytest.MonkeyPatch) -> None:
    from streamlit.runtime.scriptrunner import script_runner

    from codecarena.reports.server.server import _collect_seldom

    monkeypatch.setattr(script_runner, "gc", gc)
    collected: list[object] = []
    gc.callbacks.append(lambda *event: collected.append(event))
    try:
        script_runner.gc.collect(2)
        assert collected
        collected.clear()
        _collect_seldom()
        script_runner.gc.collect(2)
        assert collected == []
    finally:
        gc.callbacks.pop()
