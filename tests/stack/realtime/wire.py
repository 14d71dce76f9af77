"""The protocol by hand, for what no client would send; and what Python's suites share."""

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import jwt
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed


def sign(stack: Any, seconds: float = 600, **claims: Any) -> str:
    """A user's HS256 token."""
    now = int(time.time())
    base = {"role": "authenticated", "aud": "authenticated", "sub": str(uuid.uuid4()), "iat": now}
    return jwt.encode(base | {"exp": int(now + seconds)} | claims, stack.jwt_secret, "HS256")


def unique(prefix: str) -> str:
    return f"{prefix}:{uuid.uuid4().hex[:8]}"


class Wire:
    """A socket that speaks 2.0.0, and keeps what it hears."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.heard: list[Any] = []
        self._reading = asyncio.create_task(self._read())

    async def stop(self) -> None:
        self._reading.cancel()
        with contextlib.suppress(asyncio.CancelledError, ConnectionClosed):
            await self._reading

    async def _read(self) -> None:
        async for frame in self.connection:
            self.heard.append(frame if isinstance(frame, bytes) else json.loads(frame))

    async def send(self, topic: str, event: str, payload: Any, ref: str = "1") -> None:
        await self.connection.send(json.dumps(["1", ref, topic, event, payload]))

    async def join(self, name: str, *, token: str | None = None, **config: Any) -> Any:
        """Join; return the reply's payload."""
        payload = {"config": {"presence": {"enabled": False}} | config}
        if token:
            payload["access_token"] = token
        topic, ref = f"realtime:{name}", uuid.uuid4().hex
        await self.send(topic, "phx_join", payload, ref)
        return await self.reply(ref)

    async def reply(self, ref: str) -> Any:
        message = await self.until(lambda m: m[3] == "phx_reply" and m[1] == ref)
        return message[4]

    async def until(self, matches: Callable[[Any], bool], seconds: float = 15) -> Any:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for message in self.heard:
                if isinstance(message, list) and matches(message):
                    return message
            await asyncio.sleep(0.005)
        raise AssertionError(f"not heard: {self.heard[-5:]}")

    async def is_alive(self) -> bool:
        ref = uuid.uuid4().hex
        await self.send("phoenix", "heartbeat", {}, ref)
        return bool((await self.reply(ref))["status"] == "ok")

    async def close_code(self, seconds: float = 15) -> int | None:
        await asyncio.wait_for(self.connection.wait_closed(), seconds)
        return self.connection.close_code

    def events(self, event: str) -> list[Any]:
        return [m[4] for m in self.heard if isinstance(m, list) and m[3] == event]


@asynccontextmanager
async def wire(stack: Any, vsn: str = "2.0.0", **options: Any) -> AsyncIterator[Wire]:
    """A socket with the publishable key."""
    url = stack.url.replace("http", "ws") + "/realtime/v1/websocket"
    address = f"{url}?apikey={stack.publishable_key}&vsn={vsn}"
    async with connect(address, max_size=None, ping_interval=None, **options) as connection:
        made = Wire(connection)
        try:
            yield made
        finally:
            await made.stop()
