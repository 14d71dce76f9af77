"""Stripe Billing: the calls that make, change and look up subscriptions.

It stores and decides nothing. Every call may raise ProviderDeclined (a final no),
ProviderUnavailable (surely not done), OutcomeUnknown (all doubt) and NotConfigured.
Source: Stripe API reference; Stripe, Subscription schedules.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from workers.billing.facts import SubscriptionChanged
from workers.billing.stripe_events import (
    checkout_facts,
    invoice_facts,
    read_billing,
    subscription_fact,
)
from workers.core.money import Money
from workers.core.settings import Settings
from workers.payments.base import Fact, ProviderDeclined
from workers.payments.stripe_calls import Answer, StripeCalls, named, surprises

__all__ = ["CheckoutWanted", "Page", "Price", "StripeBilling", "open_billing", "read_billing"]

Kind = Literal["upgrade", "downgrade", "cancel", "resume", "end"]


@dataclass(frozen=True, slots=True)
class Price:
    """What is to be sold: `amount` every `period` for a plan. `id` is ours."""

    id: UUID
    plan: str
    title: str
    amount: Money
    period: Literal["month", "year"]


@dataclass(frozen=True, slots=True)
class CheckoutWanted:
    """A page to be made where `owner_id` may subscribe. `key` is stored.

    `price`: Stripe's id. `trial_days` or `trial_ends_at`: nothing is charged before. `customer`:
    who they are at Stripe, if known.
    """

    key: UUID
    checkout_id: UUID
    owner_id: UUID
    price: str
    success_url: str
    cancel_url: str
    customer: str | None = None
    email: str | None = None
    trial_days: int | None = None
    trial_ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of Stripe's, until when it can be used, and its address."""

    reference: str
    url: str = field(repr=False)
    expires_at: datetime


class StripeBilling(StripeCalls):
    """Subscriptions over Stripe Billing, its Checkout pages and its customer portal."""

    name = "stripe"

    def need_key(self) -> None:
        """Errors: NotConfigured."""
        _ = self._v1

    async def publish_price(self, *, key: UUID, price: Price) -> str:
        """Make a price, and its product if it is the first one; Stripe's id of the price."""
        product = f"guildhall_{price.plan}"
        try:
            await self._act(
                self._v1.products.create_async,
                {"id": product, "name": price.title},
                {"idempotency_key": f"{key}:product"},
            )
        except ProviderDeclined as no:
            if no.details != {"code": "resource_already_exists"}:
                raise
        made = await self._act(
            self._v1.prices.create_async,
            {
                "product": product,
                "unit_amount": price.amount.minor,
                "currency": price.amount.currency.lower(),
                "recurring": {"interval": price.period},
                "lookup_key": _lookup_key(price),
            },
            {"idempotency_key": str(key)},
        )
        return _checked(made, price)

    async def find_price(self, price: Price) -> str | None:
        """The price that was made before, if any."""
        found = await self._look(self._v1.prices.list_async, {"lookup_keys": [_lookup_key(price)]})
        with surprises():
            return _checked(found["data"][0], price) if found["data"] else None

    async def open_checkout(self, wanted: CheckoutWanted) -> Page:
        """Make the page: the same key again gives the same one."""
        begun: Answer = {"metadata": {"owner_id": str(wanted.owner_id)}}
        if wanted.trial_ends_at is not None:
            begun["trial_end"] = int(wanted.trial_ends_at.timestamp())
        elif wanted.trial_days:
            begun["trial_period_days"] = wanted.trial_days
        if len(begun) > 1:
            # a card that was taken off again: the trial ends, and nothing is owed
            begun["trial_settings"] = {"end_behavior": {"missing_payment_method": "cancel"}}
        asked: Answer = {
            "mode": "subscription",
            "line_items": [{"price": wanted.price, "quantity": 1}],
            "success_url": wanted.success_url,
            "cancel_url": wanted.cancel_url,
            "client_reference_id": str(wanted.checkout_id),
            "payment_method_collection": "always",
            "subscription_data": begun,
        }
        if wanted.customer is not None:
            asked["customer"] = wanted.customer
        elif wanted.email is not None:
            asked["customer_email"] = wanted.email
        made = await self._act(
            self._v1.checkout.sessions.create_async, asked, {"idempotency_key": str(wanted.key)}
        )
        with surprises():
            if made["client_reference_id"] != str(wanted.checkout_id):
                raise ValueError("another page than was asked for")
            ends = datetime.fromtimestamp(made["expires_at"], UTC)
            return Page(str(made["id"]), str(made["url"]), ends)

    async def expire_checkout(self, reference: str) -> Sequence[Fact]:
        """End a page that nobody is to use any more; what became of it if it was used."""
        # what is over already is declined: how it ended is told next
        with suppress(ProviderDeclined):
            await self._act(self._v1.checkout.sessions.expire_async, reference)
        return await self.look_up_checkout(reference)

    async def look_up_checkout(self, reference: str) -> Sequence[Fact]:
        """What became of a page, and of the subscription that began there."""
        page = await self._look(self._v1.checkout.sessions.retrieve_async, reference)
        with surprises():
            facts = checkout_facts(named(page, reference))
            begun = page.get("subscription") if page["status"] == "complete" else None
        return facts if begun is None else (*await self.look_up(str(begun), None), *facts)

    async def open_portal(self, customer: str, return_url: str) -> str:
        """Where a payer manages cards, invoices and the subscription; for a short time."""
        made = await self._act(
            self._v1.billing_portal.sessions.create_async,
            {"customer": customer, "return_url": return_url},
        )
        with surprises():
            return str(made["url"])

    async def look_up(self, reference: str, seen_at: datetime | None) -> Sequence[Fact]:
        """A subscription as it stands now, and its invoices, what was paid first."""
        return (*await self._invoices(reference), await self.subscription(reference, seen_at))

    async def subscription(self, reference: str, seen_at: datetime | None) -> SubscriptionChanged:
        """A subscription as it stands now, and what it changes to."""
        held = await self._look(
            self._v1.subscriptions.retrieve_async, reference, {"expand": ["schedule"]}
        )
        with surprises():
            return subscription_fact(named(held, reference), seen_at=seen_at)

    async def _invoices(self, reference: str) -> Sequence[Fact]:
        # older ones were looked up at their time
        page = await self._look(
            self._v1.invoices.list_async,
            {"subscription": reference, "limit": 24, "expand": ["data.payments"]},
        )
        with surprises():
            return [fact for bill in reversed(page["data"]) for fact in invoice_facts(bill)]

    async def change(self, *, key: UUID, kind: Kind, reference: str, price: str | None) -> None:
        """Change a subscription; see private.subscription_changes.kind.

        One call of several may be lost: repeated under the same key, those that were done do
        nothing again.
        """
        if kind == "end":
            await self._act(
                self._v1.subscriptions.cancel_async,
                reference,
                {"prorate": False},
                {"idempotency_key": str(key)},
            )
            return
        held = await self._look(self._v1.subscriptions.retrieve_async, reference)
        if kind == "downgrade":
            assert price is not None
            await self._schedule(key, held, price)
            return
        if held.get("schedule") is not None:  # while there is one, Stripe takes no other change
            await self._act(
                self._v1.subscription_schedules.release_async,
                held["schedule"],
                {},
                {"idempotency_key": f"{key}:release"},
            )
        asked: Answer = {"cancel_at_period_end": kind == "cancel"}
        if kind == "upgrade":
            with surprises():
                item = held["items"]["data"][0]["id"]
            asked = {
                "items": [{"id": item, "price": price}],
                "proration_behavior": "always_invoice",
                # what cannot be paid changes nothing
                "payment_behavior": "error_if_incomplete",
            }
        await self._act(
            self._v1.subscriptions.update_async, reference, asked, {"idempotency_key": str(key)}
        )

    async def _schedule(self, key: UUID, held: Answer, price: str) -> None:
        """The same price until the period ends, then the other one."""
        schedules = self._v1.subscription_schedules
        if held.get("schedule") is not None:
            plan = await self._look(schedules.retrieve_async, held["schedule"])
        else:
            plan = await self._act(
                schedules.create_async,
                {"from_subscription": held["id"]},
                {"idempotency_key": f"{key}:schedule"},
            )
        with surprises():
            now = plan["phases"][0]
            current = {
                "items": [{"price": now["items"][0]["price"], "quantity": 1}],
                "start_date": now["start_date"],
                "end_date": now["end_date"],
            }
        await self._act(
            schedules.update_async,
            plan["id"],
            {
                "end_behavior": "release",
                "proration_behavior": "none",
                "phases": [current, {"items": [{"price": price, "quantity": 1}]}],
            },
            {"idempotency_key": str(key)},
        )


@asynccontextmanager
async def open_billing(known: Settings) -> AsyncIterator[StripeBilling]:
    """One for a process; its connections are closed at the end."""
    billing = StripeBilling(known)
    try:
        yield billing
    finally:
        await billing.aclose()


def _lookup_key(price: Price) -> str:
    return f"guildhall_{price.id}"


def _checked(made: Answer, price: Price) -> str:
    """Stripe's id of a price that is the one that was asked for. Errors: OutcomeUnknown."""
    with surprises():
        told = (made["unit_amount"], made["currency"], made["recurring"]["interval"])
        if told != (price.amount.minor, price.amount.currency.lower(), price.period):
            raise ValueError(f"{made['id']} is another price than was asked for")
        return str(made["id"])
