"""Jobs that ask a provider about money in: refunds sent, approved payments taken."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast
from uuid import UUID

import procrastinate

from workers.app import jobs, pool_of, providers_of
from workers.core.db import one, transaction
from workers.core.errors import NotConfigured
from workers.core.money import Money
from workers.payments.base import (
    DisputeGateway,
    Fact,
    OrderToPay,
    OutcomeUnknown,
    PaymentApproved,
    PaymentFailed,
    PaymentGateway,
    PaymentSucceeded,
    ProviderDeclined,
    RefundChanged,
)
from workers.payments.requests import ask_once, book

_logger = logging.getLogger("guildhall.payments")


@dataclass(frozen=True, slots=True)
class DueRefund:
    request_id: UUID
    provider: str
    payment: str
    amount_minor: int
    currency: str
    is_repeat: bool
    may_resend: bool


@dataclass(frozen=True, slots=True)
class SentRefund:
    request_id: UUID
    provider: str
    payment: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class DueCapture:
    request_id: UUID
    provider: str
    started: str
    is_repeat: bool
    may_resend: bool
    is_given_up: bool


@dataclass(frozen=True, slots=True)
class Case:
    """A payment dispute by its provider's id."""

    provider: str
    reference: str


@dataclass(frozen=True, slots=True)
class Waiting:
    provider: str
    started: str


# of the database's hiccups alone: what a provider leaves in doubt is the reconciler's
_RETRY = procrastinate.RetryStrategy(max_attempts=5, exponential_wait=3)


@jobs.task(name="payments.send_refund", queue="payments", retry=_RETRY, pass_context=True)
async def send_refund(context: procrastinate.JobContext, subject_id: str) -> None:
    """Claim, send, settle; no transaction stays open while the provider thinks."""
    pool = pool_of(context)
    async with transaction(pool) as db:
        due = await one(db, DueRefund, "select * from private.claim_refund(%s)", [subject_id])
    if due is None:
        return
    gateway = _gateway(context, due.provider)
    amount = Money(due.amount_minor, due.currency)

    async def send() -> RefundChanged:
        return await gateway.refund(key=due.request_id, payment=due.payment, amount=amount)

    async def find() -> RefundChanged | None:
        return await gateway.find_refund(key=due.request_id, payment=due.payment, amount=amount)

    try:
        answer = await ask_once(
            is_repeat=due.is_repeat, may_resend=due.may_resend, send=send, find=find
        )
    except ProviderDeclined as no:
        verdict, arguments = "select private.decline_refund(%s, %s)", [due.request_id, str(no)]
    except (OutcomeUnknown, NotConfigured) as doubt:
        verdict, arguments = "select private.question_refund(%s, %s)", [due.request_id, str(doubt)]
    else:
        verdict, arguments = answer.booking(due.provider)
    async with transaction(pool) as db:
        await db.execute(verdict, arguments)


@jobs.task(name="payments.check_refund", queue="payments", retry=_RETRY, pass_context=True)
async def check_refund(context: procrastinate.JobContext, subject_id: str) -> None:
    """Ask how a refund stands that has been on its way for long: its event may be lost."""
    pool = pool_of(context)
    async with transaction(pool) as db:
        sent = await one(
            db, SentRefund, "select * from private.claim_refund_check(%s)", [subject_id]
        )
    if sent is None:
        return
    try:
        fact = await _gateway(context, sent.provider).find_refund(
            key=sent.request_id,
            payment=sent.payment,
            amount=Money(sent.amount_minor, sent.currency),
        )
    except (ProviderDeclined, OutcomeUnknown, NotConfigured) as error:
        _logger.warning("a refund was not looked up", extra={"why": error.message})
        return
    if fact is None:  # no proof of anything: an operator sees it after two weeks
        _logger.error("the provider knows nothing of it", extra={"refund_id": subject_id})
        return
    await book(pool, sent.provider, [fact])


@jobs.task(name="payments.capture_payment", queue="payments", retry=_RETRY, pass_context=True)
async def capture_payment(context: procrastinate.JobContext, subject_id: str) -> None:
    """Take what a payer approved; what was taken before is found, not taken again."""
    pool = pool_of(context)
    async with transaction(pool) as db:
        due = await one(db, DueCapture, "select * from private.claim_capture(%s)", [subject_id])
    if due is None:
        return
    gateway = _gateway(context, due.provider)

    async def send() -> Sequence[Fact]:
        return await gateway.capture_payment(key=due.request_id, started=due.started)

    async def find() -> Sequence[Fact] | None:
        facts = await gateway.look_up_payment(due.started)
        if any(
            isinstance(fact, PaymentSucceeded)
            or (isinstance(fact, PaymentFailed) and not fact.unless_taken)
            for fact in facts
        ):
            return facts
        if due.is_given_up and any(isinstance(fact, PaymentApproved) for fact in facts):
            raise ProviderDeclined("It was not taken in time.")
        return None

    try:
        facts = await ask_once(
            is_repeat=due.is_repeat, may_resend=due.may_resend, send=send, find=find
        )
    except ProviderDeclined as no:
        async with transaction(pool) as db:
            await db.execute(
                "select private.fail_payment(null, %s, %s, %s)",
                [due.provider, due.started, str(no)],
            )
            await db.execute(
                "select private.close_request(%s, 'declined', null, %s)", [due.request_id, str(no)]
            )
        return
    except (OutcomeUnknown, NotConfigured) as doubt:
        async with transaction(pool) as db:
            await db.execute(
                "select private.close_request(%s, 'unknown', null, %s)",
                [due.request_id, str(doubt)],
            )
        return
    async with transaction(pool) as db:
        for fact in facts:
            await db.execute(*fact.booking(due.provider))
        await db.execute("select private.close_request(%s, 'succeeded')", [due.request_id])


@jobs.task(name="payments.check_payment", queue="payments", retry=_RETRY, pass_context=True)
async def check_payment(context: procrastinate.JobContext, subject_id: str) -> None:
    """Ask how a payment stands of which nothing was heard for long: its event may be lost."""
    pool = pool_of(context)
    async with transaction(pool) as db:
        waiting = await one(
            db, Waiting, "select * from private.claim_payment_check(%s)", [subject_id]
        )
    if waiting is None:
        return
    try:
        facts = await _gateway(context, waiting.provider).look_up_payment(waiting.started)
    except (ProviderDeclined, OutcomeUnknown, NotConfigured) as error:
        _logger.warning("a payment was not looked up", extra={"why": error.message})
        return
    await book(pool, waiting.provider, facts)


@jobs.task(name="payments.check_dispute", queue="payments", retry=_RETRY, pass_context=True)
async def check_dispute(context: procrastinate.JobContext, subject_id: str) -> None:
    """Ask how an open payment dispute stands: the event of its verdict may be lost."""
    pool = pool_of(context)
    async with transaction(pool) as db:
        asked = await one(db, Case, "select * from private.claim_dispute_check(%s)", [subject_id])
    if asked is None:
        return
    gateway = cast("DisputeGateway", providers_of(context)[asked.provider])
    try:
        facts = await gateway.look_up_dispute(asked.reference)
    except (ProviderDeclined, OutcomeUnknown, NotConfigured) as error:
        _logger.warning("a payment dispute was not looked up", extra={"why": error.message})
        return
    await book(pool, asked.provider, facts)


@jobs.periodic(cron="40 * * * *")
@jobs.task(name="payments.tend_disputes", queue="payments", pass_context=True)
async def tend_disputes(context: procrastinate.JobContext, timestamp: int) -> None:
    """Look after payment disputes that are open."""
    async with transaction(pool_of(context)) as db:
        await db.execute("select private.tend_disputes()")


@jobs.periodic(cron="*/5 * * * *")
@jobs.task(name="payments.tend_payments", queue="payments", pass_context=True)
async def tend_payments(context: procrastinate.JobContext, timestamp: int) -> None:
    """Look after payments that were begun and of which nothing was heard."""
    async with transaction(pool_of(context)) as db:
        await db.execute("select private.tend_payments()")


@dataclass(frozen=True, slots=True)
class DueStart:
    order_id: UUID
    request_id: UUID
    provider: str
    amount_minor: int
    currency: str
    title: str
    way: str


@jobs.task(name="payments.start_payment", queue="payments", pass_context=True)
async def find_start(context: procrastinate.JobContext, subject_id: str) -> None:
    """Look up a start whose answer nobody heard. Nobody waits any more, so none is made."""
    pool = pool_of(context)
    async with transaction(pool) as db:
        due = await one(db, DueStart, "select * from private.claim_start(%s)", [subject_id])
    if due is None:
        return
    order = OrderToPay(
        key=due.request_id,
        order_id=due.order_id,
        amount=Money(due.amount_minor, due.currency),
        title=due.title,
        payer_email=None,
        return_url="",
        saved_method=None if due.way in ("page", "form") else due.way,
    )
    try:
        found = await _gateway(context, due.provider).find_started(order)
    except (ProviderDeclined, OutcomeUnknown, NotConfigured) as doubt:
        status, note = "unknown", str(doubt)
    else:
        status, note = "declined", "the provider knows nothing of it"
        if found is not None:
            async with transaction(pool) as db:
                await db.execute(
                    "select private.payment_started(%s, %s, %s)",
                    [subject_id, due.request_id, found.reference],
                )
            return
    async with transaction(pool) as db:
        await db.execute(
            "select private.fail_start(%s, %s, %s, %s)", [subject_id, due.request_id, status, note]
        )


def _gateway(context: procrastinate.JobContext, provider: str) -> PaymentGateway:
    return cast("PaymentGateway", providers_of(context)[provider])
