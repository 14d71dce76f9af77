"""Reads the whole catalog in one transaction."""

from collections.abc import Sequence
from typing import Any

from stack.core.database import Connection
from stack.rest.catalog import queries
from stack.rest.catalog.model import (
    Catalog,
    Column,
    Function,
    MediaHandler,
    Name,
    Parameter,
    Relationship,
    Table,
)
from stack.rest.catalog.relationships import ForeignKey, infer
from stack.rest.catalog.views import View, ViewOrigins, origins_in

_HOISTED = ("statement_timeout", "plan_filter.statement_cost_limit")
"""Settings of a function that must hold before its call begins."""


async def load_catalog(connection: Connection, schemas: Sequence[str]) -> Catalog:
    """The catalog of these schemas, as of now."""
    async with connection.transaction():
        await connection.execute("set local search_path = ''")
        await connection.execute("set local statement_timeout = '60s'")

        async def rows(query: str) -> list[tuple[Any, ...]]:
            cursor = await connection.execute(query, {"schemas": list(schemas)})
            return list(await cursor.fetchall())

        column_rows = await rows(queries.COLUMNS)
        table_rows = await rows(queries.TABLES)
        key_rows = await rows(queries.FOREIGN_KEYS)
        primary_rows = await rows(queries.PRIMARY_KEYS)
        view_rows = await rows(queries.VIEWS)
        function_rows = await rows(queries.FUNCTIONS)
        computed_rows = await rows(queries.COMPUTED_RELATIONSHIPS)
        handler_rows = await rows(queries.MEDIA_HANDLERS)
    views = ViewOrigins(
        [
            View(oid, Name(schema, name), columns, origins_in(rule))
            for oid, schema, name, rule, columns in view_rows
        ]
    )
    tables = _tables(table_rows, column_rows, _view_keys(primary_rows, views))
    keys = [
        ForeignKey(
            Name(row[0], row[1]),
            Name(row[2], row[3]),
            row[4],
            tuple(zip(row[5], row[6], strict=True)),
            *row[7:],
        )
        for row in key_rows
    ]
    return Catalog(
        tables={name: table for name, table in tables.items() if name.schema in schemas},
        relationships=infer(keys, views, tables, map(_computed, computed_rows), schemas),
        functions=_functions(function_rows),
        handlers=_handlers(handler_rows),
    )


def _view_keys(rows: Sequence[tuple[Any, ...]], views: ViewOrigins) -> dict[Name, tuple[str, ...]]:
    """A view has the primary keys of the tables it shows whole keys of."""
    found: dict[Name, list[str]] = {}
    for table, numbers in rows:
        taken: set[Name] = set()
        for view, columns in views.showing(table, numbers):
            if view not in taken:  # shown twice: the first is as good as any
                taken.add(view)
                found.setdefault(view, []).extend(columns)
    return {view: tuple(dict.fromkeys(columns)) for view, columns in found.items()}


def _tables(
    table_rows: Sequence[tuple[Any, ...]],
    column_rows: Sequence[tuple[Any, ...]],
    view_keys: dict[Name, tuple[str, ...]],
) -> dict[Name, Table]:
    columns: dict[Name, dict[str, Column]] = {}
    for schema, table, name, kind, nominal, default, nullable, length, enum, text in column_rows:
        columns.setdefault(Name(schema, table), {})[name] = Column(
            name, kind, nominal, default, nullable, length, tuple(enum or ()), text
        )
    tables = {}
    for schema, name, is_view, text, inserts, updates, deletes, key in table_rows:
        known = Name(schema, name)
        tables[known] = Table(
            known,
            columns.get(known, {}),
            view_keys.get(known, ()) if is_view else tuple(key),
            is_view,
            inserts,
            updates,
            deletes,
            text,
        )
    return tables


def _computed(row: tuple[Any, ...]) -> Relationship:
    function_schema, function, schema, table, target_schema, target, is_single = row
    return Relationship(
        Name(schema, table),
        Name(target_schema, target),
        "many-to-one" if is_single else "one-to-many",
        function=Name(function_schema, function),
    )


def _functions(rows: Sequence[tuple[Any, ...]]) -> dict[Name, list[Function]]:
    functions: dict[Name, list[Function]] = {}
    for schema, name, arguments, *rest in rows:
        type_schema, type_name, is_set, is_composite, is_alias, volatility, config, text, oid = rest
        settings = dict(entry.split("=", 1) for entry in config or ())
        function = Function(
            Name(schema, name),
            tuple(Parameter(*argument) for argument in arguments),
            Name(type_schema, type_name),
            is_set,
            is_composite,
            is_alias,
            volatility,
            tuple((key, settings[key]) for key in _HOISTED if key in settings),
            settings.get("default_transaction_isolation"),
            text,
            oid,
        )
        functions.setdefault(function.name, []).append(function)
    for overloads in functions.values():
        overloads.sort(key=lambda one: [(of.name, of.kind) for of in one.parameters])
    return functions


def _handlers(
    rows: Sequence[tuple[Any, ...]],
) -> dict[tuple[Name | None, str], MediaHandler]:
    handlers = {}
    for schema, function, target_schema, target, media, resolved in rows:
        is_any = (target_schema, target) == ("pg_catalog", "anyelement")
        name = None if is_any else Name(target_schema, target)
        handlers[name, media] = MediaHandler(Name(schema, function), name, resolved)
    return handlers
