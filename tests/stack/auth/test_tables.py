"""The tables are a hosted project's: owner, RLS, rights, and hashes that dumps carry over."""

import hashlib
import secrets

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


def test_rows_that_gotrue_wrote_are_good(api, person, db):
    """A code under way and a session, as a hosted project's dump brings them."""
    user = person()
    hashed = hashlib.sha224((user["email"] + "123456").encode()).hexdigest()
    db.execute(
        "insert into auth.one_time_tokens (id, user_id, token_type, token_hash, relates_to)"
        " values (gen_random_uuid(), %s, 'recovery_token', %s, %s)",
        [user["id"], hashed, user["email"]],
    )
    db.execute(
        "update auth.users set recovery_token = %s, recovery_sent_at = now() where id = %s",
        [hashed, user["id"]],
    )
    body = {"email": user["email"], "token": "123456", "type": "recovery"}
    assert api.post("/verify", json=body).status_code == 200

    text = secrets.token_hex(6)
    db.execute(
        "with begun as (insert into auth.sessions (id, user_id, created_at, updated_at, aal)"
        " values (gen_random_uuid(), %s, now(), now(), 'aal1') returning id)"
        " insert into auth.refresh_tokens"
        " (instance_id, token, user_id, revoked, created_at, updated_at, session_id)"
        " select '00000000-0000-0000-0000-000000000000', %s, %s, false, now(), now(), id"
        " from begun",
        [user["id"], text, user["id"]],
    )
    answered = api.post("/token?grant_type=refresh_token", json={"refresh_token": text})
    assert answered.json()["user"]["id"] == user["id"]


def test_gotrue_could_read_every_new_row(api, person, sign_in, db, email):
    """Its structs hold plain strings and booleans where these columns are."""
    api.post("/signup", json={"email": email, "password": PASSWORD})
    api.post("/signup", json={})
    sign_in(person()["email"])
    [(nulls,)] = db.execute(
        "select count(*) from auth.users where created_at > now() - interval '1 min'"
        " and raw_app_meta_data ? 'provider' and num_nulls(aud, role, is_super_admin,"
        " confirmation_token, recovery_token, email_change_token_new, email_change,"
        " email_change_token_current, email_change_confirm_status, phone_change,"
        " phone_change_token, reauthentication_token, created_at, updated_at,"
        " raw_user_meta_data) > 0 and instance_id is not null and id in"
        " (select user_id from auth.identities)"
    ).fetchall()
    assert nulls == 0
