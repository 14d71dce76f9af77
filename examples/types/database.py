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

class PublicOrders(BaseModel):
    amount_minor: int = Field(alias="amount_minor")
    created_at: datetime.datetime = Field(alias="created_at")
    currency: str = Field(alias="currency")
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
