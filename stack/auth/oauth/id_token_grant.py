"""`grant_type=id_token`: an app has signed somebody in at the provider, and shows the proof."""

import hashlib
import hmac
import logging

from starlette.responses import Response

from stack.auth.call import Call
from stack.auth.context import AuthContext
from stack.auth.errors import AuthError, OAuthError, bad_request, invalid, not_found
from stack.auth.oauth.id_tokens import InvalidIdToken, audiences, check_access_token
from stack.auth.oauth.linking import Opened, link_account, open_account
from stack.auth.oauth.profiles import Profile, UnusableProfile, from_google
from stack.auth.oauth.providers import Google
from stack.auth.oauth.routes import twice
from stack.auth.oauth.web import ProviderFailure
from stack.auth.redirects import allowed_redirect
from stack.auth.routing import answer
from stack.auth.sessions import Grant, issue_session
from stack.auth.users import Json

logger = logging.getLogger("stack.auth")


async def id_token_grant(auth: AuthContext, call: Call) -> Response:
    """A session for the person whom an ID token of Google's names.

    With `link_identity` the account is added to the caller's instead.
    """
    auth.limits.check("token_refresh", call.visit.ip)  # one limit serves both, as in GoTrue
    fields = call.fields
    id_token, name = fields.text("id_token"), fields.text("provider")
    issuer, client_id = fields.text("issuer"), fields.text("client_id")
    if not id_token:
        raise OAuthError("invalid request", "id_token required")
    if not name and not (client_id and issuer):
        raise OAuthError("invalid request", "provider or client_id and issuer required")
    target = None
    if fields.flag("link_identity"):
        target = await call.require_user(auth)
        if not auth.settings.enable_manual_linking:
            raise not_found("manual_linking_disabled", "Manual linking is disabled")
    google = _google(auth, name, issuer)
    claims = await _claims(auth, google, id_token, fields.text("access_token"))
    if not set(audiences(claims)) & set(google.settings.client_ids):
        raise OAuthError(
            "invalid request", f"Unacceptable audience in id_token: {audiences(claims)}"
        )
    if not google.settings.skip_nonce_check:
        _check_nonce(claims, fields.text("nonce"))
    profile = _profile(claims)
    redirect_to = allowed_redirect(auth.settings, call.referrer)

    async def attempt() -> tuple[Opened, Grant | None]:
        async with auth.transaction() as db:
            if target is not None:
                opened = await link_account(
                    auth, db, target.user.id, "google", profile, redirect_to=redirect_to
                )
            else:
                opened = await open_account(
                    auth,
                    db,
                    "google",
                    profile,
                    visit=call.visit,
                    redirect_to=redirect_to,
                    email_optional=google.settings.email_optional,
                )
            if opened.refusal is not None:
                return opened, None
            return opened, await issue_session(
                auth, db, opened.user, method="oauth", visit=call.visit
            )

    opened, grant = await twice(attempt)
    await auth.post.deliver(opened.letters)
    if grant is None:
        raise opened.refusal or LookupError("neither session nor refusal")
    return answer(grant.as_json())


def _google(auth: AuthContext, name: str, issuer: str) -> Google:
    if name != "google" and not (not name and issuer == auth.providers.google_issuer):
        raise invalid(f'Custom OIDC provider "{name}" not allowed')
    try:
        provider = auth.providers.get("google")
    except LookupError as error:
        raise bad_request(
            "provider_disabled",
            f'Provider (issuer "{auth.providers.google_issuer}") is not enabled',
        ) from error
    if not isinstance(provider, Google):
        raise LookupError("google is not an OpenID provider")
    return provider


async def _claims(auth: AuthContext, google: Google, id_token: str, access_token: str) -> Json:
    try:
        claims = await google.claims(auth.providers.web, id_token)
        if access_token:
            check_access_token(claims, access_token)
    except InvalidIdToken as error:
        logger.info("ID token refused: %s", error)
        raise OAuthError("invalid request", "Bad ID token") from error
    except ProviderFailure as error:
        logger.warning("google does not answer: %s", error)
        raise AuthError(500, "unexpected_failure", "The provider did not answer") from error
    return claims


def _profile(claims: Json) -> Profile:
    if not claims.get("sub"):
        raise OAuthError("invalid request", "Missing sub claim in id_token")
    try:
        return from_google(claims)
    except UnusableProfile as error:
        raise OAuthError("invalid request", "Bad ID token") from error


def _check_nonce(claims: Json, nonce: str) -> None:
    """The token holds the SHA-256 of a nonce that only the app knows."""
    stated = claims.get("nonce")
    if bool(stated) != bool(nonce):
        raise OAuthError(
            "invalid request",
            "Passed nonce and nonce in id_token should either both exist or not.",
        )
    hashed = hashlib.sha256(nonce.encode()).hexdigest()
    if nonce and not hmac.compare_digest(hashed.encode(), str(stated).encode()):
        raise OAuthError("invalid nonce", "Nonces mismatch")
