"""Connections to Postgres: every transaction says first as whom it acts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, LiteralString, TypeVar

import psycopg
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool

from workers.core.errors import Rejected
from workers.core.settings import Settings

Connection = psycopg.AsyncConnection[Any]
Pool = AsyncConnectionPool[Connection]

Row = TypeVar("Row")

WORKER = "guildhall_worker"


def make_pool(settings: Settings) -> Pool:
    """A closed pool. No prepared statements, so that a transaction pooler may stand between."""
    return AsyncConnectionPool(
        settings.database_url.get_secret_value(),
        kwargs={"prepare_threshold": None, "application_name": "guildhall"},
        min_size=1,
        max_size=settings.database_pool_size,
        check=AsyncConnectionPool.check_connection,
        open=False,
    )


@asynccontextmanager
async def transaction(
    pool: Pool, role: str = WORKER, claims: str = "", *, timeout_ms: int = 0
) -> AsyncIterator[Connection]:
    """A transaction as `role` with the token's claims (JSON); commits on a clean exit.

    `timeout_ms` bounds each statement; 0 leaves it to the server.

    Errors: Rejected when a rule in the database said no.
    """
    async with pool.connection() as connection:
        try:
            async with connection.transaction():
                await connection.execute(
                    "select set_config('role', %s, true),"
                    " set_config('request.jwt.claims', %s, true),"
                    " case when %s > 0 then set_config('statement_timeout', %s::text, true) end",
                    [role, claims, timeout_ms, timeout_ms],
                )
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
