"""Mails that carry a one-time token: each makes the token, notes it, and writes the letter."""

from datetime import UTC, datetime, timedelta

from stack.auth.context import AuthContext
from stack.auth.errors import too_many_requests
from stack.auth.flows import HASH_PREFIX
from stack.auth.limits import too_soon
from stack.auth.mail import Letter, Secret
from stack.auth.tokens import Kind, keep_token, new_code, token_hash
from stack.auth.users import User
from stack.core.database import Connection

Sent = tuple[User, list[Letter]]


async def write_confirmation(
    auth: AuthContext, db: Connection, user: User, redirect_to: str, *, is_pkce: bool
) -> Sent:
    """Ask a new user to confirm their address. Errors, of all here: 429 too soon after the last."""
    _check_frequency(auth, user.confirmation_sent_at)
    secret = _secret(auth, user.email or "", is_pkce=is_pkce)
    user = await keep_token(
        db,
        user,
        Kind.CONFIRMATION,
        secret.hash,
        secret.to,
        confirmation_sent_at=datetime.now(UTC),
    )
    return user, await auth.post.write(db, user, "signup", [secret], redirect_to)


async def write_invite(auth: AuthContext, db: Connection, user: User, redirect_to: str) -> Sent:
    """Invite a user whom an administrator has made."""
    secret = _secret(auth, user.email or "")
    now = datetime.now(UTC)
    user = await keep_token(
        db,
        user,
        Kind.CONFIRMATION,
        secret.hash,
        secret.to,
        confirmation_sent_at=now,
        invited_at=now,
    )
    return user, await auth.post.write(db, user, "invite", [secret], redirect_to)


async def write_recovery(
    auth: AuthContext,
    db: Connection,
    user: User,
    redirect_to: str,
    *,
    action: str,
    is_pkce: bool,
) -> Sent:
    """A way in without the password: `action` is recovery or magiclink."""
    _check_frequency(auth, user.recovery_sent_at)
    secret = _secret(auth, user.email or "", is_pkce=is_pkce)
    user = await keep_token(
        db, user, Kind.RECOVERY, secret.hash, secret.to, recovery_sent_at=datetime.now(UTC)
    )
    return user, await auth.post.write(db, user, action, [secret], redirect_to)


async def write_reauthentication(auth: AuthContext, db: Connection, user: User) -> Sent:
    """A code that proves who sits there, for a change of password."""
    _check_frequency(auth, user.reauthentication_sent_at)
    secret = _secret(auth, user.email or "")
    user = await keep_token(
        db,
        user,
        Kind.REAUTHENTICATION,
        secret.hash,
        secret.to,
        reauthentication_sent_at=datetime.now(UTC),
    )
    return user, await auth.post.write(
        db, user, "reauthentication", [secret], auth.settings.site_url
    )


async def write_email_change(
    auth: AuthContext,
    db: Connection,
    user: User,
    new_email: str,
    redirect_to: str,
    *,
    is_pkce: bool,
) -> Sent:
    """Ask the new address and, as `double_confirm_changes` wants, the current one, too."""
    _check_frequency(auth, user.email_change_sent_at)
    secrets = [_secret(auth, new_email, is_pkce=is_pkce)]
    kinds = [Kind.EMAIL_CHANGE_NEW]
    if auth.settings.double_confirm_changes and user.email:
        secrets.append(_secret(auth, user.email, is_pkce=is_pkce))
        kinds.append(Kind.EMAIL_CHANGE_CURRENT)
    for kind, secret in zip(kinds, secrets, strict=True):
        user = await keep_token(
            db,
            user,
            kind,
            secret.hash,
            secret.to,
            email_change=new_email,
            email_change_sent_at=datetime.now(UTC),
            email_change_confirm_status=0,
        )
    return user, await auth.post.write(db, user, "email_change", secrets, redirect_to)


def _secret(auth: AuthContext, address: str, *, is_pkce: bool = False) -> Secret:
    code = new_code(auth.settings.otp_length)
    hashed = token_hash(address, code)
    return Secret(address, code, HASH_PREFIX + hashed if is_pkce else hashed)


def _check_frequency(auth: AuthContext, sent_at: datetime | None) -> None:
    if sent_at is None:
        return
    left = sent_at + timedelta(seconds=auth.settings.max_frequency) - datetime.now(UTC)
    if left > timedelta(0):
        raise too_many_requests("over_email_send_rate_limit", too_soon(left.total_seconds()))
