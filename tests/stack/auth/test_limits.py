"""Rate limits: per address, per mail, per mailbox; and no header talks them away."""

import asyncio

import pytest

from stack.auth.errors import AuthError
from stack.auth.limits import Limits
from stack.auth.settings import RateLimits

PASSWORD = "correct horse battery"


async def test_requests_are_counted_per_address(variant, new_email):
    client = await variant({"rate_limit": {"sign_in_sign_ups": 3}})
    body = {"email": new_email(), "password": PASSWORD}
    statuses = []
    for number in range(5):
        forwarded = {"x-forwarded-for": f"10.0.0.{number}", "x-real-ip": f"10.0.1.{number}"}
        answered = await client.post("/token?grant_type=password", json=body, headers=forwarded)
        statuses.append(answered.status_code)
    assert statuses == [400, 400, 400, 429, 429]
    assert answered.json()["error_code"] == "over_request_rate_limit"


async def test_on_one_machine_accounts_are_counted_apart(variant, new_email):
    client = await variant({"rate_limit": {"sign_in_sign_ups": 1}})
    for email in (new_email(), new_email()):
        body = {"email": email, "password": PASSWORD}
        for status in (400, 429):
            answered = await client.post("/token?grant_type=password", json=body)
            assert answered.status_code == status


def test_elsewhere_the_machine_is_counted():
    limits = Limits(RateLimits(None, None, None, 1, None, None))
    limits.check("sign_in_sign_ups", "203.0.113.9", "a@example.com")
    with pytest.raises(AuthError):
        limits.check("sign_in_sign_ups", "203.0.113.9", "b@example.com")
    limits.check("sign_in_sign_ups", "203.0.113.10", "a@example.com")


async def test_each_kind_has_its_own_limit(variant, person, sign_in):
    client = await variant(
        {"rate_limit": {"token_refresh": 1, "token_verifications": 1, "anonymous_users": 1}}
    )
    session = sign_in(person()["email"])
    for path, body in (
        ("/token?grant_type=refresh_token", {"refresh_token": session["refresh_token"]}),
        ("/verify", {"type": "email", "token": "123456", "email": "a@example.com"}),
        ("/signup", {}),
    ):
        assert (await client.post(path, json=body)).status_code in (200, 403)
        refused = await client.post(path, json=body)
        assert (refused.status_code, refused.json()["error_code"]) == (
            429,
            "over_request_rate_limit",
        )


async def test_one_mail_per_address_and_time_known_or_not(variant, person, new_email):
    client = await variant({"email": {"max_frequency": "60s"}})
    for email in (person()["email"], new_email()):
        assert (await client.post("/recover", json={"email": email})).status_code == 200
        refused = await client.post("/recover", json={"email": email})
        assert (refused.status_code, refused.json()["error_code"]) == (
            429,
            "over_email_send_rate_limit",
        )
        assert refused.json()["msg"] in (
            "For security purposes, you can only request this after 59 seconds.",
            "For security purposes, you can only request this after 60 seconds.",
        )


async def test_requests_at_once_send_one_mail(variant, person):
    client = await variant({"email": {"max_frequency": "60s"}})
    email = person()["email"]
    answers = await asyncio.gather(
        *(client.post("/recover", json={"email": email}) for _ in range(6))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [429] * 5


async def test_mails_of_all_are_counted_with_smtp_only(variant, person):
    smtp = {"host": "127.0.0.1", "port": 1, "admin_email": "a@example.com"}
    client = await variant({"rate_limit": {"email_sent": 1}, "email": {"smtp": smtp}})
    answers = [await client.post("/recover", json={"email": person()["email"]}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    client = await variant({"rate_limit": {"email_sent": 1}})
    for _ in range(2):
        answered = await client.post("/recover", json={"email": person()["email"]})
        assert answered.status_code == 200
