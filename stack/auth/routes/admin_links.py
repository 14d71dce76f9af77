"""`/invite` and `/admin/generate_link`: links made by an administrator."""

from datetime import UTC, datetime

from starlette.responses import Response

from stack.auth.addresses import DUPLICATE, checked_email
from stack.auth.audit import record
from stack.auth.call import Call
from stack.auth.context import AuthContext
from stack.auth.errors import bad_request, invalid, not_found, unprocessable
from stack.auth.notices import write_invite
from stack.auth.passwords import random_password
from stack.auth.redirects import action_link, allowed_redirect
from stack.auth.routing import Door, answer
from stack.auth.signups import lock_address, sign_up_email_user
from stack.auth.tokens import Kind, keep_token, new_code, token_hash
from stack.auth.users import User, change_user, duplicate_of_email, merged, user_by_email, user_json
from stack.core.database import Connection

_CHANGES = {
    "email_change_current": Kind.EMAIL_CHANGE_CURRENT,
    "email_change_new": Kind.EMAIL_CHANGE_NEW,
}
_TYPES = ("signup", "invite", "magiclink", "recovery", *_CHANGES)


async def invite(auth: AuthContext, call: Call) -> Response:
    """Make a user and mail them a link. Errors: 422 email_exists for a confirmed user."""
    call.require_admin(auth)
    email = checked_email(call.fields.text("email"))
    async with auth.transaction() as db:
        user = await _invitable(auth, call, db, email)
        user, letters = await write_invite(
            auth, db, user, allowed_redirect(auth.settings, call.referrer)
        )
    await auth.post.deliver(letters)
    return answer(user_json(user))


async def generate_link(auth: AuthContext, call: Call) -> Response:
    """What a mail would have carried, for whoever sends mails of their own.

    `type`: signup, invite, magiclink, recovery, email_change_current, email_change_new.
    Errors: 400 validation_failed; 404 user_not_found; 422 email_exists, weak_password.
    """
    call.require_admin(auth)
    fields = call.fields
    wanted = fields.text("type")
    email = checked_email(fields.text("email"))
    target = allowed_redirect(auth.settings, call.referrer)
    if wanted not in _TYPES:
        raise invalid(f"Invalid email action link type requested: {wanted}")
    password = fields.text("password")
    async with auth.connection() as db:
        known = await user_by_email(db, email)
    if known is None and wanted == "magiclink":
        # a stranger's first link signs them up
        wanted, password = "signup", random_password()
    encrypted = None
    if known is None and wanted == "signup":
        if not password:
            raise invalid("Signup requires a valid password")
        auth.passwords.check_strength(password)
        encrypted = await auth.passwords.hash(password)
    code = new_code(auth.settings.otp_length)
    async with auth.transaction() as db:
        match wanted:
            case "signup":
                user = await _for_signup(auth, call, db, email, encrypted)
                user, hashed = await _keep(db, user, Kind.CONFIRMATION, email, code)
            case "invite":
                user = await _invitable(auth, call, db, email)
                user, hashed = await _keep(db, user, Kind.CONFIRMATION, email, code)
                user = await change_user(db, user.id, invited_at=datetime.now(UTC))
            case "magiclink" | "recovery":
                user = _known(await user_by_email(db, email, lock=True))
                await record(db, user, "user_recovery_requested", ip=call.visit.ip)
                user, hashed = await _keep(db, user, Kind.RECOVERY, email, code)
            case _:
                user = _known(await user_by_email(db, email, lock=True))
                user, hashed = await _keep_change(auth, call, db, user, _CHANGES[wanted], code)
    link_type = "email_change" if wanted in _CHANGES else wanted
    return answer(
        user_json(user)
        | {
            "action_link": action_link(auth.settings, hashed, link_type, target),
            "email_otp": code,
            "hashed_token": hashed,
            "verification_type": wanted,
            "redirect_to": target,
        }
    )


async def _invitable(auth: AuthContext, call: Call, db: Connection, email: str) -> User:
    await lock_address(db, email)
    user = await duplicate_of_email(db, email)
    if user is not None and user.is_confirmed:
        raise unprocessable("email_exists", DUPLICATE)
    user = user or await sign_up_email_user(
        auth,
        db,
        email=email,
        encrypted_password=None,
        metadata=call.fields.object("data") or {},
        visit=call.visit,
    )
    traits = {"user_id": str(user.id), "user_email": user.email}
    await record(db, None, "user_invited", traits=traits, ip=call.visit.ip)
    return user


async def _for_signup(
    auth: AuthContext, call: Call, db: Connection, email: str, encrypted: str | None
) -> User:
    await lock_address(db, email)
    metadata = call.fields.object("data") or {}
    user = await duplicate_of_email(db, email)
    if user is None:
        return await sign_up_email_user(
            auth,
            db,
            email=email,
            encrypted_password=encrypted,
            metadata=metadata,
            visit=call.visit,
        )
    if user.is_confirmed:
        raise unprocessable("email_exists", DUPLICATE)
    return await change_user(
        db, user.id, raw_user_meta_data=merged(user.raw_user_meta_data, metadata)
    )


async def _keep(db: Connection, user: User, kind: Kind, email: str, code: str) -> tuple[User, str]:
    hashed = token_hash(email, code)
    now = datetime.now(UTC)
    sent = {"recovery_sent_at": now} if kind is Kind.RECOVERY else {"confirmation_sent_at": now}
    return await keep_token(db, user, kind, hashed, email, **sent), hashed


async def _keep_change(  # noqa: PLR0917
    auth: AuthContext, call: Call, db: Connection, user: User, kind: Kind, code: str
) -> tuple[User, str]:
    is_current = kind is Kind.EMAIL_CHANGE_CURRENT
    if is_current and not auth.settings.double_confirm_changes:
        raise bad_request(
            "validation_failed", "Enable secure email change to generate link for current email"
        )
    new_email = checked_email(call.fields.text("new_email"))
    if await duplicate_of_email(db, new_email, besides=user.id) is not None:
        raise unprocessable("email_exists", DUPLICATE)
    address = (user.email or "") if is_current else new_email
    hashed = token_hash(address, code)
    # the link for the other address stays good when it concerns the same change
    changed = {"email_change_confirm_status": 0} if user.email_change != new_email else {}
    user = await keep_token(
        db,
        user,
        kind,
        hashed,
        address,
        email_change=new_email,
        email_change_sent_at=datetime.now(UTC),
        **changed,
    )
    return user, hashed


def _known(user: User | None) -> User:
    if user is None:
        raise not_found("user_not_found", "User with this email not found")
    return user


DOORS = (
    Door("POST", "/invite", invite),
    Door("POST", "/admin/generate_link", generate_link),
)
