"""One request as a route sees it: its fields checked by type, its caller proven."""

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from starlette.requests import Request

from stack.auth.errors import AuthError, bad_request, forbidden, unprocessable
from stack.auth.sessions import Session, Visit, session_by_id
from stack.auth.users import Json, User, user_by_id
from stack.core.http import BodyTooLarge, read_body
from stack.core.query import pairs
from stack.core.service import shown_credentials
from stack.core.tokens import TokenError

if TYPE_CHECKING:
    from stack.auth.context import AuthContext

MAX_BODY = 1024 * 1024
ADMIN_ROLES = frozenset({"service_role", "supabase_admin"})
_MAX_DEPTH = 100


class Fields:
    """A JSON object's fields, asked for by type. A missing or null field reads as empty.

    Errors, of every reader: 422 validation_failed that names the field.
    """

    def __init__(self, values: Json) -> None:
        self._values = values

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self._values.get(name) is not None

    def text(self, name: str) -> str:
        value = self._values.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise _wrong(name, "a string")
        return value

    def optional_text(self, name: str) -> str | None:
        return self.text(name) if self.has(name) else None

    def flag(self, name: str, default: bool = False) -> bool:
        value = self._values.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise _wrong(name, "a boolean")
        return value

    def number(self, name: str) -> int | None:
        value = self._values.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise _wrong(name, "an integer")
        return value

    def object(self, name: str) -> Json | None:
        value = self._values.get(name)
        if value is not None and not isinstance(value, dict):
            raise _wrong(name, "an object")
        return value

    def inner(self, name: str) -> "Fields":
        return Fields(self.object(name) or {})


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A request's user. `session` is None for tokens that name none."""

    user: User
    session: Session | None
    claims: Json = field(repr=False)


class Call:
    """A request. The body is read once, before the route runs."""

    def __init__(self, request: Request, body: bytes) -> None:
        self.request = request
        self.body = body
        self._fields: Fields | None = None

    @classmethod
    async def read(cls, request: Request) -> "Call":
        """Errors: 413 above 1 MiB."""
        try:
            body = await read_body(request.receive, MAX_BODY)
        except BodyTooLarge:
            raise AuthError(413, "validation_failed", "Request body is too large") from None
        return cls(request, body)

    @property
    def fields(self) -> Fields:
        """The body as a JSON object. Errors: 400 bad_json, 422 for a null character."""
        if self._fields is None:
            self._fields = Fields(_parse(self.body))
        return self._fields

    @property
    def query(self) -> dict[str, str]:
        """The query string; of a repeated name the first value."""
        found: dict[str, str] = {}
        for name, value in pairs(self.request.scope["query_string"]):
            found.setdefault(name, value)
        for name, value in found.items():
            if "\0" in value or "\ufffd" in value:
                raise _wrong(name, "valid text")
        return found

    def header(self, name: str) -> str:
        return self.request.headers.get(name, "")

    @property
    def visit(self) -> Visit:
        client = self.request.client
        agent = self.header("user-agent").encode("latin-1", "replace")
        return Visit(
            client.host if client else "", agent.decode("utf-8", "replace").replace("\0", "")
        )

    @property
    def referrer(self) -> str:
        """Where the client says it came from: `redirect_to` of query, header or body, Referer."""
        asked = self.query.get("redirect_to") or self.header("redirect_to")
        if not asked and self.request.method == "POST" and self.body:
            asked = self.fields.text("redirect_to")
        return asked or self.header("referer")

    def bearer_claims(self, auth: "AuthContext") -> Json:
        """What the request's token says. Errors: 401 no_authorization, 403 bad_jwt."""
        shown = shown_credentials(self.request.scope)
        if shown.bearer is None and shown.key_role is None:
            raise AuthError(401, "no_authorization", "This endpoint requires a valid Bearer token")
        try:
            return dict(auth.ground.doorkeeper.caller(shown).claims)
        except TokenError as error:
            raise forbidden(
                "bad_jwt", f"invalid JWT: unable to parse or verify signature, {error}"
            ) from error

    def require_admin(self, auth: "AuthContext") -> Json:
        """Claims of a service key. Errors: 401 no_authorization, 403 bad_jwt, not_admin."""
        claims = self.bearer_claims(auth)
        if claims.get("role") not in ADMIN_ROLES:
            raise forbidden("not_admin", "User not allowed")
        return claims

    async def require_user(self, auth: "AuthContext") -> SignedIn:
        """The user whose token this is, from the database, with the session it names.

        Errors: 401 no_authorization; 403 bad_jwt, user_not_found, session_not_found.
        """
        claims = self.bearer_claims(auth)
        subject = claims.get("sub")
        if not subject:
            raise forbidden("bad_jwt", "invalid claim: missing sub claim")
        user_id = _uuid(subject)
        if user_id is None:
            raise bad_request("bad_jwt", "invalid claim: sub claim must be a UUID")
        session_id = None
        if claims.get("session_id"):
            session_id = _uuid(claims["session_id"])
            if session_id is None:
                raise forbidden("bad_jwt", "invalid claim: session_id claim must be a UUID")
        async with auth.connection() as db:
            user = await user_by_id(db, user_id)
            if user is None or user.deleted_at is not None:
                raise forbidden("user_not_found", "User from sub claim in JWT does not exist")
            session = await session_by_id(db, session_id) if session_id else None
        if session_id and (session is None or session.user_id != user.id):
            raise forbidden(
                "session_not_found", "Session from session_id claim in JWT does not exist"
            )
        return SignedIn(user, session, claims)


def as_uuid(text: str, code: str, message: str) -> UUID:
    """A path's id. Errors: 404 with `code`, as nothing can have such an id."""
    found = _uuid(text)
    if found is None:
        raise AuthError(404, code, message)
    return found


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None


def _parse(body: bytes) -> Json:
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
        _check_text(value, "", 0)
    except (ValueError, RecursionError) as error:
        raise bad_request("bad_json", f"Could not parse request body as JSON: {error}") from error
    if not isinstance(value, dict):
        raise bad_request("bad_json", "Could not parse request body as JSON: not an object")
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _check_text(value: Any, name: str, depth: int) -> None:
    """Refuse what Postgres cannot hold: null characters, lone surrogates, infinite numbers."""
    if depth > _MAX_DEPTH:
        raise ValueError("nested too deeply")
    match value:
        case str():
            if "\0" in value:
                raise _wrong(name, "text without null characters")
            value.encode("utf-8")
        case float() if not math.isfinite(value):
            raise ValueError("a number is too large")
        case list():
            for item in value:
                _check_text(item, name, depth + 1)
        case dict():
            for key, item in value.items():
                _check_text(key, name or key, depth + 1)
                _check_text(item, name or key, depth + 1)


def _wrong(name: str, wanted: str) -> AuthError:
    return unprocessable("validation_failed", f"{name} must be {wanted}")
