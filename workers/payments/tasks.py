"""Jobs of the payments domain: events become facts, and requests in doubt are looked after."""

import logging
from dataclasses import dataclass

import procrastinate
import psycopg

from workers.app import jobs, pool_of, providers_of
from workers.core.db import Connection, one, transaction
from workers.core.errors import Rejected
from workers.payments import (  # noqa: F401  # they register tasks
    carry,
    methods,
    recalls,
    reconcile,
    withdrawals,
)
from workers.payments.base import Fact, PaymentSucceeded, UnreadableEvent
from workers.payments.registry import read_event

_logger = logging.getLogger("guildhall.payments")

# what an event speaks of may be ours and not committed yet: so often it is tried again
_PATIENCE = 6


@dataclass(frozen=True, slots=True)
class KeptEvent:
    provider: str
    kind: str
    body: bytes


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why a fact was not booked, and whether anybody here must look."""

    why: str
    is_ours: bool


@jobs.task(
    name="payments.process_event",
    queue="payments",
    retry=procrastinate.RetryStrategy(max_attempts=10, exponential_wait=2),
    pass_context=True,
)
async def process_event(context: procrastinate.JobContext, event_id: int) -> None:
    """Turn a kept event into what it means, and close it, in one transaction."""
    is_patient = context.job.attempts < _PATIENCE
    async with transaction(pool_of(context)) as db:
        event = await one(db, KeptEvent, "select * from private.open_event(%s)", [event_id])
        if event is None:  # processed by an earlier run of this job
            return
        refusals: list[_Refusal] = []
        try:
            facts = read_event(providers_of(context)[event.provider], event.body)
        except UnreadableEvent as error:
            facts, refusals = (), [_Refusal(str(error), is_ours=True)]
        for fact in facts:
            refusal = await _book(db, event.provider, fact, is_patient=is_patient)
            if refusal is not None:
                refusals.append(refusal)
        if any(refusal.is_ours for refusal in refusals):
            # no retry will mend it: an operator must look
            status = "failed"
            _logger.error("an event was not booked", extra={"event_id": event_id, "why": refusals})
        else:
            status = "processed" if len(facts) > len(refusals) else "ignored"
        await db.execute(
            "select private.finish_event(%s, %s, %s)",
            # each once: what was told too early is found again by this, word for word
            [event_id, status, "; ".join(dict.fromkeys(no.why for no in refusals)) or None],
        )


async def _book(db: Connection, provider: str, fact: Fact, *, is_patient: bool) -> _Refusal | None:
    """Book a fact; why not, when a rule in the database said no for good."""
    try:
        async with db.transaction():
            await db.execute(*fact.booking(provider))
    except psycopg.Error as error:
        rejected = Rejected.read(error)
        if rejected is None or (rejected.http_status == 404 and is_patient):
            raise
        # news of what we do not have is somebody else's; money that came for nothing is ours to see
        is_ours = rejected.http_status != 404 or isinstance(fact, PaymentSucceeded)
        return _Refusal(f"{rejected.code}: {rejected.details}", is_ours)
    return None


@jobs.periodic(cron="* * * * * */30")
@jobs.task(name="payments.reconcile_requests", queue="payments", pass_context=True)
async def reconcile_requests(context: procrastinate.JobContext, timestamp: int) -> None:
    """Look after requests whose answer is in doubt, or whose worker died."""
    async with transaction(pool_of(context)) as db:
        await db.execute("select private.reconcile_requests()")
        await db.execute("select private.tend_refunds(), private.tend_captures()")
