"""Coinbase Business, as far as Guildhall uses it: checkouts, their refunds, signed events; and the
events of the Commerce product that was before it.
"""

import base64
import hashlib
import hmac
import html
import json
import re
import secrets
import time
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import APIRouter, Depends, Form, Header, HTTPException, Query, Request
from fastapi.responses import HTMLResponse

from sandbox.core import KeyReused, Sent, World, world
from sandbox.settings import SandboxSettings

router = APIRouter()
_PATH = "/coinbase/api/v1/checkouts"
_AMOUNT = re.compile(r"\d+(\.\d{1,2})?", re.ASCII)
_FINAL = ("COMPLETED", "REFUNDED", "PARTIALLY_REFUNDED", "FAILED", "EXPIRED", "DEACTIVATED")


def _here(request: Request) -> World:
    return world(request, "coinbase")


def _known(request: Request) -> SandboxSettings:
    found: SandboxSettings = request.app.state.settings
    return found


def _base(request: Request) -> str:
    return (_known(request).sandbox_url or str(request.base_url)).rstrip("/")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _refuse(status: int, kind: str, message: str) -> HTTPException:
    """Coinbase's own error body."""
    return HTTPException(
        status,
        {"errorType": kind, "errorMessage": message, "correlationId": secrets.token_hex(8)},
    )


def require_token(request: Request, authorization: Annotated[str, Header()] = "") -> None:
    """Coinbase's own 401 unless a token for this very call is shown, signed with the CDP key."""
    told = json.loads(_known(request).coinbase_api_key.get_secret_value())
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(told["privateKey"])[:32])
    token = authorization.removeprefix("Bearer ")
    try:
        claims = jwt.decode(
            token,
            key.public_key(),
            ["EdDSA"],
            issuer="cdp",
            options={"require": ["exp", "nbf", "sub"]},
        )
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError as error:
        raise _refuse(401, "unauthorized", "The token is invalid.") from error
    uri = f"{request.method} {request.url.netloc}{request.url.path}"
    if (
        told["id"] not in (header.get("kid"), claims["sub"])
        or uri not in (claims.get("uri"), *claims.get("uris", ()))
        or claims["exp"] - claims["nbf"] > 120
    ):
        raise _refuse(401, "unauthorized", "The token is for another call.")


signed_in = [Depends(require_token)]


async def _read(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body() or b"{}")
    except ValueError as error:
        raise _refuse(400, "invalid_request", "The body is no JSON.") from error
    if not isinstance(body, dict):
        raise _refuse(400, "invalid_request", "The body is no object.")
    return body


def _amount(body: dict[str, Any]) -> Decimal:
    text = body.get("amount")
    if not isinstance(text, str) or not _AMOUNT.fullmatch(text) or not 0 < Decimal(text) <= 10**8:
        raise _refuse(400, "invalid_request", "amount")
    if body.get("currency") != "USDC":
        raise _refuse(400, "invalid_request", "currency")
    return Decimal(text)


def _shown(checkout: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in checkout.items() if name != "object" and name[0] != "_"}


def _find(request: Request, identity: str) -> dict[str, Any]:
    found = _here(request).objects.get(identity)
    if found is None or found["object"] != "checkout":
        raise _refuse(404, "not_found", "There is no such checkout.")
    return found


def _call(request: Request) -> str:
    return f"{request.method} {request.url.path}"


def _bent(request: Request, answer: dict[str, Any]) -> dict[str, Any]:
    """An answer in the wrong currency, when a fault wants it."""
    if not _here(request).take_fault("wrong_currency", call=_call(request)):
        return answer
    bent: dict[str, Any] = json.loads(json.dumps(answer).replace('"USDC"', '"EURC"'))
    return bent


@router.post(_PATH, dependencies=signed_in, status_code=201)
async def create_checkout(
    request: Request, x_idempotency_key: Annotated[str | None, Header()] = None
) -> dict[str, Any]:
    """A page that takes one payment, for a day unless `expiresAt` says otherwise."""
    body, call = await _read(request), _call(request)
    try:
        before = _here(request).replayed(x_idempotency_key, call, body)
    except KeyReused as error:
        raise _refuse(409, "idempotency_error", "The key came with another body.") from error
    if before is not None:
        return _shown(_find(request, before[1]["id"]))
    amount = _amount(body)
    metadata = body.get("metadata", {})
    if len(metadata) > 20 or any(len(str(value)) > 100 for value in metadata.values()):
        raise _refuse(400, "invalid_request", "metadata")
    if len(body.get("description", "")) > 500:
        raise _refuse(400, "invalid_request", "description")
    for name in ("successRedirectUrl", "failRedirectUrl"):
        if not body.get(name, "https://").startswith("https://"):
            raise _refuse(400, "invalid_request", name)
    if _here(request).take_fault("decline", call=call):
        raise _refuse(403, "forbidden", "The account may not take payments.")
    identity = secrets.token_hex(12)
    checkout = _here(request).add(
        {
            "id": identity,
            "object": "checkout",
            "url": f"{_base(request)}/coinbase/pay/{identity}",
            "amount": f"{amount:.2f}",
            "currency": "USDC",
            "network": body.get("network", "base"),
            "address": "0x" + secrets.token_hex(20),
            "status": "ACTIVE",
            "description": body.get("description"),
            "metadata": metadata,
            "successRedirectUrl": body.get("successRedirectUrl"),
            "failRedirectUrl": body.get("failRedirectUrl"),
            "createdAt": _now(),
            "updatedAt": _now(),
            "expiresAt": body.get("expiresAt")
            or (datetime.now(UTC) + timedelta(days=1)).isoformat(),
        }
    )
    _here(request).remember(x_idempotency_key, call, body, 201, {"id": identity})
    return _bent(request, _shown(checkout))


@router.get(_PATH, dependencies=signed_in)
async def list_checkouts(
    request: Request,
    *,
    page_size: Annotated[int, Query(alias="pageSize", ge=1, le=100)] = 20,
    page_token: Annotated[str, Query(alias="pageToken")] = "",
    status: str | None = None,
    description_query: Annotated[str, Query(alias="descriptionQuery")] = "",
) -> dict[str, Any]:
    """Checkouts, newest first; `nextPageToken` leads on."""
    found = [
        checkout
        for checkout in reversed(_here(request).all("checkout"))
        if status in (None, checkout["status"])
        and description_query.lower() in (checkout["description"] or "").lower()
    ]
    start = int(page_token or 0)
    told: dict[str, Any] = {"checkouts": [_shown(one) for one in found[start : start + page_size]]}
    if start + page_size < len(found):
        told["nextPageToken"] = str(start + page_size)
    return told


@router.get(_PATH + "/{identity}", dependencies=signed_in)
async def get_checkout(request: Request, identity: str) -> dict[str, Any]:
    """A checkout as it is now."""
    return _bent(request, _shown(_find(request, identity)))


@router.post(_PATH + "/{identity}/deactivate", dependencies=signed_in)
async def deactivate_checkout(request: Request, identity: str) -> dict[str, Any]:
    """Call it off, unless it is over."""
    checkout = _find(request, identity)
    if checkout["status"] in _FINAL:
        raise _refuse(400, "invalid_request", f"The checkout is {checkout['status']}.")
    checkout |= {"status": "DEACTIVATED", "updatedAt": _now()}
    return _shown(checkout)


@router.post(_PATH + "/{identity}/refund", dependencies=signed_in)
async def refund_checkout(request: Request, identity: str) -> dict[str, Any]:
    """Send a part or all back. No key is honoured here: what is asked twice is sent twice."""
    body, checkout = await _read(request), _find(request, identity)
    amount = _amount(body)
    fault = _here(request).take_fault("decline", "pending", call=_call(request))
    if fault == "decline":
        raise _refuse(400, "invalid_request", "Insufficient funds.")
    refund = _refund(request, checkout, amount, body.get("reason", ""))
    if fault != "pending":
        _end_refund(request, checkout, refund, "COMPLETED")
    return _bent(request, {"checkout": _shown(checkout), "refund": refund | {"status": "PENDING"}})


def _refund(
    request: Request, checkout: dict[str, Any], amount: Decimal, reason: str
) -> dict[str, Any]:
    if checkout["status"] not in ("COMPLETED", "PARTIALLY_REFUNDED"):
        raise _refuse(400, "invalid_request", "Only completed checkouts are refunded.")
    total = Decimal(checkout["settlement"]["totalAmount"])
    refunded = Decimal(checkout.get("refundedAmount", "0"))
    if amount > total - refunded:
        raise _refuse(400, "invalid_request", "More than is left.")
    refund = {
        "id": secrets.token_hex(12),
        "checkoutId": checkout["id"],
        "amount": f"{amount:.2f}",
        "currency": "USDC",
        "status": "PENDING",
        "reason": reason,
        "createdAt": _now(),
    }
    checkout.setdefault("refunds", []).append(refund)
    checkout["refundedAmount"] = f"{refunded + amount:.2f}"
    checkout["updatedAt"] = _now()
    return refund


def _end_refund(
    request: Request, checkout: dict[str, Any], refund: dict[str, Any], status: str
) -> None:
    refund |= {"status": status, "completedAt": _now()}
    total, refunded = (
        Decimal(checkout["settlement"]["totalAmount"]), Decimal(checkout["refundedAmount"]),
    )  # fmt: skip
    if status == "FAILED":
        refunded -= Decimal(refund["amount"])
        checkout["refundedAmount"] = f"{refunded:.2f}"
    checkout["status"] = (
        "REFUNDED" if refunded == total else "PARTIALLY_REFUNDED" if refunded else "COMPLETED"
    )
    kind = "success" if status == "COMPLETED" else "failed"
    _emit(request, f"checkout.refund.{kind}", checkout)


def _emit(request: Request, kind: str, checkout: dict[str, Any]) -> Sent:
    """Send an event: the checkout itself, flat, with its kind; the id stands in the headers."""
    body = json.dumps(_shown(checkout) | {"eventType": kind}).encode()
    identity, moment = f"evt_{secrets.token_hex(12)}", int(time.time())
    found = _here(request)
    fault = found.take_fault("wrong_signature", "stale_signature")
    if fault == "stale_signature":
        moment -= 3600
    headers = {
        "content-type": "application/json", "x-event-id": identity, "x-event-type": kind,
    }  # fmt: skip
    secret = _known(request).coinbase_webhook_secret.get_secret_value()
    if fault == "wrong_signature":
        secret = secret[::-1]
    return _send(
        request,
        identity,
        kind,
        body,
        headers | {"X-Hook0-Signature": sign(body, headers, secret, moment)},
    )


def sign(body: bytes, headers: dict[str, str], secret: str, moment: int) -> str:
    """An X-Hook0-Signature over the body (v0), and over these headers too (v1)."""
    names, values = " ".join(headers), ".".join(headers.values())

    def code(text: str) -> str:
        return hmac.new(secret.encode(), text.encode() + body, hashlib.sha256).hexdigest()

    v0, v1 = code(f"{moment}."), code(f"{moment}.{names}.{values}.")
    return f"t={moment},v0={v0},h={names},v1={v1}"


def _send(request: Request, identity: str, kind: str, body: bytes, headers: dict[str, str]) -> Sent:
    sent = Sent(
        id=identity,
        kind=kind,
        url=f"{_known(request).api_url}/webhooks/coinbase",
        body=body,
        headers=headers,
    )
    _here(request).send(sent)
    return sent


# --- what a person or a test does -----------------------------------------------------------------


@router.get("/coinbase/pay/{identity}", response_class=HTMLResponse)
async def pay_page(request: Request, identity: str) -> str:
    """Where the payer sends the coins."""
    checkout = _find(request, identity)
    action = f"/control/coinbase/checkouts/{html.escape(identity)}"
    title = html.escape(checkout["description"] or "a checkout")
    return (
        "<!doctype html><meta charset=utf-8><title>Coinbase, played</title>"
        f"<h1>{title}</h1><p>{html.escape(checkout['amount'])} USDC: {checkout['status']}"
        f"<form method=post action='{action}/pay'><button>Pay</button></form>"
        f"<form method=post action='{action}/fail'><button>Fail</button></form>"
        f"<form method=post action='{action}/expire'><button>Let it expire</button></form>"
    )


@router.get("/control/coinbase/balance")
async def get_balance(request: Request) -> dict[str, int]:
    """What Coinbase holds for us, in cents of dollars."""
    total = Decimal(0)
    for checkout in _here(request).all("checkout"):
        if "settlement" in checkout:
            total += Decimal(checkout["settlement"]["netAmount"])
            total -= Decimal(checkout.get("refundedAmount", "0"))
    return {"USD": int(total * 100)}


@router.post("/control/coinbase/checkouts/{identity}/pay")
async def pay(
    request: Request, identity: str, total_amount: Annotated[str | None, Form()] = None
) -> dict[str, Any]:
    """The payer sends what was asked, or `total_amount`."""
    checkout = _find(request, identity)
    if checkout["status"] not in ("ACTIVE", "PROCESSING"):
        raise HTTPException(409, {"error": f"the checkout is {checkout['status']}"})
    total = Decimal(total_amount or checkout["amount"])
    fee = (total * _known(request).coinbase_fee_bps / 10_000).quantize(
        Decimal("0.01"), ROUND_HALF_UP
    )
    checkout |= {
        "status": "COMPLETED",
        "updatedAt": _now(),
        "transactionHash": "0x" + secrets.token_hex(32),
        "settlement": {
            "totalAmount": str(total_amount or f"{total:.2f}"),
            "feeAmount": f"{fee:.2f}",
            "netAmount": str(total - fee),
            "currency": "USDC",
        },
    }
    _emit(request, "checkout.payment.success", checkout)
    return _shown(checkout)


@router.post("/control/coinbase/checkouts/{identity}/{end}")
async def end_checkout(request: Request, identity: str, end: str) -> dict[str, Any]:
    """`process`, `fail` or `expire` it."""
    checkout = _find(request, identity)
    status = {"process": "PROCESSING", "fail": "FAILED", "expire": "EXPIRED"}.get(end)
    if status is None or checkout["status"] in _FINAL:
        raise HTTPException(409, {"error": f"{end} of a checkout that is {checkout['status']}"})
    checkout |= {"status": status, "updatedAt": _now()}
    if status != "PROCESSING":
        _emit(request, f"checkout.payment.{status.lower()}", checkout)
    return _shown(checkout)


@router.post("/control/coinbase/refunds/{identity}/{end}")
async def end_refund(request: Request, identity: str, end: str) -> dict[str, Any]:
    """`complete` or `fail` a refund that is pending."""
    for checkout in _here(request).all("checkout"):
        for refund in checkout.get("refunds", ()):
            if refund["id"] == identity and refund["status"] == "PENDING":
                _end_refund(
                    request, checkout, refund, "COMPLETED" if end == "complete" else "FAILED"
                )
                return dict(refund)
    raise HTTPException(404, {"error": f"no refund {identity} is pending"})


@router.post("/control/coinbase/checkouts/{identity}/refunds/by-hand")
async def refund_by_hand(
    request: Request, identity: str, amount: Annotated[str, Form()]
) -> dict[str, Any]:
    """Somebody refunds at Coinbase, past us."""
    checkout = _find(request, identity)
    refund = _refund(request, checkout, Decimal(amount), "Customer requested refund")
    _end_refund(request, checkout, refund, "COMPLETED")
    return dict(refund)


@router.post("/control/coinbase/charges")
async def replay_charge(
    request: Request,
    kind: Annotated[str, Form()],
    order_id: Annotated[str, Form()],
    amount: Annotated[str, Form()],
    paid: Annotated[str, Form()] = "",
) -> dict[str, str]:
    """An event of the closed Commerce product, as it was sent; `paid`: amounts, by commas."""
    identity = secrets.token_hex(16)
    price = {"amount": amount, "currency": "USD"}
    charge = {
        "id": secrets.token_hex(16),
        "code": secrets.token_hex(4).upper(),
        "pricing_type": "fixed_price",
        "pricing": {"local": price, "settlement": {"amount": amount, "currency": "USDC"}},
        "metadata": {"order_id": order_id},
        "timeline": [{"time": _now(), "status": "NEW"}],
        "payments": [
            {"status": "CONFIRMED", "value": {"local": {"amount": one, "currency": "USD"}}}
            for one in paid.split(",")
            if one
        ],
    }
    event = {
        "id": identity,
        "scheduled_for": _now(),
        "attempt_number": 1,
        "event": {
            "id": identity, "resource": "event", "type": kind,
            "api_version": "2018-03-22", "created_at": _now(), "data": charge,
        },
    }  # fmt: skip
    body = json.dumps(event).encode()
    secret = _known(request).coinbase_webhook_secret.get_secret_value().encode()
    headers = {
        "content-type": "application/json",
        "X-CC-Webhook-Signature": hmac.new(secret, body, hashlib.sha256).hexdigest(),
    }
    _send(request, identity, kind, body, headers)
    return {"code": str(charge["code"])}
