"""Turn a store into a page on this machine: Streamlit, started with the settings a bench needs."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import NoReturn

APP = Path(__file__).with_name("app.py")
STORE_VARIABLE = "CODECARENA_STORE"
"""Environment variable that tells the page which store to read."""

OPTIONS = {
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "minimal",
    "logger.hideWelcomeMessage": "true",
    # The page is installed code: nobody edits it while it is served.
    "server.fileWatcherType": "none",
    "server.showEmailPrompt": "false",
    "theme.base": "light",
    "theme.primaryColor": "#0072b2",
    "theme.textColor": "#30343b",
}


class ServeError(Exception):
    """The page cannot be served; the message says what to do."""


def address(host: str, port: int) -> str:
    """Return the URL of the page."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}"


def command(host: str, port: int, *, headless: bool = True) -> list[str]:
    """Return the command that serves the page, without its environment."""
    options = {
        **OPTIONS,
        "server.address": host,
        "server.port": str(port),
        "server.headless": str(headless).lower(),
    }
    flags = [f"--{key}={value}" for key, value in options.items()]
    return [sys.executable, "-m", "streamlit", "run", str(APP), *flags]


def serve(store: str, host: str = "127.0.0.1", port: int = 8501, *, headless: bool = True) -> NoReturn:
    """Become the server of the page, until Ctrl-C or a signal ends the process.

    Args:
        store: A folder or a database URL, as ``--store`` takes it; it need not exist yet.
        host: Address to listen on. The page has no sign-in: leave it on this machine unless the network is
            trusted.
        port: TCP port.
        headless: False opens a browser.

    Raises:
        ServeError: The port is taken, or the address is not one of this machine's.
    """
    check_address(host, port)
    environment = {**os.environ, STORE_VARIABLE: store if "://" in store else str(Path(store).absolute())}
    # No child: signals reach Streamlit itself and nothing can outlive this process.
    sys.stdout.flush()
    os.execve(sys.executable, command(host, port, headless=headless), environment)


def check_address(host: str, port: int) -> None:
    """Raise `ServeError` unless a server can listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = error.strerror or str(error)
            raise ServeError(
                f"cannot listen on {address(host, port)}: {reason}; try --port {port + 1}"
            ) from error
