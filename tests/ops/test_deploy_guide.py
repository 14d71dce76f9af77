"""What docs/deploy.md tells operators to run does what it says."""

import re
import secrets

import httpx
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from workers.app import queue_connector
from workers.core.settings import Settings


@pytest.fixture
def login(own_database, pytestconfig):
    """The guide's login role, under a name of its own: roles are the server's, not a database's."""
    guide = (pytestconfig.rootpath / "docs" / "deploy.md").read_text()
    [block] = re.findall(r"```sql\n(.*?)```", guide, re.S)
    name, password = f"login_{secrets.token_hex(4)}", secrets.token_urlsafe(12)
    block = block.replace("guildhall_login", name).replace("replace-me", password)
    with psycopg.connect(own_database, autocommit=True) as db:
        db.execute(block.encode())
        yield make_conninfo(own_database, user=name, password=password)
        db.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", [name]
        )
        db.execute(f"drop role {name}".encode())


def test_the_login_role_owns_and_inherits_nothing(login):
    with psycopg.connect(login, autocommit=True) as db:
        for denied in (
            "select * from public.profiles",
            "select * from procrastinate.procrastinate_jobs",
            "select private.enqueue('ops.nothing')",
            "create table public.mine (id int)",
            "set role service_role",
            "set role postgres",
            "set role supabase_auth_admin",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                db.execute(denied.encode())


def test_the_login_role_becomes_worker_and_callers(login):
    with psycopg.connect(login) as db:
        for role in ("guildhall_worker", "authenticated", "anon"):
            with db.transaction():
                db.execute("select set_config('role', %s, true)", [role])
                assert db.execute("select current_user::text").fetchone() == (role,)
        assert db.execute("show timezone").fetchone() == ("UTC",)


async def test_the_login_role_runs_the_queue(login):
    connector = queue_connector(Settings(database_url=login, _env_file=None))
    await connector.open_async()
    try:
        found = await connector.execute_query_one_async(
            "select current_user::text as role, count(*) as jobs from procrastinate_jobs"
        )
    finally:
        await connector.close_async()
    assert found == {"role": "guildhall_worker", "jobs": 0}


def test_the_first_admin_is_made_with_the_secret_key(guildhall_stack):
    key = {"apikey": guildhall_stack.secret_key}
    made = httpx.post(
        f"{guildhall_stack.url}/auth/v1/admin/users",
        headers=key,
        json={"email": f"{secrets.token_hex(6)}@example.com", "email_confirm": True},
    )
    assert made.status_code == 200, made.text
    answer = httpx.post(
        f"{guildhall_stack.url}/rest/v1/rpc/grant_role",
        headers=key,
        json={"user_id": made.json()["id"], "role": "admin"},
    )
    assert (answer.status_code, answer.text) == (204, "")
    with psycopg.connect(guildhall_stack.database_url) as db:
        roles = db.execute(
            "select role::text from role_assignments where user_id = %s", [made.json()["id"]]
        ).fetchall()
    assert roles == [("admin",)]
