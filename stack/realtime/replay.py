"""Replay: what a private topic was told before a client joined it."""

from typing import Any
from uuid import UUID

import psycopg

from stack.realtime.authorization import Rights
from stack.realtime.broadcast import MessageStream
from stack.realtime.frames import Frame
from stack.realtime.joining import JoinConfig
from stack.realtime.protocol import Version
from stack.realtime.surroundings import JoinRefused, unauthorized

_CODE = "UnableToReplayMessages"
_DEFAULT_LIMIT = 25


async def replay(
    stream: MessageStream, config: JoinConfig, topic: str, readable: Rights, version: Version
) -> tuple[frozenset[UUID], list[Frame]]:
    """The messages that the join asks for: their ids, and their frames, oldest first.

    Errors: JoinRefused.
    """
    asked: Any = config.replay
    if asked is None:
        return frozenset(), []
    if not config.is_private:
        raise JoinRefused(_CODE, "Replay is not allowed for public channels")
    if not readable.broadcast:
        raise unauthorized(topic)
    since = asked.get("since") if isinstance(asked, dict) else None
    limit = asked.get("limit") if isinstance(asked, dict) else None
    if not isinstance(since, int) or not isinstance(limit, int | None):
        raise JoinRefused(_CODE, "Replay params are not valid")
    try:
        stored = await stream.replay(topic, since, _DEFAULT_LIMIT if limit is None else limit)
    except psycopg.Error as error:
        raise JoinRefused(_CODE, "Realtime was unable to replay messages") from error
    frames = [message.broadcast(is_replay=True).frame(version) for message in stored]
    ids = frozenset(message.id for message in stored)
    return ids, [frame for frame in frames if frame is not None]
