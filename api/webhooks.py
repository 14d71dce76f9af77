"""Webhooks: verify the raw bytes, keep the event once, answer; its job does the rest."""

from fastapi import APIRouter, Request
from pydantic import BaseModel

from api.envelope import Success
from api.errors import BodyTooLarge, documented
from workers.core.errors import (
    DatabaseUnavailable,
    GuildhallError,
    InvalidSignature,
    NotConfigured,
)
from workers.payments.base import OutcomeUnknown


class UnknownProvider(GuildhallError):
    """No provider of this name sends us webhooks."""

    code, http_status = "payments.unknown_provider", 404


class Received(BaseModel):
    """The event is kept; providers look at the status alone."""

    is_new: bool


router = APIRouter(
    prefix="/webhooks",
    tags=["webhooks"],
    responses=documented(
        InvalidSignature,
        UnknownProvider,
        BodyTooLarge,
        NotConfigured,
        OutcomeUnknown,
        DatabaseUnavailable,
    ),
)


@router.post(
    "/{provider}",
    summary="A provider's event",
    openapi_extra={"requestBody": {"content": {"application/json": {"schema": {}}}}},
)
async def receive(provider: str, request: Request) -> Success[Received]:
    """Keep a provider's event once; the inbox queues its job. A repeat is answered like the first.

    The signature counts, not a token: Stripe's is in the header Stripe-Signature.
    """
    known, metrics = request.app.state.providers.get(provider), request.app.state.metrics
    if known is None:
        raise UnknownProvider("There is no such provider.")
    body = await request.body()
    try:
        event = await known.verify(body, request.headers)
    except InvalidSignature:
        metrics.count_webhook(provider, "refused")
        raise
    except NotConfigured:
        metrics.count_webhook(provider, "not_configured")
        raise
    except OutcomeUnknown:  # what the signature is checked with cannot be had now: sent again
        metrics.count_webhook(provider, "unverifiable")
        raise
    is_new = await request.app.state.inbox.keep(provider, event)  # committed before we answer
    metrics.count_webhook(provider, "kept" if is_new else "repeated")
    return Success(data=Received(is_new=is_new))
