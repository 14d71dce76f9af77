"""What a provider's events and answers can mean for subscriptions and invoices.

The same protocol as workers/payments/base.py. A fact of an event bears the event's own time
(`told_at`) and id; without them it was looked up, and counts unless an event was booked since
`seen_at`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Literal, LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

Status = Literal[
    "incomplete", "trialing", "active", "past_due", "unpaid", "paused", "canceled",
    "incomplete_expired",
]  # fmt: skip
InvoiceStatus = Literal["draft", "open", "paid", "uncollectible", "void"]
_dumps = partial(json.dumps, default=str)


@dataclass(frozen=True, slots=True)
class SubscriptionChanged:
    """A subscription as it stands.

    `owner_id`: ours, which the provider echoes. `price` and `next_price`: the provider's ids of
    what is paid now and from the next period on; the latter only look-ups know, events just name
    the `schedule`. `cancel_at`: when it ends by its owner's wish.
    """

    reference: str
    customer: str
    price: str
    status: Status
    started_at: datetime
    period_start: datetime
    period_end: datetime
    owner_id: UUID | None = None
    trial_ends_at: datetime | None = None
    cancel_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: str | None = None
    schedule: str | None = None
    next_price: str | None = None
    told_at: datetime | None = None
    event: str = ""
    seen_at: datetime | None = None

    @property
    def is_over(self) -> bool:
        return self.status in ("canceled", "incomplete_expired")

    def booking(self, provider: str) -> tuple[LiteralString, list[object]]:
        state = {
            "customer": self.customer,
            "owner_id": self.owner_id,
            "price": self.price,
            "next_price": self.next_price,
            "schedule": self.schedule,
            "status": self.status,
            "started_at": self.started_at,
            "period_start": self.period_start,
            "period_end": self.period_end,
            "trial_ends_at": self.trial_ends_at,
            "cancel_at": self.cancel_at,
            "ended_at": self.ended_at,
            "end_reason": self.end_reason,
        }
        return (
            "select private.change_subscription(%s, %s, %s, %s, %s, %s)",
            [provider, self.reference, _json(state), self.told_at, self.event, self.seen_at],
        )


@dataclass(frozen=True, slots=True)
class InvoiceChanged:
    """A subscription's invoice as it stands; amounts in minor units of `currency`.

    `total_minor` is billed and may be below zero; `paid_minor` is what the provider received.
    """

    reference: str
    subscription: str
    customer: str
    status: InvoiceStatus
    currency: str
    total_minor: int
    paid_minor: int
    issued_at: datetime
    credited_minor: int = 0
    owner_id: UUID | None = None
    number: str | None = None
    period_start: datetime | None = None
    period_end: datetime | None = None
    attempts: int = 0
    next_attempt_at: datetime | None = None
    hosted_url: str | None = None
    pdf_url: str | None = None
    told_at: datetime | None = None
    event: str = ""

    def booking(self, provider: str) -> tuple[LiteralString, list[object]]:
        state = {
            "customer": self.customer,
            "owner_id": self.owner_id,
            "subscription": self.subscription,
            "number": self.number,
            "status": self.status,
            "currency": self.currency,
            "total_minor": self.total_minor,
            "paid_minor": self.paid_minor,
            "credited_minor": self.credited_minor,
            "period_start": self.period_start,
            "period_end": self.period_end,
            "attempts": self.attempts,
            "next_attempt_at": self.next_attempt_at,
            "hosted_url": self.hosted_url,
            "pdf_url": self.pdf_url,
            "issued_at": self.issued_at,
        }
        return (
            "select private.change_invoice(%s, %s, %s, %s, %s)",
            [provider, self.reference, _json(state), self.told_at, self.event],
        )


@dataclass(frozen=True, slots=True)
class InvoicePaid:
    """Which payment paid an invoice: refunds and payment disputes name the payment alone."""

    payment: str
    invoice: str

    def booking(self, provider: str) -> tuple[LiteralString, list[object]]:
        return (
            "select private.link_invoice_payment(%s, %s, %s)",
            [provider, self.payment, self.invoice],
        )


@dataclass(frozen=True, slots=True)
class CheckoutChanged:
    """What became of a page where somebody could subscribe. `checkout_id`: ours, echoed."""

    reference: str
    status: Literal["completed", "expired"]
    checkout_id: UUID | None = None
    subscription: str | None = None

    def booking(self, provider: str) -> tuple[LiteralString, list[object]]:
        return (
            "select private.change_checkout(%s, %s, %s, %s, %s)",
            [provider, self.checkout_id, self.reference, self.status, self.subscription],
        )


@dataclass(frozen=True, slots=True)
class SubscriptionQuestioned:
    """Something about a subscription changed that the event does not tell: look it up."""

    reference: str
    event: str

    def booking(self, provider: str) -> tuple[LiteralString, list[object]]:
        return (
            "select private.question_subscription(%s, %s, %s)",
            [provider, self.reference, f"event:{self.event}"],
        )


def _json(state: Mapping[str, Any]) -> Jsonb:
    return Jsonb(state, dumps=_dumps)
