"""Razorpay Route: a payment split among linked accounts, each part held until it is released.

An alternative to paying out by RazorpayX, for platforms whose members may not be paid from the
platform's own account. Source: Razorpay Route API reference.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from workers.core.money import Money
from workers.payments import razorpay_events as told
from workers.payments.base import AccountChanged, OutcomeUnknown, ProviderDeclined
from workers.payments.razorpay_client import Client, Entity, items_of, segment

_STATES = ("created", "pending", "processed", "failed", "reversed", "partially_reversed")
# what says that an address has an account already names it
_EXISTS = re.compile(r"already exists for account - (?:acc_)?(\w{14})\b")


@dataclass(frozen=True, slots=True)
class LinkedAccount:
    """An account that may be paid parts of payments once its `product` is active."""

    account: str
    product: str
    state: AccountChanged


@dataclass(frozen=True, slots=True)
class Transfer:
    """A part of a payment for a linked account. `reversed_minor` of it came back.

    `status`: created, pending, processed, failed, reversed, partially_reversed.
    """

    reference: str
    status: str
    amount: Money
    reversed_minor: int
    is_held: bool
    held_until: datetime | None
    reason: str | None = None


class Route:
    """Linked accounts and transfers, INR only. Errors as `PaymentGateway`.

    None of these calls knows an idempotency key, so each looks first whether it was done before.
    """

    def __init__(self, api: Client) -> None:
        self._api = api

    async def create_linked_account(
        self,
        *,
        key: UUID,
        business: Mapping[str, Any],
        owner: Mapping[str, Any],
        bank: Mapping[str, str],
    ) -> LinkedAccount:
        """Account, stakeholder, product and bank account; each only if it is not there yet.

        `business`: email, phone, legal_business_name, business_type, contact_name, profile,
        legal_info. `owner`: name, email, kyc. `bank`: name, ifsc, account_number.
        Source: Razorpay Route, Integrate with APIs.
        """
        account = await self._account(key, business)
        path = f"/v2/accounts/{segment(account)}"
        stakeholders = (await self._api.get(f"{path}/stakeholders")).get("items")
        if not stakeholders:
            await self._api.post(f"{path}/stakeholders", owner)
        product = await self._api.post(
            f"{path}/products", {"product_name": "route", "tnc_accepted": True}
        )
        known = product.get("id")
        if not isinstance(known, str):
            raise OutcomeUnknown("Razorpay answered with a product without an id.")
        answer = await self._api.patch(
            f"{path}/products/{segment(known)}",
            {
                "settlements": {
                    "account_number": bank["account_number"],
                    "ifsc_code": bank["ifsc"],
                    "beneficiary_name": bank["name"],
                },
                "tnc_accepted": True,
            },
        )
        return LinkedAccount(account, known, _product(answer, account))

    async def look_up(self, account: str, product: str) -> AccountChanged:
        """Whether the account may be paid, and what it must still give."""
        path = f"/v2/accounts/{segment(account)}/products/{segment(product)}"
        return _product(await self._api.get(path), account)

    async def transfer_payment(
        self,
        *,
        key: UUID,
        payment: str,
        account: str,
        amount: Money,
        is_held: bool = True,
        held_until: datetime | None = None,
    ) -> Transfer:
        """Give a linked account its part of a captured payment, held until it is released.

        Source: Razorpay Route, Create transfers from payments.
        """
        known = await self.find_transfer(key=key, payment=payment, amount=amount)
        if known is not None:
            return known
        part: dict[str, Any] = {
            "account": account,
            "amount": amount.minor,
            "currency": amount.currency,
            "notes": {"key": str(key)},
            "on_hold": is_held,
        }
        if held_until is not None:
            part["on_hold_until"] = int(held_until.timestamp())
        answer = await self._api.post(
            f"/v1/payments/{segment(payment)}/transfers", {"transfers": [part]}
        )
        for one in items_of(answer):
            if told.uuid_in(one.get("notes"), "key") == key:
                return _transfer(one, amount)
        raise OutcomeUnknown("Razorpay answered without the transfer.")

    async def find_transfer(self, *, key: UUID, payment: str, amount: Money) -> Transfer | None:
        """The transfer of this payment that bears the key in its notes."""
        answer = await self._api.get(f"/v1/payments/{segment(payment)}/transfers")
        for one in items_of(answer):
            if told.uuid_in(one.get("notes"), "key") == key:
                return _transfer(one, amount)
        return None

    async def look_up_transfer(self, transfer: str) -> Transfer:
        """A transfer as it stands; it is processed some time after it is made."""
        return _transfer(await self._api.get(f"/v1/transfers/{segment(transfer)}"))

    async def release_hold(self, transfer: str) -> Transfer:
        """Let the linked account have it, with its next settlement. Safe to repeat."""
        answer = await self._api.patch(f"/v1/transfers/{segment(transfer)}", {"on_hold": False})
        return _transfer(answer)

    async def reverse_transfer(
        self, *, key: UUID, transfer: str, amount: Money, reversed_before: Money
    ) -> str:
        """Take a part or all of a transfer back from the linked account; the reversal's id.

        `reversed_before` is what of it had come back when this was decided: if Razorpay's figure
        is another, some reversal was made meanwhile, perhaps this one under a note it did not keep.
        Errors: OutcomeUnknown then. Source: Razorpay Route, Reverse a transfer.
        """
        path = f"/v1/transfers/{segment(transfer)}"
        for one in items_of(await self._api.get(f"{path}/reversals")):
            if told.uuid_in(one.get("notes"), "key") == key:
                return _reversal(one, amount)
        if (await self.look_up_transfer(transfer)).reversed_minor != reversed_before.minor:
            raise OutcomeUnknown("Another part of the transfer was reversed meanwhile.")
        made = await self._api.post(
            f"{path}/reversals", {"amount": amount.minor, "notes": {"key": str(key)}}
        )
        return _reversal(made, amount)

    async def _account(self, key: UUID, business: Mapping[str, Any]) -> str:
        """An address has one account: asked again, Razorpay declines and names it."""
        reference = key.hex[:20]  # the longest that comes back
        try:
            made = await self._api.post(
                "/v2/accounts", {**business, "type": "route", "reference_id": reference}
            )
        except ProviderDeclined as no:
            named = _EXISTS.search(no.message)
            if named is None:
                raise
            made = await self._api.get(f"/v2/accounts/acc_{named[1]}")
            if made.get("reference_id") != reference:
                raise
        if not isinstance(made.get("id"), str):
            raise OutcomeUnknown("Razorpay answered with an account without an id.")
        return str(made["id"])


def _product(answer: Entity, account: str) -> AccountChanged:
    asked = told.requirements(answer.get("requirements"))
    state = told.account_changed(account, str(answer.get("activation_status")), asked)
    if state is None:
        raise OutcomeUnknown("Razorpay answered with no state that is known.")
    return state


def _transfer(entity: Entity, wanted: Money | None = None) -> Transfer:
    """Errors: OutcomeUnknown when it is not the transfer that was asked for."""
    status = entity.get("status", entity.get("transfer_status"))
    amount, reference = told.money(entity), entity.get("id")
    if (
        status not in _STATES
        or amount is None
        or not isinstance(reference, str)
        or (wanted is not None and amount != wanted)
    ):
        raise OutcomeUnknown("Razorpay's transfer is not the one that was asked for.")
    error = entity.get("error")
    why = error.get("description") if isinstance(error, dict) else None
    return Transfer(
        reference=reference,
        status=status,
        amount=amount,
        reversed_minor=int(entity.get("amount_reversed") or 0),
        is_held=bool(entity.get("on_hold")),
        held_until=told.moment(entity.get("on_hold_until")),
        reason=str(why) if why else None,
    )


def _reversal(entity: Entity, wanted: Money) -> str:
    if not isinstance(entity.get("id"), str) or told.money(entity) != wanted:
        raise OutcomeUnknown("Razorpay's reversal is not the one that was asked for.")
    return str(entity["id"])
