"""One channel of one connection: joining, sending, presence, tokens, leaving."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

import psycopg

from stack.core.callers import Caller
from stack.realtime import protocol
from stack.realtime.authorization import EVERYTHING, Rights, Unavailable
from stack.realtime.changes import SubscriptionRefused
from stack.realtime.frames import Frame
from stack.realtime.hub import Topic
from stack.realtime.joining import JoinConfig, usable_token
from stack.realtime.limits import Allowance
from stack.realtime.protocol import (
    BinaryBroadcast,
    Broadcast,
    Malformed,
    Message,
    UserBroadcast,
)
from stack.realtime.replay import replay
from stack.realtime.surroundings import Connection, JoinRefused, Surroundings, unauthorized
from stack.realtime.tokens import TokenRefused, caller_of, expired
from stack.realtime.turns import Turns

logger = logging.getLogger("stack.realtime")

_LONGEST_TIMER = 3600.0  # tokens may live longer than a timer should
_REPLICATION_WAIT = 10.0
_SUBSCRIBE_AGAIN = 5.0
_NO_WRITING = "You do not have permissions to write to this Channel topic"
_NO_DATABASE = "Realtime was unable to connect to the project database"


class Channel:
    """Messages of one channel are handled in their order, also when one must ask the database."""

    def __init__(self, socket: Connection, around: Surroundings, join: Message) -> None:
        self.socket = socket
        self.topic = join.topic
        self.name = join.topic.removeprefix("realtime:")
        self.readable = Rights()
        self.replayed: frozenset[UUID] = frozenset()
        self.config = JoinConfig.of(join.payload)
        self.shows_presence = self.config.presence_enabled
        self._around = around
        self._join_ref = join.join_ref or join.ref
        self._caller = socket.caller
        self._token = self.config.token
        self._writable: Rights | None = None if self.config.is_private else EVERYTHING
        self._place: Topic | None = None
        self._is_over = False
        self._turns = Turns(self._react, self._fail)
        self._tasks: set[asyncio.Task[None]] = set()
        self._expiry: asyncio.TimerHandle | None = None
        self._presence_allowance = Allowance(
            around.settings.max_client_presence_events_per_window,
            around.settings.client_presence_window_ms / 1000,
        )

    # --- from the socket

    def receive(self, message: Message) -> None:
        """Handle a message now, or after those before it. Errors: Malformed."""
        if not self._turns.take(message):
            self.socket.drop("too many messages wait for the database")

    def crash(self) -> None:
        """Called while an error is handled: tell the client, leave other channels alone."""
        logger.exception("a channel failed")
        if not self._is_over:
            self.push("phx_error", {})
            self.end()

    def end(self) -> None:
        """Leave without a word: the connection is gone, or the client joins anew."""
        if self._is_over:
            return
        self._is_over = True
        if self._expiry is not None:
            self._expiry.cancel()
        self._turns.stop()
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
        self._around.changes.unsubscribe(self)
        if self._place is not None:
            self._around.hub.leave(self, self._place)
        self.socket.forget(self)

    # --- from the feed of changes

    def push_json(self, event: str, payload_json: str) -> None:
        """Send a message to this channel alone."""
        self.socket.enqueue(
            protocol.push_json(self.socket.version, self.topic, event, payload_json, None)
        )

    def push(self, event: str, payload: Any) -> None:
        self.socket.enqueue(
            protocol.push(self.socket.version, self.topic, event, payload, self._join_ref)
        )

    def push_system(self, extension: str, status: str, message: str) -> None:
        self.push(
            "system",
            {"extension": extension, "status": status, "message": message, "channel": self.name},
        )

    # --- one message

    def _fail(self, error: Exception) -> None:
        if isinstance(error, Malformed):
            self.socket.drop("a message that is none")
        else:
            self.crash()

    def _react(self, message: Message) -> Coroutine[Any, Any, None] | None:
        """Handle what needs no database; return what does."""
        if message.event == "phx_leave":
            self._reply(message, "ok", {})
            self._close()
        elif self._place is None:
            return self._join(message) if message.event == "phx_join" else None
        elif message.event == "broadcast":
            if self._writable is None:
                return self._after_write_check(message, self._broadcast)
            self._broadcast(message)
        elif message.event == "presence":
            if self._writable is None and _presence_event(message) == "track":
                return self._after_write_check(message, self._presence)
            self._presence(message)
        elif message.event == "access_token":
            token = usable_token(_field(message.payload, "access_token"))
            if token is not None and token != self._token:
                return self._change_token(token)
        return None

    def _reply(self, message: Message, status: str, response: Any) -> None:
        self.socket.enqueue(
            protocol.reply(self.socket.version, message, self._join_ref, status, response)
        )

    def _shut(self, reason: str) -> None:
        """End it as upstream does: the reason, then the end."""
        self.push_system("system", "error", reason)
        self._close()

    def _close(self) -> None:
        self.socket.enqueue(protocol.close(self.socket.version, self.topic, self._join_ref))
        self.end()

    # --- joining

    async def _join(self, message: Message) -> None:
        try:
            replayed = await self._enter()
            changes = self._around.changes
            entries = self.config.numbered_changes()
            if entries and self.config.changes_wait_seconds is not None:
                await self._await_changes(entries, self.config.changes_wait_seconds)
        except (JoinRefused, Unavailable, TokenRefused) as refused:
            self._refuse(message, refused)
            return
        if self._is_over:
            return
        self._reply(message, "ok", {"postgres_changes": entries})
        for frame in replayed:
            self.socket.enqueue(frame)
        self._show_presence()
        if entries and self.config.changes_wait_seconds is None:
            self._spawn(self._subscribe_to_changes(entries))
        elif entries:
            self.push_system("postgres_changes", "ok", changes.SUBSCRIBED)
        if self.config.wants_replication_ready:
            self._spawn(self._tell_replication())

    def _refuse(self, message: Message, refused: Exception) -> None:
        self._reply(message, "error", {"reason": str(refused)})
        self.end()

    async def _enter(self) -> list[Frame]:
        """Check everything, take the place; return what is replayed.

        Errors: JoinRefused, TokenRefused, Unavailable.
        """
        settings, hub = self._around.settings, self._around.hub
        if not self.name or not self.topic.startswith("realtime:"):
            raise JoinRefused("TopicNameRequired", "You must provide a topic name")
        if settings.private_only and not self.config.is_private:
            raise JoinRefused("PrivateOnly", "This project only allows private channels")
        self.socket.admit()
        self._caller = self._caller_of(self._token)
        self.readable = EVERYTHING
        if self.config.is_private:
            self.readable = await self._ask_to_read()
        self.replayed, frames = await replay(
            self._around.stream, self.config, self.name, self.readable, self.socket.version
        )
        if not self._is_over:
            self._place = hub.enter(self, self.name, is_private=self.config.is_private)
            self._watch_expiry()
        return frames

    async def _ask_to_read(self) -> Rights:
        readable = await self._around.gatekeeper.may_read(
            self._caller, self.name, self.socket.headers
        )
        if not (readable.broadcast or readable.presence):
            raise unauthorized(self.name)
        return readable

    async def _tell_replication(self) -> None:
        try:
            await asyncio.wait_for(self._around.stream.ready.wait(), _REPLICATION_WAIT)
        except TimeoutError:
            self._shut("Replication connection was not established in time")
        else:
            self.push_system("system", "ok", "Replication connection established")

    # --- changes of tables

    async def _await_changes(self, entries: list[dict[str, Any]], seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._around.changes.subscribe(self, self._caller, entries)
        except SubscriptionRefused as refused:
            raise JoinRefused("RealtimeDisabledForConfiguration", str(refused)) from refused
        except psycopg.Error as error:
            raise JoinRefused("UnableToConnectToProject", _NO_DATABASE) from error
        except TimeoutError as error:
            raise JoinRefused(
                "PostgresChangesSubscribeTimeout",
                f"Timed out after {seconds * 1000:.0f}ms waiting for the postgres_changes"
                " subscription",
            ) from error

    async def _subscribe_to_changes(self, entries: list[dict[str, Any]]) -> None:
        while True:
            try:
                await self._around.changes.subscribe(self, self._caller, entries)
            except SubscriptionRefused as refused:
                self.push_system("postgres_changes", "error", str(refused))
                return
            except psycopg.Error as error:
                logger.info("a subscription is tried again: %s", error)
                self.push_system("postgres_changes", "error", _NO_DATABASE)
                await asyncio.sleep(_SUBSCRIBE_AGAIN)
            else:
                self.push_system("postgres_changes", "ok", self._around.changes.SUBSCRIBED)
                return

    # --- sending

    async def _after_write_check(self, message: Message, handle: Callable[[Message], None]) -> None:
        try:
            self._writable = await self._around.gatekeeper.may_write(
                self._caller, self.name, self.socket.headers
            )
        except Unavailable as error:
            logger.info("no answer about writing to %r: %s", self.name, error)
            if message.event == "presence":
                self._reply(message, "error", {})
            return
        handle(message)

    def _broadcast(self, message: Message) -> None:
        hub = self._around.hub
        if self._writable is None or not self._writable.broadcast:
            if self.config.acknowledges:
                self._reply(message, "error", {"reason": _NO_WRITING})
            return
        hub.events.add()
        if hub.events.is_exceeded():
            self._shut("Too many messages per second")
            return
        if message.size > self._around.settings.max_payload_size_in_kb * 1024:
            if self.config.acknowledges:
                self._reply(message, "error", {"error": "payload_size_exceeded"})
            return
        content = message.payload
        if isinstance(content, UserBroadcast):
            # what a client says about its message is not passed on as the server's word
            plain = UserBroadcast(content.event, content.payload, content.is_json, {})
            broadcast: Broadcast = BinaryBroadcast(self.topic, plain)
        else:
            if not isinstance(content, dict):
                return
            broadcast = Broadcast.of(self.topic, "broadcast", content)
        hub.publish(
            self.name,
            broadcast,
            is_private=self.config.is_private,
            sender=None if self.config.echoes else self,
        )
        if self.config.acknowledges:
            self._reply(message, "ok", {})

    # --- presence

    def _presence(self, message: Message) -> None:
        event = _presence_event(message)
        if event is None:
            self._reply(message, "ok", {})
            return
        if not self._presence_allowance.take():
            self._shut("Client presence rate limit exceeded")
        elif event == "untrack":
            if self._place is not None and self._place.roster.untrack(self):
                self._place.announce_presence()
            self._reply(message, "ok", {})
        elif event == "track":
            self._track(message)
        else:
            self._reply(message, "error", {})

    def _track(self, message: Message) -> None:
        fields = _field(message.payload, "payload", {})
        presence_events = self._around.hub.presence_events
        if self._place is None or self._writable is None or not self._writable.presence:
            self._reply(message, "error", {})
        elif not isinstance(fields, dict):
            self._reply(message, "error", {"reason": "Presence track payload must be a map"})
        elif message.size > self._around.settings.max_payload_size_in_kb * 1024:
            self._shut("Track message size exceeded")
        elif presence_events.is_exceeded():
            self._shut("Too many presence messages per second")
        else:
            presence_events.add()
            protocol.dumps(fields)  # what cannot be told to others must not get in
            if self._place.roster.track(self, self.config.presence_key, fields):
                self._place.announce_presence()
            self._reply(message, "ok", {})
            if not self.shows_presence:
                # tracking turns presence on: without the state, diffs would mean nothing
                self.shows_presence = True
                self._show_presence()

    def _show_presence(self) -> None:
        if self._place is None or not self.shows_presence or not self.readable.presence:
            return
        self._place.flush_presence()
        self.push("presence_state", self._place.roster.state())

    # --- tokens

    def _caller_of(self, token: str | None) -> Caller:
        return caller_of(self._around.doorkeeper, token) if token else self.socket.caller

    async def _change_token(self, token: str) -> None:
        before, self._token = self.readable, token
        try:
            self._caller = self._caller_of(token)
            if self.config.is_private:
                self._writable = None
                self.readable = await self._ask_to_read()
        except (TokenRefused, Unavailable) as refused:
            self._shut(refused.message if isinstance(refused, TokenRefused) else _NO_DATABASE)
            return
        except JoinRefused as refused:
            self._shut(refused.text)
            return
        if (before.broadcast and not self.readable.broadcast) or (
            before.presence and not self.readable.presence
        ):
            self._shut(
                f"You no longer have permission to read from this Channel topic: {self.name}"
            )
            return
        self._watch_expiry()
        entries = self.config.numbered_changes()
        if entries:
            self._spawn(self._subscribe_to_changes(entries))

    def _watch_expiry(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        expires = self._caller.claims.get("exp")
        if isinstance(expires, int | float) and not self._is_over:
            delay = min(max(expires - time.time(), 0), _LONGEST_TIMER)
            self._expiry = asyncio.get_running_loop().call_later(delay, self._expire)

    def _expire(self) -> None:
        late = time.time() - float(self._caller.claims["exp"])
        if late < 0:
            self._watch_expiry()
        else:
            self._shut(expired(late))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        async def guarded() -> None:
            try:
                await work
            except Exception:
                self.crash()

        task = asyncio.create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _field(value: Any, name: str, default: Any = None) -> Any:
    return value.get(name, default) if isinstance(value, dict) else default


def _presence_event(message: Message) -> str | None:
    event = _field(message.payload, "event")
    return event.lower() if isinstance(event, str) else None
