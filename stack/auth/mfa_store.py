"""Rows of `auth.mfa_factors` and `auth.mfa_challenges`."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from psycopg.rows import class_row

from stack.auth.mfa_settings import CHALLENGE_SECONDS
from stack.core.database import Connection


@dataclass(frozen=True, slots=True)
class Factor:
    """A second factor. `secret` is base32."""

    id: UUID
    user_id: UUID
    kind: str
    status: str
    friendly_name: str | None
    secret: str | None = field(repr=False)

    @property
    def is_verified(self) -> bool:
        return self.status == "verified"


@dataclass(frozen=True, slots=True)
class Challenge:
    """A verification under way. `ip_address` is who asked for it."""

    id: UUID
    created_at: datetime
    verified_at: datetime | None
    ip_address: str


async def add_factor(db: Connection, factor: Factor) -> None:
    """Errors: psycopg's UniqueViolation when the user has a factor of that name."""
    await db.execute(
        "insert into auth.mfa_factors"
        " (id, user_id, factor_type, status, friendly_name, secret, created_at, updated_at)"
        " values (%s, %s, %s::auth.factor_type, %s::auth.factor_status, %s, %s, now(), now())",
        [
            factor.id,
            factor.user_id,
            factor.kind,
            factor.status,
            factor.friendly_name,
            factor.secret,
        ],
    )


async def factor_of(
    db: Connection, user_id: UUID, factor_id: UUID, *, lock: bool = False
) -> Factor | None:
    """The user's factor; None for another user's."""
    async with db.cursor(row_factory=class_row(Factor)) as cursor:
        await cursor.execute(
            "select id, user_id, factor_type::text as kind, status::text, friendly_name, secret"
            f" from auth.mfa_factors where id = %s and user_id = %s{' for update' if lock else ''}",
            [factor_id, user_id],
        )
        return await cursor.fetchone()


async def delete_factor(db: Connection, factor_id: UUID) -> None:
    await db.execute("delete from auth.mfa_factors where id = %s", [factor_id])


async def delete_expired_factors(db: Connection) -> None:
    """Of all users: what was enrolled and never even challenged for five minutes."""
    await db.execute(
        "delete from auth.mfa_factors as f where f.status <> 'verified'"
        " and f.created_at + make_interval(secs => %s) < now()"
        " and not exists (select from auth.mfa_challenges as c where c.factor_id = f.id)",
        [CHALLENGE_SECONDS],
    )


async def delete_unverified_factors(db: Connection, user_id: UUID, kind: str) -> None:
    await db.execute(
        "delete from auth.mfa_factors where user_id = %s and status = 'unverified'"
        " and factor_type = %s::auth.factor_type",
        [user_id, kind],
    )


async def add_challenge(db: Connection, factor_id: UUID, ip: str) -> UUID:
    made = uuid4()
    await db.execute(
        "with asked as ("
        " update auth.mfa_factors set last_challenged_at = clock_timestamp() where id = %(factor)s"
        ") insert into auth.mfa_challenges (id, factor_id, created_at, ip_address)"
        " values (%(id)s, %(factor)s, now(), %(ip)s::inet)",
        {"id": made, "factor": factor_id, "ip": ip},
    )
    return made


async def challenge_by_id(db: Connection, factor_id: UUID, challenge_id: UUID) -> Challenge | None:
    """A challenge of this factor."""
    async with db.cursor(row_factory=class_row(Challenge)) as cursor:
        await cursor.execute(
            "select id, created_at, verified_at, host(ip_address) as ip_address"
            " from auth.mfa_challenges where id = %s and factor_id = %s",
            [challenge_id, factor_id],
        )
        return await cursor.fetchone()


async def delete_challenge(db: Connection, challenge_id: UUID) -> None:
    await db.execute("delete from auth.mfa_challenges where id = %s", [challenge_id])


async def was_step_used(db: Connection, factor_id: UUID, step: int) -> bool:
    """Whether the code of this period, or of a later one, has been accepted.

    The period is kept in `otp_code` of the challenge, which hosted projects leave empty for TOTP.
    """
    row = await (
        await db.execute(
            "select exists (select from auth.mfa_challenges where factor_id = %s"
            " and verified_at is not null"
            " and case when otp_code ~ '^[0-9]{1,18}$' then otp_code::bigint >= %s end)",
            [factor_id, step],
        )
    ).fetchone()
    return bool(row and row[0])


async def mark_verified(db: Connection, factor_id: UUID, challenge_id: UUID, step: int) -> None:
    """Spend a challenge and the code of its period; the factor counts from now on."""
    await db.execute(
        "update auth.mfa_challenges set verified_at = now(), otp_code = %s where id = %s",
        [str(step), challenge_id],
    )
    await db.execute(
        "update auth.mfa_factors set status = 'verified', updated_at = now()"
        " where id = %s and status <> 'verified'",
        [factor_id],
    )


async def lower_sessions_of(db: Connection, factor: Factor) -> None:
    """Take the second factor back from sessions that passed it."""
    await db.execute(
        "with lowered as ("
        " update auth.sessions set aal = 'aal1', factor_id = null, updated_at = now()"
        "   where user_id = %s and factor_id = %s returning id"
        ") delete from auth.mfa_amr_claims as a using lowered as l"
        " where a.session_id = l.id and a.authentication_method = %s",
        [factor.user_id, factor.id, factor.kind],
    )


async def end_sessions_below_aal2(db: Connection, user_id: UUID, *, besides: UUID) -> None:
    await db.execute(
        "delete from auth.sessions where user_id = %s and id <> %s"
        " and coalesce(aal, 'aal1') < 'aal2'",
        [user_id, besides],
    )
