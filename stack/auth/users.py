"""Users and their identities: rows of `auth.users`, and how clients see them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from psycopg import sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from stack.core.database import Connection

AUDIENCE = "authenticated"
NIL_UUID = UUID(int=0)  # of the instance: there is only one
Json = dict[str, Any]

_COLUMNS = """
    u.id, u.aud, u.role, u.email, u.encrypted_password, u.email_confirmed_at, u.invited_at,
    u.confirmation_sent_at, u.recovery_sent_at, u.email_change, u.email_change_sent_at,
    u.email_change_confirm_status, u.last_sign_in_at,
    coalesce(u.raw_app_meta_data, '{}') as raw_app_meta_data,
    coalesce(u.raw_user_meta_data, '{}') as raw_user_meta_data,
    u.created_at, u.updated_at, u.phone, u.phone_confirmed_at, u.phone_change,
    u.phone_change_sent_at, u.confirmed_at, u.banned_until, u.reauthentication_sent_at,
    u.is_sso_user, u.deleted_at, u.is_anonymous,
    coalesce((
        select json_agg(i order by i.created_at, i.id)
        from auth.identities as i where i.user_id = u.id
    ), '[]') as identities,
    coalesce((
        select json_agg(json_build_object(
            'id', f.id, 'created_at', f.created_at, 'updated_at', f.updated_at,
            'status', f.status, 'friendly_name', f.friendly_name, 'factor_type', f.factor_type,
            'phone', f.phone, 'last_challenged_at', f.last_challenged_at
        ) order by f.created_at)
        from auth.mfa_factors as f where f.user_id = u.id
    ), '[]') as factors
"""


@dataclass(frozen=True, slots=True)
class User:
    """A row of `auth.users` with its identities and factors, named as the columns are.

    `identities` and `factors` are rows as JSON; the tokens waiting in mails are in tokens.py.
    """

    id: UUID
    aud: str | None
    role: str | None
    email: str | None
    encrypted_password: str | None = field(repr=False)
    email_confirmed_at: datetime | None
    invited_at: datetime | None
    confirmation_sent_at: datetime | None
    recovery_sent_at: datetime | None
    email_change: str | None
    email_change_sent_at: datetime | None
    email_change_confirm_status: int | None
    last_sign_in_at: datetime | None
    raw_app_meta_data: Json
    raw_user_meta_data: Json
    created_at: datetime | None
    updated_at: datetime | None
    phone: str | None
    phone_confirmed_at: datetime | None
    phone_change: str | None
    phone_change_sent_at: datetime | None
    confirmed_at: datetime | None
    banned_until: datetime | None
    reauthentication_sent_at: datetime | None
    is_sso_user: bool
    deleted_at: datetime | None
    is_anonymous: bool
    identities: Sequence[Json]
    factors: Sequence[Json]

    @property
    def is_confirmed(self) -> bool:
        """Has proven to own the e-mail address."""
        return self.email_confirmed_at is not None

    @property
    def is_banned(self) -> bool:
        return self.banned_until is not None and self.banned_until > datetime.now(UTC)

    @property
    def has_verified_factor(self) -> bool:
        return any(factor["status"] == "verified" for factor in self.factors)

    def identity(self, provider: str) -> Json | None:
        """The first identity of `provider`."""
        return next((row for row in self.identities if row["provider"] == provider), None)


# --- reading


async def user_by_id(db: Connection, user_id: UUID | str, *, lock: bool = False) -> User | None:
    """The user, also a soft-deleted one. `lock` keeps others from changing the row meanwhile."""
    return await _one_user(db, f"u.id = %s{' for no key update of u' if lock else ''}", [user_id])


async def user_by_email(db: Connection, email: str, *, lock: bool = False) -> User | None:
    """The user who signs in by this address; SSO users do not. `email` is lower case."""
    return await _one_user(
        db,
        "u.instance_id = %s and lower(u.email) = %s and u.aud = %s and not u.is_sso_user"
        f" limit 1{' for no key update of u' if lock else ''}",
        [NIL_UUID, email, AUDIENCE],
    )


async def user_by_phone(db: Connection, phone: str) -> User | None:
    """The user who signs in by this number; `phone` is digits only."""
    return await _one_user(
        db,
        "u.instance_id = %s and u.phone = %s and u.aud = %s and not u.is_sso_user limit 1",
        [NIL_UUID, phone, AUDIENCE],
    )


async def duplicate_of_email(
    db: Connection, email: str, *, besides: UUID | None = None
) -> User | None:
    """Another user who owns `email` as login or by an identity. SSO users do not count."""
    return await _one_user(
        db,
        "u.id is distinct from %s and not u.is_sso_user and u.aud = %s and ("
        " (u.instance_id = %s and lower(u.email) = %s)"
        " or u.id in (select i.user_id from auth.identities as i where i.email = %s"
        "   and i.provider not like 'sso:%%')"
        ") limit 1",
        [besides, AUDIENCE, NIL_UUID, email, email],
    )


async def user_by_identity(
    db: Connection, provider: str, provider_id: str, *, lock: bool = False
) -> User | None:
    """The user to whom a provider's account belongs."""
    return await _one_user(
        db,
        "u.id = (select i.user_id from auth.identities as i"
        " where i.provider = %s and i.provider_id = %s)"
        f"{' for no key update of u' if lock else ''}",
        [provider, provider_id],
    )


async def users_page(
    db: Connection, limit: int, offset: int, *, search: str = ""
) -> tuple[list[User], int]:
    """A page of all users, the newest first, and how many there are.

    `search` is part of an address or, in any case, of a full name.
    """
    where = (
        "u.instance_id = %(instance)s and u.aud = %(aud)s and (%(search)s = ''"
        " or strpos(u.email, %(search)s) > 0"
        " or strpos(lower(u.raw_user_meta_data ->> 'full_name'), lower(%(search)s)) > 0)"
    )
    values = {
        "instance": NIL_UUID,
        "aud": AUDIENCE,
        "search": search,
        "limit": limit,
        "offset": offset,
    }
    total = await (
        await db.execute(f"select count(*) from auth.users as u where {where}", values)
    ).fetchone()
    async with db.cursor(row_factory=class_row(User)) as cursor:
        await cursor.execute(
            f"select {_COLUMNS} from auth.users as u where {where}"
            " order by u.created_at desc, u.id limit %(limit)s offset %(offset)s",
            values,
        )
        return await cursor.fetchall(), total[0] if total else 0


async def _one_user(db: Connection, condition: str, values: Sequence[object]) -> User | None:
    async with db.cursor(row_factory=class_row(User)) as cursor:
        await cursor.execute(f"select {_COLUMNS} from auth.users as u where {condition}", values)
        return await cursor.fetchone()


# --- writing


async def add_user(
    db: Connection,
    *,
    email: str | None,
    encrypted_password: str | None = None,
    app_metadata: Mapping[str, Any],
    user_metadata: Mapping[str, Any],
    role: str = AUDIENCE,
    user_id: UUID | None = None,
    **columns: object,
) -> User:
    """Insert a user, unconfirmed, and read back what triggers made of it.

    `columns` are further columns of auth.users. Errors: psycopg's UniqueViolation when the address
    is taken.
    """
    made = user_id or uuid4()
    values: dict[str, object] = {
        "instance_id": NIL_UUID,
        "id": made,
        "aud": AUDIENCE,
        "role": role,
        "email": email,
        "encrypted_password": encrypted_password or "",
        "raw_app_meta_data": jsonb(app_metadata),
        "raw_user_meta_data": jsonb(user_metadata),
        # GoTrue cannot read nulls in these, so that dumps move both ways
        "is_super_admin": False,
        "confirmation_token": "",
        "recovery_token": "",
        "email_change_token_new": "",
        "email_change": "",
        **columns,
    }
    await db.execute(
        sql.SQL(
            "insert into auth.users ({}, created_at, updated_at) values ({}, now(), now())"
        ).format(
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join([sql.Placeholder()] * len(values)),
        ),
        list(values.values()),
    )
    return await _reload(db, made)


async def change_user(db: Connection, user_id: UUID, **columns: object) -> User:
    """Set columns of auth.users, named in code and never by a client; read the row back."""
    values = columns | {"updated_at": datetime.now(UTC)}
    await db.execute(
        sql.SQL("update auth.users set {} where id = %s").format(
            sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in values)
        ),
        [*values.values(), user_id],
    )
    return await _reload(db, user_id)


async def _reload(db: Connection, user_id: UUID) -> User:
    user = await user_by_id(db, user_id)
    if user is None:
        raise LookupError(f"user {user_id} is gone")
    return user


async def add_identity(
    db: Connection, user_id: UUID, provider: str, data: Mapping[str, Any]
) -> None:
    """Insert an identity; `data["sub"]` is the account's id at the provider.

    Errors: psycopg's UniqueViolation when that account belongs to someone.
    """
    await db.execute(
        "insert into auth.identities (id, provider_id, user_id, identity_data, provider,"
        " last_sign_in_at, created_at, updated_at)"
        " values (%s, %s, %s, %s, %s, now(), now(), now())",
        [uuid4(), str(data["sub"]), user_id, jsonb(data), provider],
    )


async def change_identity_data(
    db: Connection, user_id: UUID, provider: str, changes: Mapping[str, Any]
) -> None:
    """Merge `changes` into the data of the user's identities at `provider`."""
    await db.execute(
        "update auth.identities set identity_data = identity_data || %s, updated_at = now()"
        " where user_id = %s and provider = %s",
        [jsonb(changes), user_id, provider],
    )


async def refresh_providers(db: Connection, user_id: UUID) -> User:
    """Write the providers of the user's identities, oldest first, into the app metadata."""
    user = await _reload(db, user_id)
    providers = list(dict.fromkeys(row["provider"] for row in user.identities))
    named = {"provider": providers[0], "providers": providers} if providers else {"providers": []}
    if named.items() <= user.raw_app_meta_data.items():
        return user
    return await change_user(db, user_id, raw_app_meta_data=jsonb(user.raw_app_meta_data | named))


def merged(metadata: Mapping[str, Any], changes: Mapping[str, Any]) -> Jsonb:
    """Metadata after an update: a null removes its key."""
    both = {**metadata, **changes}
    return jsonb({key: value for key, value in both.items() if value is not None})


def jsonb(value: Any) -> Jsonb:
    return Jsonb(value, dumps=_dumps)


def _dumps(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


# --- as clients see it


def user_json(user: User) -> Json:
    """The user object of every answer. Source: supabase/auth, models/user.go."""
    shown: Json = {
        "id": str(user.id),
        "aud": user.aud or "",
        "role": user.role or "",
        "email": user.email or "",
        "email_confirmed_at": timestamp(user.email_confirmed_at),
        "invited_at": timestamp(user.invited_at),
        "phone": user.phone or "",
        "phone_confirmed_at": timestamp(user.phone_confirmed_at),
        "confirmation_sent_at": timestamp(user.confirmation_sent_at),
        "confirmed_at": timestamp(user.confirmed_at),
        "recovery_sent_at": timestamp(user.recovery_sent_at),
        "new_email": user.email_change or None,
        "email_change_sent_at": timestamp(user.email_change_sent_at),
        "new_phone": user.phone_change or None,
        "phone_change_sent_at": timestamp(user.phone_change_sent_at),
        "reauthentication_sent_at": timestamp(user.reauthentication_sent_at),
        "last_sign_in_at": timestamp(user.last_sign_in_at),
        "app_metadata": user.raw_app_meta_data,
        "user_metadata": user.raw_user_meta_data,
        "factors": [factor_json(row) for row in user.factors] or None,
        "identities": [identity_json(row) for row in user.identities],
        # rows made by hand may lack these, and the clients insist on them
        "created_at": timestamp(user.created_at) or timestamp(datetime.fromtimestamp(0, UTC)),
        "updated_at": timestamp(user.updated_at),
        "banned_until": timestamp(user.banned_until),
        "deleted_at": timestamp(user.deleted_at),
        "is_anonymous": user.is_anonymous,
    }
    return {key: value for key, value in shown.items() if value is not None}


def identity_json(row: Mapping[str, Any]) -> Json:
    """An identity as clients see it: `id` is the account's at the provider."""
    shown: Json = {
        "identity_id": row["id"],
        "id": row["provider_id"],
        "user_id": row["user_id"],
        "identity_data": row["identity_data"],
        "provider": row["provider"],
        "last_sign_in_at": timestamp(row["last_sign_in_at"]),
        "created_at": timestamp(row["created_at"]),
        "updated_at": timestamp(row["updated_at"]),
        "email": row["email"] or None,
    }
    return {key: value for key, value in shown.items() if value is not None}


def factor_json(row: Mapping[str, Any]) -> Json:
    """A second factor as clients see it, without its secret."""
    shown: Json = {
        "id": str(row["id"]),
        "created_at": timestamp(row["created_at"]),
        "updated_at": timestamp(row["updated_at"]),
        "status": row["status"],
        "friendly_name": row["friendly_name"] or None,
        "factor_type": row["factor_type"],
        "phone": row.get("phone") or None,
        "last_challenged_at": timestamp(row.get("last_challenged_at")),
    }
    return {key: value for key, value in shown.items() if value is not None}


def timestamp(moment: datetime | str | None) -> str | None:
    """RFC 3339 in UTC, as Go prints it: `2026-01-31T09:00:00.5Z`."""
    if moment is None:
        return None
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S.%f").rstrip("0").rstrip(".")
    return text + "Z"
