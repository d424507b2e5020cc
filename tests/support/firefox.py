"""Drive Debian's Firefox over WebDriver BiDi: Playwright only drives a Firefox of its own making."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

FIREFOX = shutil.which("firefox-esr")
KEY_CODES = {"ArrowLeft": "\ue012", "ArrowUp": "\ue013", "ArrowRight": "\ue014", "ArrowDown": "\ue015"}
PREFERENCES = {
    "browser.shell.checkDefaultBrowser": "false",
    "datareporting.policy.dataSubmissionEnabled": "false",
    "toolkit.telemetry.reportingpolicy.firstRun": "false",
    "remote.active-protocols": "1",
}


class Firefox:
    """One window with one page."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.command_id = 0
        self.call("session.new", capabilities={})
        self.context = self.call("browsingContext.getTree")["contexts"][0]["context"]

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:  # Any: JSON
        """Send a command and return its result."""
        self.command_id += 1
        self.connection.send(json.dumps({"id": self.command_id, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self.connection.recv(timeout=300))
            if answer.get("id") == self.command_id:
                assert answer["type"] == "success", answer
                return answer["result"]

    def open(self, address: str) -> None:
        """Go to an address."""
        self.call("browsingContext.navigate", context=self.context, url=address, wait="complete")

    def size(self, width: int, height: int) -> None:
        """Give the page this size."""
        size = {"width": width, "height": height}
        self.call("browsingContext.setViewport", context=self.context, viewport=size)

    def ask(self, expression: str) -> Any:  # Any: JSON
        """Return the value of an expression: a text, number or truth value."""
        target = {"context": self.context}
        result = self.call("script.evaluate", expression=expression, target=target, awaitPromise=True)
        assert result["type"] == "success", result
        return result["result"].get("value")

    def wait(self, expression: str, seconds: float = 300) -> None:
        """Return once an expression is true."""
        ends = time.monotonic() + seconds
        while not self.ask(f"Boolean({expression})"):
            assert time.monotonic() < ends, f"never true: {expression}"
            time.sleep(0.02)

    def press(self, key: str) -> None:
        """Press a key and let it go."""
        value = KEY_CODES.get(key, key)
        actions = [{"type": "keyDown", "value": value}, {"type": "keyUp", "value": value}]
        keyboard = {"type": "key", "id": "keyboard", "actions": actions}
        self.call("input.performActions", context=self.context, actions=[keyboard])

    def screenshot(self) -> bytes:
        """Return the page as PNG."""
        return base64.b64decode(self.call("browsingContext.captureScreenshot", context=self.context)["data"])


@contextmanager
def firefox(folder: Path, ratio: float = 1) -> Iterator[Firefox]:
    """Run a Firefox of its own profile until the block ends."""
    folder.mkdir()
    preferences = {**PREFERENCES, "layout.css.devPixelsPerPx": f'"{ratio}"'}
    lines = [f'user_pref("{name}", {value});' for name, value in preferences.items()]
    (folder / "user.js").write_text("\n".join(lines))
    command = [
        str(FIREFOX),
        "--headless",
        "--no-remote",
        "--profile",
        str(folder),
        "--remote-debugging-port",
        "0",
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr
        matches = (re.search(r"ws://\S+", line) for line in process.stderr)
        address = next(match.group() for match in matches if match)
        with connect(f"{address}/session", max_size=None) as connection:
            yield Firefox(connection)
    finally:
        process.kill()
        process.communicate()
