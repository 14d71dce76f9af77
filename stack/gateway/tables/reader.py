"""Reads rows as somebody: a read-only transaction with their role and claims, and a short limit."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from stack.core.callers import Caller
from stack.core.database import Connection, Database, acting_as
from stack.gateway.tables.catalog import Column, Policy, Relation, User

PAGE_ROWS = 50
_CELL_CHARACTERS = 300
_SECONDS = "3s"
OPERATORS = {"=": "=", "≠": "is distinct from", "contains": "ilike", "is null": "is null"}


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks. Without a caller it is the owner, role postgres, whom no policy holds back."""

    name: str
    caller: Caller | None = None

    @classmethod
    def of(cls, role: str, user: User | None = None) -> "Viewer":
        """A role of the API, `authenticated` as a certain user."""
        claims: dict[str, Any] = dict(user.claims) if user else {"role": role}
        caller = Caller(role, claims, json.dumps(claims))
        return cls(f"authenticated as {user.label}" if user else role, caller)


OWNER = Viewer("owner (postgres)")


@dataclass(frozen=True, slots=True)
class Choice:
    """Which rows. Column names are those of the relation, or None."""

    filter_column: str | None = None
    operator: str = "="
    value: str = ""
    order: str | None = None
    is_descending: bool = False
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Rows:
    """A page of cells as text, None for null; or why there is none, as Postgres words it."""

    rows: Sequence[Sequence[str | None]] = field(default=())
    has_more: bool = False
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything of one relation that the page shows."""

    relation: Relation
    columns: Sequence[Column]
    policies: Sequence[Policy]
    privileges: Mapping[str, Sequence[str]]
    rows: Rows
    counts: Sequence[tuple[str, str]]


@asynccontextmanager
async def reading(database: Database, viewer: Viewer) -> AsyncIterator[Connection]:
    """A connection of its own in a read-only transaction that ends by rollback.

    Read-only is said at login already, so nothing that runs inside can take it back.
    """
    login = "postgres" if viewer.caller is None else "authenticator"
    connection = await psycopg.AsyncConnection.connect(
        database.conninfo(login),
        autocommit=True,
        options=f"-c default_transaction_read_only=on -c statement_timeout={_SECONDS}"
        f" -c lock_timeout={_SECONDS}",
    )
    try:
        if viewer.caller is None:
            async with connection.transaction(force_rollback=True):
                yield connection
        else:
            async with acting_as(connection, viewer.caller):
                yield connection
    finally:
        await connection.close()


async def read_rows(
    database: Database,
    viewer: Viewer,
    relation: Relation,
    columns: Sequence[Column],
    choice: Choice,
) -> Rows:
    """One page of rows as `viewer` sees them."""
    cells = sql.SQL(", ").join(
        sql.SQL("left({}::text, {})").format(sql.Identifier(column.name), _CELL_CHARACTERS + 1)
        for column in columns
    )
    query = sql.SQL("select {} from {}{}{} limit {} offset {}").format(
        cells or sql.SQL("null"),
        sql.Identifier(relation.schema, relation.name),
        _condition(choice),
        _order(columns, choice),
        PAGE_ROWS + 1,
        choice.offset,
    )
    try:
        async with reading(database, viewer) as connection:
            found = await connection.execute(query)
            rows = [tuple(map(_cell, row)) for row in await found.fetchall()]
    except psycopg.Error as error:
        return Rows(refusal=_worded(error))
    return Rows(rows[:PAGE_ROWS], len(rows) > PAGE_ROWS)


async def count_rows(database: Database, viewer: Viewer, relation: Relation) -> str:
    """How many rows `viewer` sees, or why none."""
    query = sql.SQL("select count(*) from {}").format(
        sql.Identifier(relation.schema, relation.name)
    )
    try:
        async with reading(database, viewer) as connection:
            row = await (await connection.execute(query)).fetchone()
    except psycopg.Error as error:
        return _worded(error)
    return f"{row[0]:,}" if row else ""


def _condition(choice: Choice) -> sql.Composable:
    # literals, not placeholders: in a query with placeholders, a name may not hold a percent sign
    if choice.filter_column is None:
        return sql.SQL("")
    column = sql.Identifier(choice.filter_column)
    if choice.operator == "is null":
        return sql.SQL(" where {} is null").format(column)
    value = choice.value
    if choice.operator == "contains":
        escaped = value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        value = f"%{escaped}%"
    operator = sql.SQL(OPERATORS[choice.operator])
    return sql.SQL(" where {}::text {} {}").format(column, operator, sql.Literal(value))


def _order(columns: Sequence[Column], choice: Choice) -> sql.Composable:
    """By the chosen column, then by the primary key, so that pages do not overlap."""
    direction = sql.SQL(" desc" if choice.is_descending else " asc")
    keys = sorted(
        (column for column in columns if column.key_position is not None),
        key=lambda column: column.key_position or 0,
    )
    parts: list[sql.Composable] = [sql.Identifier(column.name) for column in keys]
    if choice.order is not None:
        parts.insert(0, sql.Identifier(choice.order) + direction)
    return sql.SQL(" order by ") + sql.SQL(", ").join(parts) if parts else sql.SQL("")


def _cell(value: str | None) -> str | None:
    if value is not None and len(value) > _CELL_CHARACTERS:
        return value[:_CELL_CHARACTERS] + "…"
    return value


def _worded(error: psycopg.Error) -> str:
    words = error.diag.message_primary or str(error).splitlines()[0]
    return f"{words} ({error.sqlstate})" if error.sqlstate else words
