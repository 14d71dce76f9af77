"""Small pieces of HTTP for services that speak ASGI without a framework."""

import json
from typing import Any

from starlette.types import Receive, Send


class BodyTooLarge(Exception):
    """A request body above the service's limit."""


async def send_bytes(
    send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    """One whole response; the length is added."""
    headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def send_json(send: Send, status: int, value: Any) -> None:
    """One whole JSON response."""
    body = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    await send_bytes(send, status, body, [(b"content-type", b"application/json; charset=utf-8")])


async def read_body(receive: Receive, limit: int) -> bytes:
    """The whole body. Errors: BodyTooLarge above `limit` bytes."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(chunks)
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise BodyTooLarge
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)
