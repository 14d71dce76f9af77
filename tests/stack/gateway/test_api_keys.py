"""Which keys open the door, as the hosted gateway has it."""

import time

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"


@pytest.fixture
def ask(stack):
    def get(path="/auth/v1/settings", **headers):
        return httpx.get(stack.url + path, headers=headers)

    return get


def sign(secret, **claims):
    return jwt.encode({"exp": time.time() + 60, **claims}, secret, "HS256")


def test_known_keys_open(stack, ask):
    env = stack.environment
    for key in (
        stack.publishable_key,
        stack.secret_key,
        env["SUPABASE_ANON_KEY"],
        env["SUPABASE_SERVICE_ROLE_KEY"],
        sign(stack.jwt_secret, role="anon"),
    ):
        assert ask(apikey=key).status_code == 200
        assert ask(f"/auth/v1/settings?apikey={key}").status_code == 200


@pytest.mark.parametrize(
    "key",
    [
        "",
        "sb_publishable_",
        "sb_publishable_wrong",
        "sb_secret_wrong",
        "sb_secret_\xff",
        "sb_other",
        "wrong",
        "a.b.c",
        "eyJhbGciOiJub25lIn0.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.",
    ],
)
def test_wrong_keys_do_not(ask, key):
    answer = ask(apikey=key.encode("latin-1"))
    assert answer.status_code == 401
    assert answer.json()["message"] == "Invalid API key"
    assert "hint" in answer.json()


def test_parts_of_a_key_do_not(stack, ask):
    for key in (stack.secret_key[:-1], stack.secret_key + "x", stack.secret_key.upper()):
        assert ask(apikey=key).status_code == 401


def test_tokens_of_others_are_no_keys(ask):
    stranger = ec.generate_private_key(ec.SECP256R1())
    token = jwt.encode({"role": "service_role", "exp": time.time() + 60}, stranger, "ES256")
    assert ask(apikey=token).status_code == 401
    assert ask(apikey=sign("x" * 40, role="service_role")).status_code == 401


def test_an_expired_key_does_not_open(stack, ask):
    key = jwt.encode({"role": "anon", "exp": time.time() - 5}, stack.jwt_secret, "HS256")
    assert ask(apikey=key).status_code == 401


def test_a_secret_key_in_a_browser_is_refused(stack, ask):
    answer = ask(apikey=stack.secret_key, **{"user-agent": BROWSER})
    assert answer.status_code == 401
    assert answer.json() == {"message": "Forbidden use of secret API key in browser"}
    bearer = ask(**{"authorization": f"Bearer {stack.secret_key}", "user-agent": BROWSER})
    assert bearer.status_code == 401
    assert ask(apikey=stack.publishable_key, **{"user-agent": BROWSER}).status_code == 200


def test_an_opaque_key_as_bearer_is_the_key(stack, ask):
    assert ask(authorization=f"Bearer {stack.publishable_key}").status_code == 200
    assert ask(authorization="Bearer sb_secret_wrong").status_code == 401


def test_no_key_is_let_in_as_anon_unless_required(ask):
    """Local stacks answer without a key, as `supabase start` does for PostgREST."""
    assert ask().status_code == 200


def test_health_needs_no_key(ask):
    assert ask("/health").json() == {"status": "ok"}
