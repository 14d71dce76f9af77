"""PayPal: orders, captures, refunds, payouts to e-mail addresses, reports. A thin client of ours.

Source: PayPal, Orders v2, Payments v2, Payouts v1, Transaction Search v1, Webhooks v1.
"""

import asyncio
import base64
import json
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeVar
from urllib.parse import quote
from uuid import UUID

from workers.core.errors import InvalidSignature, NotConfigured
from workers.core.money import Money, exponent
from workers.core.settings import Settings
from workers.payments import paypal_facts as facts
from workers.payments.base import (
    AccountChanged,
    Destination,
    Event,
    Fact,
    Movement,
    OrderToPay,
    OutcomeUnknown,
    PaymentFailed,
    ProviderDeclined,
    ProviderUnavailable,
    RefundChanged,
    Started,
    WithdrawalChanged,
)
from workers.payments.calls import Answer, call, open_client, shown
from workers.payments.paypal_signatures import ALGORITHM, Certificates, Transmission
from workers.payments.reading import at, list_at, text_at, time_of, uuid_of

_Changed = TypeVar("_Changed", RefundChanged, WithdrawalChanged)

# Source: PayPal, Currency codes
_CURRENCIES = frozenset(
    {
        "AUD", "BRL", "CAD", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "JPY", "MXN",
        "MYR", "NOK", "NZD", "PHP", "PLN", "SEK", "SGD", "CHF", "THB", "TWD", "USD",
    }
)  # fmt: skip
_WHOLE = frozenset({"HUF", "JPY", "TWD"})  # written without decimals, or refused
_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f.]+(\.[^@\s\x00-\x1f.]+)+")
_MAX_EMAIL = 127
_EVENT_NAME = re.compile(r"[\w.:-]{1,255}", re.ASCII)
_REPRESENTATION = {"prefer": "return=representation"}
# a no that is none: the key is, or was, in use
_IN_DOUBT = frozenset({"DUPLICATE_REQUEST_ID", "PREVIOUS_REQUEST_IN_PROGRESS"})
_BATCH_EXISTS = re.compile(r"sender_batch_id already exists|duplicate batch", re.IGNORECASE)
_BATCH_LINK = re.compile(r"/v1/payments/payouts/([A-Za-z0-9_-]{1,64})$", re.ASCII)
_EVENTS_KEPT = timedelta(days=29)  # PayPal lists the last thirty
_EVENTS_SPAN = timedelta(hours=12)
_CLOCKS_DIFFER = timedelta(minutes=5)
_MAX_PAGES = 50  # of one such span
_REPORT_SPAN = timedelta(days=30)  # PayPal allows 31
_EARLY_SECONDS = 60.0

MovementKind = Literal["payment", "refund", "withdrawal", "dispute", "other"]


class PayPal:
    """`PaymentGateway`, `WithdrawalGateway`, `AccountGateway` and `Reporting` over PayPal."""

    name = "paypal"

    def __init__(self, known: Settings) -> None:
        self._known = known
        self._client = open_client(known.paypal_api_url, known.provider_timeout_seconds)
        self._certificates = Certificates(known)
        self._token: tuple[str, float] | None = None
        self._token_lock = asyncio.Lock()

    @property
    def is_configured(self) -> bool:
        return None not in (self._known.paypal_client_id, self._known.paypal_client_secret)

    async def aclose(self) -> None:
        await self._client.aclose()
        await self._certificates.aclose()

    # --- events -----------------------------------------------------------------------------------

    async def verify(self, body: bytes, headers: Mapping[str, str]) -> Event:
        """Check PayPal's signature, as PAYPAL_WEBHOOK_CHECK says.

        Errors: NotConfigured; InvalidSignature; OutcomeUnknown when the certificate, or PayPal's
        verdict, cannot be had now.
        """
        if not self._known.paypal_webhook_ids:
            raise NotConfigured("PayPal has no webhook here: set PAYPAL_WEBHOOK_IDS")
        sent, how = Transmission.of(headers), self._known.paypal_webhook_check
        tolerance = timedelta(seconds=self._known.webhook_tolerance_seconds)
        sent.check_age(datetime.now(UTC), tolerance)
        if how != "api":
            await self._certificates.check(sent, body)
        envelope = _envelope(body)
        if how != "certificate":
            await self._ask_whether_signed(sent, body)
        return Event(envelope["id"], envelope["event_type"], body)

    async def _ask_whether_signed(self, sent: Transmission, body: bytes) -> None:
        """Let PayPal say. `body` is known to be one JSON object: it travels as it came, since any
        other order or spelling of it has another checksum.
        """
        for webhook_id in self._known.paypal_webhook_ids:
            asked = {
                "auth_algo": ALGORITHM,
                "cert_url": sent.certificate_url,
                "transmission_id": sent.id,
                "transmission_sig": sent.signature,
                "transmission_time": sent.time,
                "webhook_id": webhook_id,
            }
            content = json.dumps(asked)[:-1].encode() + b', "webhook_event": ' + body + b"}"
            answer = await self._ask(
                "POST", "/v1/notifications/verify-webhook-signature", content=content
            )
            if answer.is_success and answer.body.get("verification_status") == "SUCCESS":
                return
        raise InvalidSignature("PayPal says that it did not sign this.")

    def read(self, body: bytes) -> Sequence[Fact]:
        """What a verified event means for us; empty when it means nothing."""
        return facts.event_facts(json.loads(body))

    # --- money in ---------------------------------------------------------------------------------

    async def start_payment(self, order: OrderToPay) -> Started:
        """An order to be approved by the payer and captured by us. The key again: the same order.

        Its `invoice_id` is the key: PayPal takes no second payment for one invoice.
        """
        amount, back = _written(order.amount), order.return_url
        asked = {
            "intent": "CAPTURE",
            "purchase_units": [
                {
                    "reference_id": str(order.order_id),
                    "custom_id": str(order.order_id),
                    "invoice_id": str(order.key),
                    "description": " ".join(order.title.split())[:127],
                    "amount": amount,
                }
            ],
            "payment_source": {
                "paypal": {
                    "experience_context": {
                        "user_action": "PAY_NOW",
                        "shipping_preference": "NO_SHIPPING",
                    }
                    | ({"return_url": back, "cancel_url": back} if back else {})
                }
            },
        }
        return _started(_taken(await self._act("/v2/checkout/orders", order.key, asked)), order)

    async def find_started(self, order: OrderToPay) -> Started | None:
        """The order that was started, until it is void or PayPal has forgotten it.

        By our key alone none is found: PayPal lists no orders. While it knows the key, sending it
        again gives the same order; later, nobody has the link of the first one.
        """
        self._require_credentials()
        if order.started is None:
            return None
        found = await self._get(_order_path(order.started))
        if found is None or at(found, "status") == "VOIDED":
            return None
        return _started(found, order)

    async def look_up_payment(self, started: str) -> Sequence[Fact]:
        """What became of an order: approved, captured, refunded, forgotten; empty: nothing yet."""
        order = await self._get(_order_path(started))
        if order is None:  # what nobody approved within hours
            gone = "PayPal knows no such order any more."
            return (PaymentFailed(gone, started=started, unless_taken=True),)
        return facts.order_facts(order)

    async def capture_payment(self, *, key: UUID, started: str) -> Sequence[Fact]:
        """Take what the payer approved. Empty: PayPal reviews it, an event will tell."""
        answer = await self._act(f"{_order_path(started)}/capture", key, {})
        if "ORDER_ALREADY_CAPTURED" in _issues(answer):
            return await self.look_up_payment(started)
        order = _taken(answer)
        captures = [
            capture
            for unit in list_at(order, "purchase_units")
            for capture in list_at(unit, "payments", "captures")
        ]
        if text_at(order, "id") != started or not captures:
            raise OutcomeUnknown("PayPal answered with another order than was captured.")
        told = [fact for fact in facts.order_facts(order) if not isinstance(fact, RefundChanged)]
        if not told and any(at(capture, "status") != "PENDING" for capture in captures):
            raise OutcomeUnknown("PayPal answered with a capture that is not understood.")
        return told

    async def refund(self, *, key: UUID, payment: str, amount: Money) -> RefundChanged:
        """Send back a part or all of a capture; the key travels as its `custom_id`."""
        asked = {"amount": _written(amount), "custom_id": str(key)}
        path = f"/v2/payments/captures/{quote(payment, safe='')}/refund"
        made: Mapping[str, Any] | None = _taken(await self._act(path, key, asked))
        if at(made, "amount") is None:  # it was in a hurry: the whole of it has an address
            reference = text_at(made, "id") or ""
            made = await self._get(f"/v2/payments/refunds/{quote(reference, safe='')}")
        return _expected(facts.refund_facts(made, payment=payment), key, amount)

    async def find_refund(self, *, key: UUID, payment: str, amount: Money) -> RefundChanged | None:
        """The refund with this key, in the order that the capture names."""
        capture = await self._get(f"/v2/payments/captures/{quote(payment, safe='')}")
        order_id = text_at(capture, "supplementary_data", "related_ids", "order_id")
        if order_id is None:
            return None
        order = await self._get(_order_path(order_id))
        for unit in list_at(order, "purchase_units"):
            for refund in list_at(unit, "payments", "refunds"):
                if uuid_of(at(refund, "custom_id")) == key:
                    return _expected(facts.refund_facts(refund, payment=payment), key, amount)
        return None

    # --- cases ------------------------------------------------------------------------------------

    async def look_up_dispute(self, reference: str) -> Sequence[Fact]:
        """How a case stands now. What stands for a reversal is decided by the payment's cases."""
        _, is_reversal, payment = reference.rpartition(facts.REVERSAL)
        if not is_reversal:
            return await self._look_up_case(reference)
        answer = await self._ask(
            "GET", "/v1/customer/disputes", parameters={"disputed_transaction_id": payment}
        )
        listed = shown(answer, "PayPal", _refusal(answer))
        return [
            fact
            for case in list_at(listed, "items")
            for fact in await self._look_up_case(text_at(case, "dispute_id") or "")
        ]

    async def _look_up_case(self, reference: str) -> Sequence[Fact]:
        case = await self._get(f"/v1/customer/disputes/{quote(reference, safe='')}")
        if text_at(case, "dispute_id") != reference or not (told := facts.dispute_facts(case)):
            raise OutcomeUnknown("PayPal shows no such case.")
        return told

    # --- money out --------------------------------------------------------------------------------

    async def send(self, *, key: UUID, to: Destination, amount: Money) -> WithdrawalChanged:
        """Pay to an e-mail address: a batch of one item, so that its `sender_batch_id`, our key,
        stands for the item. PayPal refuses a second batch of that id and links to the first.
        """
        written = _written(amount)
        asked = {
            "sender_batch_header": {
                "sender_batch_id": str(key),
                "email_subject": "You have received a payment",
            },
            "items": [
                {
                    "recipient_type": "EMAIL",
                    "receiver": _address(to.account),
                    "amount": {"currency": written["currency_code"], "value": written["value"]},
                    "sender_item_id": str(key),
                }
            ],
        }
        answer = await self._act("/v1/payments/payouts", key, asked)
        if (batch := _existing_batch(answer)) is not None:
            return await self._look_up_batch(batch, key, amount)
        made = _taken(answer)
        total = facts.amount_of(at(made, "batch_header", "amount"))
        if total is not None and total != amount:
            raise OutcomeUnknown("PayPal answered with another amount than was sent.")
        return _expected(facts.batch_facts(made), key, None)

    async def find_sent(
        self, *, key: UUID, to: Destination, amount: Money, since: datetime | None = None
    ) -> WithdrawalChanged | None:
        """What was sent under this key, by the events since then, of the last 29 days.

        PayPal finds no batch by our id; but it lists the events of its webhooks, and each batch
        has one that names both ids. Sending again within 30 days is safe too, see `send`.
        """
        now = datetime.now(UTC)
        start = max(now - _EVENTS_KEPT, since - _CLOCKS_DIFFER) if since else now - _EVENTS_KEPT
        # from then on, since the event follows soon; in spans, since a list is read so far only
        while start < now:
            for kind in ("PAYMENT.PAYOUTSBATCH.PROCESSING", "PAYMENT.PAYOUTSBATCH.DENIED"):
                parameters = {
                    "event_type": kind,
                    "start_time": _written_time(start),
                    "end_time": _written_time(min(start + _EVENTS_SPAN, now)),
                    "page_size": "100",
                }
                async for event in self._list_events(parameters):
                    header = at(event, "resource", "batch_header")
                    if uuid_of(at(header, "sender_batch_header", "sender_batch_id")) == key:
                        batch = text_at(header, "payout_batch_id")
                        if batch is not None:
                            return await self._look_up_batch(batch, key, amount)
            start += _EVENTS_SPAN
        return None

    async def _list_events(self, parameters: Mapping[str, str]) -> AsyncIterator[Any]:
        path, asked = "/v1/notifications/webhooks-events", dict(parameters)
        for _ in range(_MAX_PAGES):
            answer = await self._ask("GET", path, parameters=asked)
            if not answer.is_success:
                raise OutcomeUnknown(f"PayPal lists no events: {_refusal(answer)}")
            for event in list_at(answer.body, "events"):
                yield event
            following = next(
                (
                    text_at(link, "href")
                    for link in list_at(answer.body, "links")
                    if at(link, "rel") == "next"
                ),
                None,
            )
            if following is None:
                return
            # its query alone: where our calls and our token go is not for an answer to say
            path = "/v1/notifications/webhooks-events?" + following.partition("?")[2]
            asked = {}
        raise OutcomeUnknown("PayPal has more events than can be looked through.")

    async def _look_up_batch(self, batch: str, key: UUID, amount: Money) -> WithdrawalChanged:
        """How a batch stands, by its item; by itself while it has none."""
        found = await self._get(f"/v1/payments/payouts/{quote(batch, safe='')}")
        items = list_at(found, "items")
        if items:
            item = items[0]
            if facts.amount_of(at(item, "payout_item", "amount")) != amount or len(items) > 1:
                raise OutcomeUnknown("PayPal knows another payout by this key.")
            return _expected(facts.item_facts(item), key, None)
        return _expected(facts.batch_facts(found), key, None)

    # --- accounts: an address is all that PayPal needs --------------------------------------------

    async def open_account(self, *, key: UUID, person: Mapping[str, Any]) -> str:
        """The address that payouts go to: `details.paypal_email`, else the person's own."""
        details = person.get("details")
        chosen = details.get("paypal_email") if isinstance(details, Mapping) else None
        return _address(chosen or person.get("email"))

    async def onboarding_link(self, account: str, *, return_url: str, refresh_url: str) -> str:
        """Straight back: PayPal asks a receiver for nothing beforehand."""
        return return_url

    async def look_up_account(self, account: str) -> AccountChanged:
        """Active: whoever has no PayPal account yet gets 30 days to open one."""
        return AccountChanged(_address(account), "active")

    # --- reports ----------------------------------------------------------------------------------

    async def movements(self, start: datetime, end: datetime) -> AsyncIterator[Movement]:
        """What changed our balance. A transaction appears up to three hours after it happened."""
        since = start
        while since < end:
            until = min(since + _REPORT_SPAN, end)
            page, pages = 1, 1
            while page <= pages:
                answer = await self._ask(
                    "GET",
                    "/v1/reporting/transactions",
                    parameters={
                        "start_date": _written_time(since),
                        "end_date": _written_time(until),
                        "fields": "transaction_info",
                        "balance_affecting_records_only": "Y",
                        "page_size": "500",
                        "page": str(page),
                    },
                )
                told = _taken(answer)
                for line in list_at(told, "transaction_details"):
                    moved = _movement(at(line, "transaction_info"))
                    if moved is not None and since <= moved.at < until:
                        yield moved
                total = at(told, "total_pages")
                pages = total if isinstance(total, int) else 1
                page += 1
            since = until

    # --- calls ------------------------------------------------------------------------------------

    def _require_credentials(self) -> tuple[str, str]:
        identity, secret = self._known.paypal_client_id, self._known.paypal_client_secret
        if identity is None or secret is None:
            raise NotConfigured("PayPal is off: set PAYPAL_CLIENT_ID and PAYPAL_CLIENT_SECRET")
        return identity, secret.get_secret_value()

    async def _act(self, path: str, key: UUID, body: Mapping[str, Any]) -> Answer:
        """A call that moves or makes something, under its key."""
        headers = {"paypal-request-id": str(key)} | _REPRESENTATION
        return await self._ask("POST", path, headers=headers, body=body)

    async def _get(self, path: str) -> Mapping[str, Any] | None:
        """An object, None when there is none. Errors: OutcomeUnknown for every other refusal."""
        answer = await self._ask("GET", path)
        return shown(answer, "PayPal", _refusal(answer))

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        parameters: Mapping[str, str] | None = None,
        body: object = None,
        content: bytes | None = None,
    ) -> Answer:
        """One call with our token. Refused for its token, it was not acted on: once more with a
        new one.
        """
        for _ in range(2):
            token = await self._access_token()
            answer = await call(
                self._client,
                "PayPal",
                method,
                path,
                headers={**(headers or {}), "authorization": f"Bearer {token}"},
                parameters=parameters,
                body=body,
                content=content,
            )
            if answer.status != 401:
                return answer
            if self._token is not None and self._token[0] == token:
                self._token = None
        raise ProviderUnavailable("PayPal refuses our token.")

    async def _access_token(self) -> str:
        identity = self._require_credentials()
        async with self._token_lock:
            if self._token is None or self._token[1] < time.monotonic():
                self._token = await self._fetch_token(*identity)
            return self._token[0]

    async def _fetch_token(self, identity: str, secret: str) -> tuple[str, float]:
        """A token and until when it is good. Errors: ProviderUnavailable: nothing was asked yet."""
        try:
            answer = await call(
                self._client,
                "PayPal",
                "POST",
                "/v1/oauth2/token",
                headers={
                    "authorization": _basic(identity, secret),
                    "content-type": "application/x-www-form-urlencoded",
                },
                content=b"grant_type=client_credentials",
            )
        except OutcomeUnknown as error:
            raise ProviderUnavailable(str(error)) from error
        token, seconds = text_at(answer.body, "access_token"), at(answer.body, "expires_in")
        if not answer.is_success or token is None or not isinstance(seconds, int):
            raise ProviderUnavailable("PayPal gives no token: are its credentials right?")
        return token, time.monotonic() + seconds - _EARLY_SECONDS


def _basic(identity: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{identity}:{secret}".encode()).decode()


def _order_path(started: str) -> str:
    return f"/v2/checkout/orders/{quote(started, safe='')}"


def _started(made: Mapping[str, Any], order: OrderToPay) -> Started:
    """An order and where its payer goes to; nowhere, once they approved.

    Errors: OutcomeUnknown when it is another than was asked for.
    """
    reference = text_at(made, "id")
    url = next(
        (
            text_at(link, "href")
            for link in list_at(made, "links")
            if at(link, "rel") in ("payer-action", "approve")
        ),
        None,
    )
    echoed = facts.amount_of(at(made, "purchase_units", 0, "amount"))
    is_done = at(made, "status") in ("APPROVED", "COMPLETED")
    if reference is None or echoed != order.amount or (url is None and not is_done):
        raise OutcomeUnknown("PayPal answered with another order than was asked for.")
    return Started(reference, {} if url is None or is_done else {"url": url})


def _written(amount: Money) -> dict[str, str]:
    """An amount as PayPal reads it. Errors: ProviderDeclined for what it cannot carry."""
    if amount.currency not in _CURRENCIES:
        raise ProviderDeclined(f"PayPal does not know the currency {amount.currency}.")
    if amount.minor <= 0:
        raise ProviderDeclined("PayPal moves amounts above zero only.")
    if amount.currency not in _WHOLE:
        return {"currency_code": amount.currency, "value": amount.decimal}
    whole, rest = divmod(amount.minor, 10 ** exponent(amount.currency))
    if rest:
        raise ProviderDeclined(f"PayPal takes whole {amount.currency} only, not {amount}.")
    return {"currency_code": amount.currency, "value": str(whole)}


def _address(value: object) -> str:
    """An e-mail address that PayPal can pay to. Errors: ProviderDeclined."""
    if isinstance(value, str) and len(value) <= _MAX_EMAIL and _EMAIL.fullmatch(value.strip()):
        return value.strip()
    raise ProviderDeclined("PayPal pays to an e-mail address; this is none.")


def _written_time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _envelope(body: bytes) -> dict[str, str]:
    try:
        envelope = json.loads(body)
        if _EVENT_NAME.fullmatch(envelope["id"]) and _EVENT_NAME.fullmatch(envelope["event_type"]):
            return dict(envelope)
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise InvalidSignature("The body is no PayPal event.")


def _issues(answer: Answer) -> list[str]:
    """What PayPal names as wrong: to be compared, never its text."""
    if answer.is_success:
        return []
    named = [text_at(detail, "issue") for detail in list_at(answer.body, "details")]
    return [issue for issue in (*named, text_at(answer.body, "name")) if issue]


def _refusal(answer: Answer) -> str:
    described = text_at(answer.body, "details", 0, "description") or text_at(answer.body, "message")
    return f"{', '.join(_issues(answer)) or answer.status}: {(described or '')[:300]}"


def _taken(answer: Answer) -> Mapping[str, Any]:
    """The body of a success. Errors: ProviderDeclined for a final no, OutcomeUnknown for others."""
    if answer.is_success:
        return answer.body
    if _IN_DOUBT.intersection(_issues(answer)):
        raise OutcomeUnknown(f"PayPal: {_refusal(answer)}")
    raise ProviderDeclined(f"PayPal: {_refusal(answer)}")


def _expected(told: Sequence[_Changed], key: UUID, amount: Money | None) -> _Changed:
    """The one fact of an answer, if it is about what was asked. Errors: OutcomeUnknown."""
    if len(told) != 1 or told[0].key not in (key, None):
        raise OutcomeUnknown("PayPal answered with something else than was asked for.")
    if isinstance(told[0], RefundChanged) and told[0].amount != amount:
        raise OutcomeUnknown("PayPal answered with another amount than was asked for.")
    return told[0]


def _existing_batch(answer: Answer) -> str | None:
    """The batch that was made before under the same id, by the link in PayPal's refusal.

    Errors: OutcomeUnknown when it exists and is not linked.
    """
    if answer.is_success or not any(_BATCH_EXISTS.search(issue) for issue in _issues(answer)):
        return None
    links = [
        *list_at(answer.body, "links"),
        *(
            link
            for detail in list_at(answer.body, "details")
            for name in ("link", "links")
            for link in list_at(detail, name)
        ),
    ]
    for link in links:
        if found := _BATCH_LINK.search(text_at(link, "href") or ""):
            return found[1]
    raise OutcomeUnknown("PayPal sent this before and does not say how it stands.")


def _movement(info: object) -> Movement | None:
    """A line of the report. Source: PayPal, Transaction event codes."""
    reference = text_at(info, "transaction_id")
    amount = facts.amount_of(at(info, "transaction_amount"))
    moment = time_of(at(info, "transaction_initiation_date"))
    code, status = text_at(info, "transaction_event_code") or "", at(info, "transaction_status")
    if reference is None or amount is None or moment is None:
        return None
    kind: MovementKind = "other"
    if (code == "T0001" and amount.minor < 0) or code in ("T1114", "T1115"):  # sent, or come back
        kind = "withdrawal"
    elif code == "T1107":
        kind = "refund"
    elif code in ("T1106", "T1110", "T1111") or code.startswith("T12"):
        kind = "dispute"
    elif code.startswith("T00") and amount.minor > 0:
        kind = "payment"
    # what is pending has not moved, but for a payout: its money waits outside for its receiver
    if status not in ("S", "V") and not (kind == "withdrawal" and status == "P"):
        return None
    fee = facts.amount_of(at(info, "fee_amount"))
    kept = -fee.minor if fee is not None and fee.currency == amount.currency else 0
    if code in ("T1108", "T1109"):  # a fee that comes back is a line of its own
        kept = -amount.minor
    key = uuid_of(at(info, "custom_field")) if kind == "withdrawal" else None
    return Movement(kind, reference, amount, kept, moment, key, line=reference)
