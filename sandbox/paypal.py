"""PayPal, as far as Guildhall uses it: orders, refunds, payouts, cases, reports, events."""

import base64
import binascii
import html
import json
import secrets
import zlib
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any
from weakref import WeakKeyDictionary

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256
from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from sandbox import paypal_authority
from sandbox.core import KeyReused, World
from sandbox.paypal_world import (
    balances,
    base_url,
    emit,
    find,
    here,
    known,
    link,
    money,
    move,
    new_id,
    now,
    read_json,
    refuse,
    share,
    shown,
    unprocessable,
    written,
)

router = APIRouter(prefix="/paypal")
_TOKEN_SECONDS = 32_400
_tokens: WeakKeyDictionary[World, set[str]] = WeakKeyDictionary()

RequestId = Annotated[str | None, Header(alias="PayPal-Request-Id")]
Prefer = Annotated[str, Header()]


def require_token(request: Request, authorization: Annotated[str, Header()] = "") -> None:
    """PayPal's own 401 unless a token of ours is shown."""
    tokens = _tokens.get(here(request), set())
    token = authorization.removeprefix("Bearer ")
    if here(request).take_fault("expired_token", call=_call(request)):
        tokens.discard(token)
    if token not in tokens:
        raise refuse(401, "AUTHENTICATION_FAILURE", "INVALID_TOKEN", "Token signature failed")


def _call(request: Request) -> str:
    return f"{request.method} {request.url.path}"


signed_in = [Depends(require_token)]


@router.post("/v1/oauth2/token")
async def give_token(request: Request) -> Response:
    """A token for our credentials, for nine hours."""
    form = await request.form()
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    wanted = f"{known(request).paypal_client_id}:" + (
        known(request).paypal_client_secret.get_secret_value()
    )
    try:
        shown_credentials = base64.b64decode(given).decode()
    except (binascii.Error, UnicodeDecodeError):
        shown_credentials = ""
    if scheme.lower() != "basic" or shown_credentials != wanted:
        return JSONResponse(
            {"error": "invalid_client", "error_description": "Client Authentication failed"}, 401
        )
    if form.get("grant_type") != "client_credentials":
        return JSONResponse(
            {"error": "unsupported_grant_type", "error_description": "Grant Type is NULL"}, 400
        )
    token = "A21AA" + secrets.token_urlsafe(48)
    _tokens.setdefault(here(request), set()).add(token)
    return JSONResponse(
        {
            "scope": "https://uri.paypal.com/services/payments/payment",
            "access_token": token,
            "token_type": "Bearer",
            "app_id": "APP-80W284485P519543T",
            "expires_in": _TOKEN_SECONDS,
            "nonce": now() + secrets.token_urlsafe(12),
        }
    )


# --- orders ---------------------------------------------------------------------------------------


@router.post("/v2/checkout/orders", dependencies=signed_in)
async def create_order(
    request: Request, key: RequestId = None, prefer: Prefer = "return=minimal"
) -> Response:
    """An order; the same key again: the same order as it is now, with 200."""
    body = await read_json(request)
    if (known_order := _replayed(request, key, body)) is not None:
        return JSONResponse(_order(request, find(request, "order", known_order), prefer), 200)
    if body.get("intent") not in ("CAPTURE", "AUTHORIZE"):
        raise refuse(400, "INVALID_REQUEST", "INVALID_PARAMETER_VALUE", "intent")
    units = body.get("purchase_units")
    if not isinstance(units, list) or not 1 <= len(units) <= 10:
        raise refuse(400, "INVALID_REQUEST", "MISSING_REQUIRED_PARAMETER", "purchase_units")
    for unit in units:
        money(unit.get("amount") if isinstance(unit, dict) else None)
        for name in ("custom_id", "invoice_id", "description", "reference_id"):
            if len(str(unit.get(name, ""))) > (256 if name == "reference_id" else 127):
                raise refuse(400, "INVALID_REQUEST", "INVALID_STRING_MAX_LENGTH", name)
    if here(request).take_fault("decline", call=_call(request)):
        raise unprocessable("PAYEE_ACCOUNT_RESTRICTED", "The merchant account is restricted.")
    identity, source = new_id(), body.get("payment_source")
    approve = {
        "href": f"{base_url(request)}/checkoutnow?token={identity}",
        "rel": "payer-action" if source else "approve",
        "method": "GET",
    }
    order = here(request).add(
        {
            "id": identity,
            "object": "order",
            "intent": body["intent"],
            "status": "PAYER_ACTION_REQUIRED" if source else "CREATED",
            "payment_source": source or {},
            "purchase_units": json.loads(json.dumps(units)),
            "create_time": now(),
            "links": [link(request, f"/v2/checkout/orders/{identity}", "self"), approve],
        }
    )
    for number, unit in enumerate(order["purchase_units"]):
        unit.setdefault("reference_id", "default" if number == 0 else str(number))
    _remember(request, key, body, identity)
    return JSONResponse(_bent(request, _order(request, order, prefer)), 201)


@router.get("/v2/checkout/orders/{identity}", dependencies=signed_in)
async def get_order(request: Request, identity: str) -> dict[str, Any]:
    """An order as it is now. Whoever approved it is led nowhere any more."""
    order = shown(find(request, "order", identity))
    if order["status"] not in ("CREATED", "PAYER_ACTION_REQUIRED"):
        order["links"] = [one for one in order["links"] if one["rel"] == "self"]
    return _bent(request, order)


@router.post("/v2/checkout/orders/{identity}/capture", dependencies=signed_in)
async def capture_order(
    request: Request, identity: str, key: RequestId = None, prefer: Prefer = "return=minimal"
) -> Response:
    """Take what was approved, once."""
    body, order = await read_json(request), find(request, "order", identity)
    if _replayed(request, key, body) is not None:
        return JSONResponse(_order(request, order, prefer), 200)
    if order["intent"] != "CAPTURE":
        raise unprocessable("ACTION_DOES_NOT_MATCH_INTENT")
    if order["status"] == "COMPLETED":
        raise unprocessable("ORDER_ALREADY_CAPTURED", "Order already captured.")
    if order["status"] != "APPROVED":
        raise unprocessable("ORDER_NOT_APPROVED", "Payer has not yet approved the Order.")
    fault = here(request).take_fault("decline", "pending", "declined", call=_call(request))
    if fault == "decline":
        order["status"] = "PAYER_ACTION_REQUIRED"
        raise unprocessable("INSTRUMENT_DECLINED", "The instrument presented was declined.")
    invoices = {
        done["invoice_id"] for done in here(request).all("capture") if done.get("invoice_id")
    }
    if any(unit.get("invoice_id") in invoices for unit in order["purchase_units"]):
        raise unprocessable("DUPLICATE_INVOICE_ID", "Duplicate Invoice ID detected.")
    order["status"] = "COMPLETED"
    captures = [
        _capture(
            request, order, unit, {"pending": "PENDING", "declined": "DECLINED"}.get(fault or "")
        )
        for unit in order["purchase_units"]
    ]
    _remember(request, key, body, identity)
    for capture in captures:
        emit(request, f"PAYMENT.CAPTURE.{capture['status']}", "capture", capture)
    if fault is None:
        emit(request, "CHECKOUT.ORDER.COMPLETED", "checkout-order", order)
    return JSONResponse(_bent(request, _order(request, order, prefer)), 201)


def _capture(
    request: Request, order: dict[str, Any], unit: dict[str, Any], status: str | None
) -> dict[str, Any]:
    amount, currency = money(unit["amount"])
    fee = share(amount, known(request).paypal_fee_bps, currency)
    identity = new_id()
    path = f"/v2/payments/captures/{identity}"
    capture = here(request).add(
        {
            "id": identity,
            "object": "capture",
            "status": status or "COMPLETED",
            "amount": written(amount, currency),
            "final_capture": True,
            "custom_id": unit.get("custom_id"),
            "invoice_id": unit.get("invoice_id"),
            "seller_protection": {"status": "ELIGIBLE"},
            "supplementary_data": {"related_ids": {"order_id": order["id"]}},
            "create_time": now(),
            "update_time": now(),
            "links": [
                link(request, path, "self"),
                link(request, path + "/refund", "refund", "POST"),
                link(request, f"/v2/checkout/orders/{order['id']}", "up"),
            ],
            "_refunded": "0",
            "_fee": str(fee),
        }
    )
    if status == "PENDING":
        capture["status_details"] = {"reason": "ECHECK"}
    elif status is None:
        complete(request, capture)
    unit.setdefault("payments", {}).setdefault("captures", []).append(capture)
    return capture


def complete(request: Request, capture: dict[str, Any]) -> None:
    """The money of a capture is there."""
    amount, currency = money(capture["amount"])
    fee = Decimal(capture["_fee"])
    capture["status"] = "COMPLETED"
    capture.pop("status_details", None)
    capture["seller_receivable_breakdown"] = {
        "gross_amount": written(amount, currency),
        "paypal_fee": written(fee, currency),
        "net_amount": written(amount - fee, currency),
    }
    move(
        request, "T0006", amount, currency, identity=capture["id"], fee=fee,
        custom=capture["custom_id"], invoice=capture["invoice_id"],
    )  # fmt: skip


def _order(request: Request, order: dict[str, Any], prefer: str) -> dict[str, Any]:
    """An order as `Prefer` wants it: the minimal one has no amounts."""
    told: dict[str, Any] = json.loads(json.dumps(_bare(order)))
    if "return=representation" in prefer and not here(request).take_fault("minimal"):
        return told
    return {name: told[name] for name in ("id", "status", "links")}


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _bare(one) for name, one in shown(value).items() if one is not None}
    return [_bare(one) for one in value] if isinstance(value, list) else value


def _bent(request: Request, answer: dict[str, Any]) -> dict[str, Any]:
    """An answer in the wrong currency, when a fault wants it."""
    answer = _bare(answer)
    if not here(request).take_fault("wrong_currency", call=_call(request)):
        return answer
    text = json.dumps(answer)
    for currency in ("EUR", "USD", "INR", "JPY", "HUF"):
        text = text.replace(f'"currency_code": "{currency}"', '"currency_code": "GBP"')
    bent: dict[str, Any] = json.loads(text)
    return bent


# --- captures and refunds -------------------------------------------------------------------------


@router.get("/v2/payments/captures/{identity}", dependencies=signed_in)
async def get_capture(request: Request, identity: str) -> dict[str, Any]:
    """A capture as it is now."""
    return _bent(request, find(request, "capture", identity))


@router.post("/v2/payments/captures/{identity}/refund", dependencies=signed_in)
async def refund_capture(
    request: Request, identity: str, key: RequestId = None, prefer: Prefer = "return=minimal"
) -> Response:
    """Send back a part or, without an amount, the rest."""
    body, capture = await read_json(request), find(request, "capture", identity)
    if (done := _replayed(request, key, body)) is not None:
        return JSONResponse(_refund_shown(request, find(request, "refund", done), prefer), 200)
    fault = here(request).take_fault("decline", "disputed", "pending", call=_call(request))
    if fault == "decline":
        raise unprocessable("REFUND_FAILED_INSUFFICIENT_FUNDS")
    if fault == "disputed":
        raise unprocessable("TRANSACTION_DISPUTED")
    refund = refund_by(
        request, capture, body.get("amount"), body.get("custom_id"), is_pending=fault == "pending"
    )
    _remember(request, key, body, refund["id"])
    kind = "PAYMENT.REFUND.PENDING" if fault == "pending" else "PAYMENT.CAPTURE.REFUNDED"
    emit(request, kind, "refund", refund)
    return JSONResponse(_bent(request, _refund_shown(request, refund, prefer)), 201)


@router.get("/v2/payments/refunds/{identity}", dependencies=signed_in)
async def get_refund(request: Request, identity: str) -> dict[str, Any]:
    """A refund as it is now."""
    return _bent(request, find(request, "refund", identity))


def refund_by(
    request: Request,
    capture: dict[str, Any],
    wanted: Any,
    custom: str | None,
    *,
    is_pending: bool = False,
) -> dict[str, Any]:
    """A refund of a capture; nothing wanted: all the rest. Errors: PayPal's 422."""
    total, currency = money(capture["amount"])
    left = total - Decimal(capture["_refunded"])
    if capture["status"] == "PENDING":
        raise unprocessable("PENDING_CAPTURE")
    if capture["status"] not in ("COMPLETED", "PARTIALLY_REFUNDED") or left <= 0:
        raise unprocessable("CAPTURE_FULLY_REFUNDED", "The capture has already been fully refunded")
    amount, in_currency = money(wanted) if wanted else (left, currency)
    if in_currency != currency:
        raise unprocessable("CURRENCY_MISMATCH")
    if amount > left:
        raise unprocessable("REFUND_AMOUNT_EXCEEDED")
    capture["_refunded"] = str(total - left + amount)
    capture["status"] = "REFUNDED" if amount == left else "PARTIALLY_REFUNDED"
    identity = new_id()
    refund = here(request).add(
        {
            "id": identity,
            "object": "refund",
            "amount": written(amount, currency),
            "status": "PENDING" if is_pending else "COMPLETED",
            "custom_id": custom,
            "invoice_id": capture["invoice_id"],
            "create_time": now(),
            "update_time": now(),
            "seller_payable_breakdown": {
                "gross_amount": written(amount, currency),
                "net_amount": written(amount, currency),
                "total_refunded_amount": written(Decimal(capture["_refunded"]), currency),
            },
            "links": [
                link(request, f"/v2/payments/refunds/{identity}", "self"),
                link(request, f"/v2/payments/captures/{capture['id']}", "up"),
            ],
        }
    )
    order = here(request).objects[capture["supplementary_data"]["related_ids"]["order_id"]]
    for unit in order["purchase_units"]:
        payments = unit["payments"]
        if capture in payments["captures"]:
            payments.setdefault("refunds", []).append(refund)
    move(request, "T1107", -amount, currency, identity=identity, custom=custom)
    return refund


def _refund_shown(request: Request, refund: dict[str, Any], prefer: str) -> dict[str, Any]:
    told: dict[str, Any] = _bare(refund)
    if "return=representation" in prefer and not here(request).take_fault("minimal"):
        return told
    return {name: told[name] for name in ("id", "status", "links")}


# --- payouts --------------------------------------------------------------------------------------


@router.post("/v1/payments/payouts/", dependencies=signed_in)  # so does paypalrestsdk write it
@router.post("/v1/payments/payouts", dependencies=signed_in)
async def create_payout(request: Request) -> Response:
    """A batch; what becomes of its items is told later. One `sender_batch_id` makes one batch."""
    body = await read_json(request)
    header, items = body.get("sender_batch_header"), body.get("items")
    if not isinstance(header, dict) or not isinstance(items, list) or not items:
        raise refuse(400, "VALIDATION_ERROR", "Required field missing", field="items")
    sender_id = header.get("sender_batch_id")
    for batch in here(request).all("payout"):
        if (
            sender_id
            and batch["batch_header"]["sender_batch_header"]["sender_batch_id"] == sender_id
        ):
            raise refuse(
                400,
                "USER_BUSINESS_ERROR",
                "Batch with given sender_batch_id already exists",
                field="SENDER_BATCH_ID",
                location="body",
                link=[link(request, f"/v1/payments/payouts/{batch['id']}", "self")],
            )
    amounts = [money(item.get("amount"), "currency") for item in items]
    currency = amounts[0][1]
    if any("@" not in str(item.get("receiver", "")) for item in items):
        raise refuse(
            400, "VALIDATION_ERROR", "Receiver is invalid or does not match with type",
            field="items[0].receiver", location="body",
        )  # fmt: skip
    total = sum((amount for amount, _ in amounts), Decimal(0))
    fault = here(request).take_fault(
        "decline", "insufficient_balance", "wrong_currency", call=_call(request)
    )
    if fault == "decline":
        raise refuse(403, "AUTHORIZATION_ERROR", "PAYOUT_NOT_AVAILABLE", "Payouts are not enabled.")
    if fault == "insufficient_balance" or balances(here(request)).get(currency, 0) < total:
        raise unprocessable("INSUFFICIENT_FUNDS", "Sender does not have sufficient funds.")
    identity = new_id(13)
    batch = here(request).add(
        {
            "id": identity,
            "object": "payout",
            "batch_header": {
                "payout_batch_id": identity,
                "batch_status": "PENDING",
                "time_created": now(),
                "sender_batch_header": header,
                "amount": written(total, currency, "currency"),
                "fees": written(Decimal(0), currency, "currency"),
            },
            "items": [_item(request, identity, sender_id, item) for item in items],
        }
    )
    told: dict[str, Any] = {
        "batch_header": {
            "payout_batch_id": identity,
            "batch_status": "PENDING",
            "sender_batch_header": header,
        },
        "links": [link(request, f"/v1/payments/payouts/{identity}", "self")],
    }
    batch["batch_header"]["batch_status"] = "PROCESSING"
    emit(
        request, "PAYMENT.PAYOUTSBATCH.PROCESSING", "payouts", shown_batch(batch, with_items=False)
    )
    if known(request).paypal_settles_payouts:
        for item in batch["items"]:
            local = item["payout_item"]["receiver"].partition("@")[0].partition("+")[0]
            settle(request, item, _OUTCOMES.get(local, "SUCCESS"))
    if fault == "wrong_currency":
        told["batch_header"]["amount"] = written(total, "GBP", "currency")
    return JSONResponse(told, 201)


# what a receiver's address asks for, when payouts settle by themselves
_OUTCOMES = {"unclaimed": "UNCLAIMED", "failed": "FAILED", "blocked": "BLOCKED", "held": "ONHOLD"}
_SUFFIXES = {"SUCCESS": "SUCCEEDED", "ONHOLD": "HELD"}
_BACK = {"FAILED", "RETURNED", "REFUNDED", "BLOCKED", "DENIED", "CANCELED", "REVERSED"}


def _item(request: Request, batch: str, sender_id: str | None, item: Any) -> dict[str, Any]:
    amount, currency = money(item["amount"], "currency")
    made = here(request).add(
        {
            "id": f"item:{new_id(13)}",
            "object": "payout_item",
            "payout_item_id": new_id(13),
            "transaction_id": new_id(),
            "transaction_status": "PENDING",
            "payout_batch_id": batch,
            "sender_batch_id": sender_id,
            "payout_item_fee": written(Decimal(0), currency, "currency"),
            "payout_item": item,
            "time_processed": now(),
        }
    )
    line = move(
        request, "T0001", -amount, currency,
        identity=made["transaction_id"], custom=item.get("sender_item_id"),
    )  # fmt: skip
    made["_line"] = line["id"]
    line["transaction_status"] = "P"
    return made


def settle(request: Request, item: dict[str, Any], status: str) -> None:
    """What became of an item; money that comes back is in our balance again."""
    amount, currency = money(item["payout_item"]["amount"], "currency")
    was, item["transaction_status"] = item["transaction_status"], status
    here(request).objects[item["_line"]]["transaction_status"] = "S"
    if status in _BACK and was not in _BACK:
        item["errors"] = {"name": f"{status}_BY_SANDBOX", "message": "As the sandbox was told."}
        move(
            request, "T1115", amount, currency,
            custom=item["payout_item"].get("sender_item_id"),
        )  # fmt: skip
    batch = here(request).objects[item["payout_batch_id"]]
    kind = f"PAYMENT.PAYOUTS-ITEM.{_SUFFIXES.get(status, status)}"
    emit(request, kind, "payouts_item", {k: v for k, v in item.items() if k != "id"})
    if batch["batch_header"]["batch_status"] != "SUCCESS":
        batch["batch_header"] |= {"batch_status": "SUCCESS", "time_completed": now()}
        emit(
            request, "PAYMENT.PAYOUTSBATCH.SUCCESS", "payouts", shown_batch(batch, with_items=False)
        )


def shown_batch(batch: dict[str, Any], *, with_items: bool = True) -> dict[str, Any]:
    told: dict[str, Any] = {"batch_header": batch["batch_header"]}
    if with_items:
        told["items"] = [
            {name: value for name, value in _bare(item).items() if name != "id"}
            for item in batch["items"]
        ]
    return told


@router.get("/v1/payments/payouts/{identity}", dependencies=signed_in)
async def get_payout(request: Request, identity: str) -> dict[str, Any]:
    """A batch and its items as they are now."""
    return shown_batch(find(request, "payout", identity))


@router.get("/v1/payments/payouts-item/{identity}", dependencies=signed_in)
async def get_payout_item(request: Request, identity: str) -> dict[str, Any]:
    """An item as it is now."""
    item = find_item(request, identity)
    return {name: value for name, value in _bare(item).items() if name != "id"}


@router.post("/v1/payments/payouts-item/{identity}/cancel", dependencies=signed_in)
async def cancel_payout_item(request: Request, identity: str) -> dict[str, Any]:
    """Call back what nobody has claimed."""
    item = find_item(request, identity)
    if item["transaction_status"] != "UNCLAIMED":
        raise refuse(400, "ITEM_INCORRECT_STATUS", "ITEM_INCORRECT_STATUS")
    settle(request, item, "RETURNED")
    return {name: value for name, value in _bare(item).items() if name != "id"}


def find_item(request: Request, identity: str) -> dict[str, Any]:
    for item in here(request).all("payout_item"):
        if item["payout_item_id"] == identity:
            return item
    raise refuse(404, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")


# --- cases ----------------------------------------------------------------------------------------


@router.get("/v1/customer/disputes", dependencies=signed_in)
async def list_disputes(
    request: Request, disputed_transaction_id: str | None = None
) -> dict[str, Any]:
    """Cases, of one transaction or all."""
    return {
        "items": [
            _bare(case)
            for case in here(request).all("dispute")
            if disputed_transaction_id
            in (None, case["disputed_transactions"][0]["seller_transaction_id"])
        ],
        "links": [link(request, "/v1/customer/disputes", "self")],
    }


@router.get("/v1/customer/disputes/{identity}", dependencies=signed_in)
async def get_dispute(request: Request, identity: str) -> dict[str, Any]:
    """One case."""
    told: dict[str, Any] = _bare(find(request, "dispute", identity))
    return told


# --- reports --------------------------------------------------------------------------------------


@router.get("/v1/reporting/transactions", dependencies=signed_in)
async def list_transactions(
    request: Request,
    start_date: str,
    end_date: str,
    page_size: Annotated[int, Query(ge=1, le=500)] = 100,
    page: Annotated[int, Query(ge=1)] = 1,
) -> dict[str, Any]:
    """What moved, at most 31 days at once."""
    try:
        start, end = datetime.fromisoformat(start_date), datetime.fromisoformat(end_date)
    except ValueError as error:
        raise refuse(400, "INVALID_REQUEST", "INVALID_PARAMETER_SYNTAX", "start_date") from error
    if not timedelta(0) <= end - start <= timedelta(days=31):
        raise refuse(400, "INVALID_REQUEST", "Date range is greater than 31 days")
    lines = [
        {"transaction_info": {name: value for name, value in _bare(line).items() if name != "id"}}
        for line in here(request).all("transaction")
        if start <= datetime.fromisoformat(line["transaction_initiation_date"]) <= end
    ]
    return {
        "transaction_details": lines[(page - 1) * page_size : page * page_size],
        "start_date": start_date,
        "end_date": end_date,
        "page": page,
        "total_items": len(lines),
        "total_pages": max(-(-len(lines) // page_size), 1),
    }


# --- events ---------------------------------------------------------------------------------------


@router.get("/v1/notifications/webhooks-events/", dependencies=signed_in)
@router.get("/v1/notifications/webhooks-events", dependencies=signed_in)
async def list_events(
    request: Request,
    *,
    page_size: int = 10,
    event_type: str | None = None,
    start_time: str | None = None,
    end_time: str | None = None,
    start_index: int = 0,
) -> dict[str, Any]:
    """Events of the last thirty days, newest first; `links` lead on."""
    first = datetime.fromisoformat(start_time) if start_time else None
    last = datetime.fromisoformat(end_time) if end_time else None
    if first is not None and first < datetime.fromisoformat(now()) - timedelta(days=30, minutes=5):
        raise refuse(400, "VALIDATION_ERROR", "Invalid data provided", field="start_time")
    page_size = min(page_size, known(request).paypal_largest_page)
    found = [
        event
        for event in reversed(_events(request))
        if event_type in (None, event["event_type"])
        and (first is None or first <= datetime.fromisoformat(event["create_time"]))
        and (last is None or datetime.fromisoformat(event["create_time"]) <= last)
    ]
    shown_events = found[start_index : start_index + page_size]
    links = []
    if start_index + page_size < len(found):
        query = f"page_size={page_size}&start_index={start_index + page_size}"
        for name, value in (
            ("event_type", event_type), ("start_time", start_time), ("end_time", end_time),
        ):  # fmt: skip
            query += f"&{name}={value}" if value else ""
        links.append(link(request, f"/v1/notifications/webhooks-events?{query}", "next"))
    return {"events": shown_events, "count": len(shown_events), "links": links}


@router.get("/v1/notifications/webhooks-events/{identity}", dependencies=signed_in)
async def get_event(request: Request, identity: str) -> dict[str, Any]:
    """One event."""
    for event in _events(request):
        if event["id"] == identity:
            return event
    raise refuse(404, "INVALID_RESOURCE_ID", "Resource id is invalid")


@router.post("/v1/notifications/webhooks-events/{identity}/resend", dependencies=signed_in)
async def resend_event(request: Request, identity: str) -> Response:
    """An event once more."""
    for sent in here(request).sent:
        if sent.id == identity:
            here(request).send(sent)
            return JSONResponse(json.loads(sent.body), 202)
    raise refuse(404, "INVALID_RESOURCE_ID", "Resource id is invalid")


def _events(request: Request) -> list[dict[str, Any]]:
    found = here(request)
    return [json.loads(sent.body) for sent in (*found.sent, *found.waiting)]


@router.post("/v1/notifications/verify-webhook-signature", dependencies=signed_in)
async def verify_signature(request: Request) -> dict[str, str]:
    """Whether we signed this: over the bytes of `webhook_event` as they stand in the body."""
    body = await read_json(request)
    needed = ("auth_algo", "cert_url", "transmission_id", "transmission_sig", "transmission_time")
    if any(not isinstance(body.get(name), str) for name in (*needed, "webhook_id")):
        raise refuse(400, "VALIDATION_ERROR", "Invalid data provided")
    raw = _raw_member((await request.body()).decode(), "webhook_event")
    place, _, name = body["cert_url"].rpartition("/")
    signer = paypal_authority.authority().signer(name)
    is_ours = (
        raw is not None
        and signer is not None
        and name == paypal_authority.GOOD
        and place == base_url(request) + "/v1/notifications/certs"
        and body["webhook_id"] == known(request).paypal_webhook_id
        and body["auth_algo"] == "SHA256withRSA"
    )
    if is_ours:
        assert raw is not None
        assert signer is not None
        message = "|".join(
            (body["transmission_id"], body["transmission_time"], body["webhook_id"],
             str(zlib.crc32(raw.encode())))
        )  # fmt: skip
        try:
            signer.key.public_key().verify(
                base64.b64decode(body["transmission_sig"]), message.encode(),
                padding.PKCS1v15(), SHA256(),
            )  # fmt: skip
        except (InvalidSignature, binascii.Error):
            is_ours = False
    return {"verification_status": "SUCCESS" if is_ours else "FAILURE"}


def _raw_member(text: str, name: str) -> str | None:
    """A member's text as it was written, out of one JSON object."""
    decoder, place = json.JSONDecoder(), text.index("{") + 1
    while True:
        while text[place] in " \t\r\n,":
            place += 1
        if text[place] == "}":
            return None
        key, place = decoder.raw_decode(text, place)
        while text[place] in " \t\r\n:":
            place += 1
        start = place
        _, place = decoder.raw_decode(text, place)
        if key == name:
            return text[start:place]


@router.get("/v1/notifications/certs/{name}")
async def get_certificate(request: Request, name: str) -> Response:
    """A signing certificate; anybody may read it."""
    signer = paypal_authority.authority().signer(name)
    if signer is None:
        raise refuse(404, "RESOURCE_NOT_FOUND")
    return Response(
        signer.pem,
        media_type="application/x-pem-file",
        headers={"cache-control": "public,max-age=86400"},
    )


# --- the payer's page -----------------------------------------------------------------------------


@router.get("/checkoutnow", response_class=HTMLResponse)
async def approve_page(request: Request, token: str) -> str:
    """Where the payer agrees."""
    order = find(request, "order", token)
    amount = order["purchase_units"][0]["amount"]
    title = html.escape(str(order["purchase_units"][0].get("description", "an order")))
    action = f"/control/paypal/orders/{html.escape(order['id'])}"
    return (
        "<!doctype html><meta charset=utf-8><title>PayPal, played</title>"
        f"<h1>{title}</h1><p>{html.escape(amount['value'])} {html.escape(amount['currency_code'])}"
        f"<form method=post action='{action}/approve?go=1'><button>Agree and pay</button></form>"
        f"<form method=post action='{action}/expire?go=1'><button>Let it run out</button></form>"
    )


# --- keys -----------------------------------------------------------------------------------------


def _replayed(request: Request, key: str | None, body: Any) -> str | None:
    """The id of what this key made before. Errors: PayPal's 422 when it was another request."""
    try:
        before = here(request).replayed(key and f"key:{key}", _call(request), body)
    except KeyReused as error:
        raise unprocessable("DUPLICATE_REQUEST_ID") from error
    return None if before is None else str(before[1]["id"])


def _remember(request: Request, key: str | None, body: Any, identity: str) -> None:
    here(request).remember(key and f"key:{key}", _call(request), body, 201, {"id": identity})
