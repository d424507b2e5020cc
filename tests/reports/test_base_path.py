"""Pages and trials below a path of a reverse proxy, which leaves it in requests or takes it off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from browsing import free_port, needs_chromium, running
from dashboard import close, settle, visiting, watched
from proxying import proxy
from rating import agree, answer, stored_votes
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket
from studying import invite, open_study

from codecarena.reports.server.base_path import WithBasePath, WithoutBasePath, normalised
from codecarena.reports.server.server import ServeError, Services, address, serve


async def _tell(request: Request) -> Response:
    response = JSONResponse(
        {"path": request.url.path, "root": request.scope["root_path"], **request.path_params}
    )
    response.set_cookie("whole", "1")
    response.set_cookie("part", "2", path="/part")
    return response


async def _move(_: Request) -> Response:
    return RedirectResponse("./")


async def _hear(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(websocket.url.path)
    await websocket.close()


def client() -> TestClient:
    inner = Starlette(
        routes=[Route("/moved", _move), Route("/{rest:path}", _tell), WebSocketRoute("/stream", _hear)]
    )
    app = WithoutBasePath(WithBasePath(inner, "/lab/arena"), "/lab/arena")
    return TestClient(app, "http://127.0.0.1", follow_redirects=False)


@pytest.mark.parametrize("asked", ["/lab/arena/rates", "/rates"])
def test_an_app_is_told_the_path_whether_or_not_a_proxy_took_it_off(asked: str) -> None:
    response = client().get(asked)
    assert response.json() == {"path": "/lab/arena/rates", "root": "/lab/arena", "rest": "rates"}
    cookies = response.headers.get_list("set-cookie")
    assert ["Path=/lab/arena/;" in cookies[0], "Path=/part;" in cookies[1]] == [True, True]
    with client().websocket_connect(asked.replace("rates", "stream")) as websocket:
        assert websocket.receive_text() == "/lab/arena/stream"


def test_the_path_alone_leads_to_its_page_with_what_was_asked() -> None:
    moved = client().get("/lab/arena?invite=a%2Fb&x=1")
    assert (moved.status_code, moved.headers["location"]) == (307, "/lab/arena/?invite=a%2Fb&x=1")
    assert client().get("/lab/arena").headers["location"] == "/lab/arena/"
    assert client().get("/lab/arena/moved").headers["location"] == "./"
    assert client().get("/lab/arenas").json()["rest"] == "lab/arenas"


@pytest.mark.parametrize("given", ["arena", "/a b", "/a//b", "/..", "/a/./b", "/a?b", "//host", "/ä", "/%41"])
def test_a_path_that_a_browser_may_rewrite_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="--base-path: expected a path such as /arena"):
        normalised(given)
    with pytest.raises(ServeError, match="--base-path"):
        serve("arena", Services(), port=free_port(), base_path=given)


def test_a_path_ends_without_a_slash_and_the_announced_address_with_one() -> None:
    assert [normalised(given) for given in ("", "/", "/arena/", "/lab/a.b_c~d-2")] == [
        "", "", "/arena", "/lab/a.b_c~d-2",
    ]  # fmt: skip
    assert address("::1", 80, "/arena") == "http://[::1]:80/arena/"
    assert address("127.0.0.1", 80) == "http://127.0.0.1:80"


@contextmanager
def behind_a_proxy(store: Path, base_path: str, *words: str, takes_it_off: bool) -> Iterator[str]:
    port = free_port()
    command = ["-m", "codecarena", "serve", "--store", store, "--port", str(port), *words]
    with (
        running([*command, "--base-path", base_path], port),
        proxy(port, base_path, takes_it_off=takes_it_off) as url,
    ):
        yield url


@pytest.mark.browser
@pytest.mark.xdist_group("browser")
@pytest.mark.slow("starts a server and a browser, which opens three pages of the dashboard")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@needs_chromium
def test_nothing_of_the_dashboard_is_asked_for_beside_its_path(chromium: Any, seeded_store: Path) -> None:
    """Beside it the proxy has nothing, and `watched` complains of every address that begins otherwise."""
    troubles: list[str] = []
    with (
        behind_a_proxy(seeded_store, "/lab/arena", takes_it_off=False) as url,
        visiting(chromium) as visit,
    ):
        page = watched(visit, url, troubles)
        page.goto(url)
        settle(page)
        page.get_by_role("link", name="Look", exact=True).click()
        page.get_by_role("heading", name="Look", exact=True, level=1).wait_for()
        settle(page)
        page.locator(".stage canvas").first.wait_for()
        assert page.url.startswith(f"{url}/look")
        page.goto(f"{url}/leaderboard?metric=psnr")
        settle(page)
        assert page.url.startswith(f"{url}/?")
        assert {cookie["path"] for cookie in visit.cookies()} == {"/lab/arena/"}
        close(visit)
    assert [trouble for trouble in troubles if not trouble.startswith("blob:")] == []


@pytest.mark.browser
@pytest.mark.xdist_group("browser")
@pytest.mark.slow("starts a server and a browser, in which a rater works through a study")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@needs_chromium
def test_a_rater_works_through_a_study_below_a_path(chromium: Any, tmp_path: Path) -> None:
    trials = "training = 0\ngolden = 0\nidentical = 0\nrepeats = 0.0\ngap_ms = 0\nminimum_view_ms = 0"
    open_study(tmp_path, conditions=2, pictures=2, size=64, trials=trials)
    [invitation] = invite(tmp_path)
    troubles: list[str] = []
    with (
        behind_a_proxy(tmp_path, "/arena", "--raters", takes_it_off=True) as url,
        visiting(chromium) as visit,
    ):
        page = watched(visit, url, troubles)
        page.goto(f"{url}?invite={invitation}")
        agree(page)
        page.get_by_role("button", name="Begin").click()
        given = [answer(page, number, 2) for number in (1, 2)]
        page.get_by_role("heading", name="Thank you").wait_for()
        assert visit.cookies() == []
        close(visit)
    assert [row[1] for row in stored_votes(tmp_path)] == given
    assert [trouble for trouble in troubles if not trouble.startswith("blob:")] == []
