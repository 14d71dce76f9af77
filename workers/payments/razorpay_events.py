"""What Razorpay's entities mean for us. Fields that lack or make no sense give no fact."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TypeGuard
from uuid import UUID

from workers.core.money import Money
from workers.payments.base import (
    AccountChanged,
    Fact,
    PaymentDisputed,
    PaymentFailed,
    PaymentSucceeded,
    RefundChanged,
    WithdrawalChanged,
)

Entity = Mapping[Any, Any]
Withdrawn = Literal["sent", "paid", "failed", "returned"]
Verified = Literal["pending", "needs_information", "active", "restricted", "closed"]

_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_MAX_MINOR = 2**63 - 1

_REFUNDS: Mapping[str, Literal["pending", "succeeded", "failed"]] = {
    "created": "pending", "pending": "pending", "processed": "succeeded", "failed": "failed",
}  # fmt: skip
# Source: RazorpayX, Payout states. `reversed` may come after `processed`, weeks later.
_PAYOUTS: Mapping[str, Withdrawn] = {
    "pending": "sent", "scheduled": "sent", "queued": "sent", "processing": "sent",
    "processed": "paid", "reversed": "returned",
    "failed": "failed", "rejected": "failed", "cancelled": "failed", "expired": "failed",
}  # fmt: skip
_DISPUTES: Mapping[str, Literal["open", "won", "lost"]] = {
    "created": "open", "open": "open", "under_review": "open", "action_required": "open",
    "won": "won", "lost": "lost", "closed": "won",
}  # fmt: skip
# Source: Razorpay Route, Product activation status; Account webhooks
_ACTIVATIONS: Mapping[str, Verified] = {
    "created": "pending", "requested": "pending", "under_review": "pending",
    "activated_kyc_pending": "pending", "needs_clarification": "needs_information",
    "activated": "active", "suspended": "restricted", "funds_hold": "restricted",
    "rejected": "closed",
}  # fmt: skip


def read_event(event: Any) -> Sequence[Fact]:
    """What an event means for us; nothing when it means nothing.

    A captured payment is told twice, by payment.captured and order.paid: the same fact.
    Source: Razorpay, All webhook events.
    """
    match event:
        case {"event": str(kind), "payload": {**payload}}:
            subject, _, step = kind.rpartition(".")
        case _:
            return ()
    found: Fact | None = None
    match subject:
        case "payment" | "order" if kind in ("payment.captured", "order.paid"):
            found = payment_succeeded(_entity(payload, "payment"), _entity(payload, "order"))
        case "payment" if step == "failed":
            found = payment_failed(_entity(payload, "payment"))
        case "refund":
            # what was never captured goes back by itself: for us it never came
            if _entity(payload, "payment").get("captured") is not False:
                found = refund_changed(_entity(payload, "refund"), step)
        case "payment.dispute":
            found = payment_disputed(_entity(payload, "dispute"), step)
        case "payout":
            found = withdrawal_changed(_entity(payload, "payout"), step)
        case "product.route":
            found = product_changed(event, payload, step)
        case "account":
            found = account_changed(event.get("account_id"), step)
        case "fund_account.validation" if step == "completed":
            found = fund_account_validated(_entity(payload, "fund_account.validation"))
    return () if found is None else (found,)


def payment_succeeded(payment: Entity, order: Entity | None = None) -> PaymentSucceeded | None:
    """A captured payment of an order. Whose order is trusted from the order's notes alone.

    A payment's own notes are the payer's to choose: their browser sends them.
    """
    match payment:
        case {"id": str(reference), "order_id": str(started)}:
            amount = money(payment)
        case _:  # of a payment link or a page: nothing that we began
            return None
    if amount is None:
        return None
    fee = payment.get("fee")
    return PaymentSucceeded(
        reference=reference,
        amount=amount,
        order_id=uuid_in((order or {}).get("notes"), "order_id"),
        started=started,
        fee_minor=fee if _is_minor(fee) else None,
    )


def payment_failed(payment: Entity) -> PaymentFailed | None:
    """A try that failed. The order may still be paid, even by the same payment (UPI, late)."""
    match payment:
        case {"id": str(), "order_id": str(started)}:
            why = payment.get("error_description") or payment.get("error_reason")
            return PaymentFailed(reason=str(why or "The payment failed."), started=started)
    return None


def refund_changed(refund: Entity, step: str = "") -> RefundChanged | None:
    """A refund as it stands; its key is in the notes of those that we made."""
    status = _REFUNDS.get(str(refund.get("status")), _REFUNDS.get(step))
    match refund:
        case {"id": str(reference), "payment_id": str(payment)}:
            amount = money(refund)
        case _:
            return None
    if amount is None or status is None:
        return None
    return RefundChanged(
        reference=reference,
        payment=payment,
        status=status,
        amount=amount,
        key=uuid_in(refund.get("notes"), "key"),
        reason=f"Razorpay's refund {status}" if status == "failed" else None,
    )


def payment_disputed(dispute: Entity, step: str) -> PaymentDisputed | None:
    """A dispute by the step that is told, or its status.

    `closed` is lost where something was deducted, won where nothing was, and else no word at all.
    """
    status = _DISPUTES.get(step)
    match dispute:
        case {"id": str(reference), "payment_id": str(payment)}:
            amount = money(dispute)
        case _:
            return None
    if amount is None or status is None:
        return None
    deducted = dispute.get("amount_deducted")
    if step == "closed" and not _is_minor(deducted):
        return None
    if step in ("lost", "closed") and _is_minor(deducted) and deducted > 0:
        status, amount = "lost", Money(deducted, amount.currency)
    return PaymentDisputed(
        reference=reference,
        payment=payment,
        status=status,
        amount=amount,
        reason=str(
            dispute.get("reason_description")
            or dispute.get("reason_code")
            or dispute.get("phase")
            or "not told"
        ),
        due_at=moment(dispute.get("respond_by")),
    )


def withdrawal_changed(payout: Entity, step: str = "") -> WithdrawalChanged | None:
    """A payout as it stands; `reference_id` is our key."""
    status = _PAYOUTS.get(str(payout.get("status")), _PAYOUTS.get(step))
    match payout:
        case {"id": str(reference)} if status is not None:
            return WithdrawalChanged(
                reference=reference,
                status=status,
                key=uuid_in(payout, "reference_id"),
                reason=_reason(payout),
            )
    return None


def product_changed(event: Entity, payload: Entity, step: str) -> AccountChanged | None:
    """A linked account's Route product, by which it may be paid. Known by the account's id."""
    product = _entity(payload, "merchant_product")
    status = str(product.get("activation_status") or step)
    around = payload.get("merchant_product")
    data = around.get("data") if isinstance(around, dict) else None
    asked = product.get("requirements")
    if isinstance(data, dict):
        asked = asked or data.get("requirements")
    account = product.get("merchant_id") or event.get("account_id")
    return account_changed(account, status, requirements(asked))


def account_changed(
    account: object, status: str, asked: Sequence[str] = ()
) -> AccountChanged | None:
    """An account by the word that Razorpay has for its state."""
    known = _ACTIVATIONS.get(status)
    if known is None or not isinstance(account, str) or not account.startswith("acc_"):
        return None
    return AccountChanged(account, known, asked)


def fund_account_validated(validation: Entity) -> AccountChanged | None:
    """A penny was dropped into a fund account, or could not be."""
    results = validation.get("results") or validation.get("validation_results")
    account = validation.get("fund_account")
    if not isinstance(results, dict) or not isinstance(account, dict):
        return None
    match account.get("id"), results.get("account_status"):
        case str(reference), "active":
            return AccountChanged(reference, "active")
        case str(reference), "invalid":
            return AccountChanged(reference, "restricted", ("account_number",))
    return None


def requirements(asked: object) -> Sequence[str]:
    """What a linked account must still give: the fields' names."""
    if not isinstance(asked, list):
        return ()
    named = [one.get("field_reference") for one in asked if isinstance(one, dict)]
    return tuple(name for name in named if isinstance(name, str))


def money(entity: Entity) -> Money | None:
    """The amount of an entity; None when it is none."""
    minor, currency = entity.get("amount"), entity.get("currency")
    if not _is_minor(minor) or minor == 0:
        return None
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        return None
    return Money(minor, currency)


def uuid_in(values: object, name: str) -> UUID | None:
    """A key of ours that Razorpay echoes; None when it is none. Empty notes are a list there."""
    if not isinstance(values, dict):
        return None
    try:
        return UUID(values.get(name))
    except (ValueError, TypeError, AttributeError):
        return None


def moment(seconds: object) -> datetime | None:
    """A Unix time; None when it is none."""
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 < seconds < 2**33:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _is_minor(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_MINOR


def _entity(payload: Entity, name: str) -> Entity:
    """An entity of an event; empty when it does not have it."""
    match payload.get(name):
        case {"entity": {**entity}}:
            return entity
    return {}


def _reason(payout: Entity) -> str | None:
    """Why a payout stands as it does. `failure_reason` is the old name."""
    details = payout.get("status_details")
    told = details.get("description") if isinstance(details, dict) else None
    told = told or payout.get("failure_reason")
    return str(told) if told else None
