"""Realtime: the WebSocket at `/realtime/v1/websocket`, broadcasts by HTTP, and their keepers."""

import asyncio
import contextlib
import json
import logging
import time

import psycopg
from starlette.types import Receive, Scope, Send

from stack.core.callers import Caller
from stack.core.http import send_json
from stack.core.query import first_value
from stack.core.service import Ground, shown_credentials
from stack.core.tokens import TokenError
from stack.realtime.authorization import Gatekeeper
from stack.realtime.broadcast import MessageStream, StoredMessage
from stack.realtime.changes import ChangesFeed
from stack.realtime.hub import Hub
from stack.realtime.intake import BroadcastIntake, policy_headers
from stack.realtime.protocol import Version
from stack.realtime.settings import RealtimeSettings
from stack.realtime.sockets import Socket
from stack.realtime.surroundings import Surroundings

logger = logging.getLogger("stack.realtime")

_IDLE_CHECK_SECONDS = 5.0
_JANITOR_SECONDS = 3600.0


class RealtimeService:
    """The service under `/realtime/v1`."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._settings = RealtimeSettings.of(ground.config)
        self._sockets: set[Socket] = set()
        self._keepers: list[asyncio.Task[None]] = []
        hub = Hub(self._settings)
        gatekeeper = Gatekeeper(ground.database)
        self._stream = MessageStream(ground.database, self._deliver, hub.has_members)
        self._changes = ChangesFeed(ground.database)
        self._around = Surroundings(
            self._settings, ground.doorkeeper, gatekeeper, hub, self._stream, self._changes
        )
        self._intake = BroadcastIntake(self._settings, ground.doorkeeper, gatekeeper, hub)

    async def start(self) -> None:
        if not self._settings.enabled:
            return
        await self._keep_partitions()
        await self._stream.start()
        await self._changes.start()
        self._keepers = [
            asyncio.create_task(self._close_idle()),
            asyncio.create_task(self._keep_house()),
        ]

    async def stop(self) -> None:
        for keeper in self._keepers:
            keeper.cancel()
        for socket in list(self._sockets):
            socket.close(1001)
        await self._stream.stop()
        await self._changes.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._settings.enabled:
            await _reject(scope, receive, send, 404, "Realtime is disabled in config.toml")
        elif scope["type"] == "websocket":
            await self._open(scope, receive, send)
        elif scope["method"] == "POST":
            await self._intake(scope, receive, send)
        else:
            await send_json(send, 404, {"message": "Not Found"})

    async def _open(self, scope: Scope, receive: Receive, send: Send) -> None:
        version = _version(first_value(scope["query_string"], "vsn"))
        if not scope["path"].endswith("/websocket") or version is None:
            await _reject(scope, receive, send, 404 if version else 403, "Not Found")
            return
        try:
            caller: Caller = self._ground.doorkeeper.caller(shown_credentials(scope))
        except TokenError as error:
            await _reject(scope, receive, send, 401, str(error))
            return
        if len(self._sockets) >= self._settings.max_concurrent_users:
            await _reject(scope, receive, send, 429, "Too many connected users")
            return
        if (await receive())["type"] != "websocket.connect":
            return
        socket = Socket(version, caller, policy_headers(scope), self._around)
        self._sockets.add(socket)
        try:
            await send({"type": "websocket.accept"})
            await socket.run(receive, send)
        finally:
            self._sockets.discard(socket)

    def _deliver(self, message: StoredMessage) -> None:
        self._around.hub.publish(
            message.topic,
            message.broadcast(),
            is_private=message.private,
            message_id=message.id,
        )

    async def _close_idle(self) -> None:
        """Clients send a heartbeat every 25 s; who says nothing for a minute is gone."""
        while True:
            await asyncio.sleep(_IDLE_CHECK_SECONDS)
            deadline = time.monotonic() - self._settings.idle_timeout_seconds
            for socket in [socket for socket in self._sockets if socket.heard_at < deadline]:
                if socket.is_closing:  # since the round before: it does not even read that
                    socket.drop("it is silent and does not read")
                else:
                    socket.close()

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(_JANITOR_SECONDS)
            await self._keep_partitions()

    async def _keep_partitions(self) -> None:
        pool = await self._ground.database.pool("supabase_admin")
        try:
            async with pool.connection() as connection:
                await connection.execute("select _stack.keep_message_partitions()")
        except psycopg.Error as error:
            logger.warning("the partitions of realtime.messages could not be kept: %s", error)


def _version(asked: str | None) -> Version | None:
    if asked is None:
        return Version.V1
    with contextlib.suppress(ValueError):
        return Version(asked)
    return None


async def _reject(scope: Scope, receive: Receive, send: Send, status: int, error: str) -> None:
    if scope["type"] == "http":
        await send_json(send, status, {"error": error})
        return
    await receive()
    head = [(b"content-type", b"application/json")]
    await send({"type": "websocket.http.response.start", "status": status, "headers": head})
    await send(
        {"type": "websocket.http.response.body", "body": json.dumps({"error": error}).encode()}
    )
