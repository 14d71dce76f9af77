"""`/authorize` sends a person to a provider, `/callback` takes them back.

The state is the id of a row in `auth.flow_state`: unguessable, good for one return within five
minutes, and it alone says which provider the answer must come from.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import parse_qsl
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import class_row
from starlette.responses import Response

from stack.auth.call import Call
from stack.auth.context import AuthContext
from stack.auth.errors import AuthError, OAuthError, bad_request, invalid
from stack.auth.flows import EXPIRY, begin_flow, check_challenge
from stack.auth.housekeeping import forget_abandoned
from stack.auth.oauth.linking import Opened, link_account, open_account
from stack.auth.oauth.providers import Arrival, CodeRefused, Departure, ProfileRefused, Tokens
from stack.auth.oauth.redirect_errors import with_callback_error
from stack.auth.oauth.web import ProviderFailure
from stack.auth.redirects import allowed_redirect, with_fragment, with_query
from stack.auth.routing import Door, translated
from stack.auth.sessions import Grant, issue_session
from stack.auth.users import User
from stack.core.database import Connection

logger = logging.getLogger("stack.auth")
T = TypeVar("T")

# ours to set or to read; all else of the query is the provider's (`prompt`, `login_hint`, …)
_OWN_PARAMETERS = frozenset(
    {
        "apikey",
        "client_id",
        "client_secret",
        "code_challenge",
        "code_challenge_method",
        "code_verifier",
        "invite_token",
        "provider",
        "redirect_to",
        "redirect_uri",
        "response_type",
        "scope",
        "scopes",
        "skip_http_redirect",
        "state",
    }
)


@dataclass(frozen=True, slots=True)
class _Return:
    """A row of `auth.flow_state` that was spent by a callback, and what the provider needs."""

    provider_type: str
    code_challenge: str | None
    code_challenge_method: str | None
    referrer: str | None
    linking_target_id: UUID | None
    email_optional: bool
    created_at: datetime
    memory: str | None

    @property
    def is_pkce(self) -> bool:
        return self.code_challenge is not None


async def authorize(auth: AuthContext, call: Call) -> Response:
    """To the provider, to sign in."""
    return _found(await departure_url(auth, call))


async def departure_url(
    auth: AuthContext, call: Call, *, linking_target: UUID | None = None
) -> str:
    """The provider's page for this request's query; `linking_target` is who links an account.

    Errors: 400 validation_failed; 500 when the provider does not answer.
    """
    query = call.query
    name = query.get("provider", "").lower()
    try:
        provider = auth.providers.get(name)
    except LookupError as error:
        raise invalid(f"Unsupported provider: {error.args[0]}") from error
    if query.get("invite_token"):
        raise invalid("invite_token is not supported: accept the invitation by its link")
    challenge, method = query.get("code_challenge", ""), query.get("code_challenge_method", "")
    check_challenge(challenge, method)
    state = uuid4()
    departure = Departure(
        state=str(state),
        scopes=tuple(query.get("scopes", "").replace(",", " ").split()),
        parameters={
            key: value for key, value in query.items() if key.lower() not in _OWN_PARAMETERS
        },
    )
    try:
        sent = await provider.send(auth.providers.web, departure)
    except ProviderFailure as error:
        logger.warning("%s does not answer: %s", name, error)
        raise AuthError(500, "unexpected_failure", "Error creating provider URL") from error
    async with auth.transaction() as db:
        await forget_abandoned(db)
        await begin_flow(
            db,
            id=state,
            provider=name,
            method="oauth",
            challenge=challenge,
            challenge_method=method,
            referrer=allowed_redirect(auth.settings, call.referrer),
            linking_target_id=linking_target,
            email_optional=provider.settings.email_optional,
            oauth_client_state_id=await _remember(db, name, sent.memory),
        )
    return sent.url


async def callback(auth: AuthContext, call: Call) -> Response:
    """Back from the provider: on to the front end, with a session, a code or an error."""
    answer = _answer(call)
    target = auth.settings.site_url
    try:
        returned = await _spend_state(auth, answer.get("state", ""))
        target = returned.referrer or target
        return await _arrive(auth, call, returned, answer, target)
    except (AuthError, OAuthError) as error:
        return _found(with_callback_error(target, error))
    except Exception as error:
        return _found(with_callback_error(target, translated(call.request, error)))


async def _arrive(
    auth: AuthContext, call: Call, returned: _Return, answer: Mapping[str, str], target: str
) -> Response:
    arrival = await _ask_provider(auth, returned, answer)
    if not arrival.profile.emails and not returned.email_optional:
        raise AuthError(
            500, "unexpected_failure", "Error getting user email from external provider"
        )
    opened, handed_out = await _enter(auth, call, returned, arrival, target)
    await auth.post.deliver(opened.letters)
    if opened.refusal is not None:
        raise opened.refusal
    if isinstance(handed_out, Grant):
        return _found(with_fragment(target, handed_out.as_fragment(sb="")))
    return _found(with_query(target, {"code": str(handed_out)}))


async def _ask_provider(auth: AuthContext, returned: _Return, answer: Mapping[str, str]) -> Arrival:
    if answer.get("error"):
        raise OAuthError(answer["error"], answer.get("error_description", ""))
    try:
        provider = auth.providers.get(returned.provider_type)
    except LookupError as error:
        raise bad_request(
            "oauth_provider_not_supported", f"Unsupported provider: {error.args[0]}"
        ) from error
    if not provider.has_proof(answer):
        raise bad_request(
            "bad_oauth_callback", "OAuth callback with missing authorization code missing"
        )
    try:
        return await provider.arrive(auth.providers.web, answer, returned.memory or "")
    except CodeRefused as error:
        logger.warning("%s refused a code: %s", returned.provider_type, error)
        raise AuthError(
            500,
            "unexpected_failure",
            f"Unable to exchange external code: {answer.get('code', '')}",
        ) from error
    except ProfileRefused as error:
        logger.warning("%s gave no usable profile: %s", returned.provider_type, error)
        raise AuthError(
            500, "unexpected_failure", "Error getting user profile from external provider"
        ) from error


async def _enter(
    auth: AuthContext, call: Call, returned: _Return, arrival: Arrival, target: str
) -> tuple[Opened, Grant | str | None]:
    """The account, and a session for it or, with PKCE, a code; neither after a refusal."""

    async def attempt() -> tuple[Opened, Grant | str | None]:
        async with auth.transaction() as db:
            if returned.linking_target_id is not None:
                opened = await link_account(
                    auth,
                    db,
                    returned.linking_target_id,
                    returned.provider_type,
                    arrival.profile,
                    redirect_to=target,
                )
            else:
                opened = await open_account(
                    auth,
                    db,
                    returned.provider_type,
                    arrival.profile,
                    visit=call.visit,
                    redirect_to=target,
                    email_optional=returned.email_optional,
                )
            if opened.refusal is not None:
                return opened, None
            return opened, await _hand_out(
                auth, db, call, returned, user=opened.user, tokens=arrival.tokens
            )

    return await twice(attempt)


async def _hand_out(
    auth: AuthContext,
    db: Connection,
    call: Call,
    returned: _Return,
    *,
    user: User,
    tokens: Tokens,
) -> Grant | str:
    if returned.is_pkce:
        flow = await begin_flow(
            db,
            provider=returned.provider_type,
            method="oauth",
            challenge=returned.code_challenge or "",
            challenge_method=returned.code_challenge_method or "",
            user_id=user.id,
            provider_access_token=tokens.access,
            provider_refresh_token=tokens.refresh,
            auth_code_issued_at=datetime.now(UTC),
        )
        return flow.auth_code or ""
    extra = {"provider_token": tokens.access}
    if tokens.refresh:
        extra["provider_refresh_token"] = tokens.refresh
    return await issue_session(auth, db, user, method="oauth", visit=call.visit, extra=extra)


async def twice(attempt: Callable[[], Awaitable[T]]) -> T:
    """Run a transaction once more when another request has just made what it wanted to make."""
    try:
        return await attempt()
    except (psycopg.errors.UniqueViolation, psycopg.errors.DeadlockDetected):
        return await attempt()


async def _remember(db: Connection, provider: str, memory: str) -> UUID | None:
    if not memory:
        return None
    made = uuid4()
    await db.execute(
        "insert into auth.oauth_client_states (id, provider_type, code_verifier, created_at)"
        " values (%s, %s, %s, now())",
        [made, provider, memory],
    )
    return made


async def _spend_state(auth: AuthContext, state: str) -> _Return:
    """The flow that `state` names; it cannot be returned to again.

    Errors: 400 bad_oauth_callback, bad_oauth_state.
    """
    if not state:
        raise bad_request("bad_oauth_callback", "OAuth state parameter missing")
    try:
        flow_id = UUID(state)
    except ValueError:
        raise bad_request("bad_oauth_state", "OAuth state parameter is invalid") from None
    async with auth.transaction() as db, db.cursor(row_factory=class_row(_Return)) as cursor:
        await cursor.execute(
            "with spent as ("
            " delete from auth.flow_state where id = %s and authentication_method = 'oauth'"
            "   and user_id is null returning *"
            "), forgotten as ("
            " delete from auth.oauth_client_states as c using spent as s"
            "   where c.id = s.oauth_client_state_id returning c.code_verifier"
            ") select provider_type, code_challenge, code_challenge_method::text, referrer,"
            "   linking_target_id, email_optional, created_at,"
            "   (select code_verifier from forgotten) as memory from spent",
            [flow_id],
        )
        found = await cursor.fetchone()
    if found is None:
        raise bad_request("bad_oauth_state", "OAuth state not found or expired")
    if found.created_at + EXPIRY < datetime.now(UTC):
        raise bad_request("bad_oauth_state", "OAuth state has expired")
    return found


def _answer(call: Call) -> dict[str, str]:
    """What the provider sent: a form, or the query. Of a repeated name the first value."""
    if call.request.method != "POST":
        return call.query
    found: dict[str, str] = {}
    for name, value in parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True):
        found.setdefault(name, value.replace("\0", ""))
    return found


def _found(url: str) -> Response:
    return Response(status_code=302, headers={"location": url, "cache-control": "no-store"})


DOORS: tuple[Door, ...] = (
    Door("GET", "/authorize", authorize),
    Door("GET", "/callback", callback),
    Door("POST", "/callback", callback),
)
