"""A started stack answers on its port and lets only its own roles into Postgres."""

import httpx
import psycopg
import pytest


def test_gateway_answers(stack):
    assert httpx.get(f"{stack.url}/health").json() == {"status": "ok"}


def test_postgres_wants_a_password(stack):
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(stack.database_url, password="wrong")


def test_role_postgres_is_no_superuser(stack):
    with psycopg.connect(stack.database_url) as db:
        row = db.execute(
            "select rolsuper, rolbypassrls from pg_roles where rolname = current_user"
        ).fetchone()
    assert row == (False, True)
