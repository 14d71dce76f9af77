"""Who follows which changes: entries of joins, read, checked, and found again by table."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import psycopg
from psycopg import errors, sql

from stack.core.callers import Caller
from stack.core.database import Connection
from stack.realtime.changes.filters import Filter, FilterError, parse
from stack.realtime.changes.pgoutput import Kind
from stack.realtime.frames import Frame
from stack.realtime.protocol import Version

PUBLICATION = "supabase_realtime"
_ANY = "*"


class SubscriptionRefused(Exception):
    """A subscription that cannot be; the message is what the client reads."""


class Receiver(Protocol):
    """The connection behind a subscriber."""

    version: Version

    def enqueue(self, frame: Frame) -> None: ...


class Subscriber(Protocol):
    """Who gets the changes: a channel."""

    topic: str

    @property
    def socket(self) -> Receiver: ...


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a join. `*` as schema, table or event stands for any."""

    id: int
    event: str
    schema: str
    table: str
    filters: tuple[Filter, ...] = ()
    select: tuple[str, ...] | None = None

    def wants(self, kind: Kind) -> bool:
        return self.event in (_ANY, kind)

    def __str__(self) -> str:
        filters = ", ".join(f'{{"{f.column}", "{f.operator}", "{f.value}"}}' for f in self.filters)
        select = "nil" if self.select is None else list(self.select)
        return (
            f"[event: {self.event}, schema: {self.schema}, table: {self.table},"
            f" filters: [{filters}], select: {select}]"
        )


@dataclass(eq=False, slots=True)
class Subscription:
    """All entries of one subscriber, who sees what `caller` may. `since`: a position in the log."""

    subscriber: Subscriber
    caller: Caller
    entries: tuple[Entry, ...]
    since: int = 0
    is_live: bool = True


@dataclass(slots=True)
class Register:
    """The subscriptions in force, found by table."""

    _by_subscriber: dict[Subscriber, Subscription] = field(default_factory=dict)
    _by_table: dict[tuple[str, str], dict[Subscription, list[Entry]]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self._by_subscriber)

    def add(self, subscription: Subscription) -> None:
        """Put it in force, in place of one that its subscriber had."""
        self.remove(subscription.subscriber)
        self._by_subscriber[subscription.subscriber] = subscription
        for entry in subscription.entries:
            place = self._by_table.setdefault((entry.schema, entry.table), {})
            place.setdefault(subscription, []).append(entry)

    def remove(self, subscriber: Subscriber) -> None:
        subscription = self._by_subscriber.pop(subscriber, None)
        if subscription is None:
            return
        subscription.is_live = False
        for entry in subscription.entries:
            key = (entry.schema, entry.table)
            place = self._by_table.get(key, {})
            place.pop(subscription, None)
            if not place:
                self._by_table.pop(key, None)

    def subscriptions(self) -> Iterable[Subscription]:
        return self._by_subscriber.values()

    def following(self, schema: str, table: str) -> Iterator[tuple[Subscription, Entry]]:
        """Every entry that may want a change of the table."""
        for key in ((schema, table), (schema, _ANY), (_ANY, table), (_ANY, _ANY)):
            for subscription, entries in self._by_table.get(key, {}).items():
                for entry in entries:
                    yield subscription, entry


def read_entry(asked: Mapping[str, Any]) -> Entry:
    """An entry as the client wrote it, with its id. Errors: SubscriptionRefused."""
    schema, table, text = (asked.get(name) for name in ("schema", "table", "filter"))
    named = [value for value in (schema, table, text) if value is not None]
    if (
        not all(isinstance(value, str) for value in named)
        or (schema is None and table is None)
        or (text is not None and (schema is None or table is None))
    ):
        raise SubscriptionRefused(
            "No subscription params provided. Please provide at least a `schema` or `table` to"
            " subscribe to"
        )
    event = asked.get("event")
    event = event.upper() if isinstance(event, str) else _ANY
    select = _read_select(asked.get("select"))
    schema, table = schema or "public", table or _ANY
    if select is not None and _ANY in (schema, table):
        raise SubscriptionRefused(
            "Column selection is not supported for wildcard subscriptions. Provide an explicit"
            " schema and table name."
        )
    try:
        filters = parse(text or "")
    except FilterError as error:
        raise SubscriptionRefused(f"Error parsing `filter` params: {error}") from error
    return Entry(
        asked["id"], event if event in Kind.__members__ else _ANY, schema, table, filters, select
    )


def _read_select(asked: Any) -> tuple[str, ...] | None:
    if isinstance(asked, str):
        raise SubscriptionRefused(
            "Error parsing `select` params: expected a list of column name strings,"
            ' e.g. select: ["col1", "col2"]'
        )
    if not isinstance(asked, list):
        return None
    return tuple(name for name in asked if isinstance(name, str)) or None


async def check_entries(
    connection: Connection, caller: Caller, entries: Sequence[Entry]
) -> tuple[Entry, ...]:
    """Check that tables are published, columns readable and values of their type.

    Returns the entries, filter values in their types' canonical form where that decides.
    Errors: SubscriptionRefused.
    """
    return tuple([await _check(connection, caller, entry) for entry in entries])


async def _check(connection: Connection, caller: Caller, entry: Entry) -> Entry:
    cursor = await connection.execute(
        """
        select c.oid::bigint
        from pg_catalog.pg_publication_tables as p
        inner join pg_catalog.pg_namespace as n on n.nspname = p.schemaname
        inner join pg_catalog.pg_class as c on c.relnamespace = n.oid and c.relname = p.tablename
        where p.pubname = %s and %s::text in ('*', p.schemaname)
            and %s::text in ('*', p.tablename)
        """,
        [PUBLICATION, entry.schema, entry.table],
    )
    tables = [oid for (oid,) in await cursor.fetchall()]
    if not tables:
        raise SubscriptionRefused(
            "Unable to subscribe to changes with given parameters. Please check Realtime is"
            f" enabled for the given connect parameters: {entry}"
        )
    filters = entry.filters
    try:
        for table in tables:
            types = await _readable_types(connection, caller.role, table)
            for name in entry.select or ():
                if name not in types:
                    raise errors.RaiseException(f"invalid column for select {name}")
            filters = tuple(
                [await _check_filter(connection, types, each) for each in entry.filters]
            )
    except psycopg.OperationalError:
        raise
    except (psycopg.Error, UnicodeError) as error:
        raise SubscriptionRefused(
            "Unable to subscribe to changes with given parameters. An exception happened so please"
            f" check your connect parameters: {entry}. Exception: {error}"
        ) from error
    # with several tables a column may have several types: then the value stays as it came
    return entry if len(tables) > 1 else _with_filters(entry, filters)


async def _readable_types(
    connection: Connection, role: str, table: int
) -> dict[str, tuple[str, str]]:
    """By column: its type's name and the form to cast to. None for a role that does not exist."""
    cursor = await connection.execute(
        """
        select a.attname, t.typname, format_type(a.atttypid, -1)
        from pg_catalog.pg_attribute as a
        inner join pg_catalog.pg_type as t on t.oid = a.atttypid
        inner join pg_catalog.pg_roles as r on r.rolname = %s
        where a.attrelid = %s::oid and a.attnum > 0 and not a.attisdropped
            and has_column_privilege(r.oid, a.attrelid, a.attnum, 'SELECT')
        """,
        [role, table],
    )
    return {name: (typname, form) for name, typname, form in await cursor.fetchall()}


async def _check_filter(
    connection: Connection, types: Mapping[str, tuple[str, str]], asked: Filter
) -> Filter:
    if asked.column not in types:
        raise errors.RaiseException(f"invalid column for filter {asked.column}")
    typname, form = types[asked.column]
    nothing = sql.SQL("null::{}").format(sql.SQL(form))
    await connection.execute(sql.SQL("select {}").format(asked.condition(nothing, form)))
    if not asked.is_plain(typname):
        return asked
    cursor = await connection.execute(
        sql.SQL("select {}::{}::text").format(sql.Literal(asked.value), sql.SQL(form))
    )
    row = await cursor.fetchone()
    return Filter(asked.column, asked.operator, str(row[0]) if row else "", asked.is_negated)


def _with_filters(entry: Entry, filters: tuple[Filter, ...]) -> Entry:
    return Entry(entry.id, entry.event, entry.schema, entry.table, filters, entry.select)
