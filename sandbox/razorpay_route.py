"""Razorpay Route, as far as Guildhall uses it: linked accounts, transfers, holds, reversals."""

import re
from typing import Annotated

from fastapi import APIRouter, Form, Request

from sandbox.core import new_id
from sandbox.razorpay_base import (
    KEYED,
    Entity,
    announce,
    as_answered,
    books,
    collection,
    error,
    find,
    low_balance,
    minor_amount,
    notes_of,
    now,
    ours,
    required,
    sent_fields,
)

router = APIRouter()
v1 = APIRouter(prefix="/razorpay/v1", dependencies=KEYED)
v2 = APIRouter(prefix="/razorpay/v2", dependencies=KEYED)
control = APIRouter(prefix="/control/razorpay")

STATES = ("under_review", "needs_clarification", "activated", "suspended")
_COMPANY_PAN = re.compile(r"[A-Z]{3}[CHFATBJGL][A-Z]\d{4}[A-Z]", re.I)
_PERSON_PAN = re.compile(r"[A-Z]{3}P[A-Z]\d{4}[A-Z]", re.I)
_SETTLEMENTS = ("account_number", "ifsc_code", "beneficiary_name")


# --- linked accounts ------------------------------------------------------------------------------


@v2.post("/accounts")
async def create_account(request: Request) -> Entity:
    """An account of a business that may be paid parts of payments. An address has only one."""
    body = await sent_fields(
        request,
        "email", "phone", "type", "reference_id", "legal_business_name", "business_type",
        "contact_name", "customer_facing_business_name", "profile", "legal_info", "notes",
    )  # fmt: skip
    required(body, "email", "phone", "legal_business_name", "business_type", "contact_name")
    required(body, "profile")
    if body.get("type") != "route":
        raise error("The type must be route.", name="type")
    if not 8 <= len(str(body["phone"])) <= 15:
        raise error("The phone must be between 8 and 15 digits.", name="phone")
    pan = (body.get("legal_info") or {}).get("pan")
    if pan is not None and not _COMPANY_PAN.fullmatch(str(pan)):
        raise error("The pan field is invalid.", name="pan")
    for known in ours(request).all("account"):
        if known["email"] == body["email"]:
            named = known["id"].removeprefix("acc_")
            raise error(f"Merchant email already exists for account - {named}", name="email")
    account = {
        "id": new_id("acc"),
        "entity": "account",
        **body,
        "status": "created",
        "reference_id": str(body.get("reference_id") or "")[:20],
        "notes": notes_of(body),
        "created_at": now(),
    }
    return ours(request).add(account)


@v2.get("/accounts/{account_id}")
async def get_account(request: Request, account_id: str) -> Entity:
    """One linked account."""
    return find(request, account_id, "acc")


@v2.post("/accounts/{account_id}/stakeholders")
async def create_stakeholder(request: Request, account_id: str) -> Entity:
    """Who owns the business. The fourth letter of a person's PAN is a P."""
    body = await sent_fields(request, "name", "email", "addresses", "kyc", "notes", "phone")
    find(request, account_id, "acc")
    required(body, "name", "email")
    pan = (body.get("kyc") or {}).get("pan")
    if pan is not None and not _PERSON_PAN.fullmatch(str(pan)):
        raise error("The pan field is invalid.", name="pan")
    return ours(request).add(
        {
            "id": new_id("sth"),
            "entity": "stakeholder",
            "account_id": account_id,
            **body,
            "notes": notes_of(body),
            "created_at": now(),
        }
    )


@v2.get("/accounts/{account_id}/stakeholders")
async def list_stakeholders(request: Request, account_id: str) -> Entity:
    """An account's stakeholders."""
    find(request, account_id, "acc")
    found = ours(request).all("stakeholder")
    return collection([one for one in found if one["account_id"] == account_id])


@v2.post("/accounts/{account_id}/products")
async def request_product(request: Request, account_id: str) -> Entity:
    """Ask for Route. Asked again it is the same one."""
    body = await sent_fields(request, "product_name", "tnc_accepted")
    find(request, account_id, "acc")
    if body.get("product_name") != "route":
        raise error("The product name is invalid.", name="product_name")
    return _product_of(request, account_id) or ours(request).add(
        {
            "id": new_id("acc_prd"),
            "entity": "product",
            "account_id": account_id,
            "product_name": "route",
            "requested_configuration": [],
            "active_configuration": {"settlements": dict.fromkeys(_SETTLEMENTS)},
            "requirements": _lacking(account_id, {}),
            "activation_status": "requested",
            "tnc": {"accepted": bool(body.get("tnc_accepted")), "accepted_at": now()},
            "requested_at": now(),
            "created_at": now(),
        }
    )


@v2.get("/accounts/{account_id}/products/{product_id}")
async def get_product(request: Request, account_id: str, product_id: str) -> Entity:
    """An account's product, and what it lacks."""
    return _product(request, account_id, product_id)


@v2.patch("/accounts/{account_id}/products/{product_id}")
async def configure_product(request: Request, account_id: str, product_id: str) -> Entity:
    """Where it is settled to. Complete, it goes to review."""
    body = await sent_fields(request, "settlements", "tnc_accepted")
    product = _product(request, account_id, product_id)
    given = body.get("settlements") or {}
    product["active_configuration"] = {"settlements": given}
    product["requirements"] = _lacking(account_id, given)
    if not product["requirements"] and product["activation_status"] != "activated":
        _set_state(request, product, "under_review")
    return product


# --- transfers ------------------------------------------------------------------------------------


@v1.post("/payments/{payment_id}/transfers")
async def create_transfers(request: Request, payment_id: str) -> Entity:
    """Parts of a captured payment for linked accounts. Pending in the answer, processed soon.

    No idempotency key: the same again makes more.
    """
    body = await sent_fields(request, "transfers")
    payment = find(request, payment_id, "pay")
    required(body, "transfers")
    if payment["status"] != "captured" or payment["amount_refunded"]:
        raise error("The payment status should be captured for action to be taken", reason="NA")
    given = [_wanted(request, payment, one) for one in body["transfers"]]
    parts = sum(one["amount"] for one in given)
    if payment["amount_transferred"] + parts > payment["amount"]:
        raise error(
            "The sum of amount requested for transfer is greater than the captured amount",
            name="amount",
        )
    if books(request).held.get("INR", 0) < parts:
        raise low_balance()
    made = [ours(request).add(one) for one in given]
    answer = collection([as_answered(request, dict(one)) for one in made])
    payment["amount_transferred"] += parts
    for one in made:
        _process(request, payment, one)
    return answer


@v1.get("/payments/{payment_id}/transfers")
async def list_transfers(request: Request, payment_id: str) -> Entity:
    """A payment's transfers."""
    find(request, payment_id, "pay")
    found = ours(request).all("transfer")
    return collection([one for one in found if one["source"] == payment_id])


@v1.get("/transfers/{transfer_id}")
async def get_transfer(request: Request, transfer_id: str) -> Entity:
    """One transfer."""
    return find(request, transfer_id, "trf")


@v1.patch("/transfers/{transfer_id}")
async def hold_transfer(request: Request, transfer_id: str) -> Entity:
    """Hold the settlement of a transfer, or let it go."""
    body = await sent_fields(request, "on_hold", "on_hold_until")
    transfer = find(request, transfer_id, "trf")
    required(body, "on_hold")
    if transfer["settlement_status"] == "settled":
        raise error("The transfer has been settled already", reason="NA")
    is_held = bool(body["on_hold"])
    transfer |= {
        "on_hold": is_held,
        "on_hold_until": body.get("on_hold_until") if is_held else None,
        "settlement_status": "on_hold" if is_held else "pending",
    }
    return transfer


@v1.post("/transfers/{transfer_id}/reversals")
async def reverse_transfer(request: Request, transfer_id: str) -> Entity:
    """Take a part or all back. No idempotency key; an id in the answer means it is done."""
    body = await sent_fields(request, "amount", "notes")
    transfer = find(request, transfer_id, "trf")
    left = transfer["amount"] - transfer["amount_reversed"]
    amount = minor_amount(body) if "amount" in body else left
    if transfer["status"] not in ("processed", "partially_reversed") or not left:
        raise error("The transfer cannot be reversed in its present state.", reason="NA")
    if amount > left:
        raise error("The reversal amount is greater than the amount left.", name="amount")
    if transfer["settlement_status"] == "settled":  # it lies in their bank
        raise low_balance()
    transfer["amount_reversed"] += amount
    transfer["status"] = "reversed" if amount == left else "partially_reversed"
    books(request).move("INR", amount)
    reversal = ours(request).add(
        {
            "id": new_id("rvrsl"),
            "entity": "reversal",
            "transfer_id": transfer_id,
            "amount": amount,
            "fee": 0,
            "tax": 0,
            "currency": "INR",
            "notes": notes_of(body),
            "initiator_id": "SandboxOwner01",
            "customer_refund_id": None,
            "created_at": now(),
        }
    )
    if ours(request).take_fault("notes_lost"):
        reversal["notes"] = []
    return as_answered(request, reversal)


@v1.get("/transfers/{transfer_id}/reversals")
async def list_reversals(request: Request, transfer_id: str) -> Entity:
    """What came back of a transfer."""
    find(request, transfer_id, "trf")
    found = ours(request).all("reversal")
    return collection([one for one in found if one["transfer_id"] == transfer_id])


# --- what Razorpay decides ------------------------------------------------------------------------


@control.post("/accounts/{account_id}/{state}")
async def set_account_state(
    request: Request,
    account_id: str,
    state: str,
    field_reference: Annotated[str, Form()] = "kyc.pan",
) -> Entity:
    """Razorpay's verdict on a linked account's Route product."""
    product = _product_of(request, account_id)
    if product is None or state not in STATES:
        raise error("There is no such product or state.", reason="NA")
    asks = state == "needs_clarification"
    product["requirements"] = (
        [_requirement(account_id, field_reference, "kyc_failed")] if asks else []
    )
    _set_state(request, product, state)
    return product


@control.post("/transfers/{transfer_id}/settle")
async def settle(request: Request, transfer_id: str) -> Entity:
    """What is not held reaches the linked account's bank."""
    transfer = find(request, transfer_id, "trf")
    if transfer["on_hold"] or transfer["status"] != "processed":
        raise error("The transfer is not due.", reason="NA")
    transfer |= {"settlement_status": "settled", "recipient_settlement_id": new_id("setl")}
    return transfer


def activate_all(request: Request) -> int:
    """Every product under review is activated."""
    due = [
        one for one in ours(request).all("product") if one["activation_status"] == "under_review"
    ]
    for product in due:
        _set_state(request, product, "activated")
    return len(due)


def _product_of(request: Request, account_id: str) -> Entity | None:
    found = ours(request).all("product")
    return next((one for one in found if one["account_id"] == account_id), None)


def _product(request: Request, account_id: str, product_id: str) -> Entity:
    find(request, account_id, "acc")
    product = _product_of(request, account_id)
    if product is None or product["id"] != product_id:
        raise error("The provided product config id doesn't exist for the merchant", reason="NA")
    return product


def _lacking(account_id: str, given: Entity) -> list[Entity]:
    return [
        _requirement(account_id, f"settlements.{name}", "field_missing")
        for name in _SETTLEMENTS
        if not given.get(name)
    ]


def _requirement(account_id: str, field: str, reason: str) -> Entity:
    return {
        "field_reference": field,
        "resolution_url": f"/accounts/{account_id}/products",
        "reason_code": reason,
        "status": "required",
    }


def _set_state(request: Request, product: Entity, state: str) -> None:
    product["activation_status"] = state
    announce(
        request,
        f"product.route.{state}",
        product["account_id"],
        merchant_product={
            "id": product["id"],
            "merchant_id": product["account_id"],
            "activation_status": state,
            "requirements": product["requirements"],
        },
    )


def _wanted(request: Request, payment: Entity, given: Entity) -> Entity:
    """A transfer that is not made yet. Errors: whatever is wrong with what was sent."""
    required(given, "account", "amount", "currency")
    find(request, str(given["account"]), "acc")
    product = _product_of(request, given["account"])
    if product is None or product["activation_status"] != "activated":
        raise error("The linked account is not activated.", name="account")
    if given["currency"] != "INR" or payment["currency"] != "INR":
        raise error("The currency must be INR.", name="currency")
    is_held = bool(given.get("on_hold"))
    return {
        "id": new_id("trf"),
        "entity": "transfer",
        "status": "pending",
        "source": payment["id"],
        "recipient": given["account"],
        "amount": minor_amount(given),
        "currency": "INR",
        "amount_reversed": 0,
        "fees": 0,
        "tax": 0,
        "notes": notes_of(given),
        "linked_account_notes": given.get("linked_account_notes") or [],
        "on_hold": is_held,
        "on_hold_until": given.get("on_hold_until") if is_held else None,
        "settlement_status": "on_hold" if is_held else "pending",
        "recipient_settlement_id": None,
        "created_at": now(),
        "processed_at": None,
        "error": dict.fromkeys(("code", "description", "reason", "field", "step", "source")),
    }


def _process(request: Request, payment: Entity, transfer: Entity) -> None:
    if ours(request).take_fault("transfer_fails"):
        transfer["status"] = "failed"
        transfer["error"] |= {
            "code": "BAD_REQUEST_ERROR",
            "description": "Account does not have sufficient balance to carry out transfer",
            "reason": "insufficient_account_balance",
        }
        payment["amount_transferred"] -= transfer["amount"]
    else:
        transfer |= {"status": "processed", "processed_at": now()}
        books(request).move("INR", -transfer["amount"])
    announce(request, f"transfer.{transfer['status']}", transfer=transfer)


router.include_router(v1)
router.include_router(v2)
router.include_router(control)
