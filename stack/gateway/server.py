"""The HTTP server under the gateway: uvicorn, with bounds for clients that send slowly or much."""

import asyncio
import contextlib
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_HEAD_SECONDS = 20  # from the first byte of a request, or of the connection, to its last header
_BODY_SECONDS = 60  # between two pieces of a body
_MAX_HEAD_BYTES = 64 * 1024  # request line and headers together
_MAX_FRAME_BYTES = 5_000_000
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"connection: close\r\ncontent-length: 0\r\n\r\n"
)


class HeadTooLarge(Exception):
    """Raised inside the parser, which then gives the request up."""


class BoundedProtocol(HttpToolsProtocol):
    """Closes connections whose requests take too long, or too much room, to arrive.

    Uvicorn itself bounds only the idle time between two requests.
    """

    _deadline: asyncio.TimerHandle | None = None
    _reads_head = True
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect(_HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        read_head = self._reads_head
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._reads_head:
            if read_head:  # a header that has not ended yet
                self._head_bytes += len(data)
            if self._head_bytes > _MAX_HEAD_BYTES:
                self.send_400_response("")
        elif self.cycle is not None and self.cycle.more_body and not self.cycle.response_complete:
            self._expect(_BODY_SECONDS)
        else:
            self._expect(None)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_bytes = 0
        self._reads_head = True
        self._expect(_HEAD_SECONDS)

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._count(len(name) + len(value))

    def on_headers_complete(self) -> None:
        self._reads_head = False
        self._expect(None)
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        if self._reads_head and self._head_bytes > _MAX_HEAD_BYTES:
            self.transport.write(_TOO_LARGE)
            self.transport.close()
        else:
            super().send_400_response(msg)

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > _MAX_HEAD_BYTES:
            raise HeadTooLarge

    def _expect(self, seconds: float | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self._give_up)

    def _give_up(self) -> None:
        if self.flow is not None and self.flow.read_paused:  # we are the slow ones
            self._expect(_BODY_SECONDS)
        else:
            self.transport.close()


def make_server(app: ASGIApp) -> uvicorn.Server:
    """A server for one process; signals are the caller's to handle."""
    settings: dict[str, Any] = {
        "http": BoundedProtocol,
        "ws": "websockets-sansio",
        "ws_max_size": _MAX_FRAME_BYTES,
        "ws_ping_interval": None,  # the clients send heartbeats of their own
        "ws_per_message_deflate": False,  # as upstream: it costs memory per socket, time per send
        "lifespan": "off",
        "log_level": "warning",
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "timeout_graceful_shutdown": 2,
        "timeout_keep_alive": 75,
        "backlog": 4096,
    }
    server = uvicorn.Server(uvicorn.Config(app, **settings))
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    return server
