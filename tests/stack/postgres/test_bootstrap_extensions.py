"""Extensions stand where hosted has them, and dumps of hosted projects load."""

import time

import psycopg
import pytest

# as `supabase db dump` writes them
DUMPED = """
create extension if not exists "pg_net" with schema "extensions";
create extension if not exists "pgsodium";
create extension if not exists "pg_cron" with schema "pg_catalog";
create extension if not exists "pg_graphql" with schema "graphql";
create extension if not exists "pg_stat_statements" with schema "extensions";
create extension if not exists "pgcrypto" with schema "extensions";
create extension if not exists "pgjwt" with schema "extensions";
create extension if not exists "supabase_vault" with schema "vault";
create extension if not exists "uuid-ossp" with schema "extensions";
"""


@pytest.fixture
def database(stack):
    with psycopg.connect(stack.database_url) as connection:
        yield connection
        connection.rollback()


def test_preinstalled_in_extensions(database):
    rows = database.execute(
        "select extname from pg_extension where extnamespace = 'extensions'::regnamespace"
    ).fetchall()
    assert {"uuid-ossp", "pgcrypto", "pg_stat_statements"} <= {name for (name,) in rows}


def test_extensions_are_on_the_search_path(database):
    row = database.execute("select crypt('secret', gen_salt('bf', 4)) like '$2a$04$%'").fetchone()
    assert row == (True,)


def test_dump_of_a_hosted_project_loads(database):
    database.execute(DUMPED)


@pytest.mark.parametrize(
    "name",
    ["pg_trgm", "citext", "hstore", "unaccent", "btree_gist", "ltree", "fuzzystrmatch",
     "moddatetime", "postgres_fdw", "dblink", "pgstattuple", "autoinc"],
)  # fmt: skip
def test_postgres_creates_what_hosted_lets_it_create(database, name):
    database.execute(f"create extension if not exists {name} with schema extensions")


@pytest.mark.parametrize("name", ["vector", "postgis", "pgmq"])
def test_missing_extension_says_so(database, name):
    with pytest.raises(psycopg.errors.FeatureNotSupported, match=f'"{name}" is not available'):
        database.execute(f"create extension {name}")


def test_dangerous_extension_is_refused(database):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.execute("create extension file_fdw")


def test_publication_starts_empty_and_belongs_to_postgres(database):
    row = database.execute(
        "select pubowner::regrole::text, puballtables, pubtruncate from pg_publication"
        " where pubname = 'supabase_realtime'"
    ).fetchone()
    assert row == ("postgres", False, True)


NOTIFIES = [
    ("create table public.gateway_watch (id int)", True),
    ("create function public.gateway_watch() returns int return 1", True),
    ("create temporary table gateway_watch (id int)", False),
    ("create temporary table gateway_watch (id int); drop table gateway_watch", False),
    ("select 1", False),
]


@pytest.mark.parametrize(("statement", "notifies"), NOTIFIES)
def test_schema_changes_are_announced(stack, statement, notifies):
    with (
        psycopg.connect(stack.database_url, autocommit=True) as listener,
        psycopg.connect(stack.database_url, autocommit=True) as other,
    ):
        listener.execute("listen pgrst")
        other.execute(statement)
        other.execute("drop table if exists pg_temp.gateway_watch")
        heard, until = [], time.monotonic() + (10 if notifies else 0.3)
        while (left := until - time.monotonic()) > 0 and not heard:
            heard += [
                notice.payload
                for notice in listener.notifies(timeout=min(left, 0.3))
                if notice.pid == other.info.backend_pid  # other tests change the schema, too
            ]
        other.execute(
            "drop function if exists public.gateway_watch;"
            " drop table if exists public.gateway_watch"
        )
    assert heard == (["reload schema"] if notifies else [])
