"""What Coinbase's checkouts and events mean for us, and those of the Commerce product before them.

Source: Coinbase, Checkouts API and webhooks; Commerce, Webhooks events and Payment status.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP
from typing import Any, Literal
from uuid import UUID

from workers.core.money import Money
from workers.payments.base import Fact, PaymentFailed, PaymentSucceeded, RefundChanged
from workers.payments.reading import at, list_at, money_of, rounded, text_at, uuid_of

# Coinbase gives a dollar for a USDC and takes one for it
COIN, CURRENCY = "USDC", "USD"
_PAID = {"COMPLETED", "REFUNDED", "PARTIALLY_REFUNDED"}
UNPAID = {
    "FAILED": "The payment failed.",
    "EXPIRED": "Nobody paid in time.",
    "DEACTIVATED": "It was called off.",
}
_REFUNDS: Mapping[str, Literal["pending", "succeeded", "failed"]] = {
    "PENDING": "pending", "COMPLETED": "succeeded", "FAILED": "failed",
}  # fmt: skip
_KEY = re.compile(r"\brefund ([0-9a-f-]{36})\b", re.ASCII)


def reason_of(key: UUID) -> str:
    """How a refund bears its key."""
    return f"refund {key}"


def dollars(value: object) -> Money | None:
    """An exact amount of USDC as dollars."""
    return money_of(value, CURRENCY)


def checkout_facts(checkout: object) -> Sequence[Fact]:
    """What became of a checkout of ours: paid and refunded, or over; empty: nothing yet."""
    return (*payment_facts(checkout), *refunds_of(checkout))


def payment_facts(checkout: object, otherwise: str | None = None) -> Sequence[Fact]:
    """Its payment; the settlement tells what arrived, should that be more or less than asked."""
    reference = text_at(checkout, "id")
    order_id = uuid_of(at(checkout, "metadata", "order_id"))
    status = text_at(checkout, "status") or otherwise
    if reference is None or order_id is None:
        return ()
    if status in UNPAID:
        return (PaymentFailed(UNPAID[status], order_id=order_id, started=reference),)
    settled = at(checkout, "settlement")
    if status not in _PAID or at(checkout, "currency") != COIN:
        return ()
    if at(settled, "currency") not in (COIN, None):
        return ()
    # below a cent nothing can be booked
    amount = rounded(at(settled, "totalAmount") or at(checkout, "amount"), CURRENCY, ROUND_DOWN)
    if amount is None or amount.minor <= 0:
        return ()
    fee = rounded(at(settled, "feeAmount"), CURRENCY, ROUND_HALF_UP)
    return (
        PaymentSucceeded(
            reference,
            amount,
            order_id=order_id,
            started=reference,
            fee_minor=fee.minor if fee else None,
        ),
    )


def refunds_of(checkout: object) -> Sequence[RefundChanged]:
    """All refunds of a checkout."""
    payment = text_at(checkout, "id")
    if payment is None:
        return ()
    return [
        fact for refund in list_at(checkout, "refunds") for fact in refund_facts(refund, payment)
    ]


def refund_facts(refund: object, payment: str) -> Sequence[RefundChanged]:
    """A refund, ours by the key in its reason, or made by hand."""
    reference = text_at(refund, "id")
    amount = rounded(at(refund, "amount"), CURRENCY, ROUND_HALF_UP)
    status = _REFUNDS.get(text_at(refund, "status") or "")
    if reference is None or amount is None or amount.minor <= 0 or status is None:
        return ()
    if at(refund, "currency") != COIN:
        return ()
    reason = text_at(refund, "reason") or ""
    found = _KEY.search(reason)
    key = uuid_of(found[1]) if found else None
    note = f"Coinbase: {reason}" if status == "failed" else None
    return (RefundChanged(reference, payment, status, amount, key=key, reason=note),)


def event_facts(event: object) -> Sequence[Fact]:
    """What an event means; empty for those that mean nothing to us."""
    kind = text_at(event, "eventType") or ""
    if kind.startswith("checkout.refund."):
        return refunds_of(event)
    if kind.startswith("checkout.payment."):
        ends = {"failed": "FAILED", "expired": "EXPIRED"}
        return payment_facts(event, ends.get(kind.rsplit(".", 1)[1]))
    return _charge_facts(at(event, "event"))


def _charge_facts(event: Any) -> Sequence[Fact]:
    """Of the closed Commerce product: what was confirmed on the chain, be it late, more or less."""
    kind, charge = text_at(event, "type") or "", at(event, "data")
    reference = text_at(charge, "code") or text_at(charge, "id")
    order_id = uuid_of(at(charge, "metadata", "order_id"))
    if reference is None or order_id is None:
        return ()
    if kind == "charge:failed":
        return (PaymentFailed("Nobody paid in time.", order_id=order_id, started=reference),)
    if kind not in ("charge:confirmed", "charge:resolved", "charge:delayed"):
        return ()
    local = [
        (at(payment, "value", "local", "amount"), at(payment, "value", "local", "currency"))
        for payment in list_at(charge, "payments")
        if text_at(payment, "status") in ("CONFIRMED", "confirmed")
    ]
    if not local and kind == "charge:confirmed":
        asked = at(charge, "pricing", "local")
        local = [(at(asked, "amount"), at(asked, "currency"))]
    arrived = [rounded(value, str(currency), ROUND_DOWN) for value, currency in local]
    amounts = [amount for amount in arrived if amount is not None]
    if not amounts or len(amounts) != len(local) or len({one.currency for one in amounts}) > 1:
        return ()
    total = Money(sum(one.minor for one in amounts), amounts[0].currency)
    return (PaymentSucceeded(reference, total, order_id=order_id, started=reference),)
