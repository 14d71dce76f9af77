"""A token proves something only when a known key signed it for now; nothing else does."""

import base64
import hashlib
import hmac
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from stack.core import tokens
from stack.core.callers import Credentials, Doorkeeper
from stack.core.config import Secrets
from stack.core.tokens import Keyring, TokenError

SECRET = "s" * 40
OWN = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)


def jwk(private, kid):
    kind = jwt.algorithms.ECAlgorithm
    if isinstance(private, rsa.RSAPrivateKey):
        kind = jwt.algorithms.RSAAlgorithm
    return kind.to_jwk(private, as_dict=True) | {"kid": kid}


RING = Keyring(SECRET, jwk(OWN, "own"), [jwk(RSA, "rsa")])


def later(seconds=3600):
    """An hour: tokens are made when tests are collected, and a whole run takes minutes."""
    return int(time.time()) + seconds


def signed(key, algorithm, kid=None, **claims):
    headers = {"kid": kid} if kid else None
    return jwt.encode({"sub": "u", "exp": later(), **claims}, key, algorithm, headers=headers)


def by_hand(header, claims, key=b""):
    """A token that no library would make; `key` signs by HMAC."""
    parts = [
        base64.urlsafe_b64encode(
            part if isinstance(part, bytes) else json.dumps(part).encode()
        ).rstrip(b"=")
        for part in (header, claims)
    ]
    text = b".".join(parts)
    signature = hmac.new(key, text, hashlib.sha256).digest() if key else b""
    return (text + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


def public_pem(private):
    return private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


GOOD = [
    signed(SECRET, "HS256"),
    signed(OWN, "ES256", "own"),
    signed(OWN, "ES256"),
    signed(RSA, "RS256", "rsa"),
    RING.sign({"sub": "u"}),
    RING.sign_shared({"sub": "u"}),
]


@pytest.mark.parametrize("token", GOOD, ids=range(len(GOOD)))
def test_known_keys_prove(token):
    assert RING.verify(token)["sub"] == "u"


ADMIN = {"sub": "u", "role": "service_role", "exp": later(3600)}
BAD = [
    # a token                                                              why it proves nothing
    (by_hand({"alg": "none"}, ADMIN),                                      "algorithm"),
    (by_hand({"alg": "None"}, ADMIN),                                      "algorithm"),
    (by_hand({"alg": "NONE", "typ": "JWT"}, ADMIN),                        "algorithm"),
    (by_hand({}, ADMIN),                                                   "algorithm"),
    (by_hand({"alg": ["HS256"]}, ADMIN, SECRET.encode()),                  "algorithm"),
    (by_hand({"alg": "HS384"}, ADMIN, SECRET.encode()),                    "algorithm"),
    (by_hand({"alg": "hs256"}, ADMIN, SECRET.encode()),                    "algorithm"),
    (by_hand({"alg": "HS256"}, ADMIN),                                     "signature"),
    (by_hand({"alg": "HS256"}, ADMIN, b"wrong"),                           "signature"),
    (by_hand({"alg": "HS256"}, ADMIN, public_pem(OWN)),                    "signature"),
    (by_hand({"alg": "HS256"}, ADMIN, public_pem(RSA)),                    "signature"),
    (by_hand({"alg": "HS256", "kid": "own"}, ADMIN,
             json.dumps(RING.jwks()["keys"][0]).encode()),                 "signature"),
    (by_hand({"alg": "HS256", "jwk": {"kty": "oct", "k": "eA"}}, ADMIN, b"x"), "signature"),
    (by_hand({"alg": "ES256"}, ADMIN, SECRET.encode()),                    "signature"),
    (by_hand({"alg": "ES256", "kid": "rsa"}, ADMIN),                       "key"),
    (by_hand({"alg": "RS256", "kid": "own"}, ADMIN),                       "key"),
    (signed(OWN, "ES256", "unknown"),                                      "key"),
    (signed(OTHER, "ES256", "own"),                                        "signature"),
    (signed(OTHER, "ES256"),                                               "signature"),
    (signed(OWN, "ES256", "../own"),                                       "key"),
    (signed(SECRET, "HS512"),                                              "algorithm"),
    (signed(SECRET, "HS256", exp=later(-2)),                               "expired"),
    (signed(SECRET, "HS256", nbf=later()),                                 "not_yet_valid"),
    (signed(SECRET, "HS256", iat=later()),                                 "not_yet_valid"),
    (signed(SECRET, "HS256", exp="soon"),                                  "malformed"),
    (signed(SECRET, "HS256", exp=None),                                    "malformed"),
    (signed(SECRET, "HS256", exp=True),                                    "malformed"),
    (signed(SECRET, "HS256", exp=[]),                                      "malformed"),
    (by_hand({"alg": "HS256"}, b'{"exp": NaN}', SECRET.encode()),          "malformed"),
    (by_hand({"alg": "HS256"}, b'{"exp": Infinity}', SECRET.encode()),     "malformed"),
    (by_hand({"alg": "HS256"}, b'{"exp": 1e999}', SECRET.encode()),        "malformed"),
    (by_hand({"alg": "HS256"}, b'{"exp": ' + b"9" * 400 + b"}", SECRET.encode()), "malformed"),
    (by_hand({"alg": "HS256"}, b'{"nbf": NaN}', SECRET.encode()),          "malformed"),
    (by_hand({"alg": "HS256"}, b"[]", SECRET.encode()),                    "malformed"),
    (by_hand({"alg": "HS256"}, b"null", SECRET.encode()),                  "malformed"),
    (by_hand({"alg": "HS256"}, b"\xff", SECRET.encode()),                  "malformed"),
    (by_hand(b"[" * 20_000, ADMIN),                                        "malformed"),
    (by_hand({"alg": "HS256"}, b"[" * 15_000, SECRET.encode()),            "malformed"),
    (signed(SECRET, "HS256", data="x" * 50_000),                           "malformed"),
    ("", "malformed"), (".", "malformed"), ("..", "malformed"), ("a.b.c", "malformed"),
    ("\ud800", "malformed"), ("ü.ü.ü", "malformed"), (GOOD[0] + ".x", "malformed"),
    (GOOD[0].rpartition(".")[0], "malformed"), (GOOD[0].rpartition(".")[0] + ".", "signature"),
]  # fmt: skip


@pytest.mark.parametrize(("token", "reason"), BAD, ids=range(len(BAD)))
def test_nothing_else_does(token, reason):
    with pytest.raises(TokenError) as refused:
        RING.verify(token)
    assert refused.value.reason == reason
    assert SECRET not in str(refused.value)


def test_an_unknown_critical_header_is_refused():
    token = by_hand({"alg": "HS256", "crit": ["exp2"], "exp2": 1}, ADMIN, SECRET.encode())
    with pytest.raises(TokenError):
        RING.verify(token)


def test_the_cache_does_not_outlive_the_token(monkeypatch):
    token = signed(SECRET, "HS256", exp=1_900_000_010)
    monkeypatch.setattr(tokens.time, "time", lambda: 1_900_000_000)
    assert RING.verify(token)
    assert RING.verify(token)
    monkeypatch.setattr(tokens.time, "time", lambda: 1_900_000_011)
    with pytest.raises(TokenError, match="expired"):
        RING.verify(token)
    assert RING.verify(token, leeway=5)


def test_the_cache_is_bounded_and_holds_no_refused_token(monkeypatch):
    monkeypatch.setattr(tokens, "_CACHED_TOKENS", 3)
    ring = Keyring(SECRET, jwk(OWN, "own"))
    for number in range(10):
        ring.verify(signed(SECRET, "HS256", n=number))
        with pytest.raises(TokenError):
            ring.verify(signed("w" * 40, "HS256", n=number))
    assert len(ring._verified) == 3


def test_published_keys_hold_nothing_private():
    for key in RING.jwks()["keys"]:
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)
    assert {key["kid"] for key in RING.jwks()["keys"]} == {"own", "rsa"}


def test_a_caller_acts_by_its_token_not_by_its_key(tmp_path):
    secrets = Secrets.load(tmp_path / "secrets.json")
    ring = Keyring(secrets.jwt_secret, secrets.signing_jwk)
    door = Doorkeeper(secrets, ring)
    token = ring.sign({"sub": "u", "role": "authenticated", "exp": later()})
    credentials = door.credentials(apikey=secrets.secret_key, authorization=f"Bearer {token}")
    assert door.caller(credentials).role == "authenticated"
    assert door.caller(Credentials("service_role", None)).role == "service_role"
    assert door.caller(Credentials("anon", None)).claims == {"role": "anon"}
    without = ring.sign({"sub": "u", "exp": later()})
    assert door.caller(Credentials("service_role", without)).role == "anon"
    with pytest.raises(TokenError):
        door.caller(Credentials("service_role", "forged"))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)  # fmt: skip
free_claims = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(
        lambda name: name not in ("exp", "nbf", "iat", "iss", "sub")
    ),
    json_values,
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(free_claims)
def test_any_claims_come_back_as_signed(claims):
    for token in (RING.sign(claims), RING.sign_shared(claims)):
        assert RING.verify(token) == claims


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(GOOD), st.data())
def test_a_changed_token_proves_nothing_new(token, data):
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.characters(min_codepoint=32, max_codepoint=126))
    changed = token[:place] + letter + token[place + 1 :]
    try:
        claims = RING.verify(changed)
    except TokenError:
        return
    # the last letter of a part may carry bits that mean nothing
    assert claims == RING.verify(token)


@settings(max_examples=300, deadline=None)
@given(st.text() | st.text(st.sampled_from("eyJ.-_=AQ\0\n ")))
def test_any_text_is_refused_in_words(text):
    with pytest.raises(TokenError):
        RING.verify(text)
