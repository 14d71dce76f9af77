"""Roles, schemas and default privileges stand as in a hosted project of Postgres 17."""

import psycopg
import pytest

ROLES = [
    # name                          login  inherit createrole createdb replication bypassrls
    ("anon",                       "-      inherit -          -        -           -"),
    ("authenticated",              "-      inherit -          -        -           -"),
    ("service_role",               "-      inherit -          -        -           bypassrls"),
    ("authenticator",              "login  -       -          -        -           -"),
    ("supabase_auth_admin",        "login  -       -          -        -           -"),
    ("supabase_storage_admin",     "login  -       createrole -        -           -"),
    ("supabase_functions_admin",   "login  -       createrole -        -           -"),
    ("supabase_realtime_admin",    "login  -       createrole -        replication -"),
    ("supabase_replication_admin", "login  inherit -          -        replication -"),
    ("supabase_etl_admin",         "login  inherit -          -        replication -"),
    ("supabase_read_only_user",    "login  inherit -          -        -           bypassrls"),
    ("pgbouncer",                  "login  inherit -          -        -           -"),
    ("dashboard_user",             "-      inherit createrole createdb replication -"),
    ("postgres",                   "login  inherit createrole createdb replication bypassrls"),
]  # fmt: skip

MEMBERSHIPS = {
    # member: role (* with admin option)
    "authenticator": {"anon", "authenticated", "service_role"},
    "supabase_storage_admin": {"authenticator"},
    "supabase_read_only_user": {"pg_read_all_data"},
    "supabase_etl_admin": {"pg_read_all_data"},
    "postgres": {
        "anon*", "authenticated*", "service_role*", "authenticator*", "pg_monitor*",
        "pg_read_all_data*", "pg_signal_backend*", "pg_create_subscription",
        # ours: hosted's supautils does without
        "supabase_auth_admin", "supabase_storage_admin", "supabase_realtime_admin",
    },
}  # fmt: skip

SETTINGS = {
    "anon": ["statement_timeout=3s"],
    "authenticated": ["statement_timeout=8s"],
    "authenticator": [
        "lock_timeout=8s",
        # ours: our Data API's statements hold headers, and so keys
        "log_min_error_statement=panic",
        "statement_timeout=8s",
    ],
    "postgres": ['search_path="$user", public, extensions'],
    "service_role": [],
    "supabase_auth_admin": [
        "idle_in_transaction_session_timeout=60000", "log_statement=none", "search_path=auth",
    ],
    "supabase_storage_admin": ["log_statement=none", "search_path=storage"],
    "supabase_realtime_admin": ["search_path=realtime"],
}  # fmt: skip

SCHEMAS = [
    # schema            role                       usage  create
    ("public",          "anon",                    True,  False),
    ("public",          "authenticated",           True,  False),
    ("public",          "service_role",            True,  False),
    ("public",          "postgres",                True,  True),
    ("extensions",      "anon",                    True,  False),
    ("extensions",      "service_role",            True,  False),
    ("extensions",      "postgres",                True,  True),
    ("auth",            "anon",                    True,  False),
    ("auth",            "authenticated",           True,  False),
    ("auth",            "service_role",            True,  False),
    ("auth",            "supabase_auth_admin",     True,  True),
    ("auth",            "dashboard_user",          True,  True),
    ("storage",         "anon",                    True,  False),
    ("storage",         "service_role",            True,  False),
    ("storage",         "supabase_storage_admin",  True,  True),
    ("realtime",        "anon",                    True,  False),
    ("realtime",        "authenticated",           True,  False),
    ("realtime",        "supabase_realtime_admin", True,  True),
    ("vault",           "anon",                    False, False),
    ("vault",           "authenticated",           False, False),
    ("vault",           "service_role",            True,  False),
    ("graphql_public",  "anon",                    True,  False),
    ("_stack",          "postgres",                True,  False),  # by pg_read_all_data
    ("_stack",          "service_role",            False, False),
]  # fmt: skip


@pytest.fixture(scope="module")
def database(stack):
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize(("name", "attributes"), ROLES)
def test_role_has_hosted_attributes(database, name, attributes):
    row = database.execute(
        "select rolcanlogin, rolinherit, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls,"
        " rolsuper from pg_roles where rolname = %s",
        [name],
    ).fetchone()
    words = ("login", "inherit", "createrole", "createdb", "replication", "bypassrls")
    assert [word if held else "-" for word, held in zip(words, row, strict=False)] == (
        attributes.split()
    )
    assert row[-1] is False, "only supabase_admin is superuser"


@pytest.mark.parametrize("member", MEMBERSHIPS)
def test_memberships(database, member):
    rows = database.execute(
        "select held.rolname || case when bool_or(admin_option) then '*' else '' end"
        " from pg_auth_members join pg_roles as held on held.oid = roleid"
        " join pg_roles as member on member.oid = pg_auth_members.member"
        " where member.rolname = %s"
        # a creator's own admin option is Postgres' doing, not a grant of ours
        " and held.rolname ~ '^(pg_|anon|auth|service|supabase_)' group by held.rolname",
        [member],
    )
    assert {name for (name,) in rows} == MEMBERSHIPS[member]


@pytest.mark.parametrize("role", SETTINGS)
def test_role_settings(database, role):
    row = database.execute("select rolconfig from pg_roles where rolname = %s", [role]).fetchone()
    assert sorted(row[0] or []) == SETTINGS[role]


@pytest.mark.parametrize(("schema", "role", "usage", "create"), SCHEMAS)
def test_schema_privileges(database, schema, role, usage, create):
    row = database.execute(
        "select has_schema_privilege(%(role)s, oid, 'usage'),"
        " has_schema_privilege(%(role)s, oid, 'create') from pg_namespace where nspname = %(name)s",
        {"role": role, "name": schema},
    ).fetchone()
    assert row == (usage, create)


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
def test_new_objects_of_postgres_are_out_of_reach(stack, role):
    with psycopg.connect(stack.database_url) as connection:
        connection.execute(
            "create table public.gateway_new (id bigint generated always as identity);"
            "create view public.gateway_new_view as select 1 as one;"
            "create sequence public.gateway_new_sequence"
        )
        reach = connection.execute(
            "select relation, privilege from unnest(array['gateway_new', 'gateway_new_view'])"
            " as relation, unnest(array['select', 'insert', 'update', 'delete']) as privilege"
            " where has_table_privilege(%(role)s, 'public.' || relation, privilege)"
            " union all select 'sequence', privilege"
            " from unnest(array['usage', 'select']) as privilege"
            " where has_sequence_privilege(%(role)s, 'public.gateway_new_sequence', privilege)",
            {"role": role},
        ).fetchall()
        connection.rollback()
    assert reach == []


def test_new_function_is_executable_by_everyone_until_revoked(stack):
    with psycopg.connect(stack.database_url) as connection:
        connection.execute("create function public.gateway_new() returns int return 1")
        by_default = connection.execute(
            "select has_function_privilege('anon', 'public.gateway_new()', 'execute'),"
            " proacl from pg_proc where proname = 'gateway_new'"
        ).fetchone()
        connection.execute("revoke execute on function public.gateway_new from public")
        revoked = connection.execute(
            "select has_function_privilege('anon', 'public.gateway_new()', 'execute')"
        ).fetchone()
        connection.rollback()
    assert by_default == (True, None)
    assert revoked == (False,), "no named grant stays behind"


def test_postgres_is_no_superuser_and_cannot_become_one(database):
    for forbidden in (
        "update pg_authid set rolsuper = true",
        "set role supabase_admin",
        "alter role postgres superuser",
        "copy (select 1) to program 'true'",
        "alter system set fsync = off",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.execute(forbidden)


def test_postgres_puts_triggers_on_users_and_publishes_tables(stack):
    with psycopg.connect(stack.database_url) as connection:
        connection.execute(
            "create function public.gateway_noop() returns trigger language plpgsql"
            " as 'begin return new; end'"
        )
        if connection.execute("select to_regclass('auth.users')").fetchone() != (None,):
            connection.execute(
                "create trigger gateway_noop after insert on auth.users for each row"
                " execute function public.gateway_noop()"
            )
        connection.execute(
            "create table public.gateway_published (id int primary key);"
            "alter publication supabase_realtime add table public.gateway_published"
        )
        connection.rollback()


def test_auth_functions_belong_to_auth(database):
    rows = database.execute(
        "select proname, proowner::regrole::text from pg_proc"
        " where pronamespace = 'auth'::regnamespace and proname in ('uid', 'role', 'email', 'jwt')"
    ).fetchall()
    assert dict(rows) == dict.fromkeys(("uid", "role", "email", "jwt"), "supabase_auth_admin")
