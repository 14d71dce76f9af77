"""The one port: routes by path, checks API keys, answers CORS, keeps pages to this machine."""

import json
import logging
import re
from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stack.core.callers import Credentials, Doorkeeper, KeyRefused
from stack.core.http import send_json
from stack.core.query import first_value

Headers = list[tuple[bytes, bytes]]

logger = logging.getLogger("stack")
_ALLOW_METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_EXPOSED = (
    b"Content-Encoding, Content-Location, Content-Range, Content-Type, Date, ETag, Location,"
    b" Preference-Applied, Range-Unit, Retry-After, Tus-Resumable, Upload-Offset, Upload-Length,"
    b" Upload-Metadata, Upload-Expires, Upload-Defer-Length, Tus-Version, Tus-Extension,"
    b" Tus-Max-Size, Accept-Ranges, Content-Disposition, Last-Modified, X-Transformations,"
    b" X-Total-Count, X-Supabase-Api-Version, Link, Server-Timing"
)
_HEADER_NAMES = re.compile(rb"[\w!#$%&'*+.^`|~, -]{1,4096}")
_LOCAL_HOST = re.compile(rb"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?")
_WEBSOCKETS = "/realtime/v1"
# a browser that follows a link brings no key; storage asks for its own signatures
_KEYLESS = re.compile(
    r"/(storage|functions)/v1(/|$)"
    r"|/auth/v1/(verify|authorize|callback|sso/saml/acs|\.well-known/jwks\.json)$"
)
_OWN_OPTIONS = "/storage/v1"  # tells resumable uploads what it can, when no browser asks for CORS


class Ambiguous(Exception):
    """Two headers say who calls: which one counts would be a guess."""


class Gateway:
    """The ASGI application of the whole stack.

    `services` answer under their prefix, for any origin; `pages` for people under theirs, without
    an API key but only to this machine: they show keys and mail. `needs_key`: without an API key
    services are refused, as on hosted projects; else such a request acts as `anon`.
    """

    def __init__(
        self,
        doorkeeper: Doorkeeper,
        services: Mapping[str, ASGIApp],
        pages: Mapping[str, ASGIApp],
        *,
        needs_key: bool = False,
    ) -> None:
        self._doorkeeper = doorkeeper
        self._needs_key = needs_key
        self._services = dict(services)
        self._pages = dict(pages)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        prefix = _prefix(scope)
        service = self._services.get(prefix)
        if scope["type"] == "websocket":
            if service is None or prefix != _WEBSOCKETS:
                await _refuse_websocket(receive, send, 404, {"message": "no websocket here"})
                return
        elif service is None:
            await self._show_page(scope, receive, send)
            return
        else:
            if scope["method"] == "OPTIONS" and (prefix != _OWN_OPTIONS or _is_preflight(scope)):
                await _answer_preflight(scope, send)
                return
            send = _with_cors(scope, send)
        try:
            credentials = self._credentials(scope)
        except (KeyRefused, Ambiguous) as refused:
            await _refuse(refused, scope, receive, send)
            return
        inner = dict(scope)
        inner["root_path"] = scope.get("root_path", "") + prefix
        inner["state"] = {**scope.get("state", {}), "credentials": credentials}
        await _guarded(service, inner, receive, send)

    def _credentials(self, scope: Scope) -> Credentials:
        shown: dict[bytes, str] = {}
        for name, value in scope["headers"]:
            if name in (b"apikey", b"x-api-key", b"authorization", b"user-agent"):
                text = value.decode("latin-1")
                if name != b"user-agent" and shown.get(name, text) != text:
                    raise Ambiguous(f"more than one {name.decode()} header")
                shown[name] = text
        apikey = shown.get(b"apikey", shown.get(b"x-api-key"))
        if apikey is None and b"apikey" in scope["query_string"]:
            apikey = first_value(scope["query_string"], "apikey")
        return self._doorkeeper.credentials(
            apikey=apikey,
            authorization=shown.get(b"authorization"),
            user_agent=shown.get(b"user-agent", ""),
            needs_key=self._needs_key and not _KEYLESS.match(scope["path"]),
        )

    async def _show_page(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        page = self._pages.get("/" + path[1:].split("/", 1)[0])
        if page is None or path.startswith("//"):
            await send_json(send, 404, {"message": "no Route matched with those values"})
        elif not _LOCAL_HOST.fullmatch(_header(scope, b"host") or b""):
            # a name that an attacker's DNS points at us must not read our pages
            await send_json(send, 403, {"message": "open this page at 127.0.0.1 or localhost"})
        else:
            await _guarded(page, scope, receive, send)


def _prefix(scope: Scope) -> str:
    """The first two segments, "/rest/v1", when they were sent as they read: nothing encoded."""
    prefix = "/".join(scope["path"].split("/", 3)[:3])
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    rest = raw[len(prefix.encode()) :]
    is_plain = raw.startswith(prefix.encode()) and rest[:1] in (b"", b"/", b"?")
    return prefix if is_plain else ""


async def _live(receive: Receive, send: Send) -> None:
    # services are started and stopped by the process, not by the server
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _guarded(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """What a service did not foresee: a whole answer for the client, the trace for the log."""
    is_answering = False

    async def noticing(message: Message) -> None:
        nonlocal is_answering
        is_answering = True
        await send(message)

    try:
        await app(scope, receive, noticing)
    except Exception:
        if is_answering or scope["type"] != "http":
            raise
        logger.exception("%s %s failed", scope["method"], scope["path"])
        await send_json(send, 500, {"message": "An unexpected error occurred"})


async def _refuse(
    refused: KeyRefused | Ambiguous, scope: Scope, receive: Receive, send: Send
) -> None:
    status = 401 if isinstance(refused, KeyRefused) else 400
    body: dict[str, Any] = {"message": str(refused)}
    if isinstance(refused, KeyRefused) and refused.hint:
        body["hint"] = refused.hint
    if scope["type"] == "websocket":
        await _refuse_websocket(receive, send, status, body)
    else:
        await send_json(send, status, body)


async def _refuse_websocket(
    receive: Receive, send: Send, status: int, body: Mapping[str, Any]
) -> None:
    await receive()
    headers = [(b"content-type", b"application/json")]
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": json.dumps(body).encode()})


def _header(scope: Scope, wanted: bytes) -> bytes | None:
    for name, value in scope["headers"]:
        if name == wanted:
            return bytes(value)
    return None


def _is_preflight(scope: Scope) -> bool:
    return _header(scope, b"access-control-request-method") is not None


async def _answer_preflight(scope: Scope, send: Send) -> None:
    asked = _header(scope, b"access-control-request-headers") or b""
    headers: Headers = [
        (b"access-control-allow-origin", b"*"),
        (b"access-control-allow-methods", _ALLOW_METHODS),
        (b"access-control-allow-headers", asked if _HEADER_NAMES.fullmatch(asked) else b"*"),
        (b"access-control-max-age", b"3600"),
        (b"vary", b"Access-Control-Request-Headers"),
        (b"content-length", b"0"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _with_cors(scope: Scope, send: Send) -> Send:
    if _header(scope, b"origin") is None:
        return send

    async def send_with_cors(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = message.get("headers", ())
            # a function behind us may have answered for itself: two of them and browsers refuse
            if all(name != b"access-control-allow-origin" for name, _ in headers):
                message["headers"] = [
                    *headers,
                    (b"access-control-allow-origin", b"*"),
                    (b"access-control-expose-headers", _EXPOSED),
                ]
        await send(message)

    return send_with_cors
