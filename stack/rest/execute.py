"""Runs a plan: one round trip, or two where the rows decide whether to commit."""

import json
import select
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psycopg
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from stack.core.database import Connection
from stack.rest.errors import RestError, database_error, singularity, too_many_affected
from stack.rest.plan.compile import Plan
from stack.rest.transaction import Frame
from stack.rest.wire import simple_query

_BYTEA = 17
_IDLE = TransactionStatus.IDLE
_CLOSING = {"commit": ";commit", "rollback": ";set constraints all immediate;rollback"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The statement's one row. `rows`: on this page; `location`: pairs of the created row's key."""

    total: int | None
    rows: int
    body: bytes
    headers: bytes | None
    status: bytes | None
    created: int | None
    location: Sequence[tuple[str, str]] = ()


def _is_cut(error: psycopg.Error) -> bool:
    return error.sqlstate is None or error.sqlstate in ("57P01", "57P02")


def _is_alive(connection: Connection) -> bool:
    """Without a round trip: an idle connection has nothing to read unless it is being closed."""
    raw = connection.pgconn
    if raw.status != ConnStatus.OK:
        return False
    if not hasattr(select, "poll"):  # Windows
        return not select.select([raw.socket], [], [], 0)[0]
    waiting = select.poll()
    waiting.register(raw.socket, select.POLLIN)
    return not waiting.poll(0)


class Runner:
    """Executes statements on a pool of authenticator's connections."""

    def __init__(self, pool: AsyncConnectionPool[Connection], max_rows: int | None) -> None:
        self._pool = pool
        self._max_rows = max_rows

    async def run(
        self,
        frame: Frame,
        plan: Plan,
        values: Sequence[str],
        *,
        is_anonymous: bool,
        rolls_back: bool,
    ) -> Outcome:
        """Errors: RestError, of what Postgres refused, or of rows that are too many or too few."""
        statement = plan.statement.fill(values)
        estimate = f";{plan.estimate.fill(values)}" if plan.estimate else ""
        closing = _CLOSING["rollback" if rolls_back else "commit"]
        begin = frame.begin or ("begin;" if rolls_back else None)
        text = f"{begin or ''}{frame.setup}{statement}{estimate}"
        if begin and not plan.must_check:
            text += closing
        for attempt in (1, 2):
            try:
                return await self._attempt(text, plan, closing)
            except psycopg.Error as error:
                # a read may be asked twice; a write may have happened
                if _is_cut(error) and plan.is_read_only and attempt == 1:
                    continue
                raise database_error(error, is_anonymous=is_anonymous) from error
        raise AssertionError("unreachable")

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        """A connection that was alive a moment ago: nothing is sent on one that was cut off."""
        connection = await self._pool.getconn()
        while not _is_alive(connection):
            await connection.close()
            await self._pool.putconn(connection)
            connection = await self._pool.getconn()
        try:
            yield connection
        except psycopg.Error:
            if not connection.closed and connection.info.transaction_status != _IDLE:
                await connection.rollback()
            raise
        finally:
            await self._pool.putconn(connection)

    async def row(self, query: str) -> list[bytes | None]:
        """The one row of the last statement of `query`, as text. Errors: psycopg.Error."""
        async with self._connection() as connection:
            result = (await simple_query(connection, query.encode()))[-1]
        return [result.get_value(0, number) for number in range(result.nfields)]

    async def _attempt(self, text: str, plan: Plan, closing: str) -> Outcome:
        try:
            async with self._connection() as connection:
                outcome = self._outcome(await simple_query(connection, text.encode()), plan)
                if plan.must_check:
                    await self._check(connection, plan, outcome, closing)
        except PoolTimeout:
            raise RestError(
                504, "PGRST003", "Timed out acquiring connection from connection pool."
            ) from None
        check_rows(plan, outcome)
        return outcome

    async def _check(
        self, connection: Connection, plan: Plan, outcome: Outcome, closing: str
    ) -> None:
        try:
            check_rows(plan, outcome)
        except RestError:
            await simple_query(connection, b"rollback")
            raise
        await simple_query(connection, closing[1:].encode())

    def _outcome(self, answers: Sequence[PGresult], plan: Plan) -> Outcome:
        results = [result for result in answers if result.status == ExecStatus.TUPLES_OK]
        estimate = None
        if plan.estimate is not None:
            planned = json.loads(results.pop().get_value(0, 0) or b"[]")
            estimate = int(planned[0]["Plan"]["Plan Rows"])
        result = results[-1]
        if plan.shown.plan is not None:
            lines = [result.get_value(row, 0) or b"" for row in range(result.ntuples)]
            return Outcome(None, 0, b"\n".join(lines) + b"\n", None, None, None)
        if result.ntuples == 0:
            return Outcome(0, 0, b"", None, None, None)
        total, rows, body, headers, status, created, location = (
            result.get_value(0, number) for number in range(7)
        )
        if body is not None and result.ftype(2) == _BYTEA:
            body = bytes.fromhex(body[2:].decode())
        return Outcome(
            self._total(int(total) if total is not None else None, estimate, plan),
            int(rows or 0),
            body or b"",
            headers,
            status,
            int(created) if created is not None else None,
            [(name, value) for name, value in json.loads(location)] if location else (),
        )

    def _total(self, counted: int | None, estimate: int | None, plan: Plan) -> int | None:
        if plan.preferences.count == "planned":
            return estimate
        if plan.preferences.count == "estimated" and counted is not None and estimate is not None:
            is_beyond = self._max_rows is not None and counted > self._max_rows
            return max(counted, estimate) if is_beyond else counted
        return counted


def check_rows(plan: Plan, outcome: Outcome) -> None:
    """Errors: PGRST115, PGRST116, PGRST124."""
    if plan.shown.plan is not None:
        return
    if plan.action == "put" and outcome.rows != 1:
        raise RestError(400, "PGRST115", "Payload values do not match URL in primary key column(s)")
    if plan.shown.is_object and plan.action != "put" and outcome.rows != 1:
        raise singularity(outcome.rows)
    limit = plan.preferences.max_affected
    if (
        limit is not None
        and plan.preferences.is_strict
        and plan.action in ("update", "delete", "call")
        and outcome.rows > limit
    ):
        raise too_many_affected(outcome.rows)
