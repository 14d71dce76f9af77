"""What Stripe's objects mean for us, in events as in answers. Source: Stripe API reference."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from workers.payments.base import (
    AccountChanged,
    Fact,
    PaymentApproved,
    PaymentDisputed,
    PaymentFailed,
    PaymentSucceeded,
    RefundChanged,
    UnreadableEvent,
    WithdrawalChanged,
    WithdrawalStranded,
)
from workers.payments.masks import labels_of
from workers.payments.stripe_amounts import from_stripe

Object = Mapping[str, Any]
Facts = Sequence[Fact]

# what a checkout page's own intent bears: the page tells how it ended, the intent does not
PAGE = {"page": "checkout"}


def read_event(body: bytes) -> Facts:
    """What a verified event means for us; empty when it means nothing.

    Errors: ValueError when it is no JSON; UnreadableEvent.
    """
    event = json.loads(body)
    try:
        reader = _READERS.get(event["type"])
        # what payers pay to somebody's own account is not ours
        if reader is None or (event.get("account") and event["type"] not in _OF_ACCOUNTS):
            return ()
        return reader(event["data"]["object"], event)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        if isinstance(event, dict) and event.get("type") in _READERS:
            raise UnreadableEvent(f"{event['type']}: {error!r}") from error
        return ()


def intent_facts(intent: Object) -> Facts:
    """What became of a payment intent of ours."""
    order_id = uuid_of(intent, "order_id")
    if order_id is None:  # made outside Guildhall, or for an invoice
        return ()
    is_page = _metadata(intent).get("page") == PAGE["page"]
    started = None if is_page else str(intent["id"])
    match intent["status"]:
        case "succeeded":
            return (
                PaymentSucceeded(
                    reference=str(intent["id"]),
                    amount=from_stripe(intent["amount_received"], intent["currency"]),
                    order_id=order_id,
                    started=started,
                    fee_minor=_fee(intent),
                ),
            )
        case "requires_capture" if started is not None:
            return (PaymentApproved(started),)
        case "canceled" if started is not None:
            why = f"canceled: {intent.get('cancellation_reason') or 'no reason given'}"
            return (PaymentFailed(why, order_id, started),)
        case "requires_payment_method" if started is not None and intent.get("last_payment_error"):
            return (PaymentFailed(_refusal(intent), order_id, started),)
    return ()


def session_facts(session: Object) -> Facts:
    """What became of a checkout page of ours. `payment_intent` may be there in full."""
    order_id = uuid_of(session, "order_id")
    if order_id is None or session.get("mode") != "payment":
        return ()
    intent, started = session.get("payment_intent"), str(session["id"])
    if session["status"] == "expired":
        return (PaymentFailed("the page expired", order_id, started),)
    if session["status"] != "complete" or intent is None:
        return ()
    if session["payment_status"] == "paid":
        return (
            PaymentSucceeded(
                reference=id_of(intent),
                amount=from_stripe(session["amount_total"], session["currency"]),
                order_id=order_id,
                started=started,
                fee_minor=_fee(intent) if isinstance(intent, dict) else None,
            ),
        )
    # complete and unpaid: the money comes later, if at all
    if isinstance(intent, dict) and intent["status"] in ("requires_payment_method", "canceled"):
        return (PaymentFailed(_refusal(intent), order_id, started),)
    return ()


def refund_fact(refund: Object) -> RefundChanged:
    """A refund as it stands now."""
    status: Literal["pending", "succeeded", "failed"]
    match refund["status"]:
        case "succeeded":
            status = "succeeded"
        case "failed" | "canceled":
            status = "failed"
        case _:  # pending, requires_action
            status = "pending"
    return RefundChanged(
        reference=str(refund["id"]),
        payment=id_of(refund.get("payment_intent") or refund["charge"]),
        status=status,
        amount=from_stripe(refund["amount"], refund["currency"]),
        key=uuid_of(refund, "key"),
        reason=refund.get("failure_reason"),
    )


def dispute_fact(dispute: Object) -> PaymentDisputed:
    """A dispute as it stands now. One that is appealed stays what it was until that is decided."""
    status: Literal["open", "won", "lost"]
    match dispute["status"]:
        # an inquiry that is over, or a dispute that a refund has prevented, took nothing
        case "won" | "warning_closed" | "prevented":
            status = "won"
        case "lost":
            status = "lost"
        case _:
            status = "open"
    due = (dispute.get("evidence_details") or {}).get("due_by")
    return PaymentDisputed(
        reference=str(dispute["id"]),
        payment=id_of(dispute.get("payment_intent") or dispute["charge"]),
        status=status,
        amount=from_stripe(dispute["amount"], dispute["currency"]),
        reason=str(dispute.get("reason") or "general"),
        due_at=datetime.fromtimestamp(due, UTC) if due else None,
    )


def account_fact(account: Object) -> AccountChanged:
    """What Stripe knows of a person, and still asks for. Source: Stripe, Account.requirements."""
    asked = account.get("requirements") or {}
    return AccountChanged(
        str(account["id"]),
        _standing(
            asked,
            is_ready=bool(account.get("payouts_enabled"))
            and bool(account.get("details_submitted"))
            and (account.get("capabilities") or {}).get("transfers") == "active",
        ),
        _due(asked),
        *_banks(account),
    )


def _banks(account: Object) -> tuple[str | None, str | None]:
    """Where Stripe pays this account out to, masked, and a hash of it; None where it is not told.

    What is attached and not the default of its currency gets nothing.
    """
    held = account.get("external_accounts")
    if held is None:
        return None, None
    used = [one for one in held["data"] if one.get("default_for_currency")]
    marks = sorted(f"{one.get('currency')} {one.get('fingerprint') or one['id']}" for one in used)
    label = labels_of(
        (str(one.get("bank_name") or one.get("brand") or ""), str(one.get("last4") or ""))
        for one in used
    )
    return label, hashlib.sha256("\n".join(marks).encode()).hexdigest()


def uuid_of(found: Object, name: str) -> UUID | None:
    """An id of ours in an object's metadata."""
    try:
        return UUID(_metadata(found)[name])
    except (KeyError, ValueError, TypeError, AttributeError):
        return None


def id_of(found: Any) -> str:
    """The id of what may stand there as an id or in full."""
    return str(found["id"] if isinstance(found, dict) else found)


# --- by kind of event -----------------------------------------------------------------------------


def _page_intent(intent: Object, _event: Object) -> Facts:
    return intent_facts(intent)


def _session(session: Object, event: Object) -> Facts:
    if event["type"] == "checkout.session.async_payment_failed":
        order_id = uuid_of(session, "order_id")
        if order_id is None:
            return ()
        return (PaymentFailed("the delayed payment failed", order_id, str(session["id"])),)
    return session_facts(session)


def _refund(refund: Object, _event: Object) -> Facts:
    return (refund_fact(refund),)


def _dispute(dispute: Object, _event: Object) -> Facts:
    return (dispute_fact(dispute),)


def _transfer(transfer: Object, _event: Object) -> Facts:
    """A transfer tells nothing until its payout exists, unless all of it was taken back."""
    key = uuid_of(transfer, "key")
    if key is None or not transfer["reversed"]:
        return ()
    return (WithdrawalChanged(str(transfer["id"]), "failed", key, "the transfer was reversed"),)


def _payout(payout: Object, _event: Object) -> Facts:
    key, transfer = uuid_of(payout, "key"), _metadata(payout).get("transfer")
    if key is None or not transfer:
        return ()
    match payout["status"]:
        case "paid":
            return (WithdrawalChanged(transfer, "paid", key),)
        case "failed" | "canceled":
            return (WithdrawalStranded(transfer, key, payout_failure(payout)),)
        case "pending" | "in_transit":
            return (WithdrawalChanged(transfer, "sent", key),)
    return ()


def payout_failure(payout: Object) -> str:
    """Why a payout failed, in Stripe's words."""
    told = payout.get("failure_message") or payout.get("failure_code") or payout["status"]
    return str(told)


def _account(account: Object, _event: Object) -> Facts:
    return (account_fact(account),)


def _capability(capability: Object, _event: Object) -> Facts:
    """Without it nobody can be paid; that it is there again, `account.updated` tells."""
    if capability["id"] != "transfers" or capability["status"] == "active":
        return ()
    asked = capability.get("requirements") or {}
    standing = "pending" if capability["status"] == "pending" else _standing(asked, is_ready=False)
    return (AccountChanged(id_of(capability["account"]), standing, _due(asked)),)


def _gone(_application: Object, event: Object) -> Facts:
    """The person took our access away."""
    return (AccountChanged(str(event["account"]), "closed"),)


_READERS: Mapping[str, Callable[[Object, Object], Facts]] = {
    "payment_intent.succeeded": _page_intent,
    "payment_intent.payment_failed": _page_intent,
    "payment_intent.amount_capturable_updated": _page_intent,
    "payment_intent.canceled": _page_intent,
    "checkout.session.completed": _session,
    "checkout.session.async_payment_succeeded": _session,
    "checkout.session.async_payment_failed": _session,
    "checkout.session.expired": _session,
    "refund.created": _refund,
    "refund.updated": _refund,
    "refund.failed": _refund,
    "charge.refund.updated": _refund,
    "charge.dispute.created": _dispute,
    "charge.dispute.updated": _dispute,
    "charge.dispute.funds_withdrawn": _dispute,
    "charge.dispute.funds_reinstated": _dispute,
    "charge.dispute.closed": _dispute,
    "transfer.reversed": _transfer,
    "payout.created": _payout,
    "payout.updated": _payout,
    "payout.paid": _payout,
    "payout.failed": _payout,
    "payout.canceled": _payout,
    "account.updated": _account,
    "capability.updated": _capability,
    "account.application.deauthorized": _gone,
}
KINDS = tuple(_READERS)
_OF_ACCOUNTS = frozenset(k for k in KINDS if k.startswith(("account.", "capability.", "payout.")))


def _metadata(found: Object) -> Mapping[str, Any]:
    kept = found.get("metadata")
    return kept if isinstance(kept, dict) else {}


def _fee(intent: Object) -> int | None:
    """What Stripe kept, when its balance transaction is there and in the payment's currency."""
    charge = intent.get("latest_charge")
    line = charge.get("balance_transaction") if isinstance(charge, dict) else None
    if not isinstance(line, dict) or line["currency"] != intent["currency"]:
        return None
    return from_stripe(line["fee"], line["currency"]).minor


def _refusal(intent: Object) -> str:
    error = intent.get("last_payment_error") or {}
    return str(error.get("message") or error.get("code") or intent["status"])


def _due(asked: Object) -> list[str]:
    names = [*(asked.get("past_due") or ()), *(asked.get("currently_due") or ())]
    return list(dict.fromkeys(str(name) for name in names))


def _standing(
    asked: Object, *, is_ready: bool
) -> Literal["pending", "needs_information", "active", "restricted", "closed"]:
    disabled = str(asked.get("disabled_reason") or "")
    if disabled.startswith("rejected"):
        return "closed"
    if _due(asked):
        return "needs_information"
    if is_ready and not disabled:
        return "active"
    if asked.get("pending_verification") or disabled == "requirements.pending_verification":
        return "pending"
    return "restricted" if disabled else "pending"
