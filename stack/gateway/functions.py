"""`/functions/v1/*`: handed on to the project's api, where a hosted project has edge functions."""

from urllib.parse import unquote

import httpx
from starlette.types import Receive, Scope, Send

from stack.core.http import BodyTooLarge, read_body, send_bytes, send_json
from stack.core.service import Ground
from stack.environment import environment

_MAX_BODY = 10 * 1024 * 1024
_MAX_ANSWER = 50 * 1024 * 1024
_TIMEOUT_SECONDS = 60
# they belong to one connection, not to the message (RFC 9110, 7.6.1), or are ours to say
_NOT_FORWARDED = {
    b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization",
    b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"host",
    b"content-length", b"expect", b"forwarded",
}  # fmt: skip


class FunctionsProxy:
    """Forwards a call to the api's `/functions/v1/…`, body and headers as they came.

    Host and port come from the configuration alone, and redirects go back to the client.
    """

    def __init__(self, ground: Ground) -> None:
        self._target = environment(ground.config).get("API_URL")
        self._client: httpx.AsyncClient | None = None

    async def start(self) -> None:
        self._client = httpx.AsyncClient(
            timeout=_TIMEOUT_SECONDS, trust_env=False, follow_redirects=False
        )

    async def stop(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._target is None or self._client is None:
            await send_json(send, 404, {"code": "NOT_FOUND", "message": "no functions are served"})
            return
        path = scope["raw_path"].decode("ascii").split("?")[0]
        if {".", ".."} & set(unquote(path).replace("\\", "/").split("/")):
            await send_json(send, 400, {"code": "BAD_REQUEST", "message": "the path climbs"})
            return
        query: bytes = scope["query_string"]
        try:
            body = await read_body(receive, _MAX_BODY)
            async with self._client.stream(
                scope["method"],
                self._target + path + ("?" + query.decode("latin-1") if query else ""),
                headers=_forwarded(scope),
                content=body,
            ) as answer:
                content = await _read(answer)
        except BodyTooLarge:
            await send_json(send, 413, {"code": "TOO_LARGE", "message": "the body is too large"})
        except (httpx.HTTPError, httpx.InvalidURL):
            await send_json(
                send, 503, {"code": "BOOT_ERROR", "message": "the functions' server is not running"}
            )
        else:
            await send_bytes(send, answer.status_code, content, _returned(answer))


async def _read(answer: httpx.Response) -> bytes:
    content = bytearray()
    async for piece in answer.aiter_bytes():
        content += piece
        if len(content) > _MAX_ANSWER:
            raise httpx.ReadError("the answer is too large")
    return bytes(content)


def _forwarded(scope: Scope) -> list[tuple[bytes, bytes]]:
    given: list[tuple[bytes, bytes]] = scope["headers"]
    dropped = _NOT_FORWARDED | _named_by_connection(given)
    headers = [
        (name, value)
        for name, value in given
        if name not in dropped and not name.startswith(b"x-forwarded-")
    ]
    client = scope.get("client")
    host = next((value for name, value in given if name == b"host"), b"")
    return [
        *headers,
        (b"x-forwarded-for", str(client[0] if client else "").encode()),
        (b"x-forwarded-host", host),
        (b"x-forwarded-proto", b"http"),
    ]


def _returned(answer: httpx.Response) -> list[tuple[bytes, bytes]]:
    raw = [(name.lower(), value) for name, value in answer.headers.raw]
    # the body was decoded here, and the server dates its answers
    dropped = _NOT_FORWARDED | _named_by_connection(raw) | {b"content-encoding", b"date"}
    return [(name, value) for name, value in raw if name not in dropped]


def _named_by_connection(headers: list[tuple[bytes, bytes]]) -> set[bytes]:
    """Headers that a Connection header declares to be of this connection only."""
    return {
        part.strip().lower()
        for name, value in headers
        if name == b"connection"
        for part in value.split(b",")
    }
