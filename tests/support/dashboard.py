"""Serve the dashboard by its command, and open its pages in a browser without a complaint."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from browsing import PATIENCE_MS, free_port, wait_until_healthy

from codecarena.reports.server.server import address, check_address

PROBES = ("/_stcore/health", "/_stcore/host-config")
"""Streamlit's page asks for these below the page's own path first, to find out whether it lies there."""

TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
"""JavaScript: whether the whole page scrolls sideways."""

HEADINGS = {
    "": "Leaderboard",
    "rates": "Rate-distortion",
    "look": "Look",
    "speed": "Speed and cost",
    "natural": "Natural against AI-generated",
    "people": "Metrics against people",
    "runs": "Runs",
    "studies": "Studies",
}
"""The path of each page, and the heading that stands on it."""
PAGES = tuple(HEADINGS)
GO = "path => { history.pushState({}, '', path); dispatchEvent(new PopStateEvent('popstate')); }"
"""JavaScript: what a link between pages does."""


@contextmanager
def server(store: Path | str) -> Iterator[str]:
    """Serve a store's dashboard until the block ends: then Ctrl-C must end it at once, its port free again.

    The command itself is started: what it hands to the pages is a part of what is tested.
    """
    port = free_port()
    words = ("-m", "codecarena", "serve", "--store", str(store), "--port", str(port))
    process = subprocess.Popen([sys.executable, *words])
    url = address("127.0.0.1", port)
    try:
        wait_until_healthy(url, process)
        yield url
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=120) == 0
        check_address("127.0.0.1", port)
    finally:
        process.kill()
        process.wait()


def watched(visit: Any, served: str, troubles: list[str], width: int = 1440) -> Any:
    """Return a new page of a browser's context that tells of everything no page may do."""
    page = visit.new_page()
    page.set_viewport_size({"width": width, "height": 1000})
    page.on(
        "console",
        lambda message: (
            troubles.append(f"{message.text} {message.location}") if is_trouble(message) else None
        ),
    )
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("dialog", lambda dialog: troubles.append(dialog.message))
    page.on(
        "request",
        lambda request: troubles.append(request.url) if served not in with_http(request.url) else None,
    )
    return page


def is_trouble(message: Any) -> bool:
    """Return whether a message of the console is an error of ours."""
    return message.type == "error" and not message.location["url"].endswith(PROBES)


def with_http(url: str) -> str:
    """Return the page's own web socket, data and blob addresses as the page's."""
    return url.replace("ws://", "http://").removeprefix("blob:")


@contextmanager
def visiting(chromium: Any) -> Iterator[Any]:
    """Return a context of a browser; its pages share what the browser keeps, as those of one person do."""
    visit = chromium.new_context()
    visit.set_default_timeout(PATIENCE_MS)
    yield visit
    visit.close()


def close(visit: Any) -> None:
    """Close all pages of a context: the server goes on drawing an open one."""
    for page in visit.pages:
        page.close()


def settle(page: Any) -> None:
    """Wait until Streamlit has drawn a page."""
    page.locator("h1").first.wait_for()
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    assert not page.locator('[data-testid="stException"]').count()


def go_to(page: Any, path: str) -> None:
    """Go to another page as a link of the page that is open does, and wait until it is drawn.

    The browser keeps the code of the pages, which takes it several seconds to load from an address.
    """
    page.evaluate(GO, f"/{path}")
    page.get_by_role("heading", name=HEADINGS[path], exact=True, level=1).wait_for()
    settle(page)


def is_too_wide(page: Any) -> bool:
    """Return whether the whole page scrolls sideways."""
    return page.evaluate(TOO_WIDE)
