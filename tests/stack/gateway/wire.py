"""Bytes on the wire, for what no client library would send."""

import socket
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    head: str
    body: bytes


def connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=10)


def read_answer(connection: socket.socket) -> Answer | None:
    """The first answer on a connection, or None when it was closed without one."""
    data = b""
    try:
        while b"\r\n\r\n" not in data and (piece := connection.recv(65536)):
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        if not head:
            return None
        text = head.decode("latin-1")
        length = next(
            (
                int(line.split(":")[1])
                for line in text.lower().splitlines()
                if line.startswith("content-length:")
            ),
            0,
        )
        while len(body) < length and (piece := connection.recv(65536)):
            body += piece
    except ConnectionResetError:
        return None
    return Answer(int(text.split(" ")[1]), text, body)


def send(url: str, *lines: str | bytes, body: bytes = b"") -> Answer | None:
    """One raw request: its lines, then its body."""
    raw = b"\r\n".join(line if isinstance(line, bytes) else line.encode() for line in lines)
    with connect(url) as connection:
        connection.sendall(raw + b"\r\n\r\n" + body)
        return read_answer(connection)
