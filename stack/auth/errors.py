"""Errors as GoTrue words them, and the shapes it answers them in."""

from collections.abc import Sequence
from typing import Any

# The version of the API that shortened error bodies. Source: supabase/auth, apiversions.go.
API_VERSION_HEADER = "x-supabase-api-version"
SHORT_ERRORS_SINCE = "2024-01-01"


class AuthError(Exception):
    """An answer with a status, a code of GoTrue's list and a sentence for people.

    `keeps_changes`: the transaction it was raised in is committed all the same, as when a replayed
    token must stay revoked although its request fails.
    """

    def __init__(
        self, status: int, code: str, message: str, *, keeps_changes: bool = False
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.keeps_changes = keeps_changes

    def body(self, *, is_short: bool) -> dict[str, Any]:
        """`{code, error_code, msg}`; short: `{code, message}`."""
        if is_short:
            return {"code": self.code, "message": self.message}
        return {"code": self.status, "error_code": self.code, "msg": self.message}


class WeakPassword(AuthError):
    """A password that breaks the rules. `reasons`: of `length`, `characters`, `pwned`."""

    def __init__(self, message: str, reasons: Sequence[str]) -> None:
        super().__init__(422, "weak_password", message)
        self.reasons = list(reasons)

    def body(self, *, is_short: bool) -> dict[str, Any]:
        return super().body(is_short=is_short) | {"weak_password": {"reasons": self.reasons}}


class OAuthError(Exception):
    """`{error, error_description}` with status 400, where GoTrue keeps to RFC 6749."""

    def __init__(self, error: str, description: str = "") -> None:
        super().__init__(description or error)
        self.error, self.description = error, description

    def body(self) -> dict[str, Any]:
        shown = {"error": self.error}
        if self.description:
            shown["error_description"] = self.description
        return shown


def bad_request(code: str, message: str) -> AuthError:
    return AuthError(400, code, message)


def forbidden(code: str, message: str) -> AuthError:
    return AuthError(403, code, message)


def not_found(code: str, message: str) -> AuthError:
    return AuthError(404, code, message)


def unprocessable(code: str, message: str) -> AuthError:
    return AuthError(422, code, message)


def too_many_requests(code: str, message: str) -> AuthError:
    return AuthError(429, code, message)


def invalid(message: str) -> AuthError:
    """400 `validation_failed`, GoTrue's answer to most wrong input."""
    return AuthError(400, "validation_failed", message)
