"""A WebSocket frame that many sockets send: built once, bytes and all."""

import struct
from collections.abc import Callable
from functools import cached_property
from typing import Any

from starlette.types import Receive

_FIN, _TEXT, _BINARY = 0x80, 0x1, 0x2
_SHORT, _LONG = 126, 127  # RFC 6455 §5.2: lengths of two and of eight bytes


class Frame:
    """One message to a client, as an ASGI event and as the bytes of an unmasked frame."""

    def __init__(self, content: str | bytes) -> None:
        self._content = content
        self.size = len(content)  # characters or bytes, while it waits

    @property
    def event(self) -> dict[str, Any]:
        kind = "bytes" if isinstance(self._content, bytes) else "text"
        return {"type": "websocket.send", kind: self._content}

    @cached_property
    def wire(self) -> bytes:
        content = self._content
        opcode = _BINARY if isinstance(content, bytes) else _TEXT
        payload = content if isinstance(content, bytes) else content.encode()
        length = len(payload)
        if length < _SHORT:
            head = struct.pack("!BB", _FIN | opcode, length)
        elif length < 1 << 16:
            head = struct.pack("!BBH", _FIN | opcode, _SHORT, length)
        else:
            head = struct.pack("!BBQ", _FIN | opcode, _LONG, length)
        return head + payload


class Shortcut:
    """Writes frames to uvicorn's transport at once, where ASGI would need a task per socket.

    Frames are the same for all sockets because the server does not compress. Under any other
    server, and whenever the transport has no room, `write` refuses and ASGI's way is taken.
    """

    def __init__(self, receive: Receive) -> None:
        protocol = getattr(receive, "__self__", None)
        self._protocol = protocol
        self._write: Callable[[bytes], None] | None = None
        transport = getattr(protocol, "transport", None)
        known = all(hasattr(protocol, name) for name in ("writable", "close_sent", "disconnected"))
        if known and transport is not None and not protocol.conn.extensions:  # type: ignore[union-attr]
            self._write = transport.write

    def write(self, frame: Frame) -> bool:
        """Write it now; False when that cannot be."""
        protocol: Any = self._protocol
        if (
            self._write is None
            or protocol.close_sent
            or protocol.disconnected
            or not protocol.writable.is_set()
        ):
            return False
        self._write(frame.wire)
        return True

    def abort(self) -> None:
        """End the connection without waiting for a reader, as ASGI's close would."""
        transport = getattr(self._protocol, "transport", None)
        if transport is not None:
            transport.abort()
