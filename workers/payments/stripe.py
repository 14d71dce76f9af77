"""Stripe: payments by intents and checkout pages, refunds, Connect accounts, withdrawals to them.

Which of the two takes a payment: a saved method is charged by an intent at once; an order with a
`return_url` gets a page of Stripe's (Checkout); one without gets an intent for a form of our own.
A withdrawal is a transfer to the person's account and a payout from there to their bank.
Source: Stripe API reference; Connect, Separate charges and transfers.
"""

import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID, uuid5

import stripe
from pydantic import SecretStr

from workers.core.errors import InvalidSignature, NotConfigured
from workers.core.money import Money
from workers.payments.base import (
    AccountChanged,
    Destination,
    Event,
    Fact,
    Movement,
    OrderToPay,
    OutcomeUnknown,
    ProviderDeclined,
    ProviderUnavailable,
    RefundChanged,
    SavedMethod,
    Started,
    WithdrawalChanged,
)
from workers.payments.stripe_amounts import from_stripe, to_stripe
from workers.payments.stripe_calls import Answer, StripeCalls, named, surprises
from workers.payments.stripe_events import (
    PAGE,
    account_fact,
    dispute_fact,
    id_of,
    intent_facts,
    payout_failure,
    read_event,
    refund_fact,
    session_facts,
    uuid_of,
)

_NAME = re.compile(r"[\w.:-]{1,255}", re.ASCII)
_NEWEST = 1000  # of checkout pages looked through for one that was begun; they last a day
_DAY_SECONDS = 25 * 3600
_PAYABLE = ("requires_payment_method", "requires_confirmation", "requires_action", "processing")
_KINDS: Mapping[str, Literal["payment", "refund", "withdrawal", "dispute"]] = {
    "charge": "payment",
    "refund": "refund",
    "refund_failure": "refund",
    "transfer": "withdrawal",
    "transfer_reversal": "withdrawal",
    "dispute": "dispute",
    "dispute_reversal": "dispute",
}


class Stripe(StripeCalls):
    """Every protocol of base.py over Stripe."""

    name = "stripe"

    # --- events -----------------------------------------------------------------------------------

    async def verify(self, body: bytes, headers: Mapping[str, str]) -> Event:
        """Check Stripe's signature over the raw bytes, with any of the endpoints' secrets.

        Errors: NotConfigured without a secret; InvalidSignature.
        Source: Stripe, Webhook signatures.
        """
        if not self._known.stripe_webhook_secrets:
            raise NotConfigured("Stripe has no webhook secret here: set STRIPE_WEBHOOK_SECRETS")
        signature = headers.get("stripe-signature", "")
        for secret in self._known.stripe_webhook_secrets:
            if _is_signed(body, signature, secret, self._known.webhook_tolerance_seconds):
                envelope = _envelope(body)
                return Event(envelope["id"], envelope["type"], body)
        raise InvalidSignature("The Stripe-Signature header does not fit the body.")

    def read(self, body: bytes) -> Sequence[Fact]:
        """What a verified event means for us; empty when it means nothing."""
        return read_event(body)

    # --- money in ---------------------------------------------------------------------------------

    async def start_payment(self, order: OrderToPay) -> Started:
        """Make what the payer pays: the same key again gives the same one."""
        units = to_stripe(order.amount)
        make = self._make_page if _wants_page(order) else self._make_intent
        try:
            return await make(order, units)
        except OutcomeUnknown as doubt:
            # the key was used before, and something that the payer may change was another then
            if not isinstance(doubt.__cause__, stripe.IdempotencyError):
                raise
            found = await self.find_started(order)
            if found is None:
                raise
            return found

    async def _make_intent(self, order: OrderToPay, units: int) -> Started:
        asked: Answer = {
            "amount": units,
            "currency": order.amount.currency.lower(),
            "description": order.title,
            "metadata": _ids(order),
            "automatic_payment_methods": {"enabled": True},
        }
        if order.customer is not None:
            asked["customer"] = order.customer
        if order.saved_method is not None:
            asked |= {"payment_method": order.saved_method, "confirm": True, "off_session": True}
            # nobody is there to be led elsewhere
            asked["automatic_payment_methods"]["allow_redirects"] = "never"
        elif order.customer is not None:
            asked["setup_future_usage"] = "off_session"
        intent = await self._act(
            self._v1.payment_intents.create_async, asked, {"idempotency_key": str(order.key)}
        )
        with surprises():
            _same(order.amount, intent["amount"], intent["currency"])
            return _started_intent(intent)

    async def _make_page(self, order: OrderToPay, units: int) -> Started:
        details: Answer = {"description": order.title, "metadata": _ids(order) | PAGE}
        asked: Answer = {
            "mode": "payment",
            "client_reference_id": str(order.order_id),
            "success_url": order.return_url,
            "cancel_url": order.return_url,
            "metadata": _ids(order),
            "payment_intent_data": details,
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": order.amount.currency.lower(),
                        "unit_amount": units,
                        "product_data": {"name": order.title},
                    },
                }
            ],
        }
        if order.customer is not None:
            asked["customer"] = order.customer
            details["setup_future_usage"] = "off_session"
        elif order.payer_email is not None:
            asked["customer_email"] = order.payer_email
        session = await self._act(
            self._v1.checkout.sessions.create_async, asked, {"idempotency_key": str(order.key)}
        )
        with surprises():
            _same(order.amount, session["amount_total"], session["currency"])
            return _started_page(session)

    async def find_started(self, order: OrderToPay) -> Started | None:
        """What `start_payment` made under this key, or, still payable, for this order.

        With `order.started` that one, until it has expired or was canceled. A charge
        of a saved method is found by its key alone.
        """
        if order.started is not None:
            return await self._find_again(order.started)
        finders = [self._find_intent, self._find_page]
        for find in reversed(finders) if _wants_page(order) else finders:
            found = await find(order)
            if found is not None:
                return found
        return None

    async def _find_again(self, started: str) -> Started | None:
        is_page = started.startswith("cs_")
        kind = self._v1.checkout.sessions if is_page else self._v1.payment_intents
        try:
            found = await self._act(kind.retrieve_async, started)
        except ProviderDeclined as no:
            if no.details == {"code": "resource_missing"}:
                return None
            raise OutcomeUnknown(f"Stripe could not look it up: {no.message}") from no
        with surprises():
            if named(found, started)["status"] in ("expired", "canceled"):
                return None
            return _started_page(found) if is_page else _started_intent(found)

    async def _find_intent(self, order: OrderToPay) -> Started | None:
        # the search knows all but the last minute; the newest ones are that minute
        query = f"metadata['key']:'{order.key}' OR metadata['order_id']:'{order.order_id}'"
        known = await self._look(
            self._v1.payment_intents.search_async, {"query": query, "limit": 100}
        )
        newest = await self._look(self._v1.payment_intents.list_async, {"limit": 100})
        with surprises():
            found = _best(
                order,
                # those of pages are found with their pages
                [
                    one
                    for one in [*newest["data"], *known["data"]]
                    if (one.get("metadata") or {}).get("page") != PAGE["page"]
                ],
                lambda intent: intent["status"] in _PAYABLE,
            )
            return None if found is None else _started_intent(found)

    async def _find_page(self, order: OrderToPay) -> Started | None:
        since = int(time.time()) - _DAY_SECONDS
        pages = self._each(
            self._v1.checkout.sessions.list_async, {"created": {"gte": since}}, most=_NEWEST
        )
        found = []
        async for session in pages:
            with surprises():
                found.append(session)
                if uuid_of(session, "key") == order.key:
                    break
        with surprises():
            best = _best(order, found, lambda session: session["status"] == "open")
            return None if best is None else _started_page(best)

    async def end_started(self, started: str) -> None:
        """Expire the page, or cancel the intent."""
        pages, intents = self._v1.checkout.sessions, self._v1.payment_intents
        end = pages.expire_async if started.startswith("cs_") else intents.cancel_async
        try:
            await self._act(end, started)
        except ProviderDeclined:
            if await self._find_again(started) is not None:
                raise

    async def look_up_payment(self, started: str) -> Sequence[Fact]:
        """What became of a started payment, with Stripe's fee; empty: nothing yet."""
        line = "latest_charge.balance_transaction"
        if started.startswith("cs_"):
            session = await self._look(
                self._v1.checkout.sessions.retrieve_async,
                started,
                {"expand": [f"payment_intent.{line}"]},
            )
            with surprises():
                return session_facts(named(session, started))
        intent = await self._look(
            self._v1.payment_intents.retrieve_async, started, {"expand": [line]}
        )
        with surprises():
            return intent_facts(named(intent, started))

    async def capture_payment(self, *, key: UUID, started: str) -> Sequence[Fact]:
        """Take what an intent made elsewhere only authorised. Captured before is no error."""
        intent = await self._look(self._v1.payment_intents.retrieve_async, started)
        with surprises():
            status = named(intent, started)["status"]
        if status == "requires_capture":
            intent = await self._act(
                self._v1.payment_intents.capture_async,
                started,
                {},
                {"idempotency_key": str(key)},
            )
        with surprises():
            return intent_facts(named(intent, started))

    # --- refunds ----------------------------------------------------------------------------------

    async def refund(self, *, key: UUID, payment: str, amount: Money) -> RefundChanged:
        """Send back a part or all of a payment."""
        asked = {"amount": to_stripe(amount), "metadata": {"key": str(key)}} | _payment(payment)
        told = await self._act(self._v1.refunds.create_async, asked, {"idempotency_key": str(key)})
        with surprises():
            return _same_refund(told, key, payment, amount)

    async def find_refund(self, *, key: UUID, payment: str, amount: Money) -> RefundChanged | None:
        """The refund of this payment that bears the key, if Stripe knows one."""
        async for told in self._each(self._v1.refunds.list_async, _payment(payment)):
            with surprises():
                if uuid_of(told, "key") == key:
                    return _same_refund(told, key, payment, amount)
        return None

    # --- disputes ---------------------------------------------------------------------------------

    async def look_up_dispute(self, reference: str) -> Sequence[Fact]:
        """How a dispute stands now."""
        dispute = await self._look(self._v1.disputes.retrieve_async, reference)
        with surprises():
            return (dispute_fact(named(dispute, reference)),)

    # --- money out --------------------------------------------------------------------------------

    async def send(self, *, key: UUID, to: Destination, amount: Money) -> WithdrawalChanged:
        """Transfer to the person's account, then pay out from there to their bank.

        When the payout is refused the transfer is reversed, and that is the final no.
        """
        units = to_stripe(amount, is_payout=True)
        transfer = await self._act(
            self._v1.transfers.create_async,
            {
                "amount": units,
                "currency": amount.currency.lower(),
                "destination": to.account,
                "transfer_group": str(key),
                "metadata": {"key": str(key)},
            },
            {"idempotency_key": str(key)},
        )
        with surprises():
            _same_transfer(transfer, to, amount)
        return await self._pay_out(key, to, amount, transfer)

    async def find_sent(
        self, *, key: UUID, to: Destination, amount: Money, since: datetime | None = None
    ) -> WithdrawalChanged | None:
        """How a withdrawal stands. What stopped half-way is brought to its end.

        The transfer is found by its group, its payout by the key on the person's account: lists
        that Stripe keeps up to date, so that what is not there was not made.
        """
        transfer = await self._transfer(key)
        if transfer is None:
            return None
        with surprises():
            _same_transfer(transfer, to, amount)
            reference, is_reversed = str(transfer["id"]), transfer["reversed"]
        if is_reversed:
            return WithdrawalChanged(reference, "failed", key, "the transfer was reversed")
        payout = await self._payout(key, to, transfer)
        if payout is None:
            return await self._pay_out(key, to, amount, transfer)
        with surprises():
            status, why = payout["status"], payout_failure(payout)
        if status in ("failed", "canceled"):
            return await self._reverse(key, transfer, why)
        return WithdrawalChanged(reference, "paid" if status == "paid" else "sent", key)

    async def recall(self, *, key: UUID, reference: str) -> WithdrawalChanged:
        """Reverse the transfer whose payout a bank refused. Reversed before is no error."""
        transfer = await self._look(self._v1.transfers.retrieve_async, reference)
        with surprises():
            named(transfer, reference)
        return await self._reverse(key, transfer, "the bank refused the payout")

    async def _pay_out(
        self, key: UUID, to: Destination, amount: Money, transfer: Answer
    ) -> WithdrawalChanged:
        with surprises():
            reference = str(transfer["id"])
        try:
            payout = await self._act(
                self._v1.payouts.create_async,
                {
                    "amount": to_stripe(amount, is_payout=True),
                    "currency": amount.currency.lower(),
                    "metadata": {"key": str(key), "transfer": reference},
                },
                {"stripe_account": to.account, "idempotency_key": str(uuid5(key, "payout"))},
            )
        except ProviderDeclined as no:
            await self._reverse(key, transfer, no.message)
            raise
        except ProviderUnavailable as late:
            # the payout was surely not made, but the transfer was
            raise OutcomeUnknown(late.message) from late
        with surprises():
            _same(amount, payout["amount"], payout["currency"])
        return WithdrawalChanged(reference, "sent", key)

    async def _reverse(self, key: UUID, transfer: Answer, why: str) -> WithdrawalChanged:
        """All that is left of a transfer comes back. Errors: OutcomeUnknown, a refusal too."""
        with surprises():
            reference = str(transfer["id"])
            left = int(transfer["amount"]) - int(transfer["amount_reversed"])
        if left > 0:
            try:
                reversal = await self._act(
                    self._v1.transfers.reversals.create_async,
                    reference,
                    {"amount": left, "metadata": {"key": str(key)}},
                    {"idempotency_key": str(uuid5(key, "reversal"))},
                )
            except ProviderDeclined as no:
                # the money is neither with the bank nor with us: an operator must look
                raise OutcomeUnknown(
                    f"The payout failed ({why}), and its transfer could not be reversed:"
                    f" {no.message}"
                ) from no
            with surprises():
                if (reversal["amount"], id_of(reversal["transfer"])) != (left, reference):
                    raise ValueError("another reversal than was asked for")
        return WithdrawalChanged(reference, "failed", key, why)

    async def _transfer(self, key: UUID) -> Answer | None:
        async for one in self._each(self._v1.transfers.list_async, {"transfer_group": str(key)}):
            with surprises():
                if uuid_of(one, "key") == key:
                    return one
        return None

    async def _payout(self, key: UUID, to: Destination, transfer: Answer) -> Answer | None:
        with surprises():
            since = {"created": {"gte": int(transfer["created"])}}
        async for one in self._each(
            self._v1.payouts.list_async, since, {"stripe_account": to.account}
        ):
            with surprises():
                if uuid_of(one, "key") == key:
                    return one
        return None

    # --- people's accounts ------------------------------------------------------------------------

    async def open_account(self, *, key: UUID, person: Mapping[str, Any]) -> str:
        """A Connect account with the Express dashboard, which only pays out when we say so.

        `person`: country (ISO 3166), email, details.business_type (individual, company).
        """
        asked: Answer = {
            "country": person["country"],
            "controller": {
                "stripe_dashboard": {"type": "express"},
                "fees": {"payer": "application"},
                "losses": {"payments": "application"},
                "requirement_collection": "stripe",
            },
            "capabilities": {"transfers": {"requested": True}},
            # by default Stripe would pay out every day, past our own payouts
            "settings": {"payouts": {"schedule": {"interval": "manual"}}},
            "metadata": {"key": str(key)},
        }
        if person.get("email"):
            asked["email"] = person["email"]
        kind = (person.get("details") or {}).get("business_type")
        if kind is not None:
            asked["business_type"] = kind
        account = await self._act(
            self._v1.accounts.create_async, asked, {"idempotency_key": str(key)}
        )
        with surprises():
            return str(account["id"])

    async def onboarding_link(self, account: str, *, return_url: str, refresh_url: str) -> str:
        """Stripe's page where the person proves who they are; once, within minutes."""
        link = await self._act(
            self._v1.account_links.create_async,
            {
                "account": account,
                "type": "account_onboarding",
                "return_url": return_url,
                "refresh_url": refresh_url,
            },
        )
        with surprises():
            return str(link["url"])

    async def look_up_account(self, account: str) -> AccountChanged:
        """The account as Stripe sees it now."""
        told = await self._look(self._v1.accounts.retrieve_async, account)
        with surprises():
            return account_fact(named(told, account))

    # --- payers who come back ---------------------------------------------------------------------

    async def open_customer(self, *, key: UUID, email: str | None, name: str | None) -> str:
        """Make a payer known to Stripe; their id."""
        asked: Answer = {"metadata": {"key": str(key)}}
        asked |= {field: value for field, value in (("email", email), ("name", name)) if value}
        customer = await self._act(
            self._v1.customers.create_async, asked, {"idempotency_key": str(key)}
        )
        with surprises():
            return str(customer["id"])

    async def saved_methods(self, customer: str) -> Sequence[SavedMethod]:
        """What this payer may pay with again; no number of theirs, only what they know it by."""

        def list_methods(params: Answer, options: Answer) -> Awaitable[Any]:
            told: Awaitable[Any] = self._v1.customers.payment_methods.list_async(
                customer, params, options
            )
            return told

        found = []
        async for method in self._each(list_methods, {}):
            with surprises():
                found.append(_saved(method))
        return found

    async def forget_method(self, method: str) -> None:
        """Take a saved method off its customer. Forgotten before is no error."""
        try:
            await self._act(self._v1.payment_methods.detach_async, method)
        except ProviderDeclined as no:
            if "not attached" not in no.message:
                raise

    # --- reports ----------------------------------------------------------------------------------

    async def movements(self, start: datetime, end: datetime) -> AsyncIterator[Movement]:
        """Every line on our balance, from `start` until before `end`, newest first.

        `reference` is what our tables know: the payment's intent, the refund, the dispute, and
        the transfer, also for its reversal. In the currency that it was settled in.
        """
        within = {"gte": int(start.timestamp()), "lt": int(end.timestamp())}
        lines = self._each(
            self._v1.balance_transactions.list_async,
            {"created": within, "expand": ["data.source"]},
        )
        async for line in lines:
            with surprises():
                moved = _movement(line)
            yield moved


def _wants_page(order: OrderToPay) -> bool:
    return bool(order.return_url) and order.saved_method is None


def _ids(order: OrderToPay) -> dict[str, str]:
    return {"order_id": str(order.order_id), "key": str(order.key)}


def _started_intent(intent: Answer) -> Started:
    return Started(str(intent["id"]), {"client_secret": str(intent["client_secret"])})


def _started_page(session: Answer) -> Started:
    """A page that is over has no address any more."""
    url = session["url"]
    return Started(str(session["id"]), {} if url is None else {"url": str(url)})


def _best(
    order: OrderToPay, found: Sequence[Answer], is_payable: Callable[[Answer], bool]
) -> Answer | None:
    """Of what bears our ids: what bears the key, else the newest of the order to be paid still.

    Not for a saved method: nobody would be there to pay it.
    """
    for one in found:
        if uuid_of(one, "key") == order.key:
            return one
    for one in found if order.saved_method is None else ():
        if uuid_of(one, "order_id") == order.order_id and is_payable(one):
            return one
    return None


def _payment(payment: str) -> dict[str, str]:
    is_charge = payment.startswith(("ch_", "py_"))
    return {"charge" if is_charge else "payment_intent": payment}


def _same(amount: Money, units: int, currency: str) -> None:
    """Errors: ValueError when another amount or currency is echoed."""
    told = from_stripe(units, currency)
    if told != amount:
        raise ValueError(f"{told} instead of {amount}")


def _same_refund(told: Answer, key: UUID, payment: str, amount: Money) -> RefundChanged:
    fact = refund_fact(told)
    if (fact.payment, fact.amount, fact.key) != (payment, amount, key):
        raise ValueError(f"a refund of {fact.amount} of {fact.payment}")
    return fact


def _same_transfer(transfer: Answer, to: Destination, amount: Money) -> None:
    _same(amount, transfer["amount"], transfer["currency"])
    if id_of(transfer["destination"]) != to.account:
        raise ValueError(f"a transfer to {id_of(transfer['destination'])}")


def _saved(method: Answer) -> SavedMethod:
    kind = str(method["type"])
    card = method.get("card") or {}
    label = f"{card['brand']} {card['last4']}" if card else kind
    expires = (int(card["exp_year"]), int(card["exp_month"])) if card else None
    return SavedMethod(str(method["id"]), kind, label, expires)


def _movement(line: Answer) -> Movement:
    source, category = line.get("source"), str(line["reporting_category"])
    reference = "" if source is None else id_of(source)
    if isinstance(source, dict):
        whose = {"charge": "payment_intent", "transfer_reversal": "transfer"}.get(category)
        if whose is not None and source.get(whose):
            reference = id_of(source[whose])
    return Movement(
        kind=_KINDS.get(category, "other"),
        reference=reference or str(line["id"]),
        amount=from_stripe(line["amount"], line["currency"]),
        fee_minor=from_stripe(line["fee"], line["currency"]).minor,
        at=datetime.fromtimestamp(line["created"], UTC),
        line=str(line["id"]),
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


def _envelope(body: bytes) -> Answer:
    try:
        envelope = json.loads(body)
        if _NAME.fullmatch(envelope["id"]) and _NAME.fullmatch(envelope["type"]):
            return dict(envelope)
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise InvalidSignature("The body is no Stripe event.")
