"""Daily reconciliation: what providers report, kept, beside what the ledger says."""

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import cast

import procrastinate
import psycopg
from psycopg.rows import class_row

from workers.app import jobs, pool_of, providers_of
from workers.core.db import Pool, transaction
from workers.core.errors import NotConfigured
from workers.payments.base import Movement, OutcomeUnknown, Provider, ProviderDeclined, Reporting

_logger = logging.getLogger("guildhall.payments")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that a provider and the ledger do not agree on; signed minor units."""

    provider: str
    kind: str
    reference: str
    currency: str
    provider_minor: int | None
    ledger_minor: int | None
    moved_at: datetime
    difference: str


async def reconcile_day(pool: Pool, providers: Mapping[str, Provider], day: date) -> dict[str, int]:
    """Read every provider's report of a day (UTC) and keep it; lines read, by provider.

    A provider that is not configured, or does not answer, is left for the next time.
    """
    read: dict[str, int] = {}
    for name, provider in _reporting(providers).items():
        with suppress(NotConfigured):
            count = await _read(pool, name, provider, day)
            if count is not None:
                read[name] = count
    return read


async def catch_up(pool: Pool, providers: Mapping[str, Provider]) -> None:
    """Read what is to be read of every provider's reports, oldest first."""
    for name, provider in _reporting(providers).items():
        async with transaction(pool) as db:
            days = await (await db.execute("select private.days_to_read(%s)", [name])).fetchall()
        with suppress(NotConfigured):  # a finding, once there is business of days to read
            for (day,) in days:
                await _read(pool, name, provider, day)


def _reporting(providers: Mapping[str, Provider]) -> dict[str, Reporting]:
    return {
        name: cast("Reporting", provider)
        for name, provider in providers.items()
        if hasattr(provider, "movements")
    }


async def _read(pool: Pool, name: str, provider: Reporting, day: date) -> int | None:
    """Keep a provider's report of a day; lines read, or None: it does not answer.

    Errors: NotConfigured.
    """
    start, count = datetime.combine(day, time(), UTC), 0
    try:
        async for moved in provider.movements(start, start + timedelta(days=1)):
            count += await _kept(pool, name, moved)
    except (OutcomeUnknown, ProviderDeclined) as error:
        _logger.warning("no report of %s for %s: %s", name, day, error)
        return None
    async with transaction(pool) as db:
        await db.execute("select private.finish_day(%s, %s, %s)", [name, day, count])
    return count


async def _kept(pool: Pool, provider: str, moved: Movement) -> bool:
    """Keep a line. One that the database refuses does not hold up the others: it is told."""
    try:
        async with transaction(pool) as db:
            await db.execute(
                "select private.import_movement(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                [
                    provider, moved.kind, moved.reference, moved.amount.minor,
                    moved.amount.currency, moved.fee_minor, moved.at, moved.key, moved.line,
                ],
            )  # fmt: skip
    except (psycopg.IntegrityError, psycopg.DataError) as error:
        _logger.error("a line of a report was refused: %s %s: %s", provider, moved.reference, error)
        return False
    return True


def list_differences(db_url: str) -> list[Difference]:
    """Every difference, newest first."""
    with psycopg.connect(db_url) as db, db.cursor(row_factory=class_row(Difference)) as cursor:
        return cursor.execute(
            "select * from private.find_differences() order by moved_at desc"
        ).fetchall()


@jobs.periodic(cron="37 */4 * * *")
@jobs.task(name="payments.reconcile_days", queue="payments", pass_context=True)
async def reconcile_days(context: procrastinate.JobContext, timestamp: int) -> None:
    """Read the reports of yesterday and of the day before, and what was missed in 30 days."""
    await catch_up(pool_of(context), providers_of(context))
