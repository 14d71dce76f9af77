"""Topics and their members: where a message meets everybody who may have it."""

import asyncio
from typing import Protocol
from uuid import UUID

from stack.realtime.authorization import Rights
from stack.realtime.frames import Frame
from stack.realtime.limits import Rate
from stack.realtime.presence import Roster
from stack.realtime.protocol import Broadcast, Version
from stack.realtime.settings import RealtimeSettings

_DIFF_SECONDS = 0.01  # joins and leaves within it travel together


class Receiver(Protocol):
    """One connection, as the hub sees it."""

    version: Version

    def enqueue(self, frame: Frame) -> None:
        """Send in the order of the calls, without waiting."""


class Member(Protocol):
    """One channel of one connection, as the hub sees it."""

    @property
    def socket(self) -> Receiver: ...

    @property
    def readable(self) -> Rights: ...

    @property
    def shows_presence(self) -> bool: ...

    @property
    def replayed(self) -> frozenset[UUID]: ...


class Topic:
    """The members of one name, public or private: the two never meet."""

    def __init__(self, name: str, *, is_private: bool) -> None:
        self.name, self.is_private = name, is_private
        self.members: dict[Member, None] = {}
        self.roster = Roster()
        self._timer: asyncio.TimerHandle | None = None

    def announce_presence(self) -> None:
        """Tell what changed, soon."""
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(_DIFF_SECONDS, self.flush_presence)

    def flush_presence(self) -> None:
        """Tell what changed, now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        diff = self.roster.take_diff()
        if diff is None:
            return
        message = Broadcast.of(f"realtime:{self.name}", "presence_diff", diff)
        for member in self.members:
            if member.shows_presence and member.readable.presence:
                _send(member, message)


class Hub:
    """All topics that have members."""

    def __init__(self, settings: RealtimeSettings) -> None:
        self._topics: dict[tuple[str, bool], Topic] = {}
        self.events = Rate(settings.max_events_per_second)
        self.presence_events = Rate(settings.max_presence_events_per_second)
        self.joins = Rate(settings.max_joins_per_second)

    def has_members(self) -> bool:
        return bool(self._topics)

    def enter(self, member: Member, name: str, *, is_private: bool) -> Topic:
        key = (name, is_private)
        topic = self._topics.get(key)
        if topic is None:
            topic = self._topics[key] = Topic(name, is_private=is_private)
        topic.members[member] = None
        return topic

    def leave(self, member: Member, topic: Topic) -> None:
        topic.members.pop(member, None)
        if topic.roster.untrack(member):
            topic.announce_presence()
        if not topic.members:
            topic.flush_presence()
            self._topics.pop((topic.name, topic.is_private), None)

    def publish(
        self,
        name: str,
        message: Broadcast,
        *,
        is_private: bool,
        sender: Member | None = None,
        message_id: UUID | None = None,
    ) -> int:
        """Send to every member who may read broadcasts, except `sender`; return how many."""
        topic = self._topics.get((name, is_private))
        if topic is None:
            return 0
        count = 0
        for member in topic.members:
            if member is sender or not member.readable.broadcast:
                continue
            if message_id is not None and message_id in member.replayed:
                continue
            _send(member, message)
            count += 1
        self.events.add(count)
        return count


def _send(member: Member, message: Broadcast) -> None:
    frame = message.frame(member.socket.version)
    if frame is not None:
        member.socket.enqueue(frame)
