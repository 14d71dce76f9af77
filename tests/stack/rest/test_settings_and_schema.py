"""The Data API follows the database: its schema, its settings, without a restart."""

import os
import time

import httpx
import psycopg
import pytest

from stack.rest.settings import Settings, _change
from tests.conftest import start_stack


def until(condition, seconds=30):
    """Wait for something that is announced, not immediate."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def test_new_tables_columns_and_keys_are_seen(api, db):
    db.execute("drop table if exists public.rest_new_part, public.rest_new")
    db.execute("create table public.rest_new (id int primary key)")
    db.execute("grant select, insert on public.rest_new to anon")
    until(lambda: api.get("rest_new").status_code == 200)
    db.execute("alter table public.rest_new add column word text")
    until(lambda: api("POST", "rest_new", json={"id": 1, "word": "x"}).status_code == 201)
    db.execute("create table public.rest_new_part (id int primary key, rest_new_id int)")
    db.execute("grant select on public.rest_new_part to anon")
    until(lambda: api.get("rest_new_part").status_code == 200)
    assert api.get("rest_new?select=*,rest_new_part(id)").json()["code"] == "PGRST200"
    db.execute("alter table public.rest_new_part add foreign key (rest_new_id) references rest_new")
    until(lambda: api.get("rest_new?select=*,rest_new_part(id)").is_success)
    db.execute("drop table public.rest_new_part, public.rest_new")
    until(lambda: api.get("rest_new").json()["code"] == "PGRST205")


def test_reload_on_request(api, db):
    for payload in ("reload schema", "reload config", ""):
        db.execute("select pg_notify('pgrst', %s)", [payload])
    assert api.get("rest_clients?id=eq.1").is_success


@pytest.mark.parametrize(
    ("name", "value", "field", "wanted"),
    [
        ("db_schemas", 'public, "other one"', "schemas", ("public", "other one")),
        ("db_schemas", "", "schemas", ("public",)),
        ("db_extra_search_path", "", "extra_search_path", ()),
        ("db_max_rows", "7", "max_rows", 7),
        ("db_max_rows", "", "max_rows", None),
        ("db_aggregates_enabled", "true", "aggregates_enabled", True),
        ("db_plan_enabled", "off", "plan_enabled", False),
        ("db_pre_request", "public.check", "pre_request", "public.check"),
        ("db_tx_end", "rollback-allow-override", "rolls_back", True),
        ("db_tx_end", "commit-allow-override", "may_end_transaction", True),
        ("server_timing_enabled", "yes", "shows_timing", True),
        ("openapi_mode", "disabled", "openapi", "disabled"),
    ],
)
def test_what_settings_mean(name, value, field, wanted):
    assert _change(name, value)[field] == wanted
    assert hasattr(Settings(), field)


CONFIG = """
project_id = "rest-settings"
[api]
schemas = ["public"]
max_rows = 2
"""
MIGRATION = """
create table public.things (id int primary key);
insert into public.things select generate_series(1, 5);
grant select on public.things to anon;
create schema second;
grant usage on schema second to anon;
create table second.more (id int primary key);
grant select on second.more to anon;
create function public.isolation() returns text language sql
as $$ select current_setting('transaction_isolation') $$;
grant execute on function public.isolation to anon;
create function public.isolated() returns text language sql
set default_transaction_isolation = 'serializable'
as $$ select current_setting('transaction_isolation') $$;
grant execute on function public.isolated to anon;
create function public.check_request() returns void language plpgsql as $$
begin
    if current_setting('request.headers', true)::json ->> 'x-forbidden' is not null then
        raise sqlstate 'PT403' using message = 'forbidden by pre-request';
    end if;
    perform set_config('response.headers', '[{"X-Checked": "yes"}]', true);
end;
$$;
grant execute on function public.check_request to anon;
"""


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """A stack of this process's own, whose authenticator may be told anything."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    project = tmp_path_factory.mktemp("rest-settings")
    migrations = project / "supabase" / "migrations"
    migrations.mkdir(parents=True)
    (project / "supabase" / "config.toml").write_text(CONFIG)
    (migrations / "20260101000000_things.sql").write_text(MIGRATION)
    return start_stack(project, f"rest-settings-{worker}")


@pytest.fixture
def get(other):
    headers = {"apikey": other.publishable_key}
    with httpx.Client(base_url=f"{other.url}/rest/v1/", headers=headers) as client:
        yield client.get


@pytest.fixture
def tell(other):
    """`alter role authenticator set …`, taken back afterwards."""
    told = []
    with psycopg.connect(other.database_url, autocommit=True) as db:

        def alter(name, value):
            db.execute(f"alter role authenticator set {name} = '{value}'")
            told.append(name)
            db.execute("notify pgrst, 'reload config'")

        yield alter
        for name in told:
            db.execute(f"alter role authenticator reset {name}")
        db.execute("notify pgrst, 'reload config'")


def test_defaults_of_the_project(get):
    assert len(get("things").json()) == 2
    assert get("things?select=count()").json()["code"] == "PGRST123"
    plan = {"accept": "application/vnd.pgrst.plan+json"}
    assert get("things", headers=plan).json()["code"] == "PGRST107"
    assert "content-profile" not in get("things").headers
    beyond = get("things", headers={"prefer": "count=exact"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (206, "0-1/5")
    ended = get("things", headers={"prefer": "tx=rollback, handling=strict"})
    assert "tx" not in ended.headers["preference-applied"]


def test_told_by_the_database(get, tell):
    tell("pgrst.db_max_rows", "3")
    until(lambda: len(get("things").json()) == 3)
    tell("pgrst.db_aggregates_enabled", "true")
    until(lambda: get("things?select=count()").json() == [{"count": 5}])
    tell("pgrst.db_plan_enabled", "true")
    until(lambda: get("things", headers={"accept": "application/vnd.pgrst.plan"}).is_success)
    tell("pgrst.db_schemas", "public, second")
    until(lambda: get("more", headers={"accept-profile": "second"}).is_success)
    tell("pgrst.server_timing_enabled", "true")
    until(lambda: "transaction;dur=" in get("things").headers.get("server-timing", ""))


def test_pre_request(get, tell):
    tell("pgrst.db_pre_request", "public.check_request")
    until(lambda: get("things").headers.get("x-checked") == "yes")
    refused = get("things", headers={"x-forbidden": "1"})
    assert (refused.status_code, refused.json()["message"]) == (403, "forbidden by pre-request")


def test_isolation_of_roles_and_functions(other, get):
    assert get("rpc/isolation").json() == "read committed"
    assert get("rpc/isolated").json() == "serializable"
    with psycopg.connect(other.database_url, autocommit=True) as db:
        db.execute("alter role anon set default_transaction_isolation = 'repeatable read'")
        db.execute("notify pgrst, 'reload config'")
        until(lambda: get("rpc/isolation").json() == "repeatable read")
        db.execute("alter role anon reset default_transaction_isolation")


def test_lost_connections_are_replaced(other, get):
    with psycopg.connect(other.database_url, autocommit=True) as db:
        get("things")
        db.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where usename = 'authenticator' and pid <> pg_backend_pid()"
        )
        for _ in range(15):
            assert len(get("things").json()) == 2
        # the one that listens comes back, too
        db.execute("create table if not exists public.made_later (id int)")
        db.execute("grant select on public.made_later to anon")
        until(lambda: get("made_later").is_success)
