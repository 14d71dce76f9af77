"""What a person or a test does to the sandbox's PayPal: pay, settle, take back, decide a case."""

from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import RedirectResponse

from sandbox.paypal import complete, refund_by, settle
from sandbox.paypal_world import (
    balances,
    emit,
    find,
    here,
    link,
    minor,
    money,
    move,
    new_id,
    now,
    shown,
    written,
)

router = APIRouter(prefix="/control/paypal")
Go = Annotated[bool, Query()]


@router.get("/balance")
async def get_balance(request: Request) -> dict[str, int]:
    """What this PayPal holds for us, by currency, in minor units."""
    return {currency: minor(sum_, currency) for currency, sum_ in balances(here(request)).items()}


@router.post("/fund")
async def fund(
    request: Request, amount_minor: Annotated[int, Form()], currency: Annotated[str, Form()]
) -> dict[str, int]:
    """Money of ours, from a bank: not from a payer."""
    amount = Decimal(amount_minor).scaleb(0 if currency == "JPY" else -2)
    move(request, "T0300", amount, currency)
    return await get_balance(request)


@router.post("/orders/{identity}/approve")
async def approve(request: Request, identity: str, go: Go = False) -> Any:
    """The payer agrees; nothing moves yet."""
    order = find(request, "order", identity)
    if order["status"] not in ("CREATED", "PAYER_ACTION_REQUIRED", "APPROVED"):
        raise HTTPException(409, {"error": f"the order is {order['status']}"})
    order["status"] = "APPROVED"
    order["payer"] = {"email_address": "payer@example.com", "payer_id": "QYR5Z8XDVJNXQ"}
    emit(request, "CHECKOUT.ORDER.APPROVED", "checkout-order", order)
    return _on(order, "return_url") if go else shown(order)


@router.post("/orders/{identity}/expire")
async def expire(request: Request, identity: str, go: Go = False) -> Any:
    """The payer's approval runs out, or never came."""
    order = find(request, "order", identity)
    if order["status"] == "COMPLETED":
        raise HTTPException(409, {"error": "the order is COMPLETED"})
    order["status"] = "VOIDED"
    emit(
        request,
        "CHECKOUT.PAYMENT-APPROVAL.REVERSED",
        "payment",
        {"order_id": identity, "purchase_units": order["purchase_units"]},
    )
    return _on(order, "cancel_url") if go else shown(order)


def _on(order: dict[str, Any], name: str) -> Any:
    """The payer's browser goes back to the shop."""
    context = order["payment_source"].get("paypal", {}).get("experience_context", {})
    url = context.get(name)
    if not url:
        return shown(order)
    query = ("&" if "?" in url else "?") + f"token={order['id']}&PayerID=QYR5Z8XDVJNXQ"
    return RedirectResponse(url + query, 303)


@router.post("/captures/{identity}/complete")
async def complete_capture(request: Request, identity: str) -> dict[str, Any]:
    """What was pending has arrived."""
    capture = _pending(request, identity)
    complete(request, capture)
    emit(request, "PAYMENT.CAPTURE.COMPLETED", "capture", capture)
    return shown(capture)


@router.post("/captures/{identity}/deny")
async def deny_capture(request: Request, identity: str) -> dict[str, Any]:
    """What was pending never arrives."""
    capture = _pending(request, identity)
    capture["status"] = "DECLINED"
    emit(request, "PAYMENT.CAPTURE.DENIED", "capture", capture)
    return shown(capture)


def _pending(request: Request, identity: str) -> dict[str, Any]:
    capture = find(request, "capture", identity)
    if capture["status"] != "PENDING":
        raise HTTPException(409, {"error": f"the capture is {capture['status']}"})
    return capture


@router.post("/captures/{identity}/refund")
async def refund_by_hand(
    request: Request, identity: str, amount_minor: Annotated[int | None, Form()] = None
) -> dict[str, Any]:
    """Somebody refunds at PayPal, past us."""
    capture = find(request, "capture", identity)
    wanted = None
    if amount_minor is not None:
        currency = capture["amount"]["currency_code"]
        wanted = written(Decimal(amount_minor).scaleb(0 if currency == "JPY" else -2), currency)
    refund = refund_by(request, capture, wanted, capture["custom_id"])
    emit(request, "PAYMENT.CAPTURE.REFUNDED", "refund", refund)
    return shown(refund)


@router.post("/refunds/{identity}/complete")
async def complete_refund(request: Request, identity: str) -> dict[str, Any]:
    """A refund that was pending has arrived."""
    refund = find(request, "refund", identity)
    if refund["status"] != "PENDING":
        raise HTTPException(409, {"error": f"the refund is {refund['status']}"})
    refund |= {"status": "COMPLETED", "update_time": now()}
    emit(request, "PAYMENT.CAPTURE.REFUNDED", "refund", refund)
    return shown(refund)


@router.post("/refunds/{identity}/fail")
async def fail_refund(request: Request, identity: str) -> dict[str, Any]:
    """A refund did not arrive: its money is ours again."""
    refund = find(request, "refund", identity)
    amount, currency = money(refund["amount"])
    refund["status"] = "FAILED"
    move(request, "T1107", amount, currency)
    emit(request, "PAYMENT.REFUND.FAILED", "refund", refund)
    return shown(refund)


@router.post("/captures/{identity}/reverse")
async def reverse_capture(request: Request, identity: str) -> dict[str, Any]:
    """PayPal takes a payment back while a case is open; only its verdict moves our balance here."""
    capture = find(request, "capture", identity)
    reversal = {
        "id": new_id(),
        "status": "COMPLETED",
        "amount": capture["amount"],
        "links": [link(request, f"/v2/payments/captures/{identity}", "up")],
    }
    emit(request, "PAYMENT.CAPTURE.REVERSED", "refund", reversal)
    return reversal


@router.post("/captures/{identity}/dispute")
async def open_dispute(
    request: Request, identity: str, stage: Annotated[str, Form()] = "INQUIRY"
) -> dict[str, Any]:
    """The payer opens a case."""
    capture = find(request, "capture", identity)
    case = here(request).add(
        {
            "id": f"PP-R-{new_id(3)}-{len(here(request).objects)}",
            "object": "dispute",
            "create_time": now(),
            "update_time": now(),
            "disputed_transactions": [
                {
                    "seller_transaction_id": identity,
                    "custom": capture["custom_id"],
                    "gross_amount": capture["amount"],
                }
            ],
            "reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
            "status": "WAITING_FOR_SELLER_RESPONSE",
            "dispute_amount": capture["amount"],
            "dispute_life_cycle_stage": stage,
            "dispute_channel": "INTERNAL",
            "seller_response_due_date": now(),
        }
    )
    case["dispute_id"] = case["id"]
    emit(request, "CUSTOMER.DISPUTE.CREATED", "dispute", _without_id(case))
    return shown(case)


@router.post("/disputes/{identity}/{verdict}")
async def decide_dispute(request: Request, identity: str, verdict: str) -> dict[str, Any]:
    """`win` or `lose`, seen from the seller; who lost may appeal, and win."""
    case = find(request, "dispute", identity)
    outcomes = {"win": "RESOLVED_SELLER_FAVOUR", "lose": "RESOLVED_BUYER_FAVOUR"}
    was = case.get("dispute_outcome", {}).get("outcome_code")
    is_appeal = verdict == "win" and was == outcomes["lose"]
    if verdict not in outcomes or (case["status"] == "RESOLVED" and not is_appeal):
        raise HTTPException(409, {"error": f"{verdict} of a case that is {case['status']}"})
    case |= {
        "status": "RESOLVED",
        "update_time": now(),
        "dispute_outcome": {"outcome_code": outcomes[verdict]},
    }
    amount, currency = money(case["dispute_amount"])
    if is_appeal:
        move(request, "T1202", amount, currency)
    if verdict == "lose":
        case["dispute_outcome"]["amount_refunded"] = case["dispute_amount"]
        move(request, "T1106", -amount, currency)
    emit(request, "CUSTOMER.DISPUTE.RESOLVED", "dispute", _without_id(case))
    return shown(case)


def _without_id(case: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in case.items() if name != "id"}


@router.post("/payouts/{identity}/settle")
async def settle_payout(
    request: Request, identity: str, status: Annotated[str, Form()] = "SUCCESS"
) -> dict[str, Any]:
    """What becomes of every item of a batch: SUCCESS, UNCLAIMED, FAILED, RETURNED, REFUNDED …"""
    batch = find(request, "payout", identity)
    for item in batch["items"]:
        settle(request, item, status)
    return {"batch_header": batch["batch_header"]}


@router.post("/payouts/{identity}/deny")
async def deny_payout(request: Request, identity: str) -> dict[str, Any]:
    """PayPal refuses the whole batch: nothing was debited."""
    batch = find(request, "payout", identity)
    batch["batch_header"]["batch_status"] = "DENIED"
    for item in batch["items"]:
        amount, currency = money(item["payout_item"]["amount"], "currency")
        item["transaction_status"] = "DENIED"
        here(request).objects[item["_line"]]["transaction_status"] = "D"
        move(request, "T1115", amount, currency)
    told = {"batch_header": batch["batch_header"]}
    emit(request, "PAYMENT.PAYOUTSBATCH.DENIED", "payouts", told)
    return told
