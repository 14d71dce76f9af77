"""Making users: what a sign-up, an invitation, an OTP for a stranger have in common."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from stack.auth.context import AuthContext
from stack.auth.sessions import Visit
from stack.auth.tokens import forget_tokens
from stack.auth.users import (
    AUDIENCE,
    Json,
    User,
    add_identity,
    add_user,
    change_identity_data,
    change_user,
    merged,
    timestamp,
    user_by_id,
    user_json,
)
from stack.core.database import Connection


async def lock_address(db: Connection, email: str) -> None:
    """Let sign-ups of one address pass one after another, until the transaction ends."""
    await db.execute("select pg_advisory_xact_lock(hashtextextended(%s, 20))", [email])


async def sign_up_email_user(
    auth: AuthContext,
    db: Connection,
    *,
    email: str,
    encrypted_password: str | None,
    metadata: Mapping[str, Any],
    visit: Visit,
    is_own_claim: bool = False,
) -> User:
    """A new, unconfirmed user with an e-mail identity.

    `is_own_claim`: they came by themselves, so that their metadata is kept as what the identity
    claims, and the other way round, as GoTrue does. Errors: AuthError of a hook.
    """
    user_id = uuid4()
    claims = {
        "sub": str(user_id),
        "email": email,
        "email_verified": False,
        "phone_verified": False,
    }
    data = {**metadata, **claims} if is_own_claim else metadata
    app_metadata = {"provider": "email", "providers": ["email"]}
    await ask_before_user_created(
        auth, db, email=email, app_metadata=app_metadata, user_metadata=data, visit=visit
    )
    user = await add_user(
        db,
        user_id=user_id,
        email=email,
        encrypted_password=encrypted_password,
        app_metadata=app_metadata,
        user_metadata=data,
    )
    await add_identity(db, user.id, "email", data if is_own_claim else claims)
    return await reread(db, user)


async def sign_up_phone_user(
    auth: AuthContext,
    db: Connection,
    *,
    phone: str,
    encrypted_password: str,
    metadata: Mapping[str, Any],
    visit: Visit,
) -> User:
    """A new user with a phone identity, confirmed: nothing can be sent to the phone from here.

    Errors: AuthError of a hook; psycopg's UniqueViolation when the number is taken.
    """
    user_id = uuid4()
    claims = {
        "sub": str(user_id),
        "phone": phone,
        "email_verified": False,
        "phone_verified": False,
    }
    data = {**metadata, **claims}
    app_metadata = {"provider": "phone", "providers": ["phone"]}
    await ask_before_user_created(
        auth, db, email="", app_metadata=app_metadata, user_metadata=data, visit=visit
    )
    user = await add_user(
        db,
        user_id=user_id,
        email=None,
        encrypted_password=encrypted_password,
        app_metadata=app_metadata,
        user_metadata=data,
        phone=phone,
        phone_confirmed_at=datetime.now(UTC),
    )
    await add_identity(db, user.id, "phone", data)
    return await reread(db, user)


async def sign_up_anonymous_user(
    auth: AuthContext, db: Connection, metadata: Mapping[str, Any], visit: Visit
) -> User:
    """A new user without any identity. Errors: AuthError of a hook."""
    await ask_before_user_created(
        auth, db, email="", app_metadata={}, user_metadata=metadata, visit=visit, is_anonymous=True
    )
    return await add_user(
        db, email=None, app_metadata={}, user_metadata=metadata, is_anonymous=True
    )


async def ask_before_user_created(
    auth: AuthContext,
    db: Connection,
    *,
    email: str,
    app_metadata: Mapping[str, Any],
    user_metadata: Mapping[str, Any],
    visit: Visit,
    is_anonymous: bool = False,
) -> None:
    """Let the project's hook refuse a user who is about to be made. Errors: AuthError."""
    if not auth.hooks.is_enabled("before_user_created"):
        return
    now = timestamp(datetime.now(UTC))
    await auth.hooks.ask(
        db,
        "before_user_created",
        {
            "metadata": {
                "uuid": str(uuid4()),
                "time": now,
                "name": "before-user-created",
                "ip_address": visit.ip,
            },
            "user": {
                "id": str(uuid4()),
                "aud": AUDIENCE,
                "role": "",
                "email": email,
                "phone": "",
                "app_metadata": app_metadata,
                "user_metadata": user_metadata,
                "identities": [],
                "created_at": now,
                "updated_at": now,
                "is_anonymous": is_anonymous,
            },
        },
    )


async def confirm_user(db: Connection, user: User) -> User:
    """Note that the user owns their address. All tokens waiting for them are forgotten."""
    await forget_tokens(db, user)
    user = await change_user(
        db,
        user.id,
        email_confirmed_at=datetime.now(UTC),
        raw_user_meta_data=merged(user.raw_user_meta_data, {"email_verified": True}),
    )
    identity = user.identity("email")
    if identity and identity["email"] == (user.email or "").lower():
        await change_identity_data(db, user.id, "email", {"email_verified": True})
    return await reread(db, user)


async def reread(db: Connection, user: User) -> User:
    """The user as the row is now, after triggers. Errors: LookupError."""
    found = await user_by_id(db, user.id)
    if found is None:
        raise LookupError(f"user {user.id} is gone")
    return found


def obfuscated_user(email: str, metadata: Mapping[str, Any]) -> Json:
    """What a sign-up with a registered address answers: the same shape, and nobody's data."""
    now = timestamp(datetime.now(UTC))
    return {
        "id": str(uuid4()),
        "aud": AUDIENCE,
        "role": "",
        "email": email,
        "phone": "",
        "confirmation_sent_at": now,
        "app_metadata": {"provider": "email", "providers": ["email"]},
        "user_metadata": dict(metadata),
        "identities": [],
        "created_at": now,
        "updated_at": now,
        "is_anonymous": False,
    }


def shown_to_stranger(user: User) -> Json:
    """An invited user's row, for someone who only knows the address."""
    shown = user_json(user)
    if user.invited_at is not None:
        shown |= {"user_metadata": {}, "identities": []}
    return shown
