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

class PublicBookingEvents(BaseModel):
    actor_id: Optional[uuid.UUID] = Field(alias="actor_id")
    amount_minor: Optional[int] = Field(alias="amount_minor")
    booking_id: uuid.UUID = Field(alias="booking_id")
    created_at: datetime.datetime = Field(alias="created_at")
    from_status: Optional[str] = Field(alias="from_status")
    id: int = Field(alias="id")
    reason: Optional[str] = Field(alias="reason")
    to_status: str = Field(alias="to_status")

class PublicBookingEventsInsert(TypedDict):
    actor_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="actor_id")]]
    amount_minor: NotRequired[Annotated[Optional[int], Field(alias="amount_minor")]]
    booking_id: Annotated[uuid.UUID, Field(alias="booking_id")]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    from_status: NotRequired[Annotated[Optional[str], Field(alias="from_status")]]
    id: NotRequired[Annotated[int, Field(alias="id")]]
    reason: NotRequired[Annotated[Optional[str], Field(alias="reason")]]
    to_status: Annotated[str, Field(alias="to_status")]

class PublicBookingEventsUpdate(TypedDict):
    actor_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="actor_id")]]
    amount_minor: NotRequired[Annotated[Optional[int], Field(alias="amount_minor")]]
    booking_id: NotRequired[Annotated[uuid.UUID, Field(alias="booking_id")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    from_status: NotRequired[Annotated[Optional[str], Field(alias="from_status")]]
    id: NotRequired[Annotated[int, Field(alias="id")]]
    reason: NotRequired[Annotated[Optional[str], Field(alias="reason")]]
    to_status: NotRequired[Annotated[str, Field(alias="to_status")]]

class PublicBookingOffers(BaseModel):
    created_at: datetime.datetime = Field(alias="created_at")
    currency: str = Field(alias="currency")
    description: str = Field(alias="description")
    duration_minutes: int = Field(alias="duration_minutes")
    full_refund_hours: int = Field(alias="full_refund_hours")
    host_id: uuid.UUID = Field(alias="host_id")
    id: uuid.UUID = Field(alias="id")
    is_open: bool = Field(alias="is_open")
    part_refund_bps: int = Field(alias="part_refund_bps")
    part_refund_hours: int = Field(alias="part_refund_hours")
    price_minor: int = Field(alias="price_minor")
    title: str = Field(alias="title")
    updated_at: datetime.datetime = Field(alias="updated_at")

class PublicBookingOffersInsert(TypedDict):
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    currency: Annotated[str, Field(alias="currency")]
    description: NotRequired[Annotated[str, Field(alias="description")]]
    duration_minutes: Annotated[int, Field(alias="duration_minutes")]
    full_refund_hours: NotRequired[Annotated[int, Field(alias="full_refund_hours")]]
    host_id: Annotated[uuid.UUID, Field(alias="host_id")]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    is_open: NotRequired[Annotated[bool, Field(alias="is_open")]]
    part_refund_bps: NotRequired[Annotated[int, Field(alias="part_refund_bps")]]
    part_refund_hours: NotRequired[Annotated[int, Field(alias="part_refund_hours")]]
    price_minor: Annotated[int, Field(alias="price_minor")]
    title: Annotated[str, Field(alias="title")]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]

class PublicBookingOffersUpdate(TypedDict):
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    currency: NotRequired[Annotated[str, Field(alias="currency")]]
    description: NotRequired[Annotated[str, Field(alias="description")]]
    duration_minutes: NotRequired[Annotated[int, Field(alias="duration_minutes")]]
    full_refund_hours: NotRequired[Annotated[int, Field(alias="full_refund_hours")]]
    host_id: NotRequired[Annotated[uuid.UUID, Field(alias="host_id")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    is_open: NotRequired[Annotated[bool, Field(alias="is_open")]]
    part_refund_bps: NotRequired[Annotated[int, Field(alias="part_refund_bps")]]
    part_refund_hours: NotRequired[Annotated[int, Field(alias="part_refund_hours")]]
    price_minor: NotRequired[Annotated[int, Field(alias="price_minor")]]
    title: NotRequired[Annotated[str, Field(alias="title")]]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]

class PublicBookingTransitions(BaseModel):
    from_status: str = Field(alias="from_status")
    to_status: str = Field(alias="to_status")

class PublicBookingTransitionsInsert(TypedDict):
    from_status: Annotated[str, Field(alias="from_status")]
    to_status: Annotated[str, Field(alias="to_status")]

class PublicBookingTransitionsUpdate(TypedDict):
    from_status: NotRequired[Annotated[str, Field(alias="from_status")]]
    to_status: NotRequired[Annotated[str, Field(alias="to_status")]]

class PublicBookings(BaseModel):
    band: Optional[str] = Field(alias="band")
    charged_back_minor: int = Field(alias="charged_back_minor")
    closed_at: Optional[datetime.datetime] = Field(alias="closed_at")
    completed_at: Optional[datetime.datetime] = Field(alias="completed_at")
    completes_at: datetime.datetime = Field(alias="completes_at")
    created_at: datetime.datetime = Field(alias="created_at")
    currency: str = Field(alias="currency")
    ends_at: datetime.datetime = Field(alias="ends_at")
    expires_at: datetime.datetime = Field(alias="expires_at")
    frozen_at: Optional[datetime.datetime] = Field(alias="frozen_at")
    funded_at: Optional[datetime.datetime] = Field(alias="funded_at")
    guest_confirmed_at: Optional[datetime.datetime] = Field(alias="guest_confirmed_at")
    guest_id: uuid.UUID = Field(alias="guest_id")
    host_confirmed_at: Optional[datetime.datetime] = Field(alias="host_confirmed_at")
    host_id: uuid.UUID = Field(alias="host_id")
    host_minor: int = Field(alias="host_minor")
    id: uuid.UUID = Field(alias="id")
    is_stuck: bool = Field(alias="is_stuck")
    no_show_party: Optional[str] = Field(alias="no_show_party")
    offer_id: uuid.UUID = Field(alias="offer_id")
    payment_reference: Optional[str] = Field(alias="payment_reference")
    penalty_minor: int = Field(alias="penalty_minor")
    policy_version: int = Field(alias="policy_version")
    provider: Optional[str] = Field(alias="provider")
    rating: Optional[int] = Field(alias="rating")
    refunded_minor: int = Field(alias="refunded_minor")
    released_minor: int = Field(alias="released_minor")
    remaining_minor: int = Field(alias="remaining_minor")
    settles_at: Optional[datetime.datetime] = Field(alias="settles_at")
    starts_at: datetime.datetime = Field(alias="starts_at")
    status: str = Field(alias="status")
    status_reason: Optional[str] = Field(alias="status_reason")
    taken_back_minor: int = Field(alias="taken_back_minor")
    title: str = Field(alias="title")
    total_minor: int = Field(alias="total_minor")
    updated_at: datetime.datetime = Field(alias="updated_at")

class PublicBookingsInsert(TypedDict):
    band: NotRequired[Annotated[Optional[str], Field(alias="band")]]
    charged_back_minor: NotRequired[Annotated[int, Field(alias="charged_back_minor")]]
    closed_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="closed_at")]]
    completed_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="completed_at")]]
    completes_at: Annotated[datetime.datetime, Field(alias="completes_at")]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    currency: Annotated[str, Field(alias="currency")]
    ends_at: Annotated[datetime.datetime, Field(alias="ends_at")]
    expires_at: Annotated[datetime.datetime, Field(alias="expires_at")]
    frozen_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="frozen_at")]]
    funded_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="funded_at")]]
    guest_confirmed_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="guest_confirmed_at")]]
    guest_id: Annotated[uuid.UUID, Field(alias="guest_id")]
    host_confirmed_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="host_confirmed_at")]]
    host_id: Annotated[uuid.UUID, Field(alias="host_id")]
    host_minor: NotRequired[Annotated[int, Field(alias="host_minor")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    is_stuck: NotRequired[Annotated[bool, Field(alias="is_stuck")]]
    no_show_party: NotRequired[Annotated[Optional[str], Field(alias="no_show_party")]]
    offer_id: Annotated[uuid.UUID, Field(alias="offer_id")]
    payment_reference: NotRequired[Annotated[Optional[str], Field(alias="payment_reference")]]
    penalty_minor: NotRequired[Annotated[int, Field(alias="penalty_minor")]]
    policy_version: Annotated[int, Field(alias="policy_version")]
    provider: NotRequired[Annotated[Optional[str], Field(alias="provider")]]
    rating: NotRequired[Annotated[Optional[int], Field(alias="rating")]]
    refunded_minor: NotRequired[Annotated[int, Field(alias="refunded_minor")]]
    released_minor: NotRequired[Annotated[int, Field(alias="released_minor")]]
    remaining_minor: NotRequired[Annotated[int, Field(alias="remaining_minor")]]
    settles_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="settles_at")]]
    starts_at: Annotated[datetime.datetime, Field(alias="starts_at")]
    status: NotRequired[Annotated[str, Field(alias="status")]]
    status_reason: NotRequired[Annotated[Optional[str], Field(alias="status_reason")]]
    taken_back_minor: NotRequired[Annotated[int, Field(alias="taken_back_minor")]]
    title: Annotated[str, Field(alias="title")]
    total_minor: Annotated[int, Field(alias="total_minor")]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]

class PublicBookingsUpdate(TypedDict):
    band: NotRequired[Annotated[Optional[str], Field(alias="band")]]
    charged_back_minor: NotRequired[Annotated[int, Field(alias="charged_back_minor")]]
    closed_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="closed_at")]]
    completed_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="completed_at")]]
    completes_at: NotRequired[Annotated[datetime.datetime, Field(alias="completes_at")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    currency: NotRequired[Annotated[str, Field(alias="currency")]]
    ends_at: NotRequired[Annotated[datetime.datetime, Field(alias="ends_at")]]
    expires_at: NotRequired[Annotated[datetime.datetime, Field(alias="expires_at")]]
    frozen_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="frozen_at")]]
    funded_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="funded_at")]]
    guest_confirmed_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="guest_confirmed_at")]]
    guest_id: NotRequired[Annotated[uuid.UUID, Field(alias="guest_id")]]
    host_confirmed_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="host_confirmed_at")]]
    host_id: NotRequired[Annotated[uuid.UUID, Field(alias="host_id")]]
    host_minor: NotRequired[Annotated[int, Field(alias="host_minor")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    is_stuck: NotRequired[Annotated[bool, Field(alias="is_stuck")]]
    no_show_party: NotRequired[Annotated[Optional[str], Field(alias="no_show_party")]]
    offer_id: NotRequired[Annotated[uuid.UUID, Field(alias="offer_id")]]
    payment_reference: NotRequired[Annotated[Optional[str], Field(alias="payment_reference")]]
    penalty_minor: NotRequired[Annotated[int, Field(alias="penalty_minor")]]
    policy_version: NotRequired[Annotated[int, Field(alias="policy_version")]]
    provider: NotRequired[Annotated[Optional[str], Field(alias="provider")]]
    rating: NotRequired[Annotated[Optional[int], Field(alias="rating")]]
    refunded_minor: NotRequired[Annotated[int, Field(alias="refunded_minor")]]
    released_minor: NotRequired[Annotated[int, Field(alias="released_minor")]]
    remaining_minor: NotRequired[Annotated[int, Field(alias="remaining_minor")]]
    settles_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="settles_at")]]
    starts_at: NotRequired[Annotated[datetime.datetime, Field(alias="starts_at")]]
    status: NotRequired[Annotated[str, Field(alias="status")]]
    status_reason: NotRequired[Annotated[Optional[str], Field(alias="status_reason")]]
    taken_back_minor: NotRequired[Annotated[int, Field(alias="taken_back_minor")]]
    title: NotRequired[Annotated[str, Field(alias="title")]]
    total_minor: NotRequired[Annotated[int, Field(alias="total_minor")]]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]

class PublicConnectedAccounts(BaseModel):
    changed_at: datetime.datetime = Field(alias="changed_at")
    country: str = Field(alias="country")
    created_at: datetime.datetime = Field(alias="created_at")
    fingerprint: Optional[str] = Field(alias="fingerprint")
    id: uuid.UUID = Field(alias="id")
    is_default: bool = Field(alias="is_default")
    label: str = Field(alias="label")
    note: Optional[str] = Field(alias="note")
    owner_id: uuid.UUID = Field(alias="owner_id")
    provider: str = Field(alias="provider")
    reference: Optional[str] = Field(alias="reference")
    requirements: List[str] = Field(alias="requirements")
    status: str = Field(alias="status")
    updated_at: datetime.datetime = Field(alias="updated_at")

class PublicConnectedAccountsInsert(TypedDict):
    changed_at: NotRequired[Annotated[datetime.datetime, Field(alias="changed_at")]]
    country: Annotated[str, Field(alias="country")]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    fingerprint: NotRequired[Annotated[Optional[str], Field(alias="fingerprint")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    is_default: NotRequired[Annotated[bool, Field(alias="is_default")]]
    label: NotRequired[Annotated[str, Field(alias="label")]]
    note: NotRequired[Annotated[Optional[str], Field(alias="note")]]
    owner_id: Annotated[uuid.UUID, Field(alias="owner_id")]
    provider: Annotated[str, Field(alias="provider")]
    reference: NotRequired[Annotated[Optional[str], Field(alias="reference")]]
    requirements: NotRequired[Annotated[List[str], Field(alias="requirements")]]
    status: NotRequired[Annotated[str, Field(alias="status")]]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]

class PublicConnectedAccountsUpdate(TypedDict):
    changed_at: NotRequired[Annotated[datetime.datetime, Field(alias="changed_at")]]
    country: NotRequired[Annotated[str, Field(alias="country")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    fingerprint: NotRequired[Annotated[Optional[str], Field(alias="fingerprint")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    is_default: NotRequired[Annotated[bool, Field(alias="is_default")]]
    label: NotRequired[Annotated[str, Field(alias="label")]]
    note: NotRequired[Annotated[Optional[str], Field(alias="note")]]
    owner_id: NotRequired[Annotated[uuid.UUID, Field(alias="owner_id")]]
    provider: NotRequired[Annotated[str, Field(alias="provider")]]
    reference: NotRequired[Annotated[Optional[str], Field(alias="reference")]]
    requirements: NotRequired[Annotated[List[str], Field(alias="requirements")]]
    status: NotRequired[Annotated[str, Field(alias="status")]]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]

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
    frozen_at: Optional[datetime.datetime] = Field(alias="frozen_at")
    funded_at: Optional[datetime.datetime] = Field(alias="funded_at")
    hold_until: Optional[datetime.datetime] = Field(alias="hold_until")
    hold_warn_at: Optional[datetime.datetime] = Field(alias="hold_warn_at")
    hold_warned_at: Optional[datetime.datetime] = Field(alias="hold_warned_at")
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
    frozen_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="frozen_at")]]
    funded_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="funded_at")]]
    hold_until: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="hold_until")]]
    hold_warn_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="hold_warn_at")]]
    hold_warned_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="hold_warned_at")]]
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
    frozen_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="frozen_at")]]
    funded_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="funded_at")]]
    hold_until: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="hold_until")]]
    hold_warn_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="hold_warn_at")]]
    hold_warned_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="hold_warned_at")]]
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

class PublicInvoices(BaseModel):
    attempts: int = Field(alias="attempts")
    changed_at: datetime.datetime = Field(alias="changed_at")
    changed_by: str = Field(alias="changed_by")
    charged_back_minor: int = Field(alias="charged_back_minor")
    created_at: datetime.datetime = Field(alias="created_at")
    credited_minor: int = Field(alias="credited_minor")
    currency: str = Field(alias="currency")
    hosted_url: Optional[str] = Field(alias="hosted_url")
    id: uuid.UUID = Field(alias="id")
    issued_at: datetime.datetime = Field(alias="issued_at")
    next_attempt_at: Optional[datetime.datetime] = Field(alias="next_attempt_at")
    number: Optional[str] = Field(alias="number")
    owner_id: uuid.UUID = Field(alias="owner_id")
    paid_minor: int = Field(alias="paid_minor")
    pdf_url: Optional[str] = Field(alias="pdf_url")
    period_end: Optional[datetime.datetime] = Field(alias="period_end")
    period_start: Optional[datetime.datetime] = Field(alias="period_start")
    provider: str = Field(alias="provider")
    reference: str = Field(alias="reference")
    refunded_minor: int = Field(alias="refunded_minor")
    status: str = Field(alias="status")
    subscription_id: Optional[uuid.UUID] = Field(alias="subscription_id")
    subscription_reference: str = Field(alias="subscription_reference")
    total_minor: int = Field(alias="total_minor")
    updated_at: datetime.datetime = Field(alias="updated_at")

class PublicInvoicesInsert(TypedDict):
    attempts: NotRequired[Annotated[int, Field(alias="attempts")]]
    changed_at: Annotated[datetime.datetime, Field(alias="changed_at")]
    changed_by: NotRequired[Annotated[str, Field(alias="changed_by")]]
    charged_back_minor: NotRequired[Annotated[int, Field(alias="charged_back_minor")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    credited_minor: NotRequired[Annotated[int, Field(alias="credited_minor")]]
    currency: Annotated[str, Field(alias="currency")]
    hosted_url: NotRequired[Annotated[Optional[str], Field(alias="hosted_url")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    issued_at: Annotated[datetime.datetime, Field(alias="issued_at")]
    next_attempt_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="next_attempt_at")]]
    number: NotRequired[Annotated[Optional[str], Field(alias="number")]]
    owner_id: Annotated[uuid.UUID, Field(alias="owner_id")]
    paid_minor: NotRequired[Annotated[int, Field(alias="paid_minor")]]
    pdf_url: NotRequired[Annotated[Optional[str], Field(alias="pdf_url")]]
    period_end: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="period_end")]]
    period_start: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="period_start")]]
    provider: Annotated[str, Field(alias="provider")]
    reference: Annotated[str, Field(alias="reference")]
    refunded_minor: NotRequired[Annotated[int, Field(alias="refunded_minor")]]
    status: Annotated[str, Field(alias="status")]
    subscription_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="subscription_id")]]
    subscription_reference: Annotated[str, Field(alias="subscription_reference")]
    total_minor: Annotated[int, Field(alias="total_minor")]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]

class PublicInvoicesUpdate(TypedDict):
    attempts: NotRequired[Annotated[int, Field(alias="attempts")]]
    changed_at: NotRequired[Annotated[datetime.datetime, Field(alias="changed_at")]]
    changed_by: NotRequired[Annotated[str, Field(alias="changed_by")]]
    charged_back_minor: NotRequired[Annotated[int, Field(alias="charged_back_minor")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    credited_minor: NotRequired[Annotated[int, Field(alias="credited_minor")]]
    currency: NotRequired[Annotated[str, Field(alias="currency")]]
    hosted_url: NotRequired[Annotated[Optional[str], Field(alias="hosted_url")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    issued_at: NotRequired[Annotated[datetime.datetime, Field(alias="issued_at")]]
    next_attempt_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="next_attempt_at")]]
    number: NotRequired[Annotated[Optional[str], Field(alias="number")]]
    owner_id: NotRequired[Annotated[uuid.UUID, Field(alias="owner_id")]]
    paid_minor: NotRequired[Annotated[int, Field(alias="paid_minor")]]
    pdf_url: NotRequired[Annotated[Optional[str], Field(alias="pdf_url")]]
    period_end: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="period_end")]]
    period_start: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="period_start")]]
    provider: NotRequired[Annotated[str, Field(alias="provider")]]
    reference: NotRequired[Annotated[str, Field(alias="reference")]]
    refunded_minor: NotRequired[Annotated[int, Field(alias="refunded_minor")]]
    status: NotRequired[Annotated[str, Field(alias="status")]]
    subscription_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="subscription_id")]]
    subscription_reference: NotRequired[Annotated[str, Field(alias="subscription_reference")]]
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

class PublicOperatorApprovals(BaseModel):
    action: str = Field(alias="action")
    created_at: datetime.datetime = Field(alias="created_at")
    decided_at: Optional[datetime.datetime] = Field(alias="decided_at")
    decided_by: Optional[uuid.UUID] = Field(alias="decided_by")
    expires_at: datetime.datetime = Field(alias="expires_at")
    id: uuid.UUID = Field(alias="id")
    input: JsonValue = Field(alias="input")
    note: Optional[str] = Field(alias="note")
    owner_id: Optional[uuid.UUID] = Field(alias="owner_id")
    proposed_by: uuid.UUID = Field(alias="proposed_by")
    reason: str = Field(alias="reason")
    result: Optional[JsonValue] = Field(alias="result")
    status: str = Field(alias="status")
    subject_id: Optional[uuid.UUID] = Field(alias="subject_id")

class PublicOperatorApprovalsInsert(TypedDict):
    action: Annotated[str, Field(alias="action")]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    decided_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="decided_at")]]
    decided_by: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="decided_by")]]
    expires_at: Annotated[datetime.datetime, Field(alias="expires_at")]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    input: Annotated[JsonValue, Field(alias="input")]
    note: NotRequired[Annotated[Optional[str], Field(alias="note")]]
    owner_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="owner_id")]]
    proposed_by: Annotated[uuid.UUID, Field(alias="proposed_by")]
    reason: Annotated[str, Field(alias="reason")]
    result: NotRequired[Annotated[Optional[JsonValue], Field(alias="result")]]
    status: NotRequired[Annotated[str, Field(alias="status")]]
    subject_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="subject_id")]]

class PublicOperatorApprovalsUpdate(TypedDict):
    action: NotRequired[Annotated[str, Field(alias="action")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    decided_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="decided_at")]]
    decided_by: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="decided_by")]]
    expires_at: NotRequired[Annotated[datetime.datetime, Field(alias="expires_at")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    input: NotRequired[Annotated[JsonValue, Field(alias="input")]]
    note: NotRequired[Annotated[Optional[str], Field(alias="note")]]
    owner_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="owner_id")]]
    proposed_by: NotRequired[Annotated[uuid.UUID, Field(alias="proposed_by")]]
    reason: NotRequired[Annotated[str, Field(alias="reason")]]
    result: NotRequired[Annotated[Optional[JsonValue], Field(alias="result")]]
    status: NotRequired[Annotated[str, Field(alias="status")]]
    subject_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="subject_id")]]

class PublicOrders(BaseModel):
    amount_minor: int = Field(alias="amount_minor")
    booking_id: Optional[uuid.UUID] = Field(alias="booking_id")
    created_at: datetime.datetime = Field(alias="created_at")
    currency: str = Field(alias="currency")
    escrow_id: Optional[uuid.UUID] = Field(alias="escrow_id")
    id: uuid.UUID = Field(alias="id")
    paid_at: Optional[datetime.datetime] = Field(alias="paid_at")
    payer_country: Optional[str] = Field(alias="payer_country")
    payer_id: uuid.UUID = Field(alias="payer_id")
    payer_tax_id: Optional[str] = Field(alias="payer_tax_id")
    provider: Optional[str] = Field(alias="provider")
    provider_reference: Optional[str] = Field(alias="provider_reference")
    purpose: str = Field(alias="purpose")
    status: str = Field(alias="status")
    tax_bps: int = Field(alias="tax_bps")
    tax_minor: int = Field(alias="tax_minor")
    updated_at: datetime.datetime = Field(alias="updated_at")

class PublicOrdersInsert(TypedDict):
    amount_minor: Annotated[int, Field(alias="amount_minor")]
    booking_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="booking_id")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    currency: Annotated[str, Field(alias="currency")]
    escrow_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="escrow_id")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    paid_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="paid_at")]]
    payer_country: NotRequired[Annotated[Optional[str], Field(alias="payer_country")]]
    payer_id: Annotated[uuid.UUID, Field(alias="payer_id")]
    payer_tax_id: NotRequired[Annotated[Optional[str], Field(alias="payer_tax_id")]]
    provider: NotRequired[Annotated[Optional[str], Field(alias="provider")]]
    provider_reference: NotRequired[Annotated[Optional[str], Field(alias="provider_reference")]]
    purpose: Annotated[str, Field(alias="purpose")]
    status: NotRequired[Annotated[str, Field(alias="status")]]
    tax_bps: NotRequired[Annotated[int, Field(alias="tax_bps")]]
    tax_minor: NotRequired[Annotated[int, Field(alias="tax_minor")]]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]

class PublicOrdersUpdate(TypedDict):
    amount_minor: NotRequired[Annotated[int, Field(alias="amount_minor")]]
    booking_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="booking_id")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    currency: NotRequired[Annotated[str, Field(alias="currency")]]
    escrow_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="escrow_id")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    paid_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="paid_at")]]
    payer_country: NotRequired[Annotated[Optional[str], Field(alias="payer_country")]]
    payer_id: NotRequired[Annotated[uuid.UUID, Field(alias="payer_id")]]
    payer_tax_id: NotRequired[Annotated[Optional[str], Field(alias="payer_tax_id")]]
    provider: NotRequired[Annotated[Optional[str], Field(alias="provider")]]
    provider_reference: NotRequired[Annotated[Optional[str], Field(alias="provider_reference")]]
    purpose: NotRequired[Annotated[str, Field(alias="purpose")]]
    status: NotRequired[Annotated[str, Field(alias="status")]]
    tax_bps: NotRequired[Annotated[int, Field(alias="tax_bps")]]
    tax_minor: NotRequired[Annotated[int, Field(alias="tax_minor")]]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]

class PublicPaymentAttempts(BaseModel):
    approved_at: Optional[datetime.datetime] = Field(alias="approved_at")
    created_at: datetime.datetime = Field(alias="created_at")
    id: uuid.UUID = Field(alias="id")
    look_at: datetime.datetime = Field(alias="look_at")
    order_id: uuid.UUID = Field(alias="order_id")
    provider: str = Field(alias="provider")
    reason: Optional[str] = Field(alias="reason")
    reference: Optional[str] = Field(alias="reference")
    status: str = Field(alias="status")
    updated_at: datetime.datetime = Field(alias="updated_at")
    way: str = Field(alias="way")

class PublicPaymentAttemptsInsert(TypedDict):
    approved_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="approved_at")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    look_at: NotRequired[Annotated[datetime.datetime, Field(alias="look_at")]]
    order_id: Annotated[uuid.UUID, Field(alias="order_id")]
    provider: Annotated[str, Field(alias="provider")]
    reason: NotRequired[Annotated[Optional[str], Field(alias="reason")]]
    reference: NotRequired[Annotated[Optional[str], Field(alias="reference")]]
    status: NotRequired[Annotated[str, Field(alias="status")]]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]
    way: NotRequired[Annotated[str, Field(alias="way")]]

class PublicPaymentAttemptsUpdate(TypedDict):
    approved_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="approved_at")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    look_at: NotRequired[Annotated[datetime.datetime, Field(alias="look_at")]]
    order_id: NotRequired[Annotated[uuid.UUID, Field(alias="order_id")]]
    provider: NotRequired[Annotated[str, Field(alias="provider")]]
    reason: NotRequired[Annotated[Optional[str], Field(alias="reason")]]
    reference: NotRequired[Annotated[Optional[str], Field(alias="reference")]]
    status: NotRequired[Annotated[str, Field(alias="status")]]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]
    way: NotRequired[Annotated[str, Field(alias="way")]]

class PublicPaymentDisputes(BaseModel):
    amount_minor: int = Field(alias="amount_minor")
    created_at: datetime.datetime = Field(alias="created_at")
    currency: str = Field(alias="currency")
    due_at: Optional[datetime.datetime] = Field(alias="due_at")
    id: uuid.UUID = Field(alias="id")
    look_at: datetime.datetime = Field(alias="look_at")
    netted_minor: int = Field(alias="netted_minor")
    payer_id: uuid.UUID = Field(alias="payer_id")
    payment_id: uuid.UUID = Field(alias="payment_id")
    provider: str = Field(alias="provider")
    reason: str = Field(alias="reason")
    reference: str = Field(alias="reference")
    reservation_id: Optional[uuid.UUID] = Field(alias="reservation_id")
    status: str = Field(alias="status")
    updated_at: datetime.datetime = Field(alias="updated_at")

class PublicPaymentDisputesInsert(TypedDict):
    amount_minor: Annotated[int, Field(alias="amount_minor")]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    currency: Annotated[str, Field(alias="currency")]
    due_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="due_at")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    look_at: NotRequired[Annotated[datetime.datetime, Field(alias="look_at")]]
    netted_minor: NotRequired[Annotated[int, Field(alias="netted_minor")]]
    payer_id: Annotated[uuid.UUID, Field(alias="payer_id")]
    payment_id: Annotated[uuid.UUID, Field(alias="payment_id")]
    provider: Annotated[str, Field(alias="provider")]
    reason: Annotated[str, Field(alias="reason")]
    reference: Annotated[str, Field(alias="reference")]
    reservation_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="reservation_id")]]
    status: NotRequired[Annotated[str, Field(alias="status")]]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]

class PublicPaymentDisputesUpdate(TypedDict):
    amount_minor: NotRequired[Annotated[int, Field(alias="amount_minor")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    currency: NotRequired[Annotated[str, Field(alias="currency")]]
    due_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="due_at")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    look_at: NotRequired[Annotated[datetime.datetime, Field(alias="look_at")]]
    netted_minor: NotRequired[Annotated[int, Field(alias="netted_minor")]]
    payer_id: NotRequired[Annotated[uuid.UUID, Field(alias="payer_id")]]
    payment_id: NotRequired[Annotated[uuid.UUID, Field(alias="payment_id")]]
    provider: NotRequired[Annotated[str, Field(alias="provider")]]
    reason: NotRequired[Annotated[str, Field(alias="reason")]]
    reference: NotRequired[Annotated[str, Field(alias="reference")]]
    reservation_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="reservation_id")]]
    status: NotRequired[Annotated[str, Field(alias="status")]]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]

class PublicPaymentMethods(BaseModel):
    created_at: datetime.datetime = Field(alias="created_at")
    expires_on: Optional[datetime.date] = Field(alias="expires_on")
    id: uuid.UUID = Field(alias="id")
    is_default: bool = Field(alias="is_default")
    kind: str = Field(alias="kind")
    label: str = Field(alias="label")
    owner_id: uuid.UUID = Field(alias="owner_id")
    provider: str = Field(alias="provider")
    reference: str = Field(alias="reference")

class PublicPaymentMethodsInsert(TypedDict):
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    expires_on: NotRequired[Annotated[Optional[datetime.date], Field(alias="expires_on")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    is_default: NotRequired[Annotated[bool, Field(alias="is_default")]]
    kind: Annotated[str, Field(alias="kind")]
    label: Annotated[str, Field(alias="label")]
    owner_id: Annotated[uuid.UUID, Field(alias="owner_id")]
    provider: Annotated[str, Field(alias="provider")]
    reference: Annotated[str, Field(alias="reference")]

class PublicPaymentMethodsUpdate(TypedDict):
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    expires_on: NotRequired[Annotated[Optional[datetime.date], Field(alias="expires_on")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    is_default: NotRequired[Annotated[bool, Field(alias="is_default")]]
    kind: NotRequired[Annotated[str, Field(alias="kind")]]
    label: NotRequired[Annotated[str, Field(alias="label")]]
    owner_id: NotRequired[Annotated[uuid.UUID, Field(alias="owner_id")]]
    provider: NotRequired[Annotated[str, Field(alias="provider")]]
    reference: NotRequired[Annotated[str, Field(alias="reference")]]

class PublicPayments(BaseModel):
    amount_minor: int = Field(alias="amount_minor")
    applied_minor: int = Field(alias="applied_minor")
    charged_back_minor: int = Field(alias="charged_back_minor")
    created_at: datetime.datetime = Field(alias="created_at")
    currency: str = Field(alias="currency")
    id: uuid.UUID = Field(alias="id")
    note: Optional[str] = Field(alias="note")
    order_id: uuid.UUID = Field(alias="order_id")
    payer_id: uuid.UUID = Field(alias="payer_id")
    provider: str = Field(alias="provider")
    receipt_number: int = Field(alias="receipt_number")
    reference: str = Field(alias="reference")
    refunded_minor: int = Field(alias="refunded_minor")
    updated_at: datetime.datetime = Field(alias="updated_at")

class PublicPaymentsInsert(TypedDict):
    amount_minor: Annotated[int, Field(alias="amount_minor")]
    applied_minor: Annotated[int, Field(alias="applied_minor")]
    charged_back_minor: NotRequired[Annotated[int, Field(alias="charged_back_minor")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    currency: Annotated[str, Field(alias="currency")]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    note: NotRequired[Annotated[Optional[str], Field(alias="note")]]
    order_id: Annotated[uuid.UUID, Field(alias="order_id")]
    payer_id: Annotated[uuid.UUID, Field(alias="payer_id")]
    provider: Annotated[str, Field(alias="provider")]
    receipt_number: NotRequired[Annotated[int, Field(alias="receipt_number")]]
    reference: Annotated[str, Field(alias="reference")]
    refunded_minor: NotRequired[Annotated[int, Field(alias="refunded_minor")]]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]

class PublicPaymentsUpdate(TypedDict):
    amount_minor: NotRequired[Annotated[int, Field(alias="amount_minor")]]
    applied_minor: NotRequired[Annotated[int, Field(alias="applied_minor")]]
    charged_back_minor: NotRequired[Annotated[int, Field(alias="charged_back_minor")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    currency: NotRequired[Annotated[str, Field(alias="currency")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    note: NotRequired[Annotated[Optional[str], Field(alias="note")]]
    order_id: NotRequired[Annotated[uuid.UUID, Field(alias="order_id")]]
    payer_id: NotRequired[Annotated[uuid.UUID, Field(alias="payer_id")]]
    provider: NotRequired[Annotated[str, Field(alias="provider")]]
    receipt_number: NotRequired[Annotated[int, Field(alias="receipt_number")]]
    reference: NotRequired[Annotated[str, Field(alias="reference")]]
    refunded_minor: NotRequired[Annotated[int, Field(alias="refunded_minor")]]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]

class PublicPlanFeatures(BaseModel):
    allowed: Optional[int] = Field(alias="allowed")
    feature: str = Field(alias="feature")
    plan: str = Field(alias="plan")

class PublicPlanFeaturesInsert(TypedDict):
    allowed: NotRequired[Annotated[Optional[int], Field(alias="allowed")]]
    feature: Annotated[str, Field(alias="feature")]
    plan: Annotated[str, Field(alias="plan")]

class PublicPlanFeaturesUpdate(TypedDict):
    allowed: NotRequired[Annotated[Optional[int], Field(alias="allowed")]]
    feature: NotRequired[Annotated[str, Field(alias="feature")]]
    plan: NotRequired[Annotated[str, Field(alias="plan")]]

class PublicPlanPrices(BaseModel):
    amount_minor: int = Field(alias="amount_minor")
    created_at: datetime.datetime = Field(alias="created_at")
    currency: str = Field(alias="currency")
    id: uuid.UUID = Field(alias="id")
    is_sold: bool = Field(alias="is_sold")
    period: str = Field(alias="period")
    plan: str = Field(alias="plan")
    provider: str = Field(alias="provider")
    reference: Optional[str] = Field(alias="reference")

class PublicPlanPricesInsert(TypedDict):
    amount_minor: Annotated[int, Field(alias="amount_minor")]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    currency: Annotated[str, Field(alias="currency")]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    is_sold: NotRequired[Annotated[bool, Field(alias="is_sold")]]
    period: Annotated[str, Field(alias="period")]
    plan: Annotated[str, Field(alias="plan")]
    provider: NotRequired[Annotated[str, Field(alias="provider")]]
    reference: NotRequired[Annotated[Optional[str], Field(alias="reference")]]

class PublicPlanPricesUpdate(TypedDict):
    amount_minor: NotRequired[Annotated[int, Field(alias="amount_minor")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    currency: NotRequired[Annotated[str, Field(alias="currency")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    is_sold: NotRequired[Annotated[bool, Field(alias="is_sold")]]
    period: NotRequired[Annotated[str, Field(alias="period")]]
    plan: NotRequired[Annotated[str, Field(alias="plan")]]
    provider: NotRequired[Annotated[str, Field(alias="provider")]]
    reference: NotRequired[Annotated[Optional[str], Field(alias="reference")]]

class PublicPlans(BaseModel):
    created_at: datetime.datetime = Field(alias="created_at")
    description: str = Field(alias="description")
    is_premium: bool = Field(alias="is_premium")
    plan: str = Field(alias="plan")
    position: int = Field(alias="position")
    title: str = Field(alias="title")
    trial_days: int = Field(alias="trial_days")

class PublicPlansInsert(TypedDict):
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    description: NotRequired[Annotated[str, Field(alias="description")]]
    is_premium: NotRequired[Annotated[bool, Field(alias="is_premium")]]
    plan: Annotated[str, Field(alias="plan")]
    position: Annotated[int, Field(alias="position")]
    title: Annotated[str, Field(alias="title")]
    trial_days: NotRequired[Annotated[int, Field(alias="trial_days")]]

class PublicPlansUpdate(TypedDict):
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    description: NotRequired[Annotated[str, Field(alias="description")]]
    is_premium: NotRequired[Annotated[bool, Field(alias="is_premium")]]
    plan: NotRequired[Annotated[str, Field(alias="plan")]]
    position: NotRequired[Annotated[int, Field(alias="position")]]
    title: NotRequired[Annotated[str, Field(alias="title")]]
    trial_days: NotRequired[Annotated[int, Field(alias="trial_days")]]

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

class PublicRefunds(BaseModel):
    amount_minor: int = Field(alias="amount_minor")
    created_at: datetime.datetime = Field(alias="created_at")
    currency: str = Field(alias="currency")
    dispute_id: Optional[uuid.UUID] = Field(alias="dispute_id")
    id: uuid.UUID = Field(alias="id")
    idempotency_key: str = Field(alias="idempotency_key")
    look_at: datetime.datetime = Field(alias="look_at")
    note: Optional[str] = Field(alias="note")
    payer_id: uuid.UUID = Field(alias="payer_id")
    payment_id: uuid.UUID = Field(alias="payment_id")
    provider: str = Field(alias="provider")
    reason: str = Field(alias="reason")
    reference: Optional[str] = Field(alias="reference")
    reservation_id: Optional[uuid.UUID] = Field(alias="reservation_id")
    status: str = Field(alias="status")
    updated_at: datetime.datetime = Field(alias="updated_at")

class PublicRefundsInsert(TypedDict):
    amount_minor: Annotated[int, Field(alias="amount_minor")]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    currency: Annotated[str, Field(alias="currency")]
    dispute_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="dispute_id")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    idempotency_key: Annotated[str, Field(alias="idempotency_key")]
    look_at: NotRequired[Annotated[datetime.datetime, Field(alias="look_at")]]
    note: NotRequired[Annotated[Optional[str], Field(alias="note")]]
    payer_id: Annotated[uuid.UUID, Field(alias="payer_id")]
    payment_id: Annotated[uuid.UUID, Field(alias="payment_id")]
    provider: Annotated[str, Field(alias="provider")]
    reason: Annotated[str, Field(alias="reason")]
    reference: NotRequired[Annotated[Optional[str], Field(alias="reference")]]
    reservation_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="reservation_id")]]
    status: NotRequired[Annotated[str, Field(alias="status")]]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]

class PublicRefundsUpdate(TypedDict):
    amount_minor: NotRequired[Annotated[int, Field(alias="amount_minor")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    currency: NotRequired[Annotated[str, Field(alias="currency")]]
    dispute_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="dispute_id")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    idempotency_key: NotRequired[Annotated[str, Field(alias="idempotency_key")]]
    look_at: NotRequired[Annotated[datetime.datetime, Field(alias="look_at")]]
    note: NotRequired[Annotated[Optional[str], Field(alias="note")]]
    payer_id: NotRequired[Annotated[uuid.UUID, Field(alias="payer_id")]]
    payment_id: NotRequired[Annotated[uuid.UUID, Field(alias="payment_id")]]
    provider: NotRequired[Annotated[str, Field(alias="provider")]]
    reason: NotRequired[Annotated[str, Field(alias="reason")]]
    reference: NotRequired[Annotated[Optional[str], Field(alias="reference")]]
    reservation_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="reservation_id")]]
    status: NotRequired[Annotated[str, Field(alias="status")]]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]

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

class PublicSettlementBands(BaseModel):
    host_share_bps: int = Field(alias="host_share_bps")
    max_rating: int = Field(alias="max_rating")
    min_rating: int = Field(alias="min_rating")
    name: str = Field(alias="name")
    penalty_bps: int = Field(alias="penalty_bps")
    penalty_to: str = Field(alias="penalty_to")
    policy_version: int = Field(alias="policy_version")

class PublicSettlementBandsInsert(TypedDict):
    host_share_bps: Annotated[int, Field(alias="host_share_bps")]
    max_rating: Annotated[int, Field(alias="max_rating")]
    min_rating: Annotated[int, Field(alias="min_rating")]
    name: Annotated[str, Field(alias="name")]
    penalty_bps: Annotated[int, Field(alias="penalty_bps")]
    penalty_to: NotRequired[Annotated[str, Field(alias="penalty_to")]]
    policy_version: Annotated[int, Field(alias="policy_version")]

class PublicSettlementBandsUpdate(TypedDict):
    host_share_bps: NotRequired[Annotated[int, Field(alias="host_share_bps")]]
    max_rating: NotRequired[Annotated[int, Field(alias="max_rating")]]
    min_rating: NotRequired[Annotated[int, Field(alias="min_rating")]]
    name: NotRequired[Annotated[str, Field(alias="name")]]
    penalty_bps: NotRequired[Annotated[int, Field(alias="penalty_bps")]]
    penalty_to: NotRequired[Annotated[str, Field(alias="penalty_to")]]
    policy_version: NotRequired[Annotated[int, Field(alias="policy_version")]]

class PublicSettlementPolicies(BaseModel):
    book_ahead_days: int = Field(alias="book_ahead_days")
    created_at: datetime.datetime = Field(alias="created_at")
    hold_hours: int = Field(alias="hold_hours")
    no_show_minutes: int = Field(alias="no_show_minutes")
    objection_hours: int = Field(alias="objection_hours")
    pay_within_minutes: int = Field(alias="pay_within_minutes")
    unrated_rating: int = Field(alias="unrated_rating")
    version: int = Field(alias="version")

class PublicSettlementPoliciesInsert(TypedDict):
    book_ahead_days: NotRequired[Annotated[int, Field(alias="book_ahead_days")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    hold_hours: NotRequired[Annotated[int, Field(alias="hold_hours")]]
    no_show_minutes: NotRequired[Annotated[int, Field(alias="no_show_minutes")]]
    objection_hours: NotRequired[Annotated[int, Field(alias="objection_hours")]]
    pay_within_minutes: NotRequired[Annotated[int, Field(alias="pay_within_minutes")]]
    unrated_rating: NotRequired[Annotated[int, Field(alias="unrated_rating")]]
    version: Annotated[int, Field(alias="version")]

class PublicSettlementPoliciesUpdate(TypedDict):
    book_ahead_days: NotRequired[Annotated[int, Field(alias="book_ahead_days")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    hold_hours: NotRequired[Annotated[int, Field(alias="hold_hours")]]
    no_show_minutes: NotRequired[Annotated[int, Field(alias="no_show_minutes")]]
    objection_hours: NotRequired[Annotated[int, Field(alias="objection_hours")]]
    pay_within_minutes: NotRequired[Annotated[int, Field(alias="pay_within_minutes")]]
    unrated_rating: NotRequired[Annotated[int, Field(alias="unrated_rating")]]
    version: NotRequired[Annotated[int, Field(alias="version")]]

class PublicSubscriptions(BaseModel):
    cancel_at: Optional[datetime.datetime] = Field(alias="cancel_at")
    changed_at: datetime.datetime = Field(alias="changed_at")
    changed_by: str = Field(alias="changed_by")
    created_at: datetime.datetime = Field(alias="created_at")
    current_period_end: datetime.datetime = Field(alias="current_period_end")
    current_period_start: datetime.datetime = Field(alias="current_period_start")
    customer: Optional[str] = Field(alias="customer")
    end_reason: Optional[str] = Field(alias="end_reason")
    ended_at: Optional[datetime.datetime] = Field(alias="ended_at")
    id: uuid.UUID = Field(alias="id")
    is_extra: bool = Field(alias="is_extra")
    look_at: Optional[datetime.datetime] = Field(alias="look_at")
    next_price_id: Optional[uuid.UUID] = Field(alias="next_price_id")
    owner_id: uuid.UUID = Field(alias="owner_id")
    plan: str = Field(alias="plan")
    price_id: Optional[uuid.UUID] = Field(alias="price_id")
    provider: Optional[str] = Field(alias="provider")
    reference: Optional[str] = Field(alias="reference")
    started_at: datetime.datetime = Field(alias="started_at")
    status: str = Field(alias="status")
    trial_ends_at: Optional[datetime.datetime] = Field(alias="trial_ends_at")
    updated_at: datetime.datetime = Field(alias="updated_at")

class PublicSubscriptionsInsert(TypedDict):
    cancel_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="cancel_at")]]
    changed_at: Annotated[datetime.datetime, Field(alias="changed_at")]
    changed_by: NotRequired[Annotated[str, Field(alias="changed_by")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    current_period_end: Annotated[datetime.datetime, Field(alias="current_period_end")]
    current_period_start: Annotated[datetime.datetime, Field(alias="current_period_start")]
    customer: NotRequired[Annotated[Optional[str], Field(alias="customer")]]
    end_reason: NotRequired[Annotated[Optional[str], Field(alias="end_reason")]]
    ended_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="ended_at")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    is_extra: NotRequired[Annotated[bool, Field(alias="is_extra")]]
    look_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="look_at")]]
    next_price_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="next_price_id")]]
    owner_id: Annotated[uuid.UUID, Field(alias="owner_id")]
    plan: Annotated[str, Field(alias="plan")]
    price_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="price_id")]]
    provider: NotRequired[Annotated[Optional[str], Field(alias="provider")]]
    reference: NotRequired[Annotated[Optional[str], Field(alias="reference")]]
    started_at: Annotated[datetime.datetime, Field(alias="started_at")]
    status: Annotated[str, Field(alias="status")]
    trial_ends_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="trial_ends_at")]]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]

class PublicSubscriptionsUpdate(TypedDict):
    cancel_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="cancel_at")]]
    changed_at: NotRequired[Annotated[datetime.datetime, Field(alias="changed_at")]]
    changed_by: NotRequired[Annotated[str, Field(alias="changed_by")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    current_period_end: NotRequired[Annotated[datetime.datetime, Field(alias="current_period_end")]]
    current_period_start: NotRequired[Annotated[datetime.datetime, Field(alias="current_period_start")]]
    customer: NotRequired[Annotated[Optional[str], Field(alias="customer")]]
    end_reason: NotRequired[Annotated[Optional[str], Field(alias="end_reason")]]
    ended_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="ended_at")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    is_extra: NotRequired[Annotated[bool, Field(alias="is_extra")]]
    look_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="look_at")]]
    next_price_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="next_price_id")]]
    owner_id: NotRequired[Annotated[uuid.UUID, Field(alias="owner_id")]]
    plan: NotRequired[Annotated[str, Field(alias="plan")]]
    price_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="price_id")]]
    provider: NotRequired[Annotated[Optional[str], Field(alias="provider")]]
    reference: NotRequired[Annotated[Optional[str], Field(alias="reference")]]
    started_at: NotRequired[Annotated[datetime.datetime, Field(alias="started_at")]]
    status: NotRequired[Annotated[str, Field(alias="status")]]
    trial_ends_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="trial_ends_at")]]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]

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

class PublicWithdrawalEvents(BaseModel):
    actor_id: Optional[uuid.UUID] = Field(alias="actor_id")
    created_at: datetime.datetime = Field(alias="created_at")
    from_status: Optional[str] = Field(alias="from_status")
    id: int = Field(alias="id")
    reason: Optional[str] = Field(alias="reason")
    to_status: str = Field(alias="to_status")
    withdrawal_id: uuid.UUID = Field(alias="withdrawal_id")

class PublicWithdrawalEventsInsert(TypedDict):
    actor_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="actor_id")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    from_status: NotRequired[Annotated[Optional[str], Field(alias="from_status")]]
    id: NotRequired[Annotated[int, Field(alias="id")]]
    reason: NotRequired[Annotated[Optional[str], Field(alias="reason")]]
    to_status: Annotated[str, Field(alias="to_status")]
    withdrawal_id: Annotated[uuid.UUID, Field(alias="withdrawal_id")]

class PublicWithdrawalEventsUpdate(TypedDict):
    actor_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="actor_id")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    from_status: NotRequired[Annotated[Optional[str], Field(alias="from_status")]]
    id: NotRequired[Annotated[int, Field(alias="id")]]
    reason: NotRequired[Annotated[Optional[str], Field(alias="reason")]]
    to_status: NotRequired[Annotated[str, Field(alias="to_status")]]
    withdrawal_id: NotRequired[Annotated[uuid.UUID, Field(alias="withdrawal_id")]]

class PublicWithdrawalSchedules(BaseModel):
    cadence: str = Field(alias="cadence")
    created_at: datetime.datetime = Field(alias="created_at")
    currency: str = Field(alias="currency")
    minimum_minor: int = Field(alias="minimum_minor")
    next_at: Optional[datetime.datetime] = Field(alias="next_at")
    note: Optional[str] = Field(alias="note")
    owner_id: uuid.UUID = Field(alias="owner_id")
    updated_at: datetime.datetime = Field(alias="updated_at")

class PublicWithdrawalSchedulesInsert(TypedDict):
    cadence: Annotated[str, Field(alias="cadence")]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    currency: Annotated[str, Field(alias="currency")]
    minimum_minor: NotRequired[Annotated[int, Field(alias="minimum_minor")]]
    next_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="next_at")]]
    note: NotRequired[Annotated[Optional[str], Field(alias="note")]]
    owner_id: Annotated[uuid.UUID, Field(alias="owner_id")]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]

class PublicWithdrawalSchedulesUpdate(TypedDict):
    cadence: NotRequired[Annotated[str, Field(alias="cadence")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    currency: NotRequired[Annotated[str, Field(alias="currency")]]
    minimum_minor: NotRequired[Annotated[int, Field(alias="minimum_minor")]]
    next_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="next_at")]]
    note: NotRequired[Annotated[Optional[str], Field(alias="note")]]
    owner_id: NotRequired[Annotated[uuid.UUID, Field(alias="owner_id")]]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]

class PublicWithdrawalTransitions(BaseModel):
    from_status: str = Field(alias="from_status")
    to_status: str = Field(alias="to_status")

class PublicWithdrawalTransitionsInsert(TypedDict):
    from_status: Annotated[str, Field(alias="from_status")]
    to_status: Annotated[str, Field(alias="to_status")]

class PublicWithdrawalTransitionsUpdate(TypedDict):
    from_status: NotRequired[Annotated[str, Field(alias="from_status")]]
    to_status: NotRequired[Annotated[str, Field(alias="to_status")]]

class PublicWithdrawals(BaseModel):
    account_id: uuid.UUID = Field(alias="account_id")
    amount_minor: int = Field(alias="amount_minor")
    approval_id: Optional[uuid.UUID] = Field(alias="approval_id")
    created_at: datetime.datetime = Field(alias="created_at")
    currency: str = Field(alias="currency")
    fee_minor: Optional[int] = Field(alias="fee_minor")
    id: uuid.UUID = Field(alias="id")
    idempotency_key: str = Field(alias="idempotency_key")
    look_at: datetime.datetime = Field(alias="look_at")
    needs_approval: bool = Field(alias="needs_approval")
    note: Optional[str] = Field(alias="note")
    owner_id: uuid.UUID = Field(alias="owner_id")
    provider: str = Field(alias="provider")
    reference: Optional[str] = Field(alias="reference")
    reservation_id: Optional[uuid.UUID] = Field(alias="reservation_id")
    status: str = Field(alias="status")
    updated_at: datetime.datetime = Field(alias="updated_at")

class PublicWithdrawalsInsert(TypedDict):
    account_id: Annotated[uuid.UUID, Field(alias="account_id")]
    amount_minor: Annotated[int, Field(alias="amount_minor")]
    approval_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="approval_id")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    currency: Annotated[str, Field(alias="currency")]
    fee_minor: NotRequired[Annotated[Optional[int], Field(alias="fee_minor")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    idempotency_key: Annotated[str, Field(alias="idempotency_key")]
    look_at: NotRequired[Annotated[datetime.datetime, Field(alias="look_at")]]
    needs_approval: NotRequired[Annotated[bool, Field(alias="needs_approval")]]
    note: NotRequired[Annotated[Optional[str], Field(alias="note")]]
    owner_id: Annotated[uuid.UUID, Field(alias="owner_id")]
    provider: Annotated[str, Field(alias="provider")]
    reference: NotRequired[Annotated[Optional[str], Field(alias="reference")]]
    reservation_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="reservation_id")]]
    status: NotRequired[Annotated[str, Field(alias="status")]]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]

class PublicWithdrawalsUpdate(TypedDict):
    account_id: NotRequired[Annotated[uuid.UUID, Field(alias="account_id")]]
    amount_minor: NotRequired[Annotated[int, Field(alias="amount_minor")]]
    approval_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="approval_id")]]
    created_at: NotRequired[Annotated[datetime.datetime, Field(alias="created_at")]]
    currency: NotRequired[Annotated[str, Field(alias="currency")]]
    fee_minor: NotRequired[Annotated[Optional[int], Field(alias="fee_minor")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    idempotency_key: NotRequired[Annotated[str, Field(alias="idempotency_key")]]
    look_at: NotRequired[Annotated[datetime.datetime, Field(alias="look_at")]]
    needs_approval: NotRequired[Annotated[bool, Field(alias="needs_approval")]]
    note: NotRequired[Annotated[Optional[str], Field(alias="note")]]
    owner_id: NotRequired[Annotated[uuid.UUID, Field(alias="owner_id")]]
    provider: NotRequired[Annotated[str, Field(alias="provider")]]
    reference: NotRequired[Annotated[Optional[str], Field(alias="reference")]]
    reservation_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="reservation_id")]]
    status: NotRequired[Annotated[str, Field(alias="status")]]
    updated_at: NotRequired[Annotated[datetime.datetime, Field(alias="updated_at")]]

class PublicBillingMrr(BaseModel):
    currency: str = Field(alias="currency")
    ending: Optional[int] = Field(alias="ending")
    mrr_minor: Optional[int] = Field(alias="mrr_minor")
    past_due: Optional[int] = Field(alias="past_due")
    paying: Optional[int] = Field(alias="paying")
    plan: str = Field(alias="plan")
    trialing: Optional[int] = Field(alias="trialing")

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
