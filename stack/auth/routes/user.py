"""`/user` and `/logout`: what signed-in people do with their own account."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from starlette.responses import Response

from stack.auth.addresses import DUPLICATE, checked_email
from stack.auth.audit import record
from stack.auth.call import Call, SignedIn
from stack.auth.context import AuthContext
from stack.auth.errors import AuthError, bad_request, forbidden, invalid, unprocessable
from stack.auth.flows import begin_flow, check_challenge
from stack.auth.mail import Letter
from stack.auth.notices import write_email_change
from stack.auth.redirects import allowed_redirect
from stack.auth.routes.verify import accept_email_change
from stack.auth.routing import Door, answer
from stack.auth.sessions import end_session, end_sessions
from stack.auth.signups import reread
from stack.auth.tokens import Kind, find_code, forget_tokens
from stack.auth.users import (
    AUDIENCE,
    User,
    change_user,
    duplicate_of_email,
    merged,
    user_json,
)
from stack.core.database import Connection

_FRESH = timedelta(hours=24)  # a sign-in this recent stands for a re-authentication


async def get_user(auth: AuthContext, call: Call) -> Response:
    """The caller's own row. Errors: as Call.require_user."""
    signed_in = await call.require_user(auth)
    audience = signed_in.claims.get("aud")
    if AUDIENCE not in (audience if isinstance(audience, list) else [audience]):
        raise invalid("Token audience doesn't match request audience")
    return answer(user_json(signed_in.user))


async def update_user(auth: AuthContext, call: Call) -> Response:
    """Change password, address or metadata. A new address must be confirmed first.

    Errors: 422 same_password, email_exists, weak_password, validation_failed; 400
    reauthentication_needed, validation_failed, phone_provider_disabled; 401 insufficient_aal;
    403 not_admin.
    """
    signed_in = await call.require_user(auth)
    user, fields = signed_in.user, call.fields
    email = checked_email(fields.text("email")) if fields.text("email") else ""
    password = fields.optional_text("password")
    metadata = fields.object("data")
    check_challenge(fields.text("code_challenge"), fields.text("code_challenge_method"))
    if password is not None:
        auth.passwords.check_strength(password)
    if fields.object("app_metadata") is not None:
        raise forbidden("not_admin", "Updating app_metadata requires admin privileges")
    if fields.text("phone") not in ("", user.phone or ""):
        raise bad_request("phone_provider_disabled", "Phone logins are disabled")
    new_email = email if email != (user.email or "") else ""
    _check_rights(signed_in, new_email, password)
    encrypted = None
    if password is not None:
        if user.encrypted_password and await auth.passwords.matches(
            password, user.encrypted_password
        ):
            raise unprocessable(
                "same_password", "New password should be different from the old password."
            )
        encrypted = await auth.passwords.hash(password)
    letters: list[Letter] = []
    async with auth.transaction() as db:
        if new_email and await duplicate_of_email(db, new_email, besides=user.id) is not None:
            raise unprocessable("email_exists", DUPLICATE)
        if encrypted is not None:
            await _check_reauthentication(auth, db, signed_in, fields.text("nonce"))
            user = await set_password(
                db, user, encrypted, keeps=signed_in.session.id if signed_in.session else None
            )
            await record(db, user, "user_updated_password", ip=call.visit.ip)
        if metadata is not None:
            user = await change_user(
                db, user.id, raw_user_meta_data=merged(user.raw_user_meta_data, metadata)
            )
        if new_email:
            user, letters = await _change_email(auth, call, db, user, new_email)
        await record(db, user, "user_modified", ip=call.visit.ip)
        user = await reread(db, user)
    await auth.post.deliver(letters)
    return answer(user_json(user))


async def set_password(
    db: Connection, user: User, encrypted: str, *, keeps: UUID | None = None
) -> User:
    """Store a password hash. Codes under way are forgotten, all other sessions end."""
    await forget_tokens(db, user)
    await end_sessions(db, user.id, besides=keeps)
    return await change_user(
        db,
        user.id,
        encrypted_password=encrypted,
        confirmation_sent_at=None,
        recovery_sent_at=None,
        email_change_sent_at=None,
        reauthentication_sent_at=None,
    )


async def logout(auth: AuthContext, call: Call) -> Response:
    """End sessions: `global` all of the user's, `local` this one, `others` all but this one.

    Errors: 400 validation_failed for another scope.
    """
    scope = call.query.get("scope", "global") or "global"
    if scope not in ("global", "local", "others"):
        raise invalid(f'Unsupported logout scope "{scope}"')
    signed_in = await call.require_user(auth)
    session = signed_in.session
    async with auth.transaction() as db:
        await record(db, signed_in.user, "logout", ip=call.visit.ip)
        if session is None or scope == "global":
            await end_sessions(db, signed_in.user.id)
        elif scope == "local":
            await end_session(db, session.id)
        else:
            await end_sessions(db, signed_in.user.id, besides=session.id)
    return Response(status_code=204)


def _check_rights(signed_in: SignedIn, new_email: str, password: str | None) -> None:
    user, session = signed_in.user, signed_in.session
    changes_login = bool(password or new_email)
    if changes_login and user.has_verified_factor and not (session and session.aal == "aal2"):
        raise AuthError(
            401,
            "insufficient_aal",
            "AAL2 session is required to update email or password when MFA is enabled.",
        )
    if user.is_anonymous and password and not new_email:
        raise unprocessable(
            "validation_failed",
            "Updating password of an anonymous user without an email or phone is not allowed",
        )
    if user.is_sso_user and changes_login:
        raise unprocessable(
            "user_sso_managed",
            "Updating email, phone, password of a SSO account only possible via SSO",
        )


async def _check_reauthentication(
    auth: AuthContext, db: Connection, signed_in: SignedIn, nonce: str
) -> None:
    if not auth.settings.secure_password_change:
        return
    session = signed_in.session
    if session is not None and datetime.now(UTC) < session.created_at + _FRESH:
        return
    if not nonce:
        raise bad_request("reauthentication_needed", "Password update requires reauthentication")
    user = signed_in.user
    auth.limits.check_code(user.email or "")
    found = await find_code(
        db, user.email or "", nonce, [Kind.REAUTHENTICATION], expiry=auth.settings.otp_expiry
    )
    if found is None or found.user.id != user.id:
        raise unprocessable("reauthentication_not_valid", "Nonce has expired or is invalid")


async def _change_email(
    auth: AuthContext, call: Call, db: Connection, user: User, new_email: str
) -> tuple[User, list[Letter]]:
    if user.is_anonymous and not auth.settings.enable_confirmations:
        # like signing up, where addresses need no proof
        user = await change_user(db, user.id, email_change=new_email)
        return await accept_email_change(db, user, call.visit.ip), []
    challenge = call.fields.text("code_challenge")
    if challenge:
        await begin_flow(
            db,
            provider="email_change",
            method="email_change",
            challenge=challenge,
            challenge_method=call.fields.text("code_challenge_method"),
            user_id=user.id,
        )
    return await write_email_change(
        auth,
        db,
        user,
        new_email,
        allowed_redirect(auth.settings, call.referrer),
        is_pkce=bool(challenge),
    )


DOORS = (
    Door("GET", "/user", get_user),
    Door("PUT", "/user", update_user),
    Door("POST", "/logout", logout),
)
