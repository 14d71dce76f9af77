"""Links and codes: each opens what it was made for, once, in time, and leads nowhere else."""

import base64
import hashlib
import secrets
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, parse_qsl, urlsplit

import jwt
import pytest

PASSWORD = "correct horse battery"
APP = "https://app.example.com/welcome"


def challenge():
    verifier = secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    shown = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return verifier, {"code_challenge": shown, "code_challenge_method": "s256"}


def follow(api, message):
    [link] = message["links"]
    return api.get(link)


def fragment_of(answer):
    return dict(parse_qsl(urlsplit(answer.headers["location"]).fragment))


def test_implicit_link_brings_a_session_in_the_fragment(api, inbox, email):
    api.post(f"/signup?redirect_to={APP}", json={"email": email, "password": PASSWORD})
    answer = follow(api, inbox(email))
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(APP + "#")
    told = fragment_of(answer)
    assert told["type"] == "signup"
    assert told["token_type"] == "bearer"
    user = api.get("/user", headers={"authorization": f"Bearer {told['access_token']}"}).json()
    assert user["email"] == email

    replayed = follow(api, inbox(email))
    assert fragment_of(replayed)["error_code"] == "otp_expired"
    assert "access_token" not in fragment_of(replayed)


@pytest.mark.parametrize(("path", "method"), [("/otp", "magiclink"), ("/recover", "recovery")])
def test_pkce_link_brings_a_code_for_its_browser_only(api, inbox, person, path, method):
    email = person()["email"]
    verifier, asked = challenge()
    assert api.post(f"{path}?redirect_to={APP}", json={"email": email, **asked}).json() == {}
    answer = follow(api, inbox(email))
    url = urlsplit(answer.headers["location"])
    assert not url.fragment
    [code] = parse_qs(url.query)["code"]

    wrong = api.post("/token?grant_type=pkce", json={"auth_code": code, "code_verifier": "x" * 50})
    assert (wrong.status_code, wrong.json()["error_code"]) == (400, "bad_code_verifier")
    session = api.post(
        "/token?grant_type=pkce", json={"auth_code": code, "code_verifier": verifier}
    ).json()
    claims = jwt.decode(session["access_token"], options={"verify_signature": False})
    assert [row["method"] for row in claims["amr"]] == [method]
    again = api.post("/token?grant_type=pkce", json={"auth_code": code, "code_verifier": verifier})
    assert (again.status_code, again.json()["error_code"]) == (404, "flow_state_not_found")


def test_pkce_signup_link(api, inbox, email):
    verifier, asked = challenge()
    api.post("/signup", json={"email": email, "password": PASSWORD, **asked})
    location = follow(api, inbox(email)).headers["location"]
    [code] = parse_qs(urlsplit(location).query)["code"]
    session = api.post(
        "/token?grant_type=pkce", json={"auth_code": code, "code_verifier": verifier}
    ).json()
    assert session["user"]["email_confirmed_at"]


def test_pkce_errors_stand_in_query_and_fragment(api):
    answer = api.get(f"/verify?token=pkce_{'0' * 56}&type=signup&redirect_to={APP}?a=1")
    url = urlsplit(answer.headers["location"])
    expected = {"error": "access_denied", "error_code": "otp_expired"}
    assert expected.items() <= dict(parse_qsl(url.fragment)).items()
    assert (expected | {"a": "1"}).items() <= dict(parse_qsl(url.query)).items()


def test_a_code_issued_long_ago_is_refused(api, inbox, person, db):
    user = person()
    verifier, asked = challenge()
    api.post("/otp", json={"email": user["email"], **asked})
    location = follow(api, inbox(user["email"])).headers["location"]
    [code] = parse_qs(urlsplit(location).query)["code"]
    db.execute(
        "update auth.flow_state set created_at = created_at - interval '6 min',"
        " auth_code_issued_at = auth_code_issued_at - interval '6 min' where user_id = %s",
        [user["id"]],
    )
    late = api.post("/token?grant_type=pkce", json={"auth_code": code, "code_verifier": verifier})
    assert (late.status_code, late.json()["error_code"]) == (422, "flow_state_expired")


@pytest.mark.parametrize("asked", ["email", "magiclink"])
def test_code_signs_in_without_password(api, inbox, person, asked):
    email = person()["email"]
    api.post("/otp", json={"email": email})
    [code] = inbox(email)["codes"]
    body = {"email": email.upper(), "token": code, "type": asked}
    assert api.post("/verify", json=body).json()["user"]["email"] == email
    used = api.post("/verify", json=body)
    assert (used.status_code, used.json()["error_code"]) == (403, "otp_expired")


def test_code_of_another_address_is_worth_nothing(api, inbox, person):
    victim, thief = person()["email"], person()["email"]
    api.post("/otp", json={"email": victim})
    api.post("/otp", json={"email": thief})
    [code] = inbox(thief)["codes"]
    stolen = api.post("/verify", json={"email": victim, "token": code, "type": "email"})
    assert stolen.status_code == 403


def test_token_hash_verifies_and_must_stand_alone(api, inbox, person):
    email = person()["email"]
    api.post("/recover", json={"email": email})
    [link] = inbox(email)["links"]
    [hashed] = parse_qs(urlsplit(link).query)["token"]
    both = api.post("/verify", json={"token_hash": hashed, "email": email, "type": "recovery"})
    assert (both.status_code, both.json()["error_code"]) == (400, "validation_failed")
    assert api.post("/verify", json={"token_hash": hashed, "type": "recovery"}).status_code == 200


def test_wrong_type_does_not_open(api, inbox, person):
    email = person()["email"]
    api.post("/recover", json={"email": email})
    [code] = inbox(email)["codes"]
    for wrong in ("signup", "invite", "email_change"):
        refused = api.post("/verify", json={"email": email, "token": code, "type": wrong})
        assert refused.json()["error_code"] == "otp_expired", wrong
    assert api.post("/verify", json={"email": email, "token": code, "type": "x"}).status_code == 400


def test_code_expires(api, inbox, person, db):
    user = person()
    api.post("/recover", json={"email": user["email"]})
    db.execute(
        "update auth.users set recovery_sent_at = now() - interval '61 min' where id = %s",
        [user["id"]],
    )
    [code] = inbox(user["email"])["codes"]
    late = api.post("/verify", json={"email": user["email"], "token": code, "type": "recovery"})
    assert (late.status_code, late.json()["msg"]) == (403, "Token has expired or is invalid")


def test_stranger_is_signed_up_by_otp_and_confirmed_only_by_the_code(api, inbox, email, db):
    assert api.post("/otp", json={"email": email, "data": {"from": "otp"}}).json() == {}
    confirmed = db.execute(
        "select email_confirmed_at is not null, raw_user_meta_data ->> 'from' from auth.users"
        " where email = %s",
        [email],
    ).fetchone()
    assert confirmed == (False, "otp")
    [code] = inbox(email)["codes"]
    session = api.post("/verify", json={"email": email, "token": code, "type": "email"}).json()
    assert session["user"]["email_confirmed_at"]


async def test_stranger_is_unconfirmed_even_where_sign_ups_need_no_proof(variant, inbox, email, db):
    client = await variant({"email": {"enable_confirmations": False}})
    await client.post("/otp", json={"email": email})
    where = "select email_confirmed_at, (select count(*) from auth.sessions as s"
    where += " where s.user_id = u.id) from auth.users as u where email = %s"
    assert db.execute(where, [email]).fetchone() == (None, 0)
    [code] = inbox(email)["codes"]
    body = {"email": email, "token": code, "type": "email"}
    assert (await client.post("/verify", json=body)).json()["user"]["email_confirmed_at"]


def test_otp_for_strangers_can_be_refused_by_the_caller(api, email):
    refused = api.post("/otp", json={"email": email, "create_user": False})
    assert (refused.status_code, refused.json()["error_code"]) == (422, "otp_disabled")


def test_invited_user_enters_by_the_link(api, admin, inbox, email):
    invited = admin.post(f"/invite?redirect_to={APP}", json={"email": email, "data": {"a": 1}})
    assert invited.json()["invited_at"]
    told = fragment_of(follow(api, inbox(email)))
    assert told["type"] == "invite"
    again = admin.post("/invite", json={"email": email})
    assert (again.status_code, again.json()["error_code"]) == (422, "email_exists")


def test_banned_user_cannot_use_a_link(api, admin, inbox, person):
    user = person()
    api.post("/otp", json={"email": user["email"]})
    admin.put(f"/admin/users/{user['id']}", json={"ban_duration": "1h"})
    message = inbox(user["email"])
    assert fragment_of(follow(api, message))["error_code"] == "user_banned"
    body = {"email": user["email"], "token": message["codes"][0], "type": "email"}
    assert api.post("/verify", json=body).json()["error_code"] == "user_banned"


def test_resend_brings_a_new_code_and_ends_the_old(api, inbox, email):
    api.post("/signup", json={"email": email, "password": PASSWORD})
    [old] = inbox(email)["codes"]
    assert api.post("/resend", json={"type": "signup", "email": email}).json() == {}
    [new] = inbox(email)["codes"]
    body = {"email": email, "type": "signup"}
    if old != new:
        assert api.post("/verify", json=body | {"token": old}).status_code == 403
    assert api.post("/verify", json=body | {"token": new}).status_code == 200


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example.org/",
        "https://app.example.com.evil.org/",
        "https://app.example.com@evil.org/x",
        "//evil.example.org",
        "javascript:alert(1)",
        "http://127.0.0.1:3000@evil.org/",
        "https://app.example.com\\@evil.org/",
        "http://169.254.169.254/latest/meta-data",
    ],
)
def test_no_link_leads_to_a_foreign_site(api, inbox, person, target):
    email = person()["email"]
    api.post("/otp", params={"redirect_to": target}, json={"email": email})
    assert "evil" not in inbox(email)["html"]
    location = follow(api, inbox(email)).headers["location"]
    assert location.startswith("http://127.0.0.1:3000#access_token=")
    # nor when the link itself is tampered with
    api.post("/otp", json={"email": email})
    [link] = inbox(email)["links"]
    parts = urlsplit(link)
    [hashed] = parse_qs(parts.query)["token"]
    answer = api.get(
        "/verify", params={"token": hashed, "type": "magiclink", "redirect_to": target}
    )
    assert answer.headers["location"].startswith("http://127.0.0.1:3000#")


def test_a_code_opens_once_however_many_type_it(api, inbox, person):
    email = person()["email"]
    api.post("/otp", json={"email": email})
    [code] = inbox(email)["codes"]
    body = {"email": email, "token": code, "type": "email"}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: api.post("/verify", json=body), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [403] * 7


def test_a_code_in_a_redirect_opens_once(api, inbox, person):
    email = person()["email"]
    verifier, asked = challenge()
    api.post("/otp", json={"email": email, **asked})
    location = follow(api, inbox(email)).headers["location"]
    [code] = parse_qs(urlsplit(location).query)["code"]
    body = {"auth_code": code, "code_verifier": verifier}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: api.post("/token?grant_type=pkce", json=body), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [404] * 7


def test_codes_cannot_be_guessed_at_leisure(api, inbox, person):
    email = person()["email"]
    api.post("/otp", json={"email": email})
    [code] = inbox(email)["codes"]
    wrong = {"email": email, "token": "x", "type": "email"}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: api.post("/verify", json=wrong), range(60)))
    assert {answer.status_code for answer in answers} == {403, 429}
    # not even the right one is told from the others then
    assert api.post("/verify", json=wrong | {"token": code}).status_code == 429


def test_a_scanner_that_only_looks_does_not_use_up_the_link(api, inbox, person):
    email = person()["email"]
    api.post("/otp", json={"email": email})
    [link] = inbox(email)["links"]
    assert api.head(link).status_code == 405
    assert "access_token" in fragment_of(api.get(link))


def test_no_header_changes_where_a_mail_leads(api, stack, inbox, person):
    email = person()["email"]
    evil = "evil.example.org"
    headers = {
        "host": evil,
        "x-forwarded-host": evil,
        "x-forwarded-proto": "ftp",
        "forwarded": f"host={evil}",
        "referer": f"https://{evil}/",
        "origin": f"https://{evil}",
        "redirect_to": f"https://{evil}/",
    }
    assert api.post("/recover", json={"email": email}, headers=headers).status_code == 200
    message = inbox(email)
    assert "evil" not in message["html"]
    assert message["links"][0].startswith(stack.url + "/auth/v1/verify?token=")
