"""JSON Web Tokens: one ring of keys signs and verifies for every service."""

import contextlib
import json
import math
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import jwt
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

Reason = Literal["malformed", "algorithm", "key", "signature", "expired", "not_yet_valid"]
Claims = Mapping[str, Any]

_CACHED_TOKENS = 4096
_MAX_CHARACTERS = 32 * 1024  # above what any server's header limit lets through


class TokenError(Exception):
    """A token that proves nothing. Each service words the `reason` its own way."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason = reason


class Keyring:
    """Signs user tokens with ES256; verifies HS256, ES256 and RS256.

    The key is chosen by the kind of algorithm first, so a public key can never serve as an HMAC
    secret. `extra_jwks` are JSON Web Keys of other issuers, or retired ones of ours.
    """

    def __init__(
        self,
        secret: str,
        signing_jwk: Mapping[str, Any],
        extra_jwks: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self._secret = secret
        self._kid = str(signing_jwk["kid"])
        self._private: Any = ECAlgorithm.from_jwk(dict(signing_jwk))
        self._public: dict[tuple[str, str], Any] = {}
        self._jwks: list[dict[str, Any]] = []
        for jwk in (signing_jwk, *extra_jwks):
            self._add_public(jwk)
        self._verified: OrderedDict[str, Claims] = OrderedDict()

    def sign(self, claims: Claims) -> str:
        """A user's token, ES256, checkable with the JWKS."""
        return jwt.encode(dict(claims), self._private, "ES256", headers={"kid": self._kid})

    def sign_shared(self, claims: Claims) -> str:
        """An HS256 token, for what only this process verifies."""
        return jwt.encode(dict(claims), self._secret, "HS256")

    def jwks(self) -> dict[str, Any]:
        """The public keys, as `/.well-known/jwks.json` shows them."""
        return {"keys": self._jwks}

    def verify(self, token: str, *, leeway: float = 0) -> Claims:
        """The claims of a token signed by a known key and valid now.

        `leeway` is the clock skew allowed, in seconds. Errors: TokenError.
        """
        claims = self._verified.get(token)
        if claims is None:
            claims = self._check_signature(token)
            self._verified[token] = claims
            if len(self._verified) > _CACHED_TOKENS:
                self._verified.popitem(last=False)
        now = time.time()
        if _moment(claims, "exp", now) + leeway < now:
            raise TokenError("expired", "token is expired")
        if max(_moment(claims, "nbf", now), _moment(claims, "iat", now)) - leeway > now + 1:
            raise TokenError("not_yet_valid", "token is not valid yet")
        return claims

    def _check_signature(self, token: str) -> Claims:
        if len(token) > _MAX_CHARACTERS:
            raise TokenError("malformed", "token is too long")
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise TokenError("malformed", str(error)) from error
        algorithm, kid = header.get("alg"), header.get("kid")
        keys: list[Any]
        match algorithm:
            case "HS256":
                keys = [self._secret]
            case "ES256" | "RS256":
                keys = [
                    key
                    for (kind, name), key in self._public.items()
                    if kind == algorithm and kid in (None, name)
                ]
            case _:
                raise TokenError("algorithm", f"algorithm {algorithm!r} is not accepted")
        if not keys:
            raise TokenError("key", "no key fits the token")
        unchecked = {
            "verify_exp": False,
            "verify_nbf": False,
            "verify_iat": False,
            "verify_aud": False,
        }
        unchecked |= {"verify_sub": False, "verify_jti": False, "verify_iss": False}
        for key in keys:
            try:
                claims: Any = jwt.decode(token, key, [algorithm], options=unchecked)  # type: ignore[arg-type]
            except jwt.InvalidSignatureError:
                continue
            except (jwt.PyJWTError, ValueError, RecursionError) as error:
                raise TokenError("malformed", str(error)) from error
            return dict(claims)
        raise TokenError("signature", "signature is invalid")

    def _add_public(self, jwk: Mapping[str, Any]) -> None:
        algorithm = {"EC": "ES256", "RSA": "RS256"}.get(str(jwk.get("kty")))
        if algorithm is None:
            return
        maker: Any = ECAlgorithm if algorithm == "ES256" else RSAAlgorithm
        shown = {key: jwk[key] for key in ("kty", "kid", "crv", "x", "y", "n", "e") if key in jwk}
        shown |= {"alg": algorithm, "use": "sig", "key_ops": ["verify"], "ext": True}
        self._public[algorithm, str(jwk.get("kid"))] = maker.from_jwk(json.dumps(shown))
        self._jwks.append(shown)


def _moment(claims: Claims, name: str, default: float) -> float:
    """A time claim in seconds. Errors: TokenError when it is no finite number."""
    value = claims.get(name, default)
    if isinstance(value, int | float) and not isinstance(value, bool):
        with contextlib.suppress(OverflowError):
            moment = float(value)
            if math.isfinite(moment):  # nothing is ever later than "not a number"
                return moment
    raise TokenError("malformed", f"claim {name} is not a number")
