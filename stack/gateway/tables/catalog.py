"""What the database's catalog says of tables: columns, policies, privileges, and who there is."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.rows import class_row, dict_row

from stack.core.database import Connection

API_ROLES = ("anon", "authenticated", "service_role")
_MAX_USERS = 200


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view. `estimate`: rows at the last analysis, -1 when unknown."""

    oid: int
    schema: str
    name: str
    kind: str
    has_policies_on: bool
    estimate: int
    comment: str | None

    @property
    def is_view(self) -> bool:
        return self.kind in ("v", "m")


@dataclass(frozen=True, slots=True)
class Column:
    """`key_position`: place in the primary key, or None. `refers_to`: schema.table of a key."""

    name: str
    type: str
    is_required: bool
    default: str | None
    key_position: int | None
    refers_to: str | None
    comment: str | None


@dataclass(frozen=True, slots=True)
class Policy:
    name: str
    command: str
    is_permissive: bool
    roles: Sequence[str]
    using: str | None
    check: str | None


@dataclass(frozen=True, slots=True)
class User:
    """A row of auth.users, as far as tokens speak of it."""

    id: uuid.UUID
    label: str
    claims: Mapping[str, Any]


async def relations(connection: Connection) -> list[Relation]:
    """Every table and view outside the system's and the stack's own schemas."""
    async with connection.cursor(row_factory=class_row(Relation)) as cursor:
        await cursor.execute(
            "select c.oid::int8 as oid, n.nspname as schema, c.relname as name,"
            " c.relkind::text as kind, c.relrowsecurity as has_policies_on,"
            " c.reltuples::int8 as estimate, obj_description(c.oid, 'pg_class') as comment"
            " from pg_class as c join pg_namespace as n on n.oid = c.relnamespace"
            " where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition"
            " and n.nspname !~ '^(pg_|information_schema$|_stack$)'"
            " order by n.nspname <> 'public', n.nspname in"
            " ('auth', 'storage', 'realtime', 'extensions', 'vault', 'supabase_migrations'),"
            " n.nspname, c.relname"
        )
        return await cursor.fetchall()


async def columns(connection: Connection, oid: int) -> list[Column]:
    """The columns of a relation, in order."""
    async with connection.cursor(row_factory=class_row(Column)) as cursor:
        await cursor.execute(
            "select a.attname as name, format_type(a.atttypid, a.atttypmod) as type,"
            " a.attnotnull as is_required, pg_get_expr(d.adbin, d.adrelid) as default,"
            " (select array_position(k.conkey, a.attnum) from pg_constraint as k"
            "  where k.conrelid = a.attrelid and k.contype = 'p') as key_position,"
            " (select k.confrelid::regclass::text from pg_constraint as k"
            "  where k.conrelid = a.attrelid and k.contype = 'f' and k.conkey = array[a.attnum]"
            "  limit 1) as refers_to,"
            " col_description(a.attrelid, a.attnum) as comment"
            " from pg_attribute as a"
            " left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum"
            " where a.attrelid = %s and a.attnum > 0 and not a.attisdropped order by a.attnum",
            [oid],
        )
        return await cursor.fetchall()


async def policies(connection: Connection, oid: int) -> list[Policy]:
    """The policies of a table, by name."""
    async with connection.cursor(row_factory=class_row(Policy)) as cursor:
        await cursor.execute(
            "select polname as name, case polcmd when 'r' then 'select' when 'a' then 'insert'"
            " when 'w' then 'update' when 'd' then 'delete' else 'all' end as command,"
            " polpermissive as is_permissive,"
            " array(select case when member = 0 then 'public' else member::regrole::text end"
            "  from unnest(polroles) as member) as roles,"
            " pg_get_expr(polqual, polrelid) as using, pg_get_expr(polwithcheck, polrelid)"
            ' as "check" from pg_policy where polrelid = %s order by polname',
            [oid],
        )
        return await cursor.fetchall()


async def privileges(connection: Connection, oid: int) -> dict[str, list[str]]:
    """What each API role was granted on a relation, columns included."""
    cursor = await connection.execute(
        "select role, array(select privilege from unnest(array['select', 'insert', 'update',"
        " 'delete']) as privilege where case when privilege = 'delete'"
        " then has_table_privilege(role, %s::oid, privilege)"
        " else has_any_column_privilege(role, %s::oid, privilege) end)"
        " from unnest(%s::name[]) as role",
        [oid, oid, list(API_ROLES)],
    )
    return {str(role): granted for role, granted in await cursor.fetchall()}


async def users(connection: Connection) -> list[User]:
    """The latest users, and what a token of theirs would say."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "select id, email, phone, is_anonymous, raw_app_meta_data as app_metadata,"
            " raw_user_meta_data as user_metadata, coalesce(role, 'authenticated') as role"
            " from auth.users where deleted_at is null order by created_at desc nulls last"
            " limit %s",
            [_MAX_USERS],
        )
        return [_user(row) for row in await cursor.fetchall()]


def _user(row: dict[str, Any]) -> User:
    claims = {
        "sub": str(row["id"]),
        "role": "authenticated",
        "aud": "authenticated",
        "aal": "aal1",
        "email": row["email"] or "",
        "phone": row["phone"] or "",
        "is_anonymous": bool(row["is_anonymous"]),
        "app_metadata": row["app_metadata"] or {},
        "user_metadata": row["user_metadata"] or {},
    }
    label = row["email"] or row["phone"] or f"anonymous {str(row['id'])[:8]}"
    return User(row["id"], str(label), claims)
