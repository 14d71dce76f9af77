"""Stripe's payments: intents, checkout pages, charges, refunds, disputes, customers."""

import re
import secrets
import time
from typing import Any

from fastapi import APIRouter

from sandbox.core import Sent
from sandbox.stripe_core import (
    Call,
    Handler,
    Object,
    Refusal,
    book,
    listing,
    need_minimum,
    serve,
)

router = APIRouter()

_OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
_CLAUSE = re.compile(r"""metadata\[(["'])(?P<key>[^"']+)\1\]:\s*(["'])(?P<value>[^"']*)\3""")
_INTENT_PARAMS = (
    "amount", "application_fee_amount", "automatic_payment_methods", "capture_method", "confirm",
    "confirmation_method", "currency", "customer", "description", "metadata", "off_session",
    "on_behalf_of", "payment_method", "payment_method_types", "receipt_email", "return_url",
    "setup_future_usage", "statement_descriptor", "statement_descriptor_suffix", "transfer_data",
    "transfer_group", "use_stripe_sdk",
)  # fmt: skip


# --- payment intents ------------------------------------------------------------------------------


@serve(router, "POST", "/v1/payment_intents")
def create_payment_intent(call: Call) -> Object:
    """A payment to be made; `confirm` with a saved card pays at once."""
    call.allow(*_INTENT_PARAMS)
    amount, currency = call.amount(), call.currency()
    need_minimum(amount, currency)
    customer = call.text("customer")
    if customer is not None:
        call.find("customer", customer, "customer")
    intent = _new_intent(
        call,
        amount,
        currency,
        customer=customer,
        metadata=call.metadata(),
        description=call.text("description"),
        capture_method=call.text("capture_method") or "automatic_async",
        setup_future_usage=call.text("setup_future_usage"),
        transfer_group=call.text("transfer_group"),
    )
    if call.flag("confirm"):
        _confirm(call, intent)
    return intent


@serve(router, "GET", "/v1/payment_intents")
def list_payment_intents(call: Call) -> Object:
    return listing(call, "payment_intent", "customer")


@serve(router, "GET", "/v1/payment_intents/search")
def search_payment_intents(call: Call) -> Object:
    """By metadata alone. The real index lags behind; so does this one under `search_lag`."""
    query = call.text("query", is_needed=True) or ""
    wanted = [(one["key"], one["value"]) for one in _CLAUSE.finditer(query)]
    if not wanted:
        raise Refusal("We were unable to parse your search query.", param="query")
    fits = any if " OR " in query else all
    found = [
        one
        for one in reversed(call.world.all("payment_intent"))
        if one["_account"] == call.account
        and fits(one["metadata"].get(key) == value for key, value in wanted)
    ]
    limit = call.number("limit") or 10
    return {
        "object": "search_result",
        "url": "/v1/payment_intents/search",
        "has_more": len(found) > limit,
        "next_page": None,
        "data": [] if call.take_fault("search_lag") else found[:limit],
    }


@serve(router, "GET", "/v1/payment_intents/{id}")
def get_payment_intent(call: Call) -> Object:
    return call.find("payment_intent", call.params["id"], "intent")


@serve(router, "POST", "/v1/payment_intents/{id}/confirm")
def confirm_payment_intent(call: Call) -> Object:
    """Pay with a saved card, or one of Stripe's test cards."""
    call.allow("payment_method", "off_session", "return_url", "client_secret", "setup_future_usage")
    intent = call.find("payment_intent", call.params["id"], "intent")
    _need_state(intent, "confirm", *_OPEN)
    _confirm(call, intent)
    return intent


@serve(router, "POST", "/v1/payment_intents/{id}/capture")
def capture_payment_intent(call: Call) -> Object:
    call.allow("amount_to_capture", "final_capture", "metadata")
    intent = call.find("payment_intent", call.params["id"], "intent")
    _need_state(intent, "capture", "requires_capture")
    amount = call.number("amount_to_capture") or intent["amount_capturable"]
    if amount > intent["amount_capturable"]:
        raise Refusal(
            "The amount to capture is greater than what can be captured.",
            code="amount_too_large",
            param="amount_to_capture",
        )
    call.emit("payment_intent.succeeded", take(call, intent, amount))
    return intent


@serve(router, "POST", "/v1/payment_intents/{id}/cancel")
def cancel_payment_intent(call: Call) -> Object:
    call.allow("cancellation_reason")
    intent = call.find("payment_intent", call.params["id"], "intent")
    _need_state(intent, "cancel", *_OPEN, "requires_capture")
    intent |= {
        "status": "canceled",
        "canceled_at": int(time.time()),
        "cancellation_reason": call.text("cancellation_reason"),
        "amount_capturable": 0,
    }
    call.emit("payment_intent.canceled", intent)
    return intent


def _new_intent(call: Call, amount: int, currency: str, **more: Any) -> Object:
    intent = call.add(
        "payment_intent",
        "pi",
        amount=amount,
        amount_capturable=0,
        amount_received=0,
        currency=currency,
        status="requires_payment_method",
        latest_charge=None,
        last_payment_error=None,
        next_action=None,
        payment_method=None,
        canceled_at=None,
        cancellation_reason=None,
        **more,
    )
    intent["client_secret"] = f"{intent['id']}_secret_{secrets.token_hex(8)}"
    call.emit("payment_intent.created", intent)
    return intent


def _confirm(call: Call, intent: Object) -> None:
    method = call.text("payment_method")
    if method is None:
        raise Refusal(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            code="payment_intent_unexpected_state",
        )
    if not method.startswith("pm_card_"):  # Stripe's own test cards belong to nobody
        card = call.find("payment_method", method, "payment_method")
        if card["customer"] is None or card["customer"] != intent["customer"]:
            raise Refusal(
                "The provided PaymentMethod does not belong to the customer.",
                code="payment_method_unexpected_state",
                param="payment_method",
            )
    if call.take_fault("authentication_required"):
        decline(call, intent, "authentication_required", "This payment needs authentication.")
    elif method == "pm_card_chargeDeclined" or call.take_fault("card_declined"):
        decline(call, intent, "card_declined", "Your card was declined.")
    else:
        intent["payment_method"] = method
        paid = pay(call, intent)
        if paid is not None:
            call.world.send(paid)
        return
    error = intent["last_payment_error"]
    raise Refusal(
        error["message"],
        status=402,
        kind="card_error",
        code=error["code"],
        decline_code=error["decline_code"],
        payment_intent={key: value for key, value in intent.items() if not key.startswith("_")},
        is_kept=True,
    )


def pay(call: Call, intent: Object) -> Sent | None:
    """The payer paid: the event that says so. Cards to be captured only get authorised: None."""
    _need_state(intent, "pay", *_OPEN, "processing")
    intent |= {"last_payment_error": None, "next_action": None}
    if intent["payment_method"] is None:
        intent["payment_method"] = _new_card(call)["id"]
    if intent["customer"] and intent["setup_future_usage"]:
        known = call.world.objects.get(intent["payment_method"])
        if known is not None:
            known["customer"] = intent["customer"]
            call.emit("payment_method.attached", known)
    if intent["capture_method"] == "manual":
        intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
        _new_charge(call, intent)
        call.emit("payment_intent.amount_capturable_updated", intent)
        return None
    return call.event("payment_intent.succeeded", take(call, intent, intent["amount"]))


def take(call: Call, intent: Object, amount: int) -> Object:
    """The money arrives on our balance."""
    charge = call.world.objects.get(intent["latest_charge"]) or _new_charge(call, intent)
    line = book(
        call,
        amount,
        intent["currency"],
        charge,
        "charge",
        fee=amount * call.known.stripe_fee_bps // 10_000,
    )
    charge |= {"captured": True, "amount_captured": amount, "balance_transaction": line["id"]}
    intent |= {"status": "succeeded", "amount_received": amount, "amount_capturable": 0}
    call.emit("charge.succeeded", charge)
    return intent


def decline(call: Call, intent: Object, code: str, message: str) -> None:
    """A try to pay failed; the intent waits for another."""
    _need_state(intent, "decline", *_OPEN, "processing")
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "last_payment_error": {
            "type": "card_error",
            "code": code,
            "decline_code": "generic_decline" if code == "card_declined" else code,
            "message": message,
        },
    }
    call.emit("payment_intent.payment_failed", intent)


def _new_charge(call: Call, intent: Object) -> Object:
    charge = call.add(
        "charge",
        "ch",
        amount=intent["amount"],
        amount_captured=0,
        amount_refunded=0,
        currency=intent["currency"],
        captured=False,
        paid=True,
        status="succeeded",
        refunded=False,
        disputed=False,
        balance_transaction=None,
        customer=intent["customer"],
        metadata=dict(intent["metadata"]),
        payment_intent=intent["id"],
        payment_method=intent["payment_method"],
    )
    intent["latest_charge"] = charge["id"]
    return charge


def _need_state(intent: Object, what: str, *states: str) -> None:
    if intent["status"] not in states:
        raise Refusal(
            f"You cannot {what} this PaymentIntent because it has a status of {intent['status']}.",
            code="payment_intent_unexpected_state",
        )


# --- checkout sessions ----------------------------------------------------------------------------


def _create_payment_session(call: Call) -> Object:
    call.allow(
        "cancel_url", "client_reference_id", "customer", "customer_creation", "customer_email",
        "expires_at", "line_items", "locale", "metadata", "mode", "payment_intent_data",
        "payment_method_types", "saved_payment_method_options", "submit_type", "success_url",
        "ui_mode",
    )  # fmt: skip
    call.text("success_url", is_needed=True)
    customer = call.text("customer")
    if customer is not None:
        call.find("customer", customer, "customer")
        if call.text("customer_email") is not None:
            raise Refusal("You may only specify one of these parameters: customer, customer_email.")
    items = call.form.get("line_items")
    if not isinstance(items, list) or not items:
        raise Refusal(
            "Missing required param: line_items.", code="parameter_missing", param="line_items"
        )
    total, currency = 0, ""
    for index in range(len(items)):
        item = f"line_items[{index}]"
        currency = call.currency(f"{item}[price_data][currency]")
        call.text(f"{item}[price_data][product_data][name]", is_needed=True)
        total += call.amount(f"{item}[price_data][unit_amount]") * call.amount(f"{item}[quantity]")
    need_minimum(total, currency)
    now = int(time.time())
    ends = call.number("expires_at") or now + 24 * 3600
    if not now + 1800 - 60 <= ends <= now + 24 * 3600 + 60:
        raise Refusal(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from creation.",
            param="expires_at",
        )
    session = call.add(
        "checkout.session",
        "cs_test",
        mode="payment",
        status="open",
        payment_status="unpaid",
        amount_subtotal=total,
        amount_total=total,
        currency=currency,
        client_reference_id=call.text("client_reference_id"),
        customer=customer,
        customer_email=call.text("customer_email"),
        metadata=call.metadata(),
        payment_intent=None,
        expires_at=ends,
        success_url=call.text("success_url"),
        cancel_url=call.text("cancel_url"),
        ui_mode=call.text("ui_mode") or "hosted_page",
        _intent={
            "customer": customer,
            "metadata": call.metadata("payment_intent_data[metadata]"),
            "description": call.text("payment_intent_data[description]"),
            "capture_method": call.text("payment_intent_data[capture_method]") or "automatic_async",
            "setup_future_usage": call.text("payment_intent_data[setup_future_usage]"),
            "transfer_group": call.text("payment_intent_data[transfer_group]"),
        },
    )
    session["url"] = f"{call.base_url}/stripe/pay/{session['id']}"
    return session


# who makes a session of which mode; subscriptions are made elsewhere
SESSION_MODES: dict[str, Handler] = {"payment": _create_payment_session}


@serve(router, "POST", "/v1/checkout/sessions")
def create_session(call: Call) -> Object:
    """A page of Stripe's own where the payer pays."""
    mode = call.text("mode", is_needed=True)
    if mode not in SESSION_MODES:
        raise Refusal(f"Invalid mode: {mode}", param="mode")
    return SESSION_MODES[mode](call)


@serve(router, "GET", "/v1/checkout/sessions")
def list_sessions(call: Call) -> Object:
    return listing(call, "checkout.session", "customer", "payment_intent", "status")


@serve(router, "GET", "/v1/checkout/sessions/{id}")
def get_session(call: Call) -> Object:
    return call.find("checkout.session", call.params["id"], "session")


@serve(router, "POST", "/v1/checkout/sessions/{id}/expire")
def expire_session(call: Call) -> Object:
    """Close the page; what is complete cannot expire."""
    session = call.find("checkout.session", call.params["id"], "session")
    _need_open(session)
    session |= {"status": "expired", "url": None}
    call.emit("checkout.session.expired", session)
    return session


def pay_session(call: Call, session: Object, *, is_delayed: bool = False) -> Sent:
    """The payer pays on the page. `is_delayed`: by a method whose money comes days later."""
    _need_open(session)
    intent = session_intent(call, session)
    session |= {"status": "complete", "url": None}
    if is_delayed:
        intent["status"] = "processing"
        call.emit("payment_intent.processing", intent)
    else:
        paid = pay(call, intent)
        if paid is not None:
            call.world.send(paid)
            session["payment_status"] = "paid"
    return call.event("checkout.session.completed", session)


def end_session_payment(call: Call, intent: Object, *, is_paid: bool) -> Sent | None:
    """What a delayed payment's session says once the money came, or did not."""
    for session in call.world.all("checkout.session"):
        if session["payment_intent"] == intent["id"] and session["status"] == "complete":
            if is_paid:
                session["payment_status"] = "paid"
            outcome = "succeeded" if is_paid else "failed"
            return call.event(f"checkout.session.async_payment_{outcome}", session)
    return None


def session_intent(call: Call, session: Object) -> Object:
    """The session's payment intent, which is made when somebody first tries to pay."""
    if session["payment_intent"] is None:
        intent = _new_intent(
            call, session["amount_total"], session["currency"], **session["_intent"]
        )
        session["payment_intent"] = intent["id"]
    return call.world.objects[session["payment_intent"]]


def _need_open(session: Object) -> None:
    if session["status"] != "open":
        raise Refusal(f"This Session is {session['status']}: only open ones can be changed.")


# --- charges and refunds --------------------------------------------------------------------------


@serve(router, "GET", "/v1/charges/{id}")
def get_charge(call: Call) -> Object:
    return call.find("charge", call.params["id"], "charge")


@serve(router, "POST", "/v1/refunds")
def create_refund(call: Call) -> Object:
    """A part or all of a charge goes back."""
    call.allow(
        "amount", "charge", "metadata", "payment_intent", "reason", "refund_application_fee",
        "reverse_transfer",
    )  # fmt: skip
    charge = _charge_of(call)
    left = charge["amount_captured"] - charge["amount_refunded"]
    amount = call.number("amount")
    amount = left if amount is None else call.amount()
    if charge["disputed"]:
        raise Refusal("This charge has been charged back.", code="charge_disputed")
    if left == 0:
        raise Refusal(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    if amount > left:
        raise Refusal(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            param="amount",
        )
    return refund(
        call,
        charge,
        amount,
        call.metadata(),
        reason=call.text("reason"),
        status="pending" if call.take_fault("pending_refund") else "succeeded",
    )


@serve(router, "GET", "/v1/refunds")
def list_refunds(call: Call) -> Object:
    return listing(call, "refund", "charge", "payment_intent")


@serve(router, "GET", "/v1/refunds/{id}")
def get_refund(call: Call) -> Object:
    return call.find("refund", call.params["id"], "refund")


def refund(
    call: Call,
    charge: Object,
    amount: int,
    metadata: dict[str, str],
    *,
    reason: str | None = None,
    status: str = "succeeded",
) -> Object:
    made = call.add(
        "refund",
        "re",
        amount=amount,
        currency=charge["currency"],
        charge=charge["id"],
        payment_intent=charge["payment_intent"],
        metadata=metadata,
        reason=reason,
        status=status,
        failure_reason=None,
        failure_balance_transaction=None,
    )
    line = book(call, -amount, charge["currency"], made, "refund")
    made["balance_transaction"] = line["id"]
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    call.emit("refund.created", made)
    call.emit("charge.refunded", charge)
    return made


def end_refund(call: Call, made: Object, *, is_paid: bool) -> Object:
    """A refund arrives, or comes back, also after it had arrived."""
    if made["status"] not in ("pending", *([] if is_paid else ["succeeded"])):
        raise Refusal(f"This refund is {made['status']}.")
    if is_paid:
        made["status"] = "succeeded"
        call.emit("refund.updated", made)
        return made
    line = book(call, made["amount"], made["currency"], made, "refund_failure")
    made |= {
        "status": "failed",
        "failure_reason": "expired_or_canceled_card",
        "failure_balance_transaction": line["id"],
    }
    charge = call.world.objects[made["charge"]]
    charge["amount_refunded"] -= made["amount"]
    charge["refunded"] = False
    call.emit("refund.updated", made)
    call.emit("refund.failed", made)
    return made


def _charge_of(call: Call) -> Object:
    intent_id, charge_id = call.text("payment_intent"), call.text("charge")
    if (intent_id is None) == (charge_id is None):
        raise Refusal(
            "One of the following params should be provided for this request: payment_intent or"
            " charge.",
            code="parameter_missing",
            param="payment_intent",
        )
    if intent_id is not None:
        intent = call.find("payment_intent", intent_id, "payment_intent")
        charge_id = intent["latest_charge"]
        if charge_id is None or intent["status"] != "succeeded":
            raise Refusal(
                "This PaymentIntent does not have a successful charge to refund.",
                code="payment_intent_unexpected_state",
                param="payment_intent",
            )
    return call.find("charge", charge_id or "", "charge")


# --- disputes -------------------------------------------------------------------------------------


@serve(router, "GET", "/v1/disputes")
def list_disputes(call: Call) -> Object:
    return listing(call, "dispute", "charge", "payment_intent")


@serve(router, "GET", "/v1/disputes/{id}")
def get_dispute(call: Call) -> Object:
    return call.find("dispute", call.params["id"], "dispute")


@serve(router, "POST", "/v1/disputes/{id}")
def answer_dispute(call: Call) -> Object:
    """Evidence, once."""
    call.allow("evidence", "submit", "metadata")
    dispute = call.find("dispute", call.params["id"], "dispute")
    if dispute["status"] not in ("needs_response", "warning_needs_response"):
        raise Refusal(f"This dispute is {dispute['status']}.")
    dispute["evidence"] = call.form.get("evidence") or dispute["evidence"]
    if call.text("submit") != "false":
        dispute["evidence_details"]["submission_count"] += 1
        dispute["status"] = dispute["status"].replace("needs_response", "under_review")
    call.emit("charge.dispute.updated", dispute)
    return dispute


@serve(router, "POST", "/v1/disputes/{id}/close")
def accept_dispute(call: Call) -> Object:
    """Accept the loss."""
    return end_dispute(call, call.find("dispute", call.params["id"], "dispute"), is_won=False)


def open_dispute(
    call: Call, charge: Object, amount: int, reason: str, *, is_inquiry: bool = False
) -> Object:
    """The payer's bank asks; unless it is only an inquiry, it takes the money at once."""
    if charge["disputed"]:
        raise Refusal("This charge is disputed already.")
    dispute = call.add(
        "dispute",
        "dp",
        amount=amount,
        currency=charge["currency"],
        charge=charge["id"],
        payment_intent=charge["payment_intent"],
        reason=reason,
        status="warning_needs_response" if is_inquiry else "needs_response",
        is_charge_refundable=is_inquiry,
        evidence={},
        evidence_details={
            "due_by": int(time.time()) + 7 * 24 * 3600,
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        balance_transactions=[],
        metadata={},
    )
    call.emit("charge.dispute.created", dispute)
    if not is_inquiry:
        charge["disputed"] = True
        line = book(call, -amount, charge["currency"], dispute, "adjustment")
        dispute["balance_transactions"].append(line)
        call.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def end_dispute(call: Call, dispute: Object, *, is_won: bool) -> Object:
    """The bank's verdict; of an inquiry, that it is over."""
    # who lost may appeal, and win
    is_appeal = dispute["status"] == "lost" and is_won
    if dispute["status"] in ("won", "lost", "warning_closed") and not is_appeal:
        raise Refusal(f"This dispute is already closed: {dispute['status']}.")
    is_inquiry = dispute["status"].startswith("warning")
    dispute["status"] = "warning_closed" if is_inquiry else "won" if is_won else "lost"
    if is_won and not is_inquiry:
        line = book(call, dispute["amount"], dispute["currency"], dispute, "adjustment")
        dispute["balance_transactions"].append(line)
        call.emit("charge.dispute.funds_reinstated", dispute)
    call.emit("charge.dispute.closed", dispute)
    return dispute


# --- customers and what they saved ----------------------------------------------------------------


@serve(router, "POST", "/v1/customers")
def create_customer(call: Call) -> Object:
    """A payer who comes back. Their cards stay at Stripe."""
    return call.add(
        "customer",
        "cus",
        email=call.text("email"),
        name=call.text("name"),
        description=call.text("description"),
        metadata=call.metadata(),
        balance=0,
        delinquent=False,
        invoice_settings={"default_payment_method": None},
    )


@serve(router, "GET", "/v1/customers")
def list_customers(call: Call) -> Object:
    return listing(call, "customer", "email")


@serve(router, "GET", "/v1/customers/{id}")
def get_customer(call: Call) -> Object:
    return call.find("customer", call.params["id"], "customer")


@serve(router, "GET", "/v1/customers/{id}/payment_methods")
def list_methods(call: Call) -> Object:
    call.find("customer", call.params["id"], "customer")
    kind = call.form.pop("type", None)
    call.form["customer"] = call.params["id"]
    found = listing(call, "payment_method", "customer")
    if kind is not None:
        found["data"] = [one for one in found["data"] if one["type"] == kind]
    return found


@serve(router, "POST", "/v1/payment_methods/{id}/detach")
def detach_method(call: Call) -> Object:
    card = call.find("payment_method", call.params["id"], "payment_method")
    if card["customer"] is None:
        raise Refusal("The payment method you provided is not attached to a customer.")
    card["customer"] = None
    call.emit("payment_method.detached", card)
    return card


def _new_card(call: Call) -> Object:
    return call.add(
        "payment_method",
        "pm",
        type="card",
        customer=None,
        metadata={},
        card={
            "brand": "visa",
            "last4": "4242",
            "exp_month": 12,
            "exp_year": time.gmtime().tm_year + 3,
            "country": "DE",
            "fingerprint": secrets.token_hex(8),
        },
    )
