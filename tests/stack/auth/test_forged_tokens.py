"""Tokens that prove nothing: none opens an account or an admin's door."""

import base64
import json
import socket
import time
from urllib.parse import urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm


def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.fixture
def genuine(person, sign_in):
    return sign_in(person()["email"])["access_token"]


@pytest.fixture
def claims(genuine):
    return jwt.decode(genuine, options={"verify_signature": False})


def forgeries(claims, genuine, jwks, secret):
    key = ec.generate_private_key(ec.SECP256R1())
    public = ECAlgorithm.from_jwk(json.dumps(jwks["keys"][0]))
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    kid = jwks["keys"][0]["kid"]
    head, body, signature = genuine.split(".")
    admin = claims | {"role": "service_role"}
    yield f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{encoded(admin)}."
    yield f"{encoded({'alg': 'None'})}.{encoded(admin)}.{signature}"
    yield f"{head}.{encoded(admin)}.{signature}"
    yield jwt.encode(admin, key, "ES256", headers={"kid": kid})
    yield jwt.encode(admin, "x" * 40, "HS256")
    yield jwt.encode(admin, secret, "HS512")
    # the public key as an HMAC secret
    signed = f"{encoded({'alg': 'HS256', 'typ': 'JWT', 'kid': kid})}.{encoded(admin)}"
    mac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(
        signed.encode(), pem
    )
    yield f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    now = int(time.time())
    yield jwt.encode(admin | {"exp": now - 60}, secret, "HS256")
    yield jwt.encode(admin | {"nbf": now + 600}, secret, "HS256")
    yield jwt.encode(admin | {"exp": "soon"}, secret, "HS256")
    header = {"jwk": jwks["keys"][0], "jku": "http://127.0.0.1:1/keys", "x5u": "http://127.0.0.1:1"}
    yield jwt.encode(admin, key, "ES256", headers=header)
    yield body
    yield "x.y.z"


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_none_opens(api, stack, genuine, claims):
    jwks = api.get("/.well-known/jwks.json").json()
    for token in forgeries(claims, genuine, jwks, stack.jwt_secret):
        headers = {"authorization": f"Bearer {token}"}
        for method, path in (("GET", "/user"), ("PUT", "/user"), ("GET", "/admin/users")):
            refused = api.request(method, path, headers=headers)
            assert refused.status_code in (401, 403), (path, token)
            assert refused.json()["error_code"] == "bad_jwt"


def test_role_in_a_members_token_is_the_databases(api, claims, stack):
    # signed by the shared secret, as only the project can
    service = jwt.encode({"role": "service_role", "exp": time.time() + 60}, stack.jwt_secret)
    assert (
        api.get("/admin/users", headers={"authorization": f"Bearer {service}"}).status_code == 200
    )
    member = jwt.encode(claims, stack.jwt_secret)
    headers = {"authorization": f"Bearer {member}"}
    assert api.get("/user", headers=headers).status_code == 200
    assert api.get("/admin/users", headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"sub": None}, 403, "bad_jwt"),
        ({"sub": "not-a-uuid"}, 400, "bad_jwt"),
        ({"sub": "00000000-0000-0000-0000-000000000001"}, 403, "user_not_found"),
        ({"session_id": "x"}, 403, "bad_jwt"),
        ({"session_id": "00000000-0000-0000-0000-000000000001"}, 403, "session_not_found"),
        ({"sub": {"$ne": 1}}, 400, "bad_jwt"),
        ({"aud": "other"}, 400, "validation_failed"),
    ],
)
def test_claims_must_name_what_exists(api, stack, claims, change, status, code):
    changed = {key: value for key, value in (claims | change).items() if value is not None}
    # PyJWT refuses to encode some of these itself
    signed = f"{encoded({'alg': 'HS256', 'typ': 'JWT'})}.{encoded(changed)}"
    mac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(
        signed.encode(), stack.jwt_secret.encode()
    )
    token = f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    refused = api.get("/user", headers={"authorization": f"Bearer {token}"})
    assert (refused.status_code, refused.json()["error_code"]) == (status, code)


def test_session_of_another_user_is_no_proof(api, stack, claims, person, sign_in):
    other = jwt.decode(
        sign_in(person()["email"])["access_token"], options={"verify_signature": False}
    )
    mixed = jwt.encode(claims | {"session_id": other["session_id"]}, stack.jwt_secret)
    refused = api.get("/user", headers={"authorization": f"Bearer {mixed}"})
    assert (refused.status_code, refused.json()["error_code"]) == (403, "session_not_found")


def test_no_token_at_all(stack):
    refused = httpx.get(stack.url + "/auth/v1/user")
    assert (refused.status_code, refused.json()["error_code"]) == (401, "no_authorization")


def test_keys_show_no_secret(api):
    [key] = api.get("/.well-known/jwks.json").json()["keys"]
    assert key["alg"] == "ES256"
    assert "d" not in key


def test_a_second_header_does_not_smuggle_a_role(stack, genuine):
    forged = [
        ("authorization", f"Bearer {genuine}"),
        ("authorization", f"Bearer {genuine}x"),
    ]
    refused = httpx.get(stack.url + "/auth/v1/admin/users", headers=forged)
    assert refused.status_code == 400
    refused = httpx.get(
        stack.url + "/auth/v1/admin/users",
        headers={"apikey": stack.publishable_key, "x-api-key": "sb_secret_x", "role": "admin"},
    )
    assert refused.status_code in (401, 403)


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 4\r\nContent-Length: 40\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding : chunked\r\nContent-Length: 4\r\n",
    ],
)
def test_a_body_has_one_length(stack, framing):
    """A request inside another's body is never answered."""
    parts = urlsplit(stack.url)
    hidden = b"GET /auth/v1/settings HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall(
            b"POST /auth/v1/token?grant_type=password HTTP/1.1\r\nHost: x\r\n"
            b"Content-Type: application/json\r\n" + framing + b"\r\n0\r\n\r\n" + hidden
        )
        answered = b""
        while chunk := connection.recv(65536):  # it closes what it cannot trust
            answered += chunk
    assert b"mailer_autoconfirm" not in answered
    assert answered.startswith(b"HTTP/1.1 400")
