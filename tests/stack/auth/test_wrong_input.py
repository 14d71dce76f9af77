"""Wrong input: the field is named, the status is 4xx, and nothing of the inside shows."""

import pytest

PASSWORD = "correct horse battery"
ODD = [{"$ne": None}, ["a"], 1, 1.5, True]
FIELDS = [
    ("/signup", "email", {"password": PASSWORD}),
    ("/signup", "password", {"email": "a@example.com"}),
    ("/signup", "phone", {"password": PASSWORD}),
    ("/signup", "code_challenge", {"email": "a@example.com", "password": PASSWORD}),
    ("/token?grant_type=password", "email", {"password": PASSWORD}),
    ("/token?grant_type=password", "password", {"email": "a@example.com"}),
    ("/token?grant_type=refresh_token", "refresh_token", {}),
    ("/token?grant_type=pkce", "auth_code", {"code_verifier": "x"}),
    ("/token?grant_type=pkce", "code_verifier", {"auth_code": "x"}),
    ("/verify", "token", {"type": "email", "email": "a@example.com"}),
    ("/verify", "token_hash", {"type": "email"}),
    ("/verify", "type", {"token": "1", "email": "a@example.com"}),
    ("/otp", "email", {}),
    ("/recover", "email", {}),
    ("/resend", "type", {"email": "a@example.com"}),
]


@pytest.mark.parametrize(("path", "name", "rest"), FIELDS)
def test_other_types_in_place_of_text(api, path, name, rest):
    for value in ODD:
        refused = api.post(path, json={**rest, name: value})
        assert refused.status_code == 422, (value, refused.text)
        assert refused.json()["error_code"] == "validation_failed"
        assert name in refused.json()["msg"]


@pytest.mark.parametrize("value", ["text", ["a"], 1, True])
def test_other_types_in_place_of_metadata(api, email, value):
    refused = api.post("/signup", json={"email": email, "password": PASSWORD, "data": value})
    assert refused.status_code == 422
    assert "data" in refused.json()["msg"]


def test_other_types_for_an_administrator(admin, person):
    user = person()
    path = f"/admin/users/{user['id']}"
    for name in ("email", "phone", "password", "role", "ban_duration"):
        assert admin.put(path, json={name: {"a": 1}}).status_code == 422, name
    for name in ("user_metadata", "app_metadata"):
        assert admin.put(path, json={name: "x"}).status_code == 422, name
    for name in ("email_confirm", "phone_confirm"):
        assert admin.put(path, json={name: "true"}).status_code == 422, name
    for odd in ("1 fortnight", "h", "999999999999h"):
        assert admin.put(path, json={"ban_duration": odd}).status_code == 400, odd


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b'"text"',
        b"[]",
        b"\xff\xfe",
        b'{"email": "\xc3\x28"}',
        b'{"email": "\\ud800@example.com", "password": "correct horse"}',
        b'{"email": "a@example.com", "password": NaN}',
        b'{"data": {"a": 1e999}}',
        b'{"data": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"data": {"a": ' + b"9" * 5000 + b"}}",
    ],
)
def test_bodies_that_are_no_json(api, body):
    for path in ("/signup", "/token?grant_type=password", "/verify", "/otp", "/recover"):
        refused = api.post(path, content=body, headers={"content-type": "application/json"})
        assert refused.status_code in (400, 422), refused.text
        assert refused.json()["error_code"] in ("bad_json", "validation_failed")


@pytest.mark.parametrize(
    "body",
    [
        {"email": "a\0@example.com", "password": PASSWORD},
        {"email": "b@example.com", "password": "correct\0horse"},
        {"email": "c@example.com", "password": PASSWORD, "data": {"deep": ["a\0"]}},
        {"email": "d@example.com", "password": PASSWORD, "data": {"a\0": 1}},
    ],
)
def test_null_characters(api, body):
    refused = api.post("/signup", json=body)
    assert (refused.status_code, refused.json()["error_code"]) == (422, "validation_failed")
    refused = api.post("/token?grant_type=password", json=body)
    assert refused.status_code == 422


def test_null_characters_and_broken_text_in_queries(api, admin):
    for path in (
        "/verify?type=signup&token=%00",
        "/verify?type=%00&token=x",
        "/verify?type=signup&token=x&redirect_to=%00",
        "/verify?type=signup&token=%ff%fe",
    ):
        assert api.get(path).status_code == 422, path
    assert admin.get("/admin/users?filter=%00").status_code == 422
    assert admin.get("/admin/users/%00").status_code == 404
    assert admin.get("/admin/users/1'%20or%201=1").status_code == 404


def test_giant_bodies(api, email):
    body = {"email": email, "password": PASSWORD, "data": {"a": "x" * 2_000_000}}
    assert api.post("/signup", json=body).status_code == 413


@pytest.mark.parametrize(
    "email",
    [
        "a", "@example.com", "a@", "a b@example.com", "a@example.com\r\nBcc: all@example.com",
        "<script>@example.com", "a@-example.com", "a@exa mple.com", '"a"@example.com',
        "a" * 65 + "@example.com", "a@" + "b." * 130 + "com", "ä@example.com",
    ],
)  # fmt: skip
def test_addresses_that_are_none(api, email):
    for path in ("/signup", "/otp", "/recover"):
        refused = api.post(path, json={"email": email, "password": PASSWORD})
        assert (refused.status_code, refused.json()["error_code"]) == (400, "validation_failed")


def test_phones_are_refused_clearly(api):
    for path, body in (
        ("/signup", {"password": PASSWORD}),
        ("/otp", {}),
        ("/resend", {"type": "sms"}),
    ):
        refused = api.post(path, json={"phone": "+15555550100", **body})
        assert (refused.status_code, refused.json()["error_code"]) == (
            400,
            "phone_provider_disabled",
        )
    refused = api.post("/verify", json={"phone": "+15555550100", "type": "sms", "token": "123456"})
    assert refused.json()["error_code"] == "otp_expired"
    refused = api.post("/verify", json={"phone": "x", "type": "sms", "token": "123456"})
    assert refused.json()["msg"] == "Invalid phone number format (E.164 required)"


def test_paths_and_methods_that_are_none(api):
    for method, path, status in (
        ("GET", "/nowhere", 404),
        ("GET", "/signup", 405),
        ("DELETE", "/user", 405),
        ("GET", "/../rest/v1/", 404),
    ):
        refused = api.request(method, path)
        assert refused.status_code == status
        assert "Traceback" not in refused.text
    unknown = api.post("/token?grant_type=x", json={})
    assert unknown.status_code == 400


def test_members_cannot_raise_themselves(api, person, sign_in, bearer):
    headers = bearer(sign_in(person()["email"]))
    refused = api.put("/user", json={"app_metadata": {"role": "admin"}}, headers=headers)
    assert (refused.status_code, refused.json()["error_code"]) == (403, "not_admin")
    ignored = api.put(
        "/user",
        json={"role": "service_role", "id": "x", "is_super_admin": True, "data": {"ok": 1}},
        headers=headers,
    )
    assert ignored.status_code == 200
    assert ignored.json()["role"] == "authenticated"
    signed_up = api.post("/signup", json={"data": {}, "role": "service_role", "aud": "x"}).json()
    assert signed_up["user"]["role"] == signed_up["user"]["aud"] == "authenticated"
