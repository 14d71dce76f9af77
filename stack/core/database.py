"""Connections: one pool per login role, each with only the rights that role has."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg_pool import AsyncConnectionPool

from stack.core.callers import Caller
from stack.core.config import Config

Connection = psycopg.AsyncConnection[Any]


class Database:
    """The stack's Postgres, seen by its services."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._pools: dict[str, AsyncConnectionPool[Connection]] = {}

    def conninfo(self, role: str) -> str:
        """A connection string for `role`, one of the login roles that bootstrap makes."""
        url = self._config.admin_db_url if role == "supabase_admin" else self._config.db_url(role)
        return make_conninfo(url, application_name=f"stack: {role}")

    async def pool(self, role: str, *, max_size: int = 5) -> AsyncConnectionPool[Connection]:
        """The pool of a login role, opened on first use. Autocommit, no prepared statements."""
        if role not in self._pools:
            pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
                self.conninfo(role),
                kwargs={"autocommit": True, "prepare_threshold": None},
                min_size=1,
                max_size=max_size,
                timeout=10,
                # our own Postgres tells us when it restarts: see refresh
                check=AsyncConnectionPool.check_connection
                if self._config.external_db_url
                else None,
                open=False,
                name=role,
            )
            self._pools[role] = pool
            await pool.open()
        return self._pools[role]

    async def connect(self, role: str, purpose: str) -> Connection:
        """A connection of one's own, outside any pool: to listen, or to read a slot."""
        return await psycopg.AsyncConnection.connect(
            self.conninfo(role),
            autocommit=True,
            prepare_threshold=None,
            application_name=f"stack: {purpose}",
        )

    async def refresh(self) -> None:
        """Replace the connections that a restart of Postgres broke."""
        for pool in list(self._pools.values()):
            await pool.check()

    async def close(self) -> None:
        while self._pools:
            await self._pools.popitem()[1].close(timeout=1)


@asynccontextmanager
async def acting_as(
    connection: Connection, caller: Caller, settings: Mapping[str, str] | None = None
) -> AsyncIterator[Connection]:
    """A transaction with the caller's role and claims, as row-level security sees them.

    `settings` are further ones for this transaction. The login role must be a member of the
    caller's; a refusal is psycopg's InsufficientPrivilege.
    """
    known = {
        "role": caller.role,
        "request.jwt.claims": caller.claims_json,
        "request.jwt.claim.sub": caller.user_id or "",
        "request.jwt.claim.role": caller.role,
        **(settings or {}),
    }
    calls = ", ".join(["set_config(%s, %s, true)"] * len(known))
    async with connection.transaction():
        await connection.execute(
            f"select {calls}", [value for pair in known.items() for value in pair]
        )
        yield connection
