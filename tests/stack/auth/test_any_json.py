"""Whatever JSON comes, no route breaks: the answer is below 500, and is JSON."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NAMES = [
    "email", "phone", "password", "data", "token", "token_hash", "type", "code_challenge",
    "code_challenge_method", "refresh_token", "auth_code", "code_verifier", "redirect_to",
    "create_user", "gotrue_meta_security", "channel", "nonce", "app_metadata", "user_metadata",
    "ban_duration", "role", "id", "new_email", "password_hash", "should_soft_delete",
]  # fmt: skip
TEXTS = st.text(max_size=20) | st.sampled_from(
    ["a@example.com", "signup", "email", "recovery", "email_change", "123456", "s256", "+1555", ""]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
BODIES = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5)
ROUTES = [
    ("POST", "/signup"),
    ("POST", "/token?grant_type=password"),
    ("POST", "/token?grant_type=refresh_token"),
    ("POST", "/token?grant_type=pkce"),
    ("POST", "/verify"),
    ("POST", "/otp"),
    ("POST", "/recover"),
    ("POST", "/resend"),
    ("PUT", "/user"),
]
ADMIN_ROUTES = [
    ("POST", "/admin/users"),
    ("PUT", "/admin/users/{id}"),
    ("POST", "/admin/generate_link"),
    ("POST", "/invite"),
]
MODEST = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)


def assert_sound(answered):
    assert answered.status_code < 500, answered.text
    assert isinstance(answered.json(), dict)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_public_routes(api, person, sign_in, bearer, method, path):
    headers = bearer(sign_in(person()["email"])) if path == "/user" else {}

    @MODEST
    @given(body=BODIES)
    def send(body):
        assert_sound(api.request(method, path, content=dumped(body), headers=headers))

    send()


@pytest.mark.parametrize(("method", "path"), ADMIN_ROUTES)
def test_admin_routes(admin, person, method, path):
    path = path.format(id=person()["id"])

    @MODEST
    @given(body=BODIES)
    def send(body):
        assert_sound(admin.request(method, path, content=dumped(body)))

    send()


@MODEST
@given(
    query=st.dictionaries(
        st.sampled_from(
            ["token", "type", "redirect_to", "grant_type", "page", "per_page", "scope"]
        ),
        TEXTS,
    )
)
def test_queries(api, admin, query):
    assert api.get("/verify", params=query).status_code < 500
    assert admin.get("/admin/users", params=query).status_code < 500
    assert admin.get("/admin/audit", params=query).status_code < 500
    assert api.post("/logout", params=query).status_code < 500


def dumped(body):
    return json.dumps(body).encode()
