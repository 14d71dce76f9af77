"""`/verify`: a link that was clicked, or a code that was typed."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.responses import Response

from stack.auth.addresses import DUPLICATE, checked_email, checked_phone
from stack.auth.audit import record
from stack.auth.call import Call
from stack.auth.context import AuthContext
from stack.auth.errors import AuthError, forbidden, invalid, unprocessable
from stack.auth.flows import HASH_PREFIX, issue_code
from stack.auth.redirects import allowed_redirect, with_error, with_fragment, with_query
from stack.auth.routing import Door, answer, redirect
from stack.auth.sessions import issue_session
from stack.auth.signups import confirm_user, reread
from stack.auth.tokens import EMAIL_CHANGE, Found, Kind, find_code, find_token, forget_tokens
from stack.auth.users import (
    User,
    add_identity,
    change_identity_data,
    change_user,
    duplicate_of_email,
    refresh_providers,
)
from stack.core.database import Connection

ACCEPTED = "Confirmation link accepted. Please proceed to confirm link sent to the other email"
_KINDS = {
    "signup": (Kind.CONFIRMATION,),
    "invite": (Kind.CONFIRMATION,),
    "recovery": (Kind.RECOVERY,),
    "magiclink": (Kind.RECOVERY,),
    "email_change": EMAIL_CHANGE,
    "email": (Kind.CONFIRMATION, Kind.RECOVERY),
}
# what `amr` names after a flow that began in a browser
_METHODS = {
    "signup": "email/signup",
    "invite": "invite",
    "recovery": "recovery",
    "magiclink": "magiclink",
    "email_change": "email_change",
}


@dataclass(frozen=True, slots=True)
class Verified:
    """A used token. `user` is None while the other address has still to confirm a change."""

    user: User | None
    type: str


async def follow_link(auth: AuthContext, call: Call) -> Response:
    """A mail's link: back to the application with a session, a code or an error.

    Errors that concern the request itself are answered as JSON, 400.
    """
    given_type = call.query.get("type", "")
    hashed = call.query.get("token", "") or call.query.get("token_hash", "")
    auth.limits.check("token_verifications", call.visit.ip, hashed)
    if not given_type:
        raise invalid("Verify requires a verification type")
    if not hashed:
        raise invalid("Verify requires a token or a token hash")
    target = allowed_redirect(auth.settings, call.referrer)
    is_pkce = hashed.startswith(HASH_PREFIX)
    try:
        async with auth.transaction() as db:
            found = await _find_link(auth, db, hashed, given_type)
            verified = await _use(auth, db, found, given_type, call.visit.ip)
            if verified.user is None:
                return redirect(_with_message(target, is_pkce=is_pkce))
            if is_pkce:
                method = _METHODS[verified.type]
                code = await issue_code(db, verified.user.id, method)
                return redirect(with_query(target, {"code": code}))
            grant = await issue_session(auth, db, verified.user, method="otp", visit=call.visit)
            return redirect(with_fragment(target, grant.as_fragment(type=verified.type)))
    except AuthError as error:
        return redirect(with_error(target, error, in_query=is_pkce))


async def check_code(auth: AuthContext, call: Call) -> Response:
    """A code with its address, or a token hash: a session.

    Errors: 400 validation_failed; 403 otp_expired, user_banned.
    """
    fields = call.fields
    given_type = fields.text("type")
    code, hashed = fields.text("token"), fields.text("token_hash")
    email, phone = fields.text("email"), fields.text("phone")
    auth.limits.check("token_verifications", call.visit.ip, email.lower() or phone or hashed)
    if not given_type:
        raise invalid("Verify requires a verification type")
    if bool(code) == bool(hashed):
        raise invalid("Verify requires either a token or a token hash")
    if hashed and (email or phone or fields.text("redirect_to")):
        raise invalid("Only the token_hash and type should be provided")
    if checked_phone(phone) or given_type in ("sms", "phone_change"):
        # no code was ever sent to a phone from here
        raise forbidden("otp_expired", "Token has expired or is invalid")
    if code and not email:
        raise invalid("Only an email address or phone number should be provided on verify")
    async with auth.transaction() as db:
        if code:
            found = await _find_code(auth, db, checked_email(email), code, given_type)
        else:
            found = await _find_link(auth, db, hashed, given_type)
        verified = await _use(auth, db, found, given_type, call.visit.ip)
        if verified.user is None:
            return answer({"msg": ACCEPTED, "code": "200"})
        grant = await issue_session(auth, db, verified.user, method="otp", visit=call.visit)
    return answer(grant.as_json())


async def _find_link(auth: AuthContext, db: Connection, hashed: str, given_type: str) -> Found:
    found = await find_token(db, hashed, _kinds(given_type), expiry=auth.settings.otp_expiry)
    return _usable(found, "Email link is invalid or has expired")


async def _find_code(
    auth: AuthContext, db: Connection, email: str, code: str, given_type: str
) -> Found:
    kinds = _kinds(given_type)
    auth.limits.check_code(email)
    found = await find_code(db, email, code, kinds, expiry=auth.settings.otp_expiry)
    return _usable(found, "Token has expired or is invalid")


def _kinds(given_type: str) -> Sequence[Kind]:
    try:
        return _KINDS[given_type]
    except KeyError:
        raise invalid("Invalid email verification type") from None


def _usable(found: Found | None, message: str) -> Found:
    if found is None:
        raise forbidden("otp_expired", message)
    if found.user.is_banned:
        raise forbidden("user_banned", "User is banned")
    return found


async def _use(
    auth: AuthContext, db: Connection, found: Found, given_type: str, ip: str
) -> Verified:
    """Do what the token allows, once."""
    user = found.user
    match found.kind:
        case Kind.CONFIRMATION:
            true_type = "invite" if given_type == "invite" else "signup"
            user = await _accept_signup(db, user, ip)
        case Kind.RECOVERY:
            true_type = "recovery" if given_type == "recovery" else "magiclink"
            user = await _accept_recovery(db, user, ip)
        case _:
            true_type = "email_change"
            if await _needs_other_address(auth, db, found):
                return Verified(None, true_type)
            user = await accept_email_change(db, user, ip)
    return Verified(await refresh_providers(db, user.id), true_type)


async def _accept_signup(db: Connection, user: User, ip: str) -> User:
    action = "invite_accepted" if user.invited_at else "user_signedup"
    await record(db, user, action, ip=ip)
    return await confirm_user(db, user)


async def _accept_recovery(db: Connection, user: User, ip: str) -> User:
    await forget_tokens(db, user)
    if user.is_confirmed:
        await record(db, user, "login", ip=ip)
        return await reread(db, user)
    await record(db, user, "user_signedup", ip=ip)
    return await confirm_user(db, user)


async def _needs_other_address(auth: AuthContext, db: Connection, found: Found) -> bool:
    """Whether this was the first of two confirmations, which is noted."""
    user = found.user
    is_double = auth.settings.enable_confirmations and auth.settings.double_confirm_changes
    if not is_double or user.email_change_confirm_status != 0 or not user.email:
        return False
    await forget_tokens(db, user, [found.kind])
    await change_user(db, user.id, email_change_confirm_status=1)
    return True


async def accept_email_change(db: Connection, user: User, ip: str) -> User:
    """Make `email_change` the user's address, confirmed. Errors: 422 email_exists."""
    email = user.email_change or ""
    if await duplicate_of_email(db, email, besides=user.id) is not None:
        raise unprocessable("email_exists", DUPLICATE)
    await record(db, user, "user_modified", ip=ip)
    proven = {"email": email, "email_verified": True}
    if user.identity("email") is None:
        claims = {"sub": str(user.id), "phone_verified": False, **proven}
        await add_identity(db, user.id, "email", claims)
    else:
        await change_identity_data(db, user.id, "email", proven)
    await forget_tokens(db, user)
    user = await change_user(
        db,
        user.id,
        email=email,
        email_change="",
        email_change_confirm_status=0,
        is_anonymous=False,
    )
    return user if user.is_confirmed else await confirm_user(db, user)


def _with_message(target: str, *, is_pkce: bool) -> str:
    url = with_query(target, {"message": ACCEPTED}) if is_pkce else target
    return with_fragment(url, urlencode({"message": ACCEPTED}))


DOORS = (Door("GET", "/verify", follow_link), Door("POST", "/verify", check_code))
