"""ID tokens, checked against the keys their issuer publishes. Source: OpenID Connect Core §3."""

import base64
import hashlib
import hmac
import time
from dataclasses import dataclass, field
from typing import Any

import jwt

from stack.auth.oauth.web import ProviderFailure, Web, json_object, json_objects

_ALGORITHMS = {"RSA": "RS256", "EC": "ES256"}
_FRESH_SECONDS = 600  # keys and addresses are asked for again after that
_UNKNOWN_KEY_SECONDS = 30  # and for a key we do not know, at most this often
_CLOCK_SKEW_SECONDS = 300  # of "not before"; an expiry is taken at its word


class InvalidIdToken(Exception):
    """The token proves nothing; says why, for the log."""


@dataclass(slots=True)
class Issuer:
    """An OpenID provider: its addresses, found under `url`, and its keys."""

    url: str
    _addresses: dict[str, Any] = field(default_factory=dict)
    _addresses_at: float = float("-inf")
    _keys: dict[str, tuple[str, Any]] = field(default_factory=dict)  # by id: algorithm, key
    _keys_at: float = float("-inf")

    async def address(self, web: Web, name: str) -> str:
        """An endpoint of the discovery document. Errors: ProviderFailure."""
        if time.monotonic() - self._addresses_at > _FRESH_SECONDS:
            found = json_object(await web.get(f"{self.url}/.well-known/openid-configuration"))
            if str(found.get("issuer", "")).rstrip("/") != self.url:
                raise ProviderFailure("discovery document names another issuer")
            self._addresses, self._addresses_at = found, time.monotonic()
        address = self._addresses.get(name)
        if not isinstance(address, str):
            raise ProviderFailure(f"discovery document has no {name}")
        return address

    async def claims(self, web: Web, token: str) -> dict[str, Any]:
        """The claims of a token this issuer signed for somebody, valid now.

        The audience is the caller's to check. Errors: InvalidIdToken, ProviderFailure.
        """
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError as error:
            raise InvalidIdToken(str(error)) from error
        # the key decides on the algorithm, never the token
        algorithm, key = await self._key(web, str(header.get("kid", "")))
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                [algorithm],
                options={
                    "require": ["exp", "iat", "iss", "aud"],
                    "verify_aud": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                    "verify_sub": False,
                    "verify_jti": False,
                },
            )
        except (jwt.PyJWTError, ValueError) as error:
            raise InvalidIdToken(str(error)) from error
        not_before = claims.get("nbf", 0)
        if not isinstance(not_before, int | float) or (
            not_before > time.time() + _CLOCK_SKEW_SECONDS
        ):
            raise InvalidIdToken("not valid yet")
        # Google leaves the scheme out at times
        if claims["iss"] not in (self.url, self.url.removeprefix("https://")):
            raise InvalidIdToken(f"issuer is {claims['iss']!r}")
        return claims

    async def _key(self, web: Web, kid: str) -> tuple[str, Any]:
        age = time.monotonic() - self._keys_at
        if age > _FRESH_SECONDS or (kid not in self._keys and age > _UNKNOWN_KEY_SECONDS):
            published = json_object(await web.get(await self.address(web, "jwks_uri")))
            self._keys = dict(map(_read_key, json_objects(published.get("keys"))))
            self._keys_at = time.monotonic()
        if kid not in self._keys or self._keys[kid][1] is None:
            raise InvalidIdToken("no published key fits")
        return self._keys[kid]


def audiences(claims: dict[str, Any]) -> list[str]:
    """For whom a token was made."""
    audience = claims["aud"]
    return [str(item) for item in audience] if isinstance(audience, list) else [str(audience)]


def check_access_token(claims: dict[str, Any], access_token: str) -> None:
    """Whether the access token was issued together with the ID token. Errors: InvalidIdToken."""
    expected = claims.get("at_hash")
    if not expected:
        return
    digest = hashlib.sha256(access_token.encode()).digest()
    given = base64.urlsafe_b64encode(digest[:16]).rstrip(b"=")
    if not hmac.compare_digest(given, str(expected).encode()):
        raise InvalidIdToken("at_hash does not fit the access token")


def _read_key(jwk: dict[str, Any]) -> tuple[str, tuple[str, Any]]:
    algorithm = _ALGORITHMS.get(str(jwk.get("kty")), "")
    key = None
    if algorithm and jwk.get("use", "sig") == "sig":
        try:
            key = jwt.PyJWK(jwk, algorithm).key
        except jwt.PyJWTError:
            key = None
    return str(jwk.get("kid", "")), (algorithm, key)
