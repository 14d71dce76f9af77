"""Which callers see which rows: Postgres decides, as each of them, in one query for all."""

import logging
from collections.abc import Mapping, Sequence

import psycopg
from psycopg import sql

from stack.core.callers import Caller
from stack.core.database import Connection

logger = logging.getLogger("stack.realtime")

Key = Mapping[str, str | None]  # primary key, as text
_TOGETHER, _ALONE = "5s", "1s"  # statement timeouts


async def visible_rows(
    connection: Connection, schema: str, table: str, keys: Sequence[Key], callers: Sequence[Caller]
) -> list[frozenset[int]]:
    """For each caller, the numbers of the rows that it may select now.

    A caller whose policies raise, or take too long, sees nothing; the others are not affected.
    Errors: psycopg.OperationalError when the connection is lost.
    """
    query = _query(connection, schema, table, keys)
    try:
        return await _ask(connection, query, callers, _TOGETHER)
    except psycopg.errors.QueryCanceled:
        logger.info("policies of %s.%s are slow: callers are asked one by one", schema, table)
    answers = []
    for caller in callers:
        try:
            answers += await _ask(connection, query, [caller], _ALONE)
        except psycopg.errors.QueryCanceled:
            answers.append(frozenset[int]())
    return answers


def _query(connection: Connection, schema: str, table: str, keys: Sequence[Key]) -> str:
    relation = sql.Identifier(schema, table)
    # literals without a type take the column's: nobody needs rights on a type's schema
    found = sql.SQL(" union all ").join(
        sql.SQL("select {} as n from {} as t where {}").format(
            sql.Literal(number),
            relation,
            sql.SQL(" and ").join(
                sql.SQL("t.{} = {}").format(sql.Identifier(name), sql.Literal(value))
                for name, value in key.items()
            ),
        )
        for number, key in enumerate(keys)
    )
    query = sql.SQL("select array_agg(f.n) from ({}) as f").format(found)
    return query.as_string(connection)


async def _ask(
    connection: Connection, query: str, callers: Sequence[Caller], statement_timeout: str
) -> list[frozenset[int]]:
    async with connection.transaction(force_rollback=True):
        await connection.execute(
            "select set_config('statement_timeout', %s, true)", [statement_timeout]
        )
        cursor = await connection.execute(
            "select visible from _stack.visible_rows(%s, %s::text[], %s::text[]) order by caller",
            [
                query,
                [caller.role for caller in callers],
                [caller.claims_json for caller in callers],
            ],
        )
        return [frozenset(visible or ()) for (visible,) in await cursor.fetchall()]
