# Generated from the database by `make types`.
# ruff: noqa
# fmt: off
from __future__ import annotations

import datetime
import uuid
from typing import (
    Annotated,
    Any,
    List,
    Literal,
    Optional,
    TypedDict,
)
from typing_extensions import NotRequired, TypeAlias

from pydantic import BaseModel, Field, JsonValue

AuthAalLevel: TypeAlias = Literal["aal1", "aal2", "aal3"]

AuthCodeChallengeMethod: TypeAlias = Literal["s256", "plain"]

AuthFactorStatus: TypeAlias = Literal["unverified", "verified"]

AuthFactorType: TypeAlias = Literal["totp", "webauthn", "phone"]

AuthOauthAuthorizationStatus: TypeAlias = Literal["pending", "approved", "denied", "expired"]

AuthOauthClientType: TypeAlias = Literal["public", "confidential"]

AuthOauthRegistrationType: TypeAlias = Literal["dynamic", "manual"]

AuthOauthResponseType: TypeAlias = Literal["code"]

AuthOneTimeTokenType: TypeAlias = Literal["confirmation_token", "reauthentication_token", "recovery_token", "email_change_token_new", "email_change_token_current", "phone_change_token"]

ProcrastinateProcrastinateJobEventType: TypeAlias = Literal["deferred", "started", "deferred_for_retry", "failed", "succeeded", "cancelled", "abort_requested", "aborted", "scheduled", "retried"]

ProcrastinateProcrastinateJobStatus: TypeAlias = Literal["todo", "doing", "succeeded", "failed", "cancelled", "aborting", "aborted"]

StorageBuckettype: TypeAlias = Literal["STANDARD", "ANALYTICS", "VECTOR"]

class PublicAuditLog(BaseModel):
    action: str = Field(alias="action")
    actor_id: Optional[uuid.UUID] = Field(alias="actor_id")
    created_at: datetime.datetime = Field(alias="created_at")
    details: JsonValue = Field(alias="details")
    id: int = Field(alias="id")
    subject_id: str = Field(alias="subject_id")

class PublicAuditLogInsert(TypedDict):
    action: Annotated[str, Field(alias="action")]
    actor_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="actor_id")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    details: NotRequired[Annotated[JsonValue, Field(alias="details")]]
    id: NotRequired[Annotated[int, Field(alias="id")]]
    subject_id: Annotated[str, Field(alias="subject_id")]

class PublicAuditLogUpdate(TypedDict):
    action: NotRequired[Annotated[str, Field(alias="action")]]
    actor_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="actor_id")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    details: NotRequired[Annotated[JsonValue, Field(alias="details")]]
    id: NotRequired[Annotated[int, Field(alias="id")]]
    subject_id: NotRequired[Annotated[str, Field(alias="subject_id")]]

class PublicEscrowAgreements(BaseModel):
    created_at: datetime.datetime = Field(alias="created_at")
    creator_agent_id: Optional[uuid.UUID] = Field(alias="creator_agent_id")
    creator_id: uuid.UUID = Field(alias="creator_id")
    currency: str = Field(alias="currency")
    fee_bps: int = Field(alias="fee_bps")
    id: uuid.UUID = Field(alias="id")
    pay_within_days: int = Field(alias="pay_within_days")
    review_days: int = Field(alias="review_days")
    revision_limit: int = Field(alias="revision_limit")
    sponsor_agent_id: Optional[uuid.UUID] = Field(alias="sponsor_agent_id")
    sponsor_id: uuid.UUID = Field(alias="sponsor_id")
    title: str = Field(alias="title")

class PublicEscrowAgreementsInsert(TypedDict):
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    creator_agent_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="creator_agent_id")]]
    creator_id: Annotated[uuid.UUID, Field(alias="creator_id")]
    currency: Annotated[str, Field(alias="currency")]
    fee_bps: NotRequired[Annotated[int, Field(alias="fee_bps")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    pay_within_days: Annotated[int, Field(alias="pay_within_days")]
    review_days: Annotated[int, Field(alias="review_days")]
    revision_limit: Annotated[int, Field(alias="revision_limit")]
    sponsor_agent_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="sponsor_agent_id")]]
    sponsor_id: Annotated[uuid.UUID, Field(alias="sponsor_id")]
    title: Annotated[str, Field(alias="title")]

class PublicEscrowAgreementsUpdate(TypedDict):
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    creator_agent_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="creator_agent_id")]]
    creator_id: NotRequired[Annotated[uuid.UUID, Field(alias="creator_id")]]
    currency: NotRequired[Annotated[str, Field(alias="currency")]]
    fee_bps: NotRequired[Annotated[int, Field(alias="fee_bps")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    pay_within_days: NotRequired[Annotated[int, Field(alias="pay_within_days")]]
    review_days: NotRequired[Annotated[int, Field(alias="review_days")]]
    revision_limit: NotRequired[Annotated[int, Field(alias="revision_limit")]]
    sponsor_agent_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="sponsor_agent_id")]]
    sponsor_id: NotRequired[Annotated[uuid.UUID, Field(alias="sponsor_id")]]
    title: NotRequired[Annotated[str, Field(alias="title")]]

class PublicEscrowEvents(BaseModel):
    actor_id: Optional[uuid.UUID] = Field(alias="actor_id")
    amount_minor: Optional[int] = Field(alias="amount_minor")
    created_at: datetime.datetime = Field(alias="created_at")
    escrow_id: uuid.UUID = Field(alias="escrow_id")
    from_status: Optional[str] = Field(alias="from_status")
    id: int = Field(alias="id")
    reason: Optional[str] = Field(alias="reason")
    to_status: str = Field(alias="to_status")

class PublicEscrowEventsInsert(TypedDict):
    actor_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="actor_id")]]
    amount_minor: NotRequired[Annotated[Optional[int], Field(alias="amount_minor")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    escrow_id: Annotated[uuid.UUID, Field(alias="escrow_id")]
    from_status: NotRequired[Annotated[Optional[str], Field(alias="from_status")]]
    id: NotRequired[Annotated[int, Field(alias="id")]]
    reason: NotRequired[Annotated[Optional[str], Field(alias="reason")]]
    to_status: Annotated[str, Field(alias="to_status")]

class PublicEscrowEventsUpdate(TypedDict):
    actor_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="actor_id")]]
    amount_minor: NotRequired[Annotated[Optional[int], Field(alias="amount_minor")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    escrow_id: NotRequired[Annotated[uuid.UUID, Field(alias="escrow_id")]]
    from_status: NotRequired[Annotated[Optional[str], Field(alias="from_status")]]
    id: NotRequired[Annotated[int, Field(alias="id")]]
    reason: NotRequired[Annotated[Optional[str], Field(alias="reason")]]
    to_status: NotRequired[Annotated[str, Field(alias="to_status")]]

class PublicEscrowTransitions(BaseModel):
    from_status: str = Field(alias="from_status")
    to_status: str = Field(alias="to_status")

class PublicEscrowTransitionsInsert(TypedDict):
    from_status: Annotated[str, Field(alias="from_status")]
    to_status: Annotated[str, Field(alias="to_status")]

class PublicEscrowTransitionsUpdate(TypedDict):
    from_status: NotRequired[Annotated[str, Field(alias="from_status")]]
    to_status: NotRequired[Annotated[str, Field(alias="to_status")]]

class PublicEscrows(BaseModel):
    agreement_id: uuid.UUID = Field(alias="agreement_id")
    closed_at: Optional[datetime.datetime] = Field(alias="closed_at")
    created_at: datetime.datetime = Field(alias="created_at")
    creator_id: uuid.UUID = Field(alias="creator_id")
    currency: str = Field(alias="currency")
    due_at: Optional[datetime.datetime] = Field(alias="due_at")
    fee_minor: int = Field(alias="fee_minor")
    funded_at: Optional[datetime.datetime] = Field(alias="funded_at")
    id: uuid.UUID = Field(alias="id")
    payment_reference: Optional[str] = Field(alias="payment_reference")
    position: int = Field(alias="position")
    price_minor: int = Field(alias="price_minor")
    provider: Optional[str] = Field(alias="provider")
    refunded_minor: int = Field(alias="refunded_minor")
    released_minor: int = Field(alias="released_minor")
    remaining_minor: int = Field(alias="remaining_minor")
    review_due_at: Optional[datetime.datetime] = Field(alias="review_due_at")
    revisions: int = Field(alias="revisions")
    sponsor_id: uuid.UUID = Field(alias="sponsor_id")
    status: str = Field(alias="status")
    status_reason: Optional[str] = Field(alias="status_reason")
    taken_back_minor: int = Field(alias="taken_back_minor")
    title: str = Field(alias="title")
    total_minor: int = Field(alias="total_minor")
    updated_at: datetime.datetime = Field(alias="updated_at")

class PublicEscrowsInsert(TypedDict):
    agreement_id: Annotated[uuid.UUID, Field(alias="agreement_id")]
    closed_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="closed_at")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    creator_id: Annotated[uuid.UUID, Field(alias="creator_id")]
    currency: Annotated[str, Field(alias="currency")]
    due_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="due_at")]]
    fee_minor: Annotated[int, Field(alias="fee_minor")]
    funded_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="funded_at")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    payment_reference: NotRequired[Annotated[Optional[str], Field(alias="payment_reference")]]
    position: Annotated[int, Field(alias="position")]
    price_minor: Annotated[int, Field(alias="price_minor")]
    provider: NotRequired[Annotated[Optional[str], Field(alias="provider")]]
    refunded_minor: NotRequired[Annotated[int, Field(alias="refunded_minor")]]
    released_minor: NotRequired[Annotated[int, Field(alias="released_minor")]]
    remaining_minor: NotRequired[Annotated[int, Field(alias="remaining_minor")]]
    review_due_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="review_due_at")]]
    revisions: NotRequired[Annotated[int, Field(alias="revisions")]]
    sponsor_id: Annotated[uuid.UUID, Field(alias="sponsor_id")]
    status: NotRequired[Annotated[str, Field(alias="status")]]
    status_reason: NotRequired[Annotated[Optional[str], Field(alias="status_reason")]]
    taken_back_minor: NotRequired[Annotated[int, Field(alias="taken_back_minor")]]
    title: Annotated[str, Field(alias="title")]
    total_minor: Annotated[int, Field(alias="total_minor")]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]

class PublicEscrowsUpdate(TypedDict):
    agreement_id: NotRequired[Annotated[uuid.UUID, Field(alias="agreement_id")]]
    closed_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="closed_at")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    creator_id: NotRequired[Annotated[uuid.UUID, Field(alias="creator_id")]]
    currency: NotRequired[Annotated[str, Field(alias="currency")]]
    due_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="due_at")]]
    fee_minor: NotRequired[Annotated[int, Field(alias="fee_minor")]]
    funded_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="funded_at")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    payment_reference: NotRequired[Annotated[Optional[str], Field(alias="payment_reference")]]
    position: NotRequired[Annotated[int, Field(alias="position")]]
    price_minor: NotRequired[Annotated[int, Field(alias="price_minor")]]
    provider: NotRequired[Annotated[Optional[str], Field(alias="provider")]]
    refunded_minor: NotRequired[Annotated[int, Field(alias="refunded_minor")]]
    released_minor: NotRequired[Annotated[int, Field(alias="released_minor")]]
    remaining_minor: NotRequired[Annotated[int, Field(alias="remaining_minor")]]
    review_due_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="review_due_at")]]
    revisions: NotRequired[Annotated[int, Field(alias="revisions")]]
    sponsor_id: NotRequired[Annotated[uuid.UUID, Field(alias="sponsor_id")]]
    status: NotRequired[Annotated[str, Field(alias="status")]]
    status_reason: NotRequired[Annotated[Optional[str], Field(alias="status_reason")]]
    taken_back_minor: NotRequired[Annotated[int, Field(alias="taken_back_minor")]]
    title: NotRequired[Annotated[str, Field(alias="title")]]
    total_minor: NotRequired[Annotated[int, Field(alias="total_minor")]]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]

class PublicLedgerAccounts(BaseModel):
    created_at: datetime.datetime = Field(alias="created_at")
    currency: str = Field(alias="currency")
    floor_minor: int = Field(alias="floor_minor")
    id: int = Field(alias="id")
    is_folded: bool = Field(alias="is_folded")
    kind: str = Field(alias="kind")
    last_posted_at: datetime.datetime = Field(alias="last_posted_at")
    owner_id: Optional[uuid.UUID] = Field(alias="owner_id")
    posted_minor: int = Field(alias="posted_minor")
    provider: Optional[str] = Field(alias="provider")
    reserved_minor: int = Field(alias="reserved_minor")
    subject_id: Optional[uuid.UUID] = Field(alias="subject_id")

class PublicLedgerAccountsInsert(TypedDict):
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    currency: Annotated[str, Field(alias="currency")]
    floor_minor: NotRequired[Annotated[int, Field(alias="floor_minor")]]
    id: NotRequired[Annotated[int, Field(alias="id")]]
    is_folded: NotRequired[Annotated[bool, Field(alias="is_folded")]]
    kind: Annotated[str, Field(alias="kind")]
    last_posted_at: NotRequired[Annotated[datetime.datetime, Field(alias="last_posted_at")]]
    owner_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="owner_id")]]
    posted_minor: NotRequired[Annotated[int, Field(alias="posted_minor")]]
    provider: NotRequired[Annotated[Optional[str], Field(alias="provider")]]
    reserved_minor: NotRequired[Annotated[int, Field(alias="reserved_minor")]]
    subject_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="subject_id")]]

class PublicLedgerAccountsUpdate(TypedDict):
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    currency: NotRequired[Annotated[str, Field(alias="currency")]]
    floor_minor: NotRequired[Annotated[int, Field(alias="floor_minor")]]
    id: NotRequired[Annotated[int, Field(alias="id")]]
    is_folded: NotRequired[Annotated[bool, Field(alias="is_folded")]]
    kind: NotRequired[Annotated[str, Field(alias="kind")]]
    last_posted_at: NotRequired[Annotated[datetime.datetime, Field(alias="last_posted_at")]]
    owner_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="owner_id")]]
    posted_minor: NotRequired[Annotated[int, Field(alias="posted_minor")]]
    provider: NotRequired[Annotated[Optional[str], Field(alias="provider")]]
    reserved_minor: NotRequired[Annotated[int, Field(alias="reserved_minor")]]
    subject_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="subject_id")]]

class PublicLedgerEntries(BaseModel):
    account_id: int = Field(alias="account_id")
    amount_minor: int = Field(alias="amount_minor")
    balance_minor: Optional[int] = Field(alias="balance_minor")
    posted_at: datetime.datetime = Field(alias="posted_at")
    transaction_id: int = Field(alias="transaction_id")

class PublicLedgerEntriesInsert(TypedDict):
    account_id: Annotated[int, Field(alias="account_id")]
    amount_minor: Annotated[int, Field(alias="amount_minor")]
    balance_minor: NotRequired[Annotated[Optional[int], Field(alias="balance_minor")]]
    posted_at: Annotated[datetime.datetime, Field(alias="posted_at")]
    transaction_id: Annotated[int, Field(alias="transaction_id")]

class PublicLedgerEntriesUpdate(TypedDict):
    account_id: NotRequired[Annotated[int, Field(alias="account_id")]]
    amount_minor: NotRequired[Annotated[int, Field(alias="amount_minor")]]
    balance_minor: NotRequired[Annotated[Optional[int], Field(alias="balance_minor")]]
    posted_at: NotRequired[Annotated[datetime.datetime, Field(alias="posted_at")]]
    transaction_id: NotRequired[Annotated[int, Field(alias="transaction_id")]]

class PublicLedgerReservations(BaseModel):
    account_id: int = Field(alias="account_id")
    amount_minor: int = Field(alias="amount_minor")
    closed_at: Optional[datetime.datetime] = Field(alias="closed_at")
    created_at: datetime.datetime = Field(alias="created_at")
    expires_at: Optional[datetime.datetime] = Field(alias="expires_at")
    id: uuid.UUID = Field(alias="id")
    idempotency_key: str = Field(alias="idempotency_key")
    input_hash: bytes = Field(alias="input_hash")
    status: str = Field(alias="status")
    subject_id: Optional[uuid.UUID] = Field(alias="subject_id")

class PublicLedgerReservationsInsert(TypedDict):
    account_id: Annotated[int, Field(alias="account_id")]
    amount_minor: Annotated[int, Field(alias="amount_minor")]
    closed_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="closed_at")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    expires_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="expires_at")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    idempotency_key: Annotated[str, Field(alias="idempotency_key")]
    input_hash: Annotated[bytes, Field(alias="input_hash")]
    status: NotRequired[Annotated[str, Field(alias="status")]]
    subject_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="subject_id")]]

class PublicLedgerReservationsUpdate(TypedDict):
    account_id: NotRequired[Annotated[int, Field(alias="account_id")]]
    amount_minor: NotRequired[Annotated[int, Field(alias="amount_minor")]]
    closed_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="closed_at")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    expires_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="expires_at")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    idempotency_key: NotRequired[Annotated[str, Field(alias="idempotency_key")]]
    input_hash: NotRequired[Annotated[bytes, Field(alias="input_hash")]]
    status: NotRequired[Annotated[str, Field(alias="status")]]
    subject_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="subject_id")]]

class PublicLedgerTransactions(BaseModel):
    id: int = Field(alias="id")
    idempotency_key: str = Field(alias="idempotency_key")
    input_hash: bytes = Field(alias="input_hash")
    kind: str = Field(alias="kind")
    memo: str = Field(alias="memo")
    posted_at: datetime.datetime = Field(alias="posted_at")
    subject_id: Optional[uuid.UUID] = Field(alias="subject_id")

class PublicLedgerTransactionsInsert(TypedDict):
    id: NotRequired[Annotated[int, Field(alias="id")]]
    idempotency_key: Annotated[str, Field(alias="idempotency_key")]
    input_hash: Annotated[bytes, Field(alias="input_hash")]
    kind: Annotated[str, Field(alias="kind")]
    memo: NotRequired[Annotated[str, Field(alias="memo")]]
    posted_at: Annotated[datetime.datetime, Field(alias="posted_at")]
    subject_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="subject_id")]]

class PublicLedgerTransactionsUpdate(TypedDict):
    id: NotRequired[Annotated[int, Field(alias="id")]]
    idempotency_key: NotRequired[Annotated[str, Field(alias="idempotency_key")]]
    input_hash: NotRequired[Annotated[bytes, Field(alias="input_hash")]]
    kind: NotRequired[Annotated[str, Field(alias="kind")]]
    memo: NotRequired[Annotated[str, Field(alias="memo")]]
    posted_at: NotRequired[Annotated[datetime.datetime, Field(alias="posted_at")]]
    subject_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="subject_id")]]

class PublicOrders(BaseModel):
    amount_minor: int = Field(alias="amount_minor")
    created_at: datetime.datetime = Field(alias="created_at")
    currency: str = Field(alias="currency")
    escrow_id: Optional[uuid.UUID] = Field(alias="escrow_id")
    id: uuid.UUID = Field(alias="id")
    paid_at: Optional[datetime.datetime] = Field(alias="paid_at")
    payer_id: uuid.UUID = Field(alias="payer_id")
    provider: Optional[str] = Field(alias="provider")
    provider_reference: Optional[str] = Field(alias="provider_reference")
    purpose: str = Field(alias="purpose")
    status: str = Field(alias="status")
    updated_at: datetime.datetime = Field(alias="updated_at")

class PublicOrdersInsert(TypedDict):
    amount_minor: Annotated[int, Field(alias="amount_minor")]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    currency: Annotated[str, Field(alias="currency")]
    escrow_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="escrow_id")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    paid_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="paid_at")]]
    payer_id: Annotated[uuid.UUID, Field(alias="payer_id")]
    provider: NotRequired[Annotated[Optional[str], Field(alias="provider")]]
    provider_reference: NotRequired[Annotated[Optional[str], Field(alias="provider_reference")]]
    purpose: Annotated[str, Field(alias="purpose")]
    status: NotRequired[Annotated[str, Field(alias="status")]]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]

class PublicOrdersUpdate(TypedDict):
    amount_minor: NotRequired[Annotated[int, Field(alias="amount_minor")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    currency: NotRequired[Annotated[str, Field(alias="currency")]]
    escrow_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="escrow_id")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    paid_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="paid_at")]]
    payer_id: NotRequired[Annotated[uuid.UUID, Field(alias="payer_id")]]
    provider: NotRequired[Annotated[Optional[str], Field(alias="provider")]]
    provider_reference: NotRequired[Annotated[Optional[str], Field(alias="provider_reference")]]
    purpose: NotRequired[Annotated[str, Field(alias="purpose")]]
    status: NotRequired[Annotated[str, Field(alias="status")]]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]

class PublicProfilePrivate(BaseModel):
    country: Optional[str] = Field(alias="country")
    created_at: datetime.datetime = Field(alias="created_at")
    legal_name: Optional[str] = Field(alias="legal_name")
    phone: Optional[str] = Field(alias="phone")
    updated_at: datetime.datetime = Field(alias="updated_at")
    user_id: uuid.UUID = Field(alias="user_id")

class PublicProfilePrivateInsert(TypedDict):
    country: NotRequired[Annotated[Optional[str], Field(alias="country")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    legal_name: NotRequired[Annotated[Optional[str], Field(alias="legal_name")]]
    phone: NotRequired[Annotated[Optional[str], Field(alias="phone")]]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]
    user_id: Annotated[uuid.UUID, Field(alias="user_id")]

class PublicProfilePrivateUpdate(TypedDict):
    country: NotRequired[Annotated[Optional[str], Field(alias="country")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    legal_name: NotRequired[Annotated[Optional[str], Field(alias="legal_name")]]
    phone: NotRequired[Annotated[Optional[str], Field(alias="phone")]]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]
    user_id: NotRequired[Annotated[uuid.UUID, Field(alias="user_id")]]

class PublicProfiles(BaseModel):
    avatar_path: Optional[str] = Field(alias="avatar_path")
    bio: str = Field(alias="bio")
    created_at: datetime.datetime = Field(alias="created_at")
    deleted_at: Optional[datetime.datetime] = Field(alias="deleted_at")
    display_name: str = Field(alias="display_name")
    handle: Optional[str] = Field(alias="handle")
    id: uuid.UUID = Field(alias="id")
    is_verified: bool = Field(alias="is_verified")
    updated_at: datetime.datetime = Field(alias="updated_at")
    visibility: str = Field(alias="visibility")

class PublicProfilesInsert(TypedDict):
    avatar_path: NotRequired[Annotated[Optional[str], Field(alias="avatar_path")]]
    bio: NotRequired[Annotated[str, Field(alias="bio")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    deleted_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="deleted_at")]]
    display_name: Annotated[str, Field(alias="display_name")]
    handle: NotRequired[Annotated[Optional[str], Field(alias="handle")]]
    id: Annotated[uuid.UUID, Field(alias="id")]
    is_verified: NotRequired[Annotated[bool, Field(alias="is_verified")]]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]
    visibility: NotRequired[Annotated[str, Field(alias="visibility")]]

class PublicProfilesUpdate(TypedDict):
    avatar_path: NotRequired[Annotated[Optional[str], Field(alias="avatar_path")]]
    bio: NotRequired[Annotated[str, Field(alias="bio")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    deleted_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="deleted_at")]]
    display_name: NotRequired[Annotated[str, Field(alias="display_name")]]
    handle: NotRequired[Annotated[Optional[str], Field(alias="handle")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    is_verified: NotRequired[Annotated[bool, Field(alias="is_verified")]]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]
    visibility: NotRequired[Annotated[str, Field(alias="visibility")]]

class PublicReferralCodes(BaseModel):
    agent_id: uuid.UUID = Field(alias="agent_id")
    code: str = Field(alias="code")
    created_at: datetime.datetime = Field(alias="created_at")

class PublicReferralCodesInsert(TypedDict):
    agent_id: Annotated[uuid.UUID, Field(alias="agent_id")]
    code: Annotated[str, Field(alias="code")]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]

class PublicReferralCodesUpdate(TypedDict):
    agent_id: NotRequired[Annotated[uuid.UUID, Field(alias="agent_id")]]
    code: NotRequired[Annotated[str, Field(alias="code")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]

class PublicReferrals(BaseModel):
    agent_id: uuid.UUID = Field(alias="agent_id")
    created_at: datetime.datetime = Field(alias="created_at")
    referred_id: uuid.UUID = Field(alias="referred_id")

class PublicReferralsInsert(TypedDict):
    agent_id: Annotated[uuid.UUID, Field(alias="agent_id")]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    referred_id: Annotated[uuid.UUID, Field(alias="referred_id")]

class PublicReferralsUpdate(TypedDict):
    agent_id: NotRequired[Annotated[uuid.UUID, Field(alias="agent_id")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    referred_id: NotRequired[Annotated[uuid.UUID, Field(alias="referred_id")]]

class PublicRoleAssignments(BaseModel):
    created_at: datetime.datetime = Field(alias="created_at")
    granted_by: Optional[uuid.UUID] = Field(alias="granted_by")
    role: str = Field(alias="role")
    user_id: uuid.UUID = Field(alias="user_id")

class PublicRoleAssignmentsInsert(TypedDict):
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    granted_by: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="granted_by")]]
    role: Annotated[str, Field(alias="role")]
    user_id: Annotated[uuid.UUID, Field(alias="user_id")]

class PublicRoleAssignmentsUpdate(TypedDict):
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    granted_by: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="granted_by")]]
    role: NotRequired[Annotated[str, Field(alias="role")]]
    user_id: NotRequired[Annotated[uuid.UUID, Field(alias="user_id")]]

class PublicSuspensions(BaseModel):
    created_at: datetime.datetime = Field(alias="created_at")
    ends_at: Optional[datetime.datetime] = Field(alias="ends_at")
    id: uuid.UUID = Field(alias="id")
    lifted_at: Optional[datetime.datetime] = Field(alias="lifted_at")
    lifted_by: Optional[uuid.UUID] = Field(alias="lifted_by")
    reason: str = Field(alias="reason")
    suspended_by: Optional[uuid.UUID] = Field(alias="suspended_by")
    user_id: uuid.UUID = Field(alias="user_id")

class PublicSuspensionsInsert(TypedDict):
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    ends_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="ends_at")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    lifted_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="lifted_at")]]
    lifted_by: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="lifted_by")]]
    reason: Annotated[str, Field(alias="reason")]
    suspended_by: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="suspended_by")]]
    user_id: Annotated[uuid.UUID, Field(alias="user_id")]

class PublicSuspensionsUpdate(TypedDict):
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    ends_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="ends_at")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    lifted_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="lifted_at")]]
    lifted_by: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="lifted_by")]]
    reason: NotRequired[Annotated[str, Field(alias="reason")]]
    suspended_by: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="suspended_by")]]
    user_id: NotRequired[Annotated[uuid.UUID, Field(alias="user_id")]]

class PublicUserSettings(BaseModel):
    created_at: datetime.datetime = Field(alias="created_at")
    locale: str = Field(alias="locale")
    theme: str = Field(alias="theme")
    time_zone: str = Field(alias="time_zone")
    updated_at: datetime.datetime = Field(alias="updated_at")
    user_id: uuid.UUID = Field(alias="user_id")

class PublicUserSettingsInsert(TypedDict):
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    locale: NotRequired[Annotated[str, Field(alias="locale")]]
    theme: NotRequired[Annotated[str, Field(alias="theme")]]
    time_zone: NotRequired[Annotated[str, Field(alias="time_zone")]]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]
    user_id: Annotated[uuid.UUID, Field(alias="user_id")]

class PublicUserSettingsUpdate(TypedDict):
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    locale: NotRequired[Annotated[str, Field(alias="locale")]]
    theme: NotRequired[Annotated[str, Field(alias="theme")]]
    time_zone: NotRequired[Annotated[str, Field(alias="time_zone")]]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]
    user_id: NotRequired[Annotated[uuid.UUID, Field(alias="user_id")]]

class PublicLedgerBalances(BaseModel):
    account_id: int = Field(alias="account_id")
    available_minor: Optional[int] = Field(alias="available_minor")
    currency: str = Field(alias="currency")
    kind: str = Field(alias="kind")
    owner_id: Optional[uuid.UUID] = Field(alias="owner_id")
    posted_minor: int = Field(alias="posted_minor")
    reserved_minor: int = Field(alias="reserved_minor")

class PublicLedgerStatement(BaseModel):
    account_id: int = Field(alias="account_id")
    amount_minor: int = Field(alias="amount_minor")
    balance_minor: Optional[int] = Field(alias="balance_minor")
    currency: str = Field(alias="currency")
    kind: str = Field(alias="kind")
    memo: str = Field(alias="memo")
    posted_at: datetime.datetime = Field(alias="posted_at")
    subject_id: Optional[uuid.UUID] = Field(alias="subject_id")
    transaction_id: int = Field(alias="transaction_id")
