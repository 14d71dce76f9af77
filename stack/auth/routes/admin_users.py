"""`/admin/users`: an administrator makes, reads, changes and removes users."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from starlette.responses import Response

from stack.auth.addresses import DUPLICATE, checked_email, checked_phone
from stack.auth.audit import record
from stack.auth.call import Call, Fields, as_uuid
from stack.auth.context import AuthContext
from stack.auth.errors import invalid, not_found, unprocessable
from stack.auth.paging import page_headers, read_page
from stack.auth.passwords import is_bcrypt_hash, random_password
from stack.auth.routes.user import set_password
from stack.auth.routing import Door, answer
from stack.auth.sessions import end_sessions
from stack.auth.settings import seconds
from stack.auth.signups import confirm_user, reread
from stack.auth.tokens import forget_tokens
from stack.auth.users import (
    AUDIENCE,
    NIL_UUID,
    User,
    add_identity,
    add_user,
    change_identity_data,
    change_user,
    duplicate_of_email,
    jsonb,
    merged,
    refresh_providers,
    user_by_id,
    user_json,
    users_page,
)
from stack.core.database import Connection
from stack.core.errors import StackError


async def list_users(auth: AuthContext, call: Call) -> Response:
    """A page of users, the newest first, with their number in headers."""
    call.require_admin(auth)
    page = read_page(call)
    async with auth.connection() as db:
        users, total = await users_page(
            db, page.limit, page.offset, search=call.query.get("filter", "")
        )
    return answer(
        {"users": [user_json(user) for user in users], "aud": AUDIENCE},
        headers=page_headers(call, page, total),
    )


async def create_user(auth: AuthContext, call: Call) -> Response:
    """A user, confirmed if told so; no mail is sent.

    Errors: 422 email_exists, phone_exists, user_already_exists; 400 validation_failed.
    """
    call.require_admin(auth)
    fields = call.fields
    email, phone = fields.text("email"), checked_phone(fields.text("phone"))
    if not email and not phone:
        raise invalid("Cannot create a user without either an email or phone")
    email = checked_email(email) if email else ""
    metadata = fields.object("user_metadata") or {}
    providers = [name for name, value in (("email", email), ("phone", phone)) if value]
    app_metadata = {"provider": providers[0], "providers": providers}
    app_metadata |= fields.object("app_metadata") or {}
    columns: dict[str, Any] = {"phone": phone or None}
    banned_until = _banned_until(fields)
    if banned_until is not None:
        columns["banned_until"] = banned_until
    user_id = _custom_id(fields.text("id"))
    encrypted = await _encrypted_password(auth, fields)
    async with auth.transaction() as db:
        if email and await duplicate_of_email(db, email) is not None:
            raise unprocessable("email_exists", DUPLICATE)
        if phone and await _is_taken(db, phone):
            raise unprocessable("phone_exists", "Phone number already registered by another user")
        try:
            user = await add_user(
                db,
                user_id=user_id,
                email=email or None,
                encrypted_password=encrypted,
                app_metadata=app_metadata,
                user_metadata=metadata,
                role=fields.text("role") or AUDIENCE,
                **columns,
            )
        except psycopg.errors.UniqueViolation as error:
            raise unprocessable(
                "user_already_exists" if user_id else "email_exists",
                "A user with this ID already exists" if user_id else DUPLICATE,
            ) from error
        for provider, claim in (("email", email), ("phone", phone)):
            if claim:
                await add_identity(db, user.id, provider, _claims(user, provider, claim))
        if email and fields.flag("email_confirm"):
            user = await confirm_user(db, user)
        if phone and fields.flag("phone_confirm"):
            user = await change_user(db, user.id, phone_confirmed_at=datetime.now(UTC))
        await record(db, None, "user_signedup", traits=_traits(user), ip=call.visit.ip)
        user = await reread(db, user)
    return answer(user_json(user))


async def get_user(auth: AuthContext, call: Call) -> Response:
    """Errors: 404 user_not_found."""
    call.require_admin(auth)
    async with auth.connection() as db:
        return answer(user_json(await wanted_user(db, call)))


async def update_user(auth: AuthContext, call: Call) -> Response:
    """Change anything of a user, at once and without a mail.

    Errors: 404 user_not_found; 422 email_exists, phone_exists, weak_password.
    """
    call.require_admin(auth)
    fields = call.fields
    email = checked_email(fields.text("email")) if fields.text("email") else ""
    phone = checked_phone(fields.text("phone"))
    password = fields.optional_text("password")
    bans = bool(fields.text("ban_duration"))
    banned_until = _banned_until(fields)
    encrypted = None
    if password is not None:
        auth.passwords.check_strength(password)
        encrypted = await auth.passwords.hash(password)
    async with auth.transaction() as db:
        user = await wanted_user(db, call)
        if email and await duplicate_of_email(db, email, besides=user.id) is not None:
            raise unprocessable("email_exists", DUPLICATE)
        if phone and phone != user.phone and await _is_taken(db, phone):
            raise unprocessable("phone_exists", "Phone number already registered by another user")
        if encrypted is not None:
            user = await set_password(db, user, encrypted)
        if email:
            user = await _set_login(db, user, "email", email, fields.flag("email_confirm"))
        if phone:
            user = await _set_login(db, user, "phone", phone, fields.flag("phone_confirm"))
        if fields.flag("email_confirm"):
            user = await confirm_user(db, user)
        if fields.flag("phone_confirm"):
            user = await change_user(db, user.id, phone_confirmed_at=datetime.now(UTC))
        columns: dict[str, Any] = {}
        if fields.text("role"):
            columns["role"] = fields.text("role")
        if (changes := fields.object("app_metadata")) is not None:
            columns["raw_app_meta_data"] = merged(user.raw_app_meta_data, changes)
        if (changes := fields.object("user_metadata")) is not None:
            columns["raw_user_meta_data"] = merged(user.raw_user_meta_data, changes)
        if bans:
            columns["banned_until"] = banned_until
        user = await change_user(db, user.id, **columns)
        await record(db, None, "user_modified", traits=_traits(user), ip=call.visit.ip)
    return answer(user_json(user))


async def delete_user(auth: AuthContext, call: Call) -> Response:
    """Remove a user; softly, the row stays with everything that names a person hashed.

    Errors: 404 user_not_found.
    """
    call.require_admin(auth)
    is_soft = call.fields.flag("should_soft_delete") if call.body else False
    async with auth.transaction() as db:
        user = await wanted_user(db, call)
        await record(db, None, "user_deleted", traits=_traits(user), ip=call.visit.ip)
        if not is_soft:
            await db.execute("delete from auth.users where id = %s", [user.id])
        elif user.deleted_at is None:
            await _delete_softly(db, user)
    return answer({})


async def wanted_user(db: Connection, call: Call) -> User:
    """The user whom the path names. Errors: 404 validation_failed, user_not_found."""
    user_id = as_uuid(
        call.request.path_params["user_id"],
        "validation_failed",
        "user_id must be an UUID",
    )
    user = await user_by_id(db, user_id)
    if user is None:
        raise not_found("user_not_found", "User not found")
    return user


def _custom_id(text: str) -> UUID | None:
    if not text:
        return None
    try:
        user_id = UUID(text)
    except ValueError:
        raise invalid("ID must conform to the uuid v4 format") from None
    if user_id == NIL_UUID:
        raise invalid("ID cannot be a nil uuid")
    return user_id


def _banned_until(fields: Fields) -> datetime | None:
    duration = fields.text("ban_duration")
    if duration in ("", "none"):
        return None
    try:
        length = seconds("ban_duration", duration)
        return datetime.now(UTC) + timedelta(seconds=length) if length else None
    except (StackError, OverflowError):
        raise invalid(
            f'invalid format for ban duration: time: invalid duration "{duration}"'
        ) from None


async def _encrypted_password(auth: AuthContext, fields: Fields) -> str:
    password, imported = fields.text("password"), fields.text("password_hash")
    if password and imported:
        raise invalid("Only a password or a password hash should be provided")
    if imported:
        if not is_bcrypt_hash(imported):
            raise invalid("Only bcrypt password hashes are supported")
        return imported
    if len(password.encode()) > 72:
        raise invalid("bcrypt: password length exceeds 72 bytes")
    return await auth.passwords.hash(password or random_password())


async def _is_taken(db: Connection, phone: str) -> bool:
    found = await db.execute("select from auth.users where phone = %s", [phone])
    return await found.fetchone() is not None


def _claims(user: User, provider: str, address: str) -> dict[str, Any]:
    return {
        "sub": str(user.id),
        "email_verified": False,
        "phone_verified": False,
        provider: address,
    }


async def _set_login(
    db: Connection, user: User, provider: str, address: str, is_verified: bool
) -> User:
    if user.identity(provider) is None:
        claims = _claims(user, provider, address) | {f"{provider}_verified": is_verified}
        await add_identity(db, user.id, provider, claims)
    else:
        await change_identity_data(
            db, user.id, provider, {provider: address, f"{provider}_verified": is_verified}
        )
    user = await change_user(
        db,
        user.id,
        **{provider: address},
        is_anonymous=user.is_anonymous and not is_verified,
    )
    return await refresh_providers(db, user.id)


async def _delete_softly(db: Connection, user: User) -> None:
    await forget_tokens(db, user)
    await end_sessions(db, user.id)
    await change_user(
        db,
        user.id,
        email=_obfuscated(user, user.email),
        phone=(_obfuscated(user, user.phone) or "")[:15] or None,
        email_change=_obfuscated(user, user.email_change) or "",
        encrypted_password="",
        raw_user_meta_data=jsonb({}),
        raw_app_meta_data=jsonb({}),
        deleted_at=datetime.now(UTC),
    )
    for row in user.identities:
        await db.execute(
            "update auth.identities set provider_id = %s, identity_data = '{}', updated_at = now()"
            " where id = %s",
            [_obfuscated(user, row["provider_id"]), row["id"]],
        )


def _obfuscated(user: User, value: str | None) -> str | None:
    if not value:
        return None
    digest = hashlib.sha256(f"{user.id}{value}".encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _traits(user: User) -> dict[str, Any]:
    return {
        "user_id": str(user.id),
        "user_email": user.email or "",
        "user_phone": user.phone or "",
    }


DOORS = (
    Door("GET", "/admin/users", list_users),
    Door("POST", "/admin/users", create_user),
    Door("GET", "/admin/users/{user_id}", get_user),
    Door("PUT", "/admin/users/{user_id}", update_user),
    Door("DELETE", "/admin/users/{user_id}", delete_user),
)
