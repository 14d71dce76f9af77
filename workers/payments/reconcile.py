"""Daily reconciliation: what providers report, kept, beside what the ledger says."""

import logging
from collections.abc import Mapping
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
    start = datetime.combine(day, time(), UTC)
    read: dict[str, int] = {}
    for name, provider in providers.items():
        if not hasattr(provider, "movements"):
            continue
        count = 0
        try:
            async for moved in cast("Reporting", provider).movements(
                start, start + timedelta(days=1)
            ):
                count += await _kept(pool, name, moved)
        except NotConfigured:
            continue
        except (OutcomeUnknown, ProviderDeclined) as error:
            _logger.warning("no report of %s for %s: %s", name, day, error)
            continue
        async with transaction(pool) as db:
            await db.execute("select private.finish_day(%s, %s, %s)", [name, day, count])
        read[name] = count
    return read


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
    """Read yesterday's reports and the day's before: providers finish theirs late."""
    today = datetime.fromtimestamp(timestamp, UTC).date()
    for age in (2, 1):
        await reconcile_day(pool_of(context), providers_of(context), today - timedelta(days=age))
