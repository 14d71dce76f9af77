"""Razorpay: orders and refunds; RazorpayX: payouts to bank accounts and UPI addresses.

Source: Razorpay and RazorpayX API reference.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from workers.core.errors import InvalidSignature, NotConfigured
from workers.core.money import Money, exponent
from workers.core.settings import Settings
from workers.payments import razorpay_events as told
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
    Started,
    WithdrawalChanged,
)
from workers.payments.razorpay_client import (
    Client,
    Entity,
    is_checkout_signed,
    is_signed,
    items_of,
    segment,
)
from workers.payments.razorpay_route import Route

Read = TypeVar("Read")

_NAME = re.compile(r"[\w.:-]{1,255}", re.ASCII)
# what a bank confirms within five days is taken; what the order no longer needs is sent back by us
_CAPTURE_MINUTES = 7200
_MIN_PAISE = 100
# Source: RazorpayX, Payout modes. IMPS is at once, RTGS for what is too much for it.
_UPI_PAISE, _IMPS_PAISE, _RTGS_PAISE = 1_00_000_00, 5_00_000_00, 2_00_000_00
_BANK_MODES = ("IMPS", "NEFT", "RTGS")
# Source: RazorpayX, Create a contact
_NAME_LENGTHS = (3, 50)
_NOT_IN_NOTES = re.compile("[^\u0020-\uffff]")  # no emoji: what is kept there has three bytes
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9 '\-_/().,]+")


class Razorpay:
    """Every protocol of base.py over Razorpay and RazorpayX; `route` is its way to split payments.

    Orders know no idempotency key: their receipt is ours, and is looked up before one is made.
    """

    name = "razorpay"

    def __init__(self, known: Settings) -> None:
        self._known = known
        self._api = Client(known)
        self.route = Route(self._api)

    @property
    def is_configured(self) -> bool:
        return self._api.is_configured

    async def aclose(self) -> None:
        await self._api.aclose()

    # --- events -----------------------------------------------------------------------------------

    async def verify(self, body: bytes, headers: Mapping[str, str]) -> Event:
        """Check Razorpay's signature over the raw bytes, with any of the endpoints' secrets.

        Its id is a hash of the body: Razorpay's own is in a header, which is not signed. The
        signature bears no time, so an old event may be sent again: it is the same event.
        Errors: NotConfigured without a secret; InvalidSignature.
        Source: Razorpay, Validate and test webhooks.
        """
        if not self._known.razorpay_webhook_secrets:
            raise NotConfigured("Razorpay has no webhook secret here: set RAZORPAY_WEBHOOK_SECRETS")
        found = {name.lower(): value for name, value in headers.items()}
        signature = found.get("x-razorpay-signature", "")
        # every secret is tried, so that the time taken does not tell which one fits
        fits = [is_signed(body, signature, one) for one in self._known.razorpay_webhook_secrets]
        if not any(fits):
            raise InvalidSignature("The X-Razorpay-Signature header does not fit the body.")
        try:
            kind = json.loads(body)["event"]
            if _NAME.fullmatch(kind):
                return Event("sha256:" + hashlib.sha256(body).hexdigest(), kind, body)
        except (ValueError, KeyError, TypeError, RecursionError):
            pass
        raise InvalidSignature("The body is no Razorpay event.")

    def read(self, body: bytes) -> Sequence[Fact]:
        """What a verified event means for us; empty when it means nothing."""
        return told.read_event(json.loads(body))

    def confirms(self, *, order_id: str, payment_id: str, signature: str) -> bool:
        """Whether the checkout's callback is Razorpay's; `order_id` is what `start_payment` gave.

        Good news for the payer's page only: money is booked by events and by looking up.
        Errors: NotConfigured.
        """
        secret = self._known.razorpay_key_secret
        if secret is None:
            raise NotConfigured("Razorpay has no credentials here: set RAZORPAY_KEY_SECRET")
        return is_checkout_signed(order_id, payment_id, signature, secret)

    # --- money in ---------------------------------------------------------------------------------

    async def start_payment(self, order: OrderToPay) -> Started:
        """Make an order that captures by itself; the checkout needs its id and our key's."""
        _check_representable(order.amount)
        known = await self.find_started(order)
        if known is not None:
            return known
        made = await self._api.post(
            "/v1/orders",
            {
                "amount": order.amount.minor,
                "currency": order.amount.currency,
                "receipt": str(order.key),
                "notes": {
                    "order_id": str(order.order_id),
                    "key": str(order.key),
                    "title": _NOT_IN_NOTES.sub("", order.title)[:250],
                },
                "payment": {
                    "capture": "automatic",
                    "capture_options": {
                        "automatic_expiry_period": _CAPTURE_MINUTES,
                        "manual_expiry_period": _CAPTURE_MINUTES,
                        "refund_speed": "normal",
                    },
                },
            },
        )
        return self._started(made, order)

    async def find_started(self, order: OrderToPay) -> Started | None:
        """The order with our key as its receipt; of several the one that was paid, or the first.

        With `order.started` that one: Razorpay's orders do not run out.
        """
        if order.started is not None:
            try:
                known = await self._api.get(f"/v1/orders/{segment(order.started)}")
            except ProviderDeclined:  # as it says of what it does not know
                return None
            return self._started(known, order)
        receipt = str(order.key)
        answer = await self._api.get("/v1/orders", receipt=receipt, count=100)
        found = [one for one in items_of(answer) if one.get("receipt") == receipt]
        if not found:
            return None
        first = min(found, key=lambda one: (one.get("status") != "paid", one.get("created_at", 0)))
        return self._started(first, order)

    async def look_up_payment(self, started: str) -> Sequence[Fact]:
        """What was captured; else the last failure, unless another try is under way."""
        return _facts_of(await self._payments_of(started))

    async def capture_payment(self, *, key: UUID, started: str) -> Sequence[Fact]:
        """Take what was authorized too late to be captured by itself. Taken before is no error."""
        for payment in await self._payments_of(started):
            if payment.get("status") == "authorized":
                await self._capture(payment)
        return _facts_of(await self._payments_of(started))

    async def refund(self, *, key: UUID, payment: str, amount: Money) -> RefundChanged:
        """Send back a part or all, at normal speed (5 to 7 working days).

        Source: Razorpay, Create a normal refund (idempotent request).
        """
        made = await self._api.post(
            f"/v1/payments/{segment(payment)}/refund",
            {
                "amount": amount.minor,
                "speed": "normal",
                "receipt": str(key),
                "notes": {"key": str(key)},
            },
            {"X-Refund-Idempotency": str(key)},
        )
        return _refund(made, payment, amount)

    async def find_refund(self, *, key: UUID, payment: str, amount: Money) -> RefundChanged | None:
        """The refund of this payment that bears the key in its notes or as its receipt."""
        path = f"/v1/payments/{segment(payment)}/refunds"
        async for one in self._api.each(path):
            if key == told.uuid_in(one.get("notes"), "key") or one.get("receipt") == str(key):
                return _refund(one, payment, amount)
        return None

    async def look_up_dispute(self, reference: str) -> Sequence[Fact]:
        """How a dispute stands now. Source: Razorpay, Fetch a dispute by id."""
        dispute = await self._api.get(f"/v1/disputes/{segment(reference)}")
        if dispute.get("id") != reference:
            raise OutcomeUnknown("Razorpay answered with another dispute.")
        return (_surely(lambda one: told.payment_disputed(one, str(one.get("status"))), dispute),)

    async def _payments_of(self, started: str) -> Sequence[Entity]:
        answer = await self._api.get(f"/v1/orders/{segment(started)}/payments")
        return sorted(items_of(answer), key=lambda one: one.get("created_at") or 0)

    async def _capture(self, payment: Entity) -> None:
        amount = _surely(told.money, payment)
        reference = segment(str(payment.get("id")))
        try:
            await self._api.post(
                f"/v1/payments/{reference}/capture",
                {"amount": amount.minor, "currency": amount.currency},
            )
        except ProviderDeclined:
            now = await self._api.get(f"/v1/payments/{reference}")
            if now.get("status") == "authorized":  # still to be taken: it was a real no
                raise

    def _started(self, made: Entity, order: OrderToPay) -> Started:
        """Errors: OutcomeUnknown when it is not what was ordered."""
        reference = made.get("id")
        if (
            not isinstance(reference, str)
            or told.money(made) != order.amount
            or made.get("receipt") != str(order.key)
        ):
            raise OutcomeUnknown("Razorpay's order is not the one that was asked for.")
        client = {"order_id": reference, "key_id": self._known.razorpay_key_id or ""}
        if order.customer is not None:  # whose saved cards the checkout offers
            client["customer_id"] = order.customer
        return Started(reference, client)

    # --- money out --------------------------------------------------------------------------------

    async def send(self, *, key: UUID, to: Destination, amount: Money) -> WithdrawalChanged:
        """Pay out to a fund account. What is not in the RazorpayX account is declined, not queued.

        `to.details`: `account_type` (bank_account, vpa) spares a call; `mode` overrules ours.
        Source: RazorpayX, Create a payout; Make a request idempotent.
        """
        account_number = self._account_number()
        kind = to.details.get("account_type") or await self._kind_of(to.account)
        made = await self._api.post(
            "/v1/payouts",
            {
                "account_number": account_number,
                "fund_account_id": to.account,
                "amount": amount.minor,
                "currency": amount.currency,
                "mode": choose_mode(kind, amount, to.details.get("mode")),
                "purpose": "payout",
                "queue_if_low_balance": False,
                "reference_id": str(key),
                # letters, digits and spaces; banks show the first nine
                "narration": f"Withdrawal {key.hex[:8]}",
                "notes": {"key": str(key)},
            },
            {"X-Payout-Idempotency": str(key)},
        )
        return _withdrawal(made, key, amount)

    async def find_sent(
        self, *, key: UUID, to: Destination, amount: Money, since: datetime | None = None
    ) -> WithdrawalChanged | None:
        """The payout that bears the key as its `reference_id`."""
        answer = await self._api.get(
            "/v1/payouts",
            account_number=self._account_number(),
            reference_id=str(key),
            count=100,
        )
        for one in items_of(answer):
            if one.get("reference_id") == str(key):
                return _withdrawal(one, key, amount)
        return None

    def _account_number(self) -> str:
        if not self._known.razorpay_account_number:
            raise NotConfigured("RazorpayX has no account here: set RAZORPAY_ACCOUNT_NUMBER")
        return self._known.razorpay_account_number

    async def _kind_of(self, account: str) -> str:
        if not account.startswith("fa_"):
            raise ProviderDeclined("Razorpay pays out to fund accounts (fa_…) only.")
        try:
            found = await self._api.get(f"/v1/fund_accounts/{segment(account)}")
        except OutcomeUnknown as doubt:  # of the account alone: nothing was sent
            raise ProviderUnavailable(doubt.message, doubt.details) from doubt
        return str(found.get("account_type"))

    # --- accounts ---------------------------------------------------------------------------------

    async def open_account(self, *, key: UUID, person: Mapping[str, Any]) -> str:
        """A contact and its fund account: `fa_…`. Equal data give the same ones again.

        `person.details`: `bank` {name, ifsc, account_number} or `vpa`, a UPI address.
        Source: RazorpayX, Create a contact; Create a fund account.
        """
        if person.get("country") not in (None, "IN"):
            raise ProviderDeclined("Razorpay pays out to accounts in India only.")
        name = _plain_name(str(person.get("legal_name") or ""))
        fund_account = _fund_account(person.get("details") or {}, name)
        wanted = {"name": name, "type": "vendor", "reference_id": str(key)}
        if person.get("email"):
            wanted["email"] = str(person["email"])
        contact = await self._api.post("/v1/contacts", wanted)
        made = await self._api.post(
            "/v1/fund_accounts", {"contact_id": _id_of(contact), **fund_account}
        )
        return _id_of(made)

    async def onboarding_link(self, account: str, *, return_url: str, refresh_url: str) -> str:
        """Always declined: neither RazorpayX nor Route has a page where people prove themselves."""
        raise ProviderDeclined("Razorpay asks for no proof on a page of its own.")

    async def look_up_account(self, account: str) -> AccountChanged:
        """A fund account is active until it is switched off. Linked accounts: `Route.look_up`."""
        found = await self._api.get(f"/v1/fund_accounts/{segment(account)}")
        if not isinstance(found.get("active"), bool) or found.get("id") != account:
            raise OutcomeUnknown("Razorpay answered with another account.")
        return AccountChanged(account, "active" if found["active"] else "closed")

    # --- reports ----------------------------------------------------------------------------------

    async def movements(self, start: datetime, end: datetime) -> AsyncIterator[Movement]:
        """What moved on the balance of payments, then on the RazorpayX account.

        A payment and a dispute bear the time they began at: there is no other in their lists. A
        payout bears its own id, also when it comes back; bank transfers in are `other`.
        """
        window = {"from": int(start.timestamp()), "to": int(end.timestamp()) + 1}
        lines = [self._payments(window), self._refunds(window), self._disputes(window)]
        if self._known.razorpay_account_number:
            lines.append(self._transactions(self._known.razorpay_account_number, window))
        for some in lines:
            async for line in some:
                if line is not None and start <= line.at < end:
                    yield line

    async def _payments(self, window: Mapping[str, int]) -> AsyncIterator[Movement | None]:
        async for one in self._api.each("/v1/payments", **window):
            if one.get("captured"):
                yield _line("payment", one, +1, one.get("fee"))

    async def _refunds(self, window: Mapping[str, int]) -> AsyncIterator[Movement | None]:
        async for one in self._api.each("/v1/refunds", **window):
            if one.get("status") != "failed" and await self._was_captured(one):
                yield _line("refund", one, -1, 0)

    async def _disputes(self, window: Mapping[str, int]) -> AsyncIterator[Movement | None]:
        async for one in self._api.each("/v1/disputes", **window):
            yield _line("dispute", {**one, "amount": one.get("amount_deducted")}, -1, 0)

    async def _transactions(
        self, account_number: str, window: Mapping[str, int]
    ) -> AsyncIterator[Movement | None]:
        pages = self._api.each("/v1/transactions", account_number=account_number, **window)
        async for one in pages:
            yield _transaction(one)

    async def _was_captured(self, refund: Entity) -> bool:
        """What was never captured goes back by itself, and is listed among the refunds."""
        if told.uuid_in(refund.get("notes"), "key") is not None:
            return True
        payment = await self._api.get(f"/v1/payments/{segment(str(refund.get('payment_id')))}")
        return payment.get("captured") is not False


def choose_mode(account_type: str, amount: Money, wanted: str | None = None) -> str:
    """How a payout travels: UPI to an address, IMPS to a bank, RTGS above what IMPS takes.

    Errors: ProviderDeclined when none can carry it. Source: RazorpayX, Payout modes.
    """
    if amount.currency != "INR" or amount.minor < _MIN_PAISE:
        raise ProviderDeclined(f"RazorpayX pays out at least INR 1.00, not {amount}.")
    if account_type == "vpa":
        if amount.minor > _UPI_PAISE:
            raise ProviderDeclined(f"UPI carries at most INR 100000.00, not {amount}.")
        return "UPI"
    if account_type != "bank_account":
        raise ProviderDeclined(f"No payout goes to a fund account of type {account_type}.")
    mode = wanted or ("IMPS" if amount.minor <= _IMPS_PAISE else "RTGS")
    if (
        mode not in _BANK_MODES
        or (mode == "IMPS" and amount.minor > _IMPS_PAISE)
        or (mode == "RTGS" and amount.minor < _RTGS_PAISE)
    ):
        raise ProviderDeclined(f"{mode} does not carry {amount} to a bank account.")
    return mode


def _check_representable(amount: Money) -> None:
    """Razorpay's minor units are ISO's; of three decimals the last must be 0.

    Source: Razorpay, Create an order.
    """
    if exponent(amount.currency) == 3 and amount.minor % 10:
        raise ProviderDeclined(f"Razorpay takes two decimals of {amount.currency}, not {amount}.")
    if amount.currency == "INR" and amount.minor < _MIN_PAISE:
        raise ProviderDeclined(f"Razorpay takes at least INR 1.00, not {amount}.")


def _facts_of(payments: Sequence[Entity]) -> Sequence[Fact]:
    captured = [one for one in payments if one.get("status") in ("captured", "refunded")]
    # an authorized payment that went back by itself is called refunded, too
    taken = [one for one in captured if one.get("captured") is not False]
    if taken:
        return [_surely(told.payment_succeeded, one) for one in taken]
    if payments and all(one.get("status") == "failed" for one in payments):
        return [_surely(told.payment_failed, payments[-1])]
    return ()


def _refund(made: Entity, payment: str, amount: Money) -> RefundChanged:
    """Errors: OutcomeUnknown when it is not the refund that was asked for."""
    refund = _surely(told.refund_changed, made)
    if (refund.payment, refund.amount) != (payment, amount):
        raise OutcomeUnknown("Razorpay's refund is not the one that was asked for.")
    return refund


def _withdrawal(made: Entity, key: UUID, amount: Money) -> WithdrawalChanged:
    """Errors: OutcomeUnknown when it is not the payout that was asked for."""
    withdrawal = _surely(told.withdrawal_changed, made)
    if withdrawal.key != key or told.money(made) != amount:
        raise OutcomeUnknown("RazorpayX's payout is not the one that was asked for.")
    return withdrawal


def _surely(read: Callable[[Entity], Read | None], entity: Entity) -> Read:
    """What an answer says. Errors: OutcomeUnknown when it makes no sense."""
    found = read(entity)
    if found is None:
        raise OutcomeUnknown(f"Razorpay answered with a {entity.get('entity')} that lacks fields.")
    return found


def _id_of(made: Entity) -> str:
    if not isinstance(made.get("id"), str):
        raise OutcomeUnknown("Razorpay answered without an id.")
    return str(made["id"])


def _plain_name(name: str) -> str:
    """A name in the letters that banks take; José becomes Jose."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = " ".join(_NOT_IN_NAMES.sub(" ", plain).split())[: _NAME_LENGTHS[1]]
    if len(plain) < _NAME_LENGTHS[0]:
        raise ProviderDeclined("Razorpay needs a legal name of 3 to 50 Latin letters.")
    return plain


def _fund_account(details: Mapping[str, Any], name: str) -> Entity:
    if details.get("vpa"):
        return {"account_type": "vpa", "vpa": {"address": str(details["vpa"])}}
    bank = details.get("bank") or details
    if not isinstance(bank, Mapping) or not bank.get("ifsc") or not bank.get("account_number"):
        raise ProviderDeclined("Razorpay needs a bank's ifsc and account_number, or a vpa.")
    return {
        "account_type": "bank_account",
        "bank_account": {
            "name": _plain_name(str(bank.get("name") or name)),
            "ifsc": str(bank["ifsc"]).upper(),
            "account_number": str(bank["account_number"]),
        },
    }


def _line(kind: Any, entity: Entity, sign: int, fee: object) -> Movement | None:
    amount, at = told.money(entity), told.moment(entity.get("created_at"))
    if amount is None or at is None:
        return None
    return Movement(
        kind=kind,
        reference=str(entity.get("id")),
        amount=Money(sign * amount.minor, amount.currency),
        fee_minor=fee if isinstance(fee, int) else 0,
        at=at.astimezone(UTC),
    )


def _transaction(one: Entity) -> Movement | None:
    """A line of the RazorpayX account. Its own amount includes fees, its source's does not."""
    source = one.get("source")
    if not isinstance(source, dict):
        return None
    kind = source.get("entity")
    sign = 1 if one.get("credit") else -1
    named = {
        "id": source.get("payout_id") if kind == "reversal" else source.get("id"),
        "amount": source.get("amount"),
        "currency": one.get("currency"),
        "created_at": one.get("created_at"),
    }
    # a reversal brings back what was kept, too
    fee = (source.get("fees") or source.get("fee") or 0) * -sign
    is_ours = kind in ("payout", "reversal")
    return _line("withdrawal" if is_ours else "other", named, sign, fee if is_ours else 0)
