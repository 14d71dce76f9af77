"""`/tables`: chooses by query string, reads, and lays out."""

from collections.abc import Mapping, Sequence

import psycopg
from starlette.types import Receive, Scope, Send

from stack.core.database import Database
from stack.core.query import pairs
from stack.gateway.html import page, send_page
from stack.gateway.tables import catalog, layout
from stack.gateway.tables.catalog import Column, Relation, User
from stack.gateway.tables.reader import (
    OPERATORS,
    OWNER,
    Choice,
    Shown,
    Viewer,
    count_rows,
    read_rows,
    reading,
)

_MAX_OFFSET = 10_000_000


class TablesPage:
    """The table view. Names from the query are looked up in the catalog, never trusted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = dict(reversed(pairs(scope["query_string"])))
        try:
            async with reading(self._database, OWNER) as connection:
                relations = await catalog.relations(connection)
                users = await catalog.users(connection)
        except (psycopg.Error, OSError) as error:
            body = layout.refusal(f"Postgres does not answer: {str(error).strip()}")
            await send_page(send, page("Tables", "/tables", body), 503)
            return
        relation, viewer = _find(relations, asked), _viewer(asked, users)
        if viewer is None:  # never as somebody else
            body = layout.refusal("Nobody of that name is among the roles and the latest users.")
            await send_page(send, page("Tables", "/tables", body), 404)
            return
        shown = None
        if relation is not None:
            shown = await self._read(relation, viewer, asked, users)
        status = 404 if relation is None and "table" in asked else 200
        body = layout.tables(asked, relations, users, shown)
        title = f"{relation.schema}.{relation.name}" if relation else "Tables"
        await send_page(send, page(title, "/tables", body), status)

    async def _read(
        self, relation: Relation, viewer: Viewer, asked: Mapping[str, str], users: Sequence[User]
    ) -> Shown:
        async with reading(self._database, OWNER) as connection:
            columns = await catalog.columns(connection, relation.oid)
            policies = await catalog.policies(connection, relation.oid)
            privileges = await catalog.privileges(connection, relation.oid)
        rows = await read_rows(self._database, viewer, relation, columns, _choice(asked, columns))
        counts = []
        if "compare" in asked:
            viewers = [Viewer.of("anon"), Viewer.of("authenticated")]
            viewers += [Viewer.of("authenticated", user) for user in users[:5]]
            for one in (*viewers, Viewer.of("service_role"), OWNER):
                counts.append((one.name, await count_rows(self._database, one, relation)))
        return Shown(relation, columns, policies, privileges, rows, counts)


def _find(relations: Sequence[Relation], asked: Mapping[str, str]) -> Relation | None:
    wanted = asked.get("schema", "public"), asked.get("table")
    return next((one for one in relations if (one.schema, one.name) == wanted), None)


def _viewer(asked: Mapping[str, str], users: Sequence[User]) -> Viewer | None:
    role = asked.get("as") or "owner"
    if role == "owner":
        return OWNER
    if role in catalog.API_ROLES:
        return Viewer.of(role)
    user = next((one for one in users if str(one.id) == role), None)
    return Viewer.of("authenticated", user) if user else None


def _choice(asked: Mapping[str, str], columns: Sequence[Column]) -> Choice:
    names = {column.name for column in columns}
    column, order = asked.get("column"), asked.get("order", "")
    operator = asked.get("operator", "=")
    offset = asked.get("offset", "0")
    is_descending = order.startswith("-") and order not in names
    order = order[1:] if is_descending else order
    return Choice(
        filter_column=column if column in names else None,
        operator=operator if operator in OPERATORS else "=",
        value=asked.get("value", "").replace("\0", ""),
        order=order if order in names else None,
        is_descending=is_descending,
        offset=min(int(offset), _MAX_OFFSET) if offset.isascii() and offset.isdecimal() else 0,
    )
