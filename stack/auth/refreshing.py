"""Refreshing: one token is exchanged once; a replayed one ends its family."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from psycopg.rows import class_row

from stack.auth.audit import record
from stack.auth.context import AuthContext
from stack.auth.errors import AuthError, bad_request
from stack.auth.sessions import (
    SESSION_COLUMNS,
    Grant,
    Session,
    Visit,
    regrant,
    swap_refresh_token,
    touch_session,
)
from stack.auth.users import user_by_id
from stack.core.database import Connection


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A row of `auth.refresh_tokens`."""

    token: str = field(repr=False)
    user_id: str
    session_id: UUID | None
    parent: str | None = field(repr=False)
    revoked: bool | None
    updated_at: datetime


async def refresh(auth: AuthContext, text: str, visit: Visit) -> Grant:
    """New tokens for an old one.

    Requests with the same token pass one after another, and all get the token that the first of
    them made. Errors, all 400: refresh_token_not_found, refresh_token_already_used, user_banned,
    session_not_found, session_expired. Source: supabase/auth, tokens/service.go.
    """
    async with auth.transaction() as db:
        token = await _find(db, text)
        if token is None:
            raise bad_request(
                "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found"
            )
        session = await _lock_session(db, token)
        # its state may have changed while this request waited for the lock
        token = await _find(db, text) or token
        user = await user_by_id(db, token.user_id)
        if user is None or session is None:
            raise bad_request("session_not_found", "Invalid Refresh Token: No Valid Session Found")
        if user.is_banned:
            raise bad_request("user_banned", "Invalid Refresh Token: User Banned")
        _check_validity(auth, session, token)
        if auth.settings.single_session:
            await _check_newest(db, session)
        if token.revoked:
            issued = await _reuse(auth, db, session, token)
        else:
            issued = await swap_refresh_token(db, user.id, session.id, token.token)
        await record(db, user, "token_refreshed", ip=visit.ip)
        await touch_session(db, session.id, visit)
        return await regrant(auth, db, user.id, session.id, issued)


async def _find(db: Connection, text: str) -> RefreshToken | None:
    async with db.cursor(row_factory=class_row(RefreshToken)) as cursor:
        await cursor.execute(
            "select token, user_id, session_id, parent, revoked, updated_at"
            " from auth.refresh_tokens where token = %s",
            [text],
        )
        return await cursor.fetchone()


async def _lock_session(db: Connection, token: RefreshToken) -> Session | None:
    async with db.cursor(row_factory=class_row(Session)) as cursor:
        await cursor.execute(
            f"select {SESSION_COLUMNS} from auth.sessions where id = %s for update",
            [token.session_id],
        )
        return await cursor.fetchone()


def _check_validity(auth: AuthContext, session: Session, token: RefreshToken) -> None:
    now = datetime.now(UTC)
    timebox, inactivity = auth.settings.session_timebox, auth.settings.session_inactivity
    is_over = session.not_after is not None and session.not_after < now
    if is_over or (timebox and session.created_at + timedelta(seconds=timebox) < now):
        raise bad_request("session_expired", "Invalid Refresh Token: Session Expired")
    refreshed_at = session.refreshed_at.replace(tzinfo=UTC) if session.refreshed_at else None
    last_active = max(session.created_at, token.updated_at, refreshed_at or session.created_at)
    if inactivity and last_active + timedelta(seconds=inactivity) < now:
        raise bad_request("session_expired", "Invalid Refresh Token: Session Expired (Inactivity)")


async def _check_newest(db: Connection, session: Session) -> None:
    newer = await db.execute(
        "select from auth.sessions as s, auth.sessions as mine where mine.id = %s"
        " and s.user_id = mine.user_id and s.id <> mine.id and s.tag is not distinct from mine.tag"
        " and coalesce(s.refreshed_at at time zone 'utc', s.created_at)"
        "   > coalesce(mine.refreshed_at at time zone 'utc', mine.created_at) limit 1",
        [session.id],
    )
    if await newer.fetchone() is not None:
        raise bad_request(
            "session_expired", "Invalid Refresh Token: Session Expired (Revoked by Newer Login)"
        )


async def _reuse(auth: AuthContext, db: Connection, session: Session, token: RefreshToken) -> str:
    """The token in use, for a client that missed or shares the last answer.

    Allowed to the parent of the token in use, and to any for `refresh_token_reuse_interval`
    seconds; all else is a theft, on either side. Errors: AuthError that keeps the revocation.
    """
    async with db.cursor(row_factory=class_row(RefreshToken)) as cursor:
        await cursor.execute(
            "select token, user_id, session_id, parent, revoked, updated_at"
            " from auth.refresh_tokens where session_id = %s and not revoked"
            " order by id desc limit 1",
            [session.id],
        )
        active = await cursor.fetchone()
    interval = timedelta(seconds=auth.settings.refresh_token_reuse_interval)
    is_recent = datetime.now(UTC) <= token.updated_at + interval
    if active is not None and (active.parent == token.token or is_recent):
        return active.token
    if auth.settings.enable_refresh_token_rotation:
        await db.execute(
            "update auth.refresh_tokens set revoked = true, updated_at = now()"
            " where session_id = %s and not revoked",
            [session.id],
        )
    raise AuthError(
        400,
        "refresh_token_already_used",
        "Invalid Refresh Token: Already Used",
        keeps_changes=True,
    )
