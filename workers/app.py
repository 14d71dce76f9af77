"""The worker process: procrastinate's queue, and the tasks of every domain."""

import asyncio
import logging
from functools import lru_cache

import procrastinate

from workers.core.db import WORKER, Pool, make_pool
from workers.core.settings import Settings, settings

jobs = procrastinate.Blueprint()

_pools: list[Pool] = []


def pool() -> Pool:
    """The worker's own pool, open while it runs."""
    return _pools[0]


@lru_cache
def make_app() -> procrastinate.App:
    """The queue with every domain's tasks."""
    import workers.payments.tasks  # noqa: F401  # each domain registers its tasks on import

    app = procrastinate.App(connector=_connector(settings()))
    app.add_tasks_from(jobs, namespace="")
    return app


def run_worker() -> None:
    """Run jobs until SIGTERM or SIGINT; those under way are finished first."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    asyncio.run(_work())


async def _work() -> None:
    async with make_pool(settings()) as opened, make_app().open_async() as app:
        _pools.append(opened)
        await app.run_worker_async(
            concurrency=settings().worker_concurrency, shutdown_graceful_timeout=30
        )


def _connector(known: Settings) -> procrastinate.PsycopgConnector:
    # the queue listens: a direct or session connection, never a transaction pooler
    return procrastinate.PsycopgConnector(
        conninfo=known.database_url.get_secret_value(),
        kwargs={"options": f"-c role={WORKER} -c search_path=procrastinate"},
        min_size=1,
        max_size=known.worker_concurrency,
    )
