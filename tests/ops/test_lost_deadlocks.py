"""A job that lost a deadlock runs again at once: no attempt is counted, no operator called."""

import asyncio

import psycopg
import pytest
from pydantic import SecretStr

from workers.app import jobs, pool_of, queue_connector
from workers.core.db import make_pool, transaction
from workers.core.settings import Settings

WAITING = (
    "select pid from pg_locks join pg_stat_activity using (pid)"
    " where not granted and datname = current_database()"
)


@pytest.fixture
def crossing():
    """A task that takes two locks, one after the other; how often it began."""
    begun = []

    @jobs.task(name="ops.cross", queue="ops", pass_context=True)
    async def cross(context):
        begun.append(context.job.attempts)
        async with transaction(pool_of(context), "postgres") as db:
            await db.execute("lock table private.rate_tiers")
            await db.execute("lock table private.holding_limits")

    yield begun
    del jobs.tasks["ops.cross"]


async def _work(known):
    with jobs.replace_connector(queue_connector(known)) as app:
        async with make_pool(known) as pool, app.open_async():
            await app.run_worker_async(
                wait=False,
                listen_notify=False,
                install_signal_handlers=False,
                additional_context={"pool": pool},
            )


async def test_a_job_runs_again_at_once(own_database, crossing):
    known = Settings(_env_file=None, database_url=SecretStr(own_database))
    async with await psycopg.AsyncConnection.connect(own_database) as other:
        await other.execute("select private.enqueue('ops.cross')")
        await other.commit()
        await other.execute("lock table private.holding_limits")
        worker = asyncio.create_task(_work(known))
        while not (await other.execute(WAITING)).rowcount:
            await asyncio.sleep(0.01)
        await other.execute("lock table private.rate_tiers")  # the worker waited first: it loses
        await other.rollback()
        await worker
        assert crossing == [0, 0]
        done = await other.execute(
            "select status::text, attempts from procrastinate.procrastinate_jobs"
            " where task_name = 'ops.cross'"
        )
        assert await done.fetchall() == [("succeeded", 1)]
