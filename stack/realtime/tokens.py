"""Tokens of channels: who they prove, and upstream's words for those that prove nothing."""

import time

import jwt

from stack.core.callers import Caller, Credentials, Doorkeeper
from stack.core.tokens import TokenError

_CLAIMS_MISSING = "Fields `role` and `exp` are required in JWT"


class TokenRefused(Exception):
    """A token that is not accepted: `code` for joins, the message for channels already open."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


def caller_of(doorkeeper: Doorkeeper, token: str) -> Caller:
    """Whom the token names. Errors: TokenRefused."""
    try:
        caller = doorkeeper.caller(Credentials(None, token))
    except TokenError as error:
        raise _refusal(error, token) from error
    expires = caller.claims.get("exp")
    if not isinstance(caller.claims.get("role"), str) or not isinstance(expires, int | float):
        raise TokenRefused("InvalidJWTToken", _CLAIMS_MISSING)
    return caller


def expired(seconds_ago: float) -> str:
    return f"Token has expired {max(0, int(seconds_ago))} seconds ago"


def _refusal(error: TokenError, token: str) -> TokenRefused:
    match error.reason:
        case "expired":
            # the signature was right, so the claims can be read
            claims = jwt.decode(token, options={"verify_signature": False})
            return TokenRefused("InvalidJWTToken", expired(time.time() - float(claims["exp"])))
        case "malformed":
            return TokenRefused("MalformedJWT", "The token provided is not a valid JWT")
        case "signature":
            return TokenRefused("JwtSignatureError", "Failed to validate JWT signature")
        case "algorithm" | "key":
            return TokenRefused(
                "JwtSignerError",
                "Failed to generate JWT signer, check your JWT secret or JWKS configuration",
            )
        case "not_yet_valid":
            return TokenRefused("InvalidJWTToken", "Token is not valid yet")
