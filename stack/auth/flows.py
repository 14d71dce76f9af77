"""PKCE: a sign-in that began in one browser can only be finished there. Source: RFC 7636."""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from psycopg import sql
from psycopg.rows import class_row

from stack.auth.errors import bad_request, invalid, not_found, unprocessable
from stack.core.database import Connection

EXPIRY = timedelta(minutes=5)
# of token hashes whose link answers with a code, as GoTrue marks them
HASH_PREFIX = "pkce_"

_CHALLENGE = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_METHODS = {"s256": "s256", "plain": "plain"}


@dataclass(frozen=True, slots=True)
class FlowState:
    """A row of `auth.flow_state`. Before its user is known, `user_id` is None."""

    id: UUID
    user_id: UUID | None
    auth_code: str | None = field(repr=False)
    code_challenge_method: str | None
    code_challenge: str | None
    provider_type: str
    provider_access_token: str | None = field(repr=False)
    provider_refresh_token: str | None = field(repr=False)
    authentication_method: str
    created_at: datetime
    auth_code_issued_at: datetime | None
    referrer: str | None
    invite_token: str | None
    linking_target_id: UUID | None

    @property
    def is_expired(self) -> bool:
        """Five minutes after the code was issued, or after the start when none was yet."""
        return datetime.now(UTC) > (self.auth_code_issued_at or self.created_at) + EXPIRY


_COLUMNS = (
    "id, user_id, auth_code, code_challenge_method, code_challenge, provider_type,"
    " provider_access_token, provider_refresh_token, authentication_method, created_at,"
    " auth_code_issued_at, referrer, invite_token, linking_target_id"
)


def check_challenge(challenge: str, method: str) -> None:
    """Errors: 400 when only one is given, or when they are not of RFC 7636's form."""
    if bool(challenge) != bool(method):
        raise invalid("PKCE flow requires code_challenge_method and code_challenge")
    if not challenge:
        return
    if not _CHALLENGE.fullmatch(challenge):
        raise invalid(
            "code challenge has to be between 43 and 128 characters"
            if not 43 <= len(challenge) <= 128
            else "code challenge can only contain alphanumeric characters, hyphens, periods,"
            " underscores and tildes"
        )
    if method.lower() not in _METHODS:
        raise invalid("invalid code_challenge_method")


async def begin_flow(
    db: Connection,
    *,
    provider: str,
    method: str,
    challenge: str = "",
    challenge_method: str = "",
    user_id: UUID | None = None,
    **columns: Any,
) -> FlowState:
    """Remember a sign-in under way. `method` is what `amr` will name; `columns` are further ones.

    Errors: as check_challenge.
    """
    check_challenge(challenge, challenge_method)
    values: dict[str, Any] = {
        "id": uuid4(),
        "user_id": user_id,
        "auth_code": str(uuid4()),
        "code_challenge": challenge or None,
        "code_challenge_method": challenge_method.lower() or None,
        "provider_type": provider,
        "authentication_method": method,
        **columns,
    }
    async with db.cursor(row_factory=class_row(FlowState)) as cursor:
        await cursor.execute(
            sql.SQL(
                "insert into auth.flow_state ({}, created_at, updated_at)"
                " values ({}, now(), now()) returning " + _COLUMNS
            ).format(
                sql.SQL(", ").join(map(sql.Identifier, values)),
                sql.SQL(", ").join([sql.Placeholder()] * len(values)),
            ),
            list(values.values()),
        )
        made = await cursor.fetchone()
    if made is None:
        raise LookupError("insert returned no row")
    return made


async def flow_by_id(db: Connection, flow_id: UUID) -> FlowState | None:
    return await _one_flow(db, "id = %s", flow_id)


async def issue_code(db: Connection, user_id: UUID, method: str) -> str:
    """The code of the user's newest flow of `method`, for the redirect.

    Errors: 404 flow_state_not_found.
    """
    row = await (
        await db.execute(
            "update auth.flow_state set auth_code_issued_at = now(), updated_at = now()"
            " where id = (select id from auth.flow_state where user_id = %s"
            "   and authentication_method = %s order by created_at desc limit 1)"
            " returning auth_code",
            [user_id, method],
        )
    ).fetchone()
    if row is None:
        raise not_found("flow_state_not_found", "No associated flow state found.")
    return str(row[0])


async def redeem_code(db: Connection, code: str, verifier: str) -> FlowState:
    """The flow that `code` finishes; it cannot be redeemed again.

    Errors: 404 flow_state_not_found, 422 flow_state_expired, 400 bad_code_verifier.
    """
    flow = await _one_flow(db, "auth_code = %s for update", code)
    if flow is None:
        raise not_found("flow_state_not_found", "invalid flow state, no valid flow state found")
    if flow.is_expired:
        raise unprocessable("flow_state_expired", "invalid flow state, flow state has expired")
    if not _fits(verifier, flow):
        raise bad_request(
            "bad_code_verifier", "code challenge does not match previously saved code verifier"
        )
    await db.execute("delete from auth.flow_state where id = %s", [flow.id])
    return flow


async def _one_flow(db: Connection, condition: str, value: object) -> FlowState | None:
    async with db.cursor(row_factory=class_row(FlowState)) as cursor:
        await cursor.execute(f"select {_COLUMNS} from auth.flow_state where {condition}", [value])
        return await cursor.fetchone()


def _fits(verifier: str, flow: FlowState) -> bool:
    shown = verifier.encode()
    if flow.code_challenge_method == "s256":
        shown = base64.urlsafe_b64encode(hashlib.sha256(shown).digest()).rstrip(b"=")
    wanted = (flow.code_challenge or "").rstrip("=").encode()
    return bool(wanted) and hmac.compare_digest(shown, wanted)
