"""Sessions: begun by a sign-in, carried by rotating refresh tokens, ended by signing out."""

import secrets
import string
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from psycopg.rows import class_row

from stack.auth.errors import AuthError
from stack.auth.users import NIL_UUID, Json, User, user_by_id, user_json
from stack.core.database import Connection

if TYPE_CHECKING:
    from stack.auth.context import AuthContext

# methods that lift a session to aal2
SECOND_FACTORS = frozenset({"totp", "mfa/phone", "mfa/webauthn"})
_TOKEN_ALPHABET = string.ascii_lowercase + string.digits
# longer ones mean another format to GoTrue
_TOKEN_LENGTH = 12
# what a hook must leave in the claims. Source: supabase/auth, MinimumViableTokenSchema.
_REQUIRED_CLAIMS: Mapping[str, type | tuple[type, ...]] = {
    "aud": (str, list), "exp": int, "iat": int, "sub": str, "email": str, "phone": str,
    "role": str, "aal": str, "session_id": str, "is_anonymous": bool,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Visit:
    """From where a request came."""

    ip: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class Session:
    """A row of `auth.sessions`."""

    id: UUID
    user_id: UUID
    created_at: datetime
    refreshed_at: datetime | None  # naive, UTC
    factor_id: UUID | None
    aal: str | None
    not_after: datetime | None
    tag: str | None


SESSION_COLUMNS = "id, user_id, created_at, refreshed_at, factor_id, aal, not_after, tag"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a sign-in hands out. `extra`: further keys of the answer, as `provider_token`."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int
    expires_at: int
    user: User
    session_id: UUID
    extra: Json = field(default_factory=dict, repr=False)

    def as_json(self) -> Json:
        """The body of a token answer."""
        return {
            "access_token": self.access_token,
            "token_type": "bearer",
            "expires_in": self.expires_in,
            "expires_at": self.expires_at,
            "refresh_token": self.refresh_token,
            "user": user_json(self.user),
            **self.extra,
        }

    def as_fragment(self, **further: str) -> str:
        """The part of a redirect after `#`, for the implicit flow."""
        shown = {
            "access_token": self.access_token,
            "expires_at": str(self.expires_at),
            "expires_in": str(self.expires_in),
            "refresh_token": self.refresh_token,
            "token_type": "bearer",
        }
        extra = {key: value for key, value in self.extra.items() if isinstance(value, str)}
        return urlencode(dict(sorted((shown | extra | further).items())))


# --- beginning


async def issue_session(
    auth: "AuthContext",
    db: Connection,
    user: User,
    *,
    method: str,
    visit: Visit,
    tag: str | None = None,
    factor_id: UUID | None = None,
    extra: Json | None = None,
) -> Grant:
    """Sign `user` in: a session, its first refresh token, and an access token.

    `method` is what `amr` will name: password, otp, magiclink, oauth, web3, anonymous, totp,
    recovery, invite, email/signup, email_change, sso/saml. Must run inside a transaction; the
    custom access token hook is asked in it. Errors: AuthError of that hook.
    """
    session_id = uuid4()
    refresh_token = new_refresh_token()
    aal = "aal2" if method in SECOND_FACTORS else "aal1"
    await db.execute(
        "with signed_in as ("
        " update auth.users set last_sign_in_at = clock_timestamp(), updated_at = now()"
        " where id = %(user)s"
        "), session as ("
        " insert into auth.sessions (id, user_id, created_at, updated_at, factor_id, aal,"
        "   not_after, user_agent, ip, tag)"
        " values (%(id)s, %(user)s, now(), now(), %(factor)s, %(aal)s::auth.aal_level,"
        "   null, %(agent)s, %(ip)s::inet, %(tag)s)"
        "), token as ("
        " insert into auth.refresh_tokens"
        "   (instance_id, token, user_id, revoked, created_at, updated_at, parent, session_id)"
        " values (%(instance)s, %(token)s, %(user)s::text, false, now(), now(), null, %(id)s)"
        ") insert into auth.mfa_amr_claims"
        "   (id, session_id, created_at, updated_at, authentication_method)"
        " values (gen_random_uuid(), %(id)s, now(), now(), %(method)s)",
        {
            "id": session_id,
            "user": user.id,
            "instance": NIL_UUID,
            "factor": factor_id,
            "aal": aal,
            "agent": visit.user_agent or None,
            "ip": visit.ip or None,
            "tag": tag,
            "token": refresh_token,
            "method": method,
        },
    )
    return await _grant(auth, db, user.id, session_id, refresh_token, method, extra)


async def upgrade_session(
    auth: "AuthContext",
    db: Connection,
    user: User,
    session_id: UUID,
    *,
    method: str,
    visit: Visit,
    factor_id: UUID | None = None,
) -> Grant:
    """A session that has passed a further factor: `amr` grows, aal2, new tokens.

    The refresh token in use is revoked. Must run inside a transaction.
    """
    await add_amr(db, session_id, method)
    await db.execute(
        "update auth.sessions set aal = 'aal2', factor_id = coalesce(%s, factor_id),"
        " updated_at = now() where id = %s",
        [factor_id, session_id],
    )
    current = await (
        await db.execute(
            "select token from auth.refresh_tokens where session_id = %s and not revoked"
            " order by id desc limit 1 for update",
            [session_id],
        )
    ).fetchone()
    refresh_token = await swap_refresh_token(
        db, user.id, session_id, current[0] if current else None
    )
    await touch_session(db, session_id, visit)
    return await _grant(auth, db, user.id, session_id, refresh_token, method)


async def add_amr(db: Connection, session_id: UUID, method: str) -> None:
    """Note that the session's user has just proven themselves by `method`."""
    await db.execute(
        "insert into auth.mfa_amr_claims"
        " (id, session_id, created_at, updated_at, authentication_method)"
        " values (gen_random_uuid(), %s, now(), now(), %s)"
        " on conflict (session_id, authentication_method) do update set updated_at = now()",
        [session_id, method],
    )


# --- carrying on


async def swap_refresh_token(
    db: Connection, user_id: UUID, session_id: UUID, parent: str | None
) -> str:
    """Revoke `parent` and insert its child; the child's text is returned."""
    child = new_refresh_token()
    await db.execute(
        "with swapped as ("
        " update auth.refresh_tokens set revoked = true, updated_at = now()"
        " where token = %(parent)s"
        ") insert into auth.refresh_tokens"
        "   (instance_id, token, user_id, revoked, created_at, updated_at, parent, session_id)"
        " values (%(instance)s, %(child)s, %(user)s::text, false, now(), now(), %(parent)s,"
        "   %(session)s)",
        {
            "instance": NIL_UUID,
            "parent": parent,
            "child": child,
            "user": user_id,
            "session": session_id,
        },
    )
    return child


async def touch_session(db: Connection, session_id: UUID, visit: Visit) -> None:
    """Note when and from where the session was last carried on."""
    await db.execute(
        "update auth.sessions set refreshed_at = now() at time zone 'utc', updated_at = now(),"
        " user_agent = %s, ip = %s::inet where id = %s",
        [visit.user_agent or None, visit.ip or None, session_id],
    )


async def regrant(
    auth: "AuthContext", db: Connection, user_id: UUID, session_id: UUID, refresh_token: str
) -> Grant:
    """An access token for a session that goes on with `refresh_token`."""
    return await _grant(auth, db, user_id, session_id, refresh_token, "token_refresh")


def new_refresh_token() -> str:
    """12 characters of lower-case letters and digits, 62 bits, as GoTrue writes them."""
    return "".join(secrets.choice(_TOKEN_ALPHABET) for _ in range(_TOKEN_LENGTH))


# --- ending


async def end_session(db: Connection, session_id: UUID) -> None:
    """Sign one session out; its tokens go with it."""
    await db.execute("delete from auth.sessions where id = %s", [session_id])


async def end_sessions(db: Connection, user_id: UUID, *, besides: UUID | None = None) -> None:
    """Sign a user out everywhere, or everywhere else."""
    await db.execute(
        "delete from auth.sessions where user_id = %s and id is distinct from %s",
        [user_id, besides],
    )


async def session_by_id(db: Connection, session_id: UUID) -> Session | None:
    async with db.cursor(row_factory=class_row(Session)) as cursor:
        await cursor.execute(
            f"select {SESSION_COLUMNS} from auth.sessions where id = %s", [session_id]
        )
        return await cursor.fetchone()


# --- access tokens


async def _grant(  # noqa: PLR0917
    auth: "AuthContext",
    db: Connection,
    user_id: UUID,
    session_id: UUID,
    refresh_token: str,
    method: str,
    extra: Json | None = None,
) -> Grant:
    user = await user_by_id(db, user_id)
    if user is None:
        raise LookupError(f"user {user_id} is gone")
    access_token, expires_at = await _access_token(auth, db, user, session_id, method)
    return Grant(
        access_token=access_token,
        refresh_token=refresh_token,
        expires_in=auth.settings.jwt_expiry,
        expires_at=expires_at,
        user=user,
        session_id=session_id,
        extra=extra or {},
    )


async def _access_token(
    auth: "AuthContext", db: Connection, user: User, session_id: UUID, method: str
) -> tuple[str, int]:
    now = int(time.time())
    expires_at = now + auth.settings.jwt_expiry
    amr = await _amr(db, session_id)
    claims: Json = {
        "iss": auth.settings.issuer,
        "sub": str(user.id),
        "aud": user.aud or "",
        "exp": expires_at,
        "iat": now,
        "email": user.email or "",
        "phone": user.phone or "",
        "app_metadata": user.raw_app_meta_data,
        "user_metadata": user.raw_user_meta_data,
        "role": user.role or "",
        "aal": "aal2" if any(row["method"] in SECOND_FACTORS for row in amr) else "aal1",
        "amr": amr,
        "session_id": str(session_id),
        "is_anonymous": user.is_anonymous,
    }
    if auth.hooks.is_enabled("custom_access_token"):
        event = {"user_id": str(user.id), "claims": claims, "authentication_method": method}
        answer = await auth.hooks.ask(db, "custom_access_token", event)
        claims = _checked_claims(answer.get("claims"))
    return auth.ground.keyring.sign(claims), expires_at


async def _amr(db: Connection, session_id: UUID) -> Sequence[Json]:
    """How the session's user has proven themselves, the newest first."""
    rows = await db.execute(
        "select authentication_method, floor(extract(epoch from updated_at))::bigint"
        " from auth.mfa_amr_claims where session_id = %s order by updated_at desc",
        [session_id],
    )
    return [{"method": method, "timestamp": at} async for method, at in rows]


def _checked_claims(claims: Any) -> Json:
    if not isinstance(claims, dict):
        raise AuthError(500, "unexpected_failure", "output claims field is missing")
    for name, kind in _REQUIRED_CLAIMS.items():
        value = claims.get(name)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise AuthError(
                500,
                "unexpected_failure",
                "output claims do not conform to the expected schema:"
                f" - (root): {name} is required",
            )
    return claims
