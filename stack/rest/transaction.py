"""The frame around a request's statement: its role, claims and settings, for one transaction."""

import json
from collections import OrderedDict
from dataclasses import dataclass

from stack.core.callers import Caller
from stack.rest.catalog.model import Name
from stack.rest.errors import RestError
from stack.rest.plan.compile import Plan
from stack.rest.plan.quoting import identifier, literal, qualified
from stack.rest.request import Head
from stack.rest.settings import Settings

_KEPT = 512
_ISOLATIONS = ("repeatable read", "serializable")


@dataclass(frozen=True, slots=True)
class Frame:
    """SQL before the statement. `begin` is None where the implicit transaction will do."""

    begin: str | None
    setup: str


class Frames:
    """Builds frames; remembers the part that one caller's requests share."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._search_paths = {
            schema: ", ".join(map(identifier, (schema, *settings.extra_search_path)))
            for schema in settings.schemas
        }
        self._callers: OrderedDict[tuple[str, str, str], str] = OrderedDict()
        self._pre_request = ""
        if settings.pre_request:
            schema, _, name = settings.pre_request.rpartition(".")
            function = qualified(Name(schema.strip('"'), name.strip('"')))
            self._pre_request = f"select {function}();"

    def frame(self, head: Head, caller: Caller, plan: Plan | None) -> Frame:
        """Settings of the role come before the role itself: its member may be allowed more."""
        isolation = self._settings.isolation.get(caller.role)
        extra = ""
        if plan is not None:
            if plan.function is not None:
                isolation = plan.function.isolation or isolation
                extra = "".join(_set(name, value) for name, value in plan.function.settings)
            if plan.preferences.timezone:
                extra += _set("timezone", plan.preferences.timezone)
        is_read_only = plan is None or plan.is_read_only
        if is_read_only:
            extra += ",set_config('transaction_read_only','on',true)"
        setup = (
            f"{self._of_caller(head.schema, caller)}"
            f"{_set('request.method', head.method)}{_set('request.path', head.path)}"
            f"{_set('request.headers', head.request_headers)}"
            f"{_set('request.cookies', head.cookies)}{extra};{self._pre_request}"
        )
        if isolation not in _ISOLATIONS:
            isolation = None
        must_begin = isolation is not None or (plan is not None and plan.must_check)
        begin = f"begin isolation level {isolation};" if isolation else "begin;"
        return Frame(begin if must_begin else None, setup)

    def _of_caller(self, schema: str, caller: Caller) -> str:
        key = (schema, caller.role, caller.claims_json)
        known = self._callers.get(key)
        if known is None:
            if not caller.role.isprintable():
                raise RestError(401, "22023", "role does not exist")
            claims = caller.claims_json
            if caller.claims.get("role") != caller.role:
                claims = json.dumps({**caller.claims, "role": caller.role}, separators=(",", ":"))
            settings = self._settings.roles.get(caller.role, {})
            known = (
                f"select set_config('search_path',{literal(self._search_paths[schema])},true)"
                + "".join(_set(name, value) for name, value in settings.items())
                + _set("role", caller.role)
                + _set("request.jwt.claims", claims)
            )
            self._callers[key] = known
            if len(self._callers) > _KEPT:
                self._callers.popitem(last=False)
        return known


def _set(name: str, value: str) -> str:
    return f",set_config({literal(name)},{literal(value)},true)"
