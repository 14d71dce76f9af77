"""What the catalog says, now, of a table that changed: types, key, and who may read what."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from stack.core.database import Connection

_QUERY = """
select
    a.attrelid::bigint, a.attname, t.typname, format_type(a.atttypid, -1),
    coalesce(a.attnum = any (k.conkey), false), c.relrowsecurity,
    array(
        select r.rolname::text from pg_catalog.pg_roles as r
        where r.rolname = any (%(roles)s)
            and has_column_privilege(r.oid, a.attrelid, a.attnum, 'SELECT')
    )
from pg_catalog.pg_attribute as a
inner join pg_catalog.pg_class as c on c.oid = a.attrelid
inner join pg_catalog.pg_type as t on t.oid = a.atttypid
left join pg_catalog.pg_constraint as k on k.conrelid = a.attrelid and k.contype = 'p'
where a.attrelid = any (%(oids)s::oid[]) and a.attnum > 0 and not a.attisdropped
order by a.attrelid, a.attnum
"""


@dataclass(frozen=True, slots=True)
class TableColumn:
    """`type_name` as clients are told it (`int8`), `cast_form` as SQL casts to it (`bigint`)."""

    name: str
    type_name: str
    cast_form: str
    is_key: bool
    readers: frozenset[str]


@dataclass(slots=True)
class Table:
    """Columns in their order; `keys`: the primary key."""

    has_policies: bool
    columns: dict[str, TableColumn] = field(default_factory=dict)

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(name for name, column in self.columns.items() if column.is_key)

    def readable(self, role: str, select: tuple[str, ...] | None) -> frozenset[str]:
        """What a role gets: the columns it may read, of those it selected, the key in any case."""
        return frozenset(
            name
            for name, column in self.columns.items()
            if role in column.readers and (select is None or name in select or column.is_key)
        )


async def look_up(
    connection: Connection, oids: Iterable[int], roles: Iterable[str]
) -> dict[int, Table]:
    """By oid; a table that is gone is absent."""
    cursor = await connection.execute(_QUERY, {"oids": list(oids), "roles": list(roles)})
    tables: dict[int, Table] = {}
    for oid, name, type_name, cast_form, is_key, has_policies, readers in await cursor.fetchall():
        table = tables.setdefault(oid, Table(has_policies))
        table.columns[name] = TableColumn(name, type_name, cast_form, is_key, frozenset(readers))
    return tables
