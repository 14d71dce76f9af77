"""Members of the tests' stack, the people behind the fake providers, and their browsers."""

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

from tests.conftest import RunningStack

PASSWORD = "correct horse battery"
FRONT_END = "https://app.example.com/welcome"


def new_email() -> str:
    return f"{secrets.token_hex(8)}@example.com"


@dataclass(frozen=True, slots=True)
class Session:
    """Tokens of a signed-in member, as the service answered them."""

    body: dict[str, Any] = field(repr=False)

    @property
    def token(self) -> str:
        return str(self.body["access_token"])

    @property
    def user(self) -> dict[str, Any]:
        return dict(self.body["user"])

    @property
    def claims(self) -> dict[str, Any]:
        import jwt

        return dict(jwt.decode(self.token, options={"verify_signature": False}))


@dataclass(frozen=True, slots=True)
class Landing:
    """Where a browser ended, and what the URL told the front end."""

    url: str

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    @property
    def fragment(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.url).fragment, keep_blank_values=True))


class Auth:
    """The auth service over HTTP, without a client library in between."""

    def __init__(self, stack: RunningStack) -> None:
        self.stack = stack
        self.providers = stack.environment["PROVIDERS_URL"]
        self.http = httpx.Client(timeout=20, follow_redirects=False)
        self._await_providers()

    def call(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **more: Any
    ) -> httpx.Response:
        headers = {"apikey": self.stack.publishable_key, **more.pop("headers", {})}
        if token:
            headers["authorization"] = f"Bearer {token}"
        if body is not None:
            more["json"] = body
        return self.http.request(method, f"{self.stack.url}/auth/v1{path}", headers=headers, **more)

    def admin(self, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {"apikey": self.stack.secret_key}
        return self.http.request(
            method, f"{self.stack.url}/auth/v1/admin{path}", headers=headers, json=body
        )

    def member(self, email: str | None = None, *, is_confirmed: bool = True) -> Session:
        """A new user with a password, signed in if confirmed."""
        email = email or new_email()
        body = {"email": email, "password": PASSWORD, "email_confirm": is_confirmed}
        made = self.admin("POST", "/users", body)
        assert made.status_code == 200, made.text
        return self.sign_in(email) if is_confirmed else Session({"user": made.json()})

    def sign_in(self, email: str) -> Session:
        answer = self.call(
            "POST", "/token?grant_type=password", {"email": email, "password": PASSWORD}
        )
        assert answer.status_code == 200, answer.text
        return Session(answer.json())

    def anonymous(self) -> Session:
        return Session(self.call("POST", "/signup", {}).json())

    def user(self, user_id: str) -> dict[str, Any]:
        """The user as an administrator sees them."""
        return dict(self.admin("GET", f"/users/{user_id}").json())

    # --- the outside

    def person(self, **facts: Any) -> dict[str, Any]:
        """Somebody with an account at every provider; `hint` signs them in there."""
        return dict(self.http.post(f"{self.providers}/people", json=facts).json())

    def signed(self, claims: dict[str, Any], **headers: str) -> str:
        """A token with these claims under Google's key."""
        asked = {"claims": claims, "headers": headers}
        return str(self.http.post(f"{self.providers}/sign", json=asked).json()["token"])

    def depart(self, provider: str, **query: str) -> str:
        """Where `/authorize` sends the browser."""
        path = f"/authorize?{urlencode({'provider': provider, 'redirect_to': FRONT_END} | query)}"
        return self.location(self.call("GET", path))

    def consent(self, page: str, person: dict[str, Any] | None) -> str:
        """The provider's page as `person`, or as somebody who says no: its way back to us."""
        hint = {"login_hint": person["hint"] if person else "nobody"}
        return self.location(self.http.get(httpx.URL(page).copy_merge_params(hint)))

    def arrive(self, way_back: str) -> Landing:
        return Landing(self.location(self.http.get(way_back)))

    def travel(self, provider: str, person: dict[str, Any] | None, **query: str) -> Landing:
        """The whole way: to the provider, and back to the front end."""
        return self.arrive(self.consent(self.depart(provider, **query), person))

    def session_of(self, landing: Landing) -> Session:
        """The implicit flow's session, with its user."""
        assert "access_token" in landing.fragment, landing.url
        token = landing.fragment["access_token"]
        return Session({**landing.fragment, "user": self.call("GET", "/user", token=token).json()})

    def exchange(self, code: str, verifier: str) -> httpx.Response:
        return self.call(
            "POST", "/token?grant_type=pkce", {"auth_code": code, "code_verifier": verifier}
        )

    def _await_providers(self) -> None:
        for _ in range(100):
            try:
                self.http.get(f"{self.providers}/google/keys")
                return
            except httpx.TransportError:
                time.sleep(0.1)  # they start a moment after the stack
        raise AssertionError("the fake providers do not answer")

    @staticmethod
    def location(answer: httpx.Response) -> str:
        assert answer.status_code in (302, 303), answer.text
        return answer.headers["location"]


@dataclass(frozen=True, slots=True)
class Pkce:
    """A browser's secret, and what it shows of it."""

    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(40))

    @property
    def query(self) -> dict[str, str]:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        return {"code_challenge": challenge, "code_challenge_method": "s256"}
