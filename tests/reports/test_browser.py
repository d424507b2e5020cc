from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from codecarena.reports.server import ServeError, address, check_address

CHROMIUM = shutil.which("chromium")
QUIET = (
    "--no-sandbox", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-default-apps", "--disable-sync",
)  # fmt: skip
SERVE = "import sys; from codecarena.reports.server import serve; serve(sys.argv[1], port=int(sys.argv[2]))"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def served(seeded_store: Path) -> Iterator[tuple[str, subprocess.Popen]]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(seeded_store), str(port)])
    url = address("127.0.0.1", port)
    try:
        wait_until_healthy(url, process)
        yield url, process
    finally:
        process.kill()
        process.wait()


def wait_until_healthy(url: str, process: subprocess.Popen) -> None:
    for _ in range(300):
        assert process.poll() is None, "the server ended before it answered"
        try:
            with urlopen(f"{url}/_stcore/health", timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server did not answer")


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed: apt install chromium")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_the_page_in_a_browser(served: tuple[str, subprocess.Popen]) -> None:
    from playwright.sync_api import sync_playwright

    url, _ = served
    troubles: list[str] = []
    outside: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.on("console", lambda one: troubles.append(one.text) if one.type == "error" else None)
        page.on("pageerror", lambda one: troubles.append(str(one)))
        page.on("request", lambda one: outside.append(one.url) if url not in with_http(one.url) else None)
        page.goto(url)
        page.get_by_role("heading", name="BD-rate against jpeg by MS-SSIM").wait_for()
        page.get_by_role("rowheader", name="webp").first.wait_for()
        page.locator('[data-testid="stImage"] img').wait_for()

        page.get_by_label("Compare codecs by").click()
        page.get_by_role("option", name="At a rate").click()
        page.get_by_role("heading", name="bits per pixel").wait_for()
        page.wait_for_url("**/?*view=At+a+rate*")

        shared = browser.new_page(viewport={"width": 400, "height": 850})
        shared.goto(page.url)
        shared.get_by_role("heading", name="bits per pixel").wait_for()
        too_wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not shared.evaluate(too_wide)
        browser.close()
    assert troubles == []
    assert outside == []


def with_http(url: str) -> str:
    """Return the page's own web socket, data and blob addresses as the page's."""
    return url.replace("ws://", "http://").removeprefix("blob:")


def test_ctrl_c_ends_the_server_at_once(seeded_store: Path) -> None:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(seeded_store), str(port)])
    try:
        wait_until_healthy(address("127.0.0.1", port), process)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0
    finally:
        process.kill()
        process.wait()
    check_address("127.0.0.1", port)


def test_a_taken_port_is_refused_with_another_to_try() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServeError, match=f"try --port {port + 1}"):
            check_address("127.0.0.1", port)
