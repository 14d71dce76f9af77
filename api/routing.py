"""Routes that people call: who it is, their limits, and keys that make a POST happen once."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from api import errors
from api.callers import Caller, identify
from api.envelope import answer_headers, failure
from api.idempotency import HEADER, once
from workers.core.errors import (
    LOST,
    LOST_TRIES,
    Busy,
    DatabaseUnavailable,
    GuildhallError,
    Internal,
    TimedOut,
)

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

_ALWAYS_POSSIBLE = (
    errors.InvalidToken,
    errors.KeyRefused,
    errors.RateLimited,
    Internal,
    Busy,
    DatabaseUnavailable,
    errors.TokensUnverifiable,
    TimedOut,
)


class PeopleRoute(APIRoute):
    """Identifies the caller, counts the request, then runs the route, at most once per key."""

    def get_route_handler(self) -> Handler:
        route = super().get_route_handler()

        async def handle(request: Request) -> Response:
            caller = await identify(request)
            request.state.caller_key = caller.key
            await _count(request, caller)
            # read here, where a body too large is still what it is
            await request.body()

            async def work(acting: Caller) -> Response:
                request.state.caller = acting
                for _ in range(LOST_TRIES - 1):
                    try:
                        return await route(request)
                    except LOST:
                        # nothing was stored, and nobody outside acts before something is
                        if acting.progress.is_stored:
                            raise
                return await route(request)

            async def work_to_the_end(acting: Caller) -> Response:
                try:
                    return await work(acting)
                except Exception as error:
                    known = errors.to_error(error)
                    if isinstance(known, Internal):
                        errors.log_unforeseen(error)
                    return failure(known, request.scope)

            if request.method == "POST" and HEADER in request.headers:
                response = await once(request, caller, work_to_the_end)
            else:
                response = await work(caller)
            response.headers.update(answer_headers(request.scope))
            return response

        return handle


def people_router(*, tags: list[str]) -> APIRouter:
    """A router for people: signed in or not, within their limits."""
    return APIRouter(route_class=PeopleRoute, tags=list(tags))


def possible(*kinds: type[GuildhallError]) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: its own errors, and those that every such route may answer."""
    return errors.documented(*_ALWAYS_POSSIBLE, *kinds)


async def _count(request: Request, caller: Caller) -> None:
    verdict = await request.app.state.limits.spend(caller)
    if verdict is None:
        return
    answer_headers(request.scope).update(verdict.headers)
    if verdict.retry_after:
        request.app.state.metrics.count_refusal(verdict.limit.tier)
        raise errors.RateLimited(
            f"Too many requests: try again in {verdict.retry_after} s.",
            {"tier": verdict.limit.tier},
        )
