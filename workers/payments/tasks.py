"""Jobs of the payments domain."""

import logging
from dataclasses import dataclass

import procrastinate
import psycopg

from workers.app import jobs, pool_of
from workers.core.db import one, transaction
from workers.core.errors import Rejected
from workers.payments.registry import PROVIDERS

_logger = logging.getLogger("guildhall.payments")


@dataclass(frozen=True, slots=True)
class KeptEvent:
    provider: str
    kind: str
    body: bytes


@jobs.task(
    name="payments.process_event",
    queue="payments",
    retry=procrastinate.RetryStrategy(max_attempts=10, exponential_wait=2),
    pass_context=True,
)
async def process_event(context: procrastinate.JobContext, event_id: int) -> None:
    """Turn a kept event into what it means, and close it, in one transaction."""
    async with transaction(pool_of(context)) as db:
        event = await one(db, KeptEvent, "select * from private.open_event(%s)", [event_id])
        if event is None:  # processed by an earlier run of this job
            return
        status, note = "ignored", None
        payment = PROVIDERS[event.provider].read(event.body)
        if payment is not None:
            try:
                async with db.transaction():
                    await db.execute(
                        "select private.record_payment(%s, %s, %s, %s, %s)",
                        [
                            payment.order_id,
                            event.provider,
                            payment.reference,
                            payment.amount_minor,
                            payment.currency,
                        ],
                    )
                status = "processed"
            except psycopg.Error as error:
                rejected = Rejected.read(error)
                if rejected is None:
                    raise
                # no retry will mend it: an operator must look
                note = f"{rejected.code}: {rejected.details}"
                _logger.error(
                    "a payment settles no order",
                    extra={"event_id": event_id, "reference": payment.reference, "why": note},
                )
        await db.execute("select private.finish_event(%s, %s, %s)", [event_id, status, note])
