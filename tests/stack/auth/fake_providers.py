"""Google, GitHub, X and Twitter in one small app: they check what the real ones check.

Runs beside the tests' stack (`project/stack.toml`). A test adds a person with `POST /people` and
goes to a provider's page with `login_hint=<id>`, which signs that person in without asking.
"""

import base64
import hashlib
import json
import re
import secrets
import time
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from stack.auth.oauth.signed_requests import Consumer, Token, authorization_header

CLIENT_ID, SECRET = "stack-client", "stack-client-secret"

_people: dict[str, dict[str, Any]] = {}
_codes: dict[str, dict[str, str]] = {}
_tokens: dict[str, str] = {}  # access token: person
_request_tokens: dict[str, dict[str, str]] = {}
_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_KID = "fake-1"


async def add_person(request: Request) -> Response:
    person = await request.json()
    name = secrets.token_hex(6)
    number = secrets.randbelow(2**52)
    _people[name] = {"sub": str(number), "number": number, "verified": True, **person}
    return JSONResponse({"hint": name, **_people[name]})


async def change_person(request: Request) -> Response:
    _people[request.path_params["name"]] |= await request.json()
    return JSONResponse(_people[request.path_params["name"]])


async def sign(request: Request) -> Response:
    """Any claims under Google's key, for tests of ID tokens."""
    asked = await request.json()
    headers = {"kid": _KID, **asked.get("headers", {})}
    return JSONResponse({"token": jwt.encode(asked["claims"], _key, "RS256", headers=headers)})


async def public_pem(request: Request) -> Response:
    """For forgers who take a public key for an HMAC secret."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    pem = _key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return PlainTextResponse(pem.decode())


# --- every OAuth 2.0 provider


async def authorize(request: Request) -> Response:
    query = request.query_params
    if query.get("client_id") != CLIENT_ID or query.get("response_type") != "code":
        return PlainTextResponse("unknown client", 400)
    if not re.fullmatch(r"http://127\.0\.0\.1:\d+/auth/v1/callback", query["redirect_uri"]):
        return PlainTextResponse("redirect_uri is not registered", 400)
    back = {"state": query["state"]}
    if query.get("login_hint") == "nobody":
        back |= {"error": "access_denied", "error_description": "The person said no"}
    else:
        code = secrets.token_urlsafe(16)
        _codes[code] = {
            "person": query["login_hint"],
            "redirect_uri": query["redirect_uri"],
            "challenge": query.get("code_challenge", ""),
            "nonce": query.get("nonce", ""),
            "page": request.url.path,
            "scope": query.get("scope", ""),
        }
        back["code"] = code
    return RedirectResponse(f"{query['redirect_uri']}?{urlencode(back)}", 302)


async def _redeem(request: Request, page: str) -> tuple[dict[str, str], str] | None:
    """The code's facts and a new access token; None when the exchange must be refused."""
    form = dict(parse_qsl((await request.body()).decode()))
    found = _codes.pop(form.get("code", ""), None)
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    who = (form.get("client_id"), form.get("client_secret"))
    if scheme == "Basic":
        user, _, password = base64.b64decode(encoded).decode().partition(":")
        who = (unquote(user), unquote(password))
    if (
        found is None
        or found["page"] != page
        or who != (CLIENT_ID, SECRET)
        or form.get("grant_type") != "authorization_code"
        or form.get("redirect_uri") != found["redirect_uri"]
    ):
        return None
    if found["challenge"]:
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != found["challenge"]:
            return None
    token = secrets.token_urlsafe(16)
    _tokens[token] = found["person"]
    return found, token


def _who(request: Request) -> dict[str, Any] | None:
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    return _people.get(_tokens.get(token, ""))


# --- Google


async def openid_configuration(request: Request) -> Response:
    base = str(request.base_url).rstrip("/")
    return JSONResponse(
        {
            "issuer": base,
            "authorization_endpoint": f"{base}/google/authorize",
            "token_endpoint": f"{base}/google/token",
            "jwks_uri": f"{base}/google/keys",
        }
    )


async def google_keys(request: Request) -> Response:
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(_key.public_key()))
    return JSONResponse({"keys": [jwk | {"kid": _KID, "use": "sig", "alg": "RS256"}]})


async def google_token(request: Request) -> Response:
    redeemed = await _redeem(request, "/google/authorize")
    if redeemed is None:
        return JSONResponse({"error": "invalid_grant"}, 400)
    found, token = redeemed
    person = _people[found["person"]]
    at_hash = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()[:16])
    claims = {
        "iss": str(request.base_url).rstrip("/"),
        "aud": person.get("aud", CLIENT_ID),
        "sub": person["sub"],
        "email": person.get("email"),
        "email_verified": person["verified"],
        "name": person.get("name", "Gale"),
        "picture": "https://pictures.example/gale.png",
        "hd": person.get("hd"),
        "at_hash": at_hash.rstrip(b"=").decode(),
        "iat": int(time.time()),
        "exp": int(time.time()) + 300,
    }
    claims = {key: value for key, value in claims.items() if value is not None}
    signed = jwt.encode(claims, _key, "RS256", headers={"kid": _KID})
    answer = {"access_token": token, "refresh_token": "google-refresh", "id_token": signed}
    return JSONResponse({**answer, "token_type": "Bearer", "scope": found["scope"]})


# --- GitHub


async def github_token(request: Request) -> Response:
    redeemed = await _redeem(request, "/login/oauth/authorize")
    if redeemed is None:
        return JSONResponse({"error": "bad_verification_code"})  # with status 200, as GitHub does
    return JSONResponse({"access_token": redeemed[1], "token_type": "bearer"})


async def github_user(request: Request) -> Response:
    person = _who(request)
    if person is None:
        return JSONResponse({"message": "Bad credentials"}, 401)
    user = {"id": person["number"], "login": "hubert", "name": person.get("name", "Hubert")}
    return JSONResponse(user | {"avatar_url": "https://pictures.example/hubert.png", "email": None})


async def github_emails(request: Request) -> Response:
    person = _who(request)
    if person is None:
        return JSONResponse({"message": "Bad credentials"}, 401)
    email = {"email": person.get("email"), "verified": person["verified"], "primary": True}
    return JSONResponse([*person.get("further_emails", []), email])


# --- X


async def x_token(request: Request) -> Response:
    redeemed = await _redeem(request, "/i/oauth2/authorize")
    if redeemed is None or not redeemed[0]["challenge"]:
        return JSONResponse({"error": "invalid_request"}, 400)
    if not request.headers.get("authorization", "").startswith("Basic "):
        return JSONResponse({"error": "unauthorized_client"}, 401)
    return JSONResponse({"access_token": redeemed[1], "refresh_token": "x-refresh"})


async def x_user(request: Request) -> Response:
    person = _who(request)
    if person is None:
        return JSONResponse({"title": "Unauthorized"}, 401)
    user = {
        "id": person["sub"],
        "name": "Xenia",
        "username": "xenia",
        "confirmed_email": person.get("email"),
        "created_at": "2020-01-01T00:00:00.000Z",
    }
    wanted = request.query_params["user.fields"].split(",")
    shown = {key: value for key, value in user.items() if key in wanted and value}
    return JSONResponse({"data": shown})


# --- Twitter (OAuth 1.0a)


def _signed(request: Request, token_secret: str = "") -> dict[str, str] | None:
    """The oauth_ fields of a rightly signed request."""
    given = request.headers.get("authorization", "")
    fields = {
        unquote(name): unquote(value) for name, value in re.findall(r'([a-z_]+)="([^"]*)"', given)
    }
    own = ("oauth_consumer_key", "oauth_nonce", "oauth_timestamp", "oauth_signature")
    expected = authorization_header(
        request.method,
        str(request.url).partition("?")[0],
        Consumer(CLIENT_ID, SECRET),
        Token(fields.get("oauth_token", ""), token_secret),
        protocol={
            name: value
            for name, value in fields.items()
            if name not in (*own, "oauth_signature_method", "oauth_version", "oauth_token")
        },
        parameters=dict(request.query_params),
        nonce=fields.get("oauth_nonce"),
        timestamp=int(fields.get("oauth_timestamp", "0")),
    )
    return fields if given == expected else None


async def twitter_request_token(request: Request) -> Response:
    fields = _signed(request)
    if fields is None:
        return PlainTextResponse("not signed", 401)
    token = secrets.token_hex(8)
    _request_tokens[token] = {"secret": secrets.token_hex(8), "callback": fields["oauth_callback"]}
    shown = {"oauth_token": token, "oauth_token_secret": _request_tokens[token]["secret"]}
    return PlainTextResponse(urlencode(shown | {"oauth_callback_confirmed": "true"}))


async def twitter_authenticate(request: Request) -> Response:
    token = request.query_params["oauth_token"]
    asked = _request_tokens[token]
    asked |= {"person": request.query_params["login_hint"], "verifier": secrets.token_hex(8)}
    back = urlencode({"oauth_token": token, "oauth_verifier": asked["verifier"]})
    return RedirectResponse(f"{asked['callback']}&{back}", 302)


async def twitter_access_token(request: Request) -> Response:
    given = request.headers.get("authorization", "")
    token = re.search(r'oauth_token="([^"]+)"', given)
    asked = _request_tokens.get(token[1] if token else "", {"secret": ""})
    fields = _signed(request, asked["secret"])
    if fields is None or fields.get("oauth_verifier") != asked.get("verifier"):
        return PlainTextResponse("refused", 401)
    del _request_tokens[fields["oauth_token"]]
    access = secrets.token_hex(8)
    _tokens[access] = asked["person"]
    return PlainTextResponse(urlencode({"oauth_token": access, "oauth_token_secret": "s"}))


async def twitter_user(request: Request) -> Response:
    fields = _signed(request, "s")
    person = _people.get(_tokens.get((fields or {}).get("oauth_token", ""), ""))
    if person is None:
        return JSONResponse({"errors": [{"code": 32}]}, 401)
    user = {"id_str": person["sub"], "name": "Tweety", "screen_name": "tweety"}
    return JSONResponse(user | {"email": person.get("email", "")})


app = Starlette(
    routes=[
        Route("/people", add_person, methods=["POST"]),
        Route("/people/{name}", change_person, methods=["PATCH"]),
        Route("/sign", sign, methods=["POST"]),
        Route("/public.pem", public_pem),
        Route("/.well-known/openid-configuration", openid_configuration),
        Route("/google/authorize", authorize),
        Route("/google/token", google_token, methods=["POST"]),
        Route("/google/keys", google_keys),
        Route("/login/oauth/authorize", authorize),
        Route("/login/oauth/access_token", github_token, methods=["POST"]),
        Route("/api/v3/user", github_user),
        Route("/api/v3/user/emails", github_emails),
        Route("/i/oauth2/authorize", authorize),
        Route("/2/oauth2/token", x_token, methods=["POST"]),
        Route("/2/users/me", x_user),
        Route("/oauth/request_token", twitter_request_token, methods=["POST"]),
        Route("/oauth/authenticate", twitter_authenticate),
        Route("/oauth/access_token", twitter_access_token, methods=["POST"]),
        Route("/1.1/account/verify_credentials.json", twitter_user),
    ]
)
