"""The worker process: procrastinate's queue, and what its tasks need."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from typing import Any

import procrastinate
import procrastinate.worker
import psycopg

from workers.billing.stripe import StripeBilling, open_billing
from workers.core.db import WORKER, Pool, make_pool
from workers.core.errors import LOST, LOST_TRIES
from workers.core.log import configure_logging
from workers.core.settings import Settings, settings
from workers.payments.base import Provider
from workers.payments.registry import open_providers

DOMAINS = (
    "billing",
    "bookings",
    "escrow",
    "identity",
    "ledger",
    "ops",
    "payments",
)  # each with a module `tasks`
HEARTBEAT_SECONDS = 5.0
POLLING_SECONDS = 1.0  # a notice may be lost; retries and what was put off come without one
STALLED_SECONDS = 20.0  # without a heartbeat for so long, a worker is dead and its jobs run again

logger = logging.getLogger(__name__)


async def _run_again(
    call: Callable[[], Awaitable[Any]],
    context: procrastinate.JobContext,
    _worker: procrastinate.worker.Worker,
) -> Any:
    """Run a job again at once that lost a deadlock: no attempt is counted, no operator called.

    Tasks bear being run twice.
    """
    for _ in range(LOST_TRIES - 1):
        try:
            return await call()
        except LOST as error:
            logger.warning("job %s runs again: %s", context.job.id, type(error).__name__)
    return await call()


# a task finds its connector when a worker runs it; the database enqueues without us
jobs = procrastinate.App(
    connector=procrastinate.PsycopgConnector(), worker_defaults={"task_middleware": [_run_again]}
)


def pool_of(context: procrastinate.JobContext) -> Pool:
    """The worker's pool, for a task that was registered with `pass_context`."""
    pool: Pool = context.additional_context["pool"]
    return pool


def providers_of(context: procrastinate.JobContext) -> Mapping[str, Provider]:
    """The worker's payment providers, for a task that was registered with `pass_context`."""
    providers: Mapping[str, Provider] = context.additional_context["providers"]
    return providers


def billing_of(context: procrastinate.JobContext) -> StripeBilling:
    """The worker's Stripe Billing, for a task that was registered with `pass_context`."""
    billing: StripeBilling = context.additional_context["billing"]
    return billing


def run_worker() -> None:
    """Run jobs until SIGTERM or SIGINT; those under way are finished first."""
    configure_logging(settings().log_level, settings().secrets())
    for domain in DOMAINS:
        import_module(f"workers.{domain}.tasks")
    asyncio.run(_work(settings()))


async def _work(known: Settings) -> None:
    with jobs.replace_connector(queue_connector(known)) as app:
        async with (
            make_pool(known) as pool,
            open_providers(known) as providers,
            open_billing(known) as billing,
            app.open_async(),
        ):
            await app.run_worker_async(
                concurrency=known.worker_concurrency,
                additional_context={"pool": pool, "providers": providers, "billing": billing},
                shutdown_graceful_timeout=30,
                fetch_job_polling_interval=POLLING_SECONDS,
                update_heartbeat_interval=HEARTBEAT_SECONDS,
                stalled_worker_timeout=STALLED_SECONDS,
            )


def queue_connector(known: Settings) -> procrastinate.PsycopgConnector:
    """The queue's own connections, as guildhall_worker.

    They listen: a direct connection or a session pooler, never a transaction pooler.
    """
    return procrastinate.PsycopgConnector(
        conninfo=known.database_url.get_secret_value(),
        configure=_become_worker,
        min_size=1,
        max_size=known.worker_concurrency + 2,
    )


async def _become_worker(connection: psycopg.AsyncConnection[Any]) -> None:
    """For the whole session. By a statement: poolers drop what a connection string sets."""
    await connection.execute(
        "select set_config('role', %s, false), set_config('search_path', 'procrastinate', false)",
        [WORKER],
    )
    await connection.commit()
