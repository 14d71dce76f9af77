"""Jobs of the ops domain: the queue looks after itself."""

import logging

import procrastinate
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Status

from workers.app import STALLED_SECONDS, jobs, pool_of
from workers.core.db import transaction

logger = logging.getLogger(__name__)
_KEEP_DONE_HOURS = 72


@jobs.periodic(cron="* * * * * */15")
@jobs.task(name="ops.rescue_jobs", queue="ops", pass_context=True)
async def rescue_jobs(context: procrastinate.JobContext, timestamp: int) -> None:
    """Run again what a killed worker had under way; tasks bear being run twice."""
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
        logger.warning("job %s (%s) lost its worker: queued again", job.id, job.task_name)
        try:
            await manager.retry_job(job)
        except UniqueViolation:  # one like it waits already, and will do its work
            await manager.finish_job(job, Status.ABORTED, delete_job=False)


@jobs.periodic(cron="17 3 * * *")
@jobs.task(name="ops.prune_jobs", queue="ops", pass_context=True)
async def prune_jobs(context: procrastinate.JobContext, timestamp: int) -> None:
    """Forget jobs that succeeded three days ago, and keys of ninety; failed ones are kept."""
    await context.app.job_manager.delete_old_jobs(nb_hours=_KEEP_DONE_HOURS)
    async with transaction(pool_of(context)) as db:
        await db.execute("select private.forget_job_keys()")


@jobs.periodic(cron="41 * * * *")
@jobs.task(name="ops.prune_limits", queue="ops", pass_context=True)
async def prune_limits(context: procrastinate.JobContext, timestamp: int) -> None:
    """Forget rate counters that are full again, and Idempotency-Keys older than a day."""
    async with transaction(pool_of(context)) as db:
        await db.execute("select private.prune_limits()")


@jobs.periodic(cron="*/3 * * * *")
@jobs.task(name="ops.watch_invariants", queue="ops", pass_context=True)
async def watch_invariants(context: procrastinate.JobContext, timestamp: int) -> None:
    """Check what must hold of all money; what does not is logged, counted and kept."""
    async with transaction(pool_of(context)) as db:
        cursor = await db.execute("select private.watch_invariants()")
        (count,) = await cursor.fetchone() or (0,)
    if count:
        logger.error("invariants do not hold: %s findings, `guildhall ledger check`", count)


@jobs.periodic(cron="12 * * * *")
@jobs.task(name="ops.close_day", queue="ops", pass_context=True)
async def close_day(context: procrastinate.JobContext, timestamp: int) -> None:
    """Seal and verify every day that is over and open, oldest first; each of them once."""
    while True:
        async with transaction(pool_of(context)) as db:
            cursor = await db.execute("select * from private.close_next_day()")
            closed = await cursor.fetchone()
        if closed is None:
            return
        day, count = closed
        if count:
            logger.error("the books of %s are closed with %s findings", day, count)
