"""How the pages are served: settings, routes, what is read from which store, and how a server ends."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import streamlit.starlette
import streamlit.web.bootstrap
import uvicorn

from codecarena.bench.run import study_pictures
from codecarena.bench.store.database import StoreError
from codecarena.reports.server import server
from codecarena.reports.server.connections import BoundedConnection, room
from codecarena.reports.server.server import APP, RATERS_APP, STORE_VARIABLE, ServeError, Services


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was called instead of a server: settings of its pages, and what ran."""
    called: list[Any] = []

    class Server:
        def __init__(self, config: Any) -> None:
            called.append(config)

        def run(self) -> None:
            called.append("ran")

    monkeypatch.setattr(uvicorn, "Server", Server)
    monkeypatch.setattr(uvicorn, "Config", lambda app, **named: (app, named))
    collected = SimpleNamespace(
        collect=lambda: called.append("collected"), freeze=lambda: called.append("frozen")
    )
    monkeypatch.setattr(server, "gc", collected)
    return called


@pytest.mark.parametrize("raters", [False, True])
def test_a_server_tells_its_address_and_keeps_no_log_of_addresses(
    served: list[Any], monkeypatch: pytest.MonkeyPatch, raters: bool
) -> None:
    services = Services()
    monkeypatch.setattr(server, "application", lambda *words, **named: (*words, named))
    names = ("lab.example",)
    server.serve("arena", services, "127.0.0.1", 0, raters=raters, host_names=names, announce=served.append)
    url, *collected, config, ran = served
    assert (url, collected, ran) == ("http://127.0.0.1:0", ["collected", "frozen"], "ran")
    app, settings = config
    assert app == ("arena", services, {"raters": raters, "host_names": names, "base_path": ""})
    assert settings == {
        "host": "127.0.0.1", "port": 0, "access_log": False, "date_header": False, "server_header": False,
        "log_level": "warning", "http": BoundedConnection, "backlog": room()[1], "ws": "websockets-sansio",
        "ws_max_size": 2**18 if raters else 2**24, "timeout_graceful_shutdown": 2,
    }  # fmt: skip


def test_ctrl_c_is_no_error(served: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(server, "application", lambda *_, **__: None)
    monkeypatch.setattr(uvicorn, "Server", lambda _: SimpleNamespace(run=lambda: interrupt(None)))
    server.serve("arena", Services(), "127.0.0.1", 0)
    assert served == ["collected", "frozen"]


def test_an_address_is_of_this_machine_or_refused() -> None:
    with pytest.raises(ServeError, match=r"cannot listen on http://192\.0\.2\.1:8501: .*; try --port 8502"):
        server.check_address("192.0.2.1", 8501)  # of documents: no machine has it
    # A port that was just left may be taken at once.
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            accepted, _ = listening.accept()
            accepted.close()
    server.check_address("127.0.0.1", port)


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """The settings that an application of this test loads."""
    loaded: dict[str, Any] = {}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(STORE_VARIABLE, "")
    monkeypatch.setattr(server, "_served", Services())
    monkeypatch.setattr(server, "SLOW_TO_LOAD", ())
    monkeypatch.setattr(streamlit.web.bootstrap, "load_config_options", loaded.update)
    monkeypatch.setattr(streamlit.starlette, "App", lambda script, **named: (script, named))
    return loaded


@pytest.mark.parametrize("remakes", [False, True])
def test_the_dashboard_has_pictures_where_they_can_be_decoded(
    options: dict[str, Any], tmp_path: Path, remakes: bool
) -> None:
    remake = (lambda *_: None) if remakes else None
    services = Services(remake=remake, bench=study_pictures)  # type: ignore[arg-type, return-value]
    assert server.served() == Services(remake=None, bench=None)
    script, given = server.application("arena", services, host_names=["lab.example"])  # type: ignore[misc]
    assert (script, server.served()) == (APP, services)
    assert server.served().bench is study_pictures
    assert os.environ[STORE_VARIABLE] == str(tmp_path / "arena")
    looked = [route.path for route in given["routes"] if route.path.startswith("/look/")]
    assert len(looked) == (4 if remakes else 0)
    assert [route.path for route in given["routes"]][:3] == [
        "/study/web/{name:path}", "/study/picture/{token}", "/study/{action}",
    ]  # fmt: skip
    guard, kept = given["middleware"]
    assert guard.kwargs == {"host_names": ("lab.example",), "raters": False}
    assert (kept.kwargs["prefix"], (kept.kwargs["folder"] / "js").is_dir()) == ("/static/", True)
    assert {name: options[name] for name in options if not name.startswith("theme.")} == {
        "browser.gatherUsageStats": False, "client.toolbarMode": "minimal", "logger.hideWelcomeMessage": True,
        "server.fileWatcherType": "none", "server.showEmailPrompt": False,
    }  # fmt: skip
    assert options["theme.light.backgroundColor"] == "#ffffff"
    assert options["theme.dark.backgroundColor"] == "#15181d"


def test_raters_get_their_pages_alone(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from codecarena.studies.session import session

    seldom: list[bool] = []
    monkeypatch.setenv("CODECARENA_BLOBS", "blobs")
    monkeypatch.setattr(server, "_collect_seldom", lambda: seldom.append(True))
    monkeypatch.setattr(session, "RaterService", lambda store: f"desk of {store}")
    script, given = server.application("postgresql://host/arena", Services(), raters=True)  # type: ignore[misc]
    assert (script, seldom) == (RATERS_APP, [True])
    assert os.environ[STORE_VARIABLE] == "postgresql://host/arena"
    assert not [route.path for route in given["routes"] if route.path.startswith("/look/")]
    assert given["middleware"][0].kwargs == {"host_names": (), "raters": True}
    assert (options["client.showErrorDetails"], options["theme.base"]) == ("none", "light")
    assert options["server.enableXsrfProtection"] is False


@pytest.mark.usefixtures("options")
def test_below_a_path_what_guards_the_server_sees_addresses_without_it() -> None:
    _, given = server.application("arena", Services(), base_path="/arena")  # type: ignore[misc]
    names = [middleware.cls.__name__ for middleware in given["middleware"]]
    assert names == ["WithoutBasePath", "Guard", "KeptFiles", "WithBasePath"]
    outer, _, _, inner = given["middleware"]
    assert outer.kwargs == inner.kwargs == {"base_path": "/arena"}


def test_a_server_reads_no_packages_for_components(monkeypatch: pytest.MonkeyPatch) -> None:
    from streamlit.components.v2 import component_manager, manifest_scanner

    scans: list[bool] = []
    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", lambda: scans.append(True) or [])
    component_manager.BidiComponentManager().discover_and_register_components(start_file_watching=False)
    assert scans == [True]
    server._scan_no_packages()
    component_manager.BidiComponentManager().discover_and_register_components(start_file_watching=False)
    assert scans == [True]


@pytest.mark.usefixtures("options")
def test_raters_need_a_store_that_opens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(server, "_collect_seldom", lambda: None)
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StoreError, match="'file' is a file; expected the store's folder"):
        server.application("file", Services(), raters=True)
    with pytest.raises(StoreError, match=r"no store in .*mistyped"):
        server.application("mistyped", Services(), raters=True)
    assert not (tmp_path / "mistyped").exists()


@pytest.mark.parametrize("look", [server.LIGHT, server.DARK])
def test_words_stand_out_from_their_ground(look: dict[str, str]) -> None:
    def luminance(colour: str) -> float:
        """Return the relative luminance of WCAG 2.1."""
        levels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        red, green, blue = (
            level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4 for level in levels
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    for ground in ("backgroundColor", "secondaryBackgroundColor"):
        for ink in ("textColor", "linkColor"):
            darker, lighter = sorted((luminance(look[ground]), luminance(look[ink])))
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (ground, ink)
