"""Transactions of a request: its caller's role and claims, so that the policies decide."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

from stack.core.callers import Caller
from stack.core.database import Connection, Database, acting_as
from stack.storage.errors import access_denied, from_database

SERVICE = Caller("service_role", {"role": "service_role"}, '{"role":"service_role"}')
_ROLE = "supabase_storage_admin"
_CONNECTIONS = 8
_ALLOWED = {"storage.allow_delete_query": "true"}


class Access:
    """Opens transactions as somebody. Refusals of Postgres become StorageErrors."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def acting(self, caller: Caller, operation: str) -> AsyncIterator[Connection]:
        """A transaction as `caller`; policies read `operation` by storage.operation()."""
        if caller.role == _ROLE:  # the tables' owner, whom no policy binds, is nobody's role
            raise access_denied(f'permission denied to set role "{caller.role}"')
        pool = await self._database.pool(_ROLE, max_size=_CONNECTIONS)
        try:
            async with (
                pool.connection() as connection,
                acting_as(connection, caller, _ALLOWED | {"storage.operation": operation}),
            ):
                yield connection
        except psycopg.Error as error:
            raise from_database(error) from error

    @asynccontextmanager
    async def asking(self, caller: Caller, operation: str) -> AsyncIterator[Connection]:
        """The same, but nothing stays: a question whether the caller could."""
        async with self.acting(caller, operation) as connection:
            yield connection
            raise psycopg.Rollback

    async def database_identity(self) -> str:
        """Tells one database from another, also after a restart."""
        async with self.acting(SERVICE, "") as connection:
            cursor = await connection.execute(
                "select system_identifier || '/' || current_database() from pg_control_system()"
            )
            row = await cursor.fetchone()
        return str(row[0]) if row else ""
