"""Razorpay's payment gateway, as far as Guildhall uses it: orders, payments, refunds, disputes."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Form, Header, Request

from sandbox import razorpay_route, razorpay_x
from sandbox.core import new_id
from sandbox.razorpay_base import (
    KEYED,
    Entity,
    announce,
    as_answered,
    bank_reference,
    books,
    collection,
    error,
    find,
    keep,
    low_balance,
    made_before,
    minor_amount,
    notes_of,
    now,
    ours,
    page,
    required,
    sent_fields,
    short,
)

router = APIRouter()
api = APIRouter(prefix="/razorpay/v1", dependencies=KEYED)
control = APIRouter(prefix="/control/razorpay")

_KEY = re.compile(r"[A-Za-z0-9_-]*")
_STEPS = ("under_review", "action_required", "won", "lost", "closed")


# --- orders ---------------------------------------------------------------------------------------


@api.post("/orders")
async def create_order(request: Request) -> Entity:
    """An order. No idempotency key: the same again makes another one."""
    body = await sent_fields(
        request, "amount", "currency", "receipt", "notes", "partial_payment", "payment"
    )
    required(body, "amount", "currency")
    amount, currency = minor_amount(body), str(body["currency"])
    if not re.fullmatch(r"[A-Z]{3}", currency):
        raise error("The currency is not supported.", name="currency")
    _check_capture(body.get("payment"))
    order = {
        "id": new_id("order"),
        "entity": "order",
        "amount": amount,
        "amount_paid": 0,
        "amount_due": amount,
        "currency": currency,
        "receipt": short(body, "receipt", 40),
        "offer_id": None,
        "status": "created",
        "attempts": 0,
        "notes": notes_of(body),
        "created_at": now(),
    }
    ours(request).add(order)
    # the capture settings are not part of the entity
    ours(request).objects[order["id"]]["_capture"] = _capture_of(body.get("payment"))
    return as_answered(request, _shown(order))


@api.get("/orders")
async def list_orders(request: Request) -> Entity:
    """Orders, newest first; `receipt` picks those that bear it."""
    receipt = request.query_params.get("receipt")
    return page(
        request,
        [
            _shown(one)
            for one in ours(request).all("order")
            if receipt is None or one["receipt"] == receipt
        ],
    )


@api.get("/orders/{order_id}")
async def get_order(request: Request, order_id: str) -> Entity:
    """One order."""
    return _shown(find(request, order_id, "order"))


@api.get("/orders/{order_id}/payments")
async def list_order_payments(request: Request, order_id: str) -> Entity:
    """Every try to pay an order."""
    find(request, order_id, "order")
    return collection(_payments_of(request, order_id))


# --- payments -------------------------------------------------------------------------------------


@api.get("/payments")
async def list_payments(request: Request) -> Entity:
    """Payments, newest first."""
    return page(request, ours(request).all("payment"))


@api.get("/payments/{payment_id}")
async def get_payment(request: Request, payment_id: str) -> Entity:
    """One payment."""
    return find(request, payment_id, "pay")


@api.post("/payments/{payment_id}/capture")
async def capture(request: Request, payment_id: str) -> Entity:
    """Take an authorized payment, all of it."""
    body = await sent_fields(request, "amount", "currency")
    payment = find(request, payment_id, "pay")
    required(body, "amount", "currency")
    if payment["status"] == "captured":
        raise error("This payment has already been captured", reason="NA")
    if payment["status"] != "authorized":
        raise error("Only payments which have been authorized can be captured", reason="NA")
    if (minor_amount(body), body["currency"]) != (payment["amount"], payment["currency"]):
        raise error("Capture amount must be equal to the amount authorized", name="amount")
    _capture(request, payment)
    return as_answered(request, payment)


# --- refunds --------------------------------------------------------------------------------------


@api.post("/payments/{payment_id}/refund")
async def create_refund(
    request: Request,
    payment_id: str,
    x_refund_idempotency: Annotated[str | None, Header()] = None,
) -> Entity:
    """Send back a part or all. It is pending in the answer and processed soon after."""
    body = await sent_fields(request, "amount", "speed", "notes", "receipt")
    key = x_refund_idempotency
    if key is not None and len(key) < 10:
        raise error("The idempotency key must be at least 10 characters long.")
    if key is not None and not _KEY.fullmatch(key):
        raise error(
            "The idempotency key must only contain alphanumeric characters,"
            " underscores, and hyphens"
        )
    if body.get("speed", "normal") not in ("normal", "optimum"):
        raise error("The speed is invalid.", name="speed")
    payment = find(request, payment_id, "pay")
    known = made_before(request, key, body)
    if known is not None:
        return as_answered(request, known)
    left = payment["amount"] - payment["amount_refunded"]
    if not payment["captured"]:
        raise error("The payment status should be captured for action to be taken", reason="NA")
    if not left:
        raise error("The payment has been fully refunded already", reason="NA")
    amount = minor_amount(body) if "amount" in body else left
    if amount > left:
        raise error("The refund amount provided is greater than amount captured", name="amount")
    if books(request).held.get(payment["currency"], 0) < amount:
        raise low_balance()
    refund = keep(request, key, body, _refund(payment, amount, body))
    answer = dict(refund)
    _send_back(request, payment, refund)
    return as_answered(request, answer)


@api.get("/payments/{payment_id}/refunds")
async def list_payment_refunds(request: Request, payment_id: str) -> Entity:
    """A payment's refunds, newest first."""
    find(request, payment_id, "pay")
    return page(request, _refunds_of(request, payment_id))


@api.get("/payments/{payment_id}/refunds/{refund_id}")
async def get_payment_refund(request: Request, payment_id: str, refund_id: str) -> Entity:
    """One refund of a payment."""
    return find(request, refund_id, "rfnd")


@api.get("/refunds")
async def list_refunds(request: Request) -> Entity:
    """Refunds, newest first, also of what was never captured."""
    return page(request, ours(request).all("refund"))


@api.get("/refunds/{refund_id}")
async def get_refund(request: Request, refund_id: str) -> Entity:
    """One refund."""
    return find(request, refund_id, "rfnd")


# --- disputes -------------------------------------------------------------------------------------


@api.get("/disputes")
async def list_disputes(request: Request) -> Entity:
    """Disputes, newest first."""
    return page(request, ours(request).all("dispute"))


@api.get("/disputes/{dispute_id}")
async def get_dispute(request: Request, dispute_id: str) -> Entity:
    """One dispute."""
    return find(request, dispute_id, "disp")


@api.post("/disputes/{dispute_id}/accept")
async def accept_dispute(request: Request, dispute_id: str) -> Entity:
    """Give in: it is lost."""
    dispute = find(request, dispute_id, "disp")
    if dispute["status"] != "open":
        raise error("Action not allowed when dispute is in current state", reason="NA")
    return _step(request, dispute, "lost")


# --- what a payer, a bank or a person at the dashboard does ---------------------------------------


@control.post("/orders/{order_id}/pay")
async def pay(
    request: Request,
    order_id: str,
    amount: Annotated[int | None, Form()] = None,
    method: Annotated[str, Form()] = "upi",
) -> Entity:
    """The payer pays: authorized, and captured unless the order wants it by hand."""
    order = _payable(request, order_id)
    payment = _attempt(request, order, amount or order["amount"], method)
    _authorize(request, payment)
    if order["_capture"] == "automatic":
        _capture(request, payment)
    return payment


@control.post("/orders/{order_id}/authorize")
async def authorize(request: Request, order_id: str) -> Entity:
    """The payer's bank agrees, but too late to be captured by itself."""
    order = _payable(request, order_id)
    payment = _attempt(request, order, order["amount"], "netbanking")
    _authorize(request, payment)
    return payment


@control.post("/orders/{order_id}/decline")
async def decline(
    request: Request,
    order_id: str,
    reason: Annotated[str, Form()] = "Your payment was declined by the bank",
) -> Entity:
    """A try to pay fails; the order stays open."""
    order = _payable(request, order_id)
    payment = _attempt(request, order, order["amount"], "upi")
    payment |= {
        "status": "failed",
        "error_code": "BAD_REQUEST_ERROR",
        "error_description": reason,
        "error_source": "bank",
        "error_step": "payment_authorization",
        "error_reason": "payment_failed",
    }
    announce(request, "payment.failed", payment=payment)
    return payment


@control.post("/payments/{payment_id}/authorize_late")
async def authorize_late(request: Request, payment_id: str) -> Entity:
    """What was told to have failed went through after all, with the same payment."""
    payment = find(request, payment_id, "pay")
    if payment["status"] != "failed":
        raise error("Only what failed is authorized late.", reason="NA")
    payment |= dict.fromkeys([name for name in payment if name.startswith("error_")])
    _authorize(request, payment)
    order = find(request, payment["order_id"], "order")
    if order["status"] != "paid" and order["_capture"] == "automatic":
        _capture(request, payment)
    return payment


@control.post("/payments/{payment_id}/expire")
async def expire(request: Request, payment_id: str) -> Entity:
    """Nobody captured it in time: it goes back by itself."""
    payment = find(request, payment_id, "pay")
    if payment["status"] != "authorized":
        raise error("Only what is authorized expires.", reason="NA")
    refund = ours(request).add(_refund(payment, payment["amount"], {}))
    _send_back(request, payment, refund)
    return refund


@control.post("/payments/{payment_id}/refund")
async def refund_by_hand(
    request: Request, payment_id: str, amount: Annotated[int | None, Form()] = None
) -> Entity:
    """A refund from the dashboard, without any key of ours."""
    payment = find(request, payment_id, "pay")
    left = payment["amount"] - payment["amount_refunded"]
    if not payment["captured"] or not 0 < (amount or left) <= left:
        raise error("The refund amount provided is greater than amount captured", name="amount")
    refund = ours(request).add(_refund(payment, amount or left, {}))
    _send_back(request, payment, refund)
    return refund


@control.post("/refunds/{refund_id}/{status}")
async def move_refund(request: Request, refund_id: str, status: str) -> Entity:
    """A refund is processed, or fails and is ours again."""
    refund = find(request, refund_id, "rfnd")
    if status not in ("processed", "failed") or refund["status"] == "failed":
        raise error("A refund is processed or failed, and failed for good.", reason="NA")
    _end_refund(request, find(request, refund["payment_id"], "pay"), refund, status)
    return refund


@control.post("/payments/{payment_id}/dispute")
async def open_dispute(
    request: Request,
    payment_id: str,
    amount: Annotated[int | None, Form()] = None,
    phase: Annotated[str, Form()] = "chargeback",
    reason_code: Annotated[str, Form()] = "goods_or_services_not_received_or_partially_received",
) -> Entity:
    """The payer's bank questions a payment."""
    payment = find(request, payment_id, "pay")
    dispute = ours(request).add(
        {
            "id": new_id("disp"),
            "entity": "dispute",
            "payment_id": payment_id,
            "amount": amount or payment["amount"],
            "currency": payment["currency"],
            "amount_deducted": 0,
            "reason_code": reason_code,
            "reason_description": reason_code.replace("_", " ").capitalize(),
            "respond_by": now() + 7 * 86400,
            "status": "open",
            "phase": phase,
            "created_at": now(),
        }
    )
    announce(request, "payment.dispute.created", payment=payment, dispute=dispute)
    return dispute


@control.post("/disputes/{dispute_id}/{step}")
async def step_dispute(request: Request, dispute_id: str, step: str) -> Entity:
    """A dispute goes on: under_review, action_required, won, lost, closed."""
    if step not in _STEPS:
        raise error("No such step of a dispute.", reason="NA")
    return _step(request, find(request, dispute_id, "disp"), step)


@control.get("/balance")
async def balance(request: Request) -> dict[str, int]:
    """What Razorpay holds for us by currency: what came in, less what went out and was kept."""
    return books(request).held


@control.post("/fees")
async def set_fees(request: Request, payment_bps: Annotated[int, Form()]) -> Entity:
    """What is kept of every payment from now on, in basis points."""
    books(request).payment_fee_bps = payment_bps
    return {"payment_bps": payment_bps}


@control.post("/advance")
async def advance(request: Request) -> dict[str, int]:
    """Let everything go on that waits for a bank: payouts, linked accounts. How many of each."""
    return {
        "payouts": razorpay_x.process_all(request),
        "accounts": razorpay_route.activate_all(request),
    }


# --- how it works inside --------------------------------------------------------------------------


def _check_capture(given: Any) -> None:
    """`payment.capture_options` as documented: 12 minutes at least, five days at most."""
    if given is None:
        return
    options = given.get("capture_options", {}) if isinstance(given, dict) else None
    if options is None or given.get("capture") not in ("automatic", "manual"):
        raise error("The capture must be automatic or manual.", name="payment.capture")
    first, last = options.get("automatic_expiry_period"), options.get("manual_expiry_period")
    if first is not None and first < 12:
        raise error("The automatic expiry period must be at least 12.", name="payment")
    if last is not None and (last > 7200 or last < (first or 0)):
        raise error("The manual expiry period may not be greater than 7200.", name="payment")


def _capture_of(given: Any) -> str:
    return str(given["capture"]) if given else "automatic"


def _shown(order: Entity) -> Entity:
    return {name: value for name, value in order.items() if not name.startswith("_")}


def _payable(request: Request, order_id: str) -> Entity:
    order = find(request, order_id, "order")
    if order["status"] == "paid":
        raise error("This order has been paid.", reason="NA")
    return order


def _payments_of(request: Request, order_id: str) -> list[Entity]:
    return [one for one in ours(request).all("payment") if one["order_id"] == order_id]


def _refunds_of(request: Request, payment_id: str) -> list[Entity]:
    return [one for one in ours(request).all("refund") if one["payment_id"] == payment_id]


def _attempt(request: Request, order: Entity, amount: int, method: str) -> Entity:
    order |= {"status": "attempted", "attempts": order["attempts"] + 1}
    return ours(request).add(
        {
            "id": new_id("pay"),
            "entity": "payment",
            "amount": amount,
            "currency": order["currency"],
            "status": "created",
            "order_id": order["id"],
            "invoice_id": None,
            "international": False,
            "method": method,
            "amount_refunded": 0,
            "amount_transferred": 0,
            "refund_status": None,
            "captured": False,
            "description": None,
            "card_id": None,
            "bank": None,
            "wallet": None,
            "vpa": "success@razorpay" if method == "upi" else None,
            "email": "payer@example.com",
            "contact": "+919876543210",
            "notes": [],  # the payer's browser gives them, not the order
            "fee": None,
            "tax": None,
            "error_code": None,
            "error_description": None,
            "error_source": None,
            "error_step": None,
            "error_reason": None,
            "acquirer_data": {"rrn": bank_reference()},
            "created_at": now(),
        }
    )


def _authorize(request: Request, payment: Entity) -> None:
    payment["status"] = "authorized"
    announce(request, "payment.authorized", payment=payment)


def _capture(request: Request, payment: Entity) -> None:
    kept = payment["amount"] * books(request).payment_fee_bps // 10_000
    payment |= {"status": "captured", "captured": True, "fee": kept, "tax": kept * 18 // 118}
    books(request).move(payment["currency"], payment["amount"] - kept)
    announce(request, "payment.captured", payment=payment)
    order = find(request, payment["order_id"], "order")
    if order["status"] != "paid":
        due = max(order["amount_due"] - payment["amount"], 0)
        order |= {"status": "paid", "amount_paid": payment["amount"], "amount_due": due}
        announce(request, "order.paid", payment=payment, order=_shown(order))


def _refund(payment: Entity, amount: int, body: Entity) -> Entity:
    return {
        "id": new_id("rfnd"),
        "entity": "refund",
        "amount": amount,
        "currency": payment["currency"],
        "payment_id": payment["id"],
        "notes": notes_of(body),
        "receipt": short(body, "receipt", 40),
        "acquirer_data": {"arn": None},
        "created_at": now(),
        "batch_id": None,
        "status": "pending",
        "speed_processed": "normal",
        "speed_requested": body.get("speed", "normal"),
    }


def _send_back(request: Request, payment: Entity, refund: Entity) -> None:
    """Take it off the balance, tell it, and process it unless a fault says otherwise."""
    if payment["captured"]:
        books(request).move(payment["currency"], -refund["amount"])
    _count_refunded(payment, refund["amount"])
    announce(request, "refund.created", refund=refund, payment=payment)
    match ours(request).take_fault("refund_pending", "refund_fails"):
        case None:
            _end_refund(request, payment, refund, "processed")
        case "refund_fails":
            _end_refund(request, payment, refund, "failed")


def _end_refund(request: Request, payment: Entity, refund: Entity, status: str) -> None:
    refund["status"] = status
    if status == "processed":
        refund["acquirer_data"] = {"arn": bank_reference()}
    else:
        _count_refunded(payment, -refund["amount"])
        if payment["captured"]:
            books(request).move(payment["currency"], refund["amount"])
    announce(request, f"refund.{status}", refund=refund, payment=payment)


def _count_refunded(payment: Entity, amount: int) -> None:
    payment["amount_refunded"] += amount
    is_all = payment["amount_refunded"] == payment["amount"]
    payment["refund_status"] = (
        "full" if is_all else "partial" if payment["amount_refunded"] else None
    )
    payment["status"] = "refunded" if is_all else "captured" if payment["captured"] else "failed"


def _step(request: Request, dispute: Entity, step: str) -> Entity:
    if dispute["status"] in ("won", "lost", "closed"):
        raise error("Action not allowed when dispute is in current state", reason="NA")
    dispute["status"] = "open" if step == "action_required" else step
    if step == "lost":
        dispute["amount_deducted"] = dispute["amount"]
        books(request).move(dispute["currency"], -dispute["amount"])
    payment = find(request, dispute["payment_id"], "pay")
    announce(request, f"payment.dispute.{step}", payment=payment, dispute=dispute)
    return dispute


router.include_router(api)
router.include_router(control)
router.include_router(razorpay_x.router)
router.include_router(razorpay_route.router)
