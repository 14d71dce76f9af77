"""Only a token that the project's own keys signed, for us and for now, proves who calls."""

import base64
import json
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from api import tokens
from api.errors import InvalidToken, TokensUnverifiable
from tests.fixtures.serving import SECRET, token_of
from workers.core.settings import Settings

USER = uuid.UUID(int=7)


def _unsigned(claims, header):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part(header)}.{part(claims)}."


def _claims(**changes):
    return jwt.decode(token_of(USER, **changes), options={"verify_signature": False})


now = int(time.time())
FORGED = {
    "another project's secret": token_of(USER, "another-project-has-another-long-secret-32"),
    "expired": token_of(USER, exp=now - 60),
    "not valid yet": token_of(USER, nbf=now + 600),
    "issued in the future": token_of(USER, iat=now + 600),
    "without end": token_of(USER, exp=None),
    "for somebody else": token_of(USER, aud="another-service"),
    "without audience": token_of(USER, aud=None),
    "without role": token_of(USER, role=None),
    "without subject": token_of(USER, sub=None),
    "subject is no id": token_of("' or true --"),
    "postgres": token_of(USER, role="postgres"),
    "worker": token_of(USER, role="guildhall_worker"),
    "role is a list": token_of(USER, role=["authenticated"]),
    "alg none": _unsigned(_claims(), {"alg": "none", "typ": "JWT"}),
    "alg None": _unsigned(_claims(), {"alg": "None"}),
    "alg HS512": jwt.encode(_claims(), SECRET * 2, "HS512"),
    "role changed": token_of(USER).split(".")[0]
    + "."
    + _unsigned(_claims(role="service_role"), {}).split(".")[1]
    + "."
    + token_of(USER).split(".")[2],
    "signature cut": token_of(USER)[:-6],
    "no token": "hello",
    "empty parts": "..",
    "long": "e" * 20_000,
    "null byte": "a.b.c%00",
    "header is a list": base64.urlsafe_b64encode(b"[]").decode() + ".e30.",
    "encrypted part of a kid": _unsigned(_claims(), {"alg": "ES256", "kid": ["a"]}),
}


@pytest.mark.parametrize("kind", FORGED)
def test_forged_tokens(unlimited, kind):
    with unlimited.client(FORGED[kind]) as client:
        answer = client.get("/me")
    assert answer.status_code in (401, 503), answer.text
    if answer.status_code == 503:  # this api has no JWKS to ask
        assert kind == "encrypted part of a kid"
    else:
        assert answer.json()["error"]["code"] == "ops.invalid_token"
        assert answer.headers["www-authenticate"] == "Bearer"
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("shown", "status", "code"),
    [
        (None, 401, "ops.sign_in_required"),
        ("Bearer sb_publishable_abc", 401, "ops.sign_in_required"),
        ("Bearer " + token_of(None, sub=None, aud=None, role="anon"), 401, "ops.sign_in_required"),
        ("Bearer sb_secret_abc", 403, "ops.service_key_refused"),
        ("Bearer " + token_of(USER, role="service_role"), 403, "ops.service_key_refused"),
        ("Basic dTpw", 401, "ops.invalid_token"),
        ("Bearer", 401, "ops.invalid_token"),
        ("bearer " + token_of(USER), 404, "identity.user_not_found"),
    ],
)
def test_what_else_may_be_shown(unlimited, shown, status, code):
    with unlimited.client() as client:
        answer = client.get("/me", headers={"authorization": shown} if shown else {})
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_a_secret_key_alone_is_refused_not_overlooked(unlimited):
    person, token = unlimited.person("server")
    with unlimited.client(apikey="sb_secret_abc") as client:
        assert client.get("/me").json()["error"]["code"] == "ops.service_key_refused"
    with unlimited.client(token, apikey="sb_secret_abc") as client:
        assert client.get("/me").json()["data"]["id"] == str(person.id)


def test_two_headers_prove_nothing(unlimited):
    _, token = unlimited.person("twice")
    with unlimited.client() as client:
        headers = [("authorization", f"Bearer {token}"), ("authorization", "Bearer x.y.z")]
        assert client.get("/me", headers=headers).status_code == 401


def test_claims_decide_nothing_that_the_table_does_not_say(unlimited):
    """`app_roles` is for front ends; a member who claims to be an admin stays a member."""
    person, _ = unlimited.person("liar")
    other, _ = unlimited.person("victim")
    token = token_of(person.id, app_roles=["admin"], app_metadata={"role": "admin"})
    with unlimited.client(token) as client:
        answer = client.post("/profile", json={"id": str(other.id), "name": "taken"})
    assert answer.json()["data"] == 0


class Auth:
    """A Supabase Auth that only shows its keys, and counts who asks."""

    def __init__(self):
        self.ec = ec.generate_private_key(ec.SECP256R1())
        self.rsa = rsa.generate_private_key(65537, 2048)
        self.asked, self.fails, self.extra = 0, False, []
        auth = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                auth.asked += 1
                body = json.dumps({"keys": auth.keys()}).encode()
                self.send_response(500 if auth.fails else 200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def keys(self):
        return [
            ECAlgorithm.to_jwk(self.ec.public_key(), as_dict=True) | {"kid": "ec", "alg": "ES256"},
            RSAAlgorithm.to_jwk(self.rsa.public_key(), as_dict=True) | {"kid": "rsa"},
            {"kty": "oct", "k": "c2VjcmV0", "kid": "secret", "alg": "HS256"},
            *self.extra,
        ]

    def sign(self, key="ec", kid=None, algorithm=None, **changes):
        private = {"ec": self.ec, "rsa": self.rsa}[key]
        algorithm = algorithm or {"ec": "ES256", "rsa": "RS256"}[key]
        return jwt.encode(_claims(**changes), private, algorithm, headers={"kid": kid or key})


@pytest.fixture
def auth():
    made = Auth()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def verifier(auth):
    known = Settings(
        _env_file=None, database_url="x", supabase_url=auth.url, supabase_jwt_secret=SECRET
    )
    return tokens.TokenVerifier(known)


async def test_public_keys_verify(auth, verifier):
    for key in ("ec", "rsa"):
        assert (await verifier.verify(auth.sign(key)))["sub"] == str(USER)
    assert (await verifier.verify(token_of(USER)))["sub"] == str(USER)
    assert auth.asked == 1


async def test_a_public_key_is_no_secret(auth, verifier):
    """The classic: sign with HS256, and the public key as secret."""
    pem = auth.rsa.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    header = {"alg": "HS256", "kid": "rsa"}
    unsigned = _unsigned(_claims(), header).rstrip(".")
    algorithm = jwt.get_algorithm_by_name("HS256")
    for secret in (pem, pem.strip(), b"secret"):
        mac = base64.urlsafe_b64encode(algorithm.sign(unsigned.encode(), secret)).rstrip(b"=")
        with pytest.raises(InvalidToken):
            await verifier.verify(f"{unsigned}.{mac.decode()}")


async def test_a_key_serves_its_own_algorithm_only(auth, verifier):
    for token in (
        auth.sign("ec", kid="rsa"),
        auth.sign("rsa", kid="ec"),
        auth.sign("rsa", algorithm="PS256"),
        auth.sign("ec", kid="secret"),
    ):
        with pytest.raises(InvalidToken):
            await verifier.verify(token)


async def test_weak_keys_are_not_taken(auth, verifier):
    weak = rsa.generate_private_key(65537, 1024)
    auth.extra = [RSAAlgorithm.to_jwk(weak.public_key(), as_dict=True) | {"kid": "weak"}]
    token = jwt.encode(_claims(), weak, "RS256", headers={"kid": "weak"})
    with pytest.raises(InvalidToken):
        await verifier.verify(token)


async def test_unknown_kids_make_us_ask_once_in_30_seconds(auth, verifier, monkeypatch):
    await verifier.verify(auth.sign())
    for number in range(50):
        with pytest.raises(InvalidToken):
            await verifier.verify(auth.sign(kid=f"made-up-{number}"))
    assert auth.asked == 1
    monkeypatch.setattr(tokens, "_REFETCH_SECONDS", 0.0)
    auth.ec = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(InvalidToken):
        await verifier.verify(auth.sign(kid="ec"))  # a known id: its key has not been read anew
    with pytest.raises(InvalidToken):
        await verifier.verify(auth.sign(kid="made-up"))
    assert auth.asked == 2
    await verifier.verify(auth.sign(kid="ec"))


async def test_keys_are_read_anew_in_the_background(auth, verifier, monkeypatch):
    await verifier.verify(auth.sign())
    monkeypatch.setattr(tokens, "_FRESH_SECONDS", 0.0)
    monkeypatch.setattr(tokens, "_REFETCH_SECONDS", 0.0)
    await verifier.verify(auth.sign())
    await verifier._keys._refresh
    assert auth.asked == 2
    auth.fails = True
    await verifier.verify(auth.sign())
    await verifier._keys._refresh
    assert (await verifier.verify(auth.sign()))["sub"] == str(USER)


async def test_without_any_key_nothing_is_claimed_about_the_token(auth, verifier):
    auth.fails = True
    with pytest.raises(TokensUnverifiable):
        await verifier.verify(auth.sign())


async def test_another_issuer(auth):
    known = Settings(
        _env_file=None,
        database_url="x",
        supabase_jwt_secret=SECRET,
        supabase_jwt_issuer="https://ours.supabase.co/auth/v1",
    )
    with pytest.raises(InvalidToken):
        await tokens.TokenVerifier(known).verify(token_of(USER))
