"""Jobs of the escrow domain: each only calls a SQL function."""

from typing import LiteralString

import procrastinate

from workers.app import jobs, pool_of
from workers.core.db import Pool, transaction


@jobs.periodic(cron="* * * * *")
@jobs.task(name="escrow.approve_overdue", queue="escrow", pass_context=True)
async def approve_overdue(context: procrastinate.JobContext, timestamp: int) -> None:
    """Release what its sponsor did not answer within the review window."""
    while await _next(pool_of(context), "select private.approve_next_overdue()"):
        pass


@jobs.periodic(cron="7 * * * *")
@jobs.task(name="escrow.cancel_unpaid", queue="escrow", pass_context=True)
async def cancel_unpaid(context: procrastinate.JobContext, timestamp: int) -> None:
    """Cancel what was never paid."""
    while await _next(pool_of(context), "select private.cancel_next_unpaid()"):
        pass


@jobs.periodic(cron="23 * * * *")
@jobs.task(name="escrow.end_holds", queue="escrow", pass_context=True)
async def end_holds(context: procrastinate.JobContext, timestamp: int) -> None:
    """Warn of money that cannot be held much longer, and end what cannot be held at all."""
    async with transaction(pool_of(context)) as db:
        await db.execute("select private.warn_of_holds()")
    while await _next(pool_of(context), "select private.end_next_hold()"):
        pass


async def _next(pool: Pool, query: LiteralString) -> bool:
    """One escrow in a transaction of its own; whether there was one."""
    async with transaction(pool) as db:
        row = await (await db.execute(query)).fetchone()
    return row is not None and row[0] is not None
