"""Stripe, as far as Guildhall uses it: its API, and what happens outside of it, in one router."""

from fastapi import APIRouter

from sandbox import (
    stripe_billing,
    stripe_billing_control,
    stripe_connect,
    stripe_control,
    stripe_payments,
)
from sandbox.stripe_core import API_VERSION, make_event

__all__ = ["API_VERSION", "make_event", "router"]

router = APIRouter()
for part in (
    stripe_payments, stripe_connect, stripe_billing, stripe_billing_control, stripe_control,
):  # fmt: skip
    router.include_router(part.router)
