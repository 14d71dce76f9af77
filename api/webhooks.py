"""Webhooks: verify the raw bytes, keep the event once, answer; its job does the rest."""

from fastapi import APIRouter, Request

from workers.core.db import transaction
from workers.core.errors import GuildhallError
from workers.core.settings import settings
from workers.payments import stripe

router = APIRouter(prefix="/webhooks", tags=["webhooks"])


class BodyTooLarge(GuildhallError):
    """More than `webhook_max_bytes`."""

    code, http_status = "payments.body_too_large", 413


@router.post("/stripe", status_code=200)
async def receive_stripe(request: Request) -> dict[str, bool]:
    """Keep an event of Stripe's. A repeat is answered like the first."""
    body = await _read(request)
    event = stripe.verify(body, request.headers.get("stripe-signature"), settings())
    async with transaction(request.app.state.pool) as db:
        await db.execute(
            "select private.keep_event(%s, %s, %s, %s)", ["stripe", event.id, event.kind, body]
        )
    return {"received": True}


async def _read(request: Request) -> bytes:
    limit = settings().webhook_max_bytes
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise BodyTooLarge(f"A webhook may have {limit} bytes.")
    return bytes(body)
