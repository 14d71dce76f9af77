"""Jobs of the billing domain: trials end, what no event told is looked up, doubts are resolved."""

import logging
from uuid import UUID

import procrastinate

from workers.app import billing_of, jobs, pool_of
from workers.billing import requests
from workers.core.db import transaction
from workers.payments.base import OutcomeUnknown, ProviderDeclined
from workers.payments.requests import book

_logger = logging.getLogger("guildhall.billing")
# 5 seconds, 25, two minutes, ten, an hour: Stripe may be down for a while
_LATER = procrastinate.RetryStrategy(max_attempts=6, exponential_wait=5)


@jobs.periodic(cron="* * * * *")
@jobs.task(name="billing.expire_trials", queue="billing", pass_context=True)
async def expire_trials(context: procrastinate.JobContext, timestamp: int) -> None:
    """End trials without a card, and close what they opened."""
    ended = 1
    while ended:
        async with transaction(pool_of(context)) as db:
            row = await (await db.execute("select private.expire_trials()")).fetchone()
        ended = row[0] if row else 0


@jobs.periodic(cron="*/5 * * * *")
@jobs.task(name="billing.refresh_due", queue="billing", pass_context=True)
async def refresh_due(context: procrastinate.JobContext, timestamp: int) -> None:
    """Queue a look at subscriptions and checkouts of which no event told in time."""
    async with transaction(pool_of(context)) as db:
        await db.execute("select private.refresh_due()")


@jobs.task(name="billing.refresh_subscription", queue="billing", retry=_LATER, pass_context=True)
async def refresh_subscription(
    context: procrastinate.JobContext, provider: str, reference: str
) -> None:
    """Ask the provider how a subscription stands, and book it with its invoices."""
    await requests.refresh(pool_of(context), billing_of(context), provider, reference)


@jobs.task(name="billing.refresh_checkout", queue="billing", retry=_LATER, pass_context=True)
async def refresh_checkout(
    context: procrastinate.JobContext, provider: str, reference: str
) -> None:
    """Ask the provider what became of a page where somebody could subscribe."""
    facts = await billing_of(context).look_up_checkout(reference)
    await book(pool_of(context), provider, facts)


@jobs.task(name="billing.expire_checkout", queue="billing", retry=_LATER, pass_context=True)
async def expire_checkout(context: procrastinate.JobContext, provider: str, reference: str) -> None:
    """End the page of somebody who left; what was begun there meanwhile is booked, and ended."""
    facts = await billing_of(context).expire_checkout(reference)
    await book(pool_of(context), provider, facts)


@jobs.task(name="billing.change_subscription", queue="billing", retry=_LATER, pass_context=True)
async def change_subscription(context: procrastinate.JobContext, subject_id: str) -> None:
    """Carry out a change, or find out what became of it."""
    try:
        await requests.carry_out(pool_of(context), billing_of(context), UUID(subject_id))
    except ProviderDeclined as no:
        _logger.warning("a change was declined", extra={"change_id": subject_id, "why": str(no)})
    except OutcomeUnknown as doubt:  # the reconciler queues it again
        _logger.warning("a change is in doubt", extra={"change_id": subject_id, "why": str(doubt)})


@jobs.task(name="billing.start_subscription", queue="billing", pass_context=True)
async def start_subscription(context: procrastinate.JobContext, subject_id: str) -> None:
    """A page whose making is in doubt: nobody has its address, so it is given up."""
    async with transaction(pool_of(context)) as db:
        await db.execute("select private.abandon_checkout(%s)", [subject_id])


@jobs.task(name="billing.publish_price", queue="billing", pass_context=True)
async def publish_price(context: procrastinate.JobContext, subject_id: str) -> None:
    """A price whose making is in doubt: look for it, and make it if it is not there."""
    try:
        await requests.publish_price(pool_of(context), billing_of(context), UUID(subject_id))
    except OutcomeUnknown as doubt:
        _logger.warning("a price is in doubt", extra={"price_id": subject_id, "why": str(doubt)})
