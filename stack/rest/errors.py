"""What the Data API answers when it refuses. Source: PostgREST, References › Errors."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import psycopg

from stack.core.tokens import TokenError

Headers = list[tuple[bytes, bytes]]
_BEARER = (b"www-authenticate", b"Bearer")


class RestError(Exception):
    """A refusal: HTTP status, code, message, details and hint, and headers of its own."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: Any = None,
        hint: str | None = None,
        *,
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.details, self.hint, self.headers = details, hint, headers

    def answer(self) -> tuple[int, Headers, bytes]:
        """Status, headers and body."""
        body = {
            "code": self.code,
            "details": self.details,
            "hint": self.hint,
            "message": self.message,
        }
        headers = [
            (b"content-type", b"application/json; charset=utf-8"),
            (b"proxy-status", f"PostgREST; error={_header_safe(self.code)}".encode()),
            *self.headers,
        ]
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        return self.status, headers, text.encode("utf-8", "replace")


def _header_safe(text: str) -> str:
    return "".join(letter for letter in text if letter.isascii() and letter.isprintable())


def query_error(message: str, details: str | None) -> RestError:
    """The query string cannot be read."""
    return RestError(400, "PGRST100", message, details)


def not_embedded(name: str) -> RestError:
    return RestError(
        400,
        "PGRST108",
        f"'{name}' is not an embedded resource in this request",
        hint=f"Verify that '{name}' is included in the 'select' query parameter.",
    )


def singularity(rows: int) -> RestError:
    return RestError(
        406,
        "PGRST116",
        "Cannot coerce the result to a single JSON object",
        f"The result contains {rows} rows",
    )


def too_many_affected(rows: int) -> RestError:
    return RestError(
        400,
        "PGRST124",
        "Query result exceeds max-affected preference constraint",
        f"The query affects {rows} rows",
    )


def range_error(details: str) -> RestError:
    return RestError(416, "PGRST103", "Requested range not satisfiable", details)


def out_of_bounds(offset: int, total: int) -> RestError:
    return range_error(f"An offset of {offset} was requested, but there are only {total} rows.")


def no_media_type(accepted: Sequence[str]) -> RestError:
    names = ", ".join(accepted)
    return RestError(406, "PGRST107", f"None of these media types are available: {names}")


def unknown_schema(name: str, exposed: Sequence[str]) -> RestError:
    return RestError(
        406,
        "PGRST106",
        f"Invalid schema: {name}",
        hint=f"Only the following schemas are exposed: {', '.join(exposed)}",
    )


def token_error(error: TokenError, token: str) -> RestError:
    """A token that proves nothing, in PostgREST's words."""
    details = None
    code: Literal["PGRST301", "PGRST303"] = "PGRST301"
    match error.reason:
        case "expired":
            code, message = "PGRST303", "JWT expired"
        case "not_yet_valid":
            code = "PGRST303"
            issued = "iat" in str(error)
            message = "JWT issued at future" if issued else "JWT not yet valid"
        case "algorithm":
            message = "Wrong or unsupported encoding algorithm"
        case "key" | "signature":
            message = "No suitable key or wrong key type"
            details = "None of the keys was able to decode the JWT"
        case _:
            parts = token.count(".") + 1
            message = "JWT couldn't be decoded"
            if parts != 3:
                message = f"Expected 3 parts in JWT; got {parts}"
    challenge = f'Bearer error="invalid_token", error_description="{message}"'
    return RestError(
        401, code, message, details, headers=[(b"www-authenticate", challenge.encode())]
    )


def database_error(error: psycopg.Error, *, is_anonymous: bool) -> RestError:
    """What Postgres raised, with the status PostgREST gives it."""
    diagnosis = error.diag
    state = error.sqlstate
    if state is None:
        return RestError(503, "PGRST001", "Database client error. Retrying the connection.")
    message = diagnosis.message_primary or ""
    if state == "PGRST":
        return _raised(message, diagnosis.message_detail)
    status = _status(state, message, is_anonymous=is_anonymous)
    return RestError(
        status,
        state,
        message,
        diagnosis.message_detail,
        diagnosis.message_hint,
        headers=[_BEARER] if status == 401 else [],
    )


_STATUS: Mapping[str, int] = {
    "08": 503, "09": 500, "0L": 403, "0P": 403, "23503": 409, "23505": 409, "25006": 405,
    "21000": 500, "25": 500, "28": 403, "2D": 500, "38": 500, "39": 500, "3B": 500, "40": 500,
    "53400": 500, "53": 503, "54": 500, "55": 500, "57P01": 503, "57": 500, "58": 500, "F0": 500,
    "HV": 500, "P0001": 400, "P0": 500, "XX": 500, "42883": 404, "42P01": 404, "42P17": 500,
}  # fmt: skip


def _status(state: str, message: str, *, is_anonymous: bool) -> int:
    if state == "42501":
        return 401 if is_anonymous else 403
    if state == "22023" and message.startswith("role") and message.endswith("does not exist"):
        return 401
    if state == "21000" and message.endswith("requires a WHERE clause"):
        return 400
    if state.startswith("PT"):
        wanted = state[2:]
        return int(wanted) if wanted.isdigit() and 100 <= int(wanted) <= 599 else 500
    return _STATUS.get(state) or _STATUS.get(state[:2]) or 400


def _raised(message: str, detail: str | None) -> RestError:
    """`raise sqlstate 'PGRST'`: message and detail are JSON and decide everything."""
    wanted_message = (
        "MESSAGE must be a JSON object with obligatory keys: 'code', 'message'"
        " and optional keys: 'details', 'hint'."
    )
    wanted_detail = (
        "DETAIL must be a JSON object with obligatory keys: 'status', 'headers'"
        " and optional key: 'status_text'."
    )
    said = _object_of(message, {"code": str, "message": str})
    if said is None:
        return _unreadable(f"Invalid JSON value for MESSAGE: '{message}'", wanted_message)
    if detail is None:
        return _unreadable("DETAIL is missing in the RAISE statement", wanted_detail)
    wanted = _object_of(detail, {"status": int, "headers": dict})
    if wanted is None or not 100 <= wanted["status"] <= 599:
        return _unreadable(f"Invalid JSON value for DETAIL: '{detail}'", wanted_detail)
    headers = [
        (name.lower().encode(), str(value).encode()) for name, value in wanted["headers"].items()
    ]
    return RestError(
        wanted["status"],
        said["code"],
        said["message"],
        said.get("details"),
        said.get("hint"),
        headers=safe_headers(headers),
    )


def _unreadable(details: str, hint: str) -> RestError:
    message = "Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error"
    return RestError(500, "PGRST121", message, details, hint)


def _object_of(text: str, required: Mapping[str, type]) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    if any(not isinstance(value.get(name), kind) for name, kind in required.items()):
        return None
    return value


def safe_headers(headers: Sequence[tuple[bytes, bytes]]) -> Headers:
    """Only headers that cannot break out of their line, nor frame the message anew."""
    return [
        (name, value)
        for name, value in headers
        if name
        and all(33 <= byte <= 126 and byte != 58 for byte in name)
        and name not in (b"content-length", b"transfer-encoding", b"connection")
        and not any(byte in b"\r\n\0" for byte in value)
    ]
