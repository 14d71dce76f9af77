"""Razorpay over HTTP: who we are, how long we wait, and what each answer means for the asker."""

import hashlib
import hmac
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from workers.core.errors import NotConfigured
from workers.core.settings import Settings
from workers.payments.base import OutcomeUnknown, ProviderDeclined, ProviderUnavailable
from workers.payments.calls import Answer, call, open_client

Entity = Mapping[str, Any]

_PAGE = 100  # the most that a list gives at once
# a 400 that is not about what was asked, but about who asked: nothing was tried
_NOT_LET_IN = re.compile(
    r"authentication failed|api key|access denied|from this ip|url was not found", re.I
)


class Client:
    """Calls to Razorpay and RazorpayX, which share host and keys.

    Errors of every call: NotConfigured; ProviderDeclined, a final no; ProviderUnavailable, surely
    not done; OutcomeUnknown, all doubt. Source: Razorpay, API errors.
    """

    def __init__(self, known: Settings) -> None:
        self._known = known
        self._http: httpx.AsyncClient | None = None

    @property
    def is_configured(self) -> bool:
        return bool(self._known.razorpay_key_id) and self._known.razorpay_key_secret is not None

    async def aclose(self) -> None:
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def get(self, path: str, **query: str | int) -> Entity:
        return await self._call("GET", path, query=query)

    async def post(
        self, path: str, body: Entity, headers: Mapping[str, str] | None = None
    ) -> Entity:
        return await self._call("POST", path, body=body, headers=headers)

    async def patch(self, path: str, body: Entity) -> Entity:
        return await self._call("PATCH", path, body=body)

    async def each(self, path: str, **query: str | int) -> AsyncIterator[Entity]:
        """Everything that a list holds, page by page."""
        skip = 0
        while True:
            items = items_of(await self.get(path, **query, count=_PAGE, skip=skip))
            for item in items:
                yield item
            if len(items) < _PAGE:
                return
            skip += _PAGE

    async def _call(
        self,
        method: str,
        path: str,
        *,
        body: Entity | None = None,
        query: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Entity:
        answer = await call(
            self._opened(), "Razorpay", method, path, headers=headers, parameters=query, body=body
        )
        return _taken(answer)

    def _opened(self) -> httpx.AsyncClient:
        if self._http is None:
            known = self._known
            if not known.razorpay_key_id or known.razorpay_key_secret is None:
                raise NotConfigured(
                    "Razorpay has no credentials here: set RAZORPAY_KEY_ID and RAZORPAY_KEY_SECRET"
                )
            self._http = open_client(
                known.razorpay_api_url,
                known.provider_timeout_seconds,
                (known.razorpay_key_id, known.razorpay_key_secret.get_secret_value()),
            )
        return self._http


def items_of(answer: Entity) -> Sequence[Entity]:
    """What a list holds. Errors: OutcomeUnknown when it is no list of objects."""
    items = answer.get("items")
    if not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
        raise OutcomeUnknown("Razorpay answered with no list.")
    return items


def segment(name: str) -> str:
    """A provider's id as one part of a path, whatever stands in it."""
    return quote(name, safe="")


def is_signed(message: bytes, signature: str, secret: SecretStr) -> bool:
    """Whether the hex HMAC-SHA256 of a message is this signature. Compared in constant time.

    Source: Razorpay, Validate and test webhooks; Verify payment signature.
    """
    expected = hmac.new(secret.get_secret_value().encode(), message, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode(errors="replace"))


def is_checkout_signed(order_id: str, payment_id: str, signature: str, secret: SecretStr) -> bool:
    """Whether what a payer's browser brings back comes from Razorpay's checkout.

    `order_id` is the one that we stored, never the browser's; `secret` that of the API key.
    Source: Razorpay, Verify payment signature.
    """
    return is_signed(f"{order_id}|{payment_id}".encode(), signature, secret)


def _taken(answer: Answer) -> Entity:
    """What was answered; else what it means for whoever asked."""
    if answer.is_success:
        return answer.body
    told = answer.body.get("error")
    told = told if isinstance(told, dict) else {}
    why = str(told.get("description") or f"status {answer.status}")
    message, details = f"Razorpay: {why}"[:500], {"reason": told.get("reason")}
    if answer.status in (401, 403):
        raise ProviderUnavailable(message, details)
    # a key with another body: something was done under it before
    if told.get("code") != "BAD_REQUEST_ERROR" or "idempotency" in why.lower():
        raise OutcomeUnknown(message, details)
    if _NOT_LET_IN.search(why):
        raise ProviderUnavailable(message, details)
    raise ProviderDeclined(message, details)
