"""Connected accounts: opened at a provider while their owner waits; no number is kept here."""

from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.callers import Caller, SignedIn
from api.envelope import Success
from api.errors import SignInRequired
from api.routing import people_router, possible
from workers.core.db import one, transaction
from workers.core.errors import GuildhallError, NotConfigured
from workers.payments.base import (
    AccountGateway,
    OutcomeUnknown,
    ProviderDeclined,
    ProviderUnavailable,
)
from workers.payments.masks import label_of
from workers.payments.requests import book

router = people_router(tags=["payments"])

Detail = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class AccountMissing(GuildhallError):
    """There is no such connected account."""

    code, http_status = "payments.account_not_found", 404


class NoSuchProvider(GuildhallError):
    """No provider does this, or it is switched off."""

    code, http_status = "payments.provider_not_available", 409


class AccountTaken(GuildhallError):
    """Somebody has this account already, or its opening was given up: open it again."""

    code, http_status = "payments.account_taken", 409


class NewAccount(BaseModel):
    """Where a provider is to send one's withdrawals."""

    model_config = ConfigDict(
        extra="forbid",
        hide_input_in_errors=True,
        json_schema_extra={
            "examples": [
                {"provider": "stripe", "country": "DE", "details": {}},
                {
                    "provider": "razorpay",
                    "country": "IN",
                    "details": {
                        "bank": {
                            "name": "Chidi Okafor",
                            "ifsc": "HDFC0000053",
                            "account_number": "765432123456789",
                        }
                    },
                },
                {
                    "provider": "paypal",
                    "country": "FR",
                    "details": {"paypal_email": "chidi@example.com"},
                },
            ]
        },
    )

    provider: str = Field(pattern="^[a-z]{2,20}$")
    country: str = Field(pattern="^[A-Z]{2}$", description="ISO 3166-1 alpha-2.")
    details: dict[str, Detail | dict[str, Detail]] = Field(
        default={},
        max_length=20,
        description="What the provider asks for; it goes there and is not kept here.",
    )


class Account(BaseModel):
    """A connected account as its owner sees it."""

    id: UUID
    provider: str
    country: str
    status: str = Field(description="pending, needs_information, active, restricted or closed.")
    requirements: list[str] = Field(description="What the provider still asks for.")
    label: str = Field(description="Masked: the last digits, or an address without its name.")
    is_default: bool
    changed_at: datetime = Field(description="A while from then nothing is withdrawn to it.")
    onboarding_url: str | None = Field(
        default=None, description="Where to prove who one is; works once, for minutes."
    )


class Link(BaseModel):
    """Where to prove who one is."""

    onboarding_url: str = Field(description="Works once, for minutes.")


@dataclass(frozen=True, slots=True)
class _Opening:
    account_id: UUID
    request_id: UUID
    is_repeat: bool
    may_resend: bool
    email: str | None
    legal_name: str


@dataclass(frozen=True, slots=True)
class _Mine:
    id: UUID
    provider: str
    reference: str
    has_onboarding: bool


@dataclass(frozen=True, slots=True)
class _Row:
    id: UUID
    provider: str
    country: str
    status: str
    requirements: list[str]
    label: str
    is_default: bool
    changed_at: datetime


_PROVIDERS_ANSWERS = (ProviderDeclined, OutcomeUnknown, ProviderUnavailable, NotConfigured)


@router.post(
    "/accounts",
    status_code=201,
    summary="Connect an account that withdrawals go to",
    responses=possible(SignInRequired, NoSuchProvider, AccountTaken, *_PROVIDERS_ANSWERS),
)
async def open_account(body: NewAccount, request: Request, caller: SignedIn) -> Success[Account]:
    """Ask the provider to open an account. Where it wants proof, go to `onboarding_url`.

    After an answer that leaves it in doubt (502, 503, 504) send the same again under another
    Idempotency-Key: it goes on with the account that is being opened. Nothing is withdrawn to a new
    account for a while.
    """
    gateway = _gateway(request, body.provider)
    label = label_of(body.details)
    async with caller.transaction() as db:
        opening = await one(
            db,
            _Opening,
            "select * from private.start_account(%s, %s, %s)",
            [body.provider, body.country, label],
        )
    assert opening is not None  # it answers a row or raises
    person = {
        "email": opening.email,
        "country": body.country,
        "legal_name": opening.legal_name,
        "details": body.details,
    }
    reference = await _open(caller, gateway, opening, person)
    async with transaction(caller.pool) as db:
        row = await (
            await db.execute(
                "select private.account_opened(%s, %s)", [opening.request_id, reference]
            )
        ).fetchone()
    if row is None or not row[0]:
        raise AccountTaken("This account is connected already.")
    await _look_up(caller, gateway, body.provider, reference, must=False)
    account = await _account(caller, opening.account_id)
    if account.status not in ("active", "closed"):
        mine = await _mine(caller, account.id)
        with suppress(*_PROVIDERS_ANSWERS):  # it is open all the same: POST …/onboarding asks again
            if mine.has_onboarding:
                account.onboarding_url = await _link(request, gateway, mine)
    return Success(data=account)


@router.post(
    "/accounts/{account_id}/onboarding",
    summary="A fresh link to prove who one is",
    responses=possible(SignInRequired, AccountMissing, NoSuchProvider, *_PROVIDERS_ANSWERS),
)
async def onboard(account_id: UUID, request: Request, caller: SignedIn) -> Success[Link]:
    """The provider's page for this account. Coming back from it proves nothing: POST …/check."""
    mine = await _mine(caller, account_id)
    if not mine.has_onboarding:
        raise NoSuchProvider("This provider has no page for that.", mine.provider)
    gateway = _gateway(request, mine.provider)
    return Success(data=Link(onboarding_url=await _link(request, gateway, mine)))


@router.post(
    "/accounts/{account_id}/check",
    summary="Read a connected account again",
    responses=possible(SignInRequired, AccountMissing, NoSuchProvider, *_PROVIDERS_ANSWERS),
)
async def check(account_id: UUID, request: Request, caller: SignedIn) -> Success[Account]:
    """Ask the provider how it sees the account now, as after its page."""
    mine = await _mine(caller, account_id)
    gateway = _gateway(request, mine.provider)
    await _look_up(caller, gateway, mine.provider, mine.reference, must=True)
    return Success(data=await _account(caller, mine.id))


def _gateway(request: Request, provider: str) -> AccountGateway:
    try:
        return cast("AccountGateway", request.app.state.providers[provider])
    except KeyError:
        raise NoSuchProvider("No provider does this, or it is switched off.", provider) from None


async def _open(
    caller: Caller, gateway: AccountGateway, opening: _Opening, person: dict[str, Any]
) -> str:
    """The provider's id of the account; what it answered otherwise is stored, then raised."""
    if opening.is_repeat and not opening.may_resend:
        raise OutcomeUnknown("It was asked for too long ago: it is given up shortly.")
    try:
        return await gateway.open_account(key=opening.request_id, person=person)
    except (ProviderDeclined, NotConfigured) as no:
        async with transaction(caller.pool) as db:
            await db.execute(
                "select private.decline_account(%s, %s)", [opening.request_id, no.message]
            )
        raise
    except OutcomeUnknown as doubt:
        async with transaction(caller.pool) as db:
            await db.execute(
                "select private.question_account(%s, %s)", [opening.request_id, doubt.message]
            )
        raise


async def _look_up(
    caller: Caller, gateway: AccountGateway, provider: str, reference: str, *, must: bool
) -> None:
    """Book how the provider sees the account now. Unless it `must`, its event may tell later."""
    try:
        fact = await gateway.look_up_account(reference)
    except _PROVIDERS_ANSWERS:
        if must:
            raise
        return
    await book(caller.pool, provider, [fact])


async def _link(request: Request, gateway: AccountGateway, mine: _Mine) -> str:
    home = str(request.app.state.settings.public_url).rstrip("/")
    return await gateway.onboarding_link(
        mine.reference,
        return_url=f"{home}/accounts/{mine.id}?onboarding=done",
        refresh_url=f"{home}/accounts/{mine.id}?onboarding=again",
    )


async def _mine(caller: Caller, account_id: UUID) -> _Mine:
    async with caller.transaction() as db:
        mine = await one(db, _Mine, "select * from private.my_account(%s)", [account_id])
    assert mine is not None  # it answers a row or raises
    return mine


async def _account(caller: Caller, account_id: UUID) -> Account:
    async with caller.transaction() as db:
        row = await one(
            db,
            _Row,
            "select id, provider, country, status, requirements, label, is_default, changed_at"
            " from public.connected_accounts where id = %s",
            [account_id],
        )
    if row is None:
        raise AccountMissing("There is no such connected account.")
    return Account(**asdict(row))
