"""Jobs of the ledger domain: each only calls a SQL function."""

import procrastinate

from workers.app import jobs, pool_of
from workers.core.db import transaction


@jobs.periodic(cron="* * * * *")
@jobs.task(name="ledger.tend_balances", queue="ledger", pass_context=True)
async def tend_balances(context: procrastinate.JobContext, timestamp: int) -> None:
    """Give back expired reservations; fold what was posted to everybody's accounts."""
    async with transaction(pool_of(context)) as db:
        await db.execute("select private.expire_reservations()")
    async with transaction(pool_of(context)) as db:
        await db.execute("select private.fold_balances()")


@jobs.periodic(cron="*/5 * * * *")
@jobs.task(name="ledger.seal_postings", queue="ledger", pass_context=True)
async def seal_postings(context: procrastinate.JobContext, timestamp: int) -> None:
    """Seal what was posted since the last seal, however much: a transaction for each full seal."""
    is_full = True
    while is_full:
        async with transaction(pool_of(context)) as db:
            cursor = await db.execute("select private.seal_next()")
            (is_full,) = await cursor.fetchone() or (False,)
