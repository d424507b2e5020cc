"""Answer the page that asks for the organiser's cookie: it is set here, where no script can read it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from .sign_in import COOKIE, gate

LONGEST_TICKET_BYTES = 200


def visit_route() -> Route:
    """Return the route to which a page sends the ticket of a visit, or nothing to end it."""
    return Route("/organiser/visit", _visit, methods=["POST"])


async def _visit(request: Request) -> Response:
    ticket = bytearray()
    async for chunk in request.stream():
        ticket += chunk
        if len(ticket) > LONGEST_TICKET_BYTES:
            return PlainTextResponse("Not found", 404)
    answer = Response(status_code=204, headers={"Cache-Control": "no-store"})
    secure = request.url.scheme == "https"
    if not ticket:
        answer.delete_cookie(COOKIE, secure=secure, httponly=True, samesite="strict")
        return answer
    token = gate().exchange(ticket.decode("ascii", "replace"))
    if token is None:
        return PlainTextResponse("Not found", 404)
    answer.set_cookie(COOKIE, token, secure=secure, httponly=True, samesite="strict")
    return answer
