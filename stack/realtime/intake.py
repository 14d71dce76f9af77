"""Broadcasts that come by HTTP: `/api/broadcast`, in batches or one by one."""

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from starlette.types import Receive, Scope, Send

from stack.core.callers import Caller, Doorkeeper
from stack.core.http import BodyTooLarge, read_body, send_bytes, send_json
from stack.core.query import first_value
from stack.core.service import shown_credentials
from stack.core.tokens import TokenError
from stack.realtime.authorization import Gatekeeper, Unavailable
from stack.realtime.hub import Hub
from stack.realtime.protocol import (
    BinaryBroadcast,
    Broadcast,
    Malformed,
    UserBroadcast,
    dumps,
    loads,
)
from stack.realtime.settings import RealtimeSettings

logger = logging.getLogger("stack.realtime")

_MAX_BODY = 8_000_000
_BLANK = "can't be blank"
_TOO_LARGE = {"errors": {"payload": ["Payload size exceeds tenant limit"]}}


class BroadcastIntake:
    """An ASGI application. Private messages that policies refuse are dropped without an error."""

    def __init__(
        self,
        settings: RealtimeSettings,
        doorkeeper: Doorkeeper,
        gatekeeper: Gatekeeper,
        hub: Hub,
    ) -> None:
        self._settings = settings
        self._doorkeeper = doorkeeper
        self._gatekeeper = gatekeeper
        self._hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            caller = self._doorkeeper.caller(shown_credentials(scope))
        except TokenError:
            await send_json(send, 401, {"message": "Unauthorized"})
            return
        # %2F inside a name is not a separator, so the path is read undecoded
        path = scope["raw_path"].decode("latin-1").removeprefix(scope["root_path"])
        try:
            body = await read_body(receive, _MAX_BODY)
        except BodyTooLarge:
            await send_json(send, 413, {"message": "Request body is too large"})
            return
        match path.strip("/").split("/"):
            case ["api", "broadcast"]:
                await self._take_batch(caller, scope, body, send)
            case ["api", "broadcast", topic, "events", event]:
                names = unquote(topic), unquote(event)
                await self._take_one(caller, scope, names, body, send)
            case _:
                await send_json(send, 404, {"message": "Not Found"})

    async def _take_batch(self, caller: Caller, scope: Scope, body: bytes, send: Send) -> None:
        try:
            content = loads(body)
        except Malformed:
            await send_json(send, 400, {"message": "Bad Request"})
            return
        messages = content.get("messages") if isinstance(content, dict) else None
        if not isinstance(messages, list) or not messages:
            await send_json(send, 422, {"errors": {"messages": [_BLANK]}})
            return
        errors = [_errors_of(message) for message in messages]
        if any(errors):
            await send_json(send, 422, {"errors": {"messages": errors}})
            return
        try:
            payloads = [_shown(message) for message in messages]
        except Malformed:
            await send_json(send, 400, {"message": "Bad Request"})
            return
        if max(map(len, payloads)) > self._settings.max_payload_size_in_kb * 1024:
            await send_json(send, 422, _TOO_LARGE)
            return
        if await self._refuse_excess(len(messages), send):
            return
        allowed: dict[str, bool] = {}
        for message, payload in zip(messages, payloads, strict=True):
            topic, is_private = message["topic"], message.get("private") is True
            if is_private and topic not in allowed:
                allowed[topic] = await self._may_write(caller, scope, topic)
            if is_private and not allowed[topic]:
                continue
            broadcast = Broadcast(f"realtime:{topic}", "broadcast", payload)
            self._hub.publish(topic, broadcast, is_private=is_private)
        await send_bytes(send, 202, b"", [])

    async def _take_one(
        self, caller: Caller, scope: Scope, names: tuple[str, str], body: bytes, send: Send
    ) -> None:
        topic, event = names
        kind = _content_type(scope)
        if kind not in ("application/json", "application/octet-stream"):
            await send_json(send, 415, {"message": "Unsupported Media Type"})
            return
        is_json = kind == "application/json"
        try:
            if is_json:
                loads(body)
        except Malformed:
            await send_json(send, 400, {"message": "Bad Request"})
            return
        if len(body) > self._settings.max_payload_size_in_kb * 1024:
            await send_json(send, 422, _TOO_LARGE)
            return
        if await self._refuse_excess(1, send):
            return
        is_private = first_value(scope["query_string"], "private") == "true"
        if not is_private or await self._may_write(caller, scope, topic):
            content = UserBroadcast(event, body, is_json=is_json, metadata={})
            broadcast = BinaryBroadcast(f"realtime:{topic}", content)
            self._hub.publish(topic, broadcast, is_private=is_private)
        await send_bytes(send, 202, b"", [])

    async def _refuse_excess(self, count: int, send: Send) -> bool:
        if self._hub.events.is_exceeded(count):
            message = "You have exceeded your rate limit"
            if not self._hub.events.is_exceeded():
                message = "Too many messages to broadcast, please reduce the batch size"
            await send_json(send, 429, {"message": message})
            return True
        self._hub.events.add(count)
        return False

    async def _may_write(self, caller: Caller, scope: Scope, topic: str) -> bool:
        try:
            rights = await self._gatekeeper.may_write(caller, topic, policy_headers(scope))
        except Unavailable as error:
            logger.info("no answer about writing to %r: %s", topic, error)
            return False
        return rights.broadcast


def policy_headers(scope: Scope) -> dict[str, str]:
    """What policies may read as `request.headers`: the client's own `x-…` headers."""
    return {
        name.decode("latin-1"): value.decode("latin-1")
        for name, value in scope["headers"]
        if name.startswith(b"x-") and name != b"x-api-key"
    }


def _errors_of(message: Any) -> dict[str, list[str]]:
    if not isinstance(message, dict):
        return {"message": ["is invalid"]}
    found: dict[str, list[str]] = {}
    for name, kind in (("topic", str), ("event", str), ("payload", dict)):
        value = message.get(name)
        if value is None or value == "":
            found[name] = [_BLANK]
        elif not isinstance(value, kind):
            found[name] = ["is invalid"]
    return found


def _shown(message: Mapping[str, Any]) -> str:
    return dumps({name: message[name] for name in ("event", "payload")} | {"type": "broadcast"})


def _content_type(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"content-type":
            return str(value.decode("latin-1").partition(";")[0].strip().lower())
    return ""
