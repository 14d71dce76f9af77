"""What the Data API may be told: config.toml first, then the authenticator's own settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from stack.core.config import Config
from stack.core.database import Connection

_DEFAULT_BODY = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """`roles`: settings by role, applied before the role is taken; `isolation`: likewise.

    Source: PostgREST, Configuration; config.toml's section `[api]`.
    """

    schemas: tuple[str, ...] = ("public",)
    extra_search_path: tuple[str, ...] = ("public", "extensions")
    max_rows: int | None = 1000
    aggregates_enabled: bool = False
    plan_enabled: bool = False
    pre_request: str | None = None
    may_end_transaction: bool = False
    rolls_back: bool = False
    shows_timing: bool = False
    root_function: str | None = None
    openapi: str = "follow-privileges"
    max_body: int = _DEFAULT_BODY
    roles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    isolation: Mapping[str, str] = field(default_factory=dict)


def from_config(config: Config) -> Settings:
    """The defaults of a project."""
    api = config.section("api")
    known: dict[str, Any] = {}
    for name in ("schemas", "extra_search_path"):
        if api.get(name):
            known[name] = tuple(str(schema) for schema in api[name])
    if "max_rows" in api:
        known["max_rows"] = int(api["max_rows"]) or None
    for name in ("aggregates_enabled", "plan_enabled"):
        known[name] = bool(api.get(name, False))
    known["may_end_transaction"] = bool(api.get("tx_override", False))
    known["pre_request"] = str(api["pre_request"]) if api.get("pre_request") else None
    if api.get("max_body_bytes"):
        known["max_body"] = int(api["max_body_bytes"])
    return Settings(**known)


_OWN = """
    select distinct on (name) name, value
    from pg_catalog.pg_db_role_setting as s,
        unnest(s.setconfig) as entry,
        lateral (select split_part(entry, '=', 1) as name,
            substr(entry, strpos(entry, '=') + 1) as value) as pair
    where s.setrole = (select oid from pg_catalog.pg_roles where rolname = session_user)
        and s.setdatabase in
            (0, (select oid from pg_catalog.pg_database where datname = current_catalog))
        and name like 'pgrst.%'
    order by name, s.setdatabase desc
"""

# Settings of the roles it may become. What changes how SQL text is read stays out.
_ROLES = """
    select r.rolname, pair.name, pair.value
    from pg_catalog.pg_roles as r,
        unnest(r.rolconfig) as entry,
        lateral (select split_part(entry, '=', 1) as name,
            substr(entry, strpos(entry, '=') + 1) as value) as pair
    left join pg_catalog.pg_settings as known on known.name = pair.name
    where pg_catalog.pg_has_role(session_user, r.oid, 'member')
        and r.rolname <> session_user
        and pair.name not in
            ('client_encoding', 'standard_conforming_strings', 'search_path', 'role')
        and (known.context = 'user' or known.context is null and pair.name like '%.%'
            or known.context = 'superuser'
                and has_parameter_privilege(session_user, pair.name, 'set'))
"""


async def load(connection: Connection, defaults: Settings) -> Settings:
    """The settings now: `alter role authenticator set pgrst.…` overrules the project's."""
    own = dict(await (await connection.execute(_OWN)).fetchall())
    roles: dict[str, dict[str, str]] = {}
    isolation: dict[str, str] = {}
    for role, name, value in await (await connection.execute(_ROLES)).fetchall():
        if name == "default_transaction_isolation":
            isolation[role] = value
        else:
            roles.setdefault(role, {})[name] = value
    changes: dict[str, Any] = {"roles": roles, "isolation": isolation}
    for name, value in own.items():
        changes |= _change(name.removeprefix("pgrst."), value)
    return replace(defaults, **changes)


def _change(name: str, value: str) -> dict[str, Any]:
    match name:
        case "db_schemas":
            return {"schemas": _list(value) or ("public",)}
        case "db_extra_search_path":
            return {"extra_search_path": _list(value)}
        case "db_max_rows":
            return {"max_rows": int(value) if value.strip().isdigit() else None}
        case "db_aggregates_enabled":
            return {"aggregates_enabled": _is_true(value)}
        case "db_plan_enabled":
            return {"plan_enabled": _is_true(value)}
        case "db_pre_request":
            return {"pre_request": value.strip() or None}
        case "db_root_spec":
            return {"root_function": value.strip() or None}
        case "db_tx_end":
            return {
                "may_end_transaction": value.endswith("allow-override"),
                "rolls_back": value.startswith("rollback"),
            }
        case "server_timing_enabled":
            return {"shows_timing": _is_true(value)}
        case "openapi_mode":
            return {"openapi": value.strip()}
        case _:
            return {}


def _list(text: str) -> tuple[str, ...]:
    names = (name.strip().strip('"') for name in text.split(","))
    return tuple(name for name in names if name)


def _is_true(text: str) -> bool:
    return text.strip().lower() in ("true", "on", "yes", "1")
