"""Stripe: how its events are verified and read."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import stripe
from pydantic import SecretStr

from workers.core.errors import InvalidSignature, NotConfigured
from workers.core.settings import Settings

_NAME = re.compile(r"[\w.:-]{1,255}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Event:
    """A provider's event: its own id and kind, and the bytes that were signed."""

    id: str
    kind: str
    body: bytes


@dataclass(frozen=True, slots=True)
class PaymentSucceeded:
    """Money arrived for an order. `amount_minor` in minor units of `currency`."""

    order_id: UUID
    reference: str
    amount_minor: int
    currency: str


def verify(body: bytes, headers: Mapping[str, str], settings: Settings) -> Event:
    """Check Stripe's signature over the raw bytes, with any of the endpoint's secrets.

    Errors: NotConfigured without a secret; InvalidSignature. Source: Stripe, Webhook signatures.
    """
    if not settings.stripe_webhook_secrets:
        raise NotConfigured("Stripe has no webhook secret here: set STRIPE_WEBHOOK_SECRETS")
    signature = headers.get("stripe-signature", "")
    for secret in settings.stripe_webhook_secrets:
        if _is_signed(body, signature, secret, settings.webhook_tolerance_seconds):
            envelope = _envelope(body)
            return Event(envelope["id"], envelope["type"], body)
    raise InvalidSignature("The Stripe-Signature header does not fit the body.")


def read(body: bytes) -> PaymentSucceeded | None:
    """What a verified event means for us; None when it means nothing."""
    event = json.loads(body)
    if event["type"] != "payment_intent.succeeded":
        return None
    intent = event["data"]["object"]
    order_id = (intent.get("metadata") or {}).get("order_id")
    try:
        known = UUID(order_id)
    except (ValueError, TypeError, AttributeError):  # made outside Guildhall
        return None
    return PaymentSucceeded(
        order_id=known,
        reference=intent["id"],
        amount_minor=intent["amount_received"],
        currency=intent["currency"].upper(),
    )


def _is_signed(body: bytes, header: str, secret: SecretStr, tolerance: int) -> bool:
    if not header.isascii():  # the SDK stumbles over it
        return False
    try:
        # the SDK signs text; latin-1 would change bytes, so what is no UTF-8 was not signed
        stripe.WebhookSignature.verify_header(
            body.decode(), header, secret.get_secret_value(), tolerance
        )
    except (stripe.SignatureVerificationError, UnicodeDecodeError):
        return False
    return True


def _envelope(body: bytes) -> dict[str, Any]:
    try:
        envelope = json.loads(body)
        if _NAME.fullmatch(envelope["id"]) and _NAME.fullmatch(envelope["type"]):
            return dict(envelope)
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise InvalidSignature("The body is no Stripe event.")
