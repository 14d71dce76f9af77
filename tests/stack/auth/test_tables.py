"""The tables are a hosted project's: owner, RLS, rights, and hashes that dumps carry over."""

import hashlib

import psycopg
import pytest

PASSWORD = "correct horse battery"


def test_every_table_is_owned_and_shut(db):
    rows = db.execute(
        "select c.relname, c.relowner::regrole::text, c.relrowsecurity from pg_class as c"
        " where c.relnamespace = 'auth'::regnamespace and c.relkind = 'r'"
    ).fetchall()
    assert {"users", "identities", "sessions", "refresh_tokens", "one_time_tokens"} <= {
        name for name, _, _ in rows
    }
    assert {(owner, is_shut) for _, owner, is_shut in rows} == {("supabase_auth_admin", True)}


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
def test_api_roles_reach_no_table(db, role):
    [(reachable,)] = db.execute(
        "select count(*) from pg_class as c where c.relnamespace = 'auth'::regnamespace"
        " and c.relkind = 'r' and has_table_privilege(%s, c.oid, 'select,insert,update,delete')",
        [role],
    ).fetchall()
    assert reachable == 0


def test_project_owner_may_read_reference_and_watch(db):
    with db.transaction(force_rollback=True):
        db.execute("create table public.auth_probe (id uuid references auth.users)")
        db.execute("select count(*) from auth.users").fetchone()


def test_generated_columns(db):
    [(confirmed,), (email,)] = db.execute(
        "select attgenerated::text from pg_attribute where (attrelid, attname) in"
        " (('auth.users'::regclass, 'confirmed_at'), ('auth.identities'::regclass, 'email'))"
    ).fetchall()
    assert confirmed == email == "s"


def test_tokens_are_gotrues(api, inbox, email, db):
    api.post("/signup", json={"email": email, "password": PASSWORD})
    [code] = inbox(email)["codes"]
    expected = hashlib.sha224((email + code).encode()).hexdigest()
    row = db.execute(
        "select u.confirmation_token, t.token_hash, t.token_type::text, t.relates_to"
        " from auth.users as u join auth.one_time_tokens as t on t.user_id = u.id"
        " where u.email = %s",
        [email],
    ).fetchone()
    assert row == (expected, expected, "confirmation_token", email)


def test_refresh_tokens_have_small_ids_and_twelve_letters(person, sign_in, db):
    session = sign_in(person()["email"])
    row = db.execute(
        "select pg_typeof(id)::text, length(token), user_id, revoked, parent"
        " from auth.refresh_tokens where token = %s",
        [session["refresh_token"]],
    ).fetchone()
    assert row == ("bigint", 12, session["user"]["id"], False, None)


def test_one_address_is_one_user(db, person):
    user = person()
    with pytest.raises(psycopg.errors.UniqueViolation):
        db.execute(
            "insert into auth.users (id, email, instance_id) values (gen_random_uuid(), %s, null)",
            [user["email"]],
        )
