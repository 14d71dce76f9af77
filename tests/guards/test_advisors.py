"""The official advisors find nothing to warn of, and do find what is bad."""

import psycopg
import pytest

from stack.postgres.official_cli import advise
from tests.fixtures.databases import cli_config

BAD = """
    create table public.bad (id int, owner_id uuid references auth.users (id));
    grant all on public.bad to anon;
    create function public.bad() returns int language sql security definer return 1;
"""


def test_no_finding(shared_database, pytestconfig, tmp_path):
    config = cli_config(pytestconfig.rootpath, tmp_path, shared_database)
    assert advise(config, "warn") == ""


def test_what_is_bad_is_found(own_database, pytestconfig, tmp_path):
    """An empty answer means clean, not blind."""
    with psycopg.connect(own_database) as db:
        db.execute(BAD)
    found = advise(cli_config(pytestconfig.rootpath, tmp_path, own_database), "warn")
    for lint in ("rls_disabled_in_public", "function_search_path_mutable"):
        assert lint in found


def test_function_bodies(db):
    """What `supabase db lint` asks, of our triggers as well."""
    available = db.execute(
        "select from pg_available_extensions where name = 'plpgsql_check'"
    ).fetchone()
    if available is None:
        pytest.skip("this server has no plpgsql_check; hosted and `supabase start` have it")
    db.execute("create extension if not exists plpgsql_check schema extensions")
    found = db.execute(
        """
        select made.oid::regprocedure::text, told.level, told.message
        from pg_proc as made
        join pg_language as language on language.oid = made.prolang
        left join (
            select distinct tgfoid, tgrelid from pg_trigger where not tgisinternal
        ) as trigger on trigger.tgfoid = made.oid
        cross join lateral extensions.plpgsql_check_function_tb(
            made.oid, coalesce(trigger.tgrelid, 0::oid)::regclass
        ) as told
        where language.lanname = 'plpgsql'
            and made.pronamespace in ('public'::regnamespace, 'private'::regnamespace)
            and (made.prorettype <> 'trigger'::regtype or trigger.tgrelid is not null)
            and told.level in ('error', 'warning')
        """
    ).fetchall()
    assert found == []
