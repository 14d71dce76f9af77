"""Connections to Postgres: every transaction says first as whom it acts."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, LiteralString, TypeVar
from weakref import WeakKeyDictionary

import psycopg
from psycopg.rows import class_row
from psycopg.sql import SQL
from psycopg_pool import AsyncConnectionPool

from workers.core.errors import Rejected
from workers.core.settings import Settings

Connection = psycopg.AsyncConnection[Any]
Pool = AsyncConnectionPool[Connection]

Row = TypeVar("Row")

WORKER = "guildhall_worker"

_SET = SQL("set_config({}, {}, true)")
_CHECKED_SECONDS = 5.0
_checked: WeakKeyDictionary[Connection, float] = WeakKeyDictionary()


def make_pool(settings: Settings) -> Pool:
    """A closed pool, for `transaction`, which begins by itself.

    No prepared statements, so that a transaction pooler may stand between.
    """
    return AsyncConnectionPool(
        settings.database_url.get_secret_value(),
        kwargs={"prepare_threshold": None, "application_name": "guildhall", "autocommit": True},
        min_size=1,
        max_size=settings.database_pool_size,
        check=_check,
        open=False,
    )


async def _check(connection: Connection) -> None:
    """Let no connection out that died in the pool; one that was seen alive just now passes."""
    now = time.monotonic()
    if now - _checked.get(connection, 0.0) > _CHECKED_SECONDS:
        await AsyncConnectionPool.check_connection(connection)
        _checked[connection] = now


@asynccontextmanager
async def transaction(
    pool: Pool, role: str = WORKER, claims: str = "", *, timeout_ms: int = 0
) -> AsyncIterator[Connection]:
    """A transaction as `role` with the token's claims (JSON); commits on a clean exit.

    `timeout_ms` bounds each statement; 0 leaves it to the server.

    Errors: Rejected when a rule in the database said no.
    """
    settings = [_SET.format("role", role), _SET.format("request.jwt.claims", claims)]
    if timeout_ms:
        settings.append(_SET.format("statement_timeout", str(timeout_ms)))
    # in one go: each further message would cost as much as a small query
    begin = SQL("begin; select {}").format(SQL(", ").join(settings))
    try:
        async with pool.connection() as connection:  # commits, or rolls back what failed
            await connection.execute(begin)
            yield connection
    except psycopg.Error as error:
        if (rejected := Rejected.read(error)) is not None:
            raise rejected from error
        raise


async def one(
    db: Connection, row: type[Row], query: LiteralString, arguments: list[object]
) -> Row | None:
    """The first row of a query as a dataclass, or None."""
    cursor = db.cursor(row_factory=class_row(row))
    await cursor.execute(query, arguments)
    return await cursor.fetchone()
