"""Linking further accounts to one's own, and unlinking them. Source: supabase/auth, identity.go."""

import psycopg
from starlette.responses import RedirectResponse, Response

from stack.auth.audit import record
from stack.auth.call import Call, as_uuid
from stack.auth.context import AuthContext
from stack.auth.errors import not_found, unprocessable
from stack.auth.oauth.routes import departure_url
from stack.auth.routing import Door, answer
from stack.auth.users import Json, User, change_user, refresh_providers, user_by_id
from stack.core.database import Connection


async def link(auth: AuthContext, call: Call) -> Response:
    """To the provider, to add an account there to the caller's."""
    signed_in = await call.require_user(auth)
    _require_linking(auth)
    url = await departure_url(auth, call, linking_target=signed_in.user.id)
    if call.query.get("skip_http_redirect") == "true":
        return answer({"url": url})
    return RedirectResponse(url, 302)


async def unlink(auth: AuthContext, call: Call) -> Response:
    """Remove one of the caller's identities; one must be left."""
    signed_in = await call.require_user(auth)
    _require_linking(auth)
    identity_id = as_uuid(
        call.request.path_params["identity_id"],
        "validation_failed",
        "identity_id must be an UUID",
    )
    async with auth.transaction() as db:
        user = await user_by_id(db, signed_in.user.id, lock=True)
        identities = list(user.identities) if user else []
        if user is None or len(identities) <= 1:
            raise unprocessable(
                "single_identity_not_deletable",
                "User must have at least 1 identity after unlinking",
            )
        chosen = next((row for row in identities if row["id"] == str(identity_id)), None)
        if chosen is None:
            raise unprocessable("identity_not_found", "Identity doesn't exist")
        await db.execute("delete from auth.identities where id = %s", [identity_id])
        await _follow_email(db, user, [row for row in identities if row is not chosen])
        await refresh_providers(db, user.id)
        traits = {
            "identity_id": chosen["id"],
            "provider": chosen["provider"],
            "provider_id": chosen["provider_id"],
        }
        await record(db, user, "identity_unlinked", traits=traits, ip=call.visit.ip)
    return answer({})


def _require_linking(auth: AuthContext) -> None:
    if not auth.settings.enable_manual_linking:
        raise not_found("manual_linking_disabled", "Manual linking is disabled")


async def _follow_email(db: Connection, user: User, left: list[Json]) -> None:
    """Keep the user's address one that an identity has; an unverified one is unconfirmed.

    Errors: 422 email_conflict_identity_not_deletable.
    """
    if any((row["email"] or "") == (user.email or "").lower() for row in left):
        return
    heir = next((row for row in left if row["email"]), None)
    is_verified = heir is not None and heir["identity_data"].get("email_verified") is True
    try:
        await change_user(
            db,
            user.id,
            email=heir["email"] if heir else None,
            **({} if is_verified else {"email_confirmed_at": None}),
        )
    except psycopg.errors.UniqueViolation:
        raise unprocessable(
            "email_conflict_identity_not_deletable",
            "Unable to unlink identity due to email conflict",
        ) from None


DOORS: tuple[Door, ...] = (
    Door("GET", "/user/identities/authorize", link),
    Door("DELETE", "/user/identities/{identity_id}", unlink),
)
