"""Withdrawals that a bank refused half-way: fetch the money back, then say that they failed."""

import logging
from dataclasses import dataclass, replace
from typing import cast
from uuid import UUID

import procrastinate

from workers.app import jobs, pool_of, providers_of
from workers.core.db import one, transaction
from workers.core.errors import GuildhallError
from workers.payments.base import RecallGateway

_logger = logging.getLogger("guildhall.payments")


@dataclass(frozen=True, slots=True)
class Recall:
    request_id: UUID
    provider: str
    key: UUID
    reference: str
    reason: str


@jobs.task(
    name="payments.recall_withdrawal",
    queue="payments",
    retry=procrastinate.RetryStrategy(max_attempts=5, exponential_wait=2),
    pass_context=True,
)
async def recall_withdrawal(context: procrastinate.JobContext, subject_id: str) -> None:
    """Claim, fetch back, book. In doubt it stays open: the reconciler queues it again."""
    async with transaction(pool_of(context)) as db:
        due = await one(db, Recall, "select * from private.claim_recall(%s)", [subject_id])
    if due is None:
        return
    gateway = cast("RecallGateway", providers_of(context)[due.provider])
    try:
        fact = await gateway.recall(key=due.key, reference=due.reference)
    except GuildhallError as doubt:
        _logger.error(
            "a withdrawal is not back yet",
            extra={"withdrawal_id": subject_id, "provider": due.provider, "why": doubt.message},
        )
        async with transaction(pool_of(context)) as db:
            await db.execute(
                "select private.close_request(%s, 'unknown', note => %s)",
                [due.request_id, doubt.message],
            )
        return
    async with transaction(pool_of(context)) as db:
        await db.execute(*replace(fact, reason=due.reason).booking(due.provider))
        await db.execute(
            "select private.close_request(%s, 'succeeded', %s)", [due.request_id, due.reference]
        )
