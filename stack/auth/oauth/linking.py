"""Whose account a profile opens: a known one, one that shares a verified address, or a new one.

Source: supabase/auth, models/linking.go, external.go, identity.go. Two doors that stand open there
are shut here: only what the provider has verified may lead to an account that exists (there, any
address does while confirmations are off), and addresses of identities count only if verified.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import psycopg

from stack.auth.audit import record
from stack.auth.errors import AuthError, bad_request, forbidden, unprocessable
from stack.auth.mail import Letter
from stack.auth.notices import write_confirmation
from stack.auth.oauth.profiles import Profile
from stack.auth.sessions import Visit
from stack.auth.signups import ask_before_user_created, confirm_user, lock_address
from stack.auth.users import (
    AUDIENCE,
    Json,
    User,
    add_identity,
    add_user,
    change_user,
    duplicate_of_email,
    jsonb,
    merged,
    refresh_providers,
    user_by_id,
    user_by_identity,
)
from stack.core.database import Connection

if TYPE_CHECKING:
    from stack.auth.context import AuthContext


@dataclass(frozen=True, slots=True)
class Opened:
    """What came of a profile.

    With a `refusal` the changes are kept, the letters are sent, and the request fails with it.
    """

    user: User
    letters: Sequence[Letter] = ()
    refusal: AuthError | None = None


async def open_account(
    auth: "AuthContext",
    db: Connection,
    provider: str,
    profile: Profile,
    *,
    visit: Visit,
    redirect_to: str,
    traits: Json | None = None,
    email_optional: bool = False,
) -> Opened:
    """The account that `profile` signs in to, made or linked if need be. In a transaction.

    `traits`: further facts for the audit log. Errors: 422 signup_disabled, 403 user_banned, 500
    when several accounts share the address; AuthError of the before_user_created hook.
    """
    data = profile.identity_data()
    # the user's row before the identity's, as everywhere: two at once would wait for each other
    user = await user_by_identity(db, provider, profile.subject, lock=True)
    if user is not None:
        await _renew_identity(db, provider, profile.subject, data)
        user = await _adopt(db, user, data)
    elif (user := await _owner_of(db, profile.verified_addresses)) is not None:
        await add_identity(db, user.id, provider, data)
        user = await _adopt(db, user, data)
    else:
        user = await _new_account(auth, db, provider, profile, data=data, visit=visit)
    if user.is_banned:
        raise forbidden("user_banned", "User is banned")
    told = {"provider": provider, **(traits or {})}
    knows_email = bool(profile.email) or not email_optional
    if user.is_confirmed or not knows_email:
        await record(db, user, "login", traits=told, ip=visit.ip)
        return Opened(user)
    if auth.settings.enable_confirmations and not _is_proven(user, profile):
        return await _ask_for_proof(auth, db, user, provider, redirect_to)
    user = await _forget_unproven(db, user, provider, profile.subject, data)
    await record(db, user, "user_signedup", traits=told, ip=visit.ip)
    return Opened(await confirm_user(db, user))


async def link_account(
    auth: "AuthContext",
    db: Connection,
    user_id: UUID,
    provider: str,
    profile: Profile,
    *,
    redirect_to: str,
) -> Opened:
    """Add `profile` to an account whose owner asked for it. In a transaction.

    Errors: 422 identity_already_exists, user_not_found; 403 user_banned; 400 email_exists.
    """
    user = await user_by_id(db, user_id, lock=True)
    if user is None or user.deleted_at is not None:
        raise unprocessable("user_not_found", "Linking target user not found")
    if user.is_banned:
        raise forbidden("user_banned", "User is banned")
    owner = await user_by_identity(db, provider, profile.subject)
    if owner is not None:
        whose = "" if owner.id == user.id else " to another user"
        raise unprocessable("identity_already_exists", f"Identity is already linked{whose}")
    await add_identity(db, user.id, provider, profile.identity_data())
    email = profile.email
    if not user.email and email is not None:
        address = email.address.lower()
        if await duplicate_of_email(db, address, besides=user.id) is not None:
            raise _email_taken()
        try:
            user = await change_user(db, user.id, email=address)
        except psycopg.errors.UniqueViolation:
            raise _email_taken() from None
        if not email.is_verified:
            user = await refresh_providers(db, user.id)
            user, letters = await write_confirmation(auth, db, user, redirect_to, is_pkce=False)
            message = (
                f"Unverified email with {provider}. A confirmation email has been sent to your"
                f" {provider} email"
            )
            return Opened(user, letters, unprocessable("email_not_confirmed", message))
        user = await confirm_user(db, user)
    if user.is_anonymous:
        await change_user(db, user.id, is_anonymous=False)
    return Opened(await refresh_providers(db, user.id))


async def _owner_of(db: Connection, addresses: Sequence[str]) -> User | None:
    """The account that any of these addresses, all verified, belongs to.

    Errors: 500 when they belong to several.
    """
    if not addresses:
        return None
    rows = await db.execute(
        "select id from auth.users where lower(email) = any(%(emails)s) and not is_sso_user"
        " and aud = %(aud)s"
        " union select i.user_id from auth.identities as i join auth.users as u on u.id = i.user_id"
        " where i.email = any(%(emails)s) and i.provider not like 'sso:%%' and not u.is_sso_user"
        " and i.identity_data -> 'email_verified' = 'true'",
        {"emails": list(addresses), "aud": AUDIENCE},
    )
    owners = [row[0] async for row in rows]
    if len(owners) > 1:
        raise AuthError(
            500,
            "unexpected_failure",
            "Multiple accounts with the same email address in the same linking domain detected:"
            " default",
        )
    return await user_by_id(db, owners[0], lock=True) if owners else None


async def _new_account(
    auth: "AuthContext",
    db: Connection,
    provider: str,
    profile: Profile,
    *,
    data: Json,
    visit: Visit,
) -> User:
    if not auth.settings.enable_signup:
        raise unprocessable("signup_disabled", "Signups not allowed for this instance")
    email = profile.email.address.lower() if profile.email else None
    if email:
        await lock_address(db, email)
    if email and await duplicate_of_email(db, email) is not None:
        email = None  # only claimed here, and somebody else's there
    app_metadata = {"provider": provider, "providers": [provider]}
    await ask_before_user_created(
        auth, db, email=email or "", app_metadata=app_metadata, user_metadata=data, visit=visit
    )
    user = await add_user(db, email=email, app_metadata=app_metadata, user_metadata=data)
    await add_identity(db, user.id, provider, data)
    return await refresh_providers(db, user.id)


async def _renew_identity(db: Connection, provider: str, subject: str, data: Json) -> None:
    await db.execute(
        "update auth.identities set identity_data = %s, last_sign_in_at = now(),"
        " updated_at = now() where provider = %s and provider_id = %s",
        [jsonb(data), provider, subject],
    )


async def _adopt(db: Connection, user: User, data: Json) -> User:
    """Take the provider's data over into the user's metadata."""
    await change_user(db, user.id, raw_user_meta_data=merged(user.raw_user_meta_data, data))
    return await refresh_providers(db, user.id)


async def _forget_unproven(
    db: Connection, user: User, provider: str, subject: str, data: Json
) -> User:
    """Leave an unconfirmed account nothing but this identity.

    Whoever else made it, with a password or an identity of theirs, must not share it with the
    address's owner.
    """
    await db.execute(
        "delete from auth.identities where user_id = %s and (provider, provider_id) <> (%s, %s)",
        [user.id, provider, subject],
    )
    await db.execute("delete from auth.sessions where user_id = %s", [user.id])
    await change_user(db, user.id, encrypted_password="", raw_user_meta_data=jsonb(data))
    return await refresh_providers(db, user.id)


def _is_proven(user: User, profile: Profile) -> bool:
    """Whether the provider has verified the very address the account goes by, if it has one."""
    return bool(profile.verified_addresses) and (
        not user.email or user.email.lower() in profile.verified_addresses
    )


async def _ask_for_proof(
    auth: "AuthContext", db: Connection, user: User, provider: str, redirect_to: str
) -> Opened:
    refused = "provider_email_needs_verification"
    if not user.email:
        message = (
            f"Unverified email with {provider}. Verify the email with {provider} in order to"
            " sign in"
        )
        return Opened(user, (), unprocessable(refused, message))
    user, letters = await write_confirmation(auth, db, user, redirect_to, is_pkce=False)
    message = (
        f"Unverified email with {provider}. A confirmation email has been sent to your"
        f" {provider} email"
    )
    return Opened(user, letters, unprocessable(refused, message))


def _email_taken() -> AuthError:
    return bad_request("email_exists", "A user with this email address has already been registered")
