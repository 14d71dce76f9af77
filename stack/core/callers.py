"""Who calls: the API key opens the door, the token says who stands there."""

import hmac
import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stack.core.config import Secrets
from stack.core.tokens import Keyring, TokenError

_CACHED_CALLERS = 4096


class KeyRefused(Exception):
    """The API key is missing or wrong; the gateway answers 401 with this message and hint."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request showed. `key_role`: of its API key; `bearer`: a token still to be verified."""

    key_role: str | None = None
    bearer: str | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """A database role and the claims it acts with, both already proven."""

    role: str
    claims: Mapping[str, Any]
    claims_json: str = field(repr=False)

    @property
    def user_id(self) -> str | None:
        subject = self.claims.get("sub")
        return str(subject) if subject is not None else None


class Doorkeeper:
    """Resolves API keys and bearer tokens, as the hosted gateway does before any service."""

    def __init__(self, known: Secrets, keyring: Keyring) -> None:
        self._opaque = {known.publishable_key: "anon", known.secret_key: "service_role"}
        self._keyring = keyring
        self._callers: OrderedDict[tuple[Credentials, float], Caller] = OrderedDict()

    def credentials(
        self,
        *,
        apikey: str | None,
        authorization: str | None,
        user_agent: str = "",
        needs_key: bool = False,
    ) -> Credentials:
        """Read the key and the token of a request. Errors: KeyRefused."""
        bearer = _bearer(authorization)
        # clients send an opaque key as bearer, too; it is no token
        if bearer is not None and bearer.startswith("sb_"):
            apikey, bearer = apikey or bearer, None
        if apikey is None:
            if needs_key:
                raise KeyRefused(
                    "No API key found in request",
                    "No `apikey` request header or url param was found.",
                )
            return Credentials(None, bearer)
        if apikey.startswith("sb_"):
            role = self._role_of_opaque(apikey)
            if role == "service_role" and user_agent.startswith("Mozilla/"):
                raise KeyRefused("Forbidden use of secret API key in browser")
            return Credentials(role, bearer)
        # an older key is itself a token: a user's overrules it, but it must be genuine
        try:
            role = str(self._keyring.verify(apikey).get("role") or "anon")
        except TokenError as error:
            raise KeyRefused(
                "Invalid API key", "Double check the API key of your project."
            ) from error
        return Credentials(role, bearer or apikey)

    def caller(self, credentials: Credentials, *, leeway: float = 0) -> Caller:
        """The proven role and claims. A token without a role acts as `anon`. Errors: TokenError."""
        claims: Mapping[str, Any]
        if credentials.bearer is None:
            claims = {"role": credentials.key_role or "anon"}
        else:
            claims = self._keyring.verify(credentials.bearer, leeway=leeway)
        known = self._callers.get((credentials, leeway))
        if known is None:
            role = str(claims.get("role") or "anon")
            known = Caller(role, claims, json.dumps(claims, separators=(",", ":")))
            self._callers[credentials, leeway] = known
            if len(self._callers) > _CACHED_CALLERS:
                self._callers.popitem(last=False)
        return known

    def _role_of_opaque(self, apikey: str) -> str:
        for key, role in self._opaque.items():
            if hmac.compare_digest(key.encode(), apikey.encode("utf-8", "surrogateescape")):
                return role
        raise KeyRefused("Invalid API key", "Double check the API key of your project.")


def _bearer(authorization: str | None) -> str | None:
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
