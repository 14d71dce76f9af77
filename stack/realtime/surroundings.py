"""What a channel stands on: its connection, and the parts of the service it uses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from stack.core.callers import Caller, Doorkeeper
from stack.realtime.authorization import Gatekeeper
from stack.realtime.broadcast import MessageStream
from stack.realtime.changes import ChangesFeed
from stack.realtime.frames import Frame
from stack.realtime.hub import Hub
from stack.realtime.protocol import Version
from stack.realtime.settings import RealtimeSettings


class Connection(Protocol):
    """The socket, as its channels see it."""

    version: Version
    caller: Caller
    headers: Mapping[str, str]

    def enqueue(self, frame: Frame) -> None: ...

    def forget(self, channel: Any) -> None:
        """The channel has ended."""

    def drop(self, reason: str) -> None:
        """End the whole connection."""

    def admit(self) -> None:
        """Let one more channel in. Errors: JoinRefused when there are too many."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every channel uses of the service."""

    settings: RealtimeSettings
    doorkeeper: Doorkeeper
    gatekeeper: Gatekeeper
    hub: Hub
    stream: MessageStream
    changes: ChangesFeed


class JoinRefused(Exception):
    """A join that fails with upstream's code and words."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.text = text


def unauthorized(topic: str) -> JoinRefused:
    return JoinRefused(
        "Unauthorized", f"You do not have permissions to read from this Channel topic: {topic}"
    )
