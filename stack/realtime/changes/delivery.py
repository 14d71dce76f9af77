"""From transactions to subscribers: who wants a change, who may see it, and in which form."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import psycopg

from stack.core.callers import Caller
from stack.core.database import Database
from stack.realtime.changes.pgoutput import Change, Kind, Transaction
from stack.realtime.changes.records import Record, Typist, data_json, record_of
from stack.realtime.changes.subscriptions import Entry, Register, Subscription
from stack.realtime.changes.tables import Table, look_up
from stack.realtime.changes.visibility import visible_rows
from stack.realtime.protocol import Broadcast

logger = logging.getLogger("stack.realtime")

_BURST = 64 * 1024  # bytes sent before others may run
_NO_KEY = "Error 400: Bad Request, no primary key"
_NO_RIGHT = "Error 401: Unauthorized"


@dataclass(slots=True)
class _Candidate:
    """A change, and the entries whose filters it passes, by subscription."""

    number: int
    record: Record
    wanted: dict[Subscription, list[Entry]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Delivery:
    subscription: Subscription
    ids: tuple[int, ...]
    data: str


class Courier:
    """Works off changes in their order. Database logins: postgres for types and filters,
    authenticator for what callers see; neither is a superuser.
    """

    def __init__(self, database: Database, register: Register) -> None:
        self._database = database
        self._register = register
        self._typist = Typist()

    async def deliver(self, transaction: Transaction, changes: Sequence[Change]) -> None:
        """Send some changes of a transaction, all or (when an error is raised) none.

        Errors: psycopg.OperationalError when the connection is lost.
        """
        by_relation: dict[int, list[_Candidate]] = {}
        for number, change in enumerate(changes):
            if any(self._interested(transaction, change)):
                found = by_relation.setdefault(change.relation.oid, [])
                found.append(_Candidate(number, Record(change, None, None)))
        if not by_relation:
            return
        roles = {subscription.caller.role for subscription in self._register.subscriptions()}
        pool = await self._database.pool("postgres")
        async with pool.connection() as connection:
            tables = await look_up(connection, by_relation, roles)
        deliveries: list[tuple[int, list[_Delivery]]] = []
        for oid, candidates in by_relation.items():
            if oid not in tables:
                continue
            try:
                deliveries += await self._prepare(transaction, tables[oid], candidates)
            except psycopg.OperationalError:
                raise
            except psycopg.Error:
                relation = candidates[0].record.change.relation
                logger.exception("changes of %s.%s are lost", relation.schema, relation.name)
        deliveries.sort(key=lambda pair: pair[0])
        await _send([each for _, some in deliveries for each in some])

    async def refresh(self) -> None:
        """Replace connections that were cut while they lay in their pools."""
        for role in ("postgres", "authenticator"):
            await (await self._database.pool(role)).check()

    def _interested(
        self, transaction: Transaction, change: Change
    ) -> list[tuple[Subscription, Entry]]:
        relation = change.relation
        return [
            (subscription, entry)
            for subscription, entry in self._register.following(relation.schema, relation.name)
            if entry.wants(change.kind) and subscription.since < transaction.end_lsn
        ]

    async def _prepare(
        self, transaction: Transaction, table: Table, candidates: list[_Candidate]
    ) -> list[tuple[int, list[_Delivery]]]:
        relation = candidates[0].record.change.relation
        for candidate in candidates:
            candidate.record = record_of(candidate.record.change, table)
        interested = [
            self._interested(transaction, candidate.record.change) for candidate in candidates
        ]
        asked = {
            each: None
            for pairs in interested
            for _, entry in pairs
            for each in entry.filters
            if each.column in table.columns
            and not each.is_plain(table.columns[each.column].type_name)
        }
        pool = await self._database.pool("postgres")
        async with pool.connection() as connection:
            records = [candidate.record for candidate in candidates]
            await self._typist.fill(connection, relation, table, records, list(asked))
        for candidate, pairs in zip(candidates, interested, strict=True):
            for subscription, entry in pairs:
                refused = _error_for(subscription.caller, table, candidate.record)
                if refused or _passes(entry, candidate.record, table):
                    candidate.wanted.setdefault(subscription, []).append(entry)
        await self._hide(table, candidates)
        moment = _iso(transaction.committed_at)
        return [
            (candidate.number, _deliveries(candidate, table, moment)) for candidate in candidates
        ]

    async def _hide(self, table: Table, candidates: list[_Candidate]) -> None:
        """Take away what policies do not show. Deletions cannot be asked about any more."""
        rows = [
            candidate
            for candidate in candidates
            if table.has_policies and candidate.record.change.kind is not Kind.DELETE
        ]
        asking: dict[tuple[str, str], Caller] = {}
        for candidate in rows:
            for subscription in candidate.wanted:
                caller = subscription.caller
                if _error_for(caller, table, candidate.record) is None:
                    asking[caller.role, caller.claims_json] = caller
        seen: dict[tuple[str, str], frozenset[int]] = {}
        if asking:
            relation = rows[0].record.change.relation
            keys = [
                {name: (row.record.new_texts or {}).get(name) for name in table.keys}
                for row in rows
            ]
            pool = await self._database.pool("authenticator")
            async with pool.connection() as connection:
                answers = await visible_rows(
                    connection, relation.schema, relation.name, keys, list(asking.values())
                )
            seen = dict(zip(asking, answers, strict=True))
        for number, candidate in enumerate(rows):
            for subscription in list(candidate.wanted):
                caller = subscription.caller
                if _error_for(caller, table, candidate.record) is None and number not in seen.get(
                    (caller.role, caller.claims_json), ()
                ):
                    del candidate.wanted[subscription]


def _passes(entry: Entry, record: Record, table: Table) -> bool:
    texts = record.judged
    for each in entry.filters:
        column = table.columns.get(each.column)
        if column is None or each.column not in texts:
            return False
        if each.is_plain(column.type_name):
            if not each.passes_plain(texts[each.column]):
                return False
        elif each not in record.passed:
            return False
    return True


def _error_for(caller: Caller, table: Table, record: Record) -> str | None:
    if record.change.kind is Kind.DELETE:
        return None
    if not table.keys:
        return _NO_KEY
    if any(caller.role not in table.columns[name].readers for name in table.keys):
        return _NO_RIGHT
    return None


def _deliveries(candidate: _Candidate, table: Table, moment: str) -> list[_Delivery]:
    made: dict[tuple[frozenset[str], str | None], str] = {}
    deliveries = []
    for subscription, entries in candidate.wanted.items():
        role = subscription.caller.role
        error = _error_for(subscription.caller, table, candidate.record)
        by_form: dict[frozenset[str], list[int]] = {}
        for entry in entries:
            shown = frozenset[str]() if error else table.readable(role, entry.select)
            by_form.setdefault(shown, []).append(entry.id)
        for shown, ids in by_form.items():
            key = (shown, error)
            if key not in made:
                made[key] = data_json(candidate.record, table, shown, moment, error)
            deliveries.append(_Delivery(subscription, tuple(dict.fromkeys(ids)), made[key]))
    return deliveries


async def _send(deliveries: Sequence[_Delivery]) -> None:
    made: dict[tuple[str, tuple[int, ...], str], Broadcast] = {}
    enqueued = 0
    for each in deliveries:
        if not each.subscription.is_live:
            continue
        subscriber = each.subscription.subscriber
        key = (subscriber.topic, each.ids, each.data)
        if key not in made:
            payload = f'{{"ids":{list(each.ids)},"data":{each.data}}}'
            made[key] = Broadcast(subscriber.topic, "postgres_changes", payload)
        frame = made[key].frame(subscriber.socket.version)
        if frame is not None:
            subscriber.socket.enqueue(frame)
            enqueued += len(each.data)
        if enqueued > _BURST:
            enqueued = 0
            await asyncio.sleep(0)  # let sockets write, lest a burst looks like a slow client


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
