"""`POST /token`: credentials of any kind for a session."""

from collections.abc import Mapping

from starlette.responses import Response

from stack.auth.addresses import account_of, refuse_captcha
from stack.auth.audit import record
from stack.auth.call import Call
from stack.auth.context import AuthContext
from stack.auth.errors import (
    AuthError,
    OAuthError,
    WeakPassword,
    bad_request,
    invalid,
    unprocessable,
)
from stack.auth.flows import redeem_code
from stack.auth.oauth.id_token_grant import id_token_grant
from stack.auth.refreshing import refresh
from stack.auth.routing import Door, Handler, answer
from stack.auth.sessions import end_sessions, issue_session
from stack.auth.users import Json, User, user_by_email, user_by_id, user_by_phone
from stack.auth.web3.grant import web3_grant

INVALID = "Invalid login credentials"
HOOK_REJECTION = "Further password verification attempts will be rejected."


async def token(auth: AuthContext, call: Call) -> Response:
    """Dispatch by `grant_type`."""
    grant = GRANTS.get(call.query.get("grant_type", ""))
    if grant is None:
        raise bad_request("invalid_credentials", "unsupported_grant_type")
    return await grant(auth, call)


async def password_grant(auth: AuthContext, call: Call) -> Response:
    """Sign in by address and password.

    A wrong password and an unknown address get the same answer after the same time.
    Errors: 400 invalid_credentials, email_not_confirmed, user_banned; 422 email_provider_disabled.
    """
    refuse_captcha(auth, call)
    auth.limits.check("sign_in_sign_ups", call.visit.ip, account_of(call))
    email, phone = call.fields.text("email").lower(), call.fields.text("phone")
    password = call.fields.text("password")
    if email and phone:
        raise invalid("Only an email address or phone number should be provided on login.")
    if phone and not auth.settings.phone_enabled:
        raise unprocessable("phone_provider_disabled", "Phone logins are disabled")
    if not email and not phone:
        raise invalid("missing email or phone")
    if email and not auth.settings.email_enabled:
        raise unprocessable("email_provider_disabled", "Email logins are disabled")
    async with auth.connection() as db:
        if email:
            user = await user_by_email(db, email)
        else:
            user = await user_by_phone(db, phone.strip().removeprefix("+").replace(" ", ""))
    is_valid = await auth.passwords.matches(password, user.encrypted_password if user else None)
    if user is None:
        raise bad_request("invalid_credentials", INVALID)
    await _ask_hook(auth, user, is_valid)
    if not is_valid:
        raise bad_request("invalid_credentials", INVALID)
    if user.is_banned:
        raise bad_request("user_banned", "User is banned")
    if email and not user.is_confirmed:
        raise bad_request("email_not_confirmed", "Email not confirmed")
    if phone and user.phone_confirmed_at is None:
        raise bad_request("phone_not_confirmed", "Phone not confirmed")
    traits = {"provider": "email" if email else "phone"}
    async with auth.transaction() as db:
        await record(db, user, "login", traits=traits, ip=call.visit.ip)
        grant = await issue_session(
            auth,
            db,
            user,
            method="password",
            visit=call.visit,
            extra=_weakness(auth, password),
        )
    return answer(grant.as_json())


async def refresh_grant(auth: AuthContext, call: Call) -> Response:
    """Exchange a refresh token. Errors: as refreshing.refresh; OAuthError without a token."""
    text = call.fields.text("refresh_token")
    auth.limits.check("token_refresh", call.visit.ip, text)
    if not text:
        raise OAuthError("invalid_request", "refresh_token required")
    return answer((await refresh(auth, text, call.visit)).as_json())


async def pkce_grant(auth: AuthContext, call: Call) -> Response:
    """Exchange the code of a redirect, in the browser that began the flow.

    Errors: 400 validation_failed, bad_code_verifier; 404 and 422 flow_state_….
    """
    code, verifier = call.fields.text("auth_code"), call.fields.text("code_verifier")
    auth.limits.check("token_verifications", call.visit.ip, code)
    if not code or not verifier:
        raise invalid("invalid request: both auth code and code verifier should be non-empty")
    async with auth.transaction() as db:
        flow = await redeem_code(db, code, verifier)
        user = await user_by_id(db, flow.user_id) if flow.user_id else None
        if user is None or user.deleted_at is not None:
            raise bad_request(
                "flow_state_not_found", "invalid flow state, no valid flow state found"
            )
        if user.is_banned:
            raise bad_request("user_banned", "User is banned")
        provider_tokens = {
            "provider_token": flow.provider_access_token,
            "provider_refresh_token": flow.provider_refresh_token,
        }
        await record(
            db, user, "login", traits={"provider_type": flow.provider_type}, ip=call.visit.ip
        )
        grant = await issue_session(
            auth,
            db,
            user,
            method=flow.authentication_method,
            visit=call.visit,
            extra={name: value for name, value in provider_tokens.items() if value},
        )
    return answer(grant.as_json())


# one line per kind of credential
GRANTS: Mapping[str, Handler] = {
    "password": password_grant,
    "refresh_token": refresh_grant,
    "pkce": pkce_grant,
    "id_token": id_token_grant,
    "web3": web3_grant,
}


async def _ask_hook(auth: AuthContext, user: User, is_valid: bool) -> None:
    """Let the project's hook count attempts and refuse. What it writes is kept either way."""
    if not auth.hooks.is_enabled("password_verification_attempt"):
        return
    async with auth.transaction() as db:
        verdict = await auth.hooks.ask(
            db, "password_verification_attempt", {"user_id": str(user.id), "valid": is_valid}
        )
        if verdict.get("decision") == "reject" and verdict.get("should_logout_user"):
            await end_sessions(db, user.id)
    if verdict.get("decision") == "reject":
        raise bad_request(
            "invalid_credentials",
            str(verdict.get("message") or HOOK_REJECTION),
        )


def _weakness(auth: AuthContext, password: str) -> Json:
    """What is wrong with a password that was set under older rules."""
    try:
        auth.passwords.check_strength(password)
    except WeakPassword as weak:
        return {"weak_password": {"message": weak.message, "reasons": weak.reasons}}
    except AuthError:
        pass  # longer than bcrypt reads, yet it did match
    return {}


DOORS = (Door("POST", "/token", token),)
