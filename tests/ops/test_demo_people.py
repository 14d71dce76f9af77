"""The demo people of a fresh stack can sign in, as what demo.json says they are."""

import json

import httpx
import jwt
import pytest

from tests.fixtures.people import sign_up

ROLES = {"sponsor", "creator", "agent", "moderator", "admin"}


@pytest.fixture(scope="module")
def people(pytestconfig):
    """Rows of demo.json; the last word of a note is the role."""
    return json.loads((pytestconfig.rootpath / "supabase" / "demo.json").read_text())


def test_there_is_one_of_each(people):
    assert {one["note"].split()[-1] for one in people} == ROLES
    assert all(one["email"].endswith("@example.com") for one in people)


def test_the_seed_makes_them_and_may_run_again(db, people, pytestconfig):
    seed = (pytestconfig.rootpath / "supabase" / "seed.sql").read_bytes()
    for _ in range(2):
        db.execute(seed)
        made = db.execute(
            "select email from auth.identities where identity_data ->> 'email' = email"
        ).fetchall()
        assert {email for (email,) in made} == {one["email"] for one in people}
        for one in people:
            [(is_password, cost, roles)] = db.execute(
                "select encrypted_password = extensions.crypt(%s, encrypted_password),"
                " split_part(encrypted_password, '$', 3)::int,"
                " (select array_agg(role::text) from role_assignments where user_id = login.id)"
                " from auth.users as login where email = %s and email_confirmed_at is not null",
                [one["password"], one["email"]],
            )
            assert is_password
            assert cost >= 10
            assert roles == [one["note"].split()[-1]]


def test_no_admin_with_a_known_password_comes_among_real_people(db, pytestconfig):
    sign_up(db, "somebody")
    db.execute((pytestconfig.rootpath / "supabase" / "seed.sql").read_bytes())
    assert db.execute("select from auth.users where email like '%%@example.com'").rowcount == 1
    assert db.execute("select from role_assignments where role = 'admin'").rowcount == 0


def test_they_sign_in(guildhall_stack, people):
    for one in people:
        answer = httpx.post(
            f"{guildhall_stack.url}/auth/v1/token",
            params={"grant_type": "password"},
            headers={"apikey": guildhall_stack.publishable_key},
            json={"email": one["email"], "password": one["password"]},
        )
        assert answer.status_code == 200, answer.text
        token = answer.json()["access_token"]
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims["app_roles"] == [one["note"].split()[-1]]
        assert claims["exp"] - claims["iat"] == 900
