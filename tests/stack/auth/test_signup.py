"""Signing up: confirmation, autoconfirmation, what strangers learn, and who gets there first."""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest

PASSWORD = "correct horse battery"


def test_new_user_is_unconfirmed_until_the_code_is_typed(api, inbox, email):
    user = api.post(
        "/signup", json={"email": email.upper(), "password": PASSWORD, "data": {"name": "Ada"}}
    ).json()
    assert user["email"] == email
    assert "email_confirmed_at" not in user
    assert user["app_metadata"] == {"provider": "email", "providers": ["email"]}
    assert user["user_metadata"]["name"] == "Ada"
    [identity] = user["identities"]
    assert identity["provider"] == "email"
    assert identity["identity_data"]["sub"] == identity["id"] == user["id"]
    refused = api.post("/token?grant_type=password", json={"email": email, "password": PASSWORD})
    assert (refused.status_code, refused.json()["error_code"]) == (400, "email_not_confirmed")

    [code] = inbox(email)["codes"]
    session = api.post("/verify", json={"type": "signup", "email": email, "token": code}).json()
    assert session["user"]["email_confirmed_at"]
    assert session["user"]["user_metadata"]["email_verified"] is True
    assert session["user"]["identities"][0]["identity_data"]["email_verified"] is True


def test_registered_address_gets_the_answer_of_a_new_one(api, person, new_email, inbox):
    known = person()
    answers = [
        api.post("/signup", json={"email": address, "password": PASSWORD})
        for address in (known["email"], new_email())
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    told, fresh = (answer.json() for answer in answers)
    assert told["id"] != known["id"]
    assert told["identities"] == []
    assert set(told) == set(fresh)
    assert "last_sign_in_at" not in told
    with pytest.raises(AssertionError, match="no mail"):
        inbox(known["email"])


def test_an_unconfirmed_user_is_not_changed_by_a_second_sign_up(api, email, db):
    first = api.post("/signup", json={"email": email, "password": PASSWORD}).json()
    before = db.execute(
        "select encrypted_password from auth.users where email = %s", [email]
    ).fetchone()
    again = api.post(
        "/signup", json={"email": email, "password": "something else", "data": {"evil": True}}
    ).json()
    assert again["id"] == first["id"]
    after = db.execute(
        "select encrypted_password, raw_user_meta_data ? 'evil' from auth.users where email = %s",
        [email],
    ).fetchone()
    assert after == (before[0], False)


async def test_autoconfirm_answers_a_session(variant, email):
    client = await variant({"email": {"enable_confirmations": False}})
    session = (await client.post("/signup", json={"email": email, "password": PASSWORD})).json()
    assert session["token_type"] == "bearer"
    assert session["user"]["email_confirmed_at"]
    again = await client.post("/signup", json={"email": email, "password": PASSWORD})
    assert (again.status_code, again.json()["error_code"]) == (422, "user_already_exists")


async def test_autoconfirm_gives_nobody_an_account_that_an_administrator_prepared(
    variant, admin, email, new_email
):
    client = await variant({"email": {"enable_confirmations": False}})
    invited = new_email()
    admin.post("/invite", json={"email": invited})
    admin.post("/admin/users", json={"email": email, "app_metadata": {"role": "chief"}})
    for address in (invited, email):
        body = {"email": address, "password": PASSWORD}
        refused = await client.post("/signup", json=body)
        assert (refused.status_code, refused.json()["error_code"]) == (422, "user_already_exists")


async def test_autoconfirm_lets_in_who_only_asked_for_a_link_before(variant, email):
    client = await variant({"email": {"enable_confirmations": False}})
    await client.post("/otp", json={"email": email})
    body = {"email": email, "password": PASSWORD}
    assert (await client.post("/signup", json=body)).json()["access_token"]
    assert (await client.post("/token?grant_type=password", json=body)).status_code == 200


@pytest.mark.parametrize(
    ("settings", "body", "status", "code"),
    [
        ({"enable_signup": False}, {"password": PASSWORD}, 422, "signup_disabled"),
        (
            {"email": {"enable_signup": False}},
            {"password": PASSWORD},
            400,
            "email_provider_disabled",
        ),
        ({"minimum_password_length": 12}, {"password": "elevenchars"}, 422, "weak_password"),
        (
            {"password_requirements": "lower_upper_letters_digits_symbols"},
            {"password": "Abcdefg1"},
            422,
            "weak_password",
        ),
        ({"captcha": {"enabled": True}}, {"password": PASSWORD}, 400, "captcha_failed"),
    ],
)  # fmt: skip
async def test_settings_that_refuse(variant, email, settings, body, status, code):
    client = await variant(settings)
    refused = await client.post("/signup", json={"email": email, **body})
    assert (refused.status_code, refused.json()["error_code"]) == (status, code)
    assert refused.headers["x-sb-error-code"] == code


def test_weak_password_says_why_in_both_api_versions(api, email):
    body = {"email": email, "password": "x"}
    older = api.post("/signup", json=body)
    assert older.json() == {
        "code": 422,
        "error_code": "weak_password",
        "msg": "Password should be at least 6 characters.",
        "weak_password": {"reasons": ["length"]},
    }
    newer = api.post("/signup", json=body, headers={"x-supabase-api-version": "2024-01-01"})
    assert newer.headers["x-supabase-api-version"] == "2024-01-01"
    assert newer.json()["code"] == "weak_password"
    assert newer.json()["message"] == older.json()["msg"]
    assert "error_code" not in newer.json()
    odd = api.post("/signup", json=body, headers={"x-supabase-api-version": "latest"})
    assert odd.json() == older.json()


def test_anonymous_user_has_no_identity(api):
    session = api.post("/signup", json={"data": {"theme": "dark"}}).json()
    user = session["user"]
    assert user["is_anonymous"] is True
    assert user["identities"] == []
    assert user["user_metadata"] == {"theme": "dark"}


async def test_anonymous_users_can_be_switched_off(variant):
    client = await variant({"enable_anonymous_sign_ins": False})
    refused = await client.post("/signup", json={})
    assert (refused.status_code, refused.json()["error_code"]) == (
        422,
        "anonymous_provider_disabled",
    )


def test_parallel_sign_ups_of_one_address_make_one_user(api, email, db):
    def sign_up(_: int) -> int:
        answered = api.post("/signup", json={"email": email, "password": PASSWORD})
        return int(answered.status_code)

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(sign_up, range(8)))
    assert set(statuses) <= {200, 429}
    assert 200 in statuses
    counted = db.execute(
        "select count(*), count(i.id) from auth.users as u left join auth.identities as i"
        " on i.user_id = u.id where u.email = %s",
        [email],
    ).fetchone()
    assert counted == (1, 1)


async def test_parallel_autoconfirmed_sign_ups_let_one_in(variant, email):
    client = await variant({"email": {"enable_confirmations": False}})
    answers = await asyncio.gather(
        *(client.post("/signup", json={"email": email, "password": PASSWORD}) for _ in range(6))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 422, 422, 422, 422, 422]


async def test_phone_and_password_where_phones_need_no_proof(variant):
    client = await variant({"sms": {"enable_signup": True, "enable_confirmations": False}})
    phone = "1" + str(secrets.randbelow(10**10)).zfill(10)
    body = {"phone": "+" + phone, "password": PASSWORD}
    session = (await client.post("/signup", json=body)).json()
    assert session["user"]["phone"] == phone
    assert session["user"]["app_metadata"]["provider"] == "phone"
    assert session["user"]["phone_confirmed_at"]
    again = await client.post("/signup", json=body)
    assert again.json()["error_code"] == "user_already_exists"
    assert (await client.post("/token?grant_type=password", json=body)).status_code == 200
    refused = await client.post("/otp", json={"phone": phone})
    assert (refused.status_code, refused.json()["error_code"]) == (422, "sms_send_failed")
