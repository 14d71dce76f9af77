"""Changed rows in JSON: Postgres itself turns their text into typed values and judges filters."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from stack.core.database import Connection
from stack.realtime.changes.filters import Filter
from stack.realtime.changes.pgoutput import UNCHANGED, Change, Kind, Relation, Row
from stack.realtime.changes.tables import Table
from stack.realtime.protocol import dumps

logger = logging.getLogger("stack.realtime")

_MAX_RECORD_BYTES = 1024 * 1024
_KEPT_WHEN_TOO_LARGE = 64  # bytes of JSON
_TIMEOUT = "set local statement_timeout = '3s'"

Texts = dict[str, str | None]  # by column, as Postgres prints values
Fields = dict[str, str]  # by column, in JSON


@dataclass(slots=True)
class Record:
    """A change with its values. `new` or `old` is None where the kind has none.

    `passed`: the filters that were asked of the database, and hold.
    """

    change: Change
    new_texts: Texts | None
    old_texts: Texts | None
    new: Fields | None = None
    old: Fields | None = None
    passed: set[Filter] = field(default_factory=set)

    @property
    def judged(self) -> Texts:
        """What filters look at: the new row, of a deletion the old."""
        texts = self.old_texts if self.change.kind is Kind.DELETE else self.new_texts
        return texts or {}

    @property
    def is_too_large(self) -> bool:
        size = 0
        for texts in (self.new_texts, self.old_texts):
            size += sum(len(text) for text in (texts or {}).values() if text is not None)
        return size > _MAX_RECORD_BYTES


def record_of(change: Change, table: Table) -> Record:
    """Name the values of a change; columns that are gone by now are left out."""
    relation = change.relation
    old = None
    if change.old is not None:
        old = _named(relation, change.old, table, only_keys=not relation.is_full)
    elif change.kind is Kind.UPDATE and change.new is not None:
        # the key did not change, so the old one is the new one
        old = _named(relation, change.new, table, only_keys=True)
    new = None
    if change.new is not None:
        new = _named(relation, change.new, table, only_keys=False)
        if relation.is_full and old is not None:  # large values that did not change
            new = {
                column.name: new[column.name] if column.name in new else old[column.name]
                for column in relation.columns
                if column.name in new or column.name in old
            }
    return Record(change, new, old)


def _named(relation: Relation, row: Row, table: Table, *, only_keys: bool) -> Texts:
    return {
        column.name: value
        for column, value in zip(relation.columns, row, strict=True)
        if value is not UNCHANGED
        and column.name in table.columns
        and (column.is_key or not only_keys)
    }


class Typist:
    """Fills records in. A filter that fails once (a broken pattern, say) passes nothing again."""

    def __init__(self) -> None:
        self._broken: set[tuple[int, Filter]] = set()

    async def fill(
        self,
        connection: Connection,
        relation: Relation,
        table: Table,
        records: Sequence[Record],
        filters: Sequence[Filter],
    ) -> None:
        """Set `new`, `old` and `passed` of records of one relation.

        Errors: psycopg.Error when values do not fit their types any more.
        """
        usable = [each for each in filters if (relation.oid, each) not in self._broken]
        try:
            await self._ask(connection, relation, table, records, usable)
        except psycopg.OperationalError as error:
            if not isinstance(error, psycopg.errors.QueryCanceled):
                raise
            await self._ask_singly(connection, relation, table, records, usable)
        except psycopg.Error:
            await self._ask_singly(connection, relation, table, records, usable)

    async def _ask_singly(
        self,
        connection: Connection,
        relation: Relation,
        table: Table,
        records: Sequence[Record],
        filters: Sequence[Filter],
    ) -> None:
        await self._ask(connection, relation, table, records, [])
        for each in filters:
            try:
                await self._ask(connection, relation, table, records, [each])
            except psycopg.Error as error:
                logger.info("a filter on %s.%s fails: %s", relation.schema, relation.name, error)
                self._broken.add((relation.oid, each))

    async def _ask(
        self,
        connection: Connection,
        relation: Relation,
        table: Table,
        records: Sequence[Record],
        filters: Sequence[Filter],
    ) -> None:
        columns = [
            table.columns[column.name]
            for column in relation.columns
            if column.name in table.columns
        ]
        rows = [
            (record, is_new, texts)
            for record in records
            for is_new, texts in ((True, record.new_texts), (False, record.old_texts))
            if texts is not None
        ]
        if not columns or not rows:
            return
        values = {
            column.name: sql.SQL("v.{}::{}").format(
                sql.Identifier(f"c{number}"), sql.SQL(column.cast_form)
            )
            for number, column in enumerate(columns)
        }
        applicable = [each for each in filters if each.column in values]
        conditions = [
            each.condition(values[each.column], table.columns[each.column].cast_form)
            for each in applicable
        ]
        query = sql.SQL(
            "select array[{fields}]::text[], array[{conditions}]::boolean[]"
            " from unnest({arrays}) with ordinality as v({names}, n) order by v.n"
        ).format(
            fields=_literally(
                connection,
                [sql.SQL("to_jsonb({})::text").format(value) for value in values.values()],
            ),
            conditions=_literally(connection, conditions),
            arrays=sql.SQL(", ").join([sql.SQL("%s::text[]")] * len(columns)),
            names=sql.SQL(", ").join(
                sql.Identifier(f"c{number}") for number in range(len(columns))
            ),
        )
        parameters: list[Any] = [
            [texts.get(column.name) for _, _, texts in rows] for column in columns
        ]
        async with connection.transaction():
            await connection.execute(_TIMEOUT)
            cursor = await connection.execute(query, parameters)
            answers = await cursor.fetchall()
        for (record, is_new, texts), (fields, truths) in zip(rows, answers, strict=True):
            named = {
                column.name: value or "null"
                for column, value in zip(columns, fields, strict=True)
                if column.name in texts
            }
            if is_new:
                record.new = named
            else:
                record.old = named
            if is_new or record.change.kind is Kind.DELETE:
                record.passed.update(
                    each
                    for each, holds in zip(applicable, truths, strict=True)
                    if holds and each.column in texts
                )


def _literally(connection: Connection, parts: Sequence[sql.Composable]) -> sql.Composable:
    """Parts of a list beside placeholders: a percent sign in them is no placeholder."""
    return sql.SQL(sql.SQL(", ").join(parts).as_string(connection).replace("%", "%%"))


def data_json(
    record: Record, table: Table, shown: frozenset[str], committed_at: str, error: str | None
) -> str:
    """The `data` of a `postgres_changes` message for those who may see the columns `shown`."""
    relation, kind = record.change.relation, record.change.kind
    is_too_large = record.is_too_large
    if error is None and is_too_large:
        error = "Error 413: Payload Too Large"
    columns = [
        {"name": column.name, "type": column.type_name}
        for column in table.columns.values()
        if column.name in shown
    ]
    parts = [
        f'"schema":{dumps(relation.schema)}',
        f'"table":{dumps(relation.name)}',
        f'"type":"{kind.value}"',
        f'"commit_timestamp":"{committed_at}"',
        f'"columns":{dumps(columns)}',
        f'"errors":{dumps([error] if error else None)}',
    ]
    if kind is not Kind.DELETE:
        parts.append(f'"record":{_object(record.new, shown, is_small=is_too_large)}')
    if kind is not Kind.INSERT:
        if kind is Kind.DELETE and table.has_policies:
            shown &= frozenset(table.keys)  # nobody can be asked about a row that is gone
        parts.append(f'"old_record":{_object(record.old, shown, is_small=is_too_large)}')
    return "{" + ",".join(parts) + "}"


def _object(fields: Fields | None, shown: frozenset[str], *, is_small: bool) -> str:
    pairs = (
        f"{dumps(name)}:{value}"
        for name, value in (fields or {}).items()
        if name in shown and not (is_small and len(value.encode()) > _KEPT_WHEN_TOO_LARGE)
    )
    return "{" + ",".join(pairs) + "}"
