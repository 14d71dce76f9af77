"""`/admin/users/{id}/factors` and `/admin/audit`: what an administrator looks after."""

from psycopg.rows import dict_row
from starlette.responses import Response

from stack.auth.audit import entry_json, record
from stack.auth.call import Call, as_uuid
from stack.auth.context import AuthContext
from stack.auth.errors import AuthError, invalid, not_found
from stack.auth.paging import page_headers, read_page
from stack.auth.routes.admin_users import wanted_user
from stack.auth.routing import Door, answer
from stack.auth.users import Json, User, factor_json
from stack.core.database import Connection

# what `query=<name>:<text>` searches in
_AUDITED = {"author": "actor_username", "action": "action", "type": "log_type"}


async def list_factors(auth: AuthContext, call: Call) -> Response:
    """A user's second factors. Errors: 404 user_not_found."""
    call.require_admin(auth)
    async with auth.connection() as db:
        user = await wanted_user(db, call)
    return answer([factor_json(row) for row in user.factors])


async def update_factor(auth: AuthContext, call: Call) -> Response:
    """Rename a factor. Errors: 404 user_not_found, mfa_factor_not_found."""
    call.require_admin(auth)
    async with auth.transaction() as db:
        user = await wanted_user(db, call)
        factor = _wanted_factor(user, call)
        name = call.fields.text("friendly_name")
        if name:
            await db.execute(
                "update auth.mfa_factors set friendly_name = %s, updated_at = now() where id = %s",
                [name, factor["id"]],
            )
        await _note(db, user, "factor_updated", factor, call)
        factor = _wanted_factor(await wanted_user(db, call), call)
    return answer(factor_json(factor))


async def delete_factor(auth: AuthContext, call: Call) -> Response:
    """Remove a factor, as for someone who lost their phone.

    Errors: 404 user_not_found, mfa_factor_not_found.
    """
    call.require_admin(auth)
    async with auth.transaction() as db:
        user = await wanted_user(db, call)
        factor = _wanted_factor(user, call)
        await db.execute("delete from auth.mfa_factors where id = %s", [factor["id"]])
        await _note(db, user, "factor_deleted", factor, call)
    return answer(factor_json(factor))


async def list_audit(auth: AuthContext, call: Call) -> Response:
    """The audit log, the newest first; `query=author:…`, `action:…` or `type:…` narrows it.

    Errors: 400 validation_failed.
    """
    call.require_admin(auth)
    page = read_page(call)
    name, separator, text = call.query.get("query", "").partition(":")
    if name and (not separator or name not in _AUDITED):
        raise invalid("Invalid query scope: use author, action or type")
    async with auth.connection() as db, db.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "select id, payload, created_at, ip_address, count(*) over () as total"
            " from auth.audit_log_entries"
            " where %(key)s = '' or strpos(lower(payload ->> %(key)s), lower(%(text)s)) > 0"
            " order by created_at desc, id limit %(limit)s offset %(offset)s",
            {
                "key": _AUDITED.get(name, ""),
                "text": text,
                "limit": page.limit,
                "offset": page.offset,
            },
        )
        rows = await cursor.fetchall()
    total = rows[0]["total"] if rows else 0
    return answer([entry_json(row) for row in rows], headers=page_headers(call, page, total))


async def refuse_sso(auth: AuthContext, call: Call) -> Response:
    """SAML is not built. Errors: 404 saml_provider_disabled."""
    raise AuthError(404, "saml_provider_disabled", "SAML 2.0 is disabled")


def _wanted_factor(user: User, call: Call) -> Json:
    factor_id = as_uuid(
        call.request.path_params["factor_id"], "validation_failed", "factor_id must be an UUID"
    )
    for row in user.factors:
        if row["id"] == str(factor_id):
            return row
    raise not_found("mfa_factor_not_found", "Factor not found")


async def _note(db: Connection, user: User, action: str, factor: Json, call: Call) -> None:
    traits = {"user_id": str(user.id), "factor_id": factor["id"]}
    await record(db, None, action, traits=traits, ip=call.visit.ip)


DOORS = (
    Door("GET", "/admin/users/{user_id}/factors", list_factors),
    Door("PUT", "/admin/users/{user_id}/factors/{factor_id}", update_factor),
    Door("DELETE", "/admin/users/{user_id}/factors/{factor_id}", delete_factor),
    Door("GET", "/admin/audit", list_audit),
    Door("POST", "/sso", refuse_sso),
    Door("GET", "/admin/sso/providers", refuse_sso),
    Door("POST", "/admin/sso/providers", refuse_sso),
)
