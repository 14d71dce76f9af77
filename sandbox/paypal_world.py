"""What the sandbox's PayPal knows: money, errors, events. Source: PayPal, REST API reference."""

import json
import secrets
import string
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from fastapi import HTTPException, Request

from sandbox import paypal_authority
from sandbox.core import Sent, World, world
from sandbox.settings import SandboxSettings

CURRENCIES = frozenset(
    {
        "AUD", "BRL", "CAD", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "JPY", "MXN",
        "MYR", "NOK", "NZD", "PHP", "PLN", "SEK", "SGD", "CHF", "THB", "TWD", "USD",
    }
)  # fmt: skip
WHOLE = frozenset({"HUF", "JPY", "TWD"})
_LETTERS = string.ascii_uppercase + string.digits
_BAD_SIGNATURES = ("wrong_signature", *paypal_authority.BAD)


def known(request: Request) -> SandboxSettings:
    found: SandboxSettings = request.app.state.settings
    return found


def here(request: Request) -> World:
    return world(request, "paypal")


def new_id(length: int = 17) -> str:
    """PayPal's ids: capital letters and digits."""
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def base_url(request: Request) -> str:
    """Where this PayPal is, as the others on the stack know it."""
    return (known(request).sandbox_url or str(request.base_url)).rstrip("/") + "/paypal"


def link(request: Request, path: str, rel: str, method: str = "GET") -> dict[str, str]:
    return {"href": base_url(request) + path, "rel": rel, "method": method}


def refuse(
    status: int, name: str, issue: str = "", description: str = "", **more: Any
) -> HTTPException:
    """PayPal's own error body."""
    detail: dict[str, Any] = {
        "name": name,
        "message": _MESSAGES.get(name, name.replace("_", " ").capitalize() + "."),
        "debug_id": secrets.token_hex(7),
        "details": [{"issue": issue, "description": description or issue} | more] if issue else [],
        "links": [],
    }
    return HTTPException(status, detail, {"Paypal-Debug-Id": detail["debug_id"]})


_MESSAGES = {
    "UNPROCESSABLE_ENTITY": "The requested action could not be performed, semantically incorrect,"
    " or failed business validation.",
    "INVALID_REQUEST": "Request is not well-formed, syntactically incorrect, or violates schema.",
    "RESOURCE_NOT_FOUND": "The specified resource does not exist.",
    "USER_BUSINESS_ERROR": "User business error.",
}


def unprocessable(issue: str, description: str = "") -> HTTPException:
    return refuse(422, "UNPROCESSABLE_ENTITY", issue, description)


def find(request: Request, kind: str, identity: str) -> dict[str, Any]:
    """An object of this kind. Errors: PayPal's 404."""
    found: dict[str, Any] | None = here(request).objects.get(identity)
    if found is None or found["object"] != kind:
        raise refuse(
            404,
            "RESOURCE_NOT_FOUND",
            "INVALID_RESOURCE_ID",
            "Specified resource ID does not exist.",
        )
    return found


def shown(made: Mapping[str, Any]) -> dict[str, Any]:
    """An object as PayPal shows it: without our own marks."""
    return {name: value for name, value in made.items() if name != "object" and name[0] != "_"}


async def read_json(request: Request) -> dict[str, Any]:
    """The body. Errors: PayPal's 415 and 400."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise refuse(415, "UNSUPPORTED_MEDIA_TYPE", "UNSUPPORTED_MEDIA_TYPE")
    raw = await request.body()
    try:
        body = json.loads(raw or b"{}")
    except ValueError as error:
        raise refuse(400, "INVALID_REQUEST", "MALFORMED_REQUEST_JSON") from error
    if not isinstance(body, dict):
        raise refuse(400, "INVALID_REQUEST", "MALFORMED_REQUEST_JSON")
    return body


def money(value: Any, name: str = "currency_code") -> tuple[Decimal, str]:
    """An amount that somebody wrote. Errors: PayPal's 400 and 422."""
    if not isinstance(value, dict) or not {name, "value"} <= set(value):
        raise refuse(400, "INVALID_REQUEST", "MISSING_REQUIRED_PARAMETER", "amount")
    currency, text = value[name], value["value"]
    if currency not in CURRENCIES:
        raise unprocessable("CURRENCY_NOT_SUPPORTED")
    try:
        amount = Decimal(text)
    except (ArithmeticError, TypeError, ValueError) as error:
        raise refuse(400, "INVALID_REQUEST", "INVALID_PARAMETER_SYNTAX", "value") from error
    if not isinstance(text, str) or not amount.is_finite():
        raise refuse(400, "INVALID_REQUEST", "INVALID_PARAMETER_SYNTAX", "value")
    if amount <= 0:
        raise unprocessable("CANNOT_BE_ZERO_OR_NEGATIVE")
    if max(-int(amount.as_tuple().exponent), 0) > (0 if currency in WHOLE else 2):
        raise unprocessable(
            "DECIMAL_PRECISION" if currency not in WHOLE else "DECIMALS_NOT_SUPPORTED"
        )
    return amount, currency


def written(amount: Decimal, currency: str, name: str = "currency_code") -> dict[str, str]:
    places = 0 if currency in WHOLE else 2
    return {name: currency, "value": f"{amount:.{places}f}"}


def share(amount: Decimal, bps: int, currency: str) -> Decimal:
    """A fee in basis points, in what the currency can be written in."""
    unit = Decimal(1) if currency in WHOLE else Decimal("0.01")
    return (amount * bps / 10_000).quantize(unit, ROUND_HALF_UP)


def move(
    request: Request,
    code: str,
    amount: Decimal,
    currency: str,
    *,
    identity: str | None = None,
    fee: Decimal = Decimal(0),
    custom: str | None = None,
    invoice: str | None = None,
) -> dict[str, Any]:
    """A line of the report; what it moves is our balance there."""
    return here(request).add(
        {
            "id": f"transaction:{len(here(request).objects)}",
            "object": "transaction",
            "transaction_id": identity or new_id(),
            "transaction_event_code": code,
            "transaction_initiation_date": now(),
            "transaction_updated_date": now(),
            "transaction_amount": written(amount, currency),
            "fee_amount": written(-fee, currency),
            "transaction_status": "S",
            "custom_field": custom,
            "invoice_id": invoice,
        }
    )


def balances(found: World) -> dict[str, Decimal]:
    """What this PayPal holds for us, by currency."""
    sums: dict[str, Decimal] = {}
    for line in found.all("transaction"):
        currency = line["transaction_amount"]["currency_code"]
        moved = Decimal(line["transaction_amount"]["value"]) + Decimal(line["fee_amount"]["value"])
        sums[currency] = sums.get(currency, Decimal(0)) + moved
    return sums


def minor(amount: Decimal, currency: str) -> int:
    """In minor units as ISO 4217 counts them."""
    return int(amount.scaleb(0 if currency == "JPY" else 2))


def emit(request: Request, kind: str, resource_type: str, resource: Mapping[str, Any]) -> Sent:
    """Send an event, signed as PayPal signs, or as a fault wants it."""
    found = here(request)
    identity = f"WH-{new_id()}-{new_id()}"
    path = f"/v1/notifications/webhooks-events/{identity}"
    event = {
        "id": identity,
        "event_version": "1.0",
        "create_time": now(),
        "resource_type": resource_type,
        "resource_version": "2.0",
        "event_type": kind,
        "summary": f"{resource_type} {kind.rsplit('.', 1)[1].lower()}",
        "resource": json.loads(json.dumps(shown(resource))),
        "links": [link(request, path, "self"), link(request, path + "/resend", "resend", "POST")],
    }
    body = json.dumps(event, separators=(",", ":")).encode()
    fault = found.take_fault(*_BAD_SIGNATURES)
    headers = paypal_authority.authority().headers(
        body if fault != "wrong_signature" else b"another body",
        known(request).paypal_webhook_id,
        base_url(request) + "/v1/notifications/certs/",
        paypal_authority.BAD.get(fault or "", paypal_authority.GOOD),
    )
    sent = Sent(
        id=identity,
        kind=kind,
        url=f"{known(request).api_url}/webhooks/paypal",
        body=body,
        headers=headers,
    )
    found.send(sent)
    return sent
