"""Errors of a callback, told to the front end in the URL it is sent back to.

Source: supabase/auth, external.go (redirectErrors, getErrorQueryString).
"""

from urllib.parse import urlencode

from stack.auth.errors import AuthError, OAuthError
from stack.auth.redirects import with_fragment, with_query

_DENIED = frozenset({"provider_email_needs_verification", "signup_disabled", "user_banned"})
_BY_STATUS = {
    400: "invalid_request",
    401: "unauthorized_client",
    403: "access_denied",
    500: "server_error",
    503: "temporarily_unavailable",
}


def with_callback_error(url: str, error: AuthError | OAuthError) -> str:
    """`url` with `error`, `error_code` and `error_description` in query and fragment.

    An empty `sb` in the fragment tells clients that it is ours.
    """
    told = _told(error)
    return with_fragment(with_query(url, told), urlencode({**told, "sb": ""}))


def _told(error: AuthError | OAuthError) -> dict[str, str]:
    if isinstance(error, OAuthError):
        return {"error": error.error, "error_description": error.description}
    kind = "access_denied" if error.code in _DENIED else _BY_STATUS.get(error.status)
    return {
        "error": kind or "server_error",
        "error_code": error.code,
        "error_description": error.message,
    }
