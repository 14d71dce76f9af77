"""What PayPal's objects and events mean for us. Source: PayPal, Orders v2, Payments v2, Payouts v1,
Disputes v1, Webhook event names.

What bears no order, refund or withdrawal of ours (`custom_id`, `sender_item_id`) was made outside
Guildhall and means nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from workers.core.money import Money
from workers.payments.base import (
    Fact,
    PaymentApproved,
    PaymentDisputed,
    PaymentFailed,
    PaymentSucceeded,
    RefundChanged,
    WithdrawalChanged,
)
from workers.payments.reading import at, list_at, money_of, text_at, time_of, uuid_of

_ARRIVED = {"COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"}
_CAPTURE_FAILED = {"DECLINED", "FAILED", "DENIED"}
_REFUNDS: Mapping[str, Literal["pending", "succeeded", "failed"]] = {
    "COMPLETED": "succeeded", "PENDING": "pending", "FAILED": "failed", "CANCELLED": "failed",
}  # fmt: skip
# the guides write some of them in two ways; events use the second
_ITEMS: Mapping[str, Literal["sent", "paid", "failed", "returned"]] = {
    "PENDING": "sent", "NEW": "sent", "PROCESSING": "sent", "UNCLAIMED": "sent",
    "ONHOLD": "sent", "ON_HOLD": "sent", "HELD": "sent",
    "SUCCESS": "paid", "SUCCEEDED": "paid",
    "FAILED": "failed", "DENIED": "failed", "BLOCKED": "failed",
    "CANCELED": "returned", "CANCELLED": "returned",
    "RETURNED": "returned", "REFUNDED": "returned", "REVERSED": "returned",
}  # fmt: skip
# what a case that is not known yet is called: this, and the payment that PayPal reversed for it
REVERSAL = "reversal:"
_LOST = {"RESOLVED_BUYER_FAVOUR", "ACCEPTED"}
_WON = {"RESOLVED_SELLER_FAVOUR", "RESOLVED_WITH_PAYOUT", "CANCELED_BY_BUYER", "DENIED"}


def amount_of(amount: object) -> Money | None:
    """Orders and Payments write `currency_code`, Payouts `currency`."""
    return money_of(at(amount, "value"), at(amount, "currency_code") or at(amount, "currency"))


def order_facts(order: object) -> Sequence[Fact]:
    """What became of an order: approved, paid, refunded, void; empty: nothing yet."""
    started = text_at(order, "id")
    if started is None:
        return ()
    facts: list[Fact] = []
    for unit in list_at(order, "purchase_units"):
        for capture in list_at(unit, "payments", "captures"):
            ours = at(capture, "custom_id") or at(unit, "custom_id")
            facts += capture_facts(capture, custom_id=ours, started=started)
        for refund in list_at(unit, "payments", "refunds"):
            facts += refund_facts(refund)
    if not facts and at(order, "status") == "APPROVED":
        facts.append(PaymentApproved(started))
    elif not facts and at(order, "status") == "VOIDED":
        facts.append(PaymentFailed("The order is void.", started=started))
    return facts


def capture_facts(
    capture: object, *, custom_id: object = None, started: str | None = None
) -> Sequence[Fact]:
    """A capture that arrived, or failed. One that is pending is no payment yet."""
    order_id = uuid_of(custom_id or at(capture, "custom_id"))
    reference, amount = text_at(capture, "id"), amount_of(at(capture, "amount"))
    status = at(capture, "status")
    started = started or text_at(capture, "supplementary_data", "related_ids", "order_id")
    if order_id is None or reference is None:
        return ()
    if status in _CAPTURE_FAILED:
        reason = text_at(capture, "status_details", "reason") or f"PayPal: {status}"
        return (PaymentFailed(reason, order_id=order_id, started=started),)
    if status not in _ARRIVED or amount is None:
        return ()
    fee = amount_of(at(capture, "seller_receivable_breakdown", "paypal_fee"))
    return (
        PaymentSucceeded(
            reference,
            amount,
            order_id=order_id,
            started=started,
            fee_minor=fee.minor if fee and fee.currency == amount.currency else None,
        ),
    )


def refund_facts(
    refund: object, *, otherwise: str | None = None, payment: str | None = None
) -> Sequence[RefundChanged]:
    """A refund, ours or by hand; `otherwise`: its status when it does not say one."""
    reference, amount = text_at(refund, "id"), amount_of(at(refund, "amount"))
    payment = payment or captured(refund)
    status = _REFUNDS.get(text_at(refund, "status") or otherwise or "")
    if reference is None or amount is None or payment is None or status is None:
        return ()
    return (
        RefundChanged(
            reference,
            payment,
            status,
            amount,
            key=uuid_of(at(refund, "custom_id")),
            reason=text_at(refund, "status_details", "reason"),
        ),
    )


def captured(refund: object) -> str | None:
    """The capture that a refund or reversal belongs to: its link `up`."""
    for link in list_at(refund, "links"):
        href = text_at(link, "href") or ""
        if at(link, "rel") == "up" and "/payments/captures/" in href:
            return href.rsplit("/", 1)[1] or None
    return text_at(refund, "supplementary_data", "related_ids", "capture_id")


def dispute_facts(dispute: object) -> Sequence[PaymentDisputed]:
    """A case: open until it is resolved, then won or lost.

    From the stage of a chargeback on, PayPal reverses the payment at once (see `_reversed`); the
    verdict ends that matter too.
    """
    reference = text_at(dispute, "dispute_id")
    payment = text_at(dispute, "disputed_transactions", 0, "seller_transaction_id")
    amount = amount_of(at(dispute, "dispute_amount"))
    if reference is None or payment is None or amount is None or amount.minor <= 0:
        return ()
    outcome = at(dispute, "dispute_outcome", "outcome_code")
    status: Literal["open", "won", "lost"] = "open"
    if at(dispute, "status") == "RESOLVED" or outcome is not None:
        # an outcome of tomorrow leaves it open: somebody must look
        status = "lost" if outcome in _LOST else "won" if outcome in _WON else "open"
    if status == "lost":
        refunded = amount_of(at(dispute, "dispute_outcome", "amount_refunded"))
        if refunded and refunded.currency == amount.currency and refunded.minor > 0:
            amount = refunded
    case = PaymentDisputed(
        reference,
        payment,
        status,
        amount,
        text_at(dispute, "reason") or "OTHER",
        due_at=time_of(at(dispute, "seller_response_due_date")),
    )
    stage = at(dispute, "dispute_life_cycle_stage")
    if status == "open" or stage in (None, "INQUIRY"):
        return (case,)
    return (
        case,
        PaymentDisputed(REVERSAL + payment, payment, "won", amount, f"decided by {reference}"),
    )


def item_facts(item: object, *, otherwise: str | None = None) -> Sequence[WithdrawalChanged]:
    """A payout item; the batch it is alone in is the reference, our key its `sender_item_id`."""
    reference = text_at(item, "payout_batch_id")
    key = uuid_of(at(item, "payout_item", "sender_item_id"))
    status = _ITEMS.get(text_at(item, "transaction_status") or otherwise or "")
    if reference is None or key is None or status is None:
        return ()
    reason = text_at(item, "errors", "message") or text_at(item, "errors", "name")
    return (WithdrawalChanged(reference, status, key=key, reason=reason),)


def batch_facts(batch: object, *, otherwise: str | None = None) -> Sequence[WithdrawalChanged]:
    """A batch of ours: on its way, or refused as a whole. Its success says nothing of the item."""
    header = at(batch, "batch_header")
    reference = text_at(header, "payout_batch_id")
    key = uuid_of(at(header, "sender_batch_header", "sender_batch_id"))
    status = otherwise or text_at(header, "batch_status")
    if reference is None or key is None:
        return ()
    if status in ("DENIED", "CANCELED"):
        return (WithdrawalChanged(reference, "failed", key=key, reason=f"PayPal: {status}"),)
    return (WithdrawalChanged(reference, "sent", key=key),)


def event_facts(event: object) -> Sequence[Fact]:
    """What an event means; empty for those that mean nothing to us."""
    kind, resource = text_at(event, "event_type") or "", at(event, "resource")
    read = _EVENTS.get(kind)
    if read is not None:
        return read(resource)
    if kind.startswith("PAYMENT.PAYOUTS-ITEM."):
        return item_facts(resource, otherwise=kind.rsplit(".", 1)[1])
    return ()


def _approved(order: Any) -> Sequence[Fact]:
    started = text_at(order, "id")
    return (PaymentApproved(started),) if started else ()


def _withdrawn(approval: Any) -> Sequence[Fact]:
    started = text_at(approval, "order_id") or text_at(approval, "id")
    if started is None:
        return ()
    return (PaymentFailed("The payer's approval ran out.", started=started),)


def _capture_failed(capture: Any) -> Sequence[Fact]:
    known = capture if isinstance(capture, dict) else {}
    status = known.get("status") if known.get("status") in _CAPTURE_FAILED else "DENIED"
    return capture_facts(known | {"status": status})


def _refunded(refund: Any) -> Sequence[Fact]:
    return refund_facts(refund, otherwise="COMPLETED")


def _refund_pending(refund: Any) -> Sequence[Fact]:
    return refund_facts(refund, otherwise="PENDING")


def _refund_failed(refund: Any) -> Sequence[Fact]:
    known = refund if isinstance(refund, dict) else {}
    return refund_facts(known | {"status": "FAILED"})


def _batch_denied(batch: Any) -> Sequence[Fact]:
    return batch_facts(batch, otherwise="DENIED")


def _reversed(reversal: Any) -> Sequence[Fact]:
    """PayPal took a payment back, nearly always for a case. What is left of it freezes; the case
    decides, and books it once. Without a case it stays frozen until an operator has looked.
    """
    payment = captured(reversal) or text_at(reversal, "id")
    amount = amount_of(at(reversal, "amount"))
    if payment is None or amount is None or amount.minor <= 0:
        return ()
    return (PaymentDisputed(REVERSAL + payment, payment, "open", amount, "reversed by PayPal"),)


_EVENTS: Mapping[str, Callable[[Any], Sequence[Fact]]] = {
    "CHECKOUT.ORDER.APPROVED": _approved,
    "CHECKOUT.ORDER.COMPLETED": order_facts,
    "CHECKOUT.PAYMENT-APPROVAL.REVERSED": _withdrawn,
    "PAYMENT.CAPTURE.COMPLETED": capture_facts,
    "PAYMENT.CAPTURE.DENIED": _capture_failed,
    "PAYMENT.CAPTURE.DECLINED": _capture_failed,
    "PAYMENT.CAPTURE.REFUNDED": _refunded,
    "PAYMENT.CAPTURE.REVERSED": _reversed,
    "PAYMENT.REFUND.PENDING": _refund_pending,
    "PAYMENT.REFUND.FAILED": _refund_failed,
    "CUSTOMER.DISPUTE.CREATED": dispute_facts,
    "CUSTOMER.DISPUTE.UPDATED": dispute_facts,
    "CUSTOMER.DISPUTE.RESOLVED": dispute_facts,
    "PAYMENT.PAYOUTSBATCH.PROCESSING": batch_facts,
    "PAYMENT.PAYOUTSBATCH.DENIED": _batch_denied,
}
