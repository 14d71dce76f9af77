"""RazorpayX, as far as Guildhall uses it: contacts, fund accounts, payouts, the account's lines."""

import json
import re
from typing import Annotated

from fastapi import APIRouter, Form, Header, Request, Response

from sandbox.core import new_id
from sandbox.razorpay_base import (
    KEYED,
    Entity,
    announce,
    as_answered,
    bank_reference,
    books,
    error,
    find,
    keep,
    low_balance,
    made_before,
    minor_amount,
    notes_of,
    now,
    ours,
    page,
    required,
    sent_fields,
    short,
)
from sandbox.settings import SandboxSettings

router = APIRouter()
api = APIRouter(prefix="/razorpay/v1", dependencies=KEYED)
control = APIRouter(prefix="/control/razorpay")

PURPOSES = ("refund", "cashback", "payout", "salary", "utility bill", "vendor bill")
# by account type: mode, least and most in paise
MODES: dict[str, dict[str, tuple[int, int | None]]] = {
    "bank_account": {
        "IMPS": (100, 5_00_000_00),
        "NEFT": (100, None),
        "RTGS": (2_00_000_00, None),
    },
    "vpa": {"UPI": (100, 1_00_000_00)},
}
STEPS = {
    "pending": ("queued", "processing", "rejected"),
    "queued": ("processing", "cancelled", "failed"),
    "processing": ("processed", "reversed", "failed"),
    "processed": ("reversed",),  # up to three working days later
    "failed": ("reversed",),
    "reversed": ("failed",),
}
_TAKEN = ("processing", "processed")
_KEY = re.compile(r"[A-Za-z0-9_ -]{4,36}")
_NAME = re.compile(r"[a-zA-Z0-9 '\-_/().,]{3,50}")
_IFSC = re.compile(r"[A-Z]{4}0[A-Z0-9]{6}")
_ACCOUNT_NUMBER = re.compile(r"[A-Za-z0-9]{5,35}")
_VPA = re.compile(r"[\w.-]{2,}@[a-zA-Z]{2,}")
_NARRATION = re.compile(r"[a-zA-Z0-9 ]{0,30}")


@api.post("/contacts")
async def create_contact(request: Request, response: Response) -> Entity:
    """Somebody to be paid. The same data again give the same contact."""
    body = await sent_fields(request, "name", "email", "contact", "type", "reference_id", "notes")
    required(body, "name")
    if not _NAME.fullmatch(str(body["name"])):
        raise error("The name format is invalid.", name="name")
    short(body, "reference_id", 40)
    made = {
        "entity": "contact",
        "name": body["name"],
        "contact": body.get("contact"),
        "email": body.get("email"),
        "type": body.get("type"),
        "reference_id": body.get("reference_id"),
        "batch_id": None,
        "active": True,
        "notes": notes_of(body),
    }
    return _once(request, response, "cont", made)


@api.post("/fund_accounts")
async def create_fund_account(request: Request, response: Response) -> Entity:
    """Where a contact is paid. The same data again give the same account; none is ever changed."""
    body = await sent_fields(request, "contact_id", "account_type", "bank_account", "vpa")
    required(body, "contact_id", "account_type")
    find(request, str(body["contact_id"]), "cont")
    kind = body["account_type"]
    if kind == "bank_account":
        details = _bank_account(body)
    elif kind == "vpa":
        details = _vpa(body)
    else:
        raise error("The account type is invalid.", name="account_type")
    made = {
        "entity": "fund_account",
        "contact_id": body["contact_id"],
        "account_type": kind,
        kind: details,
        "batch_id": None,
        "active": True,
    }
    return _once(request, response, "fa", made)


@api.get("/fund_accounts/{account_id}")
async def get_fund_account(request: Request, account_id: str) -> Entity:
    """One fund account."""
    return find(request, account_id, "fa")


@api.patch("/fund_accounts/{account_id}")
async def switch_fund_account(request: Request, account_id: str) -> Entity:
    """Switch a fund account on or off."""
    body = await sent_fields(request, "active")
    account = find(request, account_id, "fa")
    account["active"] = bool(body.get("active"))
    return account


@api.post("/payouts")
async def create_payout(
    request: Request, x_payout_idempotency: Annotated[str | None, Header()] = None
) -> Entity:
    """Pay out. It is processing, and stays so until the bank's word comes."""
    body = await sent_fields(
        request,
        "account_number", "fund_account_id", "amount", "currency", "mode", "purpose",
        "queue_if_low_balance", "reference_id", "narration", "notes",
    )  # fmt: skip
    key = x_payout_idempotency
    if key is None or not _KEY.fullmatch(key):
        raise error(
            "Idempotency key is missing. Include idempotency header and key in the request.",
            name="X-Payout-Idempotency",
            reason="null",
        )
    known = made_before(request, key, body)
    if known is not None:
        return as_answered(request, known)
    payout = _wanted(request, body)
    is_covered = books(request).held.get("INR", 0) >= payout["amount"]
    if not is_covered and not body.get("queue_if_low_balance"):
        raise low_balance()
    keep(request, key, body, payout)
    if is_covered:
        _move(request, payout, "processing")
    else:
        payout["status_details"] = _details("low_balance", "business")
        announce(request, "payout.queued", payout=payout)
    return as_answered(request, payout)


@api.get("/payouts")
async def list_payouts(request: Request) -> Entity:
    """Payouts from our account, newest first."""
    _check_account(request, request.query_params.get("account_number"))
    names = ("reference_id", "fund_account_id", "mode", "status")
    wanted = {name: request.query_params[name] for name in names if name in request.query_params}
    return page(
        request,
        [
            one
            for one in ours(request).all("payout")
            if all(one[name] == value for name, value in wanted.items())
        ],
    )


@api.get("/payouts/{payout_id}")
async def get_payout(request: Request, payout_id: str) -> Entity:
    """One payout."""
    return find(request, payout_id, "pout")


@api.post("/payouts/{payout_id}/cancel")
async def cancel_payout(request: Request, payout_id: str) -> Entity:
    """Call back what is still queued."""
    payout = find(request, payout_id, "pout")
    if payout["status"] != "queued":
        raise error("Payout cannot be cancelled in its present state.", reason="NA")
    _move(request, payout, "cancelled")
    return payout


@api.get("/transactions")
async def list_transactions(request: Request) -> Entity:
    """Every line of our account, newest first."""
    _check_account(request, request.query_params.get("account_number"))
    return page(request, ours(request).all("transaction"))


@control.post("/fund")
async def fund(request: Request, amount: Annotated[int, Form()]) -> Entity:
    """Money of ours comes into the account, by bank transfer."""
    source = {"id": new_id("bt"), "entity": "bank_transfer", "mode": "NEFT", "amount": amount}
    return _book(request, amount, source)


@control.post("/payouts/{payout_id}/{status}")
async def move_payout(
    request: Request,
    payout_id: str,
    status: str,
    reason: Annotated[str | None, Form()] = None,
) -> Entity:
    """The bank's word, or a person's, on a payout."""
    payout = find(request, payout_id, "pout")
    if status not in STEPS.get(payout["status"], ()):
        raise error(f"A payout does not go from {payout['status']} to {status}.", reason="NA")
    _move(request, payout, status, reason)
    return payout


@control.post("/fund_accounts/{account_id}/validate")
async def validate(
    request: Request, account_id: str, account_status: Annotated[str, Form()] = "active"
) -> Entity:
    """A penny drop ends: the account is active or invalid."""
    account = find(request, account_id, "fa")
    validation = {
        "id": new_id("fav"),
        "entity": "fund_account.validation",
        "fund_account": account,
        "status": "completed",
        "amount": 100,
        "currency": "INR",
        "results": {"account_status": account_status, "registered_name": "Gaurav Kumar"},
        "created_at": now(),
    }
    announce(
        request, "fund_account.validation.completed", **{"fund_account__validation": validation}
    )
    return validation


def process_all(request: Request) -> int:
    """Every payout that waits reaches its account, as far as the money goes."""
    moved = 0
    for payout in ours(request).all("payout"):
        if payout["status"] == "queued" and books(request).held.get("INR", 0) >= payout["amount"]:
            _move(request, payout, "processing")
        if payout["status"] == "processing":
            _move(request, payout, "processed")
            moved += 1
    return moved


def _once(request: Request, response: Response, prefix: str, made: Entity) -> Entity:
    """201 for what is new, 200 and the old one for what is known."""
    same = json.dumps(made, sort_keys=True)
    for one in ours(request).all(made["entity"]):
        known = {name: value for name, value in one.items() if name not in ("id", "created_at")}
        if json.dumps(known, sort_keys=True) == same:
            return one
    response.status_code = 201
    return ours(request).add({"id": new_id(prefix), **made, "created_at": now()})


def _bank_account(body: Entity) -> Entity:
    given = body.get("bank_account") or {}
    required(given, "name", "ifsc", "account_number")
    if not _IFSC.fullmatch(str(given["ifsc"])):
        raise error("The ifsc must be 11 characters and valid.", name="ifsc")
    if not _ACCOUNT_NUMBER.fullmatch(str(given["account_number"])):
        raise error("The account number format is invalid.", name="account_number")
    if not _NAME.fullmatch(str(given["name"])):
        raise error("The name format is invalid.", name="name")
    bank = {"HDFC": "HDFC Bank", "SBIN": "State Bank of India"}.get(given["ifsc"][:4], "A Bank")
    return {
        "ifsc": given["ifsc"],
        "bank_name": bank,
        "name": given["name"],
        "account_number": given["account_number"],
        "notes": [],
    }


def _vpa(body: Entity) -> Entity:
    address = str((body.get("vpa") or {}).get("address") or "")
    if not _VPA.fullmatch(address):
        raise error("Invalid VPA. Please enter a valid Virtual Payment Address", name="address")
    username, _, handle = address.partition("@")
    return {"username": username, "handle": handle, "address": address}


def _wanted(request: Request, body: Entity) -> Entity:
    """A payout that is not paid yet. Errors: whatever is wrong with what was sent."""
    required(body, "account_number", "fund_account_id", "amount", "currency", "mode", "purpose")
    _check_account(request, body["account_number"])
    account = find(request, str(body["fund_account_id"]), "fa")
    if not account["active"]:
        raise error("Fund account is inactive", name="fund_account_id")
    if body["currency"] != "INR":
        raise error("The currency must be INR.", name="currency")
    amount = minor_amount(body)
    limits = MODES[account["account_type"]].get(body["mode"])
    if limits is None:
        raise error("Payout mode is invalid", name="mode")
    least, most = limits
    if amount < least or (most is not None and amount > most):
        raise error(f"The amount is not allowed for {body['mode']}.", name="amount")
    if body["purpose"] not in PURPOSES:
        raise error("Invalid purpose", name="purpose")
    if not _NARRATION.fullmatch(str(body.get("narration") or "")):
        raise error("The narration format is invalid.", name="narration")
    return {
        "id": new_id("pout"),
        "entity": "payout",
        "fund_account_id": account["id"],
        "amount": amount,
        "currency": "INR",
        "notes": notes_of(body),
        "fees": 0,
        "tax": 0,
        "status": "queued",
        "utr": None,
        "mode": body["mode"],
        "purpose": body["purpose"],
        "reference_id": short(body, "reference_id", 40),
        "narration": body.get("narration"),
        "batch_id": None,
        "status_details": None,
        "created_at": now(),
        "fee_type": "free_payout",
    }


def _check_account(request: Request, number: object) -> None:
    known: SandboxSettings = request.app.state.settings
    if not number:
        raise error("The account number field is required.", name="account_number")
    if number != known.razorpay_account_number:
        raise error("The RazorpayX Account number is invalid.", name="account_number")


def _move(request: Request, payout: Entity, status: str, reason: str | None = None) -> None:
    """The step, its money and its event."""
    was, payout["status"] = payout["status"], status
    source = {"processing": "gateway", "processed": "beneficiary_bank"}.get(status, "business")
    payout["status_details"] = _details(reason or f"payout_{status}", source)
    if status == "processed":
        payout["utr"] = bank_reference()
    if status == "processing":
        _book(request, -payout["amount"], dict(payout))
    elif was in _TAKEN and status not in _TAKEN:
        _book(
            request,
            payout["amount"],
            {
                "id": new_id("rvrsl"),
                "entity": "reversal",
                "payout_id": payout["id"],
                "amount": payout["amount"],
                "fee": payout["fees"],
                "tax": payout["tax"],
                "utr": payout["utr"],
            },
        )
    kind = {"processing": "initiated", "cancelled": "updated"}.get(status, status)
    announce(request, f"payout.{kind}", payout=payout)


def _book(request: Request, amount: int, source: Entity) -> Entity:
    """A line of the account, above zero in, below out."""
    line = ours(request).add(
        {
            "id": new_id("txn"),
            "entity": "transaction",
            "account_number": request.app.state.settings.razorpay_account_number,
            "amount": abs(amount),
            "currency": "INR",
            "credit": max(amount, 0),
            "debit": max(-amount, 0),
            "balance": books(request).move("INR", amount),
            "source": source,
            "created_at": now(),
        }
    )
    announce(request, "transaction.created", transaction=line)
    return line


def _details(reason: str, source: str) -> Entity:
    return {
        "description": reason.replace("_", " ").capitalize(),
        "source": source,
        "reason": reason.lower().replace(" ", "_"),
    }


router.include_router(api)
router.include_router(control)
