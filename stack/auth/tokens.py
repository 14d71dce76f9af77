"""One-time tokens: what a mail's link or six-digit code is checked against.

A token is looked up by `sha224(address || code)` in hex, and kept both in `auth.one_time_tokens`
and in the older column of `auth.users`, as GoTrue does. Links of a PKCE flow carry `pkce_` before
the hash. Source: supabase/auth, models/one_time_token.go, crypto.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import uuid4

from psycopg import sql

from stack.auth.flows import HASH_PREFIX
from stack.auth.users import User, change_user, user_by_id
from stack.core.database import Connection


class Kind(StrEnum):
    """`auth.one_time_token_type`; also the column of auth.users that holds the token."""

    CONFIRMATION = "confirmation_token"
    RECOVERY = "recovery_token"
    EMAIL_CHANGE_NEW = "email_change_token_new"
    EMAIL_CHANGE_CURRENT = "email_change_token_current"
    REAUTHENTICATION = "reauthentication_token"


EMAIL_CHANGE = (Kind.EMAIL_CHANGE_CURRENT, Kind.EMAIL_CHANGE_NEW)


@dataclass(frozen=True, slots=True)
class Found:
    """A token that waits to be used. `hash` has the prefix of its flow."""

    user: User
    kind: Kind
    hash: str

    @property
    def is_pkce(self) -> bool:
        return self.hash.startswith(HASH_PREFIX)


def new_code(length: int) -> str:
    """Digits for people to type, each length digits long."""
    return "".join(secrets.choice("0123456789") for _ in range(length))


def token_hash(address: str, code: str) -> str:
    """What is stored of a code sent to `address`."""
    return hashlib.sha224((address + code).encode()).hexdigest()


async def keep_token(
    db: Connection, user: User, kind: Kind, hashed: str, relates_to: str, **columns: Any
) -> User:
    """Store a token, in place of an earlier one of its kind; set further columns of the user."""
    await db.execute(
        "insert into auth.one_time_tokens"
        " (id, user_id, token_type, token_hash, relates_to, created_at, updated_at)"
        " values (%s, %s, %s::auth.one_time_token_type, %s, %s,"
        "   now() at time zone 'utc', now() at time zone 'utc')"
        " on conflict (user_id, token_type) do update set token_hash = excluded.token_hash,"
        " relates_to = excluded.relates_to, created_at = excluded.created_at,"
        " updated_at = excluded.updated_at",
        [uuid4(), user.id, kind, hashed, relates_to],
    )
    return await change_user(db, user.id, **{kind: hashed}, **columns)


async def find_token(
    db: Connection, hashed: str, kinds: Sequence[Kind], *, expiry: int
) -> Found | None:
    """The unused, unexpired token with this hash; its user's row stays locked.

    `expiry` is in seconds after the mail was sent.
    """
    return await _find(db, sql.SQL("t.token_hash = %s"), [hashed], kinds, expiry)


async def find_code(
    db: Connection, address: str, code: str, kinds: Sequence[Kind], *, expiry: int
) -> Found | None:
    """The unused, unexpired token that was sent as `code` to `address`; locks its user's row."""
    hashed = token_hash(address, code)
    return await _find(
        db,
        sql.SQL("t.token_hash in (%s, %s)"),
        [hashed, HASH_PREFIX + hashed],
        kinds,
        expiry,
    )


async def _find(
    db: Connection,
    condition: sql.SQL,
    values: Sequence[str],
    kinds: Sequence[Kind],
    expiry: int,
) -> Found | None:
    row = await (
        await db.execute(
            sql.SQL(
                "select t.user_id, t.token_type::text, t.token_hash from auth.one_time_tokens as t"
                " where {} and t.token_type::text = any(%s) order by t.created_at desc limit 1"
            ).format(condition),
            [*values, list(kinds)],
        )
    ).fetchone()
    if row is None:
        return None
    user = await user_by_id(db, row[0], lock=True)
    # whoever held the lock before may have used the token
    still = await (
        await db.execute(
            "select from auth.one_time_tokens where user_id = %s and token_hash = %s",
            [row[0], row[2]],
        )
    ).fetchone()
    if user is None or still is None or user.deleted_at is not None:
        return None
    kind = Kind(row[1])
    sent_at = _sent_at(user, kind)
    if sent_at is None or sent_at + timedelta(seconds=expiry) < datetime.now(UTC):
        return None
    return Found(user, kind, row[2])


async def forget_tokens(db: Connection, user: User, kinds: Sequence[Kind] = tuple(Kind)) -> None:
    """Make tokens useless: after one was used, or when the password has changed."""
    await db.execute(
        "delete from auth.one_time_tokens where user_id = %s and token_type::text = any(%s)",
        [user.id, list(kinds)],
    )
    await db.execute(
        sql.SQL("update auth.users set {} where id = %s").format(
            sql.SQL(", ").join(sql.SQL("{} = ''").format(sql.Identifier(kind)) for kind in kinds)
        ),
        [user.id],
    )


def _sent_at(user: User, kind: Kind) -> datetime | None:
    match kind:
        case Kind.CONFIRMATION:
            return user.confirmation_sent_at
        case Kind.RECOVERY:
            return user.recovery_sent_at
        case Kind.REAUTHENTICATION:
            return user.reauthentication_sent_at
        case _:
            return user.email_change_sent_at
