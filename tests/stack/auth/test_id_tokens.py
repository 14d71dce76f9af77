"""An ID token signs in only if Google made it, for us, just now, for the nonce we know."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.conftest import RunningStack
from tests.stack.auth.visits import Auth, Session, new_email


@pytest.fixture
def auth(stack: RunningStack) -> Auth:
    return Auth(stack)


def claims(auth: Auth, **changes: Any) -> dict[str, Any]:
    made = {
        "iss": auth.providers,
        "aud": "stack-client",
        "sub": str(secrets.randbelow(2**52)),
        "email": new_email(),
        "email_verified": True,
        "name": "Gale",
        "iat": int(time.time()),
        "exp": int(time.time()) + 300,
    } | changes
    return {name: value for name, value in made.items() if value is not None}


def show(auth: Auth, id_token: str, token: str | None = None, **more: Any) -> httpx.Response:
    body = {"provider": "google", "id_token": id_token, **more}
    return auth.call("POST", "/token?grant_type=id_token", body, token=token)


def test_sign_in(auth):
    nonce = secrets.token_hex(16)
    made = claims(auth, nonce=hashlib.sha256(nonce.encode()).hexdigest())
    answer = show(auth, auth.signed(made), nonce=nonce)
    assert answer.status_code == 200, answer.text
    user = answer.json()["user"]
    assert user["email"] == made["email"]
    assert user["app_metadata"]["provider"] == "google"
    assert show(auth, auth.signed(claims(auth, sub=made["sub"]))).json()["user"]["id"] == user["id"]


@pytest.mark.parametrize("audience", ["stack-mobile-client", ["else", "stack-client"]])
def test_our_apps_are_an_audience_too(auth, audience):
    assert show(auth, auth.signed(claims(auth, aud=audience))).status_code == 200


def test_issuer_instead_of_provider(auth):
    token = auth.signed(claims(auth))
    body = {"id_token": token, "issuer": auth.providers, "client_id": "stack-client"}
    assert auth.call("POST", "/token?grant_type=id_token", body).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "another-client"},
        {"aud": None},
        {"exp": -1},
        {"exp": None},
        {"exp": "soon"},
        {"iss": "https://accounts.google.com"},
        {"iss": None},
        {"nbf": 1000},
        {"sub": None},
        {"sub": ""},
        {"nonce": "a nonce that was not passed"},
    ],
    ids=str,
)
def test_refused_claims(auth, change):
    """Numbers are seconds from now."""
    change = {
        name: int(time.time()) + value if isinstance(value, int) else value
        for name, value in change.items()
    }
    answer = show(auth, auth.signed(claims(auth, **change)))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid request")


@pytest.mark.parametrize("nonce", ["wrong", "", "a" * 5000])
def test_wrong_nonce(auth, nonce):
    token = auth.signed(claims(auth, nonce=hashlib.sha256(b"right").hexdigest()))
    answer = show(auth, token, nonce=nonce)
    assert (answer.status_code, answer.json()["error"]) == (
        400,
        "invalid nonce" if nonce else "invalid request",
    )
    # the hash itself is not the nonce
    assert show(auth, token, nonce=hashlib.sha256(b"right").hexdigest()).status_code == 400


def test_forged_signatures(auth):
    made = claims(auth)
    pem = auth.http.get(f"{auth.providers}/public.pem").text
    own = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    genuine = auth.signed(made)

    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    unsigned = f"{part({'alg': 'none', 'kid': 'fake-1'})}.{part(made)}"
    hashed = f"{part({'alg': 'HS256', 'kid': 'fake-1'})}.{part(made)}"
    mac = base64.urlsafe_b64encode(hmac.digest(pem.encode(), hashed.encode(), "sha256"))
    forged = [
        f"{unsigned}.",
        f"{unsigned}.{genuine.rpartition('.')[2]}",
        f"{hashed}.{mac.rstrip(b'=').decode()}",
        jwt.encode(made, own, "RS256", headers={"kid": "fake-1"}),
        jwt.encode(made, own, "RS256", headers={"kid": "unknown"}),
        jwt.encode(made, own, "RS256", headers={"kid": "x", "jku": "https://evil.example/keys"}),
        jwt.encode(made, auth.stack.jwt_secret, "HS256", headers={"kid": "fake-1"}),
        genuine[:-4] + "AAAA",
        "x",
        "..",
    ]
    for token in forged:
        answer = show(auth, token)
        assert answer.json() == {"error": "invalid request", "error_description": "Bad ID token"}
    assert show(auth, genuine).status_code == 200


def test_our_own_access_token_is_no_id_token(auth):
    assert show(auth, auth.member().token).status_code == 400


def test_access_token_must_fit(auth):
    digest = hashlib.sha256(b"access").digest()[:16]
    at_hash = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    token = auth.signed(claims(auth, at_hash=at_hash))
    assert show(auth, token, access_token="other").status_code == 400
    assert show(auth, token, access_token="access").status_code == 200


@pytest.mark.parametrize("provider", ["github", "x", "https://evil.example", "apple"])
def test_providers_without_id_tokens(auth, provider):
    answer = show(auth, auth.signed(claims(auth)), provider=provider)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "validation_failed")


def test_unverified_address(auth):
    victim = auth.member()
    token = auth.signed(claims(auth, email=victim.user["email"], email_verified=False))
    answer = show(auth, token)
    assert answer.status_code == 422
    assert answer.json()["error_code"] == "provider_email_needs_verification"


def test_link_to_the_caller(auth):
    member = auth.member()
    made = claims(auth)
    answer = show(auth, auth.signed(made), member.token, link_identity=True)
    assert answer.status_code == 200, answer.text
    user = answer.json()["user"]
    assert user["id"] == member.user["id"]
    assert {row["provider"] for row in user["identities"]} == {"email", "google"}
    assert user["email"] == member.user["email"]
    other = auth.member()
    again = show(auth, auth.signed(claims(auth, sub=made["sub"])), other.token, link_identity=True)
    assert (again.status_code, again.json()["error_code"]) == (422, "identity_already_exists")


def test_link_needs_a_caller(auth):
    answer = show(auth, auth.signed(claims(auth)), link_identity=True)
    assert answer.status_code in (400, 401, 403)
    assert "access_token" not in answer.json()


def test_anonymous_user_becomes_permanent(auth):
    ghost = auth.anonymous()
    made = claims(auth)
    answer = show(auth, auth.signed(made), ghost.token, link_identity=True)
    session = Session(answer.json())
    assert session.user["id"] == ghost.user["id"]
    assert (session.user["is_anonymous"], session.user["email"]) == (False, made["email"])
    assert session.claims["is_anonymous"] is False
