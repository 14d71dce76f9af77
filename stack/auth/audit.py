"""The audit log: who did what, in the shape that hosted dashboards read."""

from typing import Any
from uuid import UUID, uuid4

from stack.auth.users import NIL_UUID, User, jsonb, timestamp
from stack.core.database import Connection

# Which kind of event an action is. Source: supabase/auth, models/audit_log_entry.go.
LOG_TYPES = {
    "login": "account",
    "logout": "account",
    "invite_accepted": "account",
    "user_signedup": "team",
    "user_invited": "team",
    "user_deleted": "team",
    "user_modified": "user",
    "user_recovery_requested": "user",
    "user_reauthenticate_requested": "user",
    "user_confirmation_requested": "user",
    "user_repeated_signup": "user",
    "user_updated_password": "user",
    "token_revoked": "token",
    "token_refreshed": "token",
    "generate_recovery_codes": "user",
    "factor_in_progress": "factor",
    "factor_unenrolled": "factor",
    "challenge_created": "factor",
    "verification_attempted": "factor",
    "factor_deleted": "factor",
    "recovery_codes_deleted": "factor",
    "factor_updated": "factor",
    "mfa_code_login": "factor",
    "identity_unlinked": "user",
}


async def record(
    db: Connection,
    actor: User | None,
    action: str,
    *,
    traits: dict[str, Any] | None = None,
    ip: str = "",
) -> None:
    """Add an entry about `actor`; None: an administrator. `action` is one of LOG_TYPES."""
    payload: dict[str, Any] = {
        "action": action,
        "log_type": LOG_TYPES[action],
        "actor_id": str(actor.id if actor else UUID(int=0)),
        "actor_via_sso": bool(actor and actor.is_sso_user),
        "actor_username": (actor.email or actor.phone or "") if actor else "service_role",
    }
    if actor and (name := actor.raw_user_meta_data.get("full_name")):
        payload["actor_name"] = name
    if traits:
        payload["traits"] = traits
    await db.execute(
        "insert into auth.audit_log_entries (instance_id, id, payload, created_at, ip_address)"
        " values (%s, %s, %s::jsonb::json, now(), %s)",
        [NIL_UUID, uuid4(), jsonb(payload), ip[:64]],
    )


def entry_json(row: dict[str, Any]) -> dict[str, Any]:
    """An entry as the admin API lists it."""
    return {
        "id": str(row["id"]),
        "payload": row["payload"],
        "created_at": timestamp(row["created_at"]),
        "ip_address": row["ip_address"],
    }
