"""Withdrawals: money leaving the platform. The database decides; this module carries."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

import procrastinate

from workers.app import jobs, pool_of, providers_of
from workers.core.db import one, transaction
from workers.core.errors import NotConfigured
from workers.core.money import Money
from workers.payments.base import (
    AccountGateway,
    Destination,
    OutcomeUnknown,
    ProviderDeclined,
    WithdrawalGateway,
)
from workers.payments.requests import ask_once, book

_logger = logging.getLogger("guildhall.payments")


@dataclass(frozen=True, slots=True)
class Due:
    """A withdrawal to be sent: `request_id` is the key, `account` the provider's id of the goal.

    `since`: nothing can have been sent before.
    """

    request_id: UUID
    provider: str
    account: str
    country: str
    amount_minor: int
    currency: str
    since: datetime
    is_repeat: bool = True
    may_resend: bool = False

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def to(self) -> Destination:
        return Destination(self.account, {"country": self.country})


@dataclass(frozen=True, slots=True)
class Account:
    provider: str
    reference: str


@dataclass(frozen=True, slots=True)
class Scheduled:
    owner_id: UUID
    currency: str


@jobs.task(name="payments.send_withdrawal", queue="payments", pass_context=True)
async def send_withdrawal(context: procrastinate.JobContext, subject_id: str) -> None:
    """Claim, send, book; no transaction stays open while a provider thinks."""
    pool = pool_of(context)
    async with transaction(pool) as db:
        target = await one(
            db, Account, "select * from private.claim_destination_check(%s)", [subject_id]
        )
    # the bank may have been changed a moment ago, and the event be on its way
    if target is not None and not await _read_account(context, target):
        return  # it waits, and is queued again
    async with transaction(pool) as db:
        due = await one(db, Due, "select * from private.claim_withdrawal(%s)", [subject_id])
    if due is None:  # sent before, called off, or it must wait
        return
    gateway = cast("WithdrawalGateway", providers_of(context)[due.provider])
    try:
        fact = await ask_once(
            is_repeat=due.is_repeat,
            may_resend=due.may_resend,
            send=lambda: gateway.send(key=due.request_id, to=due.to, amount=due.amount),
            find=lambda: gateway.find_sent(
                key=due.request_id, to=due.to, amount=due.amount, since=due.since
            ),
        )
    except ProviderDeclined as no:
        async with transaction(pool) as db:
            await db.execute(
                "select private.decline_withdrawal(%s, %s)", [due.request_id, no.message]
            )
    except (OutcomeUnknown, NotConfigured) as doubt:
        _logger.warning("a withdrawal is in doubt", extra={"why": doubt.message})
        async with transaction(pool) as db:
            await db.execute(
                "select private.question_withdrawal(%s, %s)", [due.request_id, doubt.message]
            )
    else:
        await book(pool, due.provider, [fact])


@jobs.task(name="payments.check_withdrawal", queue="payments", pass_context=True)
async def check_withdrawal(context: procrastinate.JobContext, subject_id: str) -> None:
    """Ask how a withdrawal stands that has been on its way for long: its event may be lost."""
    async with transaction(pool_of(context)) as db:
        sent = await one(db, Due, "select * from private.claim_withdrawal_check(%s)", [subject_id])
    if sent is None:
        return
    gateway = cast("WithdrawalGateway", providers_of(context)[sent.provider])
    try:
        fact = await gateway.find_sent(
            key=sent.request_id, to=sent.to, amount=sent.amount, since=sent.since
        )
    except (ProviderDeclined, OutcomeUnknown, NotConfigured) as error:
        _logger.warning("a withdrawal was not looked up", extra={"why": error.message})
        return
    if fact is None:  # no proof of anything: an operator sees it among the stuck
        _logger.error("the provider knows nothing of it", extra={"withdrawal_id": subject_id})
        return
    await book(pool_of(context), sent.provider, [fact])


@jobs.periodic(cron="* * * * *")
@jobs.task(name="payments.tend_withdrawals", queue="payments", pass_context=True)
async def tend_withdrawals(context: procrastinate.JobContext, timestamp: int) -> None:
    """Look after withdrawals that wait to be sent, or are long on their way."""
    async with transaction(pool_of(context)) as db:
        await db.execute("select private.tend_withdrawals()")


@jobs.periodic(cron="10 * * * *")
@jobs.task(name="payments.request_scheduled", queue="payments", pass_context=True)
async def request_scheduled(context: procrastinate.JobContext, timestamp: int) -> None:
    """Withdraw for everybody whose schedule is due, each in a transaction of its own."""
    seen: set[Scheduled] = set()
    while due := await _take_due(context, seen):
        for one_of_them in due:
            async with transaction(pool_of(context)) as db:
                await db.execute(
                    "select private.request_scheduled(%s, %s)",
                    [one_of_them.owner_id, one_of_them.currency],
                )


async def _take_due(context: procrastinate.JobContext, seen: set[Scheduled]) -> list[Scheduled]:
    """A batch of those that this run has not seen yet."""
    async with transaction(pool_of(context)) as db:
        rows = await (await db.execute("select * from private.take_due_schedules()")).fetchall()
    due = [found for row in rows if (found := Scheduled(*row)) not in seen]
    seen.update(due)
    return due


@jobs.task(name="payments.open_account", queue="payments", pass_context=True)
async def open_account(context: procrastinate.JobContext, subject_id: str) -> None:
    """Give up an account whose opening was not answered for long.

    We cannot ask again: what its owner told the provider was never stored.
    """
    async with transaction(pool_of(context)) as db:
        await db.execute("select private.abandon_account(%s)", [subject_id])


@jobs.task(name="payments.check_account", queue="payments", pass_context=True)
async def check_account(context: procrastinate.JobContext, subject_id: str) -> None:
    """Read a connected account again: events come in any order."""
    async with transaction(pool_of(context)) as db:
        account = await one(
            db, Account, "select * from private.claim_account_check(%s)", [subject_id]
        )
    if account is None:
        return
    await _read_account(context, account)


async def _read_account(context: procrastinate.JobContext, account: Account) -> bool:
    """Book how an account stands now; whether that could be known."""
    gateway = cast("AccountGateway", providers_of(context)[account.provider])
    try:
        fact = await gateway.look_up_account(account.reference)
    except (ProviderDeclined, OutcomeUnknown, NotConfigured) as error:
        _logger.warning("an account was not looked up", extra={"why": error.message})
        return False
    await book(pool_of(context), account.provider, [fact])
    return True
