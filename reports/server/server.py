"""Serve the dashboard on this machine: Streamlit as an ASGI app, with the rater's routes beside it."""

from __future__ import annotations

import gc
import importlib
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.middleware import Middleware
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute
    from streamlit.starlette import App

    from ...studies.organise.organise import Bench
    from .pictures import Remake

APP = Path(__file__).parents[1] / "app.py"
RATERS_APP = Path(__file__).parents[2] / "studies" / "trial" / "app.py"
STORE_VARIABLE = "CODECARENA_STORE"
"""Environment variable that holds the store a page reads."""

LIGHT = {
    "primaryColor": "#0072b2",
    "backgroundColor": "#ffffff",
    "secondaryBackgroundColor": "#f3f5f7",
    "textColor": "#2a2e35",
    "borderColor": "#c9ced6",
    "linkColor": "#005a8f",
}
DARK = {
    "primaryColor": "#4ba3d9",
    "backgroundColor": "#15181d",
    "secondaryBackgroundColor": "#20252c",
    "textColor": "#e4e7ec",
    "borderColor": "#454c57",
    "linkColor": "#7cc0ea",
}
"""The two looks of the pages; a browser's own setting chooses."""

OPTIONS: dict[str, Any] = {
    "browser.gatherUsageStats": False,
    "client.toolbarMode": "minimal",
    "logger.hideWelcomeMessage": True,
    # The page is installed code: nobody edits it while it is served.
    "server.fileWatcherType": "none",
    "server.showEmailPrompt": False,
    **{f"theme.light.{name}": value for name, value in LIGHT.items()},
    **{f"theme.dark.{name}": value for name, value in DARK.items()},
    "theme.baseRadius": "0.4rem",
    "theme.codeFontSize": "0.85rem",
}
RATERS_OPTIONS = {
    # A rater is shown neither code nor the names in it.
    "client.showErrorDetails": "none",
    # Its token is a cookie, and raters are promised none; it guards uploads, which these pages do not have.
    "server.enableXsrfProtection": False,
    # Pictures are judged on one ground.
    "theme.base": "light",
}
SLOW_TO_LOAD = ("..charts.interactive", "..charts.study_tables", "..tables.selection")
"""Parts of the pages that bring SciPy, pandas and Altair along."""
MESSAGE_BYTES, RATERS_MESSAGE_BYTES = 2**24, 2**18
"""Longest message of a page to the server; raters type nothing into Streamlit."""
GRACE_SECONDS = 2
"""How long open pages may keep a stopping server."""


@dataclass(frozen=True, slots=True)
class Services:
    """What the pages ask of the benchmark, which reports do not import: the command line gives it."""

    remake: Remake | None = None
    """Returns pictures of the store's cells; without it the page Look has none."""
    bench: Bench | None = None
    """Cuts and scores the pictures of a study; without it no study is planned on the pages."""


_served = Services()


def served() -> Services:
    """Return what the pages of this process may ask for.

    Streamlit runs their script by its path, with nothing handed to it; `application` is one in a process.
    """
    return _served


class ServeError(Exception):
    """The page cannot be served; the message says what to do."""


def address(host: str, port: int, base_path: str = "") -> str:
    """Return the URL of the page."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}" + (f"{base_path}/" if base_path else "")


def serve(
    store: str,
    services: Services,
    host: str = "127.0.0.1",
    port: int = 8501,
    *,
    raters: bool = False,
    host_names: Sequence[str] = (),
    base_path: str = "",
    announce: Callable[[str], None] | None = None,
) -> None:
    """Serve the pages until Ctrl-C or a signal ends it.

    Args:
        store: A folder or a database URL, as ``--store`` takes it; it need not exist yet, unless for raters.
        services: What the pages may ask of the benchmark.
        host: Address to listen on. Only the page of studies has a sign-in: leave the dashboard on this
            machine unless the network is trusted.
        port: TCP port.
        raters: Serve the trials of the studies only: no dashboard.
        host_names: Names under which visitors come, beside this machine's: a proxy's, for instance.
        base_path: Path that a proxy shows the pages below, such as ``/arena``; it may take it off or not.
        announce: Called with the address before the server listens.

    Raises:
        ServeError: The port is taken, the address is not one of this machine's, or the path is none.
        StoreError: ``store`` is no store's name, or raters are to be served and the store does not open.
    """
    import uvicorn

    from .base_path import normalised
    from .connections import BoundedConnection, room
    from .log_limit import limit_logs

    check_address(host, port)
    try:
        base_path = normalised(base_path)
    except ValueError as error:
        raise ServeError(str(error)) from error
    app = application(store, services, raters=raters, host_names=host_names, base_path=base_path)
    if announce:
        announce(address(host, port, base_path))
    BoundedConnection.most, waiting = room()
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        # No access log: it would hold raters' addresses. No date, so that equal responses are equal.
        access_log=False,
        date_header=False,
        server_header=False,
        log_level="warning",
        http=BoundedConnection,
        backlog=waiting,
        ws="websockets-sansio",
        ws_max_size=RATERS_MESSAGE_BYTES if raters else MESSAGE_BYTES,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    limit_logs()
    # Streamlit collects garbage after every run of a page: what is imported need not be looked through again.
    gc.collect()
    gc.freeze()
    try:
        uvicorn.Server(config).run()
    except KeyboardInterrupt:
        return


def application(
    store: str,
    services: Services,
    *,
    raters: bool = False,
    host_names: Sequence[str] = (),
    base_path: str = "",
) -> App:
    """Return the ASGI app of a store: one in a process, as Streamlit wants it.

    Args:
        store: Folder, or a database's URL.
        services: What pages need of other parts of the package.
        raters: Whether raters' pages and routes are served, which writes votes, instead of the dashboard.
        host_names: Names that requests may be addressed to, beside this machine's.
        base_path: As `normalised` returns it.

    Raises:
        StoreError: ``store`` is no store's name, or raters are to be served and the store does not open.
    """
    global _served
    from ...bench.store.database import locate

    store = locate(store).store_option
    _served = services
    os.environ[STORE_VARIABLE] = store
    from streamlit.starlette import App
    from streamlit.web.bootstrap import load_config_options

    load_config_options({**OPTIONS, **(RATERS_OPTIONS if raters else {})})

    from ...bench.store.store import Store
    from ...studies.session.routes import routes
    from ...studies.session.session import RaterService

    _scan_no_packages()
    middleware = [_guard(host_names, raters), _kept_modules()]
    if base_path:
        middleware = _below(base_path, middleware)
    if raters:
        _collect_seldom()
        service = RaterService(store)
        return App(RATERS_APP, routes=routes(lambda: service), middleware=middleware)
    from .pictures import Gallery
    from .pictures import routes as picture_routes
    from .visits import visit_route

    # What takes seconds to load is loaded before the address is printed, not when the first page opens.
    for name in SLOW_TO_LOAD:
        importlib.import_module(name, __package__)
    remake = services.remake
    pictures = picture_routes(Gallery(lambda: Store(store), remake)) if remake else []
    own = [*routes(lambda: RaterService(store)), *pictures, _first_page(), visit_route()]
    return App(APP, routes=own, middleware=middleware)


def _first_page() -> BaseRoute:
    """Return the route of the first page's own name: Streamlit serves it without one."""
    from starlette.responses import RedirectResponse
    from starlette.routing import Route

    def first_page(request: Request) -> Response:
        # Relative, so that it holds behind a proxy that puts a path before the page's.
        return RedirectResponse("./" + (f"?{request.url.query}" if request.url.query else ""))

    return Route("/leaderboard", first_page)


def _collect_seldom() -> None:
    """Leave garbage to Python's own thresholds.

    Streamlit looks through all objects after every run of a page: with hundreds of raters who come back at
    once, votes would wait for it.
    """
    from streamlit.runtime.scriptrunner import script_runner

    setattr(script_runner, "gc", SimpleNamespace(collect=lambda _generation: 0))  # noqa: B010 - for the checker


def _scan_no_packages() -> None:
    """Keep Streamlit from reading every installed package's metadata when it starts, half a second.

    It looks for components that packages bring; those of our pages are a part of the pages.
    """
    from streamlit.components.v2 import manifest_scanner

    setattr(manifest_scanner, "scan_component_manifests", list)  # noqa: B010 - for the checker


def _below(base_path: str, middleware: Sequence[Middleware]) -> list[Middleware]:
    """Return middleware that sees requests without the base path, for an app that sees them with it."""
    from starlette.middleware import Middleware

    from .base_path import WithBasePath, WithoutBasePath

    outer = Middleware(WithoutBasePath, base_path=base_path)
    return [outer, *middleware, Middleware(WithBasePath, base_path=base_path)]


def _guard(host_names: Sequence[str], raters: bool) -> Middleware:
    """Return what refuses requests that no page makes, before anything else sees them."""
    from starlette.middleware import Middleware

    from .guard import Guard

    return Middleware(Guard, host_names=tuple(host_names), raters=raters)


def _kept_modules() -> Middleware:
    """Return what answers for the modules of Streamlit's own page from memory."""
    from starlette.middleware import Middleware
    from streamlit.file_util import get_static_dir

    from ...studies.session.assets import KeptFiles

    return Middleware(KeptFiles, folder=Path(get_static_dir()) / "static", prefix="/static/")


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
