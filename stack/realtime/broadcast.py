"""Messages from the database: `realtime.messages` to whoever delivers them, each exactly once."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from stack.core.database import Connection, Database
from stack.realtime.protocol import BinaryBroadcast, Broadcast, UserBroadcast, dumps

logger = logging.getLogger("stack.realtime")

_COLUMNS = """
select id, topic, event, coalesce(private, false) as private, payload::text as payload_json,
    binary_payload, inserted_at
from realtime.messages
"""
# Whatever commits after this query began its transaction after the moment it answers.
_HORIZON = """
select (least(now(), min(xact_start)) - interval '1 second') at time zone 'utc'
from pg_catalog.pg_stat_activity
where xact_start is not null and pid <> pg_backend_pid() and backend_type not like 'autovacuum%'
"""
_SWEEP_SECONDS = 1.0
_AT_ONCE = 200  # messages read by one query: payloads may be large
_MAX_REPLAY = 25
_LONGEST_WAIT = 2.0


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One row of `realtime.messages`; `topic` has no `realtime:` prefix."""

    id: UUID
    topic: str
    event: str | None
    private: bool
    payload_json: str | None
    binary_payload: bytes | None
    inserted_at: datetime

    def broadcast(self, *, is_replay: bool = False) -> Broadcast:
        """The message as clients get it."""
        meta: dict[str, object] = {"replayed": True} if is_replay else {}
        meta["id"] = str(self.id)
        topic, event = f"realtime:{self.topic}", self.event or ""
        if self.binary_payload is not None:
            content = UserBroadcast(event, self.binary_payload, is_json=False, metadata=meta)
            return BinaryBroadcast(topic, content)
        payload = (
            f'{{"type":"broadcast","event":{dumps(event)},"payload":{self.payload_json or "null"},'
            f'"meta":{dumps(meta)}}}'
        )
        return Broadcast(topic, "broadcast", payload)


class MessageStream:
    """Follows `realtime.messages`: a notification wakes it, a sweep finds what was not notified.

    Lost connections lose nothing: after reconnecting it reads what was committed meanwhile. A
    message may have been inserted long before its commit, so the sweep looks back to the start of
    the oldest transaction that was open at the sweep before, and skips the ids it knows.
    `is_watched`: whether anybody could receive a message; if not, none is read.
    """

    def __init__(
        self,
        database: Database,
        deliver: Callable[[StoredMessage], None],
        is_watched: Callable[[], bool],
    ) -> None:
        self._database = database
        self._deliver = deliver
        self._is_watched = is_watched
        self._known: dict[UUID, datetime] = {}
        self._horizon: datetime | None = None
        self._swept_at = 0.0
        self._task: asyncio.Task[None] | None = None
        self.ready = asyncio.Event()

    async def start(self, timeout_seconds: float = 5.0) -> None:
        """Start to follow; return once connected, or after the timeout."""
        self._task = asyncio.create_task(self._run())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.ready.wait(), timeout_seconds)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def replay(self, topic: str, since_ms: int, limit: int) -> list[StoredMessage]:
        """A private topic's last messages since a moment (epoch ms), oldest first."""
        try:
            since = datetime.fromtimestamp(since_ms / 1000, UTC).replace(tzinfo=None)
        except (ValueError, OverflowError, OSError):
            return []
        pool = await self._database.pool("supabase_admin")
        async with pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(StoredMessage))
            await cursor.execute(
                f"{_COLUMNS} where topic = %s and private and extension = 'broadcast'"
                " and inserted_at >= %s order by inserted_at desc limit %s",
                [topic, since, max(1, min(limit, _MAX_REPLAY))],
            )
            return list(reversed(await cursor.fetchall()))

    async def _run(self) -> None:
        wait = 0.05
        while True:
            try:
                async with await self._connect() as connection:
                    await connection.execute("listen stack_realtime")
                    await self._sweep(connection)
                    self.ready.set()
                    wait = 0.05
                    while True:
                        await self._follow(connection)
            except psycopg.Error as error:
                self.ready.clear()
                logger.info("realtime lost its connection, reconnecting: %s", error)
                await asyncio.sleep(wait)
                wait = min(wait * 2, _LONGEST_WAIT)

    async def _connect(self) -> Connection:
        return await self._database.connect("supabase_admin", "realtime messages")

    async def _follow(self, connection: Connection) -> None:
        woken = []
        async for notification in connection.notifies(timeout=_SWEEP_SECONDS, stop_after=1):
            with contextlib.suppress(ValueError):  # anybody who can run SQL can notify
                woken.append(UUID(notification.payload))
        if self._is_watched():
            for start in range(0, len(woken), _AT_ONCE):
                await self._read(connection, woken[start : start + _AT_ONCE])
        else:
            now = datetime.now(UTC).replace(tzinfo=None)
            self._known.update(dict.fromkeys(woken, now))
            if not woken:
                return  # nobody speaks, nobody listens
        if time.monotonic() - self._swept_at > _SWEEP_SECONDS:
            await self._sweep(connection)

    async def _read(self, connection: Connection, ids: Sequence[UUID]) -> None:
        cursor = connection.cursor(row_factory=class_row(StoredMessage))
        await cursor.execute(f"{_COLUMNS} where id = any(%s)", [list(ids)])
        found = {message.id: message for message in await cursor.fetchall()}
        await self._hand_over([found[id_] for id_ in ids if id_ in found])

    async def _sweep(self, connection: Connection) -> None:
        """Find what was committed without waking us, forget what cannot come again.

        The first sweep, and any while nobody listens, only takes stock.
        """
        self._swept_at = time.monotonic()
        since, takes_stock = self._horizon, self._horizon is None or not self._is_watched()
        cursor = await connection.execute(_HORIZON)
        horizon: datetime = (await cursor.fetchone() or [datetime.min])[0]
        missed = []
        cursor = await connection.execute(
            "select id, inserted_at from realtime.messages where inserted_at >= %s"
            " and extension = 'broadcast' and not skip_broadcast order by inserted_at",
            [horizon if since is None else since],
        )
        for id_, inserted_at in await cursor.fetchall():
            if takes_stock:
                self._known[id_] = inserted_at
            elif id_ not in self._known:
                missed.append(id_)
        for start in range(0, len(missed), _AT_ONCE):
            await self._read(connection, missed[start : start + _AT_ONCE])
        self._horizon = horizon
        self._known = {id_: at for id_, at in self._known.items() if at >= horizon}

    async def _hand_over(self, messages: Sequence[StoredMessage]) -> None:
        for message in messages:
            if message.id in self._known:
                continue
            self._known[message.id] = message.inserted_at
            try:
                self._deliver(message)
            except Exception:
                logger.exception("could not deliver message %s", message.id)
            await asyncio.sleep(0)  # let sockets write, lest a burst looks like a slow client
