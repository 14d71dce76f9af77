"""Around every request: its id, log line and metrics, safe headers, no trace for clients."""

import asyncio
import logging
import re
import time
import uuid

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.envelope import failure
from api.errors import BodyTooLarge
from api.metrics import Metrics
from workers.core.errors import Internal, TimedOut
from workers.core.log import REQUEST_ID

# where Supabase's clients look for functions: `supabase.functions.invoke('me')`
FUNCTIONS = "/functions/v1"

_logger = logging.getLogger("guildhall.api")
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ALWAYS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class RequestContext:
    """The outermost layer. An X-Request-Id that is well formed is taken over, else one is made."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        _mount(scope)
        request_id = _request_id(scope)
        marked = REQUEST_ID.set(request_id)
        started, status = time.perf_counter(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                for name, value in _ALWAYS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception:
            _logger.exception("%s failed", scope["method"])
            if status:  # the answer is on its way: only breaking it off is honest
                raise
            answer = failure(Internal("Something went wrong on our side."), scope)
            await answer(scope, receive, sending)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", "none")
            self._metrics.observe(scope["method"], route, status, seconds)
            _logger.info(
                "answered",
                extra={
                    "method": scope["method"],
                    "route": route,
                    "status": status or 499,  # the client left first
                    "milliseconds": round(seconds * 1000, 1),
                    "caller": scope.get("state", {}).get("caller_key"),
                },
            )
            REQUEST_ID.reset(marked)


class Bounds:
    """No request may bring more than `max_bytes` or take longer than `seconds`."""

    def __init__(self, app: ASGIApp, max_bytes: int, seconds: float) -> None:
        self._app, self._max_bytes, self._seconds = app, max_bytes, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer: Response
        is_answering, taken = False, 0

        async def bounded() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._max_bytes:
                raise self._too_large()
            return message

        async def noticing(message: Message) -> None:
            nonlocal is_answering
            is_answering = True
            await send(message)

        declared = next((v for n, v in scope["headers"] if n == b"content-length"), b"0")
        if declared.isdigit() and int(declared) > self._max_bytes:
            await failure(self._too_large(), scope)(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._seconds):
                await self._app(scope, bounded, noticing)
        except TimeoutError:
            if is_answering:
                raise
            answer = failure(TimedOut("This took too long."), scope)
            await answer(scope, receive, send)

    def _too_large(self) -> BodyTooLarge:
        return BodyTooLarge(f"A body may have {self._max_bytes} bytes.")


def _mount(scope: Scope) -> None:
    """Serve the same routes below the functions' path; ASGI calls that a root path."""
    path: str = scope["path"]
    if path.startswith(FUNCTIONS + "/"):
        scope["root_path"] = scope.get("root_path", "") + FUNCTIONS


def _request_id(scope: Scope) -> str:
    shown: list[bytes] = [value for name, value in scope["headers"] if name == b"x-request-id"]
    text = shown[0].decode("latin-1") if len(shown) == 1 else ""
    return text if _ID.fullmatch(text) else uuid.uuid4().hex
