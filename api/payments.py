"""Paying an order: ask its provider, look what became of it, show the receipt."""

import json
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, LiteralString, cast
from uuid import UUID, uuid5

from fastapi import Path, Request
from fastapi.responses import HTMLResponse
from psycopg.rows import dict_row
from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field

from api.callers import Caller, SignedIn
from api.envelope import Success
from api.errors import SignInRequired
from api.receipts import render_receipt
from api.routing import people_router, possible
from workers.core.db import one, transaction
from workers.core.errors import GuildhallError, NotConfigured
from workers.core.money import Money
from workers.payments.base import (
    CustomerGateway,
    OrderToPay,
    OutcomeUnknown,
    PaymentFailed,
    PaymentGateway,
    Provider,
    ProviderDeclined,
    ProviderUnavailable,
    Started,
    WaysGateway,
)
from workers.payments.requests import ask_once, book

router = people_router(tags=["payments"])


class OrderMissing(GuildhallError):
    """There is no such order."""

    code, http_status = "payments.order_not_found", 404


class PaymentMissing(GuildhallError):
    """There is no such payment."""

    code, http_status = "payments.payment_not_found", 404


class WayToPay(BaseModel):
    """How the payer wants to pay."""

    model_config = ConfigDict(extra="forbid")

    provider: str | None = Field(
        default=None, pattern="^[a-z]{2,20}$", description="Null: the preferred one of the route."
    )
    return_url: AnyHttpUrl | None = Field(
        default=None, description="Where the provider sends the payer back to; null: PUBLIC_URL."
    )
    saved_method_id: UUID | None = Field(
        default=None, description="Of `payment_methods`: charged now, without a page."
    )
    own_form: bool = Field(
        default=False, description="A form of one's own, not the provider's page, if it has both."
    )
    save_method: bool = Field(
        default=False, description="Keep what is paid with, at the provider, for the next time."
    )

    @property
    def name(self) -> str:
        """As `payment_attempts.way` keeps it."""
        if self.saved_method_id is not None:
            return str(self.saved_method_id)
        return "form" if self.own_form else "page"


class PaymentToMake(BaseModel):
    """What the payer's client needs to go on."""

    attempt_id: UUID
    provider: str
    reference: str = Field(description="The provider's id of what is to be paid.")
    client: Mapping[str, str] = Field(
        description="`url` to go to, or what the provider's own form asks for. Empty: nothing is"
        " left to do, `POST /orders/{id}/check` tells what became of it."
    )


class MethodMissing(GuildhallError):
    """There is no such saved payment method."""

    code, http_status = "payments.method_not_found", 404


class OtherWayOpen(GuildhallError):
    """It was paid in another way, or is being paid: look at it again before paying once more."""

    code, http_status = "payments.other_way_open", 409


class OrderState(BaseModel):
    """An order, after its provider was asked."""

    id: UUID
    status: str
    amount_minor: int
    currency: str
    provider: str | None


@dataclass(frozen=True, slots=True)
class _Start:
    attempt_id: UUID
    reference: str | None
    request_id: UUID
    is_repeat: bool
    may_resend: bool
    provider_name: str
    amount_minor: int
    currency: str
    title: str
    email: str | None
    customer: str | None
    begun_way: str


@dataclass(frozen=True, slots=True)
class _Method:
    provider: str
    reference: str


_METHOD: LiteralString = (
    "select provider, reference from public.payment_methods"
    " where id = %s and owner_id = (select auth.uid())"
)
_TRIES = 3  # to start a payment: what was begun before may be over
_PROVIDER_ERRORS = (NotConfigured, ProviderDeclined, OutcomeUnknown, ProviderUnavailable)


@router.post(
    "/orders/{order_id}/pay",
    summary="Start to pay an order",
    responses=possible(SignInRequired, OrderMissing, OtherWayOpen, *_PROVIDER_ERRORS),
)
async def pay_order(
    request: Request, order_id: UUID, way: WayToPay, caller: SignedIn
) -> Success[PaymentToMake]:
    """Ask a provider to collect an order, as its payer. Safe to repeat: the same is answered, or
    a new one where nobody can pay it any more. Another way to pay ends the one that was begun.

    The order is paid when the provider says so, by its signed event; `order_paid` is broadcast.
    """
    for _ in range(_TRIES):
        start, order = await _claim(request, order_id, way, caller)
        gateway = cast("PaymentGateway", request.app.state.providers[start.provider_name])
        if start.begun_way != way.name and hasattr(gateway, "end_started"):
            await _end_other(caller, gateway, start, order)
            continue
        if order.started is None:
            return await _begin(caller, gateway, start, order)
        found = await gateway.find_started(order)
        if found is not None:
            return _to_make(start, start.attempt_id, found)
        await _fail(caller, start, order.started, "Nobody can pay it any more.")
    raise OutcomeUnknown("Its money is being taken: look at it again in some minutes.")


async def _claim(
    request: Request, order_id: UUID, way: WayToPay, caller: Caller
) -> tuple[_Start, OrderToPay]:
    """The try that is open, or a new one, and what its provider is asked for."""
    known = request.app.state.settings
    providers: Mapping[str, Provider] = request.app.state.providers
    # no mark that the Idempotency-Key is used up: the stored request makes it happen once
    saved, name = None, way.provider
    async with replace(caller, attempt=None).transaction() as db:
        if way.saved_method_id is not None:
            method = await one(db, _Method, _METHOD, [way.saved_method_id])
            if method is None or name not in (None, method.provider):
                raise MethodMissing("You have no such method.", str(way.saved_method_id))
            saved, name = method.reference, method.provider
        start = await one(
            db,
            _Start,
            "select * from private.start_payment(%s, %s, %s, %s)",
            [
                order_id,
                name,
                [one.name for one in providers.values() if one.is_configured],
                way.name,
            ],
        )
    assert start is not None  # it answers a row or raises
    provider = providers[start.provider_name]
    customer = start.customer
    if customer is None and way.save_method and hasattr(provider, "open_customer"):
        customer = await _open_customer(caller, cast("CustomerGateway", provider), start)
    return start, OrderToPay(
        key=start.request_id,
        order_id=order_id,
        amount=Money(start.amount_minor, start.currency),
        title=start.title,
        payer_email=start.email,
        return_url="" if way.own_form else str(way.return_url or known.public_url),
        customer=customer if way.save_method or saved is not None else None,
        saved_method=saved,
        started=start.reference,
    )


async def _begin(
    caller: Caller, gateway: PaymentGateway, start: _Start, order: OrderToPay
) -> Success[PaymentToMake]:
    """Ask the provider under the stored key, and store what it says."""

    async def find() -> Started | None:
        return await gateway.find_started(order)

    async def send() -> Started:
        return await gateway.start_payment(order)

    try:
        started = await ask_once(
            is_repeat=start.is_repeat, may_resend=start.may_resend, send=send, find=find
        )
    except GuildhallError as error:
        # whoever has no credentials was not asked
        is_no = isinstance(error, (ProviderDeclined, NotConfigured))
        async with transaction(caller.pool) as db:
            await db.execute(
                "select private.fail_start(%s, %s, %s, %s)",
                [
                    start.attempt_id, start.request_id, "declined" if is_no else "unknown",
                    str(error),
                ],
            )  # fmt: skip
        raise
    return _to_make(start, await _store(caller, start, started), started)


async def _end_other(
    caller: Caller, gateway: PaymentGateway, start: _Start, order: OrderToPay
) -> None:
    """End what was begun in another way, so that the order is not paid by both."""
    reference = order.started
    if reference is None:
        found = await gateway.find_started(order)
        if found is None:
            raise OutcomeUnknown("Another way was begun, in doubt: try again in some minutes.")
        await _store(caller, start, found)
        reference = found.reference
    try:
        await cast("WaysGateway", gateway).end_started(reference)
    except ProviderDeclined as no:
        raise OtherWayOpen("It was paid in another way, or is being paid.", no.details) from no
    await _fail(caller, start, reference, "The payer chose another way.")


async def _store(caller: Caller, start: _Start, started: Started) -> UUID:
    """The try that it belongs to."""
    async with transaction(caller.pool) as db:
        cursor = await db.execute(
            "select private.payment_started(%s, %s, %s)",
            [start.attempt_id, start.request_id, started.reference],
        )
        row = await cursor.fetchone()
    assert row is not None
    return cast("UUID", row[0])


async def _fail(caller: Caller, start: _Start, started: str, reason: str) -> None:
    """A try is over, unless its money is being taken."""
    over = PaymentFailed(reason, started=started, unless_taken=True)
    async with transaction(caller.pool) as db:
        await db.execute(*over.booking(start.provider_name))


def _to_make(start: _Start, attempt_id: UUID, started: Started) -> Success[PaymentToMake]:
    return Success(
        data=PaymentToMake(
            attempt_id=attempt_id,
            provider=start.provider_name,
            reference=started.reference,
            client=started.client,
        )
    )


@router.post(
    "/orders/{order_id}/check",
    summary="Look what became of a payment",
    responses=possible(SignInRequired, OrderMissing, *_PROVIDER_ERRORS),
)
async def check_order(request: Request, order_id: UUID, caller: SignedIn) -> Success[OrderState]:
    """Ask the providers now, for a payer who came back before their event did."""
    async with replace(caller, attempt=None).transaction() as db:
        cursor = await db.execute(
            "select provider, reference from public.payment_attempts"
            " where order_id = %s and status = 'started'",
            [order_id],
        )
        waiting = await cursor.fetchall()
    for provider, reference in waiting:
        gateway = cast("PaymentGateway", request.app.state.providers[provider])
        facts = await gateway.look_up_payment(reference)
        await book(caller.pool, provider, facts)
    return Success(data=await _state(caller, order_id))


@router.post(
    "/payment-methods/check",
    summary="Read saved payment methods anew",
    responses=possible(SignInRequired, *_PROVIDER_ERRORS),
)
async def check_methods(request: Request, caller: SignedIn) -> Success[int]:
    """Ask the providers what the caller has saved there; how many. The table shows them."""
    async with transaction(caller.pool) as db:
        cursor = await db.execute(
            "select provider, reference from private.list_customers(%s)", [caller.user_id]
        )
        customers = await cursor.fetchall()
    count = 0
    for name, customer in customers:
        provider = request.app.state.providers[name]
        if not hasattr(provider, "saved_methods"):
            continue
        methods = await cast("CustomerGateway", provider).saved_methods(customer)
        told = [
            {
                "reference": method.reference,
                "kind": method.kind,
                "label": method.label,
                "expires_on": _last_day(method.expires),
            }
            for method in methods
        ]
        async with transaction(caller.pool) as db:
            await db.execute(
                "select private.keep_payment_methods(%s, %s, %s)",
                [caller.user_id, name, json.dumps(told)],
            )
        count += len(told)
    return Success(data=count)


@router.delete(
    "/payment-methods/{method_id}",
    summary="Forget a saved payment method",
    responses=possible(SignInRequired, MethodMissing, *_PROVIDER_ERRORS),
)
async def forget_method(request: Request, method_id: UUID, caller: SignedIn) -> Success[None]:
    """Take it off at the provider, then here. Forgotten before is no error there."""
    async with caller.transaction() as db:
        method = await one(db, _Method, _METHOD, [method_id])
    if method is None:
        raise MethodMissing("You have no such method.", str(method_id))
    provider = cast("CustomerGateway", request.app.state.providers[method.provider])
    await provider.forget_method(method.reference)
    async with transaction(caller.pool) as db:
        await db.execute("select private.forget_payment_method(%s)", [method_id])
    return Success(data=None)


@router.get(
    "/payments/{payment_id}/receipt",
    summary="The receipt of a payment, as a page",
    response_class=HTMLResponse,
    responses=possible(SignInRequired, PaymentMissing),
)
async def show_receipt(payment_id: Annotated[UUID, Path()], caller: SignedIn) -> HTMLResponse:
    """For its payer, to be printed or kept; `rpc('get_receipt')` gives the same as data."""
    async with caller.transaction() as db:
        cursor = await db.execute("select public.get_receipt(%s)", [payment_id])
        row = await cursor.fetchone()
    assert row is not None
    receipt: dict[str, Any] = row[0]
    return HTMLResponse(
        render_receipt(receipt),
        headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"},
    )


async def _open_customer(caller: Caller, provider: CustomerGateway, start: _Start) -> str:
    """Make the payer known at the provider, once: the key is derived from who they are."""
    assert caller.user_id is not None  # SignedIn
    reference = await provider.open_customer(
        key=uuid5(caller.user_id, provider.name), email=start.email, name=None
    )
    async with transaction(caller.pool) as db:
        cursor = await db.execute(
            "select private.know_customer(%s, %s, %s)",
            [caller.user_id, provider.name, reference],
        )
        row = await cursor.fetchone()
    return str(row[0]) if row else reference


def _last_day(expires: tuple[int, int] | None) -> str | None:
    if expires is None:
        return None
    year, month = expires
    return f"{year:04}-{month:02}-{monthrange(year, month)[1]:02}"


async def _state(caller: Caller, order_id: UUID) -> OrderState:
    async with caller.transaction() as db:
        cursor = db.cursor(row_factory=dict_row)
        await cursor.execute(
            "select id, status, amount_minor, currency, provider from public.orders where id = %s",
            [order_id],
        )
        row = await cursor.fetchone()
    if row is None:
        raise OrderMissing("There is no such order.", str(order_id))
    return OrderState(**row)
