"""Stripe Connect: people's accounts, transfers to them, their payouts, and every balance."""

import secrets
import time
from typing import Any

from fastapi import APIRouter

from sandbox.core import new_id
from sandbox.stripe_core import (
    Call,
    Object,
    Refusal,
    balances,
    book,
    listing,
    need_balance,
    serve,
)

router = APIRouter()

_NEEDED = ["external_account", "individual.verification.document", "tos_acceptance.date"]


# --- accounts -------------------------------------------------------------------------------------


@serve(router, "POST", "/v1/accounts")
def create_account(call: Call) -> Object:
    """An account that has yet to prove who it is."""
    call.allow(
        "business_profile", "business_type", "capabilities", "controller", "country",
        "default_currency", "email", "individual", "metadata", "settings", "type",
    )  # fmt: skip
    controller = call.form.get("controller")
    if controller is not None and call.text("type") is not None:
        raise Refusal("You may only specify one of these parameters: controller, type.")
    if (
        call.text("controller[losses][payments]") == "application"
        and call.text("controller[fees][payer]") != "application"
    ):
        raise Refusal(
            "controller[losses][payments]=application needs controller[fees][payer]=application.",
            param="controller[fees][payer]",
        )
    country = call.text("country") or "US"
    if len(country) != 2 or not country.isupper():
        raise Refusal(
            f"Country '{country}' is unknown.", code="country_unsupported", param="country"
        )
    account = call.add(
        "account",
        "acct",
        type=call.text("type") or "none",
        controller=controller or {"stripe_dashboard": {"type": "express"}},
        country=country,
        email=call.text("email"),
        default_currency=call.text("default_currency") or ("usd" if country == "US" else "eur"),
        business_type=call.text("business_type"),
        charges_enabled=False,
        payouts_enabled=False,
        details_submitted=False,
        external_accounts=_banks(),
        capabilities={
            name: "inactive"
            for name, wish in (call.form.get("capabilities") or {}).items()
            if wish.get("requested") == "true"
        },
        requirements=_requirements(_NEEDED, "requirements.past_due"),
        metadata=call.metadata(),
        settings={
            "payouts": {
                "schedule": {
                    "interval": call.text("settings[payouts][schedule][interval]") or "daily"
                }
            }
        },
    )
    call.emit("account.updated", account, account["id"])
    return account


@serve(router, "GET", "/v1/accounts/{id}")
def get_account(call: Call) -> Object:
    return call.find("account", call.params["id"], "account")


@serve(router, "POST", "/v1/account_links")
def create_account_link(call: Call) -> Object:
    """Where the person proves who they are. Works once, for five minutes."""
    call.allow("account", "collect", "collection_options", "refresh_url", "return_url", "type")
    account = call.find("account", call.text("account", is_needed=True) or "", "account")
    kind = call.text("type", is_needed=True)
    if kind != "account_onboarding":
        raise Refusal(
            "You cannot create `account_update` type Account Links for this account.", param="type"
        )
    link = call.add(
        "account_link",
        "link",
        expires_at=int(time.time()) + 300,
        _for=account["id"],
        _is_used=False,
        _return_url=call.text("return_url", is_needed=True),
        _refresh_url=call.text("refresh_url", is_needed=True),
    )
    link["url"] = f"{call.base_url}/stripe/onboarding/{link['id']}"
    return {key: value for key, value in link.items() if key not in ("id", "livemode")}


@serve(router, "POST", "/v1/accounts/{id}/login_links")
def create_login_link(call: Call) -> Object:
    account = call.find("account", call.params["id"], "account")
    return {
        "object": "login_link",
        "created": int(time.time()),
        "url": f"{call.base_url}/stripe/express/{account['id']}",
    }


def change_account(call: Call, account: Object, state: str) -> Object:
    """What Stripe finds out about a person.

    `state`: verified, other_bank, needs_information, pending, restricted, rejected, closed.
    """
    if state == "other_bank":
        account["external_accounts"] = _banks(f"{secrets.randbelow(10_000):04}")
        call.emit("account.updated", account, account["id"])
        return account
    is_active = state == "verified"
    if is_active and not account["external_accounts"]["data"]:
        account["external_accounts"] = _banks(f"{secrets.randbelow(10_000):04}")
    wrong = {
        "needs_information": (_NEEDED[1:2], "requirements.past_due"),
        "restricted": ([], "under_review"),
        "rejected": ([], "rejected.fraud"),
        "pending": ([], "requirements.pending_verification"),
    }
    account |= {
        "details_submitted": True,
        "payouts_enabled": is_active,
        "charges_enabled": is_active,
        "capabilities": dict.fromkeys(
            account["capabilities"], "active" if is_active else "inactive"
        ),
        "requirements": _requirements(*wrong.get(state, ([], None))),
    }
    if state == "pending":
        account["requirements"]["pending_verification"] = [_NEEDED[1]]
    if state == "closed":
        gone = {"id": "ca_of_the_platform", "object": "application", "name": "Guildhall"}
        call.emit("account.application.deauthorized", gone, account["id"])
        return account
    call.emit("account.updated", account, account["id"])
    for name, status in account["capabilities"].items():
        capability = {
            "id": name,
            "object": "capability",
            "account": account["id"],
            "requested": True,
            "status": status,
            "requirements": account["requirements"],
        }
        call.emit("capability.updated", capability, account["id"])
    return account


def _banks(*numbers: str) -> Object:
    """Where Stripe pays an account out to, as far as a platform may see it."""
    held = [
        {
            "id": new_id("ba"),
            "object": "bank_account",
            "bank_name": "STRIPE TEST BANK",
            "currency": "eur",
            "default_for_currency": True,
            "fingerprint": new_id("", ""),
            "last4": number,
        }
        for number in numbers
    ]
    return {"object": "list", "data": held, "has_more": False, "total_count": len(held)}


def _requirements(due: list[str], disabled_reason: str | None) -> Object:
    return {
        "currently_due": list(due),
        "eventually_due": list(due),
        "past_due": [],
        "pending_verification": [],
        "disabled_reason": disabled_reason,
        "errors": [],
    }


# --- transfers ------------------------------------------------------------------------------------


@serve(router, "POST", "/v1/transfers")
def create_transfer(call: Call) -> Object:
    """From our balance to a connected account's, at once."""
    call.allow(
        "amount", "currency", "description", "destination", "metadata", "source_transaction",
        "source_type", "transfer_group",
    )  # fmt: skip
    amount, currency = call.amount(), call.currency()
    to = call.find("account", call.text("destination", is_needed=True) or "", "destination")
    if to["capabilities"].get("transfers") != "active":
        raise Refusal(
            "Your destination account needs to have at least one of the following capabilities"
            " enabled: transfers, crypto_transfers, legacy_payments",
            code="insufficient_capabilities_for_transfer",
        )
    need_balance(call, amount, currency, None)
    transfer = call.add(
        "transfer",
        "tr",
        amount=amount,
        amount_reversed=0,
        currency=currency,
        destination=to["id"],
        description=call.text("description"),
        metadata=call.metadata(),
        reversed=False,
        reversals={"object": "list", "data": [], "has_more": False, "url": ""},
        source_transaction=call.text("source_transaction"),
        transfer_group=call.text("transfer_group"),
    )
    line = book(call, -amount, currency, transfer, "transfer")
    transfer["balance_transaction"] = line["id"]
    transfer["reversals"]["url"] = f"/v1/transfers/{transfer['id']}/reversals"
    arrived = call.add("charge", "py", to["id"], amount=amount, currency=currency, paid=True)
    transfer["destination_payment"] = arrived["id"]
    book(call, amount, currency, arrived, "payment", account=to["id"])
    call.emit("transfer.created", transfer)
    if to["settings"]["payouts"]["schedule"]["interval"] != "manual":
        # what nobody holds back leaves by itself
        new_payout(call, to["id"], balances(call.world, to["id"])[currency], currency, {})
    return transfer


@serve(router, "GET", "/v1/transfers")
def list_transfers(call: Call) -> Object:
    return listing(call, "transfer", "destination", "transfer_group")


@serve(router, "GET", "/v1/transfers/{id}")
def get_transfer(call: Call) -> Object:
    return call.find("transfer", call.params["id"], "transfer")


@serve(router, "POST", "/v1/transfers/{id}/reversals")
def create_reversal(call: Call) -> Object:
    """Back from the connected account, as far as it has it."""
    call.allow("amount", "description", "metadata", "refund_application_fee")
    transfer = call.find("transfer", call.params["id"], "transfer")
    left = transfer["amount"] - transfer["amount_reversed"]
    amount = call.amount() if call.text("amount") is not None else left
    if left == 0:
        raise Refusal(f"Transfer {transfer['id']} is already fully reversed.")
    if amount > left:
        raise Refusal(
            f"Transfer reversal amount ({amount}) is greater than unreversed amount ({left})",
            param="amount",
        )
    need_balance(call, amount, transfer["currency"], transfer["destination"])
    return reverse(call, transfer, amount, call.metadata())


@serve(router, "GET", "/v1/transfers/{id}/reversals")
def list_reversals(call: Call) -> Object:
    call.form["transfer"] = call.params["id"]
    return listing(call, "transfer_reversal", "transfer")


def reverse(call: Call, transfer: Object, amount: int, metadata: dict[str, str]) -> Object:
    made = call.add(
        "transfer_reversal",
        "trr",
        amount=amount,
        currency=transfer["currency"],
        transfer=transfer["id"],
        metadata=metadata,
    )
    line = book(call, amount, transfer["currency"], made, "transfer_refund")
    made["balance_transaction"] = line["id"]
    there = transfer["destination"]
    book(call, -amount, transfer["currency"], made, "payment_refund", account=there)
    transfer["amount_reversed"] += amount
    transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
    transfer["reversals"]["data"].insert(0, made)
    call.emit("transfer.reversed", transfer)
    return made


# --- payouts --------------------------------------------------------------------------------------


@serve(router, "POST", "/v1/payouts")
def create_payout(call: Call) -> Object:
    """From an account's balance to its bank; days later the bank has its word."""
    call.allow(
        "amount", "currency", "description", "destination", "metadata", "method", "source_type",
        "statement_descriptor",
    )  # fmt: skip
    amount, currency = call.amount(), call.currency()
    if currency in ("huf", "twd", "isk", "ugx") and amount % 100:
        raise Refusal(f"Payouts in {currency} must be in whole units.", param="amount")
    if call.account is not None:
        account = call.world.objects[call.account]
        if not account["payouts_enabled"]:
            raise Refusal(
                "Cannot create payouts: this account has requirements that need to be collected.",
                code="payouts_not_allowed",
            )
    if call.take_fault("no_bank_account"):
        raise Refusal(
            f"Sorry, you don't have any external accounts in that currency ({currency}).",
            is_kept=True,
        )
    need_balance(call, amount, currency, call.account)
    return new_payout(call, call.account, amount, currency, call.metadata(), is_automatic=False)


@serve(router, "GET", "/v1/payouts")
def list_payouts(call: Call) -> Object:
    return listing(call, "payout", "destination", "status")


@serve(router, "GET", "/v1/payouts/{id}")
def get_payout(call: Call) -> Object:
    return call.find("payout", call.params["id"], "payout")


@serve(router, "POST", "/v1/payouts/{id}/cancel")
def cancel_payout(call: Call) -> Object:
    payout = call.find("payout", call.params["id"], "payout")
    return change_payout(call, payout, "canceled")


def new_payout(
    call: Call,
    account: str | None,
    amount: int,
    currency: str,
    metadata: dict[str, str],
    *,
    is_automatic: bool = True,
) -> Object:
    payout: dict[str, Any] = call.add(
        "payout",
        "po",
        account,
        amount=amount,
        currency=currency,
        arrival_date=int(time.time()) + 2 * 24 * 3600,
        automatic=is_automatic,
        destination="ba_of_the_person",
        failure_code=None,
        failure_message=None,
        failure_balance_transaction=None,
        metadata=metadata,
        method="standard",
        status="pending",
        type="bank_account",
    )
    line = book(call, -amount, currency, payout, "payout", account=account)
    payout["balance_transaction"] = line["id"]
    call.emit("payout.created", payout)
    return payout


def change_payout(call: Call, payout: Object, status: str) -> Object:
    """in_transit, paid, failed (after paid too: then it comes back), canceled while pending."""
    before = {
        "in_transit": ("pending",),
        "paid": ("pending", "in_transit"),
        "failed": ("pending", "in_transit", "paid"),
        "canceled": ("pending",),
    }
    if payout["status"] not in before[status]:
        raise Refusal(f"This payout is {payout['status']}.")
    payout["status"] = status
    if status in ("failed", "canceled"):
        kind = "payout_cancel" if status == "canceled" else "payout_failure"
        line = book(
            call, payout["amount"], payout["currency"], payout, kind, account=payout["_account"]
        )
        payout["failure_balance_transaction"] = line["id"]
    if status == "failed":
        payout |= {
            "failure_code": "account_closed",
            "failure_message": "The bank account has been closed.",
        }
    call.emit("payout.updated" if status == "in_transit" else f"payout.{status}", payout)
    return payout


# --- balances -------------------------------------------------------------------------------------


@serve(router, "GET", "/v1/balance")
def get_balance(call: Call) -> Object:
    available = [
        {"amount": amount, "currency": currency, "source_types": {"card": amount}}
        for currency, amount in sorted(balances(call.world, call.account).items())
    ]
    return {"object": "balance", "livemode": False, "available": available, "pending": []}


@serve(router, "GET", "/v1/balance_transactions")
def list_lines(call: Call) -> Object:
    return listing(call, "balance_transaction", "currency", "source", "type")


@serve(router, "GET", "/v1/balance_transactions/{id}")
def get_line(call: Call) -> Object:
    return call.find("balance_transaction", call.params["id"], "balance_transaction")
