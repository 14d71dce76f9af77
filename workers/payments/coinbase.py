"""Coinbase: payments in USDC by the Checkouts API of Coinbase Business, one for one with dollars.

The Commerce product has closed; its signed events are still understood, so that old ones can be
replayed. Source: Coinbase, Checkouts API, Webhooks; Hook0, Webhook signatures; Commerce, Webhooks.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from workers.core.errors import InvalidSignature, NotConfigured
from workers.core.money import Money
from workers.core.settings import Settings
from workers.payments import coinbase_facts as facts
from workers.payments.base import (
    Event,
    Fact,
    OrderToPay,
    OutcomeUnknown,
    ProviderDeclined,
    ProviderUnavailable,
    RefundChanged,
    Started,
)
from workers.payments.calls import Answer, call, open_client, shown
from workers.payments.reading import at, list_at, text_at, uuid_of

_CHECKOUTS = "/api/v1/checkouts"
_TOKEN_SECONDS = 120
_MAX_MINOR = 10_000_000_000  # a hundred million dollars
_MAX_PAGES = 20
_NAME = re.compile(r"[\w.:-]{1,255}", re.ASCII)
_HEADER_NAME = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)
_EVENT_ID_HEADERS = ("x-event-id", "x-hook0-id")


class Coinbase:
    """`PaymentGateway` over Coinbase Business."""

    name = "coinbase"

    def __init__(self, known: Settings) -> None:
        self._known = known
        self._client = open_client(known.coinbase_api_url, known.provider_timeout_seconds)

    @property
    def is_configured(self) -> bool:
        return self._known.coinbase_api_key is not None

    async def aclose(self) -> None:
        await self._client.aclose()

    # --- events -----------------------------------------------------------------------------------

    async def verify(self, body: bytes, headers: Mapping[str, str]) -> Event:
        """Check the signature over the raw bytes, with any of our secrets.

        Errors: NotConfigured without a secret; InvalidSignature.
        """
        if not self._known.coinbase_webhook_secrets:
            raise NotConfigured("Coinbase has no webhook secret: set COINBASE_WEBHOOK_SECRETS")
        lower = {name.lower(): value for name, value in headers.items()}
        if "x-hook0-signature" in lower:
            identity = self._check_hook0(lower, body)
            kind = text_at(_object(body), "eventType") or ""
        else:
            self._check_commerce(lower.get("x-cc-webhook-signature", ""), body)
            event = at(_object(body), "event")
            identity, kind = text_at(event, "id") or "", text_at(event, "type") or ""
        if not (_NAME.fullmatch(identity) and _NAME.fullmatch(kind)):
            raise InvalidSignature("The body is no Coinbase event.")
        return Event(identity, kind, body)

    def _check_hook0(self, headers: Mapping[str, str], body: bytes) -> str:
        """The event's id, if the signature is Coinbase's and young.

        v1 covers the headers that `h` names; v0, where it stands alone, the body only. The id is a
        header that v1 covers, else a hash of the body: nothing unsigned makes an event a new one.
        """
        parts = dict(
            part.strip().partition("=")[::2] for part in headers["x-hook0-signature"].split(",")
        )
        moment = parts.get("t", "")
        if not (moment.isascii() and moment.isdigit() and len(moment) < 12):
            raise InvalidSignature("The X-Hook0-Signature header has no time.")
        if abs(time.time() - int(moment)) > self._known.webhook_tolerance_seconds:
            raise InvalidSignature("The X-Hook0-Signature header is too old, or ahead of time.")
        names: list[str] = []
        signed, given = moment.encode() + b".", parts.get("v1") or parts.get("v0") or ""
        if "v1" in parts:
            names = parts.get("h", "").split(" ") if parts.get("h") else []
            if not all(_HEADER_NAME.fullmatch(name) and name in headers for name in names):
                raise InvalidSignature("A header that the signature covers is missing.")
            values = ".".join(headers[name] for name in names)
            signed += f"{parts.get('h', '')}.{values}.".encode("latin-1", "replace")
        if not self._is_signed(signed + body, given):
            raise InvalidSignature("The X-Hook0-Signature header does not fit the body.")
        for name in _EVENT_ID_HEADERS:
            if name in names:
                return headers[name]
        return "sha256:" + hashlib.sha256(body).hexdigest()

    def _check_commerce(self, given: str, body: bytes) -> None:
        """The signature of the closed Commerce product: it bears no time."""
        if not self._is_signed(body, given):
            raise InvalidSignature("The X-CC-Webhook-Signature header does not fit the body.")

    def _is_signed(self, signed: bytes, given: str) -> bool:
        try:
            claimed = bytes.fromhex(given)
        except ValueError:
            return False
        return any(
            hmac.compare_digest(
                hmac.digest(secret.get_secret_value().encode(), signed, "sha256"), claimed
            )
            for secret in self._known.coinbase_webhook_secrets
        )

    def read(self, body: bytes) -> Sequence[Fact]:
        """What a verified event means for us; empty when it means nothing."""
        return facts.event_facts(json.loads(body))

    # --- money in ---------------------------------------------------------------------------------

    async def start_payment(self, order: OrderToPay) -> Started:
        """A checkout page that takes one payment. The key again: the same one."""
        back = order.return_url if order.return_url.startswith("https://") else None
        asked = {
            "amount": _written(order.amount),
            "currency": facts.COIN,
            "network": "base",
            "description": _described(order),
            "metadata": {"order_id": str(order.order_id), "key": str(order.key)},
        } | ({"successRedirectUrl": back, "failRedirectUrl": back} if back else {})
        made = _taken(await self._ask("POST", _CHECKOUTS, key=order.key, body=asked))
        started = _started(made, order)
        if started is None:
            raise OutcomeUnknown("Coinbase answered with another checkout than was asked for.")
        return started

    async def find_started(self, order: OrderToPay) -> Started | None:
        """The checkout with this key, among those whose description bears a part of it.

        With `order.started` that one, until it has failed or expired.
        """
        if order.started is not None:
            known = await self._get(order.started)
            if known is None or at(known, "status") in facts.UNPAID:
                return None
            if (again := _started(known, order)) is None:
                raise OutcomeUnknown("Coinbase answered with another checkout than was asked for.")
            return again
        parameters = {"pageSize": "100", "descriptionQuery": _mark(order.key)}
        for _ in range(_MAX_PAGES):
            answer = await self._ask("GET", _CHECKOUTS, parameters=parameters)
            if not answer.is_success:
                raise OutcomeUnknown(f"Coinbase lists no checkouts: {_refusal(answer)}")
            for checkout in list_at(answer.body, "checkouts"):
                if uuid_of(at(checkout, "metadata", "key")) == order.key:
                    started = _started(checkout, order)
                    if started is None:
                        raise OutcomeUnknown("Coinbase knows another checkout by this key.")
                    return started
            following = text_at(answer.body, "nextPageToken")
            if following is None:
                return None
            parameters["pageToken"] = following
        raise OutcomeUnknown("Coinbase has more checkouts than can be looked through.")

    async def look_up_payment(self, started: str) -> Sequence[Fact]:
        """What became of a checkout: paid, refunded, failed; empty: nothing yet."""
        checkout = await self._get(started)
        return facts.checkout_facts(checkout) if checkout is not None else ()

    async def capture_payment(self, *, key: UUID, started: str) -> Sequence[Fact]:
        """Coinbase takes the money by itself: how it stands."""
        return await self.look_up_payment(started)

    async def refund(self, *, key: UUID, payment: str, amount: Money) -> RefundChanged:
        """Send USDC back; the key travels in the reason.

        That a key acts once is documented for new checkouts alone: so its refund is looked for
        first. Two at the same time would need two workers for one request, which the claim forbids.
        """
        value = _written(amount)
        before = await self.find_refund(key=key, payment=payment, amount=amount)
        if before is not None:
            return before
        asked = {"amount": value, "currency": facts.COIN, "reason": facts.reason_of(key)}
        path = f"{_CHECKOUTS}/{quote(payment, safe='')}/refund"
        made = _taken(await self._ask("POST", path, key=key, body=asked))
        told = facts.refund_facts(at(made, "refund"), payment) or _with_key(
            facts.refunds_of(at(made, "checkout")), key
        )
        return _expected(told, key, amount)

    async def find_refund(self, *, key: UUID, payment: str, amount: Money) -> RefundChanged | None:
        """The refund with this key, among all of the checkout."""
        told = _with_key(facts.refunds_of(await self._get(payment)), key)
        return _expected(told, key, amount) if told else None

    # --- calls ------------------------------------------------------------------------------------

    async def _get(self, checkout: str) -> Mapping[str, Any] | None:
        """A checkout, None when there is none. Errors: OutcomeUnknown for every other refusal."""
        answer = await self._ask("GET", f"{_CHECKOUTS}/{quote(checkout, safe='')}")
        return shown(answer, "Coinbase", _refusal(answer))

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        key: UUID | None = None,
        parameters: Mapping[str, str] | None = None,
        body: object = None,
    ) -> Answer:
        headers = {"authorization": f"Bearer {self._token(method, path)}"}
        if key is not None:
            headers["x-idempotency-key"] = str(key)
        answer = await call(
            self._client,
            "Coinbase",
            method,
            path,
            headers=headers,
            parameters=parameters,
            body=body,
        )
        if answer.status == 401:
            raise ProviderUnavailable("Coinbase refuses our key.")
        return answer

    def _token(self, method: str, path: str) -> str:
        """A bearer token for this one call. Source: Coinbase, JWT authentication."""
        name, key = self._key()
        place = urlsplit(str(self._known.coinbase_api_url))
        uri = f"{method} {place.netloc}{place.path.rstrip('/')}{path}"
        now = int(time.time())
        claims = {
            "iss": "cdp",
            "sub": name,
            "nbf": now,
            "exp": now + _TOKEN_SECONDS,
            # the pages write the one, the newer SDKs the other
            "uri": uri,
            "uris": [uri],
        }
        algorithm = "EdDSA" if isinstance(key, ed25519.Ed25519PrivateKey) else "ES256"
        return jwt.encode(
            claims, key, algorithm, headers={"kid": name, "nonce": secrets.token_hex(16)}
        )

    def _key(self) -> tuple[str, ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey]:
        """The CDP key: its id, and the key in either form that Coinbase gives."""
        if self._known.coinbase_api_key is None:
            raise NotConfigured("Coinbase is off: set COINBASE_API_KEY")
        try:
            told = json.loads(self._known.coinbase_api_key.get_secret_value())
            name, text = told.get("id") or told["name"], str(told["privateKey"])
            if "BEGIN" in text:
                key = load_pem_private_key(text.encode(), None)
                if isinstance(key, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
                    return str(name), key
            seed = base64.b64decode(text, validate=True)
            if len(seed) in (32, 64):  # the public half may follow
                return str(name), ed25519.Ed25519PrivateKey.from_private_bytes(seed[:32])
        except (ValueError, KeyError, AttributeError, TypeError, binascii.Error):
            pass
        raise NotConfigured("COINBASE_API_KEY is not the JSON of a CDP key (id and privateKey)")


def _object(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _written(amount: Money) -> str:
    """Dollars as Coinbase reads them. Errors: ProviderDeclined for what it cannot carry."""
    if amount.currency != facts.CURRENCY:
        raise ProviderDeclined(f"Coinbase takes dollars, not {amount.currency}.")
    if not 0 < amount.minor <= _MAX_MINOR:
        raise ProviderDeclined("Coinbase takes 0.01 to 100,000,000 dollars.")
    return amount.decimal


def _mark(key: UUID) -> str:
    """What of a key stands where the payer sees it."""
    return key.hex[:12]


def _described(order: OrderToPay) -> str:
    return f"{' '.join(order.title.split())[:400]} ({_mark(order.key)})"


def _started(checkout: object, order: OrderToPay) -> Started | None:
    """A checkout as it was asked for, or None."""
    reference, url = text_at(checkout, "id"), text_at(checkout, "url")
    asked = (facts.COIN, order.amount)
    if reference is None or url is None:
        return None
    if (at(checkout, "currency"), facts.dollars(at(checkout, "amount"))) != asked:
        return None
    return Started(reference, {"url": url})


def _with_key(told: Sequence[RefundChanged], key: UUID) -> Sequence[RefundChanged]:
    return [one for one in told if one.key == key]


def _expected(told: Sequence[RefundChanged], key: UUID, amount: Money) -> RefundChanged:
    """The one refund that was asked for. Errors: OutcomeUnknown."""
    if len(told) != 1 or told[0].amount != amount or told[0].key not in (key, None):
        raise OutcomeUnknown("Coinbase answered with something else than was asked for.")
    return told[0]


def _refusal(answer: Answer) -> str:
    kind = text_at(answer.body, "errorType") or str(answer.status)
    return f"{kind}: {(text_at(answer.body, 'errorMessage') or '')[:300]}"


def _taken(answer: Answer) -> Mapping[str, Any]:
    """The body of a success. Errors: ProviderDeclined."""
    if answer.is_success:
        return answer.body
    raise ProviderDeclined(f"Coinbase: {_refusal(answer)}")
