"""The one port: routes by path, checks API keys, answers CORS, forwards functions to the api."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stack.core.callers import Credentials, Doorkeeper, KeyRefused
from stack.core.http import send_json
from stack.core.query import first_value

Headers = list[tuple[bytes, bytes]]

_ALLOW_METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_EXPOSED = (
    b"Content-Encoding, Content-Location, Content-Range, Content-Type, Date, ETag, Location,"
    b" Preference-Applied, Range-Unit, Retry-After, Tus-Resumable, Upload-Offset, Upload-Length,"
    b" X-Total-Count, X-Supabase-Api-Version, Link, Server-Timing"
)


class Gateway:
    """The ASGI application of the whole stack.

    `services` answer under their prefix, `pages` for people under theirs, without any API key.
    """

    def __init__(
        self, doorkeeper: Doorkeeper, services: Mapping[str, ASGIApp], pages: Mapping[str, ASGIApp]
    ) -> None:
        self._doorkeeper = doorkeeper
        self._services = dict(services)
        self._pages = dict(pages)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        path: str = scope["path"]
        if scope.get("method") == "OPTIONS":
            await _answer_preflight(scope, send)
            return
        if scope["type"] == "http":
            send = _with_cors(scope, send)
        prefix = "/".join(path.split("/", 3)[:3])  # "/rest/v1"
        service = self._services.get(prefix)
        if service is None:
            await self._show_page(path, scope, receive, send)
            return
        try:
            credentials = self._credentials(scope)
        except KeyRefused as refused:
            await _refuse(refused, scope, receive, send)
            return
        inner = dict(scope)
        inner["root_path"] = scope.get("root_path", "") + prefix
        inner["state"] = {**scope.get("state", {}), "credentials": credentials}
        await service(inner, receive, send)

    def _credentials(self, scope: Scope) -> Credentials:
        apikey = authorization = None
        user_agent = ""
        for name, value in scope["headers"]:
            if name == b"apikey" or (name == b"x-api-key" and apikey is None):
                apikey = value.decode("latin-1")
            elif name == b"authorization":
                authorization = value.decode("latin-1")
            elif name == b"user-agent":
                user_agent = value.decode("latin-1")
        if apikey is None and b"apikey=" in scope["query_string"]:
            apikey = first_value(scope["query_string"], "apikey")
        return self._doorkeeper.credentials(
            apikey=apikey, authorization=authorization, user_agent=user_agent
        )

    async def _show_page(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 4404})
            return
        page = self._pages.get("/" + path.split("/", 2)[1])
        if page is None:
            await send_json(send, 404, {"message": "no Route matched with those values"})
            return
        await page(scope, receive, send)


async def _live(receive: Receive, send: Send) -> None:
    # services are started and stopped by the process, not by the server
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _refuse(refused: KeyRefused, scope: Scope, receive: Receive, send: Send) -> None:
    body: dict[str, Any] = {"message": refused.message}
    if refused.hint:
        body["hint"] = refused.hint
    if scope["type"] == "websocket":
        await receive()
        await send(
            {
                "type": "websocket.http.response.start",
                "status": 401,
                "headers": [(b"content-type", b"application/json")],
            }
        )
        await send({"type": "websocket.http.response.body", "body": json.dumps(body).encode()})
        return
    await send_json(send, 401, body)


def _header(scope: Scope, wanted: bytes) -> bytes | None:
    for name, value in scope["headers"]:
        if name == wanted:
            return bytes(value)
    return None


async def _answer_preflight(scope: Scope, send: Send) -> None:
    asked = _header(scope, b"access-control-request-headers")
    headers: Headers = [
        (b"access-control-allow-origin", _header(scope, b"origin") or b"*"),
        (b"access-control-allow-methods", _ALLOW_METHODS),
        (b"access-control-allow-headers", asked or b"*"),
        (b"access-control-max-age", b"3600"),
        (b"vary", b"Origin, Access-Control-Request-Headers"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _with_cors(scope: Scope, send: Send) -> Send:
    if _header(scope, b"origin") is None:
        return send

    async def send_with_cors(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [
                *message.get("headers", ()),
                (b"access-control-allow-origin", b"*"),
                (b"access-control-expose-headers", _EXPOSED),
            ]
        await send(message)

    return send_with_cors
