"""Stripe, as far as Guildhall uses it: payment intents, and the events they send."""

import json
import secrets
import time
from typing import Annotated, Any

import httpx
import stripe
from fastapi import APIRouter, Depends, Form, Header, HTTPException, Request

from sandbox.settings import SandboxSettings

API_VERSION = "2026-10-28"
router = APIRouter()


def new_id(prefix: str) -> str:
    """An id in Stripe's style: `pi_…`, `evt_…`."""
    return f"{prefix}_{secrets.token_hex(12)}"


def require_key(request: Request, authorization: Annotated[str, Header()] = "") -> None:
    """Stripe's own 401 unless the secret key is shown."""
    known: SandboxSettings = request.app.state.settings
    if authorization != f"Bearer {known.stripe_api_key.get_secret_value()}":
        raise HTTPException(
            401, {"error": {"type": "invalid_request_error", "message": "Invalid API Key provided"}}
        )


@router.post("/stripe/v1/payment_intents", dependencies=[Depends(require_key)])
async def create_payment_intent(request: Request) -> dict[str, Any]:
    """A payment to be made. Amount in minor units, currency in lower case, `metadata[…]`."""
    form = await request.form()
    amount, currency = str(form.get("amount", "")), str(form.get("currency", ""))
    if not amount.isdigit() or int(amount) < 1:
        raise _invalid("amount", "Invalid integer: " + amount)
    if len(currency) != 3 or not currency.islower():
        raise _invalid("currency", "Invalid currency: " + currency)
    intent = {
        "id": new_id("pi"),
        "object": "payment_intent",
        "amount": int(amount),
        "amount_received": 0,
        "currency": currency,
        "status": "requires_payment_method",
        "metadata": {
            key[len("metadata[") : -1]: value
            for key, value in form.items()
            if key.startswith("metadata[")
        },
        "created": int(time.time()),
        "livemode": False,
    }
    request.app.state.intents[intent["id"]] = intent
    return intent


@router.get("/stripe/v1/payment_intents/{intent_id}", dependencies=[Depends(require_key)])
async def get_payment_intent(request: Request, intent_id: str) -> dict[str, Any]:
    """One payment intent."""
    return _find(request, intent_id)


@router.post("/control/stripe/payment_intents/{intent_id}/pay")
async def pay(
    request: Request, intent_id: str, deliveries: Annotated[int, Form()] = 1
) -> dict[str, Any]:
    """The customer pays: the intent succeeds and its event is delivered, as often as asked."""
    intent = _find(request, intent_id)
    intent |= {"status": "succeeded", "amount_received": intent["amount"]}
    body, header = sign_event(request.app.state.settings, "payment_intent.succeeded", intent)
    return {
        "event": json.loads(body)["id"],
        "answers": await _deliver(request, body, header, deliveries),
    }


def sign_event(known: SandboxSettings, kind: str, subject: dict[str, Any]) -> tuple[str, str]:
    """An event's body and its Stripe-Signature, made by the SDK's own algorithm."""
    event = {
        "id": new_id("evt"),
        "object": "event",
        "type": kind,
        "api_version": API_VERSION,
        "created": int(time.time()),
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "data": {"object": subject},
    }
    body = json.dumps(event, indent=2)
    header = stripe.WebhookSignature.generate_signature_header(
        body, known.stripe_webhook_secret.get_secret_value()
    )
    return body, header


async def _deliver(request: Request, body: str, header: str, times: int) -> list[int]:
    url = f"{request.app.state.settings.api_url}/webhooks/stripe"
    headers = {"stripe-signature": header, "content-type": "application/json; charset=utf-8"}
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        return [
            (await client.post(url, content=body.encode(), headers=headers)).status_code
            for _ in range(times)
        ]


def _find(request: Request, intent_id: str) -> dict[str, Any]:
    intent: dict[str, Any] | None = request.app.state.intents.get(intent_id)
    if intent is None:
        raise HTTPException(
            404,
            {
                "error": {
                    "type": "invalid_request_error",
                    "code": "resource_missing",
                    "message": f"No such payment_intent: '{intent_id}'",
                }
            },
        )
    return intent


def _invalid(parameter: str, message: str) -> HTTPException:
    return HTTPException(
        400, {"error": {"type": "invalid_request_error", "param": parameter, "message": message}}
    )
