"""Answer a rater's HTTP requests by calls of the rater service, in responses that reveal nothing else.

Pages, votes and pictures go over these routes, not over Streamlit's web socket: a vote is acknowledged by the
response to it, and a picture arrives as the bytes that the store holds the pixels of. No cookie is set, no
address is written down, and every response of a kind has the same headers.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, NoReturn
from weakref import WeakValueDictionary

from anyio import CapacityLimiter, to_thread
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ..ledger.trials import UNREACHABLE
from ..records.messages import NextStep, Panel, SessionError, Trial, VoteRequest
from .assets import Asset
from .rates import RequestLimits, network_of
from .session import RaterService

log = logging.getLogger(__name__)

WEB = Path(__file__).parents[1] / "trial" / "web"
"""Modules, style and texts of the rater's pages."""
HEADERS = {
    # Nothing of a rater's visit stays in a shared browser, and no picture is quicker for having been seen.
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
LONGEST_BODY_BYTES = 64 * 1024
VOTE_THREADS = 4
"""Calls of the rater service at one time: more would only wait for the same database."""
ENTRY_THREADS = 2
"""Calls before the first vote beside them, which take longer and hold up nobody who votes: one at a time of
each network, so that a crowd at one address does not hold up who comes from another."""

# Any: requests and responses are JSON.
Body = Mapping[str, Any]
Action = Callable[[RaterService, Body], dict[str, Any]]


def routes(
    open_desk: Callable[[], RaterService], clock: Callable[[], float] = time.monotonic
) -> list[BaseRoute]:
    """Return the routes of the rater's pages, all below ``/study/``.

    Args:
        open_desk: Called once, at the first request that needs the store.
        clock: Returns seconds that only grow: how often requests come is limited by it.
    """
    service = cache(open_desk)
    limits = RequestLimits(clock)
    voting, entering = CapacityLimiter(VOTE_THREADS), CapacityLimiter(ENTRY_THREADS)
    networks: WeakValueDictionary[str, CapacityLimiter] = WeakValueDictionary()

    async def in_turn(address: str, call: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        turn = networks.setdefault(network_of(address), CapacityLimiter(1))
        async with turn:
            return await to_thread.run_sync(call, limiter=entering)

    async def act(request: Request) -> Response:
        action = ACTIONS.get(request.path_params["action"])
        if action is None:
            return _refusal(SessionError("not_found", 404))
        try:
            body = await _body(request)
            session = _text(body, "session", "")
            address = _address(request)
            if wait := limits.wait_seconds(address, session):
                return _too_many(wait)

            def call() -> dict[str, Any]:
                return action(service(), body)

            if action in (_vote, _continue):
                content = await to_thread.run_sync(call, limiter=voting)
            else:
                content = await in_turn(address, call)
            limits.know(session or content.get("session_token", ""))
        except SessionError as error:
            return _refusal(error)
        except ValidationError as error:
            return _refusal(SessionError("not_understood", 422, _first_fault(error)))
        except UNREACHABLE as error:
            return _unavailable(error)
        return JSONResponse(content, headers=HEADERS)

    async def picture(request: Request) -> Response:
        token = request.path_params["token"]
        if wait := limits.picture_wait_seconds(_address(request)):
            return _too_many(wait)
        try:
            png = await to_thread.run_sync(lambda: service().stimulus(token), limiter=voting)
        except SessionError as error:
            return _refusal(error)
        except UNREACHABLE as error:
            return _unavailable(error)
        return Response(png, media_type="image/png", headers=HEADERS)

    return [
        Route("/study/web/{name:path}", _web_file),
        Route("/study/picture/{token}", picture),
        Route("/study/{action}", act, methods=["POST"]),
    ]


async def _body(request: Request) -> Body:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > LONGEST_BODY_BYTES:
            raise SessionError("not_understood", 422, f"expected at most {LONGEST_BODY_BYTES} bytes")
    try:
        body = json.loads(content, parse_constant=_refuse_constant)
        # Half of a surrogate pair is JSON, but no text that a database takes.
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise SessionError("not_understood", 422, f"expected JSON: {error}") from error
    if not isinstance(body, dict):
        raise SessionError("not_understood", 422, "expected a JSON object")
    return body


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _refusal(error: SessionError) -> JSONResponse:
    return JSONResponse(
        {"error": error.code, "detail": error.detail}, status_code=error.status, headers=HEADERS
    )


def _unavailable(error: Exception) -> JSONResponse:
    """Return what a browser tries again after; the log gets a line, without tokens."""
    log.warning("no answer of the database to a rater: %s", type(getattr(error, "orig", error)).__name__)
    return JSONResponse({"error": "try_again"}, status_code=503, headers={**HEADERS, "Retry-After": "1"})


def _too_many(wait_seconds: float) -> JSONResponse:
    headers = {**HEADERS, "Retry-After": str(math.ceil(wait_seconds))}
    return JSONResponse({"error": "try_again"}, status_code=429, headers=headers)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _first_fault(error: ValidationError) -> str:
    fault = error.errors()[0]
    return f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"


@cache
def _web_files() -> dict[str, Asset]:
    # Only names found here are served: no path of a request reaches the file system.
    return {path.relative_to(WEB).as_posix(): Asset.read(path) for path in WEB.rglob("*") if path.is_file()}


async def _web_file(request: Request) -> Response:
    file = _web_files().get(request.path_params["name"])
    if file is None:
        return _refusal(SessionError("not_found", 404))
    return file.response(request.headers, HEADERS)


def _text(body: Body, name: str, default: str | None = None) -> str:
    value = body.get(name, default)
    if not isinstance(value, str):
        raise SessionError("not_understood", 422, f"{name}: expected a text")
    return value


def _flag(body: Body, name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise SessionError("not_understood", 422, f"{name}: expected true or false")
    return value


def _record(body: Body, name: str) -> dict[str, Any]:
    value = body.get(name)
    if not isinstance(value, dict):
        raise SessionError("not_understood", 422, f"{name}: expected an object")
    return value


def _join(service: RaterService, body: Body) -> dict[str, Any]:
    if "invitation" in body:
        return asdict(service.join(_text(body, "invitation")))
    parts = (_text(body, name, "") for name in ("participant", "panel_study", "panel_session"))
    return asdict(service.join_panel(_text(body, "study"), Panel(*parts), _text(body, "earlier", "")))


def _welcome(service: RaterService, body: Body) -> dict[str, Any]:
    return asdict(service.welcome(_text(body, "session")))


def _consent(service: RaterService, body: Body) -> dict[str, Any]:
    flags = {name: _flag(body, name) for name in ("agreed", "of_age", "accepts_presentation")}
    return {"stage": service.consent(_text(body, "session"), _text(body, "version"), **flags)}


def _screening(service: RaterService, body: Body) -> dict[str, Any]:
    answers = TypeAdapter(dict[str, str]).validate_python(body.get("answers"))
    return {"stage": service.screening(_text(body, "session"), answers)}


def _calibration(service: RaterService, body: Body) -> dict[str, Any]:
    return {"stage": service.calibration(_text(body, "session"), _record(body, "record"))}


def _ahead(service: RaterService, session: str, step: NextStep) -> dict[str, Any]:
    following = service.upcoming(session) if isinstance(step, Trial) else None
    return {"step": asdict(step), "upcoming": following and asdict(following)}


def _next(service: RaterService, body: Body) -> dict[str, Any]:
    session = _text(body, "session")
    return _ahead(service, session, service.next_trial(session))


def _continue(service: RaterService, body: Body) -> dict[str, Any]:
    session = _text(body, "session")
    return _ahead(service, session, service.end_break(session))


def _vote(service: RaterService, body: Body) -> dict[str, Any]:
    session = _text(body, "session")
    vote_request = TypeAdapter(VoteRequest).validate_python(
        {key: body[key] for key in body.keys() - {"session"}}
    )
    receipt = service.vote(session, vote_request)
    record = asdict(receipt)
    del record["following"]
    return {"receipt": record, **_ahead(service, session, receipt.following)}


def _withdraw(service: RaterService, body: Body) -> dict[str, Any]:
    return {"votes": service.withdraw(_text(body, "token"))}


ACTIONS: dict[str, Action] = {
    "join": _join,
    "welcome": _welcome,
    "consent": _consent,
    "screening": _screening,
    "calibration": _calibration,
    "next": _next,
    "continue": _continue,
    "vote": _vote,
    "withdraw": _withdraw,
}
