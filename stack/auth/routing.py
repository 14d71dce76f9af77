"""Routes: how a handler is bound to a path, and how its errors become answers."""

import json
import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg_pool import PoolTimeout
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stack.auth.call import Call
from stack.auth.errors import API_VERSION_HEADER, SHORT_ERRORS_SINCE, AuthError, OAuthError

if TYPE_CHECKING:
    from stack.auth.context import AuthContext

logger = logging.getLogger("stack.auth")

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_MAKES_USER = ("/signup", "/otp", "/magiclink", "/invite", "/token", "/admin/users", "/callback")

Handler = Callable[["AuthContext", Call], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Door:
    """A handler under a method and a path: what every module of `routes/` lists in `DOORS`."""

    method: str
    path: str
    handler: Handler


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return Response(text, status, headers, "application/json")


def redirect(url: str) -> Response:
    """See Other, so that a form's POST becomes a GET. `url` must have passed redirects.py."""
    return Response(status_code=303, headers={"location": url})


def bind(auth: "AuthContext", doors: Iterable[Door]) -> list[Route]:
    """Starlette routes of `doors`, one per path."""
    by_path: dict[str, dict[str, Handler]] = {}
    for door in doors:
        by_path.setdefault(door.path, {})[door.method] = door.handler
    routes = [
        Route(path, _endpoint(auth, handlers), methods=list(handlers))
        for path, handlers in by_path.items()
    ]
    for route in routes:
        # a mail scanner's HEAD must not use up the link that it looks at
        (route.methods or set()).discard("HEAD")
    return routes


def _endpoint(
    auth: "AuthContext", handlers: Mapping[str, Handler]
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return await handlers[request.method](auth, await Call.read(request))
        except Exception as error:
            return error_answer(request, error)

    return endpoint


def error_answer(request: Request, error: Exception) -> Response:
    """The answer to a failed request, in the shape of the API version it asks for."""
    if isinstance(error, OAuthError):
        return answer(error.body(), 400)
    known = error if isinstance(error, AuthError) else translated(request, error)
    headers = {"x-sb-error-code": known.code}
    asked = request.headers.get(API_VERSION_HEADER, "")
    is_short = _DATE.fullmatch(asked) is not None and asked >= SHORT_ERRORS_SINCE
    if is_short:
        headers[API_VERSION_HEADER] = SHORT_ERRORS_SINCE
    return answer(known.body(is_short=is_short), known.status, headers)


def translated(request: Request, error: Exception) -> AuthError:
    """What a client may know of an error that no route expected."""
    if isinstance(error, psycopg.OperationalError | PoolTimeout):
        logger.warning("the database did not answer: %s", error)
        return AuthError(503, "request_timeout", "The database is not reachable")
    if isinstance(error, psycopg.Error):
        # a trigger of the project refused, or stumbled over its own tables
        logger.warning("%s %s: %s", request.method, request.url.path, error)
        path = request.url.path
        makes_user = path.endswith(_MAKES_USER) and (
            request.method == "POST" or path.endswith("/callback")
        )
        doing = "saving new" if makes_user else "updating"
        return AuthError(500, "unexpected_failure", f"Database error {doing} user")
    logger.error("unexpected failure", exc_info=error)
    return AuthError(
        500,
        "unexpected_failure",
        "Unexpected failure, please check server logs for more information",
    )
