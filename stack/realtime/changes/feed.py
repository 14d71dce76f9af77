"""The feed of changes: a logical replication slot, read by SQL as long as anybody subscribes."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg import errors

from stack.core.callers import Caller
from stack.core.database import Connection, Database
from stack.realtime.changes.delivery import Courier
from stack.realtime.changes.pgoutput import Decoder, Transaction, Unreadable
from stack.realtime.changes.subscriptions import (
    PUBLICATION,
    Register,
    Subscriber,
    Subscription,
    check_entries,
    read_entry,
)

logger = logging.getLogger("stack.realtime")

_POLL_SECONDS = 0.02
_LINGER_SECONDS = 5.0  # the slot outlives its last subscriber by so much
_MESSAGES_AT_ONCE = 5000
_CHANGES_AT_ONCE = 200
_LONGEST_WAIT = 2.0
_LIVE_SECONDS = 5.0  # then a subscriber is told to wait, and tried again
_EMIT_FLUSHES = 170000  # since 17, pg_logical_emit_message can flush the log

_NAME = """
select 'stack_realtime_' || oid from pg_catalog.pg_database where datname = current_database()
"""
_POSITIONS = """
select
    pg_current_wal_insert_lsn() - '0/0'::pg_lsn as written,
    pg_current_wal_flush_lsn() - '0/0'::pg_lsn as flushed
"""
_PEEK = """
select data from pg_logical_slot_peek_binary_changes(
    %s, null, %s, 'proto_version', '1', 'publication_names', %s
)
"""


class ChangesFeed:
    """Follows the publication `supabase_realtime`.

    The slot is permanent, so that changes committed while the connection is lost are read after
    it; what was delivered is remembered, so nothing comes twice. So that it never holds back the
    log for nobody, it exists only while somebody subscribes: it is dropped soon after the last
    subscriber left, when the server stops, and (left over) when it starts.
    """

    SUBSCRIBED = "Subscribed to PostgreSQL"

    def __init__(self, database: Database) -> None:
        self._database = database
        self._register = Register()
        self._courier = Courier(database, self._register)
        self._wanted = asyncio.Event()
        self._live = asyncio.Event()
        self._slot: str | None = None
        self._end_lsn = 0  # the last transaction delivered whole
        self._progress = (0, 0)  # of a transaction delivered in part: its end, how many changes
        self._waiting = 0
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        try:
            async with await self._connect() as connection:
                await self._drop_slot(connection)
        except psycopg.Error as error:
            logger.warning("a slot that was left over could not be dropped: %s", error)
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        with contextlib.suppress(psycopg.Error, TimeoutError):
            async with asyncio.timeout(2), await self._connect() as connection:
                await self._drop_slot(connection)

    async def subscribe(
        self, subscriber: Subscriber, caller: Caller, asked: Sequence[Mapping[str, Any]]
    ) -> None:
        """Follow what is asked from now on, in place of what the subscriber followed before.

        Errors: SubscriptionRefused; psycopg.Error when the database cannot be asked.
        """
        self._waiting += 1
        self._wanted.set()
        try:
            entries = tuple({entry["id"]: read_entry(entry) for entry in asked}.values())
            await self._until_live()
            pool = await self._database.pool("postgres")
            async with pool.connection() as connection:
                entries = await check_entries(connection, caller, entries)
                cursor = await connection.execute(_POSITIONS)
                written, _ = await cursor.fetchone() or (0, 0)
        except BaseException:
            self.unsubscribe(subscriber)
            raise
        finally:
            self._waiting -= 1
        self._register.add(Subscription(subscriber, caller, entries, int(written)))

    async def _until_live(self) -> None:
        try:
            await asyncio.wait_for(self._live.wait(), _LIVE_SECONDS)
        except TimeoutError as error:
            # no slot is to be had, or an old transaction keeps it from starting
            raise psycopg.OperationalError("the feed of changes is not ready") from error

    def unsubscribe(self, subscriber: Subscriber) -> None:
        self._register.remove(subscriber)

    async def _run(self) -> None:
        wait = 0.05
        while True:
            await self._wanted.wait()
            try:
                async with await self._connect() as connection:
                    await self._open_slot(connection)
                    self._live.set()
                    wait = 0.05
                    await self._follow(connection)
                    self._live.clear()
                    self._wanted.clear()
                    await self._drop_slot(connection)
                    if self._waiting:  # somebody came while the slot went
                        self._wanted.set()
            except psycopg.OperationalError as error:
                logger.info("changes: connection lost, reconnecting: %s", error)
                await self._courier.refresh()
            except (psycopg.Error, Unreadable) as error:
                # the slot cannot be read, for instance because the publication was made anew
                logger.warning("changes: starting anew, some may be lost: %s", error)
                await self._forget_slot()
            self._live.clear()
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)

    async def _connect(self) -> Connection:
        return await self._database.connect("supabase_admin", "realtime changes")

    async def _open_slot(self, connection: Connection) -> None:
        name = await self._slot_name(connection)
        cursor = await connection.execute(
            "select wal_status is distinct from 'lost' from pg_replication_slots"
            " where slot_name = %s",
            [name],
        )
        row = await cursor.fetchone()
        if row is not None and row[0] and self._slot == name:
            return
        if row is not None:
            await self._drop_slot(connection)
        await connection.execute(
            "select pg_create_logical_replication_slot(%s, 'pgoutput')", [name]
        )
        self._slot, self._end_lsn, self._progress = name, 0, (0, 0)

    async def _drop_slot(self, connection: Connection) -> None:
        name = await self._slot_name(connection)
        self._slot = None
        await connection.execute(
            "select pg_drop_replication_slot(slot_name) from pg_replication_slots"
            " where slot_name = %s and not active",
            [name],
        )

    async def _forget_slot(self) -> None:
        with contextlib.suppress(psycopg.Error):
            async with await self._connect() as connection:
                await self._drop_slot(connection)

    async def _slot_name(self, connection: Connection) -> str:
        row = await (await connection.execute(_NAME)).fetchone()
        return str(row[0]) if row else ""

    async def _follow(self, connection: Connection) -> None:
        """Read what is committed until nobody has subscribed for a while."""
        position, deserted_at = -1, None
        while True:
            if self._register or self._waiting:
                deserted_at = None
            elif deserted_at is None:
                deserted_at = time.monotonic()
            elif time.monotonic() - deserted_at > _LINGER_SECONDS:
                return
            written, flushed = await self._positions(connection)
            if written == position:
                await asyncio.sleep(_POLL_SECONDS)
                continue
            if flushed < written:  # only what is flushed can be read
                flushed = await self._flush(connection) or flushed
            await self._read(connection, flushed)
            position = flushed
            await asyncio.sleep(_POLL_SECONDS)

    async def _positions(self, connection: Connection) -> tuple[int, int]:
        written, flushed = await (await connection.execute(_POSITIONS)).fetchone() or (0, 0)
        return int(written), int(flushed)

    async def _flush(self, connection: Connection) -> int | None:
        """Have the log flushed where commits do not wait for it; return how far it is."""
        if connection.info.server_version < _EMIT_FLUSHES:
            return None
        await connection.execute("select pg_logical_emit_message(false, 'stack', '', true)")
        return (await self._positions(connection))[1]

    async def _read(self, connection: Connection, flushed: int) -> None:
        cursor = connection.cursor(binary=True)
        await cursor.execute(_PEEK, [self._slot, _MESSAGES_AT_ONCE, PUBLICATION])
        messages = await cursor.fetchall()
        decoder = Decoder()
        reached = 0
        for (message,) in messages:
            transaction = decoder.read(message)
            if transaction is not None:
                await self._hand_over(transaction)
                reached = transaction.end_lsn
        if len(messages) < _MESSAGES_AT_ONCE:  # else more lies before `flushed`
            reached = max(reached, flushed)
        if reached:
            with contextlib.suppress(errors.InvalidParameterValue):  # it is there already
                await connection.execute(
                    "select pg_replication_slot_advance(%s, '0/0'::pg_lsn + %s)",
                    [self._slot, reached],
                )

    async def _hand_over(self, transaction: Transaction) -> None:
        if transaction.end_lsn <= self._end_lsn:
            return  # read again after a lost connection
        end_lsn, done = self._progress
        done = done if end_lsn == transaction.end_lsn else 0
        for start in range(done, len(transaction.changes), _CHANGES_AT_ONCE):
            some = transaction.changes[start : start + _CHANGES_AT_ONCE]
            await self._courier.deliver(transaction, some)
            self._progress = (transaction.end_lsn, start + len(some))
        self._end_lsn = transaction.end_lsn
