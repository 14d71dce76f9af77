"""Answers the root: asks, as the caller, what the caller may reach, and describes that."""

import json

import psycopg

from stack.core.callers import Caller
from stack.rest.errors import database_error, no_media_type
from stack.rest.live import Picture
from stack.rest.media import accepted
from stack.rest.openapi import describe
from stack.rest.plan.quoting import literal
from stack.rest.request import Head
from stack.rest.respond import Answer

_KIND = "application/openapi+json"
_SHOWN = (_KIND, "application/json", "*/*")


async def root_answer(picture: Picture, head: Head, caller: Caller, url: str) -> Answer:
    """The OpenAPI document. Errors: PGRST107."""
    wanted = [media.name for media in accepted(head.accept)]
    if not any(name in _SHOWN for name in wanted):
        raise no_media_type(wanted)
    try:
        names, oids, comment = await _reachable(picture, head, caller)
    except psycopg.Error as error:
        raise database_error(error, is_anonymous=caller.role == "anon") from error
    everything = picture.settings.openapi == "ignore-privileges"
    catalog = picture.catalog
    body = describe(
        catalog,
        [
            table
            for name, table in catalog.tables.items()
            if name.schema == head.schema and (everything or name.name in names)
        ],
        [
            function
            for name, overloads in catalog.functions.items()
            if name.schema == head.schema
            for function in overloads
            if everything or function.oid in oids
        ],
        comment=comment,
        url=url,
    )
    headers = [(b"content-type", f"{_KIND}; charset=utf-8".encode())]
    if head.is_negotiated:
        headers.append((b"content-profile", head.schema.encode()))
    return 200, headers, body


async def _reachable(
    picture: Picture, head: Head, caller: Caller
) -> tuple[set[str], set[int], str | None]:
    schema = literal(head.schema)
    frame = picture.frames.frame(head, caller, None)
    query = f"""{frame.setup}
        select array_to_json(array(
            select c.relname from pg_catalog.pg_class as c
            where c.relkind in ('v', 'r', 'm', 'f', 'p') and not c.relispartition
                and c.relnamespace = n.oid and (
                    has_table_privilege(c.oid, 'select, insert, update, delete')
                    or has_any_column_privilege(c.oid, 'select, insert, update')
                )
        )), array_to_json(array(
            select p.oid::int8 from pg_catalog.pg_proc as p
            where p.pronamespace = n.oid and has_function_privilege(p.oid, 'execute')
        )), pg_catalog.obj_description(n.oid, 'pg_namespace')
        from pg_catalog.pg_namespace as n where n.nspname = {schema}"""
    names, oids, comment = await picture.runner.row(query)
    shown = comment.decode() if comment is not None else None
    return set(json.loads(names or b"[]")), set(json.loads(oids or b"[]")), shown
