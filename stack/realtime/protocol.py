"""Frames in and out: Phoenix's serializers 1.0.0 and 2.0.0, and Supabase's binary broadcasts.

Pure: bytes and text to messages and back. Source: Supabase docs, Realtime protocol; the layout of
frames 3 and 4 as supabase-js writes and reads it.
"""

import json
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any, NoReturn

from stack.realtime.frames import Frame

_BROADCAST_PUSH, _BROADCAST = 3, 4
_RAW, _JSON = 0, 1
_PUSH_HEADER = 7  # bytes before the names of frame 3
_LONGEST_NAME = 255  # bytes: a length is one byte


class Version(Enum):
    """What a client's `vsn` asks for."""

    V1 = "1.0.0"
    V2 = "2.0.0"


class Malformed(Exception):
    """A frame that is no message: upstream's socket crashes on it, ours closes."""


@dataclass(frozen=True, slots=True)
class UserBroadcast:
    """A broadcast that came in binary: its payload stays bytes, JSON only if `is_json`."""

    event: str
    payload: bytes
    is_json: bool
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """What a client sends. `size` is that of its frame, in bytes."""

    topic: str
    event: str
    payload: Any
    ref: str | None
    join_ref: str | None
    size: int


def decode(frame: str | bytes, version: Version) -> Message:
    """Read a client's frame. Errors: Malformed."""
    if isinstance(frame, bytes):
        if version is Version.V1:
            raise Malformed("binary frame under 1.0.0")
        return _decode_binary(frame)
    value = loads(frame)
    if version is Version.V1:
        if not isinstance(value, dict):
            raise Malformed("no object")
        parts = [value.get(name) for name in ("join_ref", "ref", "topic", "event", "payload")]
    else:
        if not isinstance(value, list) or len(value) < 5:
            raise Malformed("no array of five")
        parts = value[:5]
    join_ref, ref, topic, event, payload = parts
    if not isinstance(topic, str) or not isinstance(event, str):
        raise Malformed("topic and event must be text")
    try:
        (topic + event).encode()
    except UnicodeEncodeError as error:
        raise Malformed("a lone surrogate in a name") from error
    return Message(topic, event, payload, _ref(ref), _ref(join_ref), len(frame))


def _decode_binary(frame: bytes) -> Message:
    if len(frame) < _PUSH_HEADER or frame[0] != _BROADCAST_PUSH:
        raise Malformed("unknown binary frame")
    position = _PUSH_HEADER
    texts = []
    for length in frame[1:6]:
        part = frame[position : position + length]
        if len(part) != length:
            raise Malformed("truncated frame")
        try:
            texts.append(part.decode())
        except UnicodeDecodeError as error:
            raise Malformed("invalid UTF-8") from error
        position += length
    join_ref, ref, topic, event, metadata = texts
    payload, is_json = frame[position:], frame[6] == _JSON
    if is_json:
        loads(payload)  # it is passed on as it is: a receiver must be able to read it
    described = loads(metadata) if metadata else {}
    if not isinstance(described, dict):
        raise Malformed("metadata is no object")
    broadcast = UserBroadcast(event, payload, is_json, described)
    return Message(topic, "broadcast", broadcast, ref or None, join_ref or None, len(frame))


class Broadcast:
    """A message to every member of a topic, encoded once per version, not per socket.

    `topic` is whole, as clients join it.
    """

    def __init__(self, topic: str, event: str, payload_json: str) -> None:
        self._topic, self._event, self._payload_json = topic, event, payload_json

    @classmethod
    def of(cls, topic: str, event: str, payload: Any) -> "Broadcast":
        """Errors: Malformed when the payload holds what JSON cannot."""
        return cls(topic, event, dumps(payload))

    def frame(self, version: Version) -> Frame | None:
        """What to send; None when this version cannot carry the message."""
        return self._v1 if version is Version.V1 else self._v2

    @cached_property
    def _v1(self) -> Frame | None:
        return Frame(_v1_text(self._topic, self._event, self._payload_json, None))

    @cached_property
    def _v2(self) -> Frame | None:
        return Frame(_v2_text(None, None, self._topic, self._event, self._payload_json))


class BinaryBroadcast(Broadcast):
    """A broadcast that came in binary or holds bytes. Bytes never reach a 1.0.0 client."""

    def __init__(self, topic: str, content: UserBroadcast) -> None:
        self._content = content
        super().__init__(topic, "broadcast", "")

    @cached_property
    def _v1(self) -> Frame | None:
        if not self._content.is_json:
            return None
        return Frame(_v1_text(self._topic, "broadcast", self._as_text, None))

    @cached_property
    def _v2(self) -> Frame | None:
        content = self._content
        metadata = dumps(content.metadata).encode() if content.metadata else b""
        names = (self._topic.encode(), content.event.encode(), metadata)
        if max(map(len, names)) > _LONGEST_NAME:
            if not content.is_json:
                return None
            return Frame(_v2_text(None, None, self._topic, "broadcast", self._as_text))
        head = bytes([_BROADCAST, *map(len, names), _JSON if content.is_json else _RAW])
        return Frame(b"".join([head, *names, content.payload]))

    @property
    def _as_text(self) -> str:
        content = self._content
        meta = f',"meta":{dumps(content.metadata)}' if content.metadata else ""
        # the payload is not decoded: it was read when it came
        return (
            f'{{"type":"broadcast","event":{dumps(content.event)},"payload":'
            f"{content.payload.decode()}{meta}}}"
        )


def reply(
    version: Version, message: Message, join_ref: str | None, status: str, response: Any
) -> Frame:
    """The answer to one message."""
    payload = dumps({"status": status, "response": response})
    if version is Version.V1:
        return Frame(_v1_text(message.topic, "phx_reply", payload, message.ref))
    return Frame(_v2_text(join_ref, message.ref, message.topic, "phx_reply", payload))


def push(version: Version, topic: str, event: str, payload: Any, join_ref: str | None) -> Frame:
    """A message to one channel alone."""
    return push_json(version, topic, event, dumps(payload), join_ref)


def close(version: Version, topic: str, join_ref: str | None) -> Frame:
    """The end of a channel. Its `ref` names the join, as a client may have joined anew."""
    if version is Version.V1:
        return Frame(_v1_text(topic, "phx_close", "{}", join_ref))
    return Frame(_v2_text(join_ref, join_ref, topic, "phx_close", "{}"))


def push_json(
    version: Version, topic: str, event: str, payload_json: str, join_ref: str | None
) -> Frame:
    """The same, with a payload that is JSON text already."""
    if version is Version.V1:
        return Frame(_v1_text(topic, event, payload_json, None))
    return Frame(_v2_text(join_ref, None, topic, event, payload_json))


def dumps(value: Any) -> str:
    """JSON in ASCII, so that a lone surrogate stays an escape. Errors: Malformed."""
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise Malformed("not representable in JSON") from error


def _v1_text(topic: str, event: str, payload_json: str, ref: str | None) -> str:
    return (
        f'{{"topic":{dumps(topic)},"event":{dumps(event)},"payload":{payload_json},'
        f'"ref":{dumps(ref)}}}'
    )


def _v2_text(
    join_ref: str | None, ref: str | None, topic: str, event: str, payload_json: str
) -> str:
    return f"[{dumps(join_ref)},{dumps(ref)},{dumps(topic)},{dumps(event)},{payload_json}]"


def _ref(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    raise Malformed("a ref must be text")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def loads(text: str | bytes) -> Any:
    """Strict JSON: no NaN, no abyss of brackets. Errors: Malformed."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits is a ValueError, too
        raise Malformed("no JSON") from error
