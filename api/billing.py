"""Subscriptions: pages of Stripe's to begin and manage one, and changes while its owner waits.

Plans, prices, subscriptions and invoices are read at the Data API; a trial without a card is its
`start_trial()`.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from api.callers import Caller, SignedIn
from api.envelope import Success
from api.errors import InvalidInput, SignInRequired
from api.routing import people_router, possible
from workers.billing import requests
from workers.billing.stripe import CheckoutWanted, StripeBilling
from workers.core.db import one, transaction
from workers.core.errors import Busy, GuildhallError, NotConfigured
from workers.core.settings import Settings
from workers.payments.base import OutcomeUnknown, ProviderDeclined, ProviderUnavailable
from workers.payments.requests import book

router = people_router(tags=["billing"])
_PROVIDER = (NotConfigured, ProviderDeclined, OutcomeUnknown, ProviderUnavailable)


class PriceNotFound(GuildhallError):
    """There is no such price, or it is not sold any more."""

    code, http_status = "billing.price_not_found", 404


class NoSubscription(GuildhallError):
    """There is no subscription at a provider."""

    code, http_status = "billing.no_subscription", 404


class NoCustomer(GuildhallError):
    """Nothing was ever paid here, so there is nothing to manage."""

    code, http_status = "billing.no_customer", 404


class AlreadySubscribed(GuildhallError):
    """There is a subscription already: change that one."""

    code, http_status = "billing.already_subscribed", 409


class ChangePending(GuildhallError):
    """Another change of the subscription is under way."""

    code, http_status = "billing.change_pending", 409


class PriceWanted(BaseModel):
    model_config = ConfigDict(extra="forbid")

    price_id: UUID = Field(description="A row of `plan_prices`.")


class Page(BaseModel):
    """A page of Stripe's to send the caller to."""

    url: str
    expires_at: datetime | None = Field(
        default=None, description="Until when it can be used; null: a few minutes."
    )


class Subscription(BaseModel):
    """The caller's subscription, as in the table `subscriptions`."""

    id: UUID
    plan: str
    price_id: UUID
    next_price_id: UUID | None = Field(description="What it changes to with the next period.")
    status: str
    current_period_end: datetime
    trial_ends_at: datetime | None
    cancel_at: datetime | None = Field(description="When it ends, if it was cancelled.")


@dataclass(frozen=True, slots=True)
class _Start:
    checkout_id: UUID
    request_id: UUID | None
    to_expire: str | None
    url: str | None
    expires_at: datetime | None
    trial_days: int | None
    trial_ends_at: datetime | None
    customer: str | None
    email: str | None
    owner_id: UUID


@router.post(
    "/billing/checkout",
    summary="A page to subscribe on",
    responses=possible(SignInRequired, PriceNotFound, AlreadySubscribed, InvalidInput, *_PROVIDER),
)
async def start_checkout(wish: PriceWanted, caller: SignedIn, request: Request) -> Success[Page]:
    """Stripe's page for one price; the subscription begins when it is paid there.

    Who never had a trial gets the plan's; what is left of one without a card is kept. Safe to
    repeat: the same page while it is open, and never two that can be paid.
    """
    billing, pool = _billing(request), caller.pool
    start = await _start(caller, wish.price_id)
    if start.to_expire is not None:  # another page is open: it must not be paid as well
        await book(pool, billing.name, await billing.expire_checkout(start.to_expire))
        start = await _start(caller, wish.price_id)
    if start.url is not None:
        return Success(data=Page(url=start.url, expires_at=start.expires_at))
    if start.request_id is None:
        raise Busy("Another page was opened just now. Try again.", headers={"Retry-After": "1"})
    page_of = _front_end(request)
    wanted = CheckoutWanted(
        key=start.request_id,
        checkout_id=start.checkout_id,
        owner_id=start.owner_id,
        price=await requests.publish_price(pool, billing, wish.price_id),
        success_url=page_of + "?checkout={CHECKOUT_SESSION_ID}",
        cancel_url=page_of,
        customer=start.customer,
        email=start.email,
        trial_days=start.trial_days,
        trial_ends_at=start.trial_ends_at,
    )
    try:
        page = await billing.open_checkout(wanted)
    except ProviderDeclined:
        async with transaction(pool) as db:
            await db.execute("select private.abandon_checkout(%s)", [start.checkout_id])
        raise
    async with transaction(pool) as db:
        cursor = await db.execute(
            "select private.checkout_started(%s, %s, %s, %s, %s)",
            [start.checkout_id, start.request_id, page.reference, page.url, page.expires_at],
        )
        (is_open,) = await cursor.fetchone() or (False,)
    if not is_open:
        raise Busy("Another page was opened just now. Try again.", headers={"Retry-After": "1"})
    return Success(data=Page(url=page.url, expires_at=page.expires_at))


@router.post(
    "/billing/portal",
    summary="A page to manage cards and invoices on",
    responses=possible(SignInRequired, NoCustomer, *_PROVIDER),
)
async def open_portal(caller: SignedIn, request: Request) -> Success[Page]:
    """Stripe's customer portal, for a few minutes; what is changed there comes back as events."""
    billing = _billing(request)
    customer = await _ask(caller, "select private.billing_customer()")
    if customer is None:
        raise NoCustomer("Nothing was ever paid here, so there is nothing to manage.")
    url = await billing.open_portal(customer, _front_end(request))
    return Success(data=Page(url=url))


@router.post(
    "/billing/change",
    summary="Another plan or period",
    responses=possible(
        SignInRequired, PriceNotFound, NoSubscription, ChangePending, InvalidInput, *_PROVIDER
    ),
)
async def change_plan(
    wish: PriceWanted, caller: SignedIn, request: Request
) -> Success[Subscription]:
    """A larger plan, or the year, at once: the rest of the period is set off and charged.

    A smaller plan, or the month, begins when the period ends. In doubt (502) it is looked up by
    itself; the same request may be sent again.
    """
    billing = _billing(request)
    change_id = await _ask(caller, "select private.change_plan(%s)", wish.price_id)
    return await _carry_out(caller, billing, change_id)


@router.post(
    "/billing/cancel",
    summary="End the subscription with its period",
    responses=possible(SignInRequired, NoSubscription, ChangePending, *_PROVIDER),
)
async def cancel_plan(caller: SignedIn, request: Request) -> Success[Subscription]:
    """Everything stays open until the period ends. Safe to repeat."""
    billing = _billing(request)
    async with _acting(caller).transaction() as db:
        (change_id,) = await (await db.execute("select private.cancel_plan()")).fetchone() or (
            None,
        )
    return await _carry_out(caller, billing, change_id)


@router.post(
    "/billing/resume",
    summary="Go on after all",
    responses=possible(SignInRequired, NoSubscription, ChangePending, *_PROVIDER),
)
async def resume_plan(caller: SignedIn, request: Request) -> Success[Subscription]:
    """Neither end nor smaller plan: it goes on as it is. Safe to repeat."""
    billing = _billing(request)
    async with _acting(caller).transaction() as db:
        (change_id,) = await (await db.execute("select private.resume_plan()")).fetchone() or (
            None,
        )
    return await _carry_out(caller, billing, change_id)


async def _carry_out(
    caller: Caller, billing: StripeBilling, change_id: UUID | None
) -> Success[Subscription]:
    if change_id is not None:
        await requests.carry_out(caller.pool, billing, change_id)
    async with caller.transaction() as db:
        held = await one(
            db,
            Subscription,
            "select id, plan, price_id, next_price_id, status, current_period_end, trial_ends_at,"
            " cancel_at from public.subscriptions"
            " where owner_id = (select auth.uid()) and provider is not null and not is_extra"
            " order by started_at desc limit 1",
            [],
        )
    if held is None:
        raise NoSubscription("There is no subscription at a provider.")
    return Success(data=held)


async def _ask(caller: Caller, query: LiteralString, *arguments: object) -> Any:
    async with _acting(caller).transaction() as db:
        row = await (await db.execute(query, arguments)).fetchone()
    return row and row[0]


async def _start(caller: Caller, price_id: UUID) -> _Start:
    async with _acting(caller).transaction() as db:
        start = await one(db, _Start, "select * from private.start_checkout(%s)", [price_id])
    assert start is not None  # it answers a row or raises
    return start


def _acting(caller: Caller) -> Caller:
    """To store what is asked: an Idempotency-Key counts as used only by what came of it."""
    return replace(caller, attempt=None)


def _billing(request: Request) -> StripeBilling:
    """Before anything is stored. Errors: NotConfigured (503)."""
    billing: StripeBilling = request.app.state.billing
    billing.need_key()
    return billing


def _front_end(request: Request) -> str:
    known: Settings = request.app.state.settings
    return str(known.public_url).rstrip("/") + "/billing"
