"""Second factors: enrolled, challenged, verified, unenrolled. Source: supabase/auth, mfa.go.

Two things are stricter than there: a code is accepted once, as RFC 6238 §5.2 demands, and wrong
codes are counted per factor.
"""

import time
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import psycopg
from starlette.responses import Response

from stack.auth.audit import record
from stack.auth.call import Call, Fields, SignedIn, as_uuid
from stack.auth.context import AuthContext
from stack.auth.errors import (
    AuthError,
    forbidden,
    invalid,
    not_found,
    too_many_requests,
    unprocessable,
)
from stack.auth.housekeeping import forget_abandoned
from stack.auth.mfa_settings import CHALLENGE_SECONDS
from stack.auth.mfa_store import (
    Factor,
    add_challenge,
    add_factor,
    challenge_by_id,
    delete_challenge,
    delete_expired_factors,
    delete_factor,
    delete_unverified_factors,
    end_sessions_below_aal2,
    factor_of,
    lower_sessions_of,
    mark_verified,
    was_step_used,
)
from stack.auth.mfa_totp import matching_step, new_secret, provisioning_uri, qr_code
from stack.auth.routing import Door, answer
from stack.auth.sessions import Grant, Session, end_sessions, upgrade_session
from stack.auth.users import User, user_by_id
from stack.core.database import Connection

_KINDS = {"phone": "Phone", "webauthn": "WebAuthn"}  # which cannot be had here


async def enroll(auth: AuthContext, call: Call) -> Response:
    """A new factor, unverified, with its secret and QR code: shown this once."""
    signed_in, session = await _with_session(auth, call)
    kind = call.fields.text("factor_type")
    if kind in _KINDS:
        raise unprocessable(
            f"mfa_{kind}_enroll_not_enabled", f"MFA enroll is disabled for {_KINDS[kind]}"
        )
    if kind != "totp":
        raise invalid("factor_type needs to be totp, phone, or webauthn")
    if not auth.mfa.may_enroll:
        raise unprocessable("mfa_totp_enroll_not_enabled", "MFA enroll is disabled for TOTP")
    name = call.fields.text("friendly_name")
    issuer = call.fields.text("issuer") or urlsplit(auth.settings.site_url).netloc
    factor = Factor(uuid4(), signed_in.user.id, "totp", "unverified", name, new_secret())
    async with auth.transaction() as db:
        await forget_abandoned(db)
        await delete_expired_factors(db)
        user = await user_by_id(db, signed_in.user.id, lock=True)
        if user is None:
            raise _no_session()
        _check_factors(auth, user, session, name)
        try:
            await add_factor(db, factor)
        except psycopg.errors.UniqueViolation:
            raise _name_taken(name) from None
        await record(
            db,
            user,
            "factor_in_progress",
            traits={"factor_id": str(factor.id), "factor_type": "totp"},
            ip=call.visit.ip,
        )
    uri = provisioning_uri(factor.secret or "", issuer=issuer, account=user.email or "")
    shown = {"qr_code": qr_code(uri), "secret": factor.secret, "uri": uri}
    return answer({"id": str(factor.id), "type": "totp", "friendly_name": name, "totp": shown})


async def challenge(auth: AuthContext, call: Call) -> Response:
    """The start of a verification; good for five minutes."""
    signed_in, _ = await _with_session(auth, call)
    async with auth.transaction() as db:
        factor = await _factor(db, call, signed_in.user)
        _require_totp(auth, factor)
        challenge_id = await add_challenge(db, factor.id, call.visit.ip)
        await record(
            db,
            signed_in.user,
            "challenge_created",
            traits={"factor_id": str(factor.id), "factor_status": factor.status},
            ip=call.visit.ip,
        )
    expires_at = int(time.time()) + CHALLENGE_SECONDS
    return answer({"id": str(challenge_id), "type": factor.kind, "expires_at": expires_at})


async def verify(auth: AuthContext, call: Call) -> Response:
    """A right code lifts the caller's session to aal2; the user's aal1 sessions end."""
    signed_in, session = await _with_session(auth, call)
    code = call.fields.text("code")
    challenge_id = _challenge_id(call.fields)
    async with auth.transaction() as db:
        # the factor's row is locked: of two requests with one code the second sees the first
        factor = await _factor(db, call, signed_in.user, lock=True)
        if not code:
            raise invalid("Code needs to be non-empty")
        _require_totp(auth, factor)
        await _check_challenge(db, call, factor, challenge_id)
        step = await _check_code(auth, db, signed_in.user, factor, code)
        grant = await _accept(
            auth,
            db,
            call,
            signed_in=signed_in,
            session=session,
            factor=factor,
            challenge_id=challenge_id,
            step=step,
        )
    return answer(grant.as_json())


async def unenroll(auth: AuthContext, call: Call) -> Response:
    """Remove a factor. A verified one needs a session that has passed it."""
    signed_in, session = await _with_session(auth, call)
    async with auth.transaction() as db:
        factor = await _factor(db, call, signed_in.user, lock=True)
        if factor.is_verified and session.aal != "aal2":
            raise unprocessable("insufficient_aal", "AAL2 required to unenroll verified factor")
        await lower_sessions_of(db, factor)
        await delete_factor(db, factor.id)
        traits = {
            "factor_id": str(factor.id),
            "factor_status": factor.status,
            "session_id": str(session.id),
        }
        await record(db, signed_in.user, "factor_unenrolled", traits=traits, ip=call.visit.ip)
    return answer({"id": str(factor.id)})


async def _with_session(auth: AuthContext, call: Call) -> tuple[SignedIn, Session]:
    """Errors: as require_user; 403 for anonymous users and tokens without a session."""
    signed_in = await call.require_user(auth)
    if signed_in.user.is_anonymous:
        raise forbidden("no_authorization", "Anonymous user not allowed to perform these actions")
    if signed_in.session is None:
        raise _no_session()
    return signed_in, signed_in.session


async def _factor(db: Connection, call: Call, user: User, *, lock: bool = False) -> Factor:
    """The factor that the path names. Another user's does not exist."""
    factor_id = as_uuid(
        call.request.path_params["factor_id"],
        "validation_failed",
        "factor_id must be an UUID",
    )
    factor = await factor_of(db, user.id, factor_id, lock=lock)
    if factor is None:
        raise not_found("mfa_factor_not_found", "Factor not found")
    return factor


def _check_factors(auth: AuthContext, user: User, session: Session, name: str) -> None:
    """Whether one more factor of this name may be had."""
    if any((row["friendly_name"] or "") == name for row in user.factors):
        raise _name_taken(name)
    if len(user.factors) >= auth.mfa.max_factors:
        raise unprocessable(
            "too_many_enrolled_mfa_factors",
            "Maximum number of verified factors reached, unenroll to continue",
        )
    if user.has_verified_factor and session.aal != "aal2":
        raise forbidden("insufficient_aal", "AAL2 required to enroll a new factor")


def _require_totp(auth: AuthContext, factor: Factor) -> None:
    if factor.kind in _KINDS:
        raise unprocessable(
            f"mfa_{factor.kind}_verify_not_enabled",
            f"MFA verification is disabled for {_KINDS[factor.kind]}",
        )
    if not auth.mfa.may_verify:
        raise unprocessable("mfa_totp_verify_not_enabled", "MFA verification is disabled for TOTP")


def _challenge_id(fields: Fields) -> UUID:
    try:
        return UUID(fields.text("challenge_id"))
    except ValueError:
        raise invalid("challenge_id must be an UUID") from None


async def _check_challenge(db: Connection, call: Call, factor: Factor, challenge_id: UUID) -> None:
    found = await challenge_by_id(db, factor.id, challenge_id)
    if found is None:
        raise unprocessable(
            "mfa_factor_not_found", "MFA factor with the provided challenge ID not found"
        )
    if found.verified_at is not None or found.ip_address != call.visit.ip:
        raise unprocessable(
            "mfa_ip_address_mismatch", "Challenge and verify IP addresses mismatch."
        )
    if found.created_at + timedelta(seconds=CHALLENGE_SECONDS) < datetime.now(UTC):
        await delete_challenge(db, challenge_id)
        raise AuthError(
            422,
            "mfa_challenge_expired",
            f"MFA challenge {challenge_id} has expired, verify against another challenge or"
            " create a new challenge.",
            keeps_changes=True,
        )


async def _check_code(
    auth: AuthContext, db: Connection, user: User, factor: Factor, code: str
) -> int:
    """The period of a right code that was not used before.

    Errors: 429 after too many wrong ones; 422 mfa_verification_failed; 403 of the hook.
    """
    if not auth.mfa.wrong_codes.has_room(str(factor.id)):
        raise too_many_requests(
            "over_request_rate_limit", "Too many wrong codes, try again in a few minutes"
        )
    step = matching_step(factor.secret or "", code, time.time())
    is_valid = step is not None and not await was_step_used(db, factor.id, step)
    await _ask_hook(auth, db, user, factor, is_valid=is_valid)
    if step is None or not is_valid:
        auth.mfa.wrong_codes.takes(str(factor.id))
        # what the hook wrote about a wrong code is kept
        raise AuthError(
            422, "mfa_verification_failed", "Invalid TOTP code entered", keeps_changes=True
        )
    return step


async def _ask_hook(
    auth: AuthContext, db: Connection, user: User, factor: Factor, *, is_valid: bool
) -> None:
    """The project's own word on an attempt; a rejection signs the user out everywhere."""
    event = {
        "user_id": str(user.id),
        "factor_id": str(factor.id),
        "factor_type": factor.kind,
        "valid": is_valid,
    }
    told = await auth.hooks.ask(db, "mfa_verification_attempt", event)
    if told.get("decision") == "reject":
        await end_sessions(db, user.id)
        raise AuthError(
            403,
            "mfa_verification_rejected",
            str(told.get("message") or "Further MFA verification attempts will be rejected."),
            keeps_changes=True,
        )


async def _accept(
    auth: AuthContext,
    db: Connection,
    call: Call,
    *,
    signed_in: SignedIn,
    session: Session,
    factor: Factor,
    challenge_id: UUID,
    step: int,
) -> Grant:
    traits = {
        "factor_id": str(factor.id),
        "challenge_id": str(challenge_id),
        "factor_type": factor.kind,
    }
    await record(db, signed_in.user, "verification_attempted", traits=traits, ip=call.visit.ip)
    await mark_verified(db, factor.id, challenge_id, step)
    await end_sessions_below_aal2(db, signed_in.user.id, besides=session.id)
    await delete_unverified_factors(db, signed_in.user.id, factor.kind)
    return await upgrade_session(
        auth,
        db,
        signed_in.user,
        session.id,
        method="totp",
        visit=call.visit,
        factor_id=factor.id,
    )


def _name_taken(name: str) -> AuthError:
    return unprocessable(
        "mfa_factor_name_conflict",
        f'A factor with the friendly name "{name}" for this user already exists',
    )


def _no_session() -> AuthError:
    return forbidden("session_not_found", "Session from session_id claim in JWT does not exist")


DOORS: tuple[Door, ...] = (
    Door("POST", "/factors", enroll),
    Door("POST", "/factors/{factor_id}/challenge", challenge),
    Door("POST", "/factors/{factor_id}/verify", verify),
    Door("DELETE", "/factors/{factor_id}", unenroll),
)
