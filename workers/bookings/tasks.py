"""Jobs of the bookings domain: each only calls SQL functions, batch by batch."""

from typing import LiteralString

import procrastinate

from workers.app import jobs, pool_of
from workers.core.db import Pool, transaction


@jobs.periodic(cron="* * * * *")
@jobs.task(name="bookings.settle_due", queue="bookings", pass_context=True)
async def settle_due(context: procrastinate.JobContext, timestamp: int) -> None:
    """Divide the money of every booking whose hold is over; more workers share the work."""
    await _drain(pool_of(context), "select private.settle_due_bookings()")


@jobs.periodic(cron="* * * * *")
@jobs.task(name="bookings.complete_due", queue="bookings", pass_context=True)
async def complete_due(context: procrastinate.JobContext, timestamp: int) -> None:
    """Complete what ended and nobody objected to."""
    await _drain(pool_of(context), "select private.complete_due_bookings()")


@jobs.periodic(cron="* * * * *")
@jobs.task(name="bookings.cancel_unpaid", queue="bookings", pass_context=True)
async def cancel_unpaid(context: procrastinate.JobContext, timestamp: int) -> None:
    """Cancel what was not paid in time, so that its hour is free."""
    await _drain(pool_of(context), "select private.cancel_unpaid_bookings()")


@jobs.periodic(cron="23 * * * *")
@jobs.task(name="bookings.retry_stuck", queue="bookings", pass_context=True)
async def retry_stuck(context: procrastinate.JobContext, timestamp: int) -> None:
    """Let what could not be settled be tried again, once an hour."""
    async with transaction(pool_of(context)) as db:
        await db.execute("select private.retry_stuck_bookings()")


async def _drain(pool: Pool, query: LiteralString) -> None:
    """Batches, each a transaction of its own, until one finds nothing."""
    while True:
        async with transaction(pool) as db:
            row = await (await db.execute(query)).fetchone()
        if row is None or not row[0]:
            return
