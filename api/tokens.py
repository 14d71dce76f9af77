"""Tokens of Supabase Auth: who signed them, for whom, and until when."""

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import jwt

from api.errors import InvalidToken, TokensUnverifiable
from workers.core.settings import Settings

Claims = Mapping[str, Any]

_logger = logging.getLogger("guildhall.api.tokens")
_AUDIENCE = "authenticated"
_LONGEST_TOKEN = 16 * 1024
_FRESH_SECONDS = 600.0  # as long as Supabase's own edge keeps the list
_REFETCH_SECONDS = 30.0
_FETCH_TIMEOUT_SECONDS = 5.0
_LARGEST_LIST = 64 * 1024
_SMALLEST_RSA_BITS = 2048


@dataclass(frozen=True, slots=True)
class _Key:
    algorithm: str
    key: Any


class PublicKeys:
    """The project's JWKS: fetched when first needed, again every ten minutes in the background.

    An unknown `kid` makes it look again at once, but at most every 30 seconds, so that forged ones
    cannot make us hammer Supabase Auth. A failing fetch keeps what is known.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: dict[str, _Key] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._lock = asyncio.Lock()
        self._refresh: asyncio.Task[None] | None = None

    async def find(self, kid: str, algorithm: str) -> Any:
        """The key of this id, if it is one for this algorithm; None when there is none.

        Errors: TokensUnverifiable when the list could never be read.
        """
        if kid not in self._keys:
            async with self._lock:  # one fetch serves all who wait
                if kid not in self._keys and self._age(self._tried_at) >= _REFETCH_SECONDS:
                    await self._fetch()
        elif self._age(self._fetched_at) > _FRESH_SECONDS:
            self._refresh_soon()
        if self._fetched_at == float("-inf"):
            raise TokensUnverifiable(
                "Supabase Auth does not show its keys.", headers={"Retry-After": "30"}
            )
        found = self._keys.get(kid)
        return found.key if found is not None and found.algorithm == algorithm else None

    async def aclose(self) -> None:
        if self._refresh is not None:
            self._refresh.cancel()

    def _refresh_soon(self) -> None:
        is_running = self._refresh is not None and not self._refresh.done()
        if not is_running and self._age(self._tried_at) >= _REFETCH_SECONDS:
            self._refresh = asyncio.create_task(self._fetch())

    async def _fetch(self) -> None:
        self._tried_at = time.monotonic()
        try:
            async with httpx.AsyncClient(
                timeout=_FETCH_TIMEOUT_SECONDS, trust_env=False, follow_redirects=False
            ) as client:
                answer = await client.get(self._url)
            answer.raise_for_status()
            if len(answer.content) > _LARGEST_LIST:
                raise ValueError("the list of keys is too long")
            self._keys = _read_keys(answer.json())
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            _logger.warning("the keys of Supabase Auth could not be read: %r", error)
        else:
            self._fetched_at = time.monotonic()

    @staticmethod
    def _age(moment: float) -> float:
        return time.monotonic() - moment


class TokenVerifier:
    """Verifies HS256 with the project's secret, ES256 and RS256 with its public keys.

    The header's algorithm only chooses among these three, and each has keys of its own kind: a
    public key can never serve as a secret, and `none` is no algorithm.
    """

    def __init__(self, known: Settings) -> None:
        self._secret = known.supabase_jwt_secret
        self._issuer = known.supabase_jwt_issuer
        self._leeway = known.jwt_leeway_seconds
        self._keys = (
            PublicKeys(f"{str(known.supabase_url).rstrip('/')}/auth/v1/.well-known/jwks.json")
            if known.supabase_url
            else None
        )

    async def verify(self, token: str) -> Claims:
        """The claims of a genuine token that is valid now.

        Errors: InvalidToken (401), TokensUnverifiable (503).
        """
        if len(token) > _LONGEST_TOKEN:
            raise InvalidToken("The token is too long.")
        try:
            header = jwt.get_unverified_header(token)
            algorithm, key = await self._key(header)
            claims: Claims = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                leeway=self._leeway,
                issuer=self._issuer,
                # the project's own anon key names no audience; who is signed in must have one
                options={"require": ["exp", "iat", "role"], "verify_aud": False},
            )
            if claims["role"] != "anon" and _AUDIENCE not in _audiences(claims):
                raise InvalidToken("The token is not meant for this api.")
        except jwt.ExpiredSignatureError as error:
            raise InvalidToken("The token has expired.") from error
        except (jwt.PyJWTError, ValueError) as error:
            raise InvalidToken("The token is not valid.") from error
        return claims

    async def aclose(self) -> None:
        if self._keys is not None:
            await self._keys.aclose()

    async def _key(self, header: Mapping[str, Any]) -> tuple[str, Any]:
        algorithm, kid = header.get("alg"), header.get("kid")
        key: Any = None
        if algorithm == "HS256":
            if self._secret is not None:
                key = self._secret.get_secret_value()
        elif algorithm in ("ES256", "RS256"):
            if self._keys is None:
                raise TokensUnverifiable("Set SUPABASE_URL: its keys verify tokens.")
            if isinstance(kid, str):
                key = await self._keys.find(kid, algorithm)
        if key is None:
            raise InvalidToken("No key of this project signed the token.")
        return str(algorithm), key


def _read_keys(answer: Any) -> dict[str, _Key]:
    """The usable ones by their id: EC P-256 and RSA from 2048 bits, never a secret."""
    found = {}
    for shown in answer["keys"]:
        algorithm = {"EC": "ES256", "RSA": "RS256"}.get(shown.get("kty"))
        if algorithm is None or "kid" not in shown or shown.get("use", "sig") != "sig":
            continue
        if shown.get("alg", algorithm) != algorithm or shown.get("crv", "P-256") != "P-256":
            continue
        try:
            key = jwt.PyJWK.from_json(json.dumps(shown), algorithm).key
        except (jwt.PyJWTError, ValueError):
            continue
        if algorithm == "RS256" and key.key_size < _SMALLEST_RSA_BITS:
            continue
        found[str(shown["kid"])] = _Key(algorithm, key)
    return found


def _audiences(claims: Claims) -> list[Any]:
    shown = claims.get("aud")
    return shown if isinstance(shown, list) else [shown]
