"""What Stripe Billing's objects mean, in events and in answers alike.

Source: Stripe API reference, of version 2025-03-31 (basil) and later: periods stand on the
subscription's item, and an invoice names its subscription under `parent`. Events of endpoints that
were made under an older version are read as well.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, get_args
from uuid import UUID

from workers.billing.facts import (
    CheckoutChanged,
    InvoiceChanged,
    InvoicePaid,
    InvoiceStatus,
    Status,
    SubscriptionChanged,
    SubscriptionQuestioned,
)
from workers.payments.base import Fact, UnreadableEvent
from workers.payments.registry import reads

Object = Mapping[str, Any]


@reads("stripe")
def read_billing(event: Object) -> Sequence[Fact]:
    """What a verified event means for subscriptions; empty when it means nothing.

    Errors: UnreadableEvent.
    """
    try:
        kind, subject = event["type"], event["data"]["object"]
        told_at, event_id = _time(event["created"]), str(event["id"])
        read = _reader(kind)
        return () if read is None else tuple(read(subject, kind, told_at, event_id))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise UnreadableEvent(repr(error)) from error


def subscription_fact(
    held: Object,
    *,
    told_at: datetime | None = None,
    event: str = "",
    seen_at: datetime | None = None,
) -> SubscriptionChanged:
    """A subscription as it stands. `schedule` may be there in full. Errors: ValueError."""
    status = held["status"]
    if status not in get_args(Status):
        raise ValueError(f"{status!r} is no state of a subscription")
    item = held["items"]["data"][0]
    period_end = _time(item.get("current_period_end") or held["current_period_end"])
    cancel_at = _maybe(held.get("cancel_at"))
    if cancel_at is None and held.get("cancel_at_period_end"):
        cancel_at = period_end
    schedule, next_price = _schedule(held.get("schedule"))
    is_over = status in ("canceled", "incomplete_expired")
    return SubscriptionChanged(
        reference=str(held["id"]),
        customer=_id(held["customer"]),
        price=_id(item["price"]),
        status=status,
        started_at=_time(held.get("start_date") or held["created"]),
        period_start=_time(item.get("current_period_start") or held["current_period_start"]),
        period_end=period_end,
        owner_id=_owner(held),
        trial_ends_at=_maybe(held.get("trial_end")),
        cancel_at=cancel_at,
        ended_at=_maybe(held.get("ended_at") or held.get("canceled_at")) if is_over else None,
        end_reason=(held.get("cancellation_details") or {}).get("reason"),
        schedule=schedule,
        next_price=next_price,
        told_at=told_at,
        event=event,
        seen_at=seen_at,
    )


def invoice_facts(
    bill: Object, *, told_at: datetime | None = None, event: str = "", is_gone: bool = False
) -> Sequence[Fact]:
    """A subscription's invoice as it stands, and what paid it; empty for other invoices.

    `is_gone`: a draft that was deleted, which is as good as void. Errors: ValueError.
    """
    details = (bill.get("parent") or {}).get("subscription_details") or {}
    subscription = details.get("subscription") or bill.get("subscription")
    if subscription is None or bill.get("id") is None:  # of no subscription, or only a forecast
        return ()
    status: InvoiceStatus = "void" if is_gone else bill["status"]
    if status not in get_args(InvoiceStatus):
        raise ValueError(f"{status!r} is no state of an invoice")
    spans = [line["period"] for line in (bill.get("lines") or {}).get("data") or ()]
    paid_at = bill.get("status_transitions") or {}
    changed = InvoiceChanged(
        reference=str(bill["id"]),
        subscription=_id(subscription),
        customer=_id(bill["customer"]),
        status=status,
        currency=bill["currency"].upper(),
        total_minor=_number(bill["total"]),
        # what was paid outside Stripe never came to it
        paid_minor=_number(bill["amount_paid"]) - _number(bill.get("amount_paid_off_stripe") or 0),
        credited_minor=_number(bill.get("pre_payment_credit_notes_amount") or 0)
        + _number(bill.get("post_payment_credit_notes_amount") or 0),
        issued_at=_time(paid_at.get("finalized_at") or bill["created"]),
        owner_id=_owner(details) or _owner(bill),
        number=bill.get("number"),
        period_start=_maybe(min((one["start"] for one in spans), default=bill.get("period_start"))),
        period_end=_maybe(max((one["end"] for one in spans), default=bill.get("period_end"))),
        attempts=_number(bill.get("attempt_count") or 0),
        next_attempt_at=_maybe(bill.get("next_payment_attempt")),
        hosted_url=bill.get("hosted_invoice_url"),
        pdf_url=bill.get("invoice_pdf"),
        told_at=told_at,
        event=event,
    )
    payments = (bill.get("payments") or {}).get("data") or ()
    return (changed, *(fact for one in payments for fact in _payment(one)))


def checkout_facts(page: Object) -> Sequence[Fact]:
    """What became of a page in mode subscription; empty while it is open, and for other modes."""
    if page.get("mode") != "subscription" or page["status"] not in ("complete", "expired"):
        return ()
    try:
        checkout_id = UUID(page["client_reference_id"])
    except (KeyError, ValueError, TypeError, AttributeError):  # made outside Guildhall
        checkout_id = None
    subscription = page.get("subscription")
    return (
        CheckoutChanged(
            reference=str(page["id"]),
            status="completed" if page["status"] == "complete" else "expired",
            checkout_id=checkout_id,
            subscription=None if subscription is None else _id(subscription),
        ),
    )


def _reader(kind: str) -> Callable[[Object, str, datetime, str], Sequence[Fact]] | None:
    if kind in ("checkout.session.completed", "checkout.session.expired"):
        return lambda page, _kind, _told_at, _event: checkout_facts(page)
    for prefix, read in _READERS.items():
        if kind.startswith(prefix):
            return read
    return None


def _subscription(held: Object, kind: str, told_at: datetime, event: str) -> Sequence[Fact]:
    return (subscription_fact(held, told_at=told_at, event=event),)


def _invoice(bill: Object, kind: str, told_at: datetime, event: str) -> Sequence[Fact]:
    return invoice_facts(bill, told_at=told_at, event=event, is_gone=kind == "invoice.deleted")


def _invoice_payment(paid: Object, kind: str, told_at: datetime, event: str) -> Sequence[Fact]:
    return _payment(paid)


def _payment(paid: Object) -> Sequence[Fact]:
    by = paid.get("payment") or {}
    reference = by.get("payment_intent") or by.get("charge")
    if paid.get("status") != "paid" or reference is None:  # open, or paid outside Stripe
        return ()
    return (InvoicePaid(payment=_id(reference), invoice=_id(paid["invoice"])),)


def _scheduled(plan: Object, kind: str, told_at: datetime, event: str) -> Sequence[Fact]:
    """A change for the next period was planned or called off: a look-up tells which."""
    subscription = plan.get("subscription") or plan.get("released_subscription")
    return () if subscription is None else (SubscriptionQuestioned(_id(subscription), event),)


_READERS: Mapping[str, Callable[[Object, str, datetime, str], Sequence[Fact]]] = {
    "customer.subscription.": _subscription,
    "invoice.": _invoice,
    "invoice_payment.": _invoice_payment,
    "subscription_schedule.": _scheduled,
}


def _schedule(plan: Any) -> tuple[str | None, str | None]:
    """The schedule's id, and the price that comes next, where it is there in full."""
    if plan is None or isinstance(plan, str):
        return plan, None
    now_ends = (plan.get("current_phase") or {}).get("end_date")
    if plan["status"] in ("active", "not_started") and now_ends is not None:
        for phase in plan["phases"]:
            if phase["start_date"] >= now_ends:
                return str(plan["id"]), _id(phase["items"][0]["price"])
    return None, None


def _owner(found: Object) -> UUID | None:
    try:
        return UUID((found.get("metadata") or {})["owner_id"])
    except (KeyError, ValueError, TypeError, AttributeError):
        return None


def _id(found: Any) -> str:
    """The id of what may stand there as an id or in full."""
    return str(found["id"] if isinstance(found, Mapping) else found)


def _number(told: Any) -> int:
    if not isinstance(told, int) or isinstance(told, bool):
        raise ValueError(f"{told!r} is no number")
    return told


def _time(seconds: Any) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


def _maybe(seconds: Any) -> datetime | None:
    return None if seconds is None else _time(seconds)
