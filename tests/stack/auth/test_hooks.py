"""Hooks: the project's functions are asked, obeyed, and cannot hurt the service."""

import jwt
import pytest

PASSWORD = "correct horse battery"
WHERE = "pg-functions://postgres/auth_hooks/"


def hook(name):
    return {"hook": {name: {"enabled": True, "uri": WHERE + name}}}


def attempt(client, email, password=PASSWORD):
    return client.post("/token?grant_type=password", json={"email": email, "password": password})


async def test_access_token_is_what_the_hook_makes_of_it(variant, person):
    client = await variant(hook("custom_access_token"))
    session = (await attempt(client, person()["email"])).json()
    body = {"refresh_token": session["refresh_token"]}
    renewed = (await client.post("/token?grant_type=refresh_token", json=body)).json()
    for token in (session["access_token"], renewed["access_token"]):
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims["ran_as"] == "supabase_auth_admin"


@pytest.mark.parametrize(
    ("wish", "status", "message"),
    [
        ("refuse", 403, "not today"),
        ("approve", 500, "a refusal is no success"),
        ("raise", 500, "Error running hook URI"),
        ("strip", 500, "output claims do not conform to the expected schema"),
        ("nonsense", 500, "Error unmarshaling JSON output"),
        ("sleep", 500, "Error running hook URI"),
    ],
)
async def test_a_failing_hook_lets_nobody_in(variant, person, db, wish, status, message):
    client = await variant(hook("custom_access_token"))
    user = person(user_metadata={"hook": wish})
    refused = await attempt(client, user["email"])
    assert refused.status_code == status
    assert message in refused.json()["msg"]
    assert "secret" not in refused.text
    [(sessions,)] = db.execute(
        "select count(*) from auth.sessions where user_id = %s", [user["id"]]
    ).fetchall()
    assert sessions == 0
    # and the connection serves the next one
    assert (await attempt(client, person()["email"])).status_code == 200


async def test_password_hook_counts_and_locks_out(variant, person, sign_in, api, bearer):
    client = await variant(hook("password_verification_attempt"))
    email = person()["email"]
    elsewhere = sign_in(email)
    for _ in range(2):
        assert (await attempt(client, email, "wrong")).json()["msg"] == "Invalid login credentials"
    refused = await attempt(client, email, "wrong")
    assert (refused.status_code, refused.json()["msg"]) == (400, "too many")
    assert (await attempt(client, email)).json()["msg"] == "too many"
    assert api.get("/user", headers=bearer(elsewhere)).status_code == 403


async def test_user_is_refused_before_they_are_made(variant, db):
    client = await variant(hook("before_user_created"))
    email = "someone@blocked.example"
    for path, body in (("/signup", {"password": PASSWORD}), ("/otp", {})):
        refused = await client.post(path, json={"email": email, **body})
        assert (refused.status_code, refused.json()["msg"]) == (422, "no sign-ups from there")
    found = db.execute("select from auth.users where email = %s", [email]).fetchone()
    assert found is None


async def test_mail_hook_gets_what_the_mail_would_carry(variant, person, new_email, db, bearer):
    client = await variant(hook("send_email"))
    user, address = person(), new_email()
    session = (await attempt(client, user["email"])).json()
    await client.put("/user", json={"email": address}, headers=bearer(session))
    [(event,)] = db.execute(
        "select event from auth_hooks.calls where hook = 'send_email'"
        " and event -> 'user' ->> 'id' = %s",
        [user["id"]],
    ).fetchall()
    data = event["email_data"]
    assert data["email_action_type"] == "email_change"
    assert event["user"]["new_email"] == address
    # each code goes with the hash of the other name, as upstream has it
    for email, code, hashed in (
        (user["email"], data["token"], data["token_hash_new"]),
        (address, data["token_new"], data["token_hash"]),
    ):
        found = db.execute(
            "select encode(extensions.digest(%s || %s, 'sha224'), 'hex') = %s",
            [email, code, hashed],
        ).fetchone()
        assert found == (True,)


def test_a_trigger_of_the_project_sees_the_metadata(api, db, email):
    body = {"email": email, "password": PASSWORD, "data": {"full_name": "Ada Lovelace"}}
    user = api.post("/signup", json=body).json()
    found = db.execute(
        "select full_name from auth_hooks.profiles where id = %s", [user["id"]]
    ).fetchone()
    assert found == ("Ada Lovelace",)


def test_a_trigger_that_refuses_leaves_no_user(api, db, email):
    body = {"email": email, "password": PASSWORD, "data": {"full_name": "refused"}}
    refused = api.post("/signup", json=body)
    assert (refused.status_code, refused.json()["msg"]) == (500, "Database error saving new user")
    assert db.execute("select from auth.users where email = %s", [email]).fetchone() is None
