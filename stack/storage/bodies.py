"""Request bodies: read once, in chunks, and never more than what is allowed in memory."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from stack.storage.errors import invalid_request, too_large

_DRAIN_SECONDS = 10.0
_IDLE_SECONDS = 1.0


class Body:
    """What the client sends after its headers."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._is_finished = False

    async def chunks(self) -> AsyncIterator[bytes]:
        """All of it, in pieces. Errors: ClientDisconnect when the client goes away before."""
        while not self._is_finished:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            self._is_finished = not message.get("more_body", False)
            if chunk := message.get("body", b""):
                yield chunk

    async def whole(self, limit: int) -> bytes:
        """Errors: EntityTooLarge (413) above `limit` bytes."""
        parts: list[bytes] = []
        size = 0
        async for chunk in self.chunks():
            size += len(chunk)
            if size > limit:
                raise too_large("request")
            parts.append(chunk)
        return b"".join(parts)

    async def json(self, limit: int) -> dict[str, Any]:
        """A JSON object; an empty body is an empty one. Errors: InvalidRequest (400)."""
        raw = await self.whole(limit)
        if not raw:
            return {}
        try:
            value = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise invalid_request("Body is not valid JSON") from error
        if not isinstance(value, dict):
            raise invalid_request("body must be object")
        return value

    async def drain(self, limit: int) -> bool:
        """Read up to `limit` bytes and drop them, while they keep coming; whether that was all.

        A client that still sends does not read its answer, and loses it when it is cut off.
        """
        clock = asyncio.get_running_loop().time
        end = clock() + _DRAIN_SECONDS
        dropped = 0
        try:
            async with asyncio.timeout(_IDLE_SECONDS) as deadline:
                async for chunk in self.chunks():
                    dropped += len(chunk)
                    if dropped > limit:
                        return False
                    deadline.reschedule(min(clock() + _IDLE_SECONDS, end))
        except TimeoutError:
            return False
        except ClientDisconnect:
            pass
        return True
