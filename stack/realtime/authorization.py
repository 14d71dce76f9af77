"""Who may use a private topic: asked of the policies on `realtime.messages` themselves."""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import psycopg
from psycopg import errors
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from stack.core.callers import Caller
from stack.core.database import Connection, Database

logger = logging.getLogger("stack.realtime")

_PLACE = "select extension, id from _stack.place_probes(%s)"
_ACT = """
select
    set_config('role', %(role)s, true), set_config('realtime.topic', %(topic)s, true),
    set_config('request.jwt.claims', %(claims)s, true),
    set_config('request.jwt.claim.sub', %(sub)s, true),
    set_config('request.jwt.claim.role', %(role)s, true),
    set_config('request.headers', %(headers)s, true)
"""
_FIND = "select extension from realtime.messages where id = any(%s) and topic = %s"
_WRITE = "insert into realtime.messages (topic, extension, skip_broadcast) values (%s, %s, true)"
_CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Rights:
    """What a caller may do with one extension or the other in a topic."""

    broadcast: bool = False
    presence: bool = False


EVERYTHING = Rights(broadcast=True, presence=True)
_Question = Callable[[Connection], Awaitable[Rights]]


class Unavailable(Exception):
    """The policies could not be asked. `code` and `message` are upstream's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class Gatekeeper:
    """Asks the policies as the caller, in a transaction that is rolled back.

    The session logs in as authenticator: even a policy that changes the role back gains nothing.
    Source: Supabase docs, Realtime authorization; the method is upstream's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def may_read(self, caller: Caller, topic: str, headers: Mapping[str, str]) -> Rights:
        """Select policies: one probe per extension, looked for as the caller.

        A policy that raises allows nothing. Errors: Unavailable.
        """

        async def ask(connection: Connection) -> Rights:
            cursor = await connection.execute(_PLACE, [topic])
            probes = [id_ for _, id_ in await cursor.fetchall()]
            await self._act_as(connection, caller, topic, headers)
            cursor = await connection.execute(_FIND, [probes, topic])
            seen = {extension for (extension,) in await cursor.fetchall()}
            return Rights("broadcast" in seen, "presence" in seen)

        return await self._ask(ask, topic)

    async def may_write(self, caller: Caller, topic: str, headers: Mapping[str, str]) -> Rights:
        """Insert policies: one insert per extension, tried as the caller. Errors: Unavailable."""

        async def ask(connection: Connection) -> Rights:
            await self._act_as(connection, caller, topic, headers)
            allowed = []
            for extension in ("broadcast", "presence"):
                try:
                    async with connection.transaction():
                        await connection.execute(_WRITE, [topic, extension])
                    allowed.append(True)
                except errors.InsufficientPrivilege:
                    allowed.append(False)
            return Rights(*allowed)

        return await self._ask(ask, topic)

    async def _ask(self, ask: _Question, topic: str) -> Rights:
        pool = await self._database.pool("authenticator", max_size=_CONNECTIONS)
        try:
            try:
                return await _rolled_back(pool, ask)
            except errors.QueryCanceled:
                raise
            except errors.OperationalError:  # connections were cut while they lay in the pool
                await pool.check()
                return await _rolled_back(pool, ask)
        except errors.QueryCanceled as error:
            raise Unavailable("QueryCanceled", str(error)) from error
        except errors.CheckViolation as error:  # no partition of realtime.messages for today
            raise Unavailable(
                "MissingPartition", "Realtime was unable to find the expected messages partition"
            ) from error
        except PoolTimeout as error:
            raise Unavailable(
                "IncreaseConnectionPool", "Please increase your connection pool size"
            ) from error
        except errors.OperationalError as error:
            raise Unavailable(
                "UnableToConnectToProject",
                "Realtime was unable to connect to the project database",
            ) from error
        except (psycopg.Error, UnicodeError) as error:  # also an unknown role, a NUL in a name
            logger.info("policies for the topic %r raised: %s", topic, error)
            return Rights()

    async def _act_as(
        self, connection: Connection, caller: Caller, topic: str, headers: Mapping[str, str]
    ) -> None:
        await connection.execute(
            _ACT,
            {
                "role": caller.role,
                "topic": topic,
                "claims": caller.claims_json,
                "sub": caller.user_id or "",
                "headers": json.dumps(headers),
            },
        )


async def _rolled_back(pool: AsyncConnectionPool[Connection], ask: _Question) -> Rights:
    async with pool.connection() as connection, connection.transaction(force_rollback=True):
        return await ask(connection)
