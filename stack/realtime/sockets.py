"""One WebSocket: frames to channels, messages out in order, an end to whoever does not read."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Mapping

from starlette.types import Receive, Send

from stack.core.callers import Caller
from stack.realtime import protocol
from stack.realtime.channels import Channel
from stack.realtime.frames import Frame, Shortcut
from stack.realtime.protocol import Malformed, Message, Version
from stack.realtime.surroundings import JoinRefused, Surroundings

logger = logging.getLogger("stack.realtime")

_NORMAL, _UNSUPPORTED = 1000, 1003  # RFC 6455 §7.4.1
_LONGEST_QUEUE = 10_000  # frames, before a client that reads too slowly is dropped


class Socket:
    """A connection that was accepted.

    What is sent waits in a queue of bounded size; a task writes it, and lives only as long as
    something waits, so that a silent socket costs little.
    """

    def __init__(
        self, version: Version, caller: Caller, headers: Mapping[str, str], around: Surroundings
    ) -> None:
        self.version, self.caller, self.headers = version, caller, headers
        self.channels: dict[str, Channel] = {}
        self.heard_at = time.monotonic()
        self._around = around
        self._shortcut: Shortcut | None = None
        self._close_code: int | None = None
        self._send: Send | None = None
        self._queue: deque[Frame] = deque()
        self._queued = 0
        self._writer: asyncio.Task[None] | None = None
        self.is_closing = False

    async def run(self, receive: Receive, send: Send) -> None:
        """Serve it until either side ends it."""
        self._shortcut, self._send = Shortcut(receive), send
        try:
            while True:
                event = await receive()
                if event["type"] != "websocket.receive":
                    return
                self.heard_at = time.monotonic()
                if self.is_closing:
                    continue
                frame = event.get("text")
                try:
                    self._hear(
                        protocol.decode(event["bytes"] if frame is None else frame, self.version)
                    )
                except Malformed:
                    self.close(_UNSUPPORTED)
        finally:
            self.is_closing = True
            for channel in list(self.channels.values()):
                channel.end()
            if self._writer is not None:
                self._writer.cancel()

    def enqueue(self, frame: Frame) -> None:
        """Send in the order of the calls, without waiting."""
        if self.is_closing:
            return
        if self._writer is None and self._shortcut is not None and self._shortcut.write(frame):
            return
        self._queue.append(frame)
        self._queued += frame.size
        limit = self._around.settings.max_pending_kb_per_client * 1024
        if len(self._queue) > _LONGEST_QUEUE or (self._queued > limit and len(self._queue) > 1):
            self.drop("it reads too slowly")
        else:
            self._start_writing()

    def close(self, code: int = _NORMAL) -> None:
        """End it after what is queued."""
        if not self.is_closing:
            self.is_closing, self._close_code = True, code
            self._start_writing()

    def drop(self, reason: str) -> None:
        """End it now: nothing more is sent."""
        logger.info("a connection is dropped: %s", reason)
        self.is_closing = True
        self._queue.clear()
        self._queued = 0
        if self._writer is not None:
            self._writer.cancel()
        if self._shortcut is not None:
            self._shortcut.abort()

    def forget(self, channel: Channel) -> None:
        if self.channels.get(channel.topic) is channel:
            del self.channels[channel.topic]

    def admit(self) -> None:
        """Errors: JoinRefused: too many channels here, or joins come too fast."""
        settings, hub = self._around.settings, self._around.hub
        hub.joins.add()
        if hub.joins.is_exceeded():
            raise JoinRefused("ClientJoinRateLimitReached", "Too many joins per second")
        if len(self.channels) > settings.max_channels_per_client:  # the new one is among them
            raise JoinRefused("ChannelRateLimitReached", "Too many channels")

    def _hear(self, message: Message) -> None:
        if message.topic == "phoenix":
            if message.event == "heartbeat":
                self.enqueue(protocol.reply(self.version, message, None, "ok", {}))
            return
        channel = self.channels.get(message.topic)
        if message.event == "phx_join":
            if channel is not None:  # the client has forgotten the one before
                channel.end()
            channel = self.channels[message.topic] = Channel(self, self._around, message)
        if channel is not None:
            try:
                channel.receive(message)
            except Malformed:
                raise
            except Exception:
                channel.crash()
        elif message.event == "phx_leave":
            self.enqueue(protocol.reply(self.version, message, message.join_ref, "ok", {}))
        else:
            reason = {"reason": "unmatched topic"}
            self.enqueue(protocol.reply(self.version, message, message.join_ref, "error", reason))

    def _start_writing(self) -> None:
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())

    async def _write(self) -> None:
        assert self._send is not None
        try:
            while self._queue:
                frame = self._queue.popleft()
                self._queued -= frame.size
                await self._send(frame.event)
            if self._close_code is not None:
                await self._send({"type": "websocket.close", "code": self._close_code})
        except OSError:  # also uvicorn's ClientDisconnected
            self.is_closing = True
            self._queue.clear()
        finally:
            self._writer = None
